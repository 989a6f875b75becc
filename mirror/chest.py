"""The chest as it looked before a hand came before it: what still looks the same there is no hand.

A lanyard's black is a palm's in shadow and a print's beige is nearly skin; but they were there before the hand was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from mirror.either import ramp
from mirror.maps import person_points, torso_frame

COLUMNS, ROWS = 40, 56
"""Cells of the chest, of 2 canvas pixels or so: from shoulder to shoulder, and from there to the hips."""
HAND_NEAR = 0.02
"""Weight of a hand's zone from which nothing is learnt of a cell."""
IN_BODY = 0.9
"""Of a person's mask, from which a cell is theirs."""
MOVED = 2
"""Cells by which a lanyard may have moved, or the shoulders been found elsewhere."""
SAME, OTHER = 16.0, 32.0
"""Levels of 255 up to which two colours are the same, and from which they are not."""
TAKE_OVER, SURER, DOUBT = 0.2, 0.15, 0.3
"""How much of a colour a look takes over that confirms it; by how much it makes a cell surer, and any other look less
sure: light changes, and people turn."""
SURE = (0.3, 0.6)
"""How sure a cell must be to count, and to count wholly."""
BUSY = (30.0, 60.0)
"""Levels between a cell and its neighbours up to which its colour is told to the pixel, and from which not at all."""
_BESIDE = np.ones((3, 3), np.uint8)


class Looked(NamedTuple):
    """What was known of a part of the canvas, float32 HxW each, 0..1, but for colours. same: how much it looks as
    before. itself: the same without what is but surrounded by it, as a lanyard's rims and fingers are. colours: HxWx3
    BGR, 0..255, how it looked. sure: how sure that is to the pixel."""

    same: np.ndarray
    itself: np.ndarray
    colours: np.ndarray
    sure: np.ndarray


@dataclass(frozen=True)
class Before:
    """What was known of the chest when a picture was looked at. All ROWS x COLUMNS: colours, uint8 x3 BGR, and how sure
    they are, float32, 0..1; of the picture the colours seen, and float32 whether it shows the body, 0 or 1. lay:
    float64 2x3, cell -> canvas pixel."""

    colours: np.ndarray
    sure: np.ndarray
    seen: np.ndarray
    body: np.ndarray
    lay: np.ndarray

    def on(self, part: tuple[slice, slice]) -> Looked | None:
        """On a part of the canvas; None where nothing is known."""
        lay = self.lay - np.array([[0.0, 0.0, part[1].start], [0.0, 0.0, part[0].start]])
        size = (part[1].stop - part[1].start, part[0].stop - part[0].start)
        same, sure, itself = (cv2.warpAffine(m, lay, size, flags=cv2.INTER_LINEAR) for m in self._same_and_sure)
        if not same.any():
            return None
        colours = cv2.warpAffine(self.colours.astype(np.float32), lay, size, flags=cv2.INTER_LINEAR)
        return Looked(same, itself, colours, sure)

    @cached_property
    def _same_and_sure(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """float32 ROWS x COLUMNS each."""
        wide = cv2.copyMakeBorder(self.colours, *(MOVED,) * 4, cv2.BORDER_REPLICATE)
        apart = np.full((ROWS, COLUMNS), 255, np.uint8)
        for down in range(0, 3 * MOVED, MOVED):
            for across in range(0, 3 * MOVED, MOVED):
                there = wide[down : down + ROWS, across : across + COLUMNS]
                apart = cv2.min(apart, _most(cv2.absdiff(self.seen, there)))
        sure = ramp(self.sure, SURE) * self.body
        # closed: what is mixed of a lanyard and what is beside it looks like neither
        itself = ramp(apart.astype(np.float32), (OTHER, SAME)) * sure
        same = cv2.morphologyEx(itself, cv2.MORPH_CLOSE, _BESIDE)
        busy = _most(cv2.morphologyEx(self.colours, cv2.MORPH_GRADIENT, _BESIDE)).astype(np.float32)
        return same * self.body, sure * ramp(busy, BUSY[::-1]), itself * self.body


class Chest:
    """Remembers the chest from fit to fit. Called from one thread."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Somebody else may come."""
        self._colours = np.zeros((ROWS, COLUMNS, 3), np.float32)
        self._sure = np.zeros((ROWS, COLUMNS), np.float32)

    def look(self, canvas: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, hands: np.ndarray) -> Before:
        """What was known before this picture, which is learnt from where no hand is near. 0.2 ms.

        canvas: uint8 256x192x3 BGR. mask: float32 256x192, 0..1. landmarks: float32 (1, 33, 2), canvas pixels. hands:
        float32 128x96, 0..1, where hands are near.
        """
        lay = _lay(landmarks)
        seen, body, near = (
            cv2.warpAffine(m, at, (COLUMNS, ROWS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            for m, at in ((canvas, lay), (mask, lay), (hands, lay * 0.5))
        )
        inside = body > IN_BODY
        before = Before(cv2.convertScaleAbs(self._colours), self._sure, seen, inside.astype(np.float32), lay)
        self._learn(seen.astype(np.float32), inside & (near < HAND_NEAR))
        return before

    def _learn(self, seen: np.ndarray, clear: np.ndarray) -> None:
        same = _most(cv2.absdiff(seen, self._colours)) < OTHER
        sure = self._sure + clear * np.where(same, np.float32(SURER), np.float32(-DOUBT))
        new = clear & (sure <= 0.0)
        share = np.where(new, np.float32(1.0), (clear & same) * np.float32(TAKE_OVER))
        self._colours = self._colours + share[..., None] * (seen - self._colours)
        self._sure = sure.clip(0.0, 1.0)


def _most(channels: np.ndarray) -> np.ndarray:
    """The largest of three channels, HxWx3 -> HxW."""
    a, b, c = cv2.split(channels)
    return cv2.max(cv2.max(a, b), c)


def _lay(landmarks: np.ndarray) -> np.ndarray:
    """float64 2x3: cell of the chest -> canvas pixel."""
    ax, ay, mid, _ = torso_frame(person_points(landmarks))
    across, down, middle = (np.array([float(v[k][0, 0, 0]) for k in (0, 1)]) for v in (ax, ay, mid))
    across, down = across / COLUMNS, down / ROWS
    return np.stack([across, down, middle - (COLUMNS - 1) / 2.0 * across + 0.5 * down], 1)
