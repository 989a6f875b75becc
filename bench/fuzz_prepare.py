"""Mutated photo files: each must end in a garment or in one sentence. `python -m bench fuzz_prepare`.

Small drawn photos in JPEG, PNG and WebP, some with EXIF, CMYK, 16 bits, palettes or several frames, are cut short,
have bytes flipped, blocks repeated or lengths changed. Reported: how they ended, the peak of memory, what is left in
the wardrobe's folder. The exit code is 1 if any raised something else, left a trace, or took over a gigabyte.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import resource
import shutil
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    parser = argparse.ArgumentParser(prog="python -m bench fuzz_prepare", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path, metavar="FILE.jsonl", help="a line per file; goes on where it ended")
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rows = _read_rows(arguments.results, arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        wardrobe = Path(scratch) / "garments"
        wardrobe.mkdir()
        for number in range(arguments.count):
            if number in rows:
                continue
            rows[number] = _try_file(arguments.seed, number, wardrobe)
            if arguments.results is not None:
                with arguments.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[number]) + "\n")
    return _report([rows[number] for number in range(arguments.count)], arguments.seed)


def _read_rows(results: Path | None, seed: int) -> dict[int, dict[str, Any]]:
    """What an earlier run left, by the number of the file."""
    if results is None or not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line["number"]: line for line in lines if line["seed"] == seed}


def _try_file(seed: int, number: int, wardrobe: Path) -> dict[str, Any]:
    """One mutated file, the same for the same seed and number: how it ended, and what was wrong with that."""
    from mirror.garment_cli import main as garment

    rng = np.random.default_rng([seed, number])
    photo = wardrobe.parent / f"photo {number}.jpg"
    photo.write_bytes(mutate(encode(rng), rng))
    end, said, fault = "fault", "", ""
    try:
        end, said = _run(garment, photo, wardrobe)
    except Exception:  # that is what is looked for
        fault = traceback.format_exc()
    photo.unlink()
    half = [entry.name for entry in wardrobe.iterdir() if entry.name.startswith(".")]
    for folder in [entry for entry in wardrobe.iterdir() if entry.name not in half]:
        try:
            load_garment(folder)
        except MirrorError as error:
            fault += f"{folder.name}: {error}"
    shutil.rmtree(wardrobe)
    wardrobe.mkdir()
    peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {"seed": seed, "number": number, "end": end, "said": said, "fault": fault, "half": half, "peak_mb": peak_mb}


def _report(rows: list[dict[str, Any]], seed: int) -> int:
    """Prints the figures; 1 if anything went wrong."""
    ends = collections.Counter(row["end"] for row in rows)
    faults = [f"file {row['number']}: {row['fault']}" for row in rows if row["fault"]]
    half, peak_mb = sum(bool(row["half"]) for row in rows), max(row["peak_mb"] for row in rows)
    print(f"{len(rows)} files, seed {seed}: " + ", ".join(f"{count} {end}" for end, count in ends.most_common()))
    print(f"{len(faults)} faults, {half} left a half-written folder, {peak_mb} MB at most")
    print("\n".join(faults[:5]))
    return int(bool(faults or half or peak_mb > LIMIT_MB))


def _run(garment: Callable[[list[str]], int], photo: Path, wardrobe: Path) -> tuple[str, str]:
    """added, doubtful or refused, and the line that says so. Raises AssertionError where that is more than a line."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        garment(["add", str(photo), "--grabcut", "--wardrobe", str(wardrobe)])
    line = heard.getvalue().strip()
    assert line.count("\n") == 0, f"more than a line: {line!r}"
    assert "Traceback" not in line, line
    return next(state for state in ("added", "doubtful", "refused") if f"  {state} " in line), line
