"""Landmarks -> what the networks see: `person_maps`, `person_layout`, `person_frames`, `garment_maps`,
`garment_layout`, and of the picture `skin_colour` and `skin_likeness`.

One code for the live mirror and for training: every function is batched and takes numpy arrays or torch tensors, and
answers with the same kind (this module imports numpy alone; it asks a tensor for its own module).

Maps are 128 x 96, half the canvas, pixel-area aligned: map pixel (row i, column j) has its centre at canvas point
(2 j + 0.5, 2 i + 0.5). Points are canvas pixels, the centre of the first pixel being (0, 0). Left and right are the
viewer's, for people as for garments, so the person's right arm is `arm_left` and meets the garment's left sleeve.

The person and the garment get the same kind of coordinates, counted in shoulder widths, because a flat that fills its
canvas does not show by itself how large it is: half of the prototype's error was placement and scale.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import numpy as np

from mirror.frames import CANVAS_H, CANVAS_W, Landmark
from mirror.wardrobe import LANDMARKS

MAP_H, MAP_W = CANVAS_H // 2, CANVAS_W // 2

PERSON_CHANNELS = (
    "mask", "head",
    "u", "v", "v_torso",
    "upper_left", "lower_left", "upper_right", "lower_right",
    "arm_left", "arm_left_along", "arm_left_across",
    "arm_right", "arm_right_along", "arm_right_across",
    "hand_left", "hand_right",
    "shoulder_left", "shoulder_right", "hip_left", "hip_right",
)  # fmt: skip
"""Channels of `person_maps`. `u`: shoulder widths right of the middle of the shoulders, along the (turned) shoulder
line; `v`: shoulder widths below it, along the spine; `v_torso`: the same, 1 at the hips. `arm_*`: weight of the whole
arm; `_along` (0 at the shoulder, `UPPER_ARM` at the elbow, + `FOREARM` at the wrist) and `_across` (shoulder widths
outwards from its centre line) are multiplied by that weight."""
GARMENT_CHANNELS = (
    "red", "green", "blue", "mask",
    "u", "v",
    "sleeve_left", "sleeve_left_along", "sleeve_left_across",
    "sleeve_right", "sleeve_right_along", "sleeve_right_across",
    "collar", "shoulder_width",
)  # fmt: skip
"""Channels of `garment_maps`: colours in [-1, 1], then the person's kind of coordinates from the garment's landmarks;
`shoulder_width` is a constant, as a share of the canvas width."""
LAYOUT_MEASURES = ("shoulder_width", "length", "chest", "hem", "sleeve", "neck_width", "neck_depth")
"""The numbers after the frames in `garment_layout`: the first as a share of the canvas width, the others in shoulder
widths of the garment."""
FRAME_PARTS = ("torso", "sleeve_left", "sleeve_right")
PERSON_PARTS = ("torso", "upper_left", "lower_left", "upper_right", "lower_right")
"""Parts of a person that move by themselves, in the order of `person_frames`."""
LAYOUT_SIZE = len(FRAME_PARTS) * 6 + len(LAYOUT_MEASURES)

UPPER_ARM, FOREARM = 0.80, 0.72
"""Lengths in shoulder widths that an arm's segments count as, however foreshortened they are seen."""
MIN_SHOULDER_PX = 8.0
MIN_LIMB = 0.3
"""An arm's segment that is seen shorter, in shoulder widths, as one that points at the camera, counts as this long."""
TORSO_TO_SHOULDERS = 0.62
"""A turned body's shoulder width is at least this share of the length of its torso."""

PERSON_LAYOUT_POINTS = tuple(
    f"{joint}_{side}" for joint in ("eye", "shoulder", "elbow", "wrist", "hip") for side in ("left", "right")
)
PERSON_LAYOUT_SIZE = 2 * len(PERSON_LAYOUT_POINTS) + 4

