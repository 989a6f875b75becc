"""`python -m ir_models demo-clip`: the moving person that `python -m mirror --demo` shows to somebody with no camera.

One of the generator's people in a drawn room: steps up, turns both ways, opens the arms, lays the hands on the chest,
waves, steps back to where the clip began, so that a loop does not jump.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ir_models.synth import rig
from ir_models.synth.bodies import Bodies, Body, load_bodies
from ir_models.synth.cuts import Cut, neck_top
from ir_models.synth.layouts import Layout
from ir_models.synth.light import Light, illuminate
from ir_models.synth.people import IRIS, Figure, Look, linear
from ir_models.synth.pieces import Piece, drawn_piece
from ir_models.synth.poses import SIDES, bend_arm, chest_front, stand
from ir_models.synth.raster import draw, join
from ir_models.synth.sample import elbow_bends
from ir_models.synth.scene import Camera, look_from
from ir_models.synth.textures import SIZE, cloud, wrinkles

WIDTH, HEIGHT, FPS = 640, 480, 30
SUPERSAMPLE = 2
SHADOW_MAP = 700
BODY_NUMBER = 33
SEED = 12
EYE_BACK_M, FOCAL_PX = 2.35, 940.0
"""Distance of the camera, and its focal length in pixels of the clip."""


@dataclass(frozen=True)
class Key:
    """A moment of the clip. Angles in degrees, places in metres; hands relative to the shoulder joint of their arm:
    outwards, forwards, up. elbow: hint, likewise."""

    at_s: float
    back: float = 0.0
    aside: float = 0.0
    turn: float = 0.0
    tilt: float = 0.0
    head_turn: float = 0.0
    head_nod: float = 0.0
    left: tuple[float, float, float] = (0.13, 0.05, -0.50)
    right: tuple[float, float, float] = (0.13, 0.05, -0.50)
    left_elbow: tuple[float, float, float] = (0.6, -0.9, -0.1)
    right_elbow: tuple[float, float, float] = (0.6, -0.9, -0.1)
    curl: float = 0.35
    wave: float = 0.0


OUT = (0.40, 0.12, -0.02)
WIDE, LOW_BACK = (0.39, 0.14, 0.03), (0.3, -0.6, -0.8)
CHEST, OTHER = (-0.13, 0.185, -0.15), (-0.11, 0.20, -0.20)
LOW_ELBOW = (0.9, -0.2, -0.8)
UP = (0.25, 0.14, 0.20)
KEYS = (
    Key(0.0, back=0.45, aside=-0.10, turn=-8, head_turn=6),
    Key(0.8, back=0.0, aside=0.0, turn=0),
    Key(1.6, turn=32, head_turn=-14, tilt=2),
    Key(2.5, turn=-32, head_turn=14, tilt=-2),
    Key(3.1, turn=0, head_nod=3),
    Key(3.7, left=OUT, right=OUT, left_elbow=LOW_BACK, right_elbow=LOW_BACK, curl=0.12),
    Key(4.1, left=WIDE, right=WIDE, left_elbow=LOW_BACK, right_elbow=LOW_BACK, curl=0.10),
    Key(4.8, left=CHEST, right=OTHER, left_elbow=LOW_ELBOW, right_elbow=LOW_ELBOW, curl=0.15, head_nod=6),
    Key(5.3, left=CHEST, right=OTHER, left_elbow=LOW_ELBOW, right_elbow=LOW_ELBOW, curl=0.15, head_nod=2, turn=6),
    Key(6.0, right=UP, right_elbow=(0.8, -0.2, -0.9), curl=0.10, tilt=2, head_turn=-4, wave=1.0),
    Key(6.7, right=UP, right_elbow=(0.8, -0.2, -0.9), curl=0.10, tilt=-1, head_turn=4, wave=1.0),
    Key(7.3, back=0.0),
    Key(8.0, back=0.45, aside=-0.10, turn=-8, head_turn=6),
)  # fmt: skip
WAVE_HZ, WAVE_M = 2.0, 0.07
BREATH_HZ, STEP_HZ = 3 / 8.0, 1.7


def moment(t: float) -> dict[str, np.ndarray]:
    """The clip's numbers at a time, seconds: keys joined by cubic Hermite curves, still at both ends (Fritsch-Carlson
    tangents, so that nothing overshoots)."""
    times = np.array([k.at_s for k in KEYS])
    i = int(np.clip(np.searchsorted(times, t, "right") - 1, 0, len(KEYS) - 2))
    out = {}
    for name in Key.__dataclass_fields__:
        if name == "at_s":
            continue
        values = np.array([np.atleast_1d(getattr(k, name)) for k in KEYS], float)
        slope = np.diff(values, axis=0) / np.diff(times)[:, None]
        tangent = np.zeros_like(values)
        same = slope[:-1] * slope[1:] > 0
        tangent[1:-1] = np.where(same, 2 * slope[:-1] * slope[1:] / np.where(same, slope[:-1] + slope[1:], 1), 0)
        span = times[i + 1] - times[i]
        s = np.clip((t - times[i]) / span, 0, 1)
        out[name] = (
            (2 * s**3 - 3 * s**2 + 1) * values[i] + (s**3 - 2 * s**2 + s) * span * tangent[i]
            + (3 * s**2 - 2 * s**3) * values[i + 1] + (s**3 - s**2) * span * tangent[i + 1]
        )  # fmt: skip
    return out


def pose_at(bodies: Bodies, body: Body, t: float) -> dict[str, np.ndarray]:
    """Bone rotations at a time."""
    m = moment(t)
    r = np.deg2rad
    breath = np.sin(2 * np.pi * BREATH_HZ * t)
    turn, tilt = float(r(m["turn"][0])), float(r(m["tilt"][0]))
    head = (float(r(m["head_turn"][0])), tilt * 0.5, float(r(m["head_nod"][0])))
    pose = stand(turn, 0.01 * breath, tilt * 0.5, tilt, head)
    h, b = body.heads, bodies.bone
    for side, sign in SIDES.items():
        name = "left" if side == "L" else "right"
        flip = np.array([sign, -1.0, 1.0])
        shoulder = h[b[f"upperarm01.{side}"]]
        place = m[name].copy()
        if side == "R":
            place[0] += WAVE_M * m["wave"][0] * np.sin(2 * np.pi * WAVE_HZ * t)
        target = shoulder + place * flip
        if place[0] < 0:  # a hand on the chest stays before it
            target[1] = min(target[1], chest_front(bodies, body, float(target[0]), float(target[2])) - 0.055)
        target[2] += 0.004 * breath
        bend_arm(bodies, body, pose, side, target, m[name + "_elbow"] * flip, 0.0, float(m["curl"][0]))
    return pose


def dressed(bodies: Bodies) -> Piece:
    """A plain long-sleeved shirt with a little melange."""
    rng = np.random.default_rng(SEED)
    half = 0.098
    cut = Cut(
        kind="longsleeve", sleeves="long", sleeve=0.95, hem=0.015, neck_half=half, neck_front=0.082, neck_back=0.012,
        v_neck=False, collar="rib", ease=0.016, sleeve_ease=0.012, hang=0.9, droop=0.25, rib_neck=0.02, rib_cuff=0.05,
        neck_top=neck_top(bodies, half),
    )  # fmt: skip
    base = np.array([86, 128, 138], float)
    cloth = base * (1 + 0.02 * cloud(rng, (SIZE, SIZE), 2.5, 1)[..., None])
    texture = np.dstack([np.clip(cloth, 0, 255), np.full((SIZE, SIZE), 255)]).astype(np.uint8)
    layout = Layout((0.2, 0.2), 0.0, (0.0, 0.0), 0.0, 1.0, np.zeros((0, 5)), False)
    return replace(
        drawn_piece(bodies, cut, texture, wrinkles(rng), rng, layout, lit=False),
        bump_gain=0.45,
        seed=3,
        texture=texture,
    )


def look() -> Look:
    return Look(
        tone=0, skin=linear((0.87, 0.68, 0.57)), lips=linear((0.80, 0.50, 0.45)), hair=linear((0.30, 0.20, 0.14)),
        iris=linear(IRIS[0]), style="short", thick=0.024, long_to=0.3, beard=0.0, glasses=None, 
        trousers=linear((0.20, 0.23, 0.30)), waist=0.17, seed=5,
    )  # fmt: skip


def backdrop() -> np.ndarray:
    """float32 (H, W, 3) linear RGB: a bright room, a little out of focus."""
    k, h, w = 2, HEIGHT * 2, WIDTH * 2
    x, y = np.meshgrid(np.linspace(0, 1, w), np.linspace(0, 1, h))
    wall = np.array([0.86, 0.84, 0.80]) * (1.02 - 0.22 * x - 0.10 * y)[..., None]
    image = np.ascontiguousarray(wall.astype(np.float32))

    def box(x0: float, y0: float, x1: float, y1: float, c: tuple[float, float, float]) -> None:
        cv2.rectangle(image, (int(x0 * w), int(y0 * h)), (int(x1 * w), int(y1 * h)), c, -1)

    box(0.0, 0.80, 1.0, 0.822, (0.93, 0.92, 0.90))  # skirting board and floor
    box(0.0, 0.822, 1.0, 1.0, (0.56, 0.43, 0.32))
    for i in range(9):
        cv2.line(
            image,
            (int((i / 8 * 1.6 - 0.3) * w), h),
            (int((0.2 + i / 8 * 0.6) * w), int(0.822 * h)),
            (0.50, 0.38, 0.28),
            2,
        )
    box(0.035, 0.08, 0.225, 0.60, (0.97, 0.97, 0.96))  # a window on the left
    for x0, y0, x1, y1 in (
        (0.05, 0.10, 0.125, 0.335),
        (0.135, 0.10, 0.21, 0.335),
        (0.05, 0.35, 0.125, 0.58),
        (0.135, 0.35, 0.21, 0.58),
    ):
        box(x0, y0, x1, y1, (0.86, 0.93, 0.98))
    box(0.02, 0.60, 0.24, 0.62, (0.90, 0.89, 0.87))
    box(0.80, 0.30, 0.985, 0.80, (0.62, 0.50, 0.38))  # a shelf on the right
    rng = np.random.default_rng(4)
    colours = (
        (0.72, 0.30, 0.24),
        (0.25, 0.42, 0.55),
        (0.85, 0.78, 0.62),
        (0.30, 0.46, 0.36),
        (0.88, 0.66, 0.30),
        (0.42, 0.36, 0.48),
        (0.90, 0.88, 0.84),
    )
    for row in range(3):
        top = 0.315 + row * 0.163
        box(0.81, top, 0.975, top + 0.14, (0.40, 0.31, 0.23))
        place = 0.814
        while place < 0.955:
            wide, tall = rng.uniform(0.008, 0.017), rng.uniform(0.085, 0.125)
            if rng.random() < 0.85:
                box(place, top + 0.14 - tall, place + wide, top + 0.14, colours[int(rng.integers(len(colours)))])
            place += wide + 0.0015
    box(0.60, 0.13, 0.735, 0.36, (0.30, 0.26, 0.22))  # a picture
    box(0.61, 0.145, 0.725, 0.345, (0.93, 0.91, 0.86))
    cv2.ellipse(
        image, (int(0.667 * w), int(0.25 * h)), (int(0.032 * w), int(0.052 * h)), 0, 0, 360, (0.83, 0.55, 0.38), -1
    )
    cv2.ellipse(
        image, (int(0.69 * w), int(0.285 * h)), (int(0.022 * w), int(0.035 * h)), 0, 0, 360, (0.35, 0.50, 0.52), -1
    )
    pot = (np.array([[0.865, 0.30], [0.925, 0.30], [0.915, 0.245], [0.875, 0.245]]) * [w, h]).astype(np.int32)
    for a in np.linspace(-1.25, 1.25, 13):
        tip = (int((0.895 + 0.065 * np.sin(a)) * w), int((0.25 - 0.135 * np.cos(a)) * h))
        middle = (int((0.895 * w + tip[0]) / 2), int((0.25 * h + tip[1]) / 2))
        green = (0.26, 0.46 + 0.06 * float(np.cos(5 * a)), 0.27)
        size = (int(0.065 * h), int(0.013 * h))
        cv2.ellipse(image, middle, size, float(np.degrees(a)) - 90, 0, 360, green, -1, cv2.LINE_AA)
    cv2.fillPoly(image, [pot], (0.80, 0.74, 0.68), cv2.LINE_AA)
    glow = np.exp(-(((x - 0.13) / 0.30) ** 2) - ((y - 0.34) / 0.42) ** 2)
    image = image * (0.86 + 0.26 * glow[..., None].astype(np.float32))
    image = cv2.GaussianBlur(image, (0, 0), 2.2 * k)
    small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(1).normal(0, 0.003, (HEIGHT, WIDTH, 1))
    return (np.clip(small + grain, 0, 1) ** 2).astype(np.float32)


def smiling(bodies: Bodies, body: Body) -> Body:
    """The same body with the corners of the mouth drawn up and out, and the eyes a little wider."""
    v = body.vertices.copy()
    on_head = bodies.head_weight() > 0.5
    eyes = (body.heads[bodies.bone["eye.L"]] + body.heads[bodies.bone["eye.R"]]) / 2
    for sign in (-1, 1):
        corner = eyes + np.array([sign * 0.025, -0.01, -0.070])
        near = np.exp(-(((v - corner) / [0.013, 0.03, 0.012]) ** 2).sum(1)) * on_head
        v += near[:, None] * np.array([sign * 0.0035, 0.001, 0.0065])
        cheek = np.exp(-(((v - eyes - [sign * 0.038, -0.01, -0.042]) / [0.016, 0.03, 0.014]) ** 2).sum(1)) * on_head
        v += cheek[:, None] * np.array([sign * 0.001, -0.002, 0.003])
    return replace(body, vertices=v.astype(np.float32))


class Stage:
    """The person, the room, the camera and the light; draws one frame at a time."""

    def __init__(self) -> None:
        self._bodies = load_bodies()
        self._body = smiling(self._bodies, self._bodies.body(BODY_NUMBER))
        self._piece, self._look, self._room = dressed(self._bodies), look(), backdrop()
        h, b = self._body.heads, self._bodies.bone
        middle = 0.5 * (h[b["eye.L"]][2] + h[b["upperleg01.L"]][2]) + 0.035
        eye = np.array([0.0, -EYE_BACK_M, middle])
        k = np.array([[FOCAL_PX, 0, (WIDTH - 1) / 2], [0, FOCAL_PX, (HEIGHT - 1) / 2], [0, 0, 1]])
        self._camera = Camera(k @ look_from(eye, np.array([0.0, 0.0, middle])), eye)
        lamp = np.array([-0.75, -1.0, 0.75])
        self._light = Light(lamp / np.linalg.norm(lamp), np.array([0.62, 0.59, 0.55]), np.array([0.50, 0.51, 0.53]))

    def frame(self, t: float) -> np.ndarray:
        """uint8 480x640x3 BGR at a time, seconds."""
        bodies, body = self._bodies, self._body
        m = moment(t)
        moves = rig.transforms(body.heads, bodies.parents, bodies.bone_names, pose_at(bodies, body, t))
        walking = float(np.clip(abs(moment(t + 0.05)["back"][0] - moment(t - 0.05)["back"][0]) / 0.06, 0, 1))
        step = 2 * np.pi * STEP_HZ * t
        moves[:, :, 3] += [
            m["aside"][0] + 0.012 * walking * np.sin(step),
            m["back"][0],
            0.010 * walking * (np.abs(np.sin(step)) - 0.5),
        ]
        figure = Figure(bodies, body, self._look, moves, {})
        mesh = join(
            figure.meshes(False) + self._piece.worn(bodies, body, moves, self._piece.cut, 0, elbow_bends(bodies, moves))
        )
        pair = (self._piece.texture, self._piece.texture)
        view = draw(
            mesh, self._camera.screen(mesh.position, SUPERSAMPLE), pair, (HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE)
        )
        colour, _ = illuminate(view, self._light, self._camera.eye, pair, self._piece.bump, shadow_size=SHADOW_MAP)
        alpha = cv2.resize((view.part > 0).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., None]
        person = cv2.resize(colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        shadow = cv2.GaussianBlur(np.roll(alpha[..., 0], (18, 46), (0, 1)), (0, 0), 26)[..., None]
        picture = person + self._room * (1 - 0.22 * shadow) * (1 - alpha)
        return (np.sqrt(np.clip(picture, 0, 1))[..., ::-1] * 255 + 0.5).astype(np.uint8)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ir_models demo-clip", description="Draw the demo clip.")
    parser.add_argument("--out", type=Path, required=True, help="the .mp4 to write")
    parser.add_argument("--every", type=int, default=1, help="draw every n-th frame only, to look at it quickly")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    stage = Stage()
    count = round(KEYS[-1].at_s * FPS)
    writer = cv2.VideoWriter(str(args.out), cv2.VideoWriter.fourcc(*"mp4v"), FPS / args.every, (WIDTH, HEIGHT))
    for i in range(0, count, args.every):
        writer.write(stage.frame(i / FPS))
    writer.release()
    print(f"{args.out}: {len(range(0, count, args.every))} frames, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0
