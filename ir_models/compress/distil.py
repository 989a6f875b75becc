"""Fine-tuning with a teacher: any training's own losses, and how far the answers are from those of a larger network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ir_models.nets.cwm import CwmTraining
from ir_models.nets.igm import SHAPES, IgmTraining
from ir_models.train.loop import Task, in_full
from mirror.frames import CANVAS_H, CANVAS_W

FINE_TUNING_RATE = 1e-3
"""Learning rate at the start; half of a training's."""


class Watched:
    """A model that remembers what it was shown and what it answered, whatever loss it is handed to."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config
        self.given: tuple[Tensor, ...] = ()
        self.answer: Any = None

    def look(self, *given: Tensor) -> Any:
        self.given = given
        self.answer = self.model.look(*given)
        return self.answer


class FineTuning:
    """A training's task that starts from a given network. teacher: whose answers count with `weight`; None: nobody's.

    start: makes the network to begin with; its configuration is what the checkpoint will say. fresh: it knows nothing
    yet, and is trained as such. held_out: samples that figures are taken on at most, where whoever asks for the network
    judges it by other means."""

    def __init__(
        self, task: Any, start: Callable[[], Any], teacher: Any | None, weight: float, fresh: bool = False,
        held_out: int | None = None,
    ) -> None:  # fmt: skip
        self.task: Task = task
        self.start, self.weight, self.fresh, self.held_out = start, weight, fresh, held_out
        self.teacher = teacher.eval().requires_grad_(False) if teacher is not None and weight > 0.0 else None
        self.name, self.batch_size = task.name, task.batch_size
        self.learning_rate = task.learning_rate if fresh else FINE_TUNING_RATE
        self.config = task.config = start().config

    @property
    def half(self) -> bool:
        return self.task.half

    @half.setter
    def half(self, value: bool) -> None:
        self.task.half = value

    def build(self) -> nn.Module:
        return self.start()

    def begin(self, *given: Any) -> None:
        """What a training does before its first step would undo what the network has learned already."""
        if self.fresh:
            self.task.begin(*given)

    def refresh(self) -> int:
        return self.task.refresh()

    def __len__(self) -> int:
        return len(self.task)

    def loss(self, model: Any, rows: np.ndarray, generator: torch.Generator, device: torch.device) -> dict[str, Tensor]:
        watched = Watched(model)
        terms = self.task.loss(watched, rows, generator, device)
        if self.teacher is not None:
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=self.half):
                told = self.teacher.to(device).look(*watched.given)
            terms["teacher"] = self.weight * distance(in_full(watched.answer), in_full(told))
        return terms

    def validate(self, model: Any, device: torch.device, most: int | None = None) -> dict[str, float]:
        return self.task.validate(model, device, min(most or self.held_out, self.held_out) if self.held_out else most)


def distance(answer: CwmTraining | IgmTraining, told: CwmTraining | IgmTraining) -> Tensor:
    """How far a pupil's answer is from its teacher's, about 1 for a bad one.

    CWM: mean distance of the layers of every level, in tens of canvas pixels, each by how much the teacher chooses it,
    where the teacher sees the garment; of the choice; and of coverage. IGM: of the masks, of the colours where the
    teacher paints, and of the gain."""
    if isinstance(answer, CwmTraining) and isinstance(told, CwmTraining):
        apart = answer.logits.new_zeros(())
        half = told.logits.new_tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 1, 2, 1, 1)
        for level, taught in zip(answer.levels, told.levels, strict=True):
            seen = nn.functional.interpolate(told.coverage, size=level.flows.shape[2:], mode="area")
            share, own = torch.softmax(taught.logits, 1), torch.softmax(level.logits, 1)
            off = ((level.flows - taught.flows).unflatten(1, (-1, 2)) * half).abs().sum(2).clamp(max=40.0) * share
            off = off.sum(1, keepdim=True) / 10.0 + (own - share).abs().sum(1, keepdim=True)
            apart = apart + (off * seen).sum() / (seen.sum() + 1.0) / len(told.levels)
        return apart + (answer.coverage - told.coverage).abs().mean()
    assert isinstance(answer, IgmTraining) and isinstance(told, IgmTraining)
    apart = told.light.new_zeros(())
    shape = told.mask
    apart = apart + ((answer.colour - told.colour).abs() * shape).sum() / (3.0 * shape.sum() + 10.0)
    apart = apart + (answer.light - told.light).abs().mean()
    apart = apart + len(SHAPES) * (torch.sigmoid(answer.shapes) - torch.sigmoid(told.shapes)).abs().mean()
    for one, other in ((answer.seen, told.seen), (answer.others, told.others)):
        apart = apart + (torch.softmax(one, 1) - torch.softmax(other, 1)).abs().mean()
    return apart
