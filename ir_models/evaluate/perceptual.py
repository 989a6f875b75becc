"""A perceptual distance of pictures that needs no trained network, so that anybody can compute it.

Gradient magnitude similarity deviation (Xue et al., "Gradient Magnitude Similarity Deviation: A Highly Efficient
Perceptual Image Quality Index", IEEE TIP 2014): how unevenly the edges of two pictures agree. 0 is the same picture.
"""

from __future__ import annotations

import cv2
import numpy as np

STEADY = 170.0
"""The paper's constant for luminance of 0..255."""


def gmsd(one: np.ndarray, other: np.ndarray, region: np.ndarray | None = None) -> float:
    """Pictures HxWx3 RGB, 0..255, of one size with even sides. region: bool HxW, where it counts (everywhere)."""
    first, second = (_edges(picture) for picture in (one, other))
    alike = (2.0 * first * second + STEADY) / (first**2 + second**2 + STEADY)
    if region is None:
        return float(alike.std())
    inside = alike[_halved(region.astype(np.float64)) > 0.5]
    return float(inside.std()) if inside.size else 0.0


def _edges(picture: np.ndarray) -> np.ndarray:
    """Gradient magnitude by Prewitt's filters of the luminance at half the size, float64."""
    grey = _halved(picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114]))
    across = np.array([[1.0, 0.0, -1.0]] * 3) / 3.0
    dx, dy = (cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_REFLECT) for kernel in (across, across.T))
    return np.hypot(dx, dy)


def _halved(plane: np.ndarray) -> np.ndarray:
    return plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3))
