"""Motifs printed on the chest: BGRA pictures drawn from shapes of our own. `printed` lays one on a fabric."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from garments.drawing.curves import Points, bezier, join, moved
from garments.drawing.fabrics import Colour, rgb
from garments.drawing.sheet import Fabric, Field

SIDE = 1024
"""Pixels of a motif's picture, both ways; its own coordinates run from -1 to 1."""


class Motif:
    """A picture to draw on. picture: float32 SIDE x SIDE x 4, BGR 0..255 and alpha 0..1, colour premultiplied."""

    def __init__(self) -> None:
        self.picture: np.ndarray = np.zeros((SIDE, SIDE, 4), np.float32)

    def _lay(self, mask: np.ndarray, colour: Colour) -> None:
        x, y, wide, high = cv2.boundingRect(mask)
        box = slice(y, y + high), slice(x, x + wide)
        part = (mask[box].astype(np.float32) / 255.0)[..., None]
        self.picture[box] = self.picture[box] * (1 - part) + np.array([*colour, 1.0], np.float32) * part

    @staticmethod
    def _pixels(points: Points | Sequence) -> np.ndarray:
        return np.round(((np.asarray(points, float) + 1.0) * SIDE / 2.0 - 0.5) * 16).astype(np.int32)[None]

    def shape(self, points: Points | Sequence, colour: Colour, inside: np.ndarray | None = None) -> None:
        """A filled outline; inside: a mask it stays in."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, list(self._pixels(points)), 255, cv2.LINE_AA, 4)
        self._lay(mask if inside is None else (mask * inside).astype(np.uint8), colour)

    def line(self, points: Points | Sequence, colour: Colour, width: float, inside: np.ndarray | None = None) -> None:
        """A line of some width, with round ends."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        thick = max(1, round(width * SIDE / 2))
        cv2.polylines(mask, list(self._pixels(points)), False, 255, thick, cv2.LINE_AA, 4)
        self._lay(mask if inside is None else (mask * inside).astype(np.uint8), colour)

    def disc(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        self.shape(circle(centre, radius), colour)

    def mask_of(self, points: Points | Sequence) -> np.ndarray:
        """float32 0..1 inside an outline, to clip with."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, list(self._pixels(points)), 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255.0


def circle(centre: tuple[float, float], radius: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 120)
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], 1)


def printed(ground: Fabric, motif: np.ndarray, centre: tuple[float, float], width: float, ink: float = 0.95) -> Fabric:
    """A fabric with a motif on it; centre and width in shoulder widths. Ink lies on the cloth: its grain shows less."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        base, relief = ground(u, v, pixel)
        scale = SIDE / width
        picture = motif
        if 1.0 / (scale * pixel) < 0.8:  # finer than the sheet: take the edge off first
            picture = cv2.GaussianBlur(motif, (0, 0), 0.4 * scale * pixel)
        x = ((u - centre[0]) * scale + SIDE / 2 - 0.5).astype(np.float32)
        y = ((v - centre[1]) * scale + SIDE / 2 - 0.5).astype(np.float32)
        over = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderValue=0)
        speckle = np.random.default_rng(9).standard_normal(u.shape).astype(np.float32)
        speckle = cv2.GaussianBlur(speckle, (0, 0), 0.0022 / pixel)
        cover = ink * (1.0 - 0.05 * np.clip(speckle / (speckle.std() + 1e-6), 0, 2))[..., None]
        return base * (1 - over[..., 3:] * cover) + over[..., :3] * cover, relief * (1 - 0.7 * over[..., 3])

    return cloth


