"""Where a fit leaps from one part of the garment to another, from a sleeve to the torso behind it."""

from __future__ import annotations

import cv2
import numpy as np

_KERNEL = np.ones((3, 3), np.uint8)


def spread(places: np.ndarray) -> np.ndarray:
    """float32 HxW: how far apart places (float32 HxWx2) within a pixel of each are, in x or in y, in their units."""
    return cv2.max(*cv2.split(cv2.subtract(cv2.dilate(places, _KERNEL), cv2.erode(places, _KERNEL))))


def leaps(places: np.ndarray, most: float) -> np.ndarray | None:
    """uint8 HxW, 255 where the spread of places (float32 HxWx2) is more than `most`; None if nowhere. Across such an
    edge nothing may be interpolated."""
    found = cv2.compare(spread(places), most, cv2.CMP_GT)
    return found if cv2.countNonZero(found) else None
