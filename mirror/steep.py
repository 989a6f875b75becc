"""How steep edges of coverage are drawn: what a share of a fit becomes in the picture, and the other way round."""

from __future__ import annotations

import cv2
import numpy as np

from mirror.either import ramp

EDGE_GAIN = 2.5
"""How much steeper the coverage's edge is made after it was brought up to camera resolution."""
FAINT = 0.5 * (1.0 - 1.0 / EDGE_GAIN)
"""A share of which nothing is left once its edge is steeper."""


def steeper(share: np.ndarray) -> np.ndarray:
    """A share (uint8) with its edge made steeper by EDGE_GAIN, around the half of it."""
    return cv2.addWeighted(share, EDGE_GAIN, share, 0.0, 127.5 * (1.0 - EDGE_GAIN))


def as_drawn(coverage: np.ndarray) -> np.ndarray:
    """How much of the garment is drawn for a coverage; float32, 0..1, each."""
    return ramp(coverage, (FAINT, 1.0 - FAINT))


def to_be_drawn(share: np.ndarray) -> np.ndarray:
    """The coverage for which so much of it is drawn."""
    return np.float32(FAINT) + np.float32(1.0 - 2.0 * FAINT) * share
