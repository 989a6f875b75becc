"""Polos and shirts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from garments.designs.design import Design
from garments.drawing.assemble import Style
from garments.drawing.collars import Leaves
from garments.drawing.cuts import Cut
from garments.drawing.details import chest_pocket, placket, yoke
from garments.drawing.fabrics import checked, oxford, piquet, rgb, ribbed, turned

POLO = Cut(neck_half=0.185, neck_front=0.12, sleeve_length=0.44, sleeve_end=0.33)
SHIRT = Cut(
    sleeves="long",
    sleeve_length=1.36,
    sleeve_angle=31.0,
    forearm_angle=22.0,
    sleeve_end=0.215,
    neck_half=0.185,
    neck_front=0.085,
    chest=1.16,
    waist=1.11,
    hem=1.15,
    length=1.50,
    hem_drop=0.105,
    armpit=0.56,
    cuff=0.125,
    slack=0.020,
)


def collared() -> Iterator[Design]:
    teal, thread = rgb("#1f5b66"), rgb("#2d6c77")
    pique = piquet(teal)
    leaf = ribbed(teal, 0.006, 0.0003, 0.05)
    neck = Leaves(
        leaf,
        pique,
        thread,
        thread,
        meet=0.12,
        tip=(0.155, 0.250),
        height=0.066,
        soft=1.0,
        tipping=(rgb("#e9e2cf"), 0.010),
    )
    yield Design(
        "teal-polo",
        "Teal polo shirt",
        "polo",
        POLO,
        Style(
            pique,
            pique,
            thread,
            neck,
            teal,
            folds=1.4,
            extras=(placket(pique, thread, rgb("#e9e4d8"), 0.10, 0.47, places=(0.215, 0.32, 0.425), boxed=True),),
        ),
        seed=37,
        grain=0.8,
        step=3,
    )
    blue = rgb("#8fb0d6")
    cloth = oxford(blue)
    thread = rgb("#b9cde4")
    pearl = rgb("#f2efe8")
    neck = Leaves(cloth, cloth, thread, rgb("#dfe6ee"))
    places = (0.135, 0.33, 0.53, 0.73, 0.93, 1.13, 1.33)
    yield Design(
        "oxford-shirt",
        "Oxford shirt",
        "shirt",
        SHIRT,
        Style(
            cloth,
            cloth,
            thread,
            neck,
            shirt_cuff=turned(cloth),
            cuff_button=pearl,
            hem=0.020,
            folds=1.3,
            extras=(yoke(thread), chest_pocket(cloth, thread), placket(cloth, thread, pearl, 0.06, places=places)),
        ),
        seed=41,
        grain=0.5,
        step=4,
        body=720,
    )
    red, black, cream = rgb("#a3272b"), rgb("#22191b"), rgb("#d9b9a6")
    bands = [(black, 0.0, 0.30, 0.85), (black, 0.25, 0.05, 0.7), (black, 0.75, 0.05, 0.7), (cream, 0.5, 0.035, 0.65)]
    check = checked(red, bands, 0.150)
    thread = rgb("#7c2024")
    neck = Leaves(check, check, thread, rgb("#5c2022"), meet=0.105)
    yield Design(
        "flannel-shirt",
        "Checked flannel shirt",
        "shirt",
        replace(SHIRT, neck_front=0.105),
        Style(
            check,
            check,
            thread,
            neck,
            shirt_cuff=turned(check),
            cuff_button=rgb("#2a2423"),
            hem=0.020,
            folds=1.7,
            extras=(
                yoke(thread),
                chest_pocket(check, thread, flap=rgb("#2a2423")),
                chest_pocket(check, thread, (-0.245, 0.56), flap=rgb("#2a2423")),
                placket(check, thread, rgb("#2a2423"), 0.08, places=places),
            ),
        ),
        seed=43,
        grain=0.5,
        step=6,
        body=720,
    )
