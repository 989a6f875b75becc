"""Hands before the garment, as their colours tell: the generator says where hands are; how exactly fingers run, and
what is between them, colours tell better, on the canvas as it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from mirror.chest import Looked
from mirror.either import ramp
from mirror.frames import CANVAS_H, CANVAS_W, Relit
from mirror.inputs import IN_BODY, PersonInputs
from mirror.maps import PERSON_CHANNELS
from mirror.matte import matte_of
from mirror.steep import as_drawn, to_be_drawn
from mirror.tone import beside_it, match, relit, together

SURE_HAND, MAYBE_HAND = (0.5, 0.8), (0.1, 0.3)
"""Likeness to skin from which a pixel beside a hand is one too, and below which it is surely none."""
CLEARLY_SKIN = (0.72, 0.88)
"""Likeness to skin that outweighs what was seen there before."""
MIN_HAND_PX, TOLD_APART = 30, (0.066, 0.082)
"""So many sure pixels must a hand have, and be so far from the clothes, in the colours of `mirror.skin`: beige sleeves
and a hand in warm light are not told apart pixel by pixel."""
GAP_PX, BRIDGE_PX = 23, 9
"""Sides on the canvas: within a square of the first the garment reaches farther than the generator says: half a hand's
breadth; on the far side of a hand that hangs beside the body there is none. What is narrower than the second and looks
as before, a lanyard, lies behind the fingers on both of its sides."""
SURE_SKIN, SURE_CLOTH = 0.6, 0.1
"""Likeness that is surely skin, and surely not."""
SHARE, PAINTED, WHOLLY = (0.15, 0.65), (0.03, 0.15), (0.65, 0.9)
"""Shares of hand in a pixel from which it is drawn, and wholly: a hand in shadow looks like less. What of a drawn hand
is painted with its colour, and from where it is shown as filmed if all pixels beside it are so, too: camera and codec
carry the old cloth's colour a pixel into a hand."""
AS_FILMED = (0.38, 0.63)
"""Share of hand, as it is told, from which a pixel beside others is shown as filmed all the same, but for the light on
it: `mirror.tone` takes out what it has of the cloth."""
LIKE_BEFORE, ANY_BEFORE = (0.3, 0.5), (0.0, 0.2)
"""Likeness to skin, and to what was there before, of which a pixel with both may be a hand all the same."""
NO_HAND = (0.3, 0.6)
"""Weight of the head's and forearms' maps where colours are not asked: faces are skin, cuffs may become it."""
SHOWN, NEAR, EDGE, JOINED, FAINT = 0.5, 0.3, 0.25, 1.2, 0.02
"""Where less of the garment is, there is none for a hand to be before; weight of its zone within which a hand is."""
ALL_HAND = (0.6, 0.9)
"""Share of hand from which a pixel tells the colour of the rim beside it."""
WRIST_PX, JOINT_PX = 5, 11
"""Canvas pixels over which a bared arm gives way to its hand; and a gap between them that is closed."""
RIM_PX = 8
"""Canvas pixels over which the change of a hand's light fades towards the canvas's rim: a hand may reach beyond it."""
THROAT_V = (0.05, 0.2)
"""Where below the shoulders there is no throat."""
MIDDLE_U, MIDDLE_V = 0.3, (0.1, 0.9)
"""The middle of the torso, behind which no room is seen."""
_BODY, _HEAD, _U, _V = (PERSON_CHANNELS.index(name) for name in ("mask", "head", "u", "v_torso"))
_FOREARMS = [PERSON_CHANNELS.index(name) for name in ("lower_left", "lower_right")]
_UPPER_ARMS = [PERSON_CHANNELS.index(name) for name in ("upper_left", "upper_right")]
_TO_RIM = [np.minimum(np.arange(side), np.arange(side)[::-1]) / RIM_PX for side in (CANVAS_H, CANVAS_W)]
_WITHIN = np.minimum(_TO_RIM[0][:, None], _TO_RIM[1]).clip(0.0, 1.0).astype(np.float32)
_DISC = {side: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)) for side in (3, 5)}
_BRIDGE = np.ones((BRIDGE_PX, BRIDGE_PX), np.uint8)
_SQUARE = np.ones((3, 3), np.uint8)
_JOINT = np.ones((JOINT_PX, JOINT_PX), np.uint8)
_GAP = np.ones((GAP_PX, GAP_PX), np.uint8)


