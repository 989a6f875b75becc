"""The outline moved to the edge nearby."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mirror.prepare.judge import polygon
from mirror.prepare.snap import snap, snap_to
from tests.photos import TEE, draw_photo


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """A photo (uint8 HxWx3) and the true mask of its garment."""
    photo, points = draw_photo(TEE)
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon(points)).astype(np.int32)], 1)
    return photo, mask


def differs(a: np.ndarray, b: np.ndarray, where: tuple[slice, slice] = np.s_[:, :]) -> int:
    return int((a[where] != b[where]).sum())


def test_a_true_outline_stays() -> None:
    photo, mask = drawn()
    assert differs(snap(photo, mask), mask) < 0.015 * mask.sum()


@pytest.mark.parametrize("kept", [0, 1])
def test_a_ragged_hem_is_mended(kept: int) -> None:
    photo, mask = drawn()
    hem = np.s_[330:356, 90:210]
    spoiled = mask.copy()
    for left in range(90, 210, 24):
        spoiled[(slice(344, 350) if kept else slice(338, 344)), left : left + 12] = kept
    assert differs(spoiled, mask, hem) >= 300
    assert differs(snap(photo, spoiled), mask, hem) < 0.35 * differs(spoiled, mask, hem)


def test_shade_under_the_hem_is_floor() -> None:
    """GrabCut takes a narrow shadow beside the cloth for cloth: the whole strip was kept."""
    photo, mask = drawn()
    strip = np.s_[344:350, 84:216]
    photo[strip] = (photo[strip] * 0.55).astype(np.uint8)
    photo = cv2.GaussianBlur(photo, (0, 0), 0.7)
    shaded = mask.copy()
    shaded[strip] = 1
    assert differs(snap(photo, shaded), mask, strip) < 0.3 * differs(shaded, mask, strip)


def test_a_narrow_gap_stays_open() -> None:
    photo, mask = drawn()
    gap = np.s_[200:352, 120:124]
    photo[gap], mask[gap] = (190, 200, 205), 0
    assert not snap(photo, mask)[210:330, 121:123].any()


def test_what_reaches_the_edge_of_the_picture_stays_there() -> None:
    photo, mask = drawn()
    photo, mask = photo[:, 60:], mask[:, 60:]
    found = snap(photo, np.ascontiguousarray(mask))
    assert found.shape == mask.shape and differs(found, mask) < 0.02 * mask.sum()


def test_a_rag_of_the_cloth_s_colour_is_no_seam() -> None:
    """A bit of carpet of the cloth's colour beside it has an edge as clear as the cloth's."""
    photo, mask = drawn()
    rag, near = np.s_[220:240, 216:222], np.s_[210:250, 205:235]
    photo[rag] = photo[250, 150]
    spoiled = mask.copy()
    spoiled[rag] = 1
    assert differs(snap(photo, spoiled), mask, near) > 80
    assert differs(snap_to(photo, spoiled, polygon(draw_photo(TEE)[1])), mask, near) < 30


def test_floor_in_a_notch_of_the_side_stays_outside() -> None:
    """Where a hem was folded up a little the smooth line of a seam ran over the floor in it."""
    photo, mask = drawn()
    notch = np.s_[220:240, 210:216]
    photo[notch], mask[notch] = photo[20, 150], 0
    assert snap_to(photo, mask, polygon(draw_photo(TEE)[1]))[223:237, 213:216].mean() < 0.1


def test_a_bend_that_is_no_rag_stays() -> None:
    photo, mask = drawn()
    points = draw_photo(TEE)[1]
    flared = np.array([(84, 300), (216, 300), (240, 344), (60, 344)])
    for picture, value in ((photo, (60, 70, 180)), (mask, 1)):
        cv2.fillPoly(picture, [flared], value)
    corners = polygon(points)
    assert differs(snap_to(photo, mask, corners), mask) < 0.015 * mask.sum()
