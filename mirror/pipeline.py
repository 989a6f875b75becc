"""One run of the mirror: which thread runs what, and when it ends.

Live (a camera, an address, or a file with --realtime): the camera's thread keeps the newest picture, the try-on
worker fits the newest it can get, and the main thread shows every picture, a little later, with the nearest fit carried
along.
In lock-step (a file): one thread, every picture fitted and shown, so that results can be repeated.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2

from mirror.camera import Camera, State
from mirror.compose import Composer
from mirror.errors import InstallationError, SourceError
from mirror.follow import Follower
from mirror.frames import Frame
from mirror.later import Later
from mirror.metrics import Metrics
from mirror.output import VideoOut
from mirror.pace import threads_for
from mirror.presenter import Presenter
from mirror.settings import Settings
from mirror.sources import FALLBACK_FPS, Address, Capture, find_address, open_capture
from mirror.tailor import Tailor, make_tailor
from mirror.wardrobe import Garment
from mirror.window import Window, display_lack
from mirror.words import say
from mirror.worker import Builder, TryOnWorker, open_rail

GIVE_UP_AFTER_S = 60.0
"""A camera lost for so long ends the run, except in a kiosk, which waits for ever."""
WAIT_S = 0.006
"""How long a picture is waited for before keys are looked for, and another garment: that is shown when it is there, on
the picture before, and neither waits for the camera's next, up to 33 ms later."""
GIVE_WAY_S = 0.001
"""How long the try-on's Python may keep the picture's waiting, at most; Python's own 5 ms are a sixth of a picture."""
MESSAGE_EVERY_S = 0.1
PROGRESS_EVERY_S = 10.0
DEMO_OUTPUT = "mirror-demo.mp4"
DEMO_CYCLE_S = 2.0
"""Where no key can be pressed, the demo changes garments by itself."""


class Cycle:
    """Says when the next garment of --cycle is due. Time is passed in."""

    def __init__(self, every_s: float | None) -> None:
        self._every_s = every_s
        self._at: float | None = None

    def due(self, now: float) -> bool:
        if self._every_s is None:
            return False
        if self._at is None:
            self._at = now + self._every_s
        if now < self._at - 1e-6:
            return False
        self._at = max(self._at + self._every_s, now)
        return True


def run(settings: Settings, metrics: Metrics, build: Builder | None = None) -> None:
    """Runs until the source ends, a limit is reached, or the person quits. metrics are filled on the way.

    build: makes the stages, where a test has its own. Raises MirrorError with the sentence for the person;
    KeyboardInterrupt passes through.
    """
    cv2.setNumThreads(threads_for(settings.cpu_budget).picture)
    composer = Composer()
    build = build or partial(make_tailor, also_prepare=composer.prepare)
    address = find_address(settings)
    if not settings.headless and (lack := display_lack()):
        if not settings.demo or settings.kiosk:
            open_capture(address, settings.size).close()  # where pictures are lacking too, that is the first to say
            raise InstallationError(lack)
        film = settings.output or Path.cwd() / DEMO_OUTPUT
        settings = replace(settings, headless=True, output=film, cycle_s=settings.cycle_s or DEMO_CYCLE_S)
        say(f"No display: the demo is written to {film}.")
    windowed = not settings.headless
    live = address.live or settings.realtime or (settings.demo and windowed)
    loop = settings.demo and windowed
    opener = partial(open_capture, address, settings.size)
    play: Live | _LockStep
    if live:
        play = Live(settings, metrics, address, build, opener, loop=loop)
    else:
        play = _LockStep(settings, metrics, address, build)
    full, size = settings.fullscreen or settings.kiosk, settings.size or (640, 480)
    window = Window(size, fullscreen=full, pointer=not settings.kiosk) if windowed else None
    output = VideoOut(settings.output, play.fps, timed=live) if settings.output else None
    try:
        play.run(Presenter(settings, metrics, Follower(), composer, window, output))
    finally:
        if window is not None:
            window.close()  # first: a worker that is still being built takes seconds to end
        if output is not None:
            output.close()
        play.close()
    if output is not None and metrics.shown.count:
        say(f"Wrote {metrics.shown.count} pictures to {output.path}.")


def _reached_limit(settings: Settings, metrics: Metrics, elapsed_s: float) -> bool:
    frames = settings.frames is not None and metrics.shown.count >= settings.frames
    return frames or (settings.seconds is not None and elapsed_s >= settings.seconds)


