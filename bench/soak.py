"""Memory of a long run: `python -m bench soak --source CLIP --minutes 30 --json FILE`.

The clip runs forth and back in a loop, paced like a camera, without a window, through the mirror's own threads; the
garment changes every few seconds. Resident memory is read every minute.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

import psutil

from bench.clip import read_clip
from bench.live import ForthAndBack
from mirror.compose import Composer
from mirror.follow import Follower
from mirror.metrics import Metrics
from mirror.pipeline import Live
from mirror.presenter import Presenter
from mirror.settings import Settings
from mirror.sources import Address
from mirror.tailor import make_tailor

SETTLED_MIN = 5
"""By this minute all is built and every garment was worn; from then on memory should stay level."""
ALLOWED_GROWTH_MB = 8.0


class _Watched(Metrics):
    """The run's metrics, with the memory noted once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes: list[float] = []
        self._begun = time.monotonic()

    def picture_shown(self, now: float, *rest: object) -> None:  # type: ignore[override]
        super().picture_shown(now, *rest)  # type: ignore[arg-type]
        if now - self._begun >= 60.0 * (len(self.minutes) + 1):
            self.minutes.append(round(psutil.Process().memory_info().rss / 2**20, 1))
            print(f"{len(self.minutes)} min: {self.minutes[-1]} MB, {self.shown.count} pictures", flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="auto")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cycle", type=float, default=5.0, help="seconds a garment is worn")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    pictures, fps = read_clip(options.source)
    source = ForthAndBack(pictures + pictures[-2:0:-1], fps)
    settings = Settings(
        source=str(options.source), realtime=True, headless=True, engine=options.engine, cycle_s=options.cycle,
        seconds=60.0 * options.minutes + 10.0,
    )  # fmt: skip
    metrics, composer = _Watched(), Composer()
    address = Address(str(options.source), options.source.name, live=False)
    play = Live(settings, metrics, address, partial(make_tailor, also_prepare=composer.prepare), lambda: source)
    try:
        play.run(Presenter(settings, metrics, Follower(), composer, None, None))
    finally:
        play.close()
    settled = metrics.minutes[SETTLED_MIN - 1] if len(metrics.minutes) >= SETTLED_MIN else None
    result = {
        "rss_mb_each_minute": metrics.minutes,
        "growth_after_5_min_mb": round(metrics.minutes[-1] - settled, 1) if settled is not None else None,
        "allowed_mb": ALLOWED_GROWTH_MB,
        **metrics.report(),
    }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0
