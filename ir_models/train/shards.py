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
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Landmark

Sample = dict[str, np.ndarray]
Rows = Mapping[str, np.ndarray] | Mapping[str, Tensor]
"""Compact samples, stacked."""
LOOK_AGAIN_S = 5.0
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

    folder: with files shard_*.npz, or kept_*.npy of samples that are compact already (`write_kept`). compact: one
    sample of a shard -> arrays of fixed shapes. limit: samples at most. device: where they are kept.
    """

    def __init__(
        self, folder: Path, compact: Callable[[Sample], Sample], limit: int | None = None, device: str = "cpu"
    ) -> None:
        self.folder, self.compact, self.limit, self.device = folder, compact, limit, torch.device(device)
        self._columns: dict[str, Tensor] = {}
        self._count = 0
        self._seen: set[Path] = set()
        self._new: list[Path] = []
        self._looked_at = -LOOK_AGAIN_S

    def __len__(self) -> int:
        return self._count

    def column(self, name: str) -> Tensor:
        """One array of all samples."""
        return self._columns[name][: self._count]

    def refresh(self, most: int | None = None) -> int:
        """Take in new shards, at most so many of them now; returns how many samples came. Cheap when called often."""
        now = time.monotonic()
        if most is None or now - self._looked_at >= LOOK_AGAIN_S:
            self._looked_at = now
            files = sorted([*self.folder.glob("shard_*.npz"), *self.folder.glob("kept_*.npy")])
            self._new = [path for path in files if path not in self._seen]
        before, done = len(self), 0
        while self._new and (most is None or done < most) and not (self.limit and len(self) >= self.limit):
            path = self._new.pop(0)
            try:
                arrays = _read(path)
            except (zipfile.BadZipFile, EOFError, ValueError, OSError):
                continue  # still being written: the next look finds it whole
            self._seen.add(path)
            self._add(arrays if path.suffix == ".npy" else self._compacted(arrays))
            done += 1
        return len(self) - before

    def add(self, samples: list[Sample]) -> None:
        """Take in compact samples."""
        self._add(stacked(samples))

    def _compacted(self, arrays: Sample) -> Sample:
        count = len(arrays["seed"])
        rows = range(count if self.limit is None else min(count, self.limit - len(self)))
        samples = ({name: column[index] for name, column in arrays.items()} for index in rows)
        return stacked([self.compact(sample) for sample in samples if shows_garment(sample)])

    def _add(self, arrays: Sample) -> None:
        if not arrays:
            return
        count = len(next(iter(arrays.values())))
        count = count if self.limit is None else min(count, self.limit - len(self))
        for name, values in arrays.items():
            self._room_for(name, values[:count])[self._count : self._count + count] = torch.from_numpy(values[:count])
        self._count += count

    def _room_for(self, name: str, values: np.ndarray) -> Tensor:
        """The column, long enough to take these in: on a GPU, which could not hold it twice, as long as it may become
        at all, else a quarter longer than needed."""
        column, needed = self._columns.get(name), self._count + len(values)
        if column is None or len(column) < needed:
            most = None if self.device.type == "cpu" else self.limit
            size = (most or needed + needed // 4, *values.shape[1:])
            longer = torch.empty(size, dtype=torch.from_numpy(values[:0]).dtype, device=self.device)
            if column is not None:
                longer[: self._count] = column[: self._count]
            self._columns[name] = column = longer
        return column

    def batch(self, rows: np.ndarray | Tensor) -> dict[str, Tensor]:
        """The samples of these rows, stacked."""
        index = torch.as_tensor(rows, device=self.device)
        return {name: column[index] for name, column in self._columns.items()}


def stacked(samples: list[Sample]) -> Sample:
    """Samples side by side, on a first axis."""
    return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]} if samples else {}


def shows_garment(sample: Sample) -> bool:
    """Whether anything of the garment is seen: else there is nothing to learn."""
    return bool(np.isfinite(sample["flow"][..., 0]).any())


def write_kept(folder: Path, number: int, samples: list[Sample]) -> None:
    """Compact samples (one at least) as one file that `Shards` takes in; it appears whole or not at all.

    One structured array, a field for each of theirs: read in a third of the time of an npz."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = [(name, value.dtype, value.shape) for name, value in samples[0].items()]
    rows = np.empty(len(samples), fields)
    for name, values in stacked(samples).items():
        rows[name] = values
    part = folder / f".kept_{number:06d}.npy"
    np.save(part, rows)
    part.replace(kept_path(folder, number))


def kept_path(folder: Path, number: int) -> Path:
    """Where `write_kept` writes."""
    return folder / f"kept_{number:06d}.npy"


def _read(path: Path) -> Sample:
    if path.suffix == ".npy":
        rows = np.load(path)
        return {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names}
    with np.load(path) as shard:
        return {name: shard[name] for name in shard.files}


def open_shards(
    data: Path, split: str, compact: Callable[[Sample], Sample], limit: int | None = None, wait_s: float = 0.0,
    device: str = "cpu",
) -> Shards:  # fmt: skip
    """The shards of DATA/split. Waits so long for the first of them; raises UsageError if there is none then."""
    shards = Shards(data / split, compact, limit, device)
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