def fox() -> np.ndarray:
    """A fox's head of flat facets."""
    m = Motif()
    deep, fire, light, cream, ink, shade = (
        rgb(c) for c in ("#b5481f", "#d9642a", "#ee8a45", "#f6eadb", "#2b2a2e", "#e2cdb6")
    )
    facets: list[tuple[list[tuple[float, float]], Colour]] = [
        ([(0, -0.34), (0.30, -0.42), (0.24, -0.02), (0, 0.12)], light),
        ([(0.30, -0.42), (0.62, -0.90), (0.70, -0.28), (0.44, -0.20)], fire),
        ([(0.40, -0.40), (0.58, -0.70), (0.60, -0.32), (0.47, -0.28)], ink),
        ([(0.30, -0.42), (0.47, -0.24), (0.24, -0.02)], fire),
        ([(0.47, -0.24), (0.70, -0.28), (0.88, 0.14), (0.56, 0.10), (0.24, -0.02)], deep),
        ([(0.24, -0.02), (0.56, 0.10), (0.88, 0.14), (0.58, 0.42)], cream),
        ([(0.24, -0.02), (0.58, 0.42), (0.24, 0.62), (0.10, 0.34)], shade),
        ([(0, 0.12), (0.24, -0.02), (0.10, 0.34), (0, 0.40)], fire),
        ([(0, 0.40), (0.10, 0.34), (0.24, 0.62), (0.09, 0.80), (0, 0.80)], cream),
        ([(0, 0.70), (0.12, 0.72), (0.08, 0.86), (0, 0.92)], ink),
        ([(0.26, 0.02), (0.44, 0.06), (0.40, 0.15), (0.30, 0.14)], ink),
    ]
    for side in (1.0, -1.0):
        for outline, colour in facets:
            tone = 1.0 if side > 0 else 0.90
            m.shape([(side * x, y) for x, y in outline], tuple(c * tone for c in colour))  # type: ignore[arg-type]
    return m.picture


def sun_and_waves() -> np.ndarray:
    """A round emblem: a low sun over three rows of waves."""
    m = Motif()
    cream, navy, gold, teal = (rgb(c) for c in ("#fbf1df", "#1f3552", "#f4b740", "#2f7f86"))
    m.disc((0, 0), 0.92, cream)
    m.disc((0, 0), 0.84, navy)
    clip = m.mask_of(circle((0, 0), 0.79))
    m.shape(circle((0, 0), 0.79), cream)
    for angle in np.linspace(np.pi, 2 * np.pi, 15):
        way = np.array([np.cos(angle), np.sin(angle)])
        m.line([np.array([0, 0.10]) + 0.45 * way, np.array([0, 0.10]) + 0.62 * way], gold, 0.035, clip)
    m.shape(circle((0, 0.10), 0.36), gold, clip)
    x = np.linspace(-1, 1, 200)
    for row, colour in ((0.12, teal), (0.32, navy), (0.52, teal)):
        crest = row + 0.055 * np.sin(x * 12.0 + row * 20.0)
        m.shape(np.vstack([np.stack([x, crest], 1), [[1, 1], [-1, 1]]]), colour, clip)
        m.line(np.stack([x, crest], 1), cream, 0.030, clip)
    return m.picture


def mountain() -> np.ndarray:
    """Peaks of contour lines under a moon."""
    m = Motif()
    white, blue, dusk = rgb("#f1f0ea"), rgb("#8fb3c9"), rgb("#e4a16f")
    m.disc((0.34, -0.52), 0.22, dusk)
    peaks = [((-0.95, 0.5), (-0.30, -0.55), (0.38, 0.5)), ((-0.10, 0.5), (0.42, -0.16), (0.95, 0.5))]
    black = rgb("#1b1c1f")
    for (left, top, right), colour in zip(peaks, (white, blue), strict=True):
        m.shape([left, top, right], black)
        inside = m.mask_of([left, top, right])
        rng = np.random.default_rng(round(100 * right[0]))
        for level in np.linspace(0.0, 1.0, 13):
            share = level**0.9
            a = np.array(top) + (np.array(left) - top) * share
            b = np.array(top) + (np.array(right) - top) * share
            t = np.linspace(0, 1, 60)[:, None]
            ridge = 0.05 * share * np.sin(t * np.pi * (1 + 3 * share) + rng.uniform(0, 6)) * np.sin(np.pi * t)
            dip = 0.16 * share * np.sin(np.pi * t)
            m.line(a + (b - a) * t + np.hstack([np.zeros_like(t), ridge + dip - 0.12 * share]), colour, 0.016, inside)
        m.line([left, top, right], colour, 0.028)
    for row, half in ((0.58, 0.95), (0.65, 0.72), (0.72, 0.44)):
        m.line([(-half, row), (half, row)], white, 0.020)
    return m.picture


