"""The person stage beside MediaPipe's own: `python -m bench person --source CLIP [CLIP ...] --json FILE`.

Both find the pose on every picture of the same clips, in turn: landmarks' difference in shoulder widths, overlap of the
masks, wall and CPU time a picture.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from bench.clip import read_clip
from mirror.frames import Landmark
from mirror.person import MediaPipePose, OpenVinoPose, PoseRunner

JOINTS = {
    "face": (Landmark.NOSE, Landmark.LEFT_EYE, Landmark.RIGHT_EYE),
    "shoulders": (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER),
    "elbows": (Landmark.LEFT_ELBOW, Landmark.RIGHT_ELBOW),
    "wrists": (Landmark.LEFT_WRIST, Landmark.RIGHT_WRIST),
    "hips": (Landmark.LEFT_HIP, Landmark.RIGHT_HIP),
}
MIN_SEEN = 0.5
"""Joints that MediaPipe itself only guesses at are not compared."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench person", description=__doc__)
    parser.add_argument("--source", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    rows = [compare(source, options.threads) for source in options.source]
    print(json.dumps(rows, indent=1))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def compare(source: Path, threads: int) -> dict:
    """One clip's row."""
    pictures, _ = read_clip(source)
    runners: dict[str, PoseRunner] = {"mirror": OpenVinoPose(threads), "mediapipe": MediaPipePose()}
    wall: dict[str, list[float]] = {name: [] for name in runners}
    cpu: dict[str, list[float]] = {name: [] for name in runners}
    missed = dict.fromkeys(runners, 0)
    differences: dict[str, list[float]] = {name: [] for name in JOINTS}
    overlaps = []
    for picture in pictures:
        found = {}
        for name, runner in runners.items():
            t, c = time.perf_counter(), time.process_time()
            found[name] = runner.find(picture)
            wall[name].append((time.perf_counter() - t) * 1e3)
            cpu[name].append((time.process_time() - c) * 1e3)
            missed[name] += found[name] is None
        ours, theirs = found["mirror"], found["mediapipe"]
        if ours is None or theirs is None:
            continue
        unit = float(np.linalg.norm(theirs[0][Landmark.LEFT_SHOULDER, :2] - theirs[0][Landmark.RIGHT_SHOULDER, :2]))
        for name, joints in JOINTS.items():
            for joint in joints:
                if theirs[0][joint, 2] > MIN_SEEN:
                    off = np.linalg.norm(ours[0][joint, :2] - theirs[0][joint, :2])
                    differences[name].append(float(off / max(unit, 1.0)))
        size = (theirs[1].shape[1], theirs[1].shape[0])
        a, b = cv2.resize(ours[1], size) > 0.5, theirs[1] > 0.5
        overlaps.append(float((a & b).sum() / max((a | b).sum(), 1)))
    for runner in runners.values():
        runner.close()
    return {
        "source": source.name,
        "pictures": len(pictures),
        "missed": missed,
        "difference_in_shoulder_widths_p50": {
            k: round(float(np.median(v)), 4) if v else None for k, v in differences.items()
        },
        "mask_iou_mean": round(float(np.mean(overlaps)), 4) if overlaps else None,
        "wall_ms_p50": {name: round(float(np.median(v)), 2) for name, v in wall.items()},
        "cpu_ms_mean": {name: round(float(np.mean(v)), 2) for name, v in cpu.items()},
    }
