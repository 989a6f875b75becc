"""What the networks are fed, by the name an input of theirs may have. One code for the live mirror and the workshop.

garment branch: garment_maps, garment_layout; garment, garment_mask (pictures, for networks in PF-AFN's form)
person branch:  person_maps, person_layout, person_frames, skin_likeness; person (picture)
generator:      person, warped, coverage, person_maps, skin, skin_likeness
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property

import cv2
import numpy as np

from mirror.chest import Before, Chest
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.garment import colours_bled
from mirror.graph import Drawing, Node
from mirror.maps import (
    MAP_H,
    MAP_W,
    garment_layout,
    garment_maps,
    person_frames,
    person_layout,
    person_maps,
)
from mirror.skin import Palette, hand_zones, likeness_and_apart, of_top, palette_of, skin_colour, skin_likeness, thinned
from mirror.wardrobe import Garment
from mirror.worn import Worn

IN_BODY = (0.5, 0.9)
"""Of a person's mask: from which, and at which wholly, a pixel is theirs."""
OF_WARP = ("warped", "coverage")
"""Inputs that are there once the garment was warped."""
_TO_PIXELS = np.array([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]) * np.array([[CANVAS_W - 1], [CANVAS_H - 1]])
"""`flow_to_pixels` for cv2.transform, which takes a fiftieth of its time."""


def planes(picture: np.ndarray) -> np.ndarray:
    """HxWx3 BGR, 0..255, or more channels that are left out -> float32 (1, 3, H, W) RGB in [-1, 1]."""
    out = np.empty((1, 3, *picture.shape[:2]), np.float32)
    for plane, values in zip(out[0, ::-1], cv2.split(picture), strict=False):
        np.multiply(values, np.float32(2.0 / 255.0), out=plane)
    out -= 1.0
    return out


def picture_of(planes_out: np.ndarray) -> np.ndarray:
    """float32 (1, 3, H, W) RGB in [-1, 1] -> float32 HxWx3 BGR, 0..255."""
    out = cv2.merge(list(planes_out[0, ::-1]))
    out += 1.0
    out *= 127.5
    return np.clip(out, 0.0, 255.0, out=out)


def halve(canvas_map: np.ndarray) -> np.ndarray:
    """Canvas -> map size, pixel-area aligned."""
    return cv2.resize(canvas_map, (MAP_W, MAP_H), interpolation=cv2.INTER_AREA)


def enlarge(canvas_map: np.ndarray) -> np.ndarray:
    """A map of the canvas, or a picture, at a part of its size -> 256x192. It is pixel-area aligned, which is how
    cv2.resize enlarges."""
    if canvas_map.shape[:2] == (CANVAS_H, CANVAS_W):
        return canvas_map
    return cv2.resize(canvas_map, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_LINEAR)


class GarmentInputs:
    """Of a garment on its canvas. The inside of the back collar is no part of it: it lies behind the neck."""

    def __init__(self, garment: Garment) -> None:
        alpha = garment.canvas_front
        self.mask: np.ndarray = alpha
        """float32 256x192, 0..1."""
        colour = garment.canvas[..., :3] * alpha[..., None] + 255.0 * (1.0 - alpha[..., None])
        self.colour: np.ndarray = np.round(colour).astype(np.uint8)
        """uint8 256x192x3 BGR, white outside the garment."""
        outline = np.round(alpha * 255.0).astype(np.uint8)
        self.bled: np.ndarray = colours_bled(self.colour, outline)
        """uint8 256x192x3 BGR, its colours carried on outside the garment."""
        outline[[0, -1]] = outline[:, [0, -1]] = 0  # beyond the canvas there is no garment
        self._laid = np.dstack([self.bled, outline])
        self._landmarks = garment.canvas_landmarks[None].astype(np.float32)

    def named(self, name: str) -> np.ndarray:
        """One input by its name. KeyError where there is none of that name."""
        make: dict[str, Callable[[], np.ndarray]] = {
            "garment_maps": lambda: garment_maps(planes(halve(self.colour)), halve(self.mask)[None], self._landmarks),
            "garment_layout": lambda: garment_layout(self._landmarks),
            "garment": lambda: planes(self.colour),
            "garment_mask": lambda: self.mask[None, None],
        }
        return np.ascontiguousarray(make[name](), np.float32)

    def warped(self, flow: np.ndarray) -> np.ndarray:
        """The garment by a flow (float32 256x192x2, `Fit`'s convention): uint8 256x192x4 BGRA, its colours carried on
        outside it, and its mask."""
        return cv2.remap(
            self._laid, cv2.transform(flow, _TO_PIXELS), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )


def outline_of(warped: np.ndarray) -> np.ndarray:
    """float32 256x192, 0..1: the mask of a garment that was warped."""
    return cv2.multiply(cv2.extractChannel(warped, 3), 1.0 / 255.0, dtype=cv2.CV_32F)


