"""Knitted fabrics whose stitches one sees. Each function returns a `sheet.Fabric`."""

from __future__ import annotations

import numpy as np

from garments.drawing.fabrics import Colour, plain
from garments.drawing.sheet import Fabric, Field


def knitted(colour: Colour, wide: float = 0.0150, high: float = 0.0115, depth: float = 0.0011) -> Fabric:
    """Stocking stitch of thick yarn: columns of Vs."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        tone, relief = stitches(u, v, wide, high)
        return plain(u, colour) * (0.86 + 0.14 * tone)[..., None], depth * relief

    return cloth


def stitches(u: Field, v: Field, wide: float, high: float) -> tuple[Field, Field]:
    """Tone and relief, 0..1, of columns of V-shaped stitches."""
    across = np.abs((u / wide) % 1.0 - 0.5) * 2.0  # 0 at a column's middle, 1 between columns
    lobe = np.clip(np.cos(0.5 * np.pi * (2 * across - 1.0)), 0, 1) ** 0.8  # each arm of the V is round
    along = 0.5 + 0.5 * np.cos(2 * np.pi * (v / high + 0.75 * across))
    relief = (lobe * (0.35 + 0.65 * along)).astype(np.float32)
    return np.clip(relief * 1.25, 0, 1), relief


def cable_knit(
    colour: Colour,
    columns: tuple[float, ...] = (-0.34, -0.17, 0.0, 0.17, 0.34),
    wide: float = 0.082,
    turn: float = 0.165,
) -> Fabric:
    """Cables of two strands on a purl ground, at given places across; elsewhere stocking stitch."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        tone, relief = stitches(u, v, 0.0150, 0.0115)
        tone, relief = 0.80 + 0.20 * tone, 0.0010 * relief
        purl_tone = 0.74 + 0.12 * (0.5 + 0.5 * np.cos(2 * np.pi * v / 0.0105) * np.cos(2 * np.pi * u / 0.013))
        for i, column in enumerate(columns):
            s, t = u - column, 2 * np.pi * v / turn * (1 if i % 2 else -1) + i * 1.3
            gutter = np.clip((wide * 0.72 - np.abs(s)) / 0.006 + 0.5, 0, 1)
            tone, relief = tone + (purl_tone - tone) * gutter, relief * (1 - gutter)
            for strand in (0.0, np.pi):
                centre = 0.26 * wide * np.sin(t + strand)
                over = np.cos(t + strand)  # > 0: this strand passes in front
                away = (s - centre) / (0.27 * wide)
                bump = np.sqrt(np.clip(1.0 - away**2, 0, 1)) * (1.0 + 0.35 * over)
                ply = 0.5 + 0.5 * np.cos(2 * np.pi * ((v - 0.6 * np.abs(s - centre)) / 0.0125))
                edge = np.clip(1.0 - np.abs(away), 0, 1)
                strand_tone = 0.66 + 0.34 * np.clip(edge * 2.4, 0, 1) * (0.90 + 0.10 * ply) + 0.03 * over
                front = bump * 0.010 + 0.0007 * ply * (bump > 0)
                higher = front > np.where(relief > 0.0025, relief, 0.0)
                higher &= np.abs(away) < 1
                tone, relief = np.where(higher, strand_tone, tone), np.where(higher, front, relief)
        return plain(u, colour) * tone.astype(np.float32)[..., None], relief.astype(np.float32)

    return cloth


def colourwork(
    ground: Colour, rows: list[tuple[str, Colour, Colour]], top: float, wide: float = 0.0150, high: float = 0.0125
) -> Fabric:
    """Stocking stitch with patterned rows: (cells, pattern colour, ground colour), '#' a stitch of the pattern.

    top: where along the cloth the first row lies; the pattern repeats across.
    """

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        tone, relief = stitches(u, v, wide, high)
        across = np.abs((u / wide) % 1.0 - 0.5) * 2.0
        row = np.floor((v - top) / high + 0.75 * across).astype(int)
        column = np.floor(u / wide).astype(int)
        out = plain(u, ground)
        for i, (cells, pattern, base) in enumerate(rows):
            here = row == i
            on = np.array([cell == "#" for cell in cells])[column % len(cells)] & here
            out[here] = base
            out[on] = pattern
        return out * (0.84 + 0.16 * tone)[..., None], 0.0010 * relief

    return cloth
