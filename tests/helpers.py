"""Small things made for tests: a garment folder, a clip, a display. They need nothing but what is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mirror.wardrobe import LANDMARKS, Garment, save_garment

WAIT_LIMIT_S = 60.0
"""For things that happen in another process; long, because test machines are busy. Met conditions end it at once."""


def make_garment(
    slug: str = "tee", name: str = "", bgr: tuple[int, int, int] = (40, 60, 200), size: tuple[int, int] = (192, 256)
) -> Garment:
    """A plain T-shirt, drawn from the polygon of its landmarks. size: (width, height) of its picture."""
    width, height = size
    outline = {
        "neck_left": (0.40, 0.06), "neck_front": (0.50, 0.12), "neck_right": (0.60, 0.06),
        "shoulder_right": (0.76, 0.10), "sleeve_outer_right": (0.97, 0.30), "sleeve_inner_right": (0.86, 0.38),
        "armpit_right": (0.75, 0.30), "hem_right": (0.75, 0.95), "hem_left": (0.25, 0.95),
        "armpit_left": (0.25, 0.30), "sleeve_inner_left": (0.14, 0.38), "sleeve_outer_left": (0.03, 0.30),
        "shoulder_left": (0.24, 0.10),
    }  # fmt: skip
    points = {key: np.array([x * (width - 1), y * (height - 1)]) for key, (x, y) in outline.items()}
    polygon = np.array([points[key] for key in outline]).round().astype(np.int32)
    picture = np.zeros((height, width, 4), np.uint8)
    cv2.fillPoly(picture, [polygon], (*bgr, 255))
    landmarks = np.array([points[key] for key in LANDMARKS], np.float32)
    return Garment(slug, name or slug.title(), "tshirt", "short", picture, None, landmarks)


def make_garment_folder(
    path: Path, name: str = "", bgr: tuple[int, int, int] = (40, 60, 200), size: tuple[int, int] = (192, 256)
) -> Path:
    """Writes the folder of a plain T-shirt (garment.png, garment.toml); path is the garment's own folder."""
    save_garment(path, make_garment(path.name, name, bgr, size))
    return path


def make_wardrobe(path: Path, count: int = 3) -> Path:
    """Writes a wardrobe of plain T-shirts called tee-1 .. tee-<count>, shown as "Tee 1" .., each of its own colour."""
    colours = ((40, 40, 200), (40, 200, 40), (200, 40, 40), (40, 200, 200), (200, 40, 200))
    for n in range(count):
        make_garment_folder(path / f"tee-{n + 1}", f"Tee {n + 1}", colours[n % len(colours)])
    return path


def clip_picture(number: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """uint8 HxWx3 BGR: a grey ground, a red block on the left, and a white bar that moves with the number."""
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 4 : height * 3 // 4, : width // 4] = (30, 30, 220)
    x = width // 2 + (number * 4) % (width // 2 - 8)
    picture[:, x : x + 8] = 255
    return picture


def make_clip(path: Path, frames: int = 12, size: tuple[int, int] = (160, 120), fps: float = 30.0) -> Path:
    """Writes a video of `clip_picture`s; nobody is on it. The codec follows from the name: .avi MJPG, .mp4 mp4v."""
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
    for number in range(frames):
        writer.write(clip_picture(number, size))
    writer.release()
    return path


def wait_until(condition: Callable[[], object], limit_s: float = WAIT_LIMIT_S) -> bool:
    """Waits for something another thread or process does; False when it did not happen in time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


@contextlib.contextmanager
def virtual_display(size: tuple[int, int] = (1024, 768)) -> Iterator[str]:
    """A display of its own (Xvfb on a free number) with a window manager (openbox); yields its name, such as ':7'."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    manager = None
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        display = f":{number}"
        manager = subprocess.Popen(
            ["openbox"], env={**os.environ, "DISPLAY": display}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        yield display
    finally:
        for process in (manager, server):
            if process is not None:
                process.terminate()
                process.wait(timeout=10)


def lacking_display_tools() -> list[str]:
    """Which of the programs a window test needs are not installed."""
    return [tool for tool in ("Xvfb", "openbox", "xdotool") if shutil.which(tool) is None]


def cut_mp4_short(whole: Path, target: Path, share: float) -> Path:
    """Writes the first `share` of an mp4 whose index was first moved to the front, as a broken download would be."""
    data = whole.read_bytes()
    atoms: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        atoms[data[at + 4 : at + 8]] = data[at : at + length]
        at += length
    index = bytearray(atoms.pop(b"moov"))
    stream = atoms.pop(b"mdat")
    front = b"".join(atoms.values())
    moved = len(front) + len(index) - data.index(stream)
    table = index.index(b"stco") + 8  # version and flags were 4 bytes, then the number of chunks
    count = int.from_bytes(index[table : table + 4], "big")
    for n in range(count):
        place = table + 4 + 4 * n
        offset = int.from_bytes(index[place : place + 4], "big") + moved
        index[place : place + 4] = offset.to_bytes(4, "big")
    whole_again = front + bytes(index) + stream
    target.write_bytes(whole_again[: len(front) + len(index) + round(share * len(stream))])
    return target
