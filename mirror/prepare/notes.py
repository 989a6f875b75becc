"""What is left beside the wardrobe for a doubtful photo: a picture that shows why, and landmarks to correct."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import cv2
import numpy as np

from mirror.errors import GarmentError
from mirror.prepare import Prepared
from mirror.prepare.drawing import mark
from mirror.wardrobe import LANDMARKS

FOLDER = "doubtful"
MAX_NOTES_BYTES = 65_536


def write_doubt(wardrobe: Path, slug: str, prepared: Prepared) -> tuple[Path, Path]:
    """The picture and the landmark file written, in a folder `doubtful` next to the wardrobe. Raises GarmentError."""
    folder = wardrobe.resolve().parent / FOLDER
    picture, notes = folder / f"{slug}.png", folder / f"{slug}.toml"
    shown = mark(prepared.photo, prepared.points, prepared.outline, list(prepared.doubts))
    rows = [f"{name} = [{x:.1f}, {y:.1f}]" for name, (x, y) in zip(LANDMARKS, prepared.points.tolist(), strict=True)]
    about = "# Pixels of the photo, the right way up; left and right as you see them. Correct them and add the photo"
    text = "\n".join([about, "# again with --landmarks and this file.", "[landmarks]", *rows, ""])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(cv2.imencode(".png", shown)[1].tobytes())
        notes.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GarmentError(f"{folder} cannot be written ({error.strerror}); make it writable.") from error
    return picture, notes


def read_landmarks(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """float64 (13, 2), pixels of a photo of this shape (height, width, ...). Raises GarmentError, one sentence."""
    try:
        if path.stat().st_size > MAX_NOTES_BYTES:
            raise GarmentError(f"{path} is too large for landmarks; give the file written for this photo.")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("landmarks")
    except OSError as error:
        raise GarmentError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GarmentError(f"{path} is no TOML file ({' '.join(str(error).split())}); correct it.") from error
    if not isinstance(table, dict):
        raise GarmentError(f"{path} has no [landmarks]; give the file written for this photo.")
    points = np.empty((len(LANDMARKS), 2))
    for row, name in enumerate(LANDMARKS):
        point = table.get(name)
        if not (isinstance(point, list) and len(point) == 2 and all(type(v) in (int, float) for v in point)):
            raise GarmentError(f"{path}: landmark {name} is missing or no point; write {name} = [x, y].")
        if not all(math.isfinite(v) for v in point) or not (-1 <= point[0] <= shape[1] and -1 <= point[1] <= shape[0]):
            raise GarmentError(f"{path}: landmark {name} = {point} lies outside the photo ({shape[1]}x{shape[0]}).")
        points[row] = point
    return points
