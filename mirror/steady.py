"""From fit to fit: what was shown is carried along with the torso, and a new fit moves it only as far as the body says.

Two networks that look at two pictures never give quite the same garment: left alone, it jumps by pixels at every new
fit, on a person who stands still. The torso's own motion is known far better, from its tracked corners. So the last
maps are moved with the torso, and the new ones are mixed in: little where the body, seen from its torso, did not move,
wholly where a limb did. A garment then comes in without a jump and no arm is late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Bare, Fit, Frame, Landmark, TryOn
from mirror.motion import Reduced, Tracker, chained, inverted, reduced
from mirror.seat import Seat, Shift

REST_S = 0.65
"""Time in which most of a difference is taken over where nothing moves: longer is stiller, and slower to settle. With
0.5 the garment wandered farther from its place on two clips of three: 8.3 and 5.4 px p95, with this 7.7 and 4.6; on the
third both wander 3.6."""
CALM_PX, MOVED_PX = 2.0, 7.0
"""Motion of a joint against the torso, in canvas pixels since it was last taken over: noise below, a movement above."""
LIGHT_S = 0.6
"""The same for the light on the garment, which changes with the room."""
AREA_PX, SAME_AREA, OTHER_AREA = 9, 0.15, 0.45
"""Where coverage or repair changed by so much over squares of so many canvas pixels, a hand came or went."""
APART_PX = 12.0
"""Garment-canvas pixels by which two fits differ where one shows the sleeve and the other the chest: between them lies
nothing, and the new one is taken as it is, a canvas pixel around it too."""
FORGET_AFTER_S = 1.0
"""An older fit is no guide to this one."""
MOST_TURN_PX = 30.0
"""Torso joints that are off by more are another person's, or a picture cut from elsewhere."""
GRID = 8
"""Canvas pixels between points at which the share of the new fit is worked out."""
REACH_PX = 10.0
"""Canvas pixels around a limb that move with it."""
_TORSO = (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, Landmark.LEFT_HIP, Landmark.RIGHT_HIP)
_ARMS = [Landmark.LEFT_ELBOW, Landmark.RIGHT_ELBOW, Landmark.LEFT_WRIST, Landmark.RIGHT_WRIST]
_BONES = (
    (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER), (Landmark.LEFT_HIP, Landmark.RIGHT_HIP),
    (Landmark.LEFT_SHOULDER, Landmark.LEFT_HIP), (Landmark.RIGHT_SHOULDER, Landmark.RIGHT_HIP),
    (Landmark.LEFT_SHOULDER, Landmark.RIGHT_HIP), (Landmark.RIGHT_SHOULDER, Landmark.LEFT_HIP),
    (Landmark.LEFT_SHOULDER, Landmark.LEFT_ELBOW), (Landmark.RIGHT_SHOULDER, Landmark.RIGHT_ELBOW),
    (Landmark.LEFT_ELBOW, Landmark.LEFT_WRIST), (Landmark.RIGHT_ELBOW, Landmark.RIGHT_WRIST),
    (Landmark.LEFT_WRIST, Landmark.LEFT_INDEX), (Landmark.RIGHT_WRIST, Landmark.RIGHT_INDEX),
)  # fmt: skip
_FOREARMS = ((Landmark.LEFT_ELBOW, Landmark.LEFT_WRIST), (Landmark.RIGHT_ELBOW, Landmark.RIGHT_WRIST))
_HANDS = (
    (Landmark.LEFT_WRIST, Landmark.LEFT_INDEX, Landmark.LEFT_PINKY),
    (Landmark.RIGHT_WRIST, Landmark.RIGHT_INDEX, Landmark.RIGHT_PINKY),
)
HAND_PX, HAND_FADE_PX = 34.0, 12.0
"""So near to the middle of a hand, canvas pixels, nothing is shown of an earlier fit, and over which that fades: where
fingers run, this picture alone tells, and the tone of a forearm bared beside them. Mixed with the last ones, hands that
moved slowly were mittens with old cloth around them."""
ARM_PX, ARM_FADE_PX, ARM_FROM, ARM_CALM_PX, ARM_MOVED_PX = 28.0, 10.0, 0.4, 1.5, 4.0
"""The same around a forearm, from that share of it on, either end of which moved so far, canvas pixels: of one in
motion an older fit shows where it was, as wisps beside it and a gap before the hand."""
SIDES, BELOW, ABOVE = (0.3, 0.5), (0.5, 0.9), 0.15
"""Where a garment is laid on its seat: on its chest, up to so far across and below the middle of it, and not at all, in
units of the flow; wholly from ABOVE over its middle down, less above that, and not from ABOVE over its collar on. At
its edges the networks tell what is covered and what is painted over. Offline the lag was 6.9, 7.1 and 3.0 px p95 on
three clips where nothing of the collar went along, with this 3.7, 4.1 and 3.2."""
_ALONG = np.linspace(0.0, 1.0, 4)
"""Places along a bone at which it is looked at."""


