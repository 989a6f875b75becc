"""The crop follows the person and never shakes."""

import numpy as np
import pytest

from mirror.crop import Cropper, shoulder_unit
from mirror.frames import CANVAS_H, CANVAS_W, EYES_SHARE, SHOULDER_SHARE, Landmark
from tests.bodies import standing

SIZE = (640, 480)


def test_person_sits_on_the_canvas_as_designed():
    person = standing()
    crop = Cropper().follow(person, SIZE)
    left, right = (
        crop.to_canvas(person.point(Landmark.RIGHT_SHOULDER)),
        crop.to_canvas(person.point(Landmark.LEFT_SHOULDER)),
    )
    eyes = crop.to_canvas((person.point(Landmark.LEFT_EYE) + person.point(Landmark.RIGHT_EYE)) / 2)
    assert right[0] - left[0] == pytest.approx(SHOULDER_SHARE * CANVAS_W, rel=0.01)
    assert (left + right)[0] / 2 == pytest.approx((CANVAS_W - 1) / 2, abs=0.5)
    assert eyes[1] == pytest.approx(EYES_SHARE * CANVAS_H, abs=1)


def test_standing_still_with_noisy_landmarks_leaves_the_crop_alone():
    cropper, rng = Cropper(), np.random.default_rng(0)
    crops = [cropper.follow(standing(i / 30, tuple(rng.normal(0, 0.5, 2))), SIZE).matrix for i in range(60)]
    assert all(np.array_equal(crops[10], m) for m in crops[10:])


def test_walking_person_stays_near_the_middle():
    cropper = Cropper()
    for i in range(60):
        person = standing(i / 30, (3.0 * i - 90, 0))
        crop = cropper.follow(person, SIZE)
        middle = crop.to_canvas((person.point(Landmark.LEFT_SHOULDER) + person.point(Landmark.RIGHT_SHOULDER)) / 2)
        assert abs(middle[0] - CANVAS_W / 2) < 0.25 * CANVAS_W


def test_another_place_is_taken_at_once():
    cropper = Cropper()
    cropper.follow(standing(0.0), SIZE)
    person = standing(1 / 30, (200, 0))
    middle = cropper.follow(person, SIZE).to_canvas(person.landmarks[[11, 12], :2].mean(0))
    assert middle[0] == pytest.approx((CANVAS_W - 1) / 2, abs=0.5)


def test_turned_person_keeps_their_size():
    turned = standing(moved={Landmark.LEFT_SHOULDER: (340, 200), Landmark.RIGHT_SHOULDER: (300, 200)})
    assert shoulder_unit(turned.landmarks) > 0.85 * shoulder_unit(standing().landmarks)
