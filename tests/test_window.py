"""The real window, on a virtual display with a window manager: keys, fullscreen, letterbox, kiosk."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageGrab

import mirror.window
from mirror.errors import InstallationError
from mirror.settings import ROOT
from mirror.window import Window, display_lack, letterbox
from tests.helpers import clip_picture, wait_until

SCREEN = (1280, 720)
STILL = 60
"""The picture of `clip_picture` that the demo clip of these tests consists of."""
RED, GREEN, BLUE = 2, 1, 0


@pytest.mark.parametrize(
    ("picture", "room", "place"),
    [
        ((640, 480), (640, 480), (0, 0, 640, 480)),
        ((640, 480), (1280, 720), (160, 0, 960, 720)),
        ((640, 480), (1000, 2000), (0, 625, 1000, 750)),
        ((1280, 720), (640, 640), (0, 140, 640, 360)),
        ((640, 480), (3, 3), (0, 0, 3, 2)),
        ((1, 1000), (100, 100), (49, 0, 1, 100)),
    ],
)
def test_a_picture_is_letterboxed(
    picture: tuple[int, int], room: tuple[int, int], place: tuple[int, int, int, int]
) -> None:
    canvas, area = letterbox(np.full((picture[1], picture[0], 3), 200, np.uint8), room)
    assert canvas.shape == (room[1], room[0], 3)
    assert area == place
    x, y, w, h = area
    assert (canvas[y : y + h, x : x + w] == 200).all()
    canvas[y : y + h, x : x + w] = 0
    assert not canvas.any()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 is Linux's")
@pytest.mark.parametrize(
    ("display", "says"), [("", "no display"), (":4094", "does not answer"), ("nonsense", "answer")]
)
def test_a_missing_display_is_said_at_once(display: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    lack = display_lack()
    assert lack is not None and says in lack and "--headless" in lack


def test_a_missing_library_gets_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror.window, "find_spec", lambda name: None)
    assert "pip install pygame-ce" in (display_lack() or "")
    with pytest.raises(InstallationError, match="pygame-ce"):
        Window((64, 48))


def test_a_canvas_is_written_over_where_its_size_is_right() -> None:
    red, blue = (np.full((30, 40, 3), colour, np.uint8) for colour in ((0, 0, 255), (255, 0, 0)))
    canvas, _ = letterbox(red, (60, 30))
    again, area = letterbox(blue, (60, 30), canvas)
    assert again is canvas and area == (10, 0, 40, 30)
    assert (again[:, 10:50] == (255, 0, 0)).all() and not again[:, :10].any()
    assert letterbox(blue, (50, 30), canvas)[0].shape == (30, 50, 3)


class Screen:
    """The virtual display, as a person at it sees it."""

    def __init__(self, display: str) -> None:
        self.display = display

    def picture(self) -> np.ndarray:
        """uint8 HxWx3 BGR of the whole screen."""
        return np.array(ImageGrab.grab(xdisplay=self.display).convert("RGB"))[..., ::-1]

    def shows(self, condition: Callable[[np.ndarray], object], limit_s: float = 30.0) -> bool:
        return wait_until(lambda: condition(self.picture()), limit_s)

    def press(self, *keys: str) -> None:
        """One key after the other, as fingers do."""
        env = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", "key", "--delay", "150", *keys], env=env, check=True, timeout=30)


class CursorImage(ctypes.Structure):
    """XFixesCursorImage, as far as it is read here."""

    _fields_ = (
        ("x", ctypes.c_short), ("y", ctypes.c_short), ("width", ctypes.c_ushort), ("height", ctypes.c_ushort),
        ("xhot", ctypes.c_ushort), ("yhot", ctypes.c_ushort), ("serial", ctypes.c_ulong),
        ("pixels", ctypes.POINTER(ctypes.c_ulong)),
    )  # fmt: skip


def pointer_is_seen(display: str) -> bool:
    """Whether the mouse's pointer has any opaque pixel just now."""
    x11, fixes = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXfixes.so.3")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    opened = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    fixes.XFixesQueryExtension(opened, ctypes.byref(ctypes.c_int()), ctypes.byref(ctypes.c_int()))
    fixes.XFixesGetCursorImage.restype = ctypes.POINTER(CursorImage)
    image = fixes.XFixesGetCursorImage(opened).contents
    seen = any(image.pixels[n] >> 24 & 255 for n in range(image.width * image.height))
    x11.XCloseDisplay(opened)
    return seen


@pytest.mark.skipif(not ctypes.util.find_library("Xfixes"), reason="libXfixes, which knows the pointer, is not there")
@pytest.mark.parametrize("option", ["--kiosk", "--fullscreen"])
def test_only_a_kiosk_hides_the_pointer(option: str, display: str, tmp_path: Path, wardrobe_folder: Path) -> None:
    screen = Screen(display)
    env = {**os.environ, "DISPLAY": display}
    with mirror_on(display, tmp_path, wardrobe_folder, option) as process:
        assert screen.shows(lambda seen: seen.max() > 0), last_words(process)
        for place in ("400", "420"):  # moved, so that the window hears of it
            subprocess.run(["xdotool", "mousemove", place, "300"], env=env, check=True, timeout=30)
        assert wait_until(lambda: pointer_is_seen(display) == (option != "--kiosk"), 20.0)


