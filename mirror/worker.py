"""The try-on worker: frame -> person -> crop -> fit, on its own thread, always on the newest frame."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from mirror.errors import ModelError
from mirror.frames import Crop, Fit, Frame, Person, TryOn
from mirror.metrics import Metrics
from mirror.rail import Rail
from mirror.settings import Settings
from mirror.wardrobe import Garment, Wardrobe
from mirror.words import say

WARDROBE_EVERY_S = 2.0
"""How often folders added to the wardrobe are looked for."""
FRAME_WAIT_S = 0.2
CLOSE_WITHIN_S = 30.0
"""Networks that are being compiled cannot be interrupted; left running, they crash the end of the process."""


Prepare = Callable[[Garment], object]


class Finder(Protocol):
    def find(self, frame: Frame) -> Person | None: ...
    def close(self) -> None: ...


class Follows(Protocol):
    def follow(self, person: Person, size: tuple[int, int]) -> Crop: ...
    def reset(self) -> None: ...


class Fitter(Protocol):
    @property
    def name(self) -> str: ...
    def prepare(self, garment: Garment) -> None: ...
    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit: ...
    def close(self) -> None: ...


class Pending(Protocol):
    """A fit that networks are still at work on."""

    @property
    def ready(self) -> bool: ...
    def result(self) -> Fit: ...


@runtime_checkable
class AsynchronousFitter(Protocol):
    def submit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Pending: ...


class Frames(Protocol):
    def wait(self, after: int, timeout_s: float) -> Frame | None: ...


@dataclass(frozen=True)
class Dressed:
    """A try-on with the garment it was made with, which may have left the wardrobe since."""

    result: TryOn
    garment: Garment


class Begun:
    """A try-on under way. `finish` may be called from any thread, and again."""

    def __init__(self, frame: Frame, person: Person | None, garment: Garment, fit: Fit | Pending | None) -> None:
        self._frame, self._person, self._garment, self._fit = frame, person, garment, fit

    @property
    def ready(self) -> bool:
        return self._fit is None or isinstance(self._fit, Fit) or self._fit.ready

    def finish(self) -> Dressed:
        """Waits for the fit. Raises what its networks raised."""
        fit = self._fit if self._fit is None or isinstance(self._fit, Fit) else self._fit.result()
        return Dressed(TryOn(self._frame, self._person, fit, self._garment.slug), self._garment)


class Tailor:
    """Person, crop and fit of one frame. Slow to build (MediaPipe, networks); lives on one thread."""

    def __init__(
        self, finder: Finder, cropper: Follows, fitter: Fitter, metrics: Metrics, also_prepare: Prepare | None = None
    ) -> None:
        """also_prepare: what else is computed once for a garment, here and not while the window waits for it."""
        self._finder, self._cropper, self._fitter, self._metrics = finder, cropper, fitter, metrics
        self._also_prepare = also_prepare
        self._prepared: dict[str, Garment] = {}

    def dress(self, frame: Frame, garment: Garment) -> Dressed:
        """The try-on of this frame. Nobody there: person and fit are None."""
        self.prepare(garment)
        return self.complete(self.begin(frame, self.find(frame), garment))

    def find(self, frame: Frame) -> Person | None:
        """Who stands there."""
        with self._metrics.stage("person"):
            person = self._finder.find(frame)
        self._metrics.person_sought(person is not None)
        return person

    def begin(self, frame: Frame, person: Person | None, garment: Garment) -> Begun:
        """Crop and fit of the person found on this frame; networks may go on with it while the next one is found."""
        if person is None:
            self._cropper.reset()
            return Begun(frame, None, garment, None)
        self.prepare(garment)
        with self._metrics.stage("crop"):
            crop = self._cropper.follow(person, frame.size)
        with self._metrics.stage("fit"):
            if isinstance(self._fitter, AsynchronousFitter):
                return Begun(frame, person, garment, self._fitter.submit(frame, person, crop, garment))
            fit = self._fitter.fit(frame, person, crop, garment)
        return Begun(frame, person, garment, fit)

    def complete(self, begun: Begun) -> Dressed:
        """Waits for a try-on and counts it; once for each, on this thread."""
        with self._metrics.stage("fit_wait"):
            dressed = begun.finish()
        if dressed.result.fit is not None:
            self._metrics.fits.tick(time.monotonic())
        return dressed

    def prepare(self, garment: Garment) -> bool:
        """What is computed once for a garment; False if it was done before."""
        if self._prepared.get(garment.slug) is garment:
            return False
        with self._metrics.stage("prepare"):
            self._fitter.prepare(garment)
            if self._also_prepare is not None:
                self._also_prepare(garment)
        self._prepared[garment.slug] = garment
        return True

    def close(self) -> None:
        self._finder.close()
        self._fitter.close()


def make_tailor(settings: Settings, metrics: Metrics, also_prepare: Prepare | None = None) -> Tailor:
    """MediaPipe and the fitter that the settings ask for. Raises InstallationError, ModelError."""
    from mirror.crop import Cropper  # here, not above: these bring MediaPipe and OpenVINO, 1 s and more
    from mirror.person import PersonFinder

    fitter = make_fitter(settings.engine, settings.models)
    metrics.engine = fitter.name
    return Tailor(PersonFinder(), Cropper(), fitter, metrics, also_prepare)


def make_fitter(engine: str, models: Path) -> Fitter:
    """The networks, or the geometric fit: asked for, or where `auto` finds no usable model set, with a line on it."""
    from mirror.geometric import GeometricFitter

    if engine == "geometric":
        return GeometricFitter()
    try:
        return _neural_fitter(models)
    except ModelError as error:
        if engine == "neural":
            raise
        say(f"{error} The garments are fitted without networks meanwhile.")
        return GeometricFitter()


def _neural_fitter(models: Path) -> Fitter:
    if importlib.util.find_spec("mirror.tryon") is None:
        raise ModelError("This installation has no networks: use --engine geometric.")
    from mirror.tryon import NeuralFitter  # type: ignore[import-not-found,unused-ignore]

    return NeuralFitter(models)


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
