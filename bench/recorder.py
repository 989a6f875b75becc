"""Keeps what the mirror showed during a stretch of a run, to be judged afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from mirror.compose import Composer
from mirror.follow import Follower
from mirror.frames import Fit, Frame, TryOn
from mirror.metrics import Metrics
from mirror.motion import Tracker
from mirror.wardrobe import Garment


@dataclass(frozen=True)
class Shown:
    """One picture as it was shown. result: the try-on it came from; fit: that one's fit as carried to this frame."""

    frame: Frame
    result: TryOn
    fit: Fit
    garment: Garment


class Recorder:
    """Stands between presenter and stages. Times of all pictures; frames and fits for `judged_s` after `warm_up_s`."""

    def __init__(self, metrics: Metrics, warm_up_s: float, judged_s: float) -> None:
        self._real, self._warm_up_s, self._judged_s = metrics, warm_up_s, judged_s
        self._begun: float | None = None
        self._last: tuple[TryOn, Frame] | None = None
        self.shown: list[Shown] = []
        self.shown_at: list[float] = []
        self._cpu: list[float] = []
        self.follower = _Follower(self)
        self.metrics: Any = _Metrics(self, metrics)

    def drawer(self, composer: Composer) -> _Drawer:
        return _Drawer(self, composer)

    def carried(self, result: TryOn, frame: Frame) -> None:
        self._last = (result, frame)

    def drawn(self, frame: Frame, fit: Fit, garment: Garment) -> None:
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        since = now - self._begun
        if self._last and self._warm_up_s <= since < self._warm_up_s + self._judged_s and self._last[0].person:
            self.shown.append(Shown(frame, self._last[0], fit, garment))

    def was_shown(self, at: float) -> None:
        if self._begun is not None and at - self._begun > self._warm_up_s:
            self.shown_at.append(at)
            self._cpu.append(time.process_time())

    @property
    def cores_used(self) -> float | None:
        """CPU seconds of the whole process a second, after the warm-up; without those of the display's server."""
        if len(self.shown_at) < 2:
            return None
        return round((self._cpu[-1] - self._cpu[0]) / (self.shown_at[-1] - self.shown_at[0]), 3)


class _Follower(Follower):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def carry(self, result: TryOn, frame: Frame, tracker: Tracker | None = None) -> Fit:
        self._recorder.carried(result, frame)
        return super().carry(result, frame, tracker)


class _Drawer:
    def __init__(self, recorder: Recorder, composer: Composer) -> None:
        self._recorder, self._composer = recorder, composer

    def compose(self, frame: Frame, fit: Fit, garment: Garment) -> np.ndarray:
        self._recorder.drawn(frame, fit, garment)
        return self._composer.compose(frame, fit, garment)


class _Metrics:
    """The run's metrics, with the time of every picture noted on the way."""

    def __init__(self, recorder: Recorder, metrics: Metrics) -> None:
        self._recorder, self._metrics = recorder, metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metrics, name)

    def picture_shown(self, shown_at: float, *rest: Any) -> None:
        self._recorder.was_shown(shown_at)
        self._metrics.picture_shown(shown_at, *rest)
