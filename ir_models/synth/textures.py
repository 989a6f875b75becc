"""Drawn cloth: colours, patterns, prints, wrinkles. All RGB, float 0..1 or uint8, squares of the canonical sheet."""

from __future__ import annotations

import string

import cv2
import numpy as np

from ir_models.synth.raster import TEXTURE_LEFT, TEXTURE_SPAN, TEXTURE_TOP

SIZE = 640
"""Pixels across a drawn texture: 1.9 mm of cloth each."""
PATTERNS = ("solid", "solid", "solid", "stripes", "upright", "check", "blobs", "raglan", "fade", "blocks", "dots")


def cloud(
    rng: np.random.Generator, shape: tuple[int, int], grain: float, octaves: int, stretch: float = 1.0
) -> np.ndarray:
    """float32 noise of about unit spread; `grain` is the size of its largest lumps in pixels."""
    out = np.zeros(shape, np.float32)
    for o in range(octaves):
        s = grain / 2**o
        small = rng.normal(size=(max(int(shape[0] / s) + 3, 3), max(int(shape[1] / (s * stretch)) + 3, 3)))
        out += cv2.resize(small.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC) * 0.55**o
    return out


class Noise:
    """Smooth noise over the canonical sheet, about -1..1, for folds of the cloth itself."""

    def __init__(self, rng: np.random.Generator, grain: float = 7.0):
        self._field = np.clip(cloud(rng, (64, 64), grain, 2, rng.uniform(0.6, 1.4)), -1.5, 1.5)

    def at(self, uv: np.ndarray) -> np.ndarray:
        """float32 (n,) at places (n, 2) of the sheet."""
        x = np.clip(((uv[:, 0] - TEXTURE_LEFT) / TEXTURE_SPAN * 63), 0, 63).astype(np.float32)
        y = np.clip(((TEXTURE_TOP - uv[:, 1]) / TEXTURE_SPAN * 63), 0, 63).astype(np.float32)
        return cv2.remap(self._field, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0]


