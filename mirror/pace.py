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
    """On two cores one each: the stages run beside each other, and a second thread waits for a core that another has.
    It costs 4 ms of CPU of the pose network's 18, and 11 ms of a whole try-on's 63.

    budget: cores; None: all there are.
    """
    available = max(1, min(cores(), math.ceil(budget or cores())))
    half = max(1, available // 2)
    return Threads(picture=min(half, 4), pose=min(half, 2), networks=min(half, 4))


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
