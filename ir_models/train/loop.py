"""The loop both trainings run in: a wall-clock budget, a cosine over it, an average of the weights, checkpoints.

A checkpoint FILE holds {"config", "model" (averaged weights), "trained_on", "metrics"}; beside it FILE.resume holds
what only going on needs (weights, optimiser, random state, steps, the curve), so that the former stays small.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ir_models.train.threads import IdleCores
from mirror.errors import UsageError

CHECKPOINT_S, FIGURES_S, SAY_S = 120.0, 150.0, 20.0
"""How often a checkpoint is written, held-out figures are taken, a line is printed."""
WARM_UP_STEPS, WARM_UP_SHARE = 80, 0.1
"""Over which the learning rate rises: so many steps, or so much of the budget if that is shorter."""
FINAL_SHARE = 0.01
"""Of the learning rate, at the end of the budget."""
AVERAGE = 0.996
"""Decay of the running average of weights, which is what is evaluated and shipped."""
QUICK_HELD_OUT = 128


class Task(Protocol):
    """What is trained."""

    name: str
    batch_size: int
    learning_rate: float
    config: Any
    half: bool

    def build(self) -> nn.Module: ...
    def begin(self, model: Any, generator: torch.Generator, device: torch.device, budget_s: float) -> None: ...
    def refresh(self) -> int: ...
    def __len__(self) -> int: ...
    def loss(
        self, model: Any, rows: np.ndarray, generator: torch.Generator, device: torch.device
    ) -> dict[str, Tensor]: ...
    def validate(self, model: Any, device: torch.device, most: int | None = None) -> dict[str, float]: ...


class Trainer:
    """Trains one task for a budget of minutes; `run` returns the final figures."""

    def __init__(
        self, task: Task, out: Path, minutes: float, device: str = "cpu", trained_on: str = "",
        cores: IdleCores | None = None, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """cores: adapts torch's threads to a shared machine; None leaves them as they are. clock: what the budget is
        counted by, seconds; `time.process_time` gives trainings on a shared machine the same work."""
        torch.set_flush_denormal(True)  # a quarter of a CPU step goes into denormals otherwise
        self.cores, self.clock = cores, clock
        self.task, self.out, self.budget_s, self.trained_on = task, out, minutes * 60.0, trained_on
        self.device = torch.device(device)
        task.half = half_pays(self.device)
        torch.backends.cudnn.benchmark = True  # every step has the same shapes
        torch.manual_seed(0)
        self.model = task.build().to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=task.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98),
            fused=self.device.type == "cuda",
        )  # fmt: skip
        self.rng, self.generator = np.random.default_rng(0), torch.Generator(self.device).manual_seed(0)
        self.steps, self.spent_s = 0, 0.0
        self.order = np.zeros(0, np.int64)
        self.curve: list[dict[str, float]] = []
        self.running: dict[str, Tensor] = {}

    def resume(self, path: Path) -> None:
        """Go on from where FILE.resume left; raises UsageError if it does not fit."""
        try:
            state = torch.load(_beside(path), map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.set_state(state["generator"])  # of another device it does not fit
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise UsageError(f"{_beside(path)} cannot be gone on from ({error}): start without --resume") from error
        self.rng.bit_generator.state = state["rng"]
        self.steps, self.spent_s, self.curve = state["steps"], state["spent_s"], state["curve"]
        self.order = np.array(state["order"], np.int64)

    def run(self) -> dict[str, float]:
        """Train until the budget is spent (time spent before a resume counts), then take figures on all of held-out."""
        started = self.clock() - self.spent_s
        if not self.steps:
            self.task.begin(self.model, self.generator, self.device, self.budget_s)
            self.average.load_state_dict(self.model.state_dict())
        due = {"figures": 0.0, "checkpoint": self.spent_s + CHECKPOINT_S, "say": 0.0}
        while self.spent_s < self.budget_s:
            came = self.task.refresh()
            if came:
                print(f"{came} new samples, {len(self.task)} in all", flush=True)
            self._step()
            self.spent_s = self.clock() - started
            if self.spent_s >= due["figures"]:
                self._figures(QUICK_HELD_OUT)
                due["figures"] = self.spent_s + FIGURES_S
            if self.spent_s >= due["checkpoint"]:
                self.save()
                due["checkpoint"] = self.spent_s + CHECKPOINT_S
            if self.spent_s >= due["say"]:
                self._say()
                if self.cores is not None:
                    self.cores.adapt()
                due["say"] = self.spent_s + SAY_S
        figures = self._figures(None)
        self.save()
        return figures

    def _step(self) -> None:
        spent = min(1.0, self.spent_s / self.budget_s)
        cosine = 0.5 * (1.0 + math.cos(math.pi * spent))
        rate = self.task.learning_rate * min(1.0, max((self.steps + 1) / WARM_UP_STEPS, spent / WARM_UP_SHARE))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (FINAL_SHARE + (1.0 - FINAL_SHARE) * cosine)
        rows = self._next_rows()
        terms = self.task.loss(self.model, rows, self.generator, self.device)
        total = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.steps += 1
        keep = min(AVERAGE, self.steps / (self.steps + 10.0))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - keep)
        for name, term in terms.items():
            value = term.detach()  # not a number yet: a GPU would have to be waited for
            self.running[name] = torch.lerp(self.running.get(name, value), value, 0.03)

    def _next_rows(self) -> np.ndarray:
        """Every sample once, in random order, then again; samples that came in between join the next round."""
        size = min(self.task.batch_size, len(self.task))
        if len(self.order) < size:
            self.order = self.rng.permutation(len(self.task))
        rows, self.order = self.order[:size], self.order[size:]
        return rows

    def _figures(self, most: int | None) -> dict[str, float]:
        self.average.eval()
        figures = self.task.validate(self.average, self.device, most)
        row = {"minutes": self.spent_s / 60.0, "step": float(self.steps), "samples": float(len(self.task))}
        self.curve.append(row | figures | {f"loss_{k}": float(v) for k, v in self.running.items()})
        print("held out: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()), flush=True)
        return figures

    def _say(self) -> None:
        speed = self.steps * self.task.batch_size / max(self.spent_s, 1e-3)
        left = max(0.0, self.budget_s - self.spent_s) / 60.0
        terms = ", ".join(f"{name} {value:.3f}" for name, value in self.running.items())
        print(
            f"{self.spent_s / 60.0:5.1f} min, {left:.1f} left | step {self.steps}, {speed:.1f} samples/s | {terms}",
            flush=True,
        )

    def save(self) -> None:
        """Both files, whole or not at all, and the curve as a picture."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        figures = {k: v for k, v in (self.curve[-1] if self.curve else {}).items() if not k.startswith("loss_")}
        steps = f"{self.steps} steps of {self.task.batch_size} in {self.spent_s / 60.0:.1f} minutes"
        weights = {name: value.contiguous().cpu() for name, value in self.average.state_dict().items()}
        _write(
            {
                "config": dataclasses.asdict(self.task.config),
                "model": weights,
                "trained_on": f"{self.trained_on or 'synthetic samples'}: {len(self.task)} samples, {steps}",
                "metrics": figures,
            },
            self.out,
        )
        _write(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "rng": self.rng.bit_generator.state,
                "steps": self.steps,
                "spent_s": self.spent_s,
                "order": self.order.tolist(),
                "curve": self.curve,
            },
            _beside(self.out),
        )
        draw_curve(self.curve, self.out.with_suffix(".png"))


def half_pays(device: torch.device) -> bool:
    """Whether convolutions in bfloat16 are faster there: on a GPU, and on processors with AVX512-BF16 (1.6 times)."""
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cuda" or (asked is not None and bool(asked()))


def in_full(out: Any) -> Any:
    """A named tuple of tensors (and lists of them) in float32, for the losses."""
    if isinstance(out, Tensor):
        return out.float()
    if isinstance(out, list):
        return [in_full(part) for part in out]
    return type(out)(*(in_full(part) for part in out))


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".resume")


def _write(content: dict[str, Any], path: Path) -> None:
    unfinished = path.with_name(path.name + ".part")
    torch.save(content, unfinished)
    unfinished.replace(path)


def draw_curve(curve: list[dict[str, float]], path: Path) -> None:
    """Held-out figures and training losses over minutes; one small panel each."""
    if len(curve) < 2:
        return
    if "matplotlib" not in sys.modules:
        import matplotlib

        matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in curve[-1] if name not in ("minutes", "step", "samples")]
    columns = 4
    lines = math.ceil(len(names) / columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(4 * columns, 2.4 * lines), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        points = [(row["minutes"], row[name]) for row in curve if name in row]
        axis.plot(*zip(*points, strict=True), linewidth=1.2)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
