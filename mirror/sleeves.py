"""The cloth of a sleeve lies over the whole width of the arm in it.

Which side of a bent forearm is seen no landmark tells, and a network that was taught both answers with their mean: a
line along the sleeve's middle, drawn out over the whole arm. Of forearms before the chest, on real clips, it shows 0 to
0.4 of the sleeve's width, here and there turned over (0.55 to 0.8 of hanging ones): a grey smear. There the cloth is
laid over the arm anew, its outer edge to the side that is outside where the arm hangs.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from mirror.either import ramp
from mirror.flat import Sleeve, part_distances, sleeves_of
from mirror.frames import flow_from_pixels, flow_to_pixels
from mirror.garment import Garment

FOREARM = (0.42, 0.58)
"""How far along a sleeve its forearm begins: nothing is changed before, all from the second on."""
SQUEEZED, FREE = 0.3, 0.55
"""Share of the sleeve's width on the arm up to which it is laid anew, and from which it stays as it is."""
SHOWN = 0.8
"""Share of the sleeve's width that is seen of an arm: what lies beyond goes round it."""
EVEN = math.sqrt(3.0)
"""Half the width of an even strip, in standard deviations of its pixels."""
LEAST_PX, LEAST_SLOPE = 40, 0.1
"""Pixels that must show a forearm; garment-canvas pixels a pixel that it must advance along."""


class Sleeves:
    """The sleeves of one garment."""

    def __init__(self, garment: Garment) -> None:
        self._nearest = part_distances(garment).argmin(0).astype(np.uint8)
        self._sleeves = sleeves_of(garment, self._nearest)

    def laid_over(self, flow: np.ndarray, coverage: np.ndarray) -> np.ndarray:
        """The flow with the cloth of squeezed forearms over their whole width.

        flow: float32 2xhxw, `Fit`'s convention, coverage: float32 hxw, 0..1, as the networks answer, at any size.
        """
        if not self._sleeves:
            return flow
        places = flow_to_pixels(flow.transpose(1, 2, 0))
        part = cv2.remap(self._nearest, places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        for side, sleeve in enumerate(self._sleeves):
            at = np.nonzero(part == 1 + side)
            along, across = sleeve.coordinates(places[at])
            lower = along > FOREARM[0]
            at, along, across = (at[0][lower], at[1][lower]), along[lower], across[lower]
            told = (coverage[at] > 0.5) & (along > sum(FOREARM) / 2)
            if told.sum() < LEAST_PX:
                continue
            pixels = np.stack(at[::-1], 1).astype(np.float64)
            aside = _aside(pixels, along * np.linalg.norm(sleeve.along), told)
            if aside is not None:
                moved = _moves(along, across, aside if side == 0 else -aside, told, sleeve)
                places[at] += moved[:, None] * sleeve.outwards
        return flow_from_pixels(places).transpose(2, 0, 1)


def _aside(pixels: np.ndarray, along: np.ndarray, told: np.ndarray) -> np.ndarray | None:
    """(n,): how far pixels (n, 2) lie from an arm's middle line, to the right of its way to the cuff, 1 and -1 at its
    edges; None where it makes none. along: (n,), how far their cloth lies along the sleeve, garment-canvas pixels.
    told: (n,), which of them show the arm for certain."""
    pixels = pixels - pixels[told].mean(0)
    seen, steps = pixels[told], along[told]
    to_cuff = np.linalg.solve(seen.T @ seen + np.eye(2), seen.T @ (steps - steps.mean()))
    steep = float(np.linalg.norm(to_cuff))
    if steep < LEAST_SLOPE:
        return None
    x, y = to_cuff / steep
    forth, aside = pixels @ (x, y), pixels @ (-y, x)
    # the arm need not run exactly as its cloth does
    aside -= forth * (forth[told] @ aside[told] / (forth[told] @ forth[told]))
    return aside / max(float(aside[told].std()) * EVEN, 1.0)


def _moves(along: np.ndarray, across: np.ndarray, aside: np.ndarray, told: np.ndarray, sleeve: Sleeve) -> np.ndarray:
    """(n,): garment-canvas pixels by which cloth is moved outwards, so that the sleeve is as wide as the arm."""
    middle, half = sleeve.middle_and_half(along)
    side = aside[told]
    shown = side @ ((across - middle) / half)[told] / (side @ side)
    share = ramp(shown, (FREE, SQUEEZED)) * ramp(along, FOREARM)
    return share * (middle + half * SHOWN * np.clip(aside, -1.1, 1.1) - across)
