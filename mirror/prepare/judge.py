"""Whether what was found on a photo can be trusted, in figures and in sentences."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

import cv2
import numpy as np

from mirror.prepare.contour import curve_along, outline, resample, smooth
from mirror.prepare.cutout import Cutout
from mirror.prepare.gaps import NEAR, background_odds, local_misfit, outside_body
from mirror.prepare.grabcut import even_lab, remembered
from mirror.prepare.landmarks import Placed
from mirror.prepare.snap import SHADE_COST, SHADES
from mirror.prepare.strays import CLEAR_ODDS, Strays, find_strays
from mirror.wardrobe import LANDMARKS

RING = (
    "neck_left", "shoulder_left", "sleeve_outer_left", "sleeve_inner_left", "armpit_left", "hem_left",
    "hem_right", "armpit_right", "sleeve_inner_right", "sleeve_outer_right", "shoulder_right", "neck_right",
)  # fmt: skip
"""The landmarks in their order around the garment."""
MIN_AREA = 0.04
"""A smaller share of the picture is no garment somebody photographed."""


@dataclass(frozen=True)
class Quality:
    """Figures of a cut-out with landmarks; what they are checked against stands in LIMITS.

    area: share of the picture. score: log density of the landmarks under the shape model. border: share of the
    outline that lies on the picture's edge. agreement: overlap (intersection over union) of the garment with the
    polygon of its landmarks. lopsided: how much the lengths of the two halves differ, 0 for equal ones.
    contrast: share of the outline at which garment and background differ. roughness: length of the outline against
    the same outline smoothed. alike: share of the garment that has the colour of the background beside it.
    bulge, dent: how far the garment reaches out of that polygon, and how deep it stays within it, shares of its size
    (root of its area); around the neck, where hoods and collars are, bulges do not count. blot, uneven: what differs
    from its own mirror image: the thickest such piece, share of its size, and all of it, share of its area. Floor that
    was taken for cloth shows there. unlike: that share once the garment's lie is taken out, which may be askew:
    mirrored by the affine map that takes its landmarks best to those of the other half. missing: how thick what lies
    outside the outline and looks like the cloth nearby is at most, share of its size: a hem or sleeve that was cut
    away. lost, floor: how thick pieces beside the outline are that have the cloth's colours, and pieces within it that
    have the background's (strays.py), shares of its size.
    ragged: how far the hem is off a smooth curve (root mean square), share of its size, where colours don't vouch for
    it.
    """

    area: float
    score: float
    border: float
    agreement: float
    lopsided: float
    contrast: float
    roughness: float
    alike: float
    bulge: float
    dent: float
    blot: float
    uneven: float
    unlike: float
    missing: float
    lost: float
    floor: float
    ragged: float


CUT_AWAY = "part of the garment may be cut away"
FLOOR_KEPT = "part of the background may be cut out with it"
ANY = np.inf
CLEAN = (0.012, 0.012, 0.009)
"""Strays, of either side, that are thicker are none by chance; a hem that is more ragged has bites or bits of floor: of
770 photos ten known to be wrong lie beyond, and of the accepted ones known to be right one, barely."""
LIMITS = {
    "none": Quality(MIN_AREA, 30.0, 0.20, 0.85, 0.12, 0.75, 1.25, 0.06, 0.15, ANY, 0.08, 0.12, ANY, 0.03, *CLEAN),
    "short": Quality(MIN_AREA, 25.0, 0.15, 0.87, 0.35, 0.50, 1.205, 0.10, ANY, ANY, 0.08, ANY, 0.085, 0.025, *CLEAN),
    "hung": Quality(MIN_AREA, 15.0, 0.20, 0.83, 0.12, 0.75, 1.20, 0.05, 0.15, ANY, ANY, ANY, ANY, 0.03, *CLEAN),
    "long": Quality(MIN_AREA, 15.0, 0.25, 0.70, 0.40, 0.75, 1.30, 0.07, ANY, ANY, ANY, ANY, ANY, 0.035, *CLEAN),
}
"""What is still trusted: without sleeves, short sleeves spread out, short ones that hang down, long ones. They only
stop what is far off: the figures are weighed together, too, except without sleeves, where too few were looked at."""
SHORT = Quality(0.0, 0.017, -2.17, 3.58, -6.36, 5.61, -0.18, -22.8, -13.9, -16.1, -18.0, -16.0, 0.0, 0.0, 0.0, 0.0, 0.0)
LONG = Quality(0.0, 0.079, -2.91, 1.61, -8.80, 4.55, 1.04, -25.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
BIAS = {"short": -3.40, "long": -7.56}
MIN_TRUST = {"short": 0.60, "long": 0.60, "none": 0.0}
"""Logistic regressions of "outline and landmarks are right" on 120 looked-at photos of T-shirts and 150 of long
sleeves; the thresholds are those above which 19 of 20 T-shirts were right, and 9 of 10 long sleeves, each judged by
a fit to the others. On the draw of seed 53, whose outlines lie on the edges nearby, the limits of short sleeves were
drawn closer: four of the eight accepted T-shirts that were wrong lay beyond them, none that was right; the threshold,
then 0.70, stopped as many right ones as wrong ones and was lowered for it. That of long sleeves, 0.70 too, left 59 %
of that draw: more of them were right than is asked. After the draw of seed 83 short sleeves had limits set on how much
the halves differ: of 329 accepted T-shirts of three draws five of 18 wrong ones lie beyond, or below the threshold, and
three right ones. `unlike` took the place of `uneven` there: of 770 photos it lets two more through, which lie
askew and are right."""
ENOUGH = Quality(1.0, 65.0, 1.0, 1.0, 1.0, 1.0, 9.0, 0.1, 0.15, 0.15, 0.1, 0.15, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Beyond these a figure says no more."""
EDGE_SHARE, MISSING_NEAR, FLOOR_NEAR = 0.012, 0.10, 0.25
"""Of the garment's size: what is left out on both sides of the outline, how far from it missing cloth is looked for,
and the reach of the colours of the floor: wider than the cloth's, so that what is missing does not pass for floor."""
HEM_POINTS, HEM_TERMS, HEM_STRAY, HEM_ENDS = 800, 6, 0.01, 4
"""Points of the whole outline; terms of the curve that hems follow, shirts' tails too; how far off it, of the garment's
size, cloth counts for less and less; points at each end of the hem, where corners are round, that are not counted."""
TORSO = ("neck", "shoulder", "armpit", "hem")
"""Landmarks that tell how a garment lies; sleeves lie as they like."""
NEAR_NECK = 0.35
"""Of the garment's size: where bulges are collars and hoods."""
THROAT_UP, THROAT_DOWN, THROAT_CLOTH = 1.0, 0.4, 0.2
"""Where the opening of the neck is looked at, in widths of the neck above and below its points; and the reach of the
colours of cloth there, of the garment's size."""
THROAT_LIMIT = 0.12
"""Thicker is more than the label in a collar: of seven garments with a hanger or floor at the neck five lay above it,
of sixty-three without two, one of them with a large white label."""
BELOW_HEM, WITHIN_SIDES = 0.10, 0.04
"""Where labels at the hem lie, of the way from the armpits to the hem and of the width."""
MOST_SAG = 0.25
"""A hem that hangs lower in its middle is none; of its width."""


