"""The garments there are: Garment, its folder (load_garment, save_garment), and the Wardrobe that watches them.

A garment folder holds garment.png (RGBA cut-out), garment.toml (name, kind, sleeves, landmarks) and, if it has one,
inner.png (grey mask of the inside of the back collar). `garments/README.md` describes it for the person who makes one.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import struct
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mirror.errors import GarmentError
from mirror.frames import CANVAS_H, CANVAS_W

LANDMARKS = (
    "neck_left", "neck_right", "neck_front",
    "shoulder_left", "shoulder_right",
    "sleeve_outer_left", "sleeve_outer_right",
    "sleeve_inner_left", "sleeve_inner_right",
    "armpit_left", "armpit_right",
    "hem_left", "hem_right",
)  # fmt: skip
"""Rows of `Garment.landmarks`; left and right as the viewer of the flat garment sees them. A garment without sleeves
has sleeve_outer at the shoulder and sleeve_inner at the armpit."""
KINDS = ("tshirt", "longsleeve", "shirt", "polo", "tank", "jumper", "hoodie")
SLEEVES = ("none", "short", "long")
CANVAS_MARGIN = 0.04
"""Free share of the canvas around a garment laid on it, on the tighter side."""

PICTURE, INNER, DESCRIPTION = "garment.png", "inner.png", "garment.toml"
MAX_PIXELS = 50_000_000
"""A larger picture is refused by its header, before a byte of it is decoded."""
MIN_SIDE_PX = 64
KEPT_SIDE_PX = 2048
"""A larger picture is reduced to this when it is loaded: more than a camera can show, and 16 MB in memory."""
FRINGE_PX = 3
"""So far from the garment clear pixels are given its colour."""
MAX_DESCRIPTION_BYTES = 65_536
PNG_HEAD = struct.Struct(">8s4x4sIIBB")
"""Signature, length (skipped), "IHDR", width, height, bit depth, colour type: the first 26 bytes of every PNG."""

log = logging.getLogger(__name__)


def lay(mask: np.ndarray) -> np.ndarray:
    """Where a cut-out lies on its 256 x 192 canvas: it fills it, centred, upright, at one scale both ways.

    mask: HxW, non-zero where the garment is. Returns float64 2x3, canvas pixels -> picture pixels. One function for
    the live mirror and for training. The garment's size is read from its landmarks beside it.
    """
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, x1, y0, y1 = xs[0], xs[-1] + 1, ys[0], ys[-1] + 1
    room = 1.0 - 2.0 * CANVAS_MARGIN
    scale = max((x1 - x0) / (CANVAS_W * room), (y1 - y0) / (CANVAS_H * room))  # picture pixels a canvas pixel
    centre = np.array([(x0 + x1 - 1) / 2.0, (y0 + y1 - 1) / 2.0])
    canvas_centre = np.array([(CANVAS_W - 1) / 2.0, (CANVAS_H - 1) / 2.0])
    return np.hstack([np.eye(2) * scale, (centre - canvas_centre * scale)[:, None]])


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment of the wardrobe, as it lies flat.

    slug: its folder's name. name: shown to people. kind: of KINDS. sleeves: of SLEEVES.
    picture: uint8 HxWx4 BGRA, straight alpha. inner: uint8 HxW mask of the inside of the back collar, or None.
    landmarks: float32 (13, 2), picture pixels, rows as LANDMARKS.
    """

    slug: str
    name: str
    kind: str
    sleeves: str
    picture: np.ndarray
    inner: np.ndarray | None
    landmarks: np.ndarray

    @cached_property
    def to_picture(self) -> np.ndarray:
        """float64 2x3: garment-canvas pixels -> pixels of `picture`."""
        return lay(self.picture[..., 3] > 127)

    @cached_property
    def canvas(self) -> np.ndarray:
        """uint8 256x192x4 BGRA: the garment on its canvas (area-filtered)."""
        colours, alpha = self.picture[..., :3], self.picture[..., 3]
        # premultiplied, so that no background bleeds in; reduced by area first, so that the warp skips no pixels
        pre = np.dstack([cv2.multiply(colours, cv2.merge([alpha] * 3), scale=1.0 / 255.0), alpha])
        matrix = self.to_picture
        shrink = 1.0 / max(matrix[0, 0], 1.0)
        size = (max(1, round(pre.shape[1] * shrink)), max(1, round(pre.shape[0] * shrink)))
        reduced = cv2.resize(pre, size, interpolation=cv2.INTER_AREA)
        ratio = np.array([reduced.shape[1] / pre.shape[1], reduced.shape[0] / pre.shape[0]])
        to_reduced = matrix * ratio[:, None]
        to_reduced[:, 2] += 0.5 * ratio - 0.5  # both count from pixel centres
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(reduced, to_reduced, (CANVAS_W, CANVAS_H), flags=flags, borderValue=(0, 0, 0, 0))
        straight = laid[..., :3] * (255.0 / np.maximum(laid[..., 3:], 1))
        return np.dstack([np.clip(straight, 0, 255).astype(np.uint8), laid[..., 3]])

    @cached_property
    def canvas_landmarks(self) -> np.ndarray:
        """float32 (13, 2): the landmarks in garment-canvas pixels."""
        a = np.linalg.inv(self.to_picture[:, :2])
        return ((self.landmarks - self.to_picture[:, 2]) @ a.T).astype(np.float32)

    def point(self, name: str) -> np.ndarray:
        """float32 (2,): a landmark by its name, picture pixels."""
        return self.landmarks[LANDMARKS.index(name)]


