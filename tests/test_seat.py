"""Where a garment sits: with the shoulders at once, where the networks lay it only in the mean of a while."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, flow_from_pixels
from mirror.seat import Seat

STEP_S = 0.07
"""From fit to fit."""
MIDDLE, HIPS = np.array([95.5, 76.0]), np.array([95.5, 160.0])


def fit(shift: tuple[float, float] = (0.0, 0.0), seen: bool = True) -> Fit:
    """A garment that lies on the canvas as on its own, but so many pixels farther."""
    xs, ys = np.meshgrid(np.arange(CANVAS_W) - shift[0], np.arange(CANVAS_H) - shift[1])
    coverage = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    if seen:
        coverage[60:220, 40:150] = 1.0
    crop = Crop(np.array([[0.6, 0.0, -96.0], [0.0, 0.6, -60.0]]))
    return Fit(flow_from_pixels(np.stack([xs, ys], -1)), coverage, np.ones_like(coverage), None, crop, 0.0)


def body(rise: float = 0.0) -> np.ndarray:
    """Landmarks whose shoulders lie higher by so many canvas pixels."""
    joints = np.zeros((33, 2))
    joints[[11, 12]] = MIDDLE - (0.0, rise)
    joints[[23, 24]] = HIPS
    return joints


def sat(seat: Seat, news: list[tuple[float, float]], rise: float = 0.0, limbs: float = 0.0) -> np.ndarray:
    """Canvas pixels (2,) by which the garment was moved on from fit to fit."""
    at = np.zeros(2)
    for new in news:
        shift = seat.settle(fit((at[0], at[1])), fit(new), np.eye(2, 3), body(rise), limbs, STEP_S)
        assert shift is not None
        at = at + shift.by
        # what is mixed in lies where the old one then does
        np.testing.assert_allclose(shift.new * (95.5, 127.5), np.array(new) - at, atol=0.1)
    return at


def test_a_garment_rises_with_the_shoulders_where_the_cloth_does_not() -> None:
    """The corners below shoulders that rise stand still: with them alone the garment came seconds later."""
    seat = Seat()
    sat(seat, [(0.0, 0.0)])
    assert sat(seat, [(0.0, -8.0)] * 3, rise=8.0)[1] < -5.5


@pytest.mark.parametrize(("limbs", "most"), [(0.0, 4.5), (1.0, 3.0)], ids=["at rest", "while arms move"])
def test_what_networks_say_for_half_a_second_hardly_moves_it(limbs: float, most: float) -> None:
    seat = Seat()
    sat(seat, [(0.0, 0.0)])
    assert 0.5 < sat(seat, [(7.0, 0.0)] * 7, limbs=limbs)[0] < most


def test_what_they_go_on_saying_is_taken_over() -> None:
    seat = Seat()
    sat(seat, [(0.0, 0.0)])
    assert sat(seat, [(7.0, 0.0)] * 40)[0] == pytest.approx(7.0, abs=0.15)


def test_an_arm_before_the_chest_is_no_garment_that_moved() -> None:
    """A sleeve's flow there differs by a hundred pixels, of half of the points: the rest tell."""
    seat, new = Seat(), fit()
    sat(seat, [(0.0, 0.0)])
    new.flow[90:140, 40:150] += 0.8
    shift = seat.settle(fit(), new, np.eye(2, 3), body(), 1.0, STEP_S)
    assert shift is not None and np.abs(shift.by).max() < 0.2


def test_a_hidden_chest_tells_nothing() -> None:
    assert Seat().settle(fit(), fit(seen=False), np.eye(2, 3), body(), 0.0, STEP_S) is None
