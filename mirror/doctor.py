"""`python -m mirror doctor`: what this machine has and lacks, each line with its remedy."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mirror.errors import MirrorError
from mirror.settings import DEMO_CLIP, MODELS, WARDROBE

PACKAGES = {
    "numpy": "numpy",
    "opencv-python": "cv2",
    "pygame-ce": "pygame",
    "pillow": "PIL",
    "psutil": "psutil",
    "mediapipe": None,
    "openvino": None,
}
"""Distribution -> module to import. None: tried by `person` and `models`, through the one module that may import it."""
ONLY_TO_PREPARE = {"rembg": None, "onnxruntime": None}
MIN_MEMORY_GB = 2.0


@dataclass(frozen=True)
class Finding:
    """One line. fatal: without it the mirror cannot run at all."""

    good: bool
    text: str
    remedy: str = ""
    fatal: bool = False

    def __str__(self) -> str:
        mark = "ok   " if self.good else "FAULT" if self.fatal else "note "
        return f"{mark}  {self.text}" + (f": {self.remedy}" if self.remedy and not self.good else "")


CHECKS: list[Callable[[], Iterator[Finding]]] = []


def examine() -> int:
    """Prints every finding; 1 if one of them keeps the mirror from running, else 0."""
    fatal = False
    for check in CHECKS:
        for finding in check():
            print(finding, flush=True)
            fatal |= finding.fatal and not finding.good
    print("The mirror cannot run: mend the lines marked FAULT." if fatal else "The mirror can run.")
    return int(fatal)


def _check(function: Callable[[], Iterator[Finding]]) -> Callable[[], Iterator[Finding]]:
    CHECKS.append(function)
    return function


@_check
def python() -> Iterator[Finding]:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 12)
    yield Finding(good, f"Python {version} on {platform.system()}", "use Python 3.11 or 3.12", fatal=not good)


@_check
def machine() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory().total / 1e9
    text = f"{os.cpu_count()} processors, {memory:.1f} GB of memory"
    yield Finding(memory >= MIN_MEMORY_GB, text, f"{MIN_MEMORY_GB:.0f} GB are needed: close other programs")


@_check
def packages() -> Iterator[Finding]:
    for name, module in {**PACKAGES, **ONLY_TO_PREPARE}.items():
        fatal = name in PACKAGES
        purpose = "" if fatal else " (only to add garments from photos)"
        try:
            version = metadata.version(name)
            if module:
                importlib.import_module(module)
        except (ImportError, OSError) as error:
            reason = "is not installed" if isinstance(error, metadata.PackageNotFoundError) else f"fails: {error}"
            yield Finding(False, f"{name} {reason}{purpose}", "run `uv sync` in the project", fatal)
        else:
            yield Finding(True, f"{name} {version}{purpose}")


@_check
def person() -> Iterator[Finding]:
    try:
        from mirror.person import PersonFinder

        PersonFinder().close()
    except Exception as error:  # whatever the library raises, the remedy is the same
        reason = " ".join(str(error).split())[:120]
        yield Finding(
            False, f"people cannot be found ({reason})", "run `uv sync --reinstall` in the project", fatal=True
        )
        return
    yield Finding(True, "people can be found")


@_check
def window() -> Iterator[Finding]:
    from mirror.window import display_lack

    lack = display_lack()
    yield Finding(True, "a display for the window") if lack is None else Finding(False, "no window", _lower(lack))


@_check
def cameras() -> Iterator[Finding]:
    from mirror.sources import list_cameras

    found = list_cameras()
    for camera in found:
        yield Finding(True, f"camera {camera.number}: {camera.name}")
    if not found:
        yield Finding(False, "no camera was found", "plug one in, give an address with --source, or try --demo")


@_check
def wardrobe() -> Iterator[Finding]:
    from mirror.wardrobe import Wardrobe

    try:
        garments = Wardrobe(WARDROBE)
    except MirrorError as error:
        yield Finding(False, "no wardrobe", _lower(str(error)))
        return
    count = len(garments.garments)
    yield Finding(count > 0, f"{count} garments in {WARDROBE}", "add one with `python -m mirror garment add PHOTO`")
    for sentence in garments.problems.values():
        yield Finding(False, sentence)


@_check
def models() -> Iterator[Finding]:
    """The networks, checked as a run checks them: files, hashes, and that they load."""
    instead = "the geometric fit is used meanwhile"
    if not (MODELS / "manifest.json").is_file():
        yield Finding(False, f"no networks in {MODELS}", f"fetch the project anew with its model files; {instead}")
        return
    from mirror.tryon import NeuralFitter

    try:
        NeuralFitter(MODELS).close()
        name = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8")).get("name", MODELS.name)
    except MirrorError as error:
        yield Finding(False, f"the networks cannot be used ({error})", instead)
        return
    yield Finding(True, f"the networks of {name}")


@_check
def demo() -> Iterator[Finding]:
    yield Finding(DEMO_CLIP.is_file(), "the demo clip", f"{_short(DEMO_CLIP)} is missing; --demo has nothing to play")


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")
