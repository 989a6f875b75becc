"""CWM, the clothes warping module: which point of the flat garment each point of the person shows.

The appearance-flow network of PF-AFN (Ge et al., CVPR 2021), redesigned for a CPU:

* Two branches. `GarmentBranch` runs once for a garment; `PersonBranch` runs for every frame, with its features.
* The person comes without colour, as the maps of `mirror.maps` and their likeness to skin, at 128 x 96, and as the
  numbers of `person_layout` and `person_frames`.
* Five layers, one for each of `mirror.maps.PERSON_PARTS`: torso, upper arms, forearms. Each has a smooth flow of its
  own, and for every pixel one of them is chosen. A forearm before the chest is an edge between two layers; one flow for
  all would have to run through half the garment within a few pixels there, and crowd its stripes into rings.
* A layer starts from a landmark-anchored prior: an affine map from the person's part to the garment's, whose numbers
  are learned from both layouts and both branches' pooled features. What follows are steps away from it, in the
  coordinates of the garment's part, so that a sleeve may lie on its flat in any direction.
* Four levels, 8 x 6 to 64 x 48. Each compares the warped garment features with the person's in a cost volume, sees how
  far the layers are from their priors, and answers with a step of each, with how much to go back to the priors, and
  with what speaks for each layer.
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
from mirror.frames import CANVAS_H, CANVAS_W, SHOULDER_SHARE
from mirror.maps import (
    FRAME_PARTS,
    GARMENT_CHANNELS,
    LAYOUT_SIZE,
    PERSON_CHANNELS,
    PERSON_LAYOUT_SIZE,
    PERSON_PARTS,
)

LEVELS = ((8, 6), (16, 12), (32, 24), (64, 48))
"""Height and width of the flow's levels, coarse to fine; the output is twice the last, 128 x 96."""
GARMENT_FEATURES = ("garment_8x6", "garment_16x12", "garment_32x24", "garment_64x48", "garment_mask", "garment_code")
"""What `GarmentBranch` hands to `PersonBranch`, in this order."""
TO_ALIGNED = (CANVAS_W / (CANVAS_W - 1), CANVAS_H / (CANVAS_H - 1))
"""Area coordinates times this are align_corners=True coordinates: x_true = x_false * 192 / 191, y the same with 256."""

PARTS = len(PERSON_PARTS)
_FRAME_OF = (0, 1, 1, 2, 2)
"""The garment's frame, a row of FRAME_PARTS, in which each part of the person lies."""
_AFFINE_START = (0.85, 0.0, 0.0, 0.0, 0.85, 0.08, *(0.95, 0.0, -0.15, 0.0, 0.9, 0.0) * (PARTS - 1))
"""Of every part: the garment's coordinates from the person's (2 x 3), before anything is learned. A garment's shoulders
are wider than the joints MediaPipe marks, and its shoulder line lies above them."""
_ARM_LOGIT, _ARM_HALF = 8.0, 0.35
"""What speaks for an arm's segment before anything is learned: so much times its map's excess over this."""
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
    flow: tuple[int, ...] = (64, 64, 48, 40)
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


class Layers(NamedTuple):
    """A flow of every part, and which of them is seen. flows: (B, 2 PARTS, h, w), area coordinates, x and y of the
    first part first. logits: (B, PARTS, h, w)."""

    flows: Tensor
    logits: Tensor

    def mixed(self, share: Tensor | None = None) -> Tensor:
        """(B, 2, h, w): the flows, each by its share (B, PARTS, h, w), or by the softmax of its logit."""
        share = torch.softmax(self.logits, 1) if share is None else share
        return (self.flows.unflatten(1, (PARTS, 2)) * share[:, :, None]).sum(1)

    def chosen(self) -> Tensor:
        """(B, 2, h, w): at every pixel the flow of the layer with most to be said for it."""
        best = (self.logits >= self.logits.amax(1, keepdim=True)).to(self.flows.dtype)
        return self.mixed(best / best.sum(1, keepdim=True))

    def enlarged(self, size: tuple[int, int]) -> Layers:
        """Bilinear, every layer by itself."""
        if (int(self.flows.shape[2]), int(self.flows.shape[3])) == size:
            return self
        return Layers(*(F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in self))


