"""A VITON test set dressed by the mirror, after its lists of who wears what.

DIR/test_pairs_paired.txt and DIR/test_pairs_unpaired.txt, or DIR/test_pairs.txt for the unpaired: lines "PERSON
GARMENT". Where there is no paired list, everybody wears their own. Folders as in `ir_models.viton`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ir_models.viton import folder_of, own_garment
from mirror.compose import Composer
from mirror.crop import Cropper
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Frame
from mirror.person import PersonFinder
from mirror.prepare import prepare
from mirror.prepare.decode import PhotoError
from mirror.tryon import NeuralFitter

LISTS = {"paired": ("test_pairs_paired.txt",), "unpaired": ("test_pairs_unpaired.txt", "test_pairs.txt")}

Dress = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray | None]
"""Person (uint8 HxWx3 BGR), garment (the same) and its mask (uint8 HxW) -> the person in it at 256 x 192, or None."""


def people_folder(root: Path) -> Path:
    return folder_of(root, "test", "image")


def pairs(root: Path, name: str) -> list[tuple[Path, Path]]:
    """(person, garment) of a list, `paired` or `unpaired`; UsageError where there is none to be had."""
    people, garments = people_folder(root), folder_of(root, "test", "cloth")
    for file in LISTS[name]:
        if (root / file).is_file():
            words = [line.split()[:2] for line in (root / file).read_text().splitlines() if len(line.split()) >= 2]
            return [(people / person, garments / garment) for person, garment in words]
    if name == "unpaired":
        raise UsageError(f"{root} holds no {LISTS[name][-1]}: lines of a person's and a garment's file name.")
    flats = {path.stem: path for path in garments.iterdir()}
    own = {path: own_garment(path.stem, flats) for path in sorted(people.iterdir())}
    return [(person, flats[stem]) for person, stem in own.items() if stem is not None]


def dress_all(root: Path, out: Path, dress: Dress, limit: int | None = None) -> dict[str, tuple[Path, int]]:
    """Dress both lists into OUT/paired and OUT/unpaired, PNG at 256 x 192; list -> (folder, pairs left out)."""
    made = {}
    masks = folder_of(root, "test", "cloth-mask")
    for name in LISTS:
        folder, left_out = out / name, 0
        folder.mkdir(parents=True, exist_ok=True)
        for person, garment in tqdm(pairs(root, name)[:limit], desc=name, unit="pair"):
            target = folder / f"{person.stem}-{garment.stem}.png"
            if target.is_file():
                continue  # of a run before
            picture = dress(_read(person), _read(garment), _read(_mask_of(masks, garment), cv2.IMREAD_GRAYSCALE))
            if picture is None:
                left_out += 1
            elif not cv2.imwrite(str(target), picture):
                raise UsageError(f"{target} cannot be written.")
        made[name] = folder, left_out
    return made


class Dresser:
    """The mirror's own stages on single pictures: find the person, read the garment, fit, compose."""

    def __init__(self, models: Path, threads: int = 2) -> None:
        self.finder, self.fitter, self.composer = (
            PersonFinder(threads=threads),
            NeuralFitter(models, threads, remembers=False),
            Composer(),
        )

    def __call__(self, person: np.ndarray, garment: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
        frame = Frame(person, 0.0, 0)
        found = self.finder.find(frame)
        if found is None:
            return None
        alpha = cv2.resize(mask, garment.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        try:
            worn = prepare(np.dstack([garment, alpha]), "garment", "garment").garment
        except PhotoError:
            return None
        crop = Cropper().follow(found, frame.size)
        picture = self.composer.compose(frame, self.fitter.fit(frame, found, crop, worn), worn)
        return cv2.resize(picture, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)


def _mask_of(masks: Path, garment: Path) -> Path:
    return next(iter(sorted(masks.glob(f"{garment.stem}.*"))), masks / garment.name)


def _read(path: Path, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise UsageError(f"{path} is missing or no picture that OpenCV reads.")
    return picture
