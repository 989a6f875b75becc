"""Changes that keep a sample true: mirror images, small moves of person and flat, colours, light.

Everything is a batch of torch tensors on the generator's device, NCHW; pictures RGB 0..1; flows in area coordinates
(see `nets.cwm`).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mirror.frames import CANVAS_H, CANVAS_W
from mirror.wardrobe import LANDMARKS

MIRROR_PERSON = (0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(row + 1 if row % 2 else row - 1 for row in range(11, 33)))
"""Rows of MediaPipe's landmarks in a mirror image: left and right change places."""
MIRROR_GARMENT = tuple(
    LANDMARKS.index(name.replace("left", "?").replace("right", "left").replace("?", "right")) for name in LANDMARKS
)


def mirror_points(points: Tensor, rows: tuple[int, ...]) -> Tensor:
    """Points (B, rows, 2), canvas pixels, of the mirror image."""
    swapped = points[:, list(rows)]
    return torch.stack([CANVAS_W - 1.0 - swapped[..., 0], swapped[..., 1]], -1)


def mirror_flow(flow: Tensor) -> Tensor:
    """Flow (B, 2, h, w) between the mirror images of person and garment."""
    return flow.flip(3) * flow.new_tensor([-1.0, 1.0]).view(1, 2, 1, 1)


def chance(count: int, share: float, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, 1) bool: true so often."""
    return torch.rand(count, 1, 1, 1, generator=generator, device=generator.device) < share


def mirror_some(
    flip: Tensor, maps: list[Tensor], flow: Tensor, points: Tensor, marks: Tensor
) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
    """Samples, in their mirror image where flip (B, 1, 1, 1) is. maps: (B, C, H, W), of person and garment. points,
    marks: landmarks of the person and of the garment."""
    return (
        [torch.where(flip, x.flip(3), x) for x in maps],
        torch.where(flip, mirror_flow(flow), flow),
        torch.where(flip[..., 0], mirror_points(points, MIRROR_PERSON), points),
        torch.where(flip[..., 0], mirror_points(marks, MIRROR_GARMENT), marks),
    )


class Move:
    """A small similarity of the canvas for every sample: scale, roll and shift."""

    def __init__(self, scale: Tensor, roll: Tensor, shift: Tensor) -> None:
        """scale: (B,), 1 leaves it. roll: (B,) radians. shift: (B, 2), shares of half the canvas."""
        self.scale, self.shift = scale, shift
        self.cos, self.sin = torch.cos(roll), torch.sin(roll)
        self.aspect = CANVAS_H / CANVAS_W

    def points(self, points: Tensor) -> Tensor:
        """Canvas pixels (B, K, 2) -> where they go."""
        centre = points.new_tensor([(CANVAS_W - 1) / 2, (CANVAS_H - 1) / 2])
        half = points.new_tensor([CANVAS_W / 2, CANVAS_H / 2])
        p = points - centre
        c, s = (self.cos * self.scale)[:, None], (self.sin * self.scale)[:, None]
        turned = torch.stack([p[..., 0] * c - p[..., 1] * s, p[..., 0] * s + p[..., 1] * c], -1)
        return turned + centre + self.shift[:, None] * half

    def coordinates(self, flow: Tensor) -> Tensor:
        """Area coordinates (B, 2, h, w) on the canvas -> where they go."""
        x, y = flow[:, 0], flow[:, 1] * self.aspect
        c, s = (self.cos * self.scale)[:, None, None], (self.sin * self.scale)[:, None, None]
        return torch.stack(
            [x * c - y * s + self.shift[:, :1, None], (x * s + y * c) / self.aspect + self.shift[:, 1:, None]], 1
        )

    def picture(self, x: Tensor, mode: str = "bilinear", padding: str = "zeros") -> Tensor:
        """Maps (B, C, H, W) moved along; mode and padding as in grid_sample."""
        c, s, k = self.cos / self.scale, self.sin / self.scale, self.aspect
        rows = [torch.stack([c, s * k], 1), torch.stack([-s / k, c], 1)]
        back = torch.stack(rows, 1)  # the inverse: output place -> source place
        offset = -(back @ self.shift[:, :, None])
        grid = F.affine_grid(torch.cat([back, offset], 2), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=False)


def random_move(
    count: int, generator: torch.Generator, scale: float, roll_deg: float, shift: float, lean: float = 0.0
) -> Move:
    """Spreads of log scale, roll and shift; lean is the mean of log scale."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=generator.device).clamp(-2.0, 2.0)

    return Move(
        torch.exp(lean + scale * normal(count)),
        math.radians(roll_deg) * normal(count),
        shift * normal(count, 2),
    )


def tint(colour: Tensor, generator: torch.Generator, low: float = 0.7, high: float = 1.15) -> Tensor:
    """Each channel of each picture (0..1) times its own gain."""
    gain = low + (high - low) * torch.rand(len(colour), 3, 1, 1, generator=generator, device=generator.device)
    return (colour * gain).clamp(0.0, 1.0)


def camera(pictures: list[Tensor], generator: torch.Generator) -> list[Tensor]:
    """One random camera and light for each sample, the same for all its pictures (RGB 0..1): exposure, gamma, white
    balance, contrast, haze."""
    count = len(pictures[0])

    def normal(channels: int, spread: float) -> Tensor:
        return torch.exp(torch.randn(count, channels, 1, 1, generator=generator, device=generator.device) * spread)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator, device=generator.device)

    exposure, gamma, balance = normal(1, 0.28), normal(1, 0.22), normal(3, 0.08)
    contrast, haze = uniform(0.7, 1.12), uniform(-0.04, 0.10)
    out = []
    for picture in pictures:
        lit = (picture * exposure * balance).clamp(1e-3, 1.0) ** gamma
        out.append(((lit - 0.5) * contrast + 0.5 + haze).clamp(0.0, 1.0))
    return out
