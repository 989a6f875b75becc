"""Makes mirror/prepare/opening.npz: the small network that finds the front of a neckline, and says how well it does.

`python -m bench neckline_fit --photos DIR`. Needs torch (the workshop extra) and the photos that the labels name. Every
photo is prepared first, so that it learns from necks as they are found; about twenty minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.neckline_drawn import draw_neck
from bench.wardrobe import LABELS, read_labels
from bench.wardrobe_fit import upright
from mirror.errors import GarmentError
from mirror.prepare import load_photo, prepare
from mirror.prepare.opening import (
    CELL_PX,
    MIDDLE_PX,
    MODEL_FILE,
    NECK_PX,
    PATCH_PX,
    cells,
    cut_patch,
    find_front,
    inputs,
    to_patch,
)
from mirror.wardrobe import LANDMARKS

FRONTS = Path(__file__).with_name("neckline_labels.json")
"""neck_front of further photos, many of them V-necks and scoops; they teach and are never measured."""
TAUGHT_BY, MEASURED_BY = ("tanks", "development", "later"), ("development", "later")
ASTRAY = 0.5
"""Neck points that were found further than this from the labelled ones, in widths of the neck, teach nothing."""
AS_FOUND, AS_LABELLED, ELSEWHERE = "found", "labelled", "further"
"""Whose neck points a neck has; of photos where only the front is labelled they are the found ones."""
KEPT = 5.0
"""Side of the square around the neck that is kept of a photo, in widths of the neck."""
DEEP = 0.16
"""Lengths of the garment: deeper necklines are reported by themselves."""
CHANNELS = (6, 12, 16, 24, 32, 48)
"""What the network sees, and its layers' widths from the patch's size down to an eighth of it."""
DRAWN, DRAWN_SHARE = 5000, 0.25
"""Drawn necks; their share of a batch once photos teach."""
BATCH, DRAWN_ROUNDS, ROUNDS, DRAWN_RATE, RATE, DECAY, DROPPED = 32, 700, 900, 8e-3, 5e-3, 0.02, 0.1
SPREAD_PX = (3.0, 1.6)
"""Around the label, across and down, where an answer still counts: about the labels' own error."""
POINTS_ERR, WIDTH_ERR = 0.045, 0.08
"""How neck points are moved (widths of the neck), and how the neck's width is (its logarithm)."""


@dataclass(frozen=True)
class Neck:
    """A garment around its neck: bgra uint8 HxWx4, upright; neck points and the labelled front there; length from neck
    to hem, pixels; the photo's name and part; whose neck points they are."""

    bgra: np.ndarray
    left: np.ndarray
    right: np.ndarray
    front: np.ndarray
    length: float
    name: str
    part: str
    points: str

    @property
    def width(self) -> float:
        """Of the neck, pixels."""
        return float(np.linalg.norm(self.right - self.left))

    def depth(self, at: np.ndarray) -> float:
        """How far a place lies below the neck points, in lengths of the garment."""
        across = (self.right - self.left) / self.width
        return float((at - (self.left + self.right) / 2) @ [-across[1], across[0]]) / self.length


def read_necks(photos: Path, parts: tuple[str, ...], further: bool) -> list[Neck]:
    """Of all photos of these parts that can be prepared: with the neck points found, and with those labelled."""
    row = LANDMARKS.index("neck_front")
    labelled = [(name, part, points) for part in parts for name, points in read_labels(LABELS)[part].items()]
    if further:
        for name, front in json.loads(FRONTS.read_text(encoding="utf-8"))["neck_front"].items():
            points = np.full((len(LANDMARKS), 2), np.nan)
            points[row] = front
            labelled.append((name, ELSEWHERE, points))
    necks = []
    for name, part, points in labelled:
        file = photos / f"{name}.jpg"
        if not file.is_file() or not points[row].any():
            continue
        try:
            prepared = prepare(load_photo(file), "x", "x")
        except GarmentError:
            continue
        cloth = np.dstack([prepared.photo, prepared.outline * np.uint8(255)])
        if part == ELSEWHERE:
            necks.append(_neck(cloth, prepared.points, points[row], name, part, ELSEWHERE))
            continue
        necks.append(_neck(cloth, points, points[row], name, part, AS_LABELLED))
        ends = [LANDMARKS.index(mark) for mark in ("neck_left", "neck_right")]
        away = np.linalg.norm(prepared.points[ends] - points[ends], axis=1)
        if away.max() < ASTRAY * np.linalg.norm(points[ends[0]] - points[ends[1]]):
            necks.append(_neck(cloth, prepared.points, points[row], name, part, AS_FOUND))
    return necks


