"""What a drawn garment is: its cut as numbers, drawn at random for a kind of the wardrobe, and its landmarks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ir_models.synth.bodies import Bodies
from mirror.wardrobe import KINDS, SLEEVES

KIND_WEIGHTS = {
    "tshirt": 0.27,
    "longsleeve": 0.22,
    "shirt": 0.13,
    "polo": 0.09,
    "tank": 0.08,
    "jumper": 0.11,
    "hoodie": 0.10,
}
SHORT_SLEEVE, LONG_SLEEVE = (0.20, 0.50), (0.88, 1.0)
"""Where sleeves end, as arm coordinate: 0 shoulder joint, 1 wrist."""
TANK_STRAP_TOP, TANK_STRAP_LOW = 0.57, 0.47
LOWEST_HEM = -0.165
"""The sheet is rounded below that (metres on the canonical sheet)."""
SHOWN_HANG, SHOWN_DROOP = 0.8, 0.65
COLLARS = ("none", "rib", "shirt", "turtle", "hood")


@dataclass(frozen=True)
class Cut:
    """A garment's cut. Lengths in metres on the canonical flat sheet; arm coordinates 0 shoulder .. 1 wrist.

    hem, hem_curve: height of the hem and how it rises to the sides. neck_*: half width, front and back depth below
    the highest point of the neckline. ease, sleeve_ease: how far the cloth stands off the body. hang: 0..1, how
    straight it falls from its widest point. droop: 0..1, how far it sinks off the arms. puff: bulge above a tucked hem.
    tuck: height at which it disappears into the trousers, or None. open_top, open_hem: half width of an open front.
    strap: half width of a tank top, 0 otherwise. rib_*: width of ribbing at neck and cuffs.
    """

    kind: str
    sleeves: str
    sleeve: float
    hem: float
    neck_half: float
    neck_front: float
    neck_back: float
    v_neck: bool
    collar: str
    ease: float
    sleeve_ease: float
    hang: float
    droop: float
    hem_curve: float = 0.0
    tuck: float | None = None
    open_top: float = 0.0
    open_hem: float = 0.0
    strap: float = 0.0
    rib_neck: float = 0.0
    rib_cuff: float = 0.0
    neck_top: float = field(default=0.70)


def draw_cut(rng: np.random.Generator, bodies: Bodies, kind: str | None = None) -> Cut:
    """A random cut; slim to oversized, short to long."""
    u = rng.uniform
    kind = kind or str(rng.choice(list(KIND_WEIGHTS), p=list(KIND_WEIGHTS.values())))
    size = u(0, 1) ** 1.3  # 0 slim, 1 oversized
    long = kind in ("longsleeve", "jumper", "hoodie") or (kind == "shirt" and rng.random() < 0.65)
    sleeves = "none" if kind == "tank" else "long" if long else "short"
    base = {"tshirt": 0.004, "longsleeve": 0.004, "shirt": 0.010, "polo": 0.007, "tank": 0.003, "jumper": 0.010,
            "hoodie": 0.014}[kind]  # fmt: skip
    ease = base + 0.030 * size * u(0.7, 1.1)
    short = SHORT_SLEEVE[0] + (SHORT_SLEEVE[1] - SHORT_SLEEVE[0]) * np.clip(
        0.25 + 0.6 * size + rng.normal(0, 0.2), 0, 1
    )
    cut = Cut(
        kind=kind,
        sleeves=sleeves,
        sleeve={"none": 0.3, "short": short, "long": u(*LONG_SLEEVE)}[sleeves],
        hem=float(np.clip(u(0.0, 0.09) - 0.10 * size * u(0.3, 1), LOWEST_HEM, 0.12)),
        neck_half=u(0.085, 0.118),
        neck_front=u(0.05, 0.13),
        neck_back=u(0.0, 0.018),
        v_neck=bool(rng.random() < 0.22),
        collar="rib" if rng.random() < 0.75 else "none",
        ease=ease,
        sleeve_ease=ease * u(0.45, 1.0),
        hang=float(rng.choice([0.3, 0.7, 1.0])),
        droop=u(0.3, 1.0),
        rib_neck=u(0.012, 0.026),
    )
    if kind == "tank":
        cut = replace(
            cut, strap=u(0.118, 0.158), neck_half=u(0.082, 0.105), neck_front=u(0.09, 0.16), neck_back=u(0.0, 0.06)
        )
    if kind in ("shirt", "polo"):
        cut = replace(cut, collar="shirt", neck_half=u(0.078, 0.088), neck_front=u(0.055, 0.085), v_neck=True,
                      hem_curve=u(0.3, 1.2) if kind == "shirt" and rng.random() < 0.6 else 0.0)  # fmt: skip
    if kind in ("jumper", "longsleeve") and rng.random() < (0.3 if kind == "jumper" else 0.12):
        cut = replace(cut, collar="turtle", neck_half=0.08, neck_front=0.02, neck_back=0.0, v_neck=False)
    if kind == "hoodie":
        cut = replace(
            cut, collar="hood", neck_half=u(0.085, 0.1), neck_front=u(0.05, 0.09), v_neck=bool(rng.random() < 0.3)
        )
    if long and kind in ("jumper", "hoodie", "longsleeve"):
        cut = replace(cut, rib_cuff=u(0.03, 0.08) if rng.random() < 0.7 else 0.0)
    return replace(cut, neck_top=neck_top(bodies, cut.neck_half))


@lru_cache(maxsize=512)
def _top(half_mm: int) -> float:
    from ir_models.synth.bodies import load_bodies

    bodies = load_bodies()
    v = bodies.tight["front"][np.unique(bodies.front)]
    return float(v[np.abs(np.abs(v[:, 0]) - half_mm / 1000) < 0.010][:, 1].max())


def neck_top(bodies: Bodies, neck_half: float) -> float:
    """Height of the shoulder line where the neckline meets it."""
    return _top(round(neck_half * 1000))


def as_shown(cut: Cut) -> Cut:
    """The garment as the mirror shows it: untucked, and with the drape of every other one.

    A lying garment does not tell how its cloth falls. Were that left to chance, the network could only guess, and its
    hems would lie in between.
    """
    return replace(cut, tuck=None, hang=SHOWN_HANG, droop=SHOWN_DROOP)


def worn_variant(cut: Cut, rng: np.random.Generator) -> Cut:
    """The same garment as somebody wears it: tucked in, or with an open front, or as it is."""
    if cut.kind in ("shirt", "polo", "tshirt", "longsleeve", "tank") and rng.random() < 0.18:
        cut = replace(cut, tuck=rng.uniform(0.10, 0.16))
    return cut


def opened(cut: Cut, rng: np.random.Generator) -> Cut:
    """The garment with an open front (only ever worn over another one)."""
    top = rng.uniform(0.02, 0.07)
    return replace(cut, open_top=top, open_hem=rng.uniform(0.03, 0.16), tuck=None, neck_half=0.085, v_neck=True)


class SheetOutline:
    """The seam of the canonical front sheet, right half: where sleeves, hems and shoulders end on it."""

    def __init__(self, bodies: Bodies):
        from ir_models.synth.extract import border_edges

        uv = bodies.tight["front"]
        loop = self._ordered(border_edges(bodies.front))
        self.uv, self.arm = uv[loop], bodies.arm[loop]
        start = int(np.argmax(np.where(self.uv[:, 0] > 0.03, self.uv[:, 1], -9)))  # neck, on the right
        self.uv, self.arm = np.roll(self.uv, -start, 0), np.roll(self.arm, -start)
        if self.uv[len(self.uv) // 8, 0] < self.uv[0, 0]:
            self.uv, self.arm = np.roll(self.uv[::-1], 1, 0), np.roll(self.arm[::-1], 1)
        low = int(np.argmin(np.where(self.uv[:, 0] > 0, self.uv[:, 1], 9)))
        self.uv, self.arm = self.uv[: low + 1], self.arm[: low + 1]
        self.cuff = int(np.argmax(self.arm))
        below = np.arange(len(self.uv)) > self.cuff
        high = below & (self.uv[:, 1] > 0.3)
        self.armpit = int(np.argmin(np.where(high, self.uv[:, 0] - 0.6 * self.uv[:, 1], 9)))

    @staticmethod
    def _ordered(edges: np.ndarray) -> np.ndarray:
        follow = {int(a): int(b) for a, b in edges}
        first = int(edges[0, 0])
        loop = [first]
        while (n := follow[loop[-1]]) != first and len(loop) <= len(edges):
            loop.append(n)
        return np.array(loop)

    def upper(self, arm: float) -> np.ndarray:
        """Where the upper side of the sleeve has that arm coordinate."""
        i = int(np.argmin(np.abs(self.arm[: self.cuff + 1] - arm)))
        return self.uv[i]

    def lower(self, arm: float) -> np.ndarray:
        i = self.cuff + int(np.argmin(np.abs(self.arm[self.cuff : self.armpit + 1] - arm)))
        return self.uv[i]

    def side(self, v: float) -> np.ndarray:
        """Where the side seam has that height."""
        i = self.armpit + int(np.argmin(np.abs(self.uv[self.armpit :, 1] - v)))
        return self.uv[i]


@lru_cache(maxsize=1)
def outline() -> SheetOutline:
    from ir_models.synth.bodies import load_bodies

    return SheetOutline(load_bodies())


def landmark_places(cut: Cut) -> np.ndarray:
    """float64 (13, 2): the rows of mirror.wardrobe.LANDMARKS on the canonical sheet (left half at negative u)."""
    o = outline()
    neck = np.array([cut.neck_half, cut.neck_top])
    front = np.array([0.0, cut.neck_top - cut.neck_front])
    armpit = o.uv[o.armpit]
    if cut.strap > 0:
        shoulder = np.array([cut.strap, neck_top_at(cut.strap)])
        outer, inner = shoulder, armpit
    else:
        shoulder, outer, inner = o.upper(0.0), o.upper(cut.sleeve), o.lower(cut.sleeve)
        if inner[1] > armpit[1] and cut.sleeve < 0.3:
            inner = armpit
    side = o.side(cut.hem)
    hem = np.array([side[0], cut.hem + cut.hem_curve * side[0] ** 2])
    mirror = np.array([-1.0, 1.0])
    rows = [neck * mirror, neck, front]
    for p in (shoulder, outer, inner, armpit, hem):
        rows += [p * mirror, p]
    return np.array(rows)


def neck_top_at(half: float) -> float:
    return _top(round(half * 1000))


def kind_index(cut: Cut) -> int:
    return KINDS.index(cut.kind)


def sleeves_index(cut: Cut) -> int:
    return SLEEVES.index(cut.sleeves)
