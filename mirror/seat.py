"""Where on the shoulders a garment sits, told apart from all else in which two fits differ.

The networks lay a garment by pixels to one side when arms come down or are folded, and back again. As long as a fit was
mixed in place by place, the garment went along with a part of that, and it was late where shoulders rise and the cloth
below them, whose corners are tracked, does not. So its place is kept as a whole: where on the shoulders it sits is
learnt slowly, and where the shoulders are is followed fast.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Fit, Landmark
from mirror.motion import chained

SIT_S, BUSY_SIT_S = 0.45, 1.2
"""Time in which most of another seat is taken over, at rest and while arms move: these change it for a moment."""
BUSY_S = 0.5
"""How long arms count as moving after they did."""
FOLLOW_S, SLIGHT_PX, SLIGHT_SHARE = 0.04, 3.0, 0.15
"""Time in which most of what parts a garment from its seat is made good, where that is much more than so many canvas
pixels; of what is much less, being noise for the most part, hardly more than that share of it: followed faster, a
garment at rest shakes."""
STEP = 4
"""Canvas pixels between the points at which two fits are compared."""
BELOW, NEAR_PX = 0.3, 12.0
"""Share of the way from shoulders to hips at which the middle of the chest is looked for, at the first of the fits, and
how far around, canvas pixels."""
AROUND = (0.35, 0.3)
"""Units of the flow across and down: so far around the middle of the chest two fits are compared. Sleeves lie farther
out on every garment."""
SEEN, LEAST_POINTS = 0.7, 30
"""Coverage from which a point counts, and how many must."""
OTHER_PART = (0.125, 0.09)
"""Units of the flow by which two fits differ where they show different parts of a garment."""
LEAST_GROWTH = 2e-6
"""Square units of the flow to a square canvas pixel: a garment shown thirty times as large as it lies is no garment."""
_SHOULDERS, _HIPS = [[Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER], [Landmark.LEFT_HIP, Landmark.RIGHT_HIP]]
_FIRST = STEP // 2
_TO_POINTS = np.array([[1.0, 0.0, -_FIRST], [0.0, 1.0, -_FIRST]]) / STEP
_AT = np.stack(np.meshgrid(*(np.arange(_FIRST, side, STEP) for side in (CANVAS_W, CANVAS_H))), -1).reshape(-1, 2)
"""(N, 2): the points, canvas pixels."""


class Shift(NamedTuple):
    """by: (2,) canvas pixels by which the garment of the old fit is to be moved on. old, new: (2,), what is to be added
    to either flow, so that the garment of both lies there. collar, chest: how far down the garment they are, the flow's
    y."""

    by: np.ndarray
    old: np.ndarray
    new: np.ndarray
    collar: float
    chest: float


class _Apart(NamedTuple):
    """How the garment of two fits lies: at, was: of the points that count, canvas pixels and the old flow (N, 2 each).
    by: (2,), canvas pixels from the old garment to the new one. turn: 2x2, change of the flow by a canvas pixel."""

    at: np.ndarray
    was: np.ndarray
    by: np.ndarray
    turn: np.ndarray

    def place(self, spot: np.ndarray) -> np.ndarray:
        """(2,): where the old garment shows, or would show, a spot of the garment (2,), canvas pixels."""
        return _median(self.at + (spot - self.was) @ np.linalg.inv(self.turn).T)


class Seat:
    """Keeps where on the shoulders the garment sits. Called from one thread, fit after fit."""

    def __init__(self) -> None:
        self._chest: np.ndarray | None = None  # of the garment, flow: its middle
        self._collar = np.zeros(2)  # the same: what lay between the shoulders, where a body's size matters least
        self._sits: np.ndarray | None = None  # the collar, canvas pixels from the middle of the shoulders
        self._busy = 0.0

    def settle(
        self, old: Fit, new: Fit, moved: np.ndarray, joints: np.ndarray, limbs: float, elapsed: float
    ) -> Shift | None:
        """What brings both fits to the garment's seat; None where too little of the chest is seen.

        moved: 2x3, canvas of the old fit -> that of the new. joints: (33, 2) canvas pixels, of the new. limbs: 0..1,
        how much arms moved. elapsed: seconds between the two.
        """
        self._busy = max(limbs, self._busy * float(np.exp(-elapsed / BUSY_S)))
        middle = joints[_SHOULDERS].mean(0)
        down = BELOW * (joints[_HIPS].mean(0) - middle)
        if self._chest is None:
            self._chest = _chest(new, middle + down)
        apart = None if self._chest is None else _apart(old, new, moved, self._chest)
        if self._chest is None or apart is None:
            return None
        if self._sits is None:
            self._collar = self._chest - apart.turn @ down
        here = np.array([apart.place(self._chest)[0], apart.place(self._collar)[1]]) - middle
        self._sits = here if self._sits is None else moved[:, :2] @ self._sits
        time = SIT_S + self._busy * (BUSY_SIT_S - SIT_S)
        self._sits = self._sits + (1.0 - np.exp(-elapsed / time)) * (here + apart.by - self._sits)
        off = self._sits - here
        far_2, slight_2 = float(off @ off), SLIGHT_PX**2
        share = (far_2 + SLIGHT_SHARE * slight_2) / (far_2 + slight_2)
        shift = (1.0 - np.exp(-elapsed / FOLLOW_S)) * share * off
        to_new = apart.turn @ (apart.by - shift)
        return Shift(shift, -apart.turn @ shift, to_new, float(self._collar[1]), float(self._chest[1]))


def _chest(fit: Fit, place: np.ndarray) -> np.ndarray | None:
    """Flow (2,) of the middle of the chest, which is that of the canvas, as high as this place (2,), canvas pixels, has
    it; None where it is not seen."""
    flow, shown = (maps.reshape(-1, *maps.shape[2:]) for maps in _at_points(fit))
    near = (np.abs(_AT - place) < (2.0 * NEAR_PX, NEAR_PX)).all(1) & (shown > SEEN) & (np.abs(flow[:, 0]) < AROUND[0])
    return np.array([0.0, _median(flow[near])[1]]) if near.sum() >= LEAST_POINTS else None


def _apart(old: Fit, new: Fit, moved: np.ndarray, chest: np.ndarray) -> _Apart | None:
    """By the points of the chest that both show. moved: as of `Seat.settle`. chest: flow (2,) of its middle."""
    to_points, size = chained(moved, _TO_POINTS), (CANVAS_W // STEP, CANVAS_H // STEP)
    was = cv2.warpAffine(old.flow, to_points, size, borderMode=cv2.BORDER_REPLICATE)
    was_shown = cv2.warpAffine(old.coverage, to_points, size)
    now, now_shown = _at_points(new)
    change = cv2.subtract(now, was)
    counts = _around(now, (chest[0], chest[1]), AROUND) & _around(change, (0.0, 0.0), OTHER_PART)
    points = np.flatnonzero(counts & cv2.compare(cv2.min(was_shown, now_shown), SEEN, cv2.CMP_GT))
    if len(points) < LEAST_POINTS:
        return None
    at, was, change = _AT[points], was.reshape(-1, 2)[points], change.reshape(-1, 2)[points]
    from_middle = at - at.mean(0)
    spread = from_middle.T @ from_middle
    if np.linalg.det(spread) < 1.0:
        return None
    turn = np.linalg.solve(spread, from_middle.T @ was).T
    if np.linalg.det(turn) < LEAST_GROWTH:
        return None
    return _Apart(at, was, -np.linalg.inv(turn) @ _median(change), turn)


def _at_points(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Its flow and coverage there."""
    flow, coverage = (maps[_FIRST::STEP, _FIRST::STEP] for maps in (fit.flow, fit.coverage))
    return np.ascontiguousarray(flow), np.ascontiguousarray(coverage)


def _around(flow: np.ndarray, middle: tuple[float, float], reach: tuple[float, float]) -> np.ndarray:
    """uint8 hxw, 255 where a flow is that of the middle or so, else 0."""
    (x, y), (across, down) = middle, reach
    return cv2.inRange(flow, (x - across, y - down), (x + across, y + down))


def _median(rows: np.ndarray) -> np.ndarray:
    """float64 (2,) of (N, 2); of an even number the upper of the two in the middle."""
    half = len(rows) // 2
    return np.array([np.partition(column, half)[half] for column in rows.T], np.float64)
