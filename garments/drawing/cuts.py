"""Cut -> Pattern: the outlines of a garment's panels and its landmarks.

Lengths are in shoulder widths; the origin is the middle between the two neck points, x to the right, y down. Only the
right half is constructed; the left is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from garments.drawing.curves import Points, bezier, both_sides, direction, join, line, mirrored, spline


@dataclass(frozen=True)
class Cut:
    """Measures of a garment, shoulder width 1 (about 45 cm)."""

    neck_half: float = 0.20  # half the distance between the neck points
    neck_front: float = 0.20  # depth of the front neckline
    neck_back: float = 0.035  # depth of the back neckline
    vee: float = 0.0  # 0 a round neckline, 1 a pointed one
    shoulder_half: float = 0.50
    shoulder_drop: float = 0.13
    armpit: float = 0.54  # depth of the armhole
    armhole_in: float = 0.045  # how far the armhole curves in
    chest: float = 1.15  # widths of the body
    waist: float = 1.10
    hem: float = 1.14
    length: float = 1.55
    hem_drop: float = 0.015  # the hem's middle lies lower than its corners
    sleeves: str = "short"  # none, short, long
    sleeve_length: float = 0.45
    sleeve_angle: float = 50.0  # degrees from hanging, at the shoulder
    forearm_angle: float = 50.0  # and at the sleeve's end
    elbow_width: float = 0.30
    sleeve_end: float = 0.35  # width of the sleeve's end


@dataclass(frozen=True)
class Pattern:
    """Outlines (closed, (N, 2)), the seams shared by them (open), and the landmarks."""

    cut: Cut
    torso: Points
    sleeve_right: Points | None
    axis_right: Points | None  # the sleeve's middle line, from the armhole to its end
    armhole_right: Points  # from the shoulder point to the armpit
    shoulder_right: Points  # from the neck point to the shoulder point
    neckline: Points  # front, from the left neck point to the right
    neckline_back: Points  # the same at the back
    side_right: Points  # from the armpit to the hem
    hem: Points  # from left to right
    sleeve_end_right: Points | None  # from the outer to the inner corner
    landmarks: dict[str, Points]


def draft(cut: Cut) -> Pattern:
    """The pattern of a cut."""
    neck = np.array([cut.neck_half, 0.0])
    shoulder = np.array([cut.shoulder_half, cut.shoulder_drop])
    armpit = np.array([cut.chest / 2, cut.armpit])
    corner = np.array([cut.hem / 2, cut.length])

    shoulder_line = bezier(neck, neck + [0.10, 0.035], shoulder - [0.10, 0.030], shoulder, 24)
    inward = cut.shoulder_half - cut.armhole_in
    armhole = bezier(
        shoulder,
        [inward - 0.01, cut.shoulder_drop + 0.45 * (cut.armpit - cut.shoulder_drop)],
        [inward, cut.armpit - 0.06],
        armpit,
        32,
    )
    waist = np.array([cut.waist / 2, 0.55 * cut.armpit + 0.45 * cut.length])
    side = spline([armpit, 0.5 * (armpit + waist) + [-0.006, 0.0], waist, 0.5 * (waist + corner) + [-0.003, 0], corner])
    hem_half = bezier([0, cut.length + cut.hem_drop], [0.2, cut.length + cut.hem_drop], corner + [-0.15, 0.006], corner)
    front = _neckline(cut.neck_half, cut.neck_front, cut.vee)
    back = _neckline(cut.neck_half, cut.neck_back, 0.0)
    right = join(shoulder_line, armhole, side)
    hem = both_sides(hem_half)
    torso = join(front, right, hem[::-1], mirrored(right)[::-1])

    points = {"neck": neck, "shoulder": shoulder, "armpit": armpit, "hem": corner}
    sleeve = axis = end = None
    if cut.sleeves == "none":
        points |= {"sleeve_outer": shoulder, "sleeve_inner": armpit}
    else:
        sleeve, axis, end = _sleeve(cut, shoulder, armpit, armhole)
        points |= {"sleeve_outer": end[0], "sleeve_inner": end[-1]}
    landmarks = {"neck_front": np.array([0.0, cut.neck_front])}
    for name, point in points.items():
        landmarks[f"{name}_right"], landmarks[f"{name}_left"] = point, mirrored(point)
    return Pattern(cut, torso, sleeve, axis, armhole, shoulder_line, front, back, side, hem, end, landmarks)


def _neckline(half: float, depth: float, vee: float) -> Points:
    """From the left neck point to the right; its lowest point is in the middle."""
    steep = [half - 0.02 - 0.02 * min(depth / 0.2, 1.0), depth * 0.62]
    round_half = bezier([0, depth], [half * 0.60, depth], steep, [half, 0.0])
    vee_half = bezier([0, depth], [half * 0.25, depth * 0.74], [half * 0.80, depth * 0.30], [half, 0.0])
    return both_sides((1 - vee) * round_half + vee * vee_half)


def _sleeve(cut: Cut, shoulder: Points, armpit: Points, armhole: Points) -> tuple[Points, Points, Points]:
    """Outline, middle line and end of the right sleeve."""
    upper, lower = direction(cut.sleeve_angle), direction(cut.forearm_angle)
    middle = direction(0.5 * (cut.sleeve_angle + cut.forearm_angle))
    across = np.array([-lower[1], lower[0]])
    elbow = shoulder + upper * cut.sleeve_length * 0.5
    outer = elbow + lower * cut.sleeve_length * 0.5
    inner = outer + across * cut.sleeve_end
    elbow_inner = elbow + np.array([-middle[1], middle[0]]) * cut.elbow_width
    bulge = np.array([upper[1], -upper[0]])
    if cut.sleeves == "long":
        top = spline([shoulder, 0.5 * (shoulder + elbow) + bulge * 0.018, elbow + bulge * 0.008,
                      0.5 * (elbow + outer) + bulge * 0.004, outer])  # fmt: skip
        reach = np.linalg.norm(inner - armpit)
        under = bezier(armpit, armpit + upper * 0.35 * reach + [0.01, 0.0], inner - lower * 0.45 * reach, inner)
    else:
        top = spline([shoulder, elbow + bulge * 0.012, outer])
        under = bezier(armpit, armpit + [0.03, 0.05], inner - lower * 0.05, inner, 24)
    end = line(outer, inner) + np.outer(np.sin(np.linspace(0, np.pi, 16)), lower) * 0.006
    tucked = armhole - [0.05, 0.0]  # runs on under the torso, so that no gap shows
    root = 0.5 * (shoulder + armpit)
    axis = spline([root, 0.5 * (elbow + elbow_inner), 0.5 * (outer + inner)])
    if cut.sleeves == "short":
        axis = line(0.5 * (outer + inner) - lower * cut.sleeve_length, 0.5 * (outer + inner))
    return join(top, end, under[::-1], tucked[::-1]), axis, end