@cache
def person_drawing() -> Drawing:
    """What `_draw_person` draws, compiled once a process."""
    return Drawing(_draw_person, (1, 33, 2), (1, MAP_H, MAP_W), (1, 3, MAP_H, MAP_W))


def _draw_person(landmarks: Node, mask: Node, picture: Node) -> Sequence[Node]:
    """All of a person's maps that are drawn by arithmetic alone, in the order of `PersonInputs._drawn`."""
    return (
        person_maps(landmarks, mask),
        person_layout(landmarks),
        person_frames(landmarks),
        skin_colour(picture, landmarks),
        *hand_zones(landmarks),
    )


class PersonInputs:
    """Of a person on the canvas; each map is drawn once, when first asked for.

    canvas: uint8 256x192x3 BGR. mask: float32 256x192, 0..1. landmarks: (33, >= 2), canvas pixels. worn: what is known
    of the person's clothes from before, and chest: of the chest; both learn of this picture when first asked.
    """

    def __init__(
        self,
        canvas: np.ndarray,
        mask: np.ndarray,
        landmarks: np.ndarray,
        worn: Worn | None = None,
        chest: Chest | None = None,
    ) -> None:
        self.canvas, self.mask = canvas, mask
        self.landmarks: np.ndarray = np.ascontiguousarray(landmarks[None, :, :2], np.float32)
        """float32 (1, 33, 2), canvas pixels."""
        self._worn, self._chest = worn, chest

    @cached_property
    def before(self) -> Before | None:
        """What was known of the chest before this picture."""
        if self._chest is None:
            return None
        return self._chest.look(self.canvas, self.mask, self.landmarks, self.hand_zones[0].max(0))

    @cached_property
    def _drawn(self) -> list[np.ndarray]:
        return person_drawing()(self.landmarks, halve(self.mask)[None], self._small)

    @property
    def maps(self) -> np.ndarray:
        return self._drawn[0]

    @property
    def skin(self) -> np.ndarray:
        return self._drawn[3]

    @property
    def face(self) -> np.ndarray:
        """float32 (3,): the face's mean colour, BGR, 0..255."""
        return 255.0 * self.skin[0, 2::-1]

    @property
    def hand_zones(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 2x128x96 twice, of `mirror.skin.hand_zones`."""
        around, fingers = self._drawn[4:]
        return around[0], fingers[0]

    @cached_property
    def _palette(self) -> Palette:
        palette = palette_of(self._small, self.skin, self.landmarks)
        return palette if self._worn is None else self._worn.joined(palette)

    @cached_property
    def _thinned(self) -> Palette:
        return thinned(self._palette)

    @cached_property
    def _planes(self) -> np.ndarray:
        return planes(self.canvas)

    @cached_property
    def _small(self) -> np.ndarray:
        return planes(halve(self.canvas))

    @cached_property
    def skin_likeness(self) -> np.ndarray:
        found = skin_likeness(self._small, self.skin, self.landmarks, self._thinned, self.hand_zones[0][None])
        return np.ascontiguousarray(found, np.float32)

    def apart_from_top(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Of rows of the maps: likeness to skin, float32 hx96, 0..1, and how far the colours are from those of what is
        worn above the hips, float32 hx96, as `mirror.skin.likeness_and_apart` has them."""
        like, apart = likeness_and_apart(self._small[:, :, rows], of_top(self._palette))
        return like[0, 0], apart[0, 0]

    def likeness_in(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """Of a part of the canvas, as fine as it is: likeness to skin, float32 HxW, 0..1, and how far the colours are
        from the clothes', float32 HxW; as `mirror.skin.likeness_and_apart` has them."""
        like, apart = likeness_and_apart(planes(self.canvas[rows, columns]), self._thinned)
        return like[0, 0], apart[0, 0]

    def named(self, name: str, warped: np.ndarray | None = None, coverage: np.ndarray | None = None) -> np.ndarray:
        """One input by its name. KeyError where there is none of that name.

        warped: uint8 256x192x4, of `GarmentInputs.warped`, and coverage: float32 256x192, are there once it was.
        """
        make: dict[str, Callable[[], np.ndarray]] = {
            "person_maps": lambda: self.maps,
            "person_layout": lambda: self._drawn[1],
            "person_frames": lambda: self._drawn[2],
            "person": lambda: self._planes,
            "skin": lambda: self.skin,
            "skin_likeness": lambda: self.skin_likeness,
        }
        if warped is not None and coverage is not None:
            make |= {"warped": lambda: planes(warped), "coverage": lambda: coverage[None, None]}
        return np.ascontiguousarray(make[name](), np.float32)
