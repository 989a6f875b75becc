"""A cut-out -> its landmarks, how its sleeves lie, and how it must be turned to be upright."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mirror.prepare import search, shapes
from mirror.prepare.contour import Contour, trace
from mirror.prepare.search import LEFT, RIGHT, Found
from mirror.wardrobe import LANDMARKS

COARSE_DEG, FINE_DEG, FINE_STEPS = 30, 7, 2
SIDES = {LEFT: "left", RIGHT: "right"}
PAIRS = (
    ("short", "short"),
    ("spread", "spread"),
    ("hanging", "hanging"),
    ("spread", "hanging"),
    ("hanging", "spread"),
    ("none", "none"),
)
"""Styles of the left and the right half that are looked for together."""
TURNED_DEG = 90
"""Placements further apart than this are two ways to read a photo, not one a little turned."""
NEARLY_AS_GOOD = 8.0
"""Log density by which another way up may be worse, coarsely tried, and still be tried finely."""
ARMPIT_DOWN, ARMPIT_IN = 0.366, 0.022
"""Where the armpit of a sleeve that hides it lies, fitted to labelled photos: shares of the way from the shoulder
to the hem and from the shoulder to the other one."""
SETTLE = {
    ("short", "shoulder"): (-0.011, 0.001),
    ("short", "armpit"): (-0.015, -0.012),
    ("short", "hem"): (0.006, 0.007),
    ("spread", "shoulder"): (-0.013, -0.009),
    ("spread", "sleeve_inner"): (-0.006, 0.009),
    ("spread", "armpit"): (-0.012, -0.018),
    ("spread", "hem"): (0.008, 0.007),
    ("hanging", "sleeve_outer"): (0.010, 0.003),
    ("hanging", "sleeve_inner"): (-0.011, 0.008),
    ("hanging", "hem"): (0.012, 0.002),
}
"""Outward and down, shares of the way from the shoulders to the hem: how far people's labels lie from the places found
on the outline, which was smoothed and so cuts corners and fills armpits. Medians over the photos that teach."""
LONG_SLEEVE = {"short": 0.52, "spread": 0.52, "hanging": 0.62}
"""Sleeve lengths, shares of the way from shoulder to hem, from which on sleeves are long: wide short ones that hang
down from a hanger reach half way."""
NO_SLEEVE = 0.05
"""A sleeve that is shorter is none."""


@dataclass(frozen=True)
class Placed:
    """What was found on an outline.

    points: float64 (13, 2), rows as LANDMARKS, pixels of the mask; neck_front is NaN (see neckline.py).
    styles: of the left and the right half (shapes.STYLES). angle: radians to turn the picture clockwise.
    score: log density of the places; contour: the outline they lie on. turned_score: that of the best places with the
    picture turned another way, where that was tried and came near; else minus infinity.
    """

    points: np.ndarray
    styles: tuple[str, str]
    angle: float
    score: float
    contour: Contour
    turned_score: float = -np.inf

    @property
    def sleeves(self) -> str:
        """One of mirror.wardrobe.SLEEVES."""
        if "none" in self.styles:
            return "none"
        lengths = []
        for word in SIDES.values():
            shoulder = self.point(f"shoulder_{word}")
            cuff = (self.point(f"sleeve_outer_{word}") + self.point(f"sleeve_inner_{word}")) / 2
            body = float(np.linalg.norm(self.point(f"hem_{word}") - shoulder))
            lengths.append(float(np.linalg.norm(cuff - shoulder)) / max(body, 1e-6))
        return "long" if sum(lengths) > sum(LONG_SLEEVE[style] for style in self.styles) else "short"

    def point(self, name: str) -> np.ndarray:
        """float64 (2,): one landmark."""
        return self.points[LANDMARKS.index(name)]


def place(mask: np.ndarray, near: float | None = None, sleeved: bool | None = None) -> Placed:
    """Landmarks of a mask (HxW, non-zero inside, gaps between sleeves and body cut out).

    near: about how far the picture must be turned, radians clockwise; all round is tried if not given.
    sleeved: whether the garment has sleeves, if that is known.
    """
    pairs = tuple(pair for pair in PAIRS if sleeved in (None, pair[0] != "none"))
    contour = trace(mask)
    model = shapes.load()
    around = np.radians(np.arange(-FINE_STEPS, FINE_STEPS + 1) * FINE_DEG)
    if near is not None:
        return _placed(contour, search.find(contour, model, near + around, pairs))
    coarse = search.find_each(contour, model, np.radians(np.arange(-180, 180, COARSE_DEG)), pairs)
    first = max(coarse, key=search.merit)
    found = search.find(contour, model, first.angle + around, pairs)
    others = [other for other in coarse if np.cos(other.angle - first.angle) < np.cos(np.radians(TURNED_DEG)) + 1e-6]
    second = max(others, key=lambda other: other.score)
    if second.score < first.score - NEARLY_AS_GOOD:
        return _placed(contour, found)
    turned = search.find(contour, model, second.angle + around, pairs)
    found, turned = (found, turned) if search.merit(found) >= search.merit(turned) else (turned, found)
    return replace(_placed(contour, found), turned_score=turned.score)


def _placed(contour: Contour, found: Found) -> Placed:
    return Placed(_points(contour, found), found.styles, _upright(contour, found), found.score, contour)


def from_points(mask: np.ndarray, points: np.ndarray) -> Placed:
    """Landmarks that are already known (13, 2), pixels of the mask, with the outline they belong to."""
    at = dict(zip(LANDMARKS, points, strict=True))
    styles = []
    for word in SIDES.values():
        sleeve = (at[f"sleeve_outer_{word}"] + at[f"sleeve_inner_{word}"]) / 2 - at[f"shoulder_{word}"]
        body = float(np.linalg.norm(at[f"hem_{word}"] - at[f"shoulder_{word}"]))
        share = float(np.linalg.norm(sleeve)) / max(body, 1e-6)
        none = np.linalg.norm(at[f"sleeve_outer_{word}"] - at[f"shoulder_{word}"]) < NO_SLEEVE * body
        styles.append("none" if none else "spread" if share > LONG_SLEEVE["spread"] else "short")
    top = (at["neck_left"] + at["neck_right"] + at["shoulder_left"] + at["shoulder_right"]) / 4
    return Placed(points, (styles[0], styles[1]), _angle(top, at["hem_left"], at["hem_right"]), 0.0, trace(mask))


def _points(contour: Contour, found: Found) -> np.ndarray:
    points = np.full((len(LANDMARKS), 2), np.nan)
    for (side, word), style in zip(SIDES.items(), found.styles, strict=True):
        at = {place: contour.points[i] for place, i in found.index[side].items()}
        if style == "none":
            at["sleeve_outer"], at["sleeve_inner"] = at["shoulder"], at["armpit"]
        if style == "hanging":
            other = contour.points[found.index[-side]["shoulder"]]
            shoulder = at["shoulder"]
            at["armpit"] = shoulder + ARMPIT_DOWN * (at["hem"] - shoulder) + ARMPIT_IN * (other - shoulder)
        for name, point in at.items():
            points[LANDMARKS.index(f"{name}_{word}")] = point
    return _settled(points, found.styles)


def _settled(points: np.ndarray, styles: tuple[str, str]) -> np.ndarray:
    """The points (13, 2) moved from the smoothed outline to where people see them."""
    at = dict(zip(LANDMARKS, points, strict=True))
    way = (at["hem_left"] + at["hem_right"]) / 2
    way = way - (at["neck_left"] + at["neck_right"] + at["shoulder_left"] + at["shoulder_right"]) / 4
    across = np.array([way[1], -way[0]])
    settled = points.copy()
    for (side, word), style in zip(SIDES.items(), styles, strict=True):
        for (of_style, place), (outward, down) in SETTLE.items():
            if of_style == style:
                settled[LANDMARKS.index(f"{place}_{word}")] += outward * side * across + down * way
    return settled


def _upright(contour: Contour, found: Found) -> float:
    """Radians clockwise that bring the middle of the hem under the middle of the neck and shoulders."""
    at = {(s, p): contour.points[i] for s in SIDES for p, i in found.index[s].items()}
    top = (at[LEFT, "neck"] + at[RIGHT, "neck"] + at[LEFT, "shoulder"] + at[RIGHT, "shoulder"]) / 4
    return _angle(top, at[LEFT, "hem"], at[RIGHT, "hem"])


def _angle(top: np.ndarray, hem_left: np.ndarray, hem_right: np.ndarray) -> float:
    down = (hem_left + hem_right) / 2 - top
    return float(np.pi / 2 - np.arctan2(down[1], down[0]))
