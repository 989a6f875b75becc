"""Landmarks -> channels: the same numbers for numpy and torch, coordinates that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W, Landmark
from mirror.maps import (
    FOREARM,
    GARMENT_CHANNELS,
    LAYOUT_SIZE,
    MAP_H,
    MAP_W,
    PERSON_CHANNELS,
    PERSON_LAYOUT_POINTS,
    PERSON_LAYOUT_SIZE,
    PERSON_PARTS,
    UPPER_ARM,
    garment_layout,
    garment_maps,
    person_frames,
    person_layout,
    person_maps,
)
from mirror.wardrobe import LANDMARKS
from tests.fake_samples import fake_landmarks, fake_sample

WHITE = np.ones((1, 3, MAP_H, MAP_W), np.float32)
FULL = np.ones((1, MAP_H, MAP_W), np.float32)


def person(seed: int = 0) -> np.ndarray:
    return np.nan_to_num(fake_landmarks(np.random.default_rng(seed)))[None]


def at(maps: np.ndarray, channel: str, point: np.ndarray) -> float:
    """The channel's value at a canvas point, by the area-aligned convention."""
    names = PERSON_CHANNELS if maps.shape[1] == len(PERSON_CHANNELS) else GARMENT_CHANNELS
    j, i = np.round((np.asarray(point) - 0.5) / 2.0).astype(int)
    return float(maps[0, names.index(channel), i, j])


@pytest.mark.parametrize(
    ("row", "channel", "wanted"),
    [
        (Landmark.RIGHT_SHOULDER, "u", -0.5),
        (Landmark.LEFT_SHOULDER, "u", 0.5),
        (Landmark.RIGHT_SHOULDER, "v", 0.0),
        (Landmark.LEFT_HIP, "v_torso", 1.0),
        (Landmark.RIGHT_ELBOW, "arm_left_along", UPPER_ARM),
        (Landmark.LEFT_ELBOW, "arm_right_along", UPPER_ARM),
        (Landmark.RIGHT_WRIST, "arm_left_along", UPPER_ARM + FOREARM),
        (Landmark.RIGHT_ELBOW, "arm_left", 1.0),
        (Landmark.LEFT_ELBOW, "arm_left", 0.0),
        (Landmark.LEFT_HIP, "hip_right", 1.0),
    ],
)
def test_a_landmark_lies_where_its_coordinates_say(row: Landmark, channel: str, wanted: float) -> None:
    points = person()
    assert at(person_maps(points, FULL), channel, points[0, row, :2]) == pytest.approx(wanted, abs=0.06)


def test_across_an_arm_counts_outwards_on_both_sides() -> None:
    points = person()
    maps = person_maps(points, FULL)
    for row, side, outwards in ((Landmark.RIGHT_ELBOW, "left", -6.0), (Landmark.LEFT_ELBOW, "right", 6.0)):
        middle = (points[0, row, :2] + points[0, row - 2, :2]) / 2
        assert at(maps, f"arm_{side}_across", middle + np.array([outwards, 0])) > 0.04
        assert at(maps, f"arm_{side}_across", middle - np.array([outwards, 0])) < -0.04


def test_garment_coordinates_count_in_its_own_shoulder_widths() -> None:
    marks = fake_sample(3)["garment_landmarks"][None]
    maps = garment_maps(WHITE, FULL, marks)
    by = {name: marks[0, k] for k, name in enumerate(LANDMARKS)}
    assert at(maps, "u", by["shoulder_left"] + [1, 1]) == pytest.approx(-0.5, abs=0.03)
    assert at(maps, "u", by["shoulder_right"] + [-1, 1]) == pytest.approx(0.5, abs=0.03)
    width = np.linalg.norm(by["shoulder_right"] - by["shoulder_left"])
    assert at(maps, "shoulder_width", np.array([96, 128])) == pytest.approx(width / CANVAS_W, abs=1e-4)
    assert at(maps, "sleeve_left", (by["sleeve_outer_left"] + by["sleeve_inner_left"]) / 2) > 0.8
    assert at(maps, "sleeve_left", (by["sleeve_outer_right"] + by["sleeve_inner_right"]) / 2) < 1e-3


def test_layout_frames_lead_to_the_garments_landmarks() -> None:
    """(u, v) of the shoulders through the torso's frame gives the shoulders, in area coordinates."""
    marks = fake_sample(4)["garment_landmarks"][None]
    layout = garment_layout(marks)
    assert layout.shape == (1, LAYOUT_SIZE)
    frame = layout[0, :6].reshape(2, 3)
    for u, name in ((-0.5, "shoulder_left"), (0.5, "shoulder_right")):
        area = frame @ [u, 0.0, 1.0]
        pixel = ((area + 1.0) * [CANVAS_W, CANVAS_H] - 1.0) / 2.0
        assert pixel == pytest.approx(marks[0, LANDMARKS.index(name)], abs=1e-3)


