"""A photo of a garment -> a garment of the wardrobe: `prepare`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mirror.garment_folder import MIN_SIDE_PX
from mirror.prepare import cutout as cutting
from mirror.prepare.cutout import Cutout
from mirror.prepare.daylight import evened
from mirror.prepare.decode import PhotoError, load_photo
from mirror.prepare.judge import Quality, in_order, measure, polygon, through_neck
from mirror.prepare.landmarks import Placed, from_points
from mirror.prepare.matte import premultiplied, soften, straight_alpha
from mirror.prepare.neckline import crown, find_neckline, hanger
from mirror.prepare.network import Network
from mirror.prepare.straight import straightened
from mirror.prepare.tries import MIN_PIXELS, best_cut
from mirror.wardrobe import KINDS, LANDMARKS, Garment

MARGIN = 0.03
"""Free share around the garment in its picture."""
HOOD_CROWN = 0.9
"""Cloth that reaches this far above the neck points, in widths of the neck, is a hood."""
CUBIC_PX = 3
"""What cubic interpolation reaches beyond a picture's edge, generously."""
LEVEL_DEG = 1.0
"""A garment turned by less stays as it is: turning costs sharpness."""
KIND_OF_SLEEVES = {"none": "tank", "short": "tshirt", "long": "longsleeve"}
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
        cut, placed, quality, found = best_cut(photo, network, None if kind is None else kind != "tank")
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
    on = soft[..., 3] > 0
    rows = np.nonzero(on.any(1))[0]
    first, last = on[rows].argmax(1), on.shape[1] - 1 - on[rows, ::-1].argmax(1)
    ends = np.stack([np.r_[first, last], np.r_[rows, rows]], 1)
    low, high = (ends @ turn.T).min(0), (ends @ turn.T).max(0)
    margin = np.ceil(MARGIN * (high - low).max()) + 1
    shift = np.round(margin - low) if angle == 0.0 else margin - low
    size = np.ceil(high - low + 2 * margin).astype(int) + 1
    to_picture = np.hstack([turn, shift[:, None]])
    flags = cv2.INTER_NEAREST if angle == 0.0 else cv2.INTER_CUBIC
    (left, top), (right, bottom) = np.maximum(ends.min(0) - CUBIC_PX, 0), ends.max(0) + CUBIC_PX + 1
    moved = to_picture.copy()  # of the garment's own part of the photo
    moved[:, 2] += turn @ [left, top]
    part = premultiplied(soft[top:bottom, left:right])
    turned = cv2.warpAffine(part, moved, tuple(size.tolist()), flags=flags, borderValue=(0, 0, 0, 0))
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
