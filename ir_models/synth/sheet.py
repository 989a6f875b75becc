"""A contact sheet: person in B, garment A, the person in A, A warped by the flow, part labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, flow_to_pixels

PART_COLOURS = np.array([[40, 40, 40], [230, 180, 150], [255, 220, 190], [90, 60, 30], [255, 140, 90], [60, 80, 160],
                         [90, 200, 120], [200, 200, 60], [220, 60, 200]], np.uint8)  # fmt: skip


def warp(garment: np.ndarray, flow: np.ndarray, fill: int = 255) -> np.ndarray:
    """uint8 256x192x3: the garment where the half-canvas flow (128, 96, 2) puts it; `fill` where it is nan."""
    known = ~np.isnan(flow[..., 0])
    up = cv2.resize(np.nan_to_num(flow.astype(np.float32)), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_NEAREST)
    px = flow_to_pixels(up)
    out = cv2.remap(garment, px[..., 0], px[..., 1], cv2.INTER_LINEAR)
    mask = cv2.resize(known.astype(np.uint8), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_NEAREST) > 0
    return np.where(mask[..., None], out, fill).astype(np.uint8)


def row(sample: dict[str, np.ndarray]) -> np.ndarray:
    """uint8 256x(5*192)x3 RGB of one sample."""
    garment = sample["garment"].copy()
    for x, y in sample["garment_landmarks"]:
        cv2.circle(garment, (round(x), round(y)), 2, (255, 0, 0), -1)
    parts = PART_COLOURS[sample["parts_a"]].copy()
    for x, y, _ in sample["landmarks"]:
        if np.isfinite(x):
            cv2.circle(parts, (round(x), round(y)), 2, (255, 0, 0), -1)
    return np.concatenate(
        [sample["person"], garment, sample["target"], warp(sample["garment"], sample["flow"]), parts], 1
    )


def write_sheet(samples: list[dict[str, np.ndarray]], path: Path, columns: int = 2) -> None:
    rows = [row(s) for s in samples]
    while len(rows) % columns:
        rows.append(np.zeros_like(rows[0]))
    grid = np.concatenate([np.concatenate(rows[i : i + columns], 1) for i in range(0, len(rows), columns)])
    cv2.imwrite(str(path), grid[..., ::-1])
