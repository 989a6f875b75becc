"""A garment photographed in uneven light is evened: a sleeve in shade, one side by the window, a tint on one half.

Cloth is sewn alike on the left and on the right; light falls as it likes. So both halves are unfolded onto the same
panels through the landmarks and compared. Where the same cloth is darker or tinted on one side only, and changes
slowly, that is light, and the half that is further from the garment's usual colour gets most of a smooth gain for each
channel. What is alike on both sides (raglan sleeves, bands, prints) cancels out. A difference that is too large for
light, or changes at a hard edge, or where too little plain cloth shows, is taken for the garment's design and left. On
plain garments a slow change from top to bottom goes, too. Of 255 garments from photos 187 were changed, mostly little;
of the 150 that changed most, looked at before and after, one was the worse for it, whose light sleeves were taken for
lit ones: since then a garment whose sleeves may be of another cloth than its torso is left.

Source of the method: E. H. Land, J. J. McCann, "Lightness and retinex theory", 1971 (light changes slowly, cloth
abruptly), and J. von Kries, 1902 (a gain for each channel). Comparing the halves is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mirror.garment import Garment
from mirror.prepare.cores import in_halves

SIDES = ("left", "right")
PANELS = {"sleeve": (16, 14), "torso": (30, 20)}
"""Rows and columns of one side's panels: a sleeve from the shoulder to the cuff and from its upper edge to its lower,
the torso from the neck to the hem and from the middle outwards."""
ARMPIT_ROW = 10
"""The torso's row at the armpit, whose height is seldom a third of the way down exactly."""
WORK_SIDE_PX = 240
"""Light changes slowly: a small picture tells it."""
FLARE = 8.0
"""Levels added before logarithms are taken: in black cloth a few levels are noise, not light."""
RIM_PX = 2
"""Of the small picture's garment, along its outline: shaded by its own thickness, not looked at."""
TINT_WEIGHT = 2.0
"""What a difference in tint counts against one in lightness."""
SPREAD = np.array([0.20, 0.07, 0.07], np.float32)
"""How far cloth of one colour is off its usual lightness and tints, for finding that colour."""
FLAT = 0.02
"""What holds the light flat where no cloth tells it, against a panel full of cloth."""
TOLERANCES = ((0.60, 0.25), (0.40, 0.18), (0.25, 0.12), (0.18, 0.08))
"""How far cloth may be off the light found so far, round by round: logarithms of lightness and tint."""
PLAIN = (0.25, 0.12)
"""Within which it is plain cloth in the end."""
MIN_PLAIN = {"sleeve": 0.62, "torso": 0.40}
"""Shares of a panel that must be plain cloth, prints being usual on the torso."""
MOST_LIGHT, MOST_TINT = 0.80, 0.30
"""Logarithms of what light does to one side against the other; more is cloth of another colour."""
OTHER_CLOTH = 0.25
"""Logarithm by which a sleeve that is lighter than the torso, or two that are darker, are of another cloth."""
MOST_OF = 95
"""Percentile that counts as the most, light being least sure in the corners."""
MOST_LEFT, MOST_HARD = 0.60, 0.10
"""What a smooth change may leave of the difference that it explains, and logarithms of what is left that no folds and
shadows make: hard edges leave more."""
MOST_SEAM = 0.16
"""At the middle of the torso, where the halves meet, light is the same on both; halves of two colours are not."""
MIN_PLAIN_ALL, MOST_SLOPE, MOST_TINTED, MOST_STEP = 0.65, 0.45, 0.15, 0.09
"""From what share of plain cloth on, and up to what logarithms, a change that both sides share is light as well; what
changes more was dyed so, and what changes suddenly from row to row was sewn so."""
FOLDS = 1.5
"""Cells within which cloth is lit unevenly by its folds."""
LEAST = 0.12
"""A picture that would change less than this everywhere stays as it is."""
FINER, FIELD_PX = 4, 120
"""The gains are laid on a picture this large, from panels so many times finer, and smoothed by SEAMS pixels there."""
SEAMS = ((1.5, 1.0), (5.0, 1e-2), (30.0, 1e-4))
"""Gaussians and their weights: across seams a sharp one, beyond the panels whatever reaches there."""


