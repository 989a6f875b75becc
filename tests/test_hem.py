"""The garment is let down to the hem of what it hides, and keeps its length where that lies far away."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, Landmark, Person, flow_from_pixels, flow_to_pixels
from mirror.hem import LONGER, Hem
from tests.bodies import flat_garment

COLUMN = 96
GARMENT = flat_garment()
ZOOM = 1.4
"""The garment is worn smaller than it lies on its canvas, so that there is room below it."""
MARKS = GARMENT.canvas_landmarks / ZOOM
ARMPIT, HEM = round(float(MARKS[9:11, 1].mean())), round(float(MARKS[11:13, 1].mean()))
LEFT, RIGHT = (round(float(MARKS[row, 0]) + COLUMN - COLUMN / ZOOM) for row in (11, 12))


def standing(hand: tuple[float, float] = (0.0, 40.0)) -> Person:
    """Somebody whose hands are both at a place on the canvas."""
    points = np.ones((33, 3), np.float32)
    points[:, :2] = hand
    shoulders = {Landmark.LEFT_SHOULDER: (134, 70), Landmark.RIGHT_SHOULDER: (58, 70)}
    for mark, at in (shoulders | {Landmark.LEFT_HIP: (120, 190), Landmark.RIGHT_HIP: (72, 190)}).items():
        points[mark, :2] = at
    return Person(np.ones((CANVAS_H, CANVAS_W), np.float32), points, 0.0, 0.0)


PERSON = standing()


def worn(old_hem: int, seen_to: int = HEM, shown: int = CANVAS_H, t: float = 0.0) -> tuple[Fit, Frame]:
    """The garment as it lies, seen down to a row, over an old one down to old_hem; the picture has `shown` rows."""
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    coverage, repair = np.zeros((CANVAS_H, CANVAS_W), np.float32), np.zeros((CANVAS_H, CANVAS_W, 4), np.float32)
    coverage[60:seen_to, LEFT:RIGHT] = 1.0
    repair[60:old_hem, LEFT:RIGHT, 3] = 1.0
    at = np.stack([(xs - COLUMN) * ZOOM + COLUMN, ys * ZOOM], -1)
    fit = Fit(flow_from_pixels(at), coverage, np.ones_like(coverage), repair, Crop(np.eye(2, 3)), t)
    return fit, Frame(np.zeros((shown, CANVAS_W, 3), np.uint8), t, round(t * 30))


def hung(old_hem: int, **more: int) -> Fit:
    fit, frame = worn(old_hem, **more)
    return Hem().hang(fit, GARMENT, frame, PERSON)


def row_of(fit: Fit, row: int) -> float:
    """What is seen at a canvas row: the canvas row at which that would be seen of the garment as it lies."""
    return float(flow_to_pixels(fit.flow)[row, COLUMN][1]) / ZOOM


def test_a_garment_is_let_down_to_a_hem_that_is_a_little_lower() -> None:
    fit = hung(HEM + 10)
    assert row_of(fit, HEM + 10) == pytest.approx(HEM, abs=3)
    assert fit.coverage[HEM + 7, COLUMN] > 0.9
    assert fit.coverage[HEM + 20, COLUMN] == 0.0


def test_what_lies_above_the_armpits_stays() -> None:
    before, _ = worn(HEM + 10)
    after = hung(HEM + 10)
    np.testing.assert_array_equal(after.coverage[:ARMPIT], before.coverage[:ARMPIT])
    np.testing.assert_allclose(after.flow[:ARMPIT], before.flow[:ARMPIT], atol=1e-5)


def test_a_hem_far_below_is_left_alone() -> None:
    assert row_of(hung(HEM + round(0.8 * (HEM - ARMPIT))), HEM) == pytest.approx(HEM, abs=0.5)


def test_it_is_never_let_down_by_more_than_the_limit() -> None:
    length = HEM - ARMPIT
    for below in range(0, round(0.8 * length), 4):
        assert HEM - row_of(hung(HEM + below), HEM) <= LONGER * length + 0.5


def test_a_flow_that_hardly_goes_on_towards_the_hem_stretches_no_ribbing_over_a_hands_breadth() -> None:
    """Networks are not asked what lies below a garment's end: a pullover had its hem, and a skirt of its last rows."""
    ribbing = HEM - 6
    fit, frame = worn(HEM + 20, seen_to=ribbing)
    at = flow_to_pixels(fit.flow)
    rows = np.arange(CANVAS_H, dtype=np.float32)[:, None]
    at[..., 1] = ZOOM * np.where(rows < ribbing, rows, ribbing + 0.1 * (rows - ribbing))
    after = Hem().hang(dataclasses.replace(fit, flow=flow_from_pixels(at)), GARMENT, frame, PERSON)
    seen = np.array([row_of(after, row) for row in range(ribbing, HEM + 16)])
    assert np.diff(seen).min() > 0.5
    assert after.coverage[HEM + 14, COLUMN] > 0.9


