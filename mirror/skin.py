"""A picture -> where the person's own skin is in it: `skin_colour`, `skin_likeness`, and the `Palette` behind it.

One code for the live mirror and for training, as in `maps.py`: batched, arrays of any kind that `either.py` knows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from mirror import either
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.maps import MAP_H, MAP_W, hand_end, person_points, torso_frame

_YCC = np.array([[0.135, 0.264, 0.051], [-0.253, -0.497, 0.75], [0.75, -0.628, -0.122]], np.float32)
"""RGB -> the colours that skin is compared in: brightness, which light changes, counts less than the hue."""
_SHADES = np.array([0.5, 0.65, 0.8, 0.95, 1.1, 1.25], np.float32)
"""Of the face's colour, that hands and arms may have in other light."""
_ON_GRID = np.stack(np.meshgrid(np.linspace(-0.42, 0.42, 6), np.linspace(0.1, 0.95, 6))).reshape(2, -1)
_ON_RIBBON = np.array([(side * 0.16 * (1.0 - v / 0.6), v) for v in np.linspace(0.1, 0.6, 9) for side in (-1.0, 1.0)]).T
_ON_TORSO = np.hstack([_ON_GRID, _ON_RIBBON]).astype(np.float32)
"""Where on the torso clothes are looked at: shares of its width and height from the middle of the shoulders. Some lie
where a lanyard's ribbon hangs, which is no skin either."""
_CLOTH_SHADES = np.array([1.0, 0.9, 0.8, 0.7, 0.6], np.float32)
"""Of a top's colours, that its hem may have in shadow."""
_TOP_ROWS = 5
"""Rows of the grid, of 6 places each, that what is worn above the hips covers for certain."""
_ON_ARMS = {
    ("shoulder", "elbow"): np.array([0.2, 0.45, 0.7, 0.9], np.float32),
    ("elbow", "wrist"): np.array([0.1, 0.3], np.float32),
}
PLACES_ON_TORSO = _ON_TORSO.shape[1]
"""The first so many of a palette's clothes were seen there, the others on the arms, which may be bare."""
_RIBBON, _GROWN = np.ones((5, 5), np.uint8), np.ones((9, 9), np.uint8)
_FINGERS = 2.2
"""How far fingers reach from the wrist, in its distances to the knuckles."""
HAND_AWAY = 0.2
"""A place of the clothes that is nearer to a hand, in shoulder widths, is taken for hidden by it."""
_AROUND_R, _FINGERS_FROM = 0.45, (0.05, 0.15)
"""`hand_zones`: its radius, and how far past the wrist, as it is found, which may lie in the cuff, fingers begin; in
shoulder widths."""
_SKIN_APART, _SKIN_ON_CLOTH, HIDDEN = 0.05, 0.1, 4.0
"""A place of the clothes whose colour is nearer to skin than the first may be a bare arm: it counts as farther away."""
_ALIKE, _FEW, _SOME, _FEW_ON_CLOTH = 0.06, 8.0, 2.5, 0.06
_FEW_APART = (0.2, 0.06)
"""Nor are clothes what few places show (of that likeness in colour), if it is no farther from skin than these: there a
hand in shadow was looked at, whose fingers reach farther than its landmarks tell."""
_AS_GOOD = 0.01
"""Colours no farther apart count as one, where time matters."""
_CONTRAST, _SKIN_REACH = 30.0, 0.16
"""How sharply skin is told from cloth; how far from the face's colours, lighter and darker, skin may be at all."""


class Palette(NamedTuple):
    """The colours that tell a person's skin from what they wear, as `likeness` compares them."""

    skin: Any
    """float32 (B, s, 3): the face's colour, lighter and darker."""
    cloth: Any
    """float32 (B, k, 3): of the clothes, at places on torso and arms."""
    costs: Any
    """float32 (B, k): by so much squared distance they count as farther away: HIDDEN where a place is not seen."""
    away: Any
    """float32 (B, k): how far from the hands the places are, in shoulder widths; 0 beside the canvas."""


