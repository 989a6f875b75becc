"""How much of the machine the try-on may take: the picture first, fits as often as the rest allows."""

from __future__ import annotations

import math
import os
import sys
import threading
from dataclasses import dataclass

WINDOW_S = 2.0
"""Over so long the budget is kept on average."""
LONGEST_REST_S = 1.0


def step_aside(niceness: int) -> None:
    """Put the calling thread, and those it will start, so far below the process's priority; where the system has no
    such thing, not. A thread cannot come nearer again."""
    if sys.platform.startswith("linux"):  # elsewhere niceness is the whole process's
        as_all = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(as_all + niceness, 19))


def limit_libraries() -> None:
    """Before numpy is imported: its BLAS keeps a thread spinning between the small products that are all we need."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Threads:
    """How many threads each library may use at once, so that they do not wait for each other on few cores."""

    picture: int
    pose: int
    networks: int


def threads_for(budget: float | None) -> Threads:
    """The picture gets half of the cores. A network gets two where there are two: whichever of them is free takes the
    next layer, so that an inference does not stand still where its only thread lost its core to another stage. On two
    cores, three pairs of runs: 22.6 fits a second instead of 20.8, the oldest shown 169 ms old instead of 184.

    budget: cores; None: all there are.
    """
    available = max(1, min(cores(), math.ceil(budget or cores())))
    half = max(1, available // 2)
    several = min(available, max(half, 2))
    return Threads(picture=min(half, 4), pose=min(several, 2), networks=min(several, 4))


class Pace:
    """Keeps the process within a number of cores on average by resting between two fits. Time is passed in."""

    def __init__(self, budget: float | None) -> None:
        """budget: cores; None, or more than there are: never rests."""
        self._budget = budget if budget is not None and budget < cores() else None
        self._since: tuple[float, float] | None = None

    def rest_s(self, now: float, used_s: float) -> float:
        """How long to rest. now: the clock; used_s: CPU seconds of the process so far, of all its threads."""
        if self._budget is None:
            return 0.0
        if self._since is None:
            self._since = (now, used_s)
        begun, before = self._since
        rest = (used_s - before) / self._budget - (now - begun)
        if now - begun > WINDOW_S:  # what was saved or overdrawn long ago is forgotten, not made up for
            self._since = (now + max(rest, 0.0), used_s)
        return min(max(rest, 0.0), LONGEST_REST_S)
