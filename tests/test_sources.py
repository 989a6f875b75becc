"""What pictures come from: everything that can be named, and everything that cannot be opened."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror import sources
from mirror.errors import InstallationError, SourceError, UsageError
from mirror.settings import Settings
from mirror.sources import CameraEntry, find_address, open_capture
from tests.helpers import clip_picture, cut_mp4_short, make_clip

CAMERAS = [
    CameraEntry(0, "Integrated Camera"),
    CameraEntry(2, "HD Pro Webcam C920", cv2.CAP_V4L2),
    CameraEntry(4, "HD Webcam"),
]


def count_pictures(capture: sources.Capture) -> int:
    count = 0
    while capture.read() is not None:
        count += 1
    capture.close()
    return count


@pytest.mark.parametrize(
    ("camera", "number"), [(None, 0), ("0", 0), ("7", 7), ("c920", 2), ("integrated", 0), ("hd webcam", 4)]
)
def test_a_camera_goes_by_number_or_name(camera: str | None, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "list_cameras", lambda: CAMERAS)
    address = find_address(Settings(camera=camera))
    assert (address.target, address.live) == (number, True)


@pytest.mark.parametrize(("camera", "error"), [("webcam", UsageError), ("canon", SourceError)])
def test_a_name_that_is_unclear_or_unknown(camera: str, error: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "list_cameras", lambda: CAMERAS)
    with pytest.raises(error, match=r"2, 4|HD Webcam"):
        find_address(Settings(camera=camera))


def test_a_clip_plays_to_its_end(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = open_capture(find_address(Settings(source=str(clip))))
    assert (capture.fps, capture.finite) == (30.0, True)
    assert count_pictures(capture) == 12
    assert capsys.readouterr().err == ""


def test_numbered_pictures_play(tmp_path: Path) -> None:
    for n in range(4):
        cv2.imwrite(str(tmp_path / f"p{n:03d}.png"), clip_picture(n))
    capture = open_capture(find_address(Settings(source=str(tmp_path / "p%03d.png"))))
    first = capture.read()
    assert first is not None and np.array_equal(first, clip_picture(0))
    assert count_pictures(capture) == 3


def test_a_clip_cut_short_plays_in_part_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = make_clip(tmp_path / "whole.mp4", frames=60, size=(320, 240))
    part = cut_mp4_short(whole, tmp_path / "part.mp4", share=0.5)
    shown = count_pictures(open_capture(find_address(Settings(source=str(part)))))
    assert 5 <= shown <= 50
    assert f"ends after {shown} of 60 pictures" in capsys.readouterr().err


def test_moving_the_index_alone_harms_nothing(tmp_path: Path) -> None:
    """The helper of the test above must cut, not break."""
    whole = make_clip(tmp_path / "whole.mp4", frames=20)
    moved = cut_mp4_short(whole, tmp_path / "moved.mp4", share=1.0)
    assert count_pictures(open_capture(find_address(Settings(source=str(moved))))) == 20


BAD_SOURCES = {
    "text.mp4": "text file",
    "umlaut.txt": "text file",
    "noise.mp4": "damaged",
    "empty.mp4": "empty",
    "no-index.mp4": "damaged",
    "missing.mp4": "no file",
    "%04d.png": "no pictures",
    "nowhere/%04d.png": "no folder",
    ".": "folder",
}


@pytest.mark.parametrize(("name", "says"), BAD_SOURCES.items())
def test_what_cannot_be_shown_is_one_sentence(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 500)
    (tmp_path / "umlaut.txt").write_text("Prüfung " * 900, encoding="utf-8")
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 64)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "no-index.mp4").write_bytes(make_clip(tmp_path / "whole.mp4").read_bytes()[:-600])
    with pytest.raises(SourceError, match=says) as caught:
        open_capture(find_address(Settings(source=str(tmp_path / name))))
    assert caught.value.exit_code == 3
    assert str(caught.value).count(". ") == 0


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(SourceError, match="address"):
        open_capture(find_address(Settings(source="http://127.0.0.1:9/stream.mjpg")))


def test_no_camera_is_one_sentence() -> None:
    with pytest.raises(SourceError, match="--demo"):
        open_capture(find_address(Settings(camera="97")))


def test_a_demo_clip_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "DEMO_CLIP", tmp_path / "demo.mp4")
    with pytest.raises(InstallationError, match="--source"):
        find_address(Settings(demo=True))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (8, 8, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whatever_a_reader_yields_becomes_bgr(shape: tuple[int, ...], dtype: type) -> None:
    picture = sources._bgr(np.full(shape, np.iinfo(dtype).max, dtype))
    assert picture.shape == (8, 8, 3) and picture.dtype == np.uint8
    assert (picture == 255).all()


def test_a_failing_camera_library_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2_enumerate_cameras

    def fails(*_: object) -> None:
        raise OSError("driver trouble")

    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", fails)
    assert sources.list_cameras() == []
