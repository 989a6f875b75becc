"""Turning bones: rotations, forward kinematics. Metres, z up, the person looks along -y; its left is +x."""

from __future__ import annotations

import numpy as np


def about(axis: np.ndarray | list[float], angle: float) -> np.ndarray:
    """Rotation matrix (3, 3) by `angle` radians about `axis` (Rodrigues)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that turns the direction `start` into `end`."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(a, b)
    sine, cosine = np.linalg.norm(axis), float(a @ b)
    if sine < 1e-8:
        return np.eye(3)
    return about(axis, float(np.arctan2(sine, cosine)))


def part_of(rotation: np.ndarray, share: float) -> np.ndarray:
    """The same turn by a share of its angle."""
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    angle = np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))
    if angle < 1e-3 or np.linalg.norm(axis) < 1e-6:
        return np.eye(3)
    return about(axis, angle * share)


def transforms(heads: np.ndarray, parents: np.ndarray, names: list[str], pose: dict[str, np.ndarray]) -> np.ndarray:
    """Where each bone takes the rest body: float32 (bones, 3, 4), x -> R x + t.

    heads: (bones, 3) rest positions. parents: (bones,), a parent before its children, -1 for the root. pose: bone ->
    rotation in world axes of the rest pose, applied before its parents'.
    """
    out = np.zeros((len(names), 3, 4))
    for i, name in enumerate(names):
        p = parents[i]
        turn, shift = (np.eye(3), np.zeros(3)) if p < 0 else (out[p, :, :3], out[p, :, 3])
        own = pose.get(name)
        if own is None:
            out[i, :, :3], out[i, :, 3] = turn, shift
        else:
            out[i, :, :3] = turn @ own
            out[i, :, 3] = shift + turn @ (heads[i] - own @ heads[i])
    return out.astype(np.float32)
