"""What a machine has and lacks."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from mirror import cli, doctor, sources
from mirror.sources import CameraEntry
from tests.helpers import make_wardrobe


def findings(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_each_lack_has_its_remedy(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert cli.main(["doctor"]) == 0
    lines = findings(capsys)
    assert any(line.startswith("ok") and "numpy" in line for line in lines)
    lacks = [line for line in lines if line.startswith("note")]
    assert lacks and all(": " in line for line in lacks), lacks
    assert lines[-1] == "The mirror can run."


def test_a_missing_package_keeps_it_from_running(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = metadata.version

    def without_openvino(name: str) -> str:
        if name == "openvino":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without_openvino)
    monkeypatch.setattr(doctor, "CHECKS", [doctor.packages])
    assert cli.main(["doctor"]) == 1
    lines = findings(capsys)
    assert [line for line in lines if line.startswith("FAULT")] == [
        "FAULT  openvino is not installed: run `uv sync` in the project"
    ]


def test_a_broken_garment_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wardrobe = make_wardrobe(tmp_path / "wardrobe")
    (wardrobe / "tee-2" / "garment.png").unlink()
    monkeypatch.setattr(doctor, "WARDROBE", wardrobe)
    monkeypatch.setattr(doctor, "CHECKS", [doctor.wardrobe])
    assert cli.main(["doctor"]) == 0
    lines = findings(capsys)
    assert any("2 garments" in line for line in lines)
    assert any("'tee-2'" in line for line in lines)


def test_cameras_are_listed_with_number_name_and_sizes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "list_cameras", lambda: [CameraEntry(0, "HD Webcam"), CameraEntry(2, "Desk Cam")])
    monkeypatch.setattr(sources, "camera_sizes", lambda c: [(640, 480), (1280, 720)] if c.number == 0 else [])
    assert cli.main(["cameras"]) == 0
    assert findings(capsys) == ["0  HD Webcam  640x480, 1280x720", "2  Desk Cam  in use by another program"]


def test_no_camera_is_said(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "list_cameras", list)
    assert cli.main(["cameras"]) == 3
    assert "--demo" in capfd.readouterr().err
