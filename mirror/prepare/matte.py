"""A mask -> a soft edge, and colours without a fringe of the background."""

from __future__ import annotations

import cv2
import numpy as np

BAND = 0.006
"""Half width of the band around the mask's edge in which alpha is soft, of the garment's size (root of its area)."""
CONTRAST = 12.0
"""Garment and background differing by less than about this many levels do not tell alpha; the mask's edge does."""
SUBPIXEL = 0.8


def soften(bgr: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 HxWx4 BGRA, straight alpha: the garment cut out of its photo.

    bgr: uint8 HxWx3, the photo. mask: uint8 0/1 of any size. In a narrow band alpha is where the pixel's colour lies
    between the garment's and the background's colour nearby; the colour kept there is the garment's alone.
    """
    size = bgr.shape[1::-1]
    wide = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    ratio = size[0] / mask.shape[1]
    wide = cv2.GaussianBlur(wide, (0, 0), max(0.6, 0.8 * ratio))  # rounds the stairs of a coarser mask
    area = float((wide > 0.5).sum())
    band = max(1.5, BAND * np.sqrt(area))
    solid = (wide > 0.5).astype(np.uint8)
    inward, outward = cv2.distanceTransform(solid, cv2.DIST_L2, 5), cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    depth = inward - outward
    picture = bgr.astype(np.float32)
    cloth = _local_mean(picture, (depth > band).astype(np.float32), 2.0 * band)
    behind = _local_mean(picture, (depth < -band).astype(np.float32), 2.0 * band)
    alpha = _alpha(picture, cloth, behind, depth, band)
    colour = picture.copy()
    edge = (alpha > 0.0) & (alpha < 1.0) | (np.abs(depth) <= band)
    share = np.maximum(alpha[edge], 0.25)[:, None]
    pure = (picture[edge] - (1.0 - share) * behind[edge]) / share
    trust = alpha[edge][:, None] ** 2  # a thin share of garment in a pixel says little of its colour
    colour[edge] = trust * np.clip(pure, cloth[edge] - 40.0, cloth[edge] + 40.0) + (1.0 - trust) * cloth[edge]
    out = np.dstack([colour, alpha * 255.0])
    out[alpha == 0.0] = 0.0
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _local_mean(picture: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """The mean colour of `where` around each pixel; far from it, of all of it."""
    weight = cv2.GaussianBlur(where, (0, 0), sigma)
    total = cv2.GaussianBlur(picture * where[..., None], (0, 0), sigma)
    overall = picture[where > 0].mean(0) if where.any() else np.full(3, 127.0)
    return (total + 1e-4 * overall) / (weight[..., None] + 1e-4)


def _alpha(picture: np.ndarray, cloth: np.ndarray, behind: np.ndarray, depth: np.ndarray, band: float) -> np.ndarray:
    """float32 HxW 0..1."""
    across = cloth - behind
    length = (across**2).sum(2)
    by_colour = np.clip(((picture - behind) * across).sum(2) / np.maximum(length, 1.0), 0.0, 1.0)
    by_place = np.clip(0.5 + depth / (2.0 * SUBPIXEL), 0.0, 1.0)
    told = length / (length + 3.0 * CONTRAST**2)
    near = np.clip(1.0 - np.abs(depth) / band, 0.0, 1.0)
    alpha = by_place + near * told * (by_colour - by_place)
    alpha = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), 0.5)
    alpha[depth > band] = 1.0
    alpha[depth < -band] = 0.0
    alpha[alpha < 0.02] = 0.0
    return alpha


def premultiplied(picture: np.ndarray) -> np.ndarray:
    """uint8 HxWx4 with straight alpha -> float32 HxWx4, 0..255, colours times alpha: what may be moved and mixed."""
    pre = picture.astype(np.float32)
    pre[..., :3] *= pre[..., 3:] / 255.0
    return pre


def straight_alpha(pre: np.ndarray) -> np.ndarray:
    """Inverse of `premultiplied`; nothing is left where it is clear."""
    alpha = np.clip(pre[..., 3:], 0, 255)
    colour = pre[..., :3] / np.maximum(alpha / 255.0, 1e-3)
    picture = np.clip(np.dstack([colour, alpha]) + 0.5, 0, 255).astype(np.uint8)
    picture[picture[..., 3] == 0] = 0
    return picture
