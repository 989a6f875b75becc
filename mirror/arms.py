"""Bare arms where the generator is least sure of them: before the chest, and at the picture's end.

A forearm in a dark sleeve before a dark chest is seen by its landmarks and by the hand at its end, hardly by colours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mirror import either
from mirror.either import ramp
from mirror.inputs import IN_BODY, PersonInputs, enlarge
from mirror.maps import PERSON_CHANNELS, person_points, torso_frame

ELBOW_R, WRIST_R, EDGE_PX = 0.135, 0.095, 3.0
"""Half a forearm's width at both ends, shoulder widths; map pixels over which its edge fades."""
WRIST = (1.2, 1.0)
"""Where along a forearm the hand begins, whose own colour tells it."""
HAND_R, HAND_SHARE = 0.2, (0.4, 0.9)
"""A hand is counted on in squares of that side, shoulder widths: from which share of one that is surely skin, and from
which wholly, it shows that its forearm is in front."""
REACH = 0.35
"""So far from elbow and wrist a forearm is drawn at most, shoulder widths."""
LONG = (0.15, 0.3)
"""So long, in shoulder widths, a forearm must be seen: of one that points at the camera only the hand shows."""
SKIN, MAYBE_SKIN = 0.5, (0.15, 0.4)
"""Likeness to skin that counts as a hand's, and that is not painted over."""
TOLD_ROWS, END_ROWS = 4, 12
"""Canvas rows in which arms are told, above the last ones of a picture, where a person's mask is not."""
_BODY = PERSON_CHANNELS.index("mask")


def hands_seen(person: PersonInputs) -> tuple[float, float]:
    """How surely the hand of either forearm, and so the forearm, is seen, 0..1; 0 of one that points at the camera."""
    like, at = person.skin_likeness[0, 0], person_points(person.landmarks)
    unit = float(torso_frame(at)[3][0, 0, 0])
    seen = []
    for side, zone in zip(("left", "right"), person.hand_zones[0], strict=True):
        hand = ((like > SKIN) & (zone > 0.5)).sum() / (0.5 * unit * HAND_R) ** 2
        long = either.length(either.minus(at[f"wrist_{side}"], at[f"elbow_{side}"]))[0, 0, 0] / unit
        seen.append(float(ramp(np.array(hand), HAND_SHARE) * ramp(np.array(long), LONG)))
    return seen[0], seen[1]


def before_the_chest(person: PersonInputs) -> np.ndarray:
    """float32 256x192, 0..1: forearms, from the elbow to just past the wrist as it is found, whose hand is seen.
    0.3 ms."""
    x, y = either.grid(person.landmarks)
    at = person_points(person.landmarks)
    unit = float(torso_frame(at)[3][0, 0, 0])
    out = np.zeros_like(person.maps[0, _BODY])
    for side, seen in zip(("left", "right"), hands_seen(person), strict=True):
        if seen:
            elbow, wrist = at[f"elbow_{side}"], at[f"wrist_{side}"]
            part = part_around(elbow, wrist, REACH * unit)
            square, along, _ = either.segment(x[:, :, part[1]], y[:, part[0]], elbow, wrist, 1.0)
            half = (ELBOW_R + (WRIST_R - ELBOW_R) * along[0].clip(0.0, 1.0)) * np.float32(unit)
            inside = (half - square[0] ** 0.5) * 0.5  # map pixels
            arm = ramp(inside, (-EDGE_PX / 2, EDGE_PX / 2)) * ramp(along[0], WRIST)
            out[part] = np.maximum(out[part], arm * np.float32(seen))
    return enlarge(out * ramp(person.maps[0, _BODY], IN_BODY))


def part_around(a: tuple[Any, Any], b: tuple[Any, Any], reach: float) -> tuple[slice, slice]:
    """The part of the maps that is within reach (canvas pixels) of two points."""
    ends = [[float(point[k][0, 0, 0]) for point in (a, b)] for k in (1, 0)]
    rows, columns = (slice(max(int((min(e) - reach) / 2), 0), max(int((max(e) + reach) / 2) + 2, 0)) for e in ends)
    return rows, columns


def bare_forearms(
    person: PersonInputs, arms: np.ndarray, coverage: np.ndarray, repair: np.ndarray, skin: np.ndarray
) -> None:
    """Draws forearms as bare, in place, but for what is skin already. All float32 256x192, 0..1: forearms of
    `before_the_chest`, the garment's coverage, what is painted, and how much of that is skin."""
    coverage *= 1.0 - arms
    np.maximum(skin, arms, out=skin)
    np.maximum(repair, arms * (1.0 - enlarge(ramp(person.skin_likeness[0, 0], MAYBE_SKIN))), out=repair)


def down_to_the_end(person: PersonInputs, repair: np.ndarray, skin: np.ndarray, end: float) -> None:
    """Carries bare arms on, in place, to where the picture ends (canvas row `end`). repair, skin: float32 256x192, as
    for `bare_forearms`."""
    first, last = int(end) - END_ROWS, min(int(end) + TOLD_ROWS, len(skin))
    if not TOLD_ROWS <= first < len(skin):
        return
    told = slice(first - TOLD_ROWS, first)
    body = ramp(enlarge(person.maps[0, _BODY])[first], IN_BODY)
    bare, painted = skin[told].mean(0) * body, repair[told].mean(0) * body
    bare[bare < SKIN] = 0.0
    np.maximum(skin[first:last], bare, out=skin[first:last])
    np.maximum(repair[first:last], np.minimum(bare, painted), out=repair[first:last])
