"""Training of the warp network on a folder in VITON's layout: no flow is known, the person's own picture must do.

Coverage as in `train.cwm`; in place of the flow's error, the warped garment's colours against those the person wears.
Everybody there wears the garment that is to be laid on them, so a network trained on nothing else never sees another
one under it, and a cut it has not seen on a person of that outline it will not know.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ir_models.nets.cwm import CONFIGS, Cwm, CwmTraining, warp
from ir_models.train.cwm import LEVEL_WEIGHTS, Batch, CwmTask, compact, errors, layered_error, losses, make_batch
from ir_models.train.shards import Shards
from ir_models.viton import Viton
from mirror.frames import CANVAS_W

PHOTO_WEIGHT, NEAR_WEIGHT = 1.0, 0.1
"""Of the warped colours' error, which must place the garment here, and of how far the flow leaves its prior."""


class VitonTask(CwmTask):
    """As CwmTask, on DIR's pairs: `train` is learned from, `test` gives the figures."""

    def __init__(
        self, folder: Path, config: str, limit: int | None = None, start: Path | None = None, device: str = "cpu"
    ) -> None:
        """Raises UsageError where the folder cannot be used."""
        self.config, self.start = CONFIGS[config], start
        self.train, self.held_out = (_in_memory(folder, split, limit, device) for split in ("train", "test"))

    def begin(self, model: Cwm, generator: torch.Generator, device: torch.device, budget_s: float) -> None:
        """The prior is learned with the rest: alone it would need a flow."""

    def refresh(self) -> int:
        return 0

    def terms(self, out: CwmTraining, batch: Batch) -> dict[str, Tensor]:
        return paired_losses(out, batch)

    @torch.no_grad()
    def validate(self, model: Cwm, device: torch.device, most: int | None = None) -> dict[str, float]:
        """coverage_iou, and the warped colours' error (of 255) where the garment is seen, of network and prior."""
        total, generator = min(len(self.held_out), most or len(self.held_out)), torch.Generator(device).manual_seed(1)
        batch = make_batch(self.held_out.batch(np.arange(total)), generator, training=False, noise=0.0).for_network()
        out = model.look(*batch.inputs())
        return {
            "coverage_iou": float(errors(out.flow, out.coverage, batch)["coverage_iou"].mean()),
            "colour_l1": 85.0 * float(_colours_off(out.levels[-2].chosen(), batch)),
            "prior_colour_l1": 85.0 * float(_colours_off(out.levels[0].chosen(), batch)),
        }


def paired_losses(out: CwmTraining, batch: Batch) -> dict[str, Tensor]:
    """Terms of the loss, to be added up: `losses` without those that need a flow; photo: warped colours against the
    person's own, at every level; near: how far the flow leaves its prior, in tenths of a canvas width."""
    terms = {name: term for name, term in losses(out, batch).items() if name not in ("flow", "photo")}
    photo, size = batch.shown.new_zeros(()), (int(batch.target.shape[2]), int(batch.target.shape[3]))
    for weight, level in zip(LEVEL_WEIGHTS, out.levels[:-1], strict=False):
        photo = photo + weight * _colours_off(level.enlarged(size).mixed(), batch)
    shown = F.avg_pool2d(batch.shown, 2)
    near = layered_error(out.levels[-2], out.levels[0].chosen().detach(), shown, batch.pixels) / (0.1 * CANVAS_W)
    return terms | {"photo": PHOTO_WEIGHT * photo, "near": NEAR_WEIGHT * near}


def _colours_off(flow: Tensor, batch: Batch) -> Tensor:
    """Sum over the channels (0..1) of the difference where the garment is seen, less its mean: light does not count."""
    shown = F.avg_pool2d(batch.shown, 2)
    off = (warp(batch.bled, flow) - batch.target) * shown
    mean = off.sum((2, 3), keepdim=True) / (shown.sum((2, 3), keepdim=True) + 1.0)
    return (off - mean * shown).abs().sum() / (shown.sum() + 1.0)


def _in_memory(folder: Path, split: str, limit: int | None, device: str) -> Shards:
    viton = Viton(folder, split)
    held = Shards(folder, compact, limit, device)
    for sample in viton.samples(limit):
        held.add([compact(sample)])
    skipped = f"; left out: {viton.skipped}" if viton.skipped else ""
    print(f"{split}: {len(held)} people in their own garments{skipped}", flush=True)
    return held
