"""The folds of a photo's sleeves are lessened; patterns, prints and all else stay."""

from __future__ import annotations

import dataclasses

import numpy as np

from mirror.flat import part_distances, sleeves_of
from mirror.folds import without_folds
from mirror.garment import Garment
from mirror.levels import Levels
from tests.bodies import flat_garment

CLOTH = 150.0


def with_sleeves(kind: str, brightness: np.ndarray | float) -> tuple[Garment, np.ndarray]:
    """A grey garment whose sleeves are so much brighter, by place (HxW) or all over; and where they are, bool HxW."""
    garment = flat_garment(kind)
    nearest = part_distances(garment).argmin(0)
    at = np.stack(np.meshgrid(*(np.arange(s) for s in garment.picture.shape[1::-1])), -1)
    on_canvas = (at - garment.to_picture[:, 2]) @ np.linalg.inv(garment.to_picture[:, :2]).T
    columns, rows = on_canvas.round().astype(int).transpose(2, 0, 1)
    inside = (columns >= 0) & (rows >= 0) & (columns < nearest.shape[1]) & (rows < nearest.shape[0])
    sleeve = (nearest[rows * inside, columns * inside] > 0) & inside & (garment.picture[..., 3] > 0)
    picture = garment.picture.copy()
    picture[..., :3] = (CLOTH * np.where(sleeve, brightness, 1.0)).clip(0, 255)[..., None]
    return dataclasses.replace(garment, picture=picture), sleeve


def waves(along: bool, period: float = 24.0) -> np.ndarray:
    """HxW: light and dark of `flat_garment("long")`, in bands along the left sleeve, or across it."""
    garment = flat_garment("long")
    left = sleeves_of(garment, part_distances(garment).argmin(0))[0]
    direction = (-left.outwards if along else left.along / np.linalg.norm(left.along)) * 2.0 * np.pi / period
    ys, xs = np.mgrid[0 : garment.picture.shape[0], 0 : garment.picture.shape[1]]
    return np.sin(xs * direction[0] + ys * direction[1])


def spread(picture: np.ndarray, where: np.ndarray) -> float:
    return float(picture[..., 0][where].astype(float).std())


def left_of(sleeve: np.ndarray) -> np.ndarray:
    return sleeve & (np.arange(sleeve.shape[1]) < sleeve.shape[1] / 2)


def test_folds_along_a_sleeve_are_lessened_and_the_body_stays() -> None:
    """They were bands from shoulder to wrist on whoever wore it."""
    garment, sleeve = with_sleeves("long", 1.0 + 0.3 * waves(along=True))
    calm, left = without_folds(garment, garment.picture), left_of(sleeve)
    assert spread(calm, left) < 0.5 * spread(garment.picture, left)
    body = (garment.picture[..., 3] > 0) & ~sleeve
    assert abs(calm[..., 0][body].astype(int) - int(CLOTH)).mean() < 1.0


def test_stripes_stay() -> None:
    garment, sleeve = with_sleeves("long", np.where(waves(along=False, period=40.0) > 0.0, 1.5, 0.3))
    np.testing.assert_array_equal(without_folds(garment, garment.picture)[sleeve], garment.picture[sleeve])


def test_a_print_on_a_plain_sleeve_stays() -> None:
    brightness = np.ones(flat_garment().picture.shape[:2])
    brightness[300:308, 60:68] = 0.1
    garment, _ = with_sleeves("long", brightness)
    assert without_folds(garment, garment.picture)[304, 64, 0] < 30


def test_knitting_stays() -> None:
    garment, sleeve = with_sleeves("long", 1.0 + 0.04 * waves(along=True))
    calm, left = without_folds(garment, garment.picture), left_of(sleeve)
    assert spread(calm, left) > 0.9 * spread(garment.picture, left)


def test_a_cuff_that_is_darker_stays() -> None:
    garment, sleeve = with_sleeves("long", 1.0)
    rows = np.flatnonzero(sleeve.any(1))
    garment.picture[rows[-8] :][sleeve[rows[-8] :], :3] = 100
    calm = without_folds(garment, garment.picture)
    assert abs(calm[rows[-3]][sleeve[rows[-3]], 0].mean() - 100) < 12


def test_without_sleeves_nothing_changes() -> None:
    garment = flat_garment("none")
    assert without_folds(garment, garment.picture) is garment.picture


def test_what_is_drawn_has_them_lessened() -> None:
    garment, sleeve = with_sleeves("long", 1.0 + 0.3 * waves(along=True))
    left = left_of(sleeve)
    assert spread(Levels().all_of(garment)[0].picture, left) < 0.5 * spread(garment.picture, left)
