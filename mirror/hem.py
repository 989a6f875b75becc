"""A garment hangs down to the hem of what it hides, where that is not much longer.

What lies under the old garment below the new one's hem no camera has seen: whatever is painted there looks invented.
Garments stretch, and from a picture of one that lies nobody knows how far down it will reach; so the new one is let
down, more towards its hem than at the chest, where prints are. There it also covers whatever is to be repaired: the
networks are least sure of its lower end, above all where the picture cuts it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mirror.body import draw_capsule
from mirror.crop import shoulder_unit
from mirror.frames import CANVAS_H, CANVAS_W, Fit, Frame, Landmark, Person
from mirror.garment import LANDMARKS, Garment

LONGER, SHORTER, OTHER = 0.42, 0.12, 0.62
"""Shares of the garment's length below the armpits: it is let down by LONGER and drawn up by SHORTER at most. Where the
old hem lies OTHER away, it is another kind of garment and the new one keeps its length."""
DOWN_S, UP_S = 0.8, 6.0
"""Times in which most of a difference is taken over, downwards and upwards: a hand before the hem lifts nothing."""
FORGET_AFTER_S = 2.0
CENTRAL = 0.7
"""Share of the hem's width, in the middle, that is asked for the old hem: beside it are arms and the body's sides."""
LEAST_COLUMNS, LEAST_PX = 8, 8.0
"""Canvas columns that must show it; garment-canvas pixels that the garment must be wide and long for this."""
OVER_PX, BEYOND_PX = 1.5, 8.0
"""Garment-canvas pixels that the hem lies below the old one; below the picture's end, where that cuts the old one."""
END_PX = 4.0
"""Canvas pixels from the picture's end within which it counts as cut by it."""
LOWER = 0.5
"""Share of the garment's length below the armpits, from the hem up, in which it covers what is to be repaired."""
SEAM_PX = 4.0
"""Garment-canvas pixels beside the hem's corners over which all this fades: sleeves may lie there."""
EVEN = 0.75
"""Share of its step on the chest, from canvas pixel to canvas pixel, that a flow keeps down to the hem and below it."""
ARM_R, HAND_R, FINGERS = 0.2, 0.28, 2.2
"""Around a forearm and a hand, shoulder widths, the hem is left as it is; how far fingers reach from the wrist, in its
distances to the knuckles."""
CLEAR, SOFT_PX, MOST = 0.9, (5, 5), 0.5
"""Share of a place that is clear of them from which an end there is the hem's; over which that fades, canvas pixels;
share of the garment's width that must have such an end for a line to be drawn through them."""
_STRIP = np.ones((9, 1), np.uint8)
"""What is worn in fewer rows one below the other is no old garment: at the picture's end a network sees such strips."""
_ARMS = (
    (Landmark.LEFT_ELBOW, Landmark.LEFT_WRIST, Landmark.LEFT_INDEX, Landmark.LEFT_PINKY),
    (Landmark.RIGHT_ELBOW, Landmark.RIGHT_WRIST, Landmark.RIGHT_INDEX, Landmark.RIGHT_PINKY),
)
_UNIT_X, _UNIT_Y = (CANVAS_W - 1) / 2.0, (CANVAS_H - 1) / 2.0


@dataclass(frozen=True)
class _Lay:
    """How a garment's torso lies on its canvas, pixels: rows of armpits and hem, columns of the hem's corners."""

    armpit: float
    hem: float
    left: float
    right: float

    @property
    def length(self) -> float:
        return self.hem - self.armpit


class Hem:
    """Keeps by how much the garment worn is let down. Called from one thread, fit after fit."""

    def __init__(self) -> None:
        self._garment: Garment | None = None
        self._lay = _Lay(0.0, 0.0, 0.0, 0.0)
        self._drop, self._moment = 0.0, 0.0

    def reset(self) -> None:
        """The next fit's old hem is taken as it is."""
        self._garment = None

    def hang(self, fit: Fit, garment: Garment, frame: Frame, person: Person) -> Fit:
        """The fit, let down to the old garment's hem where that is near.

        frame: the one that was fitted. person: on it; before their hands the hem is left as it is. A fit without a
        repair, which does not know of an old garment, is answered as it is.
        """
        if fit.repair is None:
            return fit
        if self._garment is not garment:
            self._lay = _lay_of(garment)
        lay = self._lay
        if min(lay.length, lay.right - lay.left) < LEAST_PX:
            return fit
        x, y = cv2.split(fit.flow)
        x, y = (x + 1.0) * np.float32(_UNIT_X), (y + 1.0) * np.float32(_UNIT_Y)
        inside = _inside(x, lay)
        y = _carried_down(fit.coverage, inside, y, lay)
        end = float(fit.crop.to_canvas(np.array(frame.size, np.float64))[1])
        self._drop = self._settled(_old_hem(fit, x, y, lay, end), garment, frame.moment)
        self._garment, self._moment = garment, frame.moment
        return _let_down(fit, garment, (x, y, inside), lay, self._drop, end, person)

    def _settled(self, seen: float | None, garment: Garment, moment: float) -> float:
        """By how much it is let down now, from how far below its hem the old one is seen."""
        elapsed = moment - self._moment
        known = self._garment is garment and 0.0 <= elapsed < FORGET_AFTER_S
        if seen is None:
            return self._drop if known else 0.0
        wanted = _allowed(seen, self._lay.length)
        if not known:
            return wanted
        time = DOWN_S if wanted > self._drop else UP_S
        return self._drop + (1.0 - math.exp(-elapsed / time)) * (wanted - self._drop)


