"""What was asked for: one frozen, validated dataclass. Imports nothing heavy, so that start-up can speak at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mirror.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
WARDROBE = ROOT / "garments"
MODELS = ROOT / "ir_models" / "default"
DEMO_CLIP = ROOT / "mirror" / "assets" / "demo.mp4"
ENGINES = ("auto", "neural", "geometric")
SIZE_LIMIT = 8192
"""Pixels; larger sides of a picture are a slip of the keyboard."""


@dataclass(frozen=True)
class Settings:
    """One run of the mirror.

    camera: number or name, used where neither source nor demo is given. source: file, address or pattern.
    size: (width, height) asked of the camera. cycle_s, seconds: seconds. output: the video written, as shown.
    snapshots: the folder for the S key; without it nothing is ever written there. cpu_budget: cores the mirror may use
    on average; None: what the machine has, the picture before the fits.
    Raises UsageError where values do not make sense together.
    """

    camera: str | None = None
    source: str | None = None
    demo: bool = False
    kiosk: bool = False
    fullscreen: bool = False
    mirror: bool = True
    garment: str | None = None
    wardrobe: Path = WARDROBE
    models: Path = MODELS
    engine: str = "auto"
    size: tuple[int, int] | None = None
    cycle_s: float | None = None
    headless: bool = False
    output: Path | None = None
    snapshots: Path | None = None
    seconds: float | None = None
    frames: int | None = None
    realtime: bool = False
    report: Path | None = None
    cpu_budget: float | None = None

    def __post_init__(self) -> None:
        if sum((self.camera is not None, self.source is not None, self.demo)) > 1:
            raise UsageError("Give only one of --camera, --source and --demo.")
        if self.kiosk and self.headless:
            raise UsageError("--kiosk needs a screen: leave --headless out.")
        if self.size is not None and self.source is not None:
            raise UsageError("--size asks a camera for a size; a file or an address has its own: leave it out.")
        if self.engine not in ENGINES:
            raise UsageError(f"--engine is one of {', '.join(ENGINES)}, not {self.engine!r}.")
        for option, value in (
            ("--cycle", self.cycle_s),
            ("--seconds", self.seconds),
            ("--frames", self.frames),
            ("--budget cpu", self.cpu_budget),
        ):
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"{option} must be more than 0.")
        if not self.wardrobe.is_dir():
            raise UsageError(f"The wardrobe {self.wardrobe} is not a folder: name one with --wardrobe DIR.")
        if self.output is not None and self.output.suffix.lower() != ".mp4":
            raise UsageError(f"--output writes an .mp4 file: call it {self.output.with_suffix('.mp4').name}.")
        for option, path in (("--output", self.output), ("--report", self.report)):
            if path is not None and path.is_dir():
                raise UsageError(f"{option} {path} is a folder: name a file.")
            if path is not None and not path.parent.is_dir():
                raise UsageError(f"The folder {path.parent} of {option} does not exist: make it first.")
        if self.snapshots is not None and self.snapshots.exists() and not self.snapshots.is_dir():
            raise UsageError(f"--snapshots {self.snapshots} is a file: name a folder.")

    @property
    def origin(self) -> str:
        """Where pictures come from, in words."""
        if self.demo:
            return "the demo clip"
        if self.source is not None:
            return self.source
        return f"camera {self.camera or 0}"


def parse_size(text: str) -> tuple[int, int]:
    """'1280x720' -> (1280, 720), pixels. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX×*]\s*(\d{1,5})\s*", text)
    if match:
        width, height = int(match[1]), int(match[2])
        if 16 <= width <= SIZE_LIMIT and 16 <= height <= SIZE_LIMIT:
            return width, height
    raise UsageError(f"--size is a width and a height in pixels such as 1280x720, not {text!r}.")


def parse_budget(text: str) -> float:
    """'cpu=1.5' -> 1.5, cores. Raises UsageError."""
    match = re.fullmatch(r"\s*cpu\s*=\s*(\d{1,3}(?:\.\d{1,3})?)\s*", text)
    if match and float(match[1]) > 0:
        return float(match[1])
    raise UsageError(f"--budget is a number of cores such as cpu=1.5, not {text!r}.")
