"""Fit + garment + camera frame -> the picture, at camera resolution. Outside garment and repair, camera pixels are
untouched, bit for bit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import CANVAS_W, Fit, Frame, flow_to_pixels
from mirror.wardrobe import Garment

EDGE_GAIN = 2.5
"""How much steeper the coverage's edge is made after it was brought up to camera resolution."""
TORN_PX = 6.0
"""Neighbouring canvas pixels whose sources lie further apart than this, in garment-canvas pixels, are on different
parts of the garment (a sleeve before the torso): nothing may be interpolated between them."""
GUIDE_RADIUS = 2.0
"""Canvas pixels around an edge within which masks are drawn to the edges of the camera picture."""
GUIDE_NOISE = 4e-4
"""Variance (of 0..1 squared) below which the picture counts as flat: (5 levels of 255) squared."""
MAX_GARMENTS = 32
MIN_ALPHA = 2.0 / 255.0


@dataclass(frozen=True)
class _Level:
    """A garment's picture at one scale: colours padded outward so that no background bleeds in, and its outline."""

    picture: np.ndarray  # uint8 HxWx4 BGRA
    scale: float  # full-size pixels per pixel of this level


class Composer:
    """Draws a fitted garment onto camera frames. Keeps the garments' pictures in several sizes."""

    def __init__(self) -> None:
        self._levels: OrderedDict[int, tuple[Garment, list[_Level]]] = OrderedDict()
        self._lock = threading.Lock()  # the worker prepares garments while the main thread draws others

    def prepare(self, garment: Garment) -> None:
        """Build the garment's picture pyramid ahead of its first showing."""
        self._pyramid(garment)

    def compose(self, frame: Frame, fit: Fit, garment: Garment) -> np.ndarray:
        """The frame with the garment on: uint8 HxWx3 BGR, a new array, not mirrored."""
        picture = frame.image.copy()
        window = _window(fit, frame.size)
        if window is None:
            return picture
        x0, y0, x1, y1 = window
        view = picture[y0:y1, x0:x1]
        to_canvas = fit.crop.matrix.copy()  # from pixels of the window to the canvas
        to_canvas[:, 2] += to_canvas[:, :2] @ np.array([x0, y0], float)
        size = (x1 - x0, y1 - y0)

        def lift(canvas_map: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            return cv2.warpAffine(canvas_map, to_canvas, size, flags=flags, borderMode=border)

        if fit.repair is not None:
            guide = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY).astype(np.float32) * (1.0 / 255.0)
            mask = lift(fit.repair[..., 3], cv2.BORDER_CONSTANT)
            mask = _guided(mask, guide, max(1, round(GUIDE_RADIUS * fit.crop.scale)))
            _blend(view, lift(cv2.convertScaleAbs(fit.repair[..., :3])), np.clip(mask, 0.0, 1.0))
        a = garment.to_picture
        source = flow_to_pixels(fit.flow) @ a[:, :2].T.astype(np.float32) + a[:, 2].astype(np.float32)
        level = self._level(garment, fit, source)
        where = _lift_flow((source + 0.5) / level.scale - 0.5, to_canvas, size, TORN_PX * a[0, 0] / level.scale)
        garb = cv2.remap(level.picture, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        coverage = lift(fit.coverage, cv2.BORDER_CONSTANT)
        coverage = cv2.addWeighted(coverage, 255 * EDGE_GAIN, coverage, 0.0, 127.5 * (1 - EDGE_GAIN), dtype=cv2.CV_8U)
        outline = cv2.extractChannel(garb, 3)
        alpha = cv2.multiply(coverage, outline, scale=1.0 / 255**2, dtype=cv2.CV_32F)
        lit = cv2.multiply(garb[..., :3], cv2.merge([lift(fit.shading)] * 3), dtype=cv2.CV_8U)
        _blend(view, lit, alpha)
        return picture

    def _pyramid(self, garment: Garment) -> list[_Level]:
        key = id(garment)
        with self._lock:
            if key in self._levels:
                self._levels.move_to_end(key)
                return self._levels[key][1]
        levels = _build_pyramid(garment)
        with self._lock:
            self._levels[key] = (garment, levels)
            while len(self._levels) > MAX_GARMENTS:
                self._levels.popitem(last=False)
        return levels

    def _level(self, garment: Garment, fit: Fit, source: np.ndarray) -> _Level:
        """The smallest level that is still as fine as the camera's pixels (else thin stripes would alias)."""
        inside = fit.coverage > 0.5
        step = np.median(np.abs(np.diff(source[..., 0], axis=1))[inside[:, 1:]]) if inside.any() else 1.0
        wanted = float(step) / fit.crop.scale  # full-size garment pixels per camera pixel
        levels = self._pyramid(garment)
        best = levels[0]
        for level in levels:
            if level.scale <= max(wanted, 1.0) * 1.1:
                best = level
        return best


def _lift_flow(source: np.ndarray, to_canvas: np.ndarray, size: tuple[int, int], torn: float) -> np.ndarray:
    """Source positions (float32 256x192x2) at camera resolution; at tears the nearest value instead of a mixture."""
    flags = cv2.WARP_INVERSE_MAP
    smooth = cv2.warpAffine(source, to_canvas, size, flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    kernel = np.ones((3, 3), np.uint8)
    spread = (cv2.dilate(source, kernel) - cv2.erode(source, kernel)).max(2)
    tears = (spread > torn).astype(np.uint8)
    if not tears.any():
        return smooth
    tears = cv2.warpAffine(tears, to_canvas, size, flags=flags | cv2.INTER_NEAREST)
    nearest = cv2.warpAffine(source, to_canvas, size, flags=flags | cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    cv2.copyTo(nearest, tears, smooth)
    return smooth


def _window(fit: Fit, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 in camera pixels around everything that will be drawn; None where nothing is."""
    drawn = fit.coverage > MIN_ALPHA
    if fit.repair is not None:
        drawn = drawn | (fit.repair[..., 3] > MIN_ALPHA)
    ys, xs = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if len(ys) == 0:
        return None
    low_x, high_x, low_y, high_y = xs[0] - 1, xs[-1] + 1, ys[0] - 1, ys[-1] + 1
    corners = np.array([[low_x, low_y], [high_x, low_y], [low_x, high_y], [high_x, high_y]], float)
    inverse = fit.crop.inverse
    camera = corners @ inverse[:, :2].T + inverse[:, 2]
    x0, y0 = np.maximum(np.floor(camera.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(camera.max(0)).astype(int) + 1, size)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def _guided(mask: np.ndarray, guide: np.ndarray, radius: int) -> np.ndarray:
    """A soft mask (float32 HxW, 0..1) drawn to the edges of the picture beneath it (float32 HxW, 0..1).

    The guided filter (He, Sun, Tang, TPAMI 2013), window 2 * radius + 1. Values may leave 0..1 a little.
    """
    size = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean_mask = cv2.blur(guide, size), cv2.blur(mask, size)
    variance = cv2.blur(cv2.multiply(guide, guide), size) - cv2.multiply(mean_guide, mean_guide)
    covariance = cv2.blur(cv2.multiply(guide, mask), size) - cv2.multiply(mean_guide, mean_mask)
    slope = cv2.divide(covariance, variance + GUIDE_NOISE)
    offset = mean_mask - cv2.multiply(slope, mean_guide)
    return cv2.multiply(cv2.blur(slope, size), guide) + cv2.blur(offset, size)


def _blend(view: np.ndarray, colours: np.ndarray, alpha: np.ndarray) -> None:
    """Paint colours (uint8 HxWx3) over uint8 `view` in place; nothing changes where alpha (float32 HxW, 0..1) is 0."""
    mixed = cv2.blendLinear(colours, np.ascontiguousarray(view), alpha, 1.0 - alpha)
    cv2.copyTo(mixed, cv2.compare(alpha, MIN_ALPHA, cv2.CMP_GT), view)


def _build_pyramid(garment: Garment) -> list[_Level]:
    alpha = garment.picture[..., 3]
    if garment.inner is not None:  # the inside of the back collar lies behind the neck: not drawn on a body
        alpha = cv2.multiply(alpha, 255 - garment.inner, scale=1.0 / 255.0)
    picture, scale = np.dstack([_pad_colours(garment.picture), alpha]), 1.0
    levels = [_Level(picture, scale)]
    while min(picture.shape[:2]) > CANVAS_W // 2 and scale < 16:
        size = (picture.shape[1] // 2, picture.shape[0] // 2)
        scale = garment.picture.shape[1] / size[0]
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        levels.append(_Level(picture, scale))
    return levels


def _pad_colours(picture: np.ndarray) -> np.ndarray:
    """uint8 HxWx3: every transparent pixel takes the colour of the nearest opaque one."""
    opaque = picture[..., 3] > 200
    if not opaque.any() or opaque.all():
        return np.ascontiguousarray(picture[..., :3])
    _, labels = cv2.distanceTransformWithLabels(
        (~opaque).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros((labels.max() + 1, 3), np.uint8)
    lookup[labels[opaque]] = picture[..., :3][opaque]
    return lookup[labels]
