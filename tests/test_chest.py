"""The chest as it looked before a hand came before it."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.chest import Before, Chest
from mirror.frames import CANVAS_H, CANVAS_W, Landmark
from mirror.maps import MAP_H, MAP_W
from tests.fake_samples import fake_landmarks

MUSTARD, LANYARD, SKIN = (20, 165, 230), (45, 55, 60), (90, 115, 150)
ALL = (slice(0, CANVAS_H), slice(0, CANVAS_W))
PLACE = (slice(126, 140), slice(99, 105))
"""Of a lanyard on the chest."""


def dressed(hand: tuple[slice, slice] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Arguments of `look`: somebody in mustard with a lanyard, and a hand before it or none."""
    points = np.nan_to_num(fake_landmarks(np.random.default_rng(0)))[None]
    canvas = np.full((CANVAS_H, CANVAS_W, 3), MUSTARD, np.uint8)
    canvas[80:160, 99:105] = LANYARD
    near = np.zeros((MAP_H, MAP_W), np.float32)
    if hand is not None:
        canvas[hand] = SKIN
        near[40:90, 30:70] = 1.0
    return canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), points, near


def looked(chest: Chest, times: int, hand: tuple[slice, slice] | None = None) -> Before:
    for _ in range(times):
        before = chest.look(*dressed(hand))
    return before


def test_what_was_there_before_is_told_from_a_hand():
    chest = Chest()
    looked(chest, 8)
    found = looked(chest, 20, hand=(slice(115, 126), slice(90, 120))).on(ALL)
    assert found is not None
    same, _, colours, _ = found
    assert same[PLACE].min() > 0.7 and same[145:155, 85:95].min() > 0.9
    assert same[118:123, 95:115].max() < 0.1
    assert colours[110:120, 88:92].mean((0, 1)) == pytest.approx(MUSTARD, abs=3)


def test_a_finger_is_told_from_a_lanyard_that_is_as_narrow():
    chest = Chest()
    looked(chest, 8)
    found = looked(chest, 20, hand=(slice(100, 126), slice(100, 103))).on(ALL)
    assert found is not None
    assert found.itself[108:120, 101].max() < 0.5 < found.same[108:120, 101].min()
    assert found.itself[145:155, 85:95].min() > 0.9


def test_parts_of_the_canvas_show_the_same():
    chest = Chest()
    looked(chest, 8)
    before = looked(chest, 1)
    part = (slice(100, 150), slice(70, 120))
    whole, cut = before.on(ALL), before.on(part)
    assert whole is not None and cut is not None
    for a, b in zip(whole, cut, strict=True):
        assert np.abs(a[part] - b).mean() < 0.02
    assert before.on((slice(0, 20), slice(0, 20))) is None


def test_what_was_hardly_seen_or_of_somebody_else_is_not_known():
    chest = Chest()
    assert looked(chest, 2).on(ALL) is None
    looked(chest, 8)
    chest.forget()
    assert looked(chest, 1).on(ALL) is None


def test_a_landmark_at_infinity_harms_nothing():
    canvas, mask, points, near = dressed()
    points[0, Landmark.LEFT_HIP, :2] = 1e6
    assert Chest().look(canvas, mask, points, near).on(ALL) is None
