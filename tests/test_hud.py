"""What is written on the picture."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mirror.hud import NAME_FADE_IN_S, NAME_FADE_OUT_S, NAME_STAYS_S, Hud, Words, name_opacity

GONE_S = NAME_FADE_IN_S + NAME_STAYS_S + NAME_FADE_OUT_S


def drawn(
    words: Words, size: tuple[int, int] = (640, 480), area: tuple[int, int, int, int] | None = None
) -> np.ndarray:
    """bool HxW: where the words changed a mid-grey picture."""
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    Hud().draw(canvas, words, area)
    return (canvas != 128).any(2)


@pytest.mark.parametrize(
    ("age_s", "opacity"),
    [
        (0.0, 0.0),
        (NAME_FADE_IN_S / 2, 0.5),
        (NAME_FADE_IN_S, 1.0),
        (2.0, 1.0),
        (GONE_S - NAME_FADE_OUT_S / 2, 0.5),
        (GONE_S, 0.0),
        (1e6, 0.0),
    ],
)
def test_a_name_fades_in_stays_and_fades_away(age_s: float, opacity: float) -> None:
    assert name_opacity(age_s) == pytest.approx(opacity, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (Words(name="Café crème – été", place="2 / 14", name_age_s=1.0), slice(320, 480)),
        (Words(message="No picture from camera 0: check its cable."), slice(0, 160)),
        (Words(hint="Stand before the camera."), slice(0, 160)),
        (Words(figures=(("pictures shown", "30 a second"), ("camera to screen", "20 ms"))), slice(0, 160)),
    ],
)
def test_words_stand_in_their_place(words: Words, rows: slice) -> None:
    changed = drawn(words)
    assert changed[rows].sum() > 1000
    changed[rows] = False
    assert not changed.any()


def test_nothing_to_say_changes_nothing() -> None:
    assert not drawn(Words(name="Gone", name_age_s=GONE_S + 1.0)).any()


def test_letters_are_light_on_a_dark_plate() -> None:
    canvas = np.full((480, 640, 3), 128, np.uint8)
    Hud().draw(canvas, Words(message="Legible"))
    assert canvas.max() > 240 and canvas.min() < 80


def test_words_grow_with_the_picture() -> None:
    small, large = (drawn(Words(message="Size"), size).sum() for size in ((640, 480), (1280, 960)))
    assert 3.5 < large / small < 4.5


def test_words_stay_within_their_area() -> None:
    area = (200, 0, 640, 480)
    words = Words(
        name="A name so long that it does not fit into the picture at its size whatever one does about it",
        name_age_s=1.0, message="m " * 200, figures=(("f " * 30, "f " * 30),), help=True,
    )  # fmt: skip
    changed = drawn(words, (1040, 480), area)
    assert changed[:, 200:840].any()
    assert not changed[:, :200].any() and not changed[:, 840:].any()


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (16, 16), (60, 50), (160, 120)])
def test_no_picture_is_too_small(size: tuple[int, int]) -> None:
    drawn(Words(name="Name", place="1 / 2", name_age_s=1.0, message="Message", hint="Hint", help=True), size)


def test_plates_are_drawn_once() -> None:
    """Letters cost 5 ms and more; every picture after the first must only blend."""
    hud, canvas = Hud(), np.zeros((480, 640, 3), np.uint8)
    words = Words(name="Name", place="1 / 2", name_age_s=1.0, hint="Hint")
    hud.draw(canvas, words)
    kept = len(hud._plates)
    begun = time.perf_counter()
    for _ in range(20):
        hud.draw(canvas, words)
    assert len(hud._plates) == kept == 2
    assert time.perf_counter() - begun < 1.0


def test_memory_stays_level_while_figures_change() -> None:
    hud, canvas = Hud(), np.zeros((120, 160, 3), np.uint8)
    for n in range(300):
        hud.draw(canvas, Words(figures=(("pictures shown", f"{n} a second"),)))
    assert len(hud._plates) <= 48


def test_figures_make_room_for_a_message() -> None:
    figures = (("pictures shown", "30 a second"), ("camera to screen", "20 ms"))
    alone, together = drawn(Words(figures=figures)), drawn(Words(figures=figures, message="Snapshots are off."))
    message = drawn(Words(message="Snapshots are off."))
    assert np.flatnonzero(alone.any(1))[0] < np.flatnonzero(message.any(1))[-1], "else nothing is tested"
    below = np.flatnonzero(message.any(1))[-1] + 1
    assert together[below:].sum() == alone.sum() and (together[:below] == message[:below]).all()


def test_the_help_stands_out() -> None:
    canvas = np.full((480, 640, 3), 255, np.uint8)
    Hud().draw(canvas, Words(help=True))
    plate = np.median(canvas[230:250, 250:390])
    assert plate < 70
