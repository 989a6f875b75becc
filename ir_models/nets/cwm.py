"""CWM, the clothes warping module: which point of the flat garment each point of the person shows.

The appearance-flow network of PF-AFN (Ge et al., CVPR 2021), redesigned for a CPU:

* Two branches. `GarmentBranch` runs once for a garment; `PersonBranch` runs for every frame, with its features.
* The person comes without colour, as the maps of `mirror.maps`, at 128 x 96, and as the numbers of `person_layout`.
* It starts from a landmark-anchored prior: torso and sleeves laid along the person's own torso and arms, each by an
  affine map whose eighteen numbers are learned from both layouts and both branches' pooled features.
* Four levels, 8 x 6 to 64 x 48. Each compares the warped garment features with the person's in a cost volume, sees how
  far the prior is, and answers with a step of the flow and with how much to go back to the prior.
* Coverage is what a small head lets through of the warped garment mask, so it cannot leave it.

Inside, flow counts in area coordinates: [-1, 1] from the garment canvas's edge to its edge (`align_corners=False`),
the same at every level. At the output it is `mirror.frames.Fit`'s, `align_corners=True` on 256 x 192.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ir_models.nets.correlation import Form, correlation
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.maps import FRAME_PARTS, GARMENT_CHANNELS, LAYOUT_SIZE, MAP_H, MAP_W, PERSON_CHANNELS, PERSON_LAYOUT_SIZE

LEVELS = ((8, 6), (16, 12), (32, 24), (64, 48))
"""Height and width of the flow's levels, coarse to fine; the output is twice the last, 128 x 96."""
GARMENT_FEATURES = ("garment_8x6", "garment_16x12", "garment_32x24", "garment_64x48", "garment_mask", "garment_code")
"""What `GarmentBranch` hands to `PersonBranch`, in this order."""
TO_ALIGNED = (CANVAS_W / (CANVAS_W - 1), CANVAS_H / (CANVAS_H - 1))
"""Area coordinates times this are align_corners=True coordinates: x_true = x_false * 192 / 191, y the same with 256."""

_AFFINE_START = (0.85, 0.0, 0.0, 0.0, 0.85, 0.08, *(0.95, 0.0, -0.15, 0.0, 0.9, 0.0) * 2)
"""Torso, then both sleeves: garment coordinates from the person's (2 x 3 each), before anything is learned. A garment's
shoulders are wider than the joints MediaPipe marks, and its shoulder line lies above them."""
_COVERAGE_MAPS = ("mask", "head", "arm_left", "arm_right", "lower_left", "lower_right", "hand_left", "hand_right")


@dataclass(frozen=True)
class CwmConfig:
    """Widths and reach of a CWM.

    encoder, garment_encoder: widths at 64x48, 32x24, 16x12, 8x6. features: width that is compared at every level.
    flow: widths of the flow levels, coarse to fine. radii: reach of their cost volumes, level pixels; 0 has none.
    coverage: width of the coverage head. affine: width of the layers that place the prior.
    form: of the correlation; all give the same result.
    """

    name: str = "compact"
    encoder: tuple[int, ...] = (32, 48, 64, 96)
    garment_encoder: tuple[int, ...] = (16, 32, 64, 64)
    features: int = 32
    flow: tuple[int, ...] = (64, 64, 48, 32)
    radii: tuple[int, ...] = (3, 3, 2, 0)
    coverage: int = 32
    affine: int = 128
    form: Form = "rows"
    person_channels: int = field(default=len(PERSON_CHANNELS), init=False)
    garment_channels: int = field(default=len(GARMENT_CHANNELS), init=False)


CONFIGS = {
    "compact": CwmConfig(),
    "full": CwmConfig(
        name="full",
        encoder=(64, 96, 128, 160),
        garment_encoder=(48, 96, 128, 160),
        features=64,
        flow=(128, 128, 96, 64),
        coverage=64,
    ),
}


class CwmTraining(NamedTuple):
    """What the losses look at. flows: (B, 2, h, w) area coordinates: the prior (64 x 48), then every level, coarse to
    fine. logits: (B, 1, 128, 96) of the coverage head. warped_mask: (B, 1, 128, 96), the garment's mask by the last
    flow."""

    flows: list[Tensor]
    logits: Tensor
    warped_mask: Tensor

    @property
    def coverage(self) -> Tensor:
        """(B, 1, 128, 96), 0..1."""
        return torch.sigmoid(self.logits) * self.warped_mask


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """Sample x (B, C, any H, any W) at area coordinates (B, 2, h, w); beyond its edge x goes on as it ends."""
    return F.grid_sample(x, flow.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=False)