@dataclass(frozen=True)
class Panel:
    """One side's part, unfolded. log, light: float32 (rows, columns, 3), its colours and the dominant cloth's under the
    light there, as of `to_log`; on: bool, where the garment is; plain: bool, where it is that cloth."""

    log: np.ndarray
    on: np.ndarray
    light: np.ndarray
    plain: np.ndarray

    @property
    def share(self) -> float:
        """Of plain cloth."""
        return float(self.plain.sum()) / max(1, int(self.on.sum()))


def to_log(bgr: np.ndarray) -> np.ndarray:
    """float32 (..., 3): lightness, redness and blueness of uint8 colours; what light multiplies is added here."""
    log = np.log((bgr.astype(np.float32) + FLARE) / (255.0 + FLARE))
    light = log.mean(-1)
    return np.stack([light, log[..., 2] - light, log[..., 0] - light], -1)


def to_gain(log: np.ndarray) -> np.ndarray:
    """float32 (..., 3): gains of blue, green and red for differences as of `to_log`."""
    light, red, blue = log[..., 0], log[..., 1], log[..., 2]
    return np.exp(np.stack([light + blue, light - red - blue, light + red], -1))


def evened(garment: Garment) -> Garment:
    """The garment with its light evened; the same garment where it is even already or what differs may be design."""
    panels = _panels(garment)
    if panels is None:
        return garment
    usual = _dominant(np.concatenate([p.log[p.on] for p in panels["torso"]]))
    lighter = [float(np.median(p.light[..., 0] - usual[0])) for p in panels.get("sleeve", ())]
    other = bool(lighter) and (max(lighter) > OTHER_CLOTH or max(lighter) < -OTHER_CLOTH)
    if other or _two_cloths(panels["torso"]):  # which may go on over a sleeve
        return garment
    change = {part: _halves_evened(part, pair, usual) for part, pair in panels.items()}
    slope = _slope(panels["torso"], usual)
    change["torso"] -= slope
    if "sleeve" in change:  # goes on as the torso ends, so that no step appears at the seam
        change["sleeve"] -= slope[:ARMPIT_ROW, -3:].mean((0, 1))
    if max(float(_size(c).max()) for c in change.values()) < LEAST:
        return garment
    return replace(garment, picture=in_halves(_lit, garment.picture, _field(garment, change)))


def _lit(picture: np.ndarray, change: np.ndarray) -> np.ndarray:
    """A picture (uint8 HxWx4) with its colours changed by a difference of `to_log` (float32 HxWx3)."""
    lit = (picture[..., :3] + np.float32(FLARE)) * to_gain(change) - FLARE
    colours = np.where(picture[..., 3:] > 0, np.clip(lit + 0.5, 0, 255), 0)
    return np.dstack([colours.astype(np.uint8), picture[..., 3]])


def _size(log: np.ndarray) -> np.ndarray:
    """How large differences of colour (..., 3) are."""
    return np.sqrt(log[..., 0] ** 2 + TINT_WEIGHT**2 * (log[..., 1] ** 2 + log[..., 2] ** 2))


def _tint(log: np.ndarray) -> np.ndarray:
    return np.hypot(log[..., 1], log[..., 2])


