"""The fit without a network puts the garment's landmarks on the body's."""

import numpy as np
import pytest

from mirror.body import Body, read_body
from mirror.crop import Cropper
from mirror.frames import CANVAS_H, CANVAS_W, Fit, Landmark, flow_to_pixels
from mirror.geometric import GeometricFitter
from tests.bodies import flat_garment, standing, textured_frame


def fit_of(sleeves: str, person=None) -> tuple[Fit, Body]:
    person = person or standing()
    crop = Cropper().follow(person, (640, 480))
    return GeometricFitter().fit(textured_frame(), person, crop, flat_garment(sleeves)), read_body(
        person.landmarks, crop
    )


def source_at(fit: Fit, point: np.ndarray) -> np.ndarray:
    x, y = np.round(point).astype(int)
    return flow_to_pixels(fit.flow[y, x])


@pytest.mark.parametrize("sleeves", ["none", "short", "long"])
def test_maps_have_their_shapes_and_ranges(sleeves):
    fit, _ = fit_of(sleeves)
    assert fit.flow.shape == (CANVAS_H, CANVAS_W, 2) and fit.flow.dtype == np.float32
    assert fit.coverage.shape == (CANVAS_H, CANVAS_W) and fit.coverage.dtype == np.float32
    assert fit.coverage.min() >= 0 and fit.coverage.max() <= 1
    assert fit.repair is None and fit.shading.min() > 0.2 and fit.shading.max() < 2
    assert np.isfinite(fit.flow).all()


def test_chest_shows_the_middle_of_the_garment_and_is_covered():
    fit, body = fit_of("short")
    chest = body.torso_point(0.0, 0.6 * body.unit)
    garment = flat_garment("short")
    assert fit.coverage[int(chest[1]), int(chest[0])] > 0.9
    assert source_at(fit, chest)[0] == pytest.approx(garment.canvas_landmarks[2, 0], abs=3)


def test_left_stays_left():
    fit, body = fit_of("short")
    left, right = (body.torso_point(a * body.unit, 0.6 * body.unit) for a in (-0.4, 0.4))
    assert source_at(fit, left)[0] < source_at(fit, right)[0] - 20


@pytest.mark.parametrize(("sleeves", "covered"), [("none", False), ("short", False), ("long", True)])
def test_forearm_is_covered_by_long_sleeves_alone(sleeves, covered):
    fit, body = fit_of(sleeves)
    _, elbow, wrist = body.arms[0]
    x, y = np.round(elbow + 0.6 * (wrist - elbow)).astype(int)
    assert (fit.coverage[y, x] > 0.5) == covered


@pytest.mark.parametrize(("sleeves", "covered"), [("none", False), ("short", True), ("long", True)])
def test_upper_arm_is_covered_by_sleeves(sleeves, covered):
    fit, body = fit_of(sleeves)
    shoulder, elbow, _ = body.arms[1]
    x, y = np.round(shoulder + 0.35 * (elbow - shoulder) + body.right * 0.08 * body.unit).astype(int)
    assert (fit.coverage[y, x] > 0.5) == covered


def test_face_and_hand_before_the_chest_stay_uncovered():
    hand = {
        Landmark.LEFT_ELBOW: (400, 280), Landmark.LEFT_WRIST: (345, 250),
        Landmark.LEFT_INDEX: (325, 240), Landmark.LEFT_PINKY: (327, 244),
    }  # fmt: skip
    fit, body = fit_of("long", standing(moved=hand))
    for point in (body.face[0], body.hands[1][0] + 0.6 * (body.hands[1][1] - body.hands[1][0])):
        x, y = np.round(point).astype(int)
        assert fit.coverage[y, x] < 0.3


def test_person_seen_from_behind_is_not_turned_inside_out():
    swapped = {
        Landmark.LEFT_SHOULDER: (270, 200), Landmark.RIGHT_SHOULDER: (370, 200),
        Landmark.LEFT_HIP: (290, 350), Landmark.RIGHT_HIP: (350, 350),
    }  # fmt: skip
    fit, body = fit_of("short", standing(moved=swapped))
    left, right = (body.torso_point(a * body.unit, 0.6 * body.unit) for a in (-0.4, 0.4))
    assert source_at(fit, left)[0] < source_at(fit, right)[0]