def last_words(process: subprocess.Popen[str]) -> str:
    """What a mirror that shows nothing has said so far; ends it."""
    process.kill()
    return f"exit {process.wait(10)}: {process.communicate()[1]}"


@contextmanager
def mirror_on(display: str, tmp_path: Path, wardrobe: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    clip = tmp_path / "demo.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (640, 480))
    for _ in range(20):
        writer.write(clip_picture(STILL, (640, 480)))
    writer.release()
    argv = [sys.executable, "-m", "tests.fakes", str(clip), "--demo", "--wardrobe", str(wardrobe)]
    argv += ["--engine", "geometric", "--report", str(tmp_path / "report.json"), *more]
    env = {**os.environ, "DISPLAY": display, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(argv, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def worn(place: tuple[int, int], colour: int) -> Callable[[np.ndarray], bool]:
    """Whether the screen's pixel at place (x, y), on the chest, is of the garment's colour (channel of BGR)."""

    def check(screen: np.ndarray) -> bool:
        pixel = screen[place[1], place[0]].astype(int)
        return bool(pixel[colour] > np.delete(pixel, colour).max() + 50)

    return check


def test_a_kiosk_fills_the_screen_obeys_its_keys_and_ends_on_quit(
    display: str, tmp_path: Path, wardrobe_folder: Path
) -> None:
    screen = Screen(display)
    chest = (160 + 960 - round(320 * 1.5), round(280 * 1.5))  # camera (320, 280), mirrored, enlarged 1.5 times
    with mirror_on(display, tmp_path, wardrobe_folder, "--kiosk") as process:
        assert screen.shows(worn(chest, RED)), process.poll()
        expected, (x, y, w, h) = letterbox(cv2.flip(clip_picture(STILL, (640, 480)), 1), SCREEN)
        assert (x, y, w, h) == (160, 0, 960, 720)

        def as_expected(seen: np.ndarray) -> bool:
            sides = np.abs(seen.astype(int) - expected)
            body = slice(x + round(w * 0.25), x + round(w * 0.75))  # garment, its name and the person are in there
            sides[:, body] = 0
            return seen.shape == expected.shape and sides.mean() < 2 and np.quantile(sides, 0.99) < 20

        assert screen.shows(as_expected), "the mirrored clip, letterboxed on the whole screen"
        black = screen.picture()[:, list(range(x)) + list(range(x + w, SCREEN[0]))]
        assert black.max() == 0

        screen.press("Right")
        assert screen.shows(worn(chest, GREEN))
        screen.press("3")
        assert screen.shows(worn(chest, BLUE))
        screen.press("Left", "a")
        assert screen.shows(worn(chest, RED))
        screen.press("space")
        assert screen.shows(lambda s: np.ptp(s[chest[1], chest[0]].astype(int)) < 30), "before: the clip's grey"
        screen.press("space", "Escape", "q", "f", "m")
        assert screen.shows(worn(chest, RED)) and screen.shows(as_expected)
        assert process.poll() is None, "no other key ends a kiosk"
        screen.press("q", "u", "i", "t")
        assert process.wait(timeout=30) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["garments_shown"][:3] == ["tee-1", "tee-2", "tee-3"]
    assert report["switch_ms"]["p95"] > 0


def test_a_window_goes_fullscreen_and_back_and_closes_by_its_button(
    display: str, tmp_path: Path, wardrobe_folder: Path
) -> None:
    screen = Screen(display)
    chest_full = (160 + 960 - round(320 * 1.5), round(280 * 1.5))
    # The clip's white bar, mirrored: its place and height tell those of the picture.
    bar = np.flatnonzero(clip_picture(STILL, (640, 480))[0, :, 0] == 255)

    def bar_height(seen: np.ndarray, x: int) -> int:
        return int((seen[:, x].min(1) > 230).sum())

    x_full = 160 + round((639 - bar.mean()) * 1.5)
    with mirror_on(display, tmp_path, wardrobe_folder) as process:
        assert screen.shows(lambda s: (s.min(2) > 230).sum(0).max() > 400), process.poll()
        small = screen.picture()
        assert (small.min(2) > 230).sum(0).max() < 600, "not fullscreen yet"
        screen.press("f")
        assert screen.shows(lambda s: bar_height(s, x_full) > 700), "the bar from the top of the screen to its bottom"
        assert screen.shows(worn(chest_full, RED))
        screen.press("m")
        x_plain = 160 + round((bar.mean() + 0.5) * 1.5)
        assert screen.shows(lambda s: bar_height(s, x_plain) > 700), "not mirrored"
        screen.press("F11")
        assert screen.shows(lambda s: bar_height(s, x_plain) < 600)
        screen.press("alt+F4")  # openbox's key for the close button
        assert process.wait(timeout=30) == 0


def test_escape_ends_a_window(display: str, tmp_path: Path, wardrobe_folder: Path) -> None:
    with mirror_on(display, tmp_path, wardrobe_folder) as process:
        assert Screen(display).shows(lambda s: s.any())

        def ended() -> bool:  # pressed again until the window has the keyboard
            Screen(display).press("Escape")
            return process.poll() is not None

        assert wait_until(ended, 30.0)
        assert process.returncode == 0
    assert json.loads((tmp_path / "report.json").read_text())["frames"] >= 1
