"""The generator on real people: `python -m bench repair --clips DIR --json FILE [--sheet FILE.png]`.

How much of the old sleeves is painted over under a garment with shorter ones, how much of the hands is wrongly painted
or covered, and how much the garment flickers beside the plain composite (warp x coverage, lit by low frequencies).
Hands are those labelled by looking in repair_hands.json: clip name -> number of the picture -> polygons in its pixels,
a whole number being a pixel's middle. Every hand to be seen is labelled, fingers and palm as far as the wrist's crease,
the cuff or the watch, on pictures enlarged five times and more: right to a pixel where an edge is sharp and at the half
of the blend, two or three pixels either way, where a hand is in motion. What is wrong with hands is told twice, over
whole labels and (`..._inside`) without the band of HANDS_VOID_PX. Sleeves are taken from limb capsules: the part of the
arm that WORN_TO says is in a sleeve.
`--sheet` draws the composite beside the generator for every clip and garment, to be judged by looking.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.clip import make_fitter, read_clip
from bench.sheet import CLIP_ENDINGS
from bench.steadiness import colour_change, still_steps
from mirror.body import Body, read_body
from mirror.compose import Composer
from mirror.crop import Cropper
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, Person
from mirror.light import torso_shading
from mirror.person import PersonFinder
from mirror.settings import MODELS, WARDROBE
from mirror.tailor import Fitter
from mirror.wardrobe import Garment, Wardrobe

HANDS = Path(__file__).with_name("repair_hands.json")
HANDS_VOID_PX = 1.0
"""Camera pixels: what lies this near to a label's outline is left out of `..._inside`, as benchmarks of segmentation
leave out a void band. Labels are no better than that, and lens and codec mix hand and background in these pixels, which
are a twelfth of a hand at 640 x 480."""
FINE = 4
"""Labels are filled on a raster this many times finer than the picture: they are drawn on half pixels."""
WORN_TO = {"again": 0.35, "help": 0.35, "no": 0.35, "home_selfie": 0.0}
"""How far down the forearm the old sleeve reaches, 1 at the wrist, by looking; WORN_TO_WRIST in the other clips."""
WORN_TO_WRIST = 0.85
SLEEVE_RADIUS, HAND_RADIUS = 0.07, 0.17
"""Shoulder widths: within it an arm's axis is surely sleeve; around a hand nothing is counted as one."""
MIN_SEEN = 0.6
"""Visibility of elbow and wrist above which their arm counts."""
SHORT = ("short", "none")


