"""Where the opening of the neck ends in front, as a small network reads it off the cloth around the neck.

A neckline is told by many things at once: both halves of its edge, the shade and the label on the back's inside, the
ribbing, where the garment's outline runs. The network was taught by labelled photos and by drawn necks with necklines
of all depths and forms (`python -m bench neckline_fit`). It runs in numpy in 10 ms; it has 60 000 weights. On 121
labelled photos that taught it nothing the depth is 3.6 % of the garment's length off on average, 8.3 % at the 90th
percentile; the steepest edge along a usual curve, used before, was 5.2 and 12.3 % off. What is hardest: hoods, whose
neckline lies hidden, and polo shirts, of whose placket it takes the top.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mirror.prepare.matte import premultiplied

MODEL_FILE = Path(__file__).with_name("opening.npz")
NECK_PX = 32
"""The neck's width in the network's patch."""
PATCH_PX = (48, 52)
"""(width, height) of the patch: a quarter of the neck's width beside it, 3/8 above its points, 5/4 below."""
MIDDLE_PX = (23.5, 11.5)
"""Where the patch has the middle of the neck points."""
FINE_PX = 80
"""Of the neck's width in the picture that the patch is sampled from: larger ones are shrunk first."""
AROUND = ((1.4, 1.1), (1.4, 1.9))
"""What is kept of the picture before and beyond the middle of the neck points, across and down, in widths of the neck:
the patch, however it is turned."""
BLUR = 0.4
"""Of one pixel of the patch, before it is sampled."""
CELL_PX = 2
"""The network's answer has one cell for so many pixels of the patch, each way."""
HIGHEST, LOWEST, FURTHEST = -0.02, 1.2, 0.3
"""The front may lie so far below the neck points and beside their middle, in widths of the neck."""
SHARPER = 1.5
"""Power of the network's chances: it was taught that places near the label are right as well."""
ANY_DEPTH, MEAN_DEPTH, DEPTH_SPREAD = 0.1, 0.11, 0.07
"""The chances are multiplied by ANY_DEPTH plus a bell about the depth that is usual, in lengths of the garment: half of
the drawn necks are deeper than what people wear, and turtlenecks and prints were read as deep scoops. These and SHARPER
were chosen by cross-validation; without, usual necklines of photos are 3.8 % off rather than 2.7 %."""
LEAST_CONTRAST = 2.0
"""Lab units: cloth more even than this is not made to look as lively as other cloth."""
USUAL_DEPTH = 0.16
"""Lengths of the garment, about the middle of what necklines reach: where the input that tells a row's depth is 0."""


