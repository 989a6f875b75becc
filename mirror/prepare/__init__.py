"""A photo of a garment -> a garment of the wardrobe: `prepare`."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mirror.garment_folder import MIN_SIDE_PX
from mirror.prepare import cutout as cutting
from mirror.prepare.contour import trace
from mirror.prepare.cutout import Cutout
from mirror.prepare.daylight import evened
from mirror.prepare.decode import PhotoError, load_photo
from mirror.prepare.gaps import outside_body
from mirror.prepare.judge import (
    CUT_AWAY,
    FLOOR_KEPT,
    Quality,
    beside_body,
    body,
    doubts,
    excellent,
    in_order,
    left_outside,
    measure,
    polygon,
    strays_of,
    through_neck,
    waist,
)
from mirror.prepare.landmarks import Placed, from_points, place
from mirror.prepare.matte import premultiplied, soften, straight_alpha
from mirror.prepare.neckline import crown, find_neckline, hanger
from mirror.prepare.network import Network
from mirror.prepare.straight import straightened
from mirror.prepare.strays import Strays
from mirror.wardrobe import KINDS, LANDMARKS, Garment

MARGIN = 0.03
"""Free share around the garment in its picture."""
HOOD_CROWN = 0.9
"""Cloth that reaches this far above the neck points, in widths of the neck, is a hood."""
MIN_PIXELS = 400
"""Of a mask of the working size; less is nothing that could be a garment."""
SAME_CUT = 0.97
"""A cut-out that overlaps an earlier one so far will fare no better: it is not tried (a third of a second)."""
MOST_CUTS = 4
"""Cut-outs tried of a photo: they are most of its time."""
MOST_WITHIN = 0.35
"""Of what mending takes off a cut-out, the share that may lie where landmarks expect cloth."""
LEVEL_DEG = 1.0
"""A garment turned by less stays as it is: turning costs sharpness."""
KIND_OF_SLEEVES = {"none": "tank", "short": "tshirt", "long": "longsleeve"}
Weighed = tuple[Cutout, Placed, Quality, list[str]]
"""A cut-out, its landmarks, the figures of both, and what speaks against them, a clause each."""
SLEEVES_OF_KIND = {"tank": ("none",), "tshirt": ("short",), "longsleeve": ("long",), "hoodie": ("long", "short")}


@dataclass(frozen=True)
class Prepared:
    """A photo read as a garment.

    garment: what would be added. doubts: what speaks against it, a clause each; empty means it can be trusted.
    points: float64 (13, 2), the landmarks in pixels of `photo`. photo: uint8 HxWx3, as decoded. outline: uint8 HxW
    0/1 of the photo's size. method: how it was cut out. quality: the figures behind the doubts.
    """

    garment: Garment
    doubts: tuple[str, ...]
    points: np.ndarray
    photo: np.ndarray
    outline: np.ndarray
    method: str
    quality: Quality


def prepare(
    photo: np.ndarray,
    slug: str,
    name: str,
    kind: str | None = None,
    network: Network | None = None,
    landmarks: np.ndarray | None = None,
) -> Prepared:
    """Cut out, set upright, find landmarks, judge, lay bent sleeves straight, even the light.

    photo: uint8 HxWx3 BGR or HxWx4 BGRA, from `load_photo`. kind: of KINDS, or None to tell it from the sleeves.
    network: cuts out instead of GrabCut. landmarks: float64 (13, 2) in the photo's pixels, given by a person: they
    settle what is doubtful. Raises PhotoError where nothing like a garment is found.
    """
    own_alpha = photo.shape[2] == 4
    colours = np.ascontiguousarray(photo[..., :3])
    found: list[str] = []
    if landmarks is not None:
        cut, placed = _given(photo, network, landmarks)
        quality = measure(cut, placed)
    else:
        cut, placed, quality, found = _search(photo, network, None if kind is None else kind != "tank")
    sleeves = placed.sleeves
    chosen, kind = kind, kind or KIND_OF_SLEEVES[sleeves]
    if landmarks is None and sleeves not in SLEEVES_OF_KIND.get(kind, (sleeves,)):
        found = [*found, f"its sleeves look {'short' if sleeves == 'short' else sleeves}, unlike a {kind}'s"]
    soft = soften(colours, cut.solid)
    if own_alpha:
        soft = np.dstack([colours, np.minimum(photo[..., 3], (soft[..., 3] > 0) * np.uint8(255))])
    ratio = colours.shape[1] / cut.solid.shape[1]
    points = (placed.points + 0.5) * ratio - 0.5
    flat = Garment(slug, name, kind, sleeves, soft, None, points)
    garment, to_picture = _upright(soft, points, placed.angle, flat)
    if min(garment.picture.shape[:2]) < MIN_SIDE_PX:
        raise PhotoError(f"The garment is under {MIN_SIDE_PX} pixels a side; use a larger photo, or go nearer.")
    garment, points = _neck(garment, points, to_picture)
    if landmarks is None and hanger(garment.picture, garment.point("neck_left"), garment.point("neck_right")):
        found = [*found, "a hanger seems to stick out of its neck"]
    if landmarks is None and not found and through_neck(cut, placed):
        found = [*found, "the background shows in the opening of its neck"]
    if chosen is None and sleeves == "long":
        high = crown(garment.picture, garment.point("neck_left"), garment.point("neck_right"))
        garment = replace(garment, kind="hoodie") if high > HOOD_CROWN else garment
    if not in_order(garment.landmarks):
        found = [*found, "its landmarks lie out of order"]
    outline = cv2.resize(cut.solid, colours.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return Prepared(evened(straightened(garment)), tuple(found), points, colours, outline, cut.method, quality)


def _search(photo: np.ndarray, network: Network | None, sleeved: bool | None = None) -> Weighed:
    """The best of a few ways to cut out; the first that raises no doubt ends the search. sleeved: if that is known."""
    best: Weighed | None = None
    left = MOST_CUTS
    colours = np.ascontiguousarray(photo[..., :3])

    def consider(weighed: Weighed | None) -> bool:
        nonlocal best
        if weighed is None:
            return False
        if best is None or _rank(weighed) < _rank(best):
            best = weighed
        return not weighed[3]

    if photo.shape[2] == 4:
        consider(_weigh(cutting.by_alpha(photo), sleeved))
    elif network is not None:
        consider(_weigh(cutting.by_network(colours, network), sleeved))
    else:
        tried: list[np.ndarray] = []

        def look(reach: float | None) -> Weighed | None:
            cut = cutting.by_colour(colours, reach)
            if any(_overlap(cut.mask, mask) > SAME_CUT for mask in tried):
                return None
            tried.append(cut.mask)
            return _weigh(cut, sleeved)

        pool = ThreadPoolExecutor(1)  # the other core looks at the next reach meanwhile
        ahead: Future[Weighed | None] | None = None
        for after, reach in enumerate(cutting.REACHES, 1):
            if left < 1:
                break
            now, ahead = ahead, None
            if now is not None and left > 1 and after < len(cutting.REACHES):
                ahead = pool.submit(look, cutting.REACHES[after])
            before = best
            sure = consider(look(reach) if now is None else now.result())
            left -= 1
            if not sure and after == 1:
                ahead = pool.submit(look, cutting.REACHES[after])
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
        pool.shutdown(wait=False, cancel_futures=True)
    if best is None:
        raise PhotoError("No garment stands out from the background; lay it on a plain floor of another colour.")
    if best[0].method != cutting.BY_COLOUR:
        return best
    return _along_seams(*best[:2])


def _weigh(cut: Cutout, sleeved: bool | None, near: float | None = None) -> Weighed | None:
    """A cut-out with its landmarks, mended where that helps; None where hardly anything was cut out.

    near: about how far it must be turned, radians, if that is known.
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
    if cut.method == cutting.BY_COLOUR and (CUT_AWAY in found or FLOOR_KEPT in found):
        cut, placed, quality = _mended(cut, placed, quality, strays, sleeved)
        found = doubts(quality, placed)
    if found and sleeved is None and placed.sleeves == "none":  # short sleeves that lie along the body
        other = place(cut.opened, placed.angle, True)
        better = measure(cut, other)
        if not doubts(better, other):
            placed, quality, found = other, better, []
    return cut, placed, quality, found


