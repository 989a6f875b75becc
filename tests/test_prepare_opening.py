"""The front of a neckline: drawn V-necks, scoops and crew necks whose lowest point is known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.neckline_drawn import draw_neck
from bench.neckline_fit import FRONTS, Neck, photo_sample
from bench.wardrobe import LABELS, read_labels
from mirror.prepare import prepare
from mirror.prepare.neckline import find_neckline
from mirror.prepare.opening import MIDDLE_PX, NECK_PX, PATCH_PX, cut_patch, find_front, inputs, to_patch
from mirror.wardrobe import LANDMARKS
from tests.photos import LONG, draw_photo

LEFT, RIGHT, LENGTH = np.array([170.0, 60.0]), np.array([270.0, 60.0]), 330.0
V, CREW, U = 1.05, 2.2, 3.5


def worn_flat(depth: float, form: float, stripes: bool = False, label: bool = True, ribs: bool = False) -> np.ndarray:
    """uint8 420x440x4: cloth below a back collar that hangs 0.06 neck widths down, and the front's edge at `depth`."""
    rows, columns = np.mgrid[:420, :440].astype(np.float64)
    across, down = (columns - 220) / 100, (rows - 60) / 100
    hangs = 1 - np.clip(np.abs(across) * 2, 0, 1) ** form
    inside = (down < depth * hangs) & (np.abs(across) < 0.5)
    picture = np.full((420, 440, 3), (190, 200, 215), np.float64)
    if stripes:
        picture[(down * 8) % 1 < 0.4] = (165, 160, 165)
    if ribs:
        for below in (0.03, 0.09):
            picture[np.abs(down - depth * hangs - below) < 0.015] = (110, 105, 100)
    picture[inside] = (0.4 * picture + 0.6 * np.array([190, 200, 215]))[
        inside
    ] * 0.88  # stripes are fainter on the back
    if label:
        picture[(np.abs(across) < 0.09) & (np.abs(down - 0.17) < 0.04)] = (40, 30, 30)
    picture += np.random.default_rng(3).normal(0, 3, picture.shape)
    picture = cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), 1.0)
    shoulder = 0.35 * np.maximum(np.abs(across) - 0.5, 0.0)
    back = 0.06 * (1 - np.clip(np.abs(across) * 2, 0, 1) ** 2)
    alpha = (down > np.where(np.abs(across) < 0.5, back, shoulder)) * 255.0
    return np.dstack([picture, alpha]).astype(np.uint8)


@pytest.mark.parametrize(
    ("depth", "form", "more"),
    [
        (0.35, CREW, {}),
        (0.35, CREW, {"stripes": True}),
        (0.60, CREW, {}),
        (0.75, U, {}),
        (0.50, V, {}),
        (0.80, V, {}),
        (0.80, V, {"ribs": True}),
        (0.80, V, {"stripes": True}),
    ],
)
def test_the_front_is_found_however_deep_and_not_the_label(depth: float, form: float, more: dict[str, bool]) -> None:
    """V-necks and scoops used to be put at the label or the back's collar: 12 % of the length too high on average."""
    cloth = worn_flat(depth, form, **more)
    front, inner = find_neckline(cloth, LEFT, RIGHT, LENGTH)
    assert abs(front[0] - 220) < 8 and abs(front[1] - 60 - 100 * depth) < 0.04 * LENGTH
    if more.get("stripes") and depth < 0.5:  # a usual depth and no clear edge: perhaps there is nothing to see
        return
    assert inner is not None
    lowest = int(60 + 100 * depth)
    assert inner[lowest - 25, 220] > 127 and inner[lowest + 20 :].max() == 0
    assert inner[lowest + 20 :, 220].max() == 0 and inner[:, :160].max() == 0


