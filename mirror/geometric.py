"""The fit that needs no network: the garment's landmarks carried to the body's. Fallback and yardstick.

Three layers lie on the canvas: the torso by a thin-plate spline (Bookstein, PAMI 1989) through neck, shoulders,
armpits and hem, and each sleeve along its arm (upper arm, and forearm for long sleeves) by arc length and lateral
offset. Each samples only its own part of the flat garment, so a sleeve that lies beside the torso in the picture is
never drawn beside the torso on the body.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.body import Body, capsule, read_body
from mirror.flat import part_distances
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, Person, flow_from_pixels
from mirror.infront import uncovered
from mirror.light import exposure, torso_shading
from mirror.smooth import OneEuro
from mirror.wardrobe import LANDMARKS, Garment

SEAM_OUT, SEAM_UP = 0.11, 0.09
"""Where a shoulder seam lies from the shoulder joint: outward and up, in shoulder units."""
NECK_HALF_WIDTH = (0.21, 0.40)
"""Half-width of a neckline on the body, in shoulder units: never narrower than a neck, never off the shoulder."""
NARROWEST_SHOULDERS = 0.86
"""Shoulder width of a garment, as a share of its chest, below which the chest is what tells its size."""
NECK_UP = 0.27
"""Where the side of a collar meets the neck, above the shoulder line."""
MIN_ARMPIT_HALF_WIDTH, MIN_HEM_HALF_WIDTH = 0.60, 0.58
CAP_ABOVE = 0.09
"""How far above the shoulder joint, along the arm, the top of a sleeve begins."""
ARM_HALF_WIDTH = (0.10, 0.19, 0.17, 0.12)
"""Half-width that a sleeve has at least at the shoulder seam, below it, at elbow and wrist: it covers the arm."""
CAP_LENGTH = 0.3
"""How far down the arm, in shoulder units, a sleeve grows from the seam to its full width."""
INNER_SHARE = 0.85
"""Share of a sleeve's inner half that shows: the rest lies between arm and body."""
UPPER_ARM_LENGTH = 0.80
"""Upper arm, joint to joint, seen in full, in shoulder units."""
GRID = 4
"""Canvas pixels between points at which the flow is computed; it is smooth in between."""
MAX_GARMENTS = 32


@dataclass(frozen=True)
class _Flat:
    """A garment in garment-canvas pixels, and its parts as alpha maps (float32 256x192, 0..1)."""

    points: dict[str, np.ndarray]
    torso: np.ndarray
    sleeves: tuple[np.ndarray, np.ndarray]
    long_sleeves: bool
    has_sleeves: bool