def skin_colour(colour: Any, landmarks: Any) -> Any:
    """The person's own skin colour, from the face: float32 (B, 6), mean of R, G, B and their deviation, 0..1.

    colour: float32 (B, 3, 128, 96) RGB in [-1, 1]. landmarks: float32 (B, 33, 2 or more), canvas pixels.
    A soft ellipse between eyes and mouth, re-weighted twice by distance from its own mean, so that beards, glasses,
    hair and lips count little. Darker and lighter skin alike: nothing is assumed about the colour itself.
    """
    x, y = either.grid(landmarks)
    at = person_points(landmarks)
    _, _, mid, unit = torso_frame(at)
    eyes = either.middle(at["eye_left"], at["eye_right"])
    down = either.minus(mid, eyes)
    reach = 0.13 * unit / (either.length(down) + 1e-3)
    weight = either.spot(x, y, tuple(eyes[k] + reach * down[k] for k in (0, 1)), 0.085 * unit)[:, None] + 1e-6
    picture = colour * 0.5 + 0.5
    mean = deviation = picture
    for repeat in range(3):
        total = weight.sum((2, 3))[:, :, None, None]
        mean = (picture * weight).sum((2, 3))[:, :, None, None] / total
        square = (picture - mean) ** 2
        variance = (square * weight).sum((2, 3))[:, :, None, None] / total
        deviation = (variance + 1e-6) ** 0.5
        if repeat < 2:
            weight = weight * either.exp(square.sum(1)[:, None] / (-2.0 * (variance.sum(1)[:, None] + 0.002)))
    return either.stack([part[:, k, 0, 0] for part in (mean, deviation) for k in range(3)])


def skin_likeness(
    colour: Any, skin: Any, landmarks: Any, palette: Palette | None = None, near_hands: Any | None = None
) -> Any:
    """How much every pixel is coloured like the person's own skin and unlike what they wear: float32 (B, 1, 128, 96),
    0..1. What is as narrow as a lanyard or a seam counts only near hands, where it may be a finger.

    It shows hands, arms and neck of people of any colour. Colours are compared with those of the face, lighter and
    darker, and with those found on torso and sleeves: a mustard jumper is nearer to itself than to a face, however like
    skin it is. Cloth of the very colour of skin tells nothing, and stays as likely as the face's likeness has it; a
    network can tell by where it is. colour: float32 (B, 3, 128, 96) RGB in [-1, 1]. skin: float32 (B, 6), of
    `skin_colour`. landmarks: float32 (B, 33, 2 or more), canvas pixels. palette: where more is known than this picture
    shows; default that of `palette_of`. near_hands: float32 (B, 2, 128, 96), the first of `hand_zones`, where that is
    known already. 1.1 ms for one person in numpy.
    """
    like = likeness(colour, palette or palette_of(colour, skin, landmarks))[:, 0]
    around = either.maximum(*(hand_zones(landmarks)[0] if near_hands is None else near_hands).swapaxes(0, 1))
    return (like * around + _without_ribbons(like) * (1.0 - around))[:, None]


def palette_of(colour: Any, skin: Any, landmarks: Any) -> Palette:
    """What this picture tells; arguments as for `skin_likeness`."""
    to_ycc = either.constant(_YCC, colour)
    of_skin = skin[:, None, :3] * either.constant(_SHADES, colour)[:, None] @ to_ycc.T
    places, away = _cloth_places(landmarks)
    batch = either.constant(np.arange(len(colour))[:, None], colour)
    seen = (colour * 0.5 + 0.5).reshape(len(colour), 3, MAP_H * MAP_W).swapaxes(1, 2)[batch, places]  # B, k, 3
    cloth = seen @ to_ycc.T
    hidden = (away <= HAND_AWAY) + away * 0.0
    unlike = apart_from_skin(cloth, of_skin)
    costs = like_skin_cost(unlike) + few_cost(cloth, unlike, 1.0 - hidden) + HIDDEN * hidden
    return Palette(of_skin, cloth, costs, away)


def of_top(palette: Palette) -> Palette:
    """Of one person, numpy: of the clothes only what is worn above the hips, in colours that some places show; neither
    lanyards nor, if they reach so far up, trousers. A hem lies in shadow: their darker shades are among them."""
    costs = palette.costs.copy()
    costs[:, 6 * _TOP_ROWS : PLACES_ON_TORSO] = HIDDEN
    shown = costs < HIDDEN
    some = np.flatnonzero(shown[0] & (_alike(palette.cloth, shown)[0] >= _SOME))
    some = some if some.size else np.arange(1)
    cloth, *rest = (np.tile(part[:, some], (1, len(_CLOTH_SHADES), 1)[: part.ndim]) for part in palette[1:])
    return Palette(palette.skin, cloth * np.repeat(_CLOTH_SHADES, some.size)[:, None], *rest)


