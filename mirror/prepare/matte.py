"""A mask -> a soft edge, and colours without a fringe of the background."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from mirror.prepare.cores import in_halves

BAND = 0.006
"""Half width of the band around the mask's edge in which alpha is soft, of the garment's size (root of its area)."""
CONTRAST = 12.0
"""Garment and background differing by less than about this many levels do not tell alpha; the mask's edge does."""
SUBPIXEL = 0.8
LEAST_SIGMA_PX = 3.0
"""A Gaussian need not be wider than that in pixels of the picture that it is made on."""


def soften(bgr: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 HxWx4 BGRA, straight alpha: the garment cut out of its photo.

    bgr: uint8 HxWx3, the photo. mask: uint8 0/1 of any size. In a narrow band alpha is where the pixel's colour lies
    between the garment's and the background's colour nearby; the colour kept there is the garment's alone.
    """
    size = bgr.shape[1::-1]
    wide = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    ratio = size[0] / mask.shape[1]
    wide = cv2.GaussianBlur(wide, (0, 0), max(0.6, 0.8 * ratio))  # rounds the stairs of a coarser mask
    solid = (wide > 0.5).astype(np.uint8)
    band = max(1.5, BAND * float(np.sqrt(solid.sum())))
    with ThreadPoolExecutor(1) as other:
        outward = other.submit(cv2.distanceTransform, 1 - solid, cv2.DIST_L2, 5)
        depth = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - outward.result()
    inside, outside = (depth > band).astype(np.uint8), (depth < -band).astype(np.uint8)
    edge = np.nonzero((inside | outside) == 0)
    picture = bgr[edge].astype(np.float32)
    with ThreadPoolExecutor(1) as other:
        background = other.submit(_local_mean, bgr, outside, 2.0 * band, edge)
        cloth, behind = _local_mean(bgr, inside, 2.0 * band, edge), background.result()
    alpha = np.clip(0.5 + depth / (2.0 * SUBPIXEL), 0.0, 1.0)
    alpha[edge] = _alpha(picture, cloth, behind, depth[edge], alpha[edge], band)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.5)
    alpha[inside > 0] = 1.0
    alpha[(outside > 0) | (alpha < 0.02)] = 0.0
    told = alpha[edge][:, None]
    share = np.maximum(told, 0.25)
    pure = (picture - (1.0 - share) * behind) / share
    trust = told**2  # a thin share of garment in a pixel says little of its colour
    colour = trust * np.clip(pure, cloth - 40.0, cloth + 40.0) + (1.0 - trust) * cloth
    out = np.zeros((*bgr.shape[:2], 4), np.uint8)
    out[..., 3] = alpha * 255.0 + 0.5
    out[..., :3] = cv2.copyTo(bgr, inside)
    out[edge[0], edge[1], :3] = np.where(told > 0.0, np.clip(colour + 0.5, 0, 255), 0.0)
    return out


def _local_mean(bgr: np.ndarray, where: np.ndarray, sigma: float, at: tuple[np.ndarray, ...]) -> np.ndarray:
    """float32 (n, 3): the mean colour of `where` (uint8 HxW 0/1) around pixels (rows, columns); far from it, of all of
    it. A wide one is smooth: it is made of one pixel in so many, both ways."""
    thinned = max(1, int(sigma / LEAST_SIGMA_PX))
    full, small = where.shape[::-1], tuple(max(1, length // thinned) for length in where.shape[::-1])
    overall = np.array(cv2.mean(bgr, where)[:3], np.float32) if where.any() else np.full(3, 127.0, np.float32)
    weight, total = (
        cv2.GaussianBlur(cv2.resize(m.astype(np.float32), small, interpolation=cv2.INTER_AREA), (0, 0), sigma / thinned)
        for m in (where, cv2.copyTo(bgr, where))
    )
    mean = (total + 1e-4 * overall) / (weight[..., None] + 1e-4)
    return np.asarray(cv2.resize(mean, full, interpolation=cv2.INTER_LINEAR)[at])


def _alpha(
    picture: np.ndarray, cloth: np.ndarray, behind: np.ndarray, depth: np.ndarray, by_place: np.ndarray, band: float
) -> np.ndarray:
    """float32 (n,) 0..1, of pixels whose colours, and those of cloth and background nearby, are (n, 3)."""
    across = cloth - behind
    length = (across**2).sum(1)
    by_colour = np.clip(((picture - behind) * across).sum(1) / np.maximum(length, 1.0), 0.0, 1.0)
    told = length / (length + 3.0 * CONTRAST**2)
    near = np.clip(1.0 - np.abs(depth) / band, 0.0, 1.0)
    return by_place + near * told * (by_colour - by_place)


def premultiplied(picture: np.ndarray) -> np.ndarray:
    """uint8 HxWx4 with straight alpha -> float32 HxWx4, 0..255, colours times alpha: what may be moved and mixed."""
    seen = picture[..., 3] > 0
    pre = cv2.copyTo(picture, seen.astype(np.uint8)).astype(np.float32)
    soft = seen & (picture[..., 3] < 255)
    pre[soft, :3] *= pre[soft, 3:] / 255.0
    return pre


def straight_alpha(pre: np.ndarray) -> np.ndarray:
    """Inverse of `premultiplied`; nothing is left where it is clear."""
    return in_halves(_straight, pre)


def _straight(pre: np.ndarray) -> np.ndarray:
    straight = np.clip(pre, 0, 255)
    soft = (straight[..., 3] < 255.0) & (straight[..., 3] >= 0.5)
    colour = pre[soft, :3] / np.maximum(straight[soft, 3:] / 255.0, 1e-3)
    straight[soft, :3] = np.clip(colour, 0, 255)
    straight += 0.5
    picture = straight.astype(np.uint8)
    picture[picture[..., 3] == 0] = 0
    return picture
