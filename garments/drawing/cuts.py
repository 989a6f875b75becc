"""Cut -> Pattern: the outlines of a garment's panels and its landmarks.

Lengths are in shoulder widths; the origin is the middle between the two neck points, x to the right, y down. Only the
right half is constructed; the left is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from garments.drawing.curves import (
    Points,
    arc_lengths,
    bezier,
    both_sides,
    direction,
    flipped,
    join,
    line,
    mirrored,
    moved,
    piece,
    spline,
)


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
    length: float = 1.55  # down to the hem's corners
    hem_drop: float = 0.015  # the hem's middle lies lower than its corners
    sleeves: str = "short"  # none, short, long
    sleeve_length: float = 0.45
    sleeve_angle: float = 50.0  # degrees from hanging, at the shoulder
    forearm_angle: float = 50.0  # and at the sleeve's end
    sleeve_end: float = 0.35  # width of the sleeve's end
    cuff: float = 0.0  # length of a cuff; 0: a hem
    slack: float = 0.0  # how far a sleeve bags out above its cuff
    welt: float = 0.0  # height of a ribbed band at the hem; 0: a hem


@dataclass(frozen=True)
class Sleeve:
    """The right sleeve: its upper and lower edge run from the body to the end, the end from outer to inner corner."""

    top: Points
    under: Points
    end: Points
    axis: Points
    outline: Points

    def across(self, distance: float) -> Points:
        """A line across the sleeve, from its upper to its lower edge, so far before the end, bent as the end is."""
        bend = self.end - line(self.end[0], self.end[-1], len(self.end))
        return line(self._edge(self.top, distance)[0], self._edge(self.under, distance)[0], len(self.end)) + bend

    def band(self, near: float) -> Points:
        """Outline of the strip at the end, so long."""
        return join(self._edge(self.top, near), self.end, self._edge(self.under, near)[::-1], self.across(near)[::-1])

    @staticmethod
    def _edge(edge: Points, distance: float) -> Points:
        return piece(edge, arc_lengths(edge)[-1] - distance)


@dataclass(frozen=True)
class Pattern:
    """Outlines (closed, (N, 2)), the seams shared by them (open), and the landmarks."""

    cut: Cut
    torso: Points
    sleeve: Sleeve | None
    armhole: Points  # right, from the shoulder point to the armpit
    shoulder: Points  # right, from the neck point to the shoulder point
    neckline: Points  # front, from the left neck point to the right
    neckline_back: Points  # the same at the back
    side: Points  # right, from the armpit to the hem
    hem: Points  # from left to right
    landmarks: dict[str, Points]

    def welt(self) -> Points:
        """Outline of the ribbed band along the hem."""
        side = piece(self.side, -self.cut.welt)
        top = self.hem_line(self.cut.welt)
        return join(side, self.hem[::-1], mirrored(side)[::-1], top)

    def hem_line(self, height: float) -> Points:
        """A line along the hem, so far above it, from side to side."""
        end = piece(self.side, -height, -height, 1)[0]
        scale = end[0] / self.hem[-1, 0]
        return np.stack([self.hem[:, 0] * scale, self.hem[:, 1] + (end[1] - self.hem[-1, 1])], 1)

    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of torso and sleeves."""
        parts = [self.torso]
        if self.sleeve is not None:
            parts += [self.sleeve.outline, mirrored(self.sleeve.outline)]
        everything = join(*parts)
        return *everything.min(0), *everything.max(0)  # type: ignore[return-value]


