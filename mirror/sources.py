"""Finding and opening what pictures come from: camera number or name, file, address (URL), numbered pictures."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mirror.errors import InstallationError, SourceError, UsageError
from mirror.settings import DEMO_CLIP, Settings
from mirror.words import say

FALLBACK_FPS = 30.0
URL_TIMEOUT_MS = 2000
"""Without it a server that accepts and says nothing holds OpenCV for 30 s."""
USUAL_SIZES = ((640, 480), (1280, 720), (1920, 1080))
TEXT_PROBE_BYTES = 4096
CUT_SHORT_SHARE = 0.05
"""So many pictures may be missing without a word: some formats only guess how many there are."""


@dataclass(frozen=True)
class Address:
    """What to open. words: how sentences call it. live: it has no end of its own, and is opened again when lost."""

    target: int | str
    words: str
    live: bool
    backend: int = cv2.CAP_ANY


@dataclass(frozen=True)
class CameraEntry:
    """A camera of this machine, as `python -m mirror cameras` lists it."""

    number: int
    name: str
    backend: int = cv2.CAP_ANY


class Capture(Protocol):
    """An opened source. fps: its own frame rate. finite: it ends, as files do."""

    fps: float
    finite: bool

    def read(self) -> np.ndarray | None:
        """The next picture, uint8 HxWx3 BGR, a new array each time; None at the end or when it is lost. May block."""

    def close(self) -> None: ...


class CvCapture:
    """A source opened by OpenCV."""

    def __init__(self, capture: cv2.VideoCapture, first: np.ndarray, finite: bool, words: str) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(fps) if 1.0 <= fps <= 240.0 else FALLBACK_FPS
        self.finite = finite
        self._capture, self._words = capture, words
        self._first: np.ndarray | None = first
        self._count = 1

    def read(self) -> np.ndarray | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        good, image = self._capture.read()
        if good and image is not None:
            self._count += 1
            return _bgr(image)
        claimed = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if self.finite and claimed - self._count > max(2.0, CUT_SHORT_SHARE * claimed):
            say(f"{self._words} ends after {self._count} of {claimed:.0f} pictures: the file is damaged or cut short.")
        return None

    def close(self) -> None:
        self._capture.release()


def find_address(settings: Settings) -> Address:
    """What the settings ask to open. Raises SourceError where it is not there, UsageError where a name is unclear."""
    if settings.demo:
        if not DEMO_CLIP.is_file():
            raise InstallationError(
                f"The demo clip {DEMO_CLIP.name} is missing from this installation: name a clip with --source FILE."
            )
        return Address(str(DEMO_CLIP), "the demo clip", live=False)
    if settings.source is not None:
        return _source_address(settings.source)
    camera = (settings.camera or "0").strip()
    if camera.isdigit():
        return Address(int(camera), f"camera {camera}", live=True)
    return _named_camera(camera, list_cameras())


def _source_address(source: str) -> Address:
    if "://" in source:
        return Address(source, source, live=True)
    path = Path(source).expanduser()
    if not path.exists():
        if re.search(r"%0?\d*d", path.name):
            if not path.parent.is_dir():
                raise SourceError(f"There is no folder {path.parent}: check the path of {source}.")
            return Address(str(path), source, live=False)
        raise SourceError(f"There is no file {source}: check the path.")
    if path.is_dir():
        raise SourceError(
            f"{source} is a folder: for numbered pictures name their pattern, such as {path / '%04d.png'}."
        )
    if stat.S_ISFIFO(path.stat().st_mode):
        return Address(str(path), source, live=True)
    try:
        with path.open("rb") as file:
            head = file.read(TEXT_PROBE_BYTES)
    except OSError:
        raise SourceError(f"{source} may not be read by this user: change its permissions.") from None
    if not head:
        raise SourceError(f"{source} is empty: name another file.")
    if _is_text(head):  # ffmpeg would play it as terminal art, or follow the addresses of a playlist
        raise SourceError(f"{source} is not a video but a text file: name a video file, an address or a camera.")
    return Address(str(path), source, live=False)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head[:-4].decode("utf-8")  # the cut may fall inside a character
    except UnicodeDecodeError:
        return False
    return True


def _named_camera(name: str, cameras: list[CameraEntry]) -> Address:
    exact = [c for c in cameras if c.name.casefold() == name.casefold()]
    hits = exact or [c for c in cameras if name.casefold() in c.name.casefold()]
    if not hits:
        there = ", ".join(f"{c.number} {c.name}" for c in cameras) or "none"
        raise SourceError(f"No camera is called {name!r} (found: {there}): see `python -m mirror cameras`.")
    if len(hits) > 1:
        numbers = ", ".join(str(c.number) for c in hits)
        raise UsageError(f"{len(hits)} cameras match {name!r}: give one of their numbers, {numbers}.")
    return Address(hits[0].number, f"camera {hits[0].number} ({hits[0].name})", live=True, backend=hits[0].backend)


def open_capture(address: Address, size: tuple[int, int] | None = None) -> Capture:
    """Opens it and reads its first picture, so that what opens also plays. Raises SourceError. May block seconds."""
    if isinstance(address.target, int):
        capture = cv2.VideoCapture(address.target, address.backend)
        if capture.isOpened():
            _ask_camera(capture, size)
    elif address.live:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, URL_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, URL_TIMEOUT_MS]
        capture = cv2.VideoCapture(address.target, cv2.CAP_FFMPEG, limits)
    else:
        capture = cv2.VideoCapture(address.target)
    good, first = capture.read() if capture.isOpened() else (False, None)
    if not good or first is None:
        capture.release()
        raise SourceError(_cannot_open(address))
    finite = not isinstance(address.target, int) and (not address.live or capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0)
    return CvCapture(capture, _bgr(first), finite, address.words)


def _ask_camera(capture: cv2.VideoCapture, size: tuple[int, int] | None) -> None:
    # MJPG: uncompressed YUV caps USB 2 cameras at 10 FPS from 1280x720 on. A camera without it keeps its own format.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not the oldest of four


def _cannot_open(address: Address) -> str:
    if isinstance(address.target, int):
        return (
            f"No picture comes from {address.words}: plug a camera in or close the program that uses it,"
            " see `python -m mirror cameras`, or try --demo."
        )
    if address.live:
        return f"No picture comes from {address.words}: check the address and that its server is running."
    if "%" in str(address.target) and not Path(str(address.target)).exists():
        return f"There are no pictures called like {address.words}: check the pattern and that numbers begin at 0 to 4."
    return f"{address.words} cannot be opened as a video: it is damaged or of an unknown format, name another file."


def _bgr(image: np.ndarray) -> np.ndarray:
    """Whatever a reader yields -> uint8 HxWx3 BGR."""
    if image.dtype != np.uint8:
        image = cv2.convertScaleAbs(image, alpha=255.0 / 65535.0 if image.dtype == np.uint16 else 1.0)
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return image if image.shape[2] == 3 else np.ascontiguousarray(image[..., :3])


def list_cameras() -> list[CameraEntry]:
    """The cameras of this machine, by name; an empty list where there is none or they cannot be listed."""
    backends = {"linux": (cv2.CAP_V4L2,), "win32": (cv2.CAP_MSMF, cv2.CAP_DSHOW), "darwin": (cv2.CAP_AVFOUNDATION,)}
    try:
        from cv2_enumerate_cameras import enumerate_cameras  # on macOS it needs one package more
    except ImportError:
        return []
    for backend in backends.get(sys.platform, (cv2.CAP_ANY,)):
        try:
            found = [CameraEntry(int(c.index), str(c.name), backend) for c in enumerate_cameras(backend)]
        except Exception:  # a driver's own trouble, of any kind, must not end the program
            continue
        if found:
            return sorted(found, key=lambda c: c.number)
    return []


def camera_sizes(entry: CameraEntry) -> list[tuple[int, int]]:
    """Which of the usual sizes the camera gives, (width, height); empty where it cannot be opened."""
    capture = cv2.VideoCapture(entry.number, entry.backend)
    sizes = list(_given_sizes(capture)) if capture.isOpened() else []
    capture.release()
    return sizes


def _given_sizes(capture: cv2.VideoCapture) -> Iterator[tuple[int, int]]:
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    seen = set()
    for width, height in USUAL_SIZES:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        given = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if given[0] > 0 and given not in seen:
            seen.add(given)
            yield given
