"""Light is read from the torso without its print."""

import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W
from mirror.light import GAIN_RANGE, exposure, torso_shading


def torso() -> np.ndarray:
    mask = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    mask[80:220, 50:145] = 1
    return mask


def lit(left: float, right: float, level: float = 120.0) -> np.ndarray:
    gradient = np.linspace(left, right, CANVAS_W)[None, :, None] * level
    return np.broadcast_to(gradient, (CANVAS_H, CANVAS_W, 3)).astype(np.uint8)


def test_side_light_is_seen():
    gain = torso_shading(lit(1.3, 0.7), torso())
    assert gain[150, 60] > 1.08 and gain[150, 135] < 0.94


def test_a_white_print_is_not_light():
    plain, printed = lit(1.0, 1.0, 60), lit(1.0, 1.0, 60).copy()
    printed[110:150, 80:115] = 240
    assert np.abs(torso_shading(printed, torso()) - torso_shading(plain, torso())).max() < 0.08


def test_colour_of_the_old_garment_does_not_matter():
    dark, bright = torso_shading(lit(1.2, 0.8, 60), torso()), torso_shading(lit(1.2, 0.8, 180), torso())
    assert np.abs(dark - bright)[torso() > 0].max() < 0.12


def test_gain_stays_in_range_and_no_torso_means_no_shading():
    gain = torso_shading(lit(2.0, 0.05), torso())
    assert gain.min() >= GAIN_RANGE[0] - 1e-3 and gain.max() <= GAIN_RANGE[1] + 1e-3
    assert (torso_shading(lit(1.2, 0.8), np.zeros((CANVAS_H, CANVAS_W), np.float32)) == 1).all()


@pytest.mark.parametrize(("level", "low", "high"), [(20, 0.5, 0.5), (250, 0.97, 1.0), (150, 0.55, 0.65)])
def test_exposure_follows_the_brightest_part_of_the_scene(level, low, high):
    assert low <= exposure(np.full((480, 640, 3), level, np.uint8)) <= high
