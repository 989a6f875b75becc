"""Curves of a pattern: arrays of points (N, 2), float64, x to the right, y down, in shoulder widths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Points = np.ndarray
Point = Sequence[float] | np.ndarray


def spline(points: Sequence[Point] | Points, samples_a_span: int = 16) -> Points:
    """A smooth curve through points: Catmull-Rom with centripetal parameters (no loops at uneven spacing)."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t0 = 0.0
        t1 = t0 + np.sqrt(np.linalg.norm(b - a)) + 1e-9
        t2 = t1 + np.sqrt(np.linalg.norm(c - b)) + 1e-9
        t3 = t2 + np.sqrt(np.linalg.norm(d - c)) + 1e-9
        t = np.linspace(t1, t2, samples_a_span, endpoint=False)[:, None]
        a1 = (t1 - t) / (t1 - t0) * a + (t - t0) / (t1 - t0) * b
        a2 = (t2 - t) / (t2 - t1) * b + (t - t1) / (t2 - t1) * c
        a3 = (t3 - t) / (t3 - t2) * c + (t - t2) / (t3 - t2) * d
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    return np.vstack([*pieces, p[-2]])


def line(a: Point, b: Point, samples: int = 16) -> Points:
    """The straight line from a to b."""
    t = np.linspace(0.0, 1.0, samples)[:, None]
    return (1 - t) * np.asarray(a, float) + t * np.asarray(b, float)


def bezier(a: Point, b: Point, c: Point, d: Point, samples: int = 48) -> Points:
    """The cubic Bezier curve from a to d with handles b and c."""
    t = np.linspace(0.0, 1.0, samples)[:, None]
    s = 1 - t
    p, q, r, e = (np.asarray(point, float) for point in (a, b, c, d))
    return s**3 * p + 3 * s**2 * t * q + 3 * s * t**2 * r + t**3 * e


def join(*curves: Points) -> Points:
    """One curve after the other."""
    return np.vstack(curves)


def moved(curve: Points, dx: float, dy: float) -> Points:
    """The curve, or point, elsewhere."""
    return np.asarray(curve, float) + np.array([dx, dy])


def mirrored(curve: Points) -> Points:
    """The curve on the other side of the garment's centre line x = 0, run in the same order."""
    return np.asarray(curve, float) * np.array([-1.0, 1.0])


def flipped(curve: Points, side: float) -> Points:
    """A curve of the right half as it lies on a side: 1 the right, -1 the left."""
    return np.asarray(curve, float) * np.array([side, 1.0])


def both_sides(half: Points) -> Points:
    """A whole curve from its right half, which starts on the centre line: from the left end over to the right end."""
    return join(mirrored(half)[::-1], half)


def tangents(curve: Points) -> Points:
    """Unit vectors along a curve."""
    way = np.gradient(curve, axis=0)
    return way / (np.linalg.norm(way, axis=1, keepdims=True) + 1e-12)


def offset(curve: Points, by: float | Points) -> Points:
    """The curve moved sideways, to the left of one who goes along it; `by` may vary along it."""
    way = tangents(curve)
    normal = np.stack([way[:, 1], -way[:, 0]], 1)
    return curve + normal * np.broadcast_to(by, len(curve))[:, None]


def arc_lengths(curve: Points) -> Points:
    """How far along the curve each of its points lies."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])


def piece(curve: Points, start: float, end: float | None = None, samples: int = 32) -> Points:
    """The part of a curve between two distances along it; negative ones count from its end, as in a slice."""
    along = arc_lengths(curve)
    first, last = (at + along[-1] if at < 0 else at for at in (start, along[-1] if end is None else end))
    at = np.linspace(first, last, samples)
    return np.stack([np.interp(at, along, curve[:, i]) for i in (0, 1)], 1)


def even(curve: Points, step: float) -> Points:
    """The curve sampled anew at about equal steps."""
    length = arc_lengths(curve)[-1]
    return piece(curve, 0.0, length, max(2, round(length / step) + 1))


def direction(degrees: float) -> Points:
    """Unit vector that hangs down, turned outwards (to the right) by so many degrees."""
    return np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
