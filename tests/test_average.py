"""The mean of checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from ir_models import average  # noqa: E402
from ir_models.checkpoints import load_cwm, save  # noqa: E402
from ir_models.nets.cwm import Cwm, CwmConfig  # noqa: E402
from mirror.errors import UsageError  # noqa: E402

SMALL = (16, 16, 16, 16)


def checkpoint(path: Path, seed: int, features: int = 16) -> Path:
    torch.manual_seed(seed)
    config = CwmConfig(encoder=SMALL, garment_encoder=SMALL, features=features, flow=SMALL, coverage=16)
    save(path, Cwm(config), f"samples {seed}", {"epe_px": float(seed)})
    return path


def test_weights_are_averaged_and_both_origins_told(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path / f"{seed}.pt", seed) for seed in (1, 2)]
    out = tmp_path / "mean.pt"
    assert average.main(["cwm", *map(str, files), "--out", str(out)]) == 0
    mean, origin = load_cwm(out)
    one, two = (load_cwm(path)[0].state_dict() for path in files)
    for name, value in mean.state_dict().items():
        assert torch.allclose(value, (one[name] + two[name]) / 2, atol=1e-6), name
    assert origin.trained_on == "the mean of 2: samples 1; samples 2" and origin.metrics == {"epe_px": 2.0}


def test_networks_of_different_widths_have_no_mean(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path / "1.pt", 1), checkpoint(tmp_path / "2.pt", 2, features=32)]
    with pytest.raises(UsageError, match="different widths"):
        average.main(["cwm", *map(str, files), "--out", str(tmp_path / "mean.pt")])
    assert not (tmp_path / "mean.pt").exists()
