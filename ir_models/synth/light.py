"""Light on a rasterised scene: albedo of skin, cloth and hair, wrinkles, one lamp with shadows, a bright room."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numba as nb
import numpy as np

from ir_models.synth.raster import (
    _FAR,
    ALPHA,
    BLUE,
    BUMP,
    FLAT_TEXTURE,
    GLOSS,
    GREEN,
    PART,
    RED,
    RIB_BLUE,
    RIB_CUFF,
    RIB_GREEN,
    RIB_MIX,
    RIB_NECK,
    RIB_RED,
    SHADER,
    SHEET,
    SLEEVE,
    TEXTURE,
    TEXTURE_LEFT,
    TEXTURE_SPAN,
    TEXTURE_TOP,
    Mesh,
    View,
    fill_depth,
    hem_line,
    neck_line,
    sample,
)  # fmt: skip

SHADOW_SIZE = 224
SHADOW_BIAS_M = 0.018
OCCLUSION_STRENGTH = 0.5
STITCH_M = 0.018
"""Width of the seam line's place from a hem."""


@dataclass(frozen=True)
class Light:
    """direction: unit vector towards the lamp. lamp, room: linear RGB (3,). unlit: albedo alone (for tests)."""

    direction: np.ndarray
    lamp: np.ndarray
    room: np.ndarray
    unlit: bool = False


def draw_light(rng: np.random.Generator) -> Light:
    """Light from any side before the person, soft to hard, warm to cold, dim to bright."""
    side = rng.uniform(-1.5, 1.5)
    d = np.array([side, -rng.uniform(0.35, 1.2), rng.uniform(0.0, 1.3)])
    warm = rng.normal(0, 0.05)
    tint = np.array([1 + warm, 1, 1 - warm])
    total, share = rng.uniform(0.75, 1.25), rng.uniform(0.15, 0.65)
    return Light(
        d / np.linalg.norm(d), total * share * 1.25 * tint, total * (1 - share) * np.roll(tint, int(rng.integers(2)))
    )


@nb.njit(cache=True, fastmath=True, nogil=True)
def _height(bump, x, y):
    """Periodic bilinear look-up."""
    n = bump.shape[0]
    x, y = x * n, y * n
    i, j = math.floor(x), math.floor(y)
    a, b = x - i, y - j
    i0, j0 = i % n, j % n
    i1, j1 = (i + 1) % n, (j + 1) % n
    return (bump[j0, i0] * (1 - a) + bump[j0, i1] * a) * (1 - b) + (bump[j1, i0] * (1 - a) + bump[j1, i1] * a) * b


