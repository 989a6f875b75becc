"""Drawn photos of garments, with their true landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.wardrobe import LANDMARKS

TEE = {
    "neck_left": (0.42, 0.16), "shoulder_left": (0.29, 0.19), "sleeve_outer_left": (0.11, 0.32),
    "sleeve_inner_left": (0.19, 0.40), "armpit_left": (0.28, 0.34), "hem_left": (0.28, 0.86),
    "neck_front": (0.50, 0.22),
}  # fmt: skip
LONG = {
    "neck_left": (0.42, 0.18), "shoulder_left": (0.29, 0.22), "sleeve_outer_left": (0.04, 0.52),
    "sleeve_inner_left": (0.12, 0.58), "armpit_left": (0.30, 0.37), "hem_left": (0.30, 0.76),
    "neck_front": (0.50, 0.22),
}  # fmt: skip
"""Left landmarks as shares of the photo's width and height; the right ones mirror them."""
SIZE = (300, 400)
"""(width, height) pixels."""


def landmarks_of(shape: dict[str, tuple[float, float]], size: tuple[int, ...]) -> np.ndarray:
    """float64 (13, 2), pixels of a photo of this (height, width, ...), upright."""
    points = []
    for mark in LANDMARKS:
        x, y = shape.get(mark) or shape[mark.replace("right", "left")]
        points.append(((1 - x if mark.endswith("right") else x) * size[1], y * size[0]))
    return np.array(points)


def draw_photo(
    shape: dict[str, tuple[float, float]],
    cloth: tuple[int, int, int] = (60, 70, 180),
    floor: tuple[int, int, int] = (190, 200, 205),
    grain: float = 4.0,
    degrees: float = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """A garment lying on a floor (uint8 HxWx3 BGR, turned clockwise by `degrees`) and its landmarks there."""
    width, height = SIZE
    side = 460 if degrees else max(SIZE)
    canvas = (side, side) if degrees else SIZE
    upright = landmarks_of(shape, (height, width))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s], [s, c]])
    points = (upright - [width / 2, height / 2]) @ turn.T + [canvas[0] / 2, canvas[1] / 2]
    at = dict(zip(LANDMARKS, points, strict=True))
    half = [m for m in shape if m != "neck_front"]
    ring = [at[m] for m in half] + [at[m.replace("left", "right")] for m in reversed(half)]
    mask = np.zeros(canvas[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(ring) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = mask[..., None] / 255.0
    photo = np.array(floor) * (1 - alpha) + np.array(cloth) * alpha
    photo += np.random.default_rng(1).normal(0, 1, photo.shape) * grain
    return np.clip(photo, 0, 255).astype(np.uint8), points
