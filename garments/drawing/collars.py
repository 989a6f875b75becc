"""Necks: the inside of the back, and what is sewn to the neckline. Each returns the mask of the inside (inner.png)."""

from __future__ import annotations

import numpy as np

from garments.drawing.cuts import Pattern
from garments.drawing.curves import Points, bezier, both_sides, even, join, line, offset
from garments.drawing.fabrics import Colour
from garments.drawing.sheet import Fabric, Field, Sheet


def band_edges(pattern: Pattern, width: float) -> tuple[Points, Points]:
    """Upper edges of a neckband, front and back, from left to right: the seams moved by its width, meeting aside."""
    cut = pattern.cut
    tip = np.array([cut.neck_half - 0.45 * width, -0.80 * width])
    front = offset(pattern.neckline, width)[len(pattern.neckline) // 2 :]
    front = front - [front[0, 0], 0.0]
    along = np.linspace(0, 1, len(front))[:, None]
    front = front + (tip - front[-1]) * along**3
    sag = cut.neck_back - 0.9 * width
    back = bezier([0, sag], [0.5 * tip[0], sag], [0.86 * tip[0], sag + 0.35 * (tip[1] - sag)], tip)
    return both_sides(front), both_sides(back)


def crew(sheet: Sheet, pattern: Pattern, cloth: Fabric, rib: Fabric, rib_inside: Fabric, tape: Colour,
         width: float = 0.042, thread: Colour | None = None) -> Field:  # fmt: skip
    """A ribbed neckband. Paint the inside before the torso and the band after it: see `crew_front`."""
    front, back = band_edges(pattern, width)
    opening = join(back, front[::-1])
    inner = sheet.mask(opening)
    sheet.paint(sheet.mask(join(back, pattern.neckline[::-1])), cloth, gain=0.80, edge=0.0, round_off=0.0)
    depth = np.clip((sheet.y - 0.0) / max(pattern.cut.neck_front, 0.05), 0, 1)
    sheet.tint(inner, 0.96)
    sheet.colour *= (1.0 - 0.16 * depth * inner)[..., None]
    seam = pattern.neckline_back
    strip = join(back, seam[::-1])
    sheet.shadow(sheet.mask(strip) * inner, 0.25, 0.012)
    sheet.paint(
        sheet.mask(strip), rib_inside, axis=even(back, 0.02), gain=0.86, edge=0.06, edge_width=0.006, round_off=0
    )
    low = seam + [0.0, 0.022]
    tape_outline = join(seam + [0.0, -0.002], low[::-1])
    sheet.paint(sheet.mask(tape_outline) * inner, lambda u, v, p: (np.broadcast_to(np.float32(tape), (*u.shape, 3)).copy(),
                (0.0004 * np.cos(2 * np.pi * (u + v) / 0.006)).astype(np.float32)), gain=0.88, edge=0.10,
                edge_width=0.004, round_off=0)  # fmt: skip
    return inner


def crew_front(sheet: Sheet, pattern: Pattern, rib: Fabric, inner: Field, width: float = 0.042,
               thread: Colour | None = None) -> None:  # fmt: skip
    """The front of the neckband, over the torso; it casts its shadow on the inside."""
    front, _ = band_edges(pattern, width)
    band = sheet.mask(join(front, pattern.neckline[::-1]))
    sheet.shadow(band * 1.0, 0.34, 0.016, (0.0, -0.006))
    middle = 0.5 * (front + pattern.neckline)
    relief = np.zeros_like(sheet.x)
    sheet.paint(
        band, rib, axis=even(middle, 0.012), height=relief, edge=0.20, edge_width=0.007, round_off=0.0, gain=1.01
    )
    sheet.tint(sheet.blur(sheet.stroke(pattern.neckline, 0.004), 0.0025), 0.74)
    if thread is not None:
        sheet.stitch(offset(pattern.neckline, -0.010), thread, 0.45)


def label(sheet: Sheet, pattern: Pattern, colour: Colour, inner: Field) -> None:
    """A small blank woven label inside the back."""
    y = pattern.cut.neck_back + 0.008
    outline = line([-0.034, y], [0.034, y], 4)
    outline = join(outline, outline[::-1] + [0.0, 0.040])
    mask = sheet.mask(outline) * inner
    sheet.shadow(mask, 0.3, 0.006)
    sheet.paint(mask, lambda u, v, p: (np.broadcast_to(np.float32(colour), (*u.shape, 3)).copy(), np.zeros_like(u)),
                gain=0.92, edge=0.12, edge_width=0.003, round_off=0)  # fmt: skip
