"""The parts of a garment that lies flat: where its torso and its sleeves lie, and how wide a sleeve is on its way."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W
from mirror.garment import LANDMARKS, Garment

ELBOW = 0.5
"""How far along a long sleeve the elbow is."""
SIDES = ("left", "right")
STATIONS = 16
"""Places along a sleeve, from armhole to cuff, at which its width is known."""


@dataclass(frozen=True)
class Sleeve:
    """A sleeve on its garment canvas, in pixels.

    origin: middle of the armhole. along: from there to the middle of the cuff. outwards: unit vector, across it, to its
    outer edge. middle, half: (STATIONS,) at even steps of its length: where its middle lies `outwards`, its half-width.
    """

    origin: np.ndarray
    along: np.ndarray
    outwards: np.ndarray
    middle: np.ndarray
    half: np.ndarray

    def coordinates(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of places (..., 2): how far along, 0 at the armhole and 1 at the cuff, and pixels across, outwards."""
        from_origin = places - self.origin
        return from_origin @ self.along / (self.along @ self.along), from_origin @ self.outwards

    def middle_and_half(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Across, its middle and its half-width so far along."""
        station = np.linspace(0.0, 1.0, STATIONS)
        return np.interp(along, station, self.middle), np.interp(along, station, self.half)


def part_distances(garment: Garment) -> np.ndarray:
    """float32 (3, 256, 192): of torso, left and right sleeve, the distance to its outline on the garment canvas in
    pixels, negative inside. By the landmarks: sleeves that touch the torso in the picture are told from it."""
    points = dict(zip(LANDMARKS, garment.canvas_landmarks.astype(np.float64), strict=True))
    torso = ("neck", "shoulder", "armpit", "hem")
    rings = [[points[f"{n}_left"] for n in torso] + [points[f"{n}_right"] for n in reversed(torso)]]
    for side in SIDES:
        rings.append([points[f"{n}_{side}"] for n in ("shoulder", "sleeve_outer", "sleeve_inner", "armpit")])
    return np.stack([_signed_distance(np.array(ring)) for ring in rings])


def parts(garment: Garment) -> np.ndarray:
    """uint8 256x192: which part of the garment lies at each place of its canvas, or nearest to it: 0 the torso, 1 and 2
    upper arm and forearm of the left sleeve, 3 and 4 of the right one."""
    nearest = part_distances(garment).argmin(0)
    if garment.sleeves == "none":
        return np.zeros_like(nearest, np.uint8)
    out = np.array([0, 1, 3], np.uint8)[nearest]
    if garment.sleeves == "short":
        return out
    places = np.stack(np.meshgrid(np.arange(CANVAS_W), np.arange(CANVAS_H)), -1)
    for k, sleeve in enumerate(sleeves_of(garment, nearest)):
        out[nearest == 1 + k] += sleeve.coordinates(places[nearest == 1 + k])[0] > ELBOW
    return out


def sleeves_of(garment: Garment, nearest: np.ndarray) -> tuple[Sleeve, ...]:
    """Left and right; none of a garment without sleeves. nearest: 256x192, the row of `part_distances` that is least
    at each place."""
    if garment.sleeves == "none":
        return ()
    return tuple(_sleeve(garment, nearest == 1 + k, side) for k, side in enumerate(SIDES))


def _sleeve(garment: Garment, here: np.ndarray, side: str) -> Sleeve:
    points = dict(zip(LANDMARKS, garment.canvas_landmarks.astype(np.float64), strict=True))
    shoulder = points[f"shoulder_{side}"]
    origin = (shoulder + points[f"armpit_{side}"]) / 2
    along = (points[f"sleeve_outer_{side}"] + points[f"sleeve_inner_{side}"]) / 2 - origin
    outwards = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1.0)
    if side == "right":
        outwards = -outwards
    bare = Sleeve(origin, along, outwards, np.zeros(STATIONS), np.full(STATIONS, abs((shoulder - origin) @ outwards)))
    rows, columns = np.nonzero(here & (garment.canvas_front > 0.5))
    share, across = bare.coordinates(np.stack([columns, rows], 1))
    station = np.round(share * (STATIONS - 1))
    seen = [k for k in range(STATIONS) if (station == k).sum() > 1]
    if not seen:
        return bare
    ends = np.array([[across[station == k].min(), across[station == k].max()] for k in seen])
    low, high = (np.interp(np.arange(STATIONS), seen, end) for end in ends.T)
    return Sleeve(origin, along, outwards, (low + high) / 2, np.maximum((high - low) / 2, 1.0))


def _signed_distance(polygon: np.ndarray) -> np.ndarray:
    """float32 256x192: distance to a polygon's edge in pixels, negative inside."""
    inside = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    cv2.fillPoly(inside, [np.round(polygon).astype(np.int32)], 1)
    outside_distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return outside_distance - cv2.distanceTransform(inside, cv2.DIST_L2, 3)
