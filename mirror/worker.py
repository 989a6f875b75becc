"""The try-on worker: dresses the newest frame, again and again, on threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from mirror.frames import Frame, Person
from mirror.metrics import Metrics
from mirror.pace import Pace, step_aside
from mirror.rail import Rail
from mirror.room import Room
from mirror.settings import Settings
from mirror.tailor import Begun, Dressed, Tailor
from mirror.wardrobe import Garment, Wardrobe
from mirror.words import say

WARDROBE_EVERY_S = 1.0
"""How often folders added to the wardrobe are looked for."""
FRAME_WAIT_S = 0.2
FRESH_S, NEXT_WAIT_S = 0.012, 0.030
"""A picture that is older is passed over if another comes in so long: cameras give one every 33 ms."""
SETTLED_AFTER_S = 0.4
"""A garment worn for so long is looked at: then there is time to prepare those beside it."""
LOOK_AHEAD_EVERY_S = 0.1
AHEAD_SHARE = 0.25
"""How often it is looked whether a garment is to be prepared ahead, and the share of the time that goes into it, so
that it takes little from the fits: a garment is 70 ms of work."""
PREPARED_AHEAD = 24
"""Garments kept ready around the one worn, about 7 MB each; of a larger wardrobe the others take 0.1 s more."""
LEFT_OUT_S = 0.2
"""Somebody who holds a key down wants another garment all the time, and must see some of them."""
FINISHING, FITTING, BUILDING, FINDING, AHEAD = 2, 4, 5, 7, 10
"""How far below the main thread, so that the picture hardly ever waits, each of the others stands; the networks' own
threads inherit BUILDING. What is nearer to being shown goes first. In two runs each there were a tenth fewer fits with
all at 5, and the oldest shown were a sixth older; but the machine's own speed varied by more than that meanwhile."""
CLOSE_WITHIN_S = 30.0
"""Networks that are being compiled cannot be interrupted; left running, they crash the end of the process."""


class Frames(Protocol):
    def wait(self, after: int, timeout_s: float) -> Frame | None: ...


Builder = Callable[[Settings, Metrics], Tailor]


@dataclass(frozen=True)
class _Found:
    """A person, or nobody, to be dressed. in_turn: one of those under way; otherwise fitted once more, because another
    garment is wanted."""

    frame: Frame
    person: Person | None
    in_turn: bool = True


