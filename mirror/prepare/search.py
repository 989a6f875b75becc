"""Finding the places of a garment on its outline: an exact search over chains of candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mirror.prepare.contour import POINTS, Contour
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
    """Candidates of one half of an outline, turned by each of some angles: by its features (angles, POINTS, FEATURES),
    and what the network makes of them."""

    def __init__(self, side: int, features: np.ndarray, log_odds: np.ndarray) -> None:
        odds = UNARY_WEIGHT * log_odds
        self.side = side
        self.place = features[..., :2]
        self._steps: dict[tuple[str, str], np.ndarray] = {}
        self.at = {p: np.array([_candidates(o[:, i]) for o in odds]) for i, p in enumerate(CHAIN)}
        self.unary = {p: np.take_along_axis(odds[..., i], self.at[p], 1) for i, p in enumerate(CHAIN)}

    def steps(self, a: str, b: str) -> np.ndarray:
        """(angles, CANDIDATES, CANDIDATES, 3): shift from each a to each b, and the share of the outline between."""
        if (a, b) not in self._steps:  # the styles share most of them
            i, j = self.at[a], self.at[b]
            here, there = (np.take_along_axis(self.place, at[..., None], 1) for at in (i, j))
            shift = there[:, None, :] - here[:, :, None]
            arc = ((j[:, None, :] - i[:, :, None]) * self.side) % POINTS / POINTS  # right halves run clockwise
            self._steps[a, b] = np.concatenate([shift, arc[..., None]], 3)
        return self._steps[a, b]


def _candidates(score: np.ndarray) -> np.ndarray:
    """Indices of the best points, no two of them neighbours."""
    order, kept, blocked = np.argsort(-score).tolist(), [], [False] * (len(score) + 1)  # lists: four times as fast
    for i in order:
        if not blocked[i]:
            kept.append(i)
            blocked[i - 1] = blocked[i + 1 if i + 1 < len(score) else 0] = True
            if len(kept) == CANDIDATES:
                break
    return np.array(kept)


class _Half:
    """The best chain from every neck candidate to every hem candidate of one half, at each angle, for one style."""

    def __init__(self, side: _Side, shapes: Shapes, style: str) -> None:
        self.side, self.chain = side, chain_of(style)
        total = np.array([])
        self.back: list[tuple[np.ndarray, np.ndarray]] = []
        for a, b, gauss in zip(self.chain[:-1], self.chain[1:], shapes.steps[style], strict=True):
            step = gauss.log(side.steps(a, b)) + side.unary[b][:, None, :]
            if a == "neck":
                total = side.unary[a][:, :, None] + step
                continue
            self.back.append((total, step))
            total = _best_sum(total, step)
        self.total = total

    def path(self, k: int, neck: int, hem: int) -> dict[str, int]:
        """Contour points of the best chain between two candidates, at angle k."""
        out, j = {}, hem
        for place, (total, step) in zip(self.chain[:1:-1], self.back[::-1], strict=True):
            out[place] = int(self.side.at[place][k, j])
            j = int((total[k, neck] + step[k, :, j]).argmax())
        out[self.chain[1]] = int(self.side.at[self.chain[1]][k, j])
        out["neck"] = int(self.side.at["neck"][k, neck])
        return out


def _best_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, i, k): the greatest a[n, i, j] + b[n, j, k] over j."""
    ahead = np.ascontiguousarray(a.transpose(0, 2, 1))  # the innermost axis is the longest that way
    return np.stack([(one[:, :, None] + other[:, None]).max(0) for one, other in zip(ahead, b, strict=True)])


def _bridge(contour: Contour, gauss: Gauss, angles: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(angles, a, b) log density of joining the halves: shift from a to b, share of the outline between, clockwise."""
    place = contour.turned(angles)
    here, there = (np.take_along_axis(place, at[..., None], 1) for at in (a, b))
    shift = there[:, None, :] - here[:, :, None]
    arc = (b[:, None, :] - a[:, :, None]) % POINTS / POINTS
    return gauss.log(np.concatenate([shift, arc[..., None]], 3))


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
    features = np.array([contour.features(angles, side) for side in (LEFT, RIGHT)])
    odds = shapes.network.log_odds(features.reshape(-1, features.shape[3]))  # one by one takes ten times as long
    left, right = (
        _Side(side, f, o)
        for side, f, o in zip((LEFT, RIGHT), features, odds.reshape(*features.shape[:3], -1), strict=True)
    )
    halves = {
        (side.side, s): _Half(side, shapes, s) for pair in pairs for side, s in zip((left, right), pair, strict=True)
    }
    neck = _bridge(contour, shapes.bridges["neck"], angles, left.at["neck"], right.at["neck"])
    hem = _bridge(contour, shapes.bridges["hem"], angles, right.at["hem"], left.at["hem"]).transpose(0, 2, 1)
    best: list[Found | None] = [None] * len(angles)
    over_hem = {style: _best_sum(halves[LEFT, style].total, hem) for style in {left for left, _ in pairs}}
    over_neck = {style: _best_sum(neck, halves[RIGHT, style].total) for style in {right for _, right in pairs}}
    for pair in pairs:
        one, other = halves[LEFT, pair[0]], halves[RIGHT, pair[1]]
        both = over_hem[pair[0]] + over_neck[pair[1]]  # neck left, hem right
        for k, angle in enumerate(angles):
            nl, hr = (int(i) for i in np.unravel_index(int(both[k].argmax()), both[k].shape))
            score, so_far = float(both[k, nl, hr]), best[k]
            if so_far is None or score > so_far.score:
                hl = int((one.total[k, nl] + hem[k, :, hr]).argmax())
                nr = int((neck[k, nl] + other.total[k, :, hr]).argmax())
                best[k] = Found({LEFT: one.path(k, nl, hl), RIGHT: other.path(k, nr, hr)}, pair, float(angle), score)
    return [found for found in best if found is not None]
