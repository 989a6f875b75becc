"""Where one part of a garment lies before another, a sleeve before the chest: the edge between them is smooth, and on
either side one part alone is seen.

A fit says for every canvas pixel which part it shows, at half the canvas's resolution: drawn as it is, the edge is a
staircase. So each part's flow is carried on a few pixels beyond its edge, as it runs there, and the edge is drawn anew
at the camera's resolution, where the part's share, blurred, is the largest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W
from mirror.leaps import spread
from mirror.patch import Box

TORN_PX = 30.0
"""Neighbouring canvas pixels whose sources lie further apart than this, in garment-canvas pixels, are on different
layers. Less is cloth that is drawn together."""
SEAM_PX = 5.5
"""The same where they are on different parts of the garment, which lie close together near armpits and elbows."""
EDGE_REACH = 2
"""Canvas pixels beside torn ones within which the new edge may lie."""
EDGE_PX, SHADOW_PX = 5, 7
"""Windows, canvas pixels, over which, twice, the stairs of an edge are evened out, two wide as they are, and over which
its shadow ends where the parts grow together. So far from the edge a shadow falls, too."""
SHADOWS, CREASE = (82, 56, 28, 56, 28), 44
"""Light, of 255, that a part loses right at its edge: the torso to arms before it, upper arms to forearms, forearms by
turning away. CREASE is the torso's where a garment has no forearms: upper arms lie close to it, and more looked drawn
with a pen."""
CARRY_PX, FIRST = (3, 7, 13), 20.0
"""Windows, canvas pixels, in which a part is looked at where it is carried on; how much more a smaller one tells."""
EDGE_TRUST = 0.001
"""What pixels near the part's own edges tell, beside others."""
BESIDE_PX = 12
"""Canvas pixels beside what is seen that edges, and the shadows and shares on them, may tell something of."""
_CANVAS = (CANVAS_H, CANVAS_W)
_NEAR = np.ones((3, 3), np.uint8)
_REACH = np.ones((2 * EDGE_REACH + 1, 2 * EDGE_REACH + 1), np.uint8)
_PLACES = np.stack(np.meshgrid(np.arange(CANVAS_W), np.arange(CANVAS_H)), -1).astype(np.float32)


@dataclass(frozen=True)
class Layer:
    """One part, carried on beyond its edges. box: x, y, width, height of its maps, counted from the edges' box. maps:
    float32 hxwx3, its source, x and y, and how much of the surroundings the part is, 0..255. shadow: of SHADOWS."""

    box: Box
    maps: np.ndarray
    shadow: int


@dataclass(frozen=True)
class Edges:
    """What lies around the edges between parts. near: uint8 256x192, 255 where the edges are drawn anew. shaded: uint8
    256x192, how much of a shadow falls there. box: x, y, width, height on the canvas, around all of them."""

    box: Box
    near: np.ndarray
    shaded: np.ndarray
    layers: list[Layer]


def edges_between(source: np.ndarray, part: np.ndarray, seen: np.ndarray, unit: float) -> Edges | None:
    """The edges between parts where a garment is seen; None where there are none.

    source: float32 256x192x2, where on the garment each canvas pixel comes from, in units of which a garment-canvas
    pixel has `unit`. part: uint8 256x192, of `flat.parts`, at that place. seen: uint8 256x192, not 0 where it counts.
    """
    x, y, width, height = cv2.boundingRect(seen)
    if not width:
        return None
    here = _cut((x, y, width, height), BESIDE_PX, _CANVAS)
    source, part = source[here], part[here]
    leap = spread(source)
    seam = cv2.compare(cv2.dilate(part, _NEAR), cv2.erode(part, _NEAR), cv2.CMP_NE)
    torn = cv2.bitwise_and(cv2.compare(leap, SEAM_PX * unit, cv2.CMP_GT), seam)
    torn = cv2.bitwise_or(torn, cv2.compare(leap, TORN_PX * unit, cv2.CMP_GT))
    torn = cv2.bitwise_and(torn, cv2.dilate(seen[here], _REACH))
    near = cv2.dilate(torn, _REACH)
    box = _around(near)
    if box is None:
        return None
    on_canvas = box[0] + here[1].start, box[1] + here[0].start, *box[2:]
    around = [np.zeros(seen.shape, np.uint8) for _ in range(2)]
    for whole, values in zip(around, (near, _soft(near, SHADOW_PX)), strict=True):
        whole[here] = values
    return Edges(on_canvas, around[0], around[1], list(_layers(source, part, near, box)))


