"""The light a garment is seen in, from what the person wears now: the part of it that does not depend on its colour."""

from __future__ import annotations

import cv2
import numpy as np

STEP = 4
"""Canvas pixels between samples of the torso."""
GAIN_RANGE = (0.68, 1.25)
PRIOR_SPREAD = np.array([0.25, 0.25, 0.08, 0.08, 0.08])
"""How much light usually varies over a torso: log gain a standard deviation of place, linear and bent."""
INDEPENDENT_SAMPLES = 40.0
"""What all samples of a torso are worth: its folds and prints are much larger than the grid."""
WHITE_POINT = 250.0
"""Level of a white garment's picture; nothing worn should outshine the brightest part of the scene."""
MIN_SAMPLES = 60


def exposure(image: np.ndarray) -> float:
    """How bright a white garment may look in this picture: gain 0.5..1.0 from its near-brightest level.

    image: uint8 HxWx3 BGR.
    """
    small = cv2.cvtColor(image[:: max(1, image.shape[0] // 120), :: max(1, image.shape[1] // 160)], cv2.COLOR_BGR2GRAY)
    return float(np.clip(np.percentile(small, 96) / WHITE_POINT, 0.5, 1.0))


def torso_shading(canvas_bgr: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """Low-frequency shading over the torso: a plane with bend, fitted robustly to log luminance.

    A fit with six coefficients sees the light from the side or above but not the print of the old garment; outliers
    (prints, hands, lanyards) are weighted down (iteratively reweighted least squares, Tukey's biweight).
    canvas_bgr: uint8 256x192x3. torso: float32 256x192, 0..1, where the old garment is. Returns float32 256x192, gain
    with median 1 over the torso, within GAIN_RANGE.
    """
    height, width = torso.shape
    ys, xs = np.mgrid[0:height:STEP, 0:width:STEP]
    inside = torso[::STEP, ::STEP] > 0.5
    if inside.sum() < MIN_SAMPLES:
        return np.ones((height, width), np.float32)
    luminance = cv2.blur(cv2.cvtColor(canvas_bgr, cv2.COLOR_BGR2GRAY), (5, 5))[::STEP, ::STEP]
    target = np.log(luminance[inside].astype(np.float32) + 16.0)
    centre_x, centre_y, spread = xs[inside].mean(), ys[inside].mean(), max(float(ys[inside].std()), 10.0)

    def basis(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = (x - centre_x) / spread, (y - centre_y) / spread
        return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1)

    design = basis(xs[inside].astype(np.float64), ys[inside].astype(np.float64))
    weight = np.ones(len(target))
    coefficients, noise = np.zeros(6), float(np.std(target))
    for _ in range(5):
        # on busy cloth little can be told of the light: the prior, no shading, then weighs more
        trust = len(target) / INDEPENDENT_SAMPLES * noise**2 / PRIOR_SPREAD**2
        gram = design.T @ (design * weight[:, None]) + np.diag(np.concatenate([[0.0], trust]))
        coefficients = np.linalg.solve(gram, design.T @ (weight * target))
        residual = np.abs(target - design @ coefficients)
        noise = 1.48 * float(np.median(residual)) + 1e-3
        weight = np.clip(1.0 - (residual / (2.7 * noise)) ** 2, 0.0, 1.0) ** 2
    middle = float(np.median(design @ coefficients))
    coarse_y, coarse_x = np.mgrid[0:height:8, 0:width:8].astype(np.float64) + 3.5
    log_gain = basis(coarse_x, coarse_y) @ coefficients - middle
    gain = np.exp(np.clip(log_gain, np.log(GAIN_RANGE[0]), np.log(GAIN_RANGE[1]))).astype(np.float32)
    return cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
