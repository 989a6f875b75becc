"""What is behind the person, remembered from when it was seen.

A new garment is slimmer here and there than the old one, and bare arms are thinner than sleeves: there the room behind
must show. A network can only guess it. But a mirror hangs still, and what is behind somebody now was seen a moment ago,
when an arm was elsewhere or nobody stood there.
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Crop, Frame, Person

LONG_SIDE_PX = 320
"""The room is kept on a picture reduced to this: as fine as the network's canvas on a camera of 640 x 480."""
CLEAR = 0.05
"""Pixels with less of the person than this, and the pixels around them too, show the room."""
RIM_PX = 9
"""Side of the square around a pixel that must be clear: cameras and codecs bleed a garment's colour into what is beside
it, and the person's mask is right to a few pixels only."""
EVERY = 3
EMPTY_AFTER_S, STILL_LEVELS = 2.0, 10
"""So long nobody must have been found before the room counts as empty, and so little a pixel of it may change."""
OTHER_LEVELS, OTHER_SHARE = 25, 0.3
"""A camera that was moved: more than this share of the room that is seen differs by more than this many levels."""
FADE_PX = 3
"""Pixels of it over which what was never seen gives way to what was."""
NEAR_STEP, NEAR_PX, NEAR_SHARE = 4, 60, 0.25
"""What was never seen is drawn on from what is near on a picture reduced so many times, where in a window of so many
pixels of the room that share is known."""


class Backdrop:
    """Keeps the room. Called from one thread, frame after frame."""

    def __init__(self) -> None:
        self._room = np.zeros((0, 0, 3), np.uint8)
        self._known = np.zeros((0, 0), np.uint8)
        self._soft: np.ndarray | None = None
        self._since = EVERY
        self._empty_since: float | None = None
        self._before = self._room

    def see(self, frame: Frame, person: Person | None) -> None:
        """Take over what this frame shows of the room, all of it but for the person. Of EVERY frames one is looked at:
        nothing moves far in between, and it takes a millisecond."""
        self._since += 1
        if self._since < EVERY:
            return
        self._since = 0
        self._take_over(frame, person)
        self._soft = self._continued() if self._known.any() else None

    def behind(self, crop: Crop, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray] | None:
        """The room on the canvas: float32 256x192x3 BGR, 0..255, and float32 256x192, 0..1, where it is known, or
        beside what is known, and so surely of like colour; None: nowhere.

        size: (width, height) of the camera picture.
        """
        if self._soft is None:
            return None
        height, width = self._known.shape
        steps = np.array([width / size[0], height / size[1]])
        from_canvas = crop.inverse * steps[:, None]
        from_canvas[:, 2] += 0.5 * steps - 0.5
        soft = cv2.warpAffine(
            self._soft, from_canvas, (CANVAS_W, CANVAS_H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        known = cv2.multiply(cv2.extractChannel(soft, 3), 1.0 / 255.0, dtype=cv2.CV_32F)
        return cv2.cvtColor(soft, cv2.COLOR_BGRA2BGR).astype(np.float32), known

    def _continued(self) -> np.ndarray:
        """uint8 hxwx4: the room, what was never seen of it as what is near, and how far it may be told."""
        side = (2 * FADE_PX + 1, 2 * FADE_PX + 1)
        sure = cv2.multiply(
            cv2.blur(cv2.erode(self._known, np.ones(side, np.uint8)), side), 1.0 / 255, dtype=cv2.CV_32F
        )
        size = (max(sure.shape[1] // NEAR_STEP, 1), max(sure.shape[0] // NEAR_STEP, 1))
        room, known = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (self._room, sure))
        near = _drawn_on(room.astype(np.float32), known)
        told = np.minimum(cv2.blur(known, (NEAR_PX // NEAR_STEP, NEAR_PX // NEAR_STEP)) * (1.0 / NEAR_SHARE), 1.0)
        near, told = (cv2.resize(m, sure.shape[::-1], interpolation=cv2.INTER_LINEAR) for m in (near, told))
        room = cv2.blendLinear(self._room, near.astype(np.uint8), sure, 1.0 - sure)
        return cv2.merge([*cv2.split(room), (np.maximum(sure, told) * 255.0).astype(np.uint8)])

    def _take_over(self, frame: Frame, person: Person | None) -> None:
        scale = min(1.0, LONG_SIDE_PX / max(frame.size))
        size = (round(frame.size[0] * scale), round(frame.size[1] * scale))
        view = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
        if person is None:
            away = self._still(frame, view)
        else:
            self._empty_since = None
            away = cv2.compare(cv2.resize(person.mask, size, interpolation=cv2.INTER_AREA), CLEAR, cv2.CMP_LT)
        clear = cv2.erode(away, np.ones((RIM_PX, RIM_PX), np.uint8))
        if self._room.shape != view.shape:
            self._room, self._known = view.copy(), clear
            return
        both = cv2.bitwise_and(clear, self._known)
        self._follow_exposure(view, both)
        if self._is_elsewhere(view, both):
            self._known[:] = 0
        cv2.copyTo(view, clear, self._room)
        cv2.bitwise_or(self._known, clear, dst=self._known)

    def _still(self, frame: Frame, view: np.ndarray) -> np.ndarray:
        """uint8 hxw, 255 where nothing moves, once nobody was found for a while: somebody may only have turned away."""
        if self._empty_since is None:
            self._empty_since, self._before = frame.moment, view
        before, self._before = self._before, view
        if before.shape != view.shape or frame.moment - self._empty_since < EMPTY_AFTER_S:
            return np.zeros(view.shape[:2], np.uint8)
        return cv2.compare(cv2.cvtColor(cv2.absdiff(view, before), cv2.COLOR_BGR2GRAY), STILL_LEVELS, cv2.CMP_LE)

    def _is_elsewhere(self, view: np.ndarray, both: np.ndarray) -> bool:
        seen = cv2.countNonZero(both)
        if not seen:
            return False
        difference = cv2.cvtColor(cv2.absdiff(view, self._room), cv2.COLOR_BGR2GRAY)
        other = cv2.bitwise_and(cv2.compare(difference, OTHER_LEVELS, cv2.CMP_GT), both)
        return cv2.countNonZero(other) > OTHER_SHARE * seen

    def _follow_exposure(self, view: np.ndarray, both: np.ndarray) -> None:
        """Cameras brighten a picture when somebody dark comes into it: so the room that is hidden now, too."""
        if not cv2.countNonZero(both):
            return
        was, now = (np.array(cv2.mean(picture, both)[:3]) + 1.0 for picture in (self._room, view))
        gain = now / was
        if np.abs(gain - 1.0).max() > 1.0 / 255.0:
            self._room = cv2.multiply(self._room, (*gain.tolist(), 1.0))


def _drawn_on(colours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """float32 hxwx3: colours where their weight (float32 hxw, 0..1) is 1, and elsewhere what is near, from ever coarser
    means: pull and push (Gortler et al., The Lumigraph, SIGGRAPH 1996, section 3.4)."""
    height, width = weight.shape
    sums = colours * weight[..., None]
    if min(height, width) > 1 and weight.min() < 1.0:
        half = ((width + 1) // 2, (height + 1) // 2)
        total = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(sums, half, interpolation=cv2.INTER_AREA) / np.maximum(total, 1e-6)[..., None]
        coarse = _drawn_on(mean, np.minimum(total * 4.0, 1.0))
        coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        return sums + coarse * (1.0 - weight[..., None])
    return sums / np.maximum(weight, 1e-6)[..., None]
