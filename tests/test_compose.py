"""The picture: sharp inside the garment, the camera's own outside."""

from dataclasses import replace

import numpy as np
import pytest

from mirror.compose import Composer
from mirror.frames import CANVAS_H, CANVAS_W, RELIT_ONE, Bare, Crop, Fit, Frame, Relit, flow_from_pixels
from mirror.wardrobe import LANDMARKS
from tests.bodies import flat_garment


def grey_frame(size=(640, 480)) -> Frame:
    rng = np.random.default_rng(3)
    return Frame(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8), 0.0, 0)


def straight_fit(coverage: np.ndarray, repair=None, scale=0.5, shift=(-60.0, 10.0)) -> Fit:
    """The garment canvas lies on the canvas as it is."""
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    flow = flow_from_pixels(np.stack([xs, ys], -1))
    crop = Crop(np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]]))
    return Fit(flow, coverage.astype(np.float32), np.ones((CANVAS_H, CANVAS_W), np.float32), repair, crop, 0.0)


def full() -> np.ndarray:
    return np.ones((CANVAS_H, CANVAS_W), np.float32)


def test_pixels_outside_are_the_cameras_bit_for_bit():
    frame, garment = grey_frame(), flat_garment()
    fit = straight_fit(full())
    picture = Composer().compose(frame, fit, garment)
    ys, xs = np.mgrid[0:480, 0:640]
    canvas = fit.crop.to_canvas(np.stack([xs, ys], -1).astype(float))
    on_picture = canvas @ garment.to_picture[:, :2].T + garment.to_picture[:, 2]
    x, y = np.round(on_picture).astype(int).transpose(2, 0, 1)
    inside = (x >= 3) & (y >= 3) & (x < garment.picture.shape[1] - 3) & (y < garment.picture.shape[0] - 3)
    near = np.zeros_like(inside)
    for dy in (-3, 0, 3):
        for dx in (-3, 0, 3):
            near[inside] |= garment.picture[y[inside] + dy, x[inside] + dx, 3] > 0
    assert np.array_equal(picture[~near], frame.image[~near])
    assert (picture[near] != frame.image[near]).any()
    assert picture is not frame.image


def test_garment_lands_where_the_flow_says_at_camera_resolution():
    """The garment's colours code their place: what a camera pixel shows must be where it came from, to a pixel."""
    frame, garment = grey_frame(), flat_garment()
    fit = straight_fit(full())
    picture = Composer().compose(frame, fit, garment)
    for camera in ((300.0, 200.0), (320.0, 260.0), (290.0, 330.0)):
        canvas = fit.crop.to_canvas(np.array(camera))
        x, y = canvas @ garment.to_picture[:, :2].T + garment.to_picture[:, 2]
        shown = picture[int(camera[1]), int(camera[0])].astype(float)
        height, width = garment.picture.shape[:2]
        assert abs(shown[0] - x * 255 / width) < 2.5 and abs(shown[1] - y * 255 / height) < 2.5


def test_no_coverage_no_change():
    frame = grey_frame()
    picture = Composer().compose(frame, straight_fit(np.zeros((CANVAS_H, CANVAS_W))), flat_garment())
    assert np.array_equal(picture, frame.image)


def test_the_edge_of_a_bared_arm_is_sharp_at_camera_resolution():
    """Between skin and what is behind lies no more than a canvas pixel, which is two of the camera's here."""
    repair = np.full((CANVAS_H, CANVAS_W, 4), (200, 200, 200, 1), np.float32)
    share = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    share[:, 96:] = 1.0
    skin = np.full((64, 48, 3), (40, 80, 120), np.float32)
    fit = replace(straight_fit(np.zeros((CANVAS_H, CANVAS_W)), repair), bare=Bare(skin, share))
    picture = Composer().compose(grey_frame(), fit, flat_garment())
    row = picture[240, 200:430].astype(int)
    edge = round((95.5 + 60.0) / 0.5) - 200
    assert np.abs(row[: edge - 2] - 200).max() <= 1
    assert np.abs(row[edge + 3 :] - (40, 80, 120)).max() <= 1


def test_repair_is_painted_under_the_garment():
    repair = np.zeros((CANVAS_H, CANVAS_W, 4), np.float32)
    repair[40:60, 40:60] = (10, 20, 30, 1)
    frame = grey_frame()
    fit = straight_fit(np.zeros((CANVAS_H, CANVAS_W)), repair)
    picture = Composer().compose(frame, fit, flat_garment())
    x, y = np.round(np.array([50, 50]) @ fit.crop.inverse[:, :2].T + fit.crop.inverse[:, 2]).astype(int)
    assert np.abs(picture[y, x].astype(int) - (10, 20, 30)).max() <= 1
    assert (picture != frame.image).any(2).sum() < 60 * 60


