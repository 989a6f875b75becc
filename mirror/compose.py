"""Fit + garment + camera frame -> the picture, at camera resolution. Outside garment, repair and hands whose light
changes, camera pixels are untouched, bit for bit.

Only the part of the picture that changes is worked on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, RELIT_ONE, Bare, Crop, Fit, Frame, Relit
from mirror.layers import Edges, edges_between
from mirror.levels import Levels
from mirror.patch import Box, Patch, box_of, patch_around
from mirror.steep import FAINT, steeper
from mirror.wardrobe import Garment

LINE = 142
"""Share, of 255, up to which the larger of two layers is on the edge between them, a camera pixel: it is softened."""
SAME_SCALE = 0.02
"""Share by which a person may come nearer before the size of the garment's picture is chosen anew."""
GUIDE_RADIUS = 2.0
"""Canvas pixels around an edge within which masks are drawn to the edges of the camera picture."""
REPAIR_GAIN, REPAIR_MIDDLE = 2.0, 0.35
"""How much steeper the repair's edge is made once it is drawn to the picture's: a faint rest of it beyond the edge
would tint the background; and the share that stays as it is. With a half, pixels that are mixed of old cloth and skin
stayed by a half, too: a thread around wrists and necks."""
GUIDE_NOISE = 4e-4
"""Variance (of 0..1 squared) below which the picture counts as flat: (5 levels of 255) squared."""
SIDE_FADE = 12
"""Canvas pixels over which what reaches the canvas's left or right side fades: a sleeve on a stretched arm must end
there, and a straight cut through it looks broken."""
SHADE_ONE = 160
"""Level of shading 1 in 8 bits, so that gains up to 1.59 fit in."""
MIN_ALPHA = 2.0 / 255.0
RIM_PX = 1.02
"""From a picture's last row or column, counted from 1: a hair less than where remap looks for a pixel beyond."""
_TO_SIDE = np.minimum(np.arange(CANVAS_W), np.arange(CANVAS_W)[::-1])
_SIDES = np.tile(np.clip(_TO_SIDE / SIDE_FADE, 0.0, 1.0).astype(np.float32), (CANVAS_H, 1))

T = TypeVar("T")


