"""A garment cut from its background by colour alone: clusters, a guess of which belong to the border, GrabCut.

Source of the method: C. Rother, V. Kolmogorov, A. Blake, "GrabCut", 2004; the seeds are our own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps

import cv2
import numpy as np

COARSE_SIDE_PX, MIDDLE_SIDE_PX, FINE_SIDE_PX = 200, 300, 420
"""GrabCut's time goes with the open pixels: most is decided on a coarser picture, only the edge on the fine one."""
CLUSTERS = 14
RARE = 0.25
"""Share on the border against that within at which colours are as likely the garment's as the background's."""
LAB_WEIGHTS = np.array([0.7, 1.3, 1.3], np.float32)
"""Lightness counts for less than colour: shadows and folds change it."""
RIM = 0.07
"""Share of the half picture that counts as its border."""
BAND = 0.02
"""Half width of the band along the coarse outline that is decided anew, of the longer side."""
HOOD = 0.5
"""Reach of a hood from the middle of the neck, of the garment's size."""
SURE_INSIDE, SURE_OUTSIDE = 0.09, 0.13
"""How far from a rough outline pixels are taken for granted, of the garment's size; sleeves bend."""


def shrink(bgr: np.ndarray, side: int) -> np.ndarray:
    """The picture with its longer side at most `side` pixels."""
    scale = side / max(bgr.shape[:2])
    return cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else bgr


def lab_of(bgr: np.ndarray) -> np.ndarray:
    """float32 HxWx3 CIE Lab, L 0..100."""
    return cv2.cvtColor(bgr.astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)


