"""Where one part of a garment lies before another."""

import numpy as np
import pytest

from mirror.flat import parts
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.layers import CREASE, SHADOWS, Edges, edges_between
from tests.bodies import flat_garment

ALL = np.full((CANVAS_H, CANVAS_W), 255, np.uint8)
ROWS, COLUMNS = np.mgrid[0:CANVAS_H, 0:CANVAS_W].astype(np.float32)


def chest() -> np.ndarray:
    return np.stack([0.9 * COLUMNS + 0.1 * ROWS, ROWS - 0.2 * COLUMNS], -1)


def forearm() -> np.ndarray:
    return np.stack([20 + 0.3 * ROWS, 240 - 0.5 * COLUMNS], -1)


def half_and_half(apart: bool = True, part: int = 2) -> Edges | None:
    """A forearm, or so called, on the right of column 96, the chest on its left; or both of one flow."""
    right = COLUMNS >= 96
    source = np.where(right[..., None], forearm(), chest()) if apart else chest()
    return edges_between(source, right.astype(np.uint8) * part, ALL, 1.0)


def on_canvas(cut: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    out = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    out[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = cut
    return out


def test_where_parts_grow_together_there_is_no_edge():
    assert half_and_half(apart=False) is None


def test_an_edge_that_is_not_seen_is_none():
    seen = np.zeros_like(ALL)
    seen[:, :60] = 255
    assert edges_between(np.where(COLUMNS[..., None] >= 96, forearm(), chest()), ALL * 0, seen, 1.0) is None


def test_each_part_goes_on_beyond_its_edge_as_it_runs_there():
    edges = half_and_half()
    assert edges is not None and len(edges.layers) == 2
    for layer, whole in zip(edges.layers, (chest(), forearm()), strict=True):
        (x, y, width, height), near = layer.box, edges.near > 0
        x, y = x + edges.box[0], y + edges.box[1]
        here = (slice(y, y + height), slice(x, x + width))
        assert np.abs(layer.maps[..., :2] - whole[here])[near[here]].max() < 0.1
        assert near[here].sum() == near.sum()


def test_the_two_shares_cross_at_the_edge():
    edges = half_and_half()
    assert edges is not None
    (x, y, _, _), row = edges.box, 128
    chest_share, arm_share = (
        on_canvas(layer.maps[..., 2], (layer.box[0] + x, layer.box[1] + y, *layer.box[2:]))[row]
        for layer in edges.layers
    )
    assert (chest_share > arm_share)[93:96].all() and (arm_share > chest_share)[96:99].all()


def test_the_chest_is_shaded_more_than_the_arm_before_it():
    edges = half_and_half()
    assert edges is not None
    assert [layer.shadow for layer in edges.layers] == [SHADOWS[0], SHADOWS[2]]
    assert SHADOWS[0] > SHADOWS[1] > SHADOWS[2] > 0


def test_beside_short_sleeves_the_chest_shows_a_crease_and_no_shadow():
    edges = half_and_half(part=1)
    assert edges is not None
    assert [layer.shadow for layer in edges.layers] == [CREASE, SHADOWS[1]]


@pytest.mark.parametrize(("sleeves", "found"), [("none", {0}), ("short", {0, 1, 3}), ("long", {0, 1, 2, 3, 4})])
def test_a_garments_parts(sleeves, found):
    garment = flat_garment(sleeves)
    part = parts(garment)
    assert set(np.unique(part)) == found
    at = garment.canvas_landmarks.round().astype(int)
    assert part[at[2, 1], at[2, 0]] == 0  # neck_front
    if sleeves == "long":
        assert part[at[5, 1], at[5, 0]] == 2 and part[at[6, 1], at[6, 0]] == 4  # sleeve_outer