def load_garment(folder: Path) -> Garment:
    """The garment of a folder. Raises GarmentError, one sentence that says what is wrong and what to do."""
    folder = Path(folder)
    where = f"garment '{folder.name}'"
    size = _png_size(folder / PICTURE, where)
    name, kind, sleeves, landmarks = _read_description(folder / DESCRIPTION, where, size)
    picture = _decode(folder / PICTURE, where)
    if picture.ndim != 3 or picture.shape[2] != 4:
        raise GarmentError(f"{where}: {PICTURE} has no alpha channel; save the cut-out garment as RGBA.")
    solid = np.count_nonzero(picture[..., 3] > 127)
    if not solid:
        raise GarmentError(f"{where}: {PICTURE} is transparent everywhere; save the garment with an opaque alpha.")
    if solid == size[0] * size[1]:
        raise GarmentError(f"{where}: {PICTURE} is opaque everywhere; cut the garment out of its background.")
    inner = None
    if (folder / INNER).exists():
        if _png_size(folder / INNER, where, INNER) != size:
            raise GarmentError(f"{where}: {INNER} is not of the size of {PICTURE} ({size[0]}x{size[1]}).")
        inner = _decode(folder / INNER, where)
        inner = np.ascontiguousarray(inner if inner.ndim == 2 else inner[..., :3].max(2))
    reduce = KEPT_SIDE_PX / max(size)
    if reduce < 1.0:
        shape = (max(1, round(size[0] * reduce)), max(1, round(size[1] * reduce)))
        picture = _resize_cutout(picture, shape)
        inner = None if inner is None else cv2.resize(inner, shape, interpolation=cv2.INTER_AREA)
        landmarks = ((landmarks + 0.5) * (np.array(shape) / np.array(size)) - 0.5).astype(np.float32)
    return Garment(folder.name, name, kind, sleeves, _bleed(picture), inner, landmarks)


