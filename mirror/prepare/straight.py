"""Sleeves that were laid down bent are laid straight.

A fit looks for a sleeve along a line from shoulder to cuff, as it lies on nearly all garments. On a garment whose
sleeves bend at the elbow that line leaves the cloth: forearms would show holes. So the cloth between a sleeve's two
edges is moved, cross-section by cross-section, into a straight sleeve of the same length.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from mirror.garment import LANDMARKS, Garment
from mirror.prepare.contour import outline
from mirror.prepare.matte import premultiplied, straight_alpha

SECTIONS = 48
"""Cross-sections of a sleeve."""
BENT = 0.07
"""A sleeve whose middle line leaves the straight one by more than this share of its length is bent."""
OFF_OUTLINE = 0.04
"""A landmark farther from the outline than this share of the sleeve's length is not on it: nothing is done."""
MOST_DETOUR = 1.8
"""An edge that is longer than its ends are apart by more than this factor is none of a sleeve."""
UPPER_SHARE = 0.45
"""Of a sleeve's length: the upper arm, whose direction the straight sleeve takes."""
LEAST_DEG, MOST_DEG = 22.0, 80.0
"""Between the straight sleeve and the way down: it must not cover the torso, nor reach up."""
BESIDE, BEYOND = 0.04, 0.02
"""Shares of a sleeve's width beside it, and of its length beyond the cuff, that are moved along: the soft rim of the
cut-out."""
MOST_TORN, MOST_LOST = 0.005, 0.06
"""Shares of the garment that may come off it, and that may be missing in the end: a sleeve whose edges were misread."""
NEWTON_STEPS = 6
RIM_PX = 3
FREE_PX = 4
"""Kept free around the garment where a sleeve comes to lie beyond the picture."""


def straightened(garment: Garment) -> Garment:
    """The garment with bent long sleeves laid straight; the same garment where none is."""
    if garment.sleeves != "long":
        return garment
    for side in ("left", "right"):
        garment = _one_straightened(garment, side)
    return garment


def _one_straightened(garment: Garment, side: str) -> Garment:
    edges = _edges(garment, side)
    if edges is None:
        return garment
    outer, inner = edges
    middle = (outer + inner) / 2
    lengths = np.r_[0.0, np.linalg.norm(np.diff(middle, axis=0), axis=1).cumsum()]
    chord = middle[-1] - middle[0]
    across = np.array([-chord[1], chord[0]]) / max(float(np.linalg.norm(chord)), 1.0)
    if np.abs((middle - middle[0]) @ across).max() < BENT * lengths[-1]:
        return garment
    axis = _direction(middle, lengths, side)
    normal = np.array([axis[1], -axis[0]]) * (1.0 if side == "right" else -1.0)  # towards the outer edge
    half = float(np.linalg.norm(outer[-1] - inner[-1])) / 2
    cuff = middle[0] + axis * lengths[-1]
    ends = cuff + normal * half, cuff - normal * half
    return _laid(garment, side, (outer, inner), ends)


