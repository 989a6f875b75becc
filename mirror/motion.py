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
CHANGE_PX = 13
"""Side of the squares of the reduced picture over which a change is averaged."""
INLIER_PX = 1.5
MOST_GROWTH = 1.25


class Tracker:
    """Looks for the corners of one picture's torso in later ones."""

    def __init__(self, frame: Frame, fit: Fit) -> None:
        """The torso is where the garment of this frame's fit is seen."""
        self.frame, self.fit = frame, fit
        self.gray, self.scale = reduced(frame.image)
        inverse = fit.crop.inverse * self.scale
        size = self.gray.shape[1], self.gray.shape[0]
        torso = cv2.warpAffine((fit.coverage > 0.5).astype(np.uint8), inverse, size, flags=cv2.INTER_NEAREST)
        torso = cv2.erode(torso, np.ones((5, 5), np.uint8))
        self._points = cv2.goodFeaturesToTrack(self.gray, MAX_POINTS, 0.01, 6, mask=torso, blockSize=5)
        near = torso if self._points is None else self._points
        self.middle: np.ndarray = np.array(frame.size) / 2 if near is torso else self._points[:, 0].mean(0) / self.scale
        """Of the corners, camera pixels: where a similarity's shift is read."""

    def changed(self, frame: Frame, motion: np.ndarray) -> np.ndarray:
        """uint8, reduced size of this frame: grey levels by which it differs from the first picture moved by `motion`.

        Averaged over CHANGE_PX squares, less what differs everywhere: noise, and exposure.
        """
        gray, scale = reduced(frame.image)
        moved = motion.copy()
        moved[:, 2] = moved[:, 2] * scale + 0.5 * (scale - 1.0) * (1.0 - moved[:, :2].sum(1))
        size = (gray.shape[1], gray.shape[0])
        before = cv2.warpAffine(self.gray, moved, size, borderMode=cv2.BORDER_REPLICATE)
        difference = cv2.blur(cv2.absdiff(before, gray), (CHANGE_PX, CHANGE_PX))
        return cv2.subtract(difference, float(np.median(difference)))

    def motion_to(self, frame: Frame) -> np.ndarray | None:
        """float64 2x3 similarity in camera pixels, from the first picture to this one; None: it cannot be told."""
        if self._points is None or len(self._points) < MIN_POINTS:
            return None
        gray, _ = reduced(frame.image)
        if gray.shape != self.gray.shape:
            return None
        window = (WINDOW_PX, WINDOW_PX)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self.gray, gray, self._points, None, winSize=window, maxLevel=PYRAMID
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
        similarity[:, 2] /= self.scale
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
