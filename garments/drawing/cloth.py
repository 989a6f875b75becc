"""The relief of lying cloth: smooth noise, and folds drawn one by one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from garments.drawing.curves import moved
from garments.drawing.cuts import Pattern
from garments.drawing.sheet import Field, Sheet


def smooth_noise(shape: tuple[int, int], cells: tuple[float, float], rng: np.random.Generator) -> Field:
    """float32 HxW, mean about 0, deviation about 1: random values on a coarse grid of cells (x, y), spline between."""
    coarse = rng.standard_normal((max(2, round(cells[1])) + 3, max(2, round(cells[0])) + 3)).astype(np.float32)
    field = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / (field.std() + 1e-6)


@dataclass(frozen=True)
class Fold:
    """One crease from start to end, in shoulder widths: high in the middle of its width, fading to its ends.

    bow: how far its middle lies aside. lean: -1..1, which flank is the steep one.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    width: float = 0.03
    height: float = 0.006
    bow: float = 0.0
    lean: float = 0.4
    sharp_start: bool = False  # begins at full height (at a seam) instead of fading in


def lay_fold(sheet: Sheet, relief: Field, fold: Fold) -> None:
    """Add a fold to a relief."""
    a, b = np.array(fold.start), np.array(fold.end)
    length = float(np.linalg.norm(b - a))
    t = (b - a) / length
    reach = 4 * fold.width + abs(fold.bow)
    low, high = np.minimum(a, b) - reach, np.maximum(a, b) + reach
    columns = slice(*np.searchsorted(sheet.x[0], [low[0], high[0]]))
    rows = slice(*np.searchsorted(sheet.y[:, 0], [low[1], high[1]]))
    x, y = sheet.x[rows, columns] - a[0], sheet.y[rows, columns] - a[1]
    along = (x * t[0] + y * t[1]) / length
    inside = np.clip(along, 0, 1)
    across = x * t[1] - y * t[0] - fold.bow * 4 * inside * (1 - inside)
    fade_out = np.cos(0.5 * np.pi * np.clip(along, 0, 1)) ** 2
    rise = np.clip(along / (0.20 if fold.sharp_start else 0.5), 0, 1)
    fade_in = np.sin(0.5 * np.pi * rise) ** 2
    width = fold.width * (0.6 + 0.7 * inside)  # folds open away from where they spring
    s = across / width
    profile = np.exp(-(s**2)) - 0.45 * np.exp(-((s - 1.5 * np.sign(fold.lean)) ** 2) * 0.8) * abs(fold.lean)
    relief[rows, columns] += (fold.height * profile * fade_in * fade_out * (along > 0)).astype(np.float32)


