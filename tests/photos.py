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
TANK = {
    "dip_left": (0.47, 0.23), "scoop_left": (0.43, 0.20), "neck_left": (0.41, 0.13), "shoulder_left": (0.33, 0.14),
    "armhole_left": (0.32, 0.28), "seam_left": (0.29, 0.34), "armpit_left": (0.24, 0.37), "hem_left": (0.22, 0.84),
    "sleeve_outer_left": (0.33, 0.14), "sleeve_inner_left": (0.24, 0.37), "neck_front": (0.50, 0.23),
}  # fmt: skip
"""Left landmarks as shares of the photo's width and height; the right ones mirror them. The tank has
more places along its outline, and its sleeves, which it has not, where the wardrobe wants them."""
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
    no_sleeves = shape["sleeve_outer_left"] == shape["shoulder_left"]
    left = [at for mark, at in shape.items() if mark != "neck_front" and not (no_sleeves and mark.startswith("sleeve"))]
    ring = np.array(left + [(1 - x, y) for x, y in reversed(left)]) * [width, height]
    ring = (ring - [width / 2, height / 2]) @ turn.T + [canvas[0] / 2, canvas[1] / 2]
    mask = np.zeros(canvas[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = mask[..., None] / 255.0
    photo = np.array(floor) * (1 - alpha) + np.array(cloth) * alpha
    photo += np.random.default_rng(1).normal(0, 1, photo.shape) * grain
    return np.clip(photo, 0, 255).astype(np.uint8), points
