"""Photos -> garments, in figures: accepted, doubtful, refused by class; landmark error on photos labelled by hand.

`python -m bench wardrobe --photos DIR`, DIR holding a folder per class of clothing-dataset (CC0). What was judged by
looking at the contact sheets stands in wardrobe_judged.json and is reported with the figures. A run that was stopped
goes on where it was if --results names the same file.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mirror.errors import GarmentError
from mirror.wardrobe import LANDMARKS

LABELS = Path(__file__).with_name("wardrobe_labels.json")
JUDGED = Path(__file__).with_name("wardrobe_judged.json")
CLASSES = {"t-shirt": 124, "longsleeve": 166, "shirt": 50, "polo": 30, "hoodie": 20}
"""Photos drawn of each class. The earlier draws left no T-shirts and long sleeves: these were all seen before."""
SEED = 103
EARLIER = {
    11: {"t-shirt": 120, "longsleeve": 150, "shirt": 14, "polo": 8, "hoodie": 8},
    29: {"t-shirt": 130, "longsleeve": 160, "shirt": 14, "polo": 8, "hoodie": 8},
    41: {"t-shirt": 21},
    53: {"t-shirt": 130},
    67: {"t-shirt": 130, "longsleeve": 160, "shirt": 14, "polo": 8, "hoodie": 8},
    83: {"t-shirt": 130, "longsleeve": 26},
    97: {"t-shirt": 106, "longsleeve": 24, "shirt": 110, "polo": 40, "hoodie": 30},
}
"""Draws, oldest first, after which something was changed: later draws have none of their photos, nor any labelled, as
long as others are left."""
STATES = ("accepted", "doubtful", "refused")
TILE_PX, COLUMNS, ROWS = (190, 250), 8, 4


def read_labels(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """part (development, checked, later, test) -> photo ("class/name") -> float64 (13, 2), photo pixels."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return {
        part: {name: np.array([point[mark] for mark in LANDMARKS], np.float64) for name, point in photos.items()}
        for part, photos in table.items()
        if isinstance(photos, dict)
    }


def draw_photos(photos: Path, seed: int) -> list[str]:
    """Names of the photos to try: at random, none that taught the shape model, and first none of an earlier draw."""
    labels = read_labels(LABELS)
    taught = {name for part in labels if part != "test" for name in labels[part]}
    seen: set[str] = set()
    for earlier, classes in EARLIER.items():
        drawn = _first(photos, earlier, classes, taught, seen)
        if earlier == seed:
            return drawn
        seen |= set(labels["test"]) | set(drawn)
    return _first(photos, seed, CLASSES, taught, seen)


def _first(photos: Path, seed: int, counts: dict[str, int], without: set[str], seen: set[str]) -> list[str]:
    """Photos of each class, none of `without`, those of `seen` last."""
    rng = np.random.default_rng(seed)
    drawn = []
    for kind, count in counts.items():
        there = sorted(f"{kind}/{file.stem}" for file in (photos / kind).glob("*.jpg"))
        shuffled = [there[i] for i in rng.permutation(len(there))]
        drawn += sorted((name for name in shuffled if name not in without), key=seen.__contains__)[:count]
    return drawn


def try_photo(photos: Path, name: str, sheet: Path | None) -> dict[str, Any]:
    """One photo prepared: its state, why, CPU and wall seconds; a tile for the contact sheets is left in `sheet`."""
    from mirror.prepare import load_photo, prepare

    wall, cpu = time.perf_counter(), time.process_time()
    try:
        prepared = prepare(load_photo(photos / f"{name}.jpg"), "x", "x")
    except GarmentError as error:
        return {"state": "refused", "why": str(error)}
    row = {
        "state": "doubtful" if prepared.doubts else "accepted",
        "why": "; ".join(prepared.doubts),
        "sleeves": prepared.garment.sleeves,
        "quality": {name: round(value, 3) for name, value in vars(prepared.quality).items()},
        "points": prepared.points.round(1).tolist(),
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }
    if sheet is not None:
        path = sheet / row["state"] / f"{name.replace('/', '_')}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), _tile(prepared.garment, name))
    return row


