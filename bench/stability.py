"""How still a garment stays on a still person: `python -m bench stability --source CLIP --json FILE`.

And where unrest comes from: landmarks, mask edge, flow and light, each by itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.clip import Step, make_fitter, read_clip, run_clip
from bench.steadiness import colour_change, joints_moved_px, light_change, mask_change, movement_px, still_steps
from mirror.compose import Composer
from mirror.settings import MODELS, WARDROBE
from mirror.wardrobe import Wardrobe


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench stability", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="a clip in which someone stands still for a while")
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="geometric")
    parser.add_argument("--garment", help="of the shipped wardrobe; default: its first")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    wardrobe = Wardrobe(WARDROBE)
    garment = wardrobe.find(options.garment) if options.garment else wardrobe.garments[0]
    fitter = make_fitter(options.engine, MODELS)
    pictures, fps = read_clip(options.source)
    steps = list(run_clip(pictures, fps, garment, fitter))
    composer, moves, levels = Composer(), [], []
    unrest: dict[str, list[float]] = {"landmarks_px": [], "mask_levels": [], "light_levels": []}
    for a, b in still_pairs(steps):
        assert a.fit is not None and b.fit is not None and a.person is not None and b.person is not None
        unrest["landmarks_px"].append(joints_moved_px(a.person, b.person))
        unrest["mask_levels"].append(mask_change(a.person, b.person))
        unrest["light_levels"].append(light_change(a.fit, b.fit))
        moves.append(movement_px(a.fit, b.fit, a.frame.size))
        shown = [composer.compose(s.frame, fit, garment) for s, fit in ((a, a.fit), (b, b.fit))]
        levels.append(colour_change(shown[0], shown[1], (a.fit, b.fit)))
    result = {
        "source": options.source.name,
        "engine": fitter.name,
        "garment": garment.slug,
        "frames": len(steps),
        "still_steps": len(moves),
        "flicker_px": quantiles(moves),
        "flicker_levels": float(np.nanmean(levels)) if levels else None,
        **{name: quantiles(values) for name, values in unrest.items()},
    }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def still_pairs(steps: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """The steps from one picture to the next in which the person stands still and both are fitted."""
    nobody = np.full((33, 3), np.nan, np.float32)
    still = still_steps(np.array([s.person.landmarks if s.person else nobody for s in steps]))
    for calm, (a, b) in zip(still, pairwise(steps), strict=True):
        if calm and a.fit is not None and b.fit is not None:
            yield a, b


def quantiles(values: list[float]) -> dict[str, float] | None:
    """p50 and p95, NaN left out; None where there is nothing."""
    kept = [v for v in values if np.isfinite(v)]
    return {"p50": float(np.quantile(kept, 0.5)), "p95": float(np.quantile(kept, 0.95))} if kept else None
