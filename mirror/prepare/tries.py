"""Ways to cut a garment out of its photo, and which of them is the best.

A second core works ahead on what will be asked for next if what is looked at now is not good enough. It decides
nothing, so that the same photo gives the same garment however fast either core is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np

from mirror.prepare import cutout as cutting
from mirror.prepare.contour import trace
from mirror.prepare.cutout import Cutout
from mirror.prepare.decode import PhotoError
from mirror.prepare.gaps import outside_body
from mirror.prepare.judge import (
    CUT_AWAY,
    FLOOR_KEPT,
    Quality,
    beside_body,
    body,
    doubts,
    excellent,
    hopeless,
    left_outside,
    measure,
    merit,
    merit_of,
    overlap,
    polygon,
    strays_of,
    waist,
)
from mirror.prepare.landmarks import Placed, place
from mirror.prepare.network import Network
from mirror.prepare.strays import Strays, find_holes

MIN_PIXELS = 400
"""Of a mask of the working size; less is nothing that could be a garment."""
SAME_CUT = 0.97
"""A cut-out that overlaps an earlier one so far will fare no better: it is not tried (a third of a second)."""
MOST_CUTS = 4
"""Cut-outs tried of a photo: they are most of its time."""
MOST_WITHIN = 0.35
"""Of what mending takes off a cut-out, the share that may lie where landmarks expect cloth."""
Weighed = tuple[Cutout, Placed, Quality, list[str]]
"""A cut-out, its landmarks, the figures of both, and what speaks against them, a clause each."""


def best_cut(photo: np.ndarray, network: Network | None, sleeved: bool | None = None) -> Weighed:
    """The best of a few ways to cut out; the first that raises no doubt ends the search.

    photo, network: as for `prepare`. sleeved: whether the garment has sleeves, if that is known. Raises PhotoError.
    """
    colours = np.ascontiguousarray(photo[..., :3])
    if photo.shape[2] == 4:
        best = _weigh(cutting.by_alpha(photo), sleeved)
    elif network is not None:
        best = _weigh(cutting.by_network(colours, network), sleeved)
    else:
        looks = _Looks(colours, sleeved)
        try:
            best = _best_by_colour(colours, sleeved, looks)
        finally:
            looks.close()
    if best is None:
        raise PhotoError("No garment stands out from the background; lay it on a plain floor of another colour.")
    if best[0].method != cutting.BY_COLOUR:
        return best
    return _along_seams(*best[:2])


def _best_by_colour(colours: np.ndarray, sleeved: bool | None, looks: _Looks) -> Weighed | None:
    """The best of up to MOST_CUTS; None where nothing stands out."""
    best: Weighed | None = None
    left = MOST_CUTS

    def consider(weighed: Weighed | None) -> bool:
        nonlocal best
        if weighed is None:
            return False
        if best is None or _rank(weighed) < _rank(best):
            best = weighed
        return not weighed[3]

    for reach in cutting.REACHES:
        if left < 1:
            break
        before = best
        sure = consider(looks.at(reach))
        left -= 1
        if left and best is not None and best is not before and not (sure and excellent(best[2])):
            again = _again(colours, best[0], best[1])
            sure = consider(_weigh(again, sleeved, best[1].angle)) or sure
            left -= 1
        if left and best is not None and best is not before and not sure and CUT_AWAY in best[3]:
            grown = cutting.grown(best[0], left_outside(best[0]))
            sure = consider(_weigh(grown, sleeved, best[1].angle))
            left -= 1
        if sure:
            break
    return best


class _Looks:
    """First cut-outs by colour of one photo (colours, uint8 HxWx3), asked for in the order of REACHES; `close` it when
    done. The other core begins with the second as soon as the first is doubted, even if mending may help."""

    def __init__(self, colours: np.ndarray, sleeved: bool | None) -> None:
        self._colours, self._sleeved = colours, sleeved
        self._tried: list[np.ndarray] = []
        self._pool = ThreadPoolExecutor(1)
        self._second: Future[Weighed | None] | None = None
        self._closed = False

    def at(self, reach: float | None) -> Weighed | None:
        """None, too, where it is hardly another cut-out than an earlier one."""
        if reach == cutting.REACHES[1] and self._second is not None:
            return self._second.result()
        return self._look(reach)

    def close(self) -> None:
        """What is still looked at ends with its next step, and is not waited for."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, reach: float | None) -> Weighed | None:
        cut = cutting.by_colour(self._colours, reach)
        if self._closed or any(overlap(cut.mask, mask) > SAME_CUT for mask in self._tried):
            return None
        self._tried.append(cut.mask)
        return _weigh(cut, self._sleeved, doubted=self._begin if reach == cutting.REACHES[0] else None)

    def _begin(self) -> None:
        self._second = self._pool.submit(self._look, cutting.REACHES[1])