class CwmTraining(NamedTuple):
    """What the losses look at. levels: the prior (64 x 48), every level, coarse to fine, and the result (128 x 96).
    steps: (B, 2 PARTS, 64, 48), how far the layers went from their priors, shoulder widths of the garment, along and
    across. flow: (B, 2, 128, 96), area coordinates. logits: (B, 1, 128, 96) of the coverage head.
    warped_mask: (B, 1, 128, 96), the garment's mask by the flow. deformed: of the priors, `PersonBranch.deformed`."""

    levels: list[Layers]
    steps: Tensor
    flow: Tensor
    logits: Tensor
    warped_mask: Tensor
    deformed: Tensor

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
    """One level of the flow: look at the cost volume, step, or go back towards the priors."""

    def __init__(self, features: int, width: int, radius: int, code: int, form: Form) -> None:
        super().__init__()
        self.radius, self.form = radius, form
        volume = (2 * radius + 1) ** 2 if radius else 0
        self.look = nn.Conv2d(volume + 2 * features + 2 + 4 * PARTS, width, 3, padding=1)
        self.style = nn.Linear(code, width)
        self.think = nn.Conv2d(width, width, 3, padding=1)
        self.answer = nn.Conv2d(width, 3 * PARTS + 1, 3, padding=1)

    def forward(
        self, garment: Tensor, person: Tensor, prior: Prior, steps: Tensor, doubts: Tensor, code: Tensor
    ) -> tuple[Tensor, ...]:
        """steps as in `CwmTraining`, doubts (B, PARTS, h, w) what is added to the prior's logits, both of this level's
        size. -> both after this level, and its hidden features."""
        cell = 1.0 / (SHOULDER_SHARE * int(steps.shape[3]))  # a level pixel, shoulder widths
        now = prior.layers(steps, doubts)
        share = torch.softmax(now.logits, 1)
        flow = now.mixed(share)
        warped = warp(garment, flow)
        seen = [warped, person, flow, (steps / cell).clamp(-8.0, 8.0) * 0.25, share, doubts.clamp(-8.0, 8.0) * 0.25]
        if self.radius:
            seen.insert(0, correlation(person, warped, self.radius, self.form))
        hidden = F.relu(self.look(torch.cat(seen, 1)) + self.style(code)[:, :, None, None])
        hidden = F.relu(hidden + self.think(hidden))
        answer = self.answer(hidden)
        kept = torch.sigmoid(1.0 - answer[:, -1:])
        return steps * kept + answer[:, : 2 * PARTS] * cell, doubts + answer[:, 2 * PARTS : -1], hidden


class Prior(NamedTuple):
    """Where the parts would lie by the landmarks alone. matrix: (B, 2 PARTS, 2 PARTS + 3): a part's flow from all
    parts' steps and (x, y, 1), the place on the canvas in area coordinates. logits: (B, PARTS, h, w)."""

    matrix: Tensor
    logits: Tensor

    def layers(self, steps: Tensor | None = None, doubts: Tensor | None = None) -> Layers:
        """The layers after these steps, at the size of the logits. Coordinates need all their digits: in float32."""
        h, w = int(self.logits.shape[2]), int(self.logits.shape[3])
        with torch.autocast(self.matrix.device.type, enabled=False):
            place = _places(h, w, self.matrix.device).expand(len(self.matrix), -1, -1)
            if steps is None:
                flows = self.matrix[:, :, 2 * PARTS :] @ place
            else:
                flows = self.matrix @ torch.cat([steps.float().flatten(2), place], 1)
            return Layers(flows.unflatten(2, (h, w)), self.logits if doubts is None else self.logits + doubts)


def _places(height: int, width: int, device: torch.device) -> Tensor:
    """(1, 3, h w): x, y in area coordinates and 1, of every pixel."""
    y = (torch.arange(height, device=device) * 2.0 + 1.0) / height - 1.0
    x = (torch.arange(width, device=device) * 2.0 + 1.0) / width - 1.0
    x, y = x.repeat(height), y.repeat_interleave(width)
    return torch.stack([x, y, torch.ones_like(x)])[None]


