"""A sleeve is as wide as the arm in it, however little of it the network shows."""

from itertools import pairwise

import numpy as np
import pytest

from mirror.flat import Sleeve, part_distances, sleeves_of
from mirror.frames import CANVAS_W, flow_from_pixels, flow_to_pixels
from mirror.maps import MAP_H, MAP_W
from mirror.sleeves import SHOWN, Sleeves
from tests.bodies import flat_garment

ARM = np.s_[40:64, 30:70]
"""A forearm on the map, level, its elbow on the left."""


def sleeves(garment) -> tuple[Sleeve, ...]:
    return sleeves_of(garment, part_distances(garment).argmin(0))


def forearm(side: int, shown: float) -> tuple[np.ndarray, np.ndarray]:
    """Flow (2, 128, 96) and coverage of an arm that shows its forearm's whole length and so much of its width; the
    middle of the torso lies around it."""
    garment = flat_garment("long")
    sleeve, places = sleeves(garment)[side], np.empty((MAP_H, MAP_W, 2))
    places[:] = garment.canvas_landmarks[[5, 6, 11, 12]].mean(0)
    rows, columns = np.mgrid[ARM]
    along = 0.55 + 0.4 * (columns - 30) / 40
    middle, half = sleeve.middle_and_half(along)
    outer = (rows - 51.5) / 12.0 * (1.0 if side == 0 else -1.0)  # the arm points to the right
    across = middle + outer * shown * half
    places[ARM] = sleeve.origin + along[..., None] * sleeve.along + across[..., None] * sleeve.outwards
    coverage = np.zeros((MAP_H, MAP_W), np.float32)
    coverage[ARM] = 1.0
    return flow_from_pixels(places).transpose(2, 0, 1), coverage


def widths_shown(flow: np.ndarray, side: int) -> np.ndarray:
    """Of every column of the arm, from its upper to its lower edge: the share of the sleeve's width."""
    sleeve = sleeves(flat_garment("long"))[side]
    along, across = sleeve.coordinates(flow_to_pixels(flow.transpose(1, 2, 0))[ARM])
    middle, half = sleeve.middle_and_half(along)
    outer = (across - middle) / half
    return (outer[-1] - outer[0]) / 2.0 * 24 / 23 * (1.0 if side == 0 else -1.0)


def lengths(flow: np.ndarray, side: int) -> np.ndarray:
    return sleeves(flat_garment("long"))[side].coordinates(flow_to_pixels(flow.transpose(1, 2, 0))[ARM])[0]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("shown", [0.0, 0.2, -0.3, -0.7])
def test_a_squeezed_forearm_shows_its_sleeves_width(side, shown):
    """Of a bent forearm the network showed the sleeve's middle line alone, or the sleeve turned over."""
    flow, coverage = forearm(side, shown)
    laid = Sleeves(flat_garment("long")).laid_over(flow, coverage)
    beyond_the_elbow = widths_shown(laid, side)[5:]
    assert beyond_the_elbow == pytest.approx(SHOWN, abs=0.08)
    assert np.abs(lengths(laid, side) - lengths(flow, side)).max() < 1e-4
    rest = coverage == 0.0
    assert np.abs(laid - flow)[:, rest].max() < 1e-6


@pytest.mark.parametrize("side", [0, 1])
def test_a_forearm_that_shows_its_sleeve_stays_as_it_is(side):
    flow, coverage = forearm(side, 0.7)
    assert np.abs(Sleeves(flat_garment("long")).laid_over(flow, coverage) - flow).max() < 1e-6


def test_between_the_two_nothing_jumps():
    """The share shown grows by small steps: so does what comes of it."""
    laid = [Sleeves(flat_garment("long")).laid_over(*forearm(0, shown)) for shown in np.arange(0.2, 0.66, 0.02)]
    steps = [np.abs(b - a).max() * CANVAS_W / 2 for a, b in pairwise(laid)]
    assert max(steps) < 1.0


@pytest.mark.parametrize("kind", ["none", "short"])
def test_garments_without_long_sleeves_stay_as_they_are(kind):
    flow, coverage = forearm(0, 0.1)
    assert Sleeves(flat_garment(kind)).laid_over(flow, coverage) is flow


def test_an_arm_that_makes_no_way_to_the_cuff_stays_as_it_is():
    """It points at the camera: all of it shows one place of the sleeve."""
    flow, coverage = forearm(0, 0.1)
    flow[:, ARM[0], ARM[1]] = flow[:, 50:51, 60:61]
    assert np.abs(Sleeves(flat_garment("long")).laid_over(flow, coverage) - flow).max() < 1e-6


def test_a_sleeves_width_is_read_from_the_picture():
    """Of forearms, which alone are laid: the cloth ends where the width says."""
    garment = flat_garment("long")
    share = np.linspace(0.5, 0.9, 8)
    for sleeve in sleeves(garment):
        middle, half = sleeve.middle_and_half(share)
        for reach, inside in ((0.0, True), (0.8, True), (-0.8, True), (1.3, False), (-1.3, False)):
            across = middle + reach * half
            places = sleeve.origin + share[:, None] * sleeve.along + across[:, None] * sleeve.outwards
            x, y = np.round(places).astype(int).T
            assert ((garment.canvas_front[y, x] > 0.5) == inside).all(), reach
