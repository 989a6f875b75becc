"""Later: which picture is shown when, and in which fit."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import Frame, TryOn
from mirror.later import OLD_S, Later
from mirror.tailor import Dressed
from mirror.wardrobe import Garment
from tests.bodies import flat_garment, standing, textured_frame

EVERY_S = 1.0 / 30.0


@pytest.fixture(scope="module")
def garment() -> Garment:
    return flat_garment()


def dressed(index: int, garment: Garment) -> Dressed:
    return Dressed(TryOn(textured_frame(index * EVERY_S, index), standing(), None, garment.slug), garment)


def shown(later: Later, takes_s: float, garment: Garment, pictures: int = 40) -> list[tuple[float, int, int]]:
    """Of a camera that gives 30 a second and fits of every other picture that are there after takes_s: when each
    picture was shown, which, and that of its fit."""
    out, fits, last = [], 0, -1
    for tick in range(pictures * 33):
        now = tick * 0.001
        if int(now / EVERY_S) > last:
            last = int(now / EVERY_S)
            later.add(textured_frame(last * EVERY_S, last))
        if now >= 2 * fits * EVERY_S + takes_s:
            later.fitted(dressed(2 * fits, garment), now)
            fits += 1
        if (frame := later.due(now)) is not None:
            near = later.nearest(frame)
            out.append((now, frame.index, near.result.frame.index if near else -1))
    return out


def test_before_the_first_fit_pictures_are_shown_at_once(garment: Garment) -> None:
    assert all(now - index * EVERY_S < 0.002 for now, index, _ in shown(Later(), 99.0, garment))


@pytest.mark.parametrize(("takes_s", "behind"), [(0.03, 1), (0.06, 1), (0.12, 3)])
def test_a_picture_waits_for_its_fit_but_not_for_long(takes_s: float, behind: int, garment: Garment) -> None:
    settled = shown(Later(), takes_s, garment)[20:]
    assert all(now - i * EVERY_S == pytest.approx(min(takes_s, OLD_S), abs=0.005) for now, i, _ in settled)
    assert [i for _, i, _ in settled] == list(range(settled[0][1], settled[-1][1] + 1))  # none twice, none left out
    assert max(abs(i - fit) for _, i, fit in settled) == behind


def fit_of(later: Later, frame: Frame) -> Dressed:
    near = later.nearest(frame)
    assert near is not None
    return near


def test_a_picture_is_shown_in_the_fit_nearest_to_it(garment: Garment) -> None:
    later = Later()
    for index in (3, 5, 6):
        later.fitted(dressed(index, garment), 1.0)
    near = [fit_of(later, textured_frame(i * EVERY_S, i)).result.frame.index for i in (2, 3, 5, 9)]
    assert near == [3, 3, 5, 6]
    later.fitted(dressed(7, other := flat_garment()), 1.0)
    assert fit_of(later, textured_frame(3 * EVERY_S, 3)).garment is other


def test_after_a_camera_was_lost_time_counts_and_not_the_number(garment: Garment) -> None:
    later = Later()
    later.fitted(dressed(10, garment), 1.0)
    later.fitted(back := Dressed(TryOn(textured_frame(30.1, 13), standing(), None, "flat"), garment), 30.2)
    assert fit_of(later, textured_frame(30.0, 11)) is back


def test_a_fit_of_another_size_is_taken_only_where_there_is_no_other(garment: Garment) -> None:
    later = Later()
    later.fitted(old := dressed(10, garment), 1.0)
    small = Frame(np.zeros((120, 160, 3), np.uint8), 11 * EVERY_S, 11)
    assert fit_of(later, small) is old
    later.fitted(new := Dressed(TryOn(Frame(small.image, 1.0, 30), standing(), None, "flat"), garment), 1.1)
    assert fit_of(later, small) is new


def test_that_nobody_is_there_does_not_make_fits_soon(garment: Garment) -> None:
    later = Later()
    later.fitted(dressed(0, garment), 0.06)
    before = later.wait_s
    for index in range(1, 50):
        empty = Dressed(TryOn(textured_frame(index * EVERY_S, index), None, None, garment.slug), garment)
        later.fitted(empty, index * EVERY_S + 0.01)
    assert later.wait_s == before > 0.0


def test_a_late_main_thread_leaves_pictures_out() -> None:
    later = Later()
    for index in range(5):
        later.add(textured_frame(index * EVERY_S, index))
    frame = later.due(0.1)
    assert frame is not None and frame.index == 3 and later.waiting == 1 and later.due(0.1) is None


def test_a_picture_that_takes_long_to_draw_waits_the_less(garment: Garment) -> None:
    later = Later()
    later.fitted(dressed(0, garment), 1.0)
    waits = []
    for took_s in (0.0, 0.02, 0.2):
        for _ in range(100):
            later.drawn(took_s)
        waits.append(later.wait_s)
    assert waits == pytest.approx([OLD_S, OLD_S - 0.02, 0.0], abs=1e-4)