def twice(x: Tensor) -> Tensor:
    """Bilinear, to twice the height and width."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Encoder(nn.Module):
    """Maps at 128 x 96 -> features of one width at 8x6, 16x12, 32x24, 64x48 (a feature pyramid), and pooled ones."""

    def __init__(self, channels: int, widths: tuple[int, ...], features: int) -> None:
        super().__init__()
        steps = zip((channels, *widths[:-1]), widths, strict=True)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in steps)
        self.refine = nn.ModuleList(Residual(width) for width in widths)
        self.lateral = nn.ModuleList(nn.Conv2d(width, features, 1) for width in widths)

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        found = []
        for down, refine in zip(self.down, self.refine, strict=True):
            x = refine(F.relu(down(x)))
            found.append(x)
        pyramid: list[Tensor] = []
        for level, lateral in zip(reversed(found), reversed(list(self.lateral)), strict=True):
            own = lateral(level)
            pyramid.append(own + F.interpolate(pyramid[-1], scale_factor=2.0, mode="nearest") if pyramid else own)
        return pyramid, x.mean((2, 3))


class GarmentBranch(nn.Module):
    """Runs once for a garment."""

    def __init__(self, config: CwmConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config.garment_channels, config.garment_encoder, config.features)

    def forward(self, maps: Tensor, layout: Tensor) -> tuple[Tensor, ...]:
        """maps: (B, 14, 128, 96), `mirror.maps.garment_maps`. layout: (B, 25), `garment_layout`. -> GARMENT_FEATURES:
        four levels (B, features, h, w), the mask (B, 1, 128, 96) and the code (B, 25 + last width), layout first."""
        pyramid, pooled = self.encoder(maps)
        mask_row = GARMENT_CHANNELS.index("mask")
        return (*pyramid, maps[:, mask_row : mask_row + 1], torch.cat([layout, pooled], 1))


class FlowLevel(nn.Module):
    """One level of the flow: look at the cost volume, step, or go back towards the prior."""

    def __init__(self, features: int, width: int, radius: int, code: int, form: Form) -> None:
        super().__init__()
        self.radius, self.form = radius, form
        volume = (2 * radius + 1) ** 2 if radius else 0
        self.look = nn.Conv2d(volume + 2 * features + 4, width, 3, padding=1)
        self.style = nn.Linear(code, width)
        self.think = nn.Conv2d(width, width, 3, padding=1)
        self.answer = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, garment: Tensor, person: Tensor, flow: Tensor, prior: Tensor, code: Tensor) -> tuple[Tensor, ...]:
        """-> the flow after this level and its hidden features."""
        h, w = int(flow.shape[2]), int(flow.shape[3])
        cell = flow.new_tensor([2.0 / w, 2.0 / h]).view(1, 2, 1, 1)  # a level pixel in area coordinates
        back = prior - flow
        warped = warp(garment, flow)
        seen = [warped, person, flow, (back / cell).clamp(-8.0, 8.0) * 0.25]
        if self.radius:
            seen.insert(0, correlation(person, warped, self.radius, self.form))
        hidden = F.relu(self.look(torch.cat(seen, 1)) + self.style(code)[:, :, None, None])
        hidden = F.relu(hidden + self.think(hidden))
        answer = self.answer(hidden)
        return flow + answer[:, :2] * cell + torch.sigmoid(answer[:, 2:] - 1.0) * back, hidden


class PersonBranch(nn.Module):
    """Runs for every frame."""

    def __init__(self, config: CwmConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config.person_channels, config.encoder, config.features)
        code = LAYOUT_SIZE + config.garment_encoder[-1]
        both = code + config.encoder[-1] + PERSON_LAYOUT_SIZE
        self.affine = nn.Sequential(
            nn.Linear(both, config.affine), nn.ReLU(), nn.Linear(config.affine, config.affine), nn.ReLU(),
            nn.Linear(config.affine, len(_AFFINE_START)),
        )  # fmt: skip
        self.levels = nn.ModuleList(
            FlowLevel(config.features, width, radius, both, config.form)
            for width, radius in zip(config.flow, config.radii, strict=True)
        )
        seen = config.flow[-1] + config.features + 1
        self.cover_coarse = nn.Sequential(
            nn.Conv2d(seen, config.coverage, 3, padding=1), nn.ReLU(), nn.Conv2d(config.coverage, 48, 3, padding=1)
        )
        self.cover_fine = nn.Sequential(
            nn.Conv2d(12 + len(_COVERAGE_MAPS) + 1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1)
        )
        self.register_buffer("affine_start", torch.tensor(_AFFINE_START), persistent=False)
        _start_weights(self)
        for level in self.levels:
            assert isinstance(level, FlowLevel)
            _start_small(level.answer, 0.01)
        _start_small(self.affine[4], 0.01)
        _start_small(self.cover_fine[2], 0.1)

    def forward(self, maps: Tensor, layout: Tensor, *garment: Tensor) -> tuple[Tensor, Tensor]:
        """maps: (B, 21, 128, 96), `mirror.maps.person_maps`; layout: (B, 24), `person_layout`; garment:
        GARMENT_FEATURES.

        -> flow (B, 2, 128, 96), x and y in `Fit`'s convention (align_corners=True on the 256 x 192 garment canvas; may
        leave [-1, 1]), and coverage (B, 1, 128, 96), 0..1. Both lie on the canvas pixel-area aligned."""
        out = self.look(maps, layout, *garment)
        to_aligned = out.logits.new_tensor(TO_ALIGNED).view(1, 2, 1, 1)
        return twice(out.flows[-1]) * to_aligned, out.coverage

    def look(self, maps: Tensor, layout: Tensor, *garment: Tensor) -> CwmTraining:
        """The same with everything the losses need."""
        features, mask, code = garment[:4], garment[4], garment[5]
        pyramid, pooled = self.encoder(maps)
        code = torch.cat([code, pooled, layout], 1)
        priors = self.priors(maps, code)
        flow = priors[0]
        flows, hidden = [priors[-1]], maps
        for index, level in enumerate(self.levels):
            flow = twice(flow) if index else flow
            flow, hidden = level(features[index], pyramid[index], flow, priors[index], code)
            flows.append(flow)
        coarse = self.cover_coarse(torch.cat([hidden, pyramid[-1], warp(mask, flow)], 1))
        warped_mask = warp(mask, twice(flow))
        rows = [PERSON_CHANNELS.index(name) for name in _COVERAGE_MAPS]
        seen = [F.pixel_shuffle(coarse, 2), *(maps[:, row : row + 1] for row in rows), warped_mask]
        return CwmTraining(flows, self.cover_fine(torch.cat(seen, 1)), warped_mask)

    def priors(self, maps: Tensor, code: Tensor) -> list[Tensor]:
        """Where torso and sleeves would lie by the landmarks alone: (B, 2, h, w) at every level, area coordinates."""
        priors = [self.prior(prior_basis(maps), code)]
        for _ in range(len(LEVELS) - 1):
            priors.insert(0, F.avg_pool2d(priors[0], 2))
        return priors

    def prior(self, basis: Tensor, code: Tensor) -> Tensor:
        """The finest of them, (B, 2, 64, 48). basis: of `prior_basis`. code: (B, n), of both branches.

        Parts overlap softly; each is affine in its own coordinates, so the prior is one small matrix product.
        """
        with torch.autocast(code.device.type, enabled=False):  # coordinates need all their digits
            learned = (self.affine_start + self.affine(code.float())).view(-1, len(FRAME_PARTS), 2, 3)
            frames = code[:, : 6 * len(FRAME_PARTS)].float().view(-1, len(FRAME_PARTS), 2, 3)
            linear, shift = frames[..., :2], frames[..., 2:]
            parts = linear @ learned + torch.cat([torch.zeros_like(linear), shift], 3)  # B, part, 2, 3
            matrix = parts.permute(0, 2, 1, 3).reshape(-1, 2, 3 * len(FRAME_PARTS))
            return (matrix @ basis.float().flatten(2)).view(-1, 2, MAP_H // 2, MAP_W // 2)


def prior_basis(maps: Tensor) -> Tensor:
    """Coordinates along the torso and both arms, each times that part's share: (B, 9, 64, 48). maps: of a person."""
    row = {name: maps[:, k : k + 1] for k, name in enumerate(PERSON_CHANNELS)}
    share = 1.0 / (row["arm_left"] + row["arm_right"]).clamp(min=1.0)
    torso = 1.0 - (row["arm_left"] + row["arm_right"]) * share
    arms = [row[f"arm_{side}{suffix}"] * share for side in ("left", "right") for suffix in ("_along", "_across", "")]
    return F.avg_pool2d(torch.cat([torso * row["u"], torso * row["v"], torso, *arms], 1), 2)


