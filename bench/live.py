"""What a person before the mirror sees: `python -m bench live --source CLIP --seconds 60 --json FILE`.

The clip runs forth and back in a loop, paced like a camera, through the mirror's own three threads and, with a display,
its window. Afterwards every picture shown in a stretch of the run is judged against landmarks found offline.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from bench.clip import read_clip
from bench.recorder import Recorder, Shown
from bench.sharpness import gradient_energy, render_exactly, render_pasted
from bench.stability import quantiles
from bench.steadiness import behind_px, colour_change, movement_px, places_shown, still_steps
from mirror.compose import Composer
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, Landmark
from mirror.metrics import Metrics
from mirror.pace import threads_for
from mirror.person import OpenVinoPose
from mirror.pipeline import Live
from mirror.presenter import Presenter
from mirror.settings import MODELS, Settings, parse_size
from mirror.sources import Address
from mirror.tailor import make_tailor
from mirror.wardrobe import Garment
from mirror.window import Window

STUTTER_MS = 50.0
SHOULDERS = [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER]
SHARPNESS_SAMPLES = 12
SHEET_ROWS, SHEET_WIDTH = 3, 1400
MOMENTS_ACROSS, MOMENTS_DOWN = 6, 4
PAN_PEAK_PX_S, PAN_PERIOD_S = 200.0, 3.0
WARM_UP_S = 4.0
"""Networks and MediaPipe load meanwhile; nothing of it is judged."""


class ForthAndBack:
    """A clip in memory, played forwards and backwards for ever, so that nothing jumps. Picture i of the run is picture
    `order[i % len(order)]` of the clip."""

    finite = True

    def __init__(self, pictures: list[np.ndarray], fps: float) -> None:
        self._pictures, self.fps, self._next = pictures, fps, 0

    def read(self) -> np.ndarray | None:
        image = self._pictures[self._next % len(self._pictures)]
        self._next += 1
        return image

    def close(self) -> None:
        """Stays as it is: the camera may open it again."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench live", description=__doc__)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--engine", choices=("auto", "neural", "geometric"), default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--garment", help="default: the first of the wardrobe")
    parser.add_argument("--cycle", type=float, help="change the garment every so many seconds")
    parser.add_argument("--size", type=parse_size, help="scale the clip to WxH")
    parser.add_argument("--pan", action="store_true", help="move the clip sideways, up to 200 pixels a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--judged", type=float, default=10.0, help="seconds of the run whose every picture is judged")
    parser.add_argument("--no-window", action="store_true", help="without the window (no display)")
    parser.add_argument("--sheet", type=Path, help="a PNG: as shown beside the plain 256x192 output pasted back")
    parser.add_argument(
        "--moments", type=Path, help="a PNG of 24 moments as they were really shown, fits late as they are"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    pictures, fps = read_clip(options.source)
    if options.size:
        pictures = [cv2.resize(p, options.size, interpolation=cv2.INTER_AREA) for p in pictures]
    loop = pictures + pictures[-2:0:-1]
    if options.pan:
        loop = panned(loop, fps)
    settings = Settings(
        source=str(options.source), realtime=True, headless=options.no_window, engine=options.engine,
        models=options.models, garment=options.garment, cycle_s=options.cycle, seconds=options.seconds + WARM_UP_S,
    )  # fmt: skip
    metrics = Metrics()
    recorder = Recorder(metrics, WARM_UP_S, options.judged)
    composer = Composer()
    cv2.setNumThreads(threads_for(None).picture)  # as the mirror itself does
    source = ForthAndBack(loop, fps)
    address = Address(str(options.source), options.source.name, live=False)
    begun, busy = time.monotonic(), busy_s()
    play = Live(settings, metrics, address, partial(make_tailor, also_prepare=composer.prepare), lambda: source)
    size = (loop[0].shape[1], loop[0].shape[0])
    window = None if options.no_window else Window(size, fullscreen=False)
    try:
        play.run(Presenter(settings, recorder.metrics, recorder.follower, recorder.drawer(composer), window, None))
    finally:
        if window is not None:
            window.close()
        play.close()
    cores_busy = round((busy_s() - busy) / (time.monotonic() - begun), 3)
    result = {**figures(recorder, metrics, loop, fps), "cores_busy": cores_busy}
    print(json.dumps(result, indent=1))
    if options.sheet:
        write_sheet(options.sheet, recorder.shown)
    if options.moments:
        write_moments(options.moments, recorder.shown)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def busy_s() -> float:
    """CPU seconds that all processes of this machine have used, the display's server and other people's too."""
    times = psutil.cpu_times()
    return times.user + times.system + getattr(times, "nice", 0.0)


def panned(pictures: list[np.ndarray], fps: float) -> list[np.ndarray]:
    """The loop with a known sideways motion: a sine of about PAN_PERIOD_S whose speed peaks at PAN_PEAK_PX_S.

    The loop holds whole periods, so that nothing jumps at its end.
    """
    cycle = len(pictures) / max(1, round(len(pictures) / (PAN_PERIOD_S * fps)))
    amplitude = PAN_PEAK_PX_S * (cycle / fps) / (2 * np.pi)
    out = []
    for i, image in enumerate(pictures):
        shift = np.array([[1.0, 0.0, amplitude * np.sin(2 * np.pi * i / cycle)], [0.0, 1.0, 0.0]])
        out.append(cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))
    return out


