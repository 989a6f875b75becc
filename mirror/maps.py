"""Landmarks -> what the networks see: `person_maps`, `person_layout`, `person_frames`, `garment_maps`,
`garment_layout`. What they see of the picture itself is in `skin.py`.

One code for the live mirror and for training: every function is batched and takes numpy arrays, torch tensors or nodes
of a graph, and answers with the same kind (see `either.py`).

Maps are 128 x 96, half the canvas, pixel-area aligned: map pixel (row i, column j) has its centre at canvas point
(2 j + 0.5, 2 i + 0.5). Points are canvas pixels, the centre of the first pixel being (0, 0). Left and right are the
viewer's, for people as for garments, so the person's right arm is `arm_left` and meets the garment's left sleeve.

The person and the garment get the same kind of coordinates, counted in shoulder widths, because a flat that fills its
canvas does not show by itself how large it is: half of the prototype's error was placement and scale.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mirror import either
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
_HAND = 1.8
"""How far a hand is drawn from the wrist, in its distances to the knuckles."""
_LAYOUT_MAX = 4.0
_U_MAX, _V_MIN, _V_MAX = 1.5, -1.0, 2.5
_G = {name: row for row, name in enumerate(LANDMARKS)}


def person_maps(landmarks: Any, mask: Any) -> Any:
    """What the networks see of a person, float32 (B, 21, 128, 96), channels as PERSON_CHANNELS.

    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels. mask: float32 (B, 128, 96), 0..1.
    Without colour, so that training on rendered people carries over to real ones. 1 ms for one person in numpy.
    """
    x, y = either.grid(landmarks)
    at = person_points(landmarks)
    ax, ay, mid, unit = torso_frame(at)
    sx, sy = x - mid[0], y - mid[1]
    det = ax[0] * ay[1] - ax[1] * ay[0]
    det = either.where(abs(det) < 50.0, det * 0.0 + 50.0, det)
    u = ((sx * ay[1] - sy * ay[0]) / det).clip(-_U_MAX, _U_MAX)
    v_torso = (sy * ax[0] - sx * ax[1]) / det
    v = (v_torso * (either.length(ay) / unit)).clip(_V_MIN, _V_MAX)
    eyes = either.middle(at["eye_left"], at["eye_right"])
    head = tuple(eyes[k] + 0.1 * (eyes[k] - mid[k]) for k in (0, 1))
    out = [mask, either.spot(x, y, head, _HEAD_R * unit), u, v, v_torso.clip(-1.0, 2.0)]

    arms, segments = [], []
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        joints = [at[f"{joint}_{side}"] for joint in ("shoulder", "elbow", "wrist")]
        (d_upper, t_upper, n_upper), (d_lower, t_lower, n_lower) = (
            either.segment(x, y, a, b, outwards) for a, b in pairwise(joints)
        )
        soft = -0.5 / (_CAPSULE_R * unit) ** 2
        segments += [either.exp(d_upper * soft), either.exp(d_lower * soft)]
        nearer_upper = d_upper < d_lower
        along = either.where(
            nearer_upper, t_upper.clip(-0.4, 1.0) * UPPER_ARM, UPPER_ARM + t_lower.clip(0.0, 1.4) * FOREARM
        )
        across = either.where(nearer_upper, n_upper, n_lower) / unit
        weight = either.plateau(either.where(nearer_upper, d_upper, d_lower), _ARM_R * unit)
        arms += [weight, weight * along, weight * across]
    out += segments + arms

    for side in ("left", "right"):
        hand = either.segment(x, y, at[f"wrist_{side}"], hand_end(at, side, _HAND), 1.0)[0]
        out.append(either.exp(hand * (-0.5 / (_HAND_R * unit) ** 2)))
    out += [either.spot(x, y, at[name], _JOINT_R * unit) for name in PERSON_CHANNELS[-4:]]
    return either.stack([either.full(channel, mask) for channel in out])


def person_layout(landmarks: Any) -> Any:
    """How a person stands, as numbers: float32 (B, 24).

    x and y of PERSON_LAYOUT_POINTS from the middle of the shoulders, in shoulder widths; then the shoulder width and
    that middle as shares of the canvas, and how wide the shoulders are seen (1 from the front, less when turned).
    Pooled features of maps cannot measure lengths well: with these numbers a network places torso and sleeves better.
    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels.
    """
    at = person_points(landmarks)
    ax, _, mid, unit = torso_frame(at)
    numbers = [
        ((at[name][k] - mid[k]) / unit).clip(-_LAYOUT_MAX, _LAYOUT_MAX) for name in PERSON_LAYOUT_POINTS for k in (0, 1)
    ]
    numbers += [unit / CANVAS_W, mid[0] / CANVAS_W, mid[1] / CANVAS_H, either.length(ax) / unit]
    return either.stack([number[:, 0, 0] for number in numbers])


def person_frames(landmarks: Any) -> Any:
    """Coordinates of a person's parts, as numbers: float32 (B, 30).

    For each of PERSON_PARTS 2 x 3 numbers row by row, which map (x, y, 1), area coordinates of the canvas ([-1, 1] from
    edge to edge), to the same coordinates along the part as in `person_maps`, in shoulder widths, but without bounds:
    u and v of the torso; along and across of an arm's segment.
    landmarks: float32 (B, 33, 2 or more), MediaPipe's rows, canvas pixels.
    """
    at = person_points(landmarks)
    ax, ay, mid, unit = torso_frame(at)
    det = ax[0] * ay[1] - ax[1] * ay[0]
    det = either.where(abs(det) < 50.0, det * 0.0 + 50.0, det)
    down = either.length(ay) / unit
    axes = [(mid, (ay[1] / det, -ay[0] / det), (-ax[1] * down / det, ax[0] * down / det), 0.0)]
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        joints = [at[f"{joint}_{side}"] for joint in ("shoulder", "elbow", "wrist")]
        for (a, b), begins, long in zip(pairwise(joints), (0.0, UPPER_ARM), (UPPER_ARM, FOREARM), strict=True):
            dx, dy = either.minus(b, a)
            length = either.length((dx, dy)).clip(1e-3, None)
            seen = either.maximum(length, MIN_LIMB * unit)
            dx, dy = dx / length, dy / length
            along = (dx * long / seen, dy * long / seen)
            axes.append((a, along, (-dy * outwards / unit, dx * outwards / unit), begins))
    numbers = []
    for origin, first, second, begins in axes:
        for axis, start in ((first, begins), (second, 0.0)):
            # A point (x, y) of area coordinates lies at canvas pixel ((x + 1) W - 1) / 2, ((y + 1) H - 1) / 2.
            shift = axis[0] * ((CANVAS_W - 1) / 2 - origin[0]) + axis[1] * ((CANVAS_H - 1) / 2 - origin[1]) + start
            numbers += [axis[0] * (CANVAS_W / 2), axis[1] * (CANVAS_H / 2), shift]
    return either.stack([number[:, 0, 0] for number in numbers])


def garment_maps(colour: Any, mask: Any, landmarks: Any) -> Any:
    """What the warp network sees of a garment, float32 (B, 14, 128, 96), channels as GARMENT_CHANNELS.

    colour: float32 (B, 3, 128, 96) RGB in [-1, 1], white outside the garment. mask: float32 (B, 128, 96), 0..1.
    landmarks: float32 (B, 13, 2), rows as wardrobe.LANDMARKS, garment-canvas pixels.
    """
    x, y = either.grid(landmarks)
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
        outer, inner = (
            either.point(landmarks, _G[f"sleeve_outer_{side}"]),
            either.point(landmarks, _G[f"sleeve_inner_{side}"]),
        )
        cuff = either.middle(outer, inner)
        length = ((cuff[0] - origin[0]) * axis[0] + (cuff[1] - origin[1]) * axis[1]) / square
        inside = along - either.minimum(either.maximum(along, along * 0.0), length + along * 0.0)
        weight = either.plateau((inside**2 + across**2) * square, _ARM_R * 1.1 * width)
        out += [weight, weight * along, weight * across]
    neck = [either.point(landmarks, _G[name]) for name in ("neck_left", "neck_front", "neck_right")]
    nearest = either.minimum(*(either.segment(x, y, a, b, 1.0)[0] for a, b in pairwise(neck)))
    out += [either.exp(nearest * (-0.5 / (0.06 * width) ** 2)), width / CANVAS_W + x * 0.0]
    return either.stack([either.full(channel, mask) for channel in out])


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
    at = {name: either.point(landmarks, row) for name, row in _G.items()}
    origin, _, down = torso
    hem, neck = either.middle(at["hem_left"], at["hem_right"]), at["neck_front"]

    def depth(p: Any) -> Any:
        return ((p[0] - origin[0]) * down[0] + (p[1] - origin[1]) * down[1]) / width**2

    def apart(name: str) -> Any:
        return either.length(either.minus(at[f"{name}_right"], at[f"{name}_left"])) / width

    sleeves = 0.0
    for side, (start, _, _) in (("left", left), ("right", right)):
        cuff = either.middle(at[f"sleeve_outer_{side}"], at[f"sleeve_inner_{side}"])
        sleeves = sleeves + 0.5 * either.length(either.minus(cuff, start)) / width
    numbers += [width / CANVAS_W, depth(hem), apart("armpit"), apart("hem"), sleeves, apart("neck"), depth(neck)]
    return either.stack([number[:, 0, 0] for number in numbers])


def supported(coverage: Any) -> Any:
    """The warp's coverage (any shape, 0..1) as what the generator's composite mask is multiplied by: steeper. The warp
    tells edges at 128 x 96, a blur of several camera pixels; the generator, which sees the picture, at 256 x 192. More
    than half is the warp's to say: it knows of forearms before the chest, which the generator takes for cloth."""
    return ((coverage - _UNSUPPORTED) * _SUPPORT_GAIN).clip(0.0, 1.0)