def polygon(points: np.ndarray) -> np.ndarray:
    """float64 (12, 2): landmarks (13, 2) as one outline."""
    return np.array([points[LANDMARKS.index(name)] for name in RING])


def rounded(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """float64 (n, 2): the landmarks (13, 2) as one outline whose hem is an arc where the outline's (m, 2) is one."""
    left, right = (points[LANDMARKS.index(f"hem_{side}")] for side in ("left", "right"))
    half = (right - left) / 2
    across = half / max(float(np.linalg.norm(half)), 1e-6)
    at = (line - (left + right) / 2) @ np.stack([across, [-across[1], across[0]]], 1)
    width = max(float(np.linalg.norm(half)), 1e-6)
    t, depth = at[:, 0] / width, at[:, 1] / width
    near = (np.abs(t) < 1.0) & (np.abs(depth) < 2 * MOST_SAG)
    form = 1.0 - t[near] ** 2
    sag = float((form * depth[near]).sum() / max(float((form * form).sum()), 1e-6))
    sag = min(max(sag, 0.0), 2 * MOST_SAG)
    t = np.linspace(-1.0, 1.0, 17)
    arc = (left + right) / 2 + t[:, None] * half + ((1.0 - t * t) * sag * width)[:, None] * [-across[1], across[0]]
    ring = polygon(points)
    first = RING.index("hem_left")
    return np.vstack([ring[:first], arc, ring[first + 2 :]])


def body(points: np.ndarray) -> np.ndarray:
    """float64 (6, 2): roughly the outline of the garment without its sleeves, and without trust in the armpits."""
    parts = ("neck", "shoulder", "hem")
    ring = [f"{part}_left" for part in parts] + [f"{part}_right" for part in reversed(parts)]
    return np.array([points[LANDMARKS.index(name)] for name in ring])


def waist(points: np.ndarray) -> np.ndarray:
    """float64 (4, 2): the torso from its armpits to a little below the hem, within its sides: labels lie there, gaps
    between sleeves and body do not."""
    armpit, hem = (
        np.array([points[LANDMARKS.index(f"{part}_{side}")] for side in ("left", "right")])
        for part in ("armpit", "hem")
    )
    down = BELOW_HEM * (hem.mean(0) - armpit.mean(0))
    armpit, hem = (line + WITHIN_SIDES * (line[::-1] - line) for line in (armpit, hem))
    return np.vstack([armpit, (hem + down)[::-1]])


def beside_body(holes: np.ndarray, placed: Placed) -> np.ndarray:
    """The pieces of a mask (uint8 HxW 0/1) that lie beside the torso and far from the neck and its labels."""
    holes = outside_body(outside_body(holes, body(placed.points)), waist(placed.points), 1.0)
    neck = (placed.point("neck_left") + placed.point("neck_right")) / 2
    near = np.zeros_like(holes)
    cv2.circle(near, np.round(neck).astype(int).tolist(), round(NEAR_NECK * placed.contour.scale), 1, cv2.FILLED)
    count, label = cv2.connectedComponents(holes)
    kept = np.bincount(label[near > 0], minlength=count) == 0
    kept[0] = False
    return kept[label].astype(np.uint8)


def strays_of(cutout: Cutout, placed: Placed) -> Strays:
    """What seems to lie on the wrong side of its outline."""
    return find_strays(cutout.picture, cutout.solid, polygon(placed.points))


def measure(cutout: Cutout, placed: Placed, strays: Strays | None = None) -> Quality:
    """The figures. strays: of `strays_of`, where they are known already."""
    solid = cutout.solid
    height, width = solid.shape
    line = placed.contour.points
    edge = 2.5
    on_edge = (line < edge).any(1) | (line[:, 0] > width - 1 - edge) | (line[:, 1] > height - 1 - edge)
    drawn = _drawn(solid, placed)
    size = placed.contour.scale
    with ThreadPoolExecutor(1) as other:  # half of the work, on the other core
        missing, alike = other.submit(left_outside, cutout), other.submit(_alike, cutout, drawn, size)
        bulge, dent = _bulge_and_dent(solid, drawn, placed)
        blot, uneven, unlike = _unlike_its_mirror_image(solid, placed)
        strays = strays or strays_of(cutout, placed)
        return Quality(
            area=float(solid.sum()) / solid.size,
            score=placed.score,
            border=float(on_edge.mean()),
            agreement=overlap(drawn, solid),
            lopsided=_lopsided(placed),
            contrast=_contrast(cutout, placed),
            roughness=_roughness(cutout.mask),
            bulge=bulge,
            dent=dent,
            blot=blot,
            uneven=uneven,
            unlike=unlike,
            lost=thickness(strays.cloth) / size,
            floor=thickness(strays.floor) / size,
            ragged=_ragged(cutout.mask, placed, strays),
            missing=thickness(missing.result()) / size,
            alike=alike.result(),
        )


def merit(quality: Quality) -> float:
    """Which of two cut-outs with equally many doubts is the better one."""
    return _merit(quality.score, quality.agreement, quality.contrast)


def merit_of(cutout: Cutout, placed: Placed) -> float:
    """`merit` without the other figures, which take ten times as long."""
    drawn = _drawn(cutout.solid, placed)
    return _merit(placed.score, overlap(drawn, cutout.solid), _contrast(cutout, placed))


def _merit(score: float, agreement: float, contrast: float) -> float:
    return score + 30.0 * agreement + 10.0 * contrast


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks (uint8 0/1)."""
    return float((a & b).sum()) / max(1.0, float((a | b).sum()))


def _drawn(solid: np.ndarray, placed: Placed) -> np.ndarray:
    """uint8 HxW 0/1 of a mask's size: within the outline through the landmarks."""
    drawn = np.zeros_like(solid)
    cv2.fillPoly(drawn, [np.round(rounded(placed.points, placed.contour.points)).astype(np.int32)], 1)
    return drawn


def _bulge_and_dent(solid: np.ndarray, drawn: np.ndarray, placed: Placed) -> tuple[float, float]:
    size = placed.contour.scale
    outward = cv2.distanceTransform(1 - drawn, cv2.DIST_L2, 5)
    inward = cv2.distanceTransform(drawn, cv2.DIST_L2, 5)
    neck = (placed.point("neck_left") + placed.point("neck_right")) / 2
    y, x = np.nonzero(solid & (1 - drawn))
    below = np.hypot(x - neck[0], y - neck[1]) > NEAR_NECK * size
    bulge = float(outward[y[below], x[below]].max(initial=0.0))
    return bulge / size, float(inward[solid == 0].max(initial=0.0)) / size


def _unlike_its_mirror_image(solid: np.ndarray, placed: Placed) -> tuple[float, float, float]:
    """blot, uneven: mirrored at the line from the middle of the shoulders to that of the hem. unlike."""
    at = placed.point
    hem = (at("hem_left") + at("hem_right")) / 2
    top = (at("neck_left") + at("neck_right") + at("shoulder_left") + at("shoulder_right")) / 4
    down = (hem - top) / max(float(np.linalg.norm(hem - top)), 1e-6)
    across = np.array([down[1], -down[0]])
    centre = (at("shoulder_left") + at("shoulder_right") + at("hem_left") + at("hem_right")) / 4
    turn = np.eye(2) - 2 * np.outer(across, across)
    differs = _differs(solid, np.hstack([turn, (centre - turn @ centre)[:, None]]))
    left, right = (np.array([at(f"{part}_{side}") for part in TORSO]) for side in ("left", "right"))
    here, there = np.vstack([left, right]), np.vstack([right, left])
    straight = np.linalg.lstsq(np.hstack([here, np.ones((len(here), 1))]), there, rcond=None)[0].T
    uneven, unlike = (
        float(mask.sum()) / 2 / max(1.0, float(solid.sum())) for mask in (differs, _differs(solid, straight))
    )
    return thickness(differs) / placed.contour.scale, uneven, unlike


def _differs(solid: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """uint8 HxW 0/1: where a mask differs from itself mapped by a 2x3 matrix."""
    image = cv2.warpAffine(solid, matrix, solid.shape[::-1], flags=cv2.INTER_NEAREST)
    return ((solid > 0) != (image > 0)).astype(np.uint8)


def _roughness(mask: np.ndarray) -> float:
    line = resample(outline(mask), 480)
    length, even = (
        float(np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1).sum())
        for points in (outline(mask), smooth(line, 8.0))
    )
    return length / max(even, 1e-6)


def _ragged(mask: np.ndarray, placed: Placed, strays: Strays) -> float:
    """Where the hem lies above the curve and the colours between them are clearly the floor's, it hangs in folds."""
    line = outline(mask)
    line = smooth(resample(line, HEM_POINTS), 1.0)
    right, left = (
        int(np.linalg.norm(line - placed.point(f"hem_{side}"), axis=1).argmin()) for side in ("right", "left")
    )
    hem = line[(right + np.arange((left - right) % HEM_POINTS + 1)) % HEM_POINTS]
    if len(hem) < 3 * HEM_TERMS:
        return 0.0
    curve = curve_along(hem, HEM_TERMS, HEM_STRAY * placed.contour.scale)
    between = np.clip(np.round((hem + curve) / 2).astype(int), 0, np.array(mask.shape[::-1]) - 1)
    x, y = between[:, 0], between[:, 1]
    told = np.where(mask[y, x] > 0, -strays.odds[y, x], strays.odds[y, x]) > CLEAR_ODDS
    off = np.where(told, 0.0, np.linalg.norm(hem - curve, axis=1))
    return float(np.sqrt((off[HEM_ENDS:-HEM_ENDS] ** 2).mean())) / placed.contour.scale


def _alike(cutout: Cutout, drawn: np.ndarray, size: float) -> float:
    odds = background_odds(cutout.picture, cutout.mask, drawn & cutout.mask, size)
    return float(((odds > 1.0) & (cutout.solid > 0)).sum()) / max(1.0, float(cutout.solid.sum()))


def left_outside(cutout: Cutout) -> np.ndarray:
    """uint8 HxW 0/1: what near the outline fits the colours of the cloth nearby rather than those of the floor."""
    size = float(np.sqrt(cutout.mask.sum()))
    inner, outer = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(2, int(share * size)) + 1,) * 2)
        for share in (EDGE_SHARE, MISSING_NEAR)
    )
    cloth, floor = cv2.erode(cutout.mask, inner), 1 - cv2.dilate(cutout.mask, inner)
    if cloth.sum() < 50 or floor.sum() < 50:
        return np.zeros_like(cutout.mask)
    lab = even_lab(cutout.picture)
    within, weight = local_misfit(lab, cloth, NEAR * size)
    behind, _ = local_misfit(lab, floor, FLOOR_NEAR * size)
    alike = ((within - behind < -1.0) & (weight > 2e-3)).astype(np.uint8)
    alike &= _dilated(cutout.mask, outer) & (1 - cv2.dilate(cutout.mask, np.ones((5, 5), np.uint8)))
    return cv2.morphologyEx(alike, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))