def test_what_is_mixed_at_a_repairs_edge_is_painted_for_the_greater_part():
    """Half skin, half black cloth, it stood between a bared arm and its hand as a thread."""
    image = np.full((480, 640, 3), 150, np.uint8)
    image[:, :320] = 30
    image[:, 320] = 90
    repair = np.full((CANVAS_H, CANVAS_W, 4), (150, 150, 150, 0), np.float32)
    repair[60:180, 60:100, 3] = 1.0
    fit = straight_fit(np.zeros((CANVAS_H, CANVAS_W)), repair)
    row = Composer().compose(Frame(image, 0.0, 0), fit, flat_garment())[240, :, 0]
    assert row[290:].min() > 105


def test_a_repair_keeps_to_the_pictures_edge_at_camera_resolution():
    """A mask cut a canvas pixel too wide stops at the edge between two plain surfaces, within two camera pixels."""
    image = np.full((480, 640, 3), 200, np.uint8)
    image[:, :321] = 40
    fit = straight_fit(np.zeros((CANVAS_H, CANVAS_W)))
    edge = int(fit.crop.to_canvas(np.array([321.0, 0.0]))[0])
    repair = np.zeros((CANVAS_H, CANVAS_W, 4), np.float32)
    repair[60:180, edge - 30 : edge + 2] = (90, 90, 90, 1)
    fit = straight_fit(np.zeros((CANVAS_H, CANVAS_W)), repair)
    row = Composer().compose(Frame(image, 0.0, 0), fit, flat_garment())[240, :, 0].astype(int)
    assert np.abs(row[290:319] - 90).max() < 12
    assert np.abs(row[324:] - 200).max() < 35
    assert np.array_equal(row[345:], image[240, 345:, 0])


def test_crop_half_out_of_the_picture():
    fit = straight_fit(full(), shift=(40.0, -120.0))
    picture = Composer().compose(grey_frame(), fit, flat_garment())
    assert picture.shape == (480, 640, 3)


def test_crop_wholly_out_of_the_picture_changes_nothing():
    frame = grey_frame()
    assert np.array_equal(
        Composer().compose(frame, straight_fit(full(), shift=(900.0, 0.0)), flat_garment()), frame.image
    )


def test_shading_darkens():
    fit = straight_fit(full())
    dark = Fit(fit.flow, fit.coverage, fit.shading * 0.5, None, fit.crop, 0.0)
    composer, frame, garment = Composer(), grey_frame(), flat_garment()
    a, b = (composer.compose(frame, f, garment)[260, 320].astype(float) for f in (fit, dark))
    assert np.allclose(b, a / 2, atol=1.5)


def test_what_reaches_the_sides_of_the_canvas_fades_there():
    """Arms stretched out leave the canvas: their sleeves used to end in a straight cut."""
    frame = Frame(np.full((480, 640, 3), 60, np.uint8), 0.0, 0)
    fit = straight_fit(full(), scale=0.5, shift=(-60.0, 10.0))
    flow = np.broadcast_to(fit.flow[128:129, 96:97], fit.flow.shape)  # one colour of the garment everywhere
    row = Composer().compose(frame, replace(fit, flow=np.ascontiguousarray(flow)), flat_garment())[240]
    left = round((0 - fit.crop.matrix[0, 2]) / 0.5)
    strength = np.abs(row[left : left + 60].astype(int) - 60).max(1)
    assert strength[0] < 5 and strength[-1] > 60
    assert np.abs(np.diff(strength)).max() < 40


CUFF = flat_garment("long").canvas_landmarks[[LANDMARKS.index("sleeve_outer_left"), LANDMARKS.index("armpit_left")]]
SLEEVE_AT = CUFF[0] + 0.3 * (CUFF[1] - CUFF[0])
"""Garment-canvas pixels: on the left sleeve of `flat_garment("long")`, below its elbow."""


def crossed(before: np.ndarray) -> Fit:
    """The garment as it lies, and where `before` (bool 256x192) says so, a forearm of it: its place changes slowly."""
    fit = straight_fit(full())
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    sleeve = flow_from_pixels(np.stack([SLEEVE_AT[0] + 0.05 * (xs - 96), SLEEVE_AT[1] + 0.05 * (ys - 128)], -1))
    return replace(fit, flow=np.where(before[..., None], sleeve, fit.flow).astype(np.float32))


def on_camera(fit: Fit, canvas: tuple[float, float]) -> tuple[int, int]:
    x, y = np.round(fit.crop.inverse[:, :2] @ canvas + fit.crop.inverse[:, 2]).astype(int)
    return int(x), int(y)


