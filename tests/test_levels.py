"""A garment's picture in several sizes."""

from __future__ import annotations

import numpy as np
import pytest

from mirror import levels
from mirror.levels import Levels, colours_carried_on
from tests.helpers import make_garment


@pytest.mark.parametrize(("wanted", "scale"), [(0.3, 1.0), (1.0, 1.0), (1.7, 1.0), (2.0, 2.0), (3.5, 2.0), (4.2, 4.0)])
def test_the_smallest_size_as_fine_as_wanted_is_taken(wanted: float, scale: float) -> None:
    garment = make_garment(size=(768, 1024))
    level = Levels().fitting(garment, wanted)
    assert level.scale == scale
    assert level.picture.shape == (1024 / scale, 768 / scale, 4)


def test_colours_go_on_outside_and_inside_nothing_changes() -> None:
    """A bright background behind a dark garment must not shine through its edge."""
    garment = make_garment(bgr=(40, 60, 200), size=(400, 500))
    picture = garment.picture.copy()
    outside = picture[..., 3] == 0
    picture[outside, :3] = 255
    carried = colours_carried_on(picture)
    assert np.array_equal(carried[~outside], picture[~outside])
    assert (np.abs(carried[outside][:, :3].astype(int) - (40, 60, 200)).max()) <= 3


def test_a_picture_that_shows_nothing_stays_as_it_is() -> None:
    nothing = np.zeros((20, 30, 4), np.uint8)
    assert np.array_equal(colours_carried_on(nothing), nothing)


def test_sizes_are_made_once_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "MAX_GARMENTS", 2)
    kept, garments = Levels(), [make_garment(f"tee-{n}") for n in range(3)]
    first = kept.all_of(garments[0])
    assert kept.all_of(garments[0]) is first
    for garment in garments[1:]:
        kept.all_of(garment)
    assert kept.all_of(garments[0]) is not first


def test_the_inside_of_the_back_collar_is_not_drawn() -> None:
    plain = make_garment(size=(192, 256))
    inner = np.zeros(plain.picture.shape[:2], np.uint8)
    inner[40:60, 80:110] = 255
    garment = type(plain)(plain.slug, plain.name, plain.kind, plain.sleeves, plain.picture, inner, plain.landmarks)
    assert not Levels().all_of(garment)[0].picture[40:60, 80:110, 3].any()
