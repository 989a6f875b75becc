"""A folder in VITON's layout, made here: read, trained on, evaluated on; what is wrong with one is said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from PIL import Image  # noqa: E402

from ir_models import viton  # noqa: E402
from ir_models.checkpoints import load_cwm  # noqa: E402
from ir_models.evaluate import cli as evaluate_cli  # noqa: E402
from ir_models.evaluate.cases import case_of  # noqa: E402
from ir_models.evaluate.paired import PairedFigures  # noqa: E402
from ir_models.nets.cwm import Cwm, CwmConfig  # noqa: E402
from ir_models.train import cli, cwm  # noqa: E402
from ir_models.train import viton as training  # noqa: E402
from ir_models.train.shards import Part  # noqa: E402
from ir_models.viton import JOINTS, LABELS, Unusable, Viton, read_pose  # noqa: E402
from mirror.errors import UsageError  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, EYES_SHARE, SHOULDER_SHARE, Landmark  # noqa: E402
from mirror.wardrobe import LANDMARKS  # noqa: E402
from tests.fake_samples import fake_sample  # noqa: E402
from tests.test_evaluate import exact_fit  # noqa: E402

torch.set_num_threads(1)

SMALL = (16, 16, 16, 16)
SCALE = 2
"""The pictures are larger than the canvas, as in newer sets."""


def enlarged(picture: np.ndarray) -> np.ndarray:
    size = (SCALE * CANVAS_W, SCALE * CANVAS_H)
    return cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)


def write_pose(path: Path, landmarks: np.ndarray, rows: int = 18, lost: tuple[str, ...] = ()) -> None:
    points = np.zeros((rows, 3))
    for row, name in JOINTS[rows].items():
        place = landmarks[Landmark[name], :2]
        if np.isfinite(place).all() and name not in lost:
            points[row] = (*(place * SCALE + 0.5), 0.9)
    key = "pose_keypoints" if rows == 18 else "pose_keypoints_2d"
    path.write_text(json.dumps({"people": [{key: points.ravel().tolist()}]}))


def write_person(root: Path, name: str, seed: int) -> dict[str, np.ndarray]:
    """One person as five files; the cloth's name ends in _1 where the person's ends in _0."""
    sample = fake_sample(seed)
    labels = np.zeros((CANVAS_H, CANVAS_W), np.uint8)
    for part, lip in LABELS.items():
        labels[sample["parts_a"] == part] = lip[-1]
    labels[sample["parts_a"] == Part.HAND] = 14
    for folder in ("image", "cloth", "cloth-mask", "image-parse", "pose"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    cloth = name[:-2] + "_1"
    cv2.imwrite(str(root / "image" / f"{name}.jpg"), enlarged(sample["target"][..., ::-1]))
    cv2.imwrite(str(root / "cloth" / f"{cloth}.jpg"), enlarged(sample["garment"][..., ::-1]))
    cv2.imwrite(str(root / "cloth-mask" / f"{cloth}.jpg"), enlarged(sample["garment_mask"]))
    parse = Image.fromarray(enlarged(labels), mode="P")
    parse.putpalette([k % 256 for k in range(768)])  # indices are read, not colours
    parse.save(root / "image-parse" / f"{name}.png")
    write_pose(root / "pose" / f"{name}_keypoints.json", sample["landmarks"])
    return sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("viton")
    for split, seeds in (("train", (1, 2, 3)), ("test", (11, 12))):
        names = [f"{seed:06d}_0" for seed in seeds]
        for name, seed in zip(names, seeds, strict=True):
            write_person(root / split, name, seed)
        (root / f"{split}_pairs.txt").write_text("".join(f"{name}.jpg {names[0][:-2]}_1.jpg\n" for name in names))
    return root


@pytest.fixture(autouse=True)
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    small = CwmConfig(encoder=SMALL, garment_encoder=SMALL, features=16, flow=SMALL, coverage=16)
    monkeypatch.setitem(cwm.CONFIGS, "compact", small)


def test_a_sample_stands_on_the_canvas_as_live(folder):
    (sample,) = Viton(folder, "train").samples(1)
    shoulders = sample["landmarks"][[Landmark.RIGHT_SHOULDER, Landmark.LEFT_SHOULDER], :2]
    eyes = sample["landmarks"][[Landmark.RIGHT_EYE, Landmark.LEFT_EYE], :2]
    assert np.ptp(shoulders[:, 0]) == pytest.approx(SHOULDER_SHARE * CANVAS_W, rel=0.1)
    assert eyes[:, 1].mean() == pytest.approx(EYES_SHARE * CANVAS_H, abs=2.0)
    assert sample["person"].shape == (CANVAS_H, CANVAS_W, 3)
    assert not np.isfinite(sample["flow"]).any()
    assert {Part.FRONT, Part.SKIN, Part.HEAD, Part.LOWER} <= set(np.unique(sample["parts_a"]))


def test_labels_and_colours_are_those_of_the_files(folder):
    truth = fake_sample(1)
    (sample,) = Viton(folder, "train").samples(1)
    for picture, parts in ((sample["target"], sample["parts_a"]), (truth["target"], truth["parts_a"])):
        assert picture[parts == Part.LOWER].mean(0) == pytest.approx([40, 50, 90], abs=12)  # RGB
    share = (sample["parts_a"] == Part.FRONT).sum() / (truth["parts_a"] == Part.FRONT).sum()
    assert share == pytest.approx(1.0, abs=0.2)


def test_the_garments_landmarks_are_found(folder):
    """On its own canvas, by the finder that live photos go through."""
    (sample,) = Viton(folder, "train").samples(1)
    found = {name: sample["garment_landmarks"][LANDMARKS.index(name)] for name in LANDMARKS}
    assert np.isfinite(sample["garment_landmarks"]).all()
    assert found["shoulder_left"][0] < found["neck_left"][0] < found["neck_right"][0] < found["shoulder_right"][0]
    assert found["hem_left"][1] - found["shoulder_left"][1] > 80
    assert sample["garment_mask"].max() == 255


@pytest.mark.parametrize("rows", [18, 25])
def test_points_that_were_not_seen_are_put_where_they_may_be(tmp_path, rows):
    sample = fake_sample(4)
    lost = ("LEFT_WRIST", "RIGHT_ELBOW", "RIGHT_WRIST", "LEFT_HIP", "RIGHT_HIP")
    write_pose(tmp_path / "all.json", sample["landmarks"], rows)
    write_pose(tmp_path / "few.json", sample["landmarks"], rows, lost)
    known, guessed = read_pose(tmp_path / "all.json"), read_pose(tmp_path / "few.json")
    for name in lost:
        place, truth = guessed[Landmark[name]], known[Landmark[name]]
        assert place[2] == 0.0 and truth[2] > 0.0
        assert np.linalg.norm(place[:2] - truth[:2]) < 60 * SCALE
    assert np.array_equal(known[Landmark.LEFT_ELBOW], guessed[Landmark.LEFT_ELBOW])


def test_without_shoulders_a_person_is_left_out(tmp_path):
    write_pose(tmp_path / "p.json", fake_sample(4)["landmarks"], lost=("LEFT_SHOULDER",))
    with pytest.raises(Unusable, match="no shoulders"):
        read_pose(tmp_path / "p.json")


def test_what_cannot_be_used_is_counted_and_what_is_no_such_folder_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"no train_pairs\.txt"):
        Viton(tmp_path, "train")
    (tmp_path / "train_pairs.txt").write_text("a_0.jpg a_1.jpg\nb_0.jpg b_1.jpg\n\n")
    with pytest.raises(UsageError, match="no folder image"):
        Viton(tmp_path, "train")
    write_person(tmp_path, "a_0", 5)  # without folders of the splits
    (tmp_path / "image" / "b_0.jpg").write_text("no picture")
    found = Viton(tmp_path, "train")
    assert len(found.samples()) == 1
    assert found.skipped == {"a file of image is no picture": 1}
    (tmp_path / "pose" / "a_0_keypoints.json").write_text('{"people": []}')
    with pytest.raises(UsageError, match=r"no sample that can be used.*no person"):
        Viton(tmp_path, "train").samples()


def test_colours_alone_pull_the_garment_into_place(folder):
    """The loss has gradients that lower it, and those of the flow, which is not known, are not in it."""
    torch.manual_seed(0)
    task = training.VitonTask(folder, "compact")
    model = task.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    totals = []
    for _ in range(8):
        terms = task.loss(model, np.array([0, 1, 2]), torch.Generator().manual_seed(0), torch.device("cpu"))
        assert not {"flow", "back"} & set(terms) and {"photo", "near", "cover"} <= set(terms)
        total = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.9 * totals[0]


def test_the_commands_train_and_evaluate(folder, tmp_path):
    out, report = tmp_path / "cwm.pt", tmp_path / "e.json"
    given = ["cwm", "--viton", str(folder), "--minutes", "0.01", "--out", str(out), "--batch", "2", "--threads", "1"]
    assert cli.main(given) == 0
    net, origin = load_cwm(out)
    assert isinstance(net, Cwm)
    assert 0.0 <= origin.metrics["coverage_iou"] <= 1.0 and origin.metrics["colour_l1"] > 0.0
    given = ["--viton", str(folder), "--cwm", str(out), "--json", str(report), "--models", str(tmp_path / "none")]
    assert evaluate_cli.main([*given, "--threads", "1"]) == 0
    found = json.loads(report.read_text())["viton"]
    assert set(found) == {"cwm", "geometric"}
    assert set(found["cwm"]) == {"coverage_iou", "l1_garment", "ssim", "count"}
    assert found["geometric"]["count"] == 2


def test_paired_figures_are_near_perfect_for_the_truth_and_fall_with_a_shift():
    sample = fake_sample(7)
    case = case_of(sample | {"person": sample["target"]}, noisy=False)
    found = []
    for shift_px in (0.0, 8.0):
        figures = PairedFigures()
        figures.add(exact_fit(case, shift_px), case)
        found.append(figures.summary())
    assert found[0]["coverage_iou"] > 0.95 and found[0]["l1_garment"] < 6.0 and found[0]["ssim"] > 0.8
    assert found[1]["l1_garment"] > 2.0 * found[0]["l1_garment"] and found[1]["ssim"] < found[0]["ssim"]


def test_every_label_of_the_parser_has_its_part():
    assert viton._PART_OF[[5, 7, 14, 2, 9, 0]].tolist() == [
        Part.FRONT, Part.FRONT, Part.SKIN, Part.HAIR, Part.LOWER, Part.BACKGROUND,
    ]  # fmt: skip
