"""What is known better than the generator says: hands that the camera shows, and holes that nothing makes."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.either import ramp
from mirror.frames import CANVAS_H
from mirror.inputs import IN_BODY, PersonInputs, enlarge
from mirror.maps import PERSON_CHANNELS

HOLE = 0.5
"""Less of the garment than this is a hole in it."""
END_ROWS = 2
"""Map rows above the picture's end in which a person's mask is no longer told."""
REACHED = 0.7
"""Weight of a hand's, forearm's or head's map within which a hole may be theirs."""
_REACHING = [PERSON_CHANNELS.index(n) for n in ("head", "hand_left", "hand_right", "lower_left", "lower_right")]
BARE_LIKE, HAND_LIKE, HAND_NEAR = (0.35, 0.65), (0.2, 0.4), (0.1, 0.4)
"""Likeness to skin from which, and at which wholly, a pixel is taken for skin; for that of a hand; and weight of the
hand's map from which it may be one. Lower, and dark cloth around hands stays."""
AT_CUFF = (0.3, 0.6)
"""Weight of the forearms' maps where a hand's rim may be a cuff."""
_FOREARMS = [PERSON_CHANNELS.index(name) for name in ("lower_left", "lower_right")]
THROAT_PX, WRIST_PX = 3, 1
"""Canvas pixels by which the repair reaches over bared skin."""
_THROAT, _WRIST = (
    cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1)) for px in (THROAT_PX, WRIST_PX)
)
THROAT = (0.35, 0.2)
"""Shoulder widths below the shoulders, from which no skin is a throat's, and down to which all is."""
BITE = (15, 15)
"""Canvas pixels that a bite may be wide; a rectangle, whose closing takes a tenth of an ellipse's time."""
_SQUARE, _WITHIN, _BESIDE = (np.ones(size, np.uint8) for size in ((3, 3), (1, 9), (1, 13)))
BELOW_HIPS, OTHER_CLOTH = (0.95, 1.1), (0.035, 0.055)
"""Where trousers are looked for, 1 at the hips; how far they are from the top's colours, in those of `mirror.skin`:
blue jeans from a black hoodie 0.05 to 0.1, a hoodie's hem from the rest of it 0.03 at most."""
OTHER_PX, OTHER_SHARE, OTHER_SHADE = (9, 9), (0.5, 0.7), (0.025, 0.04)
"""Around a pixel of trousers, map pixels, so much must be trousers, too; how far beside them their dark side is."""
_BODY = PERSON_CHANNELS.index("mask")
_HANDS = [PERSON_CHANNELS.index(name) for name in ("hand_left", "hand_right")]


def as_filmed(person: PersonInputs, skin: np.ndarray) -> np.ndarray:
    """float32 256x192, 0..1: where the picture shows skin by itself, so that none need be painted: a hand is drawn best
    by the camera. So hands are kept, and of all else what would be painted with skin; cloth of that colour may stay.

    At cuffs and collars the rim of what is like skin is not kept: skin mixed there with dark cloth is coloured like
    skin in shadow, and stood around wrists and necks as a ring. skin: float32 256x192, 0..1, where skin would be
    painted. Nor is the room: what it is mixed with beside a sleeve may be coloured so, too.
    """
    like, maps = person.skin_likeness[0, 0], person.maps[0]
    within, hand = cv2.erode(like, _SQUARE), maps[_HANDS].max(0)
    hands = within + (like - within) * person.hand_zones[1].max(0)
    bare = np.where(hand > HAND_NEAR[0], like, within)
    hands = ramp(hands, HAND_LIKE) * ramp(hand, HAND_NEAR) * ramp(maps[_BODY], IN_BODY)
    hands, bare = enlarge(hands), enlarge(ramp(bare, BARE_LIKE))
    return cv2.max(hands, cv2.multiply(bare, skin))