def test_a_v_neck_in_a_photo_is_found_at_its_point() -> None:
    shape = LONG | {"neck_front": (0.50, 0.36)}
    photo, truth = draw_photo(shape, cloth=(150, 160, 60))
    at = dict(zip(LANDMARKS, truth, strict=True))
    opening = np.array([at["neck_left"], at["neck_front"], at["neck_right"]]).round().astype(np.int32)
    mask = cv2.fillPoly(np.zeros(photo.shape[:2], np.uint8), [opening], 1) > 0
    photo[mask] = photo[mask] * 0.75
    prepared = prepare(photo, "v", "V")
    found = prepared.points[LANDMARKS.index("neck_front")]
    height = at["hem_left"][1] - at["neck_left"][1]
    assert np.linalg.norm(found - at["neck_front"]) < 0.05 * height
    assert prepared.garment.inner is not None


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_size_of_the_picture_does_not_matter(scale: float) -> None:
    cloth = worn_flat(0.7, V)
    large = cv2.resize(cloth, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    there = [(p + 0.5) * scale - 0.5 for p in (LEFT, RIGHT)]
    assert np.allclose(
        find_front(cloth, LEFT, RIGHT, LENGTH), find_front(large, there[0], there[1], LENGTH * scale), atol=0.04
    )


def test_a_mirrored_picture_gives_the_mirrored_place() -> None:
    cloth = worn_flat(0.6, CREW, stripes=True)
    cloth[150:200, 240:270, :3] = 20  # something on one side
    mirrored = np.ascontiguousarray(cloth[:, ::-1])
    across, depth = find_front(cloth, LEFT, RIGHT, LENGTH)
    there = [np.array([439.0 - x, y]) for x, y in (RIGHT, LEFT)]
    other, same = find_front(mirrored, there[0], there[1], LENGTH)
    assert np.allclose((across, depth), (-other, same), atol=0.01)


@pytest.mark.parametrize("at", [(0.0, 0.0), (-300.0, -300.0), (430.0, 415.0), (5000.0, 5000.0)])
@pytest.mark.parametrize("width", [0.0, 1.0, 100.0])
def test_neck_points_anywhere_give_a_place(at: tuple[float, float], width: float) -> None:
    left = np.array(at)
    right = left + np.array([width, 0.0])
    assert np.isfinite(find_front(worn_flat(0.5, V), left, right, LENGTH)).all()


def test_a_picture_that_is_clear_gives_a_place() -> None:
    assert np.isfinite(find_front(np.zeros((420, 440, 4), np.uint8), LEFT, RIGHT, 0.0)).all()


def test_a_patch_has_the_neck_points_at_their_places() -> None:
    left, right = np.array([100.0, 80.0]), np.array([180.0, 140.0])  # a turned neck, 100 px wide
    matrix = to_patch(left, right)
    ends = [matrix[:, :2] @ p + matrix[:, 2] for p in (left, right)]
    reach = [NECK_PX / 2, 0.0]
    assert np.allclose(ends, [np.subtract(MIDDLE_PX, reach), np.add(MIDDLE_PX, reach)])
    cloth = np.full((300, 300, 4), 255, np.uint8)
    cv2.circle(cloth, (140, 110), 9, (0, 0, 255, 255), -1)  # their middle
    patch = cut_patch(cloth, left, right)
    assert patch.shape == (*PATCH_PX[::-1], 4)
    red = np.argwhere(patch[..., 1] < 128)[:, ::-1].mean(0)
    assert np.allclose(red, MIDDLE_PX, atol=0.5)


def test_brightness_and_contrast_of_the_photo_hardly_matter() -> None:
    patch = cut_patch(worn_flat(0.6, V, stripes=True), LEFT, RIGHT)
    dim = patch * [0.8, 0.8, 0.8, 1.0]
    assert np.abs(inputs(patch, 0.3)[:3] - inputs(dim.astype(np.float32), 0.3)[:3]).mean() < 0.12


def test_drawn_necks_have_cloth_where_their_front_is() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        patch, front, width = draw_neck(rng)
        x, y = front.round().astype(int)
        assert patch.shape == (*PATCH_PX[::-1], 4) and 0.1 < width < 0.61
        assert patch[min(y + 2, patch.shape[0] - 1), x, 3] > 127


def test_what_varies_a_photo_moves_its_label_along() -> None:
    """A red dot at the labelled front is still there, however the neck was moved, stretched or mirrored."""
    cloth = np.full((420, 440, 4), (200, 200, 200, 255), np.uint8)
    cv2.circle(cloth, (225, 110), 7, (20, 20, 20, 255), -1)
    neck = Neck(cloth, LEFT, RIGHT, np.array([225.0, 110.0]), LENGTH, "drawn", "drawn", "labelled")
    rng = np.random.default_rng(0)
    for _ in range(40):
        seen, front = photo_sample(neck, rng)
        away = np.abs(seen[:3] - np.median(seen[:3], axis=(1, 2), keepdims=True)).sum(0)
        rows, columns = np.nonzero(away > 0.6 * away.max())
        assert np.hypot(columns.mean() - front[0], rows.mean() - front[1]) < 2.0


def test_the_network_runs_as_it_was_taught(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from bench.neckline_fit import network, write
    from mirror.prepare import opening

    torch.manual_seed(1)
    net = network()
    net(torch.randn(8, 6, *PATCH_PX[::-1]))  # so that evening out does something
    net.eval()
    write(net, tmp_path / "w.npz")
    seen = np.random.default_rng(0).normal(0, 1, (6, *PATCH_PX[::-1])).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.tensor(seen)[None])[0].numpy()
    assert np.allclose(opening.run(opening.weights(tmp_path / "w.npz"), seen), expected, atol=0.01)


def test_what_further_labels_teach_is_never_measured_on() -> None:
    further = json.loads(FRONTS.read_text(encoding="utf-8"))["neck_front"]
    assert further and not set(further) & {name for part in read_labels(LABELS).values() for name in part}
