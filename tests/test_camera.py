"""The camera's thread: newest picture, pace of files, loss and return."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mirror.camera import BACK_OFF_S, FIRST_PICTURE_WITHIN_S, STALE_AFTER_S, Camera, State, Watchdog
from mirror.errors import SourceError
from mirror.sources import Address, open_capture
from tests.helpers import clip_picture, make_clip, wait_until
from tests.mjpeg import MjpegServer

QUICK = 8.0
"""How much faster than ours the clock of these tests runs."""


def quick_clock() -> float:
    return time.monotonic() * QUICK


class FakeCapture:
    """A camera that gives `pictures`, then blocks until released (or ends at once)."""

    fps = 30.0

    def __init__(self, pictures: list[np.ndarray], *, finite: bool = False, blocks: bool = False) -> None:
        self.finite, self._pictures, self._blocks = finite, list(pictures), blocks
        self.release = threading.Event()
        self.closed = False

    def read(self) -> np.ndarray | None:
        if self._pictures:
            time.sleep(0.002)
            return self._pictures.pop(0)
        if self._blocks:
            self.release.wait(30.0)
        return None

    def close(self) -> None:
        self.closed = True


class TestWatchdog:
    def test_a_camera_that_sends_is_live(self) -> None:
        dog = Watchdog(0.0)
        assert dog.state is State.OPENING
        dog.picture(0.5)
        assert not dog.reopen_due(0.5 + STALE_AFTER_S - 0.1)
        assert dog.state is State.LIVE

    def test_a_camera_that_stops_is_lost_after_two_seconds(self) -> None:
        dog = Watchdog(0.0)
        dog.picture(1.0)
        assert not dog.reopen_due(1.0 + STALE_AFTER_S + 0.1)
        assert dog.state is State.LOST
        assert dog.lost_since == 1.0 + STALE_AFTER_S + 0.1

    def test_opening_may_take_longer(self) -> None:
        dog = Watchdog(0.0)
        assert not dog.reopen_due(FIRST_PICTURE_WITHIN_S - 0.1)
        assert dog.state is State.OPENING
        dog.reopen_due(FIRST_PICTURE_WITHIN_S + 0.1)
        assert dog.state is State.LOST

    def test_it_is_tried_again_after_1_to_10_s_for_ever(self) -> None:
        dog = Watchdog(0.0)
        dog.picture(0.0)
        now, waits = 100.0, []
        for _ in range(8):
            dog.failed(now)
            failed_at = now
            while not dog.reopen_due(now):
                now += 0.125
            assert not dog.reopen_due(now), "only once for each attempt"
            waits.append(now - failed_at)
        assert waits == [*BACK_OFF_S, *[BACK_OFF_S[-1]] * (8 - len(BACK_OFF_S))]
        assert min(waits) >= 1.0 and max(waits) <= 10.0

    def test_a_picture_begins_the_waiting_anew(self) -> None:
        dog = Watchdog(0.0)
        for now in (0.0, 20.0, 40.0):
            dog.failed(now)
            assert dog.reopen_due(now + 11.0)
        dog.picture(60.0)
        assert dog.state is State.LIVE and dog.lost_since is None
        dog.failed(61.0)
        assert dog.reopen_due(61.0 + BACK_OFF_S[0])


def test_the_newest_picture_wins() -> None:
    pictures = [clip_picture(n) for n in range(20)]
    capture = FakeCapture(pictures, blocks=True)
    camera = Camera(lambda: capture)
    camera.start()
    assert wait_until(lambda: (f := camera.wait(-1, 0.01)) and f.index == 19, 10.0)
    frame = camera.wait(3, 0.0)
    assert frame is not None and np.array_equal(frame.image, pictures[-1])
    assert camera.wait(19, 0.01) is None
    capture.release.set()
    camera.close()
    assert capture.closed


def test_a_frozen_picture_counts_as_none() -> None:
    capture = FakeCapture([clip_picture(1)] * 400, blocks=True)
    camera = Camera(lambda: capture, clock=quick_clock)
    camera.start()
    assert wait_until(lambda: camera.check() is State.LOST, 10.0)
    frame = camera.wait(-1, 0.0)
    assert frame is not None and frame.index == 0, "shown once"
    capture.release.set()
    camera.close()


def test_a_reader_that_hangs_is_left_behind() -> None:
    """A webcam whose cable is pulled may block its reader for ever; a new one must take over."""
    hanging = FakeCapture([clip_picture(1)], blocks=True)
    fresh = FakeCapture([clip_picture(n) for n in range(2, 5)], blocks=True)
    captures = [hanging, fresh]
    camera = Camera(lambda: captures.pop(0), clock=quick_clock)
    camera.start()
    assert wait_until(lambda: camera.check() and not captures and (f := camera.wait(-1, 0.0)) and f.index == 3, 10.0)
    hanging.release.set()
    assert wait_until(lambda: hanging.closed, 5.0)
    assert camera.check() is State.LIVE, "the end of the old reader says nothing about the new one"
    fresh.release.set()
    camera.close()


def test_what_cannot_be_opened_says_why() -> None:
    def cannot() -> FakeCapture:
        raise SourceError("No picture comes from camera 7: plug it in.")

    camera = Camera(cannot)
    camera.start()
    assert wait_until(lambda: camera.check() is State.LOST, 5.0)
    assert "camera 7" in str(camera.error)
    camera.close()


def test_a_file_is_paced_and_ends(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.avi", frames=9, fps=60.0)
    camera = Camera(partial(open_capture, Address(str(clip), "clip", live=False)))
    camera.start()
    seen: dict[int, float] = {}
    while camera.check() is not State.ENDED:
        if (frame := camera.wait(max(seen, default=-1), 0.01)) is not None:
            seen[frame.index] = frame.t_capture
    camera.close()
    assert max(seen) == 8
    assert seen[8] - seen[min(seen)] >= (8 - min(seen)) / 60.0 - 0.02
    assert camera.fps == 60.0


def test_a_looped_file_goes_on(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.avi", frames=3, fps=120.0)
    camera = Camera(partial(open_capture, Address(str(clip), "clip", live=False)), loop=True)
    camera.start()
    assert wait_until(lambda: (f := camera.wait(-1, 0.01)) and f.index > 7, 10.0)
    camera.close()


@pytest.mark.parametrize("trouble", ["dies", "silent", "frozen"])
def test_a_network_camera_dies_and_returns(trouble: str) -> None:
    server = MjpegServer()
    camera = Camera(partial(open_capture, Address(server.url, server.url, live=True)), clock=quick_clock)
    camera.start()
    try:
        assert wait_until(lambda: camera.check() is State.LIVE and camera.wait(5, 0.0), 20.0)
        if trouble == "dies":
            server.stop()
        else:
            server.mode = trouble
        assert wait_until(lambda: camera.check() is State.LOST, 20.0)
        assert camera.wait(-1, 0.0) is not None, "the last picture stays"
        assert camera.lost_for_s() >= 0.0
        if trouble == "dies":
            server = MjpegServer(server.port)
        else:
            server.mode = "live"
        last = camera.wait(-1, 0.0)
        assert last is not None
        assert wait_until(lambda: camera.check() is State.LIVE and camera.wait(last.index + 5, 0.0), 30.0)
    finally:
        camera.close()
        server.stop()