def _rank(weighed: Weighed) -> tuple[int, float]:
    """The lower, the better."""
    return len(weighed[3]), -_merit(weighed[2])


def _along_seams(cut: Cutout, placed: Placed) -> Weighed:
    """A cut-out whose outline bends as the seams between its landmarks do, with the gaps beside long sleeves that only
    all colours tell, judged anew."""
    cut = cutting.along_seams(cut, polygon(placed.points))
    if placed.sleeves == "long":
        cut = replace(cut, gaps=cut.gaps | beside_body(strays_of(cut, placed).holes, placed))
    placed = replace(placed, contour=trace(cut.opened))
    quality = measure(cut, placed)
    return cut, placed, quality, doubts(quality, placed)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum()) / max(1.0, float((a | b).sum()))


def _merit(quality: Quality) -> float:
    """Which of two cut-outs with equally many doubts is the better one."""
    return quality.score + 30.0 * quality.agreement + 10.0 * quality.contrast


def _mended(
    cut: Cutout, placed: Placed, quality: Quality, strays: Strays, sleeved: bool | None
) -> tuple[Cutout, Placed, Quality]:
    """The cut-out without strays; as it was where that is no better, or takes off what landmarks say is cloth."""
    mended = cutting.mended(cut, strays)
    if mended.mask.sum() < MIN_PIXELS:
        return cut, placed, quality
    moved = replace(place(mended.opened, placed.angle, sleeved), turned_score=placed.turned_score)
    better = measure(mended, moved)
    within = np.zeros_like(mended.mask)
    cv2.fillPoly(within, [np.round(polygon(moved.points)).astype(np.int32)], 1)
    off = cut.solid & (1 - mended.solid)
    if _merit(better) <= _merit(quality) or float((off & within).sum()) > MOST_WITHIN * float(off.sum()):
        return cut, placed, quality
    return mended, moved, better


