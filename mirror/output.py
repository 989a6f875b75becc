"""Files a run may write: the video of --output and snapshots. Nothing else writes pictures."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from mirror.errors import UsageError
from mirror.window import letterbox


class VideoOut:
    """Writes pictures as shown. timed: at the pace they come (a live source); otherwise one after the other."""

    def __init__(self, path: Path, fps: float, *, timed: bool) -> None:
        self.path = path
        self._fps, self._timed = fps, timed
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._begun_at = 0.0
        self._written = 0

    def write(self, picture: np.ndarray, now: float) -> None:
        """picture: uint8 HxWx3 BGR; a change of size is letterboxed. Raises UsageError if it cannot be written."""
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            # mp4v: the H.264 encoder is not in OpenCV's wheels
            self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self._size)
            self._begun_at = now
            if not self._writer.isOpened():
                raise UsageError(f"{self.path} cannot be written: name another folder or free some space.")
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture, _ = letterbox(picture, self._size)
        due = self._written + 1
        if self._timed:  # so many pictures, or none, that the film keeps real time
            due = round((now - self._begun_at) * self._fps) + 1
        while self._written < due:
            self._writer.write(picture)
            self._written += 1

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


def write_snapshot(folder: Path, picture: np.ndarray) -> Path:
    """Writes a PNG named after the time into folder, made if need be. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("mirror-%Y%m%d-%H%M%S")
    path = folder / f"{stamp}.png"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stamp}-{number}.png"
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise OSError("the picture could not be encoded")
    path.write_bytes(data.tobytes())
    return path
