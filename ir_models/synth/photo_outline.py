"""The outline of a photographed garment and the outline of the canonical sheet, in the same runs between landmarks.

The landmarks are those the mirror itself would find on the photo (`mirror.prepare.landmarks`), so that training
sees what it will see live.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ir_models.synth import cuts
from ir_models.synth.cuts import Cut
from ir_models.synth.layouts import Layout
from mirror.prepare.landmarks import Placed

EASE_M = 0.016
"""Real shirts are 15-20 % wider than the tight layer."""
RUN_POINTS = (7, 10, 5, 12, 12, 10, 12, 12, 5, 10, 7, 6)
"""Points on each run of an outline, clockwise on screen from the right side of the neck: neck to shoulder, to the outer
corner of the sleeve, to its inner corner, to the armpit, to the hem; along the hem; the same backwards on the left; and
along the back of the neck."""
PATH = ("neck", "shoulder", "sleeve_outer", "sleeve_inner", "armpit", "hem")
NECK_HALF_M, NECK_BACK_M = 0.098, 0.012
NECK_FRONT_M = (0.06, 0.085)
MAX_TILT_RAD = np.deg2rad(25)
LIFT_RANGE_RAD = (-0.95, 1.4)


class Refused(Exception):
    """This photo cannot be used; the message says why."""


def evenly(line: np.ndarray, count: int) -> np.ndarray:
    """`count` points along a polyline, equally far apart, the first at its start, the last before its end."""
    d = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    t = np.linspace(0, d[-1], count, endpoint=False)
    return np.stack([np.interp(t, d, line[:, 0]), np.interp(t, d, line[:, 1])], 1)


def _along(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The outline (n, 2), clockwise, from the point nearest to `start` to the one nearest to `end`."""
    i, j = (int(np.argmin(np.linalg.norm(points - p, axis=1))) for p in (start, end))
    n = len(points)
    if (j - i) % n > n // 2:
        raise Refused("corners out of order")
    return points[np.arange(i, (j if j > i else j + n) + 1) % n]


def photo_outline(placed: Placed) -> np.ndarray:
    """float64 (sum(RUN_POINTS), 2): the photo's outline, pixels. Raises Refused.

    Where a sleeve lies along the body, its inner edge and the body's side are hidden: straight lines stand for them.
    """
    outline = placed.contour.points
    at = {f"{n}_{w}": placed.point(f"{n}_{w}") for n in PATH for w in ("left", "right")}
    runs = []
    for word, names in (("right", PATH), ("left", PATH[::-1])):
        hidden = placed.styles[word == "right"] == "hanging"
        for a, b in pairwise(names):
            start, end = at[f"{a}_{word}"], at[f"{b}_{word}"]
            runs.append(np.stack([start, end]) if hidden and "armpit" in (a, b) else _along(outline, start, end))
        if word == "right":
            runs.append(_along(outline, at["hem_right"], at["hem_left"]))
    runs.append(_along(outline, at["neck_left"], at["neck_right"]))
    return np.concatenate([evenly(r, n) for r, n in zip(runs, RUN_POINTS, strict=True)])


def sheet_outline(cut: Cut) -> np.ndarray:
    """float64 (sum(RUN_POINTS), 2): the same runs on the canonical sheet, metres."""
    o = cuts.outline()
    shoulder = int(np.argmin(np.abs(o.arm[: o.cuff + 1])))
    outer = int(np.argmin(np.abs(o.arm[: o.cuff + 1] - cut.sleeve)))
    inner = o.cuff + int(np.argmin(np.abs(o.arm[o.cuff : o.armpit + 1] - cut.sleeve)))
    hem = o.armpit + int(np.argmin(np.abs(o.uv[o.armpit :, 1] - cut.hem)))
    stops = (0, shoulder, outer, inner, o.armpit, hem)
    right = [o.uv[a : b + 1] for a, b in pairwise(stops)]
    right[2] = o.uv[[outer, inner]]
    mirror = np.array([-1.0, 1.0])
    back = np.stack([o.uv[0] * mirror, [0.0, o.uv[0][1] - NECK_BACK_M], o.uv[0]])
    runs = [*right, np.stack([o.uv[hem], o.uv[hem] * mirror]), *[r[::-1] * mirror for r in right[::-1]], back]
    return np.concatenate([evenly(r, n) for r, n in zip(runs, RUN_POINTS, strict=True)])


def measure(placed: Placed, kind: str, sleeves: str | None, rng: np.random.Generator) -> tuple[Cut, Layout]:
    """The cut and the layout whose sheet is nearest to a photo's landmarks.

    sleeves: what its class says, or None for a class with either. Raises Refused where the two disagree.
    """
    if placed.sleeves == "none" or (sleeves is not None and placed.sleeves != sleeves):
        raise Refused(f"sleeves look {placed.sleeves} but the class says {sleeves or 'short or long'}")
    if abs(placed.angle) > MAX_TILT_RAD:
        raise Refused("lies askew")
    side = {w: {n: placed.point(f"{n}_{w}") for n in PATH} for w in ("left", "right")}
    cuff = {w: (side[w]["sleeve_outer"] + side[w]["sleeve_inner"]) / 2 for w in side}
    reach = {w: float(np.linalg.norm(cuff[w] - side[w]["shoulder"])) for w in side}
    if abs(reach["left"] - reach["right"]) > 0.3 * max(reach.values()):
        raise Refused("sleeves of different length")
    o = cuts.outline()
    pit, shoulder = o.uv[o.armpit], o.upper(0.0)
    width = float(np.linalg.norm(side["left"]["armpit"] - side["right"]["armpit"]))
    metre = 2 * (pit[0] + 1.2 * EASE_M) / width  # metres of the sheet per pixel of the photo
    length = np.mean([side[w]["hem"][1] - side[w]["armpit"][1] for w in side]) * metre
    arm_m = float(np.mean(list(reach.values()))) * metre
    middles = {a: (o.upper(a) + o.lower(a)) / 2 for a in np.linspace(0.12, 0.95, 84)}
    if placed.sleeves == "short":
        sleeve = float(
            min((a for a in middles if a < 0.62), key=lambda a: abs(np.linalg.norm(middles[a] - shoulder) - arm_m))
        )
        longer = 0.0
    else:
        sleeve = 0.95
        longer = float(np.clip(arm_m / np.linalg.norm(middles[max(middles)] - shoulder) - 1, -0.1, 0.5))
    middle = (o.upper(sleeve) + o.lower(sleeve)) / 2 - shoulder
    lift = []
    for word, sign in (("left", -1), ("right", 1)):
        d = cuff[word] - side[word]["shoulder"]
        lift.append(float(np.arctan2(sign * d[0], d[1]) - np.arctan2(middle[0], -middle[1])))
    if min(lift) < LIFT_RANGE_RAD[0] or max(lift) > LIFT_RANGE_RAD[1]:
        raise Refused("sleeves at odd angles")
    cut = Cut(
        kind=kind, sleeves=placed.sleeves, sleeve=sleeve, hem=float(np.clip(pit[1] - length, cuts.LOWEST_HEM, 0.14)),
        neck_half=NECK_HALF_M, neck_front=rng.uniform(*NECK_FRONT_M), neck_back=NECK_BACK_M, v_neck=False,
        collar="none", ease=EASE_M, sleeve_ease=EASE_M * 0.7, hang=0.7, droop=0.6,
        neck_top=cuts.neck_top_at(NECK_HALF_M),
    )  # fmt: skip
    return cut, Layout((lift[0], lift[1]), longer, (0.0, 0.0), 0.0, 1.0, np.zeros((0, 5)), False)