def _weigh(
    cut: Cutout, sleeved: bool | None, near: float | None = None, doubted: Callable[[], None] | None = None
) -> Weighed | None:
    """A cut-out with its landmarks, mended where that helps; None where hardly anything was cut out.

    near: about how far it must be turned, radians, if that is known. doubted: called as soon as something speaks
    against it, even if mending may help.
    """
    if cut.mask.sum() < MIN_PIXELS:
        return None
    placed = place(cut.opened, near, sleeved)
    gaps = outside_body(cut.gaps, body(placed.points))
    gaps = outside_body(gaps, waist(placed.points), 1.0)
    if placed.sleeves != "long":  # whose armpits are less sure
        gaps = outside_body(gaps, polygon(placed.points), 1.0)
    if gaps.sum() < cut.gaps.sum():
        cut = replace(cut, gaps=gaps)
        placed = replace(place(cut.opened, placed.angle, sleeved), turned_score=placed.turned_score)
    strays = strays_of(cut, placed)
    quality = measure(cut, placed, strays)
    found = doubts(quality, placed)
    if found and doubted is not None:
        doubted()
    if cut.method == cutting.BY_COLOUR and (CUT_AWAY in found or FLOOR_KEPT in found):
        cut, placed, quality = _mended(cut, placed, quality, strays, sleeved)
        found = doubts(quality, placed)
    if found and sleeved is None and placed.sleeves == "none":  # short sleeves that lie along the body
        other = place(cut.opened, placed.angle, True)
        better = None if hopeless(other) else measure(cut, other)
        if better is not None and not doubts(better, other):
            placed, quality, found = other, better, []
    return cut, placed, quality, found


def _rank(weighed: Weighed) -> tuple[int, float]:
    """The lower, the better."""
    return len(weighed[3]), -merit(weighed[2])


def _along_seams(cut: Cutout, placed: Placed) -> Weighed:
    """A cut-out whose outline bends as the seams between its landmarks do, with the gaps beside long sleeves that only
    all colours tell, judged anew."""
    cut, strays = cutting.along_seams(cut, polygon(placed.points)), None
    if placed.sleeves == "long":
        strays = strays_of(cut, placed)
        beside = beside_body(find_holes(strays, cut.solid), placed)
        if beside.any():
            cut, strays = replace(cut, gaps=cut.gaps | beside), None
    placed = replace(placed, contour=trace(cut.opened))
    quality = measure(cut, placed, strays)
    return cut, placed, quality, doubts(quality, placed)


def _mended(
    cut: Cutout, placed: Placed, quality: Quality, strays: Strays, sleeved: bool | None
) -> tuple[Cutout, Placed, Quality]:
    """The cut-out without strays; as it was where that is no better, or takes off what landmarks say is cloth."""
    mended = cutting.mended(cut, strays)
    if mended.mask.sum() < MIN_PIXELS:
        return cut, placed, quality
    moved = replace(place(mended.opened, placed.angle, sleeved), turned_score=placed.turned_score)
    within = np.zeros_like(mended.mask)
    cv2.fillPoly(within, [np.round(polygon(moved.points)).astype(np.int32)], 1)
    off = cut.solid & (1 - mended.solid)
    worse = merit_of(mended, moved) <= merit(quality)
    if worse or float((off & within).sum()) > MOST_WITHIN * float(off.sum()):
        return cut, placed, quality
    return mended, moved, measure(mended, moved)


def _again(colours: np.ndarray, cut: Cutout, placed: Placed) -> Cutout:
    """Cut anew around the landmarks found: what lies far from them was background."""
    ratio = colours.shape[1] / cut.mask.shape[1]
    return cutting.by_outline(colours, polygon(placed.points) * ratio)
