"""A standing person as MediaPipe would report it, and a flat garment to put on: small data for tests."""

import cv2
import numpy as np

from mirror.frames import Frame, Landmark, Person
from mirror.wardrobe import LANDMARKS, Garment

STANDING = {
    Landmark.NOSE: (320, 130), Landmark.LEFT_EYE: (330, 120), Landmark.RIGHT_EYE: (310, 120),
    Landmark.LEFT_EAR: (345, 125), Landmark.RIGHT_EAR: (295, 125),
    Landmark.MOUTH_LEFT: (328, 145), Landmark.MOUTH_RIGHT: (312, 145),
    Landmark.LEFT_SHOULDER: (370, 200), Landmark.RIGHT_SHOULDER: (270, 200),
    Landmark.LEFT_ELBOW: (400, 280), Landmark.RIGHT_ELBOW: (240, 280),
    Landmark.LEFT_WRIST: (410, 350), Landmark.RIGHT_WRIST: (230, 350),
    Landmark.LEFT_PINKY: (412, 370), Landmark.RIGHT_PINKY: (228, 370),
    Landmark.LEFT_INDEX: (408, 372), Landmark.RIGHT_INDEX: (232, 372),
    Landmark.LEFT_THUMB: (404, 362), Landmark.RIGHT_THUMB: (236, 362),
    Landmark.LEFT_HIP: (350, 350), Landmark.RIGHT_HIP: (290, 350),
}  # fmt: skip


def standing(t: float = 0.0, shift: tuple[float, float] = (0.0, 0.0), moved: dict | None = None) -> Person:
    """A person on a 640x480 picture, arms hanging; `moved` replaces single landmarks."""
    landmarks = np.zeros((33, 3), np.float32)
    for which, (x, y) in {**STANDING, **(moved or {})}.items():
        landmarks[which] = (x + shift[0], y + shift[1], 0.99)
    mask = np.zeros((480, 640), np.float32)
    ys, xs = np.mgrid[0:480, 0:640]
    mask[np.hypot((xs - 320 - shift[0]) / 35, (ys - 125 - shift[1]) / 50) < 1] = 1
    mask[(abs(xs - 320 - shift[0]) < 75) & (ys > 185 + shift[1])] = 1
    return Person(mask, landmarks, t, t)


def textured_frame(t: float = 0.0, index: int = 0, shift: tuple[int, int] = (0, 0)) -> Frame:
    """640x480 of coarse noise, shifted by whole pixels."""
    rng = np.random.default_rng(7)
    small = rng.integers(40, 220, (80, 100, 3), dtype=np.uint8)
    image = np.kron(small, np.ones((8, 8, 1), np.uint8))
    x, y = 60 - shift[0], 60 - shift[1]
    return Frame(np.ascontiguousarray(image[y : y + 480, x : x + 640]), t, index)


def flat_garment(sleeves: str = "short", slug: str = "flat") -> Garment:
    """A garment 384x512 with sleeves of the given kind; its colours code the position (blue: x, green: y)."""
    width, height = 384, 512
    points: dict[str, tuple[float, float]] = {}

    def pair(name: str, across: float, y: float) -> None:
        points[f"{name}_left"], points[f"{name}_right"] = (192 - across, y), (192 + across, y)

    pair("neck", 42, 60)
    points["neck_front"] = (192, 95)
    pair("shoulder", 100, 80)
    pair("armpit", 110, 175)
    pair("hem", 110, 430)
    if sleeves == "long":
        pair("sleeve_outer", 172, 390)
        pair("sleeve_inner", 138, 400)
    elif sleeves == "short":
        pair("sleeve_outer", 165, 170)
        pair("sleeve_inner", 128, 195)
    else:
        pair("sleeve_outer", 100, 80)
        pair("sleeve_inner", 110, 175)
    order = ("neck", "shoulder", "sleeve_outer", "sleeve_inner", "armpit", "hem")
    ring = [points[f"{n}_left"] for n in order] + [points[f"{n}_right"] for n in reversed(order)]
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [np.array([*ring, points["neck_front"]], np.int32)], 255)
    ys, xs = np.mgrid[0:height, 0:width]
    picture = np.dstack([xs * 255 // width, ys * 255 // height, np.full_like(xs, 128), alpha]).astype(np.uint8)
    kind = {"none": "tank", "short": "tshirt", "long": "longsleeve"}[sleeves]
    landmarks = np.array([points[n] for n in LANDMARKS], np.float32)
    return Garment(slug, slug.title(), kind, sleeves, picture, None, landmarks)