def _edges(garment: Garment, side: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A sleeve's outer and inner edge, float64 (SECTIONS, 2) each, picture pixels, from the body to the cuff; None
    where they cannot be told from the outline."""
    edge = outline(garment.picture[..., 3] > 127)
    names = [f"{name}_{side}" for name in ("shoulder", "sleeve_outer", "sleeve_inner", "armpit")]
    points = np.array([garment.point(name) for name in names], np.float64)
    far = np.linalg.norm(edge[None] - points[:, None], axis=2)
    length = float(np.linalg.norm(points[1] - points[0]))
    at = far.argmin(1)
    if far.min(1).max() > OFF_OUTLINE * length:
        return None
    order = [(0, 1), (3, 2)]  # shoulder to outer cuff, armpit to inner cuff
    found = []
    for start, end in order:
        arc = _arc(edge, at[start], at[end], forwards=(side == "right") == (start == 0))
        arc = np.vstack([points[start], arc, points[end]])
        run = np.r_[0.0, np.linalg.norm(np.diff(arc, axis=0), axis=1).cumsum()]
        if run[-1] > MOST_DETOUR * np.linalg.norm(points[end] - points[start]):
            return None
        where = np.linspace(0.0, run[-1], SECTIONS)
        found.append(np.stack([np.interp(where, run, arc[:, k]) for k in (0, 1)], 1))
    return found[0], found[1]


def _arc(edge: np.ndarray, start: int, end: int, forwards: bool) -> np.ndarray:
    """The points of a closed outline from one index to another."""
    if not forwards:
        return _arc(edge, end, start, True)[::-1]
    count = (end - start) % len(edge) + 1
    return edge[(start + np.arange(count)) % len(edge)]


def _direction(middle: np.ndarray, lengths: np.ndarray, side: str) -> np.ndarray:
    """Unit vector along the straight sleeve."""
    elbow = middle[np.searchsorted(lengths, UPPER_SHARE * lengths[-1])] - middle[0]
    outwards = 1.0 if side == "right" else -1.0
    angle = np.degrees(np.arctan2(outwards * elbow[0], elbow[1]))
    angle = np.radians(np.clip(angle, LEAST_DEG, MOST_DEG))
    return np.array([outwards * np.sin(angle), np.cos(angle)])


def _laid(
    garment: Garment, side: str, edges: tuple[np.ndarray, np.ndarray], ends: tuple[np.ndarray, np.ndarray]
) -> Garment:
    """The garment with the cloth between a sleeve's edges moved between straight ones, which end at `ends`; the same
    garment where that would tear it or lose cloth."""
    outer, inner = edges
    height, width = garment.picture.shape[:2]
    low = np.minimum(np.floor(np.min(ends, 0)) - FREE_PX, 0).astype(int)
    high = np.maximum(np.ceil(np.max(ends, 0)) + FREE_PX, [width - 1, height - 1]).astype(int)
    before, after = -low, high - np.array([width - 1, height - 1])
    rims = int(before[1]), int(after[1]), int(before[0]), int(after[0])
    picture = cv2.copyMakeBorder(garment.picture, *rims, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    points = np.vstack([outer, inner, *ends]) + before
    corner = np.maximum(np.floor(points.min(0)).astype(int) - 2 * RIM_PX, 0)
    stop = np.ceil(points.max(0)).astype(int) + 2 * RIM_PX
    part = picture[corner[1] : stop[1], corner[0] : stop[0]]
    shift = before - corner
    part[:] = _moved(part, outer + shift, inner + shift, (ends[0] + shift, ends[1] + shift))
    scraps, whole = _scraps(picture[..., 3]), float((garment.picture[..., 3] > 127).sum())
    torn = float((picture[scraps, 3] > 127).sum())
    picture[scraps] = 0
    if torn > MOST_TORN * whole or float((picture[..., 3] > 127).sum()) < (1.0 - MOST_LOST) * whole:
        return garment

    landmarks = garment.landmarks + before.astype(np.float32)
    for name, end in zip(("sleeve_outer", "sleeve_inner"), ends, strict=True):
        landmarks[LANDMARKS.index(f"{name}_{side}")] = end + before
    within = garment.inner
    if within is not None:
        within = cv2.copyMakeBorder(within, *rims, cv2.BORDER_CONSTANT, value=0)
    return replace(garment, picture=picture, landmarks=landmarks, inner=within)


def _moved(
    picture: np.ndarray, outer: np.ndarray, inner: np.ndarray, ends: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """A part of the garment's picture with the cloth between a sleeve's edges moved; all points are its pixels."""
    corners = np.array([outer[0], inner[0], *ends])
    pre = premultiplied(picture)
    sleeve = _closed(cv2.remap(pre, _sources(picture.shape, corners, outer, inner), None, cv2.INTER_LINEAR), corners)
    left = pre * (1.0 - _taken(picture.shape, outer, inner))[..., None]
    return straight_alpha(left + sleeve * (1.0 - left[..., 3:] / 255.0))  # behind the torso, where they meet


def _closed(sleeve: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A straight sleeve (float32 HxWx4, premultiplied) without holes: a sleeve that was folded where it bent shows the
    floor between its edges, and cloth goes on there."""
    whole = cv2.erode(_filled(sleeve.shape, corners[[0, 2, 3, 1]]), np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8))
    holes = cv2.dilate(((sleeve[..., 3] < 250.0) & (whole > 0)).astype(np.uint8), np.ones((3, 3), np.uint8)) & whole
    if not holes.any():
        return sleeve
    mended = cv2.inpaint(straight_alpha(sleeve)[..., :3].copy(), holes, 3.0, cv2.INPAINT_TELEA)
    closed = sleeve.copy()
    closed[holes > 0] = np.dstack([mended, np.full(holes.shape, 255, np.uint8)])[holes > 0]
    return closed


