"""How far a quantised network's answers lie from its own in full precision, as shares of what is tolerated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mirror.engine import Outputs
from mirror.frames import flow_to_pixels
from mirror.inputs import enlarge, planes
from mirror.maps import supported
from mirror.tryon import colours_of, painted

FLOW_PX = "flow drift, mean, canvas pixels"
COVERAGE_LOSS = "coverage, 1 - IoU"
LEVELS = "picture drift, mean where garment or repair is, levels of 255"
FEATURES = "feature drift, relative"
TOLERATED = {FLOW_PX: 0.7, COVERAGE_LOSS: 0.02, LEVELS: 1.5, FEATURES: 0.05}
"""Drift beyond these counts as too much. A share of 1.0 is just at the limit."""

Drift = dict[str, float]


def flow_drift(wanted: Outputs, found: Outputs, _: dict[str, np.ndarray]) -> Drift:
    """Of the person stage: where the garment is seen."""
    was, now = (np.moveaxis(answer["flow"][0], 0, -1) for answer in (wanted, found))
    seen, sees = (answer["coverage"][0, 0] > 0.5 for answer in (wanted, found))
    apart = np.linalg.norm(flow_to_pixels(was) - flow_to_pixels(now), axis=-1)
    union = int((seen | sees).sum())
    iou = float((seen & sees).sum()) / union if union else 1.0
    return {FLOW_PX: float(apart[seen].mean()) if seen.any() else float(apart.mean()), COVERAGE_LOSS: 1.0 - iou}


def picture_drift(wanted: Outputs, found: Outputs, given: dict[str, np.ndarray]) -> Drift:
    """Of the generator: the finished picture, as the mirror composes it."""
    was, now = compose(wanted, given), compose(found, given)
    touched = given["coverage"][0, 0] > 0.05
    for answer in (wanted, found):
        touched |= answer["repair_mask" if "repair_mask" in answer else "composite_mask"][0, 0] > 0.05
    apart = np.abs(was - now).mean(0) * 127.5
    return {LEVELS: float(apart[touched].mean()) if touched.any() else float(apart.mean())}


def feature_drift(wanted: Outputs, found: Outputs, _: dict[str, np.ndarray]) -> Drift:
    """Of the garment branch."""
    shares = [float(np.abs(found[n] - wanted[n]).mean() / (np.abs(wanted[n]).mean() + 1e-6)) for n in wanted]
    return {FEATURES: max(shares)}


DRIFTS: dict[str, Callable[[Outputs, Outputs, dict[str, np.ndarray]], Drift]] = {
    "cwm_garment": feature_drift,
    "cwm_person": flow_drift,
    "igm": picture_drift,
}


def compose(answer: Outputs, given: dict[str, np.ndarray]) -> np.ndarray:
    """float32 (3, 256, 192), RGB in [-1, 1]: the picture that a generator's answer makes."""
    person, warped, coverage = given["person"][0], given["warped"][0], given["coverage"][0]
    if "rendered" in answer:
        mask = answer["composite_mask"][0] * coverage
        return answer["rendered"][0] * (1.0 - mask) + warped * mask
    below = person + (planes(painted(*colours_of(answer)))[0] - person) * answer["repair_mask"][0]
    if "composite_mask" in answer:
        coverage = supported(coverage) * answer["composite_mask"][0]
    lit = np.clip((warped + 1.0) * enlarge(answer["shading"][0, 0]) - 1.0, -1.0, 1.0)
    return below + (lit - below) * coverage


def mean_drift(drifts: Sequence[Drift]) -> Drift:
    return {name: float(np.mean([drift[name] for drift in drifts])) for name in drifts[0]}


def share_of_tolerated(drift: Drift) -> float:
    """The largest share of its tolerance that any part of the drift takes: at most 1.0 is good enough."""
    return max(value / TOLERATED[name] for name, value in drift.items())
