"""The bodies and the garment layer of bodies.npz, ready for posing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numba as nb
import numpy as np
import scipy.sparse as sp

from ir_models.synth.extract import INFLATION_M

HELD_OUT_EVERY = 8
"""Bodies whose number divides by this are never trained on."""
WEIGHT_SMOOTHING = 8
"""Rounds by which the garment's skin weights are smoothed: cloth bends more softly than skin."""
REST_SMOOTHING = 6
LOOKUP = 640
"""Cells across the map from a place on the flat sheet to the triangle there."""
LOOKUP_LEFT, LOOKUP_TOP, LOOKUP_SPAN = -0.62, 0.80, 1.24


@nb.njit(cache=True, fastmath=True, nogil=True)
def move(rest, bones, weights, moves):
    """Linear blend skinning: rest (V, 3), bones (V, K), weights (V, K), moves (B, 3, 4) -> (V, 3)."""
    out = np.empty_like(rest)
    for v in range(rest.shape[0]):
        x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
        sx, sy, sz = 0.0, 0.0, 0.0
        for k in range(bones.shape[1]):
            w = weights[v, k]
            if w == 0.0:
                continue
            m = moves[bones[v, k]]
            sx += w * (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3])
            sy += w * (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])
            sz += w * (m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3])
        out[v, 0], out[v, 1], out[v, 2] = sx, sy, sz
    return out


@nb.njit(cache=True, fastmath=True, nogil=True)
def normals(v, faces):
    """Unit vertex normals (V, 3), float32, weighted by area."""
    n = np.zeros_like(v)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = v[b, 0] - v[a, 0], v[b, 1] - v[a, 1], v[b, 2] - v[a, 2]
        wx, wy, wz = v[c, 0] - v[a, 0], v[c, 1] - v[a, 1], v[c, 2] - v[a, 2]
        nx, ny, nz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
        for i in (a, b, c):
            n[i, 0] += nx
            n[i, 1] += ny
            n[i, 2] += nz
    for i in range(len(n)):
        size = np.sqrt(n[i, 0] ** 2 + n[i, 1] ** 2 + n[i, 2] ** 2) + 1e-12
        n[i, 0] /= size
        n[i, 1] /= size
        n[i, 2] /= size
    return n


@nb.njit(cache=True, fastmath=True, nogil=True)
def smooth(values, start, neighbours, rounds):
    """Move each row of values (V, C) half way to the mean of its neighbours (CSR lists), `rounds` times."""
    current = values.copy()
    for _ in range(rounds):
        out = current.copy()
        for v in range(values.shape[0]):
            a, b = start[v], start[v + 1]
            if b == a:
                continue
            for c in range(values.shape[1]):
                total = 0.0
                for k in range(a, b):
                    total += current[neighbours[k], c]
                out[v, c] = 0.5 * current[v, c] + 0.5 * total / (b - a)
        current = out
    return current


