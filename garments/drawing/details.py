"""Plackets, pockets and buttons: what is sewn on a torso. Each function returns an `assemble.Extra`."""

from __future__ import annotations

import numpy as np

from garments.drawing.assemble import Extra, button
from garments.drawing.curves import Points, bezier, even, flipped, join, line, mirrored, moved
from garments.drawing.cuts import Pattern
from garments.drawing.fabrics import Colour
from garments.drawing.sheet import Fabric, Field, Sheet


def placket(
    cloth: Fabric,
    thread: Colour,
    buttons: Colour,
    top: float,
    bottom: float | None = None,
    half: float = 0.036,
    places: tuple[float, ...] = (),
    boxed: bool = False,
) -> Extra:
    """A strip down the middle with buttons at given heights. bottom None: down to the hem. boxed: its end is sewn."""

    def sew(sheet: Sheet, pattern: Pattern, torso: Field, relief: Field) -> None:
        low = pattern.hem[:, 1].max() + 0.01 if bottom is None else bottom
        outline = np.array([[-half, top - 0.03], [half, top - 0.03], [half, low], [-half, low]])
        mask = sheet.mask(outline) * torso
        sheet.shadow(mask, 0.20, 0.007, (0.003, 0.002))
        sheet.paint(mask, cloth, height=relief, edge=0.10, edge_width=0.004, round_off=0.0, gain=1.01)
        for side in (-1.0, 1.0):
            sheet.stitch(line([side * (half - 0.007), top], [side * (half - 0.007), low - 0.012], 40), thread, 0.45)
            sheet.crease(line([side * half, top], [side * half, low], 40), 0.86, 0.003, torso)
        if boxed:
            box = np.array([[-half + 0.007, low - 0.010], [half - 0.007, low - 0.010]])
            sheet.stitch(box, thread, 0.45)
            sheet.stitch(box - [0.0, 0.022], thread, 0.45)
        for y in places:
            hole = line([0.0, y - 0.014], [0.0, y + 0.014], 4) if bottom is None else line([-0.014, y], [0.014, y], 4)
            sheet.tint(sheet.blur(sheet.stroke(hole, 0.004), 0.001), 0.72)
            button(sheet, np.array([0.0, y]), buttons)

    return sew


def chest_pocket(
    cloth: Fabric,
    thread: Colour,
    centre: tuple[float, float] = (0.245, 0.56),
    wide: float = 0.22,
    high: float = 0.25,
    flap: Colour | None = None,
) -> Extra:
    """A patch pocket with a pointed bottom, on the right as one sees it; flap: colour of a button on a flap."""

    def sew(sheet: Sheet, pattern: Pattern, torso: Field, relief: Field) -> None:
        x, y = centre
        w, h = wide / 2, high / 2
        outline = np.array([[x - w, y - h], [x + w, y - h], [x + w, y + 0.72 * h], [x, y + h], [x - w, y + 0.72 * h]])
        mask = sheet.mask(outline)
        sheet.shadow(mask, 0.24, 0.006, (0.002, 0.004))
        sheet.paint(mask, cloth, height=relief, edge=0.12, edge_width=0.004, round_off=0.0, gain=1.01)
        inset = (outline - centre) * [1 - 0.012 / w, 1 - 0.012 / h] + centre
        sheet.stitch(join(inset[1:], inset[:1]), thread, 0.45)
        if flap is None:
            sheet.stitch(line([x - w + 0.01, y - h + 0.045], [x + w - 0.01, y - h + 0.045]), thread, 0.45)
            return
        lid = np.array(
            [
                [x - w - 0.006, y - h],
                [x + w + 0.006, y - h],
                [x + w + 0.006, y - h + 0.055],
                [x, y - h + 0.085],
                [x - w - 0.006, y - h + 0.055],
            ]
        )
        lid_mask = sheet.mask(lid)
        sheet.shadow(lid_mask, 0.32, 0.007, (0.002, 0.006))
        sheet.paint(lid_mask, cloth, height=relief, edge=0.12, edge_width=0.004, round_off=0.0, gain=1.02)
        sheet.stitch(lid[2:] * 1.0 + [0.0, -0.010], thread, 0.45)
        button(sheet, np.array([x, y - h + 0.060]), flap, 0.0115)

    return sew


def kangaroo_pocket(cloth: Fabric, thread: Colour, top: float = 0.98, bottom: float = 1.40) -> Extra:
    """The wide pocket of a hoodie, open at its slanted sides."""

    def sew(sheet: Sheet, pattern: Pattern, torso: Field, relief: Field) -> None:
        def right_half() -> tuple[Points, Points]:
            upper, corner = np.array([0.215, top]), np.array([0.370, top + 0.250])
            mouth = bezier(upper, upper + 0.4 * (corner - upper) + [-0.012, 0.006], corner - [0.035, 0.06], corner, 20)
            return mouth, np.array([[0.372, bottom]])

        mouth, low = right_half()
        outline = join(line([0.0, top], mouth[0], 6), mouth, low)
        whole = join(mirrored(outline)[::-1], outline)
        mask = sheet.mask(whole) * torso
        sheet.shadow(mask, 0.34, 0.014, (0.0, 0.005))
        sheet.shadow(mask, 0.22, 0.005, (0.0, 0.002))
        rows = np.clip((sheet.y - top) / (bottom - top), 0, 1)
        belly = 0.010 * np.exp(-((sheet.x / 0.20) ** 2)) * np.sin(np.pi * rows)
        sheet.paint(
            mask,
            cloth,
            height=relief + belly.astype(np.float32),
            edge=0.12,
            edge_width=0.007,
            round_off=0.05,
            gain=1.01,
        )
        for side in (-1.0, 1.0):
            rim = flipped(mouth, side)
            gap = sheet.blur(sheet.stroke(moved(rim, side * 0.006, 0.0), 0.010), 0.006)
            sheet.tint(gap * (1 - mask), 0.66)
            for away in (0.016, 0.026):
                sheet.stitch(even(rim - [side * away, 0.0], 0.01), thread, 0.45)
        for down in (0.010, 0.020):
            sheet.stitch(line([-0.205, top + down], [0.205, top + down], 40), thread, 0.45)

    return sew


def yoke(thread: Colour, down: float = 0.085) -> Extra:
    """The seam of a shirt's yoke, in front below the shoulder."""

    def sew(sheet: Sheet, pattern: Pattern, torso: Field, relief: Field) -> None:
        for side in (-1.0, 1.0):
            seam = moved(flipped(pattern.shoulder, side), 0.0, down)
            seam[0] = seam[0] + [side * 0.015, -0.005]
            sheet.crease(seam[1:-2], 0.88, 0.003, torso)
            sheet.stitch(seam[1:-2] - [0.0, 0.009], thread, 0.40)

    return sew
