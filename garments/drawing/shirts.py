"""Puts a garment together: panels of a pattern painted in the order in which they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from garments.drawing import collars
from garments.drawing.cloth import crumple, lay_fold, sleeve_folds, torso_folds
from garments.drawing.cuts import Cut, Pattern, draft
from garments.drawing.curves import Points, join, mirrored, offset
from garments.drawing.fabrics import Colour, ribbed
from garments.drawing.sheet import Fabric, Field, Sheet


@dataclass(frozen=True)
class Style:
    """How a garment is made, apart from its cut."""

    body: Fabric
    sleeve: Fabric
    rib: Colour  # of the neckband (and of cuffs, where there are any)
    thread: Colour
    inside: Fabric
    tape: Colour
    label: Colour = (235.0, 235.0, 235.0)
    band: float = 0.042
    folds: float = 1.0
    cuff: float = 0.0  # length of a ribbed cuff; 0: a stitched hem
    welt: float = 0.0  # height of a ribbed hem; 0: a stitched one
    print: Callable[[Sheet, Field], None] | None = None  # paints on the torso, inside its mask


def relief_of(sheet: Sheet, folds: list, rng: np.random.Generator, amount: float) -> Field:
    """Crumple and folds together."""
    relief = crumple(sheet, rng, amount)
    for fold in folds:
        lay_fold(sheet, relief, fold)
    return relief


def paint_sleeve(sheet: Sheet, pattern: Pattern, style: Style, side: float, rng: np.random.Generator) -> None:
    """One sleeve with its hem or cuff."""
    assert pattern.sleeve_right is not None and pattern.axis_right is not None and pattern.sleeve_end_right is not None
    flip: Callable[[Points], Points] = (lambda c: c) if side > 0 else mirrored
    outline, axis, end = flip(pattern.sleeve_right), flip(pattern.axis_right), flip(pattern.sleeve_end_right)
    relief = relief_of(sheet, sleeve_folds(pattern, side, rng, style.folds), rng, style.folds)
    mask = sheet.mask(outline)
    sheet.paint(mask, style.sleeve, axis=axis, height=relief)
    back = axis[-1] - axis[-2]
    back = -back / np.linalg.norm(back)
    if style.cuff:
        near = end + back * style.cuff
        waist = near + (near.mean(0) - near) * 0.03
        cuff = sheet.mask(join(end + (end.mean(0) - end) * 0.06, waist[::-1]))
        sheet.shadow(mask * 0.0 + cuff, 0.18, 0.01, (0.0, 0.0))
        sheet.paint(cuff, ribbed(style.rib), axis=axis, edge=0.20, edge_width=0.008, round_off=0.06)
        sheet.tint(sheet.blur(sheet.stroke(near, 0.004), 0.003) * mask, 0.72)
    else:
        stitch_hem(sheet, end + back * 0.048, mask, style.thread)
        sheet.tint(sheet.blur(sheet.stroke(end + back * 0.002, 0.004), 0.003) * mask, 0.86)


def stitch_hem(sheet: Sheet, curve: Points, mask: Field, thread: Colour) -> None:
    """A hem sewn with two needles; the cloth puckers a little along it."""
    inset = 0.012
    run = curve[0] + (curve - curve[0])  # a copy
    span = run[-1] - run[0]
    run[0] = run[0] + span * inset
    run[-1] = run[-1] - span * inset
    away = np.array([-span[1], span[0]]) / np.linalg.norm(span)
    sheet.tint(sheet.blur(sheet.stroke(run, 0.004), 0.005) * mask, 0.90)
    for row in (-0.0045, 0.0045):
        sheet.stitch(run + away * row, thread, 0.42)


def tee(cut: Cut, style: Style, sheet: Sheet, seed: int) -> tuple[Pattern, Field]:
    """A T-shirt or jumper: sleeves, inside of the back, torso, neckband. Returns the pattern and the inner mask."""
    rng = np.random.default_rng(seed)
    pattern = draft(cut)
    rib, rib_inside = ribbed(style.rib), ribbed(tuple(0.92 * c for c in style.rib))  # type: ignore[arg-type]
    inner = collars.crew(sheet, pattern, style.inside, rib, rib_inside, style.tape, style.band)
    collars.label(sheet, pattern, style.label, inner)
    if pattern.sleeve_right is not None:
        for side in (-1.0, 1.0):
            paint_sleeve(sheet, pattern, style, side, rng)
    torso = sheet.mask(pattern.torso)
    sheet.shadow(torso * (1 - inner), 0.10, 0.012, (0.0, 0.004))
    relief = relief_of(sheet, torso_folds(pattern, rng, style.folds), rng, style.folds)
    sheet.paint(torso, style.body, height=relief)
    if style.print is not None:
        style.print(sheet, torso)
    finish_torso(sheet, pattern, style, torso)
    collars.crew_front(sheet, pattern, rib, inner, style.band, style.thread)
    return pattern, np.minimum(
        inner, 1 - sheet.mask(join(pattern.neckline, collars.band_edges(pattern, style.band)[0][::-1]))
    )


def finish_torso(sheet: Sheet, pattern: Pattern, style: Style, torso: Field) -> None:
    """Seams of shoulders and armholes, and the hem."""
    for flip in (lambda c: c, mirrored):
        shoulder = flip(pattern.shoulder_right)
        sheet.tint(sheet.blur(sheet.stroke(shoulder + [0.0, 0.006], 0.003), 0.002) * torso, 0.86)
        if pattern.sleeve_right is not None:
            armhole = flip(pattern.armhole_right)
            sheet.tint(sheet.blur(sheet.stroke(armhole, 0.004), 0.003), 0.80)
            sheet.tint(sheet.blur(sheet.stroke(armhole, 0.012), 0.012), 0.92)
    if style.welt:
        top = pattern.hem + [0.0, -style.welt]
        band = sheet.mask(join(pattern.hem * [0.985, 1.0], (top * [0.99, 1.0])[::-1]))
        sheet.paint(band * torso, ribbed(style.rib), edge=0.20, edge_width=0.008)
        sheet.tint(sheet.blur(sheet.stroke(top, 0.004), 0.003) * torso, 0.72)
    else:
        stitch_hem(sheet, offset(pattern.hem, 0.048), torso, style.thread)
        sheet.tint(sheet.blur(sheet.stroke(pattern.hem, 0.004), 0.003) * torso, 0.86)
