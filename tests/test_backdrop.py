"""What is remembered of the room behind the person."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.backdrop import EVERY, Backdrop
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Frame, Person

WHOLE = Crop(np.array([[0.6, 0.0, 0.0], [0.0, 0.6, 0.0]]))
"""320 x 427 camera pixels lie on the canvas."""
SIZE = (320, 426)


def room(level: float = 1.0, seed: int = 0) -> np.ndarray:
    """A room with a smooth pattern."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    shade = 120 + 60 * np.sin(x / 40 + seed * 2.5) * np.cos(y / 50 + seed)
    return np.clip(shade[..., None] * np.array([0.9, 1.0, 1.1]) * level, 0, 255).astype(np.uint8)


def empty(backdrop: Backdrop, picture: np.ndarray) -> None:
    """Nobody is there for a while, before all else."""
    for second in (-4.0, -3.0, -2.0, -1.0):
        seen(backdrop, picture, round(second * 30), None)


def seen(backdrop: Backdrop, picture: np.ndarray, index: int, span: tuple[int, int] | None) -> None:
    """The frame with an orange person between two columns."""
    mask = np.zeros(picture.shape[:2], np.float32)
    picture = picture.copy()
    person = None
    if span is not None:
        picture[:, slice(*span)] = (20, 140, 240)
        mask[:, slice(*span)] = 1.0
        person = Person(mask, np.zeros((33, 3), np.float32), index / 30, index / 30)
    for repeat in range(EVERY):  # one of them is looked at
        backdrop.see(Frame(picture, index / 30, index * EVERY + repeat), person)


def canvas_of(picture: np.ndarray) -> np.ndarray:
    backdrop = Backdrop()
    empty(backdrop, picture)
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    return told[0]


def test_nothing_is_known_of_a_room_that_was_never_seen() -> None:
    assert Backdrop().behind(WHOLE, SIZE) is None
    backdrop = Backdrop()
    seen(backdrop, room(), 0, (0, 320))
    assert backdrop.behind(WHOLE, SIZE) is None


def test_what_an_arm_hid_before_is_known_and_nothing_of_the_arm_is_in_it() -> None:
    backdrop = Backdrop()
    seen(backdrop, room(), 0, (60, 140))
    seen(backdrop, room(), 1, (180, 260))
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    colours, known = told
    assert known[100, 60] == 1.0 and known[100, 131] == 1.0  # hidden in the first picture, and in the second
    sure = known > 0.5
    assert np.abs(colours - canvas_of(room()))[sure].max() <= 3


def test_what_was_always_hidden_is_not_known() -> None:
    backdrop = Backdrop()
    for index, span in enumerate([(100, 200), (110, 210)]):
        seen(backdrop, room(), index, span)
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    assert told[1][:, 84:100].max() < 0.1 and told[1][:, :50].min() > 0.0


def test_what_was_never_seen_is_drawn_on_from_beside() -> None:
    """A blue board behind an arm's length of white wall coloured what was uncovered beside the body."""
    halves = np.full((SIZE[1], SIZE[0], 3), 210, np.uint8)
    halves[:, 250:] = (160, 90, 20)
    backdrop = Backdrop()
    seen(backdrop, halves, 0, (100, 200))
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    beside = np.s_[10:-10, 62:70]
    assert told[1][beside].min() > 0.5
    assert np.abs(told[0][beside] - 210).max() < 12


def test_an_empty_room_is_known_all_over() -> None:
    backdrop = Backdrop()
    empty(backdrop, room())
    seen(backdrop, room(), 1, (60, 200))
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    assert told[1][10:-10, 10:-10].min() == 1.0


def test_somebody_who_is_not_found_for_a_moment_is_no_part_of_the_room() -> None:
    backdrop = Backdrop()
    turned = room()
    turned[:, 100:200] = (20, 140, 240)
    for index in range(30):  # a second
        seen(backdrop, turned, index, None)
    assert backdrop.behind(WHOLE, SIZE) is None


def test_what_moves_in_an_empty_room_is_not_taken_for_the_room() -> None:
    backdrop = Backdrop()
    for index in range(8):
        passing = room()
        passing[:, 40 * index : 40 * index + 30] = (20, 140, 240)
        seen(backdrop, passing, 30 * index, None)
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    sure = told[1] > 0.5
    assert sure[:, :150].mean() > 0.8 and np.abs(told[0] - canvas_of(room()))[sure].max() <= 3


@pytest.mark.parametrize("level", [0.8, 1.15])
def test_the_hidden_room_follows_the_exposure(level: float) -> None:
    backdrop = Backdrop()
    empty(backdrop, room())
    seen(backdrop, room(level), 1, (60, 200))
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    hidden = np.s_[10:-10, 45:110]
    assert np.abs(told[0] - canvas_of(room(level)))[hidden].mean() < 4


def test_a_camera_that_was_moved_sees_another_room() -> None:
    backdrop = Backdrop()
    empty(backdrop, room())
    seen(backdrop, room(seed=1), 1, (60, 200))
    told = backdrop.behind(WHOLE, SIZE)
    assert told is not None
    assert told[1][:, 62:95].max() == 0.0
    assert told[1].shape == (CANVAS_H, CANVAS_W)
