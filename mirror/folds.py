"""Sleeves with the folds of their photo lessened.

A sleeve that lies flat is folded along its length, and narrower than the arm it is worn on: drawn there, light and dark
of its folds were bands from shoulder to wrist, as on marble, and blots on short ones. Prints stay, which differ from a
sleeve by more than its folds, and so does what has a pattern.
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.either import ramp
from mirror.flat import part_distances, sleeves_of
from mirror.garment import Garment

SLIGHT, LESS = 0.04, 0.95
"""How much folds and knitting may stand out, in powers of 2 of the brightness of the cloth around the sleeve there, and
the share that is taken of what is more."""
FOLD = (1.2, 1.8)
"""What stands out by so much is a fold, and from so much on, a print."""
STRONG, HUE, PATTERNED = 0.8, 0.25, (0.07, 0.09)
"""Share of a sleeve that differs from most of it by more than STRONG in brightness, or HUE from one colour channel to
the other, up to which it is plain, and from which it has a pattern, of which nothing is taken: of checks and stripes
0.09 to 0.4, of plain sleeves in poor photos 0.065 at most."""
DARK = 12.0
"""Levels that are added to all colours where they are compared: black cloth is noise."""
FINE = 2.7
"""Pixels to one of the garment canvas at which folds are looked for, at most: crease lines are no wider."""
ONE = 100.0
"""The gain of 1 in 8 bits: none is more than 2.2."""
STEPS = 64
"""Places along a sleeve at which the cloth around it is told."""
ALIKE, ALIKE_REACH = 0.3, 12
"""Cloth that differs by less, powers of 2, so many places on, is no stripe's: it is the same in better light."""
_AROUND, _RIM = np.ones((17, 17), np.uint8), np.ones((5, 5), np.uint8)
"""So far around a garment its colours go on, and so wide its rim is mixed with the ground: pixels at that size."""


def without_folds(garment: Garment, picture: np.ndarray) -> np.ndarray:
    """The garment's picture with the folds of its sleeves lessened; of one without sleeves as it is.

    picture: uint8 HxWx4 BGRA, the garment's, with its colours carried on around it; the answer's
    alpha is 255. 30 ms, whatever its size.
    """
    nearest = part_distances(garment).argmin(0).astype(np.uint8)
    sleeves = sleeves_of(garment, nearest)
    if not sleeves:
        return picture
    finer = max(1, round(garment.to_picture[0, 0] / FINE))
    size = (max(1, picture.shape[1] // finer), max(1, picture.shape[0] // finer))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    to_small = garment.to_picture * (np.array(size) / picture.shape[1::-1])[:, None]
    part = cv2.warpAffine(nearest, to_small, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    front = cv2.resize(garment.picture[..., 3], size, interpolation=cv2.INTER_AREA)
    part[cv2.dilate(front, _AROUND) == 0] = 0
    inner = cv2.erode(front, _RIM)
    colours = cv2.blur(small[..., :3], (3, 3)).astype(np.float32) + DARK
    gain = np.ones_like(colours)
    for k, sleeve in enumerate(sleeves):
        rows, columns = np.nonzero(part == 1 + k)
        at = (np.stack([columns, rows], 1) - to_small[:, 2]) @ np.linalg.inv(to_small[:, :2]).T
        own = colours[rows, columns]
        counts = inner[rows, columns] > 127
        plain = _plain(own[counts])
        if plain:
            usual = _usual(sleeve.coordinates(at)[0], own, counts)
            apart = np.log2(usual / own)
            most = abs(apart).max(1, keepdims=True)
            share = plain * LESS * ramp(most, FOLD[::-1]) * np.maximum(1.0 - SLIGHT / np.maximum(most, 1e-6), 0.0)
            gain[rows, columns] = np.exp2(share * apart)
    # of 8 bits, and with a fourth channel: an eighth of the time
    gain = cv2.cvtColor(cv2.convertScaleAbs(gain, alpha=ONE), cv2.COLOR_BGR2BGRA)
    gain = cv2.resize(gain, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(picture, gain, scale=1.0 / ONE)


def _plain(colours: np.ndarray) -> float:
    """0..1: how surely a sleeve of such colours (n, 3) has no pattern."""
    if not len(colours):
        return 0.0
    apart = np.log2(colours / np.median(colours, axis=0))
    hue = apart - apart.mean(1, keepdims=True)
    other = (abs(apart).max(1) > STRONG) | (abs(hue).max(1) > HUE)
    return float(ramp(np.array(other.mean()), PATTERNED[::-1]))


def _usual(along: np.ndarray, colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """float32 (n, 3): the median colour around a sleeve so far along it.

    along: (n,), 0 at the armhole and 1 at the cuff. colours: (n, 3). counts: bool (n,), some of which are true."""
    step = np.round(along * STEPS).clip(0, STEPS).astype(int)
    of_step = [colours[counts & (step == k)] for k in range(STEPS + 1)]
    at = np.array([k for k, those in enumerate(of_step) if len(those)])
    median = np.array([np.median(of_step[k], axis=0) for k in at])
    apart = abs(np.log2(median[:, None] / median)).max(2)
    alike = (apart < ALIKE) & (abs(at[:, None] - at) <= ALIKE_REACH)
    smooth = alike @ median / alike.sum(1, keepdims=True)
    return np.stack([np.interp(along * STEPS, at, smooth[:, c]) for c in range(3)], 1).astype(np.float32)
