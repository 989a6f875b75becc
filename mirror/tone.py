"""The light on hands: a garment throws its colour on the hands before it, and its shadow. With another garment on, both
are gone. And the tone of arms: that of their hands."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.frames import CANVAS_W, RELIT_ONE, Relit
from mirror.matte import Matte

LIFT, MOST_LIFT = 0.85, 1.6
"""How far a hand that is darker than the face is brought up to it, as an exponent, and by how much at most. In a room's
light hands are as bright as the face: on six clips within a tenth, but for palms turned down, which had 0.7 of it and
looked like another person's."""
BRIGHTEST = 1.15
"""How bright, of the face's mean, a pixel of a hand may be lifted."""
CAST, EVEN = 0.85, 30.0
"""How much of the cloth's colour that is seen on a hand is taken away; levels by which cloth must be unlike skin of its
brightness for that: grey and black ones throw no colour."""
CLEAN = 0.9
"""Share of hand from which a pixel has nothing of the cloth in it."""
GAIN = (0.6, 1.9)
"""The least and the most that any colour of a pixel is multiplied by."""
SOME = 0.5
"""So many pixels of a skin's map must be sure of a hand for its tone to be told."""
LIKE_HAND, SPREAD_PX = 0.8, 60
"""How much of a hand's tone the skin bared beside it takes, where it is nearest; side of the windows over which the
hand's colours are meant for that, canvas pixels. Arms in a tone of their own looked like gloves."""
HUE_OF_FACE = 0.6
"""How far the hue of bared skin is brought to that of the face: a network's arms were olive beside brown hands."""
NEAR_PX, FEW = (9, 9), 0.03
"""The window in which the colours of a hand right beside its rim are meant, canvas pixels; the share of it below which
those of all of the hand count more."""
STEP = 4
"""Pixels between points where a hand's own colour is worked out: it is a mean over many more."""
FAINT = 2
"""A gain that differs from 1 by no more levels is none."""
_LUMA = np.array([[0.114, 0.587, 0.299]], np.float32)


