"""Rendering and both trainings at once: samples reach both, checkpoints are written, workers end with them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from ir_models import together
from ir_models.checkpoints import load_cwm, load_igm
from ir_models.synth import sample

TRAINED = Path(together.__file__).parent / "trained"


def test_both_networks_learn_from_what_is_rendered_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("TEXTURE_POOL", 4), ("BUMP_POOL", 3), ("ROOM_POOL", 3)):
        monkeypatch.setattr(sample, name, count)
    monkeypatch.setattr(together, "KEPT_AT_ONCE", 2)
    monkeypatch.setattr(together, "HELD_OUT_AT_ONCE", 2)
    out, data = tmp_path / "out", tmp_path / "data"
    given = ["--out", out, "--data", data, "--minutes", 0.02, "--count", 20, "--workers", 1, "--device", "cpu"]
    begins = ["--start-cwm", TRAINED / "cwm.pt", "--start-igm", TRAINED / "igm.pt", "--batch", 2, 2]
    assert together.main([str(word) for word in (*given, *begins)]) == 0
    for net, origin in (load_cwm(out / "cwm.pt"), load_igm(out / "igm.pt")):
        assert not net.training and "rendered people" in origin.trained_on
    logs = {name: (out / f"{name}.log").read_text() for name in ("cwm", "igm")}
    assert all("held out: " in log for log in logs.values())


def test_a_training_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_training", lambda name, args: together.subprocess.Popen(["false"]))
    monkeypatch.setattr(together, "make_pools", lambda *_: None)
    monkeypatch.setattr(together, "checked_sample", lambda *_: {})
    given = ["--out", tmp_path, "--data", tmp_path, "--minutes", 1, "--workers", 0]
    begins = ["--start-cwm", TRAINED / "cwm.pt", "--start-igm", TRAINED / "igm.pt"]
    assert together.main([str(word) for word in (*given, *begins)]) == 1
