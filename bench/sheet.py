"""Contact sheets of real clips: `python -m bench sheet --clips DIR --garments DIR --out FILE.png`.

A block for each clip: the first row the person as filmed, then a row for each garment. `--pages` writes one PNG for
each clip (FILE-CLIP.png), large enough to judge collar, shoulders, sleeves, hem and hands one by one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from bench.clip import find_people, fit_steps, make_fitter, read_clip
from mirror.compose import Composer
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Crop
from mirror.settings import MODELS, WARDROBE
from mirror.tailor import Fitter
from mirror.wardrobe import Garment, Wardrobe

CLIP_ENDINGS = {".mkv", ".mp4", ".avi", ".mov", ".webm"}
GAP_PX = 6


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench sheet", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips, or one clip")
    parser.add_argument("--garments", type=Path, default=WARDROBE, help="a wardrobe folder")
    parser.add_argument("--only", help="garments by folder name, comma-separated; default: all")
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--frames", type=int, default=6, help="pictures of each clip, evenly spread")
    parser.add_argument("--zoom", type=float, default=1.0, help="size of a cell; 1 is 192 x 256 pixels")
    parser.add_argument("--pages", action="store_true", help="one PNG for each clip")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    clips = (
        sorted(p for p in options.clips.iterdir() if p.suffix in CLIP_ENDINGS)
        if options.clips.is_dir()
        else [options.clips]
    )
    wardrobe = Wardrobe(options.garments)
    garments = [wardrobe.find(n) for n in options.only.split(",")] if options.only else list(wardrobe.garments)
    if not clips or not garments:
        raise UsageError("There is no clip or no garment to make a sheet of: name folders that hold some.")
    blocks = []
    for clip in tqdm(clips, unit="clip"):
        fitter = make_fitter(options.engine, options.models)  # it remembers the room and the clothes
        block = clip_block(clip, garments, fitter, options.frames, options.zoom)
        fitter.close()
        if options.pages:
            _write(options.out.with_name(f"{options.out.stem}-{clip.stem}{options.out.suffix}"), block)
        blocks.append(block)
    if not options.pages:
        _write(options.out, np.vstack(blocks))
    return 0


def clip_block(clip: Path, garments: list[Garment], fitter: Fitter, count: int, zoom: float) -> np.ndarray:
    """uint8 picture: a row as filmed and one for each garment, `count` pictures of the clip side by side."""
    pictures, fps = read_clip(clip)
    chosen = set(np.linspace(min(4, len(pictures) - 1), len(pictures) - 1, count).astype(int).tolist())
    composer, people = Composer(), list(find_people(pictures, fps))
    rows: list[np.ndarray] = []
    for garment in garments:
        worn, bare = [], []
        for step in fit_steps(people, garment, fitter):
            if step.frame.index not in chosen:
                continue
            picture, crop = step.frame.image, step.crop or _whole(step.frame.size)
            bare.append(_cell(picture, crop, zoom))
            if step.fit is not None:
                picture = composer.compose(step.frame, step.fit, garment)
            worn.append(_cell(picture, crop, zoom))
        rows += [np.hstack(bare)] if not rows else []
        rows.append(np.hstack(worn))
    block = np.vstack(rows)
    return cv2.copyMakeBorder(block, 0, GAP_PX, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _whole(size: tuple[int, int]) -> Crop:
    scale = CANVAS_H / size[1]
    return Crop(np.array([[scale, 0.0, (CANVAS_W - scale * size[0]) / 2], [0.0, scale, 0.0]]))


def _cell(picture: np.ndarray, crop: Crop, zoom: float) -> np.ndarray:
    """The crop's part of a camera picture."""
    matrix = crop.matrix * zoom
    size = (round(CANVAS_W * zoom), round(CANVAS_H * zoom))
    if zoom / crop.scale < 0.7:
        sigma = 0.4 * crop.scale / zoom
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(40, 40, 40))


def _write(path: Path, picture: np.ndarray) -> None:
    if not cv2.imwrite(str(path), picture):
        raise UsageError(f"{path} cannot be written: name a .png in a folder that exists.")
    print(f"{path}: {picture.shape[1]} x {picture.shape[0]}")
