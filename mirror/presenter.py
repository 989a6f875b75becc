"""What the main thread does with a frame: follow, compose, flip, write the words on it, show it; and obey the keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from mirror.frames import Fit, Frame, TryOn
from mirror.hud import Hud, Words
from mirror.keys import Action, Do, KeyReader
from mirror.metrics import Metrics
from mirror.motion import Tracker
from mirror.output import VideoOut, write_snapshot
from mirror.rail import Rail
from mirror.settings import Settings
from mirror.tailor import Dressed
from mirror.wardrobe import Garment
from mirror.window import letterbox

if TYPE_CHECKING:
    from mirror.window import Window

HINT_AFTER_S = 3.0
"""Nobody seen for so long: say where to stand."""
MESSAGE_STAYS_S = 3.0
FIGURES_EVERY_S = 0.5
"""Slow enough to be read; and new letters cost 5 ms."""
ENGINE_WORDS = {"neural": "by networks", "geometric": "without networks", "none": "not yet"}
WHERE_TO_STAND = "Stand before the camera, about two steps away, so that head and hips are in the picture."
GETTING_READY = "One moment: the garments are being laid out."


class Carrier(Protocol):
    def carry(self, result: TryOn, frame: Frame, tracker: Tracker | None = None) -> Fit: ...


class Drawer(Protocol):
    def compose(self, frame: Frame, fit: Fit, garment: Garment) -> np.ndarray: ...


class Presenter:
    """Turns frames and fits into what is seen. Main thread only.

    Two clocks: `now` of its methods is the run's own time, from which names fade and messages go (of a file that is
    played picture by picture: its playing time); ages are measured with `clock`.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        follower: Carrier,
        composer: Drawer,
        window: Window | None,
        output: VideoOut | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._metrics, self._clock = settings, metrics, clock
        self._follower, self._composer = follower, composer
        self._window, self._output = window, output
        self._keys = KeyReader(settings.kiosk)
        self._hud = Hud()
        self._mirrored = settings.mirror
        self._before = self._figures = self._help = False
        self._picture: np.ndarray | None = None  # as composed, not flipped, without words
        self._canvas: np.ndarray | None = None  # the window's, written over for every picture
        self._named = ("", 0.0)  # slug whose name is shown, and since when
        self._seen_at: float | None = None
        self._message = ("", 0.0)
        self._figure_text: tuple[tuple[tuple[str, str], ...], float] = ((), 0.0)
        self.rail: Rail | None = None
        """Set as soon as the wardrobe is loaded."""
        self.quit = False

    def present(self, frame: Frame, dressed: Dressed | None, now: float) -> None:
        """Shows a frame in a try-on, or as it is. That may be of another frame: it is carried along."""
        picture, worn = frame.image, None
        result = dressed.result if dressed else None
        if dressed and result and result.fit is not None and result.frame.size == frame.size and not self._before:
            worn = dressed.garment
            with self._metrics.stage("follow"):
                fit = self._follower.carry(result, frame, dressed.tracker)
            with self._metrics.stage("compose"):
                picture = self._composer.compose(frame, fit, worn)
        self._picture = picture
        if self._seen_at is None or (result and result.person is not None):
            self._seen_at = now
        with self._metrics.stage("show"):
            codes = self._show(picture, self._words(now, dressed is not None), now)
        t_fit = result.frame.t_capture if worn and result else None
        shown_at = self._clock()
        self._metrics.picture_shown(shown_at, frame.t_capture, frame.index, t_fit, worn.slug if worn else None)
        self._obey(codes, now)

    def present_message(self, sentence: str, now: float) -> None:
        """The last picture (or a dark one) with a sentence on it: nothing new comes from the camera."""
        picture = self._picture if self._picture is not None else np.full((480, 640, 3), 24, np.uint8)
        self._obey(self._show(picture, Words(message=sentence, help=self._help), now), now)

    def idle(self, now: float) -> None:
        """Nothing to show: only the keys."""
        if self._window is not None:
            self._obey(self._window.keys(), now)
            self.quit = self.quit or self._window.closed

    def preview(self, picture: np.ndarray) -> None:
        """The first picture as it is, in the window only and not counted, while the stages are being built."""
        if self._window is not None:
            shown = cv2.flip(picture, 1) if self._mirrored else picture
            canvas, area = letterbox(shown, self._window.room, self._canvas)
            self._canvas = canvas
            self._hud.draw(canvas, Words(hint=GETTING_READY), area)
            self._window.show(canvas)

    def step(self, by: int, now: float) -> None:
        """The next garment (or another), as by key."""
        if self.rail is not None:
            self._chosen(self.rail.step(by), now)

    def _show(self, picture: np.ndarray, words: Words, now: float) -> list[int]:
        """Mirror, words, window and file. picture is not written into."""
        shown = cv2.flip(picture, 1) if self._mirrored else picture
        codes: list[int] = []
        if self._output is not None:
            written = shown.copy()
            self._hud.draw(written, words)
            self._output.write(written, now)
        if self._window is not None:
            canvas, area = letterbox(shown, self._window.room, self._canvas)
            self._canvas = canvas
            self._hud.draw(canvas, words, area)
            codes = self._window.show(canvas)
            self.quit = self.quit or self._window.closed
        return codes

    def _words(self, now: float, ready: bool) -> Words:
        wanted = self.rail.wanted if self.rail else None
        if wanted and wanted.slug != self._named[0]:
            self._named = (wanted.slug, now)
        hint = ""
        if self.rail and wanted is None:
            hint = f"The wardrobe {self._settings.wardrobe} is empty: put a garment in, `python -m mirror garment add`."
        elif not ready:
            hint = GETTING_READY
        elif self._seen_at is not None and now - self._seen_at > HINT_AFTER_S:
            hint = WHERE_TO_STAND
        return Words(
            name=wanted.name if wanted else "",
            place=self.rail.place if self.rail else "",
            name_age_s=now - self._named[1],
            message=self._message[0] if now - self._message[1] < MESSAGE_STAYS_S else "",
            hint=hint,
            figures=self._figure_lines(now) if self._figures else (),
            help=self._help,
        )

    def _figure_lines(self, now: float) -> tuple[tuple[str, str], ...]:
        lines, since = self._figure_text
        if not lines or now - since >= FIGURES_EVERY_S:
            clock, metrics = self._clock(), self._metrics
            lines = (
                ("pictures shown", f"{metrics.shown.now(clock):.0f} a second"),
                ("garment fitted", f"{metrics.fits.now(clock):.0f} times a second, {ENGINE_WORDS[metrics.engine]}"),
                ("camera to screen", f"{metrics.age.recent():.0f} ms"),
                ("camera to fit shown", f"{metrics.fit_age.recent():.0f} ms"),
            )
            self._figure_text = (lines, now)
        return lines

    def _obey(self, codes: list[int], now: float) -> None:
        for action in self._keys.actions(codes, now):
            self._do(action, now)

    def _do(self, action: Action, now: float) -> None:
        if action.do is Do.NEXT:
            self.step(1, now)
        elif action.do is Do.PREVIOUS:
            self.step(-1, now)
        elif action.do is Do.PICK and self.rail is not None:
            self._chosen(self.rail.pick(action.number), now)
        elif action.do is Do.BEFORE_AFTER:
            self._before = not self._before
        elif action.do is Do.FULLSCREEN and self._window is not None:
            self._window.toggle_fullscreen()
        elif action.do is Do.MIRROR:
            self._mirrored = not self._mirrored
        elif action.do is Do.SNAPSHOT:
            self._message = (self._snapshot(), now)
        elif action.do is Do.FIGURES:
            self._figures = not self._figures
        elif action.do is Do.HELP:
            self._help = not self._help
        elif action.do is Do.QUIT:
            self.quit = True

    def _chosen(self, garment: Garment | None, now: float) -> None:
        if garment is not None and garment.slug != self._named[0]:
            self._named = (garment.slug, now)
            self._metrics.switch_asked(self._clock(), garment.slug)

    def _snapshot(self) -> str:
        folder: Path | None = self._settings.snapshots
        if folder is None:
            return "Snapshots are off: start with --snapshots FOLDER."
        if self._picture is None:
            return "There is no picture to keep yet."
        try:
            return f"Kept as {write_snapshot(folder, self._picture).name}."
        except OSError as error:
            return f"The snapshot could not be written to {folder}: {error.strerror or error}."
