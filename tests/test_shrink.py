"""Pictures made smaller."""

import cv2
import numpy as np
import pytest

from mirror.shrink import shrunk
from tests.bodies import textured_frame


@pytest.mark.parametrize(
    ("size", "long_side", "becomes"),
    [
        ((640, 480), 640, (640, 480)),
        ((320, 240), 640, (320, 240)),
        ((1920, 1080), 640, (640, 360)),
        ((1280, 720), 320, (320, 180)),
        ((720, 1280), 640, (360, 640)),
        ((1001, 777), 320, (320, 248)),
    ],
)
def test_it_becomes_as_small_as_asked_and_keeps_its_shape(
    size: tuple[int, int], long_side: int, becomes: tuple[int, int]
) -> None:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    assert shrunk(picture, long_side).shape == (becomes[1], becomes[0], 3)


def test_what_is_small_enough_is_not_copied() -> None:
    picture = textured_frame().image
    assert shrunk(picture, 640) is picture


@pytest.mark.parametrize("size", [(1920, 1080), (1919, 1079), (1000, 562)])
def test_it_shows_the_same_in_the_same_place_as_one_step_by_area(size: tuple[int, int]) -> None:
    picture = cv2.resize(textured_frame().image, size, interpolation=cv2.INTER_CUBIC)
    small = shrunk(picture, 640)
    by_area = cv2.resize(picture, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    (dx, dy), _ = cv2.phaseCorrelate(
        *(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).astype(np.float32) for p in (small, by_area))
    )
    assert max(abs(dx), abs(dy)) < 0.05
    assert cv2.absdiff(small, by_area).mean() < 3.0


def test_stripes_finer_than_its_pixels_become_grey() -> None:
    """Seen at every third pixel, without those between, they would become stripes of another width."""
    stripes = np.zeros((1080, 1920, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.ptp(shrunk(stripes, 640)) <= 2
