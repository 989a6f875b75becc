"""Nodes draw what arrays draw."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from mirror import either
from mirror.graph import Drawing
from mirror.inputs import PersonInputs, planes
from mirror.maps import person_frames, person_layout, person_maps
from mirror.skin import hand_zones, skin_colour


@pytest.mark.parametrize("seed", range(4))
def test_a_person_is_drawn_as_numpy_draws_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = rng.integers(0, 256, (256, 192, 3), dtype=np.uint8)
    mask = rng.random((256, 192), np.float32)
    person = PersonInputs(canvas, mask, rng.normal([96, 110], [40 * seed, 60], (33, 2)))
    points = person.landmarks
    halved = mask.reshape(128, 2, 96, 2).mean((1, 3))[None]
    small = planes(canvas.reshape(128, 2, 96, 2, 3).mean((1, 3)).round())
    off = np.abs(person.maps - person_maps(points, halved))
    assert (off > 2e-5).mean() < 1e-4 and off.max() < 0.01  # between two bones as near, either is the nearer one
    assert person.named("person_layout") == pytest.approx(person_layout(points), abs=2e-5)
    assert person.named("person_frames") == pytest.approx(person_frames(points), abs=2e-4)
    assert person.skin == pytest.approx(skin_colour(small, points), abs=0.01)  # halved to whole levels or not
    for drawn, wanted in zip(person.hand_zones, hand_zones(points), strict=True):
        assert drawn == pytest.approx(wanted[0], abs=2e-5)


def test_every_operation_is_numpys() -> None:
    def draw(a, b):
        picked = b[:, 1:, 0][:, None]
        return [
            1.0 - a / (2.0 + abs(b)) + (-a) ** 3 + (a * a) ** 0.5 + 3.0 * b - 1.0 / (b * b + 1.0),
            either.where(a < 0.5, either.maximum(a, b), either.minimum(a, b)).clip(None, 0.9).swapaxes(1, 2),
            either.stack([picked + a[:, :1, 1:3], picked - a[:, :1, 1:3]]).sum((1, 2)),
            either.exp(a.clip(-1.0, 0.25)) + either.constant(np.arange(4, dtype=np.float32), a),
        ]

    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(1, 3, 4)).astype(np.float32) for _ in range(2))
    for drawn, wanted in zip(Drawing(draw, a.shape, b.shape)(a, b), draw(a, b), strict=True):
        assert drawn.shape == wanted.shape and drawn == pytest.approx(wanted, abs=1e-5)


def test_threads_do_not_meet_in_a_drawing() -> None:
    twice = Drawing(lambda a: [a + a], (1, 50, 50))
    wrong = []

    def look(value: float) -> None:
        for _ in range(200):
            if not (twice(np.full((1, 50, 50), value, np.float32))[0] == 2 * value).all():
                wrong.append(value)

    threads = [threading.Thread(target=look, args=(float(k),)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
