"""The one definition of steadiness.

Still stretches are the steps between two pictures in which offline landmarks (found on every picture, then smoothed
without delay) move less than 0.5 camera pixels. There, flicker_px is the movement of the garment in camera pixels,
and flicker_levels the change of its colours (0-255).
"""

from __future__ import annotations

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Fit, Landmark, Person, flow_to_pixels
from mirror.wardrobe import LANDMARKS, Garment

STILL_PX = 0.5
SMOOTHING_FRAMES = 3.0
JOINTS = (
    Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, Landmark.LEFT_ELBOW, Landmark.RIGHT_ELBOW,
    Landmark.LEFT_HIP, Landmark.RIGHT_HIP,
)  # fmt: skip
GRID_PX = 2
"""Camera pixels between the points at which the garment's movement is read."""
EDGE_PX = 5
NEAR_SPOT_PX = 6.0
"""Garment-canvas pixels around a spot of the garment that are taken for it."""
SPOTS_ACROSS, SPOTS_DOWN = np.linspace(-0.4, 0.4, 7), np.linspace(0.05, 0.55, 6)
"""Where on a garment its place is read: shoulder widths from the middle of its shoulders. Many spots between neck,
sleeves and chest, because any of them may be hidden: hair and raised hands lie just before a collar, and what is left
to be seen of a hidden spot is the rim of the hand."""
MAX_LEAN_PX = 2.0
"""Garment-canvas pixels by which what is seen of a spot may lie to one side of it: of a spot behind an arm only a rim
is left, which follows the arm and not the garment."""
STEADY_REACH = 45
"""Pictures to either side (1.5 s) over which the way a garment sits on a body is taken as settled."""
SEEN_SHARE = 0.7
"""Share of these pictures in which a spot must be seen to count: the place of one that is seen for a moment is that of
this very moment, late as it is. With such spots fits known to be 4 pictures late on the pan lagged by 8.1 px in the
median instead of 12.8; without them by 13.2."""


def still_steps(landmarks: np.ndarray) -> np.ndarray:
    """bool (N-1,): no joint moves more than STILL_PX from picture i to i+1.

    landmarks: float (N, 33, 3), camera pixels and visibility, of every picture; NaN where nobody was found.
    """
    joints = landmarks[:, list(JOINTS)]
    positions = joints[..., :2].astype(np.float64)
    radius = int(3 * SMOOTHING_FRAMES)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / SMOOTHING_FRAMES) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(positions, ((radius, radius), (0, 0), (0, 0)), mode="edge")
    smooth = sum(k * padded[i : i + len(positions)] for i, k in enumerate(kernel))
    moved = np.linalg.norm(np.diff(smooth, axis=0), axis=-1)
    counted = np.minimum(joints[1:, :, 2], joints[:-1, :, 2]) > 0.5
    counted[:, :2] = True
    return np.where(counted, moved, 0.0).max(1) < STILL_PX


