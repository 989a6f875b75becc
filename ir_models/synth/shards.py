"""Shards: folders of .npz files of samples, written one by one so that training may start on the first."""

from __future__ import annotations

import json
import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ir_models.synth.sample import Pools, make_pair, make_sample

SHARD_SAMPLES = 250
MIN_GARMENT_SHARE = 0.03
"""Of the canvas that must show the garment; samples below are drawn anew with another seed."""
RETRIES = 6


def sample_seed(seed: int, index: int, attempt: int) -> int:
    """The seed of one sample: of the set's seed, its place, and how often it was drawn anew."""
    return int(np.random.SeedSequence([seed, index, attempt]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def checked_sample(pools: Pools, seed: int, index: int) -> dict[str, np.ndarray]:
    """Sample `index` of the set `seed`; one that hardly shows its garment, or fails, is drawn anew."""
    return _checked(lambda number: [make_sample(pools, number)], seed, index)[0]


def checked_pair(pools: Pools, seed: int, index: int) -> list[dict[str, np.ndarray]]:
    """As `checked_sample`, two of one person (`make_pair`)."""
    return _checked(lambda number: make_pair(pools, number), seed, index)


def _checked(make: Callable[[int], list[dict[str, np.ndarray]]], seed: int, index: int) -> list[dict[str, np.ndarray]]:
    for attempt in range(RETRIES):
        number = sample_seed(seed, index, attempt)
        try:
            samples = make(number)
        except (np.linalg.LinAlgError, IndexError, ValueError):
            traceback.print_exc()
            continue
        if all(map(_is_usable, samples)):
            return samples
    raise RuntimeError(f"no usable sample {index} for seed {seed}; the last one tried was {number}")


def _is_usable(sample: dict[str, np.ndarray]) -> bool:
    shown = (sample["parts_a"] == 6).mean() > MIN_GARMENT_SHARE
    return bool(shown and np.isfinite(sample["garment_landmarks"]).all())


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard_{number:05d}.npz"


def write_shard(path: Path, samples: list[dict[str, np.ndarray]]) -> None:
    """All samples, stacked, in one uncompressed .npz; the file appears whole or not at all."""
    part = path.with_name("." + path.name)
    np.savez(part, **{k: np.stack([s[k] for s in samples]) for k in samples[0]})
    part.replace(path)


def read_shards(folder: Path) -> Iterator[dict[str, np.ndarray]]:
    """The arrays of each shard that is there, in order."""
    for path in sorted(folder.glob("shard_*.npz")):
        with np.load(path) as z:
            yield {k: z[k] for k in z.files}


def _work(pools: Pools, folder: Path, seed: int, numbers: list[int], count: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    for number in numbers:
        if shard_path(folder, number).exists():
            continue
        first, start = number * SHARD_SAMPLES, time.monotonic()
        last = min(first + SHARD_SAMPLES, count)
        write_shard(shard_path(folder, number), [checked_sample(pools, seed, i) for i in range(first, last)])
        print(
            f"shard {number}: {last - first} samples, {(last - first) / (time.monotonic() - start):.1f} a second",
            flush=True,
        )


def generate(pools: Pools, folder: Path, seed: int, count: int, workers: int, about: dict) -> float:
    """Write `count` samples as shards, by forked single-threaded workers; shards that are there are kept.

    Returns seconds taken. Raises RuntimeError if a worker died.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // SHARD_SAMPLES)
    index = {**about, "seed": seed, "count": count, "shard_samples": SHARD_SAMPLES, "shards": shards}
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    start = time.monotonic()
    if workers == 1:
        _work(pools, folder, seed, list(range(shards)), count)
        return time.monotonic() - start
    fork = multiprocessing.get_context("fork")
    crew = [
        fork.Process(target=_work, args=(pools, folder, seed, list(range(k, shards, workers)), count))
        for k in range(min(workers, shards))
    ]
    for p in crew:
        p.start()
    for p in crew:
        p.join()
    if any(p.exitcode for p in crew):
        raise RuntimeError("a worker stopped early; what it said stands above")
    return time.monotonic() - start
