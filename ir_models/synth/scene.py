"""Where the person stands and what takes the picture: rooms, the camera's view, noise, blur, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ir_models.synth.textures import cloud, colour
from mirror.frames import CANVAS_H, CANVAS_W, EYES_SHARE, SHOULDER_SHARE


@dataclass(frozen=True)
class Camera:
    """A pinhole camera. matrix: float64 (3, 4), world metres -> canvas pixels times view depth. eye: (3,)."""

    matrix: np.ndarray
    eye: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (n, 3) -> canvas pixels (n, 2)."""
        q = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        return q[:, :2] / q[:, 2:]

    def screen(self, points: np.ndarray, supersample: int) -> np.ndarray:
        """float32 (n, 3) for `raster.draw`: x, y in pixels of the supersampled picture, 1 / depth."""
        q = points @ self.matrix[:, :3].T.astype(np.float32) + self.matrix[:, 3].astype(np.float32)
        w = 1 / np.maximum(q[:, 2:], 1e-3)
        xy = (q[:, :2] * w + 0.5) * supersample - 0.5
        return np.concatenate([xy, w], 1).astype(np.float32)


def look_from(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """World -> (right, down, depth) of a camera at `eye` that looks at `target`: float64 (3, 4)."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rows = np.stack([right, np.cross(forward, right), forward])
    return np.hstack([rows, (-rows @ eye)[:, None]])


def framed(
    view: np.ndarray,
    eye: np.ndarray,
    middle: np.ndarray,
    eyes: np.ndarray,
    width: float,
    rng: np.random.Generator | None,
) -> Camera:
    """Put the canvas round a person, as the live crop does, with its errors.

    view: world -> camera (3, 4). middle, eyes: world points between the shoulders and between the eyes. width: of the
    shoulders, metres, as if seen from the front. rng: None for no jitter.
    """
    a, b = (view[:, :3] @ p + view[:, 3] for p in (middle, eyes))
    scale = SHOULDER_SHARE * CANVAS_W / (width / a[2])
    roll, x, y = 0.0, CANVAS_W / 2, EYES_SHARE * CANVAS_H
    if rng is not None:
        scale *= np.exp(np.clip(rng.normal(0, 0.075), -0.13, 0.13)) * (
            rng.uniform(1.1, 1.4) if rng.random() < 0.1 else 1
        )
        roll = np.deg2rad(np.clip(rng.normal(0, 2.2), -5, 5))
        x += np.clip(rng.normal(0, 0.03), -0.07, 0.07) * CANVAS_W
        y += np.clip(rng.normal(0, 0.025), -0.06, 0.06) * CANVAS_H
    c, s = np.cos(roll) * scale, np.sin(roll) * scale
    turn = np.array([[c, -s], [s, c]])
    at_middle, at_eyes = turn @ (a[:2] / a[2]), turn @ (b[:2] / b[2])
    shift = np.array([x - at_middle[0], y - at_eyes[1]])
    k = np.eye(3)
    k[:2, :2], k[:2, 2] = turn, shift
    return Camera(k @ view, eye)


def room(rng: np.random.Generator, height: int = CANVAS_H, width: int = CANVAS_W) -> np.ndarray:
    """float32 (H, W, 3) linear RGB 0..1: a wall and a floor line, doors, shelves, windows, pictures, out of focus."""
    f = max(height / 256, 1)
    wall = colour(rng) * 0.5 + rng.uniform(0.2, 0.5) if rng.random() < 0.75 else colour(rng)
    image = np.ones((height, width, 3), np.float32) * wall
    across = np.linspace(-1, 1, width)[None, :, None] * rng.normal(0, 0.12) + np.linspace(-1, 1, height)[
        :, None, None
    ] * rng.normal(0, 0.08)
    image = image * (1 + across.astype(np.float32))
    for _ in range(int(rng.integers(0, 9))):
        c = colour(rng)
        x, y = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        w, h = int(rng.integers(8, 90) * f), int(rng.integers(8, 150) * f)
        kind = rng.integers(5)
        tone = [float(v) for v in c]
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + w, y + h), tone, -1)
        elif kind == 1:  # a shelf of books
            step = max(int(rng.integers(4, 12) * f), 2)
            for k in range(0, w, step):
                cv2.rectangle(
                    image,
                    (x + k, y + int(rng.integers(0, 8))),
                    (x + k + step - 1, y + h // 2),
                    [float(v) for v in colour(rng)],
                    -1,
                )
        elif kind == 2:  # a framed picture or a window
            cv2.rectangle(image, (x, y), (x + w, y + h), tone, -1)
            cv2.rectangle(
                image,
                (x + 4, y + 4),
                (x + w - 4, y + h - 4),
                [float(v) for v in np.clip(colour(rng) + rng.choice([0, 0.6]), 0, 1)],
                -1,
            )
        elif kind == 3:
            cv2.ellipse(image, (x, y), (max(w // 2, 2), max(h // 3, 2)), float(rng.uniform(0, 180)), 0, 360, tone, -1)
        else:
            cv2.line(image, (x, 0), (x + int(rng.normal(0, 10)), height), tone, int(rng.integers(1, 12) * f))
    image = cv2.GaussianBlur(image, (0, 0), f * rng.uniform(0.4, 2.6))
    image *= 1 + rng.uniform(0, 0.06) * cloud(rng, (height, width), 30 * f, 2)[..., None]
    return np.clip(image, 0.002, 1).astype(np.float32) ** 2


@dataclass(frozen=True)
class Sensor:
    """What the camera does to a picture; the same for the person in A and in B."""

    gain: np.ndarray
    gamma: float
    blur: float
    motion: tuple[float, float]
    noise: np.ndarray
    quality: int

    def take(self, picture: np.ndarray) -> np.ndarray:
        """float32 linear RGB -> uint8 RGB."""
        out = np.sqrt(np.clip(picture * self.gain, 0, 1)) ** self.gamma
        if self.blur > 0.3:
            out = cv2.GaussianBlur(out, (0, 0), self.blur)
        length = np.hypot(*self.motion)
        if length > 1:
            k = np.zeros((9, 9), np.float32)
            d = np.array(self.motion) / 2
            cv2.line(k, tuple(int(v) for v in np.round(4 - d)), tuple(int(v) for v in np.round(4 + d)), 1.0, 1)
            out = cv2.filter2D(out, -1, k / k.sum())
        out = (np.clip(out + self.noise, 0, 1) * 255 + 0.5).astype(np.uint8)
        if self.quality < 96:
            out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1], 1)
        return out


def draw_sensor(rng: np.random.Generator) -> Sensor:
    strength = rng.uniform(0.0, 0.025)
    fine = rng.normal(0, 1, (CANVAS_H, CANVAS_W, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(fine, (0, 0), 0.8) * 1.6
    white = 1 + rng.normal(0, 0.04, 3)
    motion = rng.normal(0, 3.0, 2) if rng.random() < 0.12 else np.zeros(2)
    return Sensor(
        np.clip(white * np.exp(rng.normal(0, 0.15)), 0.6, 1.7).astype(np.float32), float(np.exp(rng.normal(0, 0.08))),
        float(rng.uniform(0, 0.9)), (float(motion[0]), float(motion[1])), strength * soft,
        int(rng.integers(45, 96)) if rng.random() < 0.7 else 100,
    )  # fmt: skip


PLAIN_SENSOR = Sensor(np.ones(3, np.float32), 1.0, 0.0, (0.0, 0.0), np.zeros(1, np.float32), 100)
