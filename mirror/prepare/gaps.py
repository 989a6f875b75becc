"""Background seen through a garment: the gaps between sleeves and body."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.prepare.grabcut import even_lab, remembered

NEAR = 0.10
"""Reach of the local colour models, of the square root of the garment's area (its size, below)."""
MIN_AREA = 0.0008
MAX_SHARE = 0.25
"""More than this share of a garment cannot be gaps: then garment and background are too alike to tell."""
MOST_PIECES = 8
"""A garment has two sleeves, each with one gap or, folded, a few; more are squares and flowers of its cloth."""
BODY_SHRINK = 0.84
STEEP = 40.0
"""Colours that change this fast (Sobel, Lab) are an edge even in a busy pattern."""
SLIT_REACH = 0.4
"""How far a gap may be from the outside to be opened to it, in sizes."""
THINNED = 4
"""The local colour models are smooth: they are made of one pixel in so many, both ways."""
LAB_NOISE = np.array([5.0, 2.5, 2.5], np.float32)
LAB_BLACK = np.array([16.0, 0.0, 0.0], np.float32)
"""Lab plus this is multiplied by the cube root of the light."""


def find_gaps(bgr: np.ndarray, mask: np.ndarray, cloth: np.ndarray | None = None) -> np.ndarray:
    """uint8 HxW 0/1: pieces inside the mask that look like the background nearby and unlike the garment nearby.

    bgr: uint8 HxWx3; mask: uint8 HxW 0/1, without holes. cloth: uint8 HxW 0/1, where the garment surely is, if known:
    a large gap then does not pass for a colour of the garment.
    """
    size = float(np.sqrt(mask.sum()))
    odds = background_odds(bgr, mask, mask if cloth is None else cloth & mask, size)
    rough = ((odds > 1.0) & (mask > 0)).astype(np.uint8)
    rough = cv2.morphologyEx(rough, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) & mask
    solid = cv2.morphologyEx(rough, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    steep = _steepness(bgr)
    usual = min(STEEP, float(np.median(steep[mask > 0])) + 1.0) if mask.any() else 1.0
    inland = cv2.erode(mask, np.ones((9, 9), np.uint8))  # the mask's own border is an edge of nothing
    count, label, stats, _ = cv2.connectedComponentsWithStats(solid)
    kept, pieces = np.zeros_like(mask), 0
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] < MIN_AREA * size * size:
            continue
        piece = (label == i).astype(np.uint8)
        thick = cv2.distanceTransform(piece, cv2.DIST_L2, 3).max() >= 1.5
        rim = (cv2.dilate(piece, np.ones((5, 5), np.uint8)) - cv2.erode(piece, np.ones((3, 3), np.uint8))) & inland
        edged = rim.any() and np.median(steep[rim > 0]) > 1.5 * usual  # a gap ends in an edge, a faded print does not
        if thick and edged and odds[piece > 0].mean() > 3.0:
            kept |= piece
            pieces += 1
    if pieces > MOST_PIECES or kept.sum() > MAX_SHARE * mask.sum():
        return np.zeros_like(mask)
    grown = cv2.dilate(kept, np.ones((3, 3), np.uint8)) & ((odds > 0) & (mask > 0)).astype(np.uint8)
    return kept | grown


def outside_body(gaps: np.ndarray, body: np.ndarray, shrink: float = BODY_SHRINK) -> np.ndarray:
    """The gaps without those that lie mostly on the body: those are prints or plackets of the background's colour.

    body: float64 (n, 2), its outline, pixels. shrink: what it is made smaller by first.
    """
    inside = np.zeros_like(gaps)
    centre = body.mean(0)
    cv2.fillPoly(inside, [np.round(centre + shrink * (body - centre)).astype(np.int32)], 1)
    count, label = cv2.connectedComponents(gaps)
    total, within = np.bincount(label.ravel(), minlength=count), np.bincount(label[inside > 0], minlength=count)
    kept = within < 0.5 * total
    kept[0] = False
    return kept[label].astype(np.uint8)


def background_odds(bgr: np.ndarray, mask: np.ndarray, cloth: np.ndarray, size: float) -> np.ndarray:
    """float32 HxW: log odds that a pixel has the colour of the background near it rather than of the garment."""
    reach = max(2, int(0.012 * size))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    inside, outside = cv2.erode(cloth, disc), 1 - cv2.dilate(mask, disc)
    if inside.sum() < 50 or outside.sum() < 50:
        return np.full(mask.shape, -9.0, np.float32)
    lab = even_lab(bgr)
    behind, weight = local_misfit(lab, outside, NEAR * size)
    within, _ = local_misfit(lab, inside, NEAR * size)
    return np.where(weight > 2e-3, within - behind, -9.0).astype(np.float32)


