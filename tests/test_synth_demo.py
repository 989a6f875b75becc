"""The demo clip: smooth, and joined at its ends."""

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

from ir_models.synth import demo_clip

END_S = demo_clip.KEYS[-1].at_s
FASTEST_M_S = 2.5
"""A hand that moves faster than this looks like a jump at 30 FPS."""


def test_the_clip_ends_as_it_begins():
    first, last = demo_clip.moment(0.0), demo_clip.moment(END_S)
    assert all(np.allclose(first[k], last[k]) for k in first)
    breaths = demo_clip.BREATH_HZ * END_S
    assert abs(breaths - round(breaths)) < 1e-6


@pytest.mark.parametrize("hand", ["left", "right"])
def test_hands_never_jump(hand):
    t = np.arange(0, END_S, 1 / demo_clip.FPS)
    places = np.array([demo_clip.moment(s)[hand] for s in t])
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() * demo_clip.FPS < FASTEST_M_S


def test_keys_are_in_order_and_met():
    times = [k.at_s for k in demo_clip.KEYS]
    assert times == sorted(set(times))
    for key in demo_clip.KEYS[:-1]:
        assert demo_clip.moment(key.at_s)["turn"][0] == pytest.approx(key.turn)


def test_a_frame_is_a_picture_of_a_person_in_a_room():
    stage = demo_clip.Stage()
    frame = stage.frame(1.0)
    assert frame.shape == (demo_clip.HEIGHT, demo_clip.WIDTH, 3) and frame.dtype == np.uint8
    empty = (np.sqrt(demo_clip.backdrop())[..., ::-1] * 255).astype(int)
    changed = np.abs(frame.astype(int) - empty).max(-1) > 40
    middle = changed[:, demo_clip.WIDTH // 2 - 40 : demo_clip.WIDTH // 2 + 40]
    assert middle.mean() > 0.5 and changed[:40].mean() < 0.05