_HEAD_R, _CAPSULE_R, _HAND_R, _JOINT_R, _ARM_R = 0.30, 0.11, 0.12, 0.08, 0.19  # shoulder widths
_UNSUPPORTED, _SUPPORT_GAIN = 0.35, 3.33
_YCC = np.array([[0.135, 0.264, 0.051], [-0.253, -0.497, 0.75], [0.75, -0.628, -0.122]], np.float32)
"""RGB -> the colours that skin is compared in: brightness, which light changes, counts less than the hue."""
_SHADES = np.array([0.5, 0.65, 0.8, 0.95, 1.1, 1.25], np.float32)
"""Of the face's colour, that hands and arms may have in other light."""
_ON_GRID = np.stack(np.meshgrid(np.linspace(-0.42, 0.42, 6), np.linspace(0.1, 0.95, 6))).reshape(2, -1)
_ON_RIBBON = np.array([(side * 0.16 * (1.0 - v / 0.6), v) for v in np.linspace(0.1, 0.6, 9) for side in (-1.0, 1.0)]).T
_CLOTH_ON_TORSO = np.hstack([_ON_GRID, _ON_RIBBON]).astype(np.float32)
"""Where on the torso clothes are looked at: shares of its width and height from the middle of the shoulders. Some lie
where a lanyard's ribbon hangs, which is no skin either."""
_CLOTH_ON_ARMS = {
    ("shoulder", "elbow"): np.array([0.2, 0.45, 0.7, 0.9], np.float32),
    ("elbow", "wrist"): np.array([0.1, 0.3], np.float32),
}
_HAND, _FINGERS = 1.8, 2.2
"""How far a hand reaches from the wrist, in its distances to the knuckles: as drawn, and fingers at most."""
_HAND_AWAY, _FINGERS_R = 0.2, 0.35
"""Shoulder widths around a hand that tell nothing of clothes; within which narrow skin may be fingers."""
_SKIN_APART, _SKIN_ON_CLOTH, _HIDDEN = 0.05, 0.1, 4.0
"""A place of the clothes whose colour is nearer to skin than the first may be a bare arm: it counts as farther away."""
_ALIKE, _FEW, _FEW_ON_CLOTH = 0.06, 8.0, 0.06
_FEW_APART = (0.06, 0.2)
"""Nor are clothes what few places show (of that likeness in colour), if it is no farther from skin than these: there a
hand in shadow was looked at, whose fingers reach farther than its landmarks tell."""
_CONTRAST, _SKIN_REACH = 30.0, 0.16
"""How sharply skin is told from cloth; how far from the face's colours, lighter and darker, skin may be at all."""
_LAYOUT_MAX = 4.0
_U_MAX, _V_MIN, _V_MAX = 1.5, -1.0, 2.5
_G = {name: row for row, name in enumerate(LANDMARKS)}