def _lay_of(garment: Garment) -> _Lay:
    at = dict(zip(LANDMARKS, garment.canvas_landmarks.astype(np.float64), strict=True))
    left, right = at["hem_left"][0], at["hem_right"][0]
    third = (right - left) / 3.0
    columns = np.arange(CANVAS_W)
    middle = garment.canvas_front[:, (columns > left + third) & (columns < right - third)] > 0.5
    ends = CANVAS_H - middle[::-1].argmax(0)[middle.any(0)]
    hem = np.median(ends) if ends.size else (at["hem_left"][1] + at["hem_right"][1]) / 2.0
    return _Lay((at["armpit_left"][1] + at["armpit_right"][1]) / 2.0, float(hem), left, right)


def _carried_down(coverage: np.ndarray, inside: np.ndarray, y: np.ndarray, lay: _Lay) -> np.ndarray:
    """The flow's y with cloth no longer stretched towards the hem than by EVEN: near it and below, where a network need
    not tell, it hardly goes on, and a few rows of a hem filled a hand's breadth.

    y: float32 256x192, the flow's in garment-canvas pixels. inside: of `_inside`. coverage: float32 256x192, 0..1.
    """
    chest = lay.hem - LOWER * lay.length
    middle = slice(2, None, 4)  # of every fourth column
    above = y[:, middle]
    told = (above > lay.armpit) & (above < chest) & (inside[:, middle] == 1.0) & (coverage[:, middle] > 0.5)
    rows = np.flatnonzero(told.any(1))
    if rows.size < LEAST_PX:
        return y
    low = slice(int(rows[0]), CANVAS_H)
    step = EVEN * float(np.median(np.diff(above[low], axis=0)[told[low][1:]]))
    down = np.arange(CANVAS_H - low.start, dtype=np.float32)[:, None] * np.float32(step)
    below, torso = y[low], inside[low]
    other = cv2.bitwise_or(cv2.compare(below, chest, cv2.CMP_LE), cv2.compare(torso, 0.0, cv2.CMP_EQ))
    level = below - down
    cv2.copyTo(np.full_like(level, -CANVAS_H), other, level)
    even = np.maximum.accumulate(level, 0)
    even += down
    cv2.copyTo(below, other, even)
    out = y.copy()
    out[low] = cv2.blendLinear(even, below, torso, 1.0 - torso)
    return out


def _inside(x: np.ndarray, lay: _Lay) -> np.ndarray:
    """float32, like x (garment-canvas pixels): 1 between the hem's corners, 0 at SEAM_PX beside them and farther."""
    beside = cv2.absdiff(x, (lay.left + lay.right) / 2.0)
    share = cv2.multiply(cv2.subtract(beside, (lay.right - lay.left) / 2.0 + SEAM_PX), -1.0 / SEAM_PX)
    return cv2.min(cv2.max(share, 0.0), 1.0)


def _old_hem(fit: Fit, x: np.ndarray, y: np.ndarray, lay: _Lay, end: float) -> float | None:
    """Garment-canvas pixels from the garment's hem down to the old one's, or to where the new one is seen to end;
    None where too little is seen of either.

    x, y: float32 256x192, the flow in garment-canvas pixels. end: canvas row at which the picture ends.
    """
    assert fit.repair is not None
    middle, half = (lay.left + lay.right) / 2.0, CENTRAL * (lay.right - lay.left) / 2.0
    asked = cv2.inRange(x, middle - half, middle + half)
    asked &= cv2.inRange(y, lay.hem - LOWER * lay.length, lay.hem + 1.5 * OTHER * lay.length)
    worn = cv2.compare(cv2.max(cv2.extractChannel(fit.repair, 3), fit.coverage), 0.5, cv2.CMP_GT) & asked
    worn[max(int(end), 0) :] = 0
    worn = cv2.morphologyEx(worn, cv2.MORPH_OPEN, _STRIP)
    columns = np.flatnonzero(worn.any(0))
    if columns.size < LEAST_COLUMNS:
        return None
    ends = CANVAS_H - 1 - worn[::-1, columns].argmax(0)
    below = float(np.median(y[ends, columns])) - lay.hem
    if np.median(ends) > end - END_PX:
        return max(below + BEYOND_PX, 0.0)
    return below + OVER_PX


def _allowed(drop: float, length: float) -> float:
    """How far it is let down for an old hem so far below."""
    fade = np.clip((OTHER - abs(drop) / length) / (OTHER - LONGER), 0.0, 1.0)
    return float(np.clip(drop, -SHORTER * length, LONGER * length) * fade)


