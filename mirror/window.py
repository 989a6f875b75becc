"""The window: the only module that calls HighGUI. Everything here belongs on the main thread."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from mirror.errors import InstallationError

TITLE = "Mirror"
KEYS_AT_ONCE = 64
PROBE_GROWTH = 1.5
PROBE_EVERY_S = 1.0
PROBE_FULLSCREEN_EVERY_S = 30.0
SETTLE_S = 1.5
"""After a switch to or from fullscreen the window manager takes a while; the size is asked for often until then."""
SMALLEST_SIDE = 120
LARGEST_SIDE = 8192


def display_lack() -> str | None:
    """Why no window can be opened, with what to do; None if one can. Opens none."""
    if not cv2.currentUIFramework():
        return (
            "OpenCV was installed without windows (another package overwrote it): run"
            f" `{sys.executable} -m pip install --force-reinstall --no-deps opencv-python==4.11.0.86`."
        )
    if not sys.platform.startswith("linux"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "There is no display: log in at a screen, or use --headless --output FILE.mp4."
    if not _x_server_answers(display):  # Qt would abort the whole process
        return f"The display {display} does not answer: check DISPLAY, or use --headless --output FILE.mp4."
    return None


def _x_server_answers(display: str) -> bool:
    name = ctypes.util.find_library("X11")
    if name:
        x11 = ctypes.CDLL(name)
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        opened = x11.XOpenDisplay(display.encode())
        if opened:
            x11.XCloseDisplay(opened)
        return bool(opened)
    host, _, number = display.rpartition(":")
    if host not in ("", "unix"):
        return True  # another machine's; nothing here can ask it without its library
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"/tmp/.X11-unix/X{number.split('.')[0]}") == 0


def letterbox(picture: np.ndarray, room: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The picture as large as it fits into room (width, height), centred on black.

    Returns a new uint8 canvas and the picture's place on it: x, y, width, height.
    """
    height, width = picture.shape[:2]
    scale = min(room[0] / width, room[1] / height)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    x, y = (room[0] - w) // 2, (room[1] - h) // 2
    canvas = np.empty((room[1], room[0], 3), np.uint8)
    canvas[:y], canvas[y + h :], canvas[:, :x], canvas[:, x + w :] = 0, 0, 0, 0
    if (w, h) == (width, height):
        canvas[y : y + h, x : x + w] = picture
    else:
        shrinks = scale < 1.0
        cv2.resize(
            picture, (w, h), canvas[y : y + h, x : x + w], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
    return canvas, (x, y, w, h)


class Window:
    """A window that is always given a canvas of its own size.

    OpenCV's Qt window scales a picture down to itself but never up, and tells the place of the picture, not its own
    size. So now and then a larger canvas is shown: what it is scaled down to is the size of the window.
    Raises InstallationError where no window can be opened.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        fullscreen: bool = False,
        title: str = TITLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if lack := display_lack():
            raise InstallationError(lack)
        self._title, self._clock = title, clock
        self.fullscreen = False
        self._room = size
        self._switched_at = self._probed_at = clock()
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(title, *size)
        if fullscreen:
            self.toggle_fullscreen()

    @property
    def room(self) -> tuple[int, int]:
        """(width, height) of the canvas to show next, pixels."""
        now = self._clock()
        settled = now - self._switched_at > SETTLE_S
        every = 0.1 if not settled else PROBE_FULLSCREEN_EVERY_S if self.fullscreen else PROBE_EVERY_S
        if now - self._probed_at > every:
            self._probed_at = now
            width, height = (min(LARGEST_SIDE, round(side * PROBE_GROWTH)) for side in self._room)
            return width, height
        return self._room

    def show(self, canvas: np.ndarray) -> list[int]:
        """Shows uint8 HxWx3 BGR and returns the key codes that came since the last time, oldest first."""
        cv2.imshow(self._title, canvas)
        codes = self._keys()
        if self.closed:
            return codes
        _, _, width, height = cv2.getWindowImageRect(self._title)
        if width >= SMALLEST_SIDE and height >= SMALLEST_SIDE:
            if (width, height) == (canvas.shape[1], canvas.shape[0]) != self._room:
                self._probed_at = 0.0  # it fills even the larger canvas: ask again at once
            self._room = (width, height)
        return codes

    def keys(self) -> list[int]:
        """Key codes that came since the last time, without showing anything new."""
        return self._keys()

    @property
    def closed(self) -> bool:
        """Its close button was pressed."""
        return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1.0

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen
        self._switched_at, self._probed_at = self._clock(), 0.0
        mode = cv2.WINDOW_FULLSCREEN if self.fullscreen else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)

    def close(self) -> None:
        if not self.closed:
            cv2.destroyWindow(self._title)
        cv2.waitKeyEx(1)

    @staticmethod
    def _keys() -> list[int]:
        # waitKeyEx also paints. Never `waitKey() & 255`: it turns the arrow keys into letters.
        codes: list[int] = []
        while len(codes) < KEYS_AT_ONCE and (code := cv2.waitKeyEx(1)) != -1:
            codes.append(code)
        return codes
