"""Photos of lying garments -> pieces of the generator: cut out, measured, fitted to the flat sheet of a matching cut.

The cut-out is GrabCut seeded from the border; its contour gives the corners (neck, cuffs, armpits, hem); the sheet is
laid with the sleeves at the photo's angles, and a thin-plate spline takes it the rest of the way. What is not clean is
refused: a dirty cut-out or a T-shirt's sheet under a long-sleeved photo does more harm than a photo less.
"""

from __future__ import annotations

import itertools
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ir_models.synth import cuts
from ir_models.synth.bodies import Bodies, load_bodies
from ir_models.synth.cloth import smoothstep
from ir_models.synth.cuts import Cut
from ir_models.synth.layouts import Layout, lay_sheet
from ir_models.synth.pieces import Piece, over_white, place
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.wardrobe import Garment

CLASSES = {
    "t-shirt": ("tshirt", "short"),
    "polo": ("polo", "short"),
    "longsleeve": ("longsleeve", "long"),
    "shirt": ("shirt", "long"),
}
"""Folder -> kind, sleeves the photo must have. Tank tops and hoods have contours this fit cannot read."""
HELD_OUT_EVERY = 8
WORK_SIZE = 288
TEXTURE_SCALE = 3
"""Pixels of a photo's texture per garment-canvas pixel."""
BACKGROUND_COLOURS = 4
BORDER_PX = 6
NEAR_BACKGROUND = 11.0
"""Lab distance below which a pixel may be background inside the cut-out."""
LONG_SLEEVE_RATIO, SHORT_SLEEVE_RATIO = 1.25, 1.08
"""Neck to cuff over the width between armpits: above the one is long, below the other short."""
NECK_SPAN, NECK_CHORD = (0.20, 0.68), 0.85
"""Where the corner of the collar lies, and where its chord begins, in half widths between the armpits."""
MIN_IOU, MAX_FOLDS = {"short": 0.945, "long": 0.92}, {"short": 0.006, "long": 0.02}
"""By sleeves: overlap of sheet and cut-out, and share of the sheet folded over (long sleeves fold at the armpit)."""
EASE_M = 0.016
"""Real shirts are 15-20 % wider than the tight layer."""


class Refused(Exception):
    """This photo cannot be used; the message says why."""


def is_held_out(path: Path) -> bool:
    """Whether a photo is kept from training: by its name, so that it never changes."""
    return zlib.crc32(path.stem.encode()) % HELD_OUT_EVERY == 0


