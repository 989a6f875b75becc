"""Between two fits: carry the last one along with the body, so that the garment sticks at display rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mirror.frames import Crop, Fit, Frame, TryOn
from mirror.motion import Tracker, chained, inverted

STILL_PX, STILL_TURN = 0.35, 0.004
"""Measured motion below this (camera pixels at the torso; radians, or relative growth) is taken for noise: the garment
then does not move at all."""


class Follower:
    """Measures how the torso moved since the fitted frame and moves the fit. Called from one thread."""

    def __init__(self) -> None:
        self._tracker: Tracker | None = None

    def carry(self, result: TryOn, frame: Frame) -> Fit:
        """The fit of `result`, moved to where the body is on `frame` (a newer frame of the same source).

        Only the crop changes: by a similarity estimated with RANSAC; where too little can be tracked, not at all.
        """
        fit = result.fit
        if fit is None:
            raise ValueError("nothing to carry: this result has no fit")
        if frame.index == result.frame.index:
            return fit
        if self._tracker is None or self._tracker.frame is not result.frame:
            self._tracker = Tracker(result.frame, fit)
        motion = self._tracker.motion_to(frame)
        if motion is None or _is_noise(motion, self._tracker.middle):
            return fit
        return replace(fit, crop=Crop(chained(inverted(motion), fit.crop.matrix)))


def _is_noise(motion: np.ndarray, middle: np.ndarray) -> bool:
    shift = motion[:, :2] @ middle + motion[:, 2] - middle
    return bool(np.hypot(*shift) < STILL_PX and np.abs(motion[:, :2] - np.eye(2)).max() < STILL_TURN)
