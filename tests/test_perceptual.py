"""The perceptual distance: none between equal pictures, more the more the edges differ, whatever the brightness."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from ir_models.evaluate.perceptual import gmsd


def stripes(period: int = 16) -> np.ndarray:
    plane = ((np.arange(96)[None] // (period // 2)) % 2 * 120.0 + 60.0).repeat(128, 0)
    return np.dstack([plane] * 3)


def test_equal_pictures_are_at_no_distance() -> None:
    assert gmsd(stripes(), stripes()) == 0.0


def test_brightness_counts_less_than_blurred_edges() -> None:
    blurred = cv2.GaussianBlur(stripes(), (0, 0), 3.0)
    assert gmsd(stripes(), stripes() + 20.0) < 1e-6 < 0.05 < gmsd(stripes(), blurred)


def test_more_blur_is_farther_where_edges_are_apart() -> None:
    """Where they are not, much blur differs evenly, and this measure counts unevenness."""
    apart = stripes(64)
    far = [gmsd(apart, cv2.GaussianBlur(apart, (0, 0), sigma)) for sigma in (1.0, 2.0, 4.0)]
    assert far == sorted(far) and far[0] > 0.0


def test_only_the_region_counts() -> None:
    spoilt = stripes()
    spoilt[:64] = cv2.GaussianBlur(stripes(), (0, 0), 4.0)[:64]
    below = np.zeros((128, 96), bool)
    below[80:] = True
    assert gmsd(stripes(), spoilt, below) < 1e-6 < gmsd(stripes(), spoilt)
