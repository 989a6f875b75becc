"""The camera's thread: the newest picture wins; a camera that is lost is opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

import numpy as np

from mirror.errors import SourceError
from mirror.frames import Frame
from mirror.sources import Capture

STALE_AFTER_S = 2.0
"""No new picture, or the same one again and again, for so long: the camera is lost."""
FIRST_PICTURE_WITHIN_S = 12.0
"""Opening may take its time: some webcams need 5 s and more."""
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0)
"""Waiting times before the 1st, 2nd, 3rd and every later attempt in a row."""
STUCK_READERS_LIMIT = 4
"""Readers that hang in the driver and cannot be ended; more of them are not started."""


class State(Enum):
    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


class Watchdog:
    """Decides when a camera counts as lost and when it is tried again. Time (seconds) is passed in."""

    def __init__(self, now: float) -> None:
        self.state = State.OPENING
        self.lost_since: float | None = None
        self._limit = now + FIRST_PICTURE_WITHIN_S
        self._attempts = 0
        self._retry_at: float | None = None

    def picture(self, now: float) -> None:
        """A picture unlike the one before it has come."""
        self.state, self.lost_since = State.LIVE, None
        self._attempts, self._retry_at = 0, None
        self._limit = now + STALE_AFTER_S

    def failed(self, now: float) -> None:
        """The reader gave up: it could not open, or the source ended."""
        if self.state in (State.OPENING, State.LIVE):
            self.state = State.LOST
        if self.lost_since is None:
            self.lost_since = now
        if self._retry_at is None:
            self._retry_at = now + BACK_OFF_S[min(self._attempts, len(BACK_OFF_S) - 1)]
            self._attempts += 1

    def reopen_due(self, now: float) -> bool:
        """True once for each time a new reader is to be started."""
        if self._retry_at is None and now > self._limit:
            self.failed(now)
        if self._retry_at is None or now < self._retry_at:
            return False
        self._retry_at = None
        self._limit = now + FIRST_PICTURE_WITHIN_S
        return True


class Camera:
    """Reads a source on its own thread and keeps its newest picture.

    open_source is called on that thread. A live source that fails, stalls or freezes is opened again by `check`; a
    reader that hangs in the driver is left behind. A finite one is paced at its own rate, as a camera would be, and
    ends; with loop it begins anew.
    """

    def __init__(
        self, open_source: Callable[[], Capture], *, loop: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_source, self._loop, self._clock = open_source, loop, clock
        self._news = threading.Condition()
        self._watchdog = Watchdog(clock())
        self._generation = 0
        self._newest: Frame | None = None
        self._count = 0
        self._ended = False
        self._closed = threading.Event()
        self._readers: list[threading.Thread] = []
        self.fps = 0.0
        self.error: SourceError | None = None
        """Why it could not be opened the last time."""

    def start(self) -> None:
        self._readers = [r for r in self._readers if r.is_alive()]
        if len(self._readers) >= STUCK_READERS_LIMIT:
            return
        reader = threading.Thread(target=self._read, args=(self._generation,), name="camera", daemon=True)
        self._readers.append(reader)
        reader.start()

    def check(self) -> State:
        """To be called again and again from the main thread: restarts what is lost. Returns how it stands."""
        with self._news:
            if self._ended:
                return State.ENDED
            due = self._watchdog.reopen_due(self._clock())
            if due:
                self._generation += 1  # whatever the old reader still brings is ignored from now on
            state = self._watchdog.state
        if due:
            self.start()
        return state

    def lost_for_s(self) -> float:
        """Seconds since the camera was lost; 0 while it is there."""
        since = self._watchdog.lost_since
        return 0.0 if since is None else self._clock() - since

    def wait(self, after: int, timeout_s: float) -> Frame | None:
        """The newest frame if its index is above `after`, waiting for it at most timeout_s."""
        with self._news:
            self._news.wait_for(lambda: self._is_newer(after) or self._ended, timeout_s)
            return self._newest if self._is_newer(after) else None

    def close(self) -> None:
        self._closed.set()
        with self._news:
            self._generation += 1
            self._news.notify_all()
        for reader in self._readers:
            reader.join(timeout=1.0)

    def _is_newer(self, after: int) -> bool:
        return self._newest is not None and self._newest.index > after

    def _read(self, generation: int) -> None:
        try:
            capture = self._open_source()
        except SourceError as error:
            self._fail(generation, error)
            return
        try:
            if capture.finite:
                while self._play(generation, capture) and self._loop:
                    capture.close()
                    capture = self._open_source()
                with self._news:
                    self._ended = generation == self._generation
                    self._news.notify_all()
            else:
                self._follow(generation, capture)
                self._fail(generation, None)
        except SourceError as error:
            self._fail(generation, error)
        finally:
            capture.close()

    def _fail(self, generation: int, error: SourceError | None) -> None:
        with self._news:
            if generation == self._generation:
                self.error = error
                self._watchdog.failed(self._clock())
                self._news.notify_all()

    def _follow(self, generation: int, capture: Capture) -> None:
        """A live source: every picture as it comes, until it ends or this reader is left behind."""
        before: np.ndarray | None = None
        while (image := capture.read()) is not None and generation == self._generation:
            # A wedged camera repeats its last picture for ever, bit for bit; a living one has noise.
            if before is None or image.shape != before.shape or not np.array_equal(image, before):
                self._publish(generation, image, capture.fps)
            before = image

    def _play(self, generation: int, capture: Capture) -> bool:
        """A finite source at its own pace. False when this reader is left behind."""
        start = self._clock()
        number = 0
        while (image := capture.read()) is not None:
            self._closed.wait(max(0.0, start + number / capture.fps - self._clock()))
            if generation != self._generation:
                return False
            self._publish(generation, image, capture.fps)
            number += 1
        self._closed.wait(1.0 / capture.fps)  # the last picture stays as long as the others
        return generation == self._generation

    def _publish(self, generation: int, image: np.ndarray, fps: float) -> None:
        now = self._clock()
        with self._news:
            if generation != self._generation:
                return
            self._newest = Frame(image, now, self._count)
            self._count += 1
            self.fps, self.error = fps, None
            self._watchdog.picture(now)
            self._news.notify_all()