@dataclass(frozen=True)
class _Zones:
    """Of one hand, on a part of the canvas, float32 HxW, 0..1. around: it, without face and forearms. fingers: without
    the wrist, too. arms: around, on forearms. middle: of the torso. off: fingers, without arms and the throat: no skin
    is there but the hand's."""

    around: np.ndarray
    fingers: np.ndarray
    arms: np.ndarray
    middle: np.ndarray
    off: np.ndarray


@dataclass(frozen=True)
class Hand:
    """A hand, or two beside each other, as the picture alone shows it, on a part of the canvas. like, apart: as
    `PersonInputs.likeness_in` has them. before: of `mirror.chest.Before.on`."""

    part: tuple[slice, slice]
    zones: _Zones
    like: np.ndarray
    apart: np.ndarray
    before: Looked | None


def hands_of(person: PersonInputs) -> list[Hand]:
    """Where a person's hands are and what their colours are like: all of it that needs no fit."""
    around, fingers = person.hand_zones
    before = person.before  # asked whether there is a hand or not: it learns of what is clear of them
    return [
        Hand(
            part,
            _zones(person.maps[0], near, past_wrist, part),
            *person.likeness_in(*part),
            None if before is None else before.on(part),
        )
        for near, past_wrist, part in _parts(around * (person.maps[0, _BODY] > IN_BODY[0]), fingers)
    ]


@dataclass(frozen=True)
class Masks:
    """What is drawn of a fit, on the canvas or a part of it, float32 HxW, 0..1.

    outline: the garment's mask by the flow. room: how much of what is painted is the room behind. coverage: of the
    garment. repair: of what is painted. colours: HxWx3, BGR 0..255, what it is painted with. bare: how much of that is
    bared skin.
    """

    outline: np.ndarray
    room: np.ndarray
    coverage: np.ndarray
    repair: np.ndarray
    colours: np.ndarray
    bare: np.ndarray

    def on(self, part: tuple[slice, slice]) -> Masks:
        """A part of them, to be written into."""
        return Masks(*(getattr(self, field.name)[part] for field in fields(self)))


def hands_in_front(
    person: PersonInputs, hands: list[Hand], masks: Masks, skin: np.ndarray, bares_arms: bool = True
) -> Relit | None:
    """Lays the garment around and between fingers, and fingers before it, by their colour; in place. Of a pixel that is
    partly hand, its edge or one in motion, that part is drawn before the garment, in the colour of the hand: what it is
    mixed with would stand around it as a rim. Beside a bared arm what is no hand is painted: its cuff stood there as a
    ring.

    masks: of the whole canvas; coverage, repair and colours are changed around hands, and skin, as of `Bare.colour`,
    takes their tone. bares_arms: whether the garment does; of a long sleeve, too, generators take a little for skin.
    Returns the light that the hands are to be shown in.
    """
    lights = []
    for hand in hands:
        if float(masks.outline[hand.part].max()) >= SHOWN:
            gain = _hand_in_front(hand, person, masks.on(hand.part), skin, bares_arms)
            lights += [] if gain is None else [(hand.part, gain)]
    return together(lights)


