"""Bare arms before the chest, and down to the picture's end."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.arms import END_ROWS, bare_forearms, before_the_chest, down_to_the_end
from mirror.frames import CANVAS_H, CANVAS_W, Landmark
from mirror.inputs import PersonInputs
from tests.fake_samples import fake_landmarks

BLACK, SKIN = (46, 48, 50), (90, 115, 150)  # BGR
ELBOW, WRIST, FINGERS = (150.0, 165.0), (115.0, 150.0), (100.0, 144.0)


def person(*, hand: bool = True) -> PersonInputs:
    """Somebody in black whose left arm lies before the chest."""
    points = np.nan_to_num(fake_landmarks(np.random.default_rng(0)))
    points[Landmark.LEFT_ELBOW, :2], points[Landmark.LEFT_WRIST, :2] = ELBOW, WRIST
    points[Landmark.LEFT_INDEX, :2] = points[Landmark.LEFT_PINKY, :2] = FINGERS
    canvas = np.full((CANVAS_H, CANVAS_W, 3), BLACK, np.uint8)
    canvas[30:75, 75:117] = SKIN
    if hand:
        canvas[136:156, 92:114] = SKIN
    return PersonInputs(canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), points)


def masks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a generator that sees no forearm: coverage, repair, skin."""
    coverage = np.ones((CANVAS_H, CANVAS_W), np.float32)
    return coverage, np.zeros_like(coverage), np.zeros_like(coverage)


def test_a_forearm_with_a_hand_in_sight_is_bare():
    coverage, repair, skin = masks()
    bare_forearms(person(), before_the_chest(person()), coverage, repair, skin)
    middle = 157, 132
    assert coverage[middle] < 0.1 and repair[middle] > 0.9 and skin[middle] > 0.9
    assert coverage[110, 90] == 1.0 and repair[110, 90] == skin[110, 90] == 0.0
    assert repair[145, 100] == 0.0  # the hand is there already


def test_without_a_hand_in_sight_the_arm_may_be_behind():
    assert before_the_chest(person(hand=False))[:200, 70:].max() == 0.0


@pytest.mark.parametrize("end", [120, 230, 256])
def test_arms_reach_the_picture_s_end(end: int):
    somebody, (_, repair, skin) = person(), masks()
    repair[: end - END_ROWS, 20:40] = skin[: end - END_ROWS, 20:40] = 1.0
    repair[: end - END_ROWS, 60:80] = 1.0
    down_to_the_end(somebody, repair, skin, float(end))
    assert skin[end - 1, 22:38].min() == repair[end - 1, 22:38].min() == 1.0
    assert skin[end - 1, 60:80].max() == repair[end - 1, 60:80].max() == 0.0


@pytest.mark.parametrize("end", [-20, 3, 275, 400])
def test_a_picture_that_ends_beside_the_canvas_changes_nothing(end: int):
    somebody, (_, repair, skin) = person(), masks()
    repair[:, 20:40] = skin[:, 20:40] = 1.0
    before = skin.copy()
    down_to_the_end(somebody, repair, skin, float(end))
    assert np.array_equal(skin, before)
