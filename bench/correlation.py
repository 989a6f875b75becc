"""`python -m bench correlation`: the forms of the cost volume side by side.

First the original work's table: so many runs of the plain form and of im2col at one level, in torch, with time, frames
per second and their ratio (the original states 1.60), by the clock and by the processor's own time, which other work on
the machine disturbs less. Then the three forms at every level of the published and of the
shipped widths, in torch and in OpenVINO.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.machine import clock, describe
from ir_models.convert import CPU_OPTIONS, Plan, to_openvino
from ir_models.nets.correlation import FORMS, Form, correlation
from ir_models.nets.cwm import LEVELS, CwmConfig
from mirror.engine import ov

RADIUS = 3
PLAIN_AND_IM2COL: tuple[Form, Form] = ("shifted", "im2col")


@dataclass(frozen=True)
class Level:
    """Two feature maps to compare. radius: of the displacements, pixels of the level."""

    channels: int
    height: int
    width: int
    radius: int = RADIUS

    @property
    def name(self) -> str:
        side = 2 * self.radius + 1
        return f"{self.channels} x {self.height} x {self.width}, {side}x{side}"

    @property
    def mmac(self) -> float:
        """Millions of multiply-adds that the definition asks for."""
        return self.channels * self.height * self.width * (2 * self.radius + 1) ** 2 / 1e6

    def maps(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(0)
        shape = (1, self.channels, self.height, self.width)
        return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


PUBLISHED = tuple(Level(256, 8 << k, 6 << k) for k in range(5))
SHIPPED = tuple(
    Level(CwmConfig().features, *size, radius) for size, radius in zip(LEVELS, CwmConfig().radii, strict=True) if radius
)
STATED = PUBLISHED[1]
"""The level of the original's table: a run takes well under 30 ms."""
TURN = 10
"""Runs of one form before the other has its turn, so that both meet the same load."""


class _Module(nn.Module):
    def __init__(self, radius: int, form: Form) -> None:
        super().__init__()
        self.radius, self.form = radius, form

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return correlation(a, b, self.radius, self.form)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench correlation", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 10000], help="runs in the original's table")
    parser.add_argument("--repeats", type=int, default=50, help="runs a form and level in the other tables; 0: none")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    machine = describe(args.threads)
    print(f"{machine['processor']}, {args.threads} threads, load {machine['load_before']}")
    report: dict[str, Any] = {"machine": machine, "original": original_table(args.n)}
    for title, levels in (("published", PUBLISHED), ("shipped", SHIPPED)) if args.repeats else ():
        for runtime in ("torch", "openvino"):
            report[f"{title}, {runtime}"] = forms_table(f"{title} widths, {runtime}", levels, runtime, args)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def original_table(counts: list[int]) -> list[dict[str, Any]]:
    """Plain form and im2col in torch, so many runs each, in turns of TURN."""
    print(f"\nAs in the original work: {STATED.name}, torch")
    print(f"{'n':>7}  {'form':8} {'time s':>9} {'FPS':>9}   ratio {'CPU s':>9}   ratio")
    a, b = STATED.maps()
    rows = []
    for count in counts:
        wall: dict[Form, float] = dict.fromkeys(PLAIN_AND_IM2COL, 0.0)
        cpu: dict[Form, float] = dict.fromkeys(PLAIN_AND_IM2COL, 0.0)
        for done in range(0, count, TURN):
            for form in PLAIN_AND_IM2COL:
                with torch.inference_mode():
                    used, begun = time.process_time(), time.perf_counter()
                    for _ in range(min(TURN, count - done)):
                        correlation(a, b, RADIUS, form)
                    wall[form] += time.perf_counter() - begun
                    cpu[form] += time.process_time() - used
        for form in PLAIN_AND_IM2COL:
            ratio, cpu_ratio = wall["shifted"] / wall[form], cpu["shifted"] / cpu[form]
            rows.append(
                {
                    "n": count,
                    "form": form,
                    "s": round(wall[form], 3),
                    "fps": round(count / wall[form], 1),
                    "ratio": round(ratio, 3),
                    "cpu_s": round(cpu[form], 3),
                    "cpu_ratio": round(cpu_ratio, 3),
                }
            )
            print(
                f"{count:7}  {form:8} {wall[form]:9.2f} {count / wall[form]:9.1f}  {ratio:6.2f} {cpu[form]:9.2f}  "
                f"{cpu_ratio:6.2f}",
                flush=True,
            )
    return rows


def forms_table(title: str, levels: tuple[Level, ...], runtime: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Median milliseconds of every form at every level, and their sums, by the clock and by the processor's time."""
    heads = "".join(f"{form:>10}" for form in FORMS)
    print(f"\n{title}, median of {args.repeats} (ms)\n{'':24}{heads}  im2col/rows")
    rows: list[dict[str, Any]] = []
    for level in levels:
        medians: dict[str, float] = {}
        for form in FORMS:
            medians[form], medians[f"{form}, CPU"] = _median_ms(level, form, runtime, args)
        rows.append({"level": level.name, "mmac": round(level.mmac, 3)} | medians)
        _print_row(level.name, medians)
    total = {name: round(float(np.sum([row[name] for row in rows])), 3) for name in medians}
    _print_row("sum", total)
    _print_row("sum, CPU", {form: total[f"{form}, CPU"] for form in FORMS})
    return [*rows, {"level": "sum"} | total]


def _print_row(name: str, medians: dict[str, float]) -> None:
    cells = "".join(f"{medians[form]:10.3f}" for form in FORMS)
    print(f"{name:24}{cells}  {medians['im2col'] / medians['rows']:11.2f}", flush=True)


def _median_ms(level: Level, form: Form, runtime: str, args: argparse.Namespace) -> tuple[float, float]:
    """Of one form at one level: by the clock, and of processor time."""
    module, maps = _Module(level.radius, form), level.maps()
    if runtime == "torch":

        def run() -> Any:
            with torch.inference_mode():
                return module(*maps)
    else:
        model = to_openvino(Plan("correlation", module, dict(zip("ab", maps, strict=True)), ("volume",)))
        options = CPU_OPTIONS | {"INFERENCE_NUM_THREADS": args.threads}
        request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
        given = {name: tensor.numpy() for name, tensor in zip("ab", maps, strict=True)}

        def run() -> Any:
            return request.infer(given)

    times = clock(run, args.repeats, warm_up=3)
    return times["ms"]["p50"], times["cpu_ms"]["p50"]
