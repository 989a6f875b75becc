"""Floor that was cut out with a garment, and cloth that was left outside, told by all of the photo's colours.

Colours nearby (gaps.py, snap.py) mislead where floor was taken for cloth: it teaches what cloth looks like there. Here
all of the garment and all of the background around it are compared, as two histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mirror.prepare.gaps import LAB_BLACK
from mirror.prepare.grabcut import even_lab, remembered

BINS = (20, 24, 24)
LOWEST, SPAN = np.array([0.0, -72.0, -72.0], np.float32), np.array([100.0, 144.0, 144.0], np.float32)
"""Of the histograms: bins of lightness and of both colours, and the Lab values that they cover."""
BLUR_LIGHT, BLUR_COLOUR = 1.0, 0.7
"""Of the histograms, bins."""
SHADES, SHADE_SHARE = (0.9, 0.8, 0.7, 0.6), 0.5
"""What floor's lightness and colours are multiplied by in the garment's shade; shaded floor is so much rarer."""
RAREST = 2e-5
"""Share of a colour that was never seen."""
CORE, CLEAR, AROUND = 0.04, 0.06, 0.35
"""Of the garment's size (root of its area): what lies so far inside the landmarks' outline is cloth; what lies between
these distances from the garment is its background."""
CLEAR_ODDS, THIN, LEAST_AREA = 1.5, 0.012, 0.001
"""Log odds from which colours are one side's; half the thickness below which a piece is a rim or a crease, of the
garment's size; its least area, of the garment's."""
REACH = 0.12
"""How far outside cloth is looked for, of the garment's size."""
RIM_PX = 2
THIN_HOLE, LEAST_HOLE, SURE_ODDS = 0.007, 0.0006, 2.4
"""The same of pieces that the garment encloses, which may be narrower, and the mean log odds that they must have."""


@dataclass(frozen=True)
class Strays:
    """Pieces that lie on the wrong side of a garment's outline, uint8 HxW 0/1.

    floor: in it, of the background's colours, lit or shaded, and not of its cloth's, touching the outline. cloth:
    beside it, of its cloth's colours and not of the background's, touching it too. odds: float32 HxW, the log odds of
    the background's colours against the cloth's.
    """

    floor: np.ndarray
    cloth: np.ndarray
    odds: np.ndarray


def find_strays(bgr: np.ndarray, solid: np.ndarray, ring: np.ndarray) -> Strays:
    """What seems to lie on the wrong side of an outline.

    bgr: uint8 HxWx3. solid: uint8 HxW 0/1, the garment without its gaps. ring: float64 (n, 2), its outline through the
    landmarks, pixels.
    """
    size = float(np.sqrt(solid.sum()))
    within = np.zeros_like(solid)
    cv2.fillPoly(within, [np.round(ring).astype(np.int32)], 1)
    core = cv2.erode(within & solid, _disc(CORE * size))
    around = cv2.dilate(solid, _square(AROUND * size)) & (1 - cv2.dilate(solid, _square(CLEAR * size)))
    if core.sum() < 50 or around.sum() < 50:
        none = np.zeros_like(solid)
        return Strays(none, none, none.astype(np.float32))
    bins = _bins_of(bgr)
    odds = cv2.GaussianBlur(_odds(_shares(bins[core > 0]), _shares(bins[around > 0]))[bins], (0, 0), 1.5)
    near = cv2.dilate(solid, _square(REACH * size)) & (1 - solid)
    return Strays(_pieces(odds * solid, 1 - solid, size), _pieces(-odds * near, solid, size), odds)


def find_holes(strays: Strays, solid: np.ndarray) -> np.ndarray:
    """uint8 HxW 0/1: like floor, but enclosed by the garment: gaps beside the body, but labels and prints, too.

    strays, solid: as of and for `find_strays`.
    """
    return _pieces(strays.odds * solid, 1 - solid, float(np.sqrt(solid.sum())), enclosed=True)


def _pieces(odds: np.ndarray, other: np.ndarray, size: float, enclosed: bool = False) -> np.ndarray:
    """uint8 HxW 0/1: pieces of clear odds that touch another mask, or such as touch none, with their rims."""
    thin, least, sure = (THIN_HOLE, LEAST_HOLE, SURE_ODDS) if enclosed else (THIN, LEAST_AREA, CLEAR_ODDS)
    clear = cv2.morphologyEx((odds > CLEAR_ODDS).astype(np.uint8), cv2.MORPH_OPEN, _disc(thin * size))
    count, label, stats, _ = cv2.connectedComponentsWithStats(clear)
    area = stats[:, cv2.CC_STAT_AREA]
    mean = np.bincount(label.ravel(), odds.ravel(), count) / np.maximum(area, 1)
    touches = np.bincount(label[cv2.dilate(other, _square(RIM_PX)) > 0], minlength=count) > 0
    kept = (touches != enclosed) & (area > least * size * size) & (mean > sure)
    kept[0] = False
    return cv2.dilate(kept[label].astype(np.uint8), _square(RIM_PX)) & (odds > 0).astype(np.uint8)


def _disc(radius: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, int(radius)) + 1,) * 2)


def _square(radius: float) -> np.ndarray:
    return np.ones((2 * max(1, int(radius)) + 1,) * 2, np.uint8)


@remembered
def _bins_of(bgr: np.ndarray) -> np.ndarray:
    """int64 HxW: in which bin each pixel's colour falls."""
    return _bins(even_lab(bgr))


def _bins(lab: np.ndarray) -> np.ndarray:
    """int64 of the shape of lab (..., 3) without its last: in which bin a colour falls."""
    at = np.clip((lab - LOWEST) / SPAN * BINS, 0, np.array(BINS) - 1).astype(np.int64)
    return (at[..., 0] * BINS[1] + at[..., 1]) * BINS[2] + at[..., 2]


def _shares(bins: np.ndarray) -> np.ndarray:
    """float32 (all bins,): the share of each."""
    counts = np.bincount(bins, minlength=int(np.prod(BINS))).astype(np.float32)
    counts = cv2.GaussianBlur(counts.reshape(BINS[0], -1), (1, 0), sigmaX=1e-3, sigmaY=BLUR_LIGHT)
    planes = np.ascontiguousarray(counts.reshape(BINS).transpose(1, 2, 0))
    return cv2.GaussianBlur(planes, (0, 0), BLUR_COLOUR).transpose(2, 0, 1).reshape(-1) / max(len(bins), 1)


def _odds(cloth: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """float32 (all bins,): log odds of the floor, lit or shaded, against the cloth."""
    seen = np.maximum(floor, SHADE_SHARE * floor[_lit()].max(0))
    return np.log((seen + RAREST) / (cloth + RAREST)).astype(np.float32)


@lru_cache(maxsize=1)
def _lit() -> np.ndarray:
    """int64 (shades, all bins): which bin's colour looks like this one's in each shade."""
    place = np.stack(np.meshgrid(*(np.arange(n) for n in BINS), indexing="ij"), -1).reshape(-1, 3)
    lab = ((place + 0.5) / BINS * SPAN + LOWEST).astype(np.float32)
    return np.stack([_bins((lab + LAB_BLACK) / shade - LAB_BLACK) for shade in SHADES])
