"""The original work's way to train (PF-AFN, section 3): a parser-based teacher, a student that learns from it.

`train cwm --teacher` trains the teacher: its mask channel shows where the new garment will be seen, as a parser would
tell it, and its landmarks are exact. `train cwm --teacher FILE` trains the student, which sees what the live mirror
sees. It learns from the exact flow as ever, and from the teacher by the adjustable factor: only on samples on which the
teacher is nearer to the truth. The original needs two stages more, a generator for each: its teacher's generator paints
the person in another garment, for the student to start from. Here that picture is drawn (the person in B), so the
generator is trained once, by `train igm --cwm FILE`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ir_models.nets.cwm import Cwm, CwmTraining
from ir_models.train.cwm import LEVEL_WEIGHTS, Batch, CwmTask, errors, layered_error, losses, make_batch
from ir_models.train.loop import in_full
from mirror.maps import PERSON_CHANNELS

DISTIL_FLOW, DISTIL_COVERAGE = 0.3, 0.5
"""Weights of the student's difference from the teacher: of the flow (in tens of pixels, as in `losses`), and of
the coverage."""
VALIDATE_BATCH = 32


def as_teacher_sees(batch: Batch) -> Batch:
    """The same samples with the garment's own silhouette in place of the person's."""
    person = batch.person.clone()
    person[:, PERSON_CHANNELS.index("mask")] = batch.shown[:, 0]
    return dataclasses.replace(batch, person=person)


class TeacherTask(CwmTask):
    """Trains the teacher. What it learns is of no use to the mirror, where nobody knows that silhouette."""

    def learned_from(self, rows: np.ndarray, generator: torch.Generator) -> Batch:
        return as_teacher_sees(make_batch(self.train.batch(rows), generator, training=True, noise=0.0))

    @torch.no_grad()
    def validate(self, model: Cwm, device: torch.device, most: int | None = None) -> dict[str, float]:
        total, generator = min(len(self.held_out), most or len(self.held_out)), torch.Generator(device).manual_seed(1)
        found: dict[str, list[np.ndarray]] = {}
        for start in range(0, total, VALIDATE_BATCH):
            rows = self.held_out.batch(np.arange(start, min(start + VALIDATE_BATCH, total)))
            batch = as_teacher_sees(make_batch(rows, generator, training=False, noise=0.0)).for_network()
            out = model.look(*batch.inputs())
            for name, values in errors(out.flow, out.coverage, batch).items():
                found.setdefault(name, []).append(values)
        return {name: float(np.concatenate(values).mean()) for name, values in found.items()}


class StudentTask(CwmTask):
    """Trains what the mirror runs, with a teacher beside the truth."""

    def __init__(
        self, teacher: Cwm, data: Path, config: str, limit: int | None = None, wait_s: float = 0.0,
        start: Path | None = None, device: str = "cpu",
    ) -> None:  # fmt: skip
        super().__init__(data, config, limit, wait_s, start, device)
        self.teacher = teacher.eval().requires_grad_(False)

    def loss(self, model: Cwm, rows: np.ndarray, generator: torch.Generator, device: torch.device) -> dict[str, Tensor]:
        stacked, state = self.train.batch(rows), generator.get_state()
        batch = make_batch(stacked, generator, training=True).for_network()
        same = torch.Generator(generator.device)
        same.set_state(state)  # moved, mirrored and tinted alike; what MediaPipe gets wrong is drawn after all that
        seen = as_teacher_sees(make_batch(stacked, same, training=True, noise=0.0)).for_network()
        with torch.autocast(device.type, torch.bfloat16, enabled=self.half):
            out = model.look(*batch.inputs())
            with torch.no_grad():
                told = self.teacher.to(device).look(*seen.inputs())
        student, teacher = in_full(out), in_full(told)
        return losses(student, batch) | distillation(student, teacher, batch)


def distillation(student: CwmTraining, teacher: CwmTraining, batch: Batch) -> dict[str, Tensor]:
    """Terms of the loss by which the student follows the teacher, sample by sample where that one is better.

    distil_flow: difference of the flows where the garment is seen, its back included, at every level. distil_cover: of
    the coverage.
    """
    with torch.no_grad():
        ours, theirs = (errors(out.flow, out.coverage, batch) for out in (student, teacher))
        better_flow = _where(theirs["epe_px"] < ours["epe_px"], batch.shown)
        better_cover = _where(theirs["coverage_iou"] > ours["coverage_iou"], batch.shown)
    flow = batch.flow.new_zeros(())
    for weight, own, other in zip(LEVEL_WEIGHTS, student.levels, teacher.levels, strict=True):
        size = (int(own.flows.shape[2]), int(own.flows.shape[3]))
        shown = F.adaptive_avg_pool2d(batch.shown, size)
        followed = shown * better_flow
        share = followed.sum() / (shown.sum() + 1.0)
        flow = flow + weight * share * layered_error(own, other.chosen(), followed, batch.pixels) / 10.0
    cover = ((student.coverage - teacher.coverage).abs() * better_cover).mean()
    return {"distil_flow": DISTIL_FLOW * flow, "distil_cover": DISTIL_COVERAGE * cover}


def _where(better: np.ndarray, like: Tensor) -> Tensor:
    """The adjustable factor: (B, 1, 1, 1), 1 where the teacher is better."""
    return torch.from_numpy(better.astype(np.float32)).to(like.device).view(-1, 1, 1, 1)
