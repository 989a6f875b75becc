"""Makes mirror/prepare/shapes.json: what outlines of garments look like, learned from labelled photos.

`python -m bench wardrobe_fit --photos DIR`. Needs torch (the workshop extra) and the photos that the labels name.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from bench.wardrobe import LABELS, read_labels
from mirror.prepare import cutout as cutting
from mirror.prepare.contour import POINTS, Contour, measure, outline, resample, rotation_matrix, smooth, trace
from mirror.prepare.decode import load_photo
from mirror.prepare.search import LEFT, RIGHT
from mirror.prepare.shapes import CHAIN, MODEL_FILE, chain_of
from mirror.wardrobe import LANDMARKS

LONG_SLEEVE, HANGING_SLEEVE, HIDDEN_ARMPIT = 0.5, 0.36, 0.08
"""Sleeve lengths (of the body's) from which one is long, and from which one may hang along the body; distance of the
armpit from the outline (of the garment's size) from which it does."""
GOOD_MEDIAN, GOOD_MAX = 0.03, 0.12
"""A photo teaches only if its labels lie on the outline that was cut: distances, of the garment's size."""
STEP_FLOOR = np.array([0.04, 0.04, 0.012]) ** 2
VARIANTS = 12
NO_SLEEVE = 0.01
"""A sleeve shorter than this (of the body's length) is none: its labels lie at the shoulder and the armpit."""
HIDDEN, EPOCHS, BATCH = 64, 14, 4096
TAUGHT_BY = ("checked", "development", "later", "tanks")
"""Parts of the labels; where two know a photo the later one counts."""
WORDS = {LEFT: "left", RIGHT: "right"}
Sample = tuple[np.ndarray, np.ndarray]
"""A fine outline (n, 2) and its labels (13, 2), both in pixels."""


def point(labels: np.ndarray, place: str, side: int) -> np.ndarray:
    """One label."""
    return labels[LANDMARKS.index(f"{place}_{WORDS[side]}")]


def upright(labels: np.ndarray) -> float:
    """Radians clockwise that set the garment upright."""
    down = sum(point(labels, "hem", s) - point(labels, "neck", s) for s in WORDS)
    return float(np.pi / 2 - np.arctan2(down[1], down[0]))


def read_samples(photos: Path, parts: tuple[str, ...]) -> list[Sample]:
    """Outlines of the photos whose labels lie on them."""
    all_labels = read_labels(LABELS)
    taught = {name: labels for part in parts for name, labels in all_labels[part].items()}
    samples = []
    for name, labels in taught.items():
        file = photos / f"{name}.jpg"
        if not file.is_file():
            continue
        photo = load_photo(file)
        cut = cutting.by_colour(photo, 1.0)
        if not cut.mask.any():
            continue
        labels = labels * (cut.mask.shape[1] / photo.shape[1])
        contour = trace(cut.opened)
        far = [np.linalg.norm(contour.points - labels[i], axis=1).min() / contour.scale for i in _on_outline()]
        if np.median(far) < GOOD_MEDIAN and max(far) < GOOD_MAX:
            samples.append((smooth(resample(outline(cut.opened), POINTS * 4), 2.0), labels))
    return samples


def _on_outline() -> list[int]:
    return [i for i, name in enumerate(LANDMARKS) if name != "neck_front" and not name.startswith("armpit")]


def chains(contour: Contour, labels: np.ndarray) -> dict[int, tuple[str, dict[str, int]]] | None:
    """Style and outline points of both halves; None where the outline does not show them in order."""
    out = {}
    for side in WORDS:
        at = {p: int(np.linalg.norm(contour.points - point(labels, p, side), axis=1).argmin()) for p in CHAIN}
        shoulder, armpit = point(labels, "shoulder", side), point(labels, "armpit", side)
        sleeve = (point(labels, "sleeve_outer", side) + point(labels, "sleeve_inner", side)) / 2 - shoulder
        body = np.linalg.norm(point(labels, "hem", side) - shoulder)
        if np.linalg.norm(point(labels, "sleeve_outer", side) - shoulder) < NO_SLEEVE * body:
            out[side] = ("none", {place: at[place] for place in chain_of("none")})
            continue
        share = np.linalg.norm(sleeve) / body
        hidden = np.linalg.norm(contour.points - armpit, axis=1).min() / contour.scale
        if hidden > HIDDEN_ARMPIT:
            style = "hanging" if share > HANGING_SLEEVE else "short"
        else:
            style = "spread" if share > LONG_SLEEVE else "short"
        if style == "short" and hidden > 2 * HIDDEN_ARMPIT:
            return None
        if style == "hanging":  # the notch between cuff and body stands for the armpit
            count = ((at["hem"] - at["sleeve_inner"]) * side) % POINTS
            if not 2 <= count <= POINTS // 3:
                return None
            way = [(at["sleeve_inner"] + side * k) % POINTS for k in range(count + 1)]
            at["armpit"] = min(way, key=lambda i: float(np.linalg.norm(contour.points[i] - armpit)))
        out[side] = (style, at)
    return out


def fit_steps(samples: list[Sample]) -> dict:
    """Gaussians of how neighbours lie to each other, and of the neckline and the hem."""
    steps: dict[str, list[list[np.ndarray]]] = {}
    bridges: dict[str, list[np.ndarray]] = {"neck": [], "hem": []}
    for line, labels in samples:
        contour = measure(line)
        found = chains(contour, labels)
        if found is None:
            continue
        angle = upright(labels)
        for side, (style, at) in found.items():
            place = contour.features(np.array([angle]), side)[0, :, :2]
            chain = chain_of(style)
            rows = steps.setdefault(style, [[] for _ in chain[1:]])
            for row, a, b in zip(rows, chain[:-1], chain[1:], strict=True):
                arc = ((at[b] - at[a]) * side) % POINTS / POINTS
                row.append(np.r_[place[at[b]] - place[at[a]], arc])
        place = (contour.points - contour.centre) @ rotation_matrix(angle).T / contour.scale
        for name, first, second in (("neck", LEFT, RIGHT), ("hem", RIGHT, LEFT)):
            i, j = found[first][1][name], found[second][1][name]
            step = np.r_[place[j] - place[i], (j - i) % POINTS / POINTS]
            bridges[name] += [step, step * [1, -1, 1]]  # and its mirror image
    return {
        "steps": {style: [_gauss(row) for row in rows] for style, rows in steps.items()},
        "bridges": {name: _gauss(row) for name, row in bridges.items()},
    }


def _gauss(rows: list[np.ndarray]) -> dict:
    """Mean and shrunken covariance; steps beyond half of the outline are faults of order and left out."""
    x = np.array([row for row in rows if row[-1] < 0.6])
    centred = x - x.mean(0)
    covariance = centred.T @ centred / max(len(x) - 1, 1)
    share = min(0.5, 8 / len(x))
    mixed = (1 - share) * covariance + share * np.diag(np.diag(covariance)) + np.diag(STEP_FLOOR)
    return {"mean": x.mean(0).round(5).tolist(), "covariance": mixed.round(6).tolist()}


def vary(sample: Sample, rng: np.random.Generator) -> Sample:
    """A random smooth deformation of an outline with its labels, and some roughness."""
    line, labels = sample
    centre, size = line.mean(0), float(np.ptp(line, axis=0).max())
    angle = np.radians(rng.normal(0, 7))
    shear = np.array([[1 + rng.normal(0, 0.08), rng.normal(0, 0.05)], [0, 1 + rng.normal(0, 0.08)]])
    matrix = rotation_matrix(angle) @ shear
    waves = rng.uniform(0.5, 1.6, (3, 2)) * 2 * np.pi / size
    phase, height = rng.uniform(0, 2 * np.pi, (3, 2)), rng.normal(0, 0.012 * size, (3, 2))

    def move(points: np.ndarray) -> np.ndarray:
        bent = (points - centre) @ matrix.T + centre
        for w, p, h in zip(waves, phase, height, strict=True):
            bent = bent + np.stack(
                [h[0] * np.sin(points[:, 1] * w[0] + p[0]), h[1] * np.sin(points[:, 0] * w[1] + p[1])], 1
            )
        return bent

    rough = smooth(rng.normal(0, 1, line.shape), rng.uniform(2, 8))
    area = abs(cv2.contourArea(line.astype(np.float32)))
    return move(line) + rough / rough.std() * rng.uniform(0, 0.006) * np.sqrt(area), move(labels)


def rows_of(samples: list[Sample], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features of outline points, and what each of them is: nothing, or a place of the chain (soft, 0..1)."""
    features, targets = [], []
    for sample in samples:
        for variant in range(VARIANTS):
            line, labels = sample if variant == 0 else vary(sample, rng)
            contour = measure(line)
            found = chains(contour, labels)
            if found is None:
                continue
            angle = upright(labels) + rng.normal(0, 0.14)
            for side, (_, at) in found.items():
                target = np.zeros((POINTS, 1 + len(CHAIN)), np.float32)
                for column, place in enumerate(CHAIN, 1):
                    if place not in at:
                        continue
                    away = np.abs((np.arange(POINTS) - at[place] + POINTS // 2) % POINTS - POINTS // 2)
                    target[:, column] = np.exp(-0.5 * (away / 1.3) ** 2)
                target[:, 0] = np.maximum(0.0, 1.0 - target[:, 1:].sum(1))
                features.append(contour.features(np.array([angle]), side)[0].astype(np.float32))
                targets.append(target / target.sum(1, keepdims=True))
    return np.concatenate(features), np.concatenate(targets)


def fit_network(samples: list[Sample]) -> dict:
    """The perceptron's weights. About a minute on one core."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)  # the layers are small: threads would wait for each other
    x, y = rows_of(samples, np.random.default_rng(0))
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    inputs, targets = torch.tensor((x - mean) / deviation), torch.tensor(y)
    layers = [nn.Linear(x.shape[1], HIDDEN), nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, y.shape[1])]
    net = nn.Sequential(layers[0], nn.Tanh(), nn.Dropout(0.1), layers[1], nn.Tanh(), layers[2])
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    rounds = EPOCHS * (len(x) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=rounds)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = -(targets[batch] * torch.log_softmax(net(inputs[batch]), 1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    weights = [[layer.weight.detach().numpy(), layer.bias.detach().numpy()] for layer in layers]
    return {
        "layers": [[weight.round(4).tolist(), bias.round(4).tolist()] for weight, bias in weights],
        "mean": mean.round(5).tolist(),
        "sd": deviation.round(5).tolist(),
    }


def main(argv: list[str]) -> int:
    """Writes the model."""
    parser = argparse.ArgumentParser(prog="python -m bench wardrobe_fit", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="with a folder per class")
    parser.add_argument("--output", type=Path, default=MODEL_FILE)
    arguments = parser.parse_args(argv)
    samples = read_samples(arguments.photos, TAUGHT_BY)
    print(f"{len(samples)} outlines", flush=True)
    model = {**fit_steps(samples), "network": fit_network(samples)}
    arguments.output.write_text(json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0
