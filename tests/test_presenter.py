"""What the main thread does with a frame and a key; the window is a fake that records what it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mirror.compose import Composer
from mirror.follow import Follower
from mirror.frames import Frame, TryOn
from mirror.hud import Hud, Words
from mirror.metrics import Metrics
from mirror.presenter import HINT_AFTER_S, MESSAGE_STAYS_S, WHERE_TO_STAND, Presenter
from mirror.rail import Rail
from mirror.settings import Settings
from mirror.tailor import Dressed, Tailor
from mirror.wardrobe import Wardrobe
from tests.bodies import textured_frame
from tests.fakes import fake_tailor

RIGHT, SPACE, ESC = 65363, 32, 27


class FakeWindow:
    """Takes keys from `press` and keeps the last canvas."""

    def __init__(self) -> None:
        self.room = (640, 480)
        self.closed = self.fullscreen = False
        self.press: list[int] = []
        self.canvas = np.zeros((1, 1, 3), np.uint8)

    def show(self, canvas: np.ndarray) -> list[int]:
        self.canvas = canvas.copy()
        return self.keys()

    def keys(self) -> list[int]:
        pressed, self.press = self.press, []
        return pressed

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen


class Stage:
    """A presenter before a fake window, and a tailor who dresses the standing person."""

    def __init__(self, wardrobe: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.settings = Settings(wardrobe=wardrobe, engine="geometric", **settings)
        self.metrics, self.window, self.words = Metrics(), FakeWindow(), Words()
        self.tailor: Tailor = fake_tailor(self.settings, self.metrics)
        window: Any = self.window
        self.presenter = Presenter(self.settings, self.metrics, Follower(), Composer(), window, None)
        self.rail = self.presenter.rail = Rail(Wardrobe(wardrobe))
        monkeypatch.setattr(Hud, "draw", lambda _, canvas, words, area=None: setattr(self, "words", words))

    def dressed(self, frame: Frame) -> Dressed:
        garment = self.rail.wanted
        assert garment is not None
        return self.tailor.dress(frame, garment)

    def present(self, now: float = 0.0, keys: tuple[int, ...] = (), index: int = 0) -> np.ndarray:
        """One picture with a person in the wanted garment; keys pressed meanwhile act on the next."""
        frame = textured_frame(now, index)
        self.window.press = list(keys)
        self.presenter.present(frame, self.dressed(frame), now)
        return self.window.canvas


@pytest.fixture
def stage(wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    return Stage(wardrobe_folder, monkeypatch, snapshots=tmp_path / "snaps")


def plain() -> np.ndarray:
    return textured_frame().image


def test_before_the_first_fit_the_mirrored_camera_is_shown(stage: Stage) -> None:
    stage.presenter.present(textured_frame(), None, 0.0)
    assert np.array_equal(stage.window.canvas, cv2.flip(plain(), 1))
    assert "moment" in stage.words.hint


def test_the_garment_is_on_and_the_rest_is_the_cameras_own(stage: Stage) -> None:
    changed = (stage.present() != cv2.flip(plain(), 1)).any(2)
    assert changed[250:350, 280:360].mean() > 0.9
    assert not changed[:100].any() and not changed[:, :100].any()


def test_space_shows_before_and_after(stage: Stage) -> None:
    stage.present(keys=(SPACE,))
    assert np.array_equal(stage.present(), cv2.flip(plain(), 1))
    stage.present(keys=(SPACE,))
    assert not np.array_equal(stage.present(), cv2.flip(plain(), 1))


def test_m_turns_the_picture(stage: Stage) -> None:
    mirrored = stage.present(keys=(ord("m"),))
    assert np.array_equal(stage.present(), cv2.flip(mirrored, 1))


def test_a_fit_of_another_size_is_not_used(stage: Stage) -> None:
    """After a reconnect the camera may send another size."""
    small = Frame(np.full((120, 160, 3), 50, np.uint8), 0.0, 1)
    stage.presenter.present(small, stage.dressed(textured_frame()), 0.0)
    assert np.array_equal(np.unique(stage.window.canvas), [50])


def test_a_key_switches_and_the_switch_is_timed(stage: Stage) -> None:
    stage.present(keys=(RIGHT,))
    assert stage.metrics.report()["switch_ms"] is None
    stage.present(1.0)
    assert stage.metrics.report()["garments_shown"] == ["tee-1", "tee-2"]
    assert stage.metrics.report()["switch_ms"]["p50"] > 0
    assert (stage.words.name, stage.words.place, stage.words.name_age_s) == ("Tee 2", "2 / 3", 1.0)


def test_a_snapshot_is_neither_mirrored_nor_written_on(stage: Stage) -> None:
    shown = stage.present(keys=(ord("s"), ord("s")))
    files = sorted((stage.settings.snapshots or Path()).iterdir())
    assert len(files) == 2, "two in one second do not overwrite each other"
    assert np.array_equal(cv2.imread(str(files[0])), cv2.flip(shown, 1))
    stage.present(MESSAGE_STAYS_S - 0.1)
    assert "Kept" in stage.words.message
    stage.present(MESSAGE_STAYS_S + 0.1)
    assert stage.words.message == ""


def test_without_a_folder_nothing_is_written(wardrobe_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    stage = Stage(wardrobe_folder, monkeypatch)
    stage.present(keys=(ord("s"),))
    stage.present()
    assert "--snapshots" in stage.words.message
    assert set(tmp_path.rglob("*")) == before


def test_where_to_stand_is_said_after_a_while(stage: Stage) -> None:
    garment = stage.rail.wanted
    assert garment is not None
    hints = []
    for now in (0.0, HINT_AFTER_S - 0.1, HINT_AFTER_S + 0.1):
        frame = textured_frame(now)
        stage.presenter.present(frame, Dressed(TryOn(frame, None, None, garment.slug), garment), now)
        hints.append(stage.words.hint)
    assert hints == ["", "", WHERE_TO_STAND]
    stage.present(now=10.0)
    assert stage.words.hint == ""


@pytest.mark.parametrize(("key", "word"), [("i", "figures"), ("h", "help")])
def test_figures_and_help_come_and_go(key: str, word: str, stage: Stage) -> None:
    seen = []
    for _ in range(3):
        stage.present(keys=(ord(key),))
        seen.append(bool(getattr(stage.words, word)))
    assert seen == [False, True, False]


def test_f_toggles_fullscreen_and_escape_quits(stage: Stage) -> None:
    stage.present(keys=(ord("f"),))
    assert stage.window.fullscreen
    assert not stage.presenter.quit
    stage.present(keys=(ESC,))
    assert stage.presenter.quit


def test_the_close_button_ends_the_run(stage: Stage) -> None:
    stage.window.closed = True
    stage.present()
    assert stage.presenter.quit


def test_a_lost_camera_keeps_the_last_picture_with_a_sentence(stage: Stage) -> None:
    shown = stage.present()
    stage.window.press = [ESC]
    stage.presenter.present_message("No picture from camera 0.", 5.0)
    assert np.array_equal(stage.window.canvas, shown)
    assert stage.words.message == "No picture from camera 0."
    assert stage.presenter.quit
    assert stage.metrics.shown.count == 1, "the same picture again is none"


def test_frames_are_not_written_into(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    frame = textured_frame()
    frame.image.setflags(write=False)
    stage.presenter.present(frame, None, 0.0)
    stage.presenter.present(frame, stage.dressed(frame), 0.0)


def test_an_empty_wardrobe_says_what_to_do(tmp_path: Path, wardrobe_folder: Path, monkeypatch) -> None:
    stage = Stage(wardrobe_folder, monkeypatch)
    (tmp_path / "empty").mkdir()
    stage.presenter.rail = Rail(Wardrobe(tmp_path / "empty"))
    stage.window.press = [RIGHT, ord("3")]
    stage.presenter.present(textured_frame(), None, 0.0)
    assert "garment add" in stage.words.hint
