"""T-shirts, long sleeves and tank tops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from garments.designs.design import Design, cotton, printed_with, softer
from garments.drawing import prints
from garments.drawing.assemble import Style
from garments.drawing.collars import Crew
from garments.drawing.cuts import Cut
from garments.drawing.fabrics import heather, jersey, rgb, striped

TEE = Cut()
LONG = Cut(
    sleeves="long",
    sleeve_length=1.35,
    sleeve_angle=31.0,
    forearm_angle=22.0,
    sleeve_end=0.20,
    neck_front=0.17,
    cuff=0.085,
)
TANK = Cut(
    sleeves="none",
    neck_half=0.225,
    neck_front=0.27,
    neck_back=0.09,
    shoulder_half=0.435,
    shoulder_drop=0.080,
    armpit=0.51,
    armhole_in=0.055,
    chest=1.00,
    waist=0.965,
    hem=1.01,
    length=1.42,
)


def tees() -> Iterator[Design]:
    yield Design("white-tee", "White T-shirt", "tshirt", TEE, cotton("#f2f0eb"), seed=3)
    black = jersey(rgb("#1d1e21"))
    yield Design(
        "mountain-tee",
        "Mountain T-shirt",
        "tshirt",
        TEE,
        cotton("#1d1e21", printed_with(black, prints.mountain, (0.0, 0.62), 0.66), thread=1.35),
        seed=11,
    )
    navy = jersey(rgb("#1f2c47"))
    body = striped(navy, rgb("#e9e6df"), 0.085, 0.030, start=0.19)
    sleeve = striped(navy, rgb("#e9e6df"), 0.085, 0.030)
    yield Design(
        "navy-stripe-tee", "Navy striped T-shirt", "tshirt", TEE, cotton("#1f2c47", body, sleeve, thread=1.3), seed=7
    )
    grey = heather(rgb("#b9babd"), rgb("#85878c"))
    fox = printed_with(grey, prints.fox, (0.0, 0.66), 0.56)
    yield Design("fox-tee", "Fox T-shirt", "tshirt", TEE, cotton("#9c9da2", fox, grey, inside=grey), seed=5, step=4)
    coral = jersey(rgb("#e0705c"))
    yield Design(
        "sunrise-tee",
        "Sunrise T-shirt",
        "tshirt",
        TEE,
        cotton("#e0705c", printed_with(coral, prints.sun_and_waves, (0.0, 0.62), 0.52)),
        seed=13,
    )
    olive = jersey(rgb("#5f6339"))
    yield Design(
        "fern-tee",
        "Fern T-shirt",
        "tshirt",
        TEE,
        cotton("#5f6339", printed_with(olive, prints.fern, (0.0, 0.68), 0.66), thread=1.25),
        seed=17,
    )


def long_sleeves() -> Iterator[Design]:
    yield Design(
        "forest-longsleeve", "Forest long sleeve", "longsleeve", LONG, cotton("#2a4f40", thread=1.25), seed=4, body=740
    )
    ecru = jersey(rgb("#ebe5d6"))
    body = striped(ecru, rgb("#27395c"), 0.062, 0.024, start=0.30, stop=1.44)
    sleeve = striped(ecru, rgb("#27395c"), 0.062, 0.024, start=0.0, stop=1.20)
    yield Design(
        "breton-longsleeve",
        "Breton long sleeve",
        "longsleeve",
        replace(LONG, cuff=0.0),
        cotton("#ebe5d6", body, sleeve),
        seed=8,
        step=3,
        body=740,
    )
    ink = jersey(rgb("#22384f"))
    yield Design(
        "scales-longsleeve",
        "Water scales long sleeve",
        "longsleeve",
        LONG,
        cotton("#22384f", printed_with(ink, prints.wave_band, (0.0, 0.62), 0.78), thread=1.3),
        seed=23,
        body=740,
    )


def tanks() -> Iterator[Design]:
    rust, cream = rgb("#b2533a"), rgb("#efe4d0")
    cloth = jersey(rust)
    neck = Crew(cloth, cream, softer(cream, 0.85), softer(rust, 0.85), width=0.026, rib=0.5, deep=0.0)
    yield Design(
        "rust-tank",
        "Rust tank top",
        "tank",
        TANK,
        Style(cloth, cloth, softer(cream, 0.85), neck, rust, binding=cream, folds=1.15),
        seed=29,
    )
    white = rgb("#f0eee9")
    cloth = printed_with(jersey(white), prints.arcs, (0.0, 0.66), 0.50)
    neck = Crew(jersey(white), white, softer(white, 0.85), softer(white, 0.88), width=0.026, rib=0.5, deep=0.0)
    yield Design(
        "quilt-tank",
        "Quilt tank top",
        "tank",
        TANK,
        Style(cloth, cloth, softer(white, 0.85), neck, white, binding=white, folds=1.15),
        seed=31,
    )