def _layers(source: np.ndarray, part: np.ndarray, near: np.ndarray, within: Box) -> Iterator[Layer]:
    """Arguments as for `edges_between`, of a part of the canvas. within: the box that theirs are counted from."""
    size = part.shape[:2]
    forearms = bool(((part == 2) | (part == 4)).any())
    for which, shadow in enumerate(SHADOWS if forearms else (CREASE, *SHADOWS[1:])):
        own = cv2.compare(part, which, cv2.CMP_EQ)
        box = _around(cv2.bitwise_and(cv2.dilate(own, _REACH), near))
        if box is not None:
            x, y, width, height = box
            wide = _cut(box, CARRY_PX[-1] // 2, size)
            inner = _cut((x - wide[1].start, y - wide[0].start, width, height), 0, size)
            carried = _carried_on(source[wide], own[wide], near[wide])[inner]
            share = _soft(own[wide], EDGE_PX)[inner].astype(np.float32)
            yield Layer((x - within[0], y - within[1], width, height), cv2.merge([carried, share]), shadow)


def _around(where: np.ndarray) -> Box | None:
    """The box around all that is not 0 (uint8 hxw), and a pixel around it; None where all is 0."""
    x, y, width, height = cv2.boundingRect(where)
    if not width:
        return None
    rows, columns = _cut((x, y, width, height), 1, where.shape)
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def _cut(box: Box, margin: int, size: tuple[int, ...]) -> tuple[slice, slice]:
    """What cuts a box, with a margin, out of a map of that many rows and columns."""
    x, y, width, height = box
    rows = slice(max(y - margin, 0), min(y + height + margin, size[0]))
    return rows, slice(max(x - margin, 0), min(x + width + margin, size[1]))


def _soft(mask: np.ndarray, side: int) -> np.ndarray:
    """Blurred like by a Gaussian of 0.4 sides; a box twice takes a fifth of its time."""
    return cv2.blur(cv2.blur(mask, (side, side)), (side, side))


def _carried_on(source: np.ndarray, own: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The source (float32 hxwx2) of one part where it is, and near its edge and beyond as it would go on: the part's
    mean slope, and what its nearest pixels differ from that. own: uint8 hxw, 255 where the part is. near: uint8 hxw,
    255 near edges, where the source goes by steps of two pixels or is a mixture."""
    inner = cv2.bitwise_and(own, cv2.bitwise_not(near))
    across = cv2.mean(cv2.subtract(source[:, 1:], source[:, :-1]), cv2.bitwise_and(inner[:, 1:], inner[:, :-1]))
    down = cv2.mean(cv2.subtract(source[1:], source[:-1]), cv2.bitwise_and(inner[1:], inner[:-1]))
    plane = cv2.transform(_PLACES[: own.shape[0], : own.shape[1]], np.array([across[:2], down[:2]]).T)
    trust = cv2.addWeighted(own, EDGE_TRUST, inner, 1.0 - EDGE_TRUST, 0.0, dtype=cv2.CV_32F)
    rest = cv2.multiply(cv2.subtract(source, plane), cv2.merge([trust, trust]))
    rest, trust = _from_nearby(rest), cv2.max(_from_nearby(trust), 1e-6)
    out = cv2.add(cv2.divide(rest, cv2.merge([trust, trust])), plane)
    cv2.copyTo(source, inner, out)
    return out


def _from_nearby(values: np.ndarray) -> np.ndarray:
    """Sums over windows of CARRY_PX, of which a smaller one counts FIRST times as much as the next."""
    sums = cv2.blur(values, (CARRY_PX[0], CARRY_PX[0]))
    for side in CARRY_PX[1:]:
        sums = cv2.addWeighted(sums, FIRST, cv2.blur(values, (side, side)), 1.0, 0.0)
    return sums