def person_maps(landmarks: Any, mask: Any) -> Any:
    """What the networks see of a person, float32 (B, 21, 128, 96), channels as PERSON_CHANNELS.

    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels. mask: float32 (B, 128, 96), 0..1.
    Without colour, so that training on rendered people carries over to real ones. 1 ms for one person in numpy.
    """
    x, y = _grid(landmarks)
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    ax, ay, mid, unit = _torso(at)
    sx, sy = x - mid[0], y - mid[1]
    det = ax[0] * ay[1] - ax[1] * ay[0]
    det = _where(abs(det) < 50.0, det * 0.0 + 50.0, det)
    u = ((sx * ay[1] - sy * ay[0]) / det).clip(-_U_MAX, _U_MAX)
    v_torso = (sy * ax[0] - sx * ax[1]) / det
    v = (v_torso * (_length(ay) / unit)).clip(_V_MIN, _V_MAX)
    eyes = _middle(at["eye_left"], at["eye_right"])
    head = tuple(eyes[k] + 0.1 * (eyes[k] - mid[k]) for k in (0, 1))
    out = [mask, _spot(x, y, head, _HEAD_R * unit), u, v, v_torso.clip(-1.0, 2.0)]

    arms, segments = [], []
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        joints = [at[f"{joint}_{side}"] for joint in ("shoulder", "elbow", "wrist")]
        (d_upper, t_upper, n_upper), (d_lower, t_lower, n_lower) = (
            _segment(x, y, a, b, outwards) for a, b in pairwise(joints)
        )
        soft = -0.5 / (_CAPSULE_R * unit) ** 2
        segments += [_exp(d_upper * soft), _exp(d_lower * soft)]
        nearer_upper = d_upper < d_lower
        along = _where(nearer_upper, t_upper.clip(-0.4, 1.0) * UPPER_ARM, UPPER_ARM + t_lower.clip(0.0, 1.4) * FOREARM)
        across = _where(nearer_upper, n_upper, n_lower) / unit
        weight = _plateau(_where(nearer_upper, d_upper, d_lower), _ARM_R * unit)
        arms += [weight, weight * along, weight * across]
    out += segments + arms

    for side in ("left", "right"):
        hand = _segment(x, y, at[f"wrist_{side}"], _tip(at, side, _HAND), 1.0)[0]
        out.append(_exp(hand * (-0.5 / (_HAND_R * unit) ** 2)))
    out += [_spot(x, y, at[name], _JOINT_R * unit) for name in PERSON_CHANNELS[-4:]]
    return _stack([_full(channel, mask) for channel in out])


def person_layout(landmarks: Any) -> Any:
    """How a person stands, as numbers: float32 (B, 24).

    x and y of PERSON_LAYOUT_POINTS from the middle of the shoulders, in shoulder widths; then the shoulder width and
    that middle as shares of the canvas, and how wide the shoulders are seen (1 from the front, less when turned).
    Pooled features of maps cannot measure lengths well: with these numbers a network places torso and sleeves better.
    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels.
    """
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    ax, _, mid, unit = _torso(at)
    numbers = [
        ((at[name][k] - mid[k]) / unit).clip(-_LAYOUT_MAX, _LAYOUT_MAX) for name in PERSON_LAYOUT_POINTS for k in (0, 1)
    ]
    numbers += [unit / CANVAS_W, mid[0] / CANVAS_W, mid[1] / CANVAS_H, _length(ax) / unit]
    return _stack([number[:, 0, 0] for number in numbers])


def person_frames(landmarks: Any) -> Any:
    """Coordinates of a person's parts, as numbers: float32 (B, 30).

    For each of PERSON_PARTS 2 x 3 numbers row by row, which map (x, y, 1), area coordinates of the canvas ([-1, 1] from
    edge to edge), to the same coordinates along the part as in `person_maps`, in shoulder widths, but without bounds:
    u and v of the torso; along and across of an arm's segment.
    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels.
    """
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    ax, ay, mid, unit = _torso(at)
    det = ax[0] * ay[1] - ax[1] * ay[0]
    det = _where(abs(det) < 50.0, det * 0.0 + 50.0, det)
    down = _length(ay) / unit
    axes = [(mid, (ay[1] / det, -ay[0] / det), (-ax[1] * down / det, ax[0] * down / det), 0.0)]
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        joints = [at[f"{joint}_{side}"] for joint in ("shoulder", "elbow", "wrist")]
        for (a, b), begins, long in zip(pairwise(joints), (0.0, UPPER_ARM), (UPPER_ARM, FOREARM), strict=True):
            dx, dy = _minus(b, a)
            length = _length((dx, dy)).clip(1e-3, None)
            seen = _maximum(length, MIN_LIMB * unit)
            dx, dy = dx / length, dy / length
            along = (dx * long / seen, dy * long / seen)
            axes.append((a, along, (-dy * outwards / unit, dx * outwards / unit), begins))
    numbers = []
    for origin, first, second, begins in axes:
        for axis, start in ((first, begins), (second, 0.0)):
            # A point (x, y) of area coordinates lies at canvas pixel ((x + 1) W - 1) / 2, ((y + 1) H - 1) / 2.
            shift = axis[0] * ((CANVAS_W - 1) / 2 - origin[0]) + axis[1] * ((CANVAS_H - 1) / 2 - origin[1]) + start
            numbers += [axis[0] * (CANVAS_W / 2), axis[1] * (CANVAS_H / 2), shift]
    return _stack([number[:, 0, 0] for number in numbers])


