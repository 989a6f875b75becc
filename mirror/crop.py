"""Where the canvas lies: a smoothed, person-centred 3:4 crop that never shakes when they stand still."""

from __future__ import annotations

import math

import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, EYES_SHARE, SHOULDER_SHARE, Crop, Landmark, Person
from mirror.smooth import OneEuro

TORSO_TO_SHOULDERS = 0.62
"""A shoulder width is taken as no less than this share of the torso's length, so that a turned person, whose shoulders
look narrow, does not grow on the canvas."""
MIN_EYES_TO_SHOULDERS = 0.4
"""The eyes count as at least this far above the shoulder line: a bowed head must not push the torso up the canvas."""
MIN_CUTOFF_HZ, BETA = 0.35, 4.0
"""One-euro filter on the crop, in picture heights (and log scale) a second."""
JUMP_SHARE = 0.6
"""A centre off by more than this share of a shoulder width is another place: no gliding there."""
DEAD_ZONE = 0.006
"""Changes smaller than this (picture heights, or relative scale) leave the crop exactly as it is."""


def shoulder_unit(landmarks: np.ndarray) -> float:
    """The body's size in pixels: its shoulder width (joint to joint) as if it faced the camera.

    landmarks: (33, >=2), any pixel coordinates.
    """
    left, right = landmarks[Landmark.LEFT_SHOULDER, :2], landmarks[Landmark.RIGHT_SHOULDER, :2]
    hips = (landmarks[Landmark.LEFT_HIP, :2] + landmarks[Landmark.RIGHT_HIP, :2]) / 2
    torso = float(np.linalg.norm((left + right) / 2 - hips))
    return max(float(np.linalg.norm(left - right)), TORSO_TO_SHOULDERS * torso, 8.0)


class Cropper:
    """Follows the person with a similarity (scale and shift, no roll) from camera to canvas."""

    def __init__(self) -> None:
        self._filter = OneEuro(MIN_CUTOFF_HZ, BETA)
        self._state: np.ndarray | None = None

    def reset(self) -> None:
        """The next crop is made afresh, without gliding from the last."""
        self._filter.reset()
        self._state = None

    def follow(self, person: Person, size: tuple[int, int]) -> Crop:
        """The crop for this person. size: (width, height) of the camera picture, pixels."""
        height = size[1]
        unit = shoulder_unit(person.landmarks)
        shoulders = (person.point(Landmark.LEFT_SHOULDER) + person.point(Landmark.RIGHT_SHOULDER)) / 2
        eyes = (person.point(Landmark.LEFT_EYE) + person.point(Landmark.RIGHT_EYE)) / 2
        eyes_y = min(float(eyes[1]), float(shoulders[1]) - MIN_EYES_TO_SHOULDERS * unit)
        wanted = np.array([shoulders[0] / height, eyes_y / height, math.log(unit)])
        if self._state is not None and np.abs(wanted - self._state)[:2].max() > JUMP_SHARE * unit / height:
            self.reset()
        smoothed = self._filter(wanted, person.moment)
        if self._state is None or np.abs(smoothed - self._state).max() > DEAD_ZONE:
            self._state = smoothed
        x, y, log_unit = self._state
        scale = SHOULDER_SHARE * CANVAS_W / math.exp(log_unit)
        shift_x = (CANVAS_W - 1) / 2 - scale * x * height
        shift_y = EYES_SHARE * CANVAS_H - scale * y * height
        return Crop(np.array([[scale, 0.0, shift_x], [0.0, scale, shift_y]]))
