"""One garment of the generator: its cut, its cloth, and itself lying flat on its canvas just as the mirror lays it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ir_models.synth import cuts
from ir_models.synth.bodies import Bodies, Body
from ir_models.synth.cloth import collar_mesh, collar_profile, neck_ring, posed, ring_faces, wrinkle_strength
from ir_models.synth.cuts import Cut
from ir_models.synth.layouts import Layout, draw_layout, lay_sheet
from ir_models.synth.light import Light, illuminate
from ir_models.synth.people import BACK, FRONT
from ir_models.synth.raster import CLOTH, TEXTURE_LEFT, TEXTURE_SPAN, TEXTURE_TOP, Mesh, draw, join, table_row
from ir_models.synth.textures import SIZE, Noise, tinted
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.wardrobe import Garment

TABLE_PX_PER_M = 470
"""Scale of the picture of the lying garment; its canvas is made from that, as from a photo."""
HOOD_LYING = 1.7
"""How much taller a hood lies than it hangs."""
INNER_IN_MASK_SHARE = 0.3
"""Share of flats whose mask holds the inside of the back collar: cut-outs of photos often cannot tell it."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A garment that can be laid and worn.

    canvas_xy: for 'front' and 'back', float32 (V, 2): where each vertex of the sheet lies on the garment canvas,
    pixels. collar_xy: the same for the collar's vertices, or None. texture: uint8 HxWx4 RGBA, drawn on the canonical
    square, or the photo on its canvas if `photo`. flat: uint8 256x192x3 RGB on white. mask: uint8 256x192.
    landmarks: float32 (13, 2), canvas pixels. seed: of its collar and folds. rib: linear RGB and share of the ribbing.
    """

    cut: Cut
    texture: np.ndarray
    bump: np.ndarray
    bump_gain: float
    canvas_xy: dict[str, np.ndarray]
    collar_xy: np.ndarray | None
    flat: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray
    seed: int
    rib: tuple[float, float, float, float]
    photo: bool = False
    depicts: int = 0

    def object_row(self, sheet: str, cut: Cut, slot: int) -> np.ndarray:
        """A row of the object table for the front or back sheet as worn or laid."""
        part = FRONT if sheet == "front" else BACK
        collared = cut.collar in ("turtle",)
        hem = cut.hem
        if cut.tuck is not None:
            hem = max(hem, cut.tuck - 0.03)
        return table_row(
            part, CLOTH, texture=slot, bump=self.bump_gain, sleeve=NO_SLEEVE_CUT if self.photo else cut.sleeve,
            hem=-9 if self.photo and cut.tuck is None else hem, hem_curve=0.0 if self.photo else cut.hem_curve,
            neck_half=1e-6 if collared else cut.neck_half, neck_top=cut.neck_top, neck_front=cut.neck_front,
            neck_back=cut.neck_back, v_neck=float(cut.v_neck), strap_half=0.0 if self.photo else cut.strap,
            strap_top=cuts.TANK_STRAP_TOP, strap_low=cuts.TANK_STRAP_LOW, open_top=cut.open_top, open_hem=cut.open_hem,
            sheet=float(sheet == "back"), alpha=float(self.photo), flat_texture=float(self.photo), gloss=0.0,
            rib_neck=cut.rib_neck if cut.collar == "rib" else 0.0, rib_cuff=cut.rib_cuff, rib_red=self.rib[0],
            rib_green=self.rib[1], rib_blue=self.rib[2], rib_mix=self.rib[3],
        )  # fmt: skip

    def collar_rows(self, slot: int) -> np.ndarray:
        """Two rows: the collar's front and its back."""
        common = dict(
            texture=slot, bump=self.bump_gain * 0.5, neck_half=1e-6, alpha=0.0, flat_texture=float(self.photo)
        )
        hood = self.cut.collar == "hood"
        rows = [table_row(BACK if hood else FRONT, CLOTH, **common), table_row(BACK, CLOTH, sheet=0.0, **common)]
        return np.stack(rows)

    def worn(
        self, bodies: Bodies, body: Body, moves: np.ndarray, cut: Cut, slot: int, bends: tuple[float, float]
    ) -> list[Mesh]:
        """The garment on a posed body. cut: as worn (tucked, opened). slot: which texture of the scene is its own."""
        rng = np.random.default_rng(self.seed)
        noise = Noise(rng)
        v, n = posed(bodies, body, cut, moves, noise)
        strength = wrinkle_strength(bodies, cut, bends)
        out = []
        for sheet, faces in (("front", bodies.front), ("back", bodies.back)):
            a = np.concatenate([bodies.tight[sheet], bodies.arm[:, None], self.canvas_xy[sheet], strength[:, None]], 1)
            out.append(
                Mesh(
                    v,
                    n,
                    a.astype(np.float32),
                    faces,
                    np.zeros(len(faces), np.uint8),
                    self.object_row(sheet, cut, slot)[None],
                )
            )
        collar = self._collar(bodies, v, moves, body, cut, slot)
        return out + ([collar] if collar is not None else [])

    def _collar(
        self, bodies: Bodies, cloth: np.ndarray, moves: np.ndarray, body: Body, cut: Cut, slot: int
    ) -> Mesh | None:
        from ir_models.synth.bodies import normals

        if self.collar_xy is None:
            return None
        rng = np.random.default_rng(self.seed + 1)
        gap = collar_gap(cut)
        made = collar_mesh(bodies, cloth, moves, body, cut.collar, rng, gap)
        if made is None:
            return None
        v, faces, profile, ring = made
        _rows, columns = profile.shape[:2]
        a = collar_attributes(bodies, profile, ring, self.collar_xy)
        owner = np.where(ring.front[faces % columns].all(1), 0, 1).astype(np.uint8)
        n = normals(v, faces)
        out = v - v.mean(0)
        if ((n * out).sum(1) < 0).mean() > 0.5:
            faces, n = faces[:, ::-1].copy(), -n
        return Mesh(v, n, a, faces, owner, self.collar_rows(slot))


