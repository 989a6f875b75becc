"""Garment: what one garment is, as it lies flat, and how it lies on its canvas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W

LANDMARKS = (
    "neck_left", "neck_right", "neck_front",
    "shoulder_left", "shoulder_right",
    "sleeve_outer_left", "sleeve_outer_right",
    "sleeve_inner_left", "sleeve_inner_right",
    "armpit_left", "armpit_right",
    "hem_left", "hem_right",
)  # fmt: skip
"""Rows of `Garment.landmarks`; left and right as the viewer of the flat garment sees them. A garment without sleeves
has sleeve_outer at the shoulder and sleeve_inner at the armpit."""
KINDS = ("tshirt", "longsleeve", "shirt", "polo", "tank", "jumper", "hoodie")
SLEEVES = ("none", "short", "long")
CANVAS_MARGIN = 0.04
"""Free share of the canvas around a garment laid on it, on the tighter side."""


def lay(mask: np.ndarray) -> np.ndarray:
    """Where a cut-out lies on its 256 x 192 canvas: it fills it, centred, upright, at one scale both ways.

    mask: HxW, non-zero where the garment is. Returns float64 2x3, canvas pixels -> picture pixels. One function for
    the live mirror and for training. The garment's size is read from its landmarks beside it.
    """
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, x1, y0, y1 = xs[0], xs[-1] + 1, ys[0], ys[-1] + 1
    room = 1.0 - 2.0 * CANVAS_MARGIN
    scale = max((x1 - x0) / (CANVAS_W * room), (y1 - y0) / (CANVAS_H * room))  # picture pixels a canvas pixel
    centre = np.array([(x0 + x1 - 1) / 2.0, (y0 + y1 - 1) / 2.0])
    canvas_centre = np.array([(CANVAS_W - 1) / 2.0, (CANVAS_H - 1) / 2.0])
    return np.hstack([np.eye(2) * scale, (centre - canvas_centre * scale)[:, None]])


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment of the wardrobe, as it lies flat.

    slug: its folder's name. name: shown to people. kind: of KINDS. sleeves: of SLEEVES.
    picture: uint8 HxWx4 BGRA, straight alpha. inner: uint8 HxW mask of the inside of the back collar, or None.
    landmarks: float32 (13, 2), picture pixels, rows as LANDMARKS.
    """

    slug: str
    name: str
    kind: str
    sleeves: str
    picture: np.ndarray
    inner: np.ndarray | None
    landmarks: np.ndarray

    @cached_property
    def to_picture(self) -> np.ndarray:
        """float64 2x3: garment-canvas pixels -> pixels of `picture`."""
        return lay(self.picture[..., 3] > 127)

    @cached_property
    def canvas(self) -> np.ndarray:
        """uint8 256x192x4 BGRA: the garment on its canvas (area-filtered)."""
        # premultiplied, so that no background bleeds in; reduced by area first, so that the warp skips no pixels
        alpha = cv2.extractChannel(self.picture, 3)
        share = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
        # four channels at once: a tenth of the time of three
        pre = cv2.multiply(self.picture, share, scale=1.0 / 255.0)
        matrix = self.to_picture
        shrink = 1.0 / max(matrix[0, 0], 1.0)
        size = (max(1, round(pre.shape[1] * shrink)), max(1, round(pre.shape[0] * shrink)))
        reduced = cv2.resize(pre, size, interpolation=cv2.INTER_AREA)
        ratio = np.array([reduced.shape[1] / pre.shape[1], reduced.shape[0] / pre.shape[0]])
        to_reduced = matrix * ratio[:, None]
        to_reduced[:, 2] += 0.5 * ratio - 0.5  # both count from pixel centres
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(reduced, to_reduced, (CANVAS_W, CANVAS_H), flags=flags, borderValue=(0, 0, 0, 0))
        straight = laid[..., :3] * (255.0 / np.maximum(laid[..., 3:], 1))
        return np.dstack([np.clip(straight, 0, 255).astype(np.uint8), laid[..., 3]])

    @cached_property
    def canvas_front(self) -> np.ndarray:
        """float32 256x192, 0..1: the garment's outline on its canvas without the inside of the back collar, which lies
        behind the neck."""
        front = self.canvas[..., 3].astype(np.float32) / 255.0
        if self.inner is not None:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            inner = cv2.warpAffine(self.inner, self.to_picture, (CANVAS_W, CANVAS_H), flags=flags)
            front *= 1.0 - inner.astype(np.float32) / 255.0
        return front

    @cached_property
    def canvas_landmarks(self) -> np.ndarray:
        """float32 (13, 2): the landmarks in garment-canvas pixels."""
        a = np.linalg.inv(self.to_picture[:, :2])
        return ((self.landmarks - self.to_picture[:, 2]) @ a.T).astype(np.float32)

    def point(self, name: str) -> np.ndarray:
        """float32 (2,): a landmark by its name, picture pixels."""
        return self.landmarks[LANDMARKS.index(name)]


def colours_bled(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A garment's colours carried outwards over the whole canvas, so that no warp samples the white around it.

    colour: uint8 256x192x3, any order. mask: uint8 256x192. Returns uint8 256x192x3. The outermost ring of the mask,
    where the cut-out is mixed with what was behind it, takes its neighbours' colour too.
    """
    inside = cv2.erode((mask > 127).astype(np.uint8), np.ones((3, 3), np.uint8))
    if inside.sum() < MIN_INSIDE_PX:
        inside = (mask > 127).astype(np.uint8)
    if not inside.any():
        return colour.copy()
    _, nearest = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    table[nearest[inside > 0]] = colour[inside > 0]
    return table[nearest]


MIN_INSIDE_PX = 50
"""A mask that erodes to less is used as it is."""
