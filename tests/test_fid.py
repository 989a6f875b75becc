"""FID: the distance is the formula's, sizes do not count, and a VITON folder is found, dressed and counted."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.evaluate import fid as fid_module  # noqa: E402
from ir_models.evaluate import viton  # noqa: E402
from ir_models.evaluate.fid import fid, frechet  # noqa: E402
from mirror.errors import ModelError, UsageError  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W  # noqa: E402

NONE = Path("none.pth")


def tiny_inception(pictures):
    """Six features: means and deviations of the colours."""
    return torch.cat([pictures.mean((2, 3)), pictures.std((2, 3))], 1)


def write_pictures(folder: Path, count: int, seed: int, size=(CANVAS_H, CANVAS_W), ending=".png", bright=0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for index in range(count):
        flat = np.full((*size, 3), rng.integers(40, 160, 3) + bright, np.uint8)
        flat[: size[0] // 2] //= 2
        cv2.imwrite(str(folder / f"{index:03d}_0{ending}"), flat)
    return folder


@pytest.mark.parametrize(
    ("mean", "scale", "expected"), [(0.0, 1.0, 0.0), (2.0, 1.0, 3 * 4.0), (0.0, 3.0, 3 * (1.0 + 9.0 - 2.0 * 3.0))]
)
def test_the_distance_of_known_distributions(mean: float, scale: float, expected: float) -> None:
    one = np.zeros(3), np.eye(3)
    other = np.full(3, mean), np.eye(3) * scale**2
    assert frechet(one, other) == pytest.approx(expected, abs=1e-9)


def test_the_distance_is_that_of_the_matrix_root() -> None:
    """Against the definition with scipy's root of a matrix, on covariances that do not commute."""
    linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(0)
    spread, spread_b = (np.cov(rng.normal(size=(4, 50)) * [[1], [2], [3], [0.5]]) for _ in range(2))
    spread_b = spread_b + 0.4
    told = np.trace(spread + spread_b - 2.0 * linalg.sqrtm(spread @ spread_b).real)
    assert frechet((np.zeros(4), spread), (np.zeros(4), spread_b)) == pytest.approx(told, rel=1e-6)


def test_folders_are_compared_at_one_size_and_counted(tmp_path: Path) -> None:
    real = write_pictures(tmp_path / "real", 12, 0)
    larger = write_pictures(tmp_path / "larger", 12, 0, (CANVAS_H * 2, CANVAS_W * 2))
    brighter = write_pictures(tmp_path / "brighter", 9, 0, bright=60)
    same = fid(real, larger, tiny_inception)
    other = fid(real, brighter, tiny_inception)
    assert same["fid"] == pytest.approx(0.0, abs=1e-3)
    assert other["fid"] > 0.01
    assert (other["real"], other["made"]) == (12, 9)


@pytest.fixture
def viton_root(tmp_path: Path) -> Path:
    """Four people and four garments in VITON's folders, with an unpaired list."""
    root = tmp_path / "viton"
    write_pictures(root / "test_img", 4, 1, ending=".jpg")
    write_pictures(root / "test_clothes", 4, 2, ending=".jpg")
    write_pictures(root / "test_edge", 4, 3, ending=".jpg")
    for folder in ("test_clothes", "test_edge"):
        for path in sorted((root / folder).iterdir()):
            path.rename(path.with_name(path.name.replace("_0", "_1")))
    lines = [f"{k:03d}_0.jpg {(k + 1) % 4:03d}_1.jpg" for k in range(4)]
    (root / "test_pairs.txt").write_text("\n".join(lines) + "\n")
    return root


def test_both_lists_of_a_viton_folder(viton_root: Path) -> None:
    paired = [(p.stem, g.stem) for p, g in viton.pairs(viton_root, "paired")]
    unpaired = [(p.stem, g.stem) for p, g in viton.pairs(viton_root, "unpaired")]
    assert paired == [(f"{k:03d}_0", f"{k:03d}_1") for k in range(4)]
    assert unpaired[3] == ("003_0", "000_1")


def test_the_command_dresses_viton_and_says_how_many(viton_root: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """A dresser that finds nobody in one picture: that one is left out, and said to be."""

    def make(_: Path):
        calls = iter(range(100))

        def dress(person: np.ndarray, garment: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
            assert mask.ndim == 2
            return None if next(calls) == 0 else cv2.addWeighted(person, 0.5, garment, 0.5, 0.0)

        return dress

    monkeypatch.setattr(viton, "Dresser", make)
    command = ["--inception", str(NONE), "--viton", str(viton_root), "--keep", str(tmp_path / "made")]
    assert fid_module.main([*command, "--json", str(tmp_path / "fid.json")], tiny_inception) == 0
    report = json.loads((tmp_path / "fid.json").read_text())
    assert (report["paired"]["made"], report["paired"]["left_out"]) == (3, 1)
    assert (report["unpaired"]["made"], report["unpaired"]["real"]) == (4, 4)
    assert "4 made against 4 real" in capsys.readouterr().out
    kept = sorted((tmp_path / "made" / "unpaired").iterdir())
    assert [path.suffix for path in kept] == [".png"] * 4
    assert cv2.imread(str(kept[0])).shape == (CANVAS_H, CANVAS_W, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ONE"], "Give two folders"),
        (["ONE", "EMPTY"], "holds 0 pictures"),
        (["--viton", "ONE"], "not in VITON.s layout"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments: list[str], sentence: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(viton, "Dresser", lambda _: None)
    folders = {"ONE": str(write_pictures(tmp_path / "one", 3, 0)), "EMPTY": str(tmp_path)}
    with pytest.raises(UsageError, match=sentence):
        fid_module.main([*(folders.get(a, a) for a in arguments), "--inception", str(NONE)], tiny_inception)


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pt_inception"):
        fid_module.inception(tmp_path / "none.pth")
