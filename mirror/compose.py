"""Fit + garment + camera frame -> the picture, at camera resolution. Outside garment and repair, camera pixels are
untouched, bit for bit.

Only the part of the picture that changes is worked on. The fit's maps vary slowly: they are brought from the canvas to
a coarse grid of that part and from there to the camera's pixels by a plain enlargement, a quarter of a warp's cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Bare, Fit, Frame
from mirror.layers import Edges, edges_between
from mirror.levels import Levels
from mirror.wardrobe import Garment

EDGE_GAIN = 2.5
"""How much steeper the coverage's edge is made after it was brought up to camera resolution."""
LINE = 142
"""Share, of 255, up to which the larger of two layers is on the edge between them, a camera pixel: it is softened."""
SAME_SCALE = 0.02
"""Share by which a person may come nearer before the size of the garment's picture is chosen anew."""
GUIDE_RADIUS = 2.0
"""Canvas pixels around an edge within which masks are drawn to the edges of the camera picture."""
REPAIR_GAIN = 2.0
"""How much steeper the repair's edge is made once it is drawn to the picture's: a faint rest of it beyond the edge
would tint the background."""
GUIDE_NOISE = 4e-4
"""Variance (of 0..1 squared) below which the picture counts as flat: (5 levels of 255) squared."""
SIDE_FADE = 12
"""Canvas pixels over which what reaches the canvas's left or right side fades: a sleeve on a stretched arm must end
there, and a straight cut through it looks broken."""
MAX_STEP = 4
"""Camera pixels between points of the coarse grid, at most; about one canvas pixel."""
SHADE_ONE = 160
"""Level of shading 1 in 8 bits, so that gains up to 1.59 fit in."""
FAINT = 0.5 * (1.0 - 1.0 / EDGE_GAIN)
"""A share of which nothing is left once its edge is steeper."""
MIN_ALPHA = 2.0 / 255.0
RIM_PX = 1.02
"""From a picture's last row or column, counted from 1: a hair less than where remap looks for a pixel beyond."""
_TO_SIDE = np.minimum(np.arange(CANVAS_W), np.arange(CANVAS_W)[::-1])
_SIDES = np.tile(np.clip(_TO_SIDE / SIDE_FADE, 0.0, 1.0).astype(np.float32), (CANVAS_H, 1))
_INVERSE = cv2.WARP_INVERSE_MAP


