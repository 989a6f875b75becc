"""Flatten one sheet of a garment into the plane, as rigidly as possible.

Local/global iteration with cotangent weights: Liu, Zhang, Xu, Gotsman, Gortler, "A Local/Global Approach to Mesh
Parameterization", SGP 2008, equations 6 and 7. An orthographic projection squeezes the sides; this looks like a
garment laid on a table. Used once, by `extract.py`.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla

PIN_WEIGHT = 1e3
REST_WEIGHT = 1e-4
"""Weak pull to the start, which takes away the free shift and turn."""
COTANGENT_RANGE = (0.02, 10.0)


def _local_triangles(corners: np.ndarray) -> np.ndarray:
    """Triangles (F, 3, 3) in space -> the same triangles in their own plane (F, 3, 2)."""
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.linalg.norm(edge, axis=1) + 1e-9
    along = (other * edge).sum(1) / length
    height = np.linalg.norm(other - edge * (along / length)[:, None], axis=1) + 1e-9
    zero = np.zeros_like(length)
    return np.stack([np.stack([zero, zero], 1), np.stack([length, zero], 1), np.stack([along, height], 1)], 1)


def _doubled_area(tri: np.ndarray) -> np.ndarray:
    a, b = tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def flatten(
    faces: np.ndarray,
    vertices: np.ndarray,
    start: np.ndarray,
    pins: dict[int, np.ndarray] | None = None,
    rounds: int = 50,
) -> tuple[np.ndarray, float]:
    """Lay the sheet `faces` of a mesh into the plane.

    faces: int (F, 3). vertices: float (V, 3), whose lengths are kept. start: float (V, 2), the layout to begin with.
    pins: vertex -> place in the plane it must take. Returns float (V, 2), nan where a vertex is of no face, and the
    share of triangles that came out turned over.
    """
    used = np.unique(faces)
    local = np.full(len(vertices), -1)
    local[used] = np.arange(len(used))
    tri, flat, count = local[faces], start[used].copy(), len(used)
    shape = _local_triangles(vertices[used][tri])
    turn = np.sign(np.median(_doubled_area(start[faces])))
    shape[:, :, 1] *= turn

    cotangents, rows, columns = [], [], []
    for k in range(3):
        a, b = shape[:, (k + 1) % 3] - shape[:, k], shape[:, (k + 2) % 3] - shape[:, k]
        cross = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        cotangents.append(np.clip((a * b).sum(1) / (cross + 1e-9), *COTANGENT_RANGE))
        rows.append(tri[:, (k + 1) % 3])
        columns.append(tri[:, (k + 2) % 3])
    weights = sp.coo_matrix((np.concatenate(cotangents), (np.concatenate(rows), np.concatenate(columns))), (count,) * 2)
    weights = weights + weights.T
    laplacian = sp.diags(np.asarray(weights.sum(1)).ravel()) - weights

    pull, target = np.full(count, REST_WEIGHT), flat.copy()
    for vertex, place in (pins or {}).items():
        if local[vertex] >= 0:
            pull[local[vertex]], target[local[vertex]] = PIN_WEIGHT, place
    solve = sla.factorized((laplacian + sp.diags(pull)).tocsc())

    for _ in range(rounds):
        placed = flat[tri]
        moment = np.zeros((len(tri), 2, 2))
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            edges = np.einsum("fa,fb->fab", placed[:, j] - placed[:, i], shape[:, j] - shape[:, i])
            moment += cotangents[k][:, None, None] * edges
        left, _, right = np.linalg.svd(moment)
        left[:, :, 1] *= np.sign(np.linalg.det(left @ right))[:, None]
        rotation = left @ right
        rhs = pull[:, None] * target
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            edge = cotangents[k][:, None] * np.einsum("fab,fb->fa", rotation, shape[:, j] - shape[:, i])
            np.add.at(rhs, tri[:, j], edge)
            np.add.at(rhs, tri[:, i], -edge)
        flat = np.stack([solve(rhs[:, 0]), solve(rhs[:, 1])], 1)
    out = np.full((len(vertices), 2), np.nan)
    out[used] = flat
    return out, float((np.sign(_doubled_area(flat[tri])) != turn).mean())