def _hand_in_front(
    hand: Hand, person: PersonInputs, masks: Masks, skin: np.ndarray, bares_arms: bool
) -> np.ndarray | None:
    """One of them; masks: of its part of the canvas. Returns the gain of light on it, None where it stays."""
    picture, mask = person.canvas[hand.part], person.mask[hand.part]
    outline, room, bare, colours = masks.outline, masks.room, masks.bare, masks.colours
    coverage, repair = masks.coverage, masks.repair
    zones, like, before = hand.zones, hand.like, hand.before
    body, near = _more(mask, 0.5), _more(zones.around, NEAR)
    same = doubtful = np.zeros_like(like)
    if before is not None:
        # the rims of a ribbon, mixed of it and what is beside it, are coloured like skin, too, but narrower than one
        # finger, which may be as narrow as what is closed of the chest as it was before
        wide, narrow = (ramp(cv2.morphologyEx(like, cv2.MORPH_OPEN, _DISC[px]), CLEARLY_SKIN[::-1]) for px in (5, 3))
        same = cv2.min(before.same, cv2.max(before.itself, narrow)) * wide
        doubtful = ramp(like, MAYBE_HAND) * same
        like = like * (1.0 - same)
    like_skin = _more(like, SURE_SKIN)
    inside = cv2.erode(like_skin, _DISC[5])
    seeds = inside & near & ~_more(coverage, 0.5)
    told_apart = float(ramp(np.array(cv2.mean(hand.apart, like_skin & body & near)[0]), TOLD_APART))
    if not told_apart or cv2.countNonZero(seeds) < MIN_HAND_PX:
        return None
    matte = matte_of(picture, like_skin, _less(like, SURE_CLOTH) & body, seeds, before)
    share = ramp(matte.share, SHARE)
    sure, trust = ramp(like, SURE_HAND), cv2.multiply(matte.fits, matte.told)
    unmixed = 1.0 - trust * (1.0 - share)
    unmixed[inside > 0] = 1.0
    seen = cv2.max(sure * unmixed, share * trust * (1.0 - same))
    if before is not None:
        seen = cv2.max(seen, cv2.morphologyEx(seen, cv2.MORPH_CLOSE, _BRIDGE) * doubtful)
    own = _connected(_more(seen, 0.25) & body, seeds)
    seen *= own
    kept = cv2.max(seen, ramp(like, MAYBE_HAND) * unmixed * own)
    around, fingers, arms = (zone * told_apart for zone in (zones.around, zones.fingers, zones.arms))
    # the generator bares more than the hand, of one in motion a finger's breadth: it stood around it as a rim
    halo = zones.off * told_apart * (1.0 - kept)
    trust_beside, bared = cv2.max(trust, halo * bare * repair), bare.copy()
    bare *= 1.0 - halo
    # an arm that is bared ends at its hand, and not before it
    wrist = around * (1.0 - zones.fingers)
    if bares_arms:
        joint = _between(bare * arms * (1.0 - kept), kept) * cv2.max(arms, wrist)
        for values in (bare, bared, repair):
            np.maximum(values, joint, out=values)
        coverage *= 1.0 - joint
    shown = seen * fingers * cv2.max(matte.told, ramp(like, (SURE_SKIN, 0.9)))
    left = cv2.max(fingers * (1.0 - repair * room), around * cv2.max(1.0 - repair, zones.middle))
    left *= 1.0 - cv2.max(arms * repair, wrist) * bare  # a bared arm reaches its hand
    old = outline * left * (1.0 - kept) * cv2.dilate(coverage, _GAP)
    slivers = arms * bare  # between a bared arm and its hand, where the cuff is, there is no gap
    old = cv2.blendLinear(cv2.morphologyEx(old, cv2.MORPH_OPEN, _DISC[5]), old, slivers, 1.0 - slivers)
    over = as_drawn(coverage)
    drawn = cv2.max(over * (1.0 - shown), cv2.max(old * trust_beside, as_drawn(old * same)))
    cv2.copyTo(to_be_drawn(drawn), _more(cv2.absdiff(drawn, over), FAINT), coverage)
    # what is no hand beside a bared arm is its old cuff; skin that looks as before may be skin before skin
    beside = cv2.max(around, arms)
    skin_as_before = ramp(hand.like, LIKE_BEFORE) * ramp(same, ANY_BEFORE)
    np.maximum(repair, bared * beside * (1.0 - cv2.max(kept, skin_as_before)), out=repair)
    whole = ramp(cv2.erode(cv2.max(seen, sure * own), _DISC[3]), WHOLLY)
    whole = cv2.max(whole, ramp(matte.share, AS_FILMED) * trust * seen)
    # where a cuff ended its colours are in the skin beside it: there the bared arm gives way to the hand bit by bit
    cuff = bare * repair * (1.0 - kept) * cv2.max(arms, wrist)
    whole *= 1.0 - cv2.blur(cv2.dilate(cuff, _SQUARE), (WRIST_PX, WRIST_PX))
    paint = ramp(seen, PAINTED) * beside * cv2.dilate(cv2.max(drawn, repair), _DISC[5]) * (1.0 - whole)
    repair *= 1.0 - shown * whole
    np.maximum(repair, paint, out=repair)
    # between a bared arm and its hand nothing stays of the cuff, however narrow
    closed = cv2.morphologyEx(repair, cv2.MORPH_CLOSE, _DISC[5])
    np.maximum(repair, closed * bared * beside * (1.0 - cv2.max(whole, skin_as_before)), out=repair)
    there = np.nonzero(paint > FAINT)
    part = np.minimum(seen[there] / np.maximum(1.0 - drawn[there], FAINT), 1.0)  # of what the garment leaves to be seen
    weight = part * paint[there] / np.maximum(repair[there], FAINT)
    lit = cv2.blur(cv2.dilate(seen, _DISC[3]), (3, 3)) * beside * told_apart * _WITHIN[hand.part]
    colour, gain = relit(picture, matte, person.face, lit, cv2.sqrt(whole))
    rim = beside_it(picture, gain, whole * ramp(matte.share, ALL_HAND), colour)
    colours[there] += weight[:, None] * (rim[there] - colours[there])
    match(skin, hand.part, colour, seen * whole, beside * told_apart)
    return gain