def garment_maps(colour: Any, mask: Any, landmarks: Any) -> Any:
    """What the warp network sees of a garment, float32 (B, 14, 128, 96), channels as GARMENT_CHANNELS.

    colour: float32 (B, 3, 128, 96) RGB in [-1, 1], white outside the garment. mask: float32 (B, 128, 96), 0..1.
    landmarks: float32 (B, 13, 2), rows as wardrobe.LANDMARKS, garment-canvas pixels.
    """
    x, y = _grid(landmarks)
    torso, left, right, width = _garment_frames(landmarks)
    (ox, oy), (ux, uy), (vx, vy) = torso
    sx, sy = x - ox, y - oy
    square = width * width
    u, v = (sx * ux + sy * uy) / square, (sx * vx + sy * vy) / square
    out = [colour[:, 0], colour[:, 1], colour[:, 2], mask, u.clip(-_U_MAX, _U_MAX), v.clip(_V_MIN, _V_MAX)]
    for side, (origin, axis, normal) in (("left", left), ("right", right)):
        px, py = x - origin[0], y - origin[1]
        along = (px * axis[0] + py * axis[1]) / square
        across = (px * normal[0] + py * normal[1]) / square
        outer, inner = _point(landmarks, _G[f"sleeve_outer_{side}"]), _point(landmarks, _G[f"sleeve_inner_{side}"])
        cuff = _middle(outer, inner)
        length = ((cuff[0] - origin[0]) * axis[0] + (cuff[1] - origin[1]) * axis[1]) / square
        inside = along - _minimum(_maximum(along, along * 0.0), length + along * 0.0)
        weight = _plateau((inside**2 + across**2) * square, _ARM_R * 1.1 * width)
        out += [weight, weight * along, weight * across]
    neck = [_point(landmarks, _G[name]) for name in ("neck_left", "neck_front", "neck_right")]
    nearest = _minimum(*(_segment(x, y, a, b, 1.0)[0] for a, b in pairwise(neck)))
    out += [_exp(nearest * (-0.5 / (0.06 * width) ** 2)), width / CANVAS_W + x * 0.0]
    return _stack([_full(channel, mask) for channel in out])


def garment_layout(landmarks: Any) -> Any:
    """How a garment lies on its canvas, as numbers: float32 (B, 25).

    Three frames (torso, left sleeve, right sleeve), each 2 x 3 row by row: they map (along, across, 1) or (u, v, 1),
    in shoulder widths, to area coordinates of the garment canvas ([-1, 1], align_corners=False); then LAYOUT_MEASURES.
    landmarks: float32 (B, 13, 2), garment-canvas pixels.
    """
    torso, left, right, width = _garment_frames(landmarks)
    numbers = []
    for origin, first, second in (torso, left, right):
        for k, size in ((0, CANVAS_W), (1, CANVAS_H)):
            numbers += [first[k] * (2.0 / size), second[k] * (2.0 / size), (2.0 * origin[k] + 1.0) / size - 1.0]
    at = {name: _point(landmarks, row) for name, row in _G.items()}
    origin, _, down = torso
    hem, neck = _middle(at["hem_left"], at["hem_right"]), at["neck_front"]

    def depth(p: Any) -> Any:
        return ((p[0] - origin[0]) * down[0] + (p[1] - origin[1]) * down[1]) / width**2

    def apart(name: str) -> Any:
        return _length(_minus(at[f"{name}_right"], at[f"{name}_left"])) / width

    sleeves = 0.0
    for side, (start, _, _) in (("left", left), ("right", right)):
        cuff = _middle(at[f"sleeve_outer_{side}"], at[f"sleeve_inner_{side}"])
        sleeves = sleeves + 0.5 * _length(_minus(cuff, start)) / width
    numbers += [width / CANVAS_W, depth(hem), apart("armpit"), apart("hem"), sleeves, apart("neck"), depth(neck)]
    return _stack([number[:, 0, 0] for number in numbers])