def cut_out(bgr: np.ndarray) -> np.ndarray:
    """uint8 HxW mask 0/1 of the garment on a fairly even ground. Raises Refused."""
    height, width = bgr.shape[:2]
    f = WORK_SIZE / max(height, width)
    small = cv2.resize(bgr, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    rim = np.concatenate(
        [lab[:6].reshape(-1, 3), lab[-6:].reshape(-1, 3), lab[:, :6].reshape(-1, 3), lab[:, -6:].reshape(-1, 3)]
    )
    cv2.setRNGSeed(1)
    _, _, ground = cv2.kmeans(rim, BACKGROUND_COLOURS, None, (3, 20, 1.0), 2, cv2.KMEANS_PP_CENTERS)
    away = np.linalg.norm(lab[:, :, None] - ground[None, None], axis=3).min(2)
    seed = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    seed[away > 18] = cv2.GC_PR_FGD
    seed[int(h * 0.35) : int(h * 0.65), int(w * 0.40) : int(w * 0.60)] = cv2.GC_FGD
    seed[:4] = seed[-4:] = seed[:, :4] = seed[:, -4:] = cv2.GC_BGD
    cv2.grabCut(small, seed, None, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    mask = ((seed == cv2.GC_FGD) | (seed == cv2.GC_PR_FGD)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, label, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        raise Refused("nothing found")
    whole = (label == 1 + np.argmax(stats[1:, 4])).astype(np.uint8)
    mask = whole
    outer, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = cv2.drawContours(np.zeros_like(mask), [max(outer, key=cv2.contourArea)], -1, 1, -1)
    ground_within = (mask > 0) & (whole == 0) & (away < 18)
    if ground_within.sum() > 0.01 * mask.sum():
        raise Refused("ground between sleeve and body")
    _check_cut_out(mask, away, label, stats)
    big = cv2.GaussianBlur(cv2.resize(mask * 255, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), 1.6)
    return (big > 135).astype(np.uint8)


def _check_cut_out(mask: np.ndarray, away: np.ndarray, label: np.ndarray, stats: np.ndarray) -> None:
    area = mask.sum()
    share = area / mask.size
    if not 0.12 < share < 0.75:
        raise Refused(f"covers {share:.0%} of the picture")
    if np.sort(stats[1:, 4])[:-1].sum() > 0.08 * area:
        raise Refused("scattered pieces")
    frame = np.ones_like(mask)
    frame[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = 0
    edge = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
    if (edge & frame).sum() > 0.03 * edge.sum():
        raise Refused("touches the border of the picture")
    rim = mask - cv2.erode(mask, np.ones((7, 7), np.uint8))
    if (away[rim > 0] < NEAR_BACKGROUND).mean() > 0.12:
        raise Refused("ground inside the edge")
    outside = cv2.dilate(mask, np.ones((11, 11), np.uint8)) - cv2.dilate(mask, np.ones((5, 5), np.uint8))
    if (away[outside > 0] > 26).mean() > 0.25:
        raise Refused("something left outside the edge")


@dataclass(frozen=True)
class Corners:
    """Corners of a garment's outline: points (n, 2) clockwise on screen, and indices of neck, cuff top and bottom,
    armpit and hem, each (left, right) as seen."""

    outline: np.ndarray
    neck: tuple[int, int]
    cuff_top: tuple[int, int]
    cuff_low: tuple[int, int]
    armpit: tuple[int, int]
    hem: tuple[int, int]

    def between(self, i: int, j: int) -> np.ndarray:
        n = len(self.outline)
        return self.outline[np.arange(i, j + 1 if j >= i else j + n + 1) % n]


def find_corners(mask: np.ndarray) -> Corners:
    """The corners of a shirt's silhouette, sleeves spread or hanging clear of the body. Raises Refused."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    c = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
    k = max(len(c) // 220, 1)
    kernel = np.ones(2 * k + 1) / (2 * k + 1)
    p = np.stack([np.convolve(np.r_[c[-k:, i], c[:, i], c[:k, i]], kernel, "valid") for i in (0, 1)], 1)
    area = np.sum(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1))
    p = np.ascontiguousarray(p if area > 0 else p[::-1]).astype(np.float32)
    low, high = p.min(0), p.max(0)
    wide, tall, middle = high[0] - low[0], high[1] - low[1], (low[0] + high[0]) / 2
    x, y = p.T
    hull = cv2.convexHull(p.reshape(-1, 1, 2))
    depth = np.array([cv2.pointPolygonTest(hull, (float(a), float(b)), True) for a, b in p])
    found: dict[str, list[int]] = {"neck": [], "top": [], "low": [], "pit": [], "hem": []}
    for sign in (-1, 1):
        side = sign * (x - middle)
        flank = (side > 0.08 * wide) & (y > low[1] + 0.16 * tall) & (y < low[1] + 0.72 * tall)
        if not flank.any():
            raise Refused("no side")
        pit = int(np.flatnonzero(flank)[np.argmax((depth - 0.10 * (y - low[1]))[flank])])
        if depth[pit] < 0.03 * wide:
            raise Refused("no armpit")
        under = (side > 0) & (y > y[pit]) & (np.abs(x - middle) < abs(x[pit] - middle) + 0.12 * wide)
        if not under.any():
            raise Refused("no hem")
        hem = int(np.flatnonzero(under)[np.argmax((side * 0.55 + y)[under])])
        found["pit"].append(pit)
        found["hem"].append(hem)
    found["neck"] = [_neck_corner(p, found["pit"], sign) for sign in (-1, 1)]
    pairs = {k: (found[k][0], found[k][1]) for k in ("neck", "pit", "hem")}
    draft = Corners(p, pairs["neck"], (0, 0), (0, 0), pairs["pit"], pairs["hem"])
    n = len(p)
    for s in (0, 1):
        start, end = (found["neck"][1], found["pit"][1]) if s else (found["pit"][0], found["neck"][0])
        q = draft.between(start, end)
        if not 10 < len(q) < 0.6 * n:
            raise Refused("no sleeve")
        base = (p[found["neck"][s]] + p[found["pit"][s]]) / 2
        axis = q[np.argmax(np.linalg.norm(q - base, axis=1))] - base
        for _ in range(2):
            axis = axis / (np.linalg.norm(axis) + 1e-6)
            t = (q - base) @ axis
            axis = q[t > np.quantile(t, 0.85)].mean(0) - base
        axis = axis / (np.linalg.norm(axis) + 1e-6)
        cross = np.array([-axis[1], axis[0]]) * (1 if s else -1)  # towards the body side of the cuff
        t, u = (q - base) @ axis, (q - base) @ cross
        found["low"].append(int((start + np.argmax(t + 0.6 * u)) % n))
        found["top"].append(int((start + np.argmax(t - 0.6 * u)) % n))
    low, top = ((found[k][0], found[k][1]) for k in ("low", "top"))
    return Corners(p, pairs["neck"], top, low, pairs["pit"], pairs["hem"])


def _neck_corner(p: np.ndarray, pits: list[int], sign: int) -> int:
    """Where the shoulder line meets the collar: the point highest above the chord from the shoulder to the middle
    of the collar."""
    x, y = p.T
    middle, half = (x[pits[0]] + x[pits[1]]) / 2, abs(x[pits[1]] - x[pits[0]]) / 2
    above = y < min(y[pits[0]], y[pits[1]])
    out = sign * (x - middle) / half

    def top_at(share: float) -> np.ndarray:
        near = np.flatnonzero(above & (np.abs(out - share) < 0.06))
        if not len(near):
            raise Refused("no neck")
        return p[near[np.argmin(y[near])]]

    centre, shoulder = top_at(0.0), top_at(NECK_CHORD)
    chord = shoulder - centre
    normal = np.array([chord[1], -chord[0]]) * sign / (np.linalg.norm(chord) + 1e-6)
    span = np.flatnonzero(above & (out > NECK_SPAN[0]) & (out < NECK_SPAN[1]))
    if not len(span):
        raise Refused("no neck")
    return int(span[np.argmax((p[span] - centre) @ normal)])


def outline_places(cut: Cut) -> list[np.ndarray]:
    """The canonical outline as ten runs of places (n, 2), clockwise on screen from the right side of the neck."""
    o = cuts.outline()
    upto = int(np.argmin(np.abs(o.arm[: o.cuff + 1] - cut.sleeve)))
    below = o.cuff + int(np.argmin(np.abs(o.arm[o.cuff : o.armpit + 1] - cut.sleeve)))
    hem = o.armpit + int(np.argmin(np.abs(o.uv[o.armpit :, 1] - cut.hem)))
    upper, lower, side = o.uv[: upto + 1], o.uv[below : o.armpit + 1], o.uv[o.armpit : hem + 1]
    mirror = np.array([-1.0, 1.0])
    bottom = np.stack([o.uv[hem], o.uv[hem] * mirror])
    back = np.stack([o.uv[0] * mirror, [0.0, o.uv[0][1] - 0.012], o.uv[0]])
    right = [upper, np.stack([upper[-1], lower[0]]), lower, side]
    return [*right, bottom, *[r[::-1] * mirror for r in right[::-1]], back]


RUN_POINTS = (12, 5, 12, 12, 10, 12, 12, 5, 12, 6)


def evenly(line: np.ndarray, count: int) -> np.ndarray:
    """`count` points along a polyline, equally far apart, the first at its start, the last before its end."""
    d = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    t = np.linspace(0, d[-1], count, endpoint=False)
    return np.stack([np.interp(t, d, line[:, 0]), np.interp(t, d, line[:, 1])], 1)


def thin_plate(source: np.ndarray, target: np.ndarray, at: np.ndarray, stiffness: float = 3e-3) -> np.ndarray:
    """Thin-plate spline through source -> target, evaluated at `at` (Bookstein, PAMI 1989)."""
    scale = np.abs(source).max()
    a, q = source / scale, at / scale

    def kernel(r2: np.ndarray) -> np.ndarray:
        return r2 * np.log(r2 + 1e-9)

    n = len(a)
    k = kernel(((a[:, None] - a[None]) ** 2).sum(2)) + stiffness * np.eye(n)
    affine = np.c_[np.ones(n), a]
    w = np.linalg.solve(np.block([[k, affine], [affine.T, np.zeros((3, 3))]]), np.r_[target, np.zeros((3, 2))])
    return kernel(((q[:, None] - a[None]) ** 2).sum(2)) @ w[:n] + np.c_[np.ones(len(q)), q] @ w[n:]


def measure(corners: Corners, kind: str, sleeves: str, rng: np.random.Generator) -> tuple[Cut, Layout]:
    """The cut and the layout whose sheet is nearest to a photo's outline. Raises Refused when the class is wrong."""
    p = corners.outline
    pit, hem = p[list(corners.armpit)], p[list(corners.hem)]
    cuff = (p[list(corners.cuff_top)] + p[list(corners.cuff_low)]) / 2
    width = np.linalg.norm(pit[1] - pit[0])
    reach = np.linalg.norm(cuff - p[list(corners.neck)], axis=1) / width
    if abs(reach[0] - reach[1]) > 0.25 * reach.mean():
        raise Refused("sleeves of different length")
    found = "long" if reach.mean() > LONG_SLEEVE_RATIO else "short" if reach.mean() < SHORT_SLEEVE_RATIO else "between"
    if kind == "shirt":
        sleeves = found
    if found != sleeves or found == "between":
        raise Refused(f"sleeves look {found} but the class says {sleeves}")
    o = cuts.outline()
    sheet_pit = o.uv[o.armpit]
    sheet_width = 2 * (sheet_pit[0] + 1.2 * EASE_M)
    length = (hem[:, 1] - pit[:, 1]).mean() / width * sheet_width
    across = np.linalg.norm(p[corners.neck[1]] - p[corners.neck[0]]) / width * sheet_width
    if not 0.10 < across < 0.34:
        raise Refused("no neck")
    top = cuts.neck_top_at(0.098)
    sheet_neck = np.array([0.098, top])
    if sleeves == "short":
        arms = np.linspace(0.15, 0.6, 46)
        middles = np.array([(o.upper(a) + o.lower(a)) / 2 for a in arms])
        sleeve = float(
            arms[np.argmin(np.abs(np.linalg.norm(middles - sheet_neck, axis=1) - reach.mean() * sheet_width))]
        )
        longer = 0.0
    else:
        sleeve = 0.95
        sheet_reach = np.linalg.norm((o.upper(sleeve) + o.lower(sleeve)) / 2 - sheet_neck)
        longer = float(np.clip(reach.mean() * sheet_width / sheet_reach - 1, -0.1, 0.5))
    mid = (o.upper(sleeve) + o.lower(sleeve)) / 2 - sheet_neck
    lift = []
    for s, sign in enumerate((-1, 1)):
        d = cuff[s] - p[corners.neck[s]]
        lift.append(float(np.arctan2(sign * d[0], d[1]) - np.arctan2(mid[0], -mid[1])))
    if max(lift) - min(lift) > 0.9 or min(lift) < -0.9 or max(lift) > 1.4:
        raise Refused("sleeves at odd angles")
    cut = Cut(
        kind=kind, sleeves=sleeves, sleeve=sleeve, hem=float(np.clip(sheet_pit[1] - length, cuts.LOWEST_HEM, 0.14)),
        neck_half=0.098, neck_front=rng.uniform(0.06, 0.085), neck_back=0.012, v_neck=False, collar="none", ease=EASE_M,
        sleeve_ease=EASE_M * 0.7, hang=0.7, droop=0.6, neck_top=top,
    )  # fmt: skip
    layout = Layout((lift[0], lift[1]), longer, (0.0, 0.0), 0.0, 1.0, np.zeros((0, 5)), False)
    return cut, layout


def fit_photo(bgr: np.ndarray, kind: str, sleeves: str, bodies: Bodies, depicts: int = 0) -> Piece:
    """A photo (uint8 HxWx3 BGR) as a piece. Raises Refused."""
    rng = np.random.default_rng(depicts)
    mask = cut_out(bgr)
    corners = find_corners(mask)
    cut, layout = measure(corners, kind, sleeves, rng)
    sheets = {s: lay_sheet(bodies, cut, layout, s)[0] for s in ("front", "back")}
    c = corners
    right = [c.neck[1], c.cuff_top[1], c.cuff_low[1], c.armpit[1], c.hem[1]]
    stops = [*right, c.hem[0], c.armpit[0], c.cuff_low[0], c.cuff_top[0], c.neck[0], c.neck[1]]
    if any(len(c.between(a, b)) < 4 for a, b in itertools.pairwise(stops)):
        raise Refused("corners out of order")
    target = np.concatenate(
        [evenly(c.between(a, b), n) for a, b, n in zip(stops[:-1], stops[1:], RUN_POINTS, strict=True)]
    )
    spline = _SheetSpline(bodies, cut, sheets["front"], target)
    spot = {s: spline.at(sheets[s], bodies.arm, bodies.tight[s][:, 0]) for s in sheets}
    _check_fit(bodies, cut, spot["front"], mask)
    places = cuts.landmark_places(cut)
    on = bodies.on_sheet(places)
    landmarks = spline.at(
        place(bodies, *on, sheets["front"]), place(bodies, *on, bodies.arm[:, None])[:, 0], places[:, 0]
    )

    picture = np.dstack([bleed(bgr, mask), cv2.GaussianBlur(mask * 255, (0, 0), 1.0)])
    flat = Garment("photo", "photo", cut.kind, cut.sleeves, picture, None, landmarks.astype(np.float32))
    m = np.linalg.inv(np.vstack([flat.to_picture, [0, 0, 1]]))[:2]
    big = flat.to_picture.copy()
    big[:, :2] /= TEXTURE_SCALE
    big[:, 2] -= (TEXTURE_SCALE - 1) / (2 * TEXTURE_SCALE) * flat.to_picture[:, :2].sum(1)
    size = (CANVAS_W * TEXTURE_SCALE, CANVAS_H * TEXTURE_SCALE)
    texture = cv2.warpAffine(
        picture, big, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=(0, 0, 0, 0)
    )
    on_canvas = {s: (p @ m[:, :2].T + m[:, 2]).astype(np.float32) for s, p in spot.items()}
    canvas = flat.canvas
    return Piece(
        cut, np.ascontiguousarray(texture[..., [2, 1, 0, 3]]), np.zeros((4, 4), np.float32), 0.4, on_canvas, None,
        over_white(canvas), canvas[..., 3].copy(), flat.canvas_landmarks, depicts, (0.0, 0.0, 0.0, 0.0), True, depicts,
    )  # fmt: skip


def bleed(bgr: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The photo with the garment's colours continued outwards, so that its edges never pick up the ground."""
    sure = cv2.erode(mask, np.ones((5, 5), np.uint8))
    _, label = cv2.distanceTransformWithLabels(1 - sure, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros((label.max() + 1, 3), np.uint8)
    lookup[label[sure > 0]] = bgr[sure > 0]
    return lookup[label]


class _SheetSpline:
    """Three thin plates, of the torso and the two sleeves, blended at the shoulders: laid sheet -> photo pixels.

    A sheet whose sleeves lie close to its body has no smooth inverse as a whole, but each part has.
    """

    def __init__(self, bodies: Bodies, cut: Cut, laid: np.ndarray, target: np.ndarray):
        """laid: (V, 2) where the front sheet lies. target: the photo's outline, runs of RUN_POINTS."""
        places = np.concatenate([evenly(r, n) for r, n in zip(outline_places(cut), RUN_POINTS, strict=True)])
        on = bodies.on_sheet(places)
        source, arm = place(bodies, *on, laid) * _FLIP, place(bodies, *on, bodies.arm[:, None])[:, 0]
        self._parts = []
        for wanted in (arm < BLEND[1], *((arm > BLEND[0]) & (np.sign(places[:, 0]) == sign) for sign in (-1, 1))):
            self._parts.append((source[wanted], target[wanted]))

    def at(self, laid: np.ndarray, arm: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Photo pixels (n, 2) of points: where they lie, their arm coordinate, their u on the canonical sheet."""
        out = thin_plate(*self._parts[0], laid * _FLIP)
        for part, sign in zip(self._parts[1:], (-1, 1), strict=True):
            mine = (np.sign(u) == sign) & (arm > BLEND[0])
            if mine.any():
                w = smoothstep((arm[mine] - BLEND[0]) / (BLEND[1] - BLEND[0]))[:, None]
                out[mine] = out[mine] * (1 - w) + thin_plate(*part, laid[mine] * _FLIP) * w
        return out


_FLIP = np.array([1.0, -1.0])
BLEND = (0.0, 0.30)
"""Arm coordinates between which torso and sleeve are blended."""


def _check_fit(bodies: Bodies, cut: Cut, spot: np.ndarray, mask: np.ndarray) -> None:
    faces = bodies.front
    uv, arm = bodies.tight["front"][faces], bodies.arm[faces]
    kept = (arm.mean(1) <= cut.sleeve) & (uv[..., 1].mean(1) >= cut.hem)
    drawn = np.zeros_like(mask)
    for t in np.round(spot[faces[kept]] * 8).astype(np.int32):
        cv2.fillConvexPoly(drawn, t, 1, shift=3)
    iou = (drawn & mask).sum() / (drawn | mask).sum()
    if iou < MIN_IOU[cut.sleeves]:
        raise Refused(f"sheet and cut-out overlap by {iou:.3f} only")

    def areas(p: np.ndarray) -> np.ndarray:
        t = p[faces[kept]]
        a, b = t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]
        return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]

    laid, fitted = areas(bodies.tight["front"] * _FLIP), areas(spot)
    folds = np.abs(fitted[laid * fitted < 0]).sum() / np.abs(fitted).sum()
    if folds > MAX_FOLDS[cut.sleeves]:
        raise Refused(f"{folds:.1%} of the sheet folded over")


def prepare(photos: Path, cache: Path, held_out: bool, limit: int, budget_s: float, seed: int = 0) -> list[Piece]:
    """Fit photos of the classes of CLASSES, evenly, up to `limit` or until `budget_s` is over; keep them in `cache`.

    A cache that is there is used as it is. Prints what was accepted and why others were refused.
    """
    done = cache / f"photos_{'heldout' if held_out else 'train'}.npz"
    if done.exists():
        return _load(done)
    rng = np.random.default_rng(seed)
    queues = []
    for name, (kind, sleeves) in CLASSES.items():
        paths = [p for p in sorted((photos / name).glob("*.jpg")) if is_held_out(p) == held_out]
        queues.append([(paths[i], kind, sleeves) for i in rng.permutation(len(paths))])
    order = [q[k] for k in range(max(map(len, queues), default=0)) for q in queues if k < len(q)]
    pieces: list[Piece] = []
    refused: dict[str, int] = {}
    start = time.monotonic()
    tried = 0
    for path, kind, sleeves in order:
        if len(pieces) >= limit or time.monotonic() - start > budget_s:
            break
        tried += 1
        bgr = cv2.imread(str(path))
        if bgr is None:
            continue
        try:
            pieces.append(fit_photo(bgr, kind, sleeves, load_bodies(), zlib.crc32(path.stem.encode())))
        except Refused as error:
            why = "".join(ch for ch in str(error) if not ch.isdigit())
            refused[why] = refused.get(why, 0) + 1
    print(
        f"photos: {len(pieces)} of {tried} fitted in {time.monotonic() - start:.0f} s; refused: {refused}", flush=True
    )
    cache.mkdir(parents=True, exist_ok=True)
    _save(done, pieces)
    return pieces


_CUT_FIELDS = ("sleeve", "hem", "neck_half", "neck_front", "neck_back", "neck_top")


def _save(path: Path, pieces: list[Piece]) -> None:
    """One npz: textures and flats as they are, vertices as float16."""
    if not pieces:
        return
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        texture=np.stack([p.texture for p in pieces]), flat=np.stack([p.flat for p in pieces]),
        mask=np.stack([p.mask for p in pieces]),
        landmarks=np.stack([p.landmarks for p in pieces]), depicts=np.array([p.depicts for p in pieces], np.uint32),
        front=np.stack([p.canvas_xy["front"] for p in pieces]), back=np.stack([p.canvas_xy["back"] for p in pieces]),
        kind=np.array([p.cut.kind for p in pieces]), sleeves=np.array([p.cut.sleeves for p in pieces]),
        cut=np.array([[getattr(p.cut, f) for f in _CUT_FIELDS] for p in pieces]),
    )  # fmt: skip
    part.replace(path)


def _load(path: Path) -> list[Piece]:
    with np.load(path) as z:
        d = {k: z[k] for k in z.files}
    out = []
    for i in range(len(d["kind"])):
        numbers = dict(zip(_CUT_FIELDS, (float(v) for v in d["cut"][i]), strict=True))
        cut = Cut(kind=str(d["kind"][i]), sleeves=str(d["sleeves"][i]), v_neck=False, collar="none", ease=EASE_M,
                  sleeve_ease=EASE_M * 0.7, hang=0.7, droop=0.6, **numbers)  # fmt: skip
        places, shown = {"front": d["front"][i], "back": d["back"][i]}, int(d["depicts"][i])
        out.append(
            Piece(cut, d["texture"][i], np.zeros((4, 4), np.float32), 0.4, places, None, d["flat"][i], d["mask"][i],
                  d["landmarks"][i], shown, (0.0, 0.0, 0.0, 0.0), True, shown)
        )  # fmt: skip
    return out
