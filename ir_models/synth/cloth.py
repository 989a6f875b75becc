"""Cloth on a body: the garment layer with ease, hang, droop and folds; collars and hoods at its neck."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ir_models.synth.bodies import Bodies, Body, move, normals, smooth
from ir_models.synth.cuts import Cut
from ir_models.synth.textures import Noise

ANGLES, ROW_M = 48, 0.02
"""Bins around the torso, and height of a row, of the profile by which cloth hangs."""
TAPER_M = 0.004
"""How fast hanging cloth comes back in, metres a row."""
SHOULDER_REST = 0.75
"""Share of the ease that weight takes away where the cloth lies on top of the shoulders."""
SLEEVE_TAPER = 0.55
FOLD_M = 0.10
"""Height of folds as a share of the ease."""


def smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def hang(bodies: Bodies, v: np.ndarray, amount: float) -> np.ndarray:
    """Let the torso fall straight from its widest points: every height at least as wide as what is above it."""
    low, high = bodies.crotch - 0.30, bodies.crotch + 0.44
    torso = np.flatnonzero((bodies.on_arm < 0.3) & (v[:, 2] > low))
    p = v[torso]
    centre = np.median(p[:, 1])
    angle, radius = np.arctan2(p[:, 1] - centre, p[:, 0]), np.hypot(p[:, 0], p[:, 1] - centre)
    column = ((angle + np.pi) / (2 * np.pi) * ANGLES).astype(int) % ANGLES
    row = np.clip(((p[:, 2] - low) / ROW_M).astype(int), 0, None)
    rows = row.max() + 1
    profile = np.zeros((rows, ANGLES), np.float32)
    np.maximum.at(profile, (row, column), radius)
    profile = cv2.GaussianBlur(np.tile(profile, (1, 3)), (0, 0), 1.3)[:, ANGLES : 2 * ANGLES]
    wide = np.zeros(ANGLES, np.float32)
    for k in range(min(int((high - low) / ROW_M), rows - 1), -1, -1):
        wide = np.maximum(wide - TAPER_M, profile[k])
        profile[k] = wide
    x = (angle + np.pi) / (2 * np.pi) * ANGLES - 0.5
    i, share = np.floor(x).astype(int), x - np.floor(x)
    r = np.minimum(row, rows - 1)
    want = profile[r, i % ANGLES] * (1 - share) + profile[r, (i + 1) % ANGLES] * share
    weight = amount * smoothstep((high - p[:, 2]) / 0.12) * (1 - smoothstep(bodies.on_arm[torso] / 0.3))
    gain = 1 + weight * (np.maximum(want / np.maximum(radius, 1e-3), 1) - 1)
    out = v.copy()
    out[torso, 0] *= gain
    out[torso, 1] = centre + (p[:, 1] - centre) * gain
    return out


def ease_of(bodies: Bodies, cut: Cut) -> np.ndarray:
    """float (V,): how far the cloth stands off the body; sleeves narrow towards the wrist."""
    on_sleeve = smoothstep(bodies.arm / 0.25) * (bodies.on_arm > 0.1)
    sleeve = cut.sleeve_ease * (1 - SLEEVE_TAPER * np.clip(bodies.arm, 0, 1))
    return cut.ease + (sleeve - cut.ease) * on_sleeve


def rest_shape(bodies: Bodies, body: Body, cut: Cut, noise: Noise) -> np.ndarray:
    """float32 (V, 3): the garment on the resting body."""
    v = bodies.cloth_at_rest(body)
    n = smooth(normals(v, bodies.garment_faces), *bodies.cloth_neighbours, 6)
    on_sleeve = smoothstep(bodies.arm / 0.25) * (bodies.on_arm > 0.1)
    ease = ease_of(bodies, cut)
    ease = ease * (1 - SHOULDER_REST * np.clip(n[:, 2], 0, 1) * (1 - on_sleeve))
    sheet = bodies.tight["front"]
    near_neck = smoothstep((0.60 - sheet[:, 1]) / 0.1 + smoothstep((np.abs(sheet[:, 0]) - 0.11) / 0.08))
    ease = 0.004 + (ease - 0.004) * np.clip(near_neck, 0.15, 1)
    if cut.rib_cuff > 0:  # ribbed cuffs hold the sleeve to the wrist
        ease = ease * (
            1 - 0.8 * smoothstep((bodies.arm - (cut.sleeve - cut.rib_cuff * 1.6)) / 0.05) * (bodies.arm > 0.5)
        )
    if cut.tuck is not None:
        height = v[:, 2] - (bodies.crotch + 0.02 + cut.tuck)
        torso = bodies.on_arm < 0.2
        puff = np.exp(-(((height - 0.05) / 0.05) ** 2)) * cut.ease * 0.7
        ease = np.where(torso, np.where(height < 0.015, 0.004, ease + puff), ease)
    v = v + n * ease[:, None].astype(np.float32)
    if cut.hang > 0 and cut.tuck is None:
        v = hang(bodies, v, cut.hang)
    return smooth(v.astype(np.float32), *bodies.cloth_neighbours, 4)


def posed(bodies: Bodies, body: Body, cut: Cut, moves: np.ndarray, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """The garment on the posed body: float32 (V, 3) and its normals. moves: of `rig.transforms`."""
    v = move(rest_shape(bodies, body, cut, noise), bodies.cloth_bones, bodies.cloth_weights, moves)
    v = smooth(v, *bodies.cloth_neighbours, 2)
    n = normals(v, bodies.garment_faces)
    sleeve = smoothstep((bodies.arm - 0.05) / 0.25) * (bodies.on_arm > 0.1)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        for bone, part in (("upperarm01", bodies.arm < 0.55), ("lowerarm01", bodies.arm >= 0.55)):
            b = bodies.bone[f"{bone}.{side}"]
            child = bodies.bone[f"{'lowerarm01' if bone == 'upperarm01' else 'wrist'}.{side}"]
            d = moves[b, :, :3] @ (body.heads[child] - body.heads[b])
            level = np.sqrt(max(1 - (d[2] / np.linalg.norm(d)) ** 2, 0))
            mine = (np.sign(bodies.tight["front"][:, 0] + bodies.tight["back"][:, 0]) == sign) & part
            v[mine, 2] -= (sleeve * cut.sleeve_ease * cut.droop * level)[mine] * 0.7
    fold = noise.at(bodies.tight["front"] * 0.5 + bodies.tight["back"] * 0.5)
    v = v + n * (fold * (0.0015 + FOLD_M * cut.ease))[:, None].astype(np.float32)
    v = smooth(v.astype(np.float32), *bodies.cloth_neighbours, 1)
    return v, normals(v, bodies.garment_faces)


def wrinkle_strength(bodies: Bodies, cut: Cut, bends: tuple[float, float]) -> np.ndarray:
    """float32 (V,): how strongly each part of the cloth wrinkles; bends: of the (left, right) elbow, 0..1."""
    uv = bodies.tight["front"] * 0.5 + bodies.tight["back"] * 0.5
    elbow = np.exp(-(((bodies.arm - 0.52) / 0.14) ** 2)) * np.where(uv[:, 0] > 0, bends[0], bends[1])
    armpit = np.exp(-((np.abs(uv[:, 0]) - 0.19) ** 2 + (uv[:, 1] - 0.46) ** 2) / 0.006)
    waist = np.exp(-(((uv[:, 1] - 0.12) / 0.1) ** 2)) * (bodies.on_arm < 0.1)
    calm = 0.35 + 12 * cut.ease
    return (calm + 0.8 * elbow + 0.5 * armpit + 0.5 * waist * (1 if cut.tuck is None else 1.6)).astype(np.float32)


class NeckRing:
    """The edge of the garment layer around the neck, in order, seen from above anticlockwise from the front."""

    def __init__(self, bodies: Bodies):
        from ir_models.synth.cuts import SheetOutline
        from ir_models.synth.extract import border_edges

        edges = border_edges(bodies.garment_faces)
        rest = bodies.mean[bodies.pairs].mean(1)
        near = (np.abs(rest[edges[:, 0], 0]) < 0.11) & (rest[edges[:, 0], 2] > 0.6)
        ring = SheetOutline._ordered(edges[near])
        p = rest[ring]
        angle = np.arctan2(p[:, 0], -(p[:, 1] - p[:, 1].mean()))  # 0 in front, positive to the person's left
        order = np.argsort(angle)
        self.vertices, self.angle = ring[order], angle[order]
        self.front = np.isin(self.vertices, np.unique(bodies.front))


@lru_cache(maxsize=2)
def neck_ring(bodies: Bodies) -> NeckRing:
    return NeckRing(bodies)


def collar_profile(kind: str, rng: np.random.Generator, angle: np.ndarray) -> np.ndarray | None:
    """float (rows, columns, 2): height along the neck and distance outwards of each row over the neck ring, metres."""
    u, front = rng.uniform, np.cos(angle)
    if kind == "turtle":
        tall, thick = u(0.035, 0.075), u(0.004, 0.012)
        rows = [(0, 0), (0.3, 1), (0.75, 1.0), (1.0, 0.9), (1.0, 0.2), (0.8, -0.3)]
        return np.array([np.stack([tall * h + 0 * angle, thick * o + 0 * angle], 1) for h, o in rows])
    if kind == "shirt":
        stand, leaf, point = u(0.016, 0.028), u(0.030, 0.045), u(0.01, 0.035)
        hanging = smoothstep(
            (front - 0.1) / 0.6
        )  # in front the leaf hangs on the chest, beside it lies on the shoulder
        down = leaf * (0.45 + 0.55 * hanging) + point * smoothstep((front - 0.6) / 0.35)
        out = 0.010 + leaf * 0.75 * (1 - hanging) + 0.010 * hanging
        flat = np.zeros_like(angle)
        return np.array([
            np.stack([flat - 0.004, flat + 0.002], 1), np.stack([flat + stand * 0.7, flat + 0.002], 1),
            np.stack([flat + stand, flat + 0.005], 1), np.stack([flat + stand * 0.8, out * 0.45], 1),
            np.stack([stand - down * 0.5, out * 0.8], 1), np.stack([stand - down, out * 1.15], 1),
        ])  # fmt: skip
    if kind == "hood":
        size, behind = u(0.05, 0.085), 0.2 + 0.8 * smoothstep((0.3 - front) / 1.1)
        arc = [(-0.1, 0.15), (0.25, 0.75), (0.1, 1.35), (0.55, 1.6), (0.95, 1.2), (1.05, 0.7), (0.8, 0.25), (0.35, 0.1)]
        return np.array([np.stack([size * behind * h, size * behind * o], 1) for h, o in arc])
    return None


def collar_mesh(
    bodies: Bodies, cloth: np.ndarray, moves: np.ndarray, body: Body, kind: str, rng: np.random.Generator, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, NeckRing] | None:
    """Collar, turtleneck or lying hood on a posed garment: vertices (V, 3), faces (F, 3), the profile (rows, columns,
    2) and the ring. gap: half angle left open in front, radians."""
    ring = neck_ring(bodies)
    profile = collar_profile(kind, rng, ring.angle)
    if profile is None:
        return None
    base = cloth[ring.vertices]
    for _ in range(3):
        base = 0.5 * base + 0.25 * (np.roll(base, 1, 0) + np.roll(base, -1, 0))
    neck, head = bodies.bone["neck01"], bodies.bone["head"]
    axis = moves[neck, :, :3] @ (body.heads[head] - body.heads[neck])
    axis /= np.linalg.norm(axis)
    out = base - base.mean(0)
    out -= axis * (out @ axis)[:, None]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    rows = [base + axis * r[:, :1] + out * r[:, 1:] for r in profile]
    if kind == "turtle":  # hug the neck: pull the ring in as it rises
        rows = [p - out * (0.012 * k / len(rows)) for k, p in enumerate(rows)]
    faces = ring_faces(len(rows), ring, gap)
    return np.concatenate(rows).astype(np.float32), faces, profile, ring


def ring_faces(rows: int, ring, gap: float) -> np.ndarray:
    """int32 (F, 3): triangles between `rows` rings of points, one above the other; open at the front where gap > 0."""
    columns, faces = len(ring.angle), []
    for r in range(rows - 1):
        for c in range(columns):
            d = (c + 1) % columns
            if gap > 0 and (abs(ring.angle[c]) < gap or abs(ring.angle[d]) < gap):
                continue
            a, b, e, g = r * columns + c, r * columns + d, (r + 1) * columns + c, (r + 1) * columns + d
            faces += [(a, b, e), (b, g, e)]
    return np.array(faces, np.int32)