@dataclass(frozen=True)
class Seen:
    """A picture of a clip and the person on it."""

    frame: Frame
    person: Person
    crop: Crop


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench repair", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips")
    parser.add_argument("--garments", type=Path, default=WARDROBE, help="a wardrobe folder")
    parser.add_argument("--only", help="garments by folder name, comma-separated; default: all")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--frames", type=int, default=60, help="pictures of each clip, evenly spread")
    parser.add_argument("--sheet", type=Path, help="PNG of composite beside generator")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    clips = sorted(p for p in options.clips.iterdir() if p.suffix in CLIP_ENDINGS)
    wardrobe = Wardrobe(options.garments)
    garments = [wardrobe.find(n) for n in options.only.split(",")] if options.only else list(wardrobe.garments)
    if not clips or not garments:
        raise UsageError("There is no clip or no garment to look at: name folders that hold some.")
    figures, rows = Figures(), []
    for clip in clips:
        people, fitter = look_at(clip), make_fitter("neural", options.models)  # it remembers the room and the clothes
        for garment in garments:
            fitter.prepare(garment)
            row = figures.add(clip.stem, people, garment, fitter, options.frames)
            rows += [row] if row is not None else []
            print(f"{clip.stem}, {garment.slug}: {figures.line(clip.stem, garment.slug)}", flush=True)
        fitter.close()
    report = {"garments": [garment.slug for garment in garments]} | figures.summary()
    print(json.dumps(report["all"], indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.sheet and not cv2.imwrite(str(options.sheet), np.vstack(rows)):
        raise UsageError(f"{options.sheet} cannot be written: name a .png in a folder that exists.")
    return 0


def look_at(clip: Path) -> list[Seen | None]:
    """Every picture of a clip with the person on it, None where nobody is found."""
    pictures, fps = read_clip(clip)
    finder, cropper, out = PersonFinder(), Cropper(), []
    for index, image in enumerate(pictures):
        frame = Frame(image, index / fps, index, t_scene=index / fps)
        person = finder.find(frame)
        out.append(None if person is None else Seen(frame, person, cropper.follow(person, frame.size)))
    finder.close()
    return out


class Figures:
    """Collects counts by clip and garment; `summary` makes shares of them."""

    def __init__(self) -> None:
        self.hands = read_hands(HANDS)
        self.counts: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(lambda: [0.0, 0.0])
        )

    def add(
        self, clip: str, people: list[Seen | None], garment: Garment, fitter: Fitter, count: int
    ) -> np.ndarray | None:
        """Fit the garment on `count` pictures, all labelled ones and both of every still pair; returns sheet row."""
        of_clip = self.hands.get(clip, {})
        spread = set(np.linspace(0, len(people) - 1, min(count, len(people))).astype(int).tolist())
        fits = {}
        for index in sorted(spread | set(of_clip)):
            seen = people[index] if index < len(people) else None
            if seen is not None:
                fits[index] = fitter.fit(seen.frame, seen.person, seen.crop, garment)
        counts = self.counts[clip, garment.slug]
        for index, fit in fits.items():
            seen = people[index]
            assert seen is not None
            painted, covered = lifted(fit, seen.frame.size)
            if garment.sleeves in SHORT:
                sleeve = sleeves(seen, WORN_TO.get(clip, WORN_TO_WRIST)) & ~covered
                _count(counts, "sleeve_repaired", painted & sleeve, sleeve)
            if index in of_clip:
                count_hands(counts, painted, covered, labelled(of_clip[index], painted.shape))
        self._flicker(counts, people, fits, garment)
        return _sheet_row(people, fits, garment)

    def _flicker(
        self, counts: dict[str, list[float]], people: list[Seen | None], fits: dict[int, Fit], garment: Garment
    ) -> None:
        nobody = np.full((33, 3), np.nan, np.float32)
        still = still_steps(np.array([seen.person.landmarks if seen else nobody for seen in people]))
        composer = Composer()
        for a, b in pairwise(sorted(fits)):
            first, second = people[a], people[b]
            if b != a + 1 or not still[a] or first is None or second is None:
                continue
            for name, of in (("flicker_levels", lambda fit, _: fit), ("flicker_levels_composite", composite)):
                pair = of(fits[a], first), of(fits[b], second)
                shown = [composer.compose(s.frame, f, garment) for s, f in zip((first, second), pair, strict=True)]
                change = colour_change(shown[0], shown[1], pair)
                if np.isfinite(change):
                    counts[name][0] += change
                    counts[name][1] += 1.0

    def line(self, clip: str, garment: str) -> str:
        return ", ".join(f"{name} {value:.3f}" for name, value in _shares([self.counts[clip, garment]]).items())

    def summary(self) -> dict[str, Any]:
        """{"all": shares, "by_clip": {clip: shares}, "by_garment": {slug: shares}}."""
        out: dict[str, Any] = {"all": _shares(list(self.counts.values()))}
        for place, name in ((0, "by_clip"), (1, "by_garment")):
            keys = sorted({key[place] for key in self.counts})
            out[name] = {k: _shares([c for key, c in self.counts.items() if key[place] == k]) for k in keys}
        return out


def count_hands(counts: dict[str, list[float]], painted: np.ndarray, covered: np.ndarray, hand: np.ndarray) -> None:
    """Adds to the counts what is painted over and what is covered of a mask of hands, whole and without the band."""
    for region, suffix in ((hand, ""), (inside(hand), "_inside")):
        _count(counts, f"hand_repaired{suffix}", painted & region & ~covered, region)
        _count(counts, f"hand_covered{suffix}", covered & region, region)


def _count(counts: dict[str, list[float]], name: str, found: np.ndarray, region: np.ndarray) -> None:
    counts[name][0] += float(found.sum())
    counts[name][1] += float(region.sum())


def _shares(tables: list[dict[str, list[float]]]) -> dict[str, float]:
    names = dict.fromkeys(name for table in tables for name in table)
    totals = {name: np.sum([table[name] for table in tables if name in table], axis=0) for name in names}
    shares = {name: float(found / region) for name, (found, region) in totals.items() if region}
    if shares.get("flicker_levels_composite"):
        shares["flicker_ratio"] = shares["flicker_levels"] / shares["flicker_levels_composite"]
    return shares


def read_hands(path: Path) -> dict[str, dict[int, list[np.ndarray]]]:
    """clip -> number of the picture -> polygons (N, 2), float32, camera pixels."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return {
        clip: {int(number): [np.array(p, np.float32) for p in polygons] for number, polygons in pictures.items()}
        for clip, pictures in table.items()
    }


def labelled(polygons: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """bool (H, W): pixels of which more than half lies in one of the polygons."""
    height, width = shape[:2]
    fine = np.zeros((height * FINE, width * FINE), np.float32)
    for polygon in polygons:  # one by one: where two overlap in one call, fillPoly makes a hole
        cv2.fillPoly(fine, [np.round((polygon + 0.5) * FINE - 0.5).astype(np.int32)], 1.0)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA) > 0.5


def inside(hand: np.ndarray) -> np.ndarray:
    """bool (H, W): the mask without the band along its outline; the picture's rim is no outline."""
    to_the_outline = cv2.distanceTransform(hand.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5
    return to_the_outline > HANDS_VOID_PX


def lifted(fit: Fit, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """bool (H, W) each, on the camera's pixels: where the repair is painted, and where the garment is drawn."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    repair = fit.repair[..., 3] if fit.repair is not None else np.zeros((CANVAS_H, CANVAS_W), np.float32)
    painted, covered = (cv2.warpAffine(m, fit.crop.matrix, size, flags=flags) > 0.5 for m in (repair, fit.coverage))
    return painted, covered


def sleeves(seen: Seen, worn_to: float) -> np.ndarray:
    """bool (H, W): along the arms as far as the old sleeve reaches, on the person, no hand near."""
    body = read_body(seen.person.landmarks, Crop(np.eye(2, 3)))
    mask = np.zeros(seen.person.mask.shape, np.uint8)
    for start, stop in _worn(body, worn_to):
        _draw(mask, start, stop, SLEEVE_RADIUS * body.unit, 1)
    for wrist, tip in body.hands:
        _draw(mask, wrist, tip, HAND_RADIUS * body.unit, 0)
    return (mask > 0) & (seen.person.mask > 0.5)


def _worn(body: Body, worn_to: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for (shoulder, elbow, wrist), visible in zip(body.arms, body.wrists_seen, strict=True):
        yield shoulder + 0.5 * (elbow - shoulder), elbow
        if visible > MIN_SEEN and worn_to > 0.0:
            yield elbow, elbow + worn_to * (wrist - elbow)


def _draw(mask: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float, value: int) -> None:
    ends = [tuple(int(v) for v in np.clip(np.round(p), -2000, 4000)) for p in (a, b)]
    cv2.line(mask, ends[0], ends[1], value, max(1, round(2 * radius)))


def composite(fit: Fit, seen: Seen) -> Fit:
    """The step that the generator must beat: the same warp and coverage, lit by the torso's low frequencies."""
    size = (CANVAS_W, CANVAS_H)
    canvas = cv2.warpAffine(seen.frame.image, fit.crop.matrix, size, borderMode=cv2.BORDER_REPLICATE)
    torso = cv2.warpAffine(seen.person.mask, fit.crop.matrix, size) * (fit.coverage > 0.5)
    return replace(fit, repair=None, shading=torso_shading(canvas, torso))


def _sheet_row(people: list[Seen | None], fits: dict[int, Fit], garment: Garment) -> np.ndarray | None:
    """uint8 picture: for four of the pictures the person, the composite and the generator side by side."""
    composer, cells = Composer(), []
    for index in (sorted(fits)[k] for k in np.linspace(0, len(fits) - 1, 6).astype(int)[1:-1] if fits):
        seen = people[index]
        assert seen is not None
        plain = composer.compose(seen.frame, composite(fits[index], seen), garment)
        for picture in (seen.frame.image, plain, composer.compose(seen.frame, fits[index], garment)):
            cells.append(cv2.warpAffine(picture, seen.crop.matrix, (CANVAS_W, CANVAS_H), flags=cv2.INTER_AREA))
    return np.hstack(cells) if len(cells) == 12 else None
