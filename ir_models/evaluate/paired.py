"""Figures on people in their own garments (`--viton DIR`): no flow is known, the person's own picture is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ir_models.evaluate.cases import Case, case_of
from ir_models.evaluate.figures import composed, ssim
from ir_models.train.shards import Part
from ir_models.viton import Viton
from mirror.frames import Fit


def cases_of_viton(folder: Path, count: int) -> Iterator[Case]:
    """The first usable people of the test split. Raises UsageError where the folder cannot be used."""
    for sample in Viton(folder, "test").samples(count):
        yield case_of(sample, noisy=False)


class PairedFigures:
    """Collects, over cases: IoU of coverage; the fitted garment against the worn one where either is, L1 of 255;
    SSIM over the person."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []

    def add(self, fit: Fit, case: Case) -> None:
        own, made = case.truth["person"].astype(np.float32), composed(fit, case)
        worn, body = case.truth["parts_a"] == Part.FRONT, case.truth["parts_a"] != Part.BACKGROUND
        covered = fit.coverage > 0.5
        true = cv2.resize(case.shown, covered.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
        iou = (covered & true).sum() / max(1, (covered | true).sum())
        self.rows.append(
            (float(iou), float(np.abs(made - own)[worn | covered].mean()), float(ssim(made, own)[body].mean()))
        )

    def summary(self) -> dict:
        """{"coverage_iou", "l1_garment", "ssim", "count"}, means of the cases"""
        names = ("coverage_iou", "l1_garment", "ssim")
        return dict(zip(names, np.mean(self.rows, 0).tolist(), strict=True)) | {"count": len(self.rows)}
