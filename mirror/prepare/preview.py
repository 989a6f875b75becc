"""One garment in a picture: its cut-out, its landmarks, and on the person of the demo clip."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.prepare.drawing import flat, mark
from mirror.settings import DEMO_CLIP
from mirror.wardrobe import Garment

HEIGHT_PX = 640
MAX_FRAMES = 60
"""How far into the clip a person is looked for."""


def draw(garment: Garment) -> np.ndarray:
    """uint8 HxWx3: side by side. Without the demo clip, or with nobody found in it, the last part is left out."""
    cloth = flat(garment.picture)
    inner = None if garment.inner is None else flat(_tint(garment))
    parts = [cloth if inner is None else inner, mark(cloth, garment.landmarks, garment.picture[..., 3] > 127, [])]
    worn = wear(garment)
    if worn is not None:
        parts.append(worn)
    return np.hstack([_to_height(part) for part in parts])


def wear(garment: Garment) -> np.ndarray | None:
    """The garment on the demo person, by the geometric fit; None where that cannot be drawn."""
    from mirror.compose import Composer
    from mirror.crop import Cropper
    from mirror.frames import Frame
    from mirror.geometric import GeometricFitter
    from mirror.person import PersonFinder

    clip = cv2.VideoCapture(str(DEMO_CLIP))
    finder, cropper = PersonFinder(), Cropper()
    try:
        for index in range(MAX_FRAMES):
            there, image = clip.read()
            if not there:
                return None
            frame = Frame(image, index / 30.0, index)
            person = finder.find(frame)
            if person is None:
                continue
            crop = cropper.follow(person, frame.size)
            fit = GeometricFitter().fit(frame, person, crop, garment)
            return Composer().compose(frame, fit, garment)
        return None
    finally:
        clip.release()
        finder.close()


def _tint(garment: Garment) -> np.ndarray:
    """The picture with the collar's inside in a tint."""
    assert garment.inner is not None
    picture = garment.picture.copy()
    share = (garment.inner[..., None] / 255.0) * 0.5
    picture[..., :3] = (picture[..., :3] * (1 - share) + np.array([255, 160, 0]) * share).astype(np.uint8)
    return picture


def _to_height(picture: np.ndarray) -> np.ndarray:
    scale = HEIGHT_PX / picture.shape[0]
    return cv2.resize(picture, (max(1, round(picture.shape[1] * scale)), HEIGHT_PX), interpolation=cv2.INTER_AREA)
