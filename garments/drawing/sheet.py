"""Sheet: the picture a garment is painted on, panel over panel, finer than the result and reduced at the end."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from garments.drawing.curves import Points, even

FINER = 2
"""The sheet has so many pixels for one of the result, both ways."""
LIGHT = np.array([-0.45, -0.75])
"""Where the soft main light comes from, seen on the picture: above, a little from the left."""
FOLLOW = 0.016
"""How far a pattern shifts on a slope of 1, in shoulder widths: stripes bend over folds."""
SHEEN = 54.0
"""Levels that light adds to black cloth, none to white: dark cloth shows its folds by its sheen, not its colour."""

Field = np.ndarray
Fabric = Callable[[Field, Field, float], tuple[np.ndarray, Field]]
"""(u, v, pixel): coordinates in shoulder widths across and along the cloth (float32 HxW) and the size of a pixel in
them -> colour float32 HxWx3 BGR 0..255, and relief float32 HxW, the height of the cloth in shoulder widths."""


class Sheet:
    """colour: float32 HxWx3 BGR 0..255. alpha: float32 HxW 0..1. x, y: float32, where each pixel lies, in shoulder
    widths from the middle between the neck points. pixel: its size in them."""

    def __init__(self, width: int, height: int, shoulder: float, top: float) -> None:
        """width, height: of the result in pixels. shoulder: the shoulder width, top: the origin's y, both in them."""
        self.width, self.height, self.shoulder, self.top = width, height, shoulder, top
        self.pixel = 1.0 / (shoulder * FINER)
        xs = ((np.arange(width * FINER) + 0.5) / FINER - width / 2.0) / shoulder
        ys = ((np.arange(height * FINER) + 0.5) / FINER - top) / shoulder
        self.x, self.y = (a.astype(np.float32) for a in np.meshgrid(xs, ys))
        self.colour = np.zeros((*self.x.shape, 3), np.float32)
        self.alpha = np.zeros(self.x.shape, np.float32)

    def to_result(self, points: Points) -> Points:
        """Shoulder widths -> pixels of the result, pixel centres at whole numbers."""
        return np.asarray(points) * self.shoulder + [self.width / 2.0 - 0.5, self.top - 0.5]

    def _to_sheet(self, points: Points) -> np.ndarray:
        fixed = (self.to_result(points) + 0.5) * FINER - 0.5
        return np.round(fixed * 16).astype(np.int32)[None]

    def mask(self, outline: Points) -> Field:
        """float32 0..1, inside a closed outline, anti-aliased."""
        out = np.zeros(self.x.shape, np.uint8)
        cv2.fillPoly(out, list(self._to_sheet(outline)), 255, cv2.LINE_AA, 4)
        return out.astype(np.float32) / 255.0

    def stroke(self, curve: Points, width: float, closed: bool = False) -> Field:
        """float32 0..1, a line along a curve; width in shoulder widths."""
        out = np.zeros(self.x.shape, np.uint8)
        pixels = max(1, round(width / self.pixel))
        cv2.polylines(out, list(self._to_sheet(curve)), closed, 255, pixels, cv2.LINE_AA, 4)
        return out.astype(np.float32) / 255.0

    def box(self, mask: Field, margin: float = 0.0) -> tuple[slice, slice]:
        """The rows and columns where a mask is, and so many shoulder widths around."""
        extra = round(margin / self.pixel)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            return slice(0, 1), slice(0, 1)
        return (
            slice(max(0, rows[0] - extra), rows[-1] + 1 + extra),
            slice(max(0, columns[0] - extra), columns[-1] + 1 + extra),
        )

    def blur(self, field: Field, width: float) -> Field:
        """Gaussian, sigma in shoulder widths."""
        return cv2.GaussianBlur(field, (0, 0), max(0.3, width / self.pixel))

    def tint(self, mask: Field, factor: float) -> None:
        """Darken (factor < 1) or lighten what is painted, where the mask is."""
        box = self.box(mask)
        gain = 1.0 + (factor - 1.0) * mask[box]
        self.colour[box] *= gain[..., None]

    def dye(self, mask: Field, colour: tuple[float, float, float], strength: float = 0.92) -> None:
        """Give what is painted another colour, keeping its light."""
        box = self.box(mask)
        part = (strength * mask[box])[..., None]
        old = self.colour[box]
        light = cv2.cvtColor(old, cv2.COLOR_BGR2GRAY)
        if not (mask[box] > 0.5).any():
            return
        light = np.clip(light / (np.median(light[mask[box] > 0.5]) + 1e-3), 0.6, 1.25)[..., None]
        self.colour[box] = old * (1 - part) + np.array(colour, np.float32) * light * part

    def crease(self, curve: Points, factor: float, width: float, mask: Field | None = None) -> None:
        """The dark line of a seam."""
        line = self.blur(self.stroke(curve, width), 0.7 * width)
        self.tint(line if mask is None else line * mask, factor)

    def shadow(self, mask: Field, strength: float, width: float, shift: tuple[float, float] = (0.0, 0.008)) -> None:
        """What a panel about to be painted casts on what lies under it."""
        box = self.box(mask, 3 * width + 0.02)
        move = np.array([[1, 0, shift[0] / self.pixel], [0, 1, shift[1] / self.pixel]], np.float32)
        part = np.ascontiguousarray(mask[box])
        cast = self.blur(cv2.warpAffine(part, move, part.shape[::-1]), width)
        self.colour[box] *= (1.0 - strength * cast)[..., None]

    def paint(
        self,
        mask: Field,
        fabric: Fabric,
        axis: Points | None = None,
        height: Field | None = None,
        edge: float = 0.13,
        edge_width: float = 0.010,
        gain: float = 1.0,
        round_off: float = 0.05,
    ) -> None:
        """Lay a panel of cloth.

        axis: the cloth's own lengthways line; None: the cloth hangs straight. height: relief of its folds. edge: how
        dark its rim is, over edge_width. gain: on all its light. round_off: darkening towards the rim over a wide
        band, as cloth bends away there.
        """
        box = self.box(mask)
        u, v = (self.x[box], self.y[box]) if axis is None else along(self.x[box], self.y[box], axis)
        light = np.full(u.shape, gain, np.float32)
        if height is not None:
            gy, gx = np.gradient(height[box], self.pixel)
            light += slope_light(gx, gy)
            gy, gx = np.gradient(self.blur(height[box], 0.012), self.pixel)
            u = u + FOLLOW * np.clip(gx, -0.6, 0.6).astype(np.float32)
            v = v + FOLLOW * np.clip(gy, -0.6, 0.6).astype(np.float32)
        colour, relief = fabric(u, v, self.pixel)
        gy, gx = np.gradient(relief, self.pixel)
        light += slope_light(gx, gy)
        inside = cv2.copyMakeBorder((mask[box] > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1] * self.pixel
        light -= edge * np.exp(-depth / edge_width) + round_off * np.exp(-((depth / 0.055) ** 2))
        colour = shade(colour, light)
        over = mask[box][..., None]
        self.colour[box] = self.colour[box] * (1 - over) + colour * over
        self.alpha[box] = self.alpha[box] * (1 - mask[box]) + mask[box]

    def stitch(self, curve: Points, colour: tuple[float, float, float], strength: float = 0.5) -> None:
        """A row of stitches along a seam: thread with a dent around it."""
        long, gap, thick = 0.0070, 0.0035, 0.0024
        run = even(curve, 0.0007)
        at = np.arange(len(run)) * 0.0007
        self.tint(self.blur(self.stroke(curve, 0.005), 0.002), 0.93)
        thread = np.zeros(self.x.shape, np.uint8)
        dash = (at % (long + gap)) < long
        starts = np.flatnonzero(np.diff(np.concatenate([[0], dash.astype(np.int8)])) == 1)
        pixels = max(1, round(thick / self.pixel))
        for start in starts:
            end = min(start + round(long / 0.0007), len(run) - 1)
            cv2.polylines(thread, list(self._to_sheet(run[start : end + 1])), False, 255, pixels, cv2.LINE_AA, 4)
        box = self.box(thread)
        part = (thread[box].astype(np.float32) / 255.0 * strength)[..., None]
        self.colour[box] = self.colour[box] * (1 - part) + np.array(colour, np.float32) * part


def along(x: Field, y: Field, axis: Points) -> tuple[Field, Field]:
    """Coordinates of points beside a curve: u across it, positive to the left of one who goes along it, and v along it
    from its start. Points are taken to the nearest piece of it; before its start and after its end straight on.
    """
    axis = np.asarray(axis, np.float32)
    axis = axis[:: max(1, len(axis) // 48)] if len(axis) > 96 else axis
    pieces = np.diff(axis, axis=0)
    lengths = np.linalg.norm(pieces, axis=1)
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    best = np.full(x.shape, np.inf, np.float32)
    u, v = np.zeros_like(x), np.zeros_like(x)
    for i, (a, piece, length) in enumerate(zip(axis, pieces, lengths, strict=False)):
        if length < 1e-7:
            continue
        tx, ty = piece / length
        px, py = x - a[0], y - a[1]
        t, n = px * tx + py * ty, px * ty - py * tx
        low = -np.inf if i == 0 else 0.0
        high = np.inf if i == len(pieces) - 1 else length
        over = t - np.clip(t, low, high)
        far = n * n + over * over
        near = far < best
        best[near] = far[near]
        u[near], v[near] = n[near], (starts[i] + np.clip(t, low, high))[near]
    return u, v


def slope_light(gx: Field, gy: Field) -> Field:
    """What the light gains on a slope (height over length): soft, bounded, darker sides stronger than lit ones."""
    lit = -(LIGHT[0] * gx + LIGHT[1] * gy)
    return (np.where(lit > 0, 0.19 * np.tanh(lit * 1.6), 0.30 * np.tanh(lit * 1.4))).astype(np.float32)


def shade(colour: np.ndarray, light: Field) -> np.ndarray:
    """Colour under a light of 1 +- something, with a little sheen, rolled off softly below white."""
    sheen = SHEEN * (1.0 - colour.max(2) / 255.0) * np.clip(light - 1.0, -0.6, 1.0)
    lit = colour * light[..., None] + sheen[..., None]
    knee = 235.0
    return np.where(lit > knee, knee + 20.0 * np.tanh((lit - knee) / 20.0), np.maximum(lit, 0.0)).astype(np.float32)
