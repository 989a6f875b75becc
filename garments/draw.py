"""Draws the garments that ship: `python -m garments.draw [SLUG ...] [--to FOLDER]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from garments.designs import CATALOGUE, Design
from garments.drawing.assemble import assemble
from garments.drawing.cuts import Cut, draft
from garments.drawing.sheet import Sheet
from mirror.wardrobe import LANDMARKS, Garment, save_garment

MIN_SIZE = (768, 1024)
"""Width and height of a picture at least, pixels."""
MARGIN = 34
"""Free pixels around the garment, at least."""
NECK_ROOM = 0.19
"""What a collar or hood may rise above the neck points, in shoulder widths."""


def sheet_for(cut: Cut, body: int) -> Sheet:
    """An empty sheet that the cut fills, with margins; body: pixels from the neck points to the hem."""
    shoulder = body / (cut.length + cut.hem_drop)
    left, _, right, bottom = draft(cut).extent()
    top = MARGIN + round(NECK_ROOM * shoulder)
    width = max(MIN_SIZE[0], 2 * MARGIN + round((right - left) * shoulder))
    height = max(MIN_SIZE[1], top + round(bottom * shoulder) + MARGIN)
    return Sheet(width + width % 2, height, shoulder, top)


def draw(design: Design) -> Garment:
    """The finished garment of a design."""
    sheet = sheet_for(design.cut, design.body)
    pattern, inside = assemble(design.cut, design.style, sheet, design.seed)
    size = (sheet.width, sheet.height)
    alpha = cv2.resize(sheet.alpha, size, interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(sheet.colour * sheet.alpha[..., None], size, interpolation=cv2.INTER_AREA)
    colour = weighted / np.maximum(alpha, 1e-3)[..., None]
    colour += _grain(alpha.shape, design.grain, design.seed)[..., None]
    colour = np.round(colour / design.step) * design.step
    picture = np.clip(np.dstack([colour, alpha * 255.0]) + 0.5, 0, 255).astype(np.uint8)
    picture[picture[..., 3] < 3] = 0
    inner = cv2.resize(inside * 255.0, size, interpolation=cv2.INTER_AREA)
    inner = np.minimum((inner + 0.5).astype(np.uint8), picture[..., 3])
    landmarks = np.array([sheet.to_result(pattern.landmarks[name]) for name in LANDMARKS], np.float32)
    return Garment(design.slug, design.name, design.kind, design.cut.sleeves, picture, inner, landmarks)


def _grain(shape: tuple[int, ...], deviation: float, seed: int) -> np.ndarray:
    """float32 HxW, whole levels: noise of threads, a little longer than wide."""
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.5, sigmaY=0.7)
    return np.round(noise * (deviation / noise.std()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m garments.draw", description="Draw the garments that ship.")
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="only these garments")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent, metavar="FOLDER", help="default: garments/")
    arguments = parser.parse_args()
    known = {design.slug: design for design in CATALOGUE}
    for slug in arguments.slugs:
        if slug not in known:
            parser.error(f"there is no design {slug}; there are: {', '.join(known)}")
    for slug in arguments.slugs or known:
        save_garment(arguments.to / slug, draw(known[slug]))
        size = sum(file.stat().st_size for file in (arguments.to / slug).iterdir())
        print(f"{slug:24} {size / 1000:6.0f} kB")


if __name__ == "__main__":
    main()
