"""Design: a garment to draw; and what several designs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from garments.drawing import prints
from garments.drawing.assemble import Style
from garments.drawing.collars import Crew
from garments.drawing.cuts import Cut
from garments.drawing.fabrics import Colour, jersey, rgb
from garments.drawing.sheet import Fabric


@dataclass(frozen=True)
class Design:
    """A garment to draw, with the names it gets in its garment.toml.

    seed: of its folds. grain: deviation of the cloth's fine grain, in levels. step: colours are kept to multiples of
    it, which nobody sees in a texture and which halves the file. body: pixels from the neck points to the hem.
    """

    slug: str
    name: str
    kind: str
    cut: Cut
    style: Style
    seed: int
    grain: float = 1.3
    step: int = 2
    body: int = 790


def softer(colour: Colour, gain: float) -> Colour:
    """The colour, darker or (gain over 1) lighter."""
    return colour[0] * gain, colour[1] * gain, colour[2] * gain


def cotton(
    code: str,
    body: Fabric | None = None,
    sleeve: Fabric | None = None,
    band: str | None = None,
    thread: float = 0.86,
    inside: Fabric | None = None,
) -> Style:
    """A T-shirt of one colour, whatever is printed on or knitted into its panels."""
    colour = rgb(code)
    cloth = jersey(colour)
    yarn = softer(colour, thread)
    neck = Crew(inside or cloth, rgb(band or code), yarn, yarn)
    return Style(body or cloth, sleeve or cloth, yarn, neck, rgb(band or code), folds=1.25)


def printed_with(ground: Fabric, motif: Callable[[], np.ndarray], centre: tuple[float, float], width: float) -> Fabric:
    """The fabric with a motif on it."""
    return prints.printed(ground, motif(), centre, width)
