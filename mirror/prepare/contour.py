"""The outline of a garment as evenly spaced points, with what is needed to recognise places on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

POINTS = 240
"""Points of an outline; at this number one step is about 1 % of a T-shirt's height."""
TURN_SPANS = (2, 4, 7, 12, 20)
"""Half spans, in points, over which the outline's turn is measured: corners, rounded corners, armpits."""
REACHES = (2, 5, 10, 20, 35)
"""Points before and behind whose places are features of a point."""
FEATURES = 2 + 2 + len(TURN_SPANS) + 4 * len(REACHES)


@dataclass(frozen=True)
class Contour:
    """A closed outline, clockwise as seen on the screen.

    points: float64 (POINTS, 2), pixels, evenly spaced along the outline.
    centre: float64 (2,), centroid of the area. scale: square root of the area, pixels.
    normal: float64 (POINTS, 2), unit, outward. turn: float64 (POINTS, len(TURN_SPANS)), radians, positive at
        convex corners.
    """

    points: np.ndarray
    centre: np.ndarray
    scale: float
    normal: np.ndarray
    turn: np.ndarray

    def turned(self, angles: np.ndarray) -> np.ndarray:
        """float64 (angles, POINTS, 2): the points around the centre, in sizes, turned by angles (radians)."""
        around = self.points - self.centre
        return np.array([around @ rotation_matrix(float(angle)).T for angle in angles]) / self.scale

    def features(self, angles: np.ndarray, side: int) -> np.ndarray:
        """float64 (angles, POINTS, FEATURES), after turning the outline by angles (radians): place, outward normal,
        turns, and where the points around lie.

        side: 1 for the right half of the garment as seen, -1 for the left, which is mirrored so that both look alike.
        """
        flip = np.array([side, 1.0])
        place = self.turned(angles) * flip
        normal = np.array([self.normal @ rotation_matrix(float(angle)).T for angle in angles]) * flip
        turn = np.broadcast_to(self.turn, (len(angles), *self.turn.shape))
        ahead = [np.roll(place, -side * reach, 1) - place for reach in REACHES]
        behind = [np.roll(place, side * reach, 1) - place for reach in REACHES]
        return np.concatenate([place, normal, turn, *ahead, *behind], 2)


def rotation_matrix(angle: float) -> np.ndarray:
    """float64 2x2: turns points by `angle` radians, clockwise on the screen."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def outline(mask: np.ndarray) -> np.ndarray:
    """The largest outer outline of a mask, float64 (n, 2), clockwise on the screen."""
    found, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(found, key=cv2.contourArea)[:, 0].astype(np.float64)
    x, y = points.T
    signed = 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
    return points if signed > 0 else points[::-1]


def resample(points: np.ndarray, count: int) -> np.ndarray:
    """A closed polyline (n, 2) as `count` evenly spaced points."""
    closed = np.vstack([points, points[:1]])
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0.0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, i]) for i in (0, 1)], 1)


def smooth(points: np.ndarray, sigma: float) -> np.ndarray:
    """A closed polyline, Gaussian-smoothed along its length by `sigma` points."""
    reach = max(1, int(np.ceil(3 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    wrapped = np.vstack([points[-reach:], points, points[:reach]])
    return np.stack([np.convolve(wrapped[:, i], kernel, "valid") for i in (0, 1)], 1)


def curve_along(line: np.ndarray, terms: int, stray: float) -> np.ndarray:
    """The polynomial curve of so many terms that most of an open polyline (n, 2) follows, at its points.

    stray: pixels off it from which a point counts for less and less.
    """
    powers = np.linspace(-1.0, 1.0, len(line))[:, None] ** np.arange(terms)
    weight = np.ones((len(line), 1))
    for _ in range(8):
        curve = powers @ np.linalg.lstsq(powers * weight, line * weight, rcond=None)[0]
        weight = 1.0 / (1.0 + (np.linalg.norm(line - curve, axis=1, keepdims=True) / stray) ** 2)
    return np.asarray(curve)


def trace(mask: np.ndarray) -> Contour:
    """The outline of the largest piece of a mask (HxW, non-zero inside)."""
    return measure(smooth(resample(outline(mask), POINTS * 4), 2.0))


def measure(line: np.ndarray) -> Contour:
    """An outline (n, 2), clockwise on the screen, as a Contour."""
    points = resample(line, POINTS)
    moments = cv2.moments(points.astype(np.float32).reshape(-1, 1, 2))
    centre = np.array([moments["m10"], moments["m01"]]) / max(moments["m00"], 1e-9)
    tangent = np.roll(points, -2, 0) - np.roll(points, 2, 0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)  # clockwise with y down: outward is to the left of travel
    turns = []
    for span in TURN_SPANS:
        before, after = points - np.roll(points, span, 0), np.roll(points, -span, 0) - points
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        turns.append(np.arctan2(cross, np.sum(before * after, 1)))
    return Contour(points, centre, float(np.sqrt(max(moments["m00"], 1.0))), normal, np.stack(turns, 1))