class PersonBranch(nn.Module):
    """Runs for every frame."""

    apart: Tensor
    affine_start: Tensor

    def __init__(self, config: CwmConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config.person_channels + 1, config.encoder, config.features)
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
        # For the coverage, and for every layer.
        self.cover_fine = nn.Sequential(
            nn.Conv2d(12 + len(_COVERAGE_MAPS) + 2, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 1 + PARTS, 3, padding=1),
        )  # fmt: skip
        self.register_buffer("affine_start", torch.tensor(_AFFINE_START), persistent=False)
        self.register_buffer("apart", torch.eye(PARTS), persistent=False)
        _start_weights(self)
        for level in self.levels:
            assert isinstance(level, FlowLevel)
            _start_small(level.answer, 0.01)
        _start_small(self.affine[4], 0.01)
        _start_small(self.cover_fine[2], 0.1)

    def forward(
        self, maps: Tensor, layout: Tensor, frames: Tensor, likeness: Tensor, *garment: Tensor
    ) -> tuple[Tensor, Tensor]:
        """maps: (B, 21, 128, 96), `mirror.maps.person_maps`; layout: (B, 24), `person_layout`; frames: (B, 30),
        `person_frames`; likeness: (B, 1, 128, 96), `skin_likeness`; garment: GARMENT_FEATURES.

        -> flow (B, 2, 128, 96), x and y in `Fit`'s convention (align_corners=True on the 256 x 192 garment canvas; may
        leave [-1, 1]), and coverage (B, 1, 128, 96), 0..1. Both lie on the canvas pixel-area aligned."""
        out = self.look(maps, layout, frames, likeness, *garment)
        return out.flow * out.flow.new_tensor(TO_ALIGNED).view(1, 2, 1, 1), out.coverage

    def look(self, maps: Tensor, layout: Tensor, frames: Tensor, likeness: Tensor, *garment: Tensor) -> CwmTraining:
        """The same with everything the losses need."""
        features, mask, code = garment[:4], garment[4], garment[5]
        pyramid, pooled = self.encoder(torch.cat([maps, likeness], 1))
        code = torch.cat([code, pooled, layout], 1)
        priors = self.priors(maps, frames, code)
        steps = maps.new_zeros(len(maps), 2 * PARTS, *LEVELS[0])
        doubts, hidden = steps[:, :PARTS], maps
        levels = [priors[-2].layers()]
        for index, level in enumerate(self.levels):
            if index:
                steps, doubts = twice(steps), twice(doubts)
            steps, doubts, hidden = level(features[index], pyramid[index], priors[index], steps, doubts, code)
            levels.append(priors[index].layers(steps, doubts))
        coarse = self.cover_coarse(torch.cat([hidden, pyramid[-1], warp(mask, levels[-1].mixed())], 1))
        first = priors[-1].layers(twice(steps), twice(doubts))
        rows = [PERSON_CHANNELS.index(name) for name in _COVERAGE_MAPS]
        seen = [F.pixel_shuffle(coarse, 2), *(maps[:, row : row + 1] for row in rows), likeness]
        fine = self.cover_fine(torch.cat([*seen, warp(mask, first.chosen())], 1))
        levels.append(Layers(first.flows, first.logits + fine[:, 1:]))
        flow = levels[-1].chosen()
        return CwmTraining(levels, steps, flow, fine[:, :1], warp(mask, flow), self.deformed(code))

    def priors(self, maps: Tensor, frames: Tensor, code: Tensor) -> list[Prior]:
        """At every level, and at 128 x 96. code: (B, n), of both branches."""
        matrix, logits = self.prior(frames, code), [first_logits(maps)]
        for _ in LEVELS:
            logits.insert(0, F.avg_pool2d(logits[0], 2))
        return [Prior(matrix, level) for level in logits]

    def prior(self, frames: Tensor, code: Tensor) -> Tensor:
        """The `matrix` of a `Prior`. frames: (B, 30), `mirror.maps.person_frames`."""
        with torch.autocast(code.device.type, enabled=False):
            learned = self._learned(code)
            lies = code[:, : 6 * len(FRAME_PARTS)].float().view(-1, len(FRAME_PARTS), 2, 3)
            lies = torch.stack([lies[:, row] for row in _FRAME_OF], 1)  # B, part, 2, 3
            stands = frames.float().view(-1, PARTS, 2, 3)
            place = learned[..., :2] @ stands
            place = torch.cat([place[..., :2], place[..., 2:] + learned[..., 2:]], 3)
            linear = lies[..., :2]
            place = linear @ place
            place = torch.cat([place[..., :2], place[..., 2:] + lies[..., 2:]], 3).flatten(1, 2)
            steps = (linear[:, :, :, None] * self.apart.view(PARTS, 1, PARTS, 1)).flatten(3, 4).flatten(1, 2)
            return torch.cat([steps, place], 2)

    def _learned(self, code: Tensor) -> Tensor:
        return (self.affine_start + self.affine(code.float())).view(-1, PARTS, 2, 3)

    def deformed(self, code: Tensor) -> Tensor:
        """How far the priors leave the shape they began with, squared, shoulder widths: a part that few pixels tell of
        must not be squeezed for want of anything better."""
        with torch.autocast(code.device.type, enabled=False):
            start = self.affine_start.view(1, PARTS, 2, 3)
            return (self._learned(code) - start)[..., :2].square().sum((1, 2, 3)).mean()


def first_logits(maps: Tensor) -> Tensor:
    """What speaks for each part before anything is learned: (B, PARTS, 128, 96). maps: of a person."""
    rows = [PERSON_CHANNELS.index(name) for name in PERSON_PARTS[1:]]
    arms = torch.cat([maps[:, row : row + 1] for row in rows], 1)
    return torch.cat([torch.zeros_like(arms[:, :1]), (arms - _ARM_HALF) * _ARM_LOGIT], 1)


class Cwm(nn.Module):
    """Both branches, as they are trained and saved."""

    def __init__(self, config: CwmConfig) -> None:
        super().__init__()
        self.config = config
        self.garment = GarmentBranch(config)
        _start_weights(self.garment)
        self.person = PersonBranch(config)

    def forward(self, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Flow and coverage, as `PersonBranch`. given: its first four inputs, then those of `GarmentBranch`."""
        return self.person(*given[:-2], *self.garment(*given[-2:]))

    def code(self, *given: Tensor) -> Tensor:
        """What places the priors and steers the levels, (B, n): both layouts, both branches' pooled features."""
        maps, stands, _, likeness = given[:-2]
        pooled = self.person.encoder(torch.cat([maps, likeness], 1))[1]
        return torch.cat([self.garment(*given[-2:])[-1], pooled, stands], 1)

    def look(self, *given: Tensor) -> CwmTraining:
        return self.person.look(*given[:-2], *self.garment(*given[-2:]))


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
