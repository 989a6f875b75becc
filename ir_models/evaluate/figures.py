"""How far a fit is from the truth: of the warp in pixels, of the finished picture in levels of 255."""

from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np

from ir_models.evaluate.cases import Case
from ir_models.train.igm import BARE, CHANGED, WORN
from ir_models.train.shards import Part
from mirror.frames import CANVAS_W, SHOULDER_SHARE, Fit, flow_to_pixels
from mirror.garment import colours_bled
from mirror.tryon import painted
from mirror.wardrobe import LANDMARKS

SHOULDER_PX = SHOULDER_SHARE * CANVAS_W
SKIN_GROUPS = ("light", "medium", "dark")
RIM_PX = 4
"""Canvas pixels around what changes that do not count as untouched: masks are soft, and the camera blurs."""


def warp_errors(fit: Fit, case: Case) -> tuple[float, float]:
    """Mean end-point error on visible front pixels, in pixels at which the garment's shoulders are SHOULDER_PX wide;
    and the IoU of coverage."""
    told = flow_to_pixels(case.truth["flow"].astype(np.float32))
    known = np.isfinite(told[..., 0])
    canvas = flow_to_pixels(fit.flow)
    to_picture = case.garment.to_picture  # the garment's own canvas -> the picture that the truth counts in
    found = canvas @ to_picture[:, :2].T + to_picture[:, 2]
    found = found.reshape(128, 2, 96, 2, 2).mean((1, 3))
    marks = case.garment.landmarks
    left, right = (marks[LANDMARKS.index(f"shoulder_{side}")] for side in ("left", "right"))
    scale = SHOULDER_PX / max(float(np.linalg.norm(right - left)), 20.0)
    off = np.linalg.norm(found - told, axis=-1)[known] * scale
    covered = fit.coverage.reshape(128, 2, 96, 2).mean((1, 3)) > 0.5
    true = case.shown > 0.5
    return float(off.mean()), float((covered & true).sum() / max(1, (covered | true).sum()))