@nb.njit(cache=True, fastmath=True, nogil=True)
def shade(
    face_of, weight, occlusion, position, normal, attributes, faces, owner, objects, textures, bump, eye, direction,
    lamp, room, unlit, shadow, to_shadow, picture, facing,
):  # fmt: skip
    """Colour every pixel: linear RGB into picture (H, W, 3); facing (H, W) gets 1 where a surface's outside is seen."""
    height, width = face_of.shape
    step = 0.0022
    texel = np.empty(4, np.float32)
    for y in range(height):
        for x in range(width):
            f = face_of[y, x]
            if f < 0:
                continue
            i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
            c1, c2 = weight[y, x, 0], weight[y, x, 1]
            c0 = 1 - c1 - c2
            row = objects[owner[f]]
            px = c0 * position[i0, 0] + c1 * position[i1, 0] + c2 * position[i2, 0]
            py = c0 * position[i0, 1] + c1 * position[i1, 1] + c2 * position[i2, 1]
            pz = c0 * position[i0, 2] + c1 * position[i1, 2] + c2 * position[i2, 2]
            nx = c0 * normal[i0, 0] + c1 * normal[i1, 0] + c2 * normal[i2, 0]
            ny = c0 * normal[i0, 1] + c1 * normal[i1, 1] + c2 * normal[i2, 1]
            nz = c0 * normal[i0, 2] + c1 * normal[i1, 2] + c2 * normal[i2, 2]
            s = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * s, ny * s, nz * s
            vx, vy, vz = eye[0] - px, eye[1] - py, eye[2] - pz
            s = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
            vx, vy, vz = vx * s, vy * s, vz * s
            outside = nx * vx + ny * vy + nz * vz
            facing[y, x] = 1.0 if outside > -0.12 else 0.0
            a0 = c0 * attributes[i0, 0] + c1 * attributes[i1, 0] + c2 * attributes[i2, 0]
            a1 = c0 * attributes[i0, 1] + c1 * attributes[i1, 1] + c2 * attributes[i2, 1]
            a2 = c0 * attributes[i0, 2] + c1 * attributes[i1, 2] + c2 * attributes[i2, 2]
            wear = 1.0
            if row[SHADER] == 0.0:
                r, g, b = a0 * row[RED], a1 * row[GREEN], a2 * row[BLUE]
            elif row[SHADER] == 2.0:
                r, g, b = row[RED], row[GREEN], row[BLUE]
                qx, qy = px * 1.3, pz * 1.3
                gx = (_height(bump, qx + step, qy) - _height(bump, qx - step, qy)) * row[BUMP]
                gz = (_height(bump, qx, qy + step) - _height(bump, qx, qy - step)) * row[BUMP]
                nx, nz = nx - gx, nz + gz
            else:
                texture = textures[1] if row[TEXTURE] > 0.5 else textures[0]
                if row[FLAT_TEXTURE] > 0.5:
                    fx = c0 * attributes[i0, 3] + c1 * attributes[i1, 3] + c2 * attributes[i2, 3]
                    fy = c0 * attributes[i0, 4] + c1 * attributes[i1, 4] + c2 * attributes[i2, 4]
                    sample(texture, (fx + 0.5) / 192.0, (fy + 0.5) / 256.0, texel)
                else:
                    sample(texture, (a0 - TEXTURE_LEFT) / TEXTURE_SPAN, (TEXTURE_TOP - a1) / TEXTURE_SPAN, texel)
                r, g, b = texel[0] * texel[0], texel[1] * texel[1], texel[2] * texel[2]
                if row[ALPHA] < 0.5:
                    neck, cuff, hem = neck_line(a0, row) - a1, row[SLEEVE] - a2, a1 - hem_line(a0, row)
                    if (neck < row[RIB_NECK]) or (cuff < row[RIB_CUFF]):
                        m = row[RIB_MIX]
                        r = (r * (1 - m) + row[RIB_RED] * m) * 0.94
                        g = (g * (1 - m) + row[RIB_GREEN] * m) * 0.94
                        b = (b * (1 - m) + row[RIB_BLUE] * m) * 0.94
                    edge = min(neck / 0.006, min(hem / 0.006, cuff / 0.012))
                    if edge < 1.0:
                        wear = 0.80 + 0.20 * edge  # the thickness of a hem, seen as a darker rim
                    seam = min(abs(neck - max(row[RIB_NECK], 0.012)), abs(hem - STITCH_M))
                    if seam < 0.0022 or abs(cuff - 0.035) < 0.004:
                        wear *= 0.88
                qx, qy = (a0 - TEXTURE_LEFT) / TEXTURE_SPAN, (TEXTURE_TOP - a1) / TEXTURE_SPAN
                strength = row[BUMP] * (c0 * attributes[i0, 5] + c1 * attributes[i1, 5] + c2 * attributes[i2, 5])
                gx = (_height(bump, qx + step, qy) - _height(bump, qx - step, qy)) * strength
                gy = (_height(bump, qx, qy + step) - _height(bump, qx, qy - step)) * strength
                tx, ty, tz = 1 - nx * nx, -ny * nx, -nz * nx
                s = 1.0 / math.sqrt(tx * tx + ty * ty + tz * tz + 1e-9)
                tx, ty, tz = tx * s, ty * s, tz * s
                bx, by, bz = ty * nz - tz * ny, tz * nx - tx * nz, tx * ny - ty * nx
                if bz > 0:
                    bx, by, bz = -bx, -by, -bz
                nx, ny, nz = nx - tx * gx - bx * gy, ny - ty * gx - by * gy, nz - tz * gx - bz * gy
            if unlit:
                picture[y, x, 0], picture[y, x, 1], picture[y, x, 2] = r, g, b
                continue
            s = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * s, ny * s, nz * s
            inside = 1.0
            if outside < -0.05:
                nx, ny, nz = -nx, -ny, -nz
                if row[SHADER] == 1.0:
                    inside = 0.55
            if row[SHEET] > 0.5 and row[SHADER] == 1.0 and outside < 0:
                inside = 0.5
            lit = 1.0
            if shadow.shape[0] > 1:
                sx = to_shadow[0, 0] * px + to_shadow[0, 1] * py + to_shadow[0, 2] * pz + to_shadow[0, 3]
                sy = to_shadow[1, 0] * px + to_shadow[1, 1] * py + to_shadow[1, 2] * pz + to_shadow[1, 3]
                sz = to_shadow[2, 0] * px + to_shadow[2, 1] * py + to_shadow[2, 2] * pz + to_shadow[2, 3]
                lit, taps = 0.0, 0
                for dj in range(-2, 3):
                    for di in range(-2, 3):
                        i, j = int(sx + di * 0.8 + 0.5), int(sy + dj * 0.8 + 0.5)
                        if 0 <= i < shadow.shape[1] and 0 <= j < shadow.shape[0]:
                            lit += 1.0 if sz < shadow[j, i] + SHADOW_BIAS_M else 0.0
                        else:
                            lit += 1.0
                        taps += 1
                lit /= taps
            skin = row[PART] < 2.5 or row[PART] == 4.0
            wrap = 0.28 if skin else 0.12
            d = nx * direction[0] + ny * direction[1] + nz * direction[2]
            diffuse = max((d + wrap) / (1 + wrap), 0.0) * lit
            sky = 0.82 + 0.18 * nz
            rim = 1.0 - abs(outside)
            around = sky * occlusion[y, x] * wear * inside * (1 - 0.22 * rim * rim * rim)
            hx, hy, hz = direction[0] + vx, direction[1] + vy, direction[2] + vz
            s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
            spec = max((nx * hx + ny * hy + nz * hz) * s, 0.0) ** 20 * row[GLOSS] * lit * max(d, 0.0) ** 0.5
            warm = 0.06 * (1 - lit) * diffuse if skin else 0.0
            full = diffuse * wear * inside * (0.6 + 0.4 * occlusion[y, x])
            picture[y, x, 0] = r * (room[0] * around + lamp[0] * full + warm) + spec * lamp[0]
            picture[y, x, 1] = g * (room[1] * around + lamp[1] * full) + spec * lamp[1]
            picture[y, x, 2] = b * (room[2] * around + lamp[2] * full) + spec * lamp[2]


