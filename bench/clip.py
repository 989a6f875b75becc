"""A clip run through the stages picture by picture, for the benches that look at what comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mirror.crop import Cropper
from mirror.errors import SourceError
from mirror.frames import Crop, Fit, Frame, Person, TryOn
from mirror.hem import Hem
from mirror.person import PersonFinder
from mirror.steady import Steadier
from mirror.tailor import Fitter, make_fitter
from mirror.wardrobe import Garment


@dataclass(frozen=True)
class Step:
    """One picture of the clip and what the stages made of it; nobody there: person, crop and fit are None."""

    frame: Frame
    person: Person | None
    crop: Crop | None
    fit: Fit | None


def read_clip(path: Path) -> tuple[list[np.ndarray], float]:
    """All pictures (uint8 HxWx3 BGR) and the frame rate. Raises SourceError."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    pictures = []
    while True:
        ok, image = capture.read()
        if not ok:
            break
        pictures.append(image)
    if not pictures:
        raise SourceError(f"{path} shows no picture: name a video file.")
    return pictures, fps


def find_people(pictures: list[np.ndarray], fps: float) -> Iterator[Step]:
    """Person and crop of every picture, in order; nothing is fitted yet."""
    finder, cropper = PersonFinder(), Cropper()
    for index, image in enumerate(pictures):
        frame = Frame(image, index / fps, index, t_scene=index / fps)
        person = finder.find(frame)
        if person is None:
            cropper.reset()
        yield Step(frame, person, None if person is None else cropper.follow(person, frame.size), None)
    finder.close()


def fit_steps(steps: Iterable[Step], garment: Garment, fitter: Fitter) -> Iterator[Step]:
    """The same steps with fits of the garment, steadied as in the mirror."""
    hem, steadier = Hem(), Steadier()
    fitter.prepare(garment)
    for step in steps:
        if step.person is None or step.crop is None:
            hem.reset()
            steadier.reset()
            yield step
            continue
        fit = hem.hang(fitter.fit(step.frame, step.person, step.crop, garment), garment, step.frame, step.person)
        steady = steadier.steady(TryOn(step.frame, step.person, fit, garment.slug))
        yield dataclasses.replace(step, fit=steady)


def run_clip(pictures: list[np.ndarray], fps: float, garment: Garment, fitter: Fitter) -> Iterator[Step]:
    """Person, crop and fit, steadied as in the mirror, of every picture, in order."""
    return fit_steps(find_people(pictures, fps), garment, fitter)


__all__ = ["Step", "find_people", "fit_steps", "make_fitter", "read_clip", "run_clip"]
