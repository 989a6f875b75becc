"""Fine-tuning with a teacher: any training's own losses, and how far the answers are from those of a larger network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ir_models.nets.cwm import CwmTraining
from ir_models.nets.igm import IgmTraining
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
    yet, and is trained as such."""

    def __init__(
        self, task: Any, start: Callable[[], Any], teacher: Any | None, weight: float, fresh: bool = False
    ) -> None:
        self.task: Task = task
        self.start, self.weight, self.fresh = start, weight, fresh
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
        return self.task.validate(model, device, most)


def distance(answer: CwmTraining | IgmTraining, told: CwmTraining | IgmTraining) -> Tensor:
    """How far a pupil's answer is from its teacher's, about 1 for a bad one.

    CWM: mean distance of the flows of every level in tens of canvas pixels where the teacher sees the garment, and of
    coverage. IGM: of the masks, of the colours where the teacher paints, and of the gain."""
    if isinstance(answer, CwmTraining) and isinstance(told, CwmTraining):
        half = told.logits.new_tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 2, 1, 1)
        apart = answer.logits.new_zeros(())
        for one, other in zip(answer.flows, told.flows, strict=True):
            seen = nn.functional.interpolate(told.coverage, size=one.shape[2:], mode="area")
            off = ((one - other) * half).abs().sum(1, keepdim=True).clamp(max=40.0) * seen
            apart = apart + off.sum() / (seen.sum() + 1.0) / 10.0 / len(told.flows)
        return apart + (answer.coverage - told.coverage).abs().mean()
    assert isinstance(answer, IgmTraining) and isinstance(told, IgmTraining)
    apart = told.gain.new_zeros(())
    for name, one, other in zip(told._fields, answer, told, strict=True):
        if name == "colour":
            apart = apart + ((one - other).abs() * told.mask).sum() / (3.0 * told.mask.sum() + 10.0)
        elif name == "gain":
            apart = apart + (one - other).abs().mean()
        elif one.shape[1] == 1:
            apart = apart + (torch.sigmoid(one) - torch.sigmoid(other)).abs().mean()
        else:
            apart = apart + (torch.softmax(one, 1) - torch.softmax(other, 1)).abs().mean()
    return apart
