"""Photos of lying garments -> pieces of the generator: cut out, measured, fitted to the flat sheet of a matching cut.

The cut-out is GrabCut seeded from the border; the mirror's own landmark finder reads its outline; the sheet is laid
with the sleeves at the photo's angles, and thin-plate splines take it the rest of the way. What is not clean is
refused: a dirty cut-out or a T-shirt's sheet under a long-sleeved photo does more harm than a photo less.
"""

from __future__ import annotations

import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from ir_models.synth import cuts
from ir_models.synth.bodies import Bodies, load_bodies
from ir_models.synth.cloth import smoothstep
from ir_models.synth.cuts import Cut
from ir_models.synth.layouts import lay_sheet
from ir_models.synth.photo_outline import EASE_M, Refused, measure, photo_outline, sheet_outline
from ir_models.synth.pieces import Piece, over_white, place
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.prepare.landmarks import place as find_landmarks
from mirror.wardrobe import LANDMARKS, Garment

CLASSES = {
    "t-shirt": ("tshirt", "short"),
    "polo": ("polo", "short"),
    "longsleeve": ("longsleeve", "long"),
    "shirt": ("shirt", None),
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
MIN_IOU, MAX_FOLDS = {"short": 0.945, "long": 0.92}, {"short": 0.006, "long": 0.02}
"""By sleeves: overlap of sheet and cut-out, and share of the sheet folded over (long sleeves fold at the armpit)."""


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


def fit_photo(bgr: np.ndarray, kind: str, sleeves: str | None, bodies: Bodies, depicts: int = 0) -> Piece:
    """A photo (uint8 HxWx3 BGR) as a piece. sleeves: of SLEEVES, or None for a class with either. Raises Refused."""
    rng = np.random.default_rng(depicts)
    mask = cut_out(bgr)
    placed = find_landmarks(mask)
    cut, layout = measure(placed, kind, sleeves, rng)
    sheets = {s: lay_sheet(bodies, cut, layout, s)[0] for s in ("front", "back")}
    spline = _SheetSpline(bodies, cut, sheets["front"], photo_outline(placed))
    spot = {s: spline.at(sheets[s], bodies.arm, bodies.tight[s][:, 0]) for s in sheets}
    _check_fit(bodies, cut, spot["front"], mask)
    front = LANDMARKS.index("neck_front")
    landmarks = placed.points.copy()
    collar = bodies.on_sheet(cuts.landmark_places(cut)[front : front + 1])
    landmarks[front] = spline.at(place(bodies, *collar, sheets["front"]), np.zeros(1) - 1, np.ones(1))[0]
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
        places = sheet_outline(cut)
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
    done = cache / f"fitted_{'heldout' if held_out else 'train'}.npz"
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
    return _load(done) if pieces else []


_CUT_FIELDS = ("sleeve", "hem", "neck_half", "neck_front", "neck_back", "neck_top")


TEXTURE_QUALITY = 75
"""Of WebP; 24 kB a photo."""
COMPONENTS = 150
"""Principal components that the sheets' places are kept as: of 811 photos, 0.07 canvas pixels off in the mean, one
place in a thousand half a pixel."""


def _save(path: Path, pieces: list[Piece]) -> None:
    """One npz of 30 kB a photo: textures as WebP, where the sheets' vertices lie as principal components."""
    if not pieces:
        return
    pictures = [
        cv2.imencode(".webp", p.texture, [cv2.IMWRITE_WEBP_QUALITY, TEXTURE_QUALITY])[1].ravel() for p in pieces
    ]
    used = _used(load_bodies())
    places = np.stack(
        [np.concatenate([p.canvas_xy[s][u] for s, u in zip(_SHEETS, used, strict=True)]).ravel() for p in pieces]
    )
    mean = places.mean(0)
    left, scale, components = np.linalg.svd(places - mean, full_matrices=False)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        pictures=np.concatenate(pictures), sizes=np.array([len(p) for p in pictures]), mean=mean,
        weights=(left * scale)[:, :COMPONENTS].astype(np.float32),
        components=components[:COMPONENTS].astype(np.float16),
        landmarks=np.stack([p.landmarks for p in pieces]), depicts=np.array([p.depicts for p in pieces], np.uint32),
        kind=np.array([p.cut.kind for p in pieces]), sleeves=np.array([p.cut.sleeves for p in pieces]),
        cut=np.array([[getattr(p.cut, f) for f in _CUT_FIELDS] for p in pieces]),
    )  # fmt: skip
    part.replace(path)


def _load(path: Path) -> list[Piece]:
    with np.load(path) as z:
        d = {k: z[k] for k in z.files}
    bodies = load_bodies()
    used = _used(bodies)
    places = (d["mean"] + d["weights"] @ d["components"].astype(np.float32)).reshape(len(d["kind"]), -1, 2)

    def piece(i: int, picture: np.ndarray) -> Piece:
        numbers = dict(zip(_CUT_FIELDS, (float(v) for v in d["cut"][i]), strict=True))
        cut = Cut(kind=str(d["kind"][i]), sleeves=str(d["sleeves"][i]), v_neck=False, collar="none", ease=EASE_M,
                  sleeve_ease=EASE_M * 0.7, hang=0.7, droop=0.6, **numbers)  # fmt: skip
        sheets = {}
        for sheet, rows, at in zip(_SHEETS, used, np.split(places[i], [len(used[0])]), strict=True):
            sheets[sheet] = np.zeros_like(bodies.tight[sheet])
            sheets[sheet][rows] = at
        texture = cv2.imdecode(picture, cv2.IMREAD_UNCHANGED)
        if texture.shape[2] == 3:  # WebP drops an alpha that is opaque everywhere
            texture = cv2.cvtColor(texture, cv2.COLOR_BGR2BGRA)
        # and forgets the colours where nothing is seen
        texture[..., :3] = bleed(texture[..., :3], (texture[..., 3] > 127).astype(np.uint8))
        flat, mask, shown = *_lying(texture), int(d["depicts"][i])
        return Piece(
            cut, texture, np.zeros((4, 4), np.float32), 0.4, sheets, None, flat, mask,
            d["landmarks"][i], shown, (0.0, 0.0, 0.0, 0.0), True, shown,
        )  # fmt: skip

    pictures = np.split(d["pictures"], np.cumsum(d["sizes"])[:-1])
    with ThreadPoolExecutor() as pool:
        return list(pool.map(piece, range(len(pictures)), pictures))


_SHEETS = ("front", "back")


def _used(bodies: Bodies) -> list[np.ndarray]:
    """The vertices of each sheet's own faces."""
    return [np.unique(faces) for faces in (bodies.front, bodies.back)]


def _lying(texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a texture the garment on its canvas, over white, and its mask."""
    canvas = cv2.resize(texture, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)
    return over_white(canvas[..., [2, 1, 0, 3]]), canvas[..., 3].copy()
