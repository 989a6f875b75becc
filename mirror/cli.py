"""The command line: arguments -> Settings, sub-commands, exit codes. Speaks before anything heavy is imported."""

from __future__ import annotations

import argparse
import json
import os
import signal
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from mirror.errors import InstallationError, MirrorError, UsageError
from mirror.pace import limit_libraries
from mirror.settings import ENGINES, Settings, parse_budget, parse_size
from mirror.words import hear_log, quiet_libraries, say

if TYPE_CHECKING:
    from mirror.metrics import Metrics

EXIT_OK, EXIT_FAULT = 0, 1
ABOUT = """\
A live try-on mirror: see yourself in a garment you are not wearing.

sub-commands:
  cameras          the cameras found: number, name, sizes
  doctor           what this machine has and lacks, each line with its remedy
  garment list     the wardrobe, one line each (also: add, check, preview, remove)
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}: see `python -m mirror --help`.")


def main(argv: list[str]) -> int:
    """Runs a command; returns the exit code. One sentence on stderr for whatever goes wrong."""
    try:
        with quiet_libraries():
            hear_log()
            try:
                return _dispatch(argv)
            except MirrorError as error:
                say(str(error))
                return error.exit_code
            except KeyboardInterrupt:
                return EXIT_OK
            except BrokenPipeError:  # `python -m mirror cameras | head -1`
                return EXIT_OK
            except ModuleNotFoundError as error:
                say(f"The package {error.name} is missing: start it with `uv run python -m mirror`, which installs it.")
                return InstallationError.exit_code
            except Exception as error:  # a fault of the program: its one sentence, and where it was for who mends it
                say(f"This is a fault of the program, please report it: {_where(error)}.")
                return EXIT_FAULT
    except KeyboardInterrupt:
        return EXIT_OK


def _dispatch(argv: list[str]) -> int:
    if argv[:1] == ["cameras"]:
        return _cameras()
    if argv[:1] == ["doctor"]:
        from mirror.doctor import examine

        return examine()
    if argv[:1] == ["garment"]:
        return _garment(argv[1:])
    if argv and not argv[0].startswith("-"):
        raise UsageError(f"There is no sub-command {argv[0]!r}: see `python -m mirror --help`.")
    return _run(parse(argv))


def parse(argv: list[str]) -> Settings:
    """Arguments of a run -> Settings. Raises UsageError."""
    parser = _Parser(prog="python -m mirror", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    origin = parser.add_argument_group("where pictures come from (default: camera 0)")
    origin.add_argument("--camera", metavar="N|NAME", help="a camera's number or (part of its) name")
    origin.add_argument("--source", metavar="FILE|URL|PATTERN", help="a video, an address, or a/%%04d.png")
    origin.add_argument("--demo", action="store_true", help="a short clip that ships with the project")
    origin.add_argument("--size", type=parse_size, metavar="WxH", help="ask the camera for this size")
    origin.add_argument("--realtime", action="store_true", help="play a file at its own rate, dropping pictures")
    screen = parser.add_argument_group("what is shown")
    screen.add_argument("--kiosk", action="store_true", help="fullscreen, few keys; type quit to end")
    screen.add_argument("--fullscreen", action="store_true")
    screen.add_argument("--no-mirror", dest="mirror", action="store_false", help="as the camera sees it")
    screen.add_argument("--headless", action="store_true", help="no window")
    screen.add_argument("--cycle", dest="cycle_s", type=float, metavar="SECONDS", help="the next garment so often")
    dress = parser.add_argument_group("garments and fit")
    dress.add_argument("--garment", metavar="NAME", help="the one to begin with")
    dress.add_argument("--wardrobe", type=Path, metavar="DIR", help="default: garments/ of the project")
    dress.add_argument("--models", type=Path, metavar="DIR", help="default: ir_models/default of the project")
    dress.add_argument("--engine", choices=ENGINES, help="default: auto, the networks where they are there")
    dress.add_argument(
        "--budget", dest="cpu_budget", type=parse_budget, metavar="cpu=N", help="cores to use; fits get rarer for it"
    )
    ends = parser.add_argument_group("what is written, and when it ends")
    ends.add_argument("--output", type=Path, metavar="FILE.mp4", help="a video of what is shown")
    ends.add_argument("--snapshots", type=Path, metavar="DIR", help="where the key S puts pictures")
    ends.add_argument("--seconds", type=float, metavar="S", help="end after so long")
    ends.add_argument("--frames", type=int, metavar="N", help="end after so many pictures")
    ends.add_argument("--report", type=Path, metavar="FILE.json", help="figures of the run")
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    return Settings(**given)


def _run(settings: Settings) -> int:
    say(f"Opening {settings.origin}, the wardrobe {settings.wardrobe} and the models ({settings.engine}) ...")
    before = signal.signal(signal.SIGTERM, _stop)  # systemd stops a kiosk so: end as on Ctrl-C, with its report
    # Windows: Media Foundation takes 20 s and more to open some webcams with its hardware transforms.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    limit_libraries()
    from mirror.metrics import Metrics

    metrics = Metrics()
    try:
        _import_libraries()
        from mirror.pipeline import run

        run(settings, metrics)
    except KeyboardInterrupt:
        say("Ended from outside.")
    finally:
        signal.signal(signal.SIGTERM, before)
        if settings.report is not None:
            _write_report(settings.report, metrics)
    return EXIT_OK


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _import_libraries() -> None:
    from mirror.errors import InstallationError

    try:
        import cv2
        import numpy
        import PIL  # noqa: F401
    except ImportError as error:
        raise InstallationError(
            f"The package {error.name} cannot be loaded ({error}): run `uv sync` in the project, see also"
            " `python -m mirror doctor`."
        ) from error
    cv2.setLogLevel(0)
    del numpy


def _write_report(path: Path, metrics: Metrics) -> None:
    try:
        path.write_text(json.dumps(metrics.report(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The report {path} cannot be written ({error.strerror}): name another file.") from error


def _cameras() -> int:
    from mirror.sources import camera_sizes, list_cameras

    cameras = list_cameras()
    if not cameras:
        say("No camera was found: plug one in, or try `python -m mirror --demo`.")
        return 3
    for camera in cameras:
        sizes = ", ".join(f"{w}x{h}" for w, h in camera_sizes(camera)) or "in use by another program"
        print(f"{camera.number}  {camera.name}  {sizes}")
    return EXIT_OK


def _garment(argv: list[str]) -> int:
    from mirror.garment_cli import main as garment_main

    return int(garment_main(argv))


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__} ({text}) in {Path(last.filename).name}:{last.lineno}"