def _dilated(mask: np.ndarray, disc: np.ndarray) -> np.ndarray:
    """As cv2.dilate, whose time goes with a disc's area; here with its height."""
    reach = len(disc) // 2
    wide: dict[int, np.ndarray] = {}
    out = np.zeros_like(mask)
    for down, half in zip(range(-reach, reach + 1), disc.sum(1).tolist(), strict=True):
        if half not in wide:
            wide[half] = cv2.dilate(mask, np.ones((1, half), np.uint8))
        into, of = (np.s_[max(0, step) : max(0, len(mask) + min(0, step))] for step in (down, -down))
        np.bitwise_or(out[into], wide[half][of], out[into])
    return out


def thickness(mask: np.ndarray) -> float:
    """Pixels from the edge of a mask (uint8 HxW 0/1) to where it is thickest."""
    return float(cv2.distanceTransform(mask, cv2.DIST_L2, 5).max())


def through_neck(cutout: Cutout, placed: Placed) -> bool:
    """Whether a wall behind a hanger, or floor above the collar, seems to have been cut out with the garment."""
    return throat(cutout, placed) > THROAT_LIMIT


def throat(cutout: Cutout, placed: Placed) -> float:
    """How thick what looks like the background is at most where the neck is, in widths of the neck."""
    left, right = placed.point("neck_left"), placed.point("neck_right")
    across = right - left
    width = max(float(np.linalg.norm(across)), 1.0)
    down = np.array([-across[1], across[0]])
    zone = np.zeros_like(cutout.mask)
    corners = np.add([left, right, right, left], np.outer([-THROAT_UP, -THROAT_UP, THROAT_DOWN, THROAT_DOWN], down))
    cv2.fillPoly(zone, [np.round(corners).astype(np.int32)], 1)
    solid = cutout.solid
    size = float(np.sqrt(cutout.mask.sum()))
    margin = np.ones((2 * max(2, int(EDGE_SHARE * size)) + 1,) * 2, np.uint8)
    cloth, floor = cv2.erode(solid, margin) & (1 - zone), 1 - cv2.dilate(cutout.mask, margin)
    if cloth.sum() < 50 or floor.sum() < 50:
        return 0.0
    lab = even_lab(cutout.picture)
    within, _ = local_misfit(lab, cloth, THROAT_CLOTH * size)
    behind, weight = local_misfit(lab, floor, NEAR * size, SHADES, SHADE_COST)
    alike = ((within - behind > 1.0) & (weight > 2e-3)).astype(np.uint8) & zone & solid
    return thickness(cv2.morphologyEx(alike, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))) / width