def _panels(garment: Garment) -> dict[str, tuple[Panel, Panel]] | None:
    """Both sides of the parts that the garment has, or None where hardly anything of one is seen."""
    ratio = WORK_SIDE_PX / max(garment.picture.shape[:2])
    small = cv2.resize(garment.picture, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    inner = np.ones((2 * RIM_PX + 1, 2 * RIM_PX + 1), np.uint8)
    solid = cv2.erode((small[..., 3] > 200).astype(np.uint8), inner, borderValue=0)
    log = to_log(small[..., :3])
    found = {}
    for part in PANELS:
        if part == "sleeve" and garment.sleeves == "none":
            continue
        seen = []
        for side in SIDES:
            at = ((_grid(garment, side, part) + 0.5) * ratio - 0.5).astype(np.float32)
            on = cv2.remap(solid, at, None, cv2.INTER_NEAREST) > 0  # type: ignore[call-overload]
            if on.mean() < 0.1:
                return None
            seen.append((cv2.remap(log, at, None, cv2.INTER_LINEAR), on))  # type: ignore[call-overload]
        alone = [_dominant(colours[on]) for colours, on in seen]
        together = _dominant(np.concatenate([colours[on] for colours, on in seen]))
        start = [together] * 2 if part == "torso" else alone
        found[part] = tuple(_panel(colours, on, first) for (colours, on), first in zip(seen, start, strict=True))
    return found  # type: ignore[return-value]


def _grid(garment: Garment, side: str, part: str) -> np.ndarray:
    """float64 (rows, columns, 2): where a panel's cells lie, picture pixels."""
    rows, columns = PANELS[part]
    across = ((np.arange(columns) + 0.5) / columns)[None, :, None]

    def between(start: tuple[np.ndarray, np.ndarray], end: tuple[np.ndarray, np.ndarray], count: int) -> np.ndarray:
        down = ((np.arange(count) + 0.5) / count)[:, None, None]
        first, last = (a + across * (b - a) for a, b in (start, end))
        return first + down * (last - first)

    def at(name: str) -> np.ndarray:
        return np.asarray(garment.point(f"{name}_{side}"), np.float64)

    def middle(name: str) -> np.ndarray:
        return np.mean([garment.point(f"{name}_{s}") for s in SIDES], 0, np.float64)

    if part == "sleeve":
        return between((at("shoulder"), at("armpit")), (at("sleeve_outer"), at("sleeve_inner")), rows)
    neck, chest, hem = ((middle(a), at(b)) for a, b in (("neck", "shoulder"), ("armpit", "armpit"), ("hem", "hem")))
    return np.concatenate([between(neck, chest, ARMPIT_ROW), between(chest, hem, rows - ARMPIT_ROW)])


def _dominant(log: np.ndarray) -> np.ndarray:
    """float32 (3,): the colour that most of log (n, 3) is about."""
    some = log[:: max(1, len(log) // 300)] / SPREAD
    square = (some * some).sum(1)
    best = some[np.exp(some @ some.T - 0.5 * (square[:, None] + square)).sum(1).argmax()]
    for _ in range(3):  # mean shift
        near = np.exp(-0.5 * ((some - best) ** 2).sum(1))
        best = (near[:, None] * some).sum(0) / near.sum()
    return (best * SPREAD).astype(np.float32)


def _panel(log: np.ndarray, on: np.ndarray, start: np.ndarray) -> Panel:
    """The dominant cloth's light, followed from its usual colour (3,) by a smooth mean that forgets what is off it."""
    light = np.broadcast_to(start, log.shape)
    for tolerance in TOLERANCES:
        off = log - light
        fits = (off[..., 0] / tolerance[0]) ** 2 + (_tint(off) / tolerance[1]) ** 2
        light = _smooth(log, (on * np.exp(-0.5 * fits)).astype(np.float32))
    off = log - light
    return Panel(log, on, light, on & (np.abs(off[..., 0]) < PLAIN[0]) & (_tint(off) < PLAIN[1]))


def _smooth(log: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The surface of second degree that fits log (rows, columns, 3) best where it weighs, flat where nothing says."""
    v, u = (m.ravel() for m in np.meshgrid(*(np.linspace(-1, 1, count) for count in weight.shape), indexing="ij"))
    terms = np.stack([np.ones_like(u), u, v, u * v, u * u - 1 / 3, v * v - 1 / 3], 1)
    weighed = terms * weight.reshape(-1, 1)
    normal = weighed.T @ terms + np.diag([1e-6] + [FLAT * weight.size] * 5)
    return (terms @ np.linalg.solve(normal, weighed.T @ log.reshape(-1, 3))).reshape(log.shape).astype(np.float32)


def _two_cloths(torso: tuple[Panel, Panel]) -> bool:
    """Whether the halves of the torso differ where they meet, or along hard edges, as no light makes them."""
    if min(p.share for p in torso) < MIN_PLAIN["torso"]:
        return False
    return _rms((torso[0].light - torso[1].light)[:, :2]) > MOST_SEAM or _left_over(torso) > MOST_HARD


def _halves_evened(part: str, pair: tuple[Panel, Panel], usual: np.ndarray) -> np.ndarray:
    """float32 (2, rows, columns, 3): what to add to each side to make them alike; zero where they may be meant to
    differ, or too little plain cloth tells."""
    apart = pair[0].light - pair[1].light
    light, tint = np.percentile(np.abs(apart[..., 0]), MOST_OF), np.percentile(_tint(apart), MOST_OF)
    plain = min(p.share for p in pair) >= MIN_PLAIN[part]
    if not plain or light > MOST_LIGHT or tint > MOST_TINT or _left_over(pair) > MOST_LEFT * _rms(apart):
        return np.zeros((2, *apart.shape), np.float32)
    if part == "torso":  # nothing in the middle, where it is one and the same cloth
        columns = apart.shape[1]
        apart = apart * ((np.arange(columns, dtype=np.float32) + 0.5) / columns)[:, None]
    off = [float(_size(np.median(p.light - usual, (0, 1)))) ** 2 + 1e-3 for p in pair]
    return np.stack([-off[0] / sum(off) * apart, off[1] / sum(off) * apart])


def _left_over(pair: tuple[Panel, Panel]) -> float:
    """What of the two sides' difference is no smooth change, root mean square."""
    return _rms(_rest(pair[0]) - _rest(pair[1]))


def _slope(torso: tuple[Panel, Panel], usual: np.ndarray) -> np.ndarray:
    """float32 (rows, columns, 3): how the light that both sides share changes over a plain torso; zero where the cloth
    may."""
    both = (torso[0].light + torso[1].light) / 2 - usual
    both = both - np.median(both, (0, 1))
    low, high = np.percentile(both.reshape(-1, 3), (100 - MOST_OF, MOST_OF), axis=0)
    plain = min(p.share for p in torso) >= MIN_PLAIN_ALL
    slow = (high - low)[0] < MOST_SLOPE and (high - low)[1:].max() < MOST_TINTED
    return both if plain and slow and _step(torso) < MOST_STEP else np.zeros_like(both)


def _step(torso: tuple[Panel, Panel]) -> float:
    """How suddenly the lightness of the cloth changes from one row to the next but one, where it does most."""
    plain = np.hstack([p.plain for p in torso])
    rest = np.hstack([(p.log - p.light)[..., 0] for p in torso]) * plain
    rows = rest.sum(1) / np.maximum(plain.sum(1), 0.3 * plain.shape[1])
    pairs = (rows[1:] + rows[:-1]) / 2
    return float(np.abs(pairs[3:] - pairs[:-3]).max())


def _rest(panel: Panel) -> np.ndarray:
    """The colours of plain cloth without its light, without folds: small where the light was told well."""
    plain = panel.plain.astype(np.float32)
    near = cv2.GaussianBlur(plain, (0, 0), FOLDS)
    return cv2.GaussianBlur((panel.log - panel.light) * plain[..., None], (0, 0), FOLDS) / (near[..., None] + 0.1)


def _rms(log: np.ndarray) -> float:
    return float(np.sqrt((_size(log) ** 2).mean()))


def _field(garment: Garment, change: dict[str, np.ndarray]) -> np.ndarray:
    """float32 HxWx3: the change at every pixel of the picture."""
    height, width = garment.picture.shape[:2]
    ratio = FIELD_PX / max(height, width)
    rows, columns = (int(np.ceil(length * ratio)) for length in (height, width))
    total, weight = np.zeros((rows, columns, 3), np.float32), np.zeros((rows, columns, 1), np.float32)
    for part, sides in change.items():  # where a sleeve lies on the torso it is what is seen
        for side, panel in zip(SIDES, sides, strict=True):
            at = _grid(garment, side, part) * ratio
            at, values = (
                cv2.resize(m, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR).reshape(-1, m.shape[2])
                for m in (at, panel)
            )
            x, y = np.clip(np.rint(at).astype(int), 0, [columns - 1, rows - 1]).T
            added, count = np.zeros_like(total), np.zeros_like(weight)
            np.add.at(added, (y, x), values)
            np.add.at(count, (y, x), 1.0)
            free = (count > 0) & (weight == 0)
            total += np.where(free, added / np.maximum(count, 1.0), 0.0)
            weight += free
    field, near = np.zeros_like(total), np.full_like(weight, 1e-9)
    for sigma, trust in SEAMS:
        field += trust * cv2.GaussianBlur(total, (0, 0), sigma)
        near += trust * cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    return cv2.resize(field / near, (width, height), interpolation=cv2.INTER_LINEAR)