def _tile(garment: Any, name: str) -> np.ndarray:
    """A garment on green with its landmarks, its name below."""
    from mirror.prepare.drawing import COLOURS, flat
    from mirror.prepare.judge import polygon

    width, height = TILE_PX
    tile = np.zeros((height, width, 3), np.uint8)
    cloth = flat(garment.picture, (60, 200, 60))
    scale = min(width / cloth.shape[1], (height - 14) / cloth.shape[0])
    cloth = cv2.resize(cloth, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if garment.inner is not None:
        inner = (cv2.resize(garment.inner, cloth.shape[1::-1], interpolation=cv2.INTER_AREA) > 127).astype(np.uint8)
        edges, _ = cv2.findContours(inner, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(cloth, edges, -1, (255, 255, 0), 1)
    cv2.polylines(cloth, [np.round(polygon(garment.landmarks) * scale).astype(np.int32)], True, (255, 255, 255), 1)
    for mark, point in zip(LANDMARKS, garment.landmarks * scale, strict=True):
        colour = next(c for part, c in COLOURS.items() if mark.startswith(part))
        cv2.circle(cloth, (round(float(point[0])), round(float(point[1]))), 3, colour, -1)
    tile[: cloth.shape[0], : cloth.shape[1]] = cloth
    kind, stem = name.split("/")
    cv2.putText(tile, f"{kind} {stem[:8]}", (2, height - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1)
    return tile


def write_sheets(sheet: Path) -> None:
    """Contact sheets of the tiles, by state and class."""
    for state in STATES:
        for kind in CLASSES:
            files = sorted((sheet / state).glob(f"{kind}_*.png"))
            for page in range(0, len(files), COLUMNS * ROWS):
                tiles = [cv2.imread(str(file)) for file in files[page : page + COLUMNS * ROWS]]
                tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
                rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
                cv2.imwrite(str(sheet / f"{state}-{kind}-{page // (COLUMNS * ROWS)}.png"), np.vstack(rows))


def label_errors(rows: dict[str, dict[str, Any]]) -> dict[str, np.ndarray]:
    """Photo of the test labels -> distances (13,), shares of the garment's height (middle of neck to middle of hem)."""
    errors = {}
    for name, labels in read_labels(LABELS)["test"].items():
        if name in rows and "points" in rows[name]:
            at = dict(zip(LANDMARKS, labels, strict=True))
            height = np.linalg.norm((at["hem_left"] + at["hem_right"] - at["neck_left"] - at["neck_right"]) / 2)
            errors[name] = np.linalg.norm(np.array(rows[name]["points"]) - labels, axis=1) / height
    return errors


def report(rows: dict[str, dict[str, Any]], drawn: list[str], seed: int) -> str:
    """The figures as Markdown."""
    lines = ["| class | photos | accepted | doubtful | refused | accepted % |", "|---|---|---|---|---|---|"]
    for kind in CLASSES:
        states = [rows[n]["state"] for n in drawn if n in rows and n.startswith(f"{kind}/")]
        if states:
            counts = [states.count(state) for state in STATES]
            cells = " | ".join(str(c) for c in counts)
            lines.append(f"| {kind} | {len(states)} | {cells} | {100 * counts[0] / len(states):.0f} |")
    for state in STATES[:2]:
        timed = [rows[n] for n in drawn if n in rows and rows[n]["state"] == state]
        if timed:
            cpu, wall = (np.array([row[clock] for row in timed]) for clock in ("cpu_s", "wall_s"))
            lines.append(
                f"\nSeconds a photo, {state}: CPU {np.median(cpu):.2f} median, {np.percentile(cpu, 95):.2f} at 95 %;"
                f" wall clock {np.median(wall):.2f}, {np.percentile(wall, 95):.2f}, {wall.max():.2f} at most."
            )
    errors = label_errors(rows)
    if errors:
        kept = {n: e for n, e in errors.items() if rows[n]["state"] == "accepted"}
        for words, chosen in (("all", errors), ("accepted", kept)):
            table = np.array(list(chosen.values()))
            if len(table):
                lines.append(
                    f"\nLandmark error, {words} {len(table)} labelled photos: mean {100 * table.mean():.2f} %,"
                    f" median {100 * np.median(table):.2f} % of the garment's height."
                )
        each = np.array(list(kept.values())).mean(0) * 100 if kept else np.array([])
        lines.append("By landmark: " + ", ".join(f"{m} {e:.1f}" for m, e in zip(LANDMARKS, each, strict=False)) + ".")
    lines.append(_judgement(rows, seed))
    return "\n".join(lines)


def _judgement(rows: dict[str, dict[str, Any]], seed: int) -> str:
    """What was found by looking at accepted photos of this draw."""
    judged = json.loads(JUDGED.read_text(encoding="utf-8")).get(str(seed))
    if judged is None:
        return "\nNobody has looked at this draw."
    lines = [f"\nLooked at: {judged['about']}"]
    for kind in CLASSES:
        seen = [n for n in judged["seen"] if n.startswith(f"{kind}/") and rows.get(n, {}).get("state") == "accepted"]
        wrong = [n for n in seen if n in judged["wrong"]]
        if seen:
            share = 100 * (1 - len(wrong) / len(seen))
            lines.append(f"\n{kind}: {len(seen)} accepted looked at, {len(seen) - len(wrong)} right ({share:.1f} %).")
            lines += [f"* wrong: {n}: {judged['wrong'][n]}" for n in wrong]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench wardrobe", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="with a folder per class")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--results", type=Path, metavar="FILE.json", help="kept after every photo; a run goes on from it"
    )
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="contact sheets to judge by")
    parser.add_argument("--labelled-only", action="store_true", help="only the photos labelled for the test")
    arguments = parser.parse_args(argv)
    if not arguments.photos.is_dir():
        print(f"bench: There are no photos at {arguments.photos}; nothing was measured.")
        return 2
    cv2.setNumThreads(2)
    labelled = [n for n in read_labels(LABELS)["test"] if (arguments.photos / f"{n}.jpg").is_file()]
    drawn = [] if arguments.labelled_only else draw_photos(arguments.photos, arguments.seed)
    rows: dict[str, dict[str, Any]] = {}
    if arguments.results and arguments.results.is_file():
        rows = json.loads(arguments.results.read_text(encoding="utf-8"))
    for name in [*labelled, *drawn]:
        if name not in rows:
            rows[name] = try_photo(arguments.photos, name, arguments.sheets)
            if arguments.results:
                arguments.results.write_text(json.dumps(rows), encoding="utf-8")
    if arguments.sheets:
        write_sheets(arguments.sheets)
    print(report(rows, drawn, arguments.seed))
    return 0
