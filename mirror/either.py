"""Arithmetic on numpy arrays, torch tensors or nodes of a graph: what the maps that networks see are drawn with.

Every function is batched and answers with the kind it is given. This module imports numpy alone; it looks for the
module of a tensor or a node among those loaded. Points are pairs of (B, 1, 1), canvas pixels; grids are of map pixels,
128 x 96 (`mirror.maps`).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W


def segment(x: Any, y: Any, a: Any, b: Any, outwards: float) -> tuple[Any, Any, Any]:
    """Squared distance to segment a-b, position along it (0 at a, 1 at b, unclamped), signed distance across."""
    dx, dy = minus(b, a)
    square = (dx * dx + dy * dy).clip(1.0, None)
    px, py = x - a[0], y - a[1]
    along = (px * dx + py * dy) / square
    clamped = along.clip(0.0, 1.0)
    distance = (px - clamped * dx) ** 2 + (py - clamped * dy) ** 2
    across = (py * dx - px * dy) * (outwards / square**0.5)
    return distance, along, across


def spot(x: Any, y: Any, at: Any, radius: Any) -> Any:
    """A Gaussian; separable, so it costs one row and one column of exponentials."""
    soft = -0.5 / radius**2
    return exp((x - at[0]) ** 2 * soft) * exp((y - at[1]) ** 2 * soft)


def ramp(x: Any, ends: tuple[float, float]) -> Any:
    """0 up to the first end, 1 from the second on; the other way round where the second is less."""
    return ((x - ends[0]) * (1.0 / (ends[1] - ends[0]))).clip(0.0, 1.0)


def plateau(square: Any, radius: Any) -> Any:
    """Weight by squared distance: flat on top, half at 0.83 radius."""
    ratio = square / radius**2
    return exp(-1.5 * ratio * ratio)


def grid(like: Any) -> tuple[Any, Any]:
    """Canvas x (1, 1, 96) and y (1, 128, 1) of the map's pixels, of the kind of `like`."""
    x = (np.arange(CANVAS_W // 2, dtype=np.float32) * 2.0 + 0.5)[None, None, :]
    y = (np.arange(CANVAS_H // 2, dtype=np.float32) * 2.0 + 0.5)[None, :, None]
    return constant(x, like), constant(y, like)


def constant(value: np.ndarray, like: Any) -> Any:
    """A constant of the kind of `like`, and where that is."""
    if isinstance(like, np.ndarray):
        return value
    made = module(like).as_tensor(value)
    return made if like.device is None else made.to(like.device, non_blocking=True)  # a GPU is not waited for


def module(like: Any) -> Any:
    """numpy, torch or `mirror.graph`."""
    if isinstance(like, np.ndarray):
        return np
    return sys.modules["mirror.graph" if type(like).__module__ == "mirror.graph" else "torch"]


def point(landmarks: Any, row: int) -> tuple[Any, Any]:
    """x and y of one landmark."""
    return landmarks[:, row, 0][:, None, None], landmarks[:, row, 1][:, None, None]


def middle(a: Any, b: Any) -> tuple[Any, Any]:
    """Half way between two points."""
    return (a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5


def minus(a: Any, b: Any) -> tuple[Any, Any]:
    """From b to a."""
    return a[0] - b[0], a[1] - b[1]


def length(a: Any) -> Any:
    """Of a vector."""
    return (a[0] * a[0] + a[1] * a[1]) ** 0.5


def exp(x: Any) -> Any:
    """As numpy has it, and exp(-30) at least."""
    # Below -30 the result would be a denormal sooner or later, which is slow on every processor.
    return module(x).exp(x.clip(-30.0, None))


def where(condition: Any, a: Any, b: Any) -> Any:
    """As numpy has it."""
    return module(condition).where(condition, a, b)


def maximum(a: Any, b: Any) -> Any:
    """As numpy has it."""
    return module(a).maximum(a, b)


def minimum(a: Any, b: Any) -> Any:
    """As numpy has it."""
    return module(a).minimum(a, b)


def full(channel: Any, like: Any) -> Any:
    """A channel of the shape of `like`."""
    return channel if channel.shape == like.shape else channel + like * 0.0


def stack(channels: list[Any]) -> Any:
    """Channels side by side, on the second axis."""
    return module(channels[0]).stack(channels, 1)
