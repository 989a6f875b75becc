"""Between two fits: carry the nearest one along with the body, so that the garment sticks at display rate."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, TryOn
from mirror.motion import Reduced, Tracker, chained, inverted, reduced

STILL_PX, STILL_TURN = 0.35, 0.004
"""Measured motion below this (camera pixels at the torso; radians, or relative growth) is taken for noise: the garment
then does not move at all."""

STALE_AFTER_S, STALE_FADE_S = 0.3, 0.2
"""Fits come ten times and more a second; an older one, on a machine that is overloaded, is late for the limbs."""
CHANGE_LEVELS = (12.0, 36.0)
"""Grey levels of change in the picture, with the torso's motion taken out, from which an old fit fades and is gone."""


class Follower:
    """Measures how the torso moved since the fitted frame and moves the fit. Called from one thread."""

    def __init__(self) -> None:
        self._tracker: Tracker | None = None

    def carry(self, result: TryOn, frame: Frame, tracker: Tracker | None = None) -> Fit:
        """The fit of `result`, moved to where the body is on `frame` (another frame of the same source).

        The crop changes by a similarity estimated with RANSAC; where too little can be tracked, not at all. A fit that
        is old fades where the picture changed since: an arm that left its sleeve, or came before the garment.
        tracker: of the result's frame and fit, where there is one already.
        """
        fit = result.fit
        if fit is None:
            raise ValueError("nothing to carry: this result has no fit")
        if frame.index == result.frame.index:
            return fit
        if tracker is not None:
            self._tracker = tracker
        elif self._tracker is None or self._tracker.frame is not result.frame:
            self._tracker = Tracker(result.frame, fit, reduced(result.frame.image))
        view = reduced(frame.image)
        motion = self._tracker.motion_to(view)
        if motion is None or _is_noise(motion, self._tracker.middle):
            motion = np.eye(2, 3)
        else:
            fit = replace(fit, crop=Crop(chained(inverted(motion), fit.crop.matrix)))
        stale = (frame.moment - result.frame.moment - STALE_AFTER_S) / STALE_FADE_S
        return fit if stale <= 0.0 else _without_changed(fit, self._tracker, view, motion, min(stale, 1.0))


def _without_changed(fit: Fit, tracker: Tracker, view: Reduced, motion: np.ndarray, strength: float) -> Fit:
    low, high = CHANGE_LEVELS
    changed = tracker.changed(view, motion)
    gone = np.clip((changed.astype(np.float32) - low) / (high - low), 0.0, 1.0) * np.float32(strength)
    to_canvas = fit.crop.matrix.copy()  # from the reduced picture
    to_canvas[:, 2] += to_canvas[:, :2] @ np.full(2, 0.5 / view.scale - 0.5)
    to_canvas[:, :2] /= view.scale
    kept = 1.0 - cv2.warpAffine(gone, to_canvas, (CANVAS_W, CANVAS_H))
    repair = fit.repair
    if repair is not None:
        repair = repair.copy()
        repair[..., 3] *= kept
    return replace(fit, coverage=fit.coverage * kept, repair=repair, relit=None)


def _is_noise(motion: np.ndarray, middle: np.ndarray) -> bool:
    shift = motion[:, :2] @ middle + motion[:, 2] - middle
    return bool(np.hypot(*shift) < STILL_PX and np.abs(motion[:, :2] - np.eye(2)).max() < STILL_TURN)