def _let_down(
    fit: Fit, garment: Garment, at: tuple[np.ndarray, ...], lay: _Lay, drop: float, end: float, person: Person
) -> Fit:
    """at: the flow in garment-canvas pixels, x and y, and `_inside` of it. drop: by so many of these the hem comes to
    lie lower. end: canvas row at which the picture ends."""
    assert fit.repair is not None
    x, y, inside = at
    # nothing above is below the armpits, or as far down as it covers
    deepest = y.max(1)
    first = int((deepest > lay.armpit).argmax())
    last = max(int((deepest > lay.hem - LOWER * lay.length).argmax()), first)
    low, lower = slice(first, CANVAS_H), slice(last, CANVAS_H)
    x, y, inside = x[low], y[low], inside[low]
    down = np.maximum((y - np.float32(lay.armpit)) / np.float32(lay.length + drop), 0.0)
    within = cv2.min(down, 1.0)  # most on the way there, so that a hem's ribbing stays as wide as it is
    lift = cv2.multiply(cv2.multiply(within, within), 2.0 - within) + (down - within)
    hung = cv2.subtract(y, cv2.multiply(lift, inside, scale=drop))
    flow, coverage = fit.flow.copy(), fit.coverage.copy()
    flow[low, :, 1] = hung * np.float32(1.0 / _UNIT_Y) - 1.0
    x, y, hung, inside = (values[last - first :] for values in (x, y, hung, inside))
    outline = cv2.remap(garment.canvas_front, x, hung, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    share = np.clip((y - np.float32(lay.hem)) * np.float32(2.0 / (LOWER * lay.length)) + 2.0, 0.0, 1.0) * inside
    above = np.maximum.accumulate(cv2.multiply(coverage[lower], share), 0)
    hanging = cv2.min(above, outline)
    covered = cv2.multiply(hanging, cv2.extractChannel(fit.repair[lower], 3))
    clear = 1.0 - _arms(fit, person)[lower]
    told = (inside > 0.5) & (clear > CLEAR)
    told[max(int(end - END_PX) - last, 0) :] = False
    covered = _with_one_end(coverage[lower], covered, hanging * clear, told)
    coverage[lower] = cv2.max(coverage[lower], covered)
    return replace(fit, flow=flow, coverage=coverage)


def _with_one_end(coverage: np.ndarray, covered: np.ndarray, hanging: np.ndarray, told: np.ndarray) -> np.ndarray:
    """What is covered beyond the coverage, itself down to one smooth line: where a generator sees trousers above the
    new hem, that had slits and steps, and pieces of it stood lower down. All float32 hxw, 0..1.

    hanging: where the garment would hang. told: bool, where an end is that of the hem. Where too little is told, it is
    answered without stray pieces.
    """
    seen = cv2.compare(cv2.max(coverage, covered), 0.5, cv2.CMP_GT)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(seen)
    if len(stats) < 2:
        return covered
    main = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    covered = covered * cv2.dilate(main.astype(np.uint8), np.ones((3, 3), np.uint8))
    ends = len(main) - 1 - main[::-1].argmax(0)
    asked = np.flatnonzero(main.any(0) & (ends < len(main) - 1))
    columns = asked[told[ends[asked] + 1, asked]]
    if columns.size < max(LEAST_COLUMNS, MOST * np.count_nonzero(main.any(0))):
        return covered
    return cv2.multiply(cv2.max(covered, hanging), _above_curve(columns, ends[columns], covered.shape))


def _above_curve(columns: np.ndarray, ends: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """float32 hxw, 0..1: what lies above the parabola through most of some ends, rows and columns of pixels."""
    # not beyond the columns it is drawn through: a parabola leaves them steeply
    at = np.clip(np.arange(shape[1]), columns[0], columns[-1]) / shape[1] - 0.5
    powers = np.stack([np.ones_like(at), at, at * at], 1)
    through = powers[columns]
    off = abs(through @ _least_squares(through, ends) - ends)
    near = off <= max(2.0 * float(np.median(off)), 2.0)
    curve = (powers @ _least_squares(through[near], ends[near])).astype(np.float32)
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    return (curve + np.float32(1.5) - rows).clip(0.0, 1.0)


def _least_squares(of: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(3,) of (N, 3) and (N,); a hundredth more on the diagonal, so that few columns give a line."""
    return np.linalg.solve(of.T @ of + 0.01 * np.eye(3), of.T @ values)


def _arms(fit: Fit, person: Person) -> np.ndarray:
    """float32 256x192, 0..1: where forearms and hands may be."""
    at = fit.crop.to_canvas(person.landmarks[:, :2].astype(np.float64))
    unit, out = shoulder_unit(at), np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    for elbow, wrist, index, pinky in _ARMS:
        tips = at[wrist] + FINGERS * ((at[index] + at[pinky]) / 2.0 - at[wrist])
        draw_capsule(out, at[wrist], at[elbow], ARM_R * unit)
        draw_capsule(out, at[wrist], tips, HAND_R * unit)
    return cv2.multiply(cv2.blur(out, SOFT_PX), 1.0 / 255.0, dtype=cv2.CV_32F)
