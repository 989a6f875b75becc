"""The picture first: priorities, threads, and the budget of cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from mirror import pace
from mirror.pace import LONGEST_REST_S, Pace, Threads, step_aside, threads_for
from mirror.settings import ROOT


def simulate(budget: float | None, fits: int, cpu_s: float, wall_s: float) -> float:
    """Cores used on average by fits that take so much CPU and clock each, resting as told."""
    paced, now, used = Pace(budget), 0.0, 0.0
    for _ in range(fits):
        now += wall_s
        used += cpu_s
        now += paced.rest_s(now, used)
    return used / now


@pytest.mark.parametrize("budget", [0.5, 1.0, 1.5])
def test_a_budget_is_kept(budget: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "cores", lambda: 4)
    assert simulate(budget, 400, cpu_s=0.08, wall_s=0.03) == pytest.approx(budget, rel=0.05)


@pytest.mark.parametrize("budget", [None, 4.0, 9.0])
def test_nothing_rests_where_all_cores_may_be_used(budget: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "cores", lambda: 4)
    assert simulate(budget, 50, cpu_s=0.12, wall_s=0.03) == pytest.approx(4.0)


def test_what_stays_within_the_budget_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "cores", lambda: 4)
    assert simulate(2.0, 50, cpu_s=0.05, wall_s=0.05) == pytest.approx(1.0)


def test_a_rest_ends_although_much_was_overdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "cores", lambda: 4)
    paced = Pace(0.1)
    paced.rest_s(0.0, 0.0)
    assert paced.rest_s(1.0, 60.0) == LONGEST_REST_S


@pytest.mark.parametrize(
    ("there", "budget", "threads"),
    [
        (1, None, Threads(1, 1, 1)),
        (2, None, Threads(1, 2, 2)),
        (2, 1.0, Threads(1, 1, 1)),
        (4, None, Threads(2, 2, 2)),
        (8, None, Threads(4, 2, 4)),
        (8, 2.0, Threads(1, 2, 2)),
    ],
)
def test_threads_do_not_outnumber_the_cores(
    there: int, budget: float | None, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "cores", lambda: there)
    assert threads_for(budget) == threads


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="priorities of threads are Linux's")
def test_stepping_aside_lowers_one_thread_only() -> None:
    def look() -> None:
        step_aside(4)
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    seen: list[int] = []
    before = os.getpriority(os.PRIO_PROCESS, os.getpid())
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [min(before + 4, 19)]
    assert os.getpriority(os.PRIO_PROCESS, os.getpid()) == before


def test_the_command_line_limits_blas_before_numpy_comes() -> None:
    """A spinning BLAS thread took a fifth of a core."""
    code = "import sys, mirror.cli; from mirror.pace import limit_libraries; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