def figures(recorder: Recorder, metrics: Metrics, loop: list[np.ndarray], fps: float) -> dict[str, Any]:
    """The issue's figures from what was recorded."""
    report = metrics.report()
    intervals = np.diff(recorder.shown_at) * 1e3
    shown = recorder.shown
    offline = offline_landmarks(loop)
    still = still_steps(np.concatenate([offline, offline[:1]]))
    moves: list[float] = []
    levels: list[float] = []
    composer = Composer()
    for a, b in pairwise(shown):
        i, j = a.frame.index, b.frame.index
        calm = all(still[k % len(loop)] for k in range(i, j))
        if not calm or j <= i or j - i > 3 or a.garment is not b.garment:
            continue
        moves.append(movement_px(a.fit, b.fit, a.frame.size))
        if len(levels) < 60:
            pair = [composer.compose(s.frame, s.fit, s.garment) for s in (a, b)]
            levels.append(colour_change(pair[0], pair[1], (a.fit, b.fit)))
    lags = lags_px(shown, offline)
    return {
        "engine": report["engine"],
        "size": list(loop[0].shape[1::-1]),
        "shown_fps": report["shown_fps"],
        "fits_per_s": report["fits_per_s"],
        "cores_used": recorder.cores_used,
        "person_ms_a_picture": person_ms_a_picture(report, metrics),
        "age_ms": report["age_ms"],
        "fit_age_ms": report["fit_age_ms"],
        "switch_ms": report["switch_ms"],
        "stutter": round(float((intervals > STUTTER_MS).mean()), 4) if len(intervals) else None,
        "still_steps": len(moves),
        "flicker_px": quantiles(moves),
        "flicker_levels": float(np.nanmean(levels)) if levels else None,
        "lag_px": quantiles(lags),
        "carried_px": quantiles([carried_px(s, offline[s.frame.index % len(loop)]) for s in shown]),
        **sharpness(shown),
        "stages_ms": report["stages_ms"],
        "rss_mb": report["rss_mb"],
    }


def person_ms_a_picture(report: dict[str, Any], metrics: Metrics) -> float | None:
    """CPU of the person stage for each picture of the camera, ms: on some of them nobody is looked for."""
    pictures = report["frames"] + report["dropped"]
    stage = report["stages_ms"].get("person")
    return round(stage["cpu"] * metrics.sought / pictures, 2) if stage and pictures else None


def offline_landmarks(loop: list[np.ndarray]) -> np.ndarray:
    """float32 (N, 33, 3) of every picture of the loop, found one by one and smoothed without delay."""
    pose = OpenVinoPose()
    rows = []
    for image in loop:
        found = pose.find(image)
        rows.append(found[0] if found else np.full((33, 3), np.nan, np.float32))
    landmarks = np.array(rows)
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    wrapped = np.concatenate([landmarks[-2:], landmarks, landmarks[:2]])
    landmarks[..., :2] = sum(k * wrapped[i : i + len(rows), :, :2] for i, k in enumerate(kernel))
    return landmarks


def lags_px(shown: list[Shown], offline: np.ndarray) -> list[float]:
    """How far each shown garment is from where it sits on the shoulders of that very picture, camera pixels.

    offline: landmarks of every picture of the loop. How a garment sits is its median place within 1.5 s.
    """
    lags: list[float] = []
    for _, group in groupby(shown, key=lambda s: id(s.garment)):
        worn = list(group)
        places = np.array([places_shown(s.fit, s.garment) for s in worn])
        body = np.array([offline[s.frame.index % len(offline)][SHOULDERS, :2].mean(0) for s in worn])
        lags += behind_px(places, body, np.array([s.frame.index for s in worn])).tolist()
    return lags


