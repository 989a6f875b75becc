"""Drawn necks of garments, whose necklines are known exactly: plain, striped and printed cloth, all depths and forms.

They teach the network of mirror/prepare/opening.py what few photos show: V-necks and deep scoops, and cloth of any
colour. Nothing in them is copied from a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.prepare.opening import MIDDLE_PX, NECK_PX, PATCH_PX

FINER = 2
"""They are drawn so many times larger than the network's patch."""
USUAL_WIDTH, WIDTH_SPREAD = 0.29, 0.25
"""Of necks on labelled photos, lengths of the garment: median, and deviation of the logarithm."""
USUAL_DEPTH, DEPTH_SPREAD = 0.11, 0.03
"""Of necklines on labelled photos, lengths of the garment."""
LETTERS = list("ABCDEFGHOSX ")
BARE, OF_ANY_DEPTH = 0.06, 0.6
"""Shares of necks where no neckline is seen (it lies where it usually does), and of those deep or shallow alike."""
SIDE = (np.array(PATCH_PX[::-1]) * FINER).tolist()
SCALE = NECK_PX * FINER
X = ((np.arange(SIDE[1]) + 0.5) / SCALE - (MIDDLE_PX[0] + 0.5) / NECK_PX)[None]
Y = ((np.arange(SIDE[0]) + 0.5) / SCALE - (MIDDLE_PX[1] + 0.5) / NECK_PX)[:, None]
"""Places of the drawing's pixels: across and below the middle of the neck points, in widths of the neck."""


@dataclass(frozen=True)
class Shape:
    """A neckline: depth, exponent (1 a V, 2 round, 5 square), half of its width, how far its lowest point lies aside,
    depth of its ends; in widths of the neck, as all lengths here."""

    depth: float
    form: float
    half: float
    aside: float
    ends: float

    def edge(self, depth: float, form: float, wider: float = 0.0) -> np.ndarray:
        """float64 of the drawing's size: how deep at each place across an edge of this depth and form hangs."""
        middle = self.aside * np.clip(Y / max(self.depth, 0.05), 0.0, 1.0)
        away = np.clip(np.abs(X - middle) / (self.half + wider), 0.0, 1.0)
        return self.ends + (1.0 - away**form) * (depth - self.ends)


def draw_neck(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """uint8 52x48x4 BGRA with straight alpha; float64 (2,) neck_front in its pixels; the neck's width in lengths of
    the garment."""
    width = float(np.clip(np.exp(rng.normal(np.log(USUAL_WIDTH), WIDTH_SPREAD)), 0.12, 0.6))
    bare = rng.random() < BARE
    shape = _shape(rng, width, bare)
    back = shape.edge(rng.uniform(-0.08, min(0.22, shape.depth - 0.05)), 2.5)
    base = _colour(rng)
    picture = _cloth(rng, base, shape)
    if not bare:
        _add_front(rng, picture, base, shape, back)
    alpha = _alpha(rng, shape, back)
    picture = np.clip(picture, 0, 255) * (alpha[..., None] > 0)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 1.6))
    small = cv2.resize(np.dstack([picture, alpha * 255]), PATCH_PX, interpolation=cv2.INTER_AREA)
    front = np.array([shape.aside, shape.depth]) * NECK_PX + MIDDLE_PX
    return np.clip(small, 0, 255).astype(np.uint8), front, width


def _shape(rng: np.random.Generator, width: float, bare: bool) -> Shape:
    usual = USUAL_DEPTH - 0.01 if bare else rng.normal(USUAL_DEPTH, DEPTH_SPREAD)
    any_depth = not bare and rng.random() < OF_ANY_DEPTH
    depth = float(np.clip(rng.uniform(0.12, 1.1) if any_depth else usual / width, 0.1, 1.12))
    forms = [rng.uniform(0.95, 1.25), rng.uniform(1.3, 2.0), rng.uniform(2.0, 3.0), rng.uniform(3.0, 5.0)]
    form = float(rng.choice(forms, p=[0.4, 0.15, 0.3, 0.15]))
    half = 0.5 - max(0.0, rng.normal(0.02, 0.05))
    return Shape(depth, form, half, rng.normal(0, 0.04), rng.normal(0, 0.03))


