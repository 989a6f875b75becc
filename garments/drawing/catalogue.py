"""The designs of the garments that ship."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from garments.drawing.cuts import Cut, Pattern
from garments.drawing.fabrics import jersey, rgb
from garments.drawing.sheet import Field, Sheet
from garments.drawing.shirts import Style, tee


@dataclass(frozen=True)
class Design:
    """A garment to draw: names, the picture's measures in pixels (shoulder: the shoulder width), and how."""

    slug: str
    name: str
    kind: str
    make: Callable[[Sheet], tuple[Pattern, Field]]
    width: int = 940
    height: int = 1024
    shoulder: float = 524.0
    top: float = 90.0
    grain: float = 1.6
    seed: int = 1


def _plain(code: str, darker: float = 0.9) -> dict:
    colour = rgb(code)
    shade = tuple(c * darker for c in colour)
    return {"body": jersey(colour), "sleeve": jersey(colour), "inside": jersey(colour), "rib": colour, "thread": shade,
            "tape": shade}  # fmt: skip


TEE = Cut()
LONG = Cut(sleeves="long", sleeve_length=1.35, sleeve_angle=31.0, forearm_angle=22.0, elbow_width=0.285, sleeve_end=0.175,
           length=1.55, neck_front=0.17)  # fmt: skip

CATALOGUE = (
    Design("white-tee", "White T-shirt", "tshirt", lambda s: tee(TEE, Style(**_plain("#efece6")), s, 3)),
    Design("green-longsleeve", "Forest long sleeve", "longsleeve",
           lambda s: tee(LONG, Style(**_plain("#23463a", 1.25), cuff=0.085), s, 4), 1220, 1024, 500.0, 110.0),
)  # fmt: skip