def save_garment(folder: Path, garment: Garment) -> None:
    """Write a garment's folder in one step, replacing what is there: a reader sees the old one or the new one.

    Landmarks are kept to a tenth of a pixel. Raises OSError where the disk refuses.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fresh = scratch / "new"
        fresh.mkdir()
        _write_png(fresh / PICTURE, garment.picture)
        if garment.inner is not None:
            _write_png(fresh / INNER, garment.inner)
        (fresh / DESCRIPTION).write_text(describe(garment), encoding="utf-8")
        if folder.exists():
            os.replace(folder, scratch / "old")
        os.replace(fresh, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def describe(garment: Garment) -> str:
    """The text of garment.toml."""
    head = [f"{key} = {json.dumps(getattr(garment, key), ensure_ascii=False)}" for key in ("name", "kind", "sleeves")]
    rows = zip(LANDMARKS, garment.landmarks.tolist(), strict=True)
    points = [f"{name} = [{x:.1f}, {y:.1f}]" for name, (x, y) in rows]
    about = "# Pixels of garment.png, origin top left; left and right as the viewer of the picture sees them."
    return "\n".join([*head, "", about, "[landmarks]", *points, ""])


class Wardrobe:
    """The garment folders under one folder, in the order of their names ("tee 2" before "tee 10").

    `garments` is replaced as a whole, so another thread may read it while `refresh` runs. A folder that is unchanged
    keeps its Garment object. Hidden folders, those whose name begins with an underscore, and Python packages are no
    garment folders.

    problems: folder name -> the sentence that says why it was passed over.
    """

    def __init__(self, folder: Path) -> None:
        """Raises GarmentError if there is no such folder."""
        self.folder = Path(folder)
        self.garments: tuple[Garment, ...] = ()
        self.problems: dict[str, str] = {}
        self._stamps: dict[str, tuple] = {}
        if not self.folder.is_dir():
            raise GarmentError(f"There is no wardrobe folder {self.folder}; name one with --wardrobe.")
        self.refresh()

    def refresh(self) -> bool:
        """Notice folders that were added, changed or removed; True if `garments` changed.

        Without a change it costs a few file stats a folder; otherwise what changed is loaded here. If the wardrobe
        folder itself is gone (a drive that was pulled) the garments loaded last stay.
        """
        try:
            stamps = {entry.name: _stamp(Path(entry.path)) for entry in os.scandir(self.folder) if _is_garment(entry)}
        except OSError:
            return False
        if stamps == self._stamps:
            return False
        kept = {g.slug: g for g in self.garments if stamps.get(g.slug) == self._stamps.get(g.slug)}
        order = sorted(stamps, key=_natural)
        with ThreadPoolExecutor(
            min(4, os.cpu_count() or 1), "wardrobe"
        ) as pool:  # decoding leaves the interpreter free
            loaded = dict(zip(order, pool.map(lambda slug: kept.get(slug) or self._load(slug), order), strict=True))
        garments = [one for one in loaded.values() if isinstance(one, Garment)]
        problems = {slug: one for slug, one in loaded.items() if isinstance(one, str)}
        for slug, problem in problems.items():
            if self.problems.get(slug) != problem:
                log.warning("%s It is passed over.", problem)
        changed = len(garments) != len(self.garments) or any(
            a is not b for a, b in zip(garments, self.garments, strict=False)
        )
        self.garments, self.problems, self._stamps = tuple(garments), problems, stamps
        return changed

    def _load(self, slug: str) -> Garment | str:
        """The garment, or the sentence that says why there is none."""
        try:
            return load_garment(self.folder / slug)
        except GarmentError as error:
            return str(error)

    def find(self, name: str) -> Garment:
        """A garment by its folder's name or its shown name, whatever the case. Raises GarmentError naming all."""
        wanted = name.strip().casefold()
        for garment in self.garments:
            if wanted in (garment.slug.casefold(), garment.name.casefold()):
                return garment
        there = ", ".join(g.slug for g in self.garments) or "none"
        raise GarmentError(f"There is no garment '{name}' in {self.folder}; there are: {there}.")

    def step(self, slug: str, by: int) -> Garment:
        """The garment `by` places after the one called slug (before it if negative), round and round.

        If that one was removed meanwhile, the count starts from where it was. Raises GarmentError if the wardrobe is
        empty.
        """
        if not self.garments:
            raise GarmentError(f"The wardrobe {self.folder} holds no usable garment; see `python -m mirror doctor`.")
        garments = self.garments
        order = [_natural(g.slug) for g in garments]
        before = sum(key < _natural(slug) for key in order)
        gone = before == len(order) or order[before] != _natural(slug)
        return garments[(before + by - (gone and by > 0)) % len(order)]


