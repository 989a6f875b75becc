"""How people stand before a mirror: rotations of the rig's bones, drawn at random or set.

Hands are put somewhere (chest, hip, head, the camera) and the arm is solved for it: two bones, an elbow hint.
"""

from __future__ import annotations

import numpy as np

from ir_models.synth import rig
from ir_models.synth.bodies import Bodies, Body

ARM_GESTURES = ("down", "hip", "chest", "belly", "face", "head", "wave", "out", "camera", "bent", "collar")
BOTH_ARMS = ("down", "crossed", "hip", "chest", "belly", "head", "out", "camera", "collar")
BOTH_WEIGHTS = (0.40, 0.15, 0.12, 0.10, 0.06, 0.04, 0.07, 0.02, 0.04)
ONE_WEIGHTS = (0.30, 0.08, 0.20, 0.10, 0.08, 0.04, 0.06, 0.05, 0.03, 0.04, 0.02)
SAME_GESTURE_SHARE = 0.5
MAX_TURN_RAD = np.deg2rad(40)
HAND_CLEARANCE_M = (0.045, 0.10)
"""How far the wrist stays before the chest: half a wrist and loose cloth."""
SIDES = {"L": 1.0, "R": -1.0}
"""The person's own left has positive x."""


def chest_front(bodies: Bodies, body: Body, x: float, z: float) -> float:
    """y of the front of the torso near (x, z), metres, in the resting pose."""
    torso = bodies.on_arm < 0.1
    v = body.vertices[bodies.pairs[torso, 0]]
    near = (np.abs(v[:, 0] - x) < 0.06) & (np.abs(v[:, 2] - z) < 0.06)
    return float(v[near, 1].min()) if near.any() else float(np.quantile(v[:, 1], 0.02))


def solve_arm(shoulder: np.ndarray, target: np.ndarray, upper: float, fore: float, hint: np.ndarray) -> tuple:
    """Unit directions of upper arm and forearm that bring the wrist to `target`, elbow towards `hint`."""
    reach = target - shoulder
    distance = np.clip(np.linalg.norm(reach), abs(upper - fore) * 1.2 + 1e-3, (upper + fore) * 0.995)
    along = reach / (np.linalg.norm(reach) + 1e-9)
    t = (upper**2 - fore**2 + distance**2) / (2 * distance)
    side = hint - along * (hint @ along)
    side /= np.linalg.norm(side) + 1e-9
    elbow = along * t + side * np.sqrt(max(upper**2 - t**2, 0.0))
    wrist = along * distance
    return elbow / np.linalg.norm(elbow), (wrist - elbow) / np.linalg.norm(wrist - elbow)


def hand_target(bodies: Bodies, body: Body, gesture: str, sign: float, rng: np.random.Generator, layer: int) -> tuple:
    """Where the wrist goes and which way the elbow points, both (3,), in the resting torso's frame.

    sign: +1 for the person's left arm. layer: 1 for the arm that lies in front of the other.
    """
    u, b, h = rng.uniform, bodies.bone, body.heads
    shoulder = h[b["upperarm01.L"]] * [sign, 1, 1] if sign > 0 else h[b["upperarm01.R"]]
    wide, top, hip = abs(shoulder[0]), shoulder[2], h[b["upperleg01.L"]][2]
    tall = top - hip
    eyes = h[b["eye.L"]][2]
    clear = u(*HAND_CLEARANCE_M) + 0.055 * layer

    def before(x: float, z: float) -> np.ndarray:
        return np.array([x, chest_front(bodies, body, x, z) - clear, z])

    outside_down = np.array([sign * u(0.5, 1.2), u(0.0, 0.8), -1.0])
    if gesture == "chest":
        return before(sign * wide * u(-0.75, 0.75), top - tall * u(0.12, 0.42)), outside_down
    if gesture == "belly":
        return before(sign * wide * u(-0.7, 0.8), top - tall * u(0.5, 0.85)), outside_down
    if gesture == "crossed":
        return before(-sign * wide * u(0.25, 0.6), top - tall * u(0.36, 0.52)), np.array([sign, 0.1, -u(0.6, 1.2)])
    if gesture == "collar":
        return before(sign * wide * u(0.1, 0.6), top - tall * u(-0.02, 0.12)), outside_down
    if gesture == "hip":
        x = sign * wide * u(0.85, 1.05)
        return np.array([x, shoulder[1] - u(0.0, 0.06), hip + tall * u(0.05, 0.3)]), np.array([sign, u(0.2, 0.7), 0.1])
    if gesture == "face":
        return np.array([sign * u(0.03, 0.16), -0.20 - u(0, 0.06), eyes - u(0.06, 0.2)]), outside_down
    if gesture == "head":
        return np.array([sign * u(0.02, 0.13), u(-0.12, 0.06), eyes + u(0.1, 0.2)]), np.array([sign, u(-0.3, 0.3), 0.2])
    if gesture == "wave":
        place = np.array([sign * wide * u(1.3, 2.2), -u(0.05, 0.25), eyes - u(-0.08, 0.2)])
        return place, np.array([sign, 0.2, -u(0.4, 1.0)])
    if gesture == "camera":
        return shoulder + np.array([sign * u(-0.12, 0.1), -u(0.38, 0.5), u(-0.2, 0.15)]), outside_down
    if gesture == "bent":
        return shoulder + np.array([sign * u(-0.05, 0.2), -u(0.2, 0.36), -u(0.12, 0.32)]), np.array(
            [sign * 0.5, 0.6, -1.0]
        )
    spread = np.deg2rad(u(25, 85) if gesture == "out" else u(4, 20))
    length = u(0.44, 0.52)
    forward = u(0.0, 0.10)
    way = np.array([sign * np.sin(spread), -forward, -np.cos(spread)])
    return shoulder + way * length, np.array([sign * 0.4, 1.0, 0.0])


