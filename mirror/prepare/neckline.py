"""The front edge of the neckline, and the inside of the back collar that is seen above it."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.prepare.opening import find_front

TRIED_AROUND = np.linspace(-0.04, 0.04, 5)
"""Depths about the one found at which the neckline's form is looked for, in widths of the neck."""
MOST_EDGE = 4.0
"""An edge that is steeper than so many times the chest's usual steepness counts no more."""
SAMPLES = 41
CLEAR_EDGE = 1.5
"""How much steeper than elsewhere on the chest the colours must be along the neckline to believe in it."""
DEEP, COLLAR_CROWN = 0.15, 0.38
"""A neckline deeper than this, in lengths of the garment, is believed in without a clear edge: nothing but what it sees
makes the network say so. Not where cloth reaches so high above the neck points, in widths of the neck: the leaves of a
collar lie in front."""
DEEPEST = 1.2
"""How far below the neck points colours are looked at, in widths of the neck."""
HANGER_CROWN, HANGER_COLOUR = 0.30, 22.0
"""What reaches so far above the neck points, in widths of the neck, and differs so much from the chest (Lab units of
the medians) is a hanger rather than a collar."""
FORMS = (2.2, 1.15, 1.5, 1.8, 3.5)
"""Exponents of the neckline forms that are tried: a crew or scoop neck, a V, two whose sides bow, and a deep U."""


