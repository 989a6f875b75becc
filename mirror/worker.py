"""The try-on worker: dresses the newest frame, again and again, on its own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from mirror.frames import Frame
from mirror.metrics import Metrics
from mirror.rail import Rail
from mirror.settings import Settings
from mirror.tailor import Begun, Dressed, Tailor
from mirror.wardrobe import Wardrobe
from mirror.words import say

WARDROBE_EVERY_S = 2.0
"""How often folders added to the wardrobe are looked for."""
FRAME_WAIT_S = 0.2
SETTLED_AFTER_S = 0.4
"""A garment worn for so long is looked at: then there is time to prepare those beside it."""
CLOSE_WITHIN_S = 30.0
"""Networks that are being compiled cannot be interrupted; left running, they crash the end of the process."""


class Frames(Protocol):
    def wait(self, after: int, timeout_s: float) -> Frame | None: ...


Builder = Callable[[Settings, Metrics], Tailor]


class TryOnWorker:
    """Runs a Tailor on its own thread. Also builds it there, and loads and watches the wardrobe: all of it is slow."""

    def __init__(self, settings: Settings, metrics: Metrics, frames: Frames, build: Builder) -> None:
        self._settings, self._metrics, self._frames, self._build = settings, metrics, frames, build
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="try-on", daemon=True)
        self.rail: Rail | None = None
        """There as soon as the wardrobe is loaded."""
        self._begun: Begun | None = None
        self._completed: Dressed | None = None
        self.error: BaseException | None = None
        """What ended it; for the main thread to raise."""

    @property
    def newest(self) -> Dressed | None:
        """The newest try-on that is complete. For the main thread; does not wait."""
        begun = self._begun
        return begun.finish() if begun is not None and begun.ready else self._completed

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(CLOSE_WITHIN_S)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # whatever it is must not leave a picture that stands still
            self.error = error

    def _work(self) -> None:
        rail = self.rail = open_rail(self._settings)
        tailor = self._build(self._settings, self._metrics)
        try:
            last, looked_at = -1, time.monotonic()
            worn, changed_at = None, looked_at
            while not self._stop.is_set():
                now = time.monotonic()
                if now - looked_at > WARDROBE_EVERY_S:
                    looked_at = now
                    with self._metrics.stage("wardrobe"):
                        rail.refresh()
                frame = self._frames.wait(last, FRAME_WAIT_S)
                if frame is None:
                    continue
                last = frame.index
                person = tailor.find(frame)  # the networks may still be at work on the frame before
                garment = rail.wanted  # only now: a key pressed meanwhile counts
                if garment is None:
                    continue
                begun = tailor.begin(frame, person, garment)
                if self._begun is not None:
                    self._completed = tailor.complete(self._begun)
                self._begun = begun
                if garment is not worn:
                    if worn is not None:
                        begun.finish()  # somebody waits for this one: no other work beside it
                    worn, changed_at = garment, time.monotonic()
                elif time.monotonic() - changed_at > SETTLED_AFTER_S:
                    self._prepare_one(tailor, rail)
        finally:
            tailor.close()

    def _prepare_one(self, tailor: Tailor, rail: Rail) -> None:
        """One garment ahead, so that a key press finds it ready."""
        for garment in rail.neighbours():
            if tailor.prepare(garment):
                return


def open_rail(settings: Settings) -> Rail:
    """Loads the wardrobe. Raises GarmentError."""
    wardrobe = Wardrobe(settings.wardrobe)
    count = len(wardrobe.garments)
    say(f"{count} garment{'' if count == 1 else 's'} in {settings.wardrobe}.")
    return Rail(wardrobe, settings.garment)