class WarpFigures:
    """Collects `warp_errors` over cases."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float]] = []
        self.cuts: list[str] = []
        self.sleeves: list[str] = []

    def add(self, fit: Fit, case: Case) -> None:
        self.rows.append(warp_errors(fit, case))
        self.cuts.append(case.cut)
        self.sleeves.append(case.sleeves)

    def summary(self) -> dict:
        """{"epe_px": {"mean", "median", "p90"}, "coverage_iou", "count", "by_cut": {cut: the same}, "by_sleeves"}"""
        return _summarised(self.rows) | {"by_cut": self._by(self.cuts), "by_sleeves": self._by(self.sleeves)}

    def _by(self, names: list[str]) -> dict[str, dict]:
        groups = {name: [row for row, own in zip(self.rows, names, strict=True) if own == name] for name in names}
        return {name: _summarised(groups[name]) for name in sorted(groups)}


def _summarised(rows: list[tuple[float, float]]) -> dict:
    epe = np.array([row[0] for row in rows])
    return {
        "epe_px": {"mean": float(epe.mean()), "median": float(np.median(epe)), "p90": float(np.quantile(epe, 0.9))},
        "coverage_iou": float(np.mean([row[1] for row in rows])),
        "count": len(rows),
    }


def composed(fit: Fit, case: Case) -> np.ndarray:
    """The finished picture on the canvas, float32 256x192x3 RGB 0..255: person, repair, lit garment."""
    bled = colours_bled(case.truth["garment"], case.truth["garment_mask"])
    to_picture = case.garment.to_picture.astype(np.float32)
    where = flow_to_pixels(fit.flow) @ to_picture[:, :2].T + to_picture[:, 2]
    warped = cv2.remap(bled, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    picture = case.truth["person"].astype(np.float32)
    if fit.repair is not None:
        alpha = fit.repair[..., 3:]
        picture = picture + (painted(np.ascontiguousarray(fit.repair[..., :3]), fit.bare)[..., ::-1] - picture) * alpha
    lit = np.clip(warped * fit.shading[..., None], 0, 255)
    return picture + (lit - picture) * fit.coverage[..., None]


class PictureFigures:
    """Collects the generator's figures: L1 of 255 by region, SSIM over the person, IoU of the repair mask."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(self, fit: Fit, case: Case) -> None:
        truth = case.truth
        picture, target = composed(fit, case), truth["target"].astype(np.float32)
        person = truth["person"].astype(np.float32)
        parts_a, parts_b = truth["parts_a"], truth["parts_b"]
        garment = parts_a == Part.FRONT
        changed = (np.abs(person - target).max(-1) > CHANGED * 255) | (parts_a != parts_b)
        repair = changed & ~garment
        skin = repair & np.isin(parts_a, BARE)
        body = (parts_a != Part.BACKGROUND) | (parts_b != Part.BACKGROUND)
        off = np.abs(picture - target).mean(-1)
        group = SKIN_GROUPS[min(int(truth["skin_tone"]), len(SKIN_GROUPS) - 1)]
        regions = {"l1_garment": garment, "l1_repair": repair, "l1_skin": skin, "l1_untouched": ~repair & ~garment}
        worn = (parts_a != parts_b) | np.isin(parts_a, WORN) | np.isin(parts_b, (*WORN, Part.ACCESSORY))
        untouched = cv2.dilate(worn.astype(np.uint8), np.ones((2 * RIM_PX + 1,) * 2, np.uint8)) == 0
        likeness, moved = ssim(picture, target), np.abs(picture - person).mean(-1)
        for where in ("all", group):
            for name, region in regions.items():
                self._count(where, name, float(off[region].sum()), float(region.sum()))
            self._count(where, "ssim", float(likeness[body].sum()), float(body.sum()))
            self._count(where, "ssim_garment", float(likeness[body & garment].sum()), float((body & garment).sum()))
            self._count(where, "ssim_elsewhere", float(likeness[body & ~garment].sum()), float((body & ~garment).sum()))
            self._count(where, "changed_untouched", float(moved[untouched].sum()), float(untouched.sum()))
            if fit.repair is not None:
                shown = fit.coverage < 0.5
                painted = fit.repair[..., 3] > 0.5
                old = garment & np.isin(parts_b, (*WORN, Part.ACCESSORY))
                for name, wanted in (("repair_iou", repair), ("repair_iou_gaps", repair | old)):
                    both, either = painted & wanted & shown, (painted | wanted) & shown
                    self._count(where, name, float(both.sum()), float(either.sum()))

    def _count(self, where: str, name: str, amount: float, area: float) -> None:
        entry = self.sums[where, name]
        entry[0] += amount
        entry[1] += area

    def summary(self) -> dict:
        """{"ssim", "l1_garment", "l1_repair", "l1_skin", "l1_untouched", "repair_iou", "by_skin_tone": {...}}

        Besides, ssim_garment and ssim_elsewhere: over the garment's front and over the rest of the person.
        repair_iou counts it as wrong if the old garment is painted over in gaps that the warp leaves in the new one's
        front, repair_iou_gaps as right: there, too, it has to go, and the network is trained to do it.
        changed_untouched: levels by which pixels were changed that belong to neither garment and look the same in both.
        """

        def of(where: str) -> dict[str, float]:
            return {name: a / max(1.0, n) for (group, name), (a, n) in self.sums.items() if group == where}

        groups = {group for group, _ in self.sums} - {"all"}
        return of("all") | {"by_skin_tone": {group: of(group) for group in SKIN_GROUPS if group in groups}}


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al., 2004) at every pixel, mean of the channels; pictures HxWx3, 0..255."""

    def blur(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    a, b = a.astype(np.float64), b.astype(np.float64)
    steady_mean, steady_spread = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = blur(a), blur(b)
    spread_a, spread_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    together = blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + steady_mean) * (2 * together + steady_spread)
    return (top / ((mean_a**2 + mean_b**2 + steady_mean) * (spread_a + spread_b + steady_spread))).mean(-1)
