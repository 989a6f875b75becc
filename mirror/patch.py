"""The part of a camera picture that a map of the canvas is drawn on.

Such maps vary slowly: they are brought from the canvas to a coarse grid of that part and from there to the camera's
pixels by a plain enlargement, a quarter of a warp's cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

Box = tuple[int, int, int, int]
"""x, y, width, height on a map."""
MAX_STEP = 4
"""Camera pixels between points of the coarse grid, at most; about one canvas pixel."""


@dataclass(frozen=True)
class Patch:
    """The part of the camera picture that is drawn on (pixels), and how its coarse grid lies on the canvas.

    grid_to_canvas: float64 2x3. scale: camera pixels per canvas pixel.
    """

    x0: int
    y0: int
    width: int
    height: int
    grid: tuple[int, int]
    grid_to_canvas: np.ndarray
    scale: float

    def of(self, picture: np.ndarray) -> np.ndarray:
        """Its part of a picture, to be written into."""
        return picture[self.y0 : self.y0 + self.height, self.x0 : self.x0 + self.width]

    @property
    def step(self) -> tuple[int, int]:
        """Camera pixels between points of the grid, across and down."""
        return self.width // self.grid[0], self.height // self.grid[1]

    def part(self, box: Box) -> Patch | None:
        """The part of it, if any, that shows a box of the canvas (x, y, width, height), on points of its grid; its maps
        are the box's own. It counts from this patch's corner."""
        ends = _ends(box, self.grid_to_canvas, self.grid, 1.0)
        if ends is None:
            return None
        x0, y0, x1, y1 = ends
        across, down = self.step
        grid_to_canvas = self.grid_to_canvas.copy()
        grid_to_canvas[:, 2] += grid_to_canvas[:, :2] @ (x0, y0) - box[:2]
        grid = x1 - x0, y1 - y0
        return Patch(x0 * across, y0 * down, grid[0] * across, grid[1] * down, grid, grid_to_canvas, self.scale)

    def on_grid(self, grid_map: np.ndarray) -> np.ndarray:
        """Its part of a map of the grid it is a part of."""
        x0, y0 = self.x0 // self.step[0], self.y0 // self.step[1]
        return grid_map[y0 : y0 + self.grid[1], x0 : x0 + self.grid[0]]

    def lifted(self, canvas_map: np.ndarray, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
        """A map of the canvas (HxWxC, C up to 4) on the grid."""
        return cv2.warpAffine(
            canvas_map, self.grid_to_canvas, self.grid, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, borderMode=border
        )

    def enlarged(self, grid_map: np.ndarray) -> np.ndarray:
        """A map of the grid on the patch's pixels."""
        if self.grid == (self.width, self.height):
            return grid_map
        return cv2.resize(grid_map, (self.width, self.height), interpolation=cv2.INTER_LINEAR)


def patch_around(box: Box, to_canvas: np.ndarray, size: tuple[int, int], rim: float = 1.0) -> Patch | None:
    """Around a box of the canvas (x, y, width, height); None where none of the picture shows it.

    to_canvas: 2x3, from pixels of the picture. size: (width, height) of the picture. rim: canvas pixels around it that
    belong to it.
    """
    ends = _ends(box, to_canvas, size, rim)
    if ends is None:
        return None
    x0, y0, x1, y1 = ends
    (a, b, shift_x), (c, d, shift_y) = to_canvas.tolist()
    det = a * d - b * c
    scale = 1.0 / math.sqrt(abs(det))
    step = min(max(round(scale), 1), MAX_STEP)
    x0, width = _whole_steps(x0, x1, step, size[0])
    y0, height = _whole_steps(y0, y1, step, size[1])
    grid = (max(1, width // step), max(1, height // step))
    shift_x, shift_y = shift_x + a * x0 + b * y0, shift_y + c * x0 + d * y0
    wide_step, high_step = width / grid[0], height / grid[1]  # both count from pixel centres, as cv2.resize does
    off_x, off_y = 0.5 * wide_step - 0.5, 0.5 * high_step - 0.5
    grid_to_canvas = np.array(
        [
            [a * wide_step, b * high_step, shift_x + a * off_x + b * off_y],
            [c * wide_step, d * high_step, shift_y + c * off_x + d * off_y],
        ]
    )
    return Patch(x0, y0, width, height, grid, grid_to_canvas, scale)


def _ends(box: Box, to_canvas: np.ndarray, size: tuple[int, int], rim: float) -> tuple[int, int, int, int] | None:
    """The first column and row of a picture that show a box of the canvas, and those after the last; as for
    `patch_around`."""
    left, top, wide, high = box
    if not wide:
        return None
    # number by number: arrays of two and three take ten times as long, 0.3 ms a picture
    (a, b, shift_x), (c, d, shift_y) = to_canvas.tolist()
    det = a * d - b * c
    xs, ys = (left - rim, left + wide - 1 + rim), (top - rim, top + high - 1 + rim)
    corners = [(x - shift_x, y - shift_y) for x in xs for y in ys]
    across = [(d * x - b * y) / det for x, y in corners]
    down = [(a * y - c * x) / det for x, y in corners]
    x0, y0 = max(math.floor(min(across)), 0), max(math.floor(min(down)), 0)
    x1, y1 = min(math.ceil(max(across)) + 1, size[0]), min(math.ceil(max(down)) + 1, size[1])
    return None if x1 <= x0 or y1 <= y0 else (x0, y0, x1, y1)


def box_of(alpha: np.ndarray, least: float) -> Box:
    """The box (x, y, width, height) around all whose alpha (float32 HxW, 0..1) is more than the least."""
    x, y, width, height = cv2.boundingRect(cv2.compare(alpha, least, cv2.CMP_GT))
    return x, y, width, height


def _whole_steps(start: int, stop: int, step: int, limit: int) -> tuple[int, int]:
    """Start and length of a stretch around start..stop that is a whole number of steps, where 0..limit allows it."""
    length = min(-(-(stop - start) // step) * step, max(limit // step * step, 1))
    return max(0, min(start, limit - length)), min(length, limit)
