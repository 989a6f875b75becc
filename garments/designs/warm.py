"""Jumpers and hoodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from garments.designs.design import Design, softer
from garments.drawing.assemble import Style
from garments.drawing.collars import Crew
from garments.drawing.cuts import Cut
from garments.drawing.details import kangaroo_pocket
from garments.drawing.fabrics import Colour, heather, jersey, rgb
from garments.drawing.hood import Hood
from garments.drawing.knits import cable_knit, colourwork, knitted

JUMPER = Cut(
    sleeves="long",
    sleeve_length=1.36,
    sleeve_angle=32.0,
    forearm_angle=23.0,
    sleeve_end=0.19,
    neck_front=0.15,
    cuff=0.115,
    welt=0.110,
    slack=0.030,
    chest=1.22,
    waist=1.20,
    hem=1.14,
    length=1.48,
    armpit=0.58,
    shoulder_drop=0.14,
)
HOODIE = replace(
    JUMPER, neck_half=0.185, neck_front=Hood.CROSSING, chest=1.26, waist=1.25, hem=1.17, length=1.50, sleeve_end=0.20
)


def _fair_isle(light: Colour, warm: Colour, ground: Colour) -> list[tuple[str, Colour, Colour]]:
    """Rows of a patterned yoke, top down: dots, waves, a field of lozenges, and back."""
    border = [("#...", light, ground), ("....", light, ground), ("##..", light, ground), (".##.", light, ground)]
    stripe = [("####", warm, ground), ("#.#.", light, warm), ("####", warm, ground), ("....", light, ground)]
    lozenge = [
        "......#.....",
        ".....###....",
        "....##.##...",
        "...##.#.##..",
        "..##.###.##.",
        ".##.##.##.##",
        "##.##...##.#",
        ".##.##.##.##",
        "..##.###.##.",
        "...##.#.##..",
        "....##.##...",
        ".....###....",
        "......#.....",
    ]
    field = [(row, light, ground) for row in lozenge]
    return border + stripe + field + [("....", light, ground)] + stripe[:3] + border[::-1]


def jumpers() -> Iterator[Design]:
    cream = rgb("#e2d8c3")
    plain = knitted(cream)
    neck = Crew(plain, cream, softer(cream, 0.85), softer(cream, 0.85), width=0.062, rib=0.016, deep=0.26)
    yield Design(
        "cable-jumper",
        "Cable jumper",
        "jumper",
        JUMPER,
        Style(
            cable_knit(cream), cable_knit(cream, (0.0,)), softer(cream, 0.85), neck, cream, folds=1.0, rib_period=0.017
        ),
        seed=47,
        grain=0.5,
        step=5,
        body=720,
    )
    blue, white, red = rgb("#35506b"), rgb("#e8e1d2"), rgb("#b4493c")
    rows = colourwork(blue, _fair_isle(white, red, blue), 0.30)
    sleeve = colourwork(blue, _fair_isle(white, red, blue), 0.12)
    neck = Crew(knitted(blue), blue, softer(blue, 0.85), softer(blue, 0.85), width=0.055, rib=0.014, deep=0.24)
    yield Design(
        "nordic-jumper",
        "Nordic jumper",
        "jumper",
        JUMPER,
        Style(rows, sleeve, softer(blue, 0.85), neck, blue, folds=1.0, rib_period=0.015),
        seed=53,
        grain=0.5,
        step=5,
        body=720,
    )


def hoodies() -> Iterator[Design]:
    fleece = heather(rgb("#c2c3c6"), rgb("#96989d"), 8, 0.8)
    grey, thread = rgb("#aaabaf"), rgb("#8d8f94")
    neck = Hood(fleece, heather(rgb("#b9babd"), rgb("#8d8f94"), 9, 0.6), thread, rgb("#e8e6e0"))
    yield Design(
        "grey-hoodie",
        "Grey hoodie",
        "hoodie",
        HOODIE,
        Style(fleece, fleece, thread, neck, grey, folds=1.5, extras=(kangaroo_pocket(fleece, thread),)),
        seed=59,
        grain=0.5,
        step=4,
        body=720,
    )
    plum = rgb("#5b2f4a")
    cloth = jersey(plum, 0.00008, 0.009)
    thread = rgb("#754463")
    neck = Hood(cloth, jersey(softer(plum, 0.9)), thread, rgb("#e0b9a2"), rgb("#c9a27c"))
    yield Design(
        "plum-hoodie",
        "Plum hoodie",
        "hoodie",
        HOODIE,
        Style(cloth, cloth, thread, neck, plum, folds=1.5, extras=(kangaroo_pocket(cloth, thread),)),
        seed=61,
        grain=0.9,
        step=3,
        body=720,
    )
