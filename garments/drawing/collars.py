"""Necks. Each is painted in two goes: `behind` the torso (the inside of the back) and in `front` of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from garments.drawing.curves import (
    Points,
    bezier,
    both_sides,
    even,
    flipped,
    join,
    line,
    mirrored,
    moved,
    offset,
    piece,
)
from garments.drawing.cuts import Pattern
from garments.drawing.fabrics import Colour, flat, ribbed, turned
from garments.drawing.sheet import Fabric, Field, Sheet


class Neck(Protocol):
    """What is sewn to a neckline."""

    def behind(self, sheet: Sheet, pattern: Pattern) -> None:
        """Paint what lies behind the wearer's neck, before the torso."""

    def front(self, sheet: Sheet, pattern: Pattern) -> None:
        """Paint what lies before it, after the torso."""

    def opening(self, pattern: Pattern) -> Points:
        """Outline of the inside that shows: the mask that becomes inner.png."""


class Crew:
    """A neckband, ribbed or a plain binding, round or pointed as the cut's neckline is."""

    def __init__(
        self,
        cloth: Fabric,
        band: Colour,
        thread: Colour,
        tape: Colour,
        width: float = 0.042,
        label: Colour = (232.0, 232.0, 232.0),
        rib: float = 0.0085,
        deep: float = 0.10,
    ) -> None:
        self.cloth, self.band, self.thread, self.tape = cloth, band, thread, tape
        self.width, self.label, self.rib, self.deep = width, label, rib, deep

    def _edges(self, pattern: Pattern) -> tuple[Points, Points]:
        """Upper edges of the band, front and back: the seams moved by its width, meeting at the sides."""
        cut, width = pattern.cut, self.width
        tip = np.array([cut.neck_half - 0.45 * width, -0.80 * width])
        front = offset(pattern.neckline, width)[len(pattern.neckline) // 2 :]
        front = front - [front[0, 0], 0.0]
        share = np.linspace(0, 1, len(front))[:, None]
        front = front + (tip - front[-1]) * share**3
        sag = cut.neck_back - 0.9 * width
        back = bezier([0, sag], [0.5 * tip[0], sag], [0.86 * tip[0], sag + 0.35 * (tip[1] - sag)], tip)
        return both_sides(front), both_sides(back)

    def opening(self, pattern: Pattern) -> Points:
        front, back = self._edges(pattern)
        return join(back, front[::-1])

    def behind(self, sheet: Sheet, pattern: Pattern) -> None:
        _, back = self._edges(pattern)
        opening = sheet.mask(self.opening(pattern))
        sheet.paint(sheet.mask(join(back, pattern.neckline[::-1])), self.cloth, gain=0.80, edge=0.0, round_off=0.0)
        inside_of_back(sheet, pattern, opening, self.tape, self.label)
        strip = sheet.mask(join(back, pattern.neckline_back[::-1]))
        sheet.shadow(strip * opening, 0.22, 0.012)
        rib = turned(ribbed(self.band, self.rib, dip=self.deep))
        sheet.paint(strip, rib, axis=even(back, 0.012), gain=0.84, edge=0.06, edge_width=0.006, round_off=0.0)

    def front(self, sheet: Sheet, pattern: Pattern) -> None:
        front, _ = self._edges(pattern)
        seam = pattern.neckline
        band = sheet.mask(join(front, seam[::-1]))
        sheet.shadow(band, 0.34, 0.016, (0.0, -0.006))
        rib = turned(ribbed(self.band, self.rib, dip=self.deep))
        sheet.paint(
            band, rib, axis=even(0.5 * (front + seam), 0.012), edge=0.16, edge_width=0.007, round_off=0.0, gain=1.01
        )
        sheet.crease(seam, 0.80, 0.0035)
        sheet.stitch(offset(seam, -0.010), self.thread, 0.40)


class Leaves:
    """A collar of two leaves on a stand, as of a shirt or polo, and the placket's upper end.

    meet: how deep the leaves meet. tip: the leaf's point. stand: whether a buttoned stand shows between them.
    """

    def __init__(
        self,
        leaf: Fabric,
        cloth: Fabric,
        thread: Colour,
        tape: Colour,
        meet: float = 0.085,
        tip: tuple[float, float] = (0.150, 0.235),
        height: float = 0.080,
        soft: float = 0.0,
        label: Colour = (232.0, 232.0, 232.0),
        tipping: tuple[Colour, float] | None = None,
    ) -> None:
        self.leaf, self.cloth, self.thread, self.tape, self.label = leaf, cloth, thread, tape, label
        self.meet, self.tip, self.height, self.soft, self.tipping = meet, np.array(tip), height, soft, tipping

    def _leaf(self, pattern: Pattern) -> tuple[Points, Points]:
        """Right leaf: its fold (inner edge, from the top down to the middle) and its outer edge, back up."""
        half = pattern.cut.neck_half
        top = np.array([half - 0.035, -self.height])
        middle = np.array([0.006, self.meet])
        low = np.array([half + 0.032, 0.038])
        fold = bezier(top, [half - 0.050, 0.10 * self.meet], [0.45 * half, 0.72 * self.meet], middle)
        inner = bezier(
            middle, middle + 0.35 * (self.tip - middle) + [0.006, 0.0], self.tip - [0.03, 0.06], self.tip, 20
        )
        outer = bezier(self.tip, moved(self.tip, 0.02, -0.05), moved(low, -0.02, 0.06 + 0.02 * self.soft), low, 24)
        over = bezier(low, moved(low, 0.006, -0.045), moved(top, 0.040, 0.012), top, 20)
        return fold, join(inner, outer, over)

    def _back(self, pattern: Pattern) -> Points:
        """The collar's upper edge behind the neck, from left to right."""
        top = np.array([pattern.cut.neck_half - 0.035, -self.height])
        sag = -0.60 * self.height
        return both_sides(bezier([0, sag], [0.6 * top[0], sag], [0.92 * top[0], sag - 0.30 * self.height], top))

    def opening(self, pattern: Pattern) -> Points:
        fold, _ = self._leaf(pattern)
        return join(self._back(pattern), fold, mirrored(fold)[::-1])

    def behind(self, sheet: Sheet, pattern: Pattern) -> None:
        opening = sheet.mask(self.opening(pattern))
        back = self._back(pattern)
        under = join(back, moved(pattern.neckline[::-1], 0.0, 0.02))
        sheet.paint(sheet.mask(under), self.cloth, gain=0.76, edge=0.0, round_off=0.0)
        inside_of_back(sheet, pattern, opening, self.tape, self.label)
        stand = sheet.mask(join(back, pattern.neckline_back[::-1])) * opening
        sheet.shadow(stand, 0.25, 0.012)
        sheet.paint(stand, turned(self.leaf), gain=0.84, edge=0.08, edge_width=0.008, round_off=0.0)
        sheet.stitch(moved(piece(pattern.neckline_back, 0.03, -0.03), 0.0, -0.008), self.thread, 0.35)

    def front(self, sheet: Sheet, pattern: Pattern) -> None:
        for side in (-1.0, 1.0):
            fold, outer = (flipped(curve, side) for curve in self._leaf(pattern))
            mask = sheet.mask(join(fold, outer))
            sheet.shadow(mask, 0.42, 0.016, (0.0, 0.010))
            sheet.shadow(mask, 0.30, 0.005, (0.0, 0.003))
            axis = line(fold[len(fold) // 2], flipped(self.tip, side), 6)
            relief = np.zeros_like(sheet.x)
            roll = sheet.mask(join(fold, offset(fold, -0.022 * side)[::-1]))
            sheet.paint(
                mask, self.leaf, axis=axis, height=relief, edge=0.16, edge_width=0.008, round_off=0.02, gain=1.02
            )
            sheet.tint(sheet.blur(roll, 0.006) * mask, 1.05)
            rim = offset(outer[4:-16], -0.016 * side)
            if self.tipping is not None:
                colour, width = self.tipping
                stripe = sheet.stroke(offset(outer, -0.022 * side), width) * mask
                sheet.dye(stripe, colour)
            else:
                sheet.stitch(rim, self.thread, 0.45)


def inside_of_back(sheet: Sheet, pattern: Pattern, opening: Field, tape: Colour, label: Colour) -> None:
    """Shadow that deepens downwards, neck tape along the seam, a small blank label."""
    depth = np.clip(sheet.y / max(pattern.cut.neck_front, 0.05), 0, 1)
    sheet.tint(opening * depth, 0.84)
    seam = pattern.neckline_back
    strip = sheet.mask(join(moved(seam, 0, -0.002), moved(seam, 0, 0.022)[::-1])) * opening
    sheet.paint(strip, flat(tape, 0.0004, 0.006), gain=0.88, edge=0.10, edge_width=0.004, round_off=0.0)
    y = pattern.cut.neck_back + 0.008
    patch = sheet.mask(np.array([[-0.034, y], [0.034, y], [0.034, y + 0.040], [-0.034, y + 0.040]])) * opening
    sheet.shadow(patch, 0.30, 0.006)
    sheet.paint(patch, flat(label), gain=0.88, edge=0.10, edge_width=0.003, round_off=0.0)
