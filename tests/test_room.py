"""Room: how many try-ons are under way."""

from __future__ import annotations

from mirror.room import CROWDED_S, ROOMY_S, UNDER_WAY, Room


def left(room: Room) -> int:
    """How many more may begin."""
    taken = 0
    while room.take(0.0):
        taken += 1
    for _ in range(taken):
        room.give_back()
    return taken


def test_where_fits_are_late_there_is_one_at_a_time_until_they_are_soon_there() -> None:
    room = Room()
    seen = []
    for takes_s in (0.05, 1.3 * CROWDED_S, (CROWDED_S + ROOMY_S) / 2, 0.8 * ROOMY_S):
        for _ in range(100):
            assert room.take(0.0)
            room.give_back()
            room.took(takes_s)
        assert room.take(0.0)
        room.give_back()
        seen.append(left(room))
    assert seen == [UNDER_WAY, UNDER_WAY - 1, UNDER_WAY - 1, UNDER_WAY]


def test_one_late_fit_changes_nothing() -> None:
    room = Room()
    room.took(0.07)
    room.took(0.2)
    assert left(room) == UNDER_WAY


def test_who_waits_for_room_does_not_get_what_is_kept() -> None:
    room = Room()
    for _ in range(UNDER_WAY):
        assert room.take(0.0)
    for _ in range(100):
        room.took(2.0 * CROWDED_S)
    assert room.crowded
    room.give_back()
    assert not room.take(0.0)
    room.give_back()
    assert left(room) == UNDER_WAY - 1
