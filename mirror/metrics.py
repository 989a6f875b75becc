"""Figures of a run: rolling rates, p50 and p95 per stage, ages, memory; and the report made of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

KEPT_SAMPLES = 20_000
"""Per figure; 11 minutes at 30 a second. A ring of fixed size, so that a kiosk's memory stays level for months."""
RATE_WINDOW_S = 2.0
RECENT_SAMPLES = 60
"""Two seconds of pictures: what the figures on the picture are of."""
RSS_EVERY_S = 1.0


class Samples:
    """The newest 20,000 values of one figure, milliseconds. Written by one thread."""

    def __init__(self, kept: int = KEPT_SAMPLES) -> None:
        self._ring = np.zeros(kept, np.float32)
        self.count = 0

    def add(self, value_ms: float) -> None:
        self._ring[self.count % len(self._ring)] = value_ms
        self.count += 1

    def quantile(self, q: float) -> float:
        """Of the values kept; 0 where there are none."""
        kept = self._ring[: min(self.count, len(self._ring))]
        return round(float(np.quantile(kept, q)), 2) if kept.size else 0.0

    def recent(self) -> float:
        """Median of the newest RECENT_SAMPLES; 0 where there are none."""
        newest = [self._ring[n % len(self._ring)] for n in range(max(0, self.count - RECENT_SAMPLES), self.count)]
        return float(np.median(newest)) if newest else 0.0

    def mean(self) -> float:
        kept = self._ring[: min(self.count, len(self._ring))]
        return round(float(kept.mean()), 2) if kept.size else 0.0

    def summary(self) -> dict[str, float]:
        return {"p50": self.quantile(0.5), "p95": self.quantile(0.95)}


class Rate:
    """How often something happens a second: over the newest two seconds, and over all of it."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=512)
        self.count = 0
        self._first = self._last = 0.0

    def tick(self, now: float) -> None:
        if self.count == 0:
            self._first = now
        self._last = now
        self.count += 1
        self._newest.append(now)

    def now(self, now: float) -> float:
        """Per second over the newest RATE_WINDOW_S."""
        recent = [t for t in self._newest.copy() if t > now - RATE_WINDOW_S]
        span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
        return (len(recent) - 1) / span if span > 0 else 0.0

    def overall(self) -> float:
        """Per second from the first to the last."""
        span = self._last - self._first
        return (self.count - 1) / span if self.count > 1 and span > 0 else 0.0


class Metrics:
    """All figures of one run. Each stage and counter is written by the one thread that runs it."""

    def __init__(self) -> None:
        self._wall: dict[str, Samples] = {}
        self._cpu: dict[str, Samples] = {}
        self.age, self.fit_age, self.switch = Samples(), Samples(), Samples()
        self.shown, self.fits = Rate(), Rate()
        self.sought = self.found = 0
        self.engine = "none"
        self.garments_shown: list[str] = []
        self._dropped = 0
        self._last_index: int | None = None
        self._switch_since: tuple[float, str] | None = None
        self._process = psutil.Process()
        self._rss_start = self._rss_peak = self._rss_newest = self._rss()
        self._rss_at = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what it encloses: wall ms, and CPU ms of this thread (a library's own threads are not in it)."""
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            if name not in self._wall:  # the CPU ring first: `report` goes through the keys of the wall rings
                self._cpu[name] = Samples()
                self._wall[name] = Samples()
            self._cpu[name].add(1000.0 * (time.thread_time() - cpu))
            self._wall[name].add(1000.0 * (time.perf_counter() - wall))

    def person_sought(self, found: bool) -> None:
        self.sought += 1
        self.found += found

    def switch_asked(self, now: float, slug: str) -> None:
        """Another garment was asked for; asked again before it is there, the newest counts."""
        self._switch_since = (now, slug)

    def picture_shown(self, now: float, t_capture: float, index: int, t_fit: float | None, slug: str | None) -> None:
        """A picture is on the screen. t_fit: capture of the frame of its fit; slug: the garment in it; or None.

        The same one again, with another garment, is no further picture of the camera.
        """
        if index != self._last_index:
            self.shown.tick(now)
            self.age.add(1000.0 * (now - t_capture))
            if t_fit is not None:
                self.fit_age.add(1000.0 * (now - t_fit))
        if self._last_index is not None and index > self._last_index + 1:
            self._dropped += index - self._last_index - 1
        self._last_index = index
        if slug is not None:
            if slug not in self.garments_shown:
                self.garments_shown.append(slug)
            if self._switch_since is not None and self._switch_since[1] == slug:
                self.switch.add(1000.0 * (now - self._switch_since[0]))
                self._switch_since = None
        if now - self._rss_at >= RSS_EVERY_S:
            self._rss_at = now
            self._rss_newest = self._rss()
            self._rss_peak = max(self._rss_peak, self._rss_newest)

    def report(self) -> dict[str, Any]:
        """The JSON of `--report`. Ages in ms from the first picture on; cpu is the mean ms of a call; the memory's end
        is that of the last second in which pictures were shown, before everything was closed."""
        stages = {n: {**self._wall[n].summary(), "cpu": self._cpu[n].mean()} for n in list(self._wall)}
        return {
            "frames": self.shown.count,
            "shown_fps": round(self.shown.overall(), 2),
            "fits_per_s": round(self.fits.overall(), 2),
            "age_ms": self.age.summary(),
            "fit_age_ms": self.fit_age.summary(),
            "stages_ms": stages,
            "switch_ms": self.switch.summary() if self.switch.count else None,
            "dropped": self._dropped,
            "person_found": round(self.found / self.sought, 4) if self.sought else 0.0,
            "engine": self.engine,
            "garments_shown": list(self.garments_shown),
            "rss_mb": {"start": self._rss_start, "peak": self._rss_peak, "end": self._rss_newest},
        }

    def _rss(self) -> float:
        return round(self._process.memory_info().rss / 2**20, 1)
