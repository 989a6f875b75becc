"""What MediaPipe would have seen: errors added to exact landmarks and silhouettes in training.

MediaPipe's landmarks on renders scatter around their mean error by 0.04 to 0.12 of a shoulder width; now and then
one is grossly wrong, and a hand collapses onto its wrist. A network trained on exact joints would trust them too much.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mirror.frames import Landmark
from mirror.maps import MAP_H, MAP_W, MIN_SHOULDER_PX, TORSO_TO_SHOULDERS

SPREAD = {
    Landmark.LEFT_EYE: (0.035, 0.035),
    Landmark.LEFT_SHOULDER: (0.045, 0.055),
    Landmark.LEFT_ELBOW: (0.07, 0.06),
    Landmark.LEFT_WRIST: (0.06, 0.05),
    Landmark.LEFT_INDEX: (0.10, 0.10),
    Landmark.LEFT_PINKY: (0.09, 0.08),
    Landmark.LEFT_HIP: (0.06, 0.11),
}
"""Standard deviation, outwards and down, shoulder widths; the same for the right side. Found with the live person stage
on renders at 480 x 640. The mean error is in the samples already (`ir_models.synth.sample`)."""
GROSS_SHARE, GROSS_SPREAD = 0.03, 0.18
HAND_LOST_SHARE = 0.05


def _table() -> Tensor:
    spread = torch.full((33, 2), 0.035)
    for left, (out, down) in SPREAD.items():
        right = Landmark.RIGHT_EYE if left == Landmark.LEFT_EYE else Landmark(left + 1)
        spread[left] = spread[right] = torch.tensor([out, down])
    return spread


_SPREAD = _table()


def noisy_landmarks(landmarks: Tensor, generator: torch.Generator, amount: float = 1.0) -> Tensor:
    """landmarks: (B, 33, 2), canvas pixels, exact -> the same as MediaPipe might see them. amount scales it. All of
    this module's tensors lie on the generator's device."""
    count = len(landmarks)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=generator.device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=generator.device)

    left, right = landmarks[:, Landmark.LEFT_SHOULDER], landmarks[:, Landmark.RIGHT_SHOULDER]
    hips = (landmarks[:, Landmark.LEFT_HIP] + landmarks[:, Landmark.RIGHT_HIP]) / 2
    across, along = left - right, hips - (left + right) / 2  # the person's left is the viewer's right
    unit = torch.maximum(across.norm(dim=1), TORSO_TO_SHOULDERS * along.norm(dim=1)).clamp(min=MIN_SHOULDER_PX)
    x, y = F.normalize(across, dim=1)[:, None], F.normalize(along, dim=1)[:, None]
    error = amount * _SPREAD.to(generator.device, non_blocking=True) * normal(count, 33, 2)
    gross = (uniform(count, 33, 1) < GROSS_SHARE * amount).float() * normal(count, 33, 2) * GROSS_SPREAD
    gross[:, : Landmark.LEFT_ELBOW] *= 0.3  # head and shoulders are rarely far off
    error = error + gross
    moved = landmarks + (error[..., :1] * x + error[..., 1:] * y) * unit[:, None, None]
    for wrist, fingers in (
        (Landmark.LEFT_WRIST, (Landmark.LEFT_INDEX, Landmark.LEFT_PINKY)),
        (Landmark.RIGHT_WRIST, (Landmark.RIGHT_INDEX, Landmark.RIGHT_PINKY)),
    ):
        lost = (uniform(count, 1) < HAND_LOST_SHARE * amount).float()
        for finger in fingers:
            moved[:, finger] += lost * (moved[:, wrist] - moved[:, finger])
    return moved


def noisy_mask(mask: Tensor, generator: torch.Generator, amount: float = 1.0) -> Tensor:
    """mask: (B, 1, 128, 96), an exact silhouette -> one as soft and as wrong as MediaPipe's segmentation.

    Its edge moves in and out smoothly, its softness varies, and now and then a piece is missing."""
    count = len(mask)

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, 1, *shape, generator=generator, device=generator.device)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator, device=generator.device)

    soft = F.avg_pool2d(mask, 5, 1, 2, count_include_pad=False)
    waves = F.interpolate(normal(16, 12), size=(MAP_H, MAP_W), mode="bilinear", align_corners=False)
    shift = 0.22 * amount * waves * (soft > 0.02) + 0.12 * amount * normal(1, 1)
    out = torch.sigmoid((soft - 0.5 + shift) * uniform(6.0, 16.0))
    missing = uniform(0.0, 1.0) < _HOLE_SHARE * amount
    y, x, h, w = (torch.randint(a, b, (count, 1, 1, 1), generator=generator, device=generator.device) for a, b in _HOLE)
    row = torch.arange(MAP_H, device=generator.device)[:, None]
    column = torch.arange(MAP_W, device=generator.device)
    hole = missing & (row >= y) & (row < y + h) & (column >= x) & (column < x + w)
    return torch.where(hole, out * uniform(0.0, 0.35), out)


_HOLE_SHARE, _HOLE = 0.12, ((0, 110), (0, 80), (4, 20), (4, 16))
"""How often a piece is missing; ranges of its y, x, height and width, map pixels."""
