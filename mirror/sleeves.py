"""A long sleeve lies along the forearm, as far as the hand that is seen at its end.

Of a forearm before the chest a warp network often shows nothing, and the hand floats; which side of it is seen it was
taught both answers to, and gives their mean; and it lets a sleeve end where it is no longer sure. But where a forearm
is, its landmarks tell, and that it is in front, its hand: there the cloth is laid on by these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from mirror import either
from mirror.arms import EDGE_PX, ELBOW_R, REACH, WRIST_R, hands_seen, part_around
from mirror.either import ramp
from mirror.flat import ELBOW, Sleeve, part_distances, sleeves_of
from mirror.frames import flow_from_pixels, flow_to_pixels
from mirror.garment import Garment
from mirror.inputs import IN_BODY, PersonInputs
from mirror.maps import PERSON_CHANNELS, person_points, torso_frame

BEGINS = (0.0, 0.3)
"""Where along a forearm, 0 the elbow and 1 the wrist, the network's sleeve has given way to the one laid on."""
BEND = (0.4, 0.7)
"""Of a sleeve's length, where the network may show its elbow: so that nothing leaps, that is the one laid on's, too."""
CUFF, ENDS = 1.06, (1.2, 1.06)
"""Where along it the cuff's edge lies; from where on nothing is covered, and up to where all."""
LOOSE, WIDEST = 1.15, 2.0
"""Half a sleeve's width, in half-widths of the arm, if the network shows it no wider; and at most."""
WIDTH, WHOLE = (0.3, 0.55), (0.6, 0.85)
"""Share of the sleeve's width, and of the forearm's pixels, from which the network is believed where it shows them, and
from which wholly. Of forearms before the chest it shows 0 to 0.4 of the width, here and there turned over; of hanging
ones 0.55 to 0.8."""
EVEN = math.sqrt(3.0)
"""Half the width of an even strip, in standard deviations of its pixels."""
UPPER_R, ARMHOLE = 0.12, (0.1, 0.3)
"""The same of an upper arm, shoulder widths, that is covered for certain; where along it its sleeve begins to be."""
LEAST_PX = 30
"""Map pixels of the forearm that the network must show for its width to be taken."""
SHOWN = 0.8
"""Share of the sleeve's width that is seen of an arm: what lies beyond goes round it."""
_EDGE = (-EDGE_PX / 2, EDGE_PX / 2)
_BODY = PERSON_CHANNELS.index("mask")


