"""Small samples in the form of the shards, for tests: a drawn garment laid on a drawn person by a known smooth warp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Landmark, flow_from_pixels
from mirror.wardrobe import LANDMARKS

FLAT = dict(
    neck_left=(78, 52), neck_right=(114, 52), neck_front=(96, 66), shoulder_left=(52, 64), shoulder_right=(140, 64),
    sleeve_outer_left=(12, 114), sleeve_outer_right=(180, 114),
    sleeve_inner_left=(32, 130), sleeve_inner_right=(160, 130),
    armpit_left=(54, 114), armpit_right=(138, 114), hem_left=(54, 204), hem_right=(138, 204),
)  # fmt: skip
_OUTLINE = (
    "neck_left", "neck_front", "neck_right", "shoulder_right", "sleeve_outer_right", "sleeve_inner_right",
    "armpit_right", "hem_right", "hem_left", "armpit_left", "sleeve_inner_left", "sleeve_outer_left", "shoulder_left",
)  # fmt: skip


def fake_landmarks(rng: np.random.Generator) -> np.ndarray:
    """float32 (33, 3): somebody standing with the arms hanging, roughly where the crop puts people."""
    points = np.full((33, 3), np.nan, np.float32)
    shift = rng.normal(0, 4, 2)

    def put(row: int, x: float, y: float) -> None:
        points[row] = (x + shift[0] + rng.normal(0, 1.5), y + shift[1] + rng.normal(0, 1.5), 1.0)

    put(Landmark.NOSE, 96, 58)
    for left, right, x, y in (
        (Landmark.LEFT_EYE, Landmark.RIGHT_EYE, 6, 49),
        (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, 38, 92),
        (Landmark.LEFT_ELBOW, Landmark.RIGHT_ELBOW, 52, 148),
        (Landmark.LEFT_WRIST, Landmark.RIGHT_WRIST, 50, 200),
        (Landmark.LEFT_INDEX, Landmark.RIGHT_INDEX, 48, 216),
        (Landmark.LEFT_PINKY, Landmark.RIGHT_PINKY, 54, 216),
        (Landmark.LEFT_HIP, Landmark.RIGHT_HIP, 24, 200),
    ):
        put(left, 96 + x, y)
        put(right, 96 - x, y)
    return points


def fake_sample(seed: int) -> dict[str, np.ndarray]:
    """One sample; the flow is the torso's affine map and a smooth wave on it."""
    rng = np.random.default_rng(seed)
    marks = np.array([FLAT[name] for name in LANDMARKS], np.float32) + rng.normal(0, 1.5, (13, 2)).astype(np.float32)
    mask = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    outline = np.array([marks[LANDMARKS.index(name)] for name in _OUTLINE])
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 255)
    pattern = cv2.resize(rng.integers(0, 255, (8, 6, 3)).astype(np.uint8), (CANVAS_W, CANVAS_H))
    garment = np.where(mask[..., None] > 0, pattern, 255).astype(np.uint8)

    points = fake_landmarks(rng)
    left, right = points[Landmark.RIGHT_SHOULDER, :2], points[Landmark.LEFT_SHOULDER, :2]
    hips = (points[Landmark.LEFT_HIP, :2] + points[Landmark.RIGHT_HIP, :2]) / 2
    shoulders = (left + right) / 2
    flat = {name: marks[LANDMARKS.index(name)] for name in LANDMARKS}
    flat_shoulders = (flat["shoulder_left"] + flat["shoulder_right"]) / 2
    y, x = np.mgrid[0:CANVAS_H, 0:CANVAS_W].astype(np.float32)
    scale = (flat["shoulder_right"] - flat["shoulder_left"])[0] * 0.85 / (right - left)[0]
    wave = [cv2.resize(rng.normal(0, 2, (4, 3)).astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_CUBIC)
            for _ in range(2)]  # fmt: skip
    pixels = np.stack(
        [
            (x - shoulders[0]) * scale + flat_shoulders[0] + wave[0],
            (y - shoulders[1]) * scale + flat_shoulders[1] + 6 + wave[1],
        ],
        -1,
    ).astype(np.float32)
    front = cv2.remap(mask, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR) > 127

    skin = np.array([rng.integers(60, 230)] * 3) * np.array([1.0, 0.8, 0.7])
    parts = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    body = np.full((CANVAS_H, CANVAS_W, 3), rng.integers(0, 255, 3), np.uint8)

    def draw(label: int, colour: np.ndarray, a: np.ndarray, b: np.ndarray, width: int) -> None:
        for picture, value in ((body, colour.tolist()), (parts, label)):
            cv2.line(picture, a.astype(int).tolist(), b.astype(int).tolist(), value, width)

    torso = np.array(
        [left, right, points[Landmark.LEFT_HIP, :2] + [12, 50], points[Landmark.RIGHT_HIP, :2] + [-12, 50]]
    )
    for picture, value in ((body, [40, 50, 90]), (parts, 5)):
        cv2.fillPoly(picture, [torso.astype(np.int32)], value)
    for wrist, elbow, shoulder, index in ((16, 14, 12, 20), (15, 13, 11, 19)):
        draw(1, skin, points[shoulder, :2], points[elbow, :2], 20)
        draw(1, skin, points[elbow, :2], points[wrist, :2], 17)
        draw(4, skin, points[wrist, :2], points[index, :2], 16)
    eyes = (points[Landmark.LEFT_EYE, :2] + points[Landmark.RIGHT_EYE, :2]) / 2
    draw(2, skin, eyes - [0, 10], eyes - [0, -14], 34)
    old = (parts == 5) & (y < hips[1])
    old |= cv2.dilate((parts == 1).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    person, target, parts_b, parts_a = body.copy(), body.copy(), parts.copy(), parts.copy()
    old &= parts != 4
    person[old], parts_b[old] = rng.integers(0, 255, 3), 6
    front &= parts != 4
    warped = cv2.remap(garment, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    target[front], parts_a[front] = warped[front], 6

    half = pixels.reshape(128, 2, 96, 2, 2).mean((1, 3))
    flow = flow_from_pixels(half)
    flow[~front.reshape(128, 2, 96, 2).all((1, 3))] = np.nan
    return {
        "person": person, "target": target, "garment": garment, "garment_mask": mask, "garment_landmarks": marks,
        "flow": flow.astype(np.float16), "parts_a": parts_a, "parts_b": parts_b, "landmarks": points,
        "kind": np.array(0, np.uint8), "sleeves": np.array(1, np.uint8), "is_photo": np.array(0, np.uint8),
        "skin_tone": np.array(seed % 3, np.uint8), "body": np.array(seed % 5, np.uint16),
        "seed": np.array(seed, np.uint64),
    }  # fmt: skip


def write_fake_shards(folder: Path, samples: int = 8, per_shard: int = 4) -> None:
    """DATA/train with so many samples and DATA/heldout with a shard of four."""
    for split, count, first in (("train", samples, 0), ("heldout", 4, 1000)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        for start in range(0, count, per_shard):
            shard = [fake_sample(first + start + k) for k in range(per_shard)]
            arrays = {name: np.stack([sample[name] for sample in shard]) for name in shard[0]}
            np.savez(folder / split / f"shard_{start // per_shard:05d}.npz", **arrays)