def _lopsided(placed: Placed) -> float:
    """The largest relative difference of a length on the left and on the right."""
    differences = []
    pairs = (("neck", "shoulder"), ("shoulder", "sleeve_outer"), ("shoulder", "hem"), ("sleeve_outer", "sleeve_inner"))
    whole = float(np.linalg.norm(placed.point("shoulder_left") - placed.point("hem_left")))
    for a, b in pairs:
        left = np.linalg.norm(placed.point(f"{a}_left") - placed.point(f"{b}_left"))
        right = np.linalg.norm(placed.point(f"{a}_right") - placed.point(f"{b}_right"))
        differences.append(abs(float(left - right)) / max(whole, 1e-6))
    return float(max(differences))


def _contrast(cutout: Cutout, placed: Placed) -> float:
    """Share of the outline with a clear step of colour from a little inside to a little outside."""
    lab = _blurred_lab(cutout.picture)
    reach = 0.018 * placed.contour.scale
    values = []
    for sign in (-1.0, 1.0):
        at = placed.contour.points + sign * reach * placed.contour.normal
        x = np.clip(at[:, 0], 0, lab.shape[1] - 1).astype(np.float32)
        y = np.clip(at[:, 1], 0, lab.shape[0] - 1).astype(np.float32)
        values.append(cv2.remap(lab, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0])
    step = np.linalg.norm(values[0] - values[1], axis=1)
    return float((step > 14.0).mean())