def over_the_rim_of_skin(person: PersonInputs, repair: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The repair, THROAT_PX farther over the skin of a throat and WRIST_PX over that of wrists: cameras draw a bright
    line along a dark collar or cuff, which stood on bared skin as a thread. repair and skin: float32 256x192, as for
    `as_filmed`. 0.25 ms."""
    no_finger = 1.0 - person.hand_zones[1].max(0)
    throat = ramp(person.maps[0, PERSON_CHANNELS.index("v")], THROAT) * no_finger
    sharp = cv2.convertScaleAbs(repair, alpha=255.0)
    for rim, where in ((_THROAT, throat), (_WRIST, no_finger)):
        own = cv2.multiply(skin, enlarge(where))
        repair = cv2.max(repair, cv2.multiply(cv2.dilate(sharp, rim), own, scale=1.0 / 255.0, dtype=cv2.CV_32F))
    return repair


def trousers(person: PersonInputs) -> np.ndarray:
    """float32 256x192, 0..1: what is worn below the hips and has other colours than what is worn above: it is not to be
    painted over. A generator that sees a few rows of it at the picture's end takes it for the old garment. 0.5 ms."""
    below = ramp(person.maps[0, PERSON_CHANNELS.index("v_torso")], BELOW_HIPS)
    first = int(below.any(1).argmax())
    out = np.zeros_like(below)
    if below[first].any():
        rows = slice(first, None)
        like, apart = person.apart_from_top(rows)
        arms = 1.0 - ramp(person.maps[0, _REACHING, rows].max(0), AT_CUFF)
        other = ramp(apart, OTHER_CLOTH) * (1.0 - ramp(like, BARE_LIKE)) * arms * below[rows]
        # alone, a stripe along a hem, or noise; beside some, their dark side
        sure = cv2.medianBlur(other, 3) * ramp(cv2.blur(other, OTHER_PX), OTHER_SHARE)
        sure *= ramp(cv2.erode(person.maps[0, _BODY, rows], _WITHIN), IN_BODY)  # at its rim the room is mixed in
        out[rows] = cv2.dilate(sure, _BESIDE) * ramp(apart, OTHER_SHADE) * arms
    return enlarge(out)


def without_bites(coverage: np.ndarray, warp: np.ndarray, repair: np.ndarray) -> np.ndarray:
    """The coverage with narrow bites in its edge closed where the warp has it and the old garment is painted over: a
    generator that sees a hood at the throat leaves it out of the new garment, too, and paints the room there.

    All float32 256x192, 0..1. warp: the coverage that the generator was given. repair: what is painted over. 0.2 ms.
    """
    closed = cv2.morphologyEx(cv2.convertScaleAbs(coverage, alpha=255.0), cv2.MORPH_CLOSE, np.ones(BITE, np.uint8))
    return cv2.max(coverage, cv2.min(cv2.multiply(closed, warp, scale=1.0 / 255.0, dtype=cv2.CV_32F), repair))


def between_its_ends(outline: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """The outline without what lies above or below all that is covered: there the flow is free, and a throat or
    trousers that a hand is near would get a piece of the garment. Both float32 256x192, 0..1."""
    above, below = np.maximum.accumulate(coverage, 0), np.maximum.accumulate(coverage[::-1], 0)[::-1]
    return cv2.min(outline, cv2.min(above, below))


def without_stray_holes(
    coverage: np.ndarray, outline: np.ndarray, person: np.ndarray, end: float = CANVAS_H
) -> np.ndarray:
    """The coverage without holes that reach neither a hand, nor the head, nor the garment's edge, nor the room behind.

    Lanyards and prints of the old garment that are coloured like skin would be left standing in the new one. coverage:
    float32 256x192, 0..1. outline: float32 256x192, 0..1, the garment's mask by the flow. person: float32
    (21, 128, 96), the channels of `person_maps`. end: canvas row at which the picture ends; a hole may be cut by it.
    0.3 ms.
    """
    size = person.shape[:0:-1]
    seen, garment = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (coverage, outline))
    hole = ((seen < HOLE) & (garment > HOLE)).astype(np.uint8)
    if not hole.any():
        return coverage
    beside = (garment <= HOLE) | (person[PERSON_CHANNELS.index("mask")] < 0.5)
    beside[max(int(end / 2) - END_ROWS, 0) :] = False
    held = cv2.dilate(beside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    held |= person[_REACHING].max(0) > REACHED
    count, labels = cv2.connectedComponents(hole)
    stray = np.ones(count, bool)
    stray[labels[held]] = stray[0] = False
    if not stray.any():
        return coverage
    filled = cv2.dilate(stray[labels].astype(np.float32), np.ones((5, 5), np.uint8))
    return cv2.max(coverage, cv2.multiply(enlarge(filled), outline))