def neighbour_lists(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """CSR (start, neighbours) of the mesh."""
    e = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    graph = sp.coo_matrix((np.ones(len(e)), (e[:, 0], e[:, 1])), (count, count)).tocsr()
    graph = ((graph + graph.T) > 0).tocsr()
    return graph.indptr.astype(np.int32), graph.indices.astype(np.int32)


@dataclass(frozen=True)
class Body:
    """One body at rest. vertices: float32 (V, 3), heads: float32 (bones, 3), metres. woman: what hair to choose."""

    number: int
    vertices: np.ndarray
    heads: np.ndarray
    woman: bool


class Bodies:
    """All bodies and what they share: skin weights, faces, the garment layer and its flat sheets."""

    def __init__(self, path: Path):
        with np.load(path) as z:
            data = {k: z[k] for k in z.files}
        self.mean, self._components = data["mean"], data["components"].astype(np.float32)
        self._coefficients, self._gender = data["coefficients"], data["gender"]
        self.bone_names = [str(n) for n in data["bone_names"]]
        self.bone = {n: i for i, n in enumerate(self.bone_names)}
        self.parents = data["bone_parents"].astype(int)
        self.count = len(self.mean) - len(self.bone_names)
        self.skin_bones = data["skin_bones"].astype(np.int32)
        self.skin_weights = data["skin_weights"].astype(np.float32)
        self.makehuman_index = data["makehuman_index"].astype(int)
        self.body_faces, self.eye_faces, self.leg_faces, self.front, self.back = (
            data[k].astype(np.int32) for k in ("body_faces", "eye_faces", "leg_faces", "front_faces", "back_faces")
        )
        self.pairs, self.drop = data["garment_pairs"].astype(np.int32), data["garment_drop"]
        self.arm, self.on_arm = data["garment_arm"], data["garment_on_arm"]
        self.crotch = float(data["crotch"])
        self.tight = {s: data[f"uv_{s}_tight"] for s in ("front", "back")}
        loose = {s: data[f"uv_{s}_loose"] for s in ("front", "back")}
        self.widening = {s: (loose[s] - self.tight[s]) / INFLATION_M for s in ("front", "back")}
        """float32 (V, 2): how a flat sheet grows, metres per metre of ease."""
        self.garment_faces = np.concatenate([self.front, self.back])
        self.cloth_neighbours = neighbour_lists(np.concatenate([self.garment_faces, self.leg_faces]), len(self.pairs))
        self.cloth_bones, self.cloth_weights = self._cloth_weights()

    def __len__(self) -> int:
        return len(self._coefficients)

    def numbers(self, held_out: bool) -> np.ndarray:
        """Which bodies are for training, or held out."""
        all_ = np.arange(1, len(self))
        return all_[(all_ % HELD_OUT_EVERY == 0) == held_out]

    def body(self, number: int) -> Body:
        flat = self.mean + np.tensordot(self._coefficients[number], self._components, 1)
        flat = flat.astype(np.float32)
        return Body(number, flat[: self.count], flat[self.count :], bool(self._gender[number] > 0.5))

    def _cloth_weights(self) -> tuple[np.ndarray, np.ndarray]:
        n, bones = len(self.pairs), len(self.bone_names)
        dense = np.zeros((self.count, bones), np.float32)
        np.put_along_axis(dense, self.skin_bones.astype(int), self.skin_weights, 1)
        cloth = smooth(dense[self.pairs].mean(1), *self.cloth_neighbours, WEIGHT_SMOOTHING)
        order = np.argsort(-cloth, 1)[:, :8]
        weights = np.take_along_axis(cloth, order, 1)
        assert len(cloth) == n
        return order.astype(np.int32), (weights / weights.sum(1, keepdims=True)).astype(np.float32)

    def cloth_at_rest(self, body: Body) -> np.ndarray:
        """float32 (V, 3): the garment layer on the resting body, smoothed, with no ease."""
        v = body.vertices[self.pairs].mean(1)
        v[:, 2] -= self.drop
        return smooth(v, *self.cloth_neighbours, REST_SMOOTHING)

    def hand_weight(self) -> np.ndarray:
        """float32 (V,): how far a body vertex belongs to a hand."""
        hand = [n.startswith(("wrist", "finger", "metacarpal")) for n in self.bone_names]
        return (self.skin_weights * np.array(hand, np.float32)[self.skin_bones]).sum(1)

    def head_weight(self) -> np.ndarray:
        """float32 (V,): how far a body vertex belongs to the head (the neck does not)."""
        torso = ("root", "pelvis", "upperleg", "lowerleg", "spine", "clavicle", "shoulder", "upperarm", "lowerarm",
                 "wrist", "finger", "metacarpal", "foot", "toe", "neck01", "neck02", "breast")  # fmt: skip
        head = [not n.startswith(torso) for n in self.bone_names]
        return (self.skin_weights * np.array(head, np.float32)[self.skin_bones]).sum(1)

    @cached_property
    def _sheet_map(self) -> tuple[np.ndarray, np.ndarray]:
        """For each cell of the canonical square: the nearest front triangle, and its corners' places."""
        import cv2

        grid = np.zeros((LOOKUP, LOOKUP), np.int32)
        corners = self.tight["front"][self.front]
        cells = np.stack([corners[..., 0] - LOOKUP_LEFT, LOOKUP_TOP - corners[..., 1]], -1) / LOOKUP_SPAN * LOOKUP - 0.5
        for f, c in enumerate(np.round(cells * 16).astype(np.int32)):
            cv2.fillConvexPoly(grid, c, f + 1, shift=4)
        _, label = cv2.distanceTransformWithLabels(
            (grid == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        face = np.zeros(label.max() + 1, np.int32)
        face[label[grid > 0]] = grid[grid > 0] - 1
        return face[label], corners

    def on_sheet(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places (n, 2) on the canonical front sheet -> vertices (n, 3) and weights (n, 3) that make them up."""
        lookup, corners = self._sheet_map
        cell = np.stack([places[:, 0] - LOOKUP_LEFT, LOOKUP_TOP - places[:, 1]], 1) / LOOKUP_SPAN * LOOKUP
        cell = np.clip(cell.astype(int), 0, LOOKUP - 1)
        face = lookup[cell[:, 1], cell[:, 0]]
        a, b, c = corners[face].transpose(1, 0, 2)
        m = np.stack([b - a, c - a], -1)
        w = np.linalg.solve(m, (places - a)[..., None])[..., 0]
        return self.front[face], np.stack([1 - w.sum(1), w[:, 0], w[:, 1]], 1)


@lru_cache(maxsize=1)
def load_bodies() -> Bodies:
    """The bodies shipped beside this file."""
    return Bodies(Path(__file__).with_name("bodies.npz"))
