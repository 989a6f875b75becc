"""The arithmetic around MediaPipe's two pose networks: region of interest, anchors, decoding. Pure numpy.

After MediaPipe Pose (BlazePose, Bazarevsky et al., arXiv 2006.10204), as its published graphs put the networks
together: a detector finds a person's hip centre and a point that gives size and turn; a landmark network looks at the
square around them, gives 33 landmarks, a mask, and the two points from which the next picture's square follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

DETECTOR_PX, LANDMARK_PX, HEATMAP_PX = 224, 256, 64
"""Sides of the detector's and the landmark network's square inputs, and of the landmark heatmaps."""
ANCHOR_GRIDS = ((28, 2), (14, 2), (7, 6))
"""The detector's anchors: cells a side, anchors a cell (2254 in all); their size is fixed to the whole input."""
ROI_SCALE = 1.25
MIN_DETECTION, MIN_TRACKING = 0.5, 0.5
SAME_PERSON_IOU = 0.3
REFINE_RADIUS, REFINE_MIN = 3, 0.5
LANDMARKS, LANDMARKS_AND_ALIGNMENT = 33, 39
_WINDOW = np.arange(-REFINE_RADIUS, REFINE_RADIUS + 1)


@dataclass(frozen=True)
class Roi:
    """A turned square on the picture: centre and side in pixels, turn in radians (clockwise as seen)."""

    x: float
    y: float
    side: float
    turn: float

    def to_picture(self, out_px: int) -> np.ndarray:
        """float64 2x3: pixels of the network's square input (out_px a side) -> picture pixels."""
        scale = self.side / out_px
        cos, sin = np.cos(self.turn) * scale, np.sin(self.turn) * scale
        a = np.array([[cos, -sin], [sin, cos]])
        middle = (out_px - 1) / 2
        return np.hstack([a, (np.array([self.x, self.y]) - a @ [middle, middle])[:, None]])


def roi_of_alignment(centre: np.ndarray, rim: np.ndarray) -> Roi:
    """The square around a person from the hip centre and the point above it that gives size and turn (pixels)."""
    across, down = rim - centre
    turn = np.pi / 2 - np.arctan2(-down, across)
    turn -= 2 * np.pi * np.floor((turn + np.pi) / (2 * np.pi))
    return Roi(float(centre[0]), float(centre[1]), 2 * ROI_SCALE * float(np.hypot(across, down)), float(turn))


def cut_out(picture: np.ndarray, roi: Roi, out_px: int) -> np.ndarray:
    """uint8 out_px x out_px x 3: the region of interest, black where it leaves the picture."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, roi.to_picture(out_px), (out_px, out_px), flags=flags)


def whole_picture(width: int, height: int) -> Roi:
    """What the detector looks at: the picture, letterboxed into a square."""
    return Roi((width - 1) / 2, (height - 1) / 2, float(max(width, height)), 0.0)


def anchor_centres() -> np.ndarray:
    """float32 (2254, 2): centres of the detector's anchors, 0..1."""
    rows = []
    for cells, each in ANCHOR_GRIDS:
        ys, xs = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([xs.ravel(), ys.ravel()], 1) + 0.5) / cells
        rows.append(np.repeat(centres, each, 0))
    return np.concatenate(rows).astype(np.float32)


def detected_rois(boxes: np.ndarray, scores: np.ndarray, anchors: np.ndarray, view: Roi) -> list[Roi]:
    """Everybody the detector saw, the largest first.

    boxes: (2254, 12) box centre, size, four points, in detector pixels from the anchor. scores: (2254,) logits.
    view: what the detector looked at. Overlapping detections are averaged by score.
    """
    probability = 1.0 / (1.0 + np.exp(-np.clip(scores, -50, 50)))
    sure = np.flatnonzero(probability >= MIN_DETECTION)
    order = sure[np.argsort(-probability[sure])]
    values = boxes[order] / DETECTOR_PX
    values[:, [0, 4, 6, 8, 10]] += anchors[order, :1]
    values[:, [1, 5, 7, 9, 11]] += anchors[order, 1:]
    weights = probability[order]
    found = []
    to_picture = view.to_picture(DETECTOR_PX)
    while len(values):
        same = _iou(values[0], values) > SAME_PERSON_IOU
        same[0] = True
        merged = (values[same] * weights[same, None]).sum(0) / weights[same].sum()
        points = merged[4:8].reshape(2, 2) * DETECTOR_PX - 0.5
        centre, rim = points @ to_picture[:, :2].T + to_picture[:, 2]
        found.append(roi_of_alignment(centre, rim))
        values, weights = values[~same], weights[~same]
    return sorted(found, key=lambda roi: -roi.side)


def _iou(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Overlap of boxes given as centre x, y and width, height."""
    low = np.maximum(one[:2] - one[2:4] / 2, many[:, :2] - many[:, 2:4] / 2)
    high = np.minimum(one[:2] + one[2:4] / 2, many[:, :2] + many[:, 2:4] / 2)
    common = np.clip(high - low, 0, None).prod(1)
    union = one[2:4].prod() + many[:, 2:4].prod(1) - common
    return common / np.maximum(union, 1e-9)


def read_landmarks(raw: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """float32 (39, 3): x, y in pixels of the network's input (centres at whole numbers) and visibility 0..1.

    raw: (195,) x, y, z, visibility, presence of 39 points. heatmap: (64, 64, 39) logits, with which each point is
    drawn to where the network is surest within a small window.
    """
    values = raw.reshape(LANDMARKS_AND_ALIGNMENT, 5)
    out = np.empty((LANDMARKS_AND_ALIGNMENT, 3), np.float32)
    out[:, :2] = values[:, :2]
    out[:, 2] = 1.0 / (1.0 + np.exp(-values[:, 3]))
    ratio = HEATMAP_PX / LANDMARK_PX
    cells = (values[:, :2] * ratio).astype(int)
    inside = np.flatnonzero(((cells >= 0) & (cells < HEATMAP_PX)).all(1))
    # all windows at once, which is a sixth of the time of one after the other
    columns, rows = (cells[inside, k, None] + _WINDOW for k in (0, 1))
    on_map = [(side >= 0) & (side < HEATMAP_PX) for side in (columns, rows)]
    at_columns, at_rows = (np.clip(side, 0, HEATMAP_PX - 1) for side in (columns, rows))
    logits = heatmap[at_rows[:, :, None], at_columns[:, None, :], inside[:, None, None]]
    sure = 1.0 / (1.0 + np.exp(-logits))
    sure *= on_map[1][:, :, None] & on_map[0][:, None, :]
    clear = sure.max((1, 2)) >= REFINE_MIN
    total = np.maximum(sure.sum((1, 2)), 1e-9) * ratio
    refined = np.stack([(sure.sum(1) * columns).sum(1), (sure.sum(2) * rows).sum(1)], 1) / total[:, None]
    out[inside[clear], :2] = refined[clear]
    out[:, :2] -= 0.5
    return out
