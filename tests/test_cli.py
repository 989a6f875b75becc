"""The command line: words, exit codes, what a run leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror import cli, pipeline
from mirror.settings import ROOT
from tests.fakes import fake_tailor
from tests.helpers import clip_picture, cut_mp4_short, make_clip, make_garment_folder, wait_until

REPORT_KEYS = {
    "frames", "shown_fps", "fits_per_s", "age_ms", "fit_age_ms", "stages_ms", "switch_ms", "dropped", "person_found",
    "engine", "garments_shown", "rss_mb",
}  # fmt: skip


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr but for the first words of a run; each must be ours."""
    lines = capfd.readouterr().err.splitlines()
    assert all(line.startswith("mirror: ") for line in lines), lines
    return [line for line in lines if not any(words in line for words in ("Opening", "Showing", " garments in "))]


def pictures_of(path: Path) -> list[np.ndarray]:
    capture, pictures = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        pictures.append(read[1])
    return pictures


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["--frames", "many"], 2, "--frames"),
        (["--frobnicate"], 2, "--frobnicate"),
        (["frobnicate"], 2, "frobnicate"),
        (["--size", "big"], 2, "1280x720"),
        (["--engine", "magic"], 2, "--engine"),
        (["--demo", "--camera", "0"], 2, "only one"),
        (["--wardrobe", "nowhere", "--demo"], 2, "--wardrobe"),
        (["--source", "nowhere.mp4", "--headless"], 3, "nowhere.mp4"),
        (["--source", "{text}", "--headless"], 3, "text file"),
        (["--camera", "97", "--headless", "--engine", "geometric"], 3, "camera 97"),
        (["--camera", "97"], 3, "camera 97"),
        (["--camera", "no such camera", "--headless", "--engine", "geometric"], 3, "no such camera"),
        (["--source", "{clip}", "--headless", "--garment", "coat", "--wardrobe", "{wardrobe}"], 2, "tee-1"),
        (["--source", "{clip}"], 4, "--headless"),
        (["--source", "{clip}", "--headless", "--engine", "neural", "--models", "nowhere"], 4, ""),
    ],
)
def test_whatever_goes_wrong_is_one_sentence_and_a_code(
    argv: list[str], code: int, says: str, clip: Path, wardrobe_folder: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("DISPLAY", raising=False)
    (tmp_path / "text.mp4").write_text("no video\n" * 500)
    names = {"clip": str(clip), "text": str(tmp_path / "text.mp4"), "wardrobe": str(wardrobe_folder)}
    assert cli.main([word.format(**names) for word in argv]) == code
    lines = said(capfd)
    assert len(lines) == 1 and says in lines[0], lines


def test_a_clip_is_shown_with_mediapipe_and_reported(clip: Path, wardrobe_folder: Path, tmp_path: Path, capfd) -> None:
    """The whole of it with the real stages; nobody is on the clip, so the picture is the mirrored clip."""
    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    argv = ["--source", str(clip), "--wardrobe", str(wardrobe_folder), "--engine", "geometric", "--headless"]
    assert cli.main([*argv, "--output", str(out), "--report", str(report)]) == 0
    assert any("out.mp4" in line for line in said(capfd))
    figures = json.loads(report.read_text())
    assert set(figures) == REPORT_KEYS
    assert figures["frames"] == 12 and figures["dropped"] == 0
    assert figures["person_found"] == 0.0 and figures["garments_shown"] == []
    assert figures["engine"] == "geometric"
    assert {"person", "show"} <= set(figures["stages_ms"])
    shown = pictures_of(out)
    assert len(shown) == 12
    mirrored = cv2.flip(clip_picture(3), 1)
    assert np.abs(shown[3][:60].astype(int) - mirrored[:60]).mean() < 12  # above the garment's name; twice encoded
    assert np.abs(shown[3][:60].astype(int) - clip_picture(3)[:60]).mean() > 20


@pytest.fixture
def with_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A 640x480 clip on which a person is said to stand."""
    monkeypatch.setattr(pipeline, "make_tailor", fake_tailor)
    return make_clip(tmp_path / "stand.avi", frames=16, size=(640, 480), fps=8.0)


def run(clip: Path, wardrobe: Path, tmp_path: Path, *more: str) -> dict:
    report = tmp_path / "report.json"
    argv = ["--source", str(clip), "--wardrobe", str(wardrobe), "--headless", "--engine", "geometric"]
    assert cli.main([*argv, "--report", str(report), *more]) == 0
    return json.loads(report.read_text())


def test_a_cycle_switches_garments_by_the_clips_own_time(
    with_person: Path, wardrobe_folder: Path, tmp_path: Path
) -> None:
    figures = run(with_person, wardrobe_folder, tmp_path, "--cycle", "0.75")
    assert figures["frames"] == 16
    assert figures["person_found"] == 1.0
    assert figures["garments_shown"] == ["tee-1", "tee-2", "tee-3"]
    assert figures["switch_ms"]["p50"] > 0


def test_lock_step_gives_the_same_film_twice(with_person: Path, wardrobe_folder: Path, tmp_path: Path) -> None:
    films = []
    for name in ("a.mp4", "b.mp4"):
        run(with_person, wardrobe_folder, tmp_path, "--output", str(tmp_path / name), "--garment", "tee-2")
        films.append(pictures_of(tmp_path / name))
    assert len(films[0]) == 16
    assert all(np.array_equal(a, b) for a, b in zip(*films, strict=True))
    blue, green, red = films[0][8][280, 320].astype(int)
    assert green > blue + 60 and green > red + 60, "the green garment is on the body"


@pytest.mark.parametrize(("limit", "frames"), [(("--frames", "5"), 5), (("--seconds", "0.5"), 4)])
def test_a_run_ends_when_asked(
    limit: tuple[str, str], frames: int, with_person: Path, wardrobe_folder: Path, tmp_path: Path
) -> None:
    assert run(with_person, wardrobe_folder, tmp_path, *limit)["frames"] == frames


def test_realtime_keeps_the_clips_pace(with_person: Path, wardrobe_folder: Path, tmp_path: Path) -> None:
    figures = run(with_person, wardrobe_folder, tmp_path, "--realtime", "--output", str(tmp_path / "o.mp4"))
    assert 14 <= figures["frames"] + figures["dropped"] <= 16, "the first may pass before the window is ready"
    assert figures["shown_fps"] < 9.5
    assert len(pictures_of(tmp_path / "o.mp4")) > 30 * 13 / 8 - 2, "in real time, 30 pictures a second"


def test_a_clip_cut_short_ends_well(wardrobe_folder: Path, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.setattr(pipeline, "make_tailor", fake_tailor)
    whole = make_clip(tmp_path / "whole.mp4", frames=60, size=(320, 240))
    part = cut_mp4_short(whole, tmp_path / "part.mp4", share=0.5)
    figures = run(part, wardrobe_folder, tmp_path)
    assert 5 <= figures["frames"] <= 50
    assert any("cut short" in line for line in said(capfd))


def test_a_stage_that_fails_ends_the_run(with_person: Path, wardrobe_folder: Path, tmp_path: Path, monkeypatch, capfd):
    """Live, the stage runs on another thread: its fault must end the program, not freeze the picture."""

    def broken(settings: object, metrics: object, also_prepare: object = None) -> None:
        raise RuntimeError("the stage fell")

    monkeypatch.setattr(pipeline, "make_tailor", broken)
    argv = ["--source", str(with_person), "--wardrobe", str(wardrobe_folder), "--headless", "--realtime"]
    assert cli.main(argv) == 1
    lines = said(capfd)
    assert len(lines) == 1 and "the stage fell" in lines[0]


def test_bad_garments_are_named_once_and_passed_over(with_person: Path, wardrobe_folder: Path, tmp_path, capfd) -> None:
    (wardrobe_folder / "no-picture").mkdir()
    for name in ("tiny", "huge", "bad-toml"):
        make_garment_folder(wardrobe_folder / name)
    cv2.imwrite(str(wardrobe_folder / "tiny" / "garment.png"), np.zeros((1, 1, 4), np.uint8))
    head = bytearray((wardrobe_folder / "huge" / "garment.png").read_bytes())
    head[16:24] = (20000).to_bytes(4, "big") * 2
    (wardrobe_folder / "huge" / "garment.png").write_bytes(head)
    (wardrobe_folder / "bad-toml" / "garment.toml").write_text("name = [unreadable")
    figures = run(with_person, wardrobe_folder, tmp_path, "--frames", "4")
    assert figures["garments_shown"] == ["tee-1"]
    lines = said(capfd)
    for name in ("no-picture", "tiny", "huge", "bad-toml"):
        assert sum(f"'{name}'" in line for line in lines) == 1, lines


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_from_outside_it_still_reports(number: int, wardrobe_folder: Path, tmp_path: Path) -> None:
    clip, report = tmp_path / "noise.avi", tmp_path / "report.json"
    writer, dice = (
        cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 2.0, (640, 480)),
        np.random.default_rng(1),
    )
    for _ in range(60):  # half a minute of noise, which fills the film's buffer with each picture
        writer.write(dice.integers(0, 255, (480, 640, 3), dtype=np.uint8))
    writer.release()
    argv = [sys.executable, "-m", "tests.fakes", str(clip), "--source", str(clip), "--realtime", "--headless"]
    film = tmp_path / "o.mp4"
    argv += ["--wardrobe", str(wardrobe_folder), "--output", str(film), "--report", str(report)]
    process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: film.exists() and film.stat().st_size > 5000), "the first picture is written"
    begun = film.stat().st_size
    assert wait_until(lambda: film.stat().st_size > begun), "and a later one: the first was shown"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(report.read_text())["frames"] >= 1


def test_the_first_words_come_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys; import mirror.cli as cli; settings = cli.parse(['--camera', '97', '--headless']);"
        "heavy = {'numpy', 'cv2', 'mediapipe', 'openvino', 'psutil', 'PIL'} & set(sys.modules);"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_demo_without_a_display_writes_a_film(
    wardrobe_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setattr(pipeline, "make_tailor", fake_tailor)
    monkeypatch.setattr("mirror.sources.DEMO_CLIP", make_clip(tmp_path / "demo.avi", frames=4, size=(640, 480)))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--demo", "--wardrobe", str(wardrobe_folder)]) == 0
    assert len(pictures_of(tmp_path / "mirror-demo.mp4")) == 4
    assert any(str(tmp_path / "mirror-demo.mp4") in line for line in said(capfd))


def test_the_garments_are_listed(wardrobe_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["garment", "list", "--wardrobe", str(wardrobe_folder)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[:3]] == ["tee-1", "tee-2", "tee-3"]
