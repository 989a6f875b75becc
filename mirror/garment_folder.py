"""A garment's folder: read and checked, written in one step.

It holds garment.png (RGBA cut-out), garment.toml (name, kind, sleeves, landmarks) and, if it has one, inner.png (grey
mask of the inside of the back collar). `garments/README.md` describes it for the person who makes one.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mirror.errors import GarmentError
from mirror.garment import KINDS, LANDMARKS, SLEEVES, Garment

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