@remembered
def _blurred_lab(bgr: np.ndarray) -> np.ndarray:
    """float32 HxWx3."""
    return cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32), (0, 0), 1.5)


def excellent(quality: Quality) -> bool:
    """So good that another try is not worth its time."""
    return quality.score > 55.0 and quality.agreement > 0.93 and quality.contrast > 0.97


def doubts(quality: Quality, placed: Placed) -> list[str]:
    """What speaks against it, a clause each; empty means it is trusted."""
    found = []
    limit = _limit(placed)
    if quality.area < MIN_AREA:
        found.append("hardly anything stands out from the background")
    if quality.border > limit.border:
        found.append("the garment is cut off by the picture's edge")
    if quality.score < limit.score:
        found.append("the outline does not look like a garment spread out")
    shape = quality.bulge > limit.bulge or quality.dent > limit.dent
    if quality.agreement < limit.agreement or quality.roughness > limit.roughness or shape:
        found.append("the outline has parts that belong to no sleeve or body")
    if placed.turned_score >= placed.score:
        found.append("it may lie upside down")
    halves = quality.blot > limit.blot or quality.uneven > limit.uneven or quality.unlike > limit.unlike
    if quality.lopsided > limit.lopsided or halves:
        found.append("its two halves differ")
    if quality.missing > limit.missing or quality.lost > limit.lost:
        found.append(CUT_AWAY)
    if quality.ragged > limit.ragged:
        found.append("its hem looks bitten off")
    if quality.floor > limit.floor:
        found.append(FLOOR_KEPT)
    if quality.contrast < limit.contrast or quality.alike > limit.alike:
        found.append("garment and background are too alike")
    if not found and trust(quality, placed.sleeves) < MIN_TRUST[placed.sleeves]:
        found.append("outline and landmarks are not sure enough, taken together")
    return found


