"""Dressing one frame: person -> crop -> fit, with the networks or without, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from mirror.errors import ModelError
from mirror.frames import Crop, Fit, Frame, Person, TryOn
from mirror.hem import Hem
from mirror.metrics import Metrics
from mirror.motion import Tracker
from mirror.pace import threads_for
from mirror.settings import Settings
from mirror.steady import Steadier
from mirror.wardrobe import Garment
from mirror.words import say

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
    def see_nobody(self, frame: Frame) -> None: ...
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


@dataclass(frozen=True)
class Dressed:
    """A try-on with the garment it was made with, which may have left the wardrobe since.

    tracker: of its frame and fit, once it was steadied.
    """

    result: TryOn
    garment: Garment
    tracker: Tracker | None = None


class Begun:
    """A try-on under way. `finish` may be called from any thread, and again."""

    def __init__(self, frame: Frame, person: Person | None, garment: Garment, fit: Fit | Pending | None) -> None:
        self.frame, self.person, self.garment, self._fit = frame, person, garment, fit

    @property
    def ready(self) -> bool:
        return self._fit is None or isinstance(self._fit, Fit) or self._fit.ready

    def finish(self) -> Dressed:
        """Waits for the fit. Raises what its networks raised."""
        fit = self._fit if self._fit is None or isinstance(self._fit, Fit) else self._fit.result()
        return Dressed(TryOn(self.frame, self.person, fit, self.garment.slug), self.garment)


class Tailor:
    """Person, crop and fit of one frame. Slow to build (MediaPipe, networks). `find`, `begin`, and, together on
    one, `look`, `wait` and `complete`, may be called on threads of their own, in the order of the frames; `prepare` on
    any."""

    def __init__(
        self, finder: Finder, cropper: Follows, fitter: Fitter, metrics: Metrics, also_prepare: Prepare | None = None
    ) -> None:
        """also_prepare: what else is computed once for a garment, here and not while the window waits for it."""
        self._finder, self._cropper, self._fitter, self._metrics = finder, cropper, fitter, metrics
        self._also_prepare = also_prepare
        self._hem, self._steadier = Hem(), Steadier()
        self._prepared: dict[str, Garment] = {}

    def dress(self, frame: Frame, garment: Garment) -> Dressed:
        """The try-on of this frame. Nobody there: person and fit are None."""
        self.prepare(garment)
        begun = self.begin(frame, self.find(frame), garment)
        self.look(begun)
        self.wait(begun)
        return self.complete(begun)

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
            self._fitter.see_nobody(frame)
            return Begun(frame, None, garment, None)
        self.prepare(garment)
        with self._metrics.stage("crop"):
            crop = self._cropper.follow(person, frame.size)
        with self._metrics.stage("fit"):
            if isinstance(self._fitter, AsynchronousFitter):
                return Begun(frame, person, garment, self._fitter.submit(frame, person, crop, garment))
            fit = self._fitter.fit(frame, person, crop, garment)
        return Begun(frame, person, garment, fit)

    def look(self, begun: Begun) -> None:
        """Works out what needs no fit, while the networks are at work."""
        if begun.person is not None:
            with self._metrics.stage("look"):
                self._steadier.look(begun.frame)

    def wait(self, begun: Begun) -> None:
        """Until the networks are done with a try-on."""
        with self._metrics.stage("fit_wait"):
            begun.finish()

    def complete(self, begun: Begun) -> Dressed:
        """Lets a try-on that was waited for down to the old hem, steadies it by the one before, counts it; once for
        each."""
        dressed = begun.finish()
        result, fit, person = dressed.result, dressed.result.fit, dressed.result.person
        if fit is None or person is None:
            self._hem.reset()
            self._steadier.reset()
            return dressed
        with self._metrics.stage("hem"):
            result = replace(result, fit=self._hem.hang(fit, dressed.garment, result.frame, person))
        with self._metrics.stage("steady"):
            result = replace(result, fit=self._steadier.steady(result))
        self._metrics.fits.tick(time.monotonic())
        return Dressed(result, dressed.garment, self._steadier.tracker)

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

    threads = threads_for(settings.cpu_budget)
    fitter = make_fitter(settings.engine, settings.models, threads.networks)
    metrics.engine = fitter.name
    return Tailor(PersonFinder(threads=threads.pose), Cropper(), fitter, metrics, also_prepare)


def make_fitter(engine: str, models: Path, threads: int = 2) -> Fitter:
    """The networks, or the geometric fit: asked for, or where `auto` finds no usable model set, with a line on it.

    threads: cores that an inference may use.
    """
    from mirror.geometric import GeometricFitter

    if engine == "geometric":
        return GeometricFitter()
    try:
        return _neural_fitter(models, threads)
    except ModelError as error:
        if engine == "neural":
            raise
        say(f"{error} The garments are fitted without networks meanwhile.")
        return GeometricFitter()


def _neural_fitter(models: Path, threads: int) -> Fitter:
    from mirror.tryon import NeuralFitter

    return NeuralFitter(models, threads)
