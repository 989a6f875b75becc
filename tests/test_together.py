"""Rendering and both trainings at once: samples reach both, checkpoints are written, workers end with them."""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from ir_models import together
from ir_models.checkpoints import load_cwm, load_igm
from ir_models.synth import sample
from ir_models.synth.shards import sample_seed
from mirror.errors import ModelError, UsageError

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
    assert not multiprocessing.active_children()


def test_what_is_held_out_stands_as_nobody_that_is_trained_on() -> None:
    seed, other = 4, 4 + together.OTHER_SEED
    trained_on = {sample_seed(seed, index, attempt) for index in range(3000) for attempt in range(2)}
    assert trained_on.isdisjoint(sample_seed(other, index, attempt) for index in range(320) for attempt in range(2))


def test_a_training_that_fails_is_told_and_the_other_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def training(name: str, args: argparse.Namespace) -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen(["false"] if name == "cwm" else ["sleep", "60"]))
        return begun[-1]

    monkeypatch.setattr(together, "_training", training)
    monkeypatch.setattr(together, "make_pools", lambda *_: None)
    monkeypatch.setattr(together, "checked_sample", lambda *_: {})
    given = ["--out", tmp_path, "--data", tmp_path, "--minutes", 1, "--workers", 0]
    begins = ["--start-cwm", TRAINED / "cwm.pt", "--start-igm", TRAINED / "igm.pt"]
    assert together.main([str(word) for word in (*given, *begins)]) == 1
    assert len(begun) == 2 and all(process.poll() is not None for process in begun)


def test_a_worker_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(together, "make_pools", lambda *_: None)
    monkeypatch.setattr(together, "checked_sample", lambda *_: {})
    monkeypatch.setattr(together, "_render", fails)
    given = ["--out", tmp_path, "--data", tmp_path, "--minutes", 1, "--workers", 1]
    begins = ["--start-cwm", TRAINED / "cwm.pt", "--start-igm", TRAINED / "igm.pt"]
    with pytest.raises(UsageError, match="stopped before it had written"):
        together.main([str(word) for word in (*given, *begins)])


def test_a_start_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    given = ["--out", tmp_path, "--data", tmp_path, "--minutes", 1, "--workers", 1]
    begins = ["--start-cwm", tmp_path / "none.pt", "--start-igm", TRAINED / "igm.pt"]
    with pytest.raises(ModelError, match="does not exist"):
        together.main([str(word) for word in (*given, *begins)])