PERSON_ROWS = {
    "eye_left": Landmark.RIGHT_EYE, "eye_right": Landmark.LEFT_EYE,
    "shoulder_left": Landmark.RIGHT_SHOULDER, "shoulder_right": Landmark.LEFT_SHOULDER,
    "elbow_left": Landmark.RIGHT_ELBOW, "elbow_right": Landmark.LEFT_ELBOW,
    "wrist_left": Landmark.RIGHT_WRIST, "wrist_right": Landmark.LEFT_WRIST,
    "index_left": Landmark.RIGHT_INDEX, "index_right": Landmark.LEFT_INDEX,
    "pinky_left": Landmark.RIGHT_PINKY, "pinky_right": Landmark.LEFT_PINKY,
    "hip_left": Landmark.RIGHT_HIP, "hip_right": Landmark.LEFT_HIP,
}  # fmt: skip


def person_points(landmarks: Any) -> dict[str, Any]:
    """The points of PERSON_ROWS by name, x and y (B, 1, 1) each."""
    return {name: either.point(landmarks, row) for name, row in PERSON_ROWS.items()}


def hand_end(at: dict[str, Any], side: str, reach: float) -> tuple[Any, Any]:
    """Where a hand ends that reaches so far from the wrist, in its distances to the knuckles."""
    wrist, knuckles = at[f"wrist_{side}"], either.middle(at[f"index_{side}"], at[f"pinky_{side}"])
    x, y = (wrist[k] + reach * (knuckles[k] - wrist[k]) for k in (0, 1))
    return x, y