def skin_colour(colour: Any, landmarks: Any) -> Any:
    """The person's own skin colour, from the face: float32 (B, 6), mean of R, G, B and their deviation, 0..1.

    colour: float32 (B, 3, 128, 96) RGB in [-1, 1]. landmarks: float32 (B, 33, 2 or more), canvas pixels.
    A soft ellipse between eyes and mouth, re-weighted twice by distance from its own mean, so that beards, glasses,
    hair and lips count little. Darker and lighter skin alike: nothing is assumed about the colour itself.
    """
    x, y = _grid(landmarks)
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    _, _, mid, unit = _torso(at)
    eyes = _middle(at["eye_left"], at["eye_right"])
    down = _minus(mid, eyes)
    reach = 0.13 * unit / (_length(down) + 1e-3)
    weight = _spot(x, y, tuple(eyes[k] + reach * down[k] for k in (0, 1)), 0.085 * unit)[:, None] + 1e-6
    picture = colour * 0.5 + 0.5
    mean = deviation = picture
    for repeat in range(3):
        total = weight.sum((2, 3))[:, :, None, None]
        mean = (picture * weight).sum((2, 3))[:, :, None, None] / total
        square = (picture - mean) ** 2
        variance = (square * weight).sum((2, 3))[:, :, None, None] / total
        deviation = (variance + 1e-6) ** 0.5
        if repeat < 2:
            weight = weight * _exp(square.sum(1)[:, None] / (-2.0 * (variance.sum(1)[:, None] + 0.002)))
    return _stack([part[:, k, 0, 0] for part in (mean, deviation) for k in range(3)])


def skin_likeness(colour: Any, skin: Any, landmarks: Any) -> Any:
    """How much every pixel is coloured like the person's own skin and unlike what they wear: float32 (B, 1, 128, 96),
    0..1.

    It shows hands, arms and neck of people of any colour. Colours are compared with those of the face, lighter and
    darker, and with those found on torso and sleeves: a mustard jumper is nearer to itself than to a face, however like
    skin it is. Cloth of the very colour of skin tells nothing, and stays as likely as the face's likeness has it; a
    network can tell by where it is. colour: float32 (B, 3, 128, 96) RGB in [-1, 1]. skin: float32 (B, 6), of
    `skin_colour`. landmarks: float32 (B, 33, 2 or more), canvas pixels. 2 ms for one person in numpy.
    """
    to_ycc = _constant(_YCC, colour)
    pixels = to_ycc @ (colour * 0.5 + 0.5).reshape(len(colour), 3, MAP_H * MAP_W)  # B, 3, n
    pixels = _module(colour).concatenate([pixels, pixels[:, :1] * 0.0 + 1.0], 1)
    shades = skin[:, None, :3] * _constant(_SHADES, colour)[:, None]
    of_skin = shades @ to_ycc.T  # B, s, 3
    squares = (pixels[:, :3] ** 2).sum(1)
    to_skin = _nearest(pixels, squares, of_skin)

    rows, seen = _cloth_places(landmarks)
    batch = np.arange(len(colour))[:, None]
    of_cloth = pixels[:, :3].swapaxes(1, 2)[batch, rows]  # B, k, 3
    unlike = to_skin[batch, rows]
    costs = _SKIN_ON_CLOTH * (_SKIN_APART - unlike).clip(0.0, None) + _HIDDEN * (1.0 - seen)
    apart = ((of_cloth[:, :, None] - of_cloth[:, None]) ** 2).sum(3)
    alike = (_exp(apart * (-1.0 / _ALIKE**2)) * seen[:, None]).sum(2)
    near = ((_FEW_APART[1] - unlike) * (1.0 / (_FEW_APART[1] - _FEW_APART[0]))).clip(0.0, 1.0)
    costs = costs + _FEW_ON_CLOTH * near * (1.0 - alike / _FEW).clip(0.0, None)
    to_cloth = _nearest(pixels, squares, of_cloth, costs)

    own = 1.0 / (1.0 + _exp((to_skin - to_cloth) * _CONTRAST))
    away = to_skin / _SKIN_REACH
    like = (own * _exp(-(away * away))).reshape(len(colour), MAP_H, MAP_W)
    fingers = _near_hands(landmarks)
    return (like * fingers + _without_ribbons(like) * (1.0 - fingers))[:, None]


