"""A photo -> the garment's mask and the gaps in it: by a network, by the file's transparency, or by colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.prepare import grabcut
from mirror.prepare.gaps import find_gaps, open_gaps
from mirror.prepare.network import Network
from mirror.prepare.snap import snap, snap_to
from mirror.prepare.strays import Strays

BY_COLOUR, BY_ALPHA = "GrabCut", "the file's own transparency"
REACHES = (1.0, None, 0.8)
"""How far from the picture's centre the garment is expected, in the order in which it is tried; None: about where
colours lie that are rare on the border."""
MIN_HOLE = 0.0006
"""Smaller holes that a network leaves are noise; share of the garment."""


@dataclass(frozen=True)
class Cutout:
    """mask: uint8 HxW 0/1 without holes; gaps: uint8 HxW 0/1, what of it is background after all; picture: uint8
    HxWx3 BGR of the same size; method: how it was cut, for people."""

    mask: np.ndarray
    gaps: np.ndarray
    picture: np.ndarray
    method: str

    @property
    def opened(self) -> np.ndarray:
        """The mask with its gaps open to the outside, for finding landmarks."""
        return open_gaps(self.mask, self.gaps)

    @property
    def solid(self) -> np.ndarray:
        """The mask without its gaps: the garment."""
        return self.mask & (1 - self.gaps)


def by_colour(photo: np.ndarray, reach: float | None) -> Cutout:
    """Cut by GrabCut; the mask is empty where nothing stands out."""
    picture = grabcut.shrink(photo, grabcut.FINE_SIDE_PX)
    mask = _snapped(picture, grabcut.cut(photo, reach))
    return Cutout(mask, _gaps(picture, mask), picture, BY_COLOUR)


def by_outline(photo: np.ndarray, polygon: np.ndarray) -> Cutout:
    """Cut by GrabCut with the garment's outline known roughly: polygon (n, 2), pixels of the photo."""
    picture = grabcut.shrink(photo, grabcut.FINE_SIDE_PX)
    ratio = picture.shape[1] / photo.shape[1]
    crown = (polygon[0] + polygon[-1]) / 2 * ratio  # the ring of landmarks begins and ends at the neck
    mask = _snapped(picture, grabcut.cut_within(picture, polygon * ratio, crown))
    cloth = np.zeros_like(mask)
    cv2.fillPoly(cloth, [np.round(polygon * ratio).astype(np.int32)], 1)
    gaps = find_gaps(picture, mask, cloth) if mask.any() else np.zeros_like(mask)
    return Cutout(mask, gaps, picture, BY_COLOUR)


def grown(cut: Cutout, cloth: np.ndarray) -> Cutout:
    """A cut-out by colour cut anew, with what was left outside of it: cloth, uint8 HxW 0/1, of its size."""
    joined = cv2.morphologyEx(cut.mask | cloth, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    mask = _snapped(cut.picture, grabcut.tidy(grabcut.refine(cut.picture, grabcut.tidy(joined), grabcut.BAND)))
    return Cutout(mask, _gaps(cut.picture, mask), cut.picture, cut.method)


def mended(cut: Cutout, strays: Strays) -> Cutout:
    """A cut-out by colour without the floor in it and with the cloth that was left outside."""
    mask = cv2.morphologyEx((cut.mask & (1 - strays.floor)) | strays.cloth, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    mask = _snapped(cut.picture, grabcut.tidy(mask & (1 - strays.floor)))
    return Cutout(mask, (cut.gaps | strays.floor) & mask & (1 - strays.cloth), cut.picture, cut.method)


def along_seams(cut: Cutout, corners: np.ndarray) -> Cutout:
    """A cut-out by colour whose outline follows smooth seams between corners (12, 2), the ring of its landmarks."""
    mask = snap_to(cut.picture, cut.mask, corners)
    return Cutout(mask, cut.gaps & mask, cut.picture, cut.method)


def by_network(photo: np.ndarray, network: Network) -> Cutout:
    """Cut by rembg."""
    return _from_mask(photo, network.mask(photo), network.name)


def by_alpha(photo: np.ndarray) -> Cutout:
    """Cut as the file itself says: photo is HxWx4."""
    return _from_mask(photo[..., :3], (photo[..., 3] > 127).astype(np.uint8), BY_ALPHA)


def _from_mask(photo: np.ndarray, found: np.ndarray, method: str) -> Cutout:
    picture = grabcut.shrink(photo, grabcut.FINE_SIDE_PX)
    found = cv2.resize(found, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    mask = grabcut.tidy(found)
    holes = _large(mask & (1 - found), MIN_HOLE * mask.sum())
    return Cutout(mask, holes, picture, method)


def _snapped(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return snap(picture, mask) if mask.any() else mask


def _gaps(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return find_gaps(picture, mask) if mask.any() else np.zeros_like(mask)


def _large(mask: np.ndarray, area: float) -> np.ndarray:
    count, label, stats, _ = cv2.connectedComponentsWithStats(mask)
    keep = np.r_[False, stats[1:count, cv2.CC_STAT_AREA] >= area]
    return keep[label].astype(np.uint8)
