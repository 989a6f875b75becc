"""The values that cross walls: Frame, Person, Crop, Fit, TryOn. This module knows no other of the project.

Conventions, everywhere in `mirror/`:

* Pictures are uint8, height x width x 3, BGR, full range, in the camera's own orientation (not mirrored).
* A point is (x, y) in pixels, the centre of the top left pixel being (0, 0), as OpenCV has it.
* Left and right are as the viewer of the picture sees them, except in MediaPipe's landmark names, where left is
  the person's own.
* Time is `time.monotonic()` in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

CANVAS_H, CANVAS_W = 256, 192
"""The network canvas, pixels. A coarser map of it (128 x 96, say) is pixel-area aligned: its pixel (0, 0) covers
canvas pixels 0 and 1 both ways, so its centre lies at canvas point (0.5, 0.5)."""

SHOULDER_SHARE = 0.40
"""Shoulder width of the person on the canvas, as a share of the canvas width."""
EYES_SHARE = 0.19
"""Where the eyes lie on the canvas, as a share of its height from the top."""


class Landmark(IntEnum):
    """The rows of `Person.landmarks` (MediaPipe Pose, 33 landmarks) that the project uses."""

    NOSE = 0
    LEFT_EYE = 2
    RIGHT_EYE = 5
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17
    RIGHT_PINKY = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24


@dataclass(frozen=True)
class Frame:
    """One picture of the camera.

    image: uint8 HxWx3 BGR; owned by the frame, nobody writes into it.
    t_capture: monotonic seconds at which the camera handed it over.
    index: counts the pictures of this source from 0; gaps are pictures dropped.
    t_scene: playing time in seconds where a file is shown picture by picture, at whatever speed that goes; None where
        pictures come at their own pace. What moves is judged by `moment`, what is late by `t_capture`.
    """

    image: np.ndarray
    t_capture: float
    index: int
    t_scene: float | None = None

    @property
    def moment(self) -> float:
        """When the scene looked like this, seconds: the time that filters and speeds are reckoned with."""
        return self.t_capture if self.t_scene is None else self.t_scene

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True)
class Person:
    """The person found on one frame.

    mask: float32 HxW of the camera picture, 0..1, 1 where the person is.
    landmarks: float32 (33, 3): x, y in camera pixels (may lie outside the picture), visibility 0..1.
    t_capture, moment: of the frame they were found on.
    """

    mask: np.ndarray
    landmarks: np.ndarray
    t_capture: float
    moment: float

    def point(self, which: Landmark) -> np.ndarray:
        """float32 (2,): x, y in camera pixels."""
        return self.landmarks[which, :2]

    def seen(self, which: Landmark) -> float:
        """Visibility of a landmark, 0..1."""
        return float(self.landmarks[which, 2])


@dataclass(frozen=True)
class Crop:
    """Where the canvas lies on the camera picture.

    matrix: float64 2x3, from camera pixels to canvas pixels (256 x 192), a similarity: scale and shift, no roll.
    """

    matrix: np.ndarray

    @property
    def inverse(self) -> np.ndarray:
        """float64 2x3, from canvas pixels to camera pixels."""
        a = self.matrix[:, :2]
        inv = np.linalg.inv(a)
        return np.hstack([inv, -inv @ self.matrix[:, 2:]])

    @property
    def scale(self) -> float:
        """Camera pixels per canvas pixel."""
        return float(1.0 / np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def to_canvas(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in camera pixels -> canvas pixels."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]


@dataclass(frozen=True)
class Bare:
    """Skin that a repair bares. It lies before all else that the repair paints, and its edge is that of an arm.

    colour: float32 BGR 0..255, hxwx3 over the whole canvas, of any size: skin is smooth.
    share: float32 256x192, 0..1, where it is seen.
    """

    colour: np.ndarray
    share: np.ndarray


RELIT_ONE = 128
"""The gain of 1 of `Relit`, so that gains up to 1.99 fit in 8 bits."""


@dataclass(frozen=True)
class Relit:
    """A change of light on a part of the camera picture: on hands, where the old garment's colour and shadow go.

    gain: uint8 hxwx3 BGR, RELIT_ONE leaves the picture as it is; that is so along the rim. left, top: where it lies on
    the canvas, pixels.
    """

    gain: np.ndarray
    left: int
    top: int


@dataclass(frozen=True)
class Fit:
    """What try-on means for one frame and one garment; all maps lie on the 256 x 192 canvas.

    flow: float32 256x192x2: for every canvas pixel, where on the garment canvas (256 x 192) it comes from; x, y in
        [-1, 1] with align_corners=True: -1 is the centre of the first pixel, 1 that of the last.
    coverage: float32 256x192, 0..1, where the garment is seen.
    shading: float32 256x192, gain on the garment's colours (1 leaves them).
    repair: float32 256x192x4 or None: BGR 0..255 and alpha 0..1, painted over the camera picture under the garment.
    crop: where the canvas lies on the camera picture of that frame.
    t_capture: of the frame that was fitted.
    bare: the skin among what is painted, where there is any and it is known apart from what lies behind.
    relit: another light for some of the camera picture, before anything is painted over it.
    """

    flow: np.ndarray
    coverage: np.ndarray
    shading: np.ndarray
    repair: np.ndarray | None
    crop: Crop
    t_capture: float
    bare: Bare | None = None
    relit: Relit | None = None


@dataclass(frozen=True)
class TryOn:
    """What the try-on worker hands to the window: a fit and what it was made from.

    frame: the frame that was fitted. person: None when nobody stands there; then fit is None too.
    garment: slug of the garment of the fit.
    """

    frame: Frame
    person: Person | None
    fit: Fit | None
    garment: str


def flow_from_pixels(pixels: np.ndarray) -> np.ndarray:
    """Garment-canvas pixels (..., 2) -> flow coordinates in [-1, 1], align_corners=True (float32)."""
    return (pixels * (2.0 / np.array([CANVAS_W - 1, CANVAS_H - 1])) - 1.0).astype(np.float32)


def flow_to_pixels(flow: np.ndarray) -> np.ndarray:
    """Flow coordinates in [-1, 1] (..., 2) -> garment-canvas pixels (float32). Inverse of `flow_from_pixels`."""
    return ((flow + 1.0) * (0.5 * np.array([CANVAS_W - 1, CANVAS_H - 1]))).astype(np.float32)