def to_patch(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 2x3: from the picture's pixels to the patch's; left, right: the neck points there."""
    across = (right - left) / max(float((right - left) @ (right - left)), 1e-6) * NECK_PX
    turn = np.array([across, [-across[1], across[0]]])
    return np.hstack([turn, (np.array(MIDDLE_PX) - turn @ ((left + right) / 2))[:, None]])


def cut_patch(bgra: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float32 52x48x4: the cloth about the neck, 0..255, colours multiplied by the alpha."""
    width = float(np.linalg.norm(right - left))
    scale = min(1.0, FINE_PX / max(width, 1.0))
    middle = (left + right) / 2
    low = np.maximum(np.floor(middle - np.array(AROUND[0]) * width).astype(int) - 4, 0)
    high = np.maximum(np.ceil(middle + np.array(AROUND[1]) * width).astype(int) + 4, low + 1)
    near = bgra[low[1] : high[1], low[0] : high[0]]
    if near.size == 0:
        return np.zeros((*PATCH_PX[::-1], 4), np.float32)
    near = premultiplied(np.ascontiguousarray(near)).astype(np.float32)
    size = np.maximum(np.round(np.array(near.shape[1::-1]) * scale), 1).astype(int)
    if scale < 1.0:
        near = cv2.resize(near, tuple(size.tolist()), interpolation=cv2.INTER_AREA)
    ratio = size / (np.minimum(high, bgra.shape[1::-1]) - low)
    matrix = to_patch((left - low + 0.5) * ratio - 0.5, (right - low + 0.5) * ratio - 0.5)
    shrinks = 1.0 / max(float(np.linalg.norm(matrix[0, :2])), 1e-6)
    if shrinks > 1.5:
        near = cv2.GaussianBlur(near, (0, 0), BLUR * shrinks, borderType=cv2.BORDER_REPLICATE)
    return cv2.warpAffine(near, matrix, PATCH_PX, flags=cv2.INTER_LINEAR)


def inputs(patch: np.ndarray, width: float) -> np.ndarray:
    """float32 6x52x48, what the network sees: Lab about its median and made alike in contrast, alpha, depth.

    patch: as from `cut_patch`. width: of the neck, in lengths of the garment from neck to hem.
    """
    alpha = np.clip(patch[..., 3:] / 255.0, 0.0, 1.0).astype(np.float32)
    bgr = np.clip(patch[..., :3] / np.maximum(alpha, 0.02) / 255.0, 0.0, 1.0).astype(np.float32)
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    on = alpha[..., 0] > 0.5
    if on.sum() < CELL_PX * NECK_PX:
        on[:] = True
    colours = (lab - np.median(lab[on], axis=0)) * alpha
    contrast = max(float(np.sqrt((colours[on] ** 2).mean())), LEAST_CONTRAST)
    depth = (np.arange(patch.shape[0], dtype=np.float32) - MIDDLE_PX[1]) / NECK_PX
    rows = np.stack([depth - 0.4, 5.0 * (depth * width - USUAL_DEPTH)])
    places = np.broadcast_to(rows[:, :, None], (2, *patch.shape[:2]))
    seen = np.dstack([colours / contrast, alpha]).transpose(2, 0, 1)
    return np.concatenate([seen, places]).astype(np.float32)


def cells() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the cells of the answer: across (24,) and depth (26,) in widths of the neck, and which may be (26, 24)."""
    columns, rows = (np.arange(side // CELL_PX) * CELL_PX + (CELL_PX - 1) / 2 for side in PATCH_PX)
    across, depth = (columns - MIDDLE_PX[0]) / NECK_PX, (rows - MIDDLE_PX[1]) / NECK_PX
    may = ((depth > HIGHEST) & (depth < LOWEST))[:, None] & (np.abs(across) < FURTHEST)[None]
    return across, depth, may


def find_front(
    bgra: np.ndarray, left: np.ndarray, right: np.ndarray, length: float, model: Path = MODEL_FILE
) -> tuple[float, float]:
    """Where the neckline's front is lowest: across and below the middle of the neck points, in widths of the neck.

    bgra: uint8 HxWx4, the garment upright. left, right: its neck points. length: from neck to hem, pixels. model: the
    network's weights. The median over all places that the network holds possible, weighed by how usual their depth is;
    its mirror image counts as much as the picture itself.
    """
    patch = cut_patch(bgra, left, right)
    width = float(np.linalg.norm(right - left)) / max(length, 1.0)
    across, depth, may = cells()
    chance = np.zeros(may.shape)
    for mirrored in (False, True):
        answer = run(weights(model), inputs(patch[:, ::-1] if mirrored else patch, width)).astype(np.float64)
        answer = np.where(may, answer, -np.inf)
        share = np.exp(SHARPER * (answer - answer.max()))
        chance += (share[:, ::-1] if mirrored else share) / share.sum()
    usual = ANY_DEPTH + np.exp(-0.5 * ((depth * width - MEAN_DEPTH) / DEPTH_SPREAD) ** 2)
    chance *= usual[:, None]
    return _median(across, chance.sum(0)), _median(depth, chance.sum(1))


def _median(places: np.ndarray, chance: np.ndarray) -> float:
    """Of evenly spaced cells with these chances; the chance is spread evenly within a cell."""
    up_to = np.cumsum(chance) / chance.sum()
    cell = int(np.searchsorted(up_to, 0.5))
    before = up_to[cell - 1] if cell else 0.0
    return float(places[cell] + (places[1] - places[0]) * ((0.5 - before) / (up_to[cell] - before) - 0.5))


@lru_cache(maxsize=2)
def weights(model: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernels (out, in, 3, 3), the last (1, in, 1, 1), and biases (out,), in the order they are used."""
    with np.load(model) as stored:
        count = len(stored.files) // 2
        return [(stored[f"kernel{i}"].astype(np.float32), stored[f"bias{i}"].astype(np.float32)) for i in range(count)]


def run(layers: list[tuple[np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
    """float32 6x52x48 -> 26x24, log of how likely the front lies in each cell, but for a constant.

    A convolution at the patch's size, one at half of it, two at a quarter, one at an eighth; then back up to half, each
    size joined by what was seen at it on the way down.
    """
    fine, half, quarter, deep, eighth, joined, rejoined, last = layers
    beside = _relu(_convolve(_halved(_relu(_convolve(x, *fine))), *half))
    below = _relu(_convolve(_relu(_convolve(_halved(beside), *quarter)), *deep))
    x = _relu(_convolve(_halved(np.pad(below, ((0, 0), (0, 1), (0, 0)))), *eighth))
    x = _relu(_convolve(np.concatenate([_doubled(x)[:, : below.shape[1]], below]), *joined))
    return _convolve(_relu(_convolve(np.concatenate([_doubled(x), beside]), *rejoined)), *last)[0]


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0)


def _halved(x: np.ndarray) -> np.ndarray:
    """The largest of every 2x2 pixels."""
    return x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2).max((2, 4))


def _doubled(x: np.ndarray) -> np.ndarray:
    """Every pixel four times."""
    return x.repeat(2, 1).repeat(2, 2)


def _convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Same size as x; outside is zero."""
    reach = kernel.shape[2] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1), axis=(1, 2))  # type: ignore[call-overload]
    return np.tensordot(kernel, windows, ((1, 2, 3), (0, 3, 4))) + bias[:, None, None]
