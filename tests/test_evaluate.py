"""Evaluation: exact answers score perfectly, known errors score what they are, everybody sees the same cases."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.evaluate import cli  # noqa: E402
from ir_models.evaluate.cases import Case, case_of, from_shards  # noqa: E402
from ir_models.evaluate.figures import PictureFigures, WarpFigures, ssim, warp_errors  # noqa: E402
from ir_models.train.igm import filled  # noqa: E402
from mirror.errors import UsageError  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, Fit, flow_from_pixels, flow_to_pixels  # noqa: E402
from mirror.wardrobe import LANDMARKS  # noqa: E402
from tests.fake_samples import fake_sample, write_fake_shards  # noqa: E402


def exact_fit(case: Case, shift_px: float = 0.0) -> Fit:
    """The truth itself, its flow shifted by so many pixels of the garment's picture."""
    picture = flow_to_pixels(filled(case.truth["flow"].astype(np.float32))) + np.array([shift_px, 0.0])
    to_picture = case.garment.to_picture
    canvas = (picture - to_picture[:, 2]) @ np.linalg.inv(to_picture[:, :2]).T
    flow = cv2.resize(flow_from_pixels(canvas), (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_NEAREST)
    coverage = cv2.resize(case.shown, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_NEAREST)
    return Fit(flow, coverage, np.ones((CANVAS_H, CANVAS_W), np.float32), None, case.crop, 0.0)


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(fake_sample(7))


def test_the_truth_scores_perfectly(case: Case) -> None:
    epe, iou = warp_errors(exact_fit(case), case)
    assert epe < 0.1
    assert iou > 0.99


def test_a_shift_scores_its_size_in_shoulder_pixels(case: Case) -> None:
    marks = case.garment.landmarks
    names = ("shoulder_left", "shoulder_right")
    width = np.linalg.norm(np.subtract(*(marks[LANDMARKS.index(name)] for name in names)))
    epe, _ = warp_errors(exact_fit(case, shift_px=5.0), case)
    assert epe == pytest.approx(5.0 * 0.4 * CANVAS_W / width, abs=0.15)


def test_everybody_sees_the_same_case() -> None:
    one, two = case_of(fake_sample(7)), case_of(fake_sample(7))
    assert np.array_equal(one.person.landmarks, two.person.landmarks)
    assert np.array_equal(one.person.mask, two.person.mask)
    assert np.isfinite(one.person.landmarks).all()


def test_the_exact_picture_has_nearly_no_error_where_the_garment_is(case: Case) -> None:
    figures = PictureFigures()
    figures.add(exact_fit(case), case)
    found = figures.summary()
    assert found["l1_garment"] < 6.0
    assert found["l1_untouched"] < 3.0
    assert found["l1_repair"] > 20.0  # nothing was painted over the old garment
    assert set(found["by_skin_tone"]) <= {"light", "medium", "dark"}


def test_ssim_of_a_picture_with_itself_is_one_and_falls_with_noise() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.uniform(0, 255, (64, 48, 3)), (9, 9), 3)
    assert ssim(picture, picture).min() == pytest.approx(1.0)
    assert ssim(picture, picture + rng.normal(0, 30, picture.shape)).mean() < 0.5


def test_figures_are_split_by_cut(case: Case) -> None:
    figures = WarpFigures()
    figures.add(exact_fit(case), case)
    found = figures.summary()
    assert found["count"] == 1
    assert found["by_cut"]["tshirt"]["epe_px"]["mean"] == found["epe_px"]["mean"]


def test_the_command_writes_its_figures(tmp_path: Path) -> None:
    write_fake_shards(tmp_path, samples=4)
    out = tmp_path / "figures" / "e.json"
    given = ["--json", str(out), "--data", str(tmp_path), "--count", "2", "--models", str(tmp_path / "none")]
    assert cli.main([*given, "--threads", "1"]) == 0
    report = json.loads(out.read_text())
    assert report["geometric"]["count"] == 2
    assert report["photos"] is None


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ir_models synth"):
        next(from_shards(tmp_path, 3))
