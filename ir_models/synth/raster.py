"""A z-buffer rasteriser in numba: triangles -> which surface each pixel sees, and what lies there. One thread.

A scene is one `Mesh`: vertices with six attributes each, triangles, and for each triangle the row of an object table
that says what it is. Cuts (hem, sleeve, neckline) are made per pixel, so their edges are as fine as the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

ATTRIBUTES = 6
"""Of a garment vertex: u, v on the canonical flat sheet (metres), arm coordinate, x, y of its place on the garment
canvas (pixels), strength of wrinkles. Of any other: red, green, blue (0..1, linear), cut value, two unused."""

(PART, SHADER, TEXTURE, RED, GREEN, BLUE, GLOSS, BUMP, BIAS_M, CULL, SLEEVE, HEM, NECK_HALF, NECK_TOP, NECK_FRONT,
 NECK_BACK, V_NECK, STRAP_HALF, STRAP_TOP, STRAP_LOW, OPEN_TOP, OPEN_HEM, HEM_CURVE, SHEET, ALPHA, FLAT_TEXTURE,
 RIB_CUFF, RIB_NECK, RIB_RED, RIB_GREEN, RIB_BLUE, RIB_MIX, COLUMNS) = range(33)  # fmt: skip
"""Columns of the object table. SHEET: 0 front, 1 back. ALPHA: 1 cuts by the texture's alpha. FLAT_TEXTURE: 1 samples
the texture by the garment canvas place. CULL: 1 drops back faces. BIAS_M pushes the surface away from the eye."""
COLOUR, CLOTH, TROUSERS = 0, 1, 2
"""SHADER values."""
NEVER = 9.0
TEXTURE_LEFT, TEXTURE_TOP, TEXTURE_SPAN = -0.62, 0.80, 1.24
"""The square of the canonical sheet, metres, that a drawn texture covers."""
_FAR = 1e9


@dataclass
class Mesh:
    """A part of a scene. position, normal: float32 (V, 3). attributes: float32 (V, 6). faces: int32 (F, 3).

    owner: uint8 (F,), row of `objects`. objects: float32 (K, COLUMNS).
    """

    position: np.ndarray
    normal: np.ndarray
    attributes: np.ndarray
    faces: np.ndarray
    owner: np.ndarray
    objects: np.ndarray


def table_row(part: int, shader: int = COLOUR, **columns: float) -> np.ndarray:
    """One row of the object table; `columns` by their lower-case name."""
    row = np.zeros(COLUMNS, np.float32)
    row[[PART, SHADER, RED, GREEN, BLUE, SLEEVE, HEM]] = part, shader, 1, 1, 1, NEVER, -NEVER
    row[NECK_HALF] = 1e-6
    for name, value in columns.items():
        row[globals()[name.upper()]] = value
    return row


def join(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    vertex, row, faces, owner = 0, 0, [], []
    for m in meshes:
        faces.append(m.faces + vertex)
        owner.append(m.owner + row)
        vertex, row = vertex + len(m.position), row + len(m.objects)
    return Mesh(
        np.concatenate([m.position for m in meshes]).astype(np.float32),
        np.concatenate([m.normal for m in meshes]).astype(np.float32),
        np.concatenate([m.attributes for m in meshes]).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(owner).astype(np.uint8),
        np.concatenate([m.objects for m in meshes]).astype(np.float32),
    )


@nb.njit(cache=True, fastmath=True, nogil=True)
def sample(texture, u, v, out):
    """Bilinear uint8 texture at u, v in 0..1 -> out[:4], 0..1."""
    h, w, _ = texture.shape
    x = min(max(u * w - 0.5, 0.0), w - 1.001)
    y = min(max(v * h - 0.5, 0.0), h - 1.001)
    i, j = int(x), int(y)
    a, b = x - i, y - j
    for c in range(4):
        top = texture[j, i, c] * (1 - a) + texture[j, i + 1, c] * a
        low = texture[j + 1, i, c] * (1 - a) + texture[j + 1, i + 1, c] * a
        out[c] = (top * (1 - b) + low * b) / 255.0


@nb.njit(cache=True, fastmath=True, nogil=True)
def neck_line(u, row):
    """Height v of the neckline over u on the sheet; 9 beside it."""
    x = abs(u) / row[NECK_HALF]
    if x >= 1.0:
        return 9.0
    if row[SHEET] > 0.5:
        return row[NECK_TOP] - row[NECK_BACK] * math.sqrt(1 - x * x)
    if row[V_NECK] > 0.5:
        return row[NECK_TOP] - row[NECK_FRONT] * (1 - x)
    return row[NECK_TOP] - row[NECK_FRONT] * math.sqrt(1 - x * x)


@nb.njit(cache=True, fastmath=True, nogil=True)
def hem_line(u, row):
    """Height v of the hem over u: curved hems rise to the sides."""
    return row[HEM] + row[HEM_CURVE] * u * u


@nb.njit(cache=True, fastmath=True, nogil=True)
def _cut_away(u, v, arm, fx, fy, row, texture):
    if row[SHADER] == 0.0:
        return fx > row[SLEEVE]  # a colour vertex keeps its cut value in the fourth attribute
    if row[SHADER] == 2.0:
        return v > row[HEM]
    if v > neck_line(u, row):
        return True
    if arm > row[SLEEVE] or v < hem_line(u, row):
        return True
    if row[ALPHA] > 0.5:
        h, w, _ = texture.shape
        i, j = int(fx * w / 192.0), int(fy * h / 256.0)
        inside = i >= 0 and j >= 0 and i < w and j < h
        if not inside or texture[j, i, 3] < 127:
            return row[SHEET] < 0.5 or v < row[NECK_TOP] - 0.10
    if row[STRAP_HALF] > 0.0:
        half = row[STRAP_HALF]
        if v < row[STRAP_TOP]:
            half += 0.1 * ((row[STRAP_TOP] - v) / (row[STRAP_TOP] - row[STRAP_LOW])) ** 2
        if (v > row[STRAP_LOW] - 0.03 and abs(u) > half) or (arm > 0.05 and abs(u) > 0.2):
            return True
    if row[OPEN_HEM] > 0.0 and row[SHEET] < 0.5:
        t = (row[NECK_TOP] - v) / 0.6
        if abs(u) < row[OPEN_TOP] + (row[OPEN_HEM] - row[OPEN_TOP]) * t:
            return True
    return False


@nb.njit(cache=True, fastmath=True, nogil=True)
def fill(screen, attributes, faces, owner, objects, textures, depth, face_of, weight):
    """Draw all triangles. screen: (V, 3): x, y in pixels (centre of the first pixel at 0), 1 / view depth.

    textures: a pair of uint8 HxWx4. depth (H, W) starts far away, face_of (H, W) at -1; weight (H, W, 2) are the
    perspective-correct weights of a triangle's second and third corner.
    """
    height, width = depth.shape
    for f in range(faces.shape[0]):
        i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
        row = objects[owner[f]]
        x0, y0, x1, y1, x2, y2 = (
            screen[i0, 0], screen[i0, 1], screen[i1, 0], screen[i1, 1], screen[i2, 0], screen[i2, 1],
        )  # fmt: skip
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0.0 or (area > 0.0 and row[CULL] > 0.5):
            continue
        xa, xb = max(math.ceil(min(x0, x1, x2)), 0), min(math.floor(max(x0, x1, x2)), width - 1)
        ya, yb = max(math.ceil(min(y0, y1, y2)), 0), min(math.floor(max(y0, y1, y2)), height - 1)
        if xb < xa or yb < ya:
            continue
        w0, w1, w2 = screen[i0, 2], screen[i1, 2], screen[i2, 2]
        if w0 <= 0.0 or w1 <= 0.0 or w2 <= 0.0:
            continue
        inverse = 1.0 / area
        texture = textures[1] if row[TEXTURE] > 0.5 else textures[0]
        for y in range(ya, yb + 1):
            for x in range(xa, xb + 1):
                b1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
                b2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
                b0 = 1.0 - b1 - b2
                if b0 < 0.0 or b1 < 0.0 or b2 < 0.0:
                    continue
                w = b0 * w0 + b1 * w1 + b2 * w2
                z = 1.0 / w + row[BIAS_M]
                if z >= depth[y, x]:
                    continue
                c1, c2 = b1 * w1 / w, b2 * w2 / w
                c0 = 1.0 - c1 - c2
                u = c0 * attributes[i0, 0] + c1 * attributes[i1, 0] + c2 * attributes[i2, 0]
                v = c0 * attributes[i0, 1] + c1 * attributes[i1, 1] + c2 * attributes[i2, 1]
                a = c0 * attributes[i0, 2] + c1 * attributes[i1, 2] + c2 * attributes[i2, 2]
                fx = c0 * attributes[i0, 3] + c1 * attributes[i1, 3] + c2 * attributes[i2, 3]
                fy = c0 * attributes[i0, 4] + c1 * attributes[i1, 4] + c2 * attributes[i2, 4]
                if _cut_away(u, v, a, fx, fy, row, texture):
                    continue
                depth[y, x] = z
                face_of[y, x] = f
                weight[y, x, 0] = c1
                weight[y, x, 1] = c2


@nb.njit(cache=True, fastmath=True, nogil=True)
def fill_depth(screen, faces, depth):
    """Depth alone, for shadows. screen: (V, 3): x, y in pixels, depth (orthographic)."""
    height, width = depth.shape
    for f in range(faces.shape[0]):
        i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0, x1, y1, x2, y2 = (
            screen[i0, 0], screen[i0, 1], screen[i1, 0], screen[i1, 1], screen[i2, 0], screen[i2, 1],
        )  # fmt: skip
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0.0:
            continue
        xa, xb = max(math.ceil(min(x0, x1, x2)), 0), min(math.floor(max(x0, x1, x2)), width - 1)
        ya, yb = max(math.ceil(min(y0, y1, y2)), 0), min(math.floor(max(y0, y1, y2)), height - 1)
        for y in range(ya, yb + 1):
            for x in range(xa, xb + 1):
                b1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area
                b2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area
                if b1 < 0.0 or b2 < 0.0 or b1 + b2 > 1.0:
                    continue
                z = screen[i0, 2] * (1 - b1 - b2) + screen[i1, 2] * b1 + screen[i2, 2] * b2
                if z < depth[y, x]:
                    depth[y, x] = z


@dataclass
class View:
    """What a camera sees. face_of: int32 (H, W), -1 for nothing. depth: float32 metres. weight: float32 (H, W, 2).

    part: uint8 (H, W), the label of the surface seen, 0 for nothing. mesh: the scene that was drawn.
    """

    face_of: np.ndarray
    depth: np.ndarray
    weight: np.ndarray
    part: np.ndarray
    mesh: Mesh

    def attribute(self, columns: slice) -> np.ndarray:
        """float32 (H, W, n): vertex attributes where the camera looks; of no meaning where it sees nothing."""
        corners = self.mesh.faces[np.maximum(self.face_of, 0)]
        values = self.mesh.attributes[:, columns]
        c1, c2 = self.weight[..., :1], self.weight[..., 1:]
        return values[corners[..., 0]] * (1 - c1 - c2) + values[corners[..., 1]] * c1 + values[corners[..., 2]] * c2


def draw(mesh: Mesh, screen: np.ndarray, textures: tuple[np.ndarray, np.ndarray], size: tuple[int, int]) -> View:
    """Rasterise a scene. screen: float32 (V, 3), see `fill`. size: (height, width)."""
    depth = np.full(size, _FAR, np.float32)
    face_of = np.full(size, -1, np.int32)
    weight = np.zeros((*size, 2), np.float32)
    fill(screen, mesh.attributes, mesh.faces, mesh.owner, mesh.objects, textures, depth, face_of, weight)
    part = mesh.objects[mesh.owner[np.maximum(face_of, 0)], PART].astype(np.uint8)
    part[face_of < 0] = 0
    return View(face_of, depth, weight, part, mesh)