def fern() -> np.ndarray:
    """Three fern fronds."""
    m = Motif()
    tones = [rgb(c) for c in ("#c9d3a4", "#c9d3a4", "#f3ead2")]
    for (lean, height), colour in zip(((-0.66, 1.20), (0.66, 1.20), (0.0, 1.75)), tones, strict=True):
        root = np.array([0.0, 0.90])
        stem = bezier(
            root, moved(root, 0, -0.5 * height), moved(root, 0.6 * lean, -0.75 * height), moved(root, lean, -height), 90
        )
        m.line(stem, colour, 0.018)
        for i in range(26, 90, 4):
            grow = np.sin(np.pi * (0.30 + 0.68 * (i - 26) / 64)) * 0.26 * height / 1.5 + 0.02
            way = stem[i] - stem[i - 2]
            way = way / np.linalg.norm(way)
            for side in (1.0, -1.0):
                out = np.array([-way[1], way[0]]) * side
                tip = stem[i] + grow * (0.90 * out + 0.50 * way)
                above = bezier(stem[i], stem[i] + grow * 0.35 * (out + 0.62 * way), tip - 0.3 * grow * out, tip, 14)
                below = bezier(stem[i], stem[i] + grow * 0.40 * (out + 0.22 * way), tip - 0.3 * grow * way, tip, 14)
                m.shape(join(above, below[::-1]), colour)
    return m.picture


def arcs() -> np.ndarray:
    """A quilt of quarter circles in four colours."""
    m = Motif()
    colours = [rgb(c) for c in ("#e9b44c", "#d1495b", "#3d8da0", "#f2e9dc")]
    rng = np.random.default_rng(21)
    cell = 1.8 / 4
    quarter = np.linspace(0, np.pi / 2, 30)
    for row in range(4):
        for column in range(4):
            corner = np.array([-0.9 + column * cell, -0.9 + row * cell])
            turn = rng.integers(4)
            ground, front, core = (colours[i] for i in rng.permutation(4)[:3])
            at = corner + cell * np.array([(0, 0), (1, 0), (1, 1), (0, 1)][turn])
            fan = np.stack([np.cos(quarter + turn * np.pi / 2), np.sin(quarter + turn * np.pi / 2)], 1)
            gap = 0.012
            m.shape(
                corner + np.array([(gap, gap), (cell - gap, gap), (cell - gap, cell - gap), (gap, cell - gap)]), ground
            )
            clip = m.mask_of(
                corner + np.array([(gap, gap), (cell - gap, gap), (cell - gap, cell - gap), (gap, cell - gap)])
            )
            for radius, colour in ((0.94, front), (0.62, ground), (0.34, core)):
                m.shape(np.vstack([[at], at + fan * cell * radius]), colour, clip)
    return m.picture


def wave_band() -> np.ndarray:
    """Rows of scales, as of water, fading out upwards and downwards."""
    m = Motif()
    colours = [rgb(c) for c in ("#f4efe4", "#9fc6cf", "#f4efe4", "#d98f6c")]
    step = 0.25
    for row, y in enumerate(np.arange(-0.5, 0.52, step / 2)):
        shift = step / 2 * (row % 2)
        for x in np.arange(-1.0, 1.01, step) + shift:
            if abs(x) > 0.90 - abs(y) * 0.45:
                continue
            for ring, radius in enumerate((0.120, 0.088, 0.056, 0.026)):
                colour = colours[(row + ring) % 4] if ring % 2 == 0 else rgb("#22384f")
                m.disc((x, y), radius, colour)
    return m.picture
