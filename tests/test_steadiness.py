"""The measures of steadiness measure what they say."""

from dataclasses import replace

import numpy as np
import pytest

from bench.steadiness import (
    MAX_LEAN_PX,
    behind_px,
    colour_change,
    joints_moved_px,
    light_change,
    mask_change,
    movement_px,
    places_shown,
    still_steps,
)
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, flow_from_pixels
from tests.bodies import flat_garment, standing


def fit_at(shift: tuple[float, float], scale: float = 0.5) -> Fit:
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    flow = flow_from_pixels(np.stack([xs, ys], -1))
    ones = np.ones((CANVAS_H, CANVAS_W), np.float32)
    crop = Crop(np.array([[scale, 0.0, -30.0 - scale * shift[0]], [0.0, scale, 4.0 - scale * shift[1]]]))
    return Fit(flow, ones, ones, None, crop, 0.0)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.0, 0.0), (-0.6, 0.8), (3.0, -4.0)])
@pytest.mark.parametrize("scale", [0.3, 0.8])
def test_movement_is_in_camera_pixels(shift, scale):
    moved = movement_px(fit_at((0, 0), scale), fit_at(shift, scale), (640, 480))
    # cv2.warpAffine rounds positions on the canvas to 1/32 pixel
    assert moved == pytest.approx(np.hypot(*shift), abs=1.5 / 32 / scale)


def test_still_steps_are_those_without_motion():
    walk = np.concatenate([np.zeros(30), np.arange(30) * 2.0])
    landmarks = np.array([standing(shift=(x, 0)).landmarks for x in walk])
    still = still_steps(landmarks)
    assert still[:20].all() and not still[35:].any()


def test_nobody_is_not_still():
    landmarks = np.array([standing().landmarks] * 40)
    landmarks[20] = np.nan
    assert not still_steps(landmarks)[19:21].any()


def test_colour_change_counts_levels():
    grey = np.full((480, 640, 3), 100, np.uint8)
    assert colour_change(grey, grey + 3, (fit_at((0, 0)), fit_at((0, 0)))) == pytest.approx(3.0)


def test_the_spots_of_a_garment_are_found_where_the_fit_shows_them():
    garment = flat_garment()
    a, b = (places_shown(fit_at(shift), garment) for shift in ((0.0, 0.0), (7.0, -4.0)))
    assert np.isfinite(a).all()
    assert b - a == pytest.approx(np.tile([7.0, -4.0], (len(a), 1)), abs=0.1)


def test_a_hand_before_the_collar_does_not_move_the_garment():
    """A spot half hidden was taken for its visible rim: a garment on a still body seemed to lag by 8 pixels."""
    garment, fit = flat_garment(), fit_at((0.0, 0.0))
    coverage = fit.coverage.copy()
    coverage[:90, 60:110] = 0.0
    open_view, hidden = places_shown(fit, garment), places_shown(replace(fit, coverage=coverage), garment)
    check_unmoved(hidden, open_view, fit)


def test_an_arm_in_its_sleeve_before_the_chest_does_not_move_the_garment() -> None:
    """Spots behind the sleeve crowded along its rim: a garment on a still body seemed to lag by 12 pixels."""
    garment, fit = flat_garment(), fit_at((0.0, 0.0))
    flow = fit.flow.copy()
    flow[:90, 60:110] = -0.95  # another part of the garment lies there
    check_unmoved(places_shown(replace(fit, flow=flow), garment), places_shown(fit, garment), fit)


def check_unmoved(hidden: np.ndarray, open_view: np.ndarray, fit: Fit) -> None:
    """Some spots are hidden; those seen lie where they were, but for what a rim may pull them."""
    seen = np.isfinite(hidden).all(1)
    assert 0 < seen.sum() < len(hidden)
    off = np.linalg.norm(hidden[seen] - open_view[seen], axis=1)
    assert np.median(off) < 0.5 and off.max() <= MAX_LEAN_PX * fit.crop.scale + 0.1


def test_a_garment_that_is_late_is_behind_by_so_much_and_one_that_sits_elsewhere_is_not():
    numbers = np.arange(200)
    body = np.stack([100 * np.sin(numbers / 14.0), np.zeros(200)], 1)  # up to 7 pixels a picture
    places = np.array([[12.0, -30.0], [40.0, -30.0], [12.0, 9.0]])
    sits, late = body[:, None] + places, np.roll(body, 2, axis=0)[:, None] + places
    hidden = late.copy()
    hidden[60:90, :2] = np.nan  # one spot is still seen
    assert np.nanmax(behind_px(sits, body, numbers)) < 1e-6
    for garment in (late, hidden):
        assert np.quantile(behind_px(garment, body, numbers)[50:150], 0.95) > 9
    hidden[100] = np.nan
    assert np.isnan(behind_px(hidden, body, numbers)).nonzero()[0].tolist() == [100]


def test_spots_that_are_seen_for_moments_hide_no_lag() -> None:
    """Their median place is that of the moment: a late garment seemed to lag by two thirds of what it did."""
    numbers = np.arange(200)
    body = np.stack([100 * np.sin(numbers / 14.0), np.zeros(200)], 1)
    late = np.roll(body, 4, axis=0)[:, None] + np.array([[12.0 * k, 9.0] for k in range(9)])
    moments = late.copy()
    for k in range(1, 9):
        moments[(numbers // 5 + k) % 5 != 0, k] = np.nan  # each is seen for 5 of 25 pictures; the first always
    middle = slice(50, 150)
    wholly, briefly = (behind_px(garment, body, numbers)[middle] for garment in (late, moments))
    assert np.median(wholly) > 10
    assert np.allclose(briefly, wholly)


def test_each_kind_of_unrest_counts_its_own():
    a, b = standing(), standing(shift=(3.0, 4.0))
    assert joints_moved_px(a, a) == 0.0 and joints_moved_px(a, b) == pytest.approx(5.0)
    assert mask_change(a, b) > 50
    soft = replace(a, mask=np.full_like(a.mask, 0.5))
    assert mask_change(soft, replace(soft, mask=soft.mask + np.float32(0.1))) == pytest.approx(25.5, abs=0.1)
    fit = fit_at((0, 0))
    assert light_change(fit, replace(fit, shading=fit.shading * np.float32(0.9))) == pytest.approx(25.5, abs=0.1)
