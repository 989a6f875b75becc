"""`python -m bench compression`: the original work's three tables, on these networks.

Pruning: CWM and IGM narrowed by several ratios, each fine-tuned with the unpruned network as its teacher, beside the
published PF-AFN widths narrowed alike; and one network of a pruned point's widths trained from nothing for as long.
Quantisation: post-training, trained with rounding, and neural-compressor's, of CWM, IGM and both. Correlation: what
`bench correlation` measures. Every point is a JSON in the work folder, so that a run goes on where it was cut off;
times are taken at the end, of all points in turn. Writes bench/RESULTS.md and the picture of the front.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import torch

from bench import compression_quantised as quantised
from bench import correlation
from bench.compression_points import QUICK_SAMPLES, Bench, correlation_point, pruning_points, stamp
from bench.compression_report import draw_front, write_results
from bench.machine import describe

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("pruning", "quantisation", "correlation")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench compression", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="one point a table, seconds of training; under 5 minutes")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--cwm", type=Path, default=ROOT / "ir_models/trained/cwm.pt", help="checkpoint to compress")
    parser.add_argument("--igm", type=Path, default=ROOT / "ir_models/trained/igm.pt", help="the same; '' for none yet")
    parser.add_argument("--data", type=Path, metavar="DIR", help="shards; default: some are drawn for the purpose")
    parser.add_argument("--work", type=Path, metavar="DIR", help="points and networks (default: runs/compression)")
    parser.add_argument("--tables", default=",".join(TABLES), metavar="NAMES")
    parser.add_argument("--networks", default="cwm,igm", metavar="NAMES", help="whose rows of the pruning table")
    parser.add_argument("--ratios", help="only these of the pruning table, separated by commas")
    parser.add_argument("--minutes", type=float, help="of fine-tuning a point (default 10; 0.1 with --quick)")
    parser.add_argument("--distil", type=float, default=1.0, metavar="W", help="weight of the teacher's answers")
    parser.add_argument("--count", type=int, help="held-out samples a point is judged on (default 200; 8 with --quick)")
    parser.add_argument("--limit", type=int, help="training samples at most")
    parser.add_argument("--batch", type=int, help="samples a training step (default: the training's own)")
    parser.add_argument("--clip", type=Path, metavar="FILE", help="someone who stands still: a column of flicker")
    parser.add_argument("--correlation", type=Path, nargs="+", metavar="FILE", help="what `bench correlation` wrote")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, help="default: bench/RESULTS.md, with --quick none")
    parser.add_argument("--report-only", action="store_true", help="write the tables of the points there are")
    parser.add_argument("--without-times", action="store_true", help="on a busy machine: only make points")
    args = parser.parse_args(argv)
    warnings.filterwarnings("ignore")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as place:
        work = args.work or (Path(place) if args.quick else ROOT / "runs/compression")
        bench = Bench(
            work=work,
            checkpoints={"cwm": args.cwm} | ({"igm": args.igm} if args.igm.name else {}),
            data=args.data or work / "data",
            minutes=args.minutes if args.minutes is not None else (0.1 if args.quick else 10.0),
            distil=args.distil,
            count=args.count or (8 if args.quick else 200),
            batch=args.batch or (4 if args.quick else None),
            threads=args.threads,
            quick=args.quick,
            clip=args.clip,
            limit=args.limit or (QUICK_SAMPLES if args.quick else None),
        )
        report = _run(bench, args)
    about = {"command": _command(argv), **stamp()}
    report = {"about": about, "machine": describe(args.threads), **report}
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    results = args.results or (None if args.quick else ROOT / "bench/RESULTS.md")
    if results is not None:
        write_results(report, results)
        draw_front(report["pruning"], results.with_name("compression.png"))
    return 0


def _run(bench: Bench, args: argparse.Namespace) -> dict[str, Any]:
    tables = args.tables.split(",")
    jobs: list[tuple[str, Any]] = []
    if "pruning" in tables:
        ratios = tuple(float(ratio) for ratio in args.ratios.split(",")) if args.ratios else None
        jobs += pruning_points(bench, tuple(kind for kind in bench.kinds if kind in args.networks.split(",")), ratios)
    if "quantisation" in tables:
        jobs += quantised.points(bench)
    if "correlation" in tables:
        jobs.append(("correlation", correlation_point(bench, correlation, args.correlation)))
    begun, ran = time.monotonic(), 0
    for index, (name, job) in enumerate(jobs):
        if bench.known(name) or args.report_only:  # known: looked up, whatever is asked
            continue
        left = "" if not ran else f", about {(time.monotonic() - begun) / ran * (len(jobs) - index) / 60:.0f} min left"
        print(f"[{index + 1}/{len(jobs)}] {name}{left}", file=sys.stderr, flush=True)
        bench.keep(name, job())
        ran += 1
    if not args.report_only and not args.without_times:
        bench.take_times()
    return bench.report()


def _command(argv: list[str] | None) -> str:
    return "python -m bench compression " + " ".join(argv if argv is not None else sys.argv[2:])