def lifted(fit: Fit, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The fit on the camera's grid, every GRID_PX: garment-canvas pixels shown there, and coverage.

    size: (width, height) of the camera picture. Returns float32 hxwx2 and hxw.
    """
    grid = np.array([[GRID_PX, 0.0, (GRID_PX - 1) / 2], [0.0, GRID_PX, (GRID_PX - 1) / 2]])
    matrix = fit.crop.matrix
    to_canvas = np.hstack([matrix[:, :2] @ grid[:, :2], matrix[:, :2] @ grid[:, 2:] + matrix[:, 2:]])
    out = (size[0] // GRID_PX, size[1] // GRID_PX)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = cv2.warpAffine(flow_to_pixels(fit.flow), to_canvas, out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return source, cv2.warpAffine(fit.coverage, to_canvas, out, flags=flags)


def movement_px(before: Fit, after: Fit, size: tuple[int, int]) -> float:
    """How far the garment moved between two fits, camera pixels: median over the points that both show.

    A point of the picture shows another place of the garment than before; that difference, brought back to the
    picture by the inverse of the flow's Jacobian, is the movement. NaN where too little is shown.
    """
    (source_a, cover_a), (source_b, cover_b) = lifted(before, size), lifted(after, size)
    shown = (np.minimum(cover_a, cover_b) > 0.9).astype(np.uint8)
    shown = cv2.erode(shown, np.ones((2 * (EDGE_PX // GRID_PX) + 1,) * 2, np.uint8)).astype(bool)
    dy, dx = np.gradient(source_a, axis=(0, 1))
    determinant = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
    shown &= np.abs(determinant) > 1e-2
    if shown.sum() < 200:
        return float("nan")
    change = (source_b - source_a)[shown]
    dx, dy, determinant = dx[shown], dy[shown], determinant[shown]
    x = (dy[:, 1] * change[:, 0] - dy[:, 0] * change[:, 1]) / determinant
    y = (-dx[:, 1] * change[:, 0] + dx[:, 0] * change[:, 1]) / determinant
    return float(np.median(np.hypot(x, y)) * GRID_PX)


def places_shown(fit: Fit, garment: Garment) -> np.ndarray:
    """(K, 2) camera pixels: where the spots on the garment's shoulders and chest are shown; NaN for one that is hidden.

    Each is the mean of the canvas pixels that show the garment near it, and hidden where these lie to one side of it.
    """
    at = {name: garment.canvas_landmarks[LANDMARKS.index(name)] for name in ("shoulder_left", "shoulder_right")}
    right = at["shoulder_right"] - at["shoulder_left"]
    down = np.array([-right[1], right[0]])
    middle = (at["shoulder_left"] + at["shoulder_right"]) / 2
    spots = np.array([middle + a * right + d * down for a in SPOTS_ACROSS for d in SPOTS_DOWN], np.float32)
    source = flow_to_pixels(fit.flow[::2, ::2]).reshape(-1, 2)
    xs, ys = (grid.ravel() for grid in np.meshgrid(np.arange(0, CANVAS_W, 2), np.arange(0, CANVAS_H, 2)))
    far = ((source - spots[:, None]) ** 2).sum(-1)
    near = np.exp(np.maximum(far * (-0.5 / NEAR_SPOT_PX**2), -30.0)) * fit.coverage[::2, ::2].ravel()
    total = near.sum(1)
    near /= np.maximum(total, 1e-6)[:, None]
    canvas = np.stack([near @ xs, near @ ys], 1)
    lean = np.linalg.norm(near @ source - spots, axis=1)
    canvas[(total < 0.25) | (lean > MAX_LEAN_PX)] = np.nan
    inverse = fit.crop.inverse
    return canvas @ inverse[:, :2].T + inverse[:, 2]


def behind_px(garment: np.ndarray, body: np.ndarray, indices: np.ndarray, reach: int = STEADY_REACH) -> np.ndarray:
    """How far the garment is from its place on the body, camera pixels, for each picture; NaN where nothing tells.

    garment: (N, K, 2), where its spots are shown, NaN for hidden ones. body: (N, 2). indices: (N,) numbers of the
    pictures. Each spot's place is its median offset within `reach` pictures: how a garment sits is no lag. The
    garment is off by the median over the spots that are seen, and are in most of those pictures.
    """
    offset = garment - body[:, None]
    known = np.isfinite(offset).all(2)
    out = np.full(len(offset), np.nan)
    for n, index in enumerate(indices):
        near = np.abs(indices - index) <= reach
        seen = known[n] & (known[near].mean(0) >= SEEN_SHARE)
        if seen.any():
            around = offset[near][:, seen]
            out[n] = np.linalg.norm(np.median(offset[n][seen] - np.nanmedian(around, axis=0), axis=0))
    return out


def colour_change(before: np.ndarray, after: np.ndarray, fits: tuple[Fit, Fit]) -> float:
    """Mean absolute change (levels 0-255) of the shown picture where both fits cover it. NaN where nothing is shown.

    before, after: uint8 HxWx3.
    """
    size = (before.shape[1], before.shape[0])
    covers = [lifted(fit, size)[1] for fit in fits]
    shown = np.minimum(*covers) > 0.9
    if not shown.any():
        return float("nan")
    h, w = shown.shape
    a, b = (p[: h * GRID_PX : GRID_PX, : w * GRID_PX : GRID_PX].astype(np.int16) for p in (before, after))
    return float(np.abs(a - b)[shown].mean())


def joints_moved_px(before: Person, after: Person) -> float:
    """Camera pixels by which the joints moved, on average, as the mirror itself smooths them."""
    joints = list(JOINTS)
    return float(np.linalg.norm(after.landmarks[joints, :2] - before.landmarks[joints, :2], axis=1).mean())


def mask_change(before: Person, after: Person) -> float:
    """Mean absolute change of the person's mask (levels 0-255) along its edge. NaN where it has none."""
    low, high = np.minimum(before.mask, after.mask), np.maximum(before.mask, after.mask)
    edge = (low < 0.95) & (high > 0.05)
    return float((high - low)[edge].mean() * 255.0) if edge.any() else float("nan")


def light_change(before: Fit, after: Fit) -> float:
    """Mean absolute change of the light on a white garment (levels 0-255) where both fits show it."""
    shown = np.minimum(before.coverage, after.coverage) > 0.9
    return float(np.abs(after.shading - before.shading)[shown].mean() * 255.0) if shown.any() else float("nan")
