"""Curves of a pattern: arrays of points (N, 2), float64, x to the right, y down, in shoulder widths."""

from __future__ import annotations

import numpy as np

Points = np.ndarray


def spline(points: list | Points, samples_a_span: int = 16) -> Points:
    """A smooth curve through points: Catmull-Rom with centripetal parameters (no loops at uneven spacing)."""
    p = np.asarray(points, float)
    if len(p) == 2:
        return line(p[0], p[1], samples_a_span)
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


def line(a: Points, b: Points, samples: int = 16) -> Points:
    """The straight line from a to b."""
    t = np.linspace(0.0, 1.0, samples)[:, None]
    return (1 - t) * np.asarray(a, float) + t * np.asarray(b, float)


def bezier(a: Points, b: Points, c: Points, d: Points, samples: int = 48) -> Points:
    """The cubic Bezier curve from a to d with handles b and c."""
    t = np.linspace(0.0, 1.0, samples)[:, None]
    s = 1 - t
    a, b, c, d = (np.asarray(p, float) for p in (a, b, c, d))
    return s**3 * a + 3 * s**2 * t * b + 3 * s * t**2 * c + t**3 * d


def join(*curves: Points) -> Points:
    """One curve after the other."""
    return np.vstack(curves)


def mirrored(curve: Points) -> Points:
    """The curve on the other side of the garment's centre line x = 0, run in the same order."""
    return np.asarray(curve, float) * [-1.0, 1.0]


def both_sides(half: Points) -> Points:
    """A whole curve from its right half, which starts on the centre line: from the left end over to the right end."""
    return join(mirrored(half)[::-1], half)


def offset(curve: Points, by: float | Points) -> Points:
    """The curve moved sideways, to the left of its direction as one sees it (y down); `by` may vary along it."""
    tangent = np.gradient(curve, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    return curve + normal * np.broadcast_to(by, len(curve))[:, None]


def even(curve: Points, step: float) -> Points:
    """The curve sampled anew at about equal steps."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.linspace(0.0, along[-1], max(2, round(along[-1] / step) + 1))
    return np.stack([np.interp(at, along, curve[:, i]) for i in (0, 1)], 1)


def direction(degrees: float) -> Points:
    """Unit vector that hangs down, turned outwards (to the right) by so many degrees."""
    return np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
