"""A photo file -> pixels: limits before decoding, the right way up, nothing kept of its metadata."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mirror.errors import GarmentError

MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 100_000_000
MIN_SIDE_PX = 96
"""Smaller pictures hold too little of a garment to find its sleeves."""
KEPT_SIDE_PX = 1600
"""A larger photo is reduced to this longer side: more than a camera shows of a garment."""
FORMATS = ("JPEG", "PNG", "WEBP")
"""What is read. A JPEG of a telephone may turn out an MPO, which carries a second picture that is left alone."""

HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class PhotoError(GarmentError):
    """A photo file that cannot be used."""


def load_photo(path: Path) -> np.ndarray:
    """The photo as uint8 HxWx3 BGR, or HxWx4 BGRA where the file has transparency of its own.

    The longer side is at most KEPT_SIDE_PX. The rotation its metadata asks for is applied; metadata goes no further.
    Raises PhotoError, one sentence.
    """
    name = f"'{path.name}'"
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise PhotoError(f"{name} is no file; name a photo.")
        if size > MAX_FILE_BYTES:
            raise PhotoError(f"{name} has {size // 1_000_000} MB, over {MAX_FILE_BYTES // 1_000_000}; make it smaller.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError(f"{name} is not there; check the path.") from error
    except OSError as error:
        raise PhotoError(f"{name} cannot be read ({error.strerror}); check its permissions.") from error
    return _decode(data, name)


def _decode(data: bytes, name: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what is refused or mended below
        try:
            with Image.open(io.BytesIO(data), formats=_formats()) as picture:
                _check(picture, name)
                return _pixels(picture, name)
        except PhotoError:
            raise
        except UnidentifiedImageError as error:
            if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and "HEIF" not in _formats():
                raise PhotoError(f"{name} is HEIC, which needs pillow-heif; install it or save a JPEG.") from error
            raise PhotoError(f"{name} is no {_spoken()} picture; save it as one.") from error
        except Image.DecompressionBombError as error:
            raise PhotoError(f"{name} claims too many pixels; save it anew, smaller.") from error
        except Exception as error:  # decoders of damaged files raise whatever they like: it is the file's fault
            raise PhotoError(f"{name} is damaged or cut short; copy it anew from the camera.") from error


def _formats() -> tuple[str, ...]:
    try:
        import pillow_heif  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _spoken() -> str:
    heic = "HEIF" in _formats()
    return "JPEG, PNG, WebP or HEIC" if heic else "JPEG, PNG or WebP"


def _check(picture: Image.Image, name: str) -> None:
    """Limits, from the header alone."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise PhotoError(f"{name} is {width}x{height}, over {limit} megapixels; make it smaller.")
    if min(width, height) < MIN_SIDE_PX:
        raise PhotoError(f"{name} is {width}x{height}, under {MIN_SIDE_PX} pixels a side; use a larger photo.")
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        raise PhotoError(f"{name} is animated; save one of its pictures.")


def _pixels(picture: Image.Image, name: str) -> np.ndarray:
    if picture.format in ("JPEG", "MPO"):
        picture.draft(None, (KEPT_SIDE_PX, KEPT_SIDE_PX))  # decode at an eighth, a quarter or half where that is enough
    picture.load()
    if _reducible(picture):
        picture.thumbnail((KEPT_SIDE_PX, KEPT_SIDE_PX), Image.Resampling.BOX)
    first = ImageOps.exif_transpose(picture)
    if first.mode.startswith("I") or first.mode == "F":  # 16 bits of grey: keep the upper eight
        grey = np.asarray(first, np.float64)
        top = 255.0 if grey.max(initial=0.0) < 256 else 65535.0
        return _reduce(np.repeat((np.clip(grey / top, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2))
    clear = "A" in first.getbands() or "transparency" in first.info
    rgb = np.asarray(first.convert("RGBA" if clear else "RGB"))
    if clear and rgb[..., 3].min() > 250:
        rgb = rgb[..., :3]
    if clear and rgb.shape[2] == 4 and rgb[..., 3].max() < 128:
        raise PhotoError(f"{name} is transparent everywhere; save it with its garment opaque.")
    order = [2, 1, 0, 3][: rgb.shape[2]]
    return _reduce(np.ascontiguousarray(rgb[..., order]))


def _reducible(picture: Image.Image) -> bool:
    """Pillow's own reduction saves memory, but blends palettes and transparency wrongly."""
    return picture.mode in ("RGB", "CMYK", "L", "YCbCr") and max(picture.size) > 2 * KEPT_SIDE_PX


def _reduce(bgr: np.ndarray) -> np.ndarray:
    scale = KEPT_SIDE_PX / max(bgr.shape[:2])
    if scale >= 1.0:
        return bgr
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    return cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