class Composer:
    """Draws a fitted garment onto camera frames. Keeps the garments' pictures in several sizes."""

    def __init__(self) -> None:
        self._levels = Levels()
        self._kept: _Cloth | None = None
        self._paint = _Newest[_Paint]()
        self._painted = _Newest[np.ndarray]()
        self._drawn = _Newest[tuple[np.ndarray, np.ndarray]]()

    def prepare(self, garment: Garment) -> None:
        """Build the garment's picture sizes ahead of its first showing. From any thread."""
        self._levels.all_of(garment)

    def compose(self, frame: Frame, fit: Fit, garment: Garment) -> np.ndarray:
        """The frame with the garment on: uint8 HxWx3 BGR, a new array, not mirrored."""
        picture = frame.image.copy()
        if fit.relit is not None:
            _relight(picture, frame.size, fit.relit, fit.crop)
        if fit.repair is not None:
            paint = self._paint.of(partial(_paint_of, fit.repair, fit.bare), fit.repair, fit.bare)
            rim = 1.0 + 2.0 * GUIDE_RADIUS  # the guided filter looks around the repair
            if patch := patch_around(paint.box, fit.crop.matrix, frame.size, rim):
                view = patch.of(picture)
                alpha = _repair_alpha(view, paint.mask, patch)
                _lay_over(view, self._painted.of(partial(_painted, paint, patch), paint, fit.crop, frame.size), alpha)
        if patch := patch_around(box_of(fit.coverage, FAINT), fit.crop.matrix, frame.size):
            cloth = self._cloth(fit, garment, patch.scale)
            above, alpha = self._drawn.of(partial(_drawn, cloth, patch), cloth, fit.crop, frame.size)
            _lay(above, alpha, patch.of(picture))
        return picture

    def _cloth(self, fit: Fit, garment: Garment, scale: float) -> _Cloth:
        """What of a fit does not depend on the frame it is drawn on; kept for the next one. scale: camera pixels per
        canvas pixel."""
        kept = self._kept
        if kept is not None and kept.of(fit, garment) and abs(kept.scale / scale - 1.0) < SAME_SCALE:
            return kept
        lay = garment.to_picture
        half = 0.5 * np.array([CANVAS_W - 1, CANVAS_H - 1])
        level = self._levels.fitting(garment, _density(fit.flow, fit.coverage) * half[0] * lay[0, 0] / scale)
        # from the flow's coordinates to pixels of the level, in one affine step
        to_level = np.hstack([lay[:, :2] * half, (lay[:, :2] @ half + lay[:, 2] + 0.5)[:, None]]) / level.scale
        to_level[:, 2] -= 0.5
        source = _within(cv2.transform(fit.flow, to_level), level.picture.shape)
        on_garment = cv2.transform(fit.flow, np.hstack([np.diag(half), half[:, None]]))
        part = cv2.remap(
            self._levels.parts_of(garment), on_garment, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        edges = edges_between(source, part, cv2.compare(fit.coverage, FAINT, cv2.CMP_GT), lay[0, 0] / level.scale)
        covered = cv2.convertScaleAbs(cv2.multiply(fit.coverage, _SIDES), alpha=255.0)
        light = cv2.convertScaleAbs(fit.shading, alpha=SHADE_ONE)
        around = (edges.near, edges.shaded) if edges else (np.zeros_like(covered),) * 2
        masks = cv2.merge([covered, light, *around])
        self._kept = _Cloth(fit, garment, scale, level.picture, source, masks, edges)
        return self._kept


@dataclass(frozen=True)
class _Cloth:
    """What is drawn of a fit. picture: uint8 BGRA, the garment's. source: float32 256x192x2, where on it a canvas pixel
    comes from. masks: uint8 256x192x4: how much is covered, 255 wholly; light, SHADE_ONE is 1; and `Edges.near` and
    `shaded`. edges: between the garment's parts."""

    fit: Fit
    garment: Garment
    scale: float
    picture: np.ndarray
    source: np.ndarray
    masks: np.ndarray
    edges: Edges | None

    def of(self, fit: Fit, garment: Garment) -> bool:
        """Whether it was made of these very maps: frames between two fits share them."""
        mine = self.fit
        same = mine.flow is fit.flow and mine.coverage is fit.coverage and mine.shading is fit.shading
        return same and self.garment is garment


class _Newest(Generic[T]):
    """Keeps the newest of what is made for a picture: of somebody who stands still the next one is drawn with it."""

    def __init__(self) -> None:
        self._made: T | None = None
        self._of: tuple[object, ...] = ()

    def of(self, make: Callable[[], T], *given: object) -> T:
        """What was made of the very same things, sizes of equal ones, or else is made now."""
        same = (a is b or (isinstance(a, tuple) and a == b) for a, b in zip(given, self._of, strict=False))
        if self._made is None or not all(same):
            self._made, self._of = make(), given
        return self._made


def _drawn(cloth: _Cloth, patch: Patch) -> tuple[np.ndarray, np.ndarray]:
    """The garment through the flow, lit, on the patch's part of the picture: uint8 hxwx3 BGR, multiplied by its alpha,
    and that, uint8 hxw."""
    source = cv2.split(patch.lifted(cloth.source, cv2.BORDER_REPLICATE))
    covered, light, near, shaded = cv2.split(patch.lifted(cloth.masks, cv2.BORDER_REPLICATE))
    # x and y apart: in pairs they take twice the time to enlarge, ten times to be chosen between
    x, y = (patch.enlarged(along) for along in source)
    light, covered = patch.enlarged(light), steeper(patch.enlarged(covered))
    part = None if cloth.edges is None else patch.part(cloth.edges.box)
    if part is None or cloth.edges is None:
        garb = cv2.remap(cloth.picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        alpha = cv2.extractChannel(garb, 3)
    else:
        maps, drawn_on = (part.on_grid(near), part.on_grid(shaded)), [part.of(m) for m in (x, y, light)]
        beside, line = _draw_edges(cloth.edges, part, *maps, *drawn_on)
        garb = cv2.remap(cloth.picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        alpha = cv2.extractChannel(garb, 3)
        # cloth lies there wherever the picture of the garment ends: no gap shows between arm and body
        cv2.max(part.of(alpha), beside, dst=part.of(alpha))
        cv2.copyTo(cv2.blur(part.of(garb), (3, 3)), line, part.of(garb))
    alpha = cv2.multiply(alpha, covered, scale=1.0 / 255.0)
    light = cv2.multiply(light, alpha, scale=1.0 / 255.0)
    garb = cv2.cvtColor(garb, cv2.COLOR_BGRA2BGR)
    return cv2.multiply(garb, cv2.merge([light] * 3), scale=1.0 / SHADE_ONE), alpha


def _density(flow: np.ndarray, coverage: np.ndarray) -> float:
    """Median step of the flow's x between canvas pixels side by side, where the garment is seen; of every 4th."""
    seen = coverage[::4, 2::4] > 0.5
    step = np.abs(flow[::4, 3::4, 0] - flow[::4, 1::4, 0])[seen]
    middle = step.size // 2
    return float(np.partition(step, middle)[middle]) / 2.0 if step.size else 2.0 / (CANVAS_W - 1)


def _within(source: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Source positions held inside the picture, whose rim is transparent: outside it cv2.remap is slower."""
    x, y = cv2.split(source)
    sides = [(x, shape[1]), (y, shape[0])]
    return cv2.merge([cv2.min(cv2.max(along, 0.0), side - RIM_PX) for along, side in sides])


def _draw_edges(
    edges: Edges,
    part: Patch,
    near: np.ndarray,
    shaded: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    light: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the edges between layers at camera resolution, each pixel of one layer alone, shaded by those before it.

    near, shaded: uint8 hxw, the edges' maps on the part's grid. x, y: float32 hxw, source positions, and light: uint8
    hxw, of the part's size, are written into. Returns, uint8 hxw: 255 where that was done, and on the edges themselves.
    """
    near = cv2.compare(part.enlarged(near), 127, cv2.CMP_GT)
    most, shadow = np.zeros(near.shape, np.float32), np.zeros_like(near)
    for layer in edges.layers:
        own = part.part(layer.box)
        if own is None:
            continue
        *source, share = (own.enlarged(m) for m in cv2.split(own.lifted(layer.maps, cv2.BORDER_REPLICATE)))
        seen = cv2.bitwise_and(cv2.compare(share, own.of(most), cv2.CMP_GT), own.of(near))
        tint = np.full(seen.shape, layer.shadow, np.uint8)
        for values, drawn in zip((*source, share, tint), (x, y, most, shadow), strict=True):
            cv2.copyTo(values, seen, own.of(drawn))
    most = cv2.convertScaleAbs(most)
    # blurred, or the line between the darkest and the lightest of it is dotted
    shadow = cv2.blur(cv2.multiply(shadow, cv2.bitwise_not(most), scale=2.0 / 255.0), (3, 3))
    shadow = cv2.multiply(shadow, part.enlarged(shaded), scale=1.0 / 255.0)
    cv2.multiply(light, cv2.bitwise_not(shadow), dst=light, scale=1.0 / 255.0)
    return near, cv2.bitwise_and(cv2.compare(most, LINE, cv2.CMP_LT), near)


def _relight(picture: np.ndarray, size: tuple[int, int], relit: Relit, crop: Crop) -> None:
    """Change the light of a picture of some (width, height), in place; where the gain is 1 nothing changes at all."""
    high, wide = relit.gain.shape[:2]
    to_part = crop.matrix.copy()
    to_part[:, 2] -= relit.left, relit.top
    if patch := patch_around((0, 0, wide, high), to_part, size, 0.0):
        gain = patch.enlarged(patch.lifted(relit.gain, cv2.BORDER_REPLICATE))
        view = patch.of(picture)
        cv2.multiply(view, gain, dst=view, scale=1.0 / RELIT_ONE)


@dataclass(frozen=True)
class _Paint:
    """What a repair is painted with. box: of the canvas, around all that is painted. mask: float32 256x192, 0..1, how
    much. behind: uint8 256x192x4, BGR and nothing. skin: uint8 256x192x4, BGR and how much of it is seen, or None."""

    repair: np.ndarray
    box: Box
    mask: np.ndarray
    behind: np.ndarray
    skin: np.ndarray | None


def _paint_of(repair: np.ndarray, bare: Bare | None) -> _Paint:
    mask = cv2.extractChannel(repair, 3)
    # with their fourth channel: three take twice the time to enlarge
    behind, skin = cv2.convertScaleAbs(repair), None
    if bare is not None:
        skin = cv2.resize(cv2.convertScaleAbs(bare.colour), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)
        skin = cv2.merge([*cv2.split(skin), cv2.convertScaleAbs(bare.share, alpha=255.0)])
    return _Paint(repair, box_of(mask, MIN_ALPHA), mask, behind, skin)


def _painted(paint: _Paint, patch: Patch) -> np.ndarray:
    """uint8 BGR of the patch's size: what a repair is painted with. The edge of a bared arm is none of the picture's:
    it is as sharp as that of a garment."""
    behind = patch.enlarged(patch.lifted(paint.behind, cv2.BORDER_REPLICATE))
    behind = cv2.cvtColor(behind, cv2.COLOR_BGRA2BGR)
    if paint.skin is None:
        return behind
    skin = patch.lifted(paint.skin, cv2.BORDER_REPLICATE)
    x, y, width, height = cv2.boundingRect(cv2.compare(cv2.extractChannel(skin, 3), int(255 * FAINT), cv2.CMP_GT))
    if not width:
        return behind
    # only where some is seen, and a point of the grid around it: of a bared neck a tenth of the patch
    left, top, right, bottom = max(x - 1, 0), max(y - 1, 0), min(x + width + 1, patch.grid[0]), y + height + 1
    across, down = patch.step
    skin = skin[top:bottom, left:right]
    skin = cv2.resize(skin, (skin.shape[1] * across, skin.shape[0] * down), interpolation=cv2.INTER_LINEAR)
    there = behind[top * down :, left * across :][: skin.shape[0], : skin.shape[1]]
    share = steeper(cv2.extractChannel(skin, 3))
    _lay_over(there, cv2.cvtColor(skin, cv2.COLOR_BGRA2BGR), share)
    return behind


def _repair_alpha(view: np.ndarray, mask: np.ndarray, patch: Patch) -> np.ndarray:
    """uint8 of the patch's size: where the old garment is painted over, its edge drawn to the picture's.

    mask: float32 256x192, the repair's alpha.

    The guided filter's lines are found on the grid and followed on the camera's pixels (He, Sun, Fast Guided Filter,
    2015), so that the edge is as sharp as the picture. Nothing is painted further than two windows from the mask.
    """
    full = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY)
    guide = full if patch.grid == view.shape[1::-1] else cv2.resize(full, patch.grid, interpolation=cv2.INTER_AREA)
    radius = max(1, round(GUIDE_RADIUS * patch.scale * patch.grid[0] / patch.width))
    guide = cv2.multiply(guide, 1.0 / 255.0, dtype=cv2.CV_32F)
    slope, offset = _guided(patch.lifted(mask), guide, radius)
    slope *= REPAIR_GAIN
    offset *= 255.0 * REPAIR_GAIN
    offset += 255.0 * REPAIR_MIDDLE * (1.0 - REPAIR_GAIN)
    drawn = cv2.multiply(patch.enlarged(slope), full, dtype=cv2.CV_32F)
    return cv2.add(drawn, patch.enlarged(offset), dtype=cv2.CV_8U)


def _guided(mask: np.ndarray, guide: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Slope and offset (float32 HxW) of the lines that draw a soft mask (float32 HxW, 0..1) to the edges of the
    picture beneath it (float32 HxW, 0..1): slope x picture + offset, which may leave 0..1 a little.

    The guided filter (He, Sun, Tang, TPAMI 2013), window 2 * radius + 1.
    """
    size = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_mask = cv2.blur(guide, size), cv2.blur(mask, size)
    variance = cv2.blur(cv2.multiply(guide, guide), size) - cv2.multiply(mean_guide, mean_guide)
    covariance = cv2.blur(cv2.multiply(guide, mask), size) - cv2.multiply(mean_guide, mean_mask)
    slope = cv2.divide(covariance, variance + GUIDE_NOISE)
    offset = mean_mask - cv2.multiply(slope, mean_guide)
    return cv2.blur(slope, size), cv2.blur(offset, size)


def _lay_over(view: np.ndarray, colours: np.ndarray, alpha: np.ndarray) -> None:
    """Paint uint8 BGR with a uint8 alpha (straight) over uint8 BGR `view` in place; nothing changes where that is 0."""
    _lay(cv2.multiply(colours, cv2.merge([alpha] * 3), scale=1.0 / 255.0), alpha, view)


def _lay(above: np.ndarray, alpha: np.ndarray, view: np.ndarray) -> None:
    """The same of colours that were multiplied by their alpha already."""
    behind = cv2.merge([cv2.bitwise_not(alpha)] * 3)
    cv2.add(above, cv2.multiply(view, behind, scale=1.0 / 255.0), dst=view)
