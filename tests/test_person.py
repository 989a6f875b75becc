"""MediaPipe behind its door."""

import numpy as np
import pytest

from mirror.errors import ModelError
from mirror.frames import Frame
from mirror.person import LANDMARKER, SHA256, OpenVinoPose, PersonFinder
from tests.bodies import standing


def test_nobody_on_an_empty_picture_of_any_size():
    finder = PersonFinder()
    for i, size in enumerate(((480, 640), (720, 1280))):
        assert finder.find(Frame(np.full((*size, 3), 120, np.uint8), i / 30, i)) is None
    finder.close()


class OneStill:
    """A runner that always reports the same person, jittering a little."""

    def __init__(self, person, jitter=0.0):
        self._person, self._rng, self._jitter = person, np.random.default_rng(0), jitter

    def find(self, picture):
        landmarks = self._person.landmarks.copy()
        landmarks[:, :2] *= picture.shape[1] / 640
        landmarks[:, :2] += self._rng.normal(0, self._jitter, (33, 2)) if self._jitter else 0
        return landmarks, self._person.mask[::4, ::4]

    def close(self):
        pass


def test_landmarks_and_mask_come_in_camera_pixels_of_any_size():
    finder = PersonFinder(OneStill(standing()))
    person = finder.find(Frame(np.zeros((960, 1280, 3), np.uint8), 0.0, 0))
    assert person is not None
    assert person.mask.shape == (960, 1280) and person.mask.dtype == np.float32
    assert np.abs(person.landmarks[11:13, :2] - standing().landmarks[11:13, :2] * 2).max() < 1.0


def test_jitter_at_rest_is_smoothed():
    finder = PersonFinder(OneStill(standing(), jitter=0.7))
    people = [finder.find(Frame(np.zeros((480, 640, 3), np.uint8), i / 30, i)) for i in range(60)]
    seen = [person.landmarks[11, 0] for person in people if person is not None]
    assert len(seen) == 60
    assert np.abs(np.diff(seen[20:])).mean() < 0.3


def test_hidden_shoulders_mean_nobody():
    person = standing()
    person.landmarks[11, 2] = 0.1
    assert PersonFinder(OneStill(person)).find(Frame(np.zeros((480, 640, 3), np.uint8), 0.0, 0)) is None


def test_a_changed_network_file_is_not_read(monkeypatch):
    monkeypatch.setitem(SHA256, LANDMARKER, "0" * 64)
    with pytest.raises(ModelError, match=r"mediapipe==0\.10\.21"):
        OpenVinoPose()
