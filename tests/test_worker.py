"""The try-on worker: its own thread, networks that overlap the person stage, what it cannot use."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mirror.crop import Cropper
from mirror.errors import ModelError
from mirror.frames import Crop, Fit, Frame, Person
from mirror.geometric import GeometricFitter
from mirror.metrics import Metrics
from mirror.room import UNDER_WAY
from mirror.settings import Settings
from mirror.tailor import Begun, Dressed, Tailor, make_fitter
from mirror.wardrobe import Garment
from mirror.worker import TryOnWorker
from tests.bodies import textured_frame
from tests.fakes import StandingFinder, fake_tailor
from tests.helpers import make_garment, make_garment_folder, wait_until


class Feed:
    """Frames as the camera's thread keeps them: the newest one."""

    def __init__(self) -> None:
        self.frame: Frame | None = None

    def put(self, index: int) -> None:
        self.frame = replace(textured_frame(t=index / 30.0), index=index)

    def wait(self, after: int, timeout_s: float) -> Frame | None:
        frame = self.frame
        if frame is None or frame.index <= after:
            time.sleep(0.005)
            return None
        return frame


class SlowNetwork:
    """A fitter whose second half goes on after `submit` has returned, until it is let go."""

    name = "neural"

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.submitted: list[int] = []
        self._geometric = GeometricFitter()

    def prepare(self, garment: Garment) -> None:
        self._geometric.prepare(garment)

    def see_nobody(self, frame: Frame) -> None:
        self._geometric.see_nobody(frame)

    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit:
        raise AssertionError("a fitter that can be asked to begin is not asked to wait")

    def submit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Promise:
        self.submitted.append(frame.index)
        return Promise(self.let_go, self._geometric.fit(frame, person, crop, garment))

    def close(self) -> None:
        pass


class Promise:
    def __init__(self, let_go: threading.Event, fit: Fit) -> None:
        self._let_go, self._fit = let_go, fit

    @property
    def ready(self) -> bool:
        return self._let_go.is_set()

    def result(self) -> Fit:
        assert self._let_go.wait(30.0)
        return self._fit


def settings_of(wardrobe: Path) -> Settings:
    return Settings(wardrobe=wardrobe, engine="geometric", headless=True)


def worker_with(fitter: SlowNetwork, feed: Feed, wardrobe: Path) -> TryOnWorker:
    """A worker, not started, whose tailor finds somebody on every frame and asks this fitter."""
    return TryOnWorker(
        settings_of(wardrobe), Metrics(), feed, lambda s, m: Tailor(StandingFinder(), Cropper(), fitter, m)
    )


def test_it_fits_the_newest_frame_and_follows_the_rail(wardrobe_folder: Path) -> None:
    feed, metrics = Feed(), Metrics()
    worker = TryOnWorker(settings_of(wardrobe_folder), metrics, feed, fake_tailor)
    worker.start()
    feed.put(0)
    assert wait_until(lambda: worker.newest is not None), worker.error
    assert worker.rail is not None
    worker.rail.step(1)
    feed.put(7)
    assert wait_until(lambda: (d := worker.newest) and d.result.frame.index == 7)
    dressed = worker.newest
    assert dressed is not None and dressed.result.fit is not None
    assert (dressed.result.garment, dressed.garment.slug) == ("tee-2", "tee-2")
    worker.close()
    assert worker.error is None
    assert metrics.found == metrics.sought == 2