def _scraps(alpha: np.ndarray) -> np.ndarray:
    """bool HxW: what hangs together with nothing of the garment."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0).astype(np.uint8))
    return labels != 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _filled(shape: tuple[int, ...], polygon: np.ndarray) -> np.ndarray:
    """uint8 HxW: 1 inside a polygon (n, 2)."""
    area = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(area, [np.round(polygon).astype(np.int32)], 1)
    return area


def _sources(shape: tuple[int, ...], corners: np.ndarray, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """float32 HxWx2: where each pixel of the straight sleeve comes from; -9 (outside) for all others.

    corners: (4, 2), of the straight sleeve: shoulder, armpit, outer and inner end of the cuff. Its pixels have
    coordinates along (0 at the body, 1 at the cuff) and across (0 at the outer edge, 1 at the inner), bilinear in the
    corners, found by Newton's method.
    """
    shoulder, armpit, outer_end, inner_end = corners
    near = cv2.dilate(_filled(shape, corners[[0, 2, 3, 1]]), np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8))
    rows, columns = np.nonzero(near)
    pixels = np.stack([columns, rows], 1).astype(np.float64)
    t, s = np.full((2, len(pixels), 1), 0.5)
    for _ in range(NEWTON_STEPS):
        body, cuff = shoulder + s * (armpit - shoulder), outer_end + s * (inner_end - outer_end)
        along, across = cuff - body, (1.0 - t) * (armpit - shoulder) + t * (inner_end - outer_end)
        off = pixels - body - t * along
        det = _cross(along, across)
        det = np.where(np.abs(det) < 1e-6, 1e-6, det)
        t, s = np.clip(t + _cross(off, across) / det, -1.0, 2.0), np.clip(s + _cross(along, off) / det, -1.0, 2.0)
    inside = ((t >= 0.0) & (t <= 1.0 + BEYOND) & (s >= -BESIDE) & (s <= 1.0 + BESIDE))[:, 0]
    t, s = t[inside], s[inside]
    at, sections = np.clip(t[:, 0], 0.0, 1.0) * (SECTIONS - 1), np.arange(SECTIONS)
    a, b = (np.stack([np.interp(at, sections, edge[:, k]) for k in (0, 1)], 1) for edge in (outer, inner))
    last = (outer[-1] + inner[-1] - outer[-2] - inner[-2]) / 2 * (SECTIONS - 1)  # a sleeve's length, as its cuff runs
    sources = np.full((*shape[:2], 2), -9.0, np.float32)
    sources[rows[inside], columns[inside]] = a + s * (b - a) + np.maximum(t - 1.0, 0.0) * last
    return sources


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 1) of (n, 2) and (n, 2)."""
    return a[:, :1] * b[:, 1:] - a[:, 1:] * b[:, :1]


def _taken(shape: tuple[int, ...], outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """float32 HxW: 1 where the bent sleeve lay, with its rim; nothing on the torso's side of shoulder and armpit."""
    area = _filled(shape, np.vstack([outer, inner[::-1]]))
    area = cv2.dilate(area, np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8))
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    root, seam = outer[0], inner[0] - outer[0]
    which = seam[0] * (y - root[1]) - seam[1] * (x - root[0])
    cuff = (outer[-1] + inner[-1]) / 2 - root
    towards = np.sign(seam[0] * cuff[1] - seam[1] * cuff[0])
    return (area * (which * towards > 0)).astype(np.float32)
