"""What is written on the picture: the garment's name, hints, help, figures, troubles. Drawn after mirroring."""

from __future__ import annotations

import math
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

NAME_FADE_IN_S, NAME_STAYS_S, NAME_FADE_OUT_S = 0.35, 2.5, 0.8
KEPT_PLATES = 48
PLATE_DARKNESS, HELP_DARKNESS = 0.55, 0.85
"""Opacity of the plate behind the letters; much small text over a moving picture wants the darker one."""
PLATE_BGR = (24, 20, 18)
HELP_LINES = (
    ("→  D  N", "next garment"),
    ("←  A  P", "previous garment"),
    ("1 – 9", "straight to a garment"),
    ("Space", "before / after"),
    ("F  F11", "fullscreen"),
    ("M", "mirror"),
    ("S", "snapshot"),
    ("I", "figures"),
    ("H", "this help"),
    ("Esc  Q", "quit"),
)
FONTS = {
    "linux": (
        str(Path(cv2.__file__).parent / "qt" / "fonts" / "DejaVuSans.ttf"),
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    ),
    "win32": ("segoeui.ttf", "arial.ttf"),
    "darwin": ("/System/Library/Fonts/Supplemental/Arial Unicode.ttf", "/System/Library/Fonts/Helvetica.ttc"),
}


@dataclass(frozen=True)
class Words:
    """What is to be read on one picture.

    name, name_age_s: the garment's, and the seconds since it was chosen (it fades away); place: such as 2 / 14.
    message: a trouble or an answer. hint: a calm word to who stands there. figures: name and value a line, top left,
    below what else is said there.
    """

    name: str = ""
    place: str = ""
    name_age_s: float = 0.0
    message: str = ""
    hint: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    help: bool = False


