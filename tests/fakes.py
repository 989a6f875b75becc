"""Stages that need neither MediaPipe nor a person on the clip; run as a program, the mirror with them.

`python -m tests.fakes CLIP ...` is `python -m mirror ...` with a person who always stands in the same place of the
640x480 picture, and CLIP as the demo clip.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mirror import cli, pipeline, sources
from mirror.crop import Cropper
from mirror.frames import Frame, Person
from mirror.geometric import GeometricFitter
from mirror.metrics import Metrics
from mirror.settings import Settings
from mirror.tailor import Prepare, Tailor
from tests.bodies import standing


class StandingFinder:
    """Finds the same person in the same place on every frame of 640x480; nobody on other sizes."""

    def find(self, frame: Frame) -> Person | None:
        return standing(frame.moment) if frame.size == (640, 480) else None

    def close(self) -> None:
        pass


def fake_tailor(settings: Settings, metrics: Metrics, also_prepare: Prepare | None = None) -> Tailor:
    metrics.engine = "geometric"
    return Tailor(StandingFinder(), Cropper(), GeometricFitter(), metrics, also_prepare)


if __name__ == "__main__":
    pipeline.make_tailor = fake_tailor
    sources.DEMO_CLIP = Path(sys.argv[1])
    sys.exit(cli.main(sys.argv[2:]))