def _more(values: np.ndarray, than: float) -> np.ndarray:
    """uint8 HxW, 255 or 0."""
    return cv2.compare(values, than, cv2.CMP_GT)


def _less(values: np.ndarray, than: float) -> np.ndarray:
    return cv2.compare(values, than, cv2.CMP_LT)


def _between(arm: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """float32 HxW, 0..1: gaps of JOINT_PX at most between an arm and a hand, none between fingers. Both float32 HxW,
    0..1."""
    arm, hand = cv2.convertScaleAbs(arm, alpha=255.0), cv2.convertScaleAbs(hand, alpha=255.0)  # a third of the time
    both, alone = (cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _JOINT) for mask in (cv2.max(arm, hand), hand))
    beside = cv2.min(cv2.min(both, cv2.dilate(arm, _JOINT)), cv2.bitwise_not(alone))
    return cv2.multiply(beside, 1.0 / 255.0, dtype=cv2.CV_32F)


def _connected(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """float32 HxW, 0 or 1: what of a mask hangs together with seeds (both uint8 HxW, not 0), and a pixel around it."""
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    own = np.zeros(count, np.float32)
    own[labels[seeds > 0]] = 1.0
    own[0] = 0.0
    return cv2.dilate(own[labels], _DISC[3])


def _parts(around: np.ndarray, fingers: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, tuple[slice, slice]]]:
    """Of hands with their zones (float32 2x128x96 each): both zones, 128x96, and the part of the canvas they are on;
    hands beside each other are one."""
    both = around.max(0)
    parts = [_part(zone) for zone in around]
    union = _part(both)
    areas = [0 if part is None else _area(part) for part in (*parts, union)]
    if areas[0] and areas[1] and areas[2] < JOINED * (areas[0] + areas[1]):
        assert union is not None
        return [(both, fingers.max(0), union)]
    each = zip(around, fingers, parts, strict=True)
    return [(one, its_fingers, part) for one, its_fingers, part in each if part is not None]


def _area(part: tuple[slice, slice]) -> int:
    return (part[0].stop - part[0].start) * (part[1].stop - part[1].start)


def _zones(person: np.ndarray, around: np.ndarray, fingers: np.ndarray, part: tuple[slice, slice]) -> _Zones:
    """A hand's zones on a part of the canvas, without the face, which is skin too, and what is outside the person."""
    half = tuple(slice(s.start // 2, s.stop // 2) for s in part)
    maps = person[(slice(None), *half)]
    place = ramp(maps[_BODY], IN_BODY) * (1.0 - ramp(maps[_HEAD], NO_HAND))
    forearms, upper_arms = (cv2.max(maps[left], maps[right]) for left, right in (_FOREARMS, _UPPER_ARMS))
    arms = ramp(forearms, NO_HAND)
    around, fingers = around[half] * place, fingers[half] * place
    middle = (abs(maps[_U]) < MIDDLE_U) & (maps[_V] > MIDDLE_V[0]) & (maps[_V] < MIDDLE_V[1])
    bare = cv2.max(around * (1.0 - arms), fingers * around)  # past the wrist there is no cuff
    off = fingers * (1.0 - ramp(cv2.max(forearms, upper_arms), NO_HAND)) * ramp(maps[_V], THROAT_V)
    size = (part[1].stop - part[1].start, part[0].stop - part[0].start)
    # five channels at once take twice the time of four and one
    zones = cv2.merge([bare, fingers, around * arms, middle.astype(np.float32)])
    all_zones = [*cv2.split(cv2.resize(zones, size)), cv2.resize(off, size)]
    return _Zones(*all_zones)


def _part(weight: np.ndarray) -> tuple[slice, slice] | None:
    """The part of the canvas where a map (float32 128x96) has weight; None: nowhere."""
    left, top, width, height = cv2.boundingRect(_more(weight, EDGE))
    if not width:
        return None
    return slice(2 * top, 2 * (top + height)), slice(2 * left, 2 * (left + width))
