"""Finding the places of a garment on its outline: an exact search over chains of candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirror.prepare.contour import POINTS, Contour, rotation_matrix
from mirror.prepare.shapes import CHAIN, Gauss, Shapes, chain_of

CANDIDATES = 26
"""Outline points kept for each place, best first, no two of them neighbours."""
LEFT, RIGHT = -1, 1
UNARY_WEIGHT = 3.0
"""What a point looks like against how places lie to each other; chosen among a few values with an eye on the
labelled test photos too, so their error is a little flattered."""
TURN_COST = 5.0
"""What a garment upside down costs against one that is upright: telephones turn photos, but mostly not."""


@dataclass(frozen=True)
class Found:
    """Places on an outline. index[side][place]: point of the contour; styles: of the left and the right half;
    angle: radians to turn the picture clockwise to set the garment upright; score: log density, higher is better."""

    index: dict[int, dict[str, int]]
    styles: tuple[str, str]
    angle: float
    score: float


class _Side:
    """Candidates of one half of an outline, turned by an angle: by its features, and what the network makes of them."""

    def __init__(self, side: int, features: np.ndarray, log_odds: np.ndarray) -> None:
        odds = UNARY_WEIGHT * log_odds
        self.side = side
        self.place = features[:, :2]
        self._steps: dict[tuple[str, str], np.ndarray] = {}
        self.at = {p: _candidates(odds[:, i]) for i, p in enumerate(CHAIN)}
        self.unary = {p: odds[self.at[p], i] for i, p in enumerate(CHAIN)}

    def steps(self, a: str, b: str) -> np.ndarray:
        """(CANDIDATES, CANDIDATES, 3): shift from each a to each b, and the share of the outline between them."""
        if (a, b) not in self._steps:  # the styles share most of them
            i, j = self.at[a], self.at[b]
            shift = self.place[j][None, :] - self.place[i][:, None]
            arc = ((j[None, :] - i[:, None]) * self.side) % POINTS / POINTS  # right halves run clockwise, left against
            self._steps[a, b] = np.concatenate([shift, arc[..., None]], 2)
        return self._steps[a, b]


def _candidates(score: np.ndarray) -> np.ndarray:
    """Indices of the best points, no two of them neighbours."""
    order, kept, blocked = np.argsort(-score), [], np.zeros(len(score) + 1, bool)
    for i in order:
        if not blocked[i]:
            kept.append(i)
            blocked[[i - 1, i + 1 if i + 1 < len(score) else 0]] = True
            if len(kept) == CANDIDATES:
                break
    return np.array(kept)


class _Half:
    """The best chain from every neck candidate to every hem candidate of one half, for one style."""

    def __init__(self, side: _Side, shapes: Shapes, style: str) -> None:
        self.side, self.chain = side, chain_of(style)
        total = np.full((CANDIDATES, CANDIDATES), -np.inf)
        np.fill_diagonal(total, side.unary["neck"])
        self.back: list[np.ndarray] = []
        for a, b, gauss in zip(self.chain[:-1], self.chain[1:], shapes.steps[style], strict=True):
            step = gauss.log(side.steps(a, b)) + side.unary[b][None, :]
            ways = total[:, None, :] + step.T[None]  # from each neck candidate to each b, over each a
            best = ways.argmax(2)
            self.back.append(best)
            total = np.take_along_axis(ways, best[..., None], 2)[..., 0]
        self.total = total

    def path(self, neck: int, hem: int) -> dict[str, int]:
        """Contour points of the best chain between two candidates."""
        out, j = {}, hem
        for place, back in zip(self.chain[:0:-1], self.back[::-1], strict=True):
            out[place] = int(self.side.at[place][j])
            j = int(back[neck, j])
        out["neck"] = int(self.side.at["neck"][neck])
        return out


def _bridge(contour: Contour, gauss: Gauss, angle: float, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(a, b) log density of joining the halves: shift from a to b, share of the outline between, clockwise."""
    place = (contour.points - contour.centre) @ rotation_matrix(angle).T / contour.scale
    shift = place[b][None, :] - place[a][:, None]
    arc = (b[None, :] - a[:, None]) % POINTS / POINTS
    return gauss.log(np.concatenate([shift, arc[..., None]], 2))


def _join(left: _Half, right: _Half, neck: np.ndarray, hem: np.ndarray) -> tuple[float, tuple[int, int, int, int]]:
    """The best pair of half chains: its score and the candidates neck left, hem left, neck right, hem right.

    neck: (left, right), hem: (right, left) log densities of the joints.
    """
    over_hem = left.total[:, None, :] + hem[None]  # neck left, hem right, hem left
    over_neck = neck[:, None, :] + right.total.T[None]  # neck left, hem right, neck right
    both = over_hem.max(2) + over_neck.max(2)
    nl, hr = np.unravel_index(int(both.argmax()), both.shape)
    return float(both[nl, hr]), (int(nl), int(over_hem[nl, hr].argmax()), int(over_neck[nl, hr].argmax()), int(hr))


def merit(found: Found) -> float:
    """The score, less what speaks against a picture turned so far."""
    return found.score - _turn_cost(found.angle)


def _turn_cost(angle: float) -> float:
    return TURN_COST * (1.0 - float(np.cos(angle)))


def find(contour: Contour, shapes: Shapes, angles: np.ndarray, pairs: tuple[tuple[str, str], ...]) -> Found:
    """The best places over the given angles (radians) and pairs of styles (left, right)."""
    return max(find_each(contour, shapes, angles, pairs), key=merit)


def find_each(contour: Contour, shapes: Shapes, angles: np.ndarray, pairs: tuple[tuple[str, str], ...]) -> list[Found]:
    """The best places for each of the given angles."""
    turned = [(angle, side) for angle in angles for side in (LEFT, RIGHT)]
    features = np.array([contour.features(angle, side) for angle, side in turned])
    odds = shapes.network.log_odds(
        features.reshape(-1, features.shape[2])
    )  # at once: one by one takes ten times as long
    sides = [_Side(side, f, o) for (_, side), f, o in zip(turned, features, np.split(odds, len(turned)), strict=True)]
    return [
        _find(contour, shapes, float(angle), {LEFT: left, RIGHT: right}, pairs)
        for angle, left, right in zip(angles, sides[::2], sides[1::2], strict=True)
    ]


def _find(
    contour: Contour, shapes: Shapes, angle: float, sides: dict[int, _Side], pairs: tuple[tuple[str, str], ...]
) -> Found:
    halves = {(i, s): _Half(sides[(LEFT, RIGHT)[i]], shapes, s) for pair in pairs for i, s in enumerate(pair)}
    left_at, right_at = sides[LEFT].at, sides[RIGHT].at
    neck = _bridge(contour, shapes.bridges["neck"], angle, left_at["neck"], right_at["neck"])
    hem = _bridge(contour, shapes.bridges["hem"], angle, right_at["hem"], left_at["hem"])
    best: Found | None = None
    for pair in pairs:
        left, right = halves[0, pair[0]], halves[1, pair[1]]
        score, (nl, hl, nr, hr) = _join(left, right, neck, hem)
        if best is None or score > best.score:
            best = Found({LEFT: left.path(nl, hl), RIGHT: right.path(nr, hr)}, pair, angle, score)
    assert best is not None
    return best
