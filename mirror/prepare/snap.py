"""A garment's outline moved to the edge that is nearby: the best closed path through a band along it.

GrabCut knows one set of colours for the whole background and one for the whole garment, so shaded floor and the pattern
of a carpet stick to the outline here and there. Here the colours nearby decide, shade is told from cloth, and the
outline bends as a seam does, not as pixels do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from mirror.prepare.contour import curve_along, outline, resample, smooth
from mirror.prepare.gaps import NEAR, local_misfit
from mirror.prepare.grabcut import even_lab, lab_of, remembered, tidy

REACH = 0.030
"""How far the outline may move, of the garment's size (root of its area)."""
STEP_PX = 1.5
"""Distance of the places along the outline that move."""
SHADES = (1.0, 0.92, 0.84, 0.76, 0.68)
"""What lightness and colours of a floor are multiplied by where the garment shades it: cube roots of the light left."""
SHADE_COST = 6.0
"""Log density that a full shade costs: floor is mostly lit."""
MOST_ODDS = 2.0
EDGE_WEIGHT = 3.0
"""What a clear edge counts, in the log odds of one pixel."""
CLEAR_EDGE = 14.0
"""Lab units a pixel that make an edge as clear as can be."""
BEND_COST = 0.8
"""Of a move by one pixel from place to place."""
FORBIDDEN = 1e3
STRAY, STRAY_COST = 0.010, 30.0
"""Of the garment's size: how far an outline is off a smooth curve where it does not follow it; and what it costs to
leave such a curve by all the reach."""
SHORTEST, ENDS = 24, 8
"""Places along the outline: shorter seams are left as they are, and so is what lies so near the ends of others."""


def snap(bgr: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mask (uint8 HxW 0/1, one piece without holes) with its outline moved to the edges of bgr (uint8 HxWx3)."""
    line = outline(mask)
    line = smooth(resample(line, max(60, int(_length(line) / STEP_PX))), 2.0)
    return _moved(bgr, mask, _odds(bgr, mask), line, 0.0)


def snap_to(bgr: np.ndarray, mask: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """As `snap`, but from the line that seams take: smooth from corner to corner.

    A rag of carpet is an edge as good as a hem's, but no seam bends like it. corners: float64 (12, 2), the ring of
    landmarks, neck to neck, pixels; nothing is assumed of the outline between the first and the last.
    """
    odds = _odds(bgr, mask)
    moved = _moved(bgr, mask, odds, _seams(outline(mask), corners, float(np.sqrt(mask.sum()))), STRAY_COST)
    gained = moved & (1 - mask)  # a fold of the hem shows floor in a notch
    count, label = cv2.connectedComponents(gained)
    total = np.bincount(label.ravel(), odds.ravel(), count)
    total[0] = 0.0
    return tidy(moved & (total <= 0.0)[label].astype(np.uint8))


def _seams(line: np.ndarray, corners: np.ndarray, size: float) -> np.ndarray:
    """The outline (n, 2) as curves of third degree from corner to corner, where it is nearly one."""
    line = smooth(resample(line, max(60, int(_length(line) / STEP_PX))), 2.0)
    at = np.linalg.norm(line[None] - corners[:, None], axis=2).argmin(1)
    steps = (at - np.roll(at, 1)) % len(line)
    if steps[1:].sum() >= len(line):  # they lie against the clock, or out of order
        at = at[::-1]
        steps = (at - np.roll(at, 1)) % len(line)
        if steps[1:].sum() >= len(line):
            return line
    out = line.copy()
    for start, count in zip(at[:-1], steps[1:], strict=True):
        if count < SHORTEST:
            continue
        index = (start + np.arange(count + 1)) % len(line)
        part = line[index]
        curve = curve_along(part, 4, STRAY * size)
        if np.percentile(np.linalg.norm(part - curve, axis=1), 75) < STRAY * size:
            blend = np.clip(np.minimum(np.arange(count + 1), np.arange(count, -1, -1)) / ENDS, 0.0, 1.0)[:, None]
            out[index] = part + blend * (curve - part)
    return resample(smooth(out, 1.0), len(line))


def _moved(bgr: np.ndarray, mask: np.ndarray, odds: np.ndarray, line: np.ndarray, stray_cost: float) -> np.ndarray:
    """The mask whose outline is the best closed path along a line (n, 2), with a cost of straying from it.

    odds: of `_odds`.
    """
    reach = _reach(mask)
    tangent = np.roll(line, -3, 0) - np.roll(line, 3, 0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    offsets = np.arange(-reach, reach + 1)
    at = line[:, None] + offsets[None, :, None] * normal[:, None]
    place_x, place_y = (np.ascontiguousarray(at[..., i], np.float32) for i in (0, 1))
    along = cv2.remap(odds, place_x, place_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    across = [cv2.remap(e, place_x, place_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for e in _edges(bgr)]
    clear = np.sqrt(sum((e[..., 0] * normal[:, None, 0] + e[..., 1] * normal[:, None, 1]) ** 2 for e in across))
    cost = np.cumsum(np.clip(along, -MOST_ODDS, MOST_ODDS), 1)  # what is inside ought to be cloth
    cost = cost - EDGE_WEIGHT * np.minimum(clear / CLEAR_EDGE, 1.0) + stray_cost * (offsets / reach) ** 2
    on = (at >= 0).all(2) & (at[..., 0] <= mask.shape[1] - 1) & (at[..., 1] <= mask.shape[0] - 1)
    cost[~on & (offsets > 0)] = FORBIDDEN
    moved = smooth(line + _path(cost)[:, None] * normal, 1.0)
    out = np.zeros_like(mask)
    cv2.fillPoly(out, [np.round(moved).astype(np.int32)], 1)
    return tidy(out)


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1).sum())


def _reach(mask: np.ndarray) -> int:
    """Pixels that a mask's outline may move."""
    return max(3, round(REACH * float(np.sqrt(mask.sum()))))


def _odds(bgr: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """float32 HxW: log odds of the background nearby, lit or shaded, against the cloth nearby."""
    size, reach = float(np.sqrt(mask.sum())), _reach(mask)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    inside = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1,) * 2))
    outside = 1 - cv2.dilate(mask, disc)
    if inside.sum() < 50 or outside.sum() < 50:
        return np.zeros(mask.shape, np.float32)
    lab = even_lab(bgr)
    with ThreadPoolExecutor(1) as other:  # on the other core
        cloth = other.submit(local_misfit, lab, inside, NEAR * size)
        behind, weight = local_misfit(lab, outside, NEAR * size, SHADES, SHADE_COST)
        within, _ = cloth.result()
    return np.where(weight > 2e-3, within - behind, 0.0).astype(np.float32)