def supported(coverage: Any) -> Any:
    """The warp's coverage (any shape, 0..1) as what the generator's composite mask is multiplied by: steeper. The warp
    tells edges at 128 x 96, a blur of several camera pixels; the generator, which sees the picture, at 256 x 192. More
    than half is the warp's to say: it knows of forearms before the chest, which the generator takes for cloth."""
    return ((coverage - _UNSUPPORTED) * _SUPPORT_GAIN).clip(0.0, 1.0)


def _near_hands(landmarks: Any) -> Any:
    """float32 (B, 128, 96), 0..1: where fingers may be, from the wrist to beyond the knuckles."""
    x, y = _grid(landmarks)
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    unit = _torso(at)[3]
    hands = (_segment(x, y, at[f"wrist_{side}"], _tip(at, side, _FINGERS), 1.0)[0] for side in ("left", "right"))
    return _plateau(_minimum(*hands), _FINGERS_R * unit)


def _without_ribbons(channel: Any) -> Any:
    """(B, H, W), 0..1, without what is narrower than 5 pixels, but for what lies within 2 pixels of something wide: the
    least of it and of its morphological opening by a square, grown."""
    wide = _over_window(channel, _minimum)
    grown = channel[:, :1, :1] * 0.0 + _constant(np.zeros((1, MAP_H + 8, MAP_W + 8), np.float32), channel)
    grown[:, 6:-6, 6:-6] = wide
    return _minimum(channel, _over_window(_over_window(grown, _maximum), _maximum))


def _over_window(channel: Any, extreme: Any) -> Any:
    """(B, H, W) -> (B, H - 4, W - 4): the extreme of every window of 5 x 5."""
    for axis in (1, 2):
        channel = channel.swapaxes(axis, 0)
        pairs = extreme(channel[:-1], channel[1:])
        fours = extreme(pairs[:-2], pairs[2:])
        channel = extreme(fours[:-1], channel[4:]).swapaxes(axis, 0)
    return channel


def _tip(at: dict[str, Any], side: str, reach: float) -> tuple[Any, Any]:
    """Where a hand ends: so far from the wrist, in its distances to the knuckles."""
    wrist, knuckles = at[f"wrist_{side}"], _middle(at[f"index_{side}"], at[f"pinky_{side}"])
    x, y = (wrist[k] + reach * (knuckles[k] - wrist[k]) for k in (0, 1))
    return x, y


def _nearest(pixels: Any, squares: Any, colours: Any, costs: Any = 0.0) -> Any:
    """(B, n): the distance of every pixel (B, 4, n), its fourth a 1, to the nearest of some colours (B, k, 3), whose
    squared distances count as larger by costs (B, k). squares: (B, n), of the pixels."""
    lengths = (colours * colours).sum(2) + costs
    least = (_module(colours).concatenate([colours * -2.0, lengths[:, :, None]], 2) @ pixels).min(1)
    least = least if isinstance(least, np.ndarray) else least.values
    return (least + squares).clip(1e-8, None) ** 0.5