def relit(
    picture: np.ndarray, matte: Matte, face: np.ndarray, hand: np.ndarray, clean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A hand in the light in which the face is: its colours, float32 HxWx3 BGR, and the gain, uint8 HxWx3 as in
    `Relit`, that brings the picture there; elsewhere 1.

    picture: uint8 HxWx3 BGR, a part of the canvas. face: (3,) BGR, 0..255, its mean colour. hand, clean: float32 HxW,
    0..1: how much of the light at a pixel is changed, and where it is shown as filmed, so that what it has of the old
    cloth is taken out of it, too.
    """
    hands = cv2.merge([hand] * 3)
    size = picture.shape[1::-1]
    few = (max(size[0] // STEP, 1), max(size[1] // STEP, 1))
    own, cloth = (cv2.resize(c, few, interpolation=cv2.INTER_AREA) for c in (matte.hand, matte.cloth))
    light = cv2.resize(_gain(np.maximum(own, 1.0), cloth, np.maximum(face, 1.0)), size, interpolation=cv2.INTER_LINEAR)
    # what is bright by itself, a palm below a lamp, is not lifted beyond what the face shows
    most = cv2.divide(float(_LUMA[0] @ face) * BRIGHTEST, cv2.max(_brightness(picture), 1), dtype=cv2.CV_32F)
    limit = cv2.min(cv2.divide(cv2.max(most, 1.0), _brightness(light)), 1.0)
    light = 1.0 + cv2.multiply(hands, cv2.multiply(light, cv2.merge([limit] * 3)) - 1.0)
    lack = (1.0 - matte.share * (1.0 / CLEAN)).clip(0.0, 1.0) * clean * matte.told * matte.fits
    filmed = cv2.max(picture, (1.0,) * 4).astype(np.float32)
    # up to the hand's own colour: what is behind it is not known so well that more of it could be taken out
    missing = cv2.subtract(matte.hand, filmed)
    taken = cv2.multiply(cv2.subtract(matte.hand, matte.cloth), cv2.merge([lack] * 3))
    taken = cv2.max(cv2.min(taken, cv2.max(missing, 0.0)), cv2.min(missing, 0.0))
    gain = 1.0 + cv2.divide(cv2.multiply(taken, hands), filmed)
    level = cv2.convertScaleAbs(cv2.multiply(light, gain).clip(*GAIN), alpha=RELIT_ONE)
    return matte.hand * light, level


def beside_it(picture: np.ndarray, gain: np.ndarray, filmed: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Colours for the rim of a hand, float32 HxWx3 BGR: those that it is shown with right beside, and those of all of
    it where none is shown so near: its edge is darker than its middle, and a rim as bright stood around it as a line.

    picture: uint8 HxWx3. gain, colour: as `relit` has them. filmed: float32 HxW, 0..1, where the hand is as filmed.
    """
    shown = cv2.multiply(picture, gain, scale=1.0 / RELIT_ONE, dtype=cv2.CV_32F)
    shown = cv2.multiply(shown, cv2.merge([filmed] * 3))
    near = cv2.boxFilter(filmed, -1, NEAR_PX)
    colours = cv2.scaleAdd(colour, FEW, cv2.boxFilter(shown, -1, NEAR_PX))
    return cv2.divide(colours, cv2.merge([near + np.float32(FEW)] * 3))


def together(parts: list[tuple[tuple[slice, slice], np.ndarray]]) -> Relit | None:
    """Gains on parts of the canvas as one that a `Fit` holds; None where none changes anything."""
    if not parts:
        return None
    top, left = (min(part[axis].start for part, _ in parts) for axis in (0, 1))
    bottom, right = (max(part[axis].stop for part, _ in parts) for axis in (0, 1))
    whole = np.full((bottom - top + 2, right - left + 2, 3), RELIT_ONE, np.uint8)
    for (rows, columns), gain in parts:
        there = whole[rows.start - top + 1 : rows.stop - top + 1, columns.start - left + 1 : columns.stop - left + 1]
        cv2.copyTo(gain, cv2.absdiff(gain, np.full_like(gain, RELIT_ONE)), there)
    if cv2.norm(whole, np.full_like(whole, RELIT_ONE), cv2.NORM_INF) <= FAINT:
        return None
    return Relit(whole, left - 1, top - 1)


def even(skin: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Bared skin (float32 hxwx3 BGR, 0..255) with its hue brought nearer to that of the face, (3,) BGR, as bright as it
    is."""
    bright = np.maximum(_brightness(skin), 1.0)
    of_face = face / float(_LUMA[0] @ np.maximum(face, 1.0))
    return skin + HUE_OF_FACE * (bright[..., None] * of_face.astype(np.float32) - skin)


def match(skin: np.ndarray, part: tuple[slice, slice], hand: np.ndarray, sure: np.ndarray, near: np.ndarray) -> None:
    """Gives bared skin beside a hand the tone of that hand, in place.

    skin: float32 hxwx3 BGR over the whole canvas, of a whole fraction of its size: `Bare.colour`. Of a part of the
    canvas: hand: float32 HxWx3, its colours; sure: HxW, 0..1, where they are surely those of a hand; near: HxW, 0..1,
    what is beside it.
    """
    step = CANVAS_W // skin.shape[1]
    (top, bottom), (left, right) = ((along.start, along.stop) for along in part)

    def coarse(maps: np.ndarray) -> np.ndarray:
        rims = top % step, -bottom % step, left % step, -right % step
        return cv2.resize(
            cv2.copyMakeBorder(maps, *rims, cv2.BORDER_CONSTANT), None, fx=1.0 / step, fy=1.0 / step,
            interpolation=cv2.INTER_AREA,
        )  # fmt: skip

    window = (SPREAD_PX // step, SPREAD_PX // step)
    colours = cv2.merge([*cv2.split(cv2.multiply(hand, cv2.merge([sure] * 3))), sure])
    colours = cv2.boxFilter(coarse(colours), -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    some = colours[..., 3:]
    rows, columns = slice(top // step, -(-bottom // step)), slice(left // step, -(-right // step))
    there = skin[rows, columns]
    share = LIKE_HAND * coarse(near)[..., None] * (some > SOME)
    there += share * (colours[..., :3] / np.maximum(some, SOME) - there)


def _gain(hand: np.ndarray, cloth: np.ndarray, face: np.ndarray) -> np.ndarray:
    """float32 HxWx3 for a hand's colours and those of the cloth around (float32 HxWx3)."""
    bright, bright_face = _brightness(hand), float(_LUMA[0] @ face)
    lift = ((bright_face / bright) ** LIFT).clip(1.0, MOST_LIFT)
    of_face = (face / bright_face).astype(np.float32)
    hue = hand / bright[..., None]
    unlike = cloth - _brightness(cloth)[..., None] * of_face
    along = ((hue - of_face) * unlike).sum(2) / ((unlike * unlike).sum(2) + EVEN**2)
    evened = (hue - CAST * along.clip(0.0, None)[..., None] * unlike).clip(0.0, None)
    return evened / hue * (lift / cv2.max(_brightness(evened), 0.1))[..., None]


def _brightness(colours: np.ndarray) -> np.ndarray:
    """HxW, of their kind, of HxWx3 BGR, float32 or uint8."""
    return cv2.transform(colours, _LUMA)