class TryOnWorker:
    """Runs a Tailor, each of its steps on a thread of its own: one looks for the person, one fits, one completes.

    So the person of the next frame is looked for while the generator is at work on this one and while it is completed,
    but not before its warp is done: looked for meanwhile, he only kept it waiting, and was kept waiting himself. On two
    cores, in four runs of 15 s each, there were 17.7 fits a second instead of 18.6, and those shown were 119 ms old
    instead of 155 in the median, 185 instead of 222 at the 95th percentile. With one try-on at a time there were 15.1
    fits a second, 112 and 158 ms old. The first also builds the Tailor, and loads and watches the wardrobe: all of it
    is slow. A fourth prepares garments before they are asked for.
    """

    def __init__(self, settings: Settings, metrics: Metrics, frames: Frames, build: Builder) -> None:
        self._settings, self._metrics, self._frames, self._build = settings, metrics, frames, build
        self._stop = threading.Event()
        self._built = threading.Event()
        self._tailor: Tailor | None = None
        # started by the main thread, all of them: one started by another would stand as far below, and stay there
        self._threads = [
            threading.Thread(target=self._run, args=(niceness, work), name=name, daemon=True)
            for name, niceness, work in (
                ("try-on-fit", FITTING, partial(self._after, self._dress)),
                ("try-on-end", FINISHING, partial(self._after, self._finish)),
                ("try-on-ahead", AHEAD, partial(self._after, self._look_ahead)),
                ("try-on", BUILDING, self._work),  # waits for the others at its end
            )
        ]
        self._found: SimpleQueue[_Found | None] = SimpleQueue()
        self._newest_found: _Found | None = None
        self._begun: SimpleQueue[tuple[Begun | None, bool] | None] = SimpleQueue()  # with _Found.in_turn
        self._room = Room()
        self._turn = threading.BoundedSemaphore(1)  # to be found and warped
        self.rail: Rail | None = None
        """There as soon as the wardrobe is loaded."""
        self.newest: Dressed | None = None
        """The newest try-on that is complete."""
        self.error: BaseException | None = None
        """What ended it; for the main thread to raise."""

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def hurry(self) -> None:
        """Another garment is wanted: it is fitted to the person found last, and not to the next, who would be found 20
        to 60 ms later. From any thread."""
        if (found := self._newest_found) is not None:
            self._found.put(replace(found, in_turn=False))

    def close(self) -> None:
        self._stop.set()
        self._threads[-1].join(CLOSE_WITHIN_S)

    def _run(self, niceness: int, work: Callable[[], None]) -> None:
        step_aside(niceness)
        try:
            work()
        except BaseException as error:  # whatever it is must not leave a picture that stands still
            self.error = error
            self._stop.set()

    def _after(self, work: Callable[[Tailor, Rail], None]) -> None:
        """Work that begins once all is built, if it is."""
        self._built.wait()
        if self._tailor is not None and self.rail is not None:
            work(self._tailor, self.rail)

    def _work(self) -> None:
        try:
            rail = self.rail = open_rail(self._settings)
            tailor = self._tailor = self._build(self._settings, self._metrics)
            self._built.set()
            step_aside(FINDING)
            self._find(tailor, rail)
        finally:
            self._stop.set()
            self._built.set()
            self._found.put(None)
            for thread in self._threads[:-1]:
                thread.join(CLOSE_WITHIN_S)
            if self._tailor is not None:
                self._tailor.close()

    def _find(self, tailor: Tailor, rail: Rail) -> None:
        pace = Pace(self._settings.cpu_budget)
        last, looked_at, room, turn = -1, time.monotonic(), False, False
        while not self._stop.is_set():
            now = time.monotonic()
            if now - looked_at > WARDROBE_EVERY_S:
                looked_at = now
                with self._metrics.stage("wardrobe"):
                    rail.refresh()
            if not room and not (room := self._room.take(FRAME_WAIT_S)):
                continue
            if not turn and not (turn := self._turn.acquire(timeout=FRAME_WAIT_S)):
                continue
            frame = self._fresh(last)  # not before there is room: it would grow old waiting for it
            if frame is None:
                continue
            last, room, turn = frame.index, False, False
            found = _Found(frame, tailor.find(frame))
            self._found.put(found)
            self._newest_found = found  # only now: before, it could be dressed once more ahead of its turn
            self._stop.wait(pace.rest_s(time.monotonic(), time.process_time()))

    def _fresh(self, last: int) -> Frame | None:
        """The newest picture after number `last`, or the one that comes next where that is nearly as old as a camera's
        picture grows: a fit of it would be shown that much later."""
        frame = self._frames.wait(last, FRAME_WAIT_S)
        if frame is None or time.monotonic() - frame.t_capture < FRESH_S:
            return frame
        return self._frames.wait(frame.index, NEXT_WAIT_S) or frame

    def _dress(self, tailor: Tailor, rail: Rail) -> None:
        worn: Garment | None = None
        try:
            while (found := self._found.get()) is not None:
                begun, garment = None, rail.wanted  # only now: a key pressed meanwhile counts
                if garment is not None and (found.in_turn or garment is not worn):
                    begun, worn = tailor.begin(found.frame, found.person, garment), garment
                self._begun.put((begun, found.in_turn))
                if found.in_turn:
                    self._turn.release()
        finally:
            self._begun.put(None)

    def _finish(self, tailor: Tailor, rail: Rail) -> None:
        """There is room for another try-on as soon as the networks are done with this one, not only when all is. A
        garment that is no longer wanted is not completed, so that the new one comes the sooner, but for every
        LEFT_OUT_S."""
        completed = 0.0
        while (given := self._begun.get()) is not None:
            begun, in_turn = given
            if begun is not None and (in_turn or begun.garment is rail.wanted):
                tailor.look(begun)
                tailor.wait(begun)
            if in_turn:
                self._room.give_back()
            if begun is None or (begun.garment is not rail.wanted and time.monotonic() - completed < LEFT_OUT_S):
                continue
            self.newest = tailor.complete(begun)
            completed = time.monotonic()
            if begun.person is not None:  # that nobody is there is known at once
                self._room.took(completed - begun.frame.t_capture)

    def _look_ahead(self, tailor: Tailor, rail: Rail) -> None:
        """One garment after the other, those beside the one worn first, so that a key press finds them ready."""
        worn: Garment | None = None
        since, rest = time.monotonic(), LOOK_AHEAD_EVERY_S
        while not self._stop.wait(rest):
            rest, begun, newest = LOOK_AHEAD_EVERY_S, time.monotonic(), self.newest
            if newest is None or newest.garment is not worn:
                worn, since = newest.garment if newest else None, begun
            elif begun - since >= SETTLED_AFTER_S:
                garments = rail.outwards()[:PREPARED_AHEAD]
                any(tailor.prepare(garment) for garment in garments)  # the first of them that was not
                rest += (time.monotonic() - begun) * (1.0 / AHEAD_SHARE - 1.0)


def open_rail(settings: Settings) -> Rail:
    """Loads the wardrobe. Raises GarmentError."""
    wardrobe = Wardrobe(settings.wardrobe)
    count = len(wardrobe.garments)
    say(f"{count} garment{'' if count == 1 else 's'} in {settings.wardrobe}.")
    return Rail(wardrobe, settings.garment)
