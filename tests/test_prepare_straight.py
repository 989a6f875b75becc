"""Bent sleeves are laid straight."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mirror.garment import LANDMARKS, Garment
from mirror.prepare.straight import _edges, _laid, straightened

CLOTH, CUFF, FLOOR = (90, 140, 60), (30, 30, 200), (255, 255, 255)
ELBOW_OUT = 90
"""Pixels by which the elbow of a bent sleeve lies out of line."""
HALF = 28
"""Of a sleeve's width."""


def jumper(bend: int, sleeves: str = "long", fold: int = 0) -> Garment:
    """A jumper whose left sleeve (as seen) bends outwards at the elbow by so many pixels; cuffs are red.

    fold: side of a square of floor that shows in the crook of the elbow.
    """
    picture = np.zeros((520, 640, 4), np.uint8)
    cv2.rectangle(picture, (230, 80), (410, 440), (*CLOTH, 255), -1)
    at = {
        "neck_left": (290, 80), "neck_right": (350, 80), "neck_front": (320, 95), "hem_left": (230, 440),
        "hem_right": (410, 440),
    }  # fmt: skip
    for side, sign in (("left", -1), ("right", 1)):
        edge = 230 if side == "left" else 410
        out = bend if side == "left" else 0
        middle = np.array([(edge, 80 + HALF), (edge + sign * (60 + out), 220 - out // 3), (edge + sign * 120, 380)])
        normals = [np.array([0.0, -1.0]), _normal(middle[0], middle[2], sign), _normal(middle[1], middle[2], sign)]
        outer = np.array([m + HALF * n for m, n in zip(middle, normals, strict=True)])
        inner = np.array([m - HALF * n for m, n in zip(middle, normals, strict=True)])
        cv2.fillPoly(picture, [np.round(np.vstack([outer, inner[::-1]])).astype(np.int32)], (*CLOTH, 255))
        share = 0.8
        cuff = [a[1] + share * (a[2] - a[1]) for a in (outer, inner)] + [inner[2], outer[2]]
        cv2.fillPoly(picture, [np.round([cuff[0], cuff[1], cuff[2], cuff[3]]).astype(np.int32)], (*CUFF, 255))
        at[f"shoulder_{side}"], at[f"armpit_{side}"] = outer[0], inner[0]
        at[f"sleeve_outer_{side}"], at[f"sleeve_inner_{side}"] = outer[2], inner[2]
        if fold and side == "left":
            x, y = np.round(inner[1] + normals[1] * fold / 2).astype(int)
            picture[y - fold // 2 : y + fold // 2, x - fold // 2 : x + fold // 2] = 0
    landmarks = np.array([at[name] for name in LANDMARKS], np.float32)
    return Garment("jumper", "Jumper", "jumper", sleeves, picture, None, landmarks)


def _normal(a: np.ndarray, b: np.ndarray, sign: int) -> np.ndarray:
    along = (b - a) / np.linalg.norm(b - a)
    return sign * np.array([along[1], -along[0]])


def on_sleeve(garment: Garment, side: str, share: float) -> np.ndarray:
    """Its colours and alpha on the straight line from the body to the cuff."""
    points = [garment.point(f"{name}_{side}") for name in ("shoulder", "armpit", "sleeve_outer", "sleeve_inner")]
    body, cuff = (points[0] + points[1]) / 2, (points[2] + points[3]) / 2
    x, y = np.round(body + share * (cuff - body)).astype(int)
    return garment.picture[y, x]


def length(garment: Garment, side: str) -> float:
    points = [garment.point(f"{name}_{side}") for name in ("shoulder", "armpit", "sleeve_outer", "sleeve_inner")]
    return float(np.linalg.norm((points[2] + points[3] - points[0] - points[1]) / 2))


@pytest.mark.parametrize("fold", [0, 24])
def test_a_bent_sleeve_becomes_straight(fold: int) -> None:
    bent = jumper(ELBOW_OUT, fold=fold)
    laid = straightened(bent)
    assert laid is not bent
    for share in np.linspace(0.05, 0.95, 19):
        assert on_sleeve(laid, "left", share)[3] == 255, share
    assert np.abs(on_sleeve(laid, "left", 0.4)[:3].astype(int) - CLOTH).max() < 12
    assert np.abs(on_sleeve(laid, "left", 0.95)[:3].astype(int) - CUFF).max() < 12


def test_it_keeps_its_length_and_all_else_its_place() -> None:
    bent = jumper(ELBOW_OUT)
    laid = straightened(bent)
    elbow = np.array([230 - 60 - ELBOW_OUT, 220 - ELBOW_OUT // 3])
    along = np.linalg.norm(elbow - (230, 80 + HALF)) + np.linalg.norm(elbow - (110, 380))
    assert length(laid, "left") == pytest.approx(along, rel=0.06)
    moved = laid.point("hem_left") - bent.point("hem_left")
    for name in ("neck_left", "hem_right", "sleeve_outer_right", "armpit_left"):
        assert laid.point(name) - bent.point(name) == pytest.approx(moved), name
    x, y = moved.astype(int)
    torso = laid.picture[y + 100 : y + 430, x + 240 : x + 630]
    assert np.array_equal(torso, bent.picture[100:430, 240:630])


def test_nothing_of_the_bent_sleeve_is_left_where_it_lay() -> None:
    laid = straightened(jumper(ELBOW_OUT))
    count, *_ = cv2.connectedComponents((laid.picture[..., 3] > 0).astype(np.uint8))
    assert count == 2  # what is not the garment, and the garment
    area = [int((g.picture[..., 3] > 127).sum()) for g in (laid, jumper(ELBOW_OUT))]
    assert area[0] == pytest.approx(area[1], rel=0.08)


@pytest.mark.parametrize("sleeves", ["long", "short"])
def test_straight_sleeves_and_short_ones_stay_as_they_are(sleeves: str) -> None:
    garment = jumper(0 if sleeves == "long" else ELBOW_OUT, sleeves)
    assert straightened(garment) is garment


def test_a_sleeve_whose_edges_the_outline_does_not_tell_stays_as_it_is() -> None:
    """It lies on the body: the armpit is somewhere inside the outline."""
    bent = jumper(ELBOW_OUT)
    landmarks = bent.landmarks.copy()
    landmarks[LANDMARKS.index("armpit_left")] = (320, 250)
    hidden = Garment("jumper", "Jumper", "jumper", "long", bent.picture, None, landmarks)
    assert straightened(hidden) is hidden


def test_a_sleeve_that_would_come_off_stays_as_it_is() -> None:
    """Where a sleeve's edges were misread it was moved off the body, and then thrown away as a scrap."""
    whole = jumper(ELBOW_OUT)
    picture = whole.picture.copy()
    picture[:, 230:240] = 0
    torn = replace(whole, picture=picture)
    edges, laid = _edges(whole, "left"), straightened(whole)
    assert edges is not None and laid is not whole
    moved = laid.point("hem_left") - whole.point("hem_left")
    ends = laid.point("sleeve_outer_left") - moved, laid.point("sleeve_inner_left") - moved
    assert _laid(torn, "left", edges, ends) is torn
