"""How a drawn garment lies on the table: sleeves spread, hanging or crossing the body; a little crooked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ir_models.synth.bodies import Bodies
from ir_models.synth.cloth import ease_of, smoothstep
from ir_models.synth.cuts import Cut

SHOULDER_PIVOT, ELBOW_ARM = np.array([0.195, 0.565]), 0.52
"""Point of the canonical sheet about which a sleeve turns, metres; arm coordinate of the elbow."""
SPREAD_DEG, HANGING_DEG, CROSSING_DEG = (-8, 42), (-34, -20), (-48, -34)
"""Turn of a sleeve away from its canonical 30 degrees from the vertical; positive lifts it."""
BENT_SPREAD_DEG, BENT_HANGING_DEG = (-70, 15), (-25, 10)
"""Turn of a forearm where sleeves are bent: a crossing one bent further would reach back over the neck."""
SLEEVE_M = 0.52
"""Length of the canonical sleeve from shoulder to wrist."""
SLEEVE_LIFT, SLEEVES_APART = 2.0, 0.8
"""Depth by which a sleeve lies above the torso, and the share by which one lies above the other where they cross; the
back sheet lies 1 below its front."""


@dataclass(frozen=True)
class Layout:
    """lift: turn of the (left, right) sleeves, radians, positive upwards. longer: share by which sleeves are longer
    than the arm (worn, they bunch up). elbow: turn of the forearms.

    roll: of the whole, radians. stretch: of the width. waves: (n, 5) slight unevenness. under: sleeves lie below.
    """

    lift: tuple[float, float]
    longer: float
    elbow: tuple[float, float]
    roll: float
    stretch: float
    waves: np.ndarray
    under: bool


def draw_layout(rng: np.random.Generator, cut: Cut) -> Layout:
    """A random layout: short sleeves mostly spread; long ones spread, hanging beside the torso, or crossing it."""
    long = cut.sleeves == "long"
    how = rng.choice(3, p=(0.4, 0.38, 0.22) if long else (0.85, 0.15, 0.0))
    span = (SPREAD_DEG, HANGING_DEG, CROSSING_DEG)[how]
    one = np.deg2rad(rng.uniform(*span, 2))
    if rng.random() < 0.7:
        one[1] = one[0] + np.deg2rad(rng.normal(0, 2))
    bent = long and rng.random() < 0.3
    elbow = (
        np.deg2rad(rng.uniform(*(BENT_SPREAD_DEG if how == 0 else BENT_HANGING_DEG), 2))
        if bent
        else np.deg2rad(rng.normal(0, 4, 2))
    )
    waves = np.concatenate([rng.normal(0, 0.0035, (4, 2)), rng.uniform(4, 16, (4, 2)), rng.uniform(0, 6, (4, 1))], 1)
    return Layout(
        (float(one[0]), float(one[1])),
        float(rng.uniform(0.0, 0.22)) if long else 0.0,
        (float(elbow[0]), float(elbow[1])),
        float(np.deg2rad(np.clip(rng.normal(0, 2.5), -7, 7))),
        float(1 + np.clip(rng.normal(0, 0.04), -0.1, 0.1)),
        waves,
        bool(rng.random() < 0.25),
    )


def _turn(p: np.ndarray, pivot: np.ndarray, angle: np.ndarray) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    d = p - pivot
    return pivot + np.stack([d[:, 0] * c - d[:, 1] * s, d[:, 0] * s + d[:, 1] * c], 1)


def lay_sheet(bodies: Bodies, cut: Cut, layout: Layout, sheet: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the vertices of the 'front' or 'back' sheet lie on the table, metres (V, 2), and their depth (V,)."""
    ease = ease_of(bodies, cut)
    p = bodies.tight[sheet] + bodies.widening[sheet] * ease[:, None]
    weight = smoothstep((bodies.arm + 0.04) / 0.26)
    fore = smoothstep((bodies.arm - ELBOW_ARM + 0.07) / 0.14)
    canonical = np.deg2rad(30.0)
    for k, sign in enumerate((-1.0, 1.0)):
        mine = (p[:, 0] * sign > 0) & (bodies.arm > -0.1)
        pivot = SHOULDER_PIVOT * [sign, 1] + np.array([sign * cut.ease * 1.2, 0])
        along = np.array([sign * np.sin(canonical), -np.cos(canonical)])
        p[mine] += along * (layout.longer * SLEEVE_M * np.clip(bodies.arm[mine], 0, None))[:, None]
        elbow = pivot + (ELBOW_ARM - 0.05) * SLEEVE_M * (1 + layout.longer) * along
        p[mine] = _turn(p[mine], elbow, sign * layout.elbow[k] * fore[mine])
        p[mine] = _turn(p[mine], pivot, sign * layout.lift[k] * weight[mine])
    p[:, 0] *= layout.stretch
    for a in layout.waves:
        p = p + a[:2] * np.sin(a[2] * p[:, :1] + a[3] * p[:, 1:] + a[4])
    p = _turn(p, np.zeros(2), np.full(len(p), layout.roll))
    lift = SLEEVE_LIFT * (1 + SLEEVES_APART * (bodies.tight[sheet][:, 0] > 0))
    depth = (weight * lift) * (1 if layout.under else -1) + (1.0 if sheet == "back" else 0.0)
    return p.astype(np.float32), depth.astype(np.float32)