class Hud:
    """Draws Words. Plates of letters are drawn once and kept: blending one costs a fraction of a millisecond."""

    def __init__(self) -> None:
        self._plates: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()
        self._fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def draw(self, canvas: np.ndarray, words: Words, area: tuple[int, int, int, int] | None = None) -> None:
        """Writes into canvas (uint8 HxWx3 BGR), within area (x, y, width, height; all of it if None)."""
        x, y, width, height = area or (0, 0, canvas.shape[1], canvas.shape[0])
        if min(width, height) < 48:
            return  # nobody could read it
        unit = min(height, width * 0.75) / 100.0
        opacity = name_opacity(words.name_age_s)
        if words.name and opacity > 0.0:  # in the corner: the hem is in the middle
            plate = self._plate((words.name, words.place), 4.6 * unit, width)
            bottom = y + height - round(3 * unit)
            _blend(canvas, plate, x + min(round(3 * unit), width - plate.shape[1]), bottom - plate.shape[0], opacity)
        top = y + round(2 * unit)
        for text in filter(None, (words.message, words.hint)):
            plate = self._plate(tuple(_wrapped(text)), 3.6 * unit, width)
            _blend(canvas, plate, x + (width - plate.shape[1]) // 2, top, 1.0)
            top += plate.shape[0] + round(1.5 * unit)
        if words.figures:
            plate = self._plate(words.figures, 2.8 * unit, width, left=True)
            _blend(canvas, plate, x + round(2 * unit), top, 1.0)
        if words.help:
            plate = self._plate(HELP_LINES, 3.6 * unit, width, left=True, darkness=HELP_DARKNESS)
            _blend(canvas, plate, x + (width - plate.shape[1]) // 2, y + (height - plate.shape[0]) // 2, 1.0)

    def _plate(
        self,
        lines: tuple[object, ...],
        size: float,
        width: int,
        left: bool = False,
        darkness: float = PLATE_DARKNESS,
    ) -> np.ndarray:
        """uint8 BGRA: lines of text, or of pairs (two columns), on a dark plate with round corners."""
        points = max(8, round(size))
        key = (lines, points, width, left, darkness)
        if key in self._plates:
            self._plates.move_to_end(key)
            return self._plates[key]
        plate = self._draw_plate(lines, points, left, darkness)
        if plate.shape[1] > width:  # a long name: smaller letters rather than a cut
            scale = width / plate.shape[1]
            plate = cv2.resize(plate, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._plates[key] = plate
        if len(self._plates) > KEPT_PLATES:
            self._plates.popitem(last=False)
        return plate

    def _draw_plate(self, lines: tuple[object, ...], points: int, left: bool, darkness: float) -> np.ndarray:
        rows = [line if isinstance(line, tuple) else (line,) for line in lines if line]
        small = self._font(max(8, round(points * 0.62)))
        font = self._font(points)
        named = not left and len(rows) == 2 and _is_place(str(rows[1][0]))
        fonts = [small if named and i == 1 else font for i in range(len(rows))]
        second = max((font.getlength(str(r[0])) for r in rows if len(r) > 1), default=0.0) + 1.2 * points
        widths = [
            second + f.getlength(str(r[1])) if len(r) > 1 else f.getlength(str(r[0]))
            for r, f in zip(rows, fonts, strict=True)
        ]
        pitches = [round(1.35 * (points if f is font else points * 0.62)) for f in fonts]
        pad_x, pad_y = round(0.8 * points), round(0.4 * points)
        size = (round(max(widths)) + 2 * pad_x, sum(pitches) + 2 * pad_y)
        image = Image.new("RGBA", size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(image)
        fill = (PLATE_BGR[2], PLATE_BGR[1], PLATE_BGR[0], round(255 * darkness))
        _round_plate(image, fill, radius=round(0.55 * points))
        top = pad_y
        for row, f, wide, pitch in zip(rows, fonts, widths, pitches, strict=True):
            at = pad_x if left else (size[0] - wide) / 2
            middle = top + pitch / 2
            ink = (255, 255, 255, 255) if f is font else (205, 205, 205, 255)
            pen.text((at, middle), str(row[0]), font=f, fill=ink, anchor="lm")
            if len(row) > 1:
                pen.text((at + second, middle), str(row[1]), font=f, fill=(215, 215, 215, 255), anchor="lm")
            top += pitch
        return cv2.cvtColor(np.asarray(image), cv2.COLOR_RGBA2BGRA)

    def _font(self, points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        if points not in self._fonts:
            self._fonts[points] = _load_font(points)
        return self._fonts[points]


def name_opacity(age_s: float) -> float:
    """How strongly the garment's name is seen so many seconds after it was chosen, 0..1."""
    if age_s < NAME_FADE_IN_S:
        return max(0.0, age_s / NAME_FADE_IN_S)
    return float(np.clip((NAME_FADE_IN_S + NAME_STAYS_S + NAME_FADE_OUT_S - age_s) / NAME_FADE_OUT_S, 0.0, 1.0))


def _load_font(points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in FONTS.get(sys.platform, ()):
        try:
            return ImageFont.truetype(name, points)
        except OSError:
            continue
    return ImageFont.load_default(points)


def _round_plate(image: Image.Image, fill: tuple[int, int, int, int], radius: int) -> None:
    # Pillow draws corners without anti-aliasing: draw four times as large and shrink.
    large = Image.new("L", (image.width * 4, image.height * 4), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, large.width - 1, large.height - 1), radius * 4, fill=fill[3])
    shape = large.resize(image.size, Image.Resampling.BOX)
    plate = Image.new("RGBA", image.size, (*fill[:3], 0))
    plate.putalpha(shape)
    image.paste(plate)


def _is_place(text: str) -> bool:
    left, _, right = text.partition(" / ")
    return left.isdigit() and right.isdigit()


def _wrapped(text: str, most: int = 52) -> list[str]:
    """Lines of about equal length, none of more than `most` characters where its words allow it."""
    columns = min(most, round(len(text) / math.ceil(len(text) / most) * 1.2))
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _blend(canvas: np.ndarray, plate: np.ndarray, x: int, y: int, opacity: float) -> None:
    """Lays a BGRA plate over the canvas at (x, y); what falls outside is cut off."""
    height, width = canvas.shape[:2]
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(width, x + plate.shape[1]), min(height, y + plate.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    piece = plate[y0 - y : y1 - y, x0 - x : x1 - x]
    alpha = piece[..., 3:].astype(np.float32) * (opacity / 255.0)
    under = canvas[y0:y1, x0:x1]
    under[...] = (under + (piece[..., :3] - under.astype(np.float32)) * alpha + 0.5).astype(np.uint8)
