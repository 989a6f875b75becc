"""Who stands before the camera: 33 pose landmarks and a person mask -> Person. Only this module knows MediaPipe.

MediaPipe's own pose networks are run by OpenVINO (a third of the time of MediaPipe's own runtime), with the arithmetic
around them in `pose.py`. Where that is not possible, MediaPipe's own graph does the same work.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mirror import pose
from mirror.errors import ModelError
from mirror.frames import Frame, Landmark, Person
from mirror.shrink import shrunk
from mirror.smooth import OneEuro

LONG_SIDE_PX = 640
"""Larger pictures are reduced to this before a network sees them: they work on 256 x 256 anyway."""
MASK_LONG_SIDE_PX = 320
"""Size at which the mask is kept; its network gives 256 x 256 for the whole body."""
MIN_VISIBILITY = 0.5
"""Both shoulders must be at least this visible, or nobody is there."""
SMOOTH_MIN_CUTOFF_HZ, SMOOTH_BETA = 0.2, 60.0
"""One-euro filter on landmarks, in picture heights a second: calm at rest, no lag at gesturing speed."""
DETECTOR = "pose_detection/pose_detection.tflite"
LANDMARKER = "pose_landmark/pose_landmark_full.tflite"
SHA256 = {
    DETECTOR: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    LANDMARKER: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
"""Of the files in MediaPipe 0.10.21, relative to its `modules` folder."""

Found = tuple[np.ndarray, np.ndarray]
"""Landmarks, float32 (33, 3) in pixels of the picture with visibility, and mask, float32 0..1 of any size that covers
the whole picture."""


class PoseRunner(Protocol):
    """Finds a pose on uint8 HxWx3 BGR pictures that follow each other; None where nobody is."""

    def find(self, picture: np.ndarray) -> Found | None: ...

    def close(self) -> None: ...


class PersonFinder:
    """Finds the person on a frame, following the same one from frame to frame.

    Where several people stand, the largest is taken and kept until they leave. Slow to construct (about a second). Not
    thread-safe: construct and use it in one thread.
    """

    def __init__(self, runner: PoseRunner | None = None, threads: int = 2) -> None:
        """runner: what finds poses; default OpenVINO, or MediaPipe itself where its networks can't be read."""
        self._runner = runner or _default_runner(threads)
        self._smooth = OneEuro(SMOOTH_MIN_CUTOFF_HZ, SMOOTH_BETA)

    def find(self, frame: Frame) -> Person | None:
        """The person on the frame, or None when nobody with both shoulders in sight stands there."""
        height, width = frame.image.shape[:2]
        picture = shrunk(frame.image, LONG_SIDE_PX)
        found = self._runner.find(picture)
        if found is None or found[0][[Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER], 2].min() < MIN_VISIBILITY:
            self._smooth.reset()
            return None
        landmarks, mask = found
        ratio = np.array([width / picture.shape[1], height / picture.shape[0]])
        points = (landmarks[:, :2] + 0.5) * ratio - 0.5
        points = self._smooth(points / height, frame.moment) * height
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        joined = np.hstack([points, landmarks[:, 2:]]).astype(np.float32)
        return Person(mask, joined, frame.t_capture, frame.moment)

    def close(self) -> None:
        """Release the networks."""
        self._runner.close()


def _default_runner(threads: int) -> PoseRunner:
    try:
        return OpenVinoPose(threads)
    except (ModelError, ImportError):
        return MediaPipePose()