def thinned(palette: Palette) -> Palette:
    """Of one person, numpy: without clothes' colours that are hidden, or as good as another that costs no more: a third
    to a half of them are left, and so of the time that comparing takes."""
    costs = palette.costs[0]
    near = _squares_apart(palette.cloth, palette.cloth)[0] < _AS_GOOD**2
    left, kept = costs < HIDDEN, []
    for place in np.argsort(costs):
        if left[place]:
            kept.append(place)
            left &= ~near[place]
    kept = kept or [0]
    return palette._replace(cloth=palette.cloth[:, kept], costs=palette.costs[:, kept], away=palette.away[:, kept])


def apart_from_skin(cloth: Any, skin: Any) -> Any:
    """(B, k): how far colours (B, k, 3) are from the nearest of skin (B, s, 3)."""
    least = _squares_apart(cloth, skin).min(2)
    least = least if isinstance(least, np.ndarray) else least.values
    return least.clip(1e-8, None) ** 0.5


def like_skin_cost(unlike: Any) -> Any:
    """(B, k): what colours of clothes cost for being as near to skin as `unlike`."""
    return _SKIN_ON_CLOTH * (_SKIN_APART - unlike).clip(0.0, None)


def few_cost(cloth: Any, unlike: Any, sure: Any) -> Any:
    """(B, k): what colours of clothes cost for being seen at few places only, though rather like skin.

    sure: (B, k), 0..1, how sure it is that a place is seen.
    """
    near = either.ramp(unlike, _FEW_APART)
    return _FEW_ON_CLOTH * near * (1.0 - _alike(cloth, sure) / _FEW).clip(0.0, None)


def _alike(cloth: Any, sure: Any) -> Any:
    """(B, k): how many places, as sure as they are, show nearly the same colour."""
    apart = _squares_apart(cloth, cloth)
    return (either.exp(apart * (-1.0 / _ALIKE**2)) * sure[:, None]).sum(2)


def _squares_apart(some: Any, others: Any) -> Any:
    """(B, k, m): squared distances of colours (B, k, 3) from others (B, m, 3). Channel by channel: a sum over an axis
    of three takes three times as long."""
    red, green, blue = ((some[:, :, None, k] - others[:, None, :, k]) ** 2 for k in range(3))
    return red + green + blue


def likeness(colour: Any, palette: Palette) -> Any:
    """How much every pixel by itself is like skin and unlike clothes: float32 (B, 1, H, W), 0..1.

    colour: float32 (B, 3, H, W) RGB in [-1, 1], of any size.
    """
    return likeness_and_apart(colour, palette)[0]


def likeness_and_apart(colour: Any, palette: Palette) -> tuple[Any, Any]:
    """`likeness`, and how far every pixel's colour is from the clothes', float32 (B, 1, H, W)."""
    size = (len(colour), 1, *colour.shape[2:])
    pixels = either.constant(_YCC, colour) @ (colour * 0.5 + 0.5).reshape(len(colour), 3, size[2] * size[3])
    squares = (pixels**2).sum(1)
    pixels = either.module(colour).concatenate([pixels, squares[:, None] * 0.0 + 1.0], 1)
    to_skin = _nearest(pixels, squares, palette.skin)
    to_cloth = _nearest(pixels, squares, palette.cloth, palette.costs)
    own = 1.0 / (1.0 + either.exp((to_skin - to_cloth) * _CONTRAST))
    away = to_skin / _SKIN_REACH
    return (own * either.exp(-(away * away))).reshape(size), to_cloth.reshape(size)