def _is_garment(entry: os.DirEntry) -> bool:
    return entry.is_dir() and entry.name[0] not in "._" and not os.path.exists(os.path.join(entry.path, "__init__.py"))


def _stamp(folder: Path) -> tuple:
    """Changes whenever one of the folder's three files does."""

    def one(name: str) -> tuple[int, int] | None:
        try:
            stat = os.stat(folder / name)
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    return one(PICTURE), one(INNER), one(DESCRIPTION)


def _natural(slug: str) -> tuple:
    """Sorting key in which numbers count as numbers; ends with the slug itself, so no two are equal."""
    parts = re.split(r"(\d+)", slug.casefold())
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else part) for part in parts), slug


def _png_size(path: Path, where: str, shown: str = PICTURE) -> tuple[int, int]:
    """(width, height) from the header alone, refused if absurd: a few bytes can claim gigabytes of pixels."""
    try:
        with path.open("rb") as file:
            head = file.read(PNG_HEAD.size)
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise GarmentError(f"{where}: {shown} {reason}; put the cut-out there as an RGBA PNG.") from error
    if len(head) < PNG_HEAD.size or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        raise GarmentError(f"{where}: {shown} is not a PNG file; save it again as an RGBA PNG.")
    width, height = PNG_HEAD.unpack(head)[2:4]
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise GarmentError(f"{where}: {shown} is {width}x{height}, over {limit} megapixels; make it smaller.")
    if min(width, height) < MIN_SIDE_PX:
        raise GarmentError(
            f"{where}: {shown} is {width}x{height}, under {MIN_SIDE_PX} pixels a side; use a larger picture."
        )
    return width, height


