"""Who stands there: skin, face, hair, eyes, glasses, trousers. All procedural; hair meshes of MakeHuman if given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ir_models.synth.bodies import Bodies, Body, move, normals
from ir_models.synth.cloth import smoothstep
from ir_models.synth.raster import TROUSERS, Mesh, table_row

SKIN, HEAD, HAIR, HAND, LEGS, FRONT, BACK, ACCESSORY = range(1, 9)
"""Part labels."""
TONES = {
    0: ((0.92, 0.74, 0.64), (0.82, 0.62, 0.51)),
    1: ((0.76, 0.55, 0.42), (0.60, 0.41, 0.29)),
    2: ((0.46, 0.30, 0.21), (0.24, 0.15, 0.11)),
}
"""Skin groups light, medium, dark: the two ends of a range of sRGB colours, 0..1."""
HAIR_COLOURS = ((0.05, 0.04, 0.035), (0.10, 0.065, 0.045), (0.20, 0.12, 0.07), (0.36, 0.23, 0.12), (0.60, 0.46, 0.27),
                (0.42, 0.40, 0.39), (0.70, 0.68, 0.66), (0.34, 0.13, 0.07))  # fmt: skip
IRIS = ((0.20, 0.11, 0.06), (0.30, 0.40, 0.50), (0.28, 0.32, 0.18), (0.12, 0.07, 0.04))
FACE_HALF_M = 0.058
BODY_BIAS_M, LEGS_BIAS_M, TUCKED_LEGS_BIAS_M = 0.011, 0.008, -0.004
"""Surfaces under cloth are pushed back, so that tight cloth never lets them through; trousers over a tucked shirt
come forward."""


@dataclass(frozen=True)
class FaceMap:
    """Fixed masks of the body mesh, float32 (V,) 0..1: lips, brow (both), cheek, beard, and `hairline`: metres by
    which a scalp vertex lies inside the hair (negative outside)."""

    lips: np.ndarray
    brow: np.ndarray
    cheek: np.ndarray
    beard: np.ndarray
    socket: np.ndarray
    hairline: np.ndarray
    head: np.ndarray
    hand: np.ndarray


@lru_cache(maxsize=4)
def face_map(bodies: Bodies) -> FaceMap:
    v = bodies.mean[: bodies.count]
    heads = bodies.mean[bodies.count :]
    head, hand = bodies.head_weight(), bodies.hand_weight()
    eye = heads[bodies.bone["eye.L"]]
    x, y, z = np.abs(v[:, 0]), v[:, 1], v[:, 2] - eye[2]
    n = normals(v.astype(np.float32), bodies.body_faces)
    front = smoothstep((-n[:, 1] - 0.1) / 0.4) * (head > 0.3)
    mouth_z = -0.071
    lips = front * smoothstep(1.6 - 1.3 * np.hypot(x / 0.024, (z - mouth_z) / 0.0105)) * (y < -0.12)
    along = x - 0.034
    arch = 0.0230 - 4.5 * along**2 * np.where(along < 0, 2.0, 1.5)
    brow = (
        smoothstep(1.7 - np.abs(z - arch) / 0.0036)
        * smoothstep((0.026 - np.abs(along)) / 0.006)
        * (y < -0.08)
        * (head > 0.3)
    )
    cheek = front * np.exp(-(((x - 0.045) / 0.022) ** 2) - ((z + 0.04) / 0.02) ** 2)
    socket = front * np.exp(-(((x - 0.032) / 0.020) ** 2) - ((z - 0.002) / 0.013) ** 2)
    jaw = smoothstep((-0.028 - z - 0.4 * np.clip(0.055 - x, -0.02, 0.05)) / 0.02) * smoothstep((z + 0.145) / 0.03)
    beard = jaw * smoothstep((-0.035 - y) / 0.03) * (head > 0.2) * (1 - lips)
    # Hairline: a plane that is high in front and falls to the nape; round the ears it stays above and behind.
    top = np.interp(y, [-0.16, -0.10, -0.055, -0.03, 0.02, 0.06], [0.068, 0.058, 0.030, 0.005, -0.055, -0.095])
    hairline = z - top
    ear = np.exp(-(((y + 0.035) / 0.018) ** 2) - ((z + 0.015) / 0.035) ** 2) * (x > 0.066)
    hairline = np.where(head > 0.05, hairline - 0.09 * ear, -0.1)
    f = lambda a: a.astype(np.float32)  # noqa: E731
    return FaceMap(f(lips), f(brow), f(cheek), f(beard), f(socket), f(hairline), f(head), f(hand))


@dataclass(frozen=True)
class HairMesh:
    """Hair bound to body vertices. corners (H, 3), weights (H, 3), offsets (H, 3) in metres of the mean head, faces."""

    name: str
    corners: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    faces: np.ndarray
    spans: tuple
    bones: np.ndarray
    bone_weights: np.ndarray


def read_hair(folder: Path, bodies: Bodies) -> HairMesh:
    """A MakeHuman hair asset (NAME.obj, NAME.mhclo) bound to the reduced body mesh.

    A row of the .mhclo names three vertices of the base mesh, their weights and an offset, scaled by the head's size.
    """
    name = folder.name
    where = np.full(20000, -1)
    where[bodies.makehuman_index] = np.arange(bodies.count)
    spans, rows, reading = {}, [], False
    for line in (folder / f"{name}.mhclo").read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            spans[words[0][0]] = (where[int(words[1])], where[int(words[2])], float(words[3]))
        elif words[0] == "verts":
            reading = True
        elif reading and len(words) == 9:
            rows.append([float(w) for w in words])
        elif reading and len(words) == 1 and words[0].isdigit():
            rows.append([float(words[0]), float(words[0]), float(words[0]), 1, 0, 0, 0, 0, 0])
        elif reading and rows:
            break
    data = np.array(rows)
    corners = where[data[:, :3].astype(int)]
    if (corners < 0).any():
        raise ValueError(f"{name} is bound to vertices the reduced body lacks")
    triangles = []
    for line in (folder / f"{name}.obj").read_text().splitlines():
        if line.startswith("f "):
            p = [int(w.split("/")[0]) - 1 for w in line.split()[1:]]
            triangles += [(p[0], p[k], p[k + 1]) for k in range(1, len(p) - 1)]
    faces = _clear_of_face(np.array(triangles, np.int32), corners, data[:, 3:6], bodies)
    strong = np.zeros((len(data), len(bodies.bone_names)), np.float32)
    for k in range(3):
        np.add.at(strong, (np.arange(len(data))[:, None], bodies.skin_bones[corners[:, k]]),
                  bodies.skin_weights[corners[:, k]] * data[:, 3 + k : 4 + k])  # fmt: skip
    strong = np.clip(strong, 0, None)
    order = np.argsort(-strong, 1)[:, :6]
    w = np.take_along_axis(strong, order, 1)
    w /= np.maximum(w.sum(1, keepdims=True), 1e-6)
    return HairMesh(name, corners, data[:, 3:6].astype(np.float32), data[:, 6:].astype(np.float32),
                    faces, tuple(spans[k] for k in "xyz"), order.astype(np.int32), w.astype(np.float32))  # fmt: skip


def _clear_of_face(faces: np.ndarray, corners: np.ndarray, weights: np.ndarray, bodies: Bodies) -> np.ndarray:
    """The triangles that do not hang before the face: strands are drawn opaque, and would hide it."""
    bound = (bodies.mean[corners] * weights[..., None]).sum(1)[faces].mean(1)
    eye = bodies.mean[bodies.count :][bodies.bone["eye.L"]]
    x, y, z = np.abs(bound[:, 0]), bound[:, 1], bound[:, 2] - eye[2]
    before = (x < FACE_HALF_M) & (y < eye[1] + 0.06) & (z > -0.15) & (z < 0.03)
    return faces[~before]


def hair_at_rest(hair: HairMesh, body: Body) -> np.ndarray:
    """float32 (H, 3): hair on a resting body. MakeHuman is y up in decimetres; here z is up, metres."""
    v = body.vertices
    size = [abs(v[i, a] - v[j, a]) * 10 / d for (i, j, d), a in zip(hair.spans, (0, 2, 1), strict=True)]
    offset = (
        np.stack([hair.offsets[:, 0] * size[0], -hair.offsets[:, 2] * size[2], hair.offsets[:, 1] * size[1]], 1) * 0.1
    )
    return ((v[hair.corners] * hair.weights[..., None]).sum(1) + offset).astype(np.float32)


@dataclass(frozen=True)
class Look:
    """What somebody looks like. tone: 0 light, 1 medium, 2 dark. Colours linear RGB. beard, fringe: 0..1.

    style: "bald", "short", "long" or the name of a hair mesh. long_to: height where long hair ends, metres below the
    eyes. glasses: (lens half width, half height, thickness, colour) or None. waist: trousers' top above the crotch.
    """

    tone: int
    skin: np.ndarray
    lips: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    style: str
    thick: float
    long_to: float
    beard: float
    glasses: tuple | None
    trousers: np.ndarray
    waist: float
    seed: int


def linear(srgb: np.ndarray | tuple) -> np.ndarray:
    """sRGB 0..1 -> linear, by the square the renderer uses throughout."""
    return np.asarray(srgb, np.float32) ** 2


def draw_look(rng: np.random.Generator, body: Body, hair_names: list[str], trousers: np.ndarray) -> Look:
    tone = int(rng.integers(3))
    a, b = (np.array(c) for c in TONES[tone])
    skin = np.clip(a + (b - a) * rng.random() + rng.normal(0, 0.015, 3), 0.05, 0.97)
    dark_hair = tone > 0 and rng.random() < 0.85
    hair = np.array(HAIR_COLOURS[int(rng.integers(3 if dark_hair else len(HAIR_COLOURS)))])
    hair = np.clip(hair * rng.uniform(0.8, 1.2) + rng.normal(0, 0.008, 3), 0.015, 0.9)
    suited = [h for h in hair_names if body.woman or h.startswith(("short", "afro"))]
    if body.woman and rng.random() > 0.15:
        suited = [h for h in suited if not h.startswith("short")] or suited
    if suited and rng.random() < 0.65:
        style = str(rng.choice(suited))
    else:
        style = str(rng.choice(["long", "short", "bald"], p=(0.7, 0.29, 0.01) if body.woman else (0.1, 0.75, 0.15)))
    glasses = None
    if rng.random() < 0.22:
        glasses = (
            rng.uniform(0.021, 0.027),
            rng.uniform(0.014, 0.022),
            rng.uniform(0.0015, 0.0035),
            float(rng.choice([0.01, 0.03, 0.25])),
        )
    red = np.array([1.12, 0.66, 0.66]) if body.woman and rng.random() < 0.4 else np.array([1.02, 0.80, 0.79])
    iris = int(rng.integers(4)) if tone == 0 else int(rng.choice([0, 3]))
    return Look(
        tone, linear(skin), linear(np.clip(skin * red, 0, 1)), linear(hair), linear(IRIS[iris]),
        style, rng.uniform(0.008, 0.022) if not body.woman else rng.uniform(0.012, 0.026), rng.uniform(0.12, 0.42),
        float(rng.random() < 0.35) * rng.uniform(0.25, 0.9) if not body.woman else 0.0, glasses, linear(trousers),
        rng.uniform(0.14, 0.20), int(rng.integers(2**31)),
    )  # fmt: skip


def skin_colours(bodies: Bodies, look: Look) -> np.ndarray:
    """float32 (V, 3) linear albedo of the body mesh: a face that reads as one, and blotches."""
    m, rng = face_map(bodies), np.random.default_rng(look.seed)
    v = bodies.mean[: bodies.count]
    waves = rng.normal(0, 1, (6, 3)) * 30
    blotch = sum(np.sin(v @ w + rng.uniform(0, 6)) for w in waves) / 6
    c = look.skin * (1 + 0.035 * blotch[:, None])
    ruddy = np.array([1.10, 0.86, 0.84])
    c = c * (1 + (ruddy - 1) * (0.55 * m.cheek + 0.30 * m.hand)[:, None])
    c = c * (1 - 0.25 * m.socket[:, None] * np.array([0.8, 1.0, 0.9]))
    c = c + (look.lips - c) * (0.9 * m.lips)[:, None]
    c = c + (look.hair * 0.6 - c) * (0.85 * m.brow)[:, None]
    c = c + (look.hair * 0.8 - c) * (look.beard * m.beard)[:, None]
    if look.style != "bald":
        c = c + (look.hair - c) * smoothstep((m.hairline - 0.002) / 0.012)[:, None]
    return c.astype(np.float32)


class Figure:
    """A posed person without the garments: meshes of body, eyes, hair and trousers, and where the joints are."""

    def __init__(self, bodies: Bodies, body: Body, look: Look, moves: np.ndarray, hair: dict[str, HairMesh]):
        self.bodies, self.body, self.look, self.moves = bodies, body, look, moves
        self.vertices = move(body.vertices, bodies.skin_bones, bodies.skin_weights, moves)
        self.joints = np.einsum("bij,bj->bi", moves[:, :, :3], body.heads) + moves[:, :, 3]
        self.body_normals = normals(self.vertices, bodies.body_faces)
        self._hair = hair
        self._skin = self._skin_mesh()
        self._fixed = [self._skin, self._eyes(), *self._hair_meshes()]

    def joint(self, name: str) -> np.ndarray:
        return self.joints[self.bodies.bone[name]]

    def meshes(self, tucked: bool) -> list[Mesh]:
        return [*self._fixed, self._trousers(tucked)]

    def _skin_mesh(self) -> Mesh:
        b, m = self.bodies, face_map(self.bodies)
        attributes = np.zeros((b.count, 6), np.float32)
        attributes[:, :3] = skin_colours(b, self.look)
        faces = b.body_faces
        owner = np.zeros(len(faces), np.uint8)
        owner[m.head[faces].mean(1) > 0.5] = 1
        owner[m.hand[faces].mean(1) > 0.5] = 2
        rows = [table_row(p, gloss=0.045, bias_m=BODY_BIAS_M, cull=1) for p in (SKIN, HEAD, HAND)]
        return Mesh(self.vertices, self.body_normals, attributes, faces, owner, np.stack(rows))

    def _eyes(self) -> Mesh:
        b, rest = self.bodies, self.body.vertices
        faces = b.eye_faces
        attributes = np.zeros((b.count, 6), np.float32)
        for sign in (1, -1):
            mine = np.unique(faces[np.sign(rest[faces[:, 0], 0]) == sign])
            d = rest[mine] - rest[mine].mean(0)
            ahead = -d[:, 1] / np.linalg.norm(d, axis=1)
            white, black = np.array([0.62, 0.58, 0.56]), np.array([0.012, 0.012, 0.012])
            attributes[mine, :3] = np.where(
                ahead[:, None] > 0.95, black, np.where(ahead[:, None] > 0.82, self.look.iris, white)
            )
        n = normals(self.vertices, faces)
        return Mesh(
            self.vertices,
            n,
            attributes,
            faces,
            np.zeros(len(faces), np.uint8),
            table_row(HEAD, gloss=0.5, bias_m=BODY_BIAS_M)[None],
        )

    def _hair_meshes(self) -> list[Mesh]:
        look = self.look
        out: list[Mesh] = []
        if look.style == "bald":
            return out
        if look.style in self._hair:
            out.append(self._asset(self._hair[look.style]))
            if look.style.startswith(("short", "afro")):
                out.append(self._cap(0.006))
            return out
        out.append(self._cap(look.thick))
        if look.style == "long":
            out.append(self._curtain())
        return out

    def _strands(self, p: np.ndarray, along: float = 260.0) -> np.ndarray:
        """Albedo (V, 3) with fine streaks."""
        rng = np.random.default_rng(self.look.seed + 1)
        streak = np.sin(np.arctan2(p[:, 0], p[:, 1] + 0.05) * along / 6 + rng.uniform(0, 6)) * 0.5 + np.sin(
            p[:, 0] * along + p[:, 2] * 40 + rng.uniform(0, 6)
        )
        return self.look.hair * (1.0 + 0.16 * streak[:, None])

    def _asset(self, hair: HairMesh) -> Mesh:
        rest = hair_at_rest(hair, self.body)
        v = move(rest, hair.bones, hair.bone_weights, self.moves)
        attributes = np.zeros((len(v), 6), np.float32)
        attributes[:, :3] = self._strands(rest)
        return Mesh(
            v,
            normals(v, hair.faces),
            attributes,
            hair.faces,
            np.zeros(len(hair.faces), np.uint8),
            table_row(HAIR, gloss=0.05)[None],
        )

    def _cap(self, thick: float) -> Mesh:
        b, m = self.bodies, face_map(self.bodies)
        rng = np.random.default_rng(self.look.seed + 2)
        faces = b.body_faces[(m.hairline[b.body_faces] > -0.02).all(1)]
        v = b.mean[: b.count]
        ragged = 0.004 * np.sin(v[:, 0] * 130 + rng.uniform(0, 6)) + 0.003 * np.sin(v[:, 1] * 260 + v[:, 0] * 90)
        line = m.hairline + ragged
        lift = thick * smoothstep((line + 0.004) / 0.03) * (1 + 0.2 * np.sin(v[:, 0] * 55 + rng.uniform(0, 6)))
        p = self.vertices + self.body_normals * (lift + 0.0115 * 0)[:, None]
        attributes = np.zeros((b.count, 6), np.float32)
        attributes[:, :3] = self._strands(v)
        attributes[:, 3] = -line
        row = table_row(HAIR, gloss=0.04, sleeve=0.0, bias_m=BODY_BIAS_M - 0.003)
        return Mesh(p, normals(p, faces), attributes, faces, np.zeros(len(faces), np.uint8), row[None])

    def _curtain(self) -> Mesh:
        """Drawn long hair: a sheet round the back and the sides of the head that falls over the shoulders."""
        b, look, heads = self.bodies, self.look, self.body.heads
        rng = np.random.default_rng(look.seed + 3)
        columns, rows = 41, 12
        angle = np.linspace(-1, 1, columns)[None] * np.deg2rad(rng.uniform(100, 125))
        down = np.linspace(0, 1, rows)[:, None]
        eyes = (heads[b.bone["eye.L"]] + heads[b.bone["eye.R"]]) / 2
        fall = 0.075 - down * (look.long_to + 0.075)
        fall = fall + 0.012 * np.sin(angle * 23 + rng.uniform(0, 6)) * down
        below = smoothstep((-fall - 0.10) / 0.14)  # past the jaw it narrows to the neck, then lies on the shoulders
        wide = 0.076 + look.thick + 0.012 * np.sin(down * np.pi) + 0.015 * below + 0.002 * np.sin(angle * 40)
        deep = 0.092 + look.thick + 0.035 * below
        p = np.stack([wide * np.sin(angle), 0.085 + deep * np.cos(angle) + 0.01 * below, fall + 0 * angle], -1) + eyes
        p = p.reshape(-1, 3).astype(np.float32)
        loose = np.repeat(0.75 * smoothstep((down - 0.3) / 0.7), columns, 1).reshape(-1, 1)
        bones = np.tile(np.array([b.bone["head"], b.bone["spine01"]], np.int32), (len(p), 1))
        v = move(p, bones, np.concatenate([1 - loose, loose], 1).astype(np.float32), self.moves)
        k = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).ravel()
        faces = np.concatenate(
            [np.stack([k, k + columns, k + 1], 1), np.stack([k + 1, k + columns, k + columns + 1], 1)]
        )
        attributes = np.zeros((len(p), 6), np.float32)
        attributes[:, :3] = self._strands(p)
        row = table_row(HAIR, gloss=0.05)
        faces = faces.astype(np.int32)
        return Mesh(v, normals(v, faces), attributes, faces, np.zeros(len(faces), np.uint8), row[None])

    def _trousers(self, tucked: bool) -> Mesh:
        b, look = self.bodies, self.look
        rest = b.cloth_at_rest(self.body)
        v = rest + normals(rest, np.concatenate([b.leg_faces, b.garment_faces])) * 0.004
        v = move(v.astype(np.float32), b.cloth_bones, b.cloth_weights, self.moves)
        attributes = np.zeros((len(v), 6), np.float32)
        mean = b.mean[b.pairs].mean(1)
        attributes[:, 1] = mean[:, 2] - b.drop
        row = table_row(LEGS, TROUSERS, red=look.trousers[0], green=look.trousers[1], blue=look.trousers[2], bump=0.25,
                        bias_m=TUCKED_LEGS_BIAS_M if tucked else LEGS_BIAS_M, hem=b.crotch + look.waist)  # fmt: skip
        return Mesh(
            v, normals(v, b.leg_faces), attributes, b.leg_faces, np.zeros(len(b.leg_faces), np.uint8), row[None]
        )