def test_an_arm_before_the_chest_casts_a_shadow_on_the_chest_along_its_edge_alone():
    frame, garment = grey_frame(), flat_garment("long")
    below = np.zeros((CANVAS_H, CANVAS_W), bool)
    below[128:] = True
    fit = crossed(below)
    torn, plain = (Composer().compose(frame, f, garment) for f in (fit, straight_fit(full())))
    x, y = on_camera(fit, (96, 126))
    assert torn[y, x].mean() < 0.9 * plain[y, x].mean()
    assert np.array_equal(torn[y - 20, x - 20 : x + 20], plain[y - 20, x - 20 : x + 20])
    light = torn[y + 3 : y + 40, x].astype(int).mean(1)
    assert light[2] > 0.85 * light[-1]  # the arm itself only turns away a little


def test_the_edge_of_an_arm_before_the_chest_is_no_staircase():
    """A fit tells parts apart in squares of two canvas pixels, four of the camera's here: they were drawn as such."""
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W] // 2 * 2
    fit = crossed(xs + 0.4 * ys > 96 + 0.4 * 128)
    picture = Composer().compose(grey_frame(), fit, flat_garment("long"))
    x, y = on_camera(fit, (96, 128))
    part = picture[y - 40 : y + 40, x - 60 : x + 60, 0]  # blue tells the place across
    first = (part < 60).argmax(1)
    line = np.polyval(np.polyfit(np.arange(80), first, 1), np.arange(80))
    assert np.abs(first - line).max() < 1.5
    assert np.polyfit(np.arange(80), first, 1)[0] == pytest.approx(-0.4, abs=0.03)


def test_at_the_edge_every_camera_pixel_is_of_one_part_alone():
    """Between arm and chest lies a line of one or two pixels at most, and no part of the garment in between."""
    right = np.zeros((CANVAS_H, CANVAS_W), bool)
    right[:, 96:] = True
    fit = crossed(right)
    picture = Composer().compose(grey_frame(), fit, flat_garment("long"))
    x, y = on_camera(fit, (95.5, 128))
    blue, green = picture[y, x - 12 : x + 12, :2].astype(float).T
    ratio = blue / green  # whatever the light
    chest, arm = ratio[0], ratio[-1]
    assert chest > 3 * arm
    assert (np.abs(ratio / chest - 1) < 0.2)[:11].all() and (np.abs(ratio / arm - 1) < 0.2)[-11:].all()


def test_leaps_beside_what_is_drawn_do_not_matter():
    """A layer may end far from the garment's patch of the picture."""
    frame, garment = grey_frame(), flat_garment()
    coverage = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    coverage[60:90, 60:120] = 1.0
    fit = straight_fit(coverage)
    flow = fit.flow.copy()
    flow[200:, :, 1] -= 0.7
    torn, plain = (Composer().compose(frame, f, garment) for f in (replace(fit, flow=flow), fit))
    assert np.array_equal(torn, plain)


def test_only_where_the_light_changes_does_the_picture():
    gain = np.full((20, 30, 3), RELIT_ONE, np.uint8)
    gain[5:15, 5:25] = 160
    frame = Frame(np.random.default_rng(0).integers(0, 200, (480, 640, 3)).astype(np.uint8), 0.0, 0)
    fit = straight_fit(np.zeros((CANVAS_H, CANVAS_W), np.float32), scale=0.5, shift=(-20.0, 0.0))
    shown = Composer().compose(frame, replace(fit, relit=Relit(gain, 60, 90)), flat_garment())
    inside, middle = (slice(186, 224), slice(166, 224)), (slice(194, 206), slice(176, 204))
    assert np.abs(shown[middle] - frame.image[middle] * (160 / RELIT_ONE)).max() <= 1.0
    changed = shown != frame.image
    changed[inside] = False
    assert not changed.any()


@pytest.mark.parametrize("what", ["crop", "repair", "bare", "size", "flow"])
def test_what_is_kept_of_a_fit_is_drawn_only_for_the_same(what):
    rng = np.random.default_rng(1)
    repair = rng.uniform(0, 255, (CANVAS_H, CANVAS_W, 4)).astype(np.float32)
    repair[..., 3] = 1.0
    bare = Bare(np.full((64, 48, 3), 90.0, np.float32), full() * 0.5)
    first = replace(straight_fit(full() * 0.4, repair, scale=0.4, shift=(-20.0, 10.0)), bare=bare)
    frame, then = grey_frame(), first
    if what == "crop":
        then = replace(first, crop=Crop(np.array([[0.4, 0.0, -30.0], [0.0, 0.4, 10.0]])))
    elif what == "repair":
        then = replace(first, repair=np.dstack([255.0 - repair[..., :3], repair[..., 3]]))
    elif what == "bare":
        then = replace(first, bare=Bare(np.full((64, 48, 3), 200.0, np.float32), full()))
    elif what == "flow":
        then = replace(first, flow=first.flow * 0.8)
    composer, garment, other = Composer(), flat_garment(), grey_frame((320, 240)) if what == "size" else frame
    before = composer.compose(frame, first, garment)
    after = composer.compose(other, then, garment)
    assert np.array_equal(after, Composer().compose(other, then, garment))
    assert what == "size" or (after != before).any()
