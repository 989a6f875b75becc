"""A long sleeve lies on the forearm as far as its hand."""

from itertools import pairwise

import numpy as np
import pytest

from mirror.flat import ELBOW, Sleeve, part_distances, sleeves_of
from mirror.frames import CANVAS_W, Landmark, flow_from_pixels, flow_to_pixels
from mirror.inputs import PersonInputs
from mirror.maps import MAP_H, MAP_W
from mirror.sleeves import CUFF, SHOWN, Sleeves
from tests.bodies import flat_garment
from tests.test_arms import ELBOW as ELBOW_AT
from tests.test_arms import WRIST as WRIST_AT
from tests.test_arms import person

RIGHT = 1
"""The person's left arm, which is the one before the chest, is the viewer's right one."""


def sleeves() -> tuple[Sleeve, ...]:
    garment = flat_garment("long")
    return sleeves_of(garment, part_distances(garment).argmin(0))


def on_map(share: float, aside: float = 0.0) -> tuple[int, int]:
    """Row and column of a place on the forearm: so far from elbow to wrist, so many canvas pixels to its lower side."""
    elbow, wrist = np.array(ELBOW_AT), np.array(WRIST_AT)
    way = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    x, y = elbow + share * (wrist - elbow) + aside * np.array([way[1], -way[0]])
    return round((y - 0.5) / 2), round((x - 0.5) / 2)


