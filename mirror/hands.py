"""Hands before the garment, as their colours tell: the generator says where hands are; how exactly fingers run, and
what is between them, colours tell better, on the canvas as it is."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.either import ramp
from mirror.inputs import IN_BODY, PersonInputs
from mirror.maps import PERSON_CHANNELS

SURE_HAND, MAYBE_HAND = (0.5, 0.8), (0.1, 0.3)
"""Likeness to skin from which a pixel beside a hand is one too, and below which it is surely none."""
MIN_HAND_PX, TOLD_APART, IN_LIGHT = 30, (0.085, 0.115), (90.0, 110.0)
"""So many sure pixels must a hand have, and be so far from the clothes, in the colours of `mirror.skin` or in levels of
255: beige sleeves and a hand in warm light are not told apart pixel by pixel."""
REACH_PX, GAP_PX = 7, 23
"""Sides of squares on the canvas: within them fingers may be longer than the generator says, and the garment reach
farther: half a hand's breadth; on the far side of a hand that hangs beside the body there is none."""
SURE_SKIN, SURE_CLOTH, MIXED, APART_LEVELS, MEAN_PX = 0.6, 0.1, (0.3, 0.8), 30.0, (15, 15)
"""Of `_unmixed`: likeness that is surely skin, and surely not; shares that count as none and all of the hand; how
different both must be, in levels of 255; the window of their means, canvas pixels."""
NO_HAND = (0.3, 0.6)
"""Weight of the head's and forearms' maps where colours are not asked: faces are skin, cuffs may become it."""
SHOWN = 0.5
"""Where less of the garment is, there is none for a hand to be before."""
_BODY, _HEAD = [PERSON_CHANNELS.index("mask")], [PERSON_CHANNELS.index("head")]
_FOREARMS = [PERSON_CHANNELS.index(name) for name in ("lower_left", "lower_right")]
_SUM = np.ones((1, 3), np.float32)


def hands_in_front(
    person: PersonInputs, outline: np.ndarray, room: np.ndarray, coverage: np.ndarray, repair: np.ndarray
) -> None:
    """Lays the garment around and between fingers, and fingers before it, by their colour; in place.

    All float32 256x192, 0..1. outline: the garment's mask by the flow. room: how much of what is painted is the
    room behind. coverage, repair: of the garment, and of what is painted; both are changed around hands.
    """
    for around, fingers in zip(*person.hand_zones, strict=True):
        part = _part(around)
        if part is None or float(outline[part].max()) < SHOWN:
            continue
        like, apart = person.likeness_in(*part)
        sure = _told_apart(person.canvas[part], like, apart, person.mask[part] > 0.5)
        if sure:
            zones = _places_of(person.maps[0], around * sure, fingers * sure, part)
            masks = (m[part] for m in (outline, room, coverage, repair))
            _hand_in_front(like, _unmixed(person.canvas[part], like, person.mask[part]), *zones, *masks)


def _hand_in_front(
    like: np.ndarray,
    unmixed: np.ndarray,
    around: np.ndarray,
    fingers: np.ndarray,
    outline: np.ndarray,
    room: np.ndarray,
    coverage: np.ndarray,
    repair: np.ndarray,
) -> None:
    shown = (
        ramp(like, SURE_HAND) * cv2.dilate(1.0 - coverage, np.ones((REACH_PX, REACH_PX), np.uint8)) * unmixed * fingers
    )
    left = cv2.max(fingers * (1.0 - repair * room), around * (1.0 - repair))
    old = left * (1.0 - ramp(like, MAYBE_HAND) * unmixed) * cv2.dilate(coverage, np.ones((GAP_PX, GAP_PX), np.uint8))
    coverage *= 1.0 - shown
    np.maximum(coverage, outline * old, out=coverage)
    repair *= 1.0 - shown


def _places_of(
    person: np.ndarray, around: np.ndarray, fingers: np.ndarray, part: tuple[slice, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """A hand's zones on a part of the canvas, without the face, which is skin too, forearms, whose cuffs may become
    skin, and what is outside the person."""
    half = tuple(slice(s.start // 2, s.stop // 2) for s in part)
    body, head, arms = (person[rows][(slice(None), *half)].max(0) for rows in (_BODY, _HEAD, _FOREARMS))
    place = ramp(body, IN_BODY) * (1.0 - ramp(head, NO_HAND))
    size = (part[1].stop - part[1].start, part[0].stop - part[0].start)
    place = place * (1.0 - ramp(arms, NO_HAND))
    zones = around[half] * place, fingers[half] * place
    return tuple(cv2.resize(zone, size, interpolation=cv2.INTER_LINEAR) for zone in zones)


def _told_apart(picture: np.ndarray, like: np.ndarray, apart: np.ndarray, body: np.ndarray) -> float:
    """0..1: whether colours tell a hand from clothes, of any light or in this one. picture: uint8 HxWx3. like, apart:
    float32 HxW, of `PersonInputs.likeness_in`. body: bool HxW."""
    hand, cloth = (((like > SURE_SKIN) & body).astype(np.uint8), ((like < SURE_CLOTH) & body).astype(np.uint8))
    if min(cv2.countNonZero(part) for part in (hand, cloth)) < MIN_HAND_PX:
        return 0.0
    levels = np.linalg.norm(np.subtract(cv2.mean(picture, hand), cv2.mean(picture, cloth)))
    told = ramp(np.array([cv2.mean(apart, hand)[0]]), TOLD_APART), ramp(np.array([levels]), IN_LIGHT)
    return float(np.max(told))


def _part(weight: np.ndarray) -> tuple[slice, slice] | None:
    """The part of the canvas where a map (float32 128x96) has weight; None: nowhere."""
    left, top, width, height = cv2.boundingRect((weight > 0.1).astype(np.uint8))
    if not width:
        return None
    return slice(2 * top, 2 * (top + height)), slice(2 * left, 2 * (left + width))


def _unmixed(picture: np.ndarray, like: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """float32 HxW, 0..1: how much of a pixel at a hand's rim is hand. A camera mixes there what lies side by side, and
    skin mixed with black is coloured like skin in shadow.

    The pixel's place between the mean colours of sure skin and sure cloth around it, as matting has it; 1 inside hands
    and where there is not both. picture: uint8 HxWx3. like: float32 HxW, likeness to skin. mask: float32 HxW.
    """
    colours = picture.astype(np.float32)
    hand, by_hand = _mean_around(colours, cv2.erode((like > SURE_SKIN).astype(np.float32), _disc(3)))
    cloth, by_cloth = _mean_around(
        colours, cv2.erode(((like < SURE_CLOTH) & (mask > 0.5)).astype(np.float32), _disc(3))
    )
    apart = hand - cloth
    square = cv2.transform(apart * apart, _SUM)
    share = cv2.transform((colours - cloth) * apart, _SUM) / np.maximum(square, 1.0)
    inside = cv2.erode((like > SURE_SKIN).astype(np.uint8), _disc(5)) > 0
    told = (by_hand > 0.01) & (by_cloth > 0.01) & (square > APART_LEVELS**2) & ~inside
    return np.where(told, ramp(share, MIXED), np.float32(1.0))


def _mean_around(colours: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour (float32 HxWx3) of what has weight (float32 HxW) around each pixel, and the mean weight."""
    total = cv2.blur(weight, MEAN_PX)
    mean = cv2.blur(colours * weight[..., None], MEAN_PX) / np.maximum(total, 1e-3)[..., None]
    return mean, total


def _disc(side: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
