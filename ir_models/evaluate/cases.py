"""Held-out samples as the live mirror would meet them: a frame, a person as MediaPipe sees one, a garment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ir_models.train.noise import noisy_landmarks, noisy_mask
from ir_models.train.shards import Part, Sample, garment_shown, share
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Frame, Person
from mirror.wardrobe import KINDS, SLEEVES, Garment


@dataclass(frozen=True)
class Case:
    """One held-out sample. frame: its 256 x 192 picture in B; person, crop: as the live mirror would have them;
    garment: A; truth: the sample's own arrays (see `train.shards`); shown: (128, 96), share of A on every map pixel."""

    frame: Frame
    person: Person
    crop: Crop
    garment: Garment
    truth: Sample
    shown: np.ndarray

    @property
    def cut(self) -> str:
        """What figures are grouped by."""
        return KINDS[int(self.truth["kind"])]

    @property
    def sleeves(self) -> str:
        """None, short or long."""
        return SLEEVES[int(self.truth["sleeves"])]


def case_of(sample: Sample, noisy: bool = True) -> Case:
    """A sample of a shard, `noisy` with MediaPipe-like noise: the same for the same seed, whoever is evaluated."""
    generator = torch.Generator().manual_seed(int(sample["seed"]) % 2**31)
    known = np.isfinite(sample["landmarks"][:, 0])
    exact = torch.from_numpy(np.nan_to_num(sample["landmarks"][:, :2]).astype(np.float32))[None]
    seen = np.where(known, np.nan_to_num(sample["landmarks"][:, 2], nan=0.0), 0.0)
    amount = 1.0 if noisy else 0.0
    points = np.column_stack([noisy_landmarks(exact, generator, amount)[0].numpy(), seen]).astype(np.float32)
    silhouette = share(sample["parts_b"] != Part.BACKGROUND).astype(np.float32) / 255.0
    mask = noisy_mask(torch.from_numpy(silhouette)[None, None], generator, amount)
    full = torch.nn.functional.interpolate(mask, size=(CANVAS_H, CANVAS_W), mode="bilinear", align_corners=False)
    garment = Garment(
        slug=f"seed-{int(sample['seed'])}",
        name="held out",
        kind=KINDS[int(sample["kind"])],
        sleeves=SLEEVES[int(sample["sleeves"])],
        picture=np.dstack([sample["garment"][..., ::-1], sample["garment_mask"]]),
        inner=None,
        landmarks=sample["garment_landmarks"].astype(np.float32),
    )
    return Case(
        frame=Frame(np.ascontiguousarray(sample["person"][..., ::-1]), 0.0, 0),
        person=Person(full[0, 0].numpy(), points, 0.0, 0.0),
        crop=Crop(np.eye(2, 3)),
        garment=garment,
        truth=sample,
        shown=share(garment_shown(sample["parts_a"], sample["landmarks"])).astype(np.float32) / 255.0,
    )


def from_shards(folder: Path, count: int) -> Iterator[Case]:
    """The first samples of a folder's shards. Raises UsageError if there are none."""
    paths = sorted(folder.glob("shard_*.npz"))
    if not paths:
        raise UsageError(f"{folder} holds no shard_*.npz: make some with python -m ir_models synth")
    for path in paths:
        with np.load(path) as shard:
            arrays = {name: shard[name] for name in shard.files}
        for index in range(len(arrays["seed"])):
            sample = {name: column[index] for name, column in arrays.items()}
            if not np.isfinite(sample["flow"][..., 0]).any():
                continue
            if count <= 0:
                return
            count -= 1
            yield case_of(sample)
