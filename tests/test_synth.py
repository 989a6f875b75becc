"""The training-data generator: exact flow, same seed same bytes, and what a sample promises."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

import cv2

from ir_models.synth import cuts, sample, shards
from ir_models.synth.bodies import load_bodies
from ir_models.synth.layouts import Layout
from ir_models.synth.light import Light
from ir_models.synth.pieces import drawn_piece
from ir_models.synth.textures import SIZE
from mirror.frames import CANVAS_H, CANVAS_W, flow_to_pixels
from mirror.wardrobe import KINDS, LANDMARKS, SLEEVES

EXACT = 0.002


@pytest.fixture(scope="module")
def pools():
    with pytest.MonkeyPatch.context() as few:
        for name, count in (("TEXTURE_POOL", 4), ("BUMP_POOL", 3), ("ROOM_POOL", 3)):
            few.setattr(sample, name, count)
        return sample.make_pools(3, held_out=False)


def smooth_cloth() -> np.ndarray:
    """A texture without edges, so that only wrong places, not resampling, can make a difference."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    waves = [0.5 + 0.3 * np.sin(a * x + b * y + c) for a, b, c in ((5, 3, 0), (2, 6, 1), (6, 1, 2))]
    return np.dstack([*(np.sqrt(w) * 255 for w in waves), np.full((SIZE, SIZE), 255)]).astype(np.uint8)


@pytest.mark.parametrize("kind", ["tshirt", "longsleeve", "tank"])
def test_warping_the_flat_by_the_flow_gives_the_unlit_render(pools, kind):
    rng = np.random.default_rng(8)
    cut = replace(cuts.draw_cut(rng, pools.bodies, kind), collar="none", rib_neck=0.0, rib_cuff=0.0)
    layout = Layout((0.3, 0.3), 0.0, (0.0, 0.0), 0.0, 1.0, np.zeros((0, 5)), False)
    piece = drawn_piece(pools.bodies, cut, smooth_cloth(), pools.bumps[0], rng, layout, lit=False)
    shot = sample.draw_shot(pools, rng)
    dark = Light(shot.light.direction, shot.light.lamp, shot.light.room, unlit=True)
    shot = replace(shot, light=dark, sensor=sample.PLAIN_SENSOR, background=np.zeros_like(shot.background))
    render = sample.render(shot, piece, cut)
    flow = sample.half_canvas_flow(render.view)
    seen = ~np.isnan(flow[..., 0])
    assert seen.mean() > 0.04
    px = flow_to_pixels(np.nan_to_num(flow))
    warped = cv2.remap(piece.flat.astype(np.float32) / 255, px[..., 0], px[..., 1], cv2.INTER_LINEAR)
    truth = cv2.resize(
        render.picture.astype(np.float32) / 255, (CANVAS_W // 2, CANVAS_H // 2), interpolation=cv2.INTER_AREA
    )
    hem = cv2.erode((piece.mask > 250).astype(np.uint8), np.ones((7, 7), np.uint8))  # seams and rims are drawn darker
    inside = seen & (cv2.remap(hem, px[..., 0], px[..., 1], cv2.INTER_NEAREST) > 0)
    assert np.abs(warped - truth)[inside].mean() <= EXACT


def test_the_same_seed_gives_the_same_bytes(pools):
    first, second = (sample.make_sample(pools, 41) for _ in range(2))
    assert {k: v.tobytes() for k, v in first.items()} == {k: v.tobytes() for k, v in second.items()}
    other = sample.make_sample(pools, 42)
    assert other["person"].tobytes() != first["person"].tobytes()


def test_a_sample_is_what_the_trainer_was_promised(pools):
    s = shards.checked_sample(pools, 1, 0)
    shapes = {
        "person": ((256, 192, 3), np.uint8), "target": ((256, 192, 3), np.uint8), "garment": ((256, 192, 3), np.uint8),
        "garment_mask": ((256, 192), np.uint8), "garment_landmarks": ((len(LANDMARKS), 2), np.float32),
        "flow": ((128, 96, 2), np.float16), "parts_a": ((256, 192), np.uint8), "parts_b": ((256, 192), np.uint8),
        "landmarks": ((33, 3), np.float32), "kind": ((), np.uint8), "sleeves": ((), np.uint8),
        "is_photo": ((), np.uint8),
        "skin_tone": ((), np.uint8), "body": ((), np.uint16), "seed": ((), np.uint64),
    }  # fmt: skip
    assert {k: (v.shape, v.dtype) for k, v in s.items()} == shapes
    assert s["parts_a"].max() <= 8 and s["kind"] < len(KINDS) and s["sleeves"] < len(SLEEVES)
    known = ~np.isnan(s["flow"][..., 0])
    front = cv2.resize((s["parts_a"] == 6).astype(np.float32), (96, 128), interpolation=cv2.INTER_AREA)
    assert front[known].min() > 0.7, "flow outside the cloth that is seen"
    px = flow_to_pixels(s["flow"][known].astype(np.float32))
    x, y = np.round(px).astype(int).T
    on = (x >= 0) & (y >= 0) & (x < CANVAS_W) & (y < CANVAS_H)
    grown = cv2.dilate(s["garment_mask"], np.ones((5, 5), np.uint8))
    assert (grown[y[on], x[on]] > 0).mean() > 0.97 and on.mean() > 0.97, "flow must point at the garment"


@pytest.mark.parametrize("kind", KINDS)
def test_landmarks_lie_on_the_lying_garment(pools, kind):
    rng = np.random.default_rng(5)
    piece = drawn_piece(pools.bodies, cuts.draw_cut(rng, pools.bodies, kind), pools.textures[0], pools.bumps[0], rng)
    near = cv2.dilate(piece.mask, np.ones((15, 15), np.uint8))
    x, y = np.round(piece.landmarks).astype(int).T
    assert (near[np.clip(y, 0, 255), np.clip(x, 0, 191)] > 0).all()
    assert (piece.landmarks[0::1][LANDMARKS.index("neck_left")][0]) < piece.landmarks[LANDMARKS.index("neck_right")][0]


def test_held_out_bodies_are_never_trained_on():
    bodies = load_bodies()
    train, held = set(bodies.numbers(False)), set(bodies.numbers(True))
    assert not train & held and len(held) > 20 and len(train) > 150


def test_shards_come_back_as_written_and_are_kept(pools, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_SAMPLES", 2)
    shards.generate(pools, tmp_path, 9, 3, 1, {"split": "train"})
    sizes = [len(s["seed"]) for s in shards.read_shards(tmp_path)]
    assert sizes == [2, 1]
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("shard_*.npz")}
    shards.generate(pools, tmp_path, 9, 3, 1, {"split": "train"})
    assert before == {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("shard_*.npz")}


def test_a_person_in_two_garments_is_two_samples(pools):
    one, other = shards.checked_pair(pools, 3, 5)
    for wears, leaves in ((one, other), (other, one)):
        assert np.array_equal(wears["person"], leaves["target"])
        assert np.array_equal(wears["parts_b"], leaves["parts_a"])
        assert np.isfinite(wears["flow"]).any()
    assert np.array_equal(one["landmarks"], other["landmarks"], equal_nan=True)
    assert not np.array_equal(one["garment"], other["garment"])