@remembered
def _edges(bgr: np.ndarray) -> np.ndarray:
    """float32 3xHxWx2: the gradient of each channel of Lab, units a pixel."""
    lab = cv2.GaussianBlur(lab_of(bgr), (0, 0), 0.9)
    return np.stack(
        [
            np.dstack([cv2.Sobel(c, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(c, cv2.CV_32F, 0, 1, scale=0.125)])
            for c in cv2.split(lab)
        ]
    )


def _path(cost: np.ndarray) -> np.ndarray:
    """The cheapest closed path through cost (places, offsets): an offset in pixels for each place."""
    count, width = cost.shape
    twice = np.vstack([cost, cost, cost[: count // 4]])  # the seam is forgotten within a round
    total = np.full((len(twice), width + 2), np.inf)  # of the cheapest way to each place and offset
    total[0, 1:-1] = twice[0]
    side, bend = np.empty(width), np.full(width, BEND_COST)
    rows = zip(total[:-1, :-2], total[:-1, 1:-1], total[:-1, 2:], twice[1:], total[1:, 1:-1], strict=True)
    for left, straight, right, there, out in rows:
        np.minimum(left, right, side)
        np.add(side, bend, side)
        np.minimum(side, straight, side)
        np.add(side, there, out)
    came = np.stack([total[:-1, :-2] + BEND_COST, total[:-1, 1:-1], total[:-1, 2:] + BEND_COST]).argmin(0) - 1
    moves = came.tolist()  # steps through a list take a tenth of the time
    path = [int(total[-1, 1:-1].argmin())]
    for move in reversed(moves):
        path.append(path[-1] + move[path[-1]])
    start = count // 2
    return np.roll(path[::-1][start : start + count], start).astype(np.float64) - width // 2
