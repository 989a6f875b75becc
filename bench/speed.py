"""`python -m bench speed`: published PF-AFN, the original work's recipe and this mirror's networks, side by side.

One frame's work a row: published networks compute their garment branch for every frame, as they do; the mirror's
garment features are cached, as they are. Random weights where speed does not depend on them. Medians; ratios count, for
other work on the machine makes all times noisy (the load is printed).
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from bench import contenders, layers
from bench.contenders import PRUNED_WARP, Contender
from bench.machine import clock, describe, int8_peak_gmac_s
from ir_models.sketches import sketch_garment, sketch_person
from mirror.frames import Crop, Frame, Person
from mirror.settings import MODELS
from mirror.tryon import NeuralFitter

SLOW_REPEATS, FAST_REPEATS = (15, 5), (300, 80)
"""Repeats of the published networks and of the mirror's: usually, and with --quick."""
SLOW_LIMIT_S = (60.0, 14.0)
"""Seconds after which a published network's row ends early."""
LOOKED_INTO = ("mirror-ov-shipped", "mirror-ov-full-int8")
"""Rows that the others are set against, and whose networks are shown layer by layer."""

LOAD = """
import sys, time
begun = time.perf_counter()
from pathlib import Path
import numpy as np
from ir_models.sketches import sketch_garment, sketch_person
from mirror.frames import Crop, Frame, Person
start = time.perf_counter()
from mirror.tryon import NeuralFitter
fitter = NeuralFitter(Path(sys.argv[1]), threads=int(sys.argv[2]), cache=Path(sys.argv[3]))
sketch = sketch_person(np.random.default_rng(0))
fitter.fit(Frame(sketch.picture, 0.0, 0), Person(sketch.mask, sketch.landmarks, 0.0, 0.0), Crop(np.eye(2, 3)),
           sketch_garment(np.random.default_rng(0)))
import psutil
print(time.perf_counter() - start, psutil.Process().memory_info().rss / 2**20)
"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench speed", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="fewer repeats; under 4 minutes")
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", metavar="NAMES", help="only these, separated by commas")
    args = parser.parse_args(argv)
    warnings.filterwarnings("ignore")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    machine = describe(args.threads)
    peak = int8_peak_gmac_s(args.threads)
    machine["int8_peak_gmac_s"] = round(peak, 1)
    print(f"{machine['processor']}, {args.threads} threads, INT8 peak {peak:.0f} GMAC/s, load {machine['load_before']}")
    print(f"Original recipe: {contenders.encoder_gmac(PRUNED_WARP):.2f} GMAC an encoder")
    with tempfile.TemporaryDirectory() as cache:
        rows, parts = _rows(args, peak, Path(cache))
    _print_ratios(rows)
    networks = []
    for row, part in parts:
        print(f"\n{row}, ", end="")
        networks.append({"row": row} | layers.report(part, args.threads, peak, FAST_REPEATS[args.quick]))
    report: dict[str, Any] = {"machine": machine, "rows": rows, "networks": networks}
    if (args.models / "manifest.json").is_file():
        report |= {"overlap": _overlap(args), "start": _start(args)}
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _rows(
    args: argparse.Namespace, peak: float, cache: Path
) -> tuple[list[dict[str, Any]], list[tuple[str, contenders.Part]]]:
    """The rows, and the networks of those in LOOKED_INTO with the row they belong to."""
    threads = args.threads
    came_from = [""]

    def shipped() -> Contender:
        contender, came_from[0] = contenders.mirror_as_shipped(args.models, threads, cache)
        return contender

    makers: dict[str, tuple[Callable[[], Contender], bool]] = {
        "pfafn-torch-shifted": (lambda: contenders.published_in_torch("shifted"), True),
        "pfafn-torch-im2col": (lambda: contenders.published_in_torch("im2col"), True),
        "pfafn-ov-f32": (lambda: contenders.published_in_openvino(False, threads), True),
        "pfafn-ov-int8": (lambda: contenders.published_in_openvino(True, threads), True),
        "original-ov-int8": (lambda: contenders.original_recipe(threads), True),
        "mirror-ov-f32": (lambda: contenders.mirror_in_float(args.models, threads), False),
        "mirror-ov-shipped": (shipped, False),
        "mirror-ov-full-int8": (lambda: contenders.mirror_full_in_int8(threads), False),
    }
    rows: list[dict[str, Any]] = []
    parts: list[tuple[str, contenders.Part]] = []
    wanted = args.rows.split(",") if args.rows else list(makers)
    print(f"{'':20} {'ms p50':>8} {'p10':>8} {'p90':>8} {'CPU ms':>8} {'GMAC':>7} {'M param':>8} {'of peak':>8}")
    for name in wanted:
        make, slow = makers[name]
        contender = make()
        repeats = (SLOW_REPEATS if slow else FAST_REPEATS)[args.quick]
        times = clock(contender.run, repeats, warm_up=1 if slow else 10, seconds=SLOW_LIMIT_S[args.quick])
        share = contender.gmac / times["ms"]["p50"] * 1e3 / peak
        row = {
            "name": name,
            **times,
            "gmac": round(contender.gmac, 3),
            "params_m": round(contender.params_m, 3),
            "peak_share": round(share, 4),
        }
        rows.append(row)
        ms = times["ms"]
        print(
            f"{name:20} {ms['p50']:8.1f} {ms['p10']:8.1f} {ms['p90']:8.1f} {times['cpu_ms']['p50']:8.1f} "
            f"{contender.gmac:7.2f} {contender.params_m:8.2f} {share:8.1%}",
            flush=True,
        )
        if name in LOOKED_INTO:
            parts += [(name, part) for part in contender.parts]
        if name == "mirror-ov-shipped":
            print(f"  {came_from[0]}")
        del contender
        gc.collect()
    return rows, parts


def _print_ratios(rows: list[dict[str, Any]]) -> None:
    medians = {row["name"]: row["ms"]["p50"] for row in rows}
    for ours in LOOKED_INTO:
        if own := medians.get(ours):
            print(f"Frames per second of {ours} over:")
            for name, ms in medians.items():
                print(f"  {name:20} {ms / own:6.1f}")


def _overlap(args: argparse.Namespace) -> dict[str, float]:
    """What it gains to run the next person stage while the generator works: frame after frame, both ways in turn."""
    fitter = NeuralFitter(args.models, args.threads)
    rng = np.random.default_rng(0)
    sketch, garment = sketch_person(rng), sketch_garment(rng)
    frame, person = Frame(sketch.picture, 0.0, 0), Person(sketch.mask, sketch.landmarks, 0.0, 0.0)
    given = (frame, person, Crop(np.eye(2, 3)), garment)
    spent: dict[str, list[float]] = {"one after the other": [], "overlapped": []}
    for _ in range(4 if args.quick else 12):
        begun = time.perf_counter()
        for _ in range(20):
            fitter.fit(*given)
        spent["one after the other"].append((time.perf_counter() - begun) / 20 * 1e3)
        begun, pending = time.perf_counter(), fitter.submit(*given)
        for _ in range(19):
            following = fitter.submit(*given)
            pending.result()
            pending = following
        pending.result()
        spent["overlapped"].append((time.perf_counter() - begun) / 20 * 1e3)
    fitter.close()
    found = {name: round(float(np.median(values)), 2) for name, values in spent.items()}
    gain = 1.0 - found["overlapped"] / found["one after the other"]
    print(
        f"\nA whole fit, maps to Fit: {found['one after the other']:.1f} ms one after the other, "
        f"{found['overlapped']:.1f} ms with IGM of a frame under the person stage of the next ({gain:.0%} less)"
    )
    return found


def _start(args: argparse.Namespace) -> dict[str, float]:
    """Seconds from importing the fitter to its first Fit, in a new process: without a cache, then with it."""
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("cold", "warm"):
            command = [sys.executable, "-c", LOAD, str(args.models), str(args.threads), cache]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, rss = (float(word) for word in done.stdout.split())
            found[f"{name}_s"], found["rss_mb"] = round(seconds, 2), round(rss)
    seconds_words = f"{found['cold_s']:.2f} s cold, {found['warm_s']:.2f} s warm"
    print(f"Model set to first fit: {seconds_words}; {found['rss_mb']} MB resident")
    return found