class OpenVinoPose:
    """MediaPipe's detector and landmark networks in OpenVINO: the detector only where nobody is being followed."""

    def __init__(self, threads: int = 2) -> None:
        """Raises ModelError: MediaPipe is not installed, or its files are not those of 0.10.21."""
        from mirror.engine import compile_file

        self._detect = compile_file(_read_module(DETECTOR), threads)
        self._landmarks = compile_file(_read_module(LANDMARKER), threads)
        self._anchors = pose.anchor_centres()
        self._roi: pose.Roi | None = None
        self._mask: np.ndarray | None = None

    def find(self, picture: np.ndarray) -> Found | None:
        """See PoseRunner."""
        roi = self._roi or self._look_for_somebody(picture)
        if roi is None:
            return None
        view = cv2.cvtColor(pose.cut_out(picture, roi, pose.LANDMARK_PX), cv2.COLOR_BGR2RGB)
        raw, flag, mask_logits, heatmap, _ = self._landmarks(np.multiply(view[None], np.float32(1.0 / 255.0)))
        if float(flag.ravel()[0]) < pose.MIN_TRACKING:
            self._roi = self._mask = None
            return None
        points = pose.read_landmarks(raw.ravel(), heatmap[0])
        to_picture = roi.to_picture(pose.LANDMARK_PX)
        points[:, :2] = points[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        self._roi = pose.roi_of_alignment(points[33, :2], points[34, :2])
        mask = self._steady(_mask_on_picture(mask_logits[0, :, :, 0], to_picture, picture.shape))
        return points[: pose.LANDMARKS], mask

    def close(self) -> None:
        """Nothing but memory to release."""

    def _look_for_somebody(self, picture: np.ndarray) -> pose.Roi | None:
        whole = pose.whole_picture(picture.shape[1], picture.shape[0])
        view = cv2.cvtColor(pose.cut_out(picture, whole, pose.DETECTOR_PX), cv2.COLOR_BGR2RGB)
        boxes, scores = self._detect(view[None].astype(np.float32) * (2.0 / 255.0) - 1.0)
        people = pose.detected_rois(boxes[0], scores[0, :, 0], self._anchors, whole)
        return people[0] if people else None

    def _steady(self, mask: np.ndarray) -> np.ndarray:
        """Where the network is unsure, lean on the mask before: an edge that does not flicker."""
        if self._mask is not None and self._mask.shape == mask.shape:
            doubt = np.maximum(1.0 - 4.0 * np.abs(mask - 0.5), 0.0) * 0.7
            mask = mask + (self._mask - mask) * doubt
        self._mask = mask
        return mask


class MediaPipePose:
    """MediaPipe Pose (full, 33 landmarks) with its segmentation, by its own runtime: the reference."""

    def __init__(self) -> None:
        with quiet_stderr():
            from mediapipe.python.solutions.pose import Pose  # not `import mediapipe`: that loads tasks and plotting

            self._pose = Pose(model_complexity=1, enable_segmentation=True, smooth_landmarks=True)
        self._first = True

    def find(self, picture: np.ndarray) -> Found | None:
        """See PoseRunner."""
        height, width = picture.shape[:2]
        with quiet_stderr() if self._first else contextlib.nullcontext():
            found = self._pose.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        self._first = False
        if found.pose_landmarks is None or found.segmentation_mask is None:
            return None
        points = np.array([(p.x, p.y, p.visibility) for p in found.pose_landmarks.landmark], np.float32)
        points[:, :2] = points[:, :2] * (width, height) - 0.5
        return points, np.clip(found.segmentation_mask, 0.0, 1.0).astype(np.float32)

    def close(self) -> None:
        """Release MediaPipe's graph."""
        self._pose.close()


def _mask_on_picture(logits: np.ndarray, to_picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """float32 mask over the whole picture, at most MASK_LONG_SIDE_PX long, from the network's logits on its square."""
    scale = min(1.0, MASK_LONG_SIDE_PX / max(shape[:2]))
    size = (round(shape[1] * scale), round(shape[0] * scale))
    to_small = to_picture * scale
    to_small[:, 2] += (scale - 1.0) / 2
    probability = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
    return cv2.warpAffine(probability, to_small, size, flags=cv2.INTER_LINEAR)


def _read_module(name: str) -> bytes:
    """A network file of the installed MediaPipe, checked. MediaPipe itself is not imported. Raises ModelError."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("MediaPipe is not installed: pip install mediapipe==0.10.21.")
    path = Path(next(iter(spec.submodule_search_locations))) / "modules" / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}): pip install mediapipe==0.10.21.") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ModelError(f"{path} is not that of MediaPipe 0.10.21: pip install mediapipe==0.10.21.")
    return content


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