def _along_bones() -> np.ndarray:
    """float64 (48, 33): from what joints have to what these places have, between the ends of their bones."""
    weights = np.zeros((len(_ALONG), len(_BONES), 33))
    for bone, (begins, ends) in enumerate(_BONES):
        weights[:, bone, begins], weights[:, bone, ends] = 1.0 - _ALONG, _ALONG
    return weights.reshape(-1, 33)


_ALONG_BONES = _along_bones()


class _Look(NamedTuple):
    """A frame as motion is measured on it, and the torso's motion to it: as `Tracker.motion_to` has it."""

    frame: Frame
    view: Reduced
    motion: np.ndarray | None


class Steadier:
    """Keeps the maps shown last, and what joints they were made for. Called from one thread, fit after fit."""

    def __init__(self) -> None:
        self.tracker: Tracker | None = None
        """Of the frame and the fit steadied last."""
        self._looked: _Look | None = None
        self._seat = Seat()
        self._garment = ""
        self._moment = 0.0
        self._joints = np.zeros((0, 2))  # canvas pixels of the last fit's crop, as taken over so far

    def reset(self) -> None:
        """The next fit is taken as it is."""
        self.tracker = self._looked = None

    def look(self, frame: Frame) -> None:
        """How the torso moved since the fit steadied last: to be asked while networks make this frame's fit."""
        view = reduced(frame.image)
        self._looked = _Look(frame, view, None if self.tracker is None else self.tracker.motion_to(view))

    def steady(self, result: TryOn) -> Fit:
        """The fit of this result as it is to be shown. Another garment, or one after a while, is taken as it is."""
        fit, person = result.fit, result.person
        if fit is None or person is None:
            raise ValueError("nothing to steady: this result has no fit")
        joints = fit.crop.to_canvas(person.landmarks[:, :2].astype(np.float64))
        if self._looked is None or self._looked.frame is not result.frame:
            self.look(result.frame)
        assert self._looked is not None
        before, view, motion = self.tracker, self._looked.view, self._looked.motion
        elapsed = person.moment - self._moment
        known = before is not None and self._garment == result.garment and 0.0 < elapsed < FORGET_AFTER_S
        known = known and (before is None or (before.fit.repair is None) == (fit.repair is None))
        if known and before is not None:
            camera = np.eye(2, 3) if motion is None else motion
            moved = chained(chained(before.fit.crop.inverse, camera), fit.crop.matrix)  # old canvas -> new canvas
            kept = self._joints @ moved[:, :2].T + moved[:, 2]
            if np.linalg.norm(joints[list(_TORSO)] - kept[list(_TORSO)], axis=1).min() < MOST_TURN_PX:
                fit, joints = _mixed(before.fit, fit, moved, kept, joints, elapsed, self._seat)
            else:
                known = False
        if not known:
            self._seat = Seat()
        self.tracker = Tracker(result.frame, fit, view)
        self._garment, self._moment, self._joints = result.garment, person.moment, joints
        return fit