def _again(colours: np.ndarray, cut: Cutout, placed: Placed) -> Cutout:
    """Cut anew around the landmarks found: what lies far from them was background."""
    ratio = colours.shape[1] / cut.mask.shape[1]
    return cutting.by_outline(colours, polygon(placed.points) * ratio)


def _given(photo: np.ndarray, network: Network | None, landmarks: np.ndarray) -> tuple[Cutout, Placed]:
    """The cut-out and placement that a person's landmarks (photo pixels) lead to."""
    colours = np.ascontiguousarray(photo[..., :3])
    if photo.shape[2] == 4:
        cut = cutting.by_alpha(photo)
    elif network is not None:
        cut = cutting.by_network(colours, network)
    else:
        cut = cutting.by_outline(colours, polygon(landmarks))
    if cut.mask.sum() < MIN_PIXELS:
        raise PhotoError("These landmarks enclose no garment; they are pixels of the photo, the right way up.")
    return cut, from_points(cut.opened, landmarks * (cut.mask.shape[1] / colours.shape[1]))


def _upright(soft: np.ndarray, points: np.ndarray, angle: float, garment: Garment) -> tuple[Garment, np.ndarray]:
    """The garment turned upright and cropped, and the 2x3 map from the photo's pixels to its picture's."""
    angle = 0.0 if abs(np.degrees(angle)) < LEVEL_DEG else angle
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    ys, xs = np.nonzero(soft[..., 3])
    on = np.stack([xs, ys], 1) @ turn.T
    low, high = on.min(0), on.max(0)
    margin = np.ceil(MARGIN * (high - low).max()) + 1
    shift = np.round(margin - low) if angle == 0.0 else margin - low
    size = np.ceil(high - low + 2 * margin).astype(int) + 1
    to_picture = np.hstack([turn, shift[:, None]])
    flags = cv2.INTER_NEAREST if angle == 0.0 else cv2.INTER_CUBIC
    turned = cv2.warpAffine(
        premultiplied(soft), to_picture, tuple(size.tolist()), flags=flags, borderValue=(0, 0, 0, 0)
    )
    picture = straight_alpha(turned)
    there = points @ turn.T + shift
    there = np.clip(there, 0, size - 1.0)
    return replace(garment, picture=picture, landmarks=there.astype(np.float32)), to_picture


def _neck(garment: Garment, points: np.ndarray, to_picture: np.ndarray) -> tuple[Garment, np.ndarray]:
    """neck_front filled in where it is not known (both in the picture and in the photo), and the collar's inside."""
    row = LANDMARKS.index("neck_front")
    left, right = garment.point("neck_left"), garment.point("neck_right")
    length = float(np.linalg.norm((garment.point("hem_left") + garment.point("hem_right") - left - right) / 2))
    front, inner = find_neckline(garment.picture, left, right, length)
    landmarks, points = garment.landmarks.copy(), points.copy()
    if np.isnan(points[row]).any():
        height, width = garment.picture.shape[:2]
        landmarks[row] = np.clip(front, 0, [width - 1, height - 1])
        points[row] = np.linalg.inv(to_picture[:, :2]) @ (front - to_picture[:, 2])
    return replace(garment, landmarks=landmarks, inner=inner), points


__all__ = ["KINDS", "PhotoError", "Prepared", "load_photo", "prepare"]
