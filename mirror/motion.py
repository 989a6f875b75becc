"""How the torso moved from one picture to another: the corners on it, tracked (Lucas-Kanade), and one similarity."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.frames import Fit, Frame

LONG_SIDE_PX = 320
"""Motion is measured on a picture reduced to this: enough for a body's motion, a quarter of the time."""
MAX_POINTS = 80
MIN_POINTS = 8
WINDOW_PX, PYRAMID = 15, 3
"""Of the tracker: finds a torso again that moved up to 60 pixels of the reduced picture."""
INLIER_PX = 1.5
MOST_GROWTH = 1.25


class Tracker:
    """Looks for the corners of one picture's torso in later ones."""

    def __init__(self, frame: Frame, fit: Fit) -> None:
        """The torso is where the garment of this frame's fit is seen."""
        self.frame, self.fit = frame, fit
        self._gray, self._scale = reduced(frame.image)
        inverse = fit.crop.inverse * self._scale
        size = self._gray.shape[1], self._gray.shape[0]
        torso = cv2.warpAffine((fit.coverage > 0.5).astype(np.uint8), inverse, size, flags=cv2.INTER_NEAREST)
        torso = cv2.erode(torso, np.ones((5, 5), np.uint8))
        self._points = cv2.goodFeaturesToTrack(self._gray, MAX_POINTS, 0.01, 6, mask=torso, blockSize=5)
        near = torso if self._points is None else self._points
        self.middle: np.ndarray = (
            np.array(frame.size) / 2 if near is torso else self._points[:, 0].mean(0) / self._scale
        )
        """Of the corners, camera pixels: where a similarity's shift is read."""

    def motion_to(self, frame: Frame) -> np.ndarray | None:
        """float64 2x3 similarity in camera pixels, from the first picture to this one; None: it cannot be told."""
        if self._points is None or len(self._points) < MIN_POINTS:
            return None
        gray, _ = reduced(frame.image)
        if gray.shape != self._gray.shape:
            return None
        window = (WINDOW_PX, WINDOW_PX)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self._gray, gray, self._points, None, winSize=window, maxLevel=PYRAMID
        )
        ok = found.ravel() == 1
        if ok.sum() < MIN_POINTS:
            return None
        before, after = self._points[ok, 0], moved[ok, 0]
        similarity, inliers = cv2.estimateAffinePartial2D(
            before, after, method=cv2.RANSAC, ransacReprojThreshold=INLIER_PX
        )
        if similarity is None or inliers.sum() < MIN_POINTS:
            return None
        growth = float(np.sqrt(np.linalg.det(similarity[:, :2])))
        if not 1.0 / MOST_GROWTH < growth < MOST_GROWTH:
            return None
        similarity[:, 2] /= self._scale
        return similarity


def reduced(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture in grey at tracking size, and its scale."""
    scale = min(1.0, LONG_SIDE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else image
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), scale


def chained(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """float64 2x3: one affine after the other."""
    return np.hstack([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2:] + then[:, 2:]])


def inverted(affine: np.ndarray) -> np.ndarray:
    """float64 2x3: the way back."""
    a = np.linalg.inv(affine[:, :2])
    return np.hstack([a, -a @ affine[:, 2:]])