def remembered(make: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """What a function makes of a picture (uint8 HxWx3) alone, read-only and kept for the last two pictures: the same
    one is looked at twenty times, from many places."""

    @lru_cache(maxsize=2)
    def made(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        out = make(np.frombuffer(data, np.uint8).reshape(shape))
        out.setflags(write=False)
        return out

    @wraps(make)
    def of(bgr: np.ndarray) -> np.ndarray:
        return made(bgr.tobytes(), bgr.shape)

    return of


@remembered
def even_lab(bgr: np.ndarray) -> np.ndarray:
    """As `lab_of`, float32 HxWx3, with grain and weave evened out."""
    return lab_of(cv2.bilateralFilter(bgr, 5, 20, 3))


def cut(bgr: np.ndarray, reach: float | None = 1.0) -> np.ndarray:
    """uint8 HxW 0/1 at FINE_SIDE_PX: the garment, without holes.

    bgr: uint8 HxWx3. reach: how far from the centre the garment is expected, 1 for one that fills the picture; None for
    about where colours lie that are rare on the border. Empty where nothing was found.
    """
    small = cv2.bilateralFilter(shrink(bgr, COARSE_SIDE_PX), 5, 25, 5)
    chance, prior = seed(small, reach)
    mixtures = np.zeros((2, 1, 65))
    coarse = tidy(_grab(small, _trimap(chance, prior), 4, mixtures))
    if not coarse.any():
        return cv2.resize(coarse, shrink(bgr, FINE_SIDE_PX).shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return tidy(refine(shrink(bgr, FINE_SIDE_PX), coarse, BAND, mixtures))


def cut_within(bgr: np.ndarray, polygon: np.ndarray, crown: np.ndarray) -> np.ndarray:
    """uint8 HxW 0/1: the garment of which a rough outline is known, polygon (n, 2) in pixels of the picture.

    crown: float64 (2,), the middle of the neck; round it a hood or a collar may reach out of the outline.
    """
    middle = shrink(bgr, MIDDLE_SIDE_PX)
    ratio = middle.shape[1] / bgr.shape[1]
    near = np.zeros(middle.shape[:2], np.uint8)
    cv2.fillPoly(near, [np.round(polygon * ratio).astype(np.int32)], 1)
    size = float(np.sqrt(near.sum()))
    if size < 8:
        return np.zeros(bgr.shape[:2], np.uint8)
    inward = cv2.distanceTransform(near, cv2.DIST_L2, 5)
    outward = cv2.distanceTransform(1 - near, cv2.DIST_L2, 5)
    trimap = np.where(near > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[inward > SURE_INSIDE * size] = cv2.GC_FGD
    y, x = np.mgrid[0 : middle.shape[0], 0 : middle.shape[1]]
    head = np.hypot(x - crown[0] * ratio, y - crown[1] * ratio) < HOOD * size
    trimap[(outward > SURE_OUTSIDE * size) & ~head] = cv2.GC_BGD
    mixtures = np.zeros((2, 1, 65))
    return tidy(refine(bgr, tidy(_grab(middle, trimap, 3, mixtures)), BAND, mixtures))


def seed(bgr: np.ndarray, reach: float | None) -> tuple[np.ndarray, np.ndarray]:
    """How likely each pixel is garment: float32 HxW, 0..1; and what its place alone says.

    Colours are put into clusters; a cluster belongs to the garment the more of it lies inside and the less on the
    border; iterated, since what lies inside is not known at first. reach: as for `cut`.
    """
    height, width = bgr.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    u, v = (x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1
    rim = np.minimum(1 - np.abs(u), 1 - np.abs(v)) < RIM
    label, count = _clusters(bgr), min(CLUSTERS, height * width)
    far = _away_from_rare(label, rim, u, v) if reach is None else np.hypot(u, v) / 0.85 - 0.95 * reach
    prior = 1.0 / (1.0 + np.exp(far / 0.12))
    chance = np.where(rim, 0.5 * prior, prior)
    place = np.log((prior + 0.02) / (1.02 - prior))
    for _ in range(12):
        weight = (1.0 - chance) * (1.0 + 3.0 * rim)
        inside = np.bincount(label.ravel(), chance.ravel(), count) / max(chance.sum(), 1e-6)
        outside = np.bincount(label.ravel(), weight.ravel(), count) / max(weight.sum(), 1e-6)
        odds = np.log((inside + 1e-4) / (outside + 1e-4))
        chance = cv2.GaussianBlur(1.0 / (1.0 + np.exp(-(odds[label] + place))), (0, 0), 1.0)
    return chance.astype(np.float32), prior.astype(np.float32)


@remembered
def _clusters(bgr: np.ndarray) -> np.ndarray:
    """int32 HxW: which of CLUSTERS each pixel's colour falls into."""
    colours = (lab_of(bgr) * LAB_WEIGHTS).reshape(-1, 3)
    cv2.setRNGSeed(7)  # the same photo gives the same garment
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 1.0)
    count = min(CLUSTERS, len(colours))
    _, label, _ = cv2.kmeans(colours, count, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.asarray(label).reshape(bgr.shape[:2])


def _away_from_rare(label: np.ndarray, rim: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """float64 HxW, negative inside: how far pixels lie outside the ellipse of what is rare on the border.

    label: HxW, clusters of colours. rim: HxW, the border. u, v: HxW, places, -1..1.
    """
    on = np.bincount(label.ravel(), rim.ravel()) / max(rim.sum(), 1)
    off = np.bincount(label.ravel(), ~rim.ravel()) / max((~rim).sum(), 1)
    rare = (1.0 / (1.0 + (on / (off + 1e-6) / RARE) ** 2))[label] * ~rim
    weight = rare
    for _ in range(6):  # of what is rare the part that lies together
        weight = weight / max(float(weight.sum()), 1e-6)
        centre_u, centre_v = (weight * u).sum(), (weight * v).sum()
        spread_u, spread_v = (np.sqrt((weight * (w - c) ** 2).sum()) + 0.05 for w, c in ((u, centre_u), (v, centre_v)))
        away = np.hypot((u - centre_u) / spread_u, (v - centre_v) / spread_v)
        weight = rare * np.exp(-0.5 * (away / 1.5) ** 2)
    return away / 2.0 - 1.0


def _trimap(chance: np.ndarray, prior: np.ndarray) -> np.ndarray:
    trimap = np.where(chance > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[(chance > 0.97) & (prior > 0.9)] = cv2.GC_FGD
    trimap[(prior < 0.35) & (chance < 0.05)] = cv2.GC_BGD
    edge = np.ones(chance.shape, bool)
    edge[1:-1, 1:-1] = False
    trimap[edge & (chance < 0.6)] = cv2.GC_BGD
    return trimap


def _grab(bgr: np.ndarray, trimap: np.ndarray, rounds: int, mixtures: np.ndarray) -> np.ndarray:
    """GrabCut where both sides are there to learn from; the trimap's own guess where one is missing.

    mixtures: float64 (2, 1, 65), the colours of background and garment, changed in place; they are learned from the
    trimap alone where they are zero, which takes as long as two rounds.
    """
    inside = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    if not 20 < inside.sum() < inside.size - 20:
        return inside.astype(np.uint8)
    open_ = (trimap == cv2.GC_PR_FGD) | (trimap == cv2.GC_PR_BGD) | inside
    x, y, width, height = cv2.boundingRect(open_.astype(np.uint8))
    pad = max(8, max(trimap.shape) // 10)  # what is sure anyway costs time too; some of it is kept to learn from
    part = np.s_[max(0, y - pad) : y + height + pad, max(0, x - pad) : x + width + pad]
    chosen, view = trimap[part].copy(), np.ascontiguousarray(bgr[part])
    cv2.setRNGSeed(7)
    mode = cv2.GC_EVAL if mixtures.any() else cv2.GC_INIT_WITH_MASK
    cv2.grabCut(view, chosen, None, mixtures[0], mixtures[1], rounds, mode)  # type: ignore[call-overload]
    out = np.zeros(trimap.shape, np.uint8)
    out[part] = (chosen == cv2.GC_FGD) | (chosen == cv2.GC_PR_FGD)
    return out


def refine(bgr: np.ndarray, mask: np.ndarray, band: float, mixtures: np.ndarray | None = None) -> np.ndarray:
    """The mask (0/1, any size) decided anew along its outline, at the picture's size; mixtures: as for `_grab`."""
    size = bgr.shape[1::-1]
    wide = (cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5).astype(np.uint8)
    reach = max(2, int(max(size) * band))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    sure, maybe = cv2.erode(wide, disc, borderValue=1), cv2.dilate(wide, disc)
    trimap = np.where(wide > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[sure > 0] = cv2.GC_FGD
    trimap[maybe == 0] = cv2.GC_BGD
    mixtures = np.zeros((2, 1, 65)) if mixtures is None else mixtures
    return _grab(bgr, trimap, 1 if mixtures.any() else 2, mixtures)


def tidy(mask: np.ndarray) -> np.ndarray:
    """The piece of a mask that is large and central, without holes, hangers' hooks and threads."""
    height, width = mask.shape
    reach = max(1, round(max(height, width) * 0.008))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    count, label, stats, centres = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    away = np.hypot(centres[1:, 0] / width - 0.5, centres[1:, 1] / height - 0.5)
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA] * np.exp(-2.0 * away)))
    outlines, _ = cv2.findContours((label == best).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros((height, width), np.uint8), outlines, -1, 1, cv2.FILLED)
