"""`python -m ir_models evaluate --json FILE`: the networks, the geometric fit and what ships, on the same people."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import torch

from ir_models.checkpoints import load_cwm, load_igm
from ir_models.evaluate.cases import Case, from_shards
from ir_models.evaluate.drawing import HELD_OUT_SEED, Drawing
from ir_models.evaluate.figures import PictureFigures, WarpFigures
from ir_models.evaluate.fitters import TorchFitter
from ir_models.evaluate.paired import PairedFigures, cases_of_viton
from ir_models.writing import add_figures
from mirror.errors import ModelError, UsageError
from mirror.frames import Crop, Fit, Frame, Person
from mirror.geometric import GeometricFitter
from mirror.tryon import NeuralFitter
from mirror.wardrobe import Garment

FULL_COUNT, QUICK_COUNT = 500, 100
WORKSHOP = Path(__file__).resolve().parents[1]
SHIPPED, TRAINED = WORKSHOP / "default", WORKSHOP / "trained"
WARPS = {"cwm": "cwm", "geometric": "geometric", "shipped": "cwm_shipped"}
"""Fitter -> what its warp is called in the report."""
PICTURES = {"cwm": "composite", "igm": "igm", "shipped": "igm_shipped"}
"""Fitter -> what its finished picture is called in the report."""


class Fitter(Protocol):
    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, evaluate, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ir_models evaluate", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the figures go")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COUNT} drawn samples instead of {FULL_COUNT}")
    parser.add_argument("--count", type=int, help="samples, instead of either")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="garment photos: a split with held-out ones as well")
    parser.add_argument("--photo-cache", type=Path, metavar="DIR", help="where fitted photos are kept (minutes to fit)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="take DIR/heldout's shards instead of drawing samples")
    parser.add_argument("--viton", type=Path, metavar="DIR", help="a folder in VITON's layout, and nothing else")
    parser.add_argument("--cwm", type=Path, help="checkpoint of the warp network (default: the one that is shipped)")
    parser.add_argument("--igm", type=Path, help="checkpoint of the generator")
    parser.add_argument("--models", type=Path, default=SHIPPED, help="model set that ships")
    parser.add_argument("--into", action="store_true", help="write the figures into that set's manifest and card too")
    parser.add_argument("--threads", type=int, default=2, help="of the networks")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw samples")
    args = parser.parse_args(argv)
    if args.quick and args.photos:
        parser.error("--quick takes drawn samples only: leave --photos out, or give --count")
    if args.viton and (args.photos or args.data or args.into):
        parser.error("--viton goes with none of --photos, --data and --into")
    torch.set_num_threads(args.threads)
    count = args.count or (QUICK_COUNT if args.quick else FULL_COUNT)
    started = time.monotonic()
    if args.viton:
        fitters = make_fitters(args.cwm, args.igm, args.models, args.threads)
        paired = evaluate(cases_of_viton(args.viton, count), fitters, paired=True)
        write_report(args.json, {"viton": paired})
        print_figures("viton", paired)
        return 0
    with ExitStack() as stack:
        splits: dict[str, Iterable[Case]] = {}  # made before the networks: workers are forked while there is one thread
        drawn = from_shards(args.data / "heldout", count) if args.data else Drawing(count, args.workers)
        splits["drawn"] = stack.enter_context(drawn) if isinstance(drawn, Drawing) else drawn
        if args.photos:
            cache = args.photo_cache or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            splits["photos"] = stack.enter_context(Drawing(count, args.workers, args.photos, cache))
        fitters = make_fitters(args.cwm, args.igm, args.models, args.threads)
        found = {name: evaluate(cases, fitters) for name, cases in splits.items()}
    report = {"cwm": None, "geometric": None, "cwm_shipped": None} | found["drawn"] | {"photos": found.get("photos")}
    report["samples"] = {
        "from": "shards" if args.data else f"drawn here, seed {HELD_OUT_SEED}",
        "seconds": round(time.monotonic() - started, 1),
    }
    write_report(args.json, report)
    for split, figures in found.items():
        print_figures(split, figures)
    if args.into:
        add_figures(args.models, {"from": report["samples"]["from"], **found})
        print(f"Wrote the figures into {args.models}.")
    return 0


def write_report(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def make_fitters(cwm: Path | None, igm: Path | None, models: Path, threads: int) -> dict[str, Callable[[], Fitter]]:
    """Name -> maker of a fitter; one that smooths over time is made anew for every case.

    Without a checkpoint named, those that are shipped are taken, if they fit this version's networks."""
    makers: dict[str, Callable[[], Fitter]] = {"geometric": GeometricFitter}
    try:
        plain = TorchFitter(load_cwm(cwm or TRAINED / "cwm.pt")[0])
        makers["cwm"] = lambda: plain
        if igm is not None:
            whole = TorchFitter(plain.cwm, load_igm(igm)[0])
            makers["igm"] = lambda: whole
    except ModelError as error:
        if cwm is not None or igm is not None:
            raise
        print(f"Without the network as trained: {error}", file=sys.stderr)
    if (models / "manifest.json").is_file():
        shipped = NeuralFitter(models, threads, remembers=False)
        makers["shipped"] = lambda: shipped
    return makers


def evaluate(cases: Iterable[Case], fitters: dict[str, Callable[[], Fitter]], paired: bool = False) -> dict[str, Any]:
    """Run every fitter on every case.

    -> {"cwm", "geometric", "cwm_shipped": figures of the warp; "composite" (the CWM lit by low-frequency shading),
    "igm", "igm_shipped": figures of the picture}, as far as there are fitters for them. paired:
    people in their own garments; then every fitter has `PairedFigures` under its own name. Raises UsageError without
    cases.
    """
    report: dict[str, Any] = {}
    started = time.monotonic()
    for done, case in enumerate(cases, 1):
        for name, make in fitters.items():
            fit = make().fit(case.frame, case.person, case.crop, case.garment)
            if paired:
                report.setdefault(name, PairedFigures()).add(fit, case)
                continue
            if name in WARPS:
                report.setdefault(WARPS[name], WarpFigures()).add(fit, case)
            if name in PICTURES and (name != "shipped" or fit.repair is not None):
                report.setdefault(PICTURES[name], PictureFigures()).add(fit, case)
        if done % 50 == 0:
            print(f"{done} samples, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if not report:
        raise UsageError("there was no sample to evaluate on")
    return {name: figures.summary() for name, figures in report.items()}


def print_figures(split: str, report: dict[str, Any]) -> None:
    for name, row in report.items():
        if "epe_px" in row:
            epe = row["epe_px"]
            print(
                f"{split}, {name}: error {epe['mean']:.2f} mean, {epe['median']:.2f} median, {epe['p90']:.2f} p90 px, "
                f"IoU {row['coverage_iou']:.3f} ({row['count']} samples)"
            )
        else:
            print(f"{split}, {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in row.items() if isinstance(v, float)))