def find_neckline(
    bgra: np.ndarray, neck_left: np.ndarray, neck_right: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Where the neckline's front is lowest (float64 (2,)), and the mask of the collar's inside above it or None.

    bgra: uint8 HxWx4, the garment upright. neck_*: its landmarks there, pixels. length: from neck to hem, pixels.
    A network tells how deep it is; the form is the one whose edge is steepest about there.
    """
    width = float(np.linalg.norm(neck_right - neck_left))
    aside, depth = find_front(bgra, neck_left, neck_right, length)
    steep = _steepness(bgra, neck_left, neck_right, width)
    chest = _chest(steep, bgra, neck_left, neck_right, width)
    tried = [_curve(neck_left, neck_right, depth + more, form, aside) for form in FORMS for more in TRIED_AROUND]
    edges = np.array([_edge(steep, bgra, curve, chest) for curve in tried]).reshape(len(FORMS), -1)
    curve = _curve(neck_left, neck_right, depth, FORMS[int(edges.mean(1).argmax())], aside)
    deep = depth * width > DEEP * length and crown(bgra, neck_left, neck_right) < COLLAR_CROWN
    return curve[SAMPLES // 2], _inside(bgra, curve, width) if deep or edges.max() >= CLEAR_EDGE else None


def _edge(steep: np.ndarray, bgra: np.ndarray, curve: np.ndarray, chest: float) -> float:
    """How steep colours are along a neckline against the chest; 0 where it leaves the garment."""
    values, inside = _along(steep, bgra, curve)
    return float(np.mean(np.minimum(values, MOST_EDGE * chest))) / chest if inside >= 0.8 else 0.0


def crown(bgra: np.ndarray, left: np.ndarray, right: np.ndarray) -> float:
    """How far the garment reaches above the middle of its neck points, in widths of the neck."""
    x, y = (left + right) / 2
    column = bgra[: max(0, int(y)), np.clip(int(x), 0, bgra.shape[1] - 1), 3] > 127
    return float(column.sum()) / max(float(np.linalg.norm(right - left)), 1.0)


def hanger(bgra: np.ndarray, left: np.ndarray, right: np.ndarray) -> bool:
    """Whether what stands above the neck (as for `find_neckline`) looks like a hanger that was cut out too."""
    if crown(bgra, left, right) <= HANGER_CROWN:
        return False
    width = float(np.linalg.norm(right - left))
    lab = cv2.cvtColor(bgra[..., :3].astype(np.float32) / 255.0, cv2.COLOR_BGR2LAB)
    medians = []
    for top, bottom in ((-width, 0.0), (0.3 * width, 1.2 * width)):
        part = np.zeros(bgra.shape[:2], np.uint8)
        corners = np.add([left, right, right, left], [[0, bottom], [0, bottom], [0, top], [0, top]])
        cv2.fillPoly(part, [np.round(corners).astype(np.int32)], 1)
        colours = lab[(part > 0) & (bgra[..., 3] > 127)]
        if len(colours) == 0:
            return False
        medians.append(np.median(colours, axis=0))
    return float(np.linalg.norm(medians[0] - medians[1])) > HANGER_COLOUR


def _curve(left: np.ndarray, right: np.ndarray, depth: float, form: float, aside: float = 0.0) -> np.ndarray:
    """float64 (SAMPLES, 2): from the left to the right neck point, hanging down by `depth` widths; the lowest point
    lies `aside` widths to the right of the middle."""
    t = np.linspace(-1.0, 1.0, SAMPLES)
    width = np.linalg.norm(right - left)
    across = (right - left) / max(width, 1e-6)
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2
    hangs = 1 - np.abs(t) ** form
    return middle + ((t / 2 + hangs * aside) * width)[:, None] * across + (hangs * depth * width)[:, None] * down


def _steepness(bgra: np.ndarray, left: np.ndarray, right: np.ndarray, width: float) -> np.ndarray:
    """float32 HxW: how fast colours change from above to below, at the scale of a collar's seam; 0 far from the neck,
    where nobody looks."""
    blur = max(0.8, 0.02 * width)
    middle, down = (left + right) / 2, DEEPEST * np.array([left[1] - right[1], right[0] - left[0]])
    seen = np.array([left, right, left + down, right + down, *(middle + width * np.array([[-1.0, 0.0], [1.0, 1.5]]))])
    rim = 5.0 * blur + 8.0  # what blurring and the gradient look at besides
    low = np.maximum(np.floor(seen.min(0) - rim).astype(int), 0)
    high = np.maximum(np.ceil(seen.max(0) + rim).astype(int), 0)
    near = np.s_[low[1] : high[1], low[0] : high[0]]
    change = np.zeros(bgra.shape[:2], np.float32)
    if change[near].size:
        lab = cv2.cvtColor(np.ascontiguousarray(bgra[near][..., :3]), cv2.COLOR_BGR2LAB).astype(np.float32)
        lab = cv2.GaussianBlur(lab, (0, 0), blur)
        change[near] = np.sqrt((cv2.Sobel(lab, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(lab, cv2.CV_32F, 0, 1) ** 2).sum(2))
    solid = cv2.erode((bgra[..., 3] > 127).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2)
    return change * solid


def _chest(steep: np.ndarray, bgra: np.ndarray, left: np.ndarray, right: np.ndarray, width: float) -> float:
    """The usual steepness of the cloth under the neck."""
    x, y = ((left + right) / 2).round().astype(int)
    reach = max(2, int(width / 2))
    window = np.s_[max(0, y) : y + 3 * reach, max(0, x - 2 * reach) : x + 2 * reach]
    values = steep[window][bgra[window][..., 3] > 200]
    return float(values.mean()) + 1.0 if values.size else 1.0


def _along(steep: np.ndarray, bgra: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, float]:
    """Steepness at the curve's inner points, and the share of them that lie on the garment."""
    at = curve[4:-4].round().astype(int)
    on = (at >= 0).all(1) & (at[:, 0] < steep.shape[1]) & (at[:, 1] < steep.shape[0])
    at = at[on]
    solid = bgra[at[:, 1], at[:, 0], 3] > 127
    return steep[at[:, 1], at[:, 0]], float(solid.sum()) / (SAMPLES - 8)


def _inside(bgra: np.ndarray, curve: np.ndarray, width: float) -> np.ndarray | None:
    """uint8 HxW 0/255: the garment above the neckline and between the neck points; None where that is next to none."""
    above = np.vstack([curve, curve[-1] - [0, width], curve[0] - [0, width]])
    mask = np.zeros(bgra.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(above * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = np.minimum(mask, bgra[..., 3])
    return mask if (mask > 127).sum() > 0.02 * width * width else None