class Composer:
    """Draws a fitted garment onto camera frames. Keeps the garments' pictures in several sizes."""

    def __init__(self) -> None:
        self._levels = Levels()
        self._kept: _Cloth | None = None

    def prepare(self, garment: Garment) -> None:
        """Build the garment's picture sizes ahead of its first showing. From any thread."""
        self._levels.all_of(garment)

    def compose(self, frame: Frame, fit: Fit, garment: Garment) -> np.ndarray:
        """The frame with the garment on: uint8 HxWx3 BGR, a new array, not mirrored."""
        picture = frame.image.copy()
        if fit.repair is not None:
            rim = 1.0 + 2.0 * GUIDE_RADIUS  # the guided filter looks around the repair
            mask = cv2.extractChannel(fit.repair, 3)
            if patch := _patch(_drawn(mask, MIN_ALPHA), fit.crop.matrix, frame.size, rim):
                view = patch.of(picture)
                alpha = _repair_alpha(view, mask, patch)
                _lay_over(view, _painted(fit.repair, fit.bare, patch), alpha)
        if patch := _patch(_drawn(fit.coverage, FAINT), fit.crop.matrix, frame.size):
            self._draw(fit, garment, patch, patch.of(picture))
        return picture

    def _draw(self, fit: Fit, garment: Garment, patch: _Patch, view: np.ndarray) -> None:
        """The garment through the flow, lit, onto the patch's part of the picture."""
        cloth = self._cloth(fit, garment, patch.scale)
        where, light, covered = (
            patch.enlarged(patch.lifted(m, cv2.BORDER_REPLICATE)) for m in (cloth.source, cloth.light, cloth.covered)
        )
        covered = _steeper(covered)
        part = None if cloth.edges is None else patch.part(cloth.edges.box)
        if part is None or cloth.edges is None:
            garb = cv2.remap(cloth.picture, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            alpha = cv2.extractChannel(garb, 3)
        else:
            near, line = _draw_edges(cloth.edges, part, part.of(where), part.of(light))
            garb = cv2.remap(cloth.picture, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            alpha = cv2.extractChannel(garb, 3)
            # cloth lies there wherever the picture of the garment ends: no gap shows between arm and body
            cv2.max(part.of(alpha), near, dst=part.of(alpha))
            cv2.copyTo(cv2.blur(part.of(garb), (3, 3)), line, part.of(garb))
        alpha = cv2.multiply(alpha, covered, scale=1.0 / 255.0)
        light = cv2.multiply(light, alpha, scale=1.0 / 255.0)
        above = cv2.multiply(cv2.cvtColor(garb, cv2.COLOR_BGRA2BGR), cv2.merge([light] * 3), scale=1.0 / SHADE_ONE)
        _lay(above, alpha, view)

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
        light = cv2.convertScaleAbs(fit.shading, alpha=SHADE_ONE)
        covered = cv2.convertScaleAbs(cv2.multiply(fit.coverage, _SIDES), alpha=255.0)
        self._kept = _Cloth(fit, garment, scale, level.picture, source, light, covered, edges)
        return self._kept


@dataclass(frozen=True)
class _Cloth:
    """What is drawn of a fit. picture: uint8 BGRA, the garment's. source: float32 256x192x2, where on it a canvas pixel
    comes from. light, covered: uint8 256x192, SHADE_ONE is light of 1, 255 is covered wholly. edges: between the
    garment's parts."""

    fit: Fit
    garment: Garment
    scale: float
    picture: np.ndarray
    source: np.ndarray
    light: np.ndarray
    covered: np.ndarray
    edges: Edges | None

    def of(self, fit: Fit, garment: Garment) -> bool:
        """Whether it was made of these very maps: frames between two fits share them."""
        mine = self.fit
        same = mine.flow is fit.flow and mine.coverage is fit.coverage and mine.shading is fit.shading
        return same and self.garment is garment


@dataclass(frozen=True)
class _Patch:
    """The part of the camera picture that is drawn on (pixels), and how its coarse grid lies on the canvas.

    to_canvas, grid_to_canvas: float64 2x3, from pixels of the patch, and from those of the grid. scale: camera pixels
    per canvas pixel.
    """

    x0: int
    y0: int
    width: int
    height: int
    grid: tuple[int, int]
    to_canvas: np.ndarray
    grid_to_canvas: np.ndarray
    scale: float

    def of(self, picture: np.ndarray) -> np.ndarray:
        """Its part of a picture, to be written into."""
        return picture[self.y0 : self.y0 + self.height, self.x0 : self.x0 + self.width]

    def part(self, box: tuple[int, int, int, int]) -> _Patch | None:
        """The part of it, if any, that shows a box of the canvas (x, y, width, height), its maps the box's own. It
        counts from this patch's corner."""
        to_box = self.to_canvas.copy()
        to_box[:, 2] -= box[:2]
        return _patch((0, 0, *box[2:]), to_box, (self.width, self.height))

    def lifted(self, canvas_map: np.ndarray, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
        """A map of the canvas (HxWxC, C up to 4) on the grid."""
        return cv2.warpAffine(
            canvas_map, self.grid_to_canvas, self.grid, flags=_INVERSE | cv2.INTER_LINEAR, borderMode=border
        )

    def enlarged(self, grid_map: np.ndarray) -> np.ndarray:
        """A map of the grid on the patch's pixels."""
        if self.grid == (self.width, self.height):
            return grid_map
        return cv2.resize(grid_map, (self.width, self.height), interpolation=cv2.INTER_LINEAR)


def _patch(
    box: tuple[int, int, int, int], to_canvas: np.ndarray, size: tuple[int, int], rim: float = 1.0
) -> _Patch | None:
    """Around a box of the canvas (x, y, width, height); None where none of the picture shows it.

    to_canvas: 2x3, from pixels of the picture. size: (width, height) of the picture. rim: canvas pixels around it that
    belong to it.
    """
    left, top, wide, high = box
    if not wide:
        return None
    # number by number: arrays of two and three take ten times as long, 0.3 ms a picture
    (a, b, shift_x), (c, d, shift_y) = to_canvas.tolist()
    det = a * d - b * c
    xs, ys = (left - rim, left + wide - 1 + rim), (top - rim, top + high - 1 + rim)
    corners = [(x - shift_x, y - shift_y) for x in xs for y in ys]
    across = [(d * x - b * y) / det for x, y in corners]
    down = [(a * y - c * x) / det for x, y in corners]
    x0, y0 = max(math.floor(min(across)), 0), max(math.floor(min(down)), 0)
    x1, y1 = min(math.ceil(max(across)) + 1, size[0]), min(math.ceil(max(down)) + 1, size[1])
    if x1 <= x0 or y1 <= y0:
        return None
    scale = 1.0 / math.sqrt(abs(det))
    step = min(max(round(scale), 1), MAX_STEP)
    x0, width = _whole_steps(x0, x1, step, size[0])
    y0, height = _whole_steps(y0, y1, step, size[1])
    grid = (max(1, width // step), max(1, height // step))
    shift_x, shift_y = shift_x + a * x0 + b * y0, shift_y + c * x0 + d * y0
    of_patch = np.array([[a, b, shift_x], [c, d, shift_y]])
    wide_step, high_step = width / grid[0], height / grid[1]  # both count from pixel centres, as cv2.resize does
    off_x, off_y = 0.5 * wide_step - 0.5, 0.5 * high_step - 0.5
    grid_to_canvas = np.array(
        [
            [a * wide_step, b * high_step, shift_x + a * off_x + b * off_y],
            [c * wide_step, d * high_step, shift_y + c * off_x + d * off_y],
        ]
    )
    return _Patch(x0, y0, width, height, grid, of_patch, grid_to_canvas, scale)


def _drawn(alpha: np.ndarray, least: float) -> tuple[int, int, int, int]:
    """The box (x, y, width, height) around all whose alpha (float32 HxW, 0..1) is more than the least."""
    x, y, width, height = cv2.boundingRect(cv2.compare(alpha, least, cv2.CMP_GT))
    return x, y, width, height


def _whole_steps(start: int, stop: int, step: int, limit: int) -> tuple[int, int]:
    """Start and length of a stretch around start..stop that is a whole number of steps, where 0..limit allows it."""
    length = min(-(-(stop - start) // step) * step, max(limit // step * step, 1))
    return max(0, min(start, limit - length)), min(length, limit)


def _density(flow: np.ndarray, coverage: np.ndarray) -> float:
    """Median step of the flow's x between canvas pixels side by side, where the garment is seen; of every 4th."""
    seen = coverage[::4, 2::4] > 0.5
    step = np.abs(flow[::4, 3::4, 0] - flow[::4, 1::4, 0])[seen]
    return float(np.median(step)) / 2.0 if step.size else 2.0 / (CANVAS_W - 1)


def _within(source: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Source positions held inside the picture, whose rim is transparent: outside it cv2.remap is slower."""
    x, y = cv2.split(source)
    sides = [(x, shape[1]), (y, shape[0])]
    return cv2.merge([cv2.min(cv2.max(along, 0.0), side - RIM_PX) for along, side in sides])


def _draw_edges(edges: Edges, part: _Patch, where: np.ndarray, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the edges between layers at camera resolution, each pixel of one layer alone, shaded by those before it.

    where: float32 hxwx2, source positions, and light: uint8 hxw, of the part's size, are written into. Returns, uint8
    hxw: 255 where that was done, and on the edges themselves.
    """
    near = cv2.compare(part.enlarged(part.lifted(edges.near)), 127, cv2.CMP_GT)
    most, shadow = np.zeros_like(near), np.zeros_like(near)
    for layer in edges.layers:
        own = part.part(layer.box)
        if own is None:
            continue
        source, share = (own.enlarged(own.lifted(m, cv2.BORDER_REPLICATE)) for m in (layer.source, layer.share))
        seen = cv2.bitwise_and(cv2.compare(share, own.of(most), cv2.CMP_GT), own.of(near))
        tint = np.full(seen.shape, layer.shadow, np.uint8)
        for values, drawn in ((source, where), (share, most), (tint, shadow)):
            cv2.copyTo(values, seen, own.of(drawn))
    # blurred, or the line between the darkest and the lightest of it is dotted
    shadow = cv2.blur(cv2.multiply(shadow, cv2.bitwise_not(most), scale=2.0 / 255.0), (3, 3))
    shadow = cv2.multiply(shadow, part.enlarged(part.lifted(edges.shaded)), scale=1.0 / 255.0)
    cv2.multiply(light, cv2.bitwise_not(shadow), dst=light, scale=1.0 / 255.0)
    return near, cv2.bitwise_and(cv2.compare(most, LINE, cv2.CMP_LT), near)


def _painted(repair: np.ndarray, bare: Bare | None, patch: _Patch) -> np.ndarray:
    """uint8 BGR of the patch's size: what a repair is painted with. The edge of a bared arm is none of the picture's:
    it is as sharp as that of a garment."""
    # with their fourth channel: three take twice the time to enlarge
    behind = patch.enlarged(patch.lifted(cv2.convertScaleAbs(repair), cv2.BORDER_REPLICATE))
    behind = cv2.cvtColor(behind, cv2.COLOR_BGRA2BGR)
    if bare is None:
        return behind
    skin = cv2.resize(cv2.convertScaleAbs(bare.colour), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)
    skin = cv2.merge([*cv2.split(skin), cv2.convertScaleAbs(bare.share, alpha=255.0)])
    skin = patch.lifted(skin, cv2.BORDER_REPLICATE)
    x, y, width, height = cv2.boundingRect(cv2.compare(cv2.extractChannel(skin, 3), int(255 * FAINT), cv2.CMP_GT))
    if not width:
        return behind
    # only where some is seen, and a point of the grid around it: of a bared neck a tenth of the patch
    left, top, right, bottom = max(x - 1, 0), max(y - 1, 0), min(x + width + 1, patch.grid[0]), y + height + 1
    across, down = patch.width // patch.grid[0], patch.height // patch.grid[1]
    if (across * patch.grid[0], down * patch.grid[1]) == (patch.width, patch.height):
        skin = skin[top:bottom, left:right]
        skin = cv2.resize(skin, (skin.shape[1] * across, skin.shape[0] * down), interpolation=cv2.INTER_LINEAR)
        there = behind[top * down :, left * across :][: skin.shape[0], : skin.shape[1]]
    else:
        skin, there = patch.enlarged(skin), behind
    share = _steeper(cv2.extractChannel(skin, 3))
    _lay_over(there, cv2.cvtColor(skin, cv2.COLOR_BGRA2BGR), share)
    return behind


def _repair_alpha(view: np.ndarray, mask: np.ndarray, patch: _Patch) -> np.ndarray:
    """uint8 of the patch's size: where the old garment is painted over, its edge drawn to the picture's.

    mask: float32 256x192, the repair's alpha.

    The guided filter's lines are found on the grid and followed on the camera's pixels (He, Sun, Fast Guided Filter,
    2015), so that the edge is as sharp as the picture. Nothing is painted further than two windows from the mask.
    """
    full = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY)
    guide = full if patch.grid == view.shape[1::-1] else cv2.resize(full, patch.grid, interpolation=cv2.INTER_AREA)
    radius = max(1, round(GUIDE_RADIUS * patch.scale * patch.grid[0] / patch.width))
    slope, offset = _guided(patch.lifted(mask), guide.astype(np.float32) * (1.0 / 255.0), radius)
    slope *= REPAIR_GAIN
    offset *= 255.0 * REPAIR_GAIN
    offset += 255.0 * 0.5 * (1.0 - REPAIR_GAIN)
    drawn = cv2.multiply(patch.enlarged(slope), full, dtype=cv2.CV_32F)
    cv2.add(drawn, patch.enlarged(offset), dst=drawn)
    return cv2.convertScaleAbs(cv2.max(drawn, 0.0, dst=drawn))


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


def _steeper(share: np.ndarray) -> np.ndarray:
    """A share (uint8) with its edge made steeper by EDGE_GAIN, around the half of it."""
    return cv2.addWeighted(share, EDGE_GAIN, share, 0.0, 127.5 * (1.0 - EDGE_GAIN))


def _lay_over(view: np.ndarray, colours: np.ndarray, alpha: np.ndarray) -> None:
    """Paint uint8 BGR with a uint8 alpha (straight) over uint8 BGR `view` in place; nothing changes where that is 0."""
    _lay(cv2.multiply(colours, cv2.merge([alpha] * 3), scale=1.0 / 255.0), alpha, view)


def _lay(above: np.ndarray, alpha: np.ndarray, view: np.ndarray) -> None:
    """The same of colours that were multiplied by their alpha already."""
    behind = cv2.merge([cv2.bitwise_not(alpha)] * 3)
    cv2.add(above, cv2.multiply(view, behind, scale=1.0 / 255.0), dst=view)
