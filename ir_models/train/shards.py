"""Shards of samples -> what training keeps in memory; shards that appear while it runs are picked up.

A shard is an npz of N samples on the 256 x 192 canvas (`python -m ir_models synth` writes them):

person, target: uint8 (N, 256, 192, 3) RGB, a body wearing garment B and the same wearing garment A.
garment: uint8 (N, 256, 192, 3) RGB, A laid flat, white outside; garment_mask: uint8 (N, 256, 192);
garment_landmarks: float32 (N, 13, 2), rows as wardrobe.LANDMARKS, garment-canvas pixels.
flow: float16 (N, 128, 96, 2), from the target to the garment as `Fit.flow`, nan where A's front is not visible.
parts_a, parts_b: uint8 (N, 256, 192), rows of PARTS, of target and person.
landmarks: float32 (N, 33, 3), MediaPipe's rows, canvas pixels; nan rows are unused.
kind, sleeves, is_photo, skin_tone: uint8 (N,); body: uint16 (N,); seed: uint64 (N,).
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np

from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Landmark

Sample = dict[str, np.ndarray]
LOOK_AGAIN_S = 10.0
"""How often the folder is looked at for new shards."""


class Part(IntEnum):
    """Labels of parts_a and parts_b."""

    BACKGROUND = 0
    SKIN = 1
    HEAD = 2
    HAIR = 3
    HAND = 4
    LOWER = 5
    FRONT = 6
    BACK = 7
    ACCESSORY = 8


class Shards:
    """Samples of a folder, in the compact form that one training needs; `refresh` takes in what is new.

    folder: with files shard_*.npz. compact: one sample of a shard -> arrays of fixed shapes. limit: samples at most.
    """

    def __init__(self, folder: Path, compact: Callable[[Sample], Sample], limit: int | None = None) -> None:
        self.folder, self.compact, self.limit = folder, compact, limit
        self.columns: dict[str, list[np.ndarray]] = {}
        self._seen: set[Path] = set()
        self._looked_at = -LOOK_AGAIN_S

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def refresh(self, most: int | None = None) -> int:
        """Take in new shards, at most so many of them now; returns how many samples came. Cheap when called often."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_AGAIN_S and most is not None:
            return 0
        self._looked_at = now
        before, done = len(self), 0
        for path in sorted(self.folder.glob("shard_*.npz")):
            if path in self._seen or (self.limit and len(self) >= self.limit):
                continue
            try:
                with np.load(path) as shard:
                    arrays = {name: shard[name] for name in shard.files}
            except (zipfile.BadZipFile, EOFError, ValueError, OSError):
                continue  # still being written: the next look finds it whole
            self._seen.add(path)
            self._take(arrays)
            done += 1
            if most is not None and done >= most:
                break
        return len(self) - before

    def _take(self, arrays: Sample) -> None:
        count = len(arrays["seed"])
        for index in range(count if self.limit is None else min(count, self.limit - len(self))):
            sample = {name: column[index] for name, column in arrays.items()}
            if not np.isfinite(sample["flow"][..., 0]).any():
                continue  # nothing of the garment is seen: nothing to learn
            for name, value in self.compact(sample).items():
                self.columns.setdefault(name, []).append(value)

    def batch(self, rows: np.ndarray) -> Sample:
        """The samples of these rows, stacked."""
        return {name: np.stack([column[row] for row in rows]) for name, column in self.columns.items()}


def open_shards(
    data: Path, split: str, compact: Callable[[Sample], Sample], limit: int | None = None, wait_s: float = 0.0
) -> Shards:
    """The shards of DATA/split. Waits so long for the first of them; raises UsageError if there is none then."""
    shards = Shards(data / split, compact, limit)
    deadline = time.monotonic() + wait_s
    while not shards.refresh():
        if time.monotonic() >= deadline:
            raise UsageError(f"{data / split} holds no whole shard_*.npz: make some with python -m ir_models synth")
        time.sleep(1.0)
    return shards


def halve(picture: np.ndarray) -> np.ndarray:
    """Area-filtered to 128 x 96 (uint8 HxW or HxWxC); what the live mirror does too."""
    return cv2.resize(np.ascontiguousarray(picture), (CANVAS_W // 2, CANVAS_H // 2), interpolation=cv2.INTER_AREA)


def share(mask: np.ndarray) -> np.ndarray:
    """A boolean mask at 256 x 192 -> its share of every pixel at 128 x 96, uint8 0..255."""
    return halve(mask.astype(np.uint8) * 255)


def garment_shown(parts: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where the garment covers the person: its front, and of its back what is no inside of the collar. bool (256, 192).

    A forearm before the chest shows the back of its sleeve, of which a flat has no picture; it must be covered all the
    same, by the sleeve's front. The inside of the back collar lies behind the neck and is no part of the warp.
    """
    shoulders = landmarks[[Landmark.RIGHT_SHOULDER, Landmark.LEFT_SHOULDER], :2]
    middle, width = shoulders.mean(0), float(np.linalg.norm(shoulders[1] - shoulders[0]))
    y, x = np.mgrid[0:CANVAS_H, 0:CANVAS_W].astype(np.float32)
    collar = (np.abs(x - middle[0]) < _COLLAR[0] * width) & (y - middle[1] < _COLLAR[1] * width)
    return (parts == Part.FRONT) | ((parts == Part.BACK) & ~collar)


_COLLAR = (0.3, 0.1)
"""Half the collar's breadth, and how far it reaches below the shoulder line, shoulder widths."""


def garment_on_white(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (256, 192, 3) RGB and (256, 192) mask -> uint8 (128, 96, 4): RGB over white, and the mask."""
    alpha = mask[..., None].astype(np.float32) / 255.0
    white = colour * alpha + 255.0 * (1.0 - alpha)
    return np.concatenate([halve(white.astype(np.uint8)), halve(mask)[..., None]], 2)
