"""Fabrics: colour and relief of a cloth at every place of it. Each function returns a `sheet.Fabric`."""

from __future__ import annotations

import cv2
import numpy as np

from garments.drawing.sheet import Fabric, Field

Colour = tuple[float, float, float]
"""B, G, R in 0..255."""


def rgb(code: str) -> Colour:
    """'#e8e4da' -> B, G, R."""
    red, green, blue = (float(int(code[i : i + 2], 16)) for i in (1, 3, 5))
    return blue, green, red


def plain(u: Field, colour: Colour) -> np.ndarray:
    """One colour everywhere, float32 HxWx3."""
    return np.broadcast_to(np.array(colour, np.float32), (*u.shape, 3)).copy()


def _within(distance: Field, pixel: float) -> Field:
    """0..1 over an edge one pixel wide: positive distances are inside."""
    return np.clip(distance / (2 * pixel) + 0.5, 0.0, 1.0).astype(np.float32)


def jersey(colour: Colour, wales: float = 0.00005, period: float = 0.0058) -> Fabric:
    """T-shirt cotton: fine columns of stitches."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        relief = wales * np.cos(2 * np.pi * u / period)
        return plain(u, colour), relief.astype(np.float32)

    return cloth


def heather(light: Colour, dark: Colour, seed: int = 5, contrast: float = 1.0) -> Fabric:
    """Yarn of two shades, spun together: short streaks along the rows."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        noise = np.random.default_rng(seed).standard_normal(u.shape).astype(np.float32)
        streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.0048 / pixel, sigmaY=0.0010 / pixel)
        streaks /= streaks.std() + 1e-6
        mix = np.clip(0.42 + 0.20 * contrast * streaks, 0, 1)[..., None]
        return np.array(light, np.float32) * (1 - mix) + np.array(dark, np.float32) * mix, np.zeros_like(u)

    return cloth


def striped(
    ground: Fabric,
    colour: Colour,
    period: float,
    width: float,
    start: float = -9.0,
    stop: float = 9.0,
    phase: float = 0.0,
) -> Fabric:
    """Stripes across the cloth, knitted in, over a ground; only between start and stop along it."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        base, relief = ground(u, v, pixel)
        at = np.abs((v - phase + period / 2) % period - period / 2)
        on = _within(width / 2 - at, pixel) * _within(v - start, pixel) * _within(stop - v, pixel)
        return base + (np.array(colour, np.float32) - base) * on[..., None], relief

    return cloth


def checked(ground: Colour, bands: list[tuple[Colour, float, float, float]], period: float) -> Fabric:
    """Woven checks: bands (colour, place, width, opacity), the same along and across, in a twill of fine diagonals."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        def threads(at: Field) -> np.ndarray:
            out = plain(at, ground)
            for colour, place, width, opacity in bands:
                away = np.abs((at - place * period + period / 2) % period - period / 2)
                on = opacity * _within(width * period / 2 - away, pixel)[..., None]
                out += (np.array(colour, np.float32) - out) * on
            return out

        twill = 0.5 + 0.34 * np.sin(2 * np.pi * (u + v) / 0.0075).astype(np.float32)[..., None]
        warp, weft = threads(u), threads(v)
        return warp * twill + weft * (1 - twill), np.zeros_like(u)

    return cloth


def piquet(colour: Colour, cell: float = 0.0085, depth: float = 0.00035) -> Fabric:
    """The honeycomb of polo shirts."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        wave = np.cos(2 * np.pi * u / cell) * np.cos(2 * np.pi * v / (0.8 * cell))
        tone = 1.0 + 0.035 * wave
        return plain(u, colour) * tone[..., None].astype(np.float32), (depth * wave).astype(np.float32)

    return cloth


def oxford(colour: Colour, white: Colour = (250.0, 248.0, 246.0)) -> Fabric:
    """Shirting of coloured warp and white weft: a fine basket of both."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        weave = np.sin(2 * np.pi * u / 0.0080) * np.sin(2 * np.pi * v / 0.0080)
        slub = np.random.default_rng(3).standard_normal(u.shape).astype(np.float32)
        slub = cv2.GaussianBlur(slub, (0, 0), sigmaX=1.0, sigmaY=0.006 / pixel)
        mix = np.clip(0.32 + 0.16 * weave + 0.045 * slub / (slub.std() + 1e-6), 0, 1).astype(np.float32)[..., None]
        return np.array(colour, np.float32) * (1 - mix) + np.array(white, np.float32) * mix, np.zeros_like(u)

    return cloth


def ribbed(colour: Colour, period: float = 0.0105, depth: float = 0.0006, dip: float = 0.10) -> Fabric:
    """Ribs along the cloth: cuffs, hems, collars."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        wave = np.cos(2 * np.pi * u / period).astype(np.float32)
        tone = 1.0 - dip * np.clip(-wave, 0, 1) ** 2
        return plain(u, colour) * tone[..., None], (depth * wave).astype(np.float32)

    return cloth


def flat(colour: Colour, relief: float = 0.0, period: float = 0.006) -> Fabric:
    """One colour, with a diagonal weave if it has relief: tape, cord, labels, buttons."""

    def cloth(u: Field, v: Field, pixel: float) -> tuple[np.ndarray, Field]:
        return plain(u, colour), (relief * np.cos(2 * np.pi * (u + v) / period)).astype(np.float32)

    return cloth


def turned(fabric: Fabric) -> Fabric:
    """The same cloth with its length across."""
    return lambda u, v, pixel: fabric(v, u, pixel)
