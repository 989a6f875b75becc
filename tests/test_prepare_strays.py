"""Floor within an outline and cloth outside it, told by all of a photo's colours, and mended."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mirror.prepare.cutout import Cutout, mended
from mirror.prepare.judge import beside_body, polygon
from mirror.prepare.landmarks import from_points
from mirror.prepare.strays import find_holes, find_strays
from tests.photos import LONG, TEE, draw_photo

UNDER_THE_HEM, UNDER_A_SLEEVE, HEM = np.s_[344:374, 120:180], np.s_[150:230, 60:84], np.s_[310:344, 84:130]


def drawn(spoil: tuple[slice, slice] | None, value: int) -> tuple[np.ndarray, np.ndarray, Cutout]:
    """The ring of a T-shirt's landmarks, its true mask, and its cut-out, whose mask is `value` in one place."""
    photo, points = draw_photo(TEE)
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon(points)).astype(np.int32)], 1)
    spoiled = mask.copy()
    if spoil is not None:
        spoiled[spoil] = value
    return polygon(points), mask, Cutout(spoiled, np.zeros_like(mask), photo, "drawn")


@pytest.mark.parametrize("where", [UNDER_THE_HEM, UNDER_A_SLEEVE])
@pytest.mark.parametrize("light", [1.0, 0.75])
def test_floor_in_the_outline_is_found_and_taken_off(where: tuple[slice, slice], light: float) -> None:
    ring, true, cut = drawn(where, 1)
    cut.picture[where] = np.where(true[where][..., None] > 0, cut.picture[where], cut.picture[where] * light)
    strays = find_strays(cut.picture, cut.solid, ring)
    floor = cut.mask & (1 - true)
    assert not strays.cloth.any() and not (strays.floor & true).any()
    assert (strays.floor & floor).sum() > 0.8 * floor.sum()
    assert (mended(cut, strays).mask != true).sum() < 0.015 * true.sum()


def test_cloth_outside_the_outline_is_found_and_taken_in() -> None:
    ring, true, cut = drawn(HEM, 0)
    strays = find_strays(cut.picture, cut.solid, ring)
    lost = true & (1 - cut.mask)
    assert not strays.floor.any() and (strays.cloth & lost).sum() > 0.8 * lost.sum()
    assert (mended(cut, strays).mask != true).sum() < 0.015 * true.sum()


@pytest.mark.parametrize(("where", "beside"), [(np.s_[150:180, 66:72], True), (np.s_[240:260, 140:160], False)])
def test_floor_that_the_garment_encloses_is_a_gap_beside_the_body_only(
    where: tuple[slice, slice], beside: bool
) -> None:
    """Slits of floor between a long sleeve and the body were kept where their colours nearby told nothing."""
    photo, points = draw_photo(LONG)
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon(points)).astype(np.int32)], 1)
    mask[140:200, 50:90] = 1
    photo[140:200, 50:90] = (60, 70, 180)
    photo[where] = (190, 200, 205)
    holes = find_holes(find_strays(photo, mask, polygon(points)), mask)
    assert holes[where].mean() > 0.6 and holes.sum() < 2 * holes[where].size
    assert beside_body(holes, from_points(mask, points)).any() == beside


@pytest.mark.parametrize("stripe", [None, np.s_[300:344, 84:216], np.s_[128:160, 33:60]])
def test_a_true_outline_has_no_strays(stripe: tuple[slice, slice] | None) -> None:
    """Nor has cloth of the floor's colour, at the hem or on both sleeves, where the garment shows more of it."""
    ring, true, cut = drawn(None, 0)
    if stripe is not None:
        for place in (stripe, np.s_[180:240, 100:200]):
            cut.picture[place] = np.where(true[place][..., None] > 0, (205, 200, 190), cut.picture[place])
    strays = find_strays(cut.picture, cut.solid, ring)
    assert not strays.floor.any() and not strays.cloth.any()
