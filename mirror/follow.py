"""Between two fits: carry the last one along with the body, so that the garment sticks at display rate."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from mirror.frames import Crop, Fit, Frame, TryOn

LONG_SIDE_PX = 320
"""Motion is measured on a picture reduced to this: enough for a body's motion, a quarter of the time."""
MAX_POINTS = 80
MIN_POINTS = 8
STILL_PX = 0.35
"""Measured motion below this (camera pixels at the torso) is taken for noise: the garment then does not move at all."""


class Follower:
    """Measures how the torso moved since the fitted frame (Lucas-Kanade on corners of the torso) and moves the fit."""

    def __init__(self) -> None:
        self._of: tuple[int, float] | None = None  # index and capture time of the fitted frame
        self._gray: np.ndarray | None = None
        self._points: np.ndarray | None = None
        self._scale = 1.0

    def carry(self, result: TryOn, frame: Frame) -> Fit:
        """The fit of `result`, moved to where the body is on `frame` (a newer frame of the same source).

        Only the crop changes: by a similarity estimated with RANSAC; where too little can be tracked, not at all.
        """
        fit = result.fit
        if fit is None:
            raise ValueError("nothing to carry: this result has no fit")
        if frame.index == result.frame.index:
            return fit
        key = (result.frame.index, result.frame.t_capture)
        if key != self._of:
            self._start(result.frame, fit)
            self._of = key
        motion = self._motion(frame)
        if motion is None:
            return fit
        a = np.linalg.inv(motion[:, :2])
        back = np.hstack([a, -a @ motion[:, 2:]])  # new camera pixels -> those of the fitted frame
        m = fit.crop.matrix
        matrix = np.hstack([m[:, :2] @ back[:, :2], m[:, :2] @ back[:, 2:] + m[:, 2:]])
        return replace(fit, crop=Crop(matrix))

    def _start(self, frame: Frame, fit: Fit) -> None:
        self._gray, self._scale = _gray(frame.image)
        inverse = fit.crop.inverse.copy() * self._scale
        size = self._gray.shape[1], self._gray.shape[0]
        torso = cv2.warpAffine((fit.coverage > 0.5).astype(np.uint8), inverse, size, flags=cv2.INTER_NEAREST)
        torso = cv2.erode(torso, np.ones((5, 5), np.uint8))
        self._points = cv2.goodFeaturesToTrack(self._gray, MAX_POINTS, 0.01, 6, mask=torso, blockSize=5)

    def _motion(self, frame: Frame) -> np.ndarray | None:
        """float64 2x3 similarity in camera pixels, fitted frame -> this frame; None: keep the fit where it is."""
        if self._points is None or len(self._points) < MIN_POINTS or self._gray is None:
            return None
        gray, _ = _gray(frame.image)
        if gray.shape != self._gray.shape:
            return None
        moved, found, _ = cv2.calcOpticalFlowPyrLK(self._gray, gray, self._points, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]
        ok = found.ravel() == 1
        if ok.sum() < MIN_POINTS:
            return None
        before, after = self._points[ok, 0], moved[ok, 0]
        similarity, inliers = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=1.5)
        if similarity is None or inliers.sum() < MIN_POINTS:
            return None
        similarity[:, 2] /= self._scale
        middle = before.mean(0) / self._scale
        shift = similarity[:, :2] @ middle + similarity[:, 2] - middle
        turned = np.abs(similarity[:, :2] - np.eye(2)).max()
        if np.hypot(*shift) < STILL_PX and turned < 0.004:
            return None
        if not 0.8 < np.sqrt(np.linalg.det(similarity[:, :2])) < 1.25:
            return None
        return similarity


def _gray(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture in grey at tracking size, and its scale."""
    scale = min(1.0, LONG_SIDE_PX / max(image.shape[:2]))
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale
