"""The fit is carried with the body."""

import numpy as np
import pytest

from mirror.follow import Follower
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, TryOn
from tests.bodies import standing, textured_frame


def result() -> TryOn:
    coverage = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    coverage[60:220, 40:150] = 1
    crop = Crop(np.array([[0.6, 0.0, -96.0], [0.0, 0.6, -30.0]]))
    maps = np.zeros((CANVAS_H, CANVAS_W, 2), np.float32)
    fit = Fit(maps, coverage, np.ones_like(coverage), None, crop, 0.0)
    return TryOn(textured_frame(), standing(), fit, "flat")


@pytest.mark.parametrize("shift", [(7, 0), (-5, 9), (20, -12)])
def test_fit_moves_with_the_body(shift):
    tryon = result()
    assert tryon.fit is not None
    moved = Follower().carry(tryon, textured_frame(0.1, 1, shift))
    point = np.array([320.0, 240.0])
    before = tryon.fit.crop.to_canvas(point)
    assert np.allclose(moved.crop.to_canvas(point + shift), before, atol=0.4)
    assert moved.flow is tryon.fit.flow


def test_still_body_leaves_the_fit_exactly_alone():
    tryon = result()
    assert tryon.fit is not None
    frame = textured_frame(0.1, 1)
    noise = np.random.default_rng(0).integers(-2, 3, frame.image.shape)
    noisy = type(frame)(np.clip(frame.image + noise, 0, 255).astype(np.uint8), 0.1, 1)
    assert Follower().carry(tryon, noisy).crop is tryon.fit.crop


def test_the_fitted_frame_itself_needs_no_carrying():
    tryon = result()
    assert tryon.fit is not None
    assert Follower().carry(tryon, tryon.frame) is tryon.fit


def test_nothing_to_track_keeps_the_fit():
    tryon = result()
    assert tryon.fit is not None
    blank = type(tryon.frame)(np.full((480, 640, 3), 90, np.uint8), 0.1, 1)
    flat = TryOn(type(tryon.frame)(blank.image, 0.0, 0), tryon.person, tryon.fit, "flat")
    assert Follower().carry(flat, blank) is tryon.fit
