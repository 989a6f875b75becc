"""The window: the only module that knows SDL (pygame-ce). Everything here belongs on the main thread.

Why not OpenCV's own window: at 1920x1080 it cost 5.7 ms of CPU a picture and waits at least 1 ms for keys, and it
cannot hide the pointer.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
import sys
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np

from mirror.errors import InstallationError

TITLE = "Mirror"
SMALLEST_SIDE = 120
BGR_MASKS = (0xFF0000, 0xFF00, 0xFF)
"""Of a surface whose bytes in memory are blue, green, red, unused."""
KEYSYMS = {"K_LEFT": 65361, "K_RIGHT": 65363, "K_F11": 65480, **{f"K_KP_{n}": 65456 + n for n in range(10)}}
"""X11's numbers for the keys without a character, which `keys.py` knows."""


def display_lack() -> str | None:
    """Why no window can be opened, with what to do; None if one can. Opens none."""
    if find_spec("pygame") is None:
        return f"pygame-ce, which opens the window, is missing: run `{sys.executable} -m pip install pygame-ce`."
    if not sys.platform.startswith("linux"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "There is no display: log in at a screen, or use --headless --output FILE.mp4."
    if not _x_server_answers(display):
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


def letterbox(
    picture: np.ndarray, room: tuple[int, int], onto: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The picture as large as it fits into room (width, height), centred on black.

    onto: a canvas of an earlier call, to be written over where it is of the right size: new memory costs 1 ms at
    1920x1080. Returns the uint8 canvas and the picture's place on it: x, y, width, height.
    """
    height, width = picture.shape[:2]
    scale = min(room[0] / width, room[1] / height)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    x, y = (room[0] - w) // 2, (room[1] - h) // 2
    canvas = (
        onto if onto is not None and onto.shape == (room[1], room[0], 3) else np.empty((room[1], room[0], 3), np.uint8)
    )
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
    """A window that is always given a canvas of its own size. Raises InstallationError where none can be opened."""

    def __init__(
        self, size: tuple[int, int], *, fullscreen: bool = False, pointer: bool = True, title: str = TITLE
    ) -> None:
        """size: (width, height) of the canvas while not fullscreen. pointer: whether the mouse's is seen."""
        if lack := display_lack():
            raise InstallationError(lack)
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # Shared memory: without a graphics card SDL's default, a texture, costs 15 ms at 1920x1080 and not 1.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # Ctrl-C and systemd's SIGTERM are the program's
        import pygame

        self._sdl: Any = pygame
        self._codes = {getattr(pygame, name): code for name, code in KEYSYMS.items()}
        self.fullscreen = self.closed = False
        try:
            pygame.display.init()
            self._window = pygame.Window(title, size, resizable=True)
            self._window.minimum_size = (SMALLEST_SIDE, SMALLEST_SIDE)
            self._surface = self._window.get_surface()
        except pygame.error as error:
            raise InstallationError(f"No window can be opened ({error}): use --headless --output FILE.mp4.") from error
        pygame.mouse.set_visible(pointer)
        if fullscreen:
            self.toggle_fullscreen()

    @property
    def room(self) -> tuple[int, int]:
        """(width, height) of the canvas to show next, pixels."""
        width, height = self._surface.get_size()
        return int(width), int(height)

    def show(self, canvas: np.ndarray) -> list[int]:
        """Shows uint8 HxWx3 BGR and returns the key codes that came since the last time, oldest first."""
        codes = self.keys()
        if self.closed:
            return codes
        if canvas.shape[1::-1] == self.room:  # else it was resized meanwhile: the next picture fits again
            self._paint(canvas)
        self._window.flip()
        return codes

    def keys(self) -> list[int]:
        """Key codes that came since the last time, without showing anything new."""
        sdl, codes = self._sdl, []
        for event in () if self.closed else sdl.event.get():
            if event.type == sdl.KEYDOWN:
                if event.key in self._codes:
                    codes.append(self._codes[event.key])
                elif event.unicode and not event.mod & sdl.KMOD_ALT:
                    codes.append(ord(event.unicode[0]))
            elif event.type in (sdl.QUIT, sdl.WINDOWCLOSE):
                self.closed = True
        if not self.closed:
            self._surface = self._window.get_surface()  # of its present size
        return codes

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen
        if self.fullscreen:
            self._window.set_fullscreen(True)  # at the desktop's own resolution
        else:
            self._window.set_windowed()
        self._sdl.event.pump()
        self._surface = self._window.get_surface()

    def close(self) -> None:
        self.closed = True
        self._window.destroy()
        self._sdl.display.quit()

    def _paint(self, canvas: np.ndarray) -> None:
        surface = self._surface
        if surface.get_bytesize() == 4 and surface.get_masks()[:3] == BGR_MASKS:
            memory: Any = surface.get_buffer()
            rows = np.frombuffer(memory, np.uint8).reshape(canvas.shape[0], surface.get_pitch())
            pixels = rows[:, : 4 * canvas.shape[1]].reshape(*canvas.shape[:2], 4)
            straight = np.shares_memory(pixels, rows)  # no gaps between its rows
            if straight:
                cv2.cvtColor(canvas, cv2.COLOR_BGR2BGRA, dst=pixels)
            del pixels, rows, memory  # the surface is locked while they are there
            if straight:
                return
        surface.blit(self._sdl.image.frombuffer(np.ascontiguousarray(canvas), canvas.shape[1::-1], "BGR"), (0, 0))
