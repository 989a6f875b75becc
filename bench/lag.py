"""Where lag comes from: `python -m bench lag --source CLIP --delay 1 --json FILE`. Repeatable: no clock is in it.

A clip runs forth and back, picture by picture. The fit of a picture is shown so many pictures later, steadied and
carried along as in the mirror, and what each step adds is read from the same spots of the garment.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.clip import make_fitter, read_clip
from bench.live import SHOULDERS, offline_landmarks, panned
from bench.stability import quantiles
from bench.steadiness import STEADY_REACH, behind_px, movement_px, places_shown, still_steps
from mirror.crop import Cropper
from mirror.follow import Follower
from mirror.frames import Fit, Frame, TryOn
from mirror.hem import Hem
from mirror.person import PersonFinder
from mirror.settings import MODELS, WARDROBE
from mirror.steady import Steadier
from mirror.tailor import Fitter
from mirror.wardrobe import Garment, Wardrobe

SETTLED_AFTER = STEADY_REACH
"""Pictures left out at the beginning."""


@dataclass(frozen=True)
class Carried:
    """One picture as it would be shown. before: the try-on it came from, its fit steadied; fit: that, carried here."""

    frame: Frame
    before: TryOn
    fit: Fit


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench lag", description=__doc__)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--garment", help="default: the first of the wardrobe")
    parser.add_argument("--pan", action="store_true", help="move the clip sideways, up to 200 pixels a second")
    parser.add_argument("--every", type=int, default=1, help="every so many pictures one is fitted")
    parser.add_argument(
        "--delay", type=int, default=1, help="pictures from a fitted one to that shown in its fit first: live 0 to 2"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    pictures, fps = read_clip(options.source)
    loop = pictures + pictures[-2:0:-1]
    if options.pan:
        loop = panned(loop, fps)
    wardrobe = Wardrobe(WARDROBE)
    garment = wardrobe.find(options.garment) if options.garment else wardrobe.garments[0]
    results = fitted(loop, fps, garment, make_fitter(options.engine, options.models, threads=1))
    shown = carried(results, options.every, options.delay)
    result = {
        "source": options.source.name,
        "pan": options.pan,
        "every": options.every,
        "delay": options.delay,
        **figures(results, shown, offline_landmarks(loop), garment),
    }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def fitted(loop: list[np.ndarray], fps: float, garment: Garment, fitter: Fitter) -> list[TryOn]:
    """Every picture of the loop, and some more to settle, with its own fit; where nobody is found, without."""
    finder, cropper, hem, results = PersonFinder(threads=1), Cropper(), Hem(), []
    fitter.prepare(garment)
    for index in range(len(loop) + SETTLED_AFTER):
        frame = Frame(loop[index % len(loop)], index / fps, index, t_scene=index / fps)
        person = finder.find(frame)
        fit = None
        if person is None:
            cropper.reset()
            hem.reset()
        else:
            fit = fitter.fit(frame, person, cropper.follow(person, frame.size), garment)
            fit = hem.hang(fit, garment, frame, person)
        results.append(TryOn(frame, person, fit, garment.slug))
    finder.close()
    return results


def carried(results: list[TryOn], every: int, delay: int) -> list[Carried]:
    """What would be shown of them: of every so many one is fitted, and its fit shown `delay` pictures later."""
    steadier, follower, steadied, shown = Steadier(), Follower(), {}, []
    for index in range(0, len(results), every):
        result = results[index]
        if result.fit is None or result.person is None:
            steadier.reset()
        else:
            steadied[index] = TryOn(result.frame, result.person, steadier.steady(result), result.garment)
    for index in range(SETTLED_AFTER, len(results)):
        fitted = (index - delay) // every * every
        before = steadied.get(fitted)
        if before is not None and results[index].fit is not None:
            frame = results[index].frame
            shown.append(Carried(frame, before, follower.carry(before, frame)))
    return shown


def figures(results: list[TryOn], shown: list[Carried], offline: np.ndarray, garment: Garment) -> dict[str, Any]:
    """The lag as `bench live` has it, and what makes it. offline: (N, 33, 3), landmarks of the loop's pictures.

    placed_px: the same of every picture's own fit, which nothing delays: not lag, but how the networks place.
    steadied_px: of the fits as steadied, on their own pictures. carried_px: between the garment's motion since the
    fitted picture and the shoulders'; moved_px: that of the shoulders. landmarks_px: of the mirror's own shoulders.
    seen: share of pictures in which some spot of the garment is seen. flicker_px: as in `bench stability`.
    """
    body = np.array([offline[r.frame.index % len(offline)][SHOULDERS, :2].mean(0) for r in results])
    own, of_fit = np.array([s.frame.index for s in shown]), np.array([s.before.frame.index for s in shown])
    here = np.array([places_shown(s.fit, garment) for s in shown])
    raw = np.array([places_shown(f, garment) for s in shown if (f := results[s.frame.index].fit) is not None])
    steadied = np.array([places_shown(s.before.fit, garment) for s in shown if s.before.fit is not None])
    live = [p.landmarks[SHOULDERS, :2].mean(0) for s in shown if (p := results[s.frame.index].person) is not None]
    motion = _median(here - steadied)
    moved = body[own] - body[of_fit]
    still = still_steps(np.concatenate([offline, offline[:1]]))
    flicker = [
        movement_px(a.fit, b.fit, a.frame.size)
        for a, b in pairwise(shown)
        if still[a.frame.index % len(offline)] and b.frame.index == a.frame.index + 1
    ]
    return {
        "pictures": len(shown),
        "seen": round(float(np.isfinite(here[..., 0]).any(1).mean()), 3),
        "lag_px": quantiles(behind_px(here, body[own], own).tolist()),
        "placed_px": quantiles(behind_px(raw, body[own], own).tolist()),
        "steadied_px": quantiles(behind_px(steadied, body[of_fit], of_fit).tolist()),
        "carried_px": quantiles(np.linalg.norm(motion - moved, axis=1).tolist()),
        "moved_px": quantiles(np.linalg.norm(moved, axis=1).tolist()),
        "landmarks_px": quantiles(np.linalg.norm(np.array(live) - body[own], axis=1).tolist()),
        "still_steps": len(flicker),
        "flicker_px": quantiles(flicker),
    }


def _median(shifts: np.ndarray) -> np.ndarray:
    """(N, 2) of (N, K, 2): over what is no NaN; NaN where all are."""
    seen = np.isfinite(shifts).all(2)
    return np.array(
        [np.median(row[ok], axis=0) if ok.any() else [np.nan] * 2 for row, ok in zip(shifts, seen, strict=True)]
    )