class Cwm(nn.Module):
    """Both branches, as they are trained and saved."""

    def __init__(self, config: CwmConfig) -> None:
        super().__init__()
        self.config = config
        self.garment = GarmentBranch(config)
        _start_weights(self.garment)
        self.person = PersonBranch(config)

    def forward(self, person: Tensor, stands: Tensor, garment: Tensor, layout: Tensor) -> tuple[Tensor, Tensor]:
        """Flow and coverage, as `PersonBranch`; person maps and layout, garment maps and layout as the branches take
        them."""
        return self.person(person, stands, *self.garment(garment, layout))

    def code(self, person: Tensor, stands: Tensor, garment: Tensor, layout: Tensor) -> Tensor:
        """What places the prior and steers the levels, (B, n): both layouts, both branches' pooled features."""
        of_garment = self.garment(garment, layout)[-1]
        return torch.cat([of_garment, self.person.encoder(person)[1], stands], 1)

    def look(self, person: Tensor, stands: Tensor, garment: Tensor, layout: Tensor) -> CwmTraining:
        return self.person.look(person, stands, *self.garment(garment, layout))


def _start_weights(module: nn.Module) -> None:
    """He's initialisation; the second half of every residual starts at nothing."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in module.modules():
        if isinstance(layer, Residual):
            _start_small(layer.second, 0.1)


def _start_small(layer: nn.Module, share: float) -> None:
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    with torch.no_grad():
        layer.weight.mul_(share)
