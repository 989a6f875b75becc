"""How sharp a garment's print is shown, against the best its picture allows at the camera's resolution."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Fit, flow_to_pixels
from mirror.wardrobe import Garment

SUPERSAMPLE = 3
"""The exact picture is sampled at so many points a camera pixel, both ways, and averaged over each pixel's area."""


def _source_on(fit: Fit, garment: Garment, size: tuple[int, int], scale: float) -> np.ndarray:
    """float32: pixels of the garment's full-size picture on a grid `scale` times the camera's."""
    a = garment.to_picture
    source = flow_to_pixels(fit.flow) @ a[:, :2].T.astype(np.float32) + a[:, 2].astype(np.float32)
    matrix = fit.crop.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.full(2, 0.5 / scale - 0.5)  # both grids cover the same area
    matrix[:, :2] /= scale
    out = (round(size[0] * scale), round(size[1] * scale))
    return cv2.warpAffine(
        source, matrix, out, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def render_exactly(fit: Fit, garment: Garment, size: tuple[int, int]) -> np.ndarray:
    """uint8 HxWx3: the garment's picture through the flow, lit, supersampled; nothing else on it."""
    source = _source_on(fit, garment, size, SUPERSAMPLE)
    picture = cv2.remap(garment.picture[..., :3], source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _lit(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), fit, size)


def render_pasted(fit: Fit, garment: Garment, size: tuple[int, int]) -> np.ndarray:
    """uint8 HxWx3: what a 256 x 192 try-on pasted back would show: garment and person both on the canvas."""
    small = cv2.remap(
        garment.canvas[..., :3], flow_to_pixels(fit.flow), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(small, fit.crop.matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return _lit(picture, fit, size)


def _lit(picture: np.ndarray, fit: Fit, size: tuple[int, int]) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shading = cv2.warpAffine(fit.shading, fit.crop.matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(picture * shading[..., None] + 0.5, 0, 255).astype(np.uint8)


def gradient_energy(picture: np.ndarray, fit: Fit, size: tuple[int, int]) -> float:
    """Mean squared gradient (levels) of the grey picture, well inside what the fit covers; 0 where nothing is."""
    cover = cv2.warpAffine(fit.coverage, fit.crop.matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    margin = max(3, round(4 * CANVAS_H / CANVAS_W * fit.crop.scale))
    inside = cv2.erode((cover > 0.98).astype(np.uint8), np.ones((margin, margin), np.uint8)) > 0
    if not inside.any():
        return 0.0
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    dx, dy = np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1]
    return float((dx**2 + dy**2)[inside[:-1, :-1]].mean())