class Sleeves:
    """The long sleeves of one garment."""

    def __init__(self, garment: Garment) -> None:
        self._nearest = part_distances(garment).argmin(0).astype(np.uint8)
        self._sleeves = sleeves_of(garment, self._nearest) if garment.sleeves == "long" else ()

    def arms(self, person: PersonInputs) -> list[_Arm]:
        """Those that long sleeves are laid on: whose hands are seen. 0.6 ms, while the warp is at work."""
        seen = hands_seen(person) if self._sleeves else (0.0, 0.0)
        sides = [side for side in (0, 1) if seen[side]]
        return [_Arm(side, seen[side], *limbs) for side, limbs in zip(sides, _limbs(person, sides), strict=True)]

    def laid_on(self, arms: list[_Arm], flow: np.ndarray, coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flow and coverage with the cloth of sleeves on these arms, elsewhere as they are.

        flow: float32 2x128x96, `Fit`'s convention, coverage: float32 128x96, 0..1, as the warp network answers.
        """
        if not arms:
            return flow, coverage
        places, coverage = flow_to_pixels(flow.transpose(1, 2, 0)), coverage.copy()
        part = cv2.remap(self._nearest, places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        for arm in arms:
            sleeve = self._sleeves[arm.side]
            _cover_upper_arm(sleeve, arm.upper, places, coverage)
            _lay_on_forearm(sleeve, arm.forearm, arm.seen, part == 1 + arm.side, places, coverage)
        return flow_from_pixels(places).transpose(2, 0, 1), coverage


class _Limb(NamedTuple):
    """Part of an arm, on the maps' pixels around it.

    here: rows and columns of these. square: squared distance to the bone, along: 0 and 1 at its ends, across: outwards
    from it; all float32 hxw, in canvas pixels. body: float32 hxw, 0..1, where the person is. unit: shoulder width.
    """

    here: tuple[slice, slice]
    square: np.ndarray
    along: np.ndarray
    across: np.ndarray
    body: np.ndarray
    unit: float


class _Arm(NamedTuple):
    """side: 0 left, 1 right. seen: 0..1, how surely its hand is."""

    side: int
    seen: float
    upper: _Limb
    forearm: _Limb


def _limbs(person: PersonInputs, sides: Iterable[int]) -> Iterator[tuple[_Limb, _Limb]]:
    """Upper arm and forearm of each of these sides, 0 left, 1 right."""
    x, y = either.grid(person.landmarks)
    at = person_points(person.landmarks)
    unit = float(torso_frame(at)[3][0, 0, 0])
    for side in sides:
        joints = [at[f"{joint}_{('left', 'right')[side]}"] for joint in ("shoulder", "elbow", "wrist")]
        upper, forearm = (_limb(person, x, y, a, b, unit, (1.0, -1.0)[side]) for a, b in pairwise(joints))
        yield upper, forearm


def _limb(
    person: PersonInputs,
    x: np.ndarray,
    y: np.ndarray,
    begins: tuple[np.ndarray, np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
    unit: float,
    outwards: float,
) -> _Limb:
    """One of them. x, y: of `either.grid`. begins, ends: of its bone, points of `person_points`."""
    here = part_around(begins, ends, REACH * unit)
    segment = either.segment(x[:, :, here[1]], y[:, here[0]], begins, ends, outwards)
    square, along, across = (values[0] for values in segment)
    return _Limb(here, square, along, across, ramp(person.maps[0, _BODY][here], IN_BODY), unit)


def _cover_upper_arm(sleeve: Sleeve, arm: _Limb, places: np.ndarray, coverage: np.ndarray) -> None:
    """Closes, in place, what the network leaves open of an upper arm. Arguments as for `_lay_on_forearm`."""
    cover = ramp((UPPER_R * arm.unit - arm.square**0.5) * 0.5, _EDGE) * ramp(arm.along, ARMHOLE) * arm.body
    covered = coverage[arm.here]
    bare = (cover > 0.0) & (covered < 0.5)
    if bare.any():
        places[arm.here][bare] = _cloth(sleeve, ELBOW * arm.along[bare], arm.across[bare] / (UPPER_R * arm.unit))
        np.maximum(covered, cover, out=covered)


class _Shown(NamedTuple):
    """What the network shows of a forearm. here: bool hxw, where. bend: how far along the sleeve its elbow is. half:
    float32 hxw, half its width, canvas pixels. believed: 0..1, how much of what it shows there stays."""

    here: np.ndarray
    bend: float
    half: np.ndarray
    believed: float


def _shown_of(sleeve: Sleeve, arm: _Limb, sleeve_shown: np.ndarray, places: np.ndarray) -> _Shown:
    """sleeve_shown: bool hxw, where it shows this sleeve. places: hxwx2."""
    half = (ELBOW_R + (WRIST_R - ELBOW_R) * arm.along.clip(0.0, 1.0)) * np.float32(arm.unit)
    at_elbow = sleeve_shown & (arm.square < half**2) & (abs(arm.along) < BEGINS[1] / 2)
    bend = np.median(sleeve.coordinates(places[at_elbow])[0]) if at_elbow.sum() >= LEAST_PX else ELBOW
    bend = float(np.clip(bend, *BEND))
    here = sleeve_shown & (arm.square < (WIDEST * half) ** 2) & (arm.along > 0.0) & (arm.along < CUFF)
    here[here] = sleeve.coordinates(places[here])[0] > min(bend, ELBOW)
    told = here & (arm.along < 1.0)
    if told.sum() < LEAST_PX:
        return _Shown(here, bend, half * np.float32(LOOSE), 0.0)
    aside = arm.across[told] / half[told]
    half *= np.float32(np.clip(float(aside.std()) * EVEN, LOOSE, WIDEST))
    on_flat, across_on_flat = sleeve.coordinates(places[told])
    middle, half_on_flat = sleeve.middle_and_half(on_flat)
    aside = arm.across[told] / half[told]
    width = aside @ ((across_on_flat - middle) / half_on_flat) / max(float(aside @ aside), 1e-6)
    forearm = (arm.square < half**2) & (arm.body > 0.5) & (arm.along > BEGINS[1]) & (arm.along < 1.0)
    whole = (here & forearm).sum() / max(int(forearm.sum()), 1)
    return _Shown(here, bend, half, float(ramp(np.array(width), WIDTH) * ramp(np.array(whole), WHOLE)))


def _lay_on_forearm(
    sleeve: Sleeve, arm: _Limb, seen: float, shows: np.ndarray, places: np.ndarray, coverage: np.ndarray
) -> None:
    """Lays a sleeve on its forearm, in place.

    seen: 0..1, how surely the forearm is. shows: bool 128x96, where the network shows this sleeve, if anything.
    places: float32 128x96x2, garment-canvas pixels shown. coverage: float32 128x96.
    """
    shown_at, covered = places[arm.here], coverage[arm.here]
    sleeve_shown = shows[arm.here] & (covered > 0.5)
    shown = _shown_of(sleeve, arm, sleeve_shown, shown_at)
    cover = ramp((shown.half - arm.square**0.5) * 0.5, _EDGE) * ramp(arm.along, ENDS) * arm.body
    new = (cover > 0.5) | shown.here | ((cover > 0.0) & (covered < 0.5))
    along, before = arm.along[new], shown_at[new]
    share = np.where(sleeve_shown[new], ramp(along, BEGINS) * (1.0 - shown.believed), 1.0)[:, None]
    cloth = _cloth(sleeve, shown.bend + (1.0 - shown.bend) / CUFF * along, arm.across[new] / shown.half[new])
    shown_at[new] = before + share * (cloth - before)
    np.maximum(covered, cover * np.float32(seen), out=covered)


def _cloth(sleeve: Sleeve, along: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """(n, 2) garment-canvas pixels: a sleeve's cloth so far along, 0 at the armhole and 1 at the cuff, and so far
    aside, -1 at the arm's inner and 1 at its outer edge."""
    middle, half = sleeve.middle_and_half(along)
    across = middle + half * SHOWN * aside.clip(-1.1, 1.1)
    return sleeve.origin + along[:, None] * sleeve.along + across[:, None] * sleeve.outwards
