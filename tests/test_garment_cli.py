"""`garment add | check | list | remove`: what is written, what is said, what is left when something fails."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror import garment_cli
from mirror.errors import GarmentError, InstallationError, UsageError
from mirror.garment_cli import main, slug_of
from mirror.wardrobe import Wardrobe, load_garment, save_garment
from tests.helpers import make_garment
from tests.photos import TEE, draw_photo


@pytest.fixture
def wardrobe(tmp_path: Path) -> Path:
    folder = tmp_path / "garments"
    folder.mkdir()
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "Red_tee.png"
    cv2.imwrite(str(path), draw_photo(TEE)[0])
    return path


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_photo_becomes_a_garment_that_the_wardrobe_reads(
    wardrobe: Path, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watching = Wardrobe(wardrobe)
    assert run("add", photo, "--grabcut", "--name", "Rotes T-Shirt für Jörg", "--wardrobe", wardrobe) == 0
    assert "added" in capsys.readouterr().out
    assert watching.refresh() and watching.garments[0].slug == "rotes-t-shirt-fur-jorg"
    assert (watching.garments[0].name, watching.garments[0].kind) == ("Rotes T-Shirt für Jörg", "tshirt")
    assert [p.name for p in wardrobe.iterdir()] == ["rotes-t-shirt-fur-jorg"]


def test_a_batch_goes_on_past_bad_files_and_ends_with_a_table(
    wardrobe: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, cut_off = tmp_path / "bad.jpg", tmp_path / "cut_off.png"
    bad.write_bytes(b"no picture")
    cv2.imwrite(str(cut_off), draw_photo(TEE)[0][:, :150])
    assert run("add", bad, cut_off, photo, "--grabcut", "--wardrobe", wardrobe) == 2
    heard = capsys.readouterr()
    assert "1 added, 1 doubtful, 1 refused" in heard.out and "3/3" in heard.err
    assert [p.name for p in wardrobe.iterdir()] == ["red-tee"]
    left = tmp_path / "doubtful"
    assert sorted(p.name for p in left.iterdir()) == ["cut-off.png", "cut-off.toml"]
    assert str(left / "cut-off.png") in heard.out


def test_landmarks_written_for_a_doubt_settle_it(wardrobe: Path, photo: Path, tmp_path: Path) -> None:
    add = ("add", photo, "--grabcut", "--kind", "longsleeve", "--wardrobe", wardrobe)  # its sleeves are short
    assert run(*add) == 2 and not any(wardrobe.iterdir())
    assert run(*add, "--landmarks", tmp_path / "doubtful" / "red-tee.toml") == 0
    assert load_garment(wardrobe / "red-tee").kind == "longsleeve"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no .landmarks."),
        ("x = [", "no TOML"),
        ("[landmarks]\nneck_left = [1]", "neck_left is missing"),
        ("[landmarks]\nneck_left = [1e9, 2]", "outside the photo"),
        ("[landmarks]\nneck_left = [nan, 2]", "outside the photo"),
    ],
)
def test_landmark_files_are_checked(
    wardrobe: Path, photo: Path, tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "marks.toml"
    file.write_text(text)
    assert run("add", photo, "--grabcut", "--wardrobe", wardrobe, "--landmarks", file) == 2
    line = capsys.readouterr().out
    assert "refused" in line
    assert __import__("re").search(words, line)


def test_the_same_name_gets_a_number_and_a_given_name_replaces(wardrobe: Path, photo: Path) -> None:
    save_garment(wardrobe / "red-tee", make_garment("red-tee"))
    assert run("add", photo, "--grabcut", "--wardrobe", wardrobe) == 0
    assert sorted(p.name for p in wardrobe.iterdir()) == ["red-tee", "red-tee-2"]
    assert run("add", photo, "--grabcut", "--name", "Red tee", "--wardrobe", wardrobe) == 0
    assert sorted(p.name for p in wardrobe.iterdir()) == ["red-tee", "red-tee-2"]


def test_a_full_disk_leaves_nothing_behind(
    wardrobe: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    assert run("add", photo, "--grabcut", "--wardrobe", wardrobe) == 2
    assert "No space left" in capsys.readouterr().out and not any(wardrobe.iterdir())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("add",), UsageError),
        (("add", "a.jpg", "b.jpg", "--name", "X"), UsageError),
        (("add", "a.jpg", "--kind", "skirt"), UsageError),
        (("add", "a.jpg", "--grabcut", "--download"), UsageError),
        (("add", "a.jpg", "--model", "missing.onnx"), InstallationError),
        (("knit",), UsageError),
        (("remove", "missing"), GarmentError),
        (("remove", ".."), GarmentError),
        (("remove", "../garments"), GarmentError),
    ],
)
def test_what_makes_no_sense_is_said(wardrobe: Path, words: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(*words, "--wardrobe", wardrobe)


def test_a_question_is_put_only_on_a_terminal(wardrobe: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garment_cli, "_agrees", lambda prepared, picture: True)
    assert run("add", photo, "--grabcut", "--kind", "longsleeve", "--wardrobe", wardrobe) == 0
    assert not garment_cli.sys.stdin.isatty()
    monkeypatch.undo()
    assert run("add", photo, "--grabcut", "--kind", "longsleeve", "--wardrobe", wardrobe) == 2


def test_list_check_and_remove(wardrobe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_garment(wardrobe / "tee", make_garment("tee", "Tee"))
    (wardrobe / "broken").mkdir()
    (wardrobe / "broken" / "garment.toml").write_text("name = 1")
    assert run("list", "--wardrobe", wardrobe) == 0
    assert "tee  Tee  tshirt" in capsys.readouterr().out
    assert run("check", "--wardrobe", wardrobe) == 2
    told, warned = capsys.readouterr()
    assert "tee: in order" in told and "broken" not in warned
    assert told.count("broken") == 1, "a broken folder was named twice, by a warning and by the command"
    assert run("check", "tee", "--wardrobe", wardrobe) == 0
    assert run("remove", "Tee", "broken", "--wardrobe", wardrobe) == 0
    assert not any(wardrobe.iterdir())


def test_a_folder_that_is_no_garment_is_not_removed(wardrobe: Path) -> None:
    (wardrobe / "holiday").mkdir()
    (wardrobe / "holiday" / "photo.jpg").write_bytes(b"x")
    with pytest.raises(GarmentError, match="left alone"):
        run("remove", "holiday", "--wardrobe", wardrobe)
    assert (wardrobe / "holiday" / "photo.jpg").exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Red Tee", "red-tee"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("Ärmel  №5!", "armel-no5"),
        ("服", "garment"),
        ("x" * 200, "x" * 48),
    ],
)
def test_slugs_are_plain(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_preview_is_written(wardrobe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mirror.prepare import preview

    monkeypatch.setattr(preview, "wear", lambda garment: np.zeros((90, 60, 3), np.uint8))
    save_garment(wardrobe / "tee", make_garment("tee", "Tee"))
    assert run("preview", "tee", "--wardrobe", wardrobe, "--output", tmp_path / "p.png") == 0
    assert cv2.imread(str(tmp_path / "p.png")).shape[0] == preview.HEIGHT_PX
