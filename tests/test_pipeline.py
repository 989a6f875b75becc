"""Live: what the main thread shows, and when."""

from __future__ import annotations

import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import numpy as np

from mirror.crop import Cropper
from mirror.frames import Fit, Frame
from mirror.geometric import GeometricFitter
from mirror.metrics import Metrics
from mirror.pipeline import Live
from mirror.rail import Rail
from mirror.settings import Settings
from mirror.sources import Address
from mirror.tailor import Dressed, Tailor
from tests.bodies import textured_frame
from tests.fakes import StandingFinder
from tests.helpers import wait_until
from tests.test_worker import SlowNetwork

GIVE_UP_AFTER_S = 20.0


class Gate:
    """A camera that hands over a picture when it is told to."""

    fps, finite = 30.0, False

    def __init__(self) -> None:
        self.pictures: SimpleQueue[np.ndarray | None] = SimpleQueue()
        self.count = 0

    def put(self) -> None:
        """One more picture, with the noise without which a camera counts as frozen."""
        self.count += 1
        picture = textured_frame().image.copy()
        picture[0, 0] = self.count % 256
        self.pictures.put(picture)

    def read(self) -> np.ndarray | None:
        return self.pictures.get()

    def close(self) -> None:
        self.pictures.put(None)


class Watcher:
    """In the presenter's place. Asks for the next garment once one is worn, and lets the networks answer only when the
    last picture of the camera has been shown without it."""

    def __init__(self, gate: Gate, network: SlowNetwork, metrics: Metrics) -> None:
        self._gate, self._network, self._metrics = gate, network, metrics
        self.rail: Rail | None = None
        self.quit, self.shown = False, list[tuple[int, str | None]]()
        self._asked = False
        self._begun = time.monotonic()
        network.let_go.set()
        gate.put()

    def present(self, frame: Frame, dressed: Dressed | None, now: float) -> None:
        slug = dressed.garment.slug if dressed else None
        self._metrics.shown.tick(now)
        self.shown.append((frame.index, slug))
        if slug is None:
            time.sleep(0.01)
        elif self._asked:
            self.quit = slug == "tee-2"
            if frame.index + 1 < self._gate.count:
                return  # the last one still waits
            wait_until(lambda: frame.index in self._network.submitted, 0.5)  # unless two others are under way
            self._network.let_go.set()
            return
        else:
            assert self.rail is not None
            self._network.let_go.clear()
            self._asked = self.rail.step(1) is not None
        self._gate.put()

    def idle(self, now: float) -> None:
        self.quit = self.quit or now - self._begun > GIVE_UP_AFTER_S

    def present_message(self, sentence: str, now: float) -> None:
        self.idle(now)


def test_another_garment_is_shown_when_it_is_there_and_not_with_the_next_picture(
    wardrobe_folder: Path,
) -> None:
    gate, network, metrics = Gate(), SlowNetwork(), Metrics()
    watcher = Watcher(gate, network, metrics)

    def build(settings: Settings, metrics: Metrics, **_: Any) -> Tailor:
        return Tailor(StandingFinder(), Cropper(), network, metrics)

    settings = Settings(wardrobe=wardrobe_folder, engine="geometric", headless=True)
    play = Live(settings, metrics, Address("0", "camera 0", live=True), build, lambda: gate)
    play.run(cast(Any, watcher))
    network.let_go.set()
    play.close()
    (before, old), (after, new) = watcher.shown[-2:]
    assert (old, new) == ("tee-1", "tee-2")
    assert after == before


class Sleepy(GeometricFitter):
    """A fit of it is there 30 ms later."""

    def fit(self, *given: Any) -> Fit:
        time.sleep(0.03)
        return super().fit(*given)


def test_pictures_wait_for_their_fits(wardrobe_folder: Path) -> None:
    """Shown as they came, an arm that moves leaves its sleeve."""
    gate, ages, seen = Gate(), list[float](), list[int]()

    class Ages:
        rail: Rail | None = None
        quit = False

        def __init__(self) -> None:
            self._put, self._begun = 0.0, time.monotonic()

        def present(self, frame: Frame, dressed: Dressed | None, now: float) -> None:
            seen.append(frame.index)
            if dressed is not None:
                ages.append(time.monotonic() - frame.t_capture)
            self.quit = len(ages) > 10

        def idle(self, now: float) -> None:
            self.quit = self.quit or now - self._begun > GIVE_UP_AFTER_S
            if now - self._put > 0.03:
                self._put = now
                gate.put()

        def present_message(self, sentence: str, now: float) -> None:
            self.idle(now)

    def build(settings: Settings, metrics: Metrics, **_: Any) -> Tailor:
        return Tailor(StandingFinder(), Cropper(), Sleepy(), metrics)

    settings = Settings(wardrobe=wardrobe_folder, engine="geometric", headless=True)
    play = Live(settings, Metrics(), Address("0", "camera 0", live=True), build, lambda: gate)
    play.run(cast(Any, Ages()))
    play.close()
    assert len(ages) > 10 and min(ages[1:]) > 0.03
    assert seen == sorted(seen)
