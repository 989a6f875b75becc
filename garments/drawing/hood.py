"""The neck of a hoodie; a `collars.Neck`."""

from __future__ import annotations

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
from garments.drawing.fabrics import Colour, flat
from garments.drawing.sheet import Fabric, Field, Sheet


class Hood:
    """A hood that lies back: its rolled edge stands around the neck and crosses in front; two drawstrings."""

    CROSSING = 0.235
    """How deep its edges meet in front; the cut's neckline has to go as deep."""

    def __init__(
        self, cloth: Fabric, lining: Fabric, thread: Colour, cord: Colour, metal: Colour = (196.0, 200.0, 204.0)
    ):
        self.cloth, self.lining, self.thread, self.cord, self.metal = cloth, lining, thread, cord, metal

    def _rim(self, pattern: Pattern) -> tuple[Points, Points]:
        """Right half of the hood's opening (from the back's middle to the crossing) and of its outside."""
        half = pattern.cut.neck_half
        opening = join(
            bezier([0, -0.066], [0.55 * half, -0.068], [0.82 * half, -0.062], [0.94 * half, -0.020], 24),
            bezier([0.94 * half, -0.020], [1.0 * half, 0.045], [0.52 * half, 0.17], [0.0, self.CROSSING], 32),
        )
        outside = join(
            bezier([0, -0.118], [0.75 * half, -0.124], [1.28 * half, -0.106], [1.50 * half, -0.015], 24),
            bezier([1.50 * half, -0.015], [1.62 * half, 0.040], [1.60 * half, 0.075], [1.52 * half, 0.095], 12),
            bezier([1.52 * half, 0.095], [1.15 * half, 0.20], [0.5 * half, 0.315], [0.0, 0.325], 24),
        )
        return opening, outside

    def opening(self, pattern: Pattern) -> Points:
        inside, _ = self._rim(pattern)
        return both_sides(inside)

    def behind(self, sheet: Sheet, pattern: Pattern) -> None:
        _, outside = self._rim(pattern)
        whole = join(mirrored(outside)[::-1], outside)
        sheet.paint(sheet.mask(whole), self.lining, gain=0.72, edge=0.0, round_off=0.0)
        mask = sheet.mask(self.opening(pattern))
        deep = np.exp(-(((sheet.x / 0.12) ** 2) + ((sheet.y - 0.03) / 0.11) ** 2))
        sheet.tint(mask * deep.astype(np.float32), 0.72)
        sheet.tint(sheet.blur(sheet.stroke(line([0, -0.10], [0, 0.20]), 0.004), 0.003) * mask, 0.82)

    def front(self, sheet: Sheet, pattern: Pattern) -> None:
        inside, outside = self._rim(pattern)
        for side in (1.0, -1.0):  # the left one, as one sees it, lies over the right
            inner, outer = flipped(inside, side), flipped(outside, side)
            lap = flipped(np.array([[-0.055, self.CROSSING + 0.035], [-0.060, self.CROSSING + 0.075]]), side)
            panel = join(inner, lap, outer[::-1])
            mask = sheet.mask(panel)
            sheet.shadow(mask, 0.38, 0.018, (0.0, 0.010))
            sheet.shadow(mask, 0.30, 0.006, (0.0, 0.003))
            relief = self._roll(sheet, inner, side)
            sheet.paint(
                mask, self.cloth, axis=even(inner, 0.02), height=relief, edge=0.20, edge_width=0.012, round_off=0.14
            )
            rim = offset(inner, 0.034 * side)
            sheet.stitch(piece(rim, 0.05, -0.02), self.thread, 0.40)
            sheet.crease(rim, 0.90, 0.004, mask)
        sheet.crease(both_sides(outside[-24:][::-1]), 0.84, 0.004)
        for side in (1.0, -1.0):
            self._string(sheet, side)

    def _roll(self, sheet: Sheet, inner: Points, side: float) -> Field:
        """Two soft creases that follow the opening, where the hood's cloth bunches."""
        relief = np.zeros_like(sheet.x)
        for away, width, height in ((0.062, 0.012, 0.006), (0.088, 0.015, 0.006)):
            curve = piece(offset(inner, away * side), 0.10, -0.05)
            stroke = sheet.blur(sheet.stroke(curve, width), 0.010)
            relief += height * stroke
        return relief

    def _string(self, sheet: Sheet, side: float) -> None:
        start = np.array([side * 0.072, 0.200])
        end = np.array([side * 0.105, 0.66 if side > 0 else 0.62])
        run = bezier(start, moved(start, side * 0.015, 0.16), moved(end, -side * 0.035, -0.16), end)
        sheet.dye(sheet.mask(_ring(start, 0.013)), self.metal)
        sheet.dye(sheet.mask(_ring(start, 0.0075)), (30.0, 30.0, 32.0))
        sheet.shadow(sheet.stroke(run, 0.014), 0.40, 0.006, (0.004, 0.006))
        body = sheet.stroke(run, 0.0145)
        sheet.paint(
            body, flat(self.cord, 0.0012, 0.008), axis=even(run, 0.02), edge=0.35, edge_width=0.004, round_off=0.0
        )
        tip = piece(run, -0.042)
        sheet.paint(sheet.stroke(tip, 0.0165), flat(self.metal), edge=0.35, edge_width=0.004, round_off=0.0)


def _ring(centre: Points, radius: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 40)
    return centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