def hopeless(placed: Placed) -> bool:
    """Whether the landmarks alone raise a doubt, whatever the rest of the figures."""
    limit = _limit(placed)
    return placed.score < limit.score or _lopsided(placed) > limit.lopsided


def _limit(placed: Placed) -> Quality:
    spread = set(placed.styles) <= {"short"}
    return LIMITS["short" if spread else "hung" if placed.sleeves == "short" else placed.sleeves]


def trust(quality: Quality, sleeves: str) -> float:
    """How likely outline and landmarks are right, 0..1. sleeves: as they were told."""
    of = "long" if sleeves == "long" else "short"
    figures = zip(astuple(LONG if of == "long" else SHORT), astuple(quality), astuple(ENOUGH), strict=True)
    total = BIAS[of] + sum(weight * min(value, enough) for weight, value, enough in figures)
    return float(1.0 / (1.0 + np.exp(-total)))


def in_order(landmarks: np.ndarray) -> bool:
    """Whether the landmarks (13, 2) of an upright garment lie as the wardrobe wants them: left of right, top down."""
    at = dict(zip(LANDMARKS, landmarks, strict=True))
    across = all(at[f"{p}_left"][0] < at[f"{p}_right"][0] - 1 for p in ("neck", "shoulder", "armpit", "hem"))
    down = all(at[f"shoulder_{s}"][1] < at[f"armpit_{s}"][1] - 1 < at[f"hem_{s}"][1] - 2 for s in ("left", "right"))
    return bool(across and down)