def test_mirrored_landmarks_give_mirrored_maps() -> None:
    points = person()
    flipped = points.copy()
    for k in range(11, 33):
        flipped[0, k] = points[0, k + 1 if k % 2 else k - 1]
    flipped[0, [Landmark.LEFT_EYE, Landmark.RIGHT_EYE]] = points[0, [Landmark.RIGHT_EYE, Landmark.LEFT_EYE]]
    flipped[..., 0] = CANVAS_W - 1 - flipped[..., 0]
    here, there = person_maps(points, FULL), person_maps(flipped, FULL)[..., ::-1]
    for k, name in enumerate(PERSON_CHANNELS):
        other = name.replace("left", "?").replace("right", "left").replace("?", "right")
        sign = -1.0 if name == "u" else 1.0
        assert np.abs(here[0, k] - sign * there[0, PERSON_CHANNELS.index(other)]).max() < 2e-3, name


def test_a_layout_counts_in_shoulder_widths_wherever_the_person_stands() -> None:
    points = person()
    here = person_layout(points)[0]
    row = 2 * PERSON_LAYOUT_POINTS.index("shoulder_right")
    assert here.shape == (PERSON_LAYOUT_SIZE,)
    assert here[row : row + 2] == pytest.approx([0.5, 0.0], abs=0.05)
    nearer = points * np.float32(1.2)
    nearer[..., :2] += np.float32(5.0) - nearer[:, [Landmark.NOSE], :2]
    assert person_layout(nearer)[0, :-4] == pytest.approx(here[:-4], abs=1e-4)
    assert person_layout(nearer)[0, -4] == pytest.approx(1.2 * here[-4], rel=1e-4)


@pytest.mark.parametrize(
    ("part", "channels", "weight"),
    [("torso", ("u", "v"), None)]
    + [
        (f"{half}_{side}", (f"arm_{side}_along", f"arm_{side}_across"), f"{half}_{side}")
        for half in ("upper", "lower")
        for side in ("left", "right")
    ],
)
def test_frames_are_the_coordinates_of_the_maps_without_their_bounds(
    part: str, channels: tuple[str, str], weight: str | None
) -> None:
    points = person()
    maps = dict(zip(PERSON_CHANNELS, person_maps(points, FULL)[0], strict=True))
    frame = person_frames(points)[0].reshape(len(PERSON_PARTS), 2, 3)[PERSON_PARTS.index(part)]
    y, x = np.mgrid[0:MAP_H, 0:MAP_W].astype(np.float32)
    area = np.stack([(2 * x + 1) / MAP_W - 1, (2 * y + 1) / MAP_H - 1, np.ones_like(x)])
    found = np.tensordot(frame, area, 1)
    if weight is None:
        inside, share = (np.abs(found[0]) < 1) & (np.abs(found[1] - 0.5) < 1), np.ones_like(x)
    else:
        other = weight.replace("upper", "?").replace("lower", "upper").replace("?", "lower")
        share = maps[f"arm_{weight[6:]}"]
        inside = (maps[weight] > maps[other]) & (maps[weight] > 0.3) & (found[0] > 0) & (found[0] < 1.4)
    assert inside.sum() > 40
    for row, name in enumerate(channels):
        assert (found[row] * share)[inside] == pytest.approx(maps[name][inside], abs=2e-3)


def test_numpy_and_torch_agree() -> None:
    torch = pytest.importorskip("torch")
    points, marks = person(), fake_sample(1)["garment_landmarks"][None]
    colour = np.random.default_rng(0).uniform(-1, 1, (1, 3, MAP_H, MAP_W)).astype(np.float32)
    for function, given in (
        (person_maps, (points, FULL)),
        (garment_maps, (colour, FULL, marks)),
        (person_layout, (points,)),
        (garment_layout, (marks,)),
        (person_frames, (points,)),
    ):
        expected = function(*given)  # type: ignore[operator]
        found = function(*(torch.from_numpy(x) for x in given))  # type: ignore[operator]
        assert expected.dtype == np.float32
        assert np.abs(found.numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("collapse", [0.0, 1e-3])
def test_degenerate_bodies_and_garments_stay_finite(collapse: float) -> None:
    points = person() * np.float32(collapse) + np.float32(90.0)
    marks = fake_sample(1)["garment_landmarks"][None] * np.float32(collapse) + np.float32(90.0)
    for maps in (
        person_maps(points, FULL),
        person_layout(points),
        person_frames(points),
        garment_maps(WHITE, FULL, marks),
        garment_layout(marks),
    ):
        assert np.isfinite(maps).all()
