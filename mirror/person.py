"""Who stands before the camera: MediaPipe's 33 pose landmarks and a person mask -> Person. Only this module knows
MediaPipe."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import cv2
import numpy as np

from mirror.frames import Frame, Landmark, Person
from mirror.smooth import OneEuro

LONG_SIDE_PX = 640
"""Larger pictures are reduced to this before MediaPipe sees them: its networks work on 256 x 256 anyway."""
MIN_VISIBILITY = 0.5
"""Both shoulders must be at least this visible, or nobody is there."""
SMOOTH_MIN_CUTOFF_HZ, SMOOTH_BETA = 1.0, 6.0
"""One-euro filter on landmarks, in shoulder widths a second: calm at rest, no lag at gesturing speed."""


class PersonFinder:
    """Finds the person on a frame, following the same one from frame to frame.

    MediaPipe Pose (full, 33 landmarks) with its segmentation. Where several people stand, its detector takes the most
    prominent one and tracks them until they leave. Slow to construct (about a second). Not thread-safe: construct and
    use it in one thread.
    """

    def __init__(self) -> None:
        with quiet_stderr():
            from mediapipe.python.solutions.pose import Pose  # not `import mediapipe`: that loads tasks and plotting

            self._pose = Pose(model_complexity=1, enable_segmentation=True, smooth_landmarks=True)
        self._smooth = OneEuro(SMOOTH_MIN_CUTOFF_HZ, SMOOTH_BETA)
        self._first = True

    def find(self, frame: Frame) -> Person | None:
        """The person on the frame, or None when nobody with both shoulders in sight stands there."""
        height, width = frame.image.shape[:2]
        scale = min(1.0, LONG_SIDE_PX / max(width, height))
        image = frame.image
        if scale < 1.0:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        with quiet_stderr() if self._first else contextlib.nullcontext():
            found = self._pose.process(rgb)
        self._first = False
        if found.pose_landmarks is None or found.segmentation_mask is None:
            self._smooth.reset()
            return None
        raw = np.array([(p.x, p.y, p.visibility) for p in found.pose_landmarks.landmark], np.float32)
        raw[:, 0] = raw[:, 0] * width - 0.5
        raw[:, 1] = raw[:, 1] * height - 0.5
        if raw[[Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER], 2].min() < MIN_VISIBILITY:
            self._smooth.reset()
            return None
        shoulders = raw[[Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER], :2]
        unit = max(float(np.linalg.norm(shoulders[0] - shoulders[1])), 8.0)
        landmarks = raw.copy()
        landmarks[:, :2] = self._smooth(raw[:, :2] / unit, frame.moment) * unit
        mask = found.segmentation_mask
        if mask.shape != (height, width):
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        return Person(np.clip(mask, 0.0, 1.0).astype(np.float32), landmarks, frame.t_capture, frame.moment)

    def close(self) -> None:
        """Release MediaPipe's graph."""
        self._pose.close()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep native libraries' start-up noise (absl, TFLite) off the terminal: they write to file descriptor 2."""
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all (a service without a terminal)
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
