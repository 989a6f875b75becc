"""A folder in VITON's layout (Han et al., CVPR 2018) -> samples in the form of the shards; there is no exact flow.

    DIR/[SPLIT/]image/NAME.jpg           the person, in the garment of cloth/NAME.jpg (or, with NAME = 000001_0,
    DIR/[SPLIT/]image-parse/NAME.png     cloth/000001_1.jpg); the labels of LIP's parser;
    DIR/[SPLIT/]pose/NAME_keypoints.json OpenPose's 18 or 25 points;
    DIR/[SPLIT/]cloth/, cloth-mask/      garments laid flat, and their masks (FOLDERS has the other names of these);
    DIR/SPLIT_pairs.txt                  a person and a garment a line. Only the person is read: figures need the
                                         truth, and the truth is the garment that the person wears.

Person and garment are brought to the canvas as the live mirror brings them there. Nothing that ships depends on such a
folder, and nothing here was tried on one but those that the tests make.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Container
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ir_models.train.shards import Part, Sample
from mirror.crop import Cropper
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Landmark, Person
from mirror.prepare import PhotoError, prepare
from mirror.wardrobe import KINDS, SLEEVES, Garment

LABELS = {
    Part.SKIN: (10, 14, 15),
    Part.HEAD: (1, 4, 13),
    Part.HAIR: (2,),
    Part.HAND: (3,),
    Part.LOWER: (8, 9, 12, 16, 17, 18, 19),
    Part.FRONT: (5, 6, 7),
    Part.ACCESSORY: (11,),
}
"""LIP's labels by what they are here. 10 is the neck in newer sets; hands are part of the arms."""
_SHARED = {0: "NOSE", 2: "RIGHT_SHOULDER", 3: "RIGHT_ELBOW", 4: "RIGHT_WRIST", 5: "LEFT_SHOULDER", 6: "LEFT_ELBOW",
           7: "LEFT_WRIST"}  # fmt: skip
JOINTS = {
    18: {**_SHARED, 8: "RIGHT_HIP", 11: "LEFT_HIP", 14: "RIGHT_EYE", 15: "LEFT_EYE", 16: "RIGHT_EAR", 17: "LEFT_EAR"},
    25: {**_SHARED, 9: "RIGHT_HIP", 12: "LEFT_HIP", 15: "RIGHT_EYE", 16: "LEFT_EYE", 17: "RIGHT_EAR", 18: "LEFT_EAR"},
}
"""Rows of OpenPose's points, by how many there are, and MediaPipe's names for them."""
LANDMARK_ROWS = 33
EYES_UP, HIPS_DOWN, FOREARM, FINGERS = 0.55, 1.35, 0.9, 0.3
"""Where points lie that were not found: shoulder widths above and below the shoulders; shares of the bone before."""


FOLDERS = {
    "image": ("image", "{}_img"), "cloth": ("cloth", "{}_clothes", "{}_color"), "cloth-mask": ("cloth-mask", "{}_edge"),
    "image-parse": ("image-parse",), "pose": ("pose",),
}  # fmt: skip
"""Names that the folders of a split go by, in DIR/SPLIT or in DIR itself; {} stands for the split."""


def folder_of(root: Path, split: str, name: str) -> Path:
    """One of FOLDERS. Raises UsageError, one sentence, where there is none."""
    for place in (root / split, root):
        for alias in FOLDERS[name]:
            if (place / alias.format(split)).is_dir():
                return place / alias.format(split)
    names = ", ".join(alias.format(split) for alias in FOLDERS[name])
    raise UsageError(f"{root} is not in VITON's layout: it has no folder {names}, nor has {root / split}.")


def own_garment(person: str, garments: Container[str]) -> str | None:
    """The stem of the garment that a person wears: of the same name, or NUMBER_1 for NUMBER_0."""
    stems = (person, f"{person.removesuffix('_0')}_1")
    return next((stem for stem in stems if stem in garments), None)


class Unusable(ValueError):
    """A sample that lacks what is needed; the message is the reason."""