def ambient_occlusion(view: View) -> np.ndarray:
    """float32 (H, W), 0..1: darker where something near stands in front, from the depth picture alone."""
    seen = (view.face_of >= 0).astype(np.float32)
    depth = np.where(seen > 0, view.depth, 0).astype(np.float32)
    out = np.ones_like(depth)
    scale = view.depth.shape[0] / 512
    for sigma, reach, share in ((4.0, 0.035, 0.45), (14.0, 0.10, 0.55)):
        around = cv2.blur(depth, (int(sigma * scale * 3) | 1,) * 2) / np.maximum(
            cv2.blur(seen, (int(sigma * scale * 3) | 1,) * 2), 1e-3
        )
        out -= OCCLUSION_STRENGTH * share * np.clip((depth - around) / reach, 0, 1)
    return cv2.blur(out, (3, 3))


def shadow_map(mesh: Mesh, direction: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth seen from the lamp, float32 (N, N), and world -> its (x, y, depth), float32 (3, 4)."""
    forward = -direction
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right) + 1e-9
    up = np.cross(right, forward)
    axes = np.stack([right, -up, forward])
    p = mesh.position @ axes.T
    low, high = p.min(0), p.max(0)
    scale = (size - 4) / max(high[0] - low[0], high[1] - low[1])
    m = np.zeros((3, 4))
    m[:2, :3], m[:2, 3] = axes[:2] * scale, 2 - low[:2] * scale
    m[2, :3] = axes[2]
    screen = (mesh.position @ m[:, :3].T + m[:, 3]).astype(np.float32)
    depth = np.full((size, size), _FAR, np.float32)
    fill_depth(screen, mesh.faces, depth)
    return depth, m.astype(np.float32)


def illuminate(
    view: View,
    light: Light,
    eye: np.ndarray,
    textures: tuple[np.ndarray, np.ndarray],
    bump: np.ndarray,
    shadows: bool = True,
    shadow_size: int = SHADOW_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """What the light makes of a view: float32 (H, W, 3) linear RGB where it sees a surface, 0 elsewhere; and bool
    (H, W), whether the outside of that surface is seen."""
    m = view.mesh
    picture = np.zeros((*view.depth.shape, 3), np.float32)
    facing = np.ones(view.depth.shape, np.float32)
    shadow, to_shadow = np.zeros((1, 1), np.float32), np.zeros((3, 4), np.float32)
    if shadows and not light.unlit:
        shadow, to_shadow = shadow_map(m, light.direction, shadow_size)
    occlusion = ambient_occlusion(view)
    f32 = lambda a: np.asarray(a, np.float32)  # noqa: E731
    shade(
        view.face_of, view.weight, occlusion, m.position, m.normal, m.attributes, m.faces, m.owner, m.objects, textures,
        bump, f32(eye), f32(light.direction), f32(light.lamp), f32(light.room), light.unlit, shadow, to_shadow,
        picture, facing,
    )  # fmt: skip
    return picture, facing > 0.5
