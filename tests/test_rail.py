"""Which garment is wanted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mirror.errors import GarmentError
from mirror.rail import Rail
from mirror.wardrobe import Wardrobe
from tests.helpers import make_garment_folder, make_wardrobe


def slug(rail: Rail) -> str | None:
    return rail.wanted.slug if rail.wanted else None


def test_it_begins_with_the_first_or_the_named_one(wardrobe_folder: Path) -> None:
    wardrobe = Wardrobe(wardrobe_folder)
    assert slug(Rail(wardrobe)) == "tee-1"
    assert slug(Rail(wardrobe, "Tee 3")) == "tee-3"
    with pytest.raises(GarmentError, match="tee-2"):
        Rail(wardrobe, "coat")


def test_steps_go_round_and_round(wardrobe_folder: Path) -> None:
    rail = Rail(Wardrobe(wardrobe_folder))
    names = []
    for by in (1, 1, 1, -1, -1):
        rail.step(by)
        names.append((slug(rail), rail.place))
    assert names == [
        ("tee-2", "2 / 3"), ("tee-3", "3 / 3"), ("tee-1", "1 / 3"), ("tee-3", "3 / 3"), ("tee-2", "2 / 3"),
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "there"), [(0, "tee-1"), (2, "tee-3"), (3, None), (8, None), (-1, None)])
def test_a_number_that_is_not_there_changes_nothing(number: int, there: str | None, wardrobe_folder: Path) -> None:
    rail = Rail(Wardrobe(wardrobe_folder), "tee-2")
    picked = rail.pick(number)
    assert (picked.slug if picked else None) == there
    assert slug(rail) == (there or "tee-2")


def test_a_removed_garment_gives_way_and_a_new_one_joins(wardrobe_folder: Path) -> None:
    rail = Rail(Wardrobe(wardrobe_folder), "tee-2")
    shutil.rmtree(wardrobe_folder / "tee-2")
    make_garment_folder(wardrobe_folder / "tee-4")
    assert rail.refresh()
    assert slug(rail) == "tee-3"
    rail.step(1)
    assert slug(rail) == "tee-4"


def test_an_empty_wardrobe_is_no_error_and_may_fill(tmp_path: Path) -> None:
    rail = Rail(Wardrobe(tmp_path))
    assert (rail.wanted, rail.place, rail.step(1), rail.pick(0), rail.outwards()) == (None, "", None, None, [])
    make_garment_folder(tmp_path / "tee")
    assert rail.refresh()
    assert slug(rail) == "tee"


@pytest.mark.parametrize(
    ("worn", "order"),
    [("tee-1", ["tee-2", "tee-5", "tee-3", "tee-4"]), ("tee-4", ["tee-5", "tee-3", "tee-1", "tee-2"])],
)
def test_the_garments_beside_the_one_worn_come_first(worn: str, order: list[str], tmp_path: Path) -> None:
    rail = Rail(Wardrobe(make_wardrobe(tmp_path, 5)), worn)
    assert [garment.slug for garment in rail.outwards()] == order


@pytest.mark.parametrize("count", [1, 2, 4])
def test_outwards_are_all_others_once(count: int, tmp_path: Path) -> None:
    slugs = [garment.slug for garment in Rail(Wardrobe(make_wardrobe(tmp_path, count))).outwards()]
    assert sorted(slugs) == [f"tee-{n + 1}" for n in range(1, count)]