NO_SLEEVE_CUT = 9.0


def collar_gap(cut: Cut) -> float:
    """Half angle left open in front, radians."""
    return {"shirt": 0.20, "hood": 0.55}.get(cut.collar, 0.0)


def collar_attributes(bodies: Bodies, profile: np.ndarray, ring, canvas_xy: np.ndarray) -> np.ndarray:
    """Attributes of the collar's vertices: cloth continues upwards from the neck ring."""
    base = np.where(ring.front[:, None], bodies.tight["front"][ring.vertices], bodies.tight["back"][ring.vertices])
    uv = np.concatenate([base + np.stack([0 * r[:, 0], np.abs(r[:, 0]) * 0.5 + r[:, 1] * 0.5], 1) for r in profile])
    n = len(uv)
    return np.concatenate([uv, np.full((n, 1), -1.0), canvas_xy, np.full((n, 1), 0.4)], 1).astype(np.float32)


def lay_collar(bodies: Bodies, cut: Cut, seed: int, sheets: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple | None:
    """The collar on the table: places (V, 2) metres, depths (V,), profile, ring; None without a collar."""
    ring = neck_ring(bodies)
    profile = collar_profile(cut.collar, np.random.default_rng(seed + 1), ring.angle)
    if profile is None:
        return None
    base = np.where(ring.front[:, None], sheets["front"][0][ring.vertices], sheets["back"][0][ring.vertices])
    centre = base.mean(0)
    out = base - centre
    out /= np.linalg.norm(out, axis=1, keepdims=True) + 1e-6
    out[:, 1] = np.where(ring.front, np.minimum(out[:, 1], 0), 0.2)
    places, depths = [], []
    for k, row in enumerate(profile):
        lift = np.stack([np.zeros(len(row)), row[:, 0]], 1)
        spread = out * row[:, 1:] * (0.9 if cut.collar != "hood" else 0.35)
        if cut.collar == "hood":
            lift[:, 1] = (row[:, 0] * 0.8 + row[:, 1] * 0.7) * np.where(ring.front, 1.0, HOOD_LYING)
        places.append(base + lift + spread)
        depths.append(np.where(ring.front, -0.3 - 0.05 * k, 0.6 + 0.02 * k))
    return np.concatenate(places), np.concatenate(depths), profile, ring


def place(bodies: Bodies, vertices: np.ndarray, weights: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Points given as corners and weights of the front sheet (`Bodies.on_sheet`) -> where they lie."""
    return (xy[vertices] * weights[..., None]).sum(1)


def drawn_piece(
    bodies: Bodies, cut: Cut, texture: np.ndarray, bump: np.ndarray, rng: np.random.Generator,
    layout: Layout | None = None, lit: bool = True,
) -> Piece:  # fmt: skip
    """A garment of drawn cloth, laid and photographed from above. lit=False draws the bare cloth, for tests."""
    layout = layout or draw_layout(rng, cut)
    seed = int(rng.integers(2**31))
    texture = _with_details(rng, tinted(rng, texture), cut) if lit else texture
    own = texture[SIZE // 2, SIZE // 2, :3] / 255.0
    rib = np.clip(own * rng.uniform(0.6, 1.1) if rng.random() < 0.7 else rng.random(3), 0, 1) ** 2
    share = float(cut.rib_neck > 0 and rng.random() < 0.5)
    piece = Piece(cut, texture, bump, rng.uniform(0.35, 1.2), {}, None, np.empty(0), np.empty(0), np.empty(0), seed,
                  (float(rib[0]), float(rib[1]), float(rib[2]), share))  # fmt: skip

    sheets = {s: lay_sheet(bodies, cut, layout, s) for s in ("front", "back")}
    collar = lay_collar(bodies, cut, seed, sheets)
    everything = np.concatenate([sheets["front"][0], sheets["back"][0]] + ([collar[0]] if collar else []))
    low, high = everything.min(0), everything.max(0)
    wide, tall = (int(np.ceil(e * TABLE_PX_PER_M)) + 4 for e in high - low)
    size = (tall, wide)

    def to_px(p: np.ndarray) -> np.ndarray:
        return np.stack([(p[:, 0] - low[0]) * TABLE_PX_PER_M + 2, (high[1] - p[:, 1]) * TABLE_PX_PER_M + 2], 1)

    meshes, screens = [], []

    def add(
        p: np.ndarray, depth: np.ndarray, attributes: np.ndarray, faces: np.ndarray, owner: np.ndarray, rows: np.ndarray
    ) -> None:
        up = np.tile(np.array([0, -1, 0], np.float32), (len(p), 1))
        position = np.stack([p[:, 0], 0.1 * depth, p[:, 1]], 1)
        meshes.append(Mesh(position.astype(np.float32), up, attributes.astype(np.float32), faces, owner, rows))
        screens.append(np.concatenate([to_px(p), 1 / (10 + depth[:, None])], 1))

    zero = np.zeros((len(bodies.arm), 2), np.float32)
    calm = np.full((len(bodies.arm), 1), 0.25 if lit else 0.0)
    for sheet, faces in (("front", bodies.front), ("back", bodies.back)):
        a = np.concatenate([bodies.tight[sheet], bodies.arm[:, None], zero, calm], 1)
        add(*sheets[sheet], a, faces, np.zeros(len(faces), np.uint8), piece.object_row(sheet, cut, 0)[None])
    if collar is not None:
        places, depths, profile, ring = collar
        faces = ring_faces(profile.shape[0], ring, collar_gap(cut))
        columns = profile.shape[1]
        owner = np.where(ring.front[faces % columns].all(1), 0, 1).astype(np.uint8)
        add(
            places,
            depths,
            collar_attributes(bodies, profile, ring, np.zeros((len(places), 2))),
            faces,
            owner,
            piece.collar_rows(0),
        )
    view = draw(join(meshes), np.concatenate(screens).astype(np.float32), (texture, texture), size)
    lamp = np.array([rng.normal(0, 0.25), -1.0, rng.normal(0.2, 0.25)])
    light = Light(lamp / np.linalg.norm(lamp), np.full(3, 0.35), np.full(3, 0.65), unlit=not lit)
    colour, _ = illuminate(view, light, np.array([0, -5.0, 0.3]), (texture, texture), bump, shadows=False)
    back = view.part == BACK
    if lit:
        colour[back] *= 0.7
    picture = (np.sqrt(np.clip(colour, 0, 1)) * 255 + 0.5).astype(np.uint8)
    alpha = np.where(view.part > 0, 255, 0).astype(np.uint8)
    landmarks = to_px(place(bodies, *bodies.on_sheet(cuts.landmark_places(cut)), sheets["front"][0]))
    flat = Garment(
        "drawn",
        "drawn",
        cut.kind,
        cut.sleeves,
        np.dstack([picture[..., ::-1], alpha]),
        None,
        landmarks.astype(np.float32),
    )
    inner = rng.random() < INNER_IN_MASK_SHARE
    mask_picture = alpha if inner else np.where(back, 0, alpha).astype(np.uint8)
    mask = _to_canvas(mask_picture, flat)

    m = np.linalg.inv(np.vstack([flat.to_picture, [0, 0, 1]]))[:2]
    on_canvas = lambda p: (to_px(p) @ m[:, :2].T + m[:, 2]).astype(np.float32)  # noqa: E731
    return replace(
        piece, canvas_xy={s: on_canvas(sheets[s][0]) for s in sheets},
        collar_xy=None if collar is None else on_canvas(collar[0]),
        flat=over_white(flat.canvas), mask=mask, landmarks=flat.canvas_landmarks,
    )  # fmt: skip


def _to_canvas(mask: np.ndarray, garment: Garment) -> np.ndarray:
    scale = garment.to_picture[0, 0]
    if scale > 1.5:
        mask = cv2.GaussianBlur(mask, (0, 0), 0.45 * scale)
    return cv2.warpAffine(mask, garment.to_picture, (CANVAS_W, CANVAS_H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def over_white(canvas: np.ndarray) -> np.ndarray:
    """uint8 BGRA on the canvas -> uint8 RGB on white."""
    alpha = canvas[..., 3:].astype(np.float32) / 255
    return (canvas[..., 2::-1] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)


def _with_details(rng: np.random.Generator, texture: np.ndarray, cut: Cut) -> np.ndarray:
    """Plackets, buttons, zips and pockets drawn into the cloth."""
    if cut.kind not in ("shirt", "polo", "hoodie"):
        return texture
    out = np.ascontiguousarray(texture).copy()
    metre = SIZE / TEXTURE_SPAN
    x = int((0 - TEXTURE_LEFT) * metre)
    top, hem = int((TEXTURE_TOP - cut.neck_top) * metre), int((TEXTURE_TOP - cut.hem) * metre)
    base = out[min(top + 60, SIZE - 1), x, :3].astype(float)
    line = [int(c) for c in base * 0.72] + [255]
    if cut.kind in ("shirt", "polo"):
        end = hem if cut.kind == "shirt" else top + int(rng.uniform(0.15, 0.22) * metre)
        for d in (-0.014, 0.014):
            cv2.line(out, (x + int(d * metre), top), (x + int(d * metre), end), line, 1, cv2.LINE_AA)
        button = [
            int(c) for c in (rng.random(3) * 255 if rng.random() < 0.3 else np.full(3, rng.choice([30, 235])))
        ] + [255]
        for y in range(top + 60, end, int(rng.uniform(0.07, 0.10) * metre)):
            cv2.circle(out, (x, y), 3, button, -1, cv2.LINE_AA)
        if cut.kind == "shirt" and rng.random() < 0.6:
            px, py, w, h = (int(v * metre) for v in (0.08 - TEXTURE_LEFT, TEXTURE_TOP - 0.5, 0.035, 0.09))
            for s in (1,) if rng.random() < 0.6 else (1, -1):
                cx = int(x + s * (px - x))
                cv2.rectangle(out, (cx - w, py), (cx + w, py + h), line, 1, cv2.LINE_AA)
    else:
        if rng.random() < 0.4:
            cv2.line(
                out,
                (x, top),
                (x, hem),
                [int(c) for c in np.clip(base * rng.choice([0.5, 1.6]), 0, 255)] + [255],
                3,
                cv2.LINE_AA,
            )
        w, h, y = int(0.11 * metre), int(0.15 * metre), hem - int(0.05 * metre)
        pocket = np.array(
            [[x - w, y], [x - w, y - h // 2], [x - w // 2, y - h], [x + w // 2, y - h], [x + w, y - h // 2], [x + w, y]]
        )
        cv2.polylines(out, [pocket], True, line, 2, cv2.LINE_AA)
        for s in (-1, 1):  # strings of the hood
            start = (x + int(s * 0.035 * metre), top + 30)
            end_at = (x + int(s * 0.04 * metre), top + 30 + int(rng.uniform(0.08, 0.2) * metre))
            string = [int(c) for c in np.clip(base * 0.6 + rng.choice([0, 90]), 0, 255)]
            cv2.line(out, start, end_at, [*string, 255], 2, cv2.LINE_AA)
    return out