def chest(covered: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """What a network answers that sees no forearm: everywhere the middle of the torso."""
    places = np.empty((MAP_H, MAP_W, 2))
    places[:] = flat_garment("long").canvas_landmarks[[5, 6, 11, 12]].mean(0)
    return flow_from_pixels(places).transpose(2, 0, 1), np.full((MAP_H, MAP_W), covered, np.float32)


def read(flow: np.ndarray, at: tuple[int, int]) -> tuple[float, float]:
    """How far along the right sleeve a map pixel lies, and how far across, in half-widths outwards."""
    sleeve = sleeves()[RIGHT]
    along, across = sleeve.coordinates(flow_to_pixels(flow.transpose(1, 2, 0))[at])
    middle, half = sleeve.middle_and_half(along)
    return float(along), float((across - middle) / half)


def laid_on(kind: str, who: PersonInputs, flow: np.ndarray, coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """With the sleeves of a garment of that kind."""
    garment = Sleeves(flat_garment(kind))
    return garment.laid_on(garment.arms(who), flow, coverage)


@pytest.mark.parametrize("covered", [0.0, 1.0])
def test_a_forearm_the_network_does_not_see_gets_its_sleeve(covered: float):
    laid, coverage = laid_on("long", person(), *chest(covered))
    for share in (0.1, 0.5, 0.9):
        along, aside = read(laid, on_map(share))
        assert along == pytest.approx(ELBOW + (1.0 - ELBOW) * share / CUFF, abs=0.03)
        assert abs(aside) < 0.15
        assert coverage[on_map(share)] > 0.95
    (_, outer), (_, inner) = read(laid, on_map(0.5, 6.0)), read(laid, on_map(0.5, -6.0))
    assert 0.3 < outer <= SHOWN * 1.15 and -0.3 > inner >= -SHOWN * 1.15
    assert coverage[on_map(1.35)] == covered


def test_beside_the_forearm_nothing_changes():
    flow, coverage = chest()
    laid, covered = laid_on("long", person(), flow, coverage)
    away = np.ones((MAP_H, MAP_W), bool)
    away[60:100, 40:90] = False
    away[:, :40] = False  # the other arm hangs there
    assert np.abs(laid - flow)[:, away].max() < 1e-6 and np.array_equal(covered, coverage)


def test_without_a_hand_in_sight_the_network_is_believed():
    somebody = person(hand=False)
    flow, coverage = chest()
    laid, _ = laid_on("long", somebody, flow, coverage)
    assert np.abs(laid - flow)[:, 60:100, 50:].max() < 1e-6


@pytest.mark.parametrize("kind", ["none", "short"])
def test_garments_without_long_sleeves_stay_as_they_are(kind: str):
    flow, coverage = chest()
    laid, covered = laid_on(kind, person(), flow, coverage)
    assert laid is flow and covered is coverage


def shown(wide: float, bend: float = ELBOW, width: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """The network shows the forearm's sleeve `wide` canvas pixels to either side of its bone, from `bend` of its length
    on, and so much of its width."""
    (flow, coverage), sleeve = chest(), sleeves()[RIGHT]
    places = flow_to_pixels(flow.transpose(1, 2, 0))
    for share in np.linspace(-0.2, 1.0, 96):
        along = bend + (1 - bend) * share
        middle, half = sleeve.middle_and_half(np.array(along))
        for aside in np.arange(-wide, wide + 0.5, 0.5):
            at = on_map(share, aside)
            place = sleeve.origin + along * sleeve.along
            places[at] = place + (middle + width * half * aside / wide) * sleeve.outwards
    return flow_from_pixels(places).transpose(2, 0, 1), coverage


def test_a_sleeve_that_is_wide_stays_wide():
    narrow, wide = (laid_on("long", person(), *shown(px))[0] for px in (6.0, 15.0))
    assert read(wide, on_map(0.6, 6.0))[1] < 0.75 * read(narrow, on_map(0.6, 6.0))[1]
    assert 0.7 < read(wide, on_map(0.6, 14.0))[1] < 0.95


def test_at_the_elbow_it_goes_over_into_the_networks():
    flow, coverage = shown(10.0)
    places = flow_to_pixels(flow.transpose(1, 2, 0)) + 3.0 * sleeves()[RIGHT].outwards
    laid, _ = laid_on("long", person(), flow_from_pixels(places).transpose(2, 0, 1), coverage)
    moved = np.linalg.norm(flow_to_pixels(laid.transpose(1, 2, 0)) - places, axis=2)
    steps = [moved[on_map(share)] for share in (0.02, 0.15, 0.35)]
    assert steps[0] < 1.0 and steps[2] > 2.0 and steps[0] < steps[1] < steps[2]


def test_a_forearm_that_the_network_shows_stays_as_it_is():
    flow, coverage = shown(10.0, width=0.7)
    laid, _ = laid_on("long", person(), flow, coverage)
    for share in (0.2, 0.5, 0.9):
        for aside in (-6.0, 0.0, 6.0):
            row, column = on_map(share, aside)
            assert np.abs(laid - flow)[:, row, column].max() < 1e-6


def test_between_a_forearm_that_is_shown_and_one_that_is_squeezed_nothing_leaps():
    steps = [laid_on("long", person(), *shown(10.0, width=w))[0] for w in np.arange(0.25, 0.62, 0.02)]
    assert max(np.abs(b - a).max() for a, b in pairwise(steps)) * CANVAS_W / 2 < 1.5


@pytest.mark.parametrize("bend", [0.45, 0.65])
def test_a_sleeve_goes_on_from_where_the_network_bends_it(bend: float):
    """It began anew at its middle, and what lies between was drawn out over the elbow or left out."""
    laid, _ = laid_on("long", person(), *shown(10.0, bend))
    for share in (0.0, 0.15, 0.3, 0.6):
        assert read(laid, on_map(share))[0] == pytest.approx(bend + (1.0 - bend) / CUFF * share, abs=0.03)


def test_an_open_upper_arm_is_closed():
    flow, coverage = chest(0.0)
    laid, covered = laid_on("long", person(), flow, coverage)
    somebody = person()
    shoulder, elbow = (somebody.landmarks[0, row] for row in (Landmark.LEFT_SHOULDER, Landmark.LEFT_ELBOW))
    x, y = (shoulder + 0.6 * (elbow - shoulder) - 0.5) / 2
    at = round(float(y)), round(float(x))
    assert covered[at] > 0.9
    assert read(laid, at)[0] == pytest.approx(0.6 * ELBOW, abs=0.06)


def test_a_sleeves_width_is_read_from_the_picture():
    """Of forearms, which alone are laid: the cloth ends where the width says."""
    garment = flat_garment("long")
    share = np.linspace(0.5, 0.9, 8)
    for sleeve in sleeves():
        middle, half = sleeve.middle_and_half(share)
        for reach, inside in ((0.0, True), (0.8, True), (-0.8, True), (1.3, False), (-1.3, False)):
            across = middle + reach * half
            places = sleeve.origin + share[:, None] * sleeve.along + across[:, None] * sleeve.outwards
            x, y = np.round(places).astype(int).T
            assert ((garment.canvas_front[y, x] > 0.5) == inside).all(), reach
