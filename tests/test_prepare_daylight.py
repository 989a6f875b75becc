"""Uneven light on a garment: evened where it is light, left where it may be the garment's design."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mirror.garment import LANDMARKS, Garment
from mirror.prepare.daylight import evened
from mirror.prepare.judge import polygon
from tests.photos import LONG, TEE, landmarks_of

HEIGHT, WIDTH = 400, 340
BLUE, GREY = (170, 110, 60), (150, 150, 150)
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def draw(shape: dict[str, tuple[float, float]] = TEE, cloth: tuple[int, int, int] = BLUE) -> Garment:
    """A garment of one colour with a little grain."""
    landmarks = landmarks_of(shape, (HEIGHT, WIDTH)).astype(np.float32)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(alpha, [np.round(polygon(landmarks) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    grain = np.random.default_rng(2).normal(0, 3, (HEIGHT, WIDTH, 1))
    picture = np.dstack([np.clip(np.array(cloth) + grain, 0, 255), alpha]).astype(np.uint8)
    long = shape is LONG
    return Garment("x", "x", "longsleeve" if long else "tshirt", "long" if long else "short", picture, None, landmarks)


def sleeve(garment: Garment, side: str) -> np.ndarray:
    """bool HxW: one sleeve."""
    names = ("shoulder", "sleeve_outer", "sleeve_inner", "armpit")
    corners = np.array([garment.landmarks[LANDMARKS.index(f"{name}_{side}")] for name in names])
    return cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [np.round(corners).astype(np.int32)], 1) > 0


def lit(garment: Garment, light: np.ndarray) -> Garment:
    """Under a light (HxW or HxWx3, gains)."""
    picture = garment.picture.copy()
    gain = light if light.ndim == 3 else light[..., None]
    picture[..., :3] = np.clip(picture[..., :3] * gain + 0.5, 0, 255)
    return Garment(**{**vars(garment), "picture": picture})


def painted(garment: Garment, where: np.ndarray, colour: tuple[int, int, int]) -> Garment:
    picture = garment.picture.copy()
    picture[where, :3] = colour
    return Garment(**{**vars(garment), "picture": picture})


def unevenness(garment: Garment) -> float:
    """How far the means of pieces of 20 x 20 pixels are apart, levels."""
    solid = cv2.erode((garment.picture[..., 3] == 255).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    means = cv2.blur(garment.picture[..., :3].astype(np.float32), (20, 20))[solid]
    return float(np.linalg.norm(means - np.median(means, 0), axis=1).mean())


def shaded(shape: dict[str, tuple[float, float]], side: str, gain: tuple[float, float, float]) -> Garment:
    garment = draw(shape)
    soft = cv2.GaussianBlur(sleeve(garment, side).astype(np.float32), (0, 0), 4.0)[..., None]
    return lit(garment, 1 + soft * (np.array(gain, np.float32) - 1))


@pytest.mark.parametrize(
    "garment",
    [
        pytest.param(shaded(TEE, "left", (0.6, 0.6, 0.6)), id="a sleeve in shade"),
        pytest.param(shaded(TEE, "right", (0.65, 0.7, 0.85)), id="a sleeve in reddish shade"),
        pytest.param(shaded(LONG, "right", (0.6, 0.55, 0.5)), id="a long sleeve in bluish shade"),
        pytest.param(lit(draw(), 1.0 - 0.35 * X / WIDTH), id="a window on the left"),
        pytest.param(lit(draw(LONG, GREY), 0.7 + 0.3 * X / WIDTH), id="a window on the right"),
        pytest.param(lit(draw(), 1.0 - 0.3 * Y / HEIGHT), id="a lamp above"),
    ],
)
def test_uneven_light_is_evened(garment: Garment) -> None:
    after = evened(garment)
    assert unevenness(after) < 0.5 * unevenness(garment)
    assert (after.picture[..., 3] == garment.picture[..., 3]).all()


def raglan() -> Garment:
    garment = draw()
    return painted(garment, sleeve(garment, "left") | sleeve(garment, "right"), (110, 70, 40))


@pytest.mark.parametrize(
    "garment",
    [
        pytest.param(draw(), id="plain"),
        pytest.param(raglan(), id="darker sleeves"),
        pytest.param(painted(draw(), sleeve(draw(), "left"), (40, 50, 190)), id="a red sleeve"),
        pytest.param(painted(draw(), sleeve(draw(), "right"), (240, 158, 90)), id="a lighter sleeve"),
        pytest.param(painted(draw(), (X > 190) & (X < 215), (230, 230, 230)), id="a stripe on one side"),
        pytest.param(painted(draw(), X > WIDTH / 2, (130, 84, 46)), id="halves of two shades"),
        pytest.param(painted(draw(), X + Y > 380, (85, 55, 30)), id="a slanted block, darker"),
        pytest.param(painted(draw(), Y < 130, (130, 84, 46)), id="a yoke of another shade"),
        pytest.param(painted(draw(), (Y > 200) & (Y < 270), (130, 84, 46)), id="a band of another shade"),
        pytest.param(painted(draw(), np.hypot(X - 130, Y - 150) < 25, (40, 200, 220)), id="a print on the chest"),
        pytest.param(lit(draw(), np.clip(1.2 - 0.9 * Y / HEIGHT, 0, 1)), id="dyed dark towards the hem"),
    ],
)
def test_design_stays(garment: Garment) -> None:
    assert evened(garment) is garment


def test_prints_keep_their_colour_beside_a_shaded_sleeve() -> None:
    garment = shaded(TEE, "left", (0.6, 0.6, 0.6))
    middle = np.hypot(X - WIDTH / 2, Y - 200) < 30
    printed = painted(garment, middle, (40, 200, 220))
    after = evened(printed).picture[middle, :3].astype(float)
    assert np.abs(after - (40, 200, 220)).max() <= 6