def test_a_strip_at_the_pictures_end_is_no_old_hem() -> None:
    end = HEM + 12
    fit, frame = worn(HEM, shown=end)
    assert fit.repair is not None
    fit.repair[end - 6 : end + 2, LEFT:RIGHT, 3] = 1.0
    after = Hem().hang(fit, GARMENT, frame, PERSON)
    assert row_of(after, HEM) == pytest.approx(HEM, abs=2)


def test_a_lower_end_that_the_networks_lost_is_covered() -> None:
    fit = hung(HEM, seen_to=HEM - 14)
    assert fit.coverage[HEM - 5, COLUMN] > 0.9


def test_a_hand_before_the_hem_stays_in_front() -> None:
    fit, frame = worn(HEM + 10)
    assert fit.repair is not None
    hand = (slice(HEM - 12, HEM + 10), slice(COLUMN - 12, COLUMN + 8))
    fit.repair[hand][..., 3] = 0.0
    fit.coverage[hand] = 0.0
    after = Hem().hang(fit, GARMENT, frame, standing((COLUMN - 2.0, HEM)))
    assert after.coverage[hand].max() == 0.0
    assert after.coverage[HEM + 6, COLUMN + 20] > 0.9


def test_beside_the_hem_nothing_is_covered() -> None:
    fit, frame = worn(HEM + 10)
    assert fit.repair is not None
    fit.repair[ARMPIT : HEM + 10, :, 3] = 1.0  # sleeves of the old garment hang beside
    after = Hem().hang(fit, GARMENT, frame, PERSON)
    assert after.coverage[HEM, : LEFT - 1].max() == 0.0
    assert after.coverage[HEM, RIGHT + 1 :].max() == 0.0


def test_where_the_picture_cuts_the_old_garment_the_new_one_reaches_beyond() -> None:
    end = HEM - 6
    fit = hung(end, seen_to=end - 10, shown=end)
    assert fit.coverage[end - 1, COLUMN] > 0.9
    assert row_of(fit, end - 1) < HEM - 3


def test_the_length_changes_slowly_from_fit_to_fit() -> None:
    hem = Hem()
    first, frame = worn(HEM)
    assert row_of(hem.hang(first, GARMENT, frame, PERSON), HEM) == pytest.approx(HEM, abs=2)
    rows = []
    for n in range(1, 60):
        fit, frame = worn(HEM + 14, t=n / 20)
        rows.append(row_of(hem.hang(fit, GARMENT, frame, PERSON), HEM))
    steps = -np.diff(rows)
    assert rows[0] > HEM - 3
    assert 0.0 < steps.max() < 1.0
    assert rows[-1] < HEM - 7


def test_a_fit_without_a_repair_is_answered_as_it_is() -> None:
    fit, frame = worn(HEM + 10)
    bare = Fit(fit.flow, fit.coverage, fit.shading, None, fit.crop, 0.0)
    assert Hem().hang(bare, GARMENT, frame, PERSON) is bare


def test_a_slit_above_the_hem_is_closed_and_its_steps_are_smooth() -> None:
    """Trousers that a generator sees above the new hem, where the old one hangs askew, are not to be painted over."""
    fit, frame = worn(HEM + 6, seen_to=HEM - 14)
    assert fit.repair is not None
    slit, step = (
        (slice(HEM - 9, HEM - 3), slice(LEFT + 8, COLUMN)),
        (slice(HEM - 4, CANVAS_H), slice(COLUMN + 10, RIGHT)),
    )
    for trousers in (slit, step):
        fit.repair[trousers][..., 3] = 0.0
    after = Hem().hang(fit, GARMENT, frame, PERSON)
    ends = CANVAS_H - (after.coverage[::-1, LEFT + 6 : RIGHT - 6] > 0.5).argmax(0)
    assert after.coverage[slit].min() > 0.9
    assert abs(np.diff(ends)).max() <= 2


def test_no_piece_of_the_garment_lies_below_its_hem() -> None:
    """What a generator paints in a picture's last rows, trousers or not, became a strip of the garment."""
    fit, frame = worn(HEM - 30, seen_to=HEM - 34, shown=HEM + 30)
    assert fit.repair is not None
    strip = (slice(HEM - 22, HEM - 16), slice(LEFT, RIGHT))
    fit.repair[strip][..., 3] = 1.0
    after = Hem().hang(fit, GARMENT, frame, PERSON)
    assert flow_to_pixels(after.flow)[HEM - 20, COLUMN, 1] < GARMENT.canvas_landmarks[11, 1]  # it would reach so far
    assert after.coverage[HEM - 25 :].max() == 0.0
    assert after.coverage[HEM - 33, COLUMN] > 0.5


def test_a_hem_that_the_picture_cuts_is_not_drawn_up_by_what_is_seen_beside_a_hand() -> None:
    end = HEM - 6
    fit, frame = worn(end, seen_to=end - 10, shown=end)
    assert fit.repair is not None
    fit.repair[end - 14 :, LEFT : LEFT + 20, 3] = 0.0
    fit.coverage[end - 14 :, LEFT : LEFT + 20] = 0.0
    after = Hem().hang(fit, GARMENT, frame, PERSON)
    assert after.coverage[end - 1, COLUMN : RIGHT - 4].min() > 0.9
