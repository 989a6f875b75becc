"""`python -m ir_models together`: render samples and train both networks on them, all at once.

For a machine with a GPU and many cores that is lent for minutes: nothing waits for anything. Workers render straight
into what the two trainings keep; both begin with the first samples and take in more as they come; the generator's
training reads the warp network's checkpoint again whenever it is written.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from ir_models.checkpoints import story_of  # noqa: E402
from ir_models.synth import photos as photo_fit  # noqa: E402
from ir_models.synth.sample import Pools, make_pools  # noqa: E402
from ir_models.synth.shards import checked_pair, checked_sample  # noqa: E402
from ir_models.train import cwm, igm  # noqa: E402
from ir_models.train.shards import Sample, kept_path, shows_garment, write_kept  # noqa: E402
from mirror.errors import UsageError  # noqa: E402

KEPT_AT_ONCE, HELD_OUT_AT_ONCE = 64, 20
"""Samples in a file: for training, and of those held out, of which every worker writes one file."""
PAIRS_SHARE = 0.6
"""How often a person in two garments is two samples; else they wear the old one as people do, tucked in, open, under a
lanyard, and are one."""
COMPACT: dict[str, Callable[[Sample], Sample]] = {"cwm": cwm.compact, "igm": igm.compact}
OTHER_SEED = 1_000_003
"""Between the seed of what is trained on and that of what is held out."""
WAIT_S = 300.0
"""For the first samples."""
PHOTO_LIMIT, PHOTO_BUDGET_S = 10_000, 600.0


def main(argv: Sequence[str] | None = None) -> int:
    """Render and train; returns 0 if both trainings ended well. Raises ModelError for a start that is no checkpoint."""
    parser = argparse.ArgumentParser(prog="python -m ir_models together", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints, curves and logs")
    parser.add_argument("--data", type=Path, required=True, help="folder of what is rendered: 0.9 MB a sample")
    parser.add_argument("--minutes", type=float, required=True, help="budget of the trainings")
    parser.add_argument("--count", type=int, default=50000, help="samples, and up to 63 more")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--workers", type=int, required=True, help="processes that render, one thread each")
    parser.add_argument("--photos", type=Path, help="as for synth")
    parser.add_argument("--photo-cache", type=Path, help="as for synth; with photos fitted before it is enough")
    parser.add_argument("--hair", type=Path, help="as for synth")
    parser.add_argument("--start-cwm", type=Path, required=True, help="checkpoint to begin with")
    parser.add_argument("--start-igm", type=Path, required=True, help="checkpoint to begin with")
    parser.add_argument("--batch", type=int, nargs=2, default=(64, 48), metavar=("CWM", "IGM"), help="samples a step")
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    args = parser.parse_args(argv)
    for start in (args.start_cwm, args.start_igm):
        story_of(start)  # raises ModelError: before minutes go by
    args.out.mkdir(parents=True, exist_ok=True)
    followed = args.out / "cwm.pt"
    if not (followed.exists() and followed.samefile(args.start_cwm)):
        shutil.copy(args.start_cwm, followed)
    cv2.setNumThreads(1)
    fitted = []
    if args.photos or args.photo_cache:
        cache = args.photo_cache or args.data
        fitted = photo_fit.prepare(args.photos or cache, cache, False, PHOTO_LIMIT, PHOTO_BUDGET_S)
    pools, held_out = make_pools(args.seed, False, args.hair, fitted), make_pools(args.seed, True, args.hair)
    checked_sample(pools, args.seed, 0)  # compiles what the workers share
    print(f"{len(fitted)} photos; rendering begins", flush=True)
    fork = multiprocessing.get_context("fork")
    crew = [fork.Process(target=_render, args=(pools, held_out, args, k), daemon=True) for k in range(args.workers)]
    trainings: list[subprocess.Popen[bytes]] = []
    try:
        for worker in crew:
            worker.start()
        _wait_for_held_out(args.data, crew)
        trainings += [_training(name, args) for name in COMPACT]
        while any(training.poll() is None for training in trainings):
            if any(training.poll() for training in trainings):
                break
            time.sleep(0.2)
        if any(worker.exitcode for worker in crew):
            print("a worker stopped early; what it said stands above", flush=True)
        return int(any(training.poll() != 0 for training in trainings))
    finally:
        for training in trainings:
            training.terminate()
            training.wait()
        for worker in crew:
            worker.terminate()
            worker.join()


def _wait_for_held_out(data: Path, crew: Sequence[multiprocessing.process.BaseProcess]) -> None:
    """Until every worker has written its samples: all figures are of the same ones. Raises UsageError if one fails."""
    files = [kept_path(data / name / "heldout", k) for name in COMPACT for k in range(len(crew))]
    while not all(file.exists() for file in files):
        if any(worker.exitcode for worker in crew):
            raise UsageError("A worker stopped before it had written a sample: what it said stands above.")
        time.sleep(0.2)


def _training(name: str, args: argparse.Namespace) -> subprocess.Popen[bytes]:
    start = {"cwm": args.start_cwm, "igm": args.start_igm}[name]
    command = [
        sys.executable, "-m", "ir_models", "train", name, "--data", args.data / name, "--minutes", args.minutes,
        "--out", args.out / f"{name}.pt", "--start", start, "--device", args.device, "--threads", 1, "--wait", WAIT_S,
        "--batch", args.batch[list(COMPACT).index(name)], "--limit", args.count,
        "--note", "drawn and photographed garments on rendered people",
    ]  # fmt: skip
    if name == "igm":
        command += ["--cwm", args.out / "cwm.pt"]
    with (args.out / f"{name}.log").open("wb") as log:
        return subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)


def _render(pools: Pools, held_out: Pools, args: argparse.Namespace, worker: int) -> None:
    """One worker: some samples that training never sees, then its share of the others."""
    seed = args.seed + OTHER_SEED  # with the same, its people would stand as those that are trained on
    first = [checked_sample(held_out, seed, worker * HELD_OUT_AT_ONCE + k) for k in range(HELD_OUT_AT_ONCE)]
    _hand_over(args.data, "heldout", worker, first)
    samples, began = _samples(pools, args.seed, worker, args.workers), time.monotonic()
    for number in range(worker, math.ceil(args.count / KEPT_AT_ONCE), args.workers):
        _hand_over(args.data, "train", number, [next(samples) for _ in range(KEPT_AT_ONCE)])
        if worker == 0:
            made = (number // args.workers + 1) * KEPT_AT_ONCE
            print(f"worker 0: {made / (time.monotonic() - began):.1f} samples a second", flush=True)


def _samples(pools: Pools, seed: int, worker: int, workers: int) -> Iterator[Sample]:
    """Endlessly those of every so manieth number."""
    index = worker
    while True:
        both_ways = np.random.default_rng([seed, index]).random() < PAIRS_SHARE
        yield from checked_pair(pools, seed, index) if both_ways else [checked_sample(pools, seed, index)]
        index += workers


def _hand_over(data: Path, split: str, number: int, samples: list[Sample]) -> None:
    shown = [sample for sample in samples if shows_garment(sample)] or samples
    for name, compact in COMPACT.items():
        write_kept(data / name / split, number, [compact(sample) for sample in shown])