def _decode(path: Path, where: str) -> np.ndarray:
    """uint8 picture as stored: HxW, HxWx3 BGR or HxWx4 BGRA."""
    try:
        data = np.fromfile(path, np.uint8)  # not cv2.imread: it cannot open every path on Windows
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as error:
        raise GarmentError(f"{where}: {path.name} cannot be read; save it again as an RGBA PNG.") from error
    if picture is None:
        raise GarmentError(f"{where}: {path.name} is damaged; save it again as an RGBA PNG.")
    return (picture // 257).astype(np.uint8) if picture.dtype == np.uint16 else picture


def _read_description(path: Path, where: str, size: tuple[int, int]) -> tuple[str, str, str, np.ndarray]:
    """name, kind, sleeves and the landmarks (float32 (13, 2)) of garment.toml, checked."""
    try:
        if path.stat().st_size > MAX_DESCRIPTION_BYTES:
            raise GarmentError(f"{where}: {DESCRIPTION} is too large to be one; write it anew.")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise GarmentError(f"{where}: {DESCRIPTION} is missing; write name, kind, sleeves and landmarks.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = " ".join(str(error).split())
        raise GarmentError(f"{where}: {DESCRIPTION} cannot be read ({reason}); correct it.") from error
    name = table.get("name")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise GarmentError(f'{where}: {DESCRIPTION} gives no name; add a line like name = "White T-shirt".')
    for key, known in (("kind", KINDS), ("sleeves", SLEEVES)):
        if table.get(key) not in known:
            raise GarmentError(f"{where}: {key} = {table.get(key)!r} is not known; use one of {', '.join(known)}.")
    return name.strip(), table["kind"], table["sleeves"], _landmarks(table, where, size)


def _landmarks(table: dict[str, Any], where: str, size: tuple[int, int]) -> np.ndarray:
    given = table.get("landmarks")
    if not isinstance(given, dict):
        raise GarmentError(f"{where}: {DESCRIPTION} has no [landmarks]; add neck_left = [x, y] and the others.")
    points = dict(given)
    if table["sleeves"] == "none":  # nothing to mark there; see LANDMARKS
        for side in ("left", "right"):
            points.setdefault(f"sleeve_outer_{side}", points.get(f"shoulder_{side}"))
            points.setdefault(f"sleeve_inner_{side}", points.get(f"armpit_{side}"))
    for name in LANDMARKS:
        point = points.get(name)
        if point is None:
            raise GarmentError(f"{where}: landmark {name} is missing; add {name} = [x, y].")
        numbers = isinstance(point, list) and len(point) == 2 and all(type(v) in (int, float) for v in point)
        if not numbers:
            raise GarmentError(f"{where}: landmark {name} = {point!r} is no point; write {name} = [x, y].")
        if not (0 <= point[0] <= size[0] - 1 and 0 <= point[1] <= size[1] - 1):
            raise GarmentError(
                f"{where}: landmark {name} = {point} lies outside the picture ({size[0]}x{size[1]}); correct it."
            )
    for part in ("neck", "shoulder", "armpit", "hem"):
        if points[f"{part}_left"][0] >= points[f"{part}_right"][0]:
            raise GarmentError(
                f"{where}: landmark {part}_left is not left of {part}_right; left is as the viewer sees it."
            )
    for side in ("left", "right"):
        if not points[f"shoulder_{side}"][1] < points[f"armpit_{side}"][1] < points[f"hem_{side}"][1]:
            raise GarmentError(
                f"{where}: landmarks shoulder_{side}, armpit_{side} and hem_{side} do not lie one below the other; "
                "turn the picture upright and correct them."
            )
    return np.array([points[name] for name in LANDMARKS], np.float32)


def _resize_cutout(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """BGRA reduced to (width, height), colours weighted by alpha so that no background bleeds in."""
    alpha = picture[..., 3:].astype(np.float32) / 255.0
    pre = np.concatenate([picture[..., :3] * alpha, alpha * 255.0], 2)
    pre = cv2.resize(pre, size, interpolation=cv2.INTER_AREA)
    colour = pre[..., :3] / np.maximum(pre[..., 3:] / 255.0, 1e-3)
    return np.clip(np.concatenate([colour, pre[..., 3:]], 2) + 0.5, 0, 255).astype(np.uint8)


def _bleed(picture: np.ndarray) -> np.ndarray:
    """BGRA with clear pixels near the garment coloured like it, so that sampling between pixels shows no fringe.

    Cut-outs carry anything there: black, white, their old background. Colours are averaged at half size: 10 ms.
    """
    height, width = picture.shape[:2]
    solid = cv2.inRange(cv2.extractChannel(picture, 3), np.array(250), np.array(255))
    near = cv2.dilate(solid, np.ones((2 * FRINGE_PX + 1,) * 2, np.uint8)) - solid
    half, reach = ((width + 1) // 2, (height + 1) // 2), (2 * FRINGE_PX + 1,) * 2
    shown = cv2.copyTo(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), solid)
    shown = cv2.resize(shown, half, interpolation=cv2.INTER_AREA)
    sums = cv2.blur(shown.astype(np.float32), reach)
    weight = cv2.blur(cv2.resize(solid, half, interpolation=cv2.INTER_AREA).astype(np.float32), reach) / 255.0
    rows, columns = np.nonzero(near)
    at = rows // 2, columns // 2
    out = picture.copy()
    out[rows, columns, :3] = np.minimum(sums[at] / np.maximum(weight[at], 1e-3)[:, None] + 0.5, 255.0)
    return out


def _write_png(path: Path, picture: np.ndarray) -> None:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise OSError(f"{path} could not be encoded as PNG")
    path.write_bytes(data.tobytes())
