"""The contracts that cross walls."""

import cv2
import numpy as np
import pytest

from mirror.frames import CANVAS_H, CANVAS_W, Crop, flow_from_pixels, flow_to_pixels


def test_flow_convention_is_align_corners():
    """-1 is the centre of the first pixel, +1 that of the last: the one convention everywhere."""
    corners = np.array([[0.0, 0.0], [CANVAS_W - 1, CANVAS_H - 1]])
    assert np.allclose(flow_from_pixels(corners), [[-1, -1], [1, 1]])


def test_flow_round_trip():
    points = np.random.default_rng(0).uniform(-50, 300, (100, 2))
    assert np.allclose(flow_to_pixels(flow_from_pixels(points)), points, atol=1e-3)


def test_crop_inverse_undoes_matrix():
    crop = Crop(np.array([[0.4, 0.0, -12.0], [0.0, 0.4, 7.5]]))
    points = np.array([[0.0, 0.0], [320.0, 200.0]])
    there = crop.to_canvas(points)
    assert np.allclose(there @ crop.inverse[:, :2].T + crop.inverse[:, 2], points)
    assert crop.scale == pytest.approx(2.5)


def test_flow_agrees_with_torch_grid_sample():
    """The convention is that of grid_sample with align_corners=True, so live code and training mean the same."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.random((CANVAS_H, CANVAS_W)).astype(np.float32), (0, 0), 3)
    ys, xs = np.mgrid[0:CANVAS_H, 0:CANVAS_W].astype(np.float32)
    pixels = np.stack([xs * 0.9 + 8.3, ys * 0.8 + 20.7], -1)
    ours = cv2.remap(picture, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR)
    grid = torch.from_numpy(flow_from_pixels(pixels))[None]
    theirs = torch.nn.functional.grid_sample(torch.from_numpy(picture)[None, None], grid, align_corners=True)[0, 0]
    inside = (pixels[..., 0] < CANVAS_W - 1) & (pixels[..., 1] < CANVAS_H - 1)
    # cv2.remap rounds positions to 1/32 pixel
    assert np.abs(ours - theirs.numpy())[inside].max() < 0.01
