"""Held-out samples, drawn by worker processes while those before them are evaluated."""

from __future__ import annotations

import math
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count as counted
from pathlib import Path
from types import TracebackType

import cv2

from ir_models.evaluate.cases import Case, case_of
from ir_models.synth.photos import prepare
from ir_models.synth.sample import Pools, make_pools
from ir_models.synth.shards import checked_sample
from ir_models.train.shards import Sample
from mirror.errors import UsageError

HELD_OUT_SEED = 9_000_000
"""Of the samples that are made here; bodies, textures and photos are others than training's whatever the seed."""
PHOTO_LIMIT = 120
"""Held-out photos that are fitted at most; no clock ends it, so that the samples are always the same ones."""
AHEAD = 4
"""Samples a worker may be ahead of the evaluation."""


class Drawing:
    """So many cases: bodies, textures and, where given, photos that training never saw. Always the same ones.

    Iterated over once, within `with`. The workers are forked when it is made: make it before threads are started (the
    networks', torch's). Where there is no fork, or workers is 1, samples are drawn in this process.
    """

    def __init__(self, count: int, workers: int, photos: Path | None = None, cache: Path | None = None) -> None:
        """photos: folder of garment photos; then every case shows a garment of a held-out one. cache: where fitted
        photos are kept. Raises UsageError if no photo can be used."""
        self.count, self._only_photos = count, photos is not None
        fitted = []
        if photos is not None and cache is not None:
            fitted = prepare(photos, cache, True, PHOTO_LIMIT, budget_s=math.inf)
            if not fitted:
                raise UsageError(f"{photos} holds no held-out garment photo that could be used")
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # a fork has none of OpenCV's threads and would wait for them for ever
        self._pools = make_pools(HELD_OUT_SEED, held_out=True, photos=fitted)
        self._crew: ProcessPoolExecutor | None = None
        self._queue: deque[Future[Sample | None]] = deque()
        self._numbers = counted()
        if workers > 1 and "fork" in multiprocessing.get_all_start_methods():
            fork = multiprocessing.get_context("fork")
            self._crew = ProcessPoolExecutor(workers, fork, _begin, (self._pools,))
            for _ in range(AHEAD * workers):
                self._order()
        cv2.setNumThreads(threads)

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._crew is not None:
            self._crew.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[Case]:
        left = self.count
        while left > 0:
            sample = self._next()
            if sample is not None:
                left -= 1
                yield case_of(sample)

    def _order(self) -> None:
        assert self._crew is not None
        number = next(self._numbers)
        if self._only_photos or number < self.count:
            self._queue.append(self._crew.submit(_draw, number, self._only_photos))

    def _next(self) -> Sample | None:
        if self._crew is None:
            return _drawn(self._pools, next(self._numbers), self._only_photos)
        self._order()
        return self._queue.popleft().result()


_worker_pools: list[Pools] = []
"""Of a worker process: what it draws from."""


def _begin(pools: Pools) -> None:
    _worker_pools[:] = [pools]


def _draw(number: int, only_photos: bool) -> Sample | None:
    return _drawn(_worker_pools[0], number, only_photos)


def _drawn(pools: Pools, number: int, only_photos: bool) -> Sample | None:
    """Sample `number`; None where it shows a drawn garment and photos are wanted."""
    sample = checked_sample(pools, HELD_OUT_SEED, number)
    return sample if sample["is_photo"] or not only_photos else None