class Viton:
    """The samples of one split; `skipped` counts those that `samples` could not use, by reason."""

    def __init__(self, folder: Path, split: str) -> None:
        """split: "train" or "test". Raises UsageError, one sentence, where the layout is another."""
        self.root = folder
        pairs = folder / f"{split}_pairs.txt"
        if not pairs.is_file():
            raise UsageError(f"{folder} is not in VITON's layout: it has no {pairs.name}")
        self._folders = {name: folder_of(folder, split, name) for name in FOLDERS}
        lines = [line.split() for line in pairs.read_text().splitlines()]
        self.people = sorted({Path(words[0]).stem for words in lines if words})
        self.skipped: dict[str, int] = {}

    def samples(self, most: int | None = None) -> list[Sample]:
        """As in shards, `flow` all nan, person and target the same picture. Raises UsageError if none can be used."""
        found: list[Sample] = []
        for name in self.people:
            if most is not None and len(found) >= most:
                break
            try:
                found.append(self.sample(name))
            except Unusable as reason:
                self.skipped[str(reason)] = self.skipped.get(str(reason), 0) + 1
        if not found:
            raise UsageError(f"{self.root} has no sample that can be used: {self.skipped or 'no pairs'}")
        return found

    def sample(self, name: str) -> Sample:
        """One person in their own garment. Raises Unusable."""
        picture = self._picture("image", name)
        height, width = picture.shape[:2]
        labels = np.array(Image.open(self._file("image-parse", name)))
        if labels.ndim != 2 or labels.shape != (height, width):
            raise Unusable("image-parse is no picture of labels of the image's size")
        parts = _PART_OF[np.minimum(labels, len(_PART_OF) - 1)]
        points = read_pose(self._folders["pose"] / f"{name}_keypoints.json")
        person = Person((parts != Part.BACKGROUND).astype(np.float32), points, 0.0, 0.0)
        crop = Cropper().follow(person, (width, height))
        size = (CANVAS_W, CANVAS_H)
        shrunk = cv2.warpAffine(picture, crop.matrix, size, borderMode=cv2.BORDER_REPLICATE)
        parts = cv2.warpAffine(parts, crop.matrix, size, flags=cv2.INTER_NEAREST)
        if not (parts == Part.FRONT).any():
            raise Unusable("no garment in image-parse")
        on_canvas = np.column_stack([crop.to_canvas(points[:, :2].astype(np.float64)), points[:, 2]])
        garment = self.garment(name)
        canvas = garment.canvas
        share = canvas[..., 3:].astype(np.float32) / 255.0
        flat = canvas[..., 2::-1] * share + 255.0 * (1.0 - share)
        rgb = np.ascontiguousarray(shrunk[..., ::-1])
        return {
            "person": rgb, "target": rgb, "garment": flat.round().astype(np.uint8), "garment_mask": canvas[..., 3],
            "garment_landmarks": garment.canvas_landmarks, "parts_a": parts, "parts_b": parts,
            "flow": np.full((CANVAS_H // 2, CANVAS_W // 2, 2), np.nan, np.float16),
            "landmarks": on_canvas.astype(np.float32), "kind": np.uint8(KINDS.index(garment.kind)),
            "sleeves": np.uint8(SLEEVES.index(garment.sleeves)), "is_photo": np.uint8(1), "skin_tone": np.uint8(0),
            "body": np.uint16(0), "seed": np.uint64(zlib.crc32(name.encode())),
        }  # fmt: skip

    def garment(self, name: str) -> Garment:
        """The garment of that person, its landmarks found on its mask. Raises Unusable."""
        own = own_garment(name, self._files["cloth"]) or name
        mask = cv2.imread(str(self._file("cloth-mask", own)), cv2.IMREAD_GRAYSCALE)
        picture = self._picture("cloth", own)
        if mask is None or mask.shape != picture.shape[:2]:
            raise Unusable("cloth-mask is no picture of the size of the cloth")
        try:
            garment = prepare(np.dstack([picture, mask]), name, name).garment
        except PhotoError:
            raise Unusable("no garment in cloth-mask") from None
        if not np.isfinite(garment.landmarks).all():
            raise Unusable("no landmarks found on the garment")
        return garment

    def _picture(self, folder: str, name: str) -> np.ndarray:
        picture = cv2.imread(str(self._file(folder, name)), cv2.IMREAD_COLOR)
        if picture is None:
            raise Unusable(f"a file of {folder} is no picture")
        return picture

    def _file(self, folder: str, name: str) -> Path:
        if name not in self._files[folder]:
            raise Unusable(f"no file in {folder}")
        return self._files[folder][name]

    @cached_property
    def _files(self) -> dict[str, dict[str, Path]]:
        return {name: {path.stem: path for path in folder.iterdir()} for name, folder in self._folders.items()}


def read_pose(path: Path) -> np.ndarray:
    """OpenPose's file -> float32 (33, 3), MediaPipe's rows, pixels and confidence.

    Points that OpenPose did not see are put where they most likely are, at confidence 0; rows it does not know are nan.
    Raises Unusable without both shoulders."""
    try:
        person = json.loads(path.read_text())["people"][0]
        found = np.array(person.get("pose_keypoints") or person["pose_keypoints_2d"], np.float32).reshape(-1, 3)
        rows = JOINTS[len(found)]
    except (OSError, ValueError, KeyError, IndexError):
        raise Unusable("no person of 18 or 25 points in pose") from None
    at: dict[str, np.ndarray] = {name: found[row, :2] for row, name in rows.items() if found[row, 2] > 0}
    seen = {name: float(found[row, 2]) for row, name in rows.items()}
    if "LEFT_SHOULDER" not in at or "RIGHT_SHOULDER" not in at:
        raise Unusable("no shoulders in pose")
    across = at["LEFT_SHOULDER"] - at["RIGHT_SHOULDER"]
    down = np.array([0.0, float(np.linalg.norm(across))], np.float32)
    middle = (at["LEFT_SHOULDER"] + at["RIGHT_SHOULDER"]) / 2
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        shoulder = at[f"{side}_SHOULDER"]
        at.setdefault(f"{side}_EYE", middle + sign * 0.08 * across - EYES_UP * down)
        at.setdefault(f"{side}_HIP", middle + sign * 0.33 * across + HIPS_DOWN * down)
        elbow = at.setdefault(f"{side}_ELBOW", shoulder + sign * 0.15 * across + 0.7 * down)
        wrist = at.setdefault(f"{side}_WRIST", elbow + FOREARM * (elbow - shoulder))
        fingers = wrist + FINGERS * (wrist - elbow)
        at[f"{side}_INDEX"] = at[f"{side}_PINKY"] = fingers
    points = np.full((LANDMARK_ROWS, 3), np.nan, np.float32)
    for name, place in at.items():
        points[Landmark[name]] = (*place, seen.get(name, 0.0))
    return points


def _table() -> np.ndarray:
    table = np.zeros(21, np.uint8)  # the last row: labels that LIP does not have
    for part, labels in LABELS.items():
        table[list(labels)] = part
    return table


_PART_OF = _table()
