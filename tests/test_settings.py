"""Settings: what makes sense together and what does not."""

from pathlib import Path

import pytest

from mirror.errors import UsageError
from mirror.settings import Settings, parse_budget, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("640x480", (640, 480)), (" 1280X720 ", (1280, 720)), ("1920×1080", (1920, 1080))]
)
def test_a_size_is_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "640", "x480", "640x", "0x0", "8x8", "99999x99999", "-640x480", "640x480x3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 1280x720"):
        parse_size(text)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"camera": "0", "demo": True}, "only one of"),
        ({"source": "a.mp4", "demo": True}, "only one of"),
        ({"source": "a.mp4", "size": (640, 480)}, "--size"),
        ({"kiosk": True, "headless": True}, "--kiosk"),
        ({"engine": "magic"}, "--engine"),
        ({"cycle_s": 0.0}, "--cycle"),
        ({"cycle_s": float("nan")}, "--cycle"),
        ({"seconds": -1.0}, "--seconds"),
        ({"seconds": float("inf")}, "--seconds"),
        ({"frames": 0}, "--frames"),
        ({"cpu_budget": 0.0}, "--budget"),
        ({"wardrobe": Path("nowhere")}, "--wardrobe"),
        ({"output": Path("a.avi")}, "a.mp4"),
        ({"output": Path("nowhere/a.mp4")}, "--output"),
        ({"report": Path("nowhere/r.json")}, "--report"),
        ({"snapshots": Path(__file__)}, "--snapshots"),
    ],
)
def test_what_does_not_make_sense_is_one_sentence(given: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Settings(**given)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("text", "cores"), [("cpu=2", 2.0), ("cpu=1.5", 1.5), (" cpu = 0.5 ", 0.5)])
def test_a_budget_is_read(text: str, cores: float) -> None:
    assert parse_budget(text) == cores


@pytest.mark.parametrize("text", ["", "2", "cpu", "cpu=", "cpu=0", "cpu=-1", "gpu=1", "cpu=nan", "cpu=1e9"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as cpu=1\.5"):
        parse_budget(text)


def test_the_wardrobe_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().wardrobe.is_dir()
