"""Whether what was found on a photo can be trusted, in figures and in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.prepare.cutout import Cutout
from mirror.prepare.landmarks import Placed
from mirror.wardrobe import LANDMARKS

RING = (
    "neck_left", "shoulder_left", "sleeve_outer_left", "sleeve_inner_left", "armpit_left", "hem_left",
    "hem_right", "armpit_right", "sleeve_inner_right", "sleeve_outer_right", "shoulder_right", "neck_right",
)  # fmt: skip
"""The landmarks in their order around the garment."""
MIN_AREA = 0.04


@dataclass(frozen=True)
class Quality:
    """Figures of a cut-out with landmarks; what they are checked against stands in LIMITS.

    area: share of the picture. score: log density of the landmarks under the shape model. border: share of the
    outline that lies on the picture's edge. agreement: overlap (intersection over union) of the garment with the
    polygon of its landmarks. lopsided: how much the lengths of the two halves differ, 0 for equal ones.
    contrast: share of the outline at which garment and background differ.
    """

    area: float
    score: float
    border: float
    agreement: float
    lopsided: float
    contrast: float


def polygon(points: np.ndarray) -> np.ndarray:
    """float64 (12, 2): landmarks (13, 2) as one outline."""
    return np.array([points[LANDMARKS.index(name)] for name in RING])


def body(points: np.ndarray) -> np.ndarray:
    """float64 (8, 2): the outline of the garment without its sleeves."""
    parts = ("neck", "shoulder", "armpit", "hem")
    ring = [f"{part}_left" for part in parts] + [f"{part}_right" for part in reversed(parts)]
    return np.array([points[LANDMARKS.index(name)] for name in ring])


def measure(cutout: Cutout, placed: Placed) -> Quality:
    """The figures."""
    solid = cutout.solid
    height, width = solid.shape
    outline = placed.contour.points
    edge = 2.5
    on_edge = (outline < edge).any(1) | (outline[:, 0] > width - 1 - edge) | (outline[:, 1] > height - 1 - edge)
    drawn = np.zeros_like(solid)
    cv2.fillPoly(drawn, [np.round(polygon(placed.points)).astype(np.int32)], 1)
    overlap = float((drawn & solid).sum()) / max(1.0, float((drawn | solid).sum()))
    return Quality(
        area=float(solid.sum()) / solid.size,
        score=placed.score,
        border=float(on_edge.mean()),
        agreement=overlap,
        lopsided=_lopsided(placed),
        contrast=_contrast(cutout, placed),
    )


def _lopsided(placed: Placed) -> float:
    """The largest relative difference of a length on the left and on the right."""
    differences = []
    pairs = (("neck", "shoulder"), ("shoulder", "sleeve_outer"), ("shoulder", "hem"), ("sleeve_outer", "sleeve_inner"))
    whole = float(np.linalg.norm(placed.point("shoulder_left") - placed.point("hem_left")))
    for a, b in pairs:
        left = np.linalg.norm(placed.point(f"{a}_left") - placed.point(f"{b}_left"))
        right = np.linalg.norm(placed.point(f"{a}_right") - placed.point(f"{b}_right"))
        differences.append(abs(float(left - right)) / max(whole, 1e-6))
    return float(max(differences))


def _contrast(cutout: Cutout, placed: Placed) -> float:
    """Share of the outline with a clear step of colour from a little inside to a little outside."""
    lab = cv2.cvtColor(cutout.picture, cv2.COLOR_BGR2LAB).astype(np.float32)
    lab = cv2.GaussianBlur(lab, (0, 0), 1.5)
    reach = 0.018 * placed.contour.scale
    values = []
    for sign in (-1.0, 1.0):
        at = placed.contour.points + sign * reach * placed.contour.normal
        x = np.clip(at[:, 0], 0, lab.shape[1] - 1).astype(np.float32)
        y = np.clip(at[:, 1], 0, lab.shape[0] - 1).astype(np.float32)
        values.append(cv2.remap(lab, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0])
    step = np.linalg.norm(values[0] - values[1], axis=1)
    return float((step > 14.0).mean())


def excellent(quality: Quality) -> bool:
    """So good that another try is not worth its time."""
    return quality.score > 55.0 and quality.agreement > 0.93 and quality.contrast > 0.97


def doubts(quality: Quality, placed: Placed) -> list[str]:
    """What speaks against it, a clause each; empty means it is trusted."""
    found = []
    long = placed.sleeves == "long"
    if quality.area < MIN_AREA:
        found.append("hardly anything stands out from the background")
    if quality.border > (0.16 if not long else 0.14):
        found.append("the garment is cut off by the picture's edge")
    if quality.score < (35.0 if long else 39.0):
        found.append("the outline does not look like a garment spread out")
    if quality.agreement < (0.72 if long else 0.87):
        found.append("the outline has parts that belong to no sleeve or body")
    if quality.lopsided > (0.30 if long else 0.20):
        found.append("its two halves differ")
    if quality.contrast < 0.8:
        found.append("garment and background are too alike")
    return found


def in_order(landmarks: np.ndarray) -> bool:
    """Whether the landmarks (13, 2) of an upright garment lie as the wardrobe wants them: left of right, top down."""
    at = dict(zip(LANDMARKS, landmarks, strict=True))
    across = all(at[f"{p}_left"][0] < at[f"{p}_right"][0] - 1 for p in ("neck", "shoulder", "armpit", "hem"))
    down = all(at[f"shoulder_{s}"][1] < at[f"armpit_{s}"][1] - 1 < at[f"hem_{s}"][1] - 2 for s in ("left", "right"))
    return bool(across and down)
