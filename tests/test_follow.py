"""The fit is carried with the body."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mirror.follow import Follower
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Relit, TryOn
from mirror.motion import MAX_POINTS, Tracker, _corners, reduced
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


def test_corners_are_those_of_the_whole_picture_s_search() -> None:
    """They are looked for only around the torso."""
    view = reduced(textured_frame().image)
    torso = np.zeros_like(view.gray)
    torso[70:160, 100:220] = 255
    whole = cv2.goodFeaturesToTrack(view.gray, MAX_POINTS, 0.01, 6, mask=torso, blockSize=5)
    found = _corners(view.gray, torso)
    assert found is not None and np.array_equal(found, whole)


def test_a_tracker_that_is_there_already_is_used() -> None:
    tryon, moved = result(), textured_frame(0.1, 1, (7, 0))
    assert tryon.fit is not None
    tracker = Tracker(tryon.frame, tryon.fit, reduced(tryon.frame.image))
    carried = Follower().carry(tryon, moved, tracker)
    assert np.array_equal(carried.crop.matrix, Follower().carry(tryon, moved).crop.matrix)
    elsewhere = Tracker(textured_frame(shift=(30, 0)), tryon.fit, reduced(textured_frame(shift=(30, 0)).image))
    assert not np.allclose(Follower().carry(tryon, moved, elsewhere).crop.matrix, carried.crop.matrix, atol=1.0)


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), (240, 320)), ((1280, 720), (180, 320)), ((90, 70), (70, 90))]
)
def test_motion_is_measured_on_a_picture_of_one_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    image = cv2.resize(textured_frame().image, size, interpolation=cv2.INTER_AREA)
    view = reduced(image)
    assert view.gray.shape == expected
    direct = cv2.resize(image, expected[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(cv2.cvtColor(direct, cv2.COLOR_BGR2GRAY).astype(int) - view.gray).max() <= 2
    assert view.scale == expected[1] / size[0]


def covered(fit: Fit, x: int, y: int) -> float:
    """Coverage at a camera pixel."""
    column, row = np.round(fit.crop.to_canvas(np.array([x, y], float))).astype(int)
    return float(fit.coverage[row, column])


@pytest.mark.parametrize(("age_s", "left"), [(0.1, 1.0), (0.25, 1.0), (0.8, 0.0)])
def test_an_old_fit_fades_where_something_came_before_it(age_s: float, left: float) -> None:
    """On an overloaded machine a garment lay over an arm that had long been raised."""
    tryon = result()
    later = textured_frame(age_s, 20)
    image = later.image.copy()
    image[220:280, 280:360] = 255
    carried = Follower().carry(tryon, type(later)(image, age_s, 20))
    assert covered(carried, 320, 250) == pytest.approx(left, abs=0.05)
    assert covered(carried, 260, 330) == pytest.approx(1.0, abs=0.05)


def test_an_old_fit_stays_on_a_body_that_only_moved() -> None:
    carried = Follower().carry(result(), textured_frame(0.8, 20, (12, 4)))
    assert carried.coverage[70:210, 50:140].min() > 0.9


def test_hands_of_an_old_fit_are_no_longer_shown_in_another_light() -> None:
    tryon = result()
    assert tryon.fit is not None
    light = Relit(np.full((20, 20, 3), 160, np.uint8), 80, 100)
    lit = replace(tryon, fit=replace(tryon.fit, relit=light))
    assert Follower().carry(lit, textured_frame(0.1, 1)).relit is light
    assert Follower().carry(lit, textured_frame(0.8, 20)).relit is None