def crumple(sheet: Sheet, rng: np.random.Generator, amount: float = 1.0) -> Field:
    """The soft unevenness any lying cloth has: broad swells and faint creases."""
    shape = (sheet.x.shape[0] // 4, sheet.x.shape[1] // 4)
    across, down = float(np.ptp(sheet.x)), float(np.ptp(sheet.y))
    field = 0.0040 * smooth_noise(shape, (across * 3.0, down * 2.2), rng)
    ridges = smooth_noise(shape, (across * 4.0, down * 3.0), rng)
    field += 0.0030 * np.exp(-((ridges / 0.22) ** 2)) * np.clip(smooth_noise(shape, (across * 2, down * 2), rng), 0, 1)
    field += 0.0012 * smooth_noise(shape, (across * 9.0, down * 6.0), rng)
    field = cv2.GaussianBlur(field, (0, 0), 2.0)
    return (amount * cv2.resize(field, sheet.x.shape[::-1], interpolation=cv2.INTER_CUBIC)).astype(np.float32)


def torso_folds(pattern: Pattern, rng: np.random.Generator, amount: float = 1.0) -> list[Fold]:
    """Pulls from the armpits over the chest, drag at the waist, flutes rising from the hem, pulls from the neck."""
    cut = pattern.cut
    folds: list[Fold] = []

    def vary(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    for side in (-1.0, 1.0):
        pit = np.array([side * (cut.chest / 2 - 0.012), cut.armpit - 0.015])
        for angle, reach, height in ((18, 0.34, 0.0085), (44, 0.42, 0.0075), (-12, 0.22, 0.0050)):
            turned = np.radians(angle + vary(-9, 9))
            way = np.array([-side * np.cos(turned), np.sin(turned)]) * reach * vary(0.75, 1.15)
            folds.append(
                Fold(
                    tuple(pit),
                    tuple(pit + way),
                    vary(0.016, 0.026),
                    height * vary(0.6, 1.1),
                    side * vary(-0.02, 0.05),
                    side * 0.6,
                    True,
                )
            )
        for at in (0.44, 0.62, 0.80):
            y = cut.armpit + (cut.length - cut.armpit) * (at + vary(-0.06, 0.06))
            x = side * (cut.waist / 2 - vary(0.0, 0.03))
            end = (x - side * vary(0.18, 0.36), y + vary(0.03, 0.20))
            folds.append(
                Fold((x, y), end, vary(0.018, 0.032), vary(0.003, 0.0065), side * vary(-0.03, 0.03), 0.4, True)
            )
        neck = (side * (cut.neck_half + 0.02), 0.05 + 0.02)
        folds.append(Fold(neck, (side * vary(0.30, 0.40), vary(0.24, 0.40)), 0.020, vary(0.002, 0.0045), 0.02, 0.4))
    for x in np.linspace(-0.42, 0.42, 6) + rng.uniform(-0.04, 0.04, 6):
        top = cut.length - vary(0.22, 0.55)
        folds.append(
            Fold(
                (x, cut.length + 0.02),
                (x * vary(0.75, 1.0), top),
                vary(0.022, 0.045),
                vary(0.003, 0.0065),
                vary(-0.02, 0.02),
                vary(-0.6, 0.6),
                True,
            )
        )
    return [_scaled(fold, amount) for fold in folds]


def sleeve_folds(pattern: Pattern, side: float, rng: np.random.Generator, amount: float = 1.0) -> list[Fold]:
    """Creases of a sleeve: fanned at the armpit, across at the elbow, along at its end. side: 1 right, -1 left."""
    cut = pattern.cut
    name = "right" if side > 0 else "left"
    marks = pattern.landmarks
    pit, tip = marks[f"armpit_{name}"], marks[f"shoulder_{name}"]
    outer, inner = marks[f"sleeve_outer_{name}"], marks[f"sleeve_inner_{name}"]
    folds: list[Fold] = []

    def vary(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    reach = 0.5 if cut.sleeves == "long" else 0.9
    for share, height in ((0.12, 0.0075), (0.42, 0.0065), (0.78, 0.0055)):
        towards = outer + (inner - outer) * (1 - share)
        end = pit + (towards - pit) * reach * vary(0.55, 0.85) * (0.6 if cut.sleeves == "long" else 0.9)
        start = pit + (tip - pit) * 0.04
        folds.append(
            Fold(
                tuple(start),
                tuple(end),
                vary(0.020, 0.032),
                height * vary(0.7, 1.1),
                vary(-0.02, 0.02),
                -side * 0.5,
                True,
            )
        )
    folds.append(
        Fold(
            tuple(moved(tip, side * 0.01, 0.02)),
            tuple(tip + (outer - tip) * 0.5 + [-side * 0.05, 0.03]),
            0.022,
            vary(0.002, 0.004),
            0.01,
            0.3,
        )
    )
    if cut.sleeves == "long":
        for at in (0.36, 0.45, 0.54, 0.66, 0.82):
            top, under = tip + (outer - tip) * at, pit + (inner - pit) * (at + vary(-0.02, 0.02))
            if rng.random() < 0.55:
                top, under = under, top
            end = top + (under - top) * vary(0.55, 0.85) + [0.0, vary(0.02, 0.09)]
            folds.append(
                Fold(
                    tuple(top),
                    tuple(end),
                    vary(0.022, 0.034),
                    vary(0.0035, 0.0060),
                    vary(-0.015, 0.015),
                    vary(-0.7, 0.7),
                    True,
                )
            )
    else:
        for share in (0.3, 0.6):
            start = outer + (inner - outer) * (share + vary(-0.08, 0.08))
            folds.append(
                Fold(
                    tuple(start),
                    tuple(start + (tip - outer) * vary(0.3, 0.5)),
                    0.022,
                    vary(0.002, 0.004),
                    0.0,
                    0.4,
                    True,
                )
            )
    return [_scaled(fold, amount) for fold in folds]


def _scaled(fold: Fold, amount: float) -> Fold:
    return Fold(fold.start, fold.end, fold.width, fold.height * amount, fold.bow, fold.lean, fold.sharp_start)
