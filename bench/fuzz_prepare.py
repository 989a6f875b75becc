"""Mutated photo files: each must end in a garment or in one sentence. `python -m bench fuzz_prepare`.

Small drawn photos in JPEG, PNG and WebP, some with EXIF, CMYK, 16 bits, palettes or several frames, are cut short,
have bytes flipped, blocks repeated or lengths changed. Reported: how they ended, the peak of memory, what is left in
the wardrobe's folder. The exit code is 1 if any raised something else, left a trace, or took over a gigabyte.
"""

from __future__ import annotations

import argparse
import collections
import io
import resource
import tempfile
import traceback
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mirror.errors import MirrorError
from mirror.wardrobe import load_garment

COUNT, SEED = 2000, 20
LIMIT_MB = 1000
SIDE_PX = (112, 128)


def draw_photo(rng: np.random.Generator) -> np.ndarray:
    """uint8 HxWx3 RGB: a T-shirt of some colour on a floor of another."""
    width, height = SIDE_PX
    floor, cloth = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    photo = np.clip(floor + rng.normal(0, 6, (height, width, 3)), 0, 255)
    half = [(68, 20), (84, 26), (102, 46), (92, 56), (82, 48), (82, 112)]
    ring = np.array(half + [(width - x, y) for x, y in reversed(half)], np.int32)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [ring], 1)
    photo[mask > 0] = np.clip(cloth + rng.normal(0, 6, (int(mask.sum()), 3)), 0, 255)
    return photo.astype(np.uint8)


def encode(rng: np.random.Generator) -> bytes:
    """A photo as a file of a random form."""
    picture = Image.fromarray(draw_photo(rng))
    form = rng.choice(["JPEG", "PNG", "WEBP"])
    extra: dict = {}
    kind = int(rng.integers(0, 6))
    if kind == 0 and form == "JPEG":
        picture = picture.convert("CMYK")
    elif kind == 1 and form == "PNG":
        picture = picture.convert("P")
    elif kind == 2 and form == "PNG":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    elif kind == 3:
        exif = Image.Exif()
        exif[0x0112] = int(rng.integers(0, 12))
        extra["exif"] = exif
    elif kind == 4 and form != "JPEG":
        extra = {"save_all": True, "append_images": [picture.rotate(5)]}
    elif kind == 5:
        picture = picture.convert("L")
    file = io.BytesIO()
    picture.save(file, form, **extra)
    return file.getvalue()


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """The file with one to three faults."""
    raw = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        way, at = int(rng.integers(0, 6)), int(rng.integers(0, max(1, len(raw))))
        if way == 0:
            raw = raw[:at]
        elif way == 1 and raw:
            raw[min(at, len(raw) - 1)] ^= 1 << int(rng.integers(0, 8))
        elif way == 2:  # the head, where sizes and offsets stand
            for _ in range(3):
                if raw:
                    raw[int(rng.integers(0, min(64, len(raw))))] = int(rng.integers(0, 256))
        elif way == 3:
            raw[at:at] = raw[at : at + int(rng.integers(1, 200))]
        elif way == 4:
            raw[at : at + 4] = int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 60000])).to_bytes(4, "big")
        else:
            del raw[at : at + int(rng.integers(1, 60))]
    return bytes(raw)


def main(argv: list[str]) -> int:
    """Prints the figures; 1 if anything went wrong."""
    from mirror.garment_cli import main as garment

    parser = argparse.ArgumentParser(prog="python -m bench fuzz_prepare", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(arguments.seed)
    ends: collections.Counter[str] = collections.Counter()
    faults = []
    with tempfile.TemporaryDirectory() as scratch:
        wardrobe = Path(scratch) / "garments"
        wardrobe.mkdir()
        for number in range(arguments.count):
            photo = Path(scratch) / f"photo {number}.jpg"
            photo.write_bytes(mutate(encode(rng), rng))
            try:
                ends[_run(garment, photo, wardrobe)] += 1
            except Exception:  # that is what is looked for
                faults.append(f"file {number}: {traceback.format_exc()}")
            photo.unlink()
        left = [entry.name for entry in wardrobe.iterdir() if entry.name.startswith(".")]
        for folder in wardrobe.iterdir():
            try:
                load_garment(folder)
            except MirrorError as error:
                faults.append(f"{folder.name}: {error}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{arguments.count} files, seed {arguments.seed}: " + ", ".join(f"{n} {e}" for e, n in ends.most_common()))
    print(f"{len(faults)} faults, {len(left)} folders half written, {peak:.0f} MB at most")
    print("\n".join(faults[:5]))
    return int(bool(faults or left or peak > LIMIT_MB))


def _run(garment, photo: Path, wardrobe: Path) -> str:  # type: ignore[no-untyped-def]
    """added, doubtful or refused. Raises AssertionError where a refusal is not one sentence."""
    import contextlib

    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        garment(["add", str(photo), "--grabcut", "--wardrobe", str(wardrobe)])
    line = heard.getvalue().strip()
    assert line.count("\n") == 0, f"more than a line: {line!r}"
    assert "Traceback" not in line, line
    return next(state for state in ("added", "doubtful", "refused") if f"  {state} " in line)
