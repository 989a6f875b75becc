"""`python -m ir_models evaluate --json FILE`: the networks, the geometric fit and what ships, on the same people."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from ir_models.checkpoints import load_cwm, load_igm
from ir_models.evaluate.cases import Case, from_shards, made_here
from ir_models.evaluate.figures import PictureFigures, WarpFigures
from ir_models.evaluate.fitters import TorchFitter
from mirror.frames import Crop, Fit, Frame, Person
from mirror.geometric import GeometricFitter
from mirror.tryon import NeuralFitter
from mirror.wardrobe import Garment

FULL_COUNT, QUICK_COUNT = 500, 100
DEFAULT_MODELS = Path(__file__).resolve().parents[1] / "default"


class Fitter(Protocol):
    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, evaluate, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ir_models evaluate", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the figures go")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COUNT} drawn samples instead of {FULL_COUNT}")
    parser.add_argument("--count", type=int, help="samples, instead of either")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="garment photos: a split with held-out ones as well")
    parser.add_argument("--data", type=Path, metavar="DIR", help="take DIR/heldout's shards instead of drawing samples")
    parser.add_argument("--cwm", type=Path, help="checkpoint of the warp network")
    parser.add_argument("--igm", type=Path, help="checkpoint of the generator")
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS, help="model set that ships")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    count = args.count or (QUICK_COUNT if args.quick else FULL_COUNT)
    fitters = _fitters(args.cwm, args.igm, args.models, args.threads)
    cases = from_shards(args.data / "heldout", count) if args.data else made_here(count)
    report = evaluate(cases, fitters)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    report["photos"] = None
    if args.photos and not args.quick:
        report["photos"] = evaluate(made_here(count, args.photos, args.json.parent), fitters)
    args.json.write_text(json.dumps(report, indent=2, default=float) + "\n", encoding="utf-8")
    for name, row in report.items():
        if isinstance(row, dict) and "epe_px" in row:
            print(f"{name}: error {row['epe_px']['mean']:.2f} mean, {row['epe_px']['median']:.2f} median px, "
                  f"IoU {row['coverage_iou']:.3f} ({row['count']} samples)")  # fmt: skip
        elif isinstance(row, dict) and "l1_repair" in row:
            print(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in row.items() if isinstance(v, float)))
    return 0


def _fitters(cwm: Path | None, igm: Path | None, models: Path, threads: int) -> dict[str, Callable[[], Fitter]]:
    """Name -> maker of a fitter; one that smooths over time is made anew for every case."""
    makers: dict[str, Callable[[], Fitter]] = {"geometric": GeometricFitter}
    if cwm is not None:
        plain = TorchFitter(load_cwm(cwm)[0])
        makers["cwm"] = lambda: plain
        if igm is not None:
            whole = TorchFitter(plain.cwm, load_igm(igm)[0])
            makers["igm"] = lambda: whole
    if (models / "manifest.json").is_file():
        shipped = NeuralFitter(models, threads)
        makers["shipped"] = lambda: shipped
    return makers


def evaluate(cases: Iterable[Case], fitters: dict[str, Callable[[], Fitter]]) -> dict[str, Any]:
    """Run every fitter on every case.

    -> {"cwm", "geometric", "cwm_shipped": figures of the warp; "composite" (the CWM lit by low-frequency shading),
    "igm", "igm_shipped": figures of the picture}, as far as there are fitters for them.
    """
    warps, pictures = {"cwm": "cwm", "geometric": "geometric", "shipped": "cwm_shipped"}, {"cwm": "composite"}
    pictures |= {"igm": "igm", "shipped": "igm_shipped"}
    report: dict[str, Any] = {}
    started = time.monotonic()
    for done, case in enumerate(cases, 1):
        for name, make in fitters.items():
            fit = make().fit(case.frame, case.person, case.crop, case.garment)
            if name in warps:
                report.setdefault(warps[name], WarpFigures()).add(fit, case)
            if name in pictures and (name != "shipped" or fit.repair is not None):
                report.setdefault(pictures[name], PictureFigures()).add(fit, case)
        if done % 50 == 0:
            print(f"{done} samples, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return {name: figures.summary() for name, figures in report.items()}