def test_a_garment_that_joins_while_it_runs_can_be_worn(wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirror.worker.WARDROBE_EVERY_S", 0.02)
    feed = Feed()
    worker = TryOnWorker(settings_of(wardrobe_folder), Metrics(), feed, fake_tailor)
    worker.start()
    feed.put(0)
    assert wait_until(lambda: worker.rail)
    make_garment_folder(wardrobe_folder / "tee-9")
    assert worker.rail is not None
    assert wait_until(lambda: worker.rail and worker.rail.place == "1 / 4")
    worker.rail.pick(3)
    feed.put(1)
    assert wait_until(lambda: (d := worker.newest) and d.garment.slug == "tee-9"), worker.error
    worker.close()


class OldThenNew(Feed):
    """Its newest picture is old; the next one comes, or does not, while it is waited for."""

    def __init__(self, comes: bool) -> None:
        super().__init__()
        self.put(0)
        self.comes, self.asked = comes, 0

    def wait(self, after: int, timeout_s: float) -> Frame | None:
        self.asked += 1
        if after == 0 and self.comes:
            self.put(1)
        return super().wait(after, timeout_s)


@pytest.mark.parametrize(("comes", "fitted"), [(True, 1), (False, 0)])
def test_a_picture_that_is_old_gives_way_to_the_next(wardrobe_folder: Path, comes: bool, fitted: int) -> None:
    """At 25 fits a second every other picture was half a camera's period old before it was looked at."""
    worker = TryOnWorker(settings_of(wardrobe_folder), Metrics(), OldThenNew(comes), fake_tailor)
    worker.start()
    assert wait_until(lambda: worker.newest)
    assert worker.newest is not None and worker.newest.result.frame.index == fitted
    worker.close()


def test_the_person_of_the_next_frame_is_found_while_the_networks_work(wardrobe_folder: Path) -> None:
    feed, fitter, metrics = Feed(), SlowNetwork(), Metrics()
    worker = TryOnWorker(
        settings_of(wardrobe_folder), metrics, feed, lambda s, m: Tailor(StandingFinder(), Cropper(), fitter, m)
    )
    worker.start()
    feed.put(0)
    assert wait_until(lambda: fitter.submitted == [0]), worker.error
    assert worker.newest is None, "not complete yet"
    feed.put(1)
    assert wait_until(lambda: fitter.submitted == [0, 1]), "begun although frame 0 is not complete"
    feed.put(2)
    fitter.let_go.set()
    assert wait_until(lambda: (d := worker.newest) and d.result.frame.index == 2)
    worker.close()
    assert worker.error is None


def test_the_next_person_is_not_looked_for_before_the_warp_is_done(wardrobe_folder: Path) -> None:
    """They kept each other waiting: a fit was shown a third older than one that was left alone until then."""

    class SlowWarp(SlowNetwork):
        warped = threading.Event()

        def submit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Promise:
            assert self.warped.wait(30.0)
            return super().submit(frame, person, crop, garment)

    feed, fitter, metrics = Feed(), SlowWarp(), Metrics()
    worker = TryOnWorker(
        settings_of(wardrobe_folder), metrics, feed, lambda s, m: Tailor(StandingFinder(), Cropper(), fitter, m)
    )
    worker.start()
    feed.put(0)
    assert wait_until(lambda: metrics.sought == 1), worker.error
    feed.put(1)
    assert not wait_until(lambda: metrics.sought == 2, 0.5)
    fitter.warped.set()
    assert wait_until(lambda: fitter.submitted == [0, 1]), worker.error
    fitter.let_go.set()
    assert wait_until(lambda: (d := worker.newest) and d.result.frame.index == 1)
    worker.close()


def test_a_complete_try_on_is_seen_before_the_next_frame_comes(wardrobe_folder: Path) -> None:
    feed, fitter = Feed(), SlowNetwork()
    fitter.let_go.set()
    worker = worker_with(fitter, feed, wardrobe_folder)
    worker.start()
    feed.put(0)
    assert wait_until(lambda: (d := worker.newest) and d.result.frame.index == 0)
    worker.close()


def test_what_it_raises_is_kept_for_the_main_thread(tmp_path: Path) -> None:
    def broken(settings: Settings, metrics: Metrics) -> Tailor:
        raise RuntimeError("no such stage")

    worker = TryOnWorker(settings_of(tmp_path), Metrics(), Feed(), broken)
    worker.start()
    assert wait_until(lambda: worker.error is not None)
    assert "no such stage" in str(worker.error)
    worker.close()


def test_a_fit_that_fails_after_it_was_begun_ends_the_run_too(wardrobe_folder: Path) -> None:
    """It fails on the second thread, which completes fits."""

    class Broken(SlowNetwork):
        def submit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Promise:
            promise = super().submit(frame, person, crop, garment)
            promise.result = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
            return promise

    feed = Feed()
    worker = TryOnWorker(
        settings_of(wardrobe_folder), Metrics(), feed, lambda s, m: Tailor(StandingFinder(), Cropper(), Broken(), m)
    )
    worker.start()
    feed.put(0)
    assert wait_until(lambda: isinstance(worker.error, ZeroDivisionError))
    worker.close()


def test_no_more_is_begun_than_can_be_shown_soon(wardrobe_folder: Path) -> None:
    """A slow generator must not collect a queue of old fits."""
    feed, fitter = Feed(), SlowNetwork()
    worker = worker_with(fitter, feed, wardrobe_folder)
    worker.start()
    for index in range(UNDER_WAY + 3):
        feed.put(index)
        newest = partial(fitter.submitted.__contains__, index)
        wait_until(newest, 0.5 if index >= UNDER_WAY else 30.0)
    assert fitter.submitted == list(range(UNDER_WAY))
    fitter.let_go.set()
    assert wait_until(lambda: (d := worker.newest) and d.result.frame.index == UNDER_WAY + 2)
    assert fitter.submitted == [*range(UNDER_WAY), UNDER_WAY + 2], "an old frame was kept waiting for room"
    worker.close()


class Dressing:
    """A worker whose generator answers when it is let go."""

    def __init__(self, wardrobe: Path) -> None:
        self.feed, self.fitter, self.metrics = Feed(), SlowNetwork(), Metrics()
        self.worker = TryOnWorker(settings_of(wardrobe), self.metrics, self.feed, self._build)
        self.worker.start()

    def _build(self, settings: Settings, metrics: Metrics) -> Tailor:
        return Tailor(StandingFinder(), Cropper(), self.fitter, metrics)

    def step(self) -> None:
        """As by key."""
        assert self.worker.rail is not None
        self.worker.rail.step(1)
        self.worker.hurry()

    @property
    def worn(self) -> str | None:
        return self.worker.newest.garment.slug if self.worker.newest else None


def test_another_garment_is_fitted_to_the_person_found_last(wardrobe_folder: Path) -> None:
    """It waited for the next picture and its person: 20 to 60 ms."""
    it = Dressing(wardrobe_folder)
    it.fitter.let_go.set()
    it.feed.put(0)
    assert wait_until(lambda: it.worn == "tee-1"), it.worker.error
    it.step()
    assert wait_until(lambda: it.worn == "tee-2"), it.worker.error
    it.worker.close()
    assert (it.fitter.submitted, it.metrics.sought) == ([0, 0], 1)


def test_a_garment_that_is_fitted_already_is_not_fitted_again(wardrobe_folder: Path) -> None:
    it = Dressing(wardrobe_folder)
    it.fitter.let_go.set()
    it.feed.put(0)
    assert wait_until(lambda: it.worn == "tee-1"), it.worker.error
    it.worker.hurry()
    it.feed.put(1)
    assert wait_until(partial(is_newest, it.worker, 1)), it.worker.error
    it.worker.close()
    assert it.fitter.submitted == [0, 1]


def test_what_is_fitted_out_of_turn_makes_no_room_for_more(wardrobe_folder: Path) -> None:
    it = Dressing(wardrobe_folder)
    for index in range(UNDER_WAY):
        it.feed.put(index)
        assert wait_until(partial(it.fitter.submitted.__contains__, index)), it.worker.error
    it.step()
    assert wait_until(lambda: len(it.fitter.submitted) == UNDER_WAY + 1), it.worker.error
    it.fitter.let_go.set()
    assert wait_until(lambda: it.worn == "tee-2"), it.worker.error
    it.fitter.let_go.clear()
    first = UNDER_WAY
    for index in range(first, first + UNDER_WAY):
        it.feed.put(index)
        assert wait_until(partial(it.fitter.submitted.__contains__, index)), it.worker.error
    it.feed.put(first + UNDER_WAY)
    assert not wait_until(partial(it.fitter.submitted.__contains__, first + UNDER_WAY), 0.5)
    it.fitter.let_go.set()
    it.worker.close()


@pytest.mark.parametrize(("left_out_s", "completed"), [(60.0, 2), (0.0, 3)])
def test_a_garment_no_longer_wanted_is_left_out_but_not_for_long(
    wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch, left_out_s: float, completed: int
) -> None:
    monkeypatch.setattr("mirror.worker.LEFT_OUT_S", left_out_s)
    it = Dressing(wardrobe_folder)
    it.fitter.let_go.set()
    it.feed.put(0)
    assert wait_until(lambda: it.worn == "tee-1"), it.worker.error
    it.fitter.let_go.clear()
    it.feed.put(1)
    assert wait_until(lambda: it.fitter.submitted == [0, 1]), it.worker.error
    it.step()
    assert wait_until(lambda: it.fitter.submitted == [0, 1, 1]), it.worker.error
    it.fitter.let_go.set()
    assert wait_until(lambda: it.worn == "tee-2"), it.worker.error
    it.worker.close()
    assert it.metrics.fits.count == completed


class Lingering(Tailor):
    """Takes its time for what is left when the networks are done."""

    def __init__(self, fitter: SlowNetwork, metrics: Metrics) -> None:
        super().__init__(StandingFinder(), Cropper(), fitter, metrics)
        self.let_go = threading.Event()

    def complete(self, begun: Begun) -> Dressed:
        assert self.let_go.wait(30.0)
        return super().complete(begun)


def test_the_next_person_is_looked_for_as_soon_as_the_networks_are_done(wardrobe_folder: Path) -> None:
    feed, fitter = Feed(), SlowNetwork()
    tailor = Lingering(fitter, Metrics())
    worker = TryOnWorker(settings_of(wardrobe_folder), Metrics(), feed, lambda s, m: tailor)
    worker.start()
    for index in range(UNDER_WAY + 1):
        feed.put(index)
        if index == UNDER_WAY:
            assert not wait_until(partial(fitter.submitted.__contains__, index), 0.3)
            fitter.let_go.set()
        assert wait_until(partial(fitter.submitted.__contains__, index)), worker.error
    assert worker.newest is None
    tailor.let_go.set()
    assert wait_until(partial(is_newest, worker, UNDER_WAY)), worker.error
    worker.close()


def is_newest(worker: TryOnWorker, index: int) -> bool:
    return worker.newest is not None and worker.newest.result.frame.index == index


def test_every_garment_is_prepared_while_one_is_worn(wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirror.worker.SETTLED_AFTER_S", 0.0)
    feed, prepared = Feed(), []

    def build(settings: Settings, metrics: Metrics) -> Tailor:
        return Tailor(
            StandingFinder(), Cropper(), GeometricFitter(), metrics, also_prepare=lambda g: prepared.append(g.slug)
        )

    worker = TryOnWorker(settings_of(wardrobe_folder), Metrics(), feed, build)
    worker.start()
    feed.put(0)
    assert wait_until(lambda: len(prepared) == 3), worker.error
    worker.close()
    assert prepared[0] == "tee-1" and sorted(prepared) == ["tee-1", "tee-2", "tee-3"]


def test_no_fit_waits_for_a_garment_that_is_prepared_ahead(
    wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the thread of the fits each garment made the fit after it 70 ms older."""
    monkeypatch.setattr("mirror.worker.SETTLED_AFTER_S", 0.0)
    feed, begun, let_go = Feed(), threading.Event(), threading.Event()

    def slowly(garment: Garment) -> None:
        if garment.slug != "tee-1":
            begun.set()
            assert let_go.wait(30.0)

    def build(settings: Settings, metrics: Metrics) -> Tailor:
        return Tailor(StandingFinder(), Cropper(), GeometricFitter(), metrics, also_prepare=slowly)

    worker = TryOnWorker(settings_of(wardrobe_folder), Metrics(), feed, build)
    worker.start()
    feed.put(0)
    assert wait_until(begun.is_set), worker.error
    feed.put(1)
    assert wait_until(partial(is_newest, worker, 1)), worker.error
    let_go.set()
    worker.close()
    assert worker.error is None


def test_what_is_tracked_of_a_try_on_is_that_of_the_fit_it_shows() -> None:
    tailor = Tailor(StandingFinder(), Cropper(), GeometricFitter(), Metrics())
    for index in range(2):
        dressed = tailor.dress(replace(textured_frame(t=index / 30.0), index=index), make_garment())
    assert dressed.tracker is not None
    assert (dressed.tracker.frame, dressed.tracker.fit) == (dressed.result.frame, dressed.result.fit)


def test_nobody_there_is_a_result_too() -> None:
    metrics = Metrics()
    tailor = Tailor(StandingFinder(), Cropper(), GeometricFitter(), metrics)
    small = Frame(np.zeros((120, 160, 3), np.uint8), 0.0, 0)
    dressed = tailor.dress(small, make_garment())
    assert dressed.result.person is None and dressed.result.fit is None
    assert (metrics.sought, metrics.found, metrics.fits.count) == (1, 0, 0)


def test_a_garment_is_prepared_once_and_again_when_it_changed() -> None:
    prepared: list[Garment] = []
    tailor = Tailor(StandingFinder(), Cropper(), GeometricFitter(), Metrics(), also_prepare=prepared.append)
    old, new = make_garment("tee"), make_garment("tee")
    assert [tailor.prepare(g) for g in (old, old, new)] == [True, False, True]
    assert prepared == [old, new]


def test_without_networks_auto_falls_back_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_fitter("auto", tmp_path).name == "geometric"
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert make_fitter("geometric", tmp_path).name == "geometric"
    assert capsys.readouterr().err == ""
    with pytest.raises(ModelError):
        make_fitter("neural", tmp_path)