def _mixed(
    old: Fit, new: Fit, moved: np.ndarray, kept: np.ndarray, joints: np.ndarray, elapsed: float, seat: Seat
) -> tuple[Fit, np.ndarray]:
    """The old maps, moved, with the new ones' share mixed in; and the joints that stand for the mixture."""
    rest = 1.0 - float(np.exp(-elapsed / REST_S))
    off = np.linalg.norm(joints - kept, axis=1)
    shift = seat.settle(old, new, moved, joints, _motion(off)[_ARMS].max(), elapsed)
    if shift is not None:
        kept = kept + shift.by
        off = np.linalg.norm(joints - kept, axis=1)
    share = rest + (1.0 - rest) * _motion(off)
    weight = cv2.max(_share_map(share, kept, joints), _moved_arms(joints, off))

    def carried(maps: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(maps, moved, (CANVAS_W, CANVAS_H), borderMode=cv2.BORDER_REPLICATE)

    # plane by plane: steps on maps of four channels are twice as slow, and their weights would have to be repeated
    *before, shown, light = cv2.split(carried(cv2.merge([*cv2.split(old.flow), old.coverage, old.shading])))
    after = cv2.split(new.flow)
    if shift is not None:
        inside = _on_chest(after[0], after[1], shift)
        before = [cv2.scaleAdd(inside, float(by), was) for by, was in zip(shift.old, before, strict=True)]
        inside = cv2.multiply(inside, cv2.subtract(1.0, weight), scale=1.0 / (1.0 - rest))  # what moved is where it is
        after = [cv2.scaleAdd(inside, float(by), now) for by, now in zip(shift.new, after, strict=True)]
    change = _area(cv2.subtract(new.coverage, shown))
    past = None if old.repair is None else carried(old.repair)
    if past is not None and new.repair is not None:
        change = cv2.max(change, _area(cv2.subtract(cv2.extractChannel(new.repair, 3), cv2.extractChannel(past, 3))))
    unseen = cv2.max(cv2.subtract(1.0, shown), _apart(before, after))  # what was not shown has no place to keep
    flow_weight = cv2.max(weight, unseen)
    cover_weight = cv2.max(weight, _smooth_step((change - SAME_AREA) / (OTHER_AREA - SAME_AREA)))
    at_hands = cv2.max(cover_weight, _hands_map(joints))
    dimmed = float(np.exp(-elapsed / LIGHT_S))
    repair, bare = None, new.bare
    if past is not None and new.repair is not None:
        repair = _blended(past, new.repair, at_hands)
    if old.bare is not None and new.bare is not None:
        size = new.bare.colour.shape[1::-1]
        weight = cv2.resize(at_hands, size, interpolation=cv2.INTER_AREA)
        bare = Bare(
            _blended(_carried_colour(old.bare.colour, moved), new.bare.colour, weight),
            _between(carried(old.bare.share), new.bare.share, at_hands),
        )
    fit = replace(
        new,
        flow=cv2.merge([_between(was, now, flow_weight) for was, now in zip(before, after, strict=True)]),
        coverage=_between(shown, new.coverage, at_hands),
        shading=cv2.addWeighted(light, dimmed, new.shading, 1.0 - dimmed, 0.0),
        repair=repair,
        bare=bare,
    )
    return fit, kept + share[:, None] * (joints - kept)


def _on_chest(across: np.ndarray, down: np.ndarray, shift: Shift) -> np.ndarray:
    """float32 256x192, 0..1: where the garment's chest is seen. across, down: float32 256x192, the flow."""
    reach = max(shift.chest - shift.collar, 0.05)
    weight = ((down - np.float32(shift.collar - ABOVE)) * np.float32(1.0 / reach)).clip(0.0, 1.0)
    for values, (full, none) in ((abs(across), SIDES), (down - np.float32(shift.chest), BELOW)):
        weight *= ((none - values) * np.float32(1.0 / (none - full))).clip(0.0, 1.0)
    return weight


def _motion(off: np.ndarray) -> np.ndarray:
    """0..1: how much each joint moved since it was taken over. off: how far, canvas pixels."""
    return _smooth_step((off - CALM_PX) / (MOVED_PX - CALM_PX))


def _carried_colour(colour: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """A picture of the canvas at another size (float32 hxwx3), moved by a 2x3 affine of canvas pixels."""
    across, down = CANVAS_W / colour.shape[1], CANVAS_H / colour.shape[0]
    to_canvas = np.array([[across, 0.0, across / 2 - 0.5], [0.0, down, down / 2 - 0.5]])
    matrix = chained(chained(to_canvas, moved), inverted(to_canvas))
    return cv2.warpAffine(colour, matrix, colour.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def _between(before: np.ndarray, after: np.ndarray, share: np.ndarray) -> np.ndarray:
    """From one map (float32) to another by a share, 0..1, of the same shape."""
    return cv2.add(before, cv2.multiply(share, cv2.subtract(after, before)))


def _blended(before: np.ndarray, after: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The same of maps of several channels (float32 HxWxC), by a share of each pixel (float32 HxW)."""
    return cv2.blendLinear(before, after, cv2.subtract(1.0, share), share)


def _apart(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> np.ndarray:
    """float32 256x192: 1 where two flows (x and y apart) show different parts of a garment."""
    across, down = (
        cv2.compare(cv2.absdiff(was, now), 2.0 * APART_PX / (side - 1), cv2.CMP_GT)
        for was, now, side in zip(before, after, (CANVAS_W, CANVAS_H), strict=True)
    )
    far = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    return cv2.multiply(far, 1.0 / 255.0, dtype=cv2.CV_32F)


def _area(difference: np.ndarray) -> np.ndarray:
    """float32 256x192: how much a map changed over an area, which the flicker of an edge does not."""
    return np.abs(cv2.blur(difference, (AREA_PX, AREA_PX)))


def _share_map(share: np.ndarray, kept: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """float32 256x192: the share of the new fit at every canvas pixel, from that of the bones around it.

    share: (33,) of each joint. A limb that moved counts where it was as well as where it is.
    """

    def spots(points: np.ndarray) -> np.ndarray:
        return _ALONG_BONES @ points

    at = np.concatenate([spots(kept), spots(joints)])
    value = np.ones((len(at), 2), np.float32)
    value[:, 0] = np.tile(spots(share), 2)
    # squared distances as one product, a third of the time
    to_all = np.stack([-2.0 * at[:, 0], -2.0 * at[:, 1], np.ones(len(at)), (at * at).sum(1)]).astype(np.float32)
    far = _coarse_squares() @ to_all
    np.reciprocal(np.multiply(far, far, out=far), out=far)
    sums = far @ value
    coarse = (sums[:, 0] / sums[:, 1]).reshape(CANVAS_H // GRID, CANVAS_W // GRID)
    return cv2.resize(coarse, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


def _hands_map(joints: np.ndarray) -> np.ndarray:
    """float32 256x192, 0..1: where hands may be."""
    across, down = _coarse()
    near = np.zeros((len(down), len(across)), np.float32)
    for wrist, index, pinky in _HANDS:
        middle = joints[wrist] + 1.5 * ((joints[index] + joints[pinky]) / 2.0 - joints[wrist])
        away = np.hypot(across - middle[0], (down - middle[1])[:, None])
        near = np.fmax(near, (HAND_PX - away) * np.float32(1.0 / HAND_FADE_PX))
    return cv2.resize(near.clip(0.0, 1.0).astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


def _moved_arms(joints: np.ndarray, off: np.ndarray) -> np.ndarray:
    """float32 256x192, 0..1: forearms that moved. off: (33,), how far each joint did, canvas pixels."""
    across, down = _coarse()
    near = np.zeros((len(down), len(across)), np.float32)
    for elbow, wrist in _FOREARMS:
        moved = _smooth_step((max(off[elbow], off[wrist]) - ARM_CALM_PX) / (ARM_MOVED_PX - ARM_CALM_PX))
        if moved > 0.0:
            x, y = across - joints[elbow, 0], (down - joints[elbow, 1])[:, None]
            dx, dy = joints[wrist] - joints[elbow]
            along = ((x * dx + y * dy) / max(dx * dx + dy * dy, 1.0)).clip(ARM_FROM, 1.0)
            away = np.hypot(x - along * dx, y - along * dy)
            near = np.fmax(near, ((ARM_PX - away) / ARM_FADE_PX).clip(0.0, 1.0) * moved)
    return cv2.resize(near.astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


@cache
def _coarse() -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the points GRID apart, canvas pixels."""
    across, down = ((np.arange(side // GRID, dtype=np.float32) + 0.5) * GRID - 0.5 for side in (CANVAS_W, CANVAS_H))
    return across, down


@cache
def _coarse_squares() -> np.ndarray:
    """float32 (768, 4): x and y of these points, row by row, the square of their distance from the first pixel and
    REACH_PX, and 1."""
    x, y = (v.ravel() for v in np.meshgrid(*_coarse()))
    return np.stack([x, y, x * x + y * y + np.float32(REACH_PX**2), np.ones_like(x)], 1)


def _smooth_step(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
