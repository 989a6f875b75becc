"""Evaluation: exact answers score perfectly, known errors score what they are, everybody sees the same cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.evaluate import cli, drawing  # noqa: E402
from ir_models.evaluate.cases import Case, case_of, from_shards  # noqa: E402
from ir_models.evaluate.drawing import Drawing  # noqa: E402
from ir_models.evaluate.figures import PictureFigures, WarpFigures, ssim, warp_errors  # noqa: E402
from ir_models.train.igm import filled  # noqa: E402
from ir_models.train.shards import Part  # noqa: E402
from ir_models.writing import add_figures, write_manifest  # noqa: E402
from mirror.errors import UsageError  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, Fit, flow_from_pixels, flow_to_pixels  # noqa: E402
from mirror.modelset import load_model_set  # noqa: E402
from mirror.wardrobe import LANDMARKS  # noqa: E402
from tests.fake_samples import fake_sample, write_fake_shards  # noqa: E402
from tests.networks import write_tiny_set  # noqa: E402


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


def test_painting_in_gaps_of_the_new_front_counts_apart(case: Case) -> None:
    """A fit that shows no garment and paints over all of the old one."""
    labels = case.truth["parts_b"]
    worn = np.isin(labels, (Part.FRONT, Part.BACK, Part.ACCESSORY))
    repair = np.zeros((CANVAS_H, CANVAS_W, 4), np.float32)
    repair[..., 3] = worn
    fit = exact_fit(case)
    figures = PictureFigures()
    figures.add(replace(fit, coverage=np.zeros_like(fit.coverage), repair=repair), case)
    found = figures.summary()
    assert found["repair_iou_gaps"] > 0.8 > found["repair_iou"]


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
    assert found["by_sleeves"]["short"]["coverage_iou"] == found["coverage_iou"]


def test_the_command_writes_its_figures(tmp_path: Path) -> None:
    """Into its file, and with --into into the manifest and the card, which stay sound."""
    write_fake_shards(tmp_path, samples=4)
    models, out = write_tiny_set(tmp_path / "set"), tmp_path / "figures" / "e.json"
    given = ["--json", str(out), "--data", str(tmp_path), "--count", "2", "--models", str(models), "--into"]
    assert cli.main([*given, "--threads", "1"]) == 0
    report = json.loads(out.read_text())
    assert report["geometric"]["count"] == report["cwm_shipped"]["count"] == 2
    assert set(report["cwm_shipped"]) == {"epe_px", "coverage_iou", "count", "by_cut", "by_sleeves"}
    assert report["photos"] is None
    written = load_model_set(models).about["metrics"]["evaluated"]
    assert written["drawn"]["cwm_shipped"] == report["cwm_shipped"]
    mean = f"| drawn | CWM as shipped | 2 | {report['cwm_shipped']['epe_px']['mean']:.2f} |"
    assert mean in (models / "MODEL_CARD.md").read_text()


def test_figures_go_when_a_network_changes(tmp_path: Path) -> None:
    models = write_tiny_set(tmp_path)
    row = {"epe_px": {"mean": 1.0, "median": 1.0, "p90": 1.0}, "coverage_iou": 0.5, "count": 1, "by_sleeves": {}}
    add_figures(models, {"from": "a test", "drawn": {"cwm_shipped": row}})
    about = {key: value for key, value in load_model_set(models).about.items() if key != "files"}
    assert "evaluated" in write_manifest(models, about)["metrics"]
    (models / "igm.bin").write_bytes(b"other weights")
    assert "evaluated" not in write_manifest(models, about)["metrics"]


def test_samples_are_drawn_ahead_in_order_and_photos_alone_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By forked workers as in this process; seven samples of which every third shows a photo."""

    def sample(_pools: object, seed: int, number: int) -> dict[str, np.ndarray]:
        return fake_sample(seed + number) | {"is_photo": np.array(number % 3 == 2)}

    monkeypatch.setattr(drawing, "make_pools", lambda *args, **named: None)
    monkeypatch.setattr(drawing, "checked_sample", sample)
    monkeypatch.setattr(drawing, "prepare", lambda *args, **named: ["a photo"])
    for workers in (1, 2):
        with Drawing(3, workers) as drawn:
            seeds = [int(case.truth["seed"]) - drawing.HELD_OUT_SEED for case in drawn]
        assert seeds == [0, 1, 2]
        with Drawing(2, workers, photos=Path("photos"), cache=Path("cache")) as shown:
            assert [int(case.truth["seed"]) - drawing.HELD_OUT_SEED for case in shown] == [2, 5]


def test_photos_of_which_none_fits_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drawing, "prepare", lambda *args, **named: [])
    with pytest.raises(UsageError, match="no held-out garment photo"):
        Drawing(3, 1, photos=tmp_path, cache=tmp_path)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ir_models synth"):
        next(from_shards(tmp_path, 3))