class _LockStep:
    """Every picture of a file, one after the other. Its time is the file's playing time."""

    def __init__(self, settings: Settings, metrics: Metrics, address: Address, build: Builder) -> None:
        self._settings, self._metrics, self._build = settings, metrics, build
        self._capture: Capture = open_capture(address)
        self.fps = self._capture.fps
        self._tailor: Tailor | None = None

    def run(self, presenter: Presenter) -> None:
        image = self._capture.read()
        if image is not None:
            presenter.preview(image)
        rail = presenter.rail = open_rail(self._settings)
        tailor = self._tailor = self._build(self._settings, self._metrics)
        cycle = Cycle(self._settings.cycle_s)
        begun, index = time.monotonic(), 0
        told = begun
        while image is not None and not presenter.quit:
            now = index / self.fps
            frame = Frame(image, time.monotonic(), index, t_scene=now)
            if cycle.due(now):
                presenter.step(1, now)
            garment = rail.wanted
            presenter.present(frame, tailor.dress(frame, garment) if garment else None, now)
            index += 1
            if self._settings.headless and time.monotonic() - told > PROGRESS_EVERY_S:
                told = time.monotonic()
                say(f"{index} pictures so far.")
            if _reached_limit(self._settings, self._metrics, index / self.fps):
                break
            if not self._settings.headless:  # to be looked at: never faster than it was filmed
                time.sleep(max(0.0, begun + index / self.fps - time.monotonic()))
            with self._metrics.stage("camera"):
                image = self._capture.read()

    def close(self) -> None:
        self._capture.close()
        if self._tailor is not None:
            self._tailor.close()


class Live:
    """Three threads. Its time is the clock's."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        address: Address,
        build: Builder,
        open_source: Callable[[], Capture],
        *,
        loop: bool = False,
    ) -> None:
        """address: only for its words. open_source: called on the camera's thread, again when the source is lost."""
        self._settings, self._metrics, self._address = settings, metrics, address
        self._camera = Camera(open_source, loop=loop)
        self._worker = TryOnWorker(settings, metrics, self._camera, build)
        self.fps = FALLBACK_FPS

    def run(self, presenter: Presenter) -> None:
        sys.setswitchinterval(GIVE_WAY_S)
        self._camera.start()
        self._worker.start()
        cycle, begun, messaged = Cycle(self._settings.cycle_s), None, 0.0
        newest: Frame | None = None
        shown: Frame | None = None
        worn: Garment | None = None
        asked: Garment | None = None
        later = Later()
        while not presenter.quit:
            if self._worker.error is not None:
                raise self._worker.error
            presenter.rail = self._worker.rail
            state = self._camera.check()
            now = time.monotonic()
            if state is State.LIVE and self._worker.newest is not None and cycle.due(now):
                presenter.step(1, now)
            wanted = presenter.rail.wanted if presenter.rail else None
            if wanted is not asked:
                asked = wanted
                self._worker.hurry()
            until_due_s = max(later.until_due_s(time.monotonic()), 0.0)
            if (came := self._camera.wait(newest.index if newest else -1, min(WAIT_S, until_due_s))) is not None:
                newest = came
                later.add(came)
            now = time.monotonic()
            if (latest := self._worker.newest) is not None:
                later.fitted(latest, now)
            frame = later.due(now)
            if frame is None and state is State.ENDED:
                time.sleep(min(WAIT_S, later.until_due_s(now)))  # a camera that ended is not waited for
            if frame is None and latest is not None and latest.garment is wanted is not worn:
                frame = shown
            if frame is not None:
                if begun is None:
                    begun = now
                    say(f"Showing {self._address.words}, {frame.size[0]}x{frame.size[1]}.")
                dressed = later.nearest(frame)
                presenter.present(frame, dressed, now)
                later.drawn(time.monotonic() - now)
                shown, worn = frame, dressed.garment if dressed else None
            elif state is State.ENDED and not later.waiting:
                break
            elif later.waiting or state is State.LIVE:
                presenter.idle(now)
            elif now - messaged > MESSAGE_EVERY_S:
                messaged = now
                presenter.present_message(self._trouble(state), now)
            else:
                presenter.idle(now)
            if begun is not None and _reached_limit(self._settings, self._metrics, now - begun):
                break

    def close(self) -> None:
        self._camera.close()
        self._worker.close()

    def _trouble(self, state: State) -> str:
        """What to say while no pictures come. Raises SourceError where it is no use to wait."""
        words = self._address.words
        if state is State.OPENING:
            return f"Opening {words} ..."
        if not self._settings.kiosk:
            if self._metrics.shown.count == 0:
                raise self._camera.error or SourceError(f"{words} opens but sends no picture: try another camera.")
            if self._camera.lost_for_s() > GIVE_UP_AFTER_S:
                raise SourceError(f"{words} did not come back in {GIVE_UP_AFTER_S:.0f} s: check its cable or server.")
        check = "its cable" if isinstance(self._address.target, int) else "its server"
        return f"No picture from {words}: check {check}. Trying again ..."