def local_misfit(
    lab: np.ndarray, where: np.ndarray, sigma: float, shades: tuple[float, ...] = (1.0,), shade_cost: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """How badly each pixel fits the colours of `where` around it (a Gaussian a channel), and their weight there.

    lab: float32 HxWx3; where: uint8 HxW 0/1; sigma: pixels. shades: what those colours may be multiplied by, each at
    the cost of its distance from 1 times `shade_cost`; the best counts.
    """
    full = lab.shape[1::-1]
    small = (max(1, full[0] // THINNED), max(1, full[1] // THINNED))
    part = cv2.copyTo(lab, where)
    count, sums, squares = (
        cv2.GaussianBlur(cv2.resize(m, small, interpolation=cv2.INTER_AREA), (0, 0), max(0.5, sigma / THINNED))
        for m in (where.astype(np.float32), part, part * lab)
    )
    weight = count[..., None] + 1e-6
    mean = sums / weight
    spread = np.sqrt(np.maximum(squares / weight - mean * mean, 0.0)) + LAB_NOISE
    noise = np.log(spread).sum(2)
    mean, spread, noise, weight = (
        cv2.resize(m, full, interpolation=cv2.INTER_LINEAR) for m in (mean, 1.0 / spread, noise, weight)
    )
    if shades == (1.0,):
        off = np.subtract(lab, mean, mean)  # in place wherever it can be: new pages take longer than sums
        off *= spread
        off *= off
        misfit = cv2.transform(off, np.full((1, 3), 0.5, np.float32))
        misfit += noise
        return misfit, weight
    seen, usual = (lab + LAB_BLACK) * spread, np.add(mean, LAB_BLACK, mean)
    usual *= spread
    one = np.ones((1, 3), np.float32)
    both = cv2.transform(np.multiply(seen, usual, spread), one)
    own, theirs = (cv2.transform(np.multiply(m, m, m), one) for m in (seen, usual))
    best, other = np.full_like(both, np.inf), np.empty_like(both)
    for shade in shades:  # the squared distance of seen from shade * usual
        misfit = (0.5 * shade * shade) * theirs
        misfit -= np.multiply(both, shade, other)
        misfit += np.float32(shade_cost * (1.0 - shade))
        cv2.min(best, misfit, best)
    own *= 0.5
    best += own
    best += noise
    return best, weight


@remembered
def _steepness(bgr: np.ndarray) -> np.ndarray:
    """float32 HxW: gradient of the colours."""
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    return np.sqrt((cv2.Sobel(lab, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(lab, cv2.CV_32F, 0, 1) ** 2).sum(2))


def open_gaps(mask: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """The mask without its gaps, an enclosed gap joined to the outside by a slit, so that one outline tells all.

    A gap between sleeve and body is closed below, where the cuff touches the body: the slit runs on along the gap's
    own direction, to whichever side is nearer. For finding landmarks only; no slit is cut into the garment.
    """
    size = float(np.sqrt(mask.sum()))
    out = mask & (1 - gaps)
    beyond = mask == 0
    count, label = cv2.connectedComponents(gaps)
    for i in range(1, count):
        piece = (label == i).astype(np.uint8)
        if (cv2.dilate(piece, np.ones((3, 3), np.uint8)) > 0)[beyond].any():
            continue
        way = _way_out(piece, beyond, size)
        if way is not None:
            cv2.line(out, way[0], way[1], 0, 3)
    count, label, stats, _ = cv2.connectedComponentsWithStats(out, connectivity=4)
    return (label == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])).astype(np.uint8) if count > 1 else mask


def _way_out(piece: np.ndarray, beyond: np.ndarray, size: float) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """From an end of an elongated piece straight on to the outside, or None where that is far."""
    ys, xs = np.nonzero(piece)
    points = np.stack([xs, ys], 1).astype(np.float64)
    centred = points - points.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    if len(points) < 3 or values[1] < 1.7 * values[0]:
        return None
    axis = vectors[:, 1]
    steps = np.arange(1.0, 0.5 * size)
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for end in (1.0, -1.0):
        tip = points[np.argmax(end * (centred @ axis))]
        for lean in np.radians([-25, -15, -8, 0, 8, 15, 25]):
            c, s = np.cos(lean), np.sin(lean)
            way = end * np.array([axis[0] * c - axis[1] * s, axis[0] * s + axis[1] * c])
            at = np.rint(tip + steps[:, None] * way).astype(int)
            on = (at >= 0).all(1) & (at[:, 0] < beyond.shape[1]) & (at[:, 1] < beyond.shape[0])
            out = np.ones(len(at), bool)
            out[on] = beyond[at[on, 1], at[on, 0]]
            if out.any():
                far = steps[np.argmax(out)]
                if best is None or far * (1 + 0.5 * abs(lean)) < best[0]:
                    best = (far * (1 + 0.5 * abs(lean)), tip, tip + way * (far + 2))
    if best is None or best[0] > SLIT_REACH * size:
        return None
    (x0, y0), (x1, y1) = np.rint(best[1]).astype(int).tolist(), np.rint(best[2]).astype(int).tolist()
    return (x0, y0), (x1, y1)