def wrinkles(rng: np.random.Generator, size: int = 512) -> np.ndarray:
    """float32 (size, size): height of folds: ridges along random directions, and soft waves."""
    height = np.zeros((size, size), np.float32)
    for _ in range(3):
        ridge = cloud(rng, (size, size), rng.uniform(18, 42), 2, rng.uniform(2.5, 6))
        turn = cv2.getRotationMatrix2D((size / 2, size / 2), rng.uniform(-80, 80), 1.3)
        ridge = cv2.warpAffine(ridge, turn, (size, size), borderMode=cv2.BORDER_REFLECT)
        where = cv2.resize(
            np.clip(rng.normal(0.4, 0.5, (5, 5)), 0, 1).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
        height += (1 - np.abs(ridge)) * where
    return cv2.GaussianBlur(height, (0, 0), 2.0) + 0.5 * cloud(rng, (size, size), 70, 2)


def colour(rng: np.random.Generator) -> np.ndarray:
    """float32 (3,): a colour clothes have: many greys, blacks, whites, and some loud ones."""
    hue = rng.random() * 360
    saturation = rng.uniform(0, 0.15) if rng.random() < 0.45 else rng.uniform(0.2, 0.9)
    bands = ((0.05, 0.25), (0.35, 0.75), (0.80, 0.97))
    value = rng.uniform(*bands[int(rng.integers(3))])
    return cv2.cvtColor(np.array([[[hue, saturation, value]]], np.float32), cv2.COLOR_HSV2RGB)[0, 0]


def _bytes(c: np.ndarray) -> list[int]:
    return [int(255 * x) for x in c]


def _print(rng: np.random.Generator, image: np.ndarray) -> None:
    """Something on the chest: letters, a disc, a shape, boxes, lines."""
    n = len(image)
    metre = n / TEXTURE_SPAN
    cx = int((0 - TEXTURE_LEFT + rng.normal(0, 0.012)) * metre)
    cy = int((TEXTURE_TOP - rng.uniform(0.34, 0.53)) * metre)
    style = rng.integers(5)
    for _ in range(int(rng.integers(1, 4))):
        c = _bytes(colour(rng))
        if style == 0:
            text = "".join(rng.choice(list(string.ascii_uppercase + string.digits), rng.integers(2, 7)))
            scale, thick = rng.uniform(0.9, 2.4) * n / 640, int(rng.integers(2, 7))
            (w, _), _ = cv2.getTextSize(text, 0, scale, thick)
            place = (cx - w // 2, cy + int(rng.normal(0, 20)))
            cv2.putText(image, text, place, int(rng.choice([0, 2, 3, 4])), scale, c, thick, cv2.LINE_AA)
        elif style == 1:
            middle = (cx + int(rng.normal(0, 12)), cy + int(rng.normal(0, 12)))
            cv2.circle(image, middle, int(metre * rng.uniform(0.03, 0.11)), c, int(rng.choice([-1, 4, 8])), cv2.LINE_AA)
        elif style == 2:
            shape = np.array([cx, cy]) + rng.normal(0, metre * 0.06, (int(rng.integers(3, 8)), 2))
            cv2.fillPoly(image, [shape.astype(np.int32)], c, cv2.LINE_AA)
        elif style == 3:
            w, h = int(metre * rng.uniform(0.04, 0.14)), int(metre * rng.uniform(0.03, 0.11))
            cv2.rectangle(image, (cx - w, cy - h), (cx + w, cy + h), c, int(rng.choice([-1, 3, 8])), cv2.LINE_AA)
        else:
            y = cy + int(rng.normal(0, 30))
            cv2.line(image, (0, y), (n, y), c, int(rng.integers(3, 40)), cv2.LINE_AA)


def cloth_texture(rng: np.random.Generator) -> np.ndarray:
    """uint8 (SIZE, SIZE, 4) RGBA, opaque: a pattern, often with a print."""
    n = SIZE
    image = np.ones((n, n, 3), np.float32) * colour(rng)
    second, period, kind = colour(rng), rng.uniform(0.018, 0.09), str(rng.choice(PATTERNS))
    yy, xx = (np.mgrid[0:n, 0:n] / n).astype(np.float32)
    if kind == "stripes":
        image[(yy / period) % 1 < rng.uniform(0.15, 0.6)] = second
    elif kind == "upright":
        image[(xx / period) % 1 < rng.uniform(0.12, 0.5)] = second
    elif kind == "check":
        share = 0.5 * ((yy / period) % 1 < 0.5) + 0.5 * ((xx / period) % 1 < 0.5)
        image = image * (1 - share[..., None]) + second * share[..., None]
    elif kind == "blobs":
        for _ in range(3):
            image[cloud(rng, (n, n), rng.uniform(12, 50), 2) > rng.uniform(0.4, 1.1)] = colour(rng)
    elif kind == "raglan":
        image[np.abs(xx - 0.5) > rng.uniform(0.15, 0.19)] = second
    elif kind == "fade":
        image = image * (1 - yy[..., None]) + second * yy[..., None]
    elif kind == "blocks":
        image[yy > rng.uniform(0.3, 0.6)] = second
    elif kind == "dots":
        p = period * 0.6
        image[((yy / p) % 1 - 0.5) ** 2 + ((xx / p) % 1 - 0.5) ** 2 < rng.uniform(0.02, 0.12)] = second
    out = np.ascontiguousarray((np.clip(image, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.45:
        _print(rng, out)
    weave = 1 + rng.uniform(0.005, 0.04) * rng.normal(size=(n, n, 1)).astype(np.float32)
    rgb = np.clip(out * weave, 0, 255).astype(np.uint8)
    return np.dstack([rgb, np.full((n, n), 255, np.uint8)])


def tinted(rng: np.random.Generator, texture: np.ndarray) -> np.ndarray:
    """The same drawing in other colours: a pool of drawings serves many garments."""
    if rng.random() < 0.25:
        return texture
    rgb = texture[..., list(rng.permutation(3))] * (0.75 + 0.5 * rng.random(3))
    return np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), texture[..., 3]])
