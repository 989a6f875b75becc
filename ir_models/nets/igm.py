"""IGM, the image generation module: what is painted where the old garment was, and how the new one is lit.

PF-AFN (Ge et al., CVPR 2021) composes `mask x warped + (1 - mask) x rendered`. Here `rendered` may differ from the
person only inside a predicted repair mask (old garment and what it hid, outside the new one), so that head, hands and
background are copied, never invented. The repair colour is anchored in the person's own skin; the warped garment gets
a low-frequency gain; a mask of hands, hair and head vetoes repair. PF-AFN's plain form is the configuration `plain`.

A slim U-Net: pictures come at 256 x 192 and are unshuffled to 128 x 96, features begin at 64 x 48, masks leave at
256 x 192 through a pixel shuffle, colours at 128 x 96.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ir_models.nets.cwm import Residual, twice
from mirror.maps import PERSON_CHANNELS

OUTPUTS = {
    "repair": ("repair_mask", "repair_colour", "shading", "protect"),
    "plain": ("rendered", "composite_mask"),
}
"""Names of the outputs of each form, in order."""
SHADING_RANGE = 0.9
"""Natural logarithm of the largest gain on the garment, either way."""
SKIN_GAIN_RANGE = 0.9
"""The same for the gain on the skin colour: light and shadow on bare arms."""
SETTLED = 0.05
"""A repair mask that is this near to 0 or 1 counts as 0 or 1."""


@dataclass(frozen=True)
class IgmConfig:
    """Widths of an IGM at 64x48, 32x24, 16x12, 8x6 (and coarser), its form and the width of its full-size head."""

    name: str = "compact"
    form: Literal["repair", "plain"] = "repair"
    widths: tuple[int, ...] = (32, 48, 64, 96)
    head: int = 16
    person_channels: int = field(default=len(PERSON_CHANNELS), init=False)


CONFIGS = {
    "compact": IgmConfig(),
    "full": IgmConfig(name="full", widths=(64, 96, 128, 160), head=32),
    "plain": IgmConfig(name="plain", form="plain"),
}


class IgmTraining(NamedTuple):
    """What the losses look at (form `repair`). Logits and colours at 256 x 192, gain (B, 1, 256, 192).

    repair, protect, skin: logits (B, 1, ...): repair here; hand, hair or head; bare skin. colour: RGB in [-1, 1]."""

    repair: Tensor
    protect: Tensor
    skin: Tensor
    colour: Tensor
    gain: Tensor

    @property
    def mask(self) -> Tensor:
        """The repair mask, vetoed: (B, 1, 256, 192), 0..1. It reaches 0 and 1, so that the rest is copied exactly."""
        mask = torch.sigmoid(self.repair) * (1.0 - torch.sigmoid(self.protect))
        return (mask * (1.0 + 2.0 * SETTLED) - SETTLED).clamp(0.0, 1.0)

    def compose(self, person: Tensor, warped: Tensor, coverage: Tensor) -> Tensor:
        """The finished picture in [-1, 1]: the person, the repair over it, the lit garment over that."""
        below = person + (self.colour - person) * self.mask
        lit = (warped + 1.0) * self.gain - 1.0
        return below + (lit - below) * coverage


class Igm(nn.Module):
    """forward(person, warped, coverage, maps, skin) -> a tuple named by OUTPUTS[config.form].

    person, warped: (B, 3, 256, 192) RGB in [-1, 1], the camera's canvas and the garment warped onto it. coverage:
    (B, 1, 256, 192), 0..1. maps: (B, 21, 128, 96), `mirror.maps.person_maps`. skin: (B, 6), `mirror.maps.skin_colour`.

    `repair`: repair_mask (B, 1, 256, 192) 0..1, already vetoed by protect; repair_colour (B, 3, 256, 192) RGB in
    [-1, 1]; shading (B, 1, 256, 192), a smooth gain on the garment's colours (0 black .. 1); protect (B, 1, 256, 192).
    `plain`: rendered (B, 3, 256, 192) RGB in [-1, 1] and composite_mask (B, 1, 256, 192).
    """

    def __init__(self, config: IgmConfig) -> None:
        super().__init__()
        self.config = config
        widths, head = config.widths, config.head
        shallow = 4 * 7
        self.stem = nn.Conv2d(shallow + config.person_channels + 4 + 6, widths[0], 3, stride=2, padding=1)
        self.stem_refine = Residual(widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.refine = nn.ModuleList(Residual(b) for _, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(a + b, a, 3, padding=1) for a, b in reversed(pairs))
        self.light = nn.Conv2d(widths[1], 1, 3, padding=1)
        self.carry = nn.Conv2d(widths[0], 4 * head, 1)
        self.near = nn.Conv2d(shallow + 4, head, 1)
        self.mix = nn.Conv2d(2 * head, head, 3, padding=1)
        # Two masks at full size through a pixel shuffle; skin gate, skin gain and free colour at half.
        self.masks = nn.Conv2d(head, 4 * 2, 3, padding=1)
        self.colours = nn.Conv2d(head, 1 + 3 + 3, 3, padding=1)
        _start_weights(self)

    def forward(self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor) -> tuple:
        out = self.look(person, warped, coverage, maps, skin)
        if self.config.form == "plain":
            return out.colour, torch.sigmoid(out.repair)
        return out.mask, out.colour, out.gain, torch.sigmoid(out.protect)

    def look(self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor) -> IgmTraining:
        """The same with everything the losses need. In the form `plain`, repair is the composite mask's logit."""
        mean, deviation = (skin[:, k : k + 3, None, None] for k in (0, 3))
        pictures = F.pixel_unshuffle(torch.cat([person, warped, coverage * 2.0 - 1.0], 1), 2)
        away = (F.avg_pool2d(person, 2) * 0.5 + 0.5 - mean) / (deviation + 0.08)
        alike = torch.exp((away * away).sum(1, keepdim=True).clamp(max=60.0) * (-1.0 / 6.0))
        near = torch.cat([pictures, away.clamp(-4.0, 4.0) * 0.5, alike], 1)
        flat = torch.cat([mean * 2.0 - 1.0, deviation * 4.0], 1) + torch.zeros_like(maps[:, :1])
        x = self.stem_refine(F.relu(self.stem(torch.cat([near, maps, flat], 1))))
        skips = []
        for down, refine in zip(self.down, self.refine, strict=True):
            skips.append(x)
            x = refine(F.relu(down(x)))
        light = x
        for index, up in enumerate(self.up):
            if index == len(self.up) - 1:
                light = self.light(x)  # 32 x 24: no finer, so that the gain cannot paint
            x = F.relu(up(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skips[-1 - index]], 1)))
        x = F.relu(self.mix(torch.cat([F.pixel_shuffle(self.carry(x), 2), F.relu(self.near(near))], 1)))
        masks = F.pixel_shuffle(self.masks(x), 2)
        answer = self.colours(x)
        gate = answer[:, :1]
        if self.config.form == "plain":
            drawn = torch.tanh(answer[:, 4:])
        else:
            own = mean * torch.exp(SKIN_GAIN_RANGE * torch.tanh(answer[:, 1:4]))
            free = torch.sigmoid(answer[:, 4:])
            drawn = (free + torch.sigmoid(gate) * (own - free)) * 2.0 - 1.0
        gain = torch.exp(SHADING_RANGE * torch.tanh(light))
        gain = F.interpolate(gain, scale_factor=8.0, mode="bilinear", align_corners=False)
        return IgmTraining(masks[:, :1], masks[:, 1:], twice(gate), twice(drawn), gain)


def _start_weights(net: Igm) -> None:
    """He's initialisation; residuals and heads start small, and nothing is repaired until learned."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, Residual):
                layer.second.weight.mul_(0.1)
        for head in (net.light, net.masks, net.colours):
            head.weight.mul_(0.1)
        nn.init.constant_(_bias(net.masks), -1.0)


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
