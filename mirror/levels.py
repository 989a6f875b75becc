"""A garment's picture in several sizes, colours carried outwards, so that thin stripes do not alias on a small body."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.flat import parts
from mirror.folds import without_folds
from mirror.frames import CANVAS_W
from mirror.wardrobe import Garment

MAX_GARMENTS = 32
"""Garments whose sizes are kept (6 MB each); the one not drawn for the longest goes first."""
MAX_REDUCTION = 16
OPAQUE = 200
"""Alpha from which a pixel's own colour is the garment's; below, what was behind the cut-out is mixed in."""
FILL_REDUCTION = 4
"""Outside the garment its colours are carried on at a resolution so much lower: only its edge is ever sampled."""

SURE = 0.2
"""Share of a coarse pixel that must be opaque for its colour to be told from 8 bits."""


@dataclass(frozen=True)
class Level:
    """A garment's picture at one size.

    picture: uint8 HxWx4 BGRA; its colours go on outside the garment, so that no background bleeds in. Its outermost
        pixels are transparent.
    scale: full-size pixels per pixel of this level.
    """

    picture: np.ndarray
    scale: float


class Levels:
    """The sizes of all garments drawn lately. Safe to use from several threads."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, tuple[Garment, list[Level], np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()  # the worker prepares garments while the main thread draws others

    def all_of(self, garment: Garment) -> list[Level]:
        """From full size downwards; made at the first call (about 20 ms)."""
        return self._made(garment)[1]

    def parts_of(self, garment: Garment) -> np.ndarray:
        """`flat.parts` of the garment, kept with its sizes."""
        return self._made(garment)[2]

    def _made(self, garment: Garment) -> tuple[Garment, list[Level], np.ndarray]:
        key = id(garment)
        with self._lock:
            if key in self._of:
                self._of.move_to_end(key)
                return self._of[key]
        made = garment, _build(garment), parts(garment)
        with self._lock:
            self._of[key] = made
            while len(self._of) > MAX_GARMENTS:
                self._of.popitem(last=False)
        return made

    def fitting(self, garment: Garment, wanted: float) -> Level:
        """The smallest size that is still as fine as wanted: full-size pixels per pixel of the camera."""
        levels = self.all_of(garment)
        best = levels[0]
        for level in levels:
            if level.scale <= max(wanted, 1.0) * 1.1:
                best = level
        return best


def _build(garment: Garment) -> list[Level]:
    alpha = garment.picture[..., 3]
    if garment.inner is not None:  # the inside of the back collar lies behind the neck: not drawn on a body
        alpha = cv2.multiply(alpha, 255 - garment.inner, scale=1.0 / 255.0)
    picture, scale = without_folds(garment, colours_carried_on(garment.picture)), 1.0
    cv2.insertChannel(alpha, picture, 3)
    levels = [_framed(picture, scale)]
    while min(picture.shape[:2]) > CANVAS_W // 2 and scale < MAX_REDUCTION:
        size = (picture.shape[1] // 2, picture.shape[0] // 2)
        scale = garment.picture.shape[1] / size[0]
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        levels.append(_framed(picture, scale))
    return levels


def _framed(picture: np.ndarray, scale: float) -> Level:
    """With a rim that is transparent: what a flow takes from beyond the picture is then nothing."""
    rimmed = picture.copy()
    rimmed[[0, -1], :, 3] = 0
    rimmed[:, [0, -1], 3] = 0
    return Level(rimmed, scale)


def colours_carried_on(picture: np.ndarray) -> np.ndarray:
    """uint8 HxWx4 BGRA, a new array: pixels that are not opaque take the colour of the garment beside them.

    By pushing and pulling (Gortler et al., SIGGRAPH 1996, section 5): averages of what is opaque, ever coarser, fill
    what is not. A tenth of the time of looking up every pixel's nearest opaque one.
    """
    height, width = picture.shape[:2]
    opaque = cv2.threshold(picture[..., 3], OPAQUE, 255, cv2.THRESH_BINARY)[1]
    if not opaque.any():
        return picture.copy()
    kept = np.zeros_like(picture)
    cv2.copyTo(picture, opaque, kept)
    cv2.insertChannel(opaque, kept, 3)
    size = (max(1, width // FILL_REDUCTION), max(1, height // FILL_REDUCTION))
    sums = [cv2.resize(kept, size, interpolation=cv2.INTER_AREA).astype(np.float32)]
    while max(sums[-1].shape[:2]) > 1:
        h, w = sums[-1].shape[:2]
        sums.append(cv2.resize(sums[-1], (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA))
    fill = sums[-1][..., :3] * (255.0 / np.maximum(sums[-1][..., 3:], 1e-3))
    for level in reversed(sums[:-1]):
        weight = level[..., 3:] * (1.0 / 255.0)
        fill = cv2.resize(fill, level.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(*level.shape[:2], 3)
        fill = np.where(weight > SURE, level[..., :3] / np.maximum(weight, SURE), fill)
    out = cv2.resize(cv2.cvtColor(cv2.convertScaleAbs(fill), cv2.COLOR_BGR2BGRA), (width, height))
    cv2.copyTo(picture, opaque, out)
    return out