def _noise(rng: np.random.Generator, blur: float, levels: float) -> np.ndarray:
    """float32 HxWx1: grain of this size (pixels) and deviation."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, SIDE).astype(np.float32), (0, 0), blur)
    return (grain * (levels / max(float(grain.std()), 1e-6)))[..., None]


def _colour(rng: np.random.Generator) -> np.ndarray:
    base = rng.uniform(20, 240, 3)
    if rng.random() < 0.5:
        base = base.mean() + rng.normal(0, 12, 3)
    if rng.random() < 0.1:
        base = np.full(3, rng.choice([245.0, 15.0]))
    return np.clip(base, 8, 248)


def _cloth(rng: np.random.Generator, base: np.ndarray, shape: Shape) -> np.ndarray:
    """float32 HxWx3: cloth with grain, shade, perhaps stripes, a pattern or a print on the chest."""
    picture = np.full((*SIDE, 3), base, np.float32)
    if rng.random() < 0.3:
        repeat, share = rng.uniform(0.06, 0.3), rng.uniform(0.2, 0.6)
        along = (Y + 0 * X) if rng.random() < 0.8 else (X + 0 * Y)
        picture[(along / repeat + rng.random()) % 1 < share] = rng.uniform(10, 245, 3)
    if rng.random() < 0.15:
        for _ in range(rng.integers(10, 60)):
            at = rng.integers(0, SIDE[::-1]).tolist()
            axes = rng.integers(1, 7, 2).tolist()
            cv2.ellipse(picture, at, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0, 255, 3).tolist(), -1)
    if rng.random() < 0.4:
        _print(rng, picture, round((shape.depth + rng.uniform(0.12, 0.6) - float(Y[0, 0])) * SCALE))
    return picture + _noise(rng, rng.uniform(0.5, 2.5), rng.choice([0, 3, 8, 16])) + _shade(rng)


def _shade(rng: np.random.Generator) -> np.ndarray:
    return _noise(rng, rng.uniform(6, 20), rng.uniform(0, 9))


def _print(rng: np.random.Generator, picture: np.ndarray, top: int) -> None:
    """A block, a disc or lines of writing, from this row down."""
    colour = rng.uniform(0, 255, 3).tolist()
    wide = SIDE[1]
    kind = rng.integers(3)
    if kind == 0:
        first, last = int(rng.uniform(0.1, 0.45) * wide), int(rng.uniform(0.55, 0.9) * wide)
        cv2.rectangle(picture, (first, top), (last, top + int(rng.uniform(0.05, 0.6) * SCALE)), colour, -1)
    elif kind == 1:
        axes = (int(rng.uniform(0.1, 0.4) * SCALE), int(0.3 * SCALE))
        cv2.ellipse(picture, (wide // 2, top + axes[1]), axes, 0, 0, 360, colour, -1)
    else:
        for line in range(1, rng.integers(2, 5)):
            at = (int(rng.uniform(0, 0.3) * wide), top + int(0.2 * line * SCALE))
            words, font, size = "".join(rng.choice(LETTERS, 8)), int(rng.integers(0, 6)), rng.uniform(0.5, 1.1)
            cv2.putText(picture, words, at, font, size, colour, int(rng.integers(1, 4)))


def _add_front(rng: np.random.Generator, picture: np.ndarray, base: np.ndarray, shape: Shape, back: np.ndarray) -> None:
    """The front's edge with its ribbing, and the inside of the back above it: shade, tape, label, seam."""
    front = shape.edge(shape.depth, shape.form)
    inside = (front > Y) & (np.abs(X) < shape.half + 0.02)
    rib = rng.uniform(0.04, 0.15)
    band = (shape.edge(shape.depth + rib, shape.form, 0.7 * rib) > Y) & (np.abs(X) < shape.half + 0.7 * rib) & ~inside
    kind = rng.random()
    if kind < 0.14:
        picture[band] = rng.uniform(10, 245, 3)
    elif kind < 0.3:
        picture[band] *= rng.uniform(0.85, 1.12)
    if kind < 0.65:
        picture[cv2.Canny(band.astype(np.uint8) * 255, 50, 100) > 0] *= rng.uniform(0.7, 1.15)
    picture[inside] = _inside(rng, picture, base, back)[inside]
    if rng.random() < 0.6:  # the shadow that the front's edge throws
        near = 1.0 - np.clip((front - Y) / rng.uniform(0.03, 0.15), 0.0, 1.0)
        picture *= np.where(inside, 1.0 - near * rng.uniform(0.0, 0.3), 1.0)[..., None]
    if rng.random() < 0.6:
        picture[(np.abs(Y - front) < rng.uniform(0.006, 0.02)) & (np.abs(X) < shape.half)] *= rng.uniform(0.6, 1.2)
    if rng.random() < 0.12:
        placket = (np.abs(X - shape.aside) < rng.uniform(0.03, 0.08)) & (front < Y)
        picture[placket] *= rng.uniform(0.85, 1.1)


def _inside(rng: np.random.Generator, picture: np.ndarray, base: np.ndarray, back: np.ndarray) -> np.ndarray:
    """float32 HxWx3: the inside of the back, whose upper edge is `back`."""
    if rng.random() < 0.4:
        cloth = picture.copy()
    else:
        colour = base if rng.random() < 0.7 else rng.uniform(20, 240, 3)
        cloth = np.full((*SIDE, 3), colour, np.float32) + _noise(rng, rng.uniform(0.5, 2.0), rng.choice([0, 3, 8, 16]))
    cloth = cloth * rng.uniform(0.65, 1.04) + rng.normal(0, 4, 3)
    top = float(back.max())
    if rng.random() < 0.6:
        cloth[(back + rng.uniform(0.02, 0.1) > Y) & (back - 0.3 < Y)] *= rng.uniform(0.75, 1.15)
    if rng.random() < 0.7:
        at, tall = top + rng.uniform(0.0, 0.12), rng.uniform(0.03, 0.16)
        label = (np.abs(X - rng.normal(0, 0.04)) < rng.uniform(0.04, 0.16)) & (at < Y) & (at + tall > Y)
        cloth[label] = rng.choice([rng.uniform(200, 250), rng.uniform(5, 60), rng.uniform(5, 250)])
    if rng.random() < 0.25:
        seam = np.abs(Y - top - rng.uniform(0.15, 0.3) - 0.3 * X * X) < 0.012
        cloth[seam] *= rng.uniform(0.7, 0.95)
    return cloth


def _alpha(rng: np.random.Generator, shape: Shape, back: np.ndarray) -> np.ndarray:
    """float32 HxW 0/1: below the back's edge and the shoulders; now and then a stand-up collar."""
    shoulder = shape.ends + rng.uniform(0.15, 0.7) * (np.abs(X) - 0.5)
    alpha = np.where(np.abs(X) < shape.half, back < Y, shoulder < Y).astype(np.float32)
    return np.maximum(alpha, np.abs(X) < 0.45).astype(np.float32) if rng.random() < 0.05 else alpha
