"""How the torso moved from one picture to another: the corners on it, tracked (Lucas-Kanade), and one similarity."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import Fit, Frame
from mirror.shrink import shrunk

LONG_SIDE_PX = 320
"""Motion is measured on a picture reduced to this: enough for a body's motion, a quarter of the time."""
MAX_POINTS = 80
MIN_POINTS = 8
WINDOW_PX, PYRAMID = 15, 3
"""Of the tracker: finds a torso again that moved up to 60 pixels of the reduced picture."""
CORNER_PX, CORNER_RIM_PX = 5, 4
"""Side of the square that makes a corner; how far beyond it a corner's measure looks."""
CHANGE_PX = 13
"""Side of the squares of the reduced picture over which a change is averaged."""
INLIER_PX = 1.5
MOST_GROWTH = 1.25


@dataclass(frozen=True)
class Reduced:
    """A picture as motion is measured on it. gray: uint8 hxw. scale: its pixels per camera pixel, at most 1."""

    gray: np.ndarray
    scale: float


class Tracker:
    """Looks for the corners of one picture's torso in later ones. Nothing changes in it: any thread may use it."""

    def __init__(self, frame: Frame, fit: Fit, view: Reduced) -> None:
        """The torso is where the garment of this frame's fit is seen. view: of this frame."""
        self.frame, self.fit, self.view = frame, fit, view
        inverse = fit.crop.inverse * view.scale
        size = view.gray.shape[1], view.gray.shape[0]
        torso = cv2.warpAffine(cv2.compare(fit.coverage, 0.5, cv2.CMP_GT), inverse, size, flags=cv2.INTER_NEAREST)
        points = self._points = _corners(view.gray, cv2.erode(torso, np.ones((5, 5), np.uint8)))
        self.middle: np.ndarray = np.array(frame.size) / 2 if points is None else points[:, 0].mean(0) / view.scale
        """Of the corners, camera pixels: where a similarity's shift is read."""

    def changed(self, view: Reduced, motion: np.ndarray) -> np.ndarray:
        """uint8, size of this view: grey levels by which it differs from the first picture moved by `motion`.

        Averaged over CHANGE_PX squares, less what differs everywhere: noise, and exposure.
        """
        gray, scale = view.gray, view.scale
        moved = motion.copy()
        moved[:, 2] = moved[:, 2] * scale + 0.5 * (scale - 1.0) * (1.0 - moved[:, :2].sum(1))
        size = (gray.shape[1], gray.shape[0])
        before = cv2.warpAffine(self.view.gray, moved, size, borderMode=cv2.BORDER_REPLICATE)
        difference = cv2.blur(cv2.absdiff(before, gray), (CHANGE_PX, CHANGE_PX))
        return cv2.subtract(difference, float(np.median(difference)))

    def motion_to(self, view: Reduced) -> np.ndarray | None:
        """float64 2x3 similarity in camera pixels, from the first picture to this one; None: it cannot be told."""
        if self._points is None or len(self._points) < MIN_POINTS or view.gray.shape != self.view.gray.shape:
            return None
        window = (WINDOW_PX, WINDOW_PX)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self.view.gray, view.gray, self._points, None, winSize=window, maxLevel=PYRAMID
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
        similarity[:, 2] /= self.view.scale
        return similarity


def _corners(gray: np.ndarray, torso: np.ndarray) -> np.ndarray | None:
    """float32 Nx1x2, or None: corners where the mask is not 0. Looked for only around it: half of the time."""
    x, y, width, height = cv2.boundingRect(torso)
    if not width:
        return None
    left, top = max(x - CORNER_RIM_PX, 0), max(y - CORNER_RIM_PX, 0)
    part = (slice(top, y + height + CORNER_RIM_PX), slice(left, x + width + CORNER_RIM_PX))
    points = cv2.goodFeaturesToTrack(gray[part], MAX_POINTS, 0.01, 6, mask=torso[part], blockSize=CORNER_PX)
    return None if points is None else points + np.array([left, top], np.float32)


def reduced(image: np.ndarray) -> Reduced:
    """The picture in grey at tracking size."""
    scale = min(1.0, LONG_SIDE_PX / max(image.shape[:2]))
    small = shrunk(image, LONG_SIDE_PX)
    return Reduced(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), scale)


def chained(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """float64 2x3: one affine after the other."""
    return np.hstack([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2:] + then[:, 2:]])


def inverted(affine: np.ndarray) -> np.ndarray:
    """float64 2x3: the way back."""
    a = np.linalg.inv(affine[:, :2])
    return np.hstack([a, -a @ affine[:, 2:]])
