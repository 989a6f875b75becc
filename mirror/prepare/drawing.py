"""Landmarks and outlines drawn on pictures, for people to look at."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.wardrobe import LANDMARKS

COLOURS = {
    "neck": (255, 0, 255),
    "shoulder": (0, 220, 255),
    "sleeve_outer": (0, 0, 255),
    "sleeve_inner": (0, 140, 255),
    "armpit": (255, 60, 0),
    "hem": (0, 200, 0),
}
"""BGR by the first part of a landmark's name."""
SIDE_PX = 800


def mark(photo: np.ndarray, points: np.ndarray, outline: np.ndarray | None, words: list[str]) -> np.ndarray:
    """uint8 HxWx3: the photo at SIDE_PX, landmarks named, everything outside the outline dimmed, words below.

    photo: uint8 HxWx3 BGR. points: (13, 2), its pixels. outline: HxW, non-zero inside, of the photo's size.
    """
    scale = SIDE_PX / max(photo.shape[:2])
    size = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    shown = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if outline is not None:
        inside = cv2.resize((outline > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        shown[inside == 0] = shown[inside == 0] // 3 + np.uint8(40)
        edges, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, edges, -1, (0, 255, 0), 1)
    for name, point in zip(LANDMARKS, points, strict=True):
        if not np.isfinite(point).all():
            continue
        at = (round(float(point[0]) * scale), round(float(point[1]) * scale))
        colour = next(c for part, c in COLOURS.items() if name.startswith(part))
        cv2.circle(shown, at, 5, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(shown, at, 4, colour, -1, cv2.LINE_AA)
        cv2.putText(shown, name, (at[0] + 7, at[1] - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(shown, name, (at[0] + 7, at[1] - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    line = 24
    board = np.full((shown.shape[0] + line * len(words) + 6 * bool(words), shown.shape[1], 3), 30, np.uint8)
    board[: shown.shape[0]] = shown
    for i, text in enumerate(words):
        at = (8, shown.shape[0] + line * (i + 1) - 4)
        cv2.putText(board, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return board


def flat(picture: np.ndarray, background: tuple[int, int, int] = (210, 210, 210)) -> np.ndarray:
    """A BGRA picture on a plain colour, uint8 HxWx3."""
    alpha = picture[..., 3:].astype(np.float32) / 255.0
    return np.clip(picture[..., :3] * alpha + np.array(background) * (1.0 - alpha) + 0.5, 0, 255).astype(np.uint8)