def draft(cut: Cut) -> Pattern:
    """The pattern of a cut."""
    neck = np.array([cut.neck_half, 0.0])
    shoulder = np.array([cut.shoulder_half, cut.shoulder_drop])
    armpit = np.array([cut.chest / 2, cut.armpit])
    corner = np.array([cut.hem / 2, cut.length])

    third = (shoulder - neck) / 3
    shoulder_line = bezier(neck, neck + third - [0.0, 0.006], shoulder - third + [0.0, -0.012], shoulder, 24)
    inward = cut.shoulder_half - cut.armhole_in
    armhole = bezier(
        shoulder,
        [inward - 0.01, cut.shoulder_drop + 0.45 * (cut.armpit - cut.shoulder_drop)],
        [inward, cut.armpit - 0.06],
        armpit,
        32,
    )
    waist = np.array([cut.waist / 2, 0.55 * cut.armpit + 0.45 * cut.length])
    side = spline([armpit, 0.5 * (armpit + waist) - [0.006, 0.0], waist, 0.5 * (waist + corner) - [0.003, 0.0], corner])
    low = cut.length + cut.hem_drop
    flat = 0.006 + 0.25 * max(0.0, cut.hem_drop - 0.015)
    hem_half = bezier([0, low], [0.45 * corner[0], low], moved(corner, -0.36 * corner[0], flat), corner)
    front = neckline(cut.neck_half, cut.neck_front, cut.vee)
    back = neckline(cut.neck_half, cut.neck_back, 0.0)
    right = join(shoulder_line, armhole, side)
    hem = both_sides(hem_half)
    torso = join(front, right, hem[::-1], mirrored(right)[::-1])

    points = {"neck": neck, "shoulder": shoulder, "armpit": armpit, "hem": corner}
    sleeve = None
    if cut.sleeves == "none":
        points |= {"sleeve_outer": shoulder, "sleeve_inner": armpit}
    else:
        sleeve = _sleeve(cut, shoulder, armpit, armhole)
        points |= {"sleeve_outer": sleeve.end[0], "sleeve_inner": sleeve.end[-1]}
    landmarks = {"neck_front": np.array([0.0, cut.neck_front])}
    for name, point in points.items():
        landmarks[f"{name}_right"], landmarks[f"{name}_left"] = point, flipped(point, -1.0)
    return Pattern(cut, torso, sleeve, armhole, shoulder_line, front, back, side, hem, landmarks)


def _share(curve: Points, points: int = 20) -> Points:
    return piece(curve, 0.0, None, points)


def neckline(half: float, depth: float, vee: float = 0.0) -> Points:
    """From the left neck point to the right; its lowest point is in the middle."""
    steep = [half - 0.02 - 0.02 * min(depth / 0.2, 1.0), depth * 0.62]
    round_half = bezier([0, depth], [half * 0.60, depth], steep, [half, 0.0])
    vee_half = bezier([0, depth], [half * 0.25, depth * 0.74], [half * 0.80, depth * 0.30], [half, 0.0])
    return both_sides((1 - vee) * round_half + vee * vee_half)


def _sleeve(cut: Cut, shoulder: Points, armpit: Points, armhole: Points) -> Sleeve:
    upper, lower = direction(cut.sleeve_angle), direction(cut.forearm_angle)
    across = np.array([-lower[1], lower[0]])
    bulge = np.array([upper[1], -upper[0]])
    elbow = shoulder + upper * cut.sleeve_length * 0.5
    outer = elbow + lower * cut.sleeve_length * 0.5
    inner = outer + across * cut.sleeve_end
    end = line(outer, inner, 24) + np.outer(np.sin(np.linspace(0, np.pi, 24)), lower) * 0.006
    if cut.sleeves == "long":
        start = lower * max(cut.cuff, 0.02)
        seam_out, seam_in = outer - start, inner - start
        out, bag = bulge * cut.slack, lower * 0.035
        top = join(
            spline(
                [
                    shoulder,
                    0.5 * (shoulder + elbow) + bulge * 0.016,
                    elbow + bulge * 0.008 + 0.4 * out,
                    seam_out - 6 * bag + out,
                    seam_out - bag + 0.9 * out,
                    seam_out,
                ]
            )[:-1],
            line(seam_out, outer),
        )
        low = seam_in - bag - 0.9 * out
        third = (low - armpit) / 3
        under = join(
            bezier(armpit, armpit + third, low - third - 0.8 * out, low)[:-1],
            bezier(low, low + 0.6 * bag, seam_in - 0.1 * bag, seam_in, 8)[:-1],
            line(seam_in, inner),
        )
    else:
        top = spline([shoulder, elbow + bulge * 0.012, outer])
        under = bezier(armpit, moved(armpit, 0.024, 0.045), inner - 0.4 * (inner - armpit), inner, 24)
    axis = 0.5 * (_share(top) + _share(under))
    tucked = armhole - [0.05, 0.0]  # runs on under the torso, so that no gap shows
    return Sleeve(top, under, end, axis, join(top, end, under[::-1], tucked[::-1]))
