"""A body as the geometric fit sees it: shoulders, arms, torso axis and face on the canvas, from 33 landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.crop import shoulder_unit
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Landmark

HIPS_VISIBLE = 0.35


@dataclass(frozen=True)
class Body:
    """Points in canvas pixels (float64), image-left before image-right.

    unit: shoulder width as if facing the camera, canvas pixels. facing: 0.45..1, how much of it is seen.
    right, up: unit vectors along the shoulders and up the torso. shoulders: (2, 2). hips: (2,) their middle.
    arms: per side shoulder, elbow, wrist. hands: per side wrist and finger tips. face: centre, half-width, half-height.
    """

    unit: float
    facing: float
    right: np.ndarray
    up: np.ndarray
    shoulders: np.ndarray
    hips: np.ndarray
    arms: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    hands: tuple[tuple[np.ndarray, np.ndarray], ...]
    wrists_seen: tuple[float, float]
    face: tuple[np.ndarray, float, float]

    def torso_point(self, across: float | np.ndarray, down: float | np.ndarray) -> np.ndarray:
        """Canvas point(s) (..., 2) at pixels across (to the image's right) and down the torso from the middle of the
        shoulders."""
        middle = (self.shoulders[0] + self.shoulders[1]) / 2
        return middle + self.right * np.asarray(across)[..., None] - self.up * np.asarray(down)[..., None]


def read_body(landmarks: np.ndarray, crop: Crop) -> Body:
    """landmarks: float32 (33, 3), camera pixels and visibility."""
    points = crop.to_canvas(landmarks[:, :2].astype(np.float64))
    seen = landmarks[:, 2]
    joined = np.hstack([points, seen[:, None]])
    unit = shoulder_unit(joined)
    shoulders = points[[Landmark.RIGHT_SHOULDER, Landmark.LEFT_SHOULDER]]
    across = shoulders[1] - shoulders[0]
    width = float(np.linalg.norm(across))
    right = across / width if width > 4 else np.array([1.0, 0.0])
    if right[0] < 0:  # seen from behind, the person's right is the image's right
        shoulders, right = shoulders[::-1], -right
    hips = points[[Landmark.RIGHT_HIP, Landmark.LEFT_HIP]].mean(0)
    upright = np.array([right[1], -right[0]])
    if min(seen[Landmark.LEFT_HIP], seen[Landmark.RIGHT_HIP]) > HIPS_VISIBLE:
        axis = shoulders.mean(0) - hips
        axis /= max(float(np.linalg.norm(axis)), 1.0)
        upright = upright * 0.3 + axis * 0.7
        upright /= np.linalg.norm(upright)
    sides = ("RIGHT", "LEFT")
    arms = tuple(tuple(points[Landmark[f"{side}_{j}"]] for j in ("SHOULDER", "ELBOW", "WRIST")) for side in sides)
    hands = []
    for side in sides:
        wrist = points[Landmark[f"{side}_WRIST"]]
        knuckles = points[[Landmark[f"{side}_INDEX"], Landmark[f"{side}_PINKY"]]].mean(0)
        hands.append((wrist, wrist + (knuckles - wrist) * 1.7))
    eyes = points[[Landmark.LEFT_EYE, Landmark.RIGHT_EYE]].mean(0)
    mouth = points[[Landmark.MOUTH_LEFT, Landmark.MOUTH_RIGHT]].mean(0)
    ears = points[[Landmark.LEFT_EAR, Landmark.RIGHT_EAR]]
    half_height = max(1.75 * float(np.linalg.norm(mouth - eyes)), 0.22 * unit)
    half_width = max(0.55 * float(np.linalg.norm(ears[0] - ears[1])), 0.6 * half_height)
    face = (eyes + (mouth - eyes) * 0.15, half_width, half_height)
    facing = float(np.clip(width / unit, 0.45, 1.0))
    wrists_seen = (float(seen[Landmark.RIGHT_WRIST]), float(seen[Landmark.LEFT_WRIST]))
    return Body(unit, facing, right, upright, shoulders, hips, arms, tuple(hands), wrists_seen, face)  # type: ignore[arg-type]


def capsule(a: np.ndarray, b: np.ndarray, radius: float, scale: float = 1.0) -> np.ndarray:
    """float32 map, 1 within `radius` of the segment a-b (canvas pixels), 0 outside, anti-aliased edge.

    scale: size of the map relative to the canvas (0.5: 128x96). Drawn as a thick line: a hundredth of the time of
    computing distances.
    """
    image = np.zeros((int(CANVAS_H * scale), int(CANVAS_W * scale)), np.uint8)
    draw_capsule(image, a, b, radius, scale)
    return image.astype(np.float32) * (1.0 / 255.0)


def draw_capsule(image: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float, scale: float = 1.0) -> None:
    """The same in 255 on a map (uint8 HxW) that may show others already."""
    bits = 4
    ends = np.clip((np.stack([a, b]) + 0.5) * scale - 0.5, -2000, 2000)
    start, stop = np.round(ends * (1 << bits)).astype(int).tolist()
    cv2.line(image, start, stop, 255, max(1, round(2 * radius * scale)), cv2.LINE_AA, bits)
