"""What stays in front of a garment: face, hair over the shoulders, hands, and bare or sleeved forearms at the chest."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.body import Body, capsule
from mirror.frames import CANVAS_H, CANVAS_W

SCALE = 0.5
"""Worked out on the half canvas: a quarter of the pixels, and the edges are soft anyway."""

HAND_RADIUS, FOREARM_RADIUS = 0.17, 0.135
"""In shoulder units. The forearm's is that of an arm in a sleeve."""
MIN_WRIST_SEEN = 0.4
"""A hand whose wrist is less visible than this is guessed at, and cuts nothing out."""
MIN_HAIR_CONTRAST = 22.0
"""Lab distance between hair and clothes below which they cannot be told apart by colour: then hair is not cut out."""


def uncovered(canvas: np.ndarray, mask: np.ndarray, body: Body, long_sleeves: bool) -> np.ndarray:
    """float32 256x192, 0..1: where the garment must not be drawn.

    canvas: uint8 256x192x3 BGR. mask: float32 256x192 person mask. long_sleeves: the forearms then carry the
    garment's own sleeves and only the hands stay in front.
    """
    size = (int(CANVAS_W * SCALE), int(CANVAS_H * SCALE))
    small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    face = _ellipse(*body.face)
    free = face.copy()
    skin = _skin(lab, body)
    for side in (0, 1):
        if body.wrists_seen[side] < MIN_WRIST_SEEN:
            continue
        _, elbow, wrist = body.arms[side]
        start, tips = body.hands[side]
        palm = start + (tips - start) * 0.55
        near = capsule(palm, tips, (HAND_RADIUS + 0.05) * body.unit, SCALE) * (skin * mask)
        core = capsule(start + (tips - start) * 0.3, tips, 0.09 * body.unit, SCALE)
        free = np.maximum(free, np.maximum(near, core))
        if not long_sleeves:
            forearm = capsule(elbow + (wrist - elbow) * 0.12, wrist, FOREARM_RADIUS * body.unit, SCALE)
            free = np.maximum(free, forearm)
    free = np.maximum(free, _hair(lab, mask, body, face))
    return cv2.resize(free, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y of the half canvas's pixels, in canvas pixels."""
    ys, xs = np.mgrid[0 : int(CANVAS_H * SCALE), 0 : int(CANVAS_W * SCALE)].astype(np.float32)
    return (xs + 0.5) / SCALE - 0.5, (ys + 0.5) / SCALE - 0.5


def _ellipse(centre: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    xs, ys = _grid()
    r = np.hypot((xs - centre[0]) / half_width, (ys - centre[1]) / half_height)
    return np.clip((1.0 - r) * 8.0 + 0.5, 0.0, 1.0)


def _disc_mean(lab: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray | None:
    """Median Lab colour of a small square given in canvas pixels; None outside the canvas."""
    x0, y0 = np.round((centre - radius) * SCALE).astype(int)
    x1, y1 = np.round((centre + radius) * SCALE).astype(int) + 1
    patch = lab[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)].reshape(-1, 3)
    return np.median(patch, 0) if len(patch) >= 4 else None


def _skin(lab: np.ndarray, body: Body) -> np.ndarray:
    """float32 0..1: how much a pixel's colour is that of the face (chroma counts, lightness little)."""
    centre, half_width, half_height = body.face
    colour = _disc_mean(lab, centre + np.array([0.0, 0.35 * half_height]), 0.35 * half_width)
    if colour is None:
        return np.zeros(lab.shape[:2], np.float32)
    d2 = ((lab - colour) ** 2 * np.array([0.05, 1.0, 1.0], np.float32)).sum(-1)
    return np.clip(1.6 - np.sqrt(d2) / 11.0, 0.0, 1.0).astype(np.float32)


def _hair(lab: np.ndarray, mask: np.ndarray, body: Body, face: np.ndarray) -> np.ndarray:
    """Hair that falls over the shoulders: of the colour found above the forehead, unlike the clothes, joined to the
    head."""
    centre, half_width, half_height = body.face
    top = _disc_mean(lab, centre - np.array([0.0, 0.95 * half_height]), 0.25 * half_width)
    clothes = _disc_mean(lab, body.torso_point(0.0, 0.75 * body.unit), 0.25 * body.unit)
    skin = _disc_mean(lab, centre + np.array([0.0, 0.35 * half_height]), 0.35 * half_width)
    if top is None or clothes is None or skin is None:
        return np.zeros_like(mask)
    if np.linalg.norm(top - clothes) < MIN_HAIR_CONTRAST or np.linalg.norm(top - skin) < MIN_HAIR_CONTRAST:
        return np.zeros_like(mask)
    weight = np.array([0.6, 1.0, 1.0], np.float32)
    to_hair = np.sqrt(((lab - top) ** 2 * weight).sum(-1))
    to_others = np.minimum(*(np.sqrt(((lab - c) ** 2 * weight).sum(-1)) for c in (clothes, skin)))
    xs, ys = _grid()
    close = np.hypot(xs - centre[0], (ys - centre[1]) * 0.8) < 0.85 * body.unit
    hair = ((to_hair < to_others) & (to_hair < 32.0) & (mask > 0.5) & close & (face < 0.5)).astype(np.uint8)
    hair = cv2.morphologyEx(hair, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    _, labels = cv2.connectedComponents(hair)
    around = (face > 0.5).astype(np.uint8)
    head = cv2.dilate(around, np.ones((5, 5), np.uint8)) > 0
    head[int(max(centre[1] + half_height, 0) * SCALE) :] = False
    joined = np.unique(labels[head & (hair > 0)])
    keep = np.isin(labels, joined[joined > 0]).astype(np.float32)
    return cv2.GaussianBlur(keep, (0, 0), 0.8)
