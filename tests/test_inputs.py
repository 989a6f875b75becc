"""What the networks are fed: colour order and range, the garment's mask and colours, maps by name."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W, flow_from_pixels
from mirror.garment import colours_bled
from mirror.inputs import GarmentInputs, PersonInputs, picture_of, planes
from mirror.maps import GARMENT_CHANNELS, LAYOUT_SIZE, PERSON_CHANNELS
from mirror.wardrobe import Garment
from tests.helpers import make_garment


def test_networks_see_rgb_from_minus_one_to_one():
    bgr = np.array([[[255, 0, 128]]], np.uint8)
    assert planes(bgr)[0, :, 0, 0] == pytest.approx([1 / 255, -1.0, 1.0], abs=1e-6)


def test_pictures_come_back_as_they_went():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(np.round(picture_of(planes(picture))).astype(np.uint8), picture)


def test_pictures_out_of_range_are_clipped():
    assert picture_of(np.full((1, 3, 1, 1), 3.0, np.float32)).max() == 255.0


def test_colours_are_carried_outwards():
    colour = np.full((CANVAS_H, CANVAS_W, 3), 255, np.uint8)
    mask = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    colour[100:150, 50:100], mask[100:150, 50:100] = (10, 20, 30), 255
    colour[100, 50:100] = 200  # a ring mixed with the background
    bled = colours_bled(colour, mask)
    assert (bled == (10, 20, 30)).all()


@pytest.mark.parametrize("size", [0, 1, 3])
def test_colours_of_hardly_any_mask(size):
    colour = np.full((CANVAS_H, CANVAS_W, 3), 255, np.uint8)
    mask = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    colour[:size, :size], mask[:size, :size] = 7, 255
    assert (colours_bled(colour, mask) == (7 if size else 255)).all()


def with_inner(garment: Garment) -> Garment:
    inner = np.zeros(garment.picture.shape[:2], np.uint8)
    inner[: inner.shape[0] // 2] = 255
    return Garment("inner", "Inner", "tshirt", "short", garment.picture, inner, garment.landmarks)


def test_the_inside_of_the_back_collar_is_no_part_of_it():
    plain = make_garment()
    whole, front = GarmentInputs(plain), GarmentInputs(with_inner(plain))
    assert front.mask[: CANVAS_H // 3].max() == 0.0
    assert np.array_equal(front.mask[-CANVAS_H // 3 :], whole.mask[-CANVAS_H // 3 :])
    assert (front.colour[: CANVAS_H // 3] == 255).all()


def test_a_garment_warped_by_nothing_stays():
    inputs = GarmentInputs(make_garment())
    y, x = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    warped = inputs.warped(flow_from_pixels(np.stack([x, y], -1)))
    assert np.abs(warped[..., :3].astype(int) - inputs.bled).max() <= 1


def person() -> PersonInputs:
    landmarks = np.random.default_rng(1).uniform(40, 150, (33, 3))
    canvas = np.full((CANVAS_H, CANVAS_W, 3), 90, np.uint8)
    return PersonInputs(canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), landmarks)


SHAPES = [
    ("garment_maps", (1, len(GARMENT_CHANNELS), 128, 96)),
    ("garment_layout", (1, LAYOUT_SIZE)),
    ("garment", (1, 3, 256, 192)),
    ("garment_mask", (1, 1, 256, 192)),
    ("person_maps", (1, len(PERSON_CHANNELS), 128, 96)),
    ("person_layout", (1, 24)),
    ("person_frames", (1, 30)),
    ("person", (1, 3, 256, 192)),
    ("skin", (1, 6)),
    ("skin_likeness", (1, 1, 128, 96)),
    ("warped", (1, 3, 256, 192)),
    ("coverage", (1, 1, 256, 192)),
]


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_every_input_has_its_name_shape_and_type(name, shape):
    if name.startswith("garment"):
        found = GarmentInputs(make_garment()).named(name)
    else:
        found = person().named(name, np.zeros((256, 192, 3), np.uint8), np.zeros((256, 192), np.float32))
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_a_name_nobody_knows_is_an_error():
    with pytest.raises(KeyError):
        person().named("depth")
    with pytest.raises(KeyError):
        person().named("warped")  # not before the garment was warped