def bend_arm(
    bodies: Bodies, body: Body, pose: dict, side: str, target: np.ndarray, hint: np.ndarray, twist: float, curl: float
) -> None:
    """Set the bones of one arm so that the wrist reaches `target`. twist: of the forearm, radians; curl: of fingers."""
    b, h = bodies.bone, body.heads
    shoulder, elbow, wrist = (h[b[f"{n}.{side}"]] for n in ("upperarm01", "lowerarm01", "wrist"))
    upper, fore = elbow - shoulder, wrist - elbow
    u, f = solve_arm(shoulder, target, float(np.linalg.norm(upper)), float(np.linalg.norm(fore)), hint)
    whole = rig.between(upper, u)
    clavicle = rig.part_of(whole, 0.12)
    pose[f"clavicle.{side}"] = clavicle
    pose[f"upperarm01.{side}"] = clavicle.T @ whole
    bend = rig.between(whole @ fore, f)
    pose[f"lowerarm01.{side}"] = whole.T @ bend @ whole
    axis = fore / np.linalg.norm(fore)
    pose[f"lowerarm02.{side}"] = rig.about(axis, twist * 0.5)
    pose[f"wrist.{side}"] = rig.about(axis, twist * 0.5)
    first, thumb = h[b[f"finger2-1.{side}"]], h[b[f"finger1-2.{side}"]]
    across = np.cross(np.cross(first - wrist, thumb - wrist), first - wrist)
    for finger in range(2, 6):
        for joint in (1, 2, 3):
            pose[f"finger{finger}-{joint}.{side}"] = rig.about(across, -curl * SIDES[side])


def stand(turn: float, lean: float, sway: float, bend: float, head: tuple[float, float, float]) -> dict:
    """Trunk and head. turn about the vertical, lean forwards, sway sideways, bend of the spine, head (turn, tilt, nod);
    radians."""
    pose = {"root": rig.about([0, 0, 1], turn) @ rig.about([1, 0, 0], lean) @ rig.about([0, 1, 0], sway)}
    for name in ("spine04", "spine03", "spine02"):
        pose[name] = rig.about([0, 1, 0], bend / 3) @ rig.about([1, 0, 0], lean / 4)
    for name in ("neck01", "head"):
        pose[name] = (
            rig.about([0, 0, 1], head[0] / 2) @ rig.about([0, 1, 0], head[1] / 2) @ rig.about([1, 0, 0], head[2] / 2)
        )
    return pose


def draw_pose(bodies: Bodies, body: Body, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A random pose: bone -> rotation (3, 3), as `rig.transforms` takes it."""
    turn = np.clip(rng.normal(0, 0.26), -MAX_TURN_RAD, MAX_TURN_RAD)
    if rng.random() < 0.15:
        turn = rng.uniform(-1, 1) * MAX_TURN_RAD
    head = (rng.normal(0, 0.22) - turn * rng.uniform(0, 0.9), rng.normal(0, 0.09), rng.normal(0, 0.12))
    pose = stand(turn, rng.normal(0, 0.05), rng.normal(0, 0.03), rng.normal(0, 0.09), head)
    both = str(rng.choice(BOTH_ARMS, p=BOTH_WEIGHTS)) if rng.random() < SAME_GESTURE_SHARE else None
    front_arm = rng.integers(2)
    for k, (side, sign) in enumerate(SIDES.items()):
        gesture = both or str(rng.choice(ARM_GESTURES, p=ONE_WEIGHTS))
        target, hint = hand_target(bodies, body, gesture, sign, rng, int(k == front_arm))
        twist = rng.normal(0, 0.5)
        bend_arm(bodies, body, pose, side, target, hint, twist, rng.uniform(0.0, 0.55))
        pose[f"upperleg01.{side}"] = rig.about([0, 1, 0], -sign * rng.uniform(-0.02, 0.08)) @ rig.about(
            [1, 0, 0], rng.normal(0, 0.07)
        )
    return pose
