"""People and garments sketched with a few strokes: plausible inputs for the networks where no data is at hand.

Good enough to compare two runtimes, to time them, or to calibrate a network for a test; nothing is learned from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, EYES_SHARE, SHOULDER_SHARE, Landmark
from mirror.wardrobe import LANDMARKS, Garment

UNIT = SHOULDER_SHARE * CANVAS_W
"""Shoulder width of a person on the canvas, pixels."""


@dataclass(frozen=True)
class Sketch:
    """A person on the canvas. picture: uint8 256x192x3 BGR. mask: float32 256x192, 0..1. landmarks: float32 (33, 3),
    canvas pixels and visibility."""

    picture: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray


def sketch_person(rng: np.random.Generator) -> Sketch:
    """Somebody standing, arms somewhere."""
    landmarks = np.zeros((33, 3), np.float32)
    landmarks[:, 2] = 1.0
    middle = np.array([CANVAS_W / 2 + rng.normal(0, 4), CANVAS_H * EYES_SHARE + 0.62 * UNIT + rng.normal(0, 3)])
    half = UNIT / 2 * rng.uniform(0.85, 1.0)
    spine = np.array([rng.normal(0, 0.05), rng.uniform(1.1, 1.35)]) * UNIT
    head = middle - np.array([0.0, 0.62 * UNIT])
    for name, at in (("EYE", 0.13), ("EAR", 0.24)):
        landmarks[Landmark[f"RIGHT_{name}"], :2] = head - np.array([at * UNIT, 0])
        landmarks[Landmark[f"LEFT_{name}"], :2] = head + np.array([at * UNIT, 0])
    landmarks[Landmark.NOSE, :2] = head + np.array([0, 0.12 * UNIT])
    landmarks[Landmark.MOUTH_RIGHT, :2] = head + np.array([-0.08 * UNIT, 0.24 * UNIT])
    landmarks[Landmark.MOUTH_LEFT, :2] = head + np.array([0.08 * UNIT, 0.24 * UNIT])
    for side, sign in (("RIGHT", -1.0), ("LEFT", 1.0)):
        shoulder = middle + np.array([sign * half, 0])
        upper, lower = rng.uniform(-0.2, 1.2), rng.uniform(-1.2, 1.2)
        elbow = shoulder + 0.8 * UNIT * np.array([sign * np.sin(upper), np.cos(upper)])
        wrist = elbow + 0.7 * UNIT * np.array([sign * np.sin(upper + lower), np.cos(upper + lower)])
        finger = wrist + (wrist - elbow) * 0.3
        joints = {"SHOULDER": shoulder, "ELBOW": elbow, "WRIST": wrist, "INDEX": finger, "PINKY": finger}
        joints["HIP"] = middle + spine + np.array([sign * 0.3 * UNIT, 0])
        for joint, place in joints.items():
            landmarks[Landmark[f"{side}_{joint}"], :2] = place
    return Sketch(*_draw(rng, landmarks, head), landmarks)


def _draw(rng: np.random.Generator, landmarks: np.ndarray, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    skin, shirt, wall = (rng.uniform(20, 235, 3).tolist() for _ in range(3))
    picture = np.empty((CANVAS_H, CANVAS_W, 3), np.uint8)
    picture[:] = wall
    mask = np.zeros((CANVAS_H, CANVAS_W), np.uint8)

    def stroke(names: tuple[str, ...], colour: list[float], width: float) -> None:
        points = np.round([landmarks[Landmark[n], :2] for n in names]).astype(np.int32)
        for image, value in ((picture, colour), (mask, [255.0])):
            cv2.polylines(image, [points], False, value, max(1, round(width * UNIT)), cv2.LINE_AA)
            if len(points) > 3:
                cv2.fillPoly(image, [points], value, cv2.LINE_AA)

    stroke(("RIGHT_SHOULDER", "LEFT_SHOULDER", "LEFT_HIP", "RIGHT_HIP"), shirt, 0.3)
    for side in ("RIGHT", "LEFT"):
        stroke((f"{side}_SHOULDER", f"{side}_ELBOW"), shirt, 0.3)
        stroke((f"{side}_ELBOW", f"{side}_WRIST", f"{side}_INDEX"), skin, 0.18)
    axes = (round(0.3 * UNIT), round(0.42 * UNIT))
    centre = tuple(int(v) for v in np.round(head + np.array([0, 0.08 * UNIT])))
    for image, value in ((picture, skin), (mask, [255.0])):
        cv2.ellipse(image, centre, axes, 0, 0, 360, value, -1, cv2.LINE_AA)
    noise = rng.normal(0, 6, picture.shape) + cv2.resize(rng.normal(0, 12, (8, 6, 3)), (CANVAS_W, CANVAS_H))
    return np.clip(picture + noise, 0, 255).astype(np.uint8), mask.astype(np.float32) / 255.0


def sketch_garment(rng: np.random.Generator, slug: str = "sketch") -> Garment:
    """A T-shirt cut from coloured paper, with its landmarks."""
    width, height = 384, 512
    at = {
        "neck_left": (0.38, 0.10), "neck_right": (0.62, 0.10), "neck_front": (0.5, 0.17),
        "shoulder_left": (0.24, 0.14), "shoulder_right": (0.76, 0.14),
        "sleeve_outer_left": (0.04, 0.36), "sleeve_outer_right": (0.96, 0.36),
        "sleeve_inner_left": (0.17, 0.42), "sleeve_inner_right": (0.83, 0.42),
        "armpit_left": (0.25, 0.34), "armpit_right": (0.75, 0.34),
        "hem_left": (0.23, 0.95), "hem_right": (0.77, 0.95),
    }  # fmt: skip
    landmarks = np.array([at[name] for name in LANDMARKS]) * [width, height] + rng.normal(0, 3, (len(LANDMARKS), 2))
    outline = [
        "neck_left", "neck_front", "neck_right", "shoulder_right", "sleeve_outer_right", "sleeve_inner_right",
        "armpit_right", "hem_right", "hem_left", "armpit_left", "sleeve_inner_left", "sleeve_outer_left",
        "shoulder_left",
    ]  # fmt: skip
    points = np.round([landmarks[LANDMARKS.index(name)] for name in outline]).astype(np.int32)
    picture = np.zeros((height, width, 4), np.uint8)
    picture[..., :3] = rng.uniform(20, 235, 3)
    picture[:: int(rng.integers(20, 60)), :, :3] = 255 - picture[0, 0, :3]
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [points], 255, cv2.LINE_AA)
    picture[..., 3] = alpha
    return Garment(slug, slug, "tshirt", "short", picture, None, landmarks.astype(np.float32))
