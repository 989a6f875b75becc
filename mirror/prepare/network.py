"""Cutting out with rembg. The only module that imports it, and only when a network is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from mirror.errors import InstallationError

SESSION = "u2net"
"""rembg's name of the network used unless a file is given; rembg's own default has changed between versions."""
CUSTOM_SESSION = "u2net_custom"


def local_model() -> Path | None:
    """The file of SESSION where rembg keeps its models, if it is there."""
    home = Path(os.environ.get("U2NET_HOME", "~/.u2net")).expanduser()
    path = home / f"{SESSION}.onnx"
    return path if path.is_file() else None


class Network:
    """A segmentation network; opened on the first photo, so that `garment list` never waits for it."""

    def __init__(self, model: Path | None, download: bool, say: Callable[[str], None]) -> None:
        """model: an ONNX file, 1x3x320x320 -> 1x1x320x320. download: SESSION may be fetched if model is None."""
        if model is not None and not model.is_file():
            raise InstallationError(f"There is no model file {model}; name an ONNX file, or leave --model out.")
        self._model, self._download, self._say = model, download, say
        self._remove: Callable[..., np.ndarray] | None = None
        self.name = f"rembg ({model.name})" if model is not None else f"rembg ({SESSION})"

    def mask(self, bgr: np.ndarray) -> np.ndarray:
        """uint8 HxW 0/1: what the network takes for the thing in the photo. Raises InstallationError."""
        if self._remove is None:
            self._remove = self._open()
        try:
            found = self._remove(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        except Exception as error:  # onnxruntime and rembg raise kinds of their own
            raise InstallationError(
                f"{self.name} fails on this photo ({_first_line(error)}); leave --model out to cut by colour."
            ) from error
        return (np.asarray(found) > 127).astype(np.uint8)

    def _open(self) -> Callable[..., np.ndarray]:
        self._say("Loading rembg; the first time this takes a minute or two, while numba compiles ...")
        try:
            from rembg import new_session, remove
        except (ImportError, SystemExit) as error:  # rembg ends the process where onnxruntime is missing
            raise InstallationError("rembg cannot be loaded; run `uv sync` in the project.") from error
        try:
            if self._model is not None:
                session = new_session(CUSTOM_SESSION, model_path=str(self._model))
            elif self._download:
                session = new_session(SESSION)
            else:
                raise InstallationError("No model is at hand; name one with --model, or allow --download.")
        except InstallationError:
            raise
        except Exception as error:  # requests, pooch and onnxruntime raise kinds of their own
            what = "opened; name another file" if self._model is not None else "fetched; go online once, or name a file"
            raise InstallationError(f"{self.name} ({_first_line(error)}) cannot be {what} with --model.") from error
        return lambda rgb: remove(rgb, session=session, only_mask=True)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120].rstrip(".")


def choose(model: Path | None, download: bool, say: Callable[[str], None], without: bool = False) -> Network | None:
    """The network to use: the one named, one that rembg has here, one to download; None means cutting by colour."""
    if without:
        return None
    if model is not None:
        return Network(model, False, say)
    there = local_model()
    if there is not None:
        return Network(there, False, say)
    return Network(None, True, say) if download else None
