"""Garments made of photos, worn: `python -m bench wardrobe_people --photos DIR --clips DIR --out FILE.png`.

The first accepted photos of the bench's draw, class by class, each on a person of one of the clips in turn: the person
wearing it, and in the corner the cut-out. To be looked at: the print upright, the sleeves on the arms.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from bench.clip import make_fitter, read_clip, run_clip
from bench.sheet import CLIP_ENDINGS
from bench.wardrobe import SEED, draw_photos
from mirror.compose import Composer
from mirror.errors import GarmentError, UsageError
from mirror.prepare import load_photo, prepare
from mirror.prepare.drawing import flat
from mirror.settings import MODELS
from mirror.tailor import Fitter
from mirror.wardrobe import Garment

COUNTS = {"t-shirt": 4, "longsleeve": 3, "shirt": 1, "polo": 1, "hoodie": 1}
FRAMES = 12
"""Pictures of a clip before the one that is shown: enough for the crop to settle."""
TILE_PX, INSET_PX, COLUMNS = 330, 100, 5


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench wardrobe_people", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="with a folder per class")
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    clips = sorted(p for p in options.clips.iterdir() if p.suffix in CLIP_ENDINGS)
    if not clips:
        raise UsageError(f"There is no clip in {options.clips}: name a folder that holds some.")
    fitter = make_fitter(options.engine, options.models)
    tiles = []
    for (name, garment), clip in zip(accepted(options.photos, options.seed), cycle(clips), strict=False):
        tiles.append(tile(garment, name, clip, fitter))
        print(f"{name} on {clip.name}: {garment.kind}", flush=True)
    if not tiles:
        raise UsageError(f"No photo of {options.photos} was accepted: name a folder with a folder per class.")
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    sheet = np.vstack([np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)])
    if not cv2.imwrite(str(options.out), sheet):
        raise UsageError(f"{options.out} cannot be written: name a .png in a folder that exists.")
    return 0


def accepted(photos: Path, seed: int) -> Iterator[tuple[str, Garment]]:
    """The first photos of each class that raise no doubt, prepared."""
    drawn = draw_photos(photos, seed)
    for kind, count in COUNTS.items():
        found = 0
        for name in (n for n in drawn if n.startswith(f"{kind}/")):
            if found == count:
                break
            try:
                prepared = prepare(load_photo(photos / f"{name}.jpg"), "photo", "Photo")
            except GarmentError:
                continue
            if not prepared.doubts:
                found += 1
                yield name, prepared.garment


def tile(garment: Garment, name: str, clip: Path, fitter: Fitter) -> np.ndarray:
    """uint8 TILE_PX x TILE_PX x 3."""
    pictures, fps = read_clip(clip)
    composer, worn = Composer(), pictures[0]
    for step in run_clip(pictures[:FRAMES], fps, garment, fitter):
        if step.fit is not None:
            worn = composer.compose(step.frame, step.fit, garment)
    scale = TILE_PX / worn.shape[0]
    worn = cv2.resize(worn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:TILE_PX]
    left = max(0, (worn.shape[1] - TILE_PX) // 2)
    out = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    part = worn[:, left : left + TILE_PX]
    out[: part.shape[0], : part.shape[1]] = part
    cut = flat(garment.picture, (255, 255, 255))
    scale = INSET_PX / max(cut.shape[:2])
    cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    out[: cut.shape[0], : cut.shape[1]] = cut
    cv2.putText(out, name[:20], (4, TILE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    return out
