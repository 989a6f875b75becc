"""What a part of a picture is mixed of: a hand, and the clothes behind it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mirror.chest import Looked
from mirror.either import ramp

MEAN_PX, FEW = (25, 25), 0.01
"""The window of the means of skin and cloth, canvas pixels; the share of it below which the mean of all counts more."""
APART_LEVELS = (40.0, 70.0)
"""How far hand and cloth must be apart for a share to be told, levels of 255."""
ASIDE, UNEVEN = (0.45, 0.25), (0.7, 0.5)
"""How far a pixel may be from all mixtures of hand and cloth, and how uneven cloth may be, of their difference."""
MORE = 1.4
"""So many times as far from the cloth as the hand around it a pixel may be, and fit all the same: the bright back of a
hand in motion was a hole in it."""
_SUM = np.ones((1, 3), np.float32)
_CROSS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


@dataclass(frozen=True)
class Matte:
    """float32 HxW, 0..1, but for hand and cloth: HxWx3 BGR 0..255, their colours around each pixel.

    share: of the hand in each pixel. told: how well hand and cloth are told apart there. fits: how well their mixture
    explains the pixel.
    """

    hand: np.ndarray
    cloth: np.ndarray
    share: np.ndarray
    told: np.ndarray
    fits: np.ndarray


def matte_of(
    picture: np.ndarray,
    skin: np.ndarray,
    cloth: np.ndarray,
    seeds: np.ndarray,
    before: Looked | None,
) -> Matte:
    """The mixture of two colours that is nearest to each pixel (Smith and Blinn, SIGGRAPH 1996).

    picture: uint8 HxWx3. skin, cloth, seeds: uint8 HxW, not 0 on what is like skin, on what surely is none of the
    person's, and on what is surely of the hand. before: of `mirror.chest.Before.on`.
    """
    hand, _ = _mean_around(picture, cv2.erode(skin, _CROSS), seeds)
    cloth = cv2.erode(cloth, _CROSS)
    behind, near = _mean_around(picture, cloth, cloth)
    uneven = _spread_around(picture, cloth, behind, near)
    if before is not None:
        known = before.sure
        behind = cv2.blendLinear(before.colours, behind, known, 1.0 - known)
        near, uneven = cv2.max(near, known), uneven * (1.0 - known)
    apart, over = cv2.subtract(hand, behind), cv2.subtract(picture, behind, dtype=cv2.CV_32F)
    square = cv2.max(_sum(cv2.multiply(apart, apart)), 1.0)
    share = _sum(cv2.multiply(over, apart)) / square
    # what is left of a pixel's difference from cloth without its share of the hand's
    clipped = share.clip(0.0, MORE)
    rest = cv2.max(_sum(cv2.multiply(over, over)) / square - clipped * (2.0 * share - clipped), 0.0)
    told = ramp(cv2.sqrt(square), APART_LEVELS) * ramp(cv2.sqrt(uneven / square), UNEVEN) * (near > FEW)
    return Matte(hand, behind, share, told, ramp(cv2.sqrt(rest), ASIDE))


def _mean_around(picture: np.ndarray, here: np.ndarray, all_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour (float32 HxWx3) of what of a picture (uint8) is here (uint8 HxW, 255 or 0) around each pixel, where
    there is little the mean of all (uint8 HxW, not 0); and the share of it, float32 HxW."""
    near = cv2.boxFilter(here, cv2.CV_32F, MEAN_PX) * np.float32(1.0 / 255.0)
    colours = cv2.boxFilter(cv2.bitwise_and(picture, picture, mask=here), cv2.CV_32F, MEAN_PX)
    colours = cv2.add(colours, tuple(FEW * level for level in cv2.mean(picture, all_of)))
    return cv2.divide(colours, cv2.merge([near + FEW] * 3)), near


def _spread_around(picture: np.ndarray, here: np.ndarray, mean: np.ndarray, near: np.ndarray) -> np.ndarray:
    """float32 HxW: the mean square by which the same differs from its mean; arguments and answers of `_mean_around`."""
    squares = cv2.sqrBoxFilter(cv2.bitwise_and(picture, picture, mask=here), cv2.CV_32F, MEAN_PX)
    return cv2.max((_sum(squares) - _sum(cv2.multiply(mean, mean)) * near) / (near + FEW), 0.0)


def _sum(channels: np.ndarray) -> np.ndarray:
    """float32 HxW of HxWx3."""
    return cv2.transform(channels, _SUM)