def torso_frame(at: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Shoulder axis (left to right), spine axis, middle of the shoulders, shoulder width; all (B, 1, 1).

    The axis keeps a least length, so that the frame of a body seen from the side stays regular.
    """
    mid = either.middle(at["shoulder_left"], at["shoulder_right"])
    ay = either.minus(either.middle(at["hip_left"], at["hip_right"]), mid)
    ax = either.minus(at["shoulder_right"], at["shoulder_left"])
    width = either.length(ax).clip(1e-3, None)
    unit = either.maximum(width, TORSO_TO_SHOULDERS * either.length(ay)).clip(MIN_SHOULDER_PX, None)
    stretch = either.maximum(width, 0.3 * unit) / width
    return (ax[0] * stretch, ax[1] * stretch), ay, mid, unit


def _garment_frames(landmarks: Any) -> tuple[Any, Any, Any, Any]:
    """Three frames (origin, first axis, second axis), axes one shoulder width long, and that width; (B, 1, 1)."""
    at = {name: either.point(landmarks, row) for name, row in _G.items()}
    ux, uy = either.minus(at["shoulder_right"], at["shoulder_left"])
    width = either.length((ux, uy)).clip(MIN_SHOULDER_PX, None)
    frames = [(either.middle(at["shoulder_left"], at["shoulder_right"]), (ux, uy), (-uy, ux))]
    for side, sign in (("left", -1.0), ("right", 1.0)):
        origin = either.middle(at[f"shoulder_{side}"], at[f"armpit_{side}"])
        cuff = either.middle(at[f"sleeve_outer_{side}"], at[f"sleeve_inner_{side}"])
        # A short outward pull gives garments without sleeves an axis too.
        dx, dy = (cuff[k] - origin[k] + 0.08 * sign * (ux, uy)[k] for k in (0, 1))
        scale = width / either.length((dx, dy)).clip(1e-3, None)
        dx, dy = dx * scale, dy * scale
        frames.append((origin, (dx, dy), (sign * dy, -sign * dx)))
    return frames[0], frames[1], frames[2], width
