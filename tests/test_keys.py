"""Key codes of three systems, the kiosk's few keys, and a held arrow key."""

import pytest

from mirror.keys import TYPED_WITHIN_S, Action, Do, KeyReader, action_of


@pytest.mark.parametrize(
    ("code", "do"),
    [
        (65363, Do.NEXT),  # Linux, Right
        (0x270000, Do.NEXT),  # Windows
        (63235, Do.NEXT),  # macOS
        (65361, Do.PREVIOUS),
        (0x250000, Do.PREVIOUS),
        (63234, Do.PREVIOUS),
        (65363 | 0x100000, Do.NEXT),  # Linux with Num Lock, GTK
        (65361 | 0x10000, Do.PREVIOUS),  # Linux with Shift, GTK
        (65432, Do.NEXT),  # key pad without Num Lock
        (65480, Do.FULLSCREEN),  # F11
        (0x7A0000, Do.FULLSCREEN),
        (63246, Do.FULLSCREEN),
        (27, Do.QUIT),
        (32, Do.BEFORE_AFTER),
        *((ord(c), Do.NEXT) for c in "dDnN"),
        *((ord(c), Do.PREVIOUS) for c in "aApP"),
        *((ord(c), Do.FULLSCREEN) for c in "fF"),
        *((ord(c), Do.MIRROR) for c in "mM"),
        *((ord(c), Do.SNAPSHOT) for c in "sS"),
        *((ord(c), Do.FIGURES) for c in "iI"),
        *((ord(c), Do.HELP) for c in "hH"),
        *((ord(c), Do.QUIT) for c in "qQ"),
        (ord("q") | 0x100000, Do.QUIT),
    ],
)
def test_each_key_does_what_the_readme_says(code: int, do: Do) -> None:
    assert action_of(code) == Action(do)


@pytest.mark.parametrize(("code", "number"), [(ord("1"), 0), (ord("9"), 8), (65457, 0), (65465, 8)])
def test_digits_go_straight_to_a_garment(code: int, number: int) -> None:
    assert action_of(code) == Action(Do.PICK, number)


@pytest.mark.parametrize("code", [0, 9, 13, ord("0"), ord("x"), 65362, 65364, 0x260000, 65505, 65456, 63232])
def test_other_keys_do_nothing(code: int) -> None:
    """Left must not be taken for Q, nor Right for S, as `waitKey() & 255` would."""
    assert action_of(code) is None


def test_of_a_held_arrow_only_the_last_step_counts() -> None:
    codes = [65363] * 20 + [ord("m")] + [65361]
    assert KeyReader().actions(codes, 0.0) == [Action(Do.MIRROR), Action(Do.PREVIOUS)]


@pytest.mark.parametrize("key", [27, ord("q"), ord("f"), ord("m"), ord("s"), ord("i"), ord("h"), 65480])
def test_a_kiosk_ignores_all_other_keys(key: int) -> None:
    assert KeyReader(kiosk=True).actions([key], 0.0) == []


@pytest.mark.parametrize(("key", "do"), [(65363, Do.NEXT), (ord("a"), Do.PREVIOUS), (32, Do.BEFORE_AFTER)])
def test_a_kiosk_obeys_the_garment_keys_and_space(key: int, do: Do) -> None:
    assert KeyReader(kiosk=True).actions([key], 0.0) == [Action(do)]


@pytest.mark.parametrize(
    ("typed", "ends"),
    [("quit", True), ("QUIT", True), ("qquit", True), ("xxquit", True), ("qut", False), ("quxit", False), ("q", False)],
)
def test_a_kiosk_ends_when_quit_is_typed(typed: str, ends: bool) -> None:
    reader = KeyReader(kiosk=True)
    actions = [a for t, letter in enumerate(typed) for a in reader.actions([ord(letter)], 0.2 * t)]
    assert (Action(Do.QUIT) in actions) is ends


def test_letters_far_apart_are_no_word() -> None:
    reader = KeyReader(kiosk=True)
    assert not reader.actions([ord(c) for c in "qui"], 0.0)
    assert not reader.actions([ord("t")], TYPED_WITHIN_S + 1.0)
