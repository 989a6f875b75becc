"""What outlines of garments look like: a statistical model learned from photographs labelled by hand.

Each half of a garment is a chain of places on the outline, neck to hem; the two halves are joined by the neckline and
the hem. For each place the model holds where it lies and how the outline bends there; for each pair of neighbours how
one lies to the other. Left halves are mirrored, so both teach the same chain. Made by `python -m bench wardrobe_fit`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

CHAIN = ("neck", "shoulder", "sleeve_outer", "sleeve_inner", "armpit", "hem")
"""Places of one half, in their order along the outline."""
STYLES = ("short", "spread", "hanging", "none")
"""How one sleeve lies: short; long and away from the body; long and along the body, where the armpit's place on the
outline is the notch between cuff and body; no sleeve."""
MODEL_FILE = Path(__file__).with_name("shapes.json")


def chain_of(style: str) -> tuple[str, ...]:
    """The places that a half of this style has on its outline."""
    return tuple(p for p in CHAIN if style != "none" or not p.startswith("sleeve"))


@dataclass(frozen=True)
class Gauss:
    """A Gaussian: mean (n,), a root (n, n) of the precision (root times its transpose) and the log of its norm."""

    mean: np.ndarray
    root: np.ndarray
    log_norm: float

    @staticmethod
    def of(mean: np.ndarray, covariance: np.ndarray) -> Gauss:
        """From mean and covariance."""
        _, logdet = np.linalg.slogdet(2 * np.pi * covariance)
        return Gauss(mean, np.linalg.cholesky(np.linalg.inv(covariance)), -0.5 * float(logdet))

    def log(self, x: np.ndarray) -> np.ndarray:
        """Log density at x (..., n)."""
        d = (x - self.mean) @ self.root
        return self.log_norm - 0.5 * np.einsum("...i,...i->...", d, d)


@dataclass(frozen=True)
class Network:
    """A small perceptron that tells the places of a half apart by the features of one outline point."""

    layers: list[tuple[np.ndarray, np.ndarray]]
    mean: np.ndarray
    deviation: np.ndarray

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """(n, FEATURES) -> (n, len(CHAIN)): log probability of each place, floored."""
        x = (features - self.mean) / self.deviation
        for i, (weight, bias) in enumerate(self.layers):
            x = x @ weight.T + bias
            if i + 1 < len(self.layers):
                x = np.tanh(x)
        x = x - x.max(1, keepdims=True)
        p = np.exp(x)
        p /= p.sum(1, keepdims=True)
        return np.log(p[:, 1:] + 3e-4)


@dataclass(frozen=True)
class Shapes:
    """steps[style][i]: from chain place i to i + 1; bridges["neck" | "hem"]: from one half to the other; network: what
    the outline looks like at each place."""

    steps: dict[str, list[Gauss]]
    bridges: dict[str, Gauss]
    network: Network


@lru_cache(maxsize=1)
def load() -> Shapes:
    """The model that ships beside this module."""
    raw = json.loads(MODEL_FILE.read_text())

    def gauss(entry: dict) -> Gauss:
        return Gauss.of(np.array(entry["mean"]), np.array(entry["covariance"]))

    return Shapes(
        steps={s: [gauss(e) for e in es] for s, es in raw["steps"].items()},
        bridges={b: gauss(e) for b, e in raw["bridges"].items()},
        network=Network(
            [(np.array(w), np.array(b)) for w, b in raw["network"]["layers"]],
            np.array(raw["network"]["mean"]),
            np.array(raw["network"]["sd"]),
        ),
    )