def hand_zones(landmarks: Any) -> tuple[Any, Any]:
    """float32 (B, 2, 128, 96) twice, 0..1, of either hand: around it, the wrist too; and past the wrist, seen from the
    elbow to the knuckles: how a hand is turned at the wrist is not found well. landmarks: float32 (B, 33, 2 or more),
    canvas pixels."""
    x, y = either.grid(landmarks)
    at = person_points(landmarks)
    unit = torso_frame(at)[3]
    around, fingers = [], []
    for side in ("left", "right"):
        elbow, wrist = at[f"elbow_{side}"], at[f"wrist_{side}"]
        square, _, _ = either.segment(x, y, wrist, hand_end(at, side, _FINGERS), 1.0)
        dx, dy = either.minus(hand_end(at, side, 1.0), elbow)
        past = ((x - wrist[0]) * dx + (y - wrist[1]) * dy) / ((dx * dx + dy * dy).clip(1.0, None) ** 0.5 * unit)
        around.append(either.plateau(square, _AROUND_R * unit))
        fingers.append(around[-1] * either.ramp(past, _FINGERS_FROM))
    return either.stack(around), either.stack(fingers)


def _without_ribbons(channel: Any) -> Any:
    """(B, 128, 96), 0..1, without what is narrower than 5 pixels, but for what lies within 2 pixels of something wide:
    the least of it and of its morphological opening by a square, grown."""
    if isinstance(channel, np.ndarray):  # the same, in a tenth of the time
        wide = [cv2.erode(c, _RIBBON, borderType=cv2.BORDER_CONSTANT, borderValue=0.0) for c in channel]
        return np.minimum(channel, np.stack([cv2.dilate(w, _GROWN) for w in wide]))
    wide = _over_window(channel, either.minimum)
    grown = channel[:, :1, :1] * 0.0 + either.constant(np.zeros((1, MAP_H + 8, MAP_W + 8), np.float32), channel)
    grown[:, 6:-6, 6:-6] = wide
    return either.minimum(channel, _over_window(_over_window(grown, either.maximum), either.maximum))


def _over_window(channel: Any, extreme: Any) -> Any:
    """(B, H, W) -> (B, H - 4, W - 4): the extreme of every window of 5 x 5."""
    for axis in (1, 2):
        channel = channel.swapaxes(axis, 0)
        pairs = extreme(channel[:-1], channel[1:])
        fours = extreme(pairs[:-2], pairs[2:])
        channel = extreme(fours[:-1], channel[4:]).swapaxes(axis, 0)
    return channel


def _nearest(pixels: Any, squares: Any, colours: Any, costs: Any = 0.0) -> Any:
    """(B, n): the distance of every pixel (B, 4, n), its fourth a 1, to the nearest of some colours (B, k, 3), whose
    squared distances count as larger by costs (B, k). squares: (B, n), of the pixels."""
    lengths = (colours * colours).sum(2) + costs
    least = (either.module(colours).concatenate([colours * -2.0, lengths[:, :, None]], 2) @ pixels).min(1)
    least = least if isinstance(least, np.ndarray) else least.values
    return (least + squares).clip(1e-8, None) ** 0.5


def _cloth_places(landmarks: Any) -> tuple[Any, Any]:
    """Map pixels where clothes should be, on torso and arms: their indices, int64 (B, k), and how far from the hands
    they are, float32 (B, k), in shoulder widths; 0 beside the canvas."""
    at = person_points(landmarks)
    ax, ay, mid, unit = torso_frame(at)
    across, down = (either.constant(grid, landmarks) for grid in _ON_TORSO)
    places = [tuple(mid[k] + across * ax[k] + down * ay[k] for k in (0, 1))]
    for side in ("left", "right"):
        for (start, end), shares in _ON_ARMS.items():
            a, b = at[f"{start}_{side}"], at[f"{end}_{side}"]
            places.append(tuple(a[k] + either.constant(shares, landmarks) * (b[k] - a[k]) for k in (0, 1)))
    x, y = (either.module(landmarks).concatenate([place[k] for place in places], 2) for k in (0, 1))  # B, 1, k
    hands = (
        either.segment(x, y, at[f"wrist_{side}"], hand_end(at, side, _FINGERS), 1.0)[0] for side in ("left", "right")
    )
    away = either.minimum(*hands) ** 0.5 / unit
    away = away * ((x > 0.0) & (x < CANVAS_W - 1.0) & (y > 0.0) & (y < CANVAS_H - 1.0))
    column, row = ((p[:, 0] * 0.5).clip(0.0, side - 1.0) for p, side in ((x, MAP_W), (y, MAP_H)))
    column, row = (p.astype(np.int64) if isinstance(p, np.ndarray) else p.long() for p in (column, row))
    return row * MAP_W + column, away[:, 0]
