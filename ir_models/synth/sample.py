"""One training sample: a person in B, garment A lying flat, the same person in A, and the exact flow between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from ir_models.synth import cuts, rig, textures
from ir_models.synth.bodies import Bodies, Body, load_bodies
from ir_models.synth.cuts import Cut, draw_cut
from ir_models.synth.light import Light, draw_light, illuminate
from ir_models.synth.people import ACCESSORY, BACK, FRONT, HEAD, Figure, HairMesh, draw_look, read_hair
from ir_models.synth.pieces import Piece, drawn_piece
from ir_models.synth.poses import draw_pose
from ir_models.synth.raster import SHEET, View, draw, join
from ir_models.synth.scene import PLAIN_SENSOR, Camera, Sensor, draw_sensor, framed, look_from, room
from mirror.frames import CANVAS_H, CANVAS_W, Landmark, flow_from_pixels
from mirror.wardrobe import LANDMARKS

SUPERSAMPLE = 2
HALF_H, HALF_W = CANVAS_H // 2, CANVAS_W // 2
JUMP_PX = 9.0
"""Garment-canvas pixels by which the flow may differ inside one half-canvas pixel; more is an edge between layers."""
PHOTO_SHARE, LONG_PHOTO_SHARE = 0.42, 0.40
PHOTO_CHESTS, PHOTO_EASE_M, PHOTO_SLEEVE_EASE = (0.98, 1.30), (0.006, 0.028), 0.75
"""Chest over shoulder width of photographed garments, 5 and 95 of 100 between, and the ease taken for them."""
LANYARD_SHARE, OPEN_SHARE = 0.12, 0.12
TEXTURE_POOL, BUMP_POOL, ROOM_POOL = 64, 24, 40
JOINTS = {
    Landmark.LEFT_SHOULDER: "upperarm01.L", Landmark.RIGHT_SHOULDER: "upperarm01.R",
    Landmark.LEFT_ELBOW: "lowerarm01.L", Landmark.RIGHT_ELBOW: "lowerarm01.R",
    Landmark.LEFT_WRIST: "wrist.L", Landmark.RIGHT_WRIST: "wrist.R",
    Landmark.LEFT_PINKY: "finger5-1.L", Landmark.RIGHT_PINKY: "finger5-1.R", Landmark.LEFT_INDEX: "finger2-1.L",
    Landmark.RIGHT_INDEX: "finger2-1.R", Landmark.LEFT_THUMB: "finger1-2.L", Landmark.RIGHT_THUMB: "finger1-2.R",
    Landmark.LEFT_HIP: "upperleg01.L", Landmark.RIGHT_HIP: "upperleg01.R", Landmark.LEFT_EYE: "eye.L",
    Landmark.RIGHT_EYE: "eye.R",
}  # fmt: skip
MEDIAPIPE_OFFSET = {
    "SHOULDER": (-0.028, -0.074), "ELBOW": (-0.019, -0.030), "WRIST": (-0.017, 0.002), "PINKY": (0.027, -0.035),
    "INDEX": (0.007, 0.019), "THUMB": (-0.005, 0.036), "HIP": (-0.035, -0.007), "EAR": (-0.054, -0.020),
}  # fmt: skip
"""Where MediaPipe 0.10.21 sees a joint, from where the rig has it: outwards along the shoulders and down the trunk, in
shoulder widths; medians over 136 renders (it missed 4 more). Spread of the errors: 0.04 at the shoulders, 0.04 and 0.06
at elbows and wrists, 0.06 and 0.13 at the hips."""


@dataclass
class Pools:
    """What samples draw from. Costly things are drawn once; a sample tints, crops and combines them."""

    bodies: Bodies
    numbers: np.ndarray
    textures: list[np.ndarray]
    bumps: list[np.ndarray]
    rooms: list[np.ndarray]
    hair: dict[str, HairMesh] = field(default_factory=dict)
    photos: list[Piece] = field(default_factory=list)


def make_pools(seed: int, held_out: bool, hair_dir: Path | None = None, photos: list[Piece] | None = None) -> Pools:
    rng = np.random.default_rng([seed, int(held_out), 77])
    bodies = load_bodies()
    hair = {}
    if hair_dir is not None:
        for folder in sorted(p for p in hair_dir.iterdir() if p.is_dir()):
            hair[folder.name] = read_hair(folder, bodies)
    return Pools(
        bodies, bodies.numbers(held_out), [textures.cloth_texture(rng) for _ in range(TEXTURE_POOL)],
        [textures.wrinkles(rng) for _ in range(BUMP_POOL)], [room(rng, 300, 240) for _ in range(ROOM_POOL)],
        hair, photos or [],
    )  # fmt: skip


def pick(rng: np.random.Generator, things: list):
    return things[int(rng.integers(len(things)))]


@dataclass(frozen=True)
class Shot:
    """One person before one camera in one light, whatever they wear."""

    figure: Figure
    camera: Camera
    light: Light
    sensor: Sensor
    background: np.ndarray
    bends: tuple[float, float]
    bump: np.ndarray


@dataclass(frozen=True)
class Render:
    """picture: uint8 256x192x3 RGB. parts: uint8 256x192. view: at SUPERSAMPLE times the canvas."""

    picture: np.ndarray
    parts: np.ndarray
    view: View


def draw_shot(pools: Pools, rng: np.random.Generator) -> Shot:
    bodies = pools.bodies
    body = bodies.body(int(rng.choice(pools.numbers)))
    pose = draw_pose(bodies, body, rng)
    moves = rig.transforms(body.heads, bodies.parents, bodies.bone_names, pose)
    figure = Figure(bodies, body, draw_look(rng, body, list(pools.hair), textures.colour(rng)), moves, pools.hair)
    distance = rng.uniform(1.1, 3.2)
    eye = np.array([rng.normal(0, 0.12), -distance, figure.joint("spine01")[2] + rng.normal(0.05, 0.16)])
    camera = frame_person(bodies, figure, eye, rng)
    back = pick(rng, pools.rooms)
    y, x = int(rng.integers(back.shape[0] - CANVAS_H + 1)), int(rng.integers(back.shape[1] - CANVAS_W + 1))
    back = back[y : y + CANVAS_H, x : x + CANVAS_W]
    back = back[:, ::-1] if rng.random() < 0.5 else back
    back = np.clip(back * rng.uniform(0.5, 1.4) * (1 + rng.normal(0, 0.06, 3)), 0, 1).astype(np.float32)
    return Shot(
        figure, camera, draw_light(rng), draw_sensor(rng), back, elbow_bends(bodies, moves), pick(rng, pools.bumps)
    )


def frame_person(bodies: Bodies, figure: Figure, eye: np.ndarray, rng: np.random.Generator | None) -> Camera:
    left, right = figure.joint("upperarm01.L"), figure.joint("upperarm01.R")
    middle = (left + right) / 2
    h = figure.body.heads
    width = float(np.linalg.norm(h[bodies.bone["upperarm01.L"]] - h[bodies.bone["upperarm01.R"]])) * SHOULDERS_SEEN
    eyes = (figure.joint("eye.L") + figure.joint("eye.R")) / 2
    return framed(look_from(eye, np.array([eye[0], 0, middle[2] - 0.1])), eye, middle, eyes, width, rng)


SHOULDERS_SEEN = 0.943
"""MediaPipe's shoulder width as a share of the rig's."""


def elbow_bends(bodies: Bodies, moves: np.ndarray) -> tuple[float, float]:
    """How far each elbow (left, right) is bent, 0..1."""
    out = []
    for side in "LR":
        a, b = (moves[bodies.bone[f"{n}.{side}"], :, :3] for n in ("upperarm01", "lowerarm01"))
        out.append(float(np.clip(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)) / 1.5, 0, 1)))
    return out[0], out[1]


def render(
    shot: Shot, outer: Piece, outer_cut: Cut, inner: Piece | None = None, lanyard: np.random.Generator | None = None
) -> Render:
    """The person of `shot` in `outer`, over `inner` if the front is open."""
    f = shot.figure
    body, moves, bodies = f.body, f.moves, f.bodies
    meshes = f.meshes(outer_cut.tuck is not None)
    meshes += outer.worn(bodies, body, moves, outer_cut, 0, shot.bends)
    if inner is not None:
        meshes += inner.worn(bodies, body, moves, inner.cut, 1, shot.bends)
    mesh = join(meshes)
    pair = (outer.texture, inner.texture if inner is not None else outer.texture)
    view = draw(
        mesh, shot.camera.screen(mesh.position, SUPERSAMPLE), pair, (CANVAS_H * SUPERSAMPLE, CANVAS_W * SUPERSAMPLE)
    )
    colour, outside = illuminate(view, shot.light, shot.camera.eye, pair, outer.bump)
    _name_sheets(view, outside)
    _glasses(shot, view, colour)
    if lanyard is not None:
        _lanyard(lanyard, view, colour)
    alpha = cv2.resize((view.part > 0).astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)
    small = cv2.resize(colour, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)
    picture = small + shot.background * (1 - alpha[..., None])
    return Render(shot.sensor.take(picture), parts_on_canvas(view.part), view)


def _name_sheets(view: View, outside: np.ndarray) -> None:
    """Part 6 is cloth seen from outside, part 7 from inside.

    The outside of the back sheet counts as 6 too: it lies exactly below the front sheet on the table, so the flow there
    is that of the cloth above it. Crossed arms show the back of their sleeves, and must not have holes.
    """
    back_sheet = view.mesh.objects[view.mesh.owner[np.maximum(view.face_of, 0)], SHEET] > 0.5
    view.part[(view.part == FRONT) & ~outside] = BACK
    view.part[(view.part == BACK) & outside & back_sheet] = FRONT


def _glasses(shot: Shot, view: View, colour: np.ndarray) -> None:
    look, f = shot.figure.look, shot.figure
    if look.glasses is None:
        return
    half_w, half_h, thick, tone = look.glasses
    b = f.bodies
    turn = f.moves[b.bone["head"], :, :3]
    line = np.zeros(view.part.shape, np.uint8)
    outline = []
    for side, sign in (("L", 1), ("R", -1)):
        t = np.linspace(0, 2 * np.pi, 24)
        c, s = np.cos(t), np.sin(t)
        square = np.sign(c) * np.abs(c) ** 0.7, np.sign(s) * np.abs(s) ** 0.7
        p = np.stack([sign * 0.002 + square[0] * half_w, np.full(24, -0.030), square[1] * half_h - 0.004], 1)
        outline.append(f.joint(f"eye.{side}") + p @ turn.T)
        arm = np.array(
            [[sign * half_w, -0.03, 0.0], [sign * (half_w + 0.018), -0.01, 0.002], [sign * (half_w + 0.022), 0.05, 0.0]]
        )
        outline.append(f.joint(f"eye.{side}") + arm @ turn.T)
    bridge = np.stack([outline[0][12], outline[2][0]])
    width = max(round(thick * 900), 1)
    for p in (*outline, bridge):
        xy = (shot.camera.project(p) + 0.5) * SUPERSAMPLE - 0.5
        cv2.polylines(line, [np.round(xy * 8).astype(np.int32)], False, 1, width, cv2.LINE_AA, 3)
    drawn = (line > 0) & (view.part == HEAD)
    colour[drawn] = tone
    view.part[drawn] = ACCESSORY


def _lanyard(rng: np.random.Generator, view: View, colour: np.ndarray) -> None:
    """A ribbon and a badge over whatever lies on the chest, drawn in the coordinates of the sheet."""
    a = view.attribute(slice(0, 2))
    u, v = a[..., 0], a[..., 1]
    low, wide, half = rng.uniform(0.22, 0.36), rng.uniform(0.07, 0.09), rng.uniform(0.005, 0.011)
    t = np.clip((v - low) / (0.71 - low), 0, 1)
    on = (view.part == FRONT) & (v < 0.70)
    ribbon = on & (np.abs(np.abs(u) - wide * t) < half) & (v > low)
    badge = on & (np.abs(u) < 0.032) & (v < low) & (v > low - 0.09)
    shade = 0.5 + 0.5 * np.clip(colour.mean(-1) / (colour[on].mean() + 1e-6), 0.4, 1.6) if on.any() else np.ones_like(u)
    colour[ribbon] = (textures.colour(rng) ** 2 * shade[..., None])[ribbon]
    colour[badge] = (np.array([0.8, 0.8, 0.8]) * shade[..., None])[badge]
    view.part[ribbon | badge] = ACCESSORY


def parts_on_canvas(part: np.ndarray) -> np.ndarray:
    """uint8 256x192: the label that covers most of each canvas pixel."""
    best = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    most = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    for label in range(9):
        share = cv2.resize((part == label).astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)
        best[share > most] = label
        most = np.maximum(most, share)
    return best


def half_canvas_flow(view: View) -> np.ndarray:
    """float32 (128, 96, 2): DESIGN's flow where a half-canvas pixel is wholly cloth of one patch, nan elsewhere."""
    block = 2 * SUPERSAMPLE
    place = view.attribute(slice(3, 5))
    front = (view.part == FRONT).astype(np.uint8)
    kernel = np.ones((block, block), np.uint8)
    corner = (slice(block // 2, None, block),) * 2  # where a block's own even-sized kernel is centred
    whole = cv2.erode(front, kernel)[corner] > 0
    spread = (cv2.dilate(place, kernel) - cv2.erode(place, kernel))[corner].max(-1)
    flow = flow_from_pixels(cv2.resize(place, (HALF_W, HALF_H), interpolation=cv2.INTER_AREA))
    flow[~(whole & (spread < JUMP_PX))] = np.nan
    return flow


def landmarks(shot: Shot) -> np.ndarray:
    """float32 (33, 3): MediaPipe's rows in canvas pixels and visibility; nan for rows the project does not use."""
    f, camera = shot.figure, shot.camera
    out = np.full((33, 3), np.nan, np.float32)
    names = list(JOINTS)
    out[names, :2] = camera.project(np.stack([f.joint(JOINTS[n]) for n in names]))
    m = _face_points(f.bodies)
    out[list(m), :2] = camera.project(f.vertices[list(m.values())])
    _as_mediapipe_sees(out)
    out[:, 2] = np.where(np.isnan(out[:, 0]), np.nan, 0.99)
    beyond = (out[:, 0] < 0) | (out[:, 0] > CANVAS_W - 1) | (out[:, 1] < 0) | (out[:, 1] > CANVAS_H - 1)
    out[beyond, 2] = 0.4
    return out


def _face_points(bodies: Bodies) -> dict[Landmark, int]:
    """Body vertices at nose, ears and mouth corners."""
    v = bodies.mean[: bodies.count]
    on_body = np.unique(bodies.body_faces)
    eye = bodies.mean[bodies.count :][bodies.bone["eye.L"]]
    p = v[on_body]
    nose = on_body[np.argmin(np.where(np.abs(p[:, 2] - eye[2] + 0.035) < 0.02, p[:, 1], 9))]
    out = {Landmark.NOSE: int(nose)}
    for sign, ear, mouth in (
        (1, Landmark.LEFT_EAR, Landmark.MOUTH_LEFT),
        (-1, Landmark.RIGHT_EAR, Landmark.MOUTH_RIGHT),
    ):
        for name, place in (
            (ear, (sign * 0.075, -0.05, eye[2] - 0.015)),
            (mouth, (sign * 0.024, -0.135, eye[2] - 0.071)),
        ):
            out[name] = int(on_body[np.argmin(np.linalg.norm(p - place, axis=1))])
    return out


def _as_mediapipe_sees(points: np.ndarray) -> None:
    """Shift joints, in place, by the measured bias: outwards along the shoulders, down the trunk; shoulder widths."""
    ls, rs, lh, rh = (
        points[i, :2].copy()
        for i in (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER, Landmark.LEFT_HIP, Landmark.RIGHT_HIP)
    )
    across, down = ls - rs, (lh + rh) / 2 - (ls + rs) / 2
    size = max(np.linalg.norm(across), 0.42 * np.linalg.norm(down))
    x, y = across / max(np.linalg.norm(across), 1e-3), down / max(np.linalg.norm(down), 1e-3)
    for name, (out, low) in MEDIAPIPE_OFFSET.items():
        left = Landmark["LEFT_" + name]
        right = Landmark["RIGHT_" + name]
        points[left, :2] += size * (out * x + low * y)
        points[right, :2] += size * (-out * x + low * y)


def draw_piece(pools: Pools, rng: np.random.Generator, kind: str | None = None) -> Piece:
    """A garment: of a photo (PHOTO_SHARE where there are any) or drawn."""
    if pools.photos and kind is None and rng.random() < PHOTO_SHARE:
        long = [p for p in pools.photos if p.cut.sleeves == "long"]
        piece = pick(rng, long if long and rng.random() < LONG_PHOTO_SHARE else pools.photos)
        ease = rng.uniform(0.005, 0.030)
        cut = replace(
            piece.cut,
            ease=ease,
            sleeve_ease=ease * rng.uniform(0.5, 1.0),
            hang=float(rng.choice([0.3, 0.7, 1.0])),
            droop=rng.uniform(0.3, 1),
        )
        return replace(
            piece, cut=cut, bump=pick(rng, pools.bumps), bump_gain=rng.uniform(0.15, 0.7), seed=int(rng.integers(2**31))
        )
    cut = draw_cut(rng, pools.bodies, kind)
    return drawn_piece(pools.bodies, cut, pick(rng, pools.textures), pick(rng, pools.bumps), rng)


def ease_of_photo(landmarks: np.ndarray) -> float:
    """Metres of ease of a photographed garment, from its landmarks: the wider its chest beside its shoulders."""
    left, right = (landmarks[LANDMARKS.index(f"armpit_{side}")] for side in ("left", "right"))
    chest = float(np.linalg.norm(right - left))
    left, right = (landmarks[LANDMARKS.index(f"shoulder_{side}")] for side in ("left", "right"))
    wide = chest / max(float(np.linalg.norm(right - left)), 1.0)
    return float(np.interp(wide, PHOTO_CHESTS, PHOTO_EASE_M))


def make_sample(pools: Pools, seed: int) -> dict[str, np.ndarray]:
    """The arrays of one sample, as `shards` stores them (without the leading axis)."""
    rng = np.random.default_rng(seed)
    shot = draw_shot(pools, rng)
    a, b = draw_piece(pools, rng), draw_piece(pools, rng)
    cut_b, inner = cuts.worn_variant(b.cut, rng), None
    if not b.photo and b.cut.kind in ("shirt", "hoodie", "jumper") and rng.random() < OPEN_SHARE * 3:
        cut_b = cuts.opened(b.cut, rng)
        inner = draw_piece(pools, rng, "tshirt")
        inner = replace(inner, cut=replace(inner.cut, ease=0.003, sleeve_ease=0.002, tuck=None))
    in_a = render(shot, a, shown_cut(a))
    in_b = render(shot, b, cut_b, inner, rng if rng.random() < LANYARD_SHARE else None)
    return _sample(shot, a, in_a, in_b, seed)


def make_pair(pools: Pools, seed: int) -> list[dict[str, np.ndarray]]:
    """Two samples for little more than the price of one: the same person in A and in B, from each to the other."""
    rng = np.random.default_rng(seed)
    shot = draw_shot(pools, rng)
    pieces = draw_piece(pools, rng), draw_piece(pools, rng)
    worn = [render(shot, piece, shown_cut(piece)) for piece in pieces]
    return [_sample(shot, pieces[k], worn[k], worn[1 - k], seed) for k in (0, 1)]


def shown_cut(piece: Piece) -> Cut:
    """A garment's cut as the mirror shows it; that of a photo with the ease its landmarks tell."""
    cut = cuts.as_shown(piece.cut)
    if not piece.photo:
        return cut
    ease = ease_of_photo(piece.landmarks)
    return replace(cut, ease=ease, sleeve_ease=ease * PHOTO_SLEEVE_EASE)


def _sample(shot: Shot, a: Piece, in_a: Render, in_b: Render, seed: int) -> dict[str, np.ndarray]:
    return {
        "person": in_b.picture,
        "target": in_a.picture,
        "garment": a.flat,
        "garment_mask": a.mask,
        "garment_landmarks": a.landmarks.astype(np.float32),
        "flow": half_canvas_flow(in_a.view).astype(np.float16),
        "parts_a": in_a.parts,
        "parts_b": in_b.parts,
        "landmarks": landmarks(shot),
        "kind": np.array(cuts.kind_index(a.cut), np.uint8),
        "sleeves": np.array(cuts.sleeves_index(a.cut), np.uint8),
        "is_photo": np.array(a.photo, np.uint8),
        "skin_tone": np.array(shot.figure.look.tone, np.uint8),
        "body": np.array(shot.figure.body.number, np.uint16),
        "seed": np.array(seed, np.uint64),
    }


__all__ = ["PLAIN_SENSOR", "Body", "Pools", "Shot", "draw_shot", "make_pair", "make_pools", "make_sample", "render"]
