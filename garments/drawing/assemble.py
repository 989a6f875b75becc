"""Puts a garment together: the panels of a pattern, painted in the order in which they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from garments.drawing.cloth import crumple, lay_fold, sleeve_folds, torso_folds
from garments.drawing.collars import Neck
from garments.drawing.curves import Points, flipped, join, line, moved, piece
from garments.drawing.cuts import Cut, Pattern, draft
from garments.drawing.fabrics import Colour, flat, ribbed
from garments.drawing.sheet import Fabric, Field, Sheet

Extra = Callable[[Sheet, Pattern, Field, Field], None]
"""(sheet, pattern, torso mask, torso relief): paints plackets, pockets and such on the torso."""


@dataclass(frozen=True)
class Style:
    """How a garment is made, apart from its cut."""

    body: Fabric
    sleeve: Fabric
    thread: Colour
    neck: Neck
    rib: Colour | None = None  # of ribbed cuffs and welt
    hem: float = 0.046  # height of a stitched one
    sleeve_hem: float = 0.046
    rib_period: float = 0.0105
    shirt_cuff: Fabric | None = None  # a buttoned cuff of this cloth
    cuff_button: Colour | None = None
    binding: Colour | None = None  # around the armholes of a garment without sleeves
    folds: float = 1.0
    extras: tuple[Extra, ...] = ()

    @property
    def ribbing(self) -> Fabric:
        """Of cuffs and welt."""
        return ribbed(self.rib or self.thread, self.rib_period, 0.06 * self.rib_period)


def assemble(cut: Cut, style: Style, sheet: Sheet, seed: int) -> tuple[Pattern, Field]:
    """Paint a garment. Returns its pattern and the mask (0..1) of the inside of its back."""
    rng = np.random.default_rng(seed)
    pattern = draft(cut)
    style.neck.behind(sheet, pattern)
    if pattern.sleeve is not None:
        for side in (-1.0, 1.0):
            _sleeve(sheet, pattern, style, side, rng)
    torso = sheet.mask(pattern.torso)
    relief = relief_of(sheet, torso_folds(pattern, rng, style.folds), rng, style.folds)
    if pattern.sleeve is not None:
        under = sheet.mask(pattern.torso) * (1 - sheet.mask(style.neck.opening(pattern)))
        sheet.shadow(under, 0.10, 0.012, (0.0, 0.004))
    sheet.paint(torso, style.body, height=relief)
    for extra in style.extras:
        extra(sheet, pattern, torso, relief)
    _seams(sheet, pattern, style, torso)
    style.neck.front(sheet, pattern)
    opening = sheet.mask(style.neck.opening(pattern))
    return pattern, opening


def relief_of(sheet: Sheet, folds: list, rng: np.random.Generator, amount: float) -> Field:
    """Crumple and folds together."""
    relief = crumple(sheet, rng, amount)
    for fold in folds:
        lay_fold(sheet, relief, fold)
    return relief


def stitched_hem(sheet: Sheet, curve: Points, mask: Field, thread: Colour) -> None:
    """A hem sewn with two needles: a shallow ditch and two rows of thread. The curve lies on its middle."""
    run = piece(curve, 0.008, -0.008)
    sheet.tint(sheet.blur(sheet.stroke(run, 0.006), 0.006) * mask, 0.93)
    span = run[-1] - run[0]
    away = np.array([-span[1], span[0]]) / np.linalg.norm(span)
    for row in (-0.0050, 0.0050):
        sheet.stitch(run + away * row, thread, 0.42)


def button(sheet: Sheet, centre: Points, colour: Colour, radius: float = 0.0135, holes: int = 4) -> None:
    """A sewn button with its shadow, rim and holes."""
    angle = np.linspace(0, 2 * np.pi, 48)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    disc = sheet.mask(centre + radius * circle)
    sheet.shadow(disc, 0.45, 0.005, (0.002, 0.004))
    sheet.paint(disc, flat(colour), edge=0.18, edge_width=0.003, round_off=0.0)
    sheet.tint(sheet.mask(centre + 0.62 * radius * circle) * disc, 0.90)
    sheet.tint(sheet.mask(centre + 0.55 * radius * circle) * disc, 1.07)
    for i in range(holes):
        turn = np.pi / 4 + i * 2 * np.pi / holes
        hole = centre + 0.26 * radius * np.array([np.cos(turn), np.sin(turn)])
        sheet.tint(sheet.mask(hole + 0.13 * radius * circle), 0.35)


def _sleeve(sheet: Sheet, pattern: Pattern, style: Style, side: float, rng: np.random.Generator) -> None:
    """One sleeve with its hem or cuff; side: 1 right, -1 left."""
    sleeve = pattern.sleeve
    assert sleeve is not None
    axis = flipped(sleeve.axis, side)
    mask = sheet.mask(flipped(sleeve.outline, side))
    relief = relief_of(sheet, sleeve_folds(pattern, side, rng, style.folds), rng, style.folds)
    sheet.paint(mask, style.sleeve, axis=axis, height=relief)
    long = pattern.cut.cuff
    if long:
        band = sheet.mask(flipped(sleeve.band(long), side))
        seam = flipped(sleeve.across(long), side)
        sheet.shadow(band, 0.16, 0.010, (0.0, 0.0))
        cloth = style.shirt_cuff or style.ribbing
        sheet.paint(band, cloth, axis=axis, edge=0.14, edge_width=0.008, round_off=0.06)
        sheet.crease(seam, 0.74, 0.004, mask)
        if style.shirt_cuff is not None:
            sheet.stitch(flipped(sleeve.across(long - 0.010), side), style.thread, 0.45)
            sheet.stitch(flipped(sleeve.across(0.010), side), style.thread, 0.45)
        if style.cuff_button is not None:
            button(sheet, flipped(sleeve.across(0.5 * long), side)[4], style.cuff_button, 0.0115)
    else:
        stitched_hem(sheet, flipped(sleeve.across(style.sleeve_hem), side), mask, style.thread)


def _seams(sheet: Sheet, pattern: Pattern, style: Style, torso: Field) -> None:
    """Seams of shoulders and armholes, and the hem."""
    for side in (-1.0, 1.0):
        sheet.crease(moved(flipped(pattern.shoulder, side), 0.0, 0.006), 0.92, 0.003, torso)
        armhole = flipped(pattern.armhole, side)
        if pattern.sleeve is not None:
            sheet.crease(armhole, 0.84, 0.003)
            sheet.tint(sheet.blur(sheet.stroke(armhole, 0.012), 0.010), 0.95)
        elif style.binding is not None:
            inner = armhole - [side * 0.024, 0.0]
            strip = sheet.mask(join(armhole, inner[::-1])) * torso
            sheet.paint(
                strip,
                flat(style.binding),
                axis=line(armhole[0], armhole[-1]),
                edge=0.12,
                edge_width=0.006,
                round_off=0.0,
            )
            sheet.crease(inner, 0.82, 0.003, torso)
            sheet.stitch(armhole - [side * 0.019, 0.0], style.thread, 0.40)
    if pattern.cut.welt:
        sheet.paint(sheet.mask(pattern.welt()), style.ribbing, edge=0.14, edge_width=0.008)
        sheet.crease(pattern.hem_line(pattern.cut.welt), 0.74, 0.004, torso)
    elif style.hem:
        stitched_hem(sheet, pattern.hem_line(style.hem), torso, style.thread)