def carried_px(shown: Shown, offline: np.ndarray) -> float:
    """Camera pixels between where the fit, as carried to this picture, takes the body's shoulders to be and where they
    are on it. Unlike the lag it knows nothing of how the garment lies in the fit."""
    assert shown.result.person is not None and shown.result.fit is not None
    before = shown.result.person.landmarks[SHOULDERS, :2].astype(np.float64)
    canvas = shown.result.fit.crop.to_canvas(before)
    inverse = shown.fit.crop.inverse
    carried = canvas @ inverse[:, :2].T + inverse[:, 2]
    return float(np.linalg.norm((carried - offline[SHOULDERS, :2]).mean(0)))


def sharpness(shown: list[Shown]) -> dict[str, float | None]:
    """Gradient energy of the shown garment over that of its picture warped exactly; beside it, that of the plain
    256 x 192 rendering pasted back."""
    if not shown:
        return {"sharpness": None, "sharpness_pasted": None}
    composer, ratios, pasted = Composer(), [], []
    for s in shown[:: max(1, len(shown) // SHARPNESS_SAMPLES)]:
        exact = gradient_energy(render_exactly(s.fit, s.garment, s.frame.size), s.fit, s.frame.size)
        if exact > 0:
            picture = composer.compose(s.frame, s.fit, s.garment)
            ratios.append(gradient_energy(picture, s.fit, s.frame.size) / exact)
            pasted.append(gradient_energy(render_pasted(s.fit, s.garment, s.frame.size), s.fit, s.frame.size) / exact)
    return {"sharpness": round(float(np.median(ratios)), 3), "sharpness_pasted": round(float(np.median(pasted)), 3)}


def write_sheet(path: Path, shown: list[Shown]) -> None:
    """A PNG of a few pictures: as shown, at full size, beside the plain 256x192 output pasted back."""
    composer, rows = Composer(), []
    for s in shown[:: max(1, len(shown) // SHEET_ROWS)][:SHEET_ROWS]:
        corner = s.fit.crop.inverse[:, 2].astype(int)
        far = corner + (np.array([CANVAS_W, CANVAS_H]) * s.fit.crop.scale).astype(int)
        (x0, y0), (x1, y1) = np.clip(corner, 0, None), np.minimum(far, s.frame.size)
        pasted = paste_plain(s.frame, s.fit, s.garment, composer)
        pair = [picture[y0:y1, x0:x1] for picture in (composer.compose(s.frame, s.fit, s.garment), pasted)]
        row = np.hstack(pair)
        rows.append(cv2.resize(row, (SHEET_WIDTH, round(row.shape[0] * SHEET_WIDTH / row.shape[1]))))
    _write_rows(path, rows)


def write_moments(path: Path, shown: list[Shown]) -> None:
    """A PNG of pictures as they were shown, evenly chosen, each with its number and by how many its fit is behind.
    Sheets of single pictures in their own fits do not show what a moving arm looks like."""
    composer, cells = Composer(), []
    for s in shown[:: max(1, len(shown) // (MOMENTS_ACROSS * MOMENTS_DOWN))][: MOMENTS_ACROSS * MOMENTS_DOWN]:
        picture = composer.compose(s.frame, s.fit, s.garment)
        width = SHEET_WIDTH // MOMENTS_ACROSS
        cell = cv2.resize(picture, (width, round(picture.shape[0] * width / picture.shape[1])))
        words = f"{s.frame.index} {s.result.frame.index - s.frame.index:+d}"
        cells.append(cv2.putText(cell, words, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 255)))
    whole = len(cells) // MOMENTS_ACROSS * MOMENTS_ACROSS
    rows = [np.hstack(cells[i : i + MOMENTS_ACROSS]) for i in range(0, whole, MOMENTS_ACROSS)]
    _write_rows(path, rows)


def _write_rows(path: Path, rows: list[np.ndarray]) -> None:
    if not rows or not cv2.imwrite(str(path), np.vstack(rows)):
        raise UsageError(f"{path} cannot be written: name a .png, and let somebody be in the clip.")


def paste_plain(frame: Frame, fit: Fit, garment: Garment, composer: Composer) -> np.ndarray:
    """uint8 HxWx3: the whole try-on made at 256x192, as such networks give it, and laid back over the picture."""
    whole = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    canvas = cv2.warpAffine(frame.image, fit.crop.matrix, (CANVAS_W, CANVAS_H), borderMode=cv2.BORDER_REPLICATE)
    small = composer.compose(Frame(canvas, frame.t_capture, frame.index), replace(fit, crop=Crop(whole)), garment)
    picture = frame.image.copy()
    cv2.warpAffine(small, fit.crop.inverse, frame.size, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return picture