def _cloth_places(landmarks: Any) -> tuple[np.ndarray, Any]:
    """Map pixels where clothes should be, on torso and sleeves: their indices, int64 (B, k), and how sure that is,
    float32 (B, k): 0 beside the canvas and behind a hand."""
    at = {name: _point(landmarks, row) for name, row in _PERSON_ROWS.items()}
    ax, ay, mid, unit = _torso(at)
    across, down = (_constant(grid, landmarks) for grid in _CLOTH_ON_TORSO)
    places = [tuple(mid[k] + across * ax[k] + down * ay[k] for k in (0, 1))]
    for side in ("left", "right"):
        for (start, end), shares in _CLOTH_ON_ARMS.items():
            a, b = at[f"{start}_{side}"], at[f"{end}_{side}"]
            places.append(tuple(a[k] + _constant(shares, landmarks) * (b[k] - a[k]) for k in (0, 1)))
    x, y = (_module(landmarks).concatenate([place[k] for place in places], 2) for k in (0, 1))  # B, 1, k
    seen = (x > 0.0) & (x < CANVAS_W - 1.0) & (y > 0.0) & (y < CANVAS_H - 1.0)
    for side in ("left", "right"):
        hand = _segment(x, y, at[f"wrist_{side}"], _tip(at, side, _FINGERS), 1.0)[0]
        seen = seen & (hand > (_HAND_AWAY * unit) ** 2)
    column, row = ((p[:, 0] * 0.5).clip(0.0, side - 1.0) for p, side in ((x, MAP_W), (y, MAP_H)))
    column, row = (np.asarray(p, np.float32).astype(np.int64) for p in (column, row))
    return row * MAP_W + column, seen[:, 0] + x[:, 0] * 0.0


_PERSON_ROWS = {
    "eye_left": Landmark.RIGHT_EYE, "eye_right": Landmark.LEFT_EYE,
    "shoulder_left": Landmark.RIGHT_SHOULDER, "shoulder_right": Landmark.LEFT_SHOULDER,
    "elbow_left": Landmark.RIGHT_ELBOW, "elbow_right": Landmark.LEFT_ELBOW,
    "wrist_left": Landmark.RIGHT_WRIST, "wrist_right": Landmark.LEFT_WRIST,
    "index_left": Landmark.RIGHT_INDEX, "index_right": Landmark.LEFT_INDEX,
    "pinky_left": Landmark.RIGHT_PINKY, "pinky_right": Landmark.LEFT_PINKY,
    "hip_left": Landmark.RIGHT_HIP, "hip_right": Landmark.LEFT_HIP,
}  # fmt: skip