class GeometricFitter:
    """Fits a garment to a person by landmarks alone. Keeps one slow state: how broad the person is."""

    name = "geometric"

    def __init__(self) -> None:
        self._flats: OrderedDict[int, tuple[Garment, _Flat]] = OrderedDict()
        self._girth = OneEuro(0.3, 0.0)
        self._gain = OneEuro(0.5, 0.0)

    def prepare(self, garment: Garment) -> None:
        """Read the garment's parts once; `fit` does it where it was not done."""
        self._flat(garment)

    def see_nobody(self, frame: Frame) -> None:
        """Nothing is made of the room: this fit paints nothing over."""

    def close(self) -> None:
        """Nothing to release."""

    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit:
        """The garment on the person of this frame. `repair` is None: nothing of the old garment is painted over."""
        flat = self._flat(garment)
        canvas = cv2.warpAffine(frame.image, crop.matrix, (CANVAS_W, CANVAS_H), borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(person.mask, crop.matrix, (CANVAS_W, CANVAS_H))
        body = read_body(person.landmarks, crop)
        girth = self._girth(np.array([_girth(body, mask)]), frame.moment)[0]
        flow, torso = self._torso_layer(flat, body, girth)
        coverage = torso
        if flat.has_sleeves:
            for side in (0, 1):
                sleeve_flow, sleeve = _sleeve_layer(flat, body, side, self._scale(flat, body))
                # just outside the sleeve its own flow goes on, so that its edge is cut by its own outline
                around = (cv2.dilate(sleeve, np.ones((7, 7))) > 0.5) & (torso < 0.5)
                flow = np.where(((sleeve > 0.5) | around)[..., None], sleeve_flow, flow)
                coverage = np.maximum(coverage, sleeve)
        free = uncovered(canvas, mask, body, long_sleeves=flat.long_sleeves)
        gain = self._gain(np.array([exposure(frame.image)]), frame.moment)[0]
        shading = torso_shading(canvas, mask * torso * (1.0 - free)) * np.float32(gain)
        return Fit(flow_from_pixels(flow), coverage * (1.0 - free), shading, None, crop, frame.t_capture)

    def _flat(self, garment: Garment) -> _Flat:
        key = id(garment)
        if key not in self._flats:
            self._flats[key] = (garment, _read_flat(garment))
            if len(self._flats) > MAX_GARMENTS:
                self._flats.popitem(last=False)
        self._flats.move_to_end(key)
        return self._flats[key][1]

    @staticmethod
    def _scale(flat: _Flat, body: Body) -> float:
        """Canvas pixels on the body per garment-canvas pixel, across a body that faces the camera."""
        shoulders = float(np.linalg.norm(flat.points["shoulder_right"] - flat.points["shoulder_left"]))
        chest = float(np.linalg.norm(flat.points["armpit_right"] - flat.points["armpit_left"]))
        width = max(shoulders, NARROWEST_SHOULDERS * chest)  # the straps of a tank top say nothing of its size
        return body.unit * (1.0 + 2.0 * SEAM_OUT) / max(width, 4.0)

    def _torso_layer(self, flat: _Flat, body: Body, girth: float) -> tuple[np.ndarray, np.ndarray]:
        """Flow in garment-canvas pixels (256x192x2) and coverage (256x192) of the torso part."""
        points, unit = flat.points, body.unit
        down_scale = self._scale(flat, body)
        across_scale = down_scale * body.facing
        shoulders = (points["shoulder_left"] + points["shoulder_right"]) / 2
        neck = (points["neck_left"] + points["neck_right"]) / 2
        neck_half = np.clip(
            abs(points["neck_right"] - points["neck_left"])[0] / 2 * across_scale / unit, *NECK_HALF_WIDTH
        )
        neck_drop = (points["neck_front"] - neck)[1] * down_scale / unit

        def at(across: float, down: float) -> np.ndarray:
            return body.torso_point(across * unit * body.facing, down * unit)

        targets, sources = [], []

        def tie(name: str, target: np.ndarray) -> None:
            sources.append(points[name])
            targets.append(target)

        for side, sign in (("left", -1.0), ("right", 1.0)):
            joint = body.shoulders[0 if sign < 0 else 1]
            tie(f"neck_{side}", at(sign * neck_half, -NECK_UP))
            tie(f"shoulder_{side}", joint + (body.right * sign * SEAM_OUT * body.facing + body.up * SEAM_UP) * unit)
            armpit = abs(points[f"armpit_{side}"] - shoulders)
            armpit_half = max(armpit[0] * down_scale / unit, MIN_ARMPIT_HALF_WIDTH)
            armpit_down = armpit[1] * down_scale / unit - SEAM_UP
            tie(f"armpit_{side}", at(sign * armpit_half, armpit_down))
            hem = abs(points[f"hem_{side}"] - shoulders)
            hem_half = max(hem[0] * down_scale / unit, MIN_HEM_HALF_WIDTH, girth)
            hem_down = hem[1] * down_scale / unit - SEAM_UP
            tie(f"hem_{side}", at(sign * hem_half, hem_down))
            # the side seam halfway down keeps the waist from being pinched by the spline
            sources.append((points[f"armpit_{side}"] + points[f"hem_{side}"]) / 2)
            waist_half = max((armpit_half + hem_half) / 2, min(girth, armpit_half * 1.15))
            targets.append(at(sign * waist_half, (armpit_down + hem_down) / 2))
        tie("neck_front", at(0.0, -NECK_UP + max(neck_drop, 0.12)))
        hem_middle = (points["hem_left"] + points["hem_right"]) / 2
        sources.append(hem_middle)
        targets.append(at(0.0, (hem_middle - shoulders)[1] * down_scale / unit - SEAM_UP))
        flow = _thin_plate(np.array(targets), np.array(sources))
        return flow, _sample(flat.torso, flow)


def _read_flat(garment: Garment) -> _Flat:
    """Split the flat garment into torso and sleeves by its landmarks."""
    points = dict(zip(LANDMARKS, garment.canvas_landmarks.astype(np.float64), strict=True))
    alpha = garment.canvas_front
    torso_distance, *sleeve_distances = part_distances(garment)
    has_sleeves = garment.sleeves != "none"
    if not has_sleeves:
        empty = np.zeros_like(alpha)
        return _Flat(points, alpha, (empty, empty), False, False)
    soft = 1.5  # pixels over which the parts take over from each other at the seam
    others = np.minimum(sleeve_distances[0], sleeve_distances[1])
    torso = alpha * np.clip((others - torso_distance) / soft + 0.5 + 1.0, 0, 1)
    sleeves = tuple(alpha * np.clip((torso_distance - d) / soft + 0.5 + 1.0, 0, 1) for d in sleeve_distances)
    return _Flat(points, torso, (sleeves[0], sleeves[1]), garment.sleeves == "long", True)


def _thin_plate(targets: np.ndarray, sources: np.ndarray, stiffness: float = 1e-3) -> np.ndarray:
    """The smooth map that carries canvas points `targets` (N, 2) to garment points `sources` (N, 2).

    Returns float32 256x192x2. Worked out every GRID pixels and interpolated.
    """

    def kernel(d2: np.ndarray) -> np.ndarray:
        return d2 * np.log(d2 + 1e-9)

    scale = 64.0
    t = targets / scale
    n = len(t)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = kernel(((t[:, None] - t[None]) ** 2).sum(-1)) + stiffness * np.eye(n)
    system[:n, n], system[:n, n + 1 :] = 1.0, t
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.vstack([sources, np.zeros((3, 2))]))
    ys, xs = np.mgrid[0:CANVAS_H:GRID, 0:CANVAS_W:GRID].astype(np.float64)
    # centres of GRID x GRID cells, so that cv2.resize (area-aligned) puts them back where they belong
    q = np.stack([xs.ravel(), ys.ravel()], 1) + (GRID - 1) / 2
    q /= scale
    features = np.hstack([kernel(((q[:, None] - t[None]) ** 2).sum(-1)), np.ones((len(q), 1)), q])
    coarse = (features @ weights).reshape(*xs.shape, 2).astype(np.float32)
    return cv2.resize(coarse, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


def _sample(part: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A map of the garment canvas seen through a flow in garment-canvas pixels."""
    return cv2.remap(part, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _sleeve_layer(flat: _Flat, body: Body, side: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Flow in garment-canvas pixels and coverage of one sleeve. side: 0 image-left, 1 image-right."""
    name = ("left", "right")[side]
    p, unit = flat.points, body.unit
    root = (p[f"shoulder_{name}"] + p[f"armpit_{name}"]) / 2
    end = (p[f"sleeve_outer_{name}"] + p[f"sleeve_inner_{name}"]) / 2
    length = max(float(np.linalg.norm(end - root)), 2.0)
    axis = (end - root) / length
    normal = np.array([-axis[1], axis[0]]) * (1.0 if side == 0 else -1.0)  # towards the outer edge
    root_half = max(abs(float((p[f"shoulder_{name}"] - root) @ normal)), 2.0)
    end_half = max(abs(float((p[f"sleeve_outer_{name}"] - end) @ normal)), 2.0)
    cap = min(float((p[f"shoulder_{name}"] - root) @ axis), 0.0)  # how far the sleeve's top begins before its root

    shoulder, elbow, wrist = body.arms[side]
    upper = max(float(np.linalg.norm(elbow - shoulder)), 1.0)
    fore = max(float(np.linalg.norm(wrist - elbow)), 1.0)
    if flat.long_sleeves:
        reach = upper + fore
    else:
        seen = min(1.0, upper / (UPPER_ARM_LENGTH * unit))  # a foreshortened arm shows a shorter sleeve
        reach = (length - cap) * scale * max(seen, 0.25) - CAP_ABOVE * unit
    s, d = _arm_coordinates((shoulder, elbow, wrist), side)
    share = (cap + (s + CAP_ABOVE * unit) / (reach + CAP_ABOVE * unit) * (length - cap)) / length
    stations = [
        -CAP_ABOVE * unit,
        (CAP_LENGTH - CAP_ABOVE) * unit,
        max(upper, 0.4 * unit),
        max(upper, 0.4 * unit) + fore,
    ]
    body_half = np.interp(s, stations, [a * unit for a in ARM_HALF_WIDTH])
    flat_half = root_half + (end_half - root_half) * np.clip(share, 0.0, 1.0)
    grown = np.clip((s + CAP_ABOVE * unit) / (CAP_LENGTH * unit), 0.4, 1.0)
    half = np.maximum(body_half, flat_half * scale * grown).astype(np.float32)
    lateral = d / half
    along = root[None, None] + axis * (share * length)[..., None] + normal * (lateral * flat_half)[..., None]
    flow = along.astype(np.float32)
    across = np.where(lateral < 0, -lateral / INNER_SHARE, lateral)
    within = np.clip((1.12 - across) * 8.0, 0.0, 1.0) * np.clip(s / (0.1 * unit) + 2.5, 0.0, 1.0)
    flow = cv2.resize(flow, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)
    within = cv2.resize(within.astype(np.float32), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)
    return flow, cv2.blur(_sample(flat.sleeves[side], flow) * within, (3, 3))


def _arm_coordinates(arm: tuple[np.ndarray, ...], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Arc length along the arm, and signed distance from it (outer side positive).

    On the half canvas, in canvas pixels. Before the shoulder and past the wrist the end segments go straight on.
    """
    ys, xs = np.mgrid[0 : CANVAS_H // 2, 0 : CANVAS_W // 2].astype(np.float32) * 2 + 0.5
    best_distance = np.full(xs.shape, np.inf, np.float32)
    arc, lateral = np.zeros_like(xs), np.zeros_like(xs)
    start = 0.0
    for i in (0, 1):
        a, b = arm[i], arm[i + 1]
        length = max(float(np.linalg.norm(b - a)), 1.0)
        direction = (b - a) / length
        outward = np.array([-direction[1], direction[0]]) * (1.0 if side == 0 else -1.0)
        along = (xs - a[0]) * direction[0] + (ys - a[1]) * direction[1]
        off = (xs - a[0]) * outward[0] + (ys - a[1]) * outward[1]
        low, high = (-np.inf, length) if i == 0 else (0.0, np.inf)
        clipped = np.clip(along, low, high)
        distance = np.hypot(along - clipped, off)
        nearer = distance < best_distance
        best_distance = np.where(nearer, distance, best_distance)
        arc = np.where(nearer, start + clipped, arc)
        lateral = np.where(nearer, np.copysign(distance, off), lateral)
        start += length
    return arc, lateral


def _girth(body: Body, mask: np.ndarray) -> float:
    """Half-width of the torso between chest and hips in shoulder units, from the mask where no arm is in the way."""
    arms = np.zeros((CANVAS_H // 2, CANVAS_W // 2), np.float32)
    for shoulder, elbow, wrist in body.arms:
        arms = np.maximum(arms, capsule(shoulder, elbow, 0.15 * body.unit, 0.5))
        arms = np.maximum(arms, capsule(elbow, wrist, 0.13 * body.unit, 0.5))
    free = (mask[::2, ::2] > 0.5) & (arms < 0.5)
    steps = np.arange(0.3, 0.95, 0.02)
    signs, downs = np.meshgrid([-1.0, 1.0], np.arange(0.7, 1.4, 0.1))
    rays = body.torso_point(
        signs.ravel()[:, None] * steps * body.unit,
        np.broadcast_to(downs.ravel()[:, None], (signs.size, len(steps))) * body.unit,
    )
    x, y = np.round(rays / 2).astype(int).transpose(2, 0, 1)
    inside = (x >= 0) & (x < CANVAS_W // 2) & (y >= 0) & (y < CANVAS_H // 2)
    inside[inside] = free[y[inside], x[inside]]
    starts = inside[:, 0]
    ends = np.where(inside.all(1), len(steps) - 1, np.argmin(inside, 1))
    widths = steps[ends[starts]]
    return float(np.clip(np.median(widths) + 0.03, 0.5, 0.85)) if len(widths) >= 4 else 0.58