def _neck(cloth: np.ndarray, points: np.ndarray, front: np.ndarray, name: str, part: str, whose: str) -> Neck:
    """Turned upright by its landmarks (photo pixels)."""
    at = dict(zip(LANDMARKS, points, strict=True))
    middle = (at["neck_left"] + at["neck_right"]) / 2
    length = float(np.linalg.norm((at["hem_left"] + at["hem_right"]) / 2 - middle))
    side = int(KEPT * np.linalg.norm(at["neck_right"] - at["neck_left"]))
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), -np.degrees(upright(points)), 1.0)
    matrix[:, 2] += side / 2 - middle
    turned = cv2.warpAffine(cloth, matrix, (side, side), flags=cv2.INTER_CUBIC)
    left, right, front = (matrix[:, :2] @ p + matrix[:, 2] for p in (at["neck_left"], at["neck_right"], front))
    return Neck(turned, left, right, front, length, name, part, whose)


Sample = tuple[np.ndarray, np.ndarray]
"""What the network sees (6, 52, 48), and where the front is (2,), pixels of the patch."""


def photo_sample(neck: Neck, rng: np.random.Generator) -> Sample:
    """A neck of a photo, its points a little moved, the front drawn deeper or shallower, rounder or more pointed."""
    left, right = (p + rng.normal(0, POINTS_ERR, 2) * neck.width for p in (neck.left, neck.right))
    matrix = to_patch(left, right)
    front = matrix[:, :2] @ neck.front + matrix[:, 2]
    patch = cut_patch(neck.bgra, left, right)
    width = float(np.linalg.norm(right - left)) / neck.length
    if rng.random() < 0.5:
        deeper, rounder = np.exp(rng.normal(0, 0.2)), rng.normal(0, 0.25) if rng.random() < 0.5 else 0.0
        top = MIDDLE_PX[1]
        rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
        away = np.minimum(2.0 * np.abs(columns - front[0]) / NECK_PX, 1.0)
        source = np.where(rows > top, top + (rows - top) / deeper * (1.0 + rounder * away), rows).astype(np.float32)
        patch = cv2.remap(patch, columns, source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        front[1] = top + max(front[1] - top, 0.0) * deeper + min(front[1] - top, 0.0)
        width /= np.sqrt(deeper)
    alpha = np.maximum(patch[..., 3:] / 255.0, 0.02)
    straight = np.dstack([np.clip(patch[..., :3] / alpha, 0, 255), patch[..., 3]])
    return _varied(straight, front, width * np.exp(rng.normal(0, WIDTH_ERR)), rng)


def drawn_sample(drawn: tuple[np.ndarray, np.ndarray, float], rng: np.random.Generator) -> Sample:
    """A drawn neck."""
    patch, front, width = drawn
    return _varied(patch.astype(np.float32), front, width, rng)


def _varied(straight: np.ndarray, front: np.ndarray, width: float, rng: np.random.Generator) -> Sample:
    """Mirrored or not; other colours, brightness, sharpness, noise. straight: 0..255, alpha straight."""
    if rng.random() < 0.5:
        straight, front = straight[:, ::-1], np.array([straight.shape[1] - 1 - front[0], front[1]])
    colours = 255 * (straight[..., :3] / 255) ** np.exp(rng.normal(0, 0.3))
    if rng.random() < 0.3:
        colours = colours[..., rng.permutation(3)]
    if rng.random() < 0.15:
        colours = 255 - colours
    if rng.random() < 0.3:
        colours = cv2.GaussianBlur(np.ascontiguousarray(colours), (0, 0), rng.uniform(0.3, 1.0))
    colours = np.clip(colours + rng.normal(0, rng.uniform(0, 6), colours.shape), 0, 255)
    return inputs(np.dstack([colours * straight[..., 3:] / 255, straight[..., 3]]), width), front


def fit(necks: list[Neck], drawn: list, start=None):
    """A torch network; of drawn necks alone where there are no others, else `start` taught on by photos."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)  # the layers are small: threads would wait for each other
    rng, net = np.random.default_rng(0), network()
    if start is not None:
        net.load_state_dict(start.state_dict())
    net.train()
    _, _, may = cells()
    rows, columns = (np.arange(side // CELL_PX) * CELL_PX + (CELL_PX - 1) / 2 for side in PATCH_PX[::-1])
    rounds, rate = (ROUNDS, RATE) if necks else (DRAWN_ROUNDS, DRAWN_RATE)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, rounds)
    for _ in range(rounds):
        count = round(BATCH * DRAWN_SHARE) if necks else BATCH
        batch = [drawn_sample(drawn[i], rng) for i in rng.integers(len(drawn), size=count)]
        if necks:
            batch += [photo_sample(necks[i], rng) for i in rng.integers(len(necks), size=BATCH - count)]
        away = [(columns[None] - x) ** 2 / SPREAD_PX[0] ** 2 + (rows[:, None] - y) ** 2 / SPREAD_PX[1] ** 2
                for _, (x, y) in batch]  # fmt: skip
        target = (np.exp(-0.5 * np.array(away)) + 1e-9) * may
        target /= target.sum((1, 2), keepdims=True)
        answer = net(torch.tensor(np.array([seen for seen, _ in batch])))
        answer = answer.masked_fill(~torch.tensor(may), -1e4).flatten(1)
        loss = -(torch.tensor(target, dtype=torch.float32).flatten(1) * torch.log_softmax(answer, 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def network():
    """As mirror.prepare.opening runs it, with parts of it left out at random while it learns."""
    from torch import cat, nn
    from torch.nn import functional

    seen, fine, half, quarter, deep, eighth = CHANNELS
    sizes = [(seen, fine), (fine, half), (half, quarter), (quarter, deep), (deep, eighth), (eighth + deep, deep)]

    class Opening(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            convolutions = [nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in [*sizes, (deep + half, quarter)]]
            self.layers = nn.ModuleList([nn.Sequential(c, nn.BatchNorm2d(c.out_channels)) for c in convolutions])
            self.last = nn.Conv2d(quarter, 1, 1)
            self.drop = nn.Dropout2d(DROPPED)

        def forward(self, x):
            relu, halved, layers = functional.relu, functional.max_pool2d, self.layers
            beside = relu(layers[1](halved(relu(layers[0](x)), 2)))
            below = relu(layers[3](self.drop(relu(layers[2](halved(beside, 2))))))
            x = relu(layers[4](halved(functional.pad(below, (0, 0, 0, 1)), 2)))
            x = functional.interpolate(x, scale_factor=2, mode="nearest")[:, :, : below.shape[2]]
            x = relu(layers[5](cat([x, below], 1)))
            x = cat([functional.interpolate(x, scale_factor=2, mode="nearest"), beside], 1)
            return self.last(self.drop(relu(layers[6](x))))[:, 0]

    return Opening()


def write(net, path: Path) -> None:
    """The weights in half precision; what evens out a layer's outputs is made part of its kernel."""
    weights = {}
    for i, (convolution, even) in enumerate(net.layers):
        gain = even.weight / (even.running_var + even.eps).sqrt()
        weights[f"kernel{i}"] = convolution.weight * gain[:, None, None, None]
        weights[f"bias{i}"] = even.bias - even.running_mean * gain
    weights[f"kernel{len(net.layers)}"], weights[f"bias{len(net.layers)}"] = net.last.weight, net.last.bias
    half = {name: value.detach().numpy().astype(np.float16) for name, value in weights.items()}
    np.savez_compressed(path, **half)  # type: ignore[arg-type]


def errors(necks: list[Neck], model: Path) -> np.ndarray:
    """float64 (n, 2): labelled depth and how far the one found lies from it, lengths of the garment."""
    rows = []
    for neck in necks:
        _, depth = find_front(neck.bgra, neck.left, neck.right, neck.length, model)
        labelled = neck.depth(neck.front)
        rows.append((labelled, depth * neck.width / neck.length - labelled))
    return np.array(rows)


def report(necks: list[Neck], table: np.ndarray) -> str:
    """A line for each way that neck points come by; what `errors` gave for these necks."""
    lines = []
    for whose in (AS_FOUND, AS_LABELLED):
        rows = table[[neck.points == whose for neck in necks]]
        if len(rows):
            away, deep = np.abs(rows[:, 1]) * 100, rows[:, 0] > DEEP
            lines.append(
                f"neck points {whose}, {len(rows)} photos: mean {away.mean():.2f} %, 90th percentile"
                f" {np.percentile(away, 90):.2f} %, more than 5 %: {100 * (away > 5).mean():.1f} % of them"
            )
            for words, chosen in (("deep ones", deep), ("others", ~deep)):
                if chosen.any():
                    lines.append(f"* {chosen.sum()} {words}: mean {away[chosen].mean():.2f} %")
    return "\n".join(lines)


def cross_validate(necks: list[Neck], drawn: list, start, folds: int) -> str:
    """Errors on photos that taught nothing, each of them once left out with others."""
    names = sorted({neck.name for neck in necks if neck.part in MEASURED_BY})
    fold = dict(zip(np.random.default_rng(0).permutation(names).tolist(), np.arange(len(names)) % folds, strict=True))
    tested: list[Neck] = []
    tables = []
    with tempfile.TemporaryDirectory() as scratch:
        for out in range(folds):
            model = Path(scratch) / f"{out}.npz"
            write(fit([neck for neck in necks if fold.get(neck.name) != out], drawn, start), model)
            left_out = [neck for neck in necks if fold.get(neck.name) == out]
            tested += left_out
            tables.append(errors(left_out, model))
    return report(tested, np.concatenate(tables))


def main(argv: list[str]) -> int:
    """Writes the network, or measures the one that there is."""
    parser = argparse.ArgumentParser(prog="python -m bench neckline_fit", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="with a folder per class")
    parser.add_argument("--output", type=Path, default=MODEL_FILE)
    parser.add_argument("--folds", type=int, default=4, help="to cross-validate with first; 0: not at all")
    parser.add_argument("--measure", metavar="PART", help="only measure the shipped network on this part of the labels")
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    if arguments.measure:
        necks = read_necks(arguments.photos, (arguments.measure,), False)
        print(report(necks, errors(necks, MODEL_FILE)))
        return 0
    rng = np.random.default_rng(1)
    drawn = [draw_neck(rng) for _ in range(DRAWN)]
    start = fit([], drawn)
    if not MODEL_FILE.is_file():  # photos cannot be prepared without any
        write(start, MODEL_FILE)
    necks = read_necks(arguments.photos, TAUGHT_BY, True)
    print(f"{len(necks)} necks of {len({neck.name for neck in necks})} photos", flush=True)
    if arguments.folds:
        print(cross_validate(necks, drawn, start, arguments.folds), flush=True)
    write(fit(necks, drawn, start), arguments.output)
    return 0