def _torso(at: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Shoulder axis (left to right), spine axis, middle of the shoulders, shoulder width; all (B, 1, 1).

    The axis keeps a least length, so that the frame of a body seen from the side stays regular.
    """
    mid = _middle(at["shoulder_left"], at["shoulder_right"])
    ay = _minus(_middle(at["hip_left"], at["hip_right"]), mid)
    ax = _minus(at["shoulder_right"], at["shoulder_left"])
    width = _length(ax).clip(1e-3, None)
    unit = _maximum(width, TORSO_TO_SHOULDERS * _length(ay)).clip(MIN_SHOULDER_PX, None)
    stretch = _maximum(width, 0.3 * unit) / width
    return (ax[0] * stretch, ax[1] * stretch), ay, mid, unit


def _garment_frames(landmarks: Any) -> tuple[Any, Any, Any, Any]:
    """Three frames (origin, first axis, second axis), axes one shoulder width long, and that width; (B, 1, 1)."""
    at = {name: _point(landmarks, row) for name, row in _G.items()}
    ux, uy = _minus(at["shoulder_right"], at["shoulder_left"])
    width = _length((ux, uy)).clip(MIN_SHOULDER_PX, None)
    frames = [(_middle(at["shoulder_left"], at["shoulder_right"]), (ux, uy), (-uy, ux))]
    for side, sign in (("left", -1.0), ("right", 1.0)):
        origin = _middle(at[f"shoulder_{side}"], at[f"armpit_{side}"])
        cuff = _middle(at[f"sleeve_outer_{side}"], at[f"sleeve_inner_{side}"])
        # A short outward pull gives garments without sleeves an axis too.
        dx, dy = (cuff[k] - origin[k] + 0.08 * sign * (ux, uy)[k] for k in (0, 1))
        scale = width / _length((dx, dy)).clip(1e-3, None)
        dx, dy = dx * scale, dy * scale
        frames.append((origin, (dx, dy), (sign * dy, -sign * dx)))
    return frames[0], frames[1], frames[2], width


def _segment(x: Any, y: Any, a: Any, b: Any, outwards: float) -> tuple[Any, Any, Any]:
    """Squared distance to segment a-b, position along it (0 at a, 1 at b, unclamped), signed distance across."""
    dx, dy = _minus(b, a)
    square = (dx * dx + dy * dy).clip(1.0, None)
    px, py = x - a[0], y - a[1]
    along = (px * dx + py * dy) / square
    clamped = along.clip(0.0, 1.0)
    distance = (px - clamped * dx) ** 2 + (py - clamped * dy) ** 2
    across = (py * dx - px * dy) * (outwards / square**0.5)
    return distance, along, across


def _spot(x: Any, y: Any, at: Any, radius: Any) -> Any:
    """A Gaussian; separable, so it costs one row and one column of exponentials."""
    soft = -0.5 / radius**2
    return _exp((x - at[0]) ** 2 * soft) * _exp((y - at[1]) ** 2 * soft)


def _plateau(square: Any, radius: Any) -> Any:
    """Weight by squared distance: flat on top, half at 0.83 radius."""
    ratio = square / radius**2
    return _exp(-1.5 * ratio * ratio)


def _grid(like: Any) -> tuple[Any, Any]:
    """Canvas x (1, 1, 96) and y (1, 128, 1) of the map's pixels, of the kind of `like`."""
    x = (np.arange(MAP_W, dtype=np.float32) * 2.0 + 0.5)[None, None, :]
    y = (np.arange(MAP_H, dtype=np.float32) * 2.0 + 0.5)[None, :, None]
    if isinstance(like, np.ndarray):
        return x, y
    module = _module(like)
    return module.as_tensor(x, device=like.device), module.as_tensor(y, device=like.device)


def _constant(value: np.ndarray, like: Any) -> Any:
    return value if isinstance(like, np.ndarray) else _module(like).as_tensor(value, device=like.device)


def _module(like: Any) -> Any:
    return np if isinstance(like, np.ndarray) else sys.modules["torch"]


def _point(landmarks: Any, row: int) -> tuple[Any, Any]:
    return landmarks[:, row, 0][:, None, None], landmarks[:, row, 1][:, None, None]


def _middle(a: Any, b: Any) -> tuple[Any, Any]:
    return (a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5


def _minus(a: Any, b: Any) -> tuple[Any, Any]:
    return a[0] - b[0], a[1] - b[1]


def _length(a: Any) -> Any:
    return (a[0] * a[0] + a[1] * a[1]) ** 0.5


def _exp(x: Any) -> Any:
    # Below -30 the result would be a denormal sooner or later, which is slow on every processor.
    return _module(x).exp(x.clip(-30.0, None))


def _where(condition: Any, a: Any, b: Any) -> Any:
    return _module(condition).where(condition, a, b)


def _maximum(a: Any, b: Any) -> Any:
    return _module(a).maximum(a, b)


def _minimum(a: Any, b: Any) -> Any:
    return _module(a).minimum(a, b)


def _full(channel: Any, like: Any) -> Any:
    return channel if channel.shape == like.shape else channel + like * 0.0


def _stack(channels: list[Any]) -> Any:
    return _module(channels[0]).stack(channels, 1)
