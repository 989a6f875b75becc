"""IGM, the image generation module: what is painted where the old garment was, and how the new one is lit.

PF-AFN (Ge et al., CVPR 2021) composes `mask x warped + (1 - mask) x rendered`. Here `rendered` may differ from the
person only inside a predicted repair mask (old garment and what it hid, outside the new one), so that head, hands and
background are copied, never invented. A mask of hands, hair and head vetoes repair, a composite mask takes back the
coverage where the warp laid the garment over what is in front of it, and the garment gets a low-frequency gain.
PF-AFN's plain form is the configuration `plain`.

The repair is painted with the picture's own colours: the network says which pixels show LAYERS now and which will show
them, and each layer's colours are carried from where they are seen to where they will be (`carried`), lit by a gain.
With true labels that is off by 17 levels of 255 behind old garments and 15 on newly shown skin; a network that mixed
its colours freely was off by 30 and 20.

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
    "repair": ("repair_mask", "repair_colour", "shading", "composite_mask", "protect"),
    "plain": ("rendered", "composite_mask"),
}
"""Names of the outputs of each form, in order."""
LAYERS = ("background", "skin", "lower", "hair")
"""What a repair may show; in the logits another follows, for all else: there the colours are the network's own."""
SHADING_RANGE = 0.9
"""Natural logarithm of the largest gain on the garment, either way."""
LAYER_GAIN_RANGE = 0.9
"""The same for the gain on the colours of skin, of clothes below and of hair: light and shadow."""
SETTLED = 0.05
"""A mask that is this near to 0 or 1 counts as 0 or 1."""
UNLIKE_SHARE = 0.05
"""What a pixel of the skin counts as a source of skin colour if it is nothing like the face: lips, beards, mistakes."""
KNOWN_SHARE = 0.25
"""A cell of a coarser grid takes the colour of its own sources if they are this share of it."""
FAINT = 1e-3
"""Share of the picture that the colour to fall back on counts as."""


@dataclass(frozen=True)
class IgmConfig:
    """Widths of an IGM at 64x48, 32x24, 16x12, 8x6 (and coarser), its form and the width of its full-size head."""

    name: str = "compact"
    form: Literal["repair", "plain"] = "repair"
    widths: tuple[int, ...] = (32, 48, 64, 96)
    head: int = 16
    paint: int = 24
    person_channels: int = field(default=len(PERSON_CHANNELS), init=False)


CONFIGS = {
    "compact": IgmConfig(),
    "full": IgmConfig(name="full", widths=(64, 96, 128, 160), head=32, paint=32),
    "plain": IgmConfig(name="plain", form="plain"),
}


class IgmTraining(NamedTuple):
    """What the losses look at. Logits and colours at 256 x 192 but for `seen`, which is at 128 x 96.

    repair, protect, composite: logits (B, 1, ...): repair here; hand, hair or head; the garment's front is seen here.
    seen, wanted: logits (B, 5, ...) of LAYERS and all else, in the person's picture and in the finished one.
    colour: RGB in [-1, 1]. gain: (B, 1, 256, 192), of the garment."""

    repair: Tensor
    protect: Tensor
    composite: Tensor
    seen: Tensor
    wanted: Tensor
    colour: Tensor
    gain: Tensor

    @property
    def mask(self) -> Tensor:
        """The repair mask, vetoed: (B, 1, 256, 192), 0..1. It reaches 0 and 1, so that the rest is copied exactly."""
        return settled(torch.sigmoid(self.repair) * (1.0 - torch.sigmoid(self.protect)))

    @property
    def kept(self) -> Tensor:
        """What is kept of the coverage: (B, 1, 256, 192), 0..1."""
        return settled(torch.sigmoid(self.composite))

    def compose(self, person: Tensor, warped: Tensor, coverage: Tensor) -> Tensor:
        """The finished picture in [-1, 1]: the person, the repair over it, the lit garment over that."""
        below = person + (self.colour - person) * self.mask
        lit = (warped + 1.0) * self.gain - 1.0
        return below + (lit - below) * (coverage * self.kept)


def settled(mask: Tensor) -> Tensor:
    """0..1, stretched so that it reaches both ends."""
    return (mask * (1.0 + 2.0 * SETTLED) - SETTLED).clamp(0.0, 1.0)


class Igm(nn.Module):
    """forward(person, warped, coverage, maps, skin) -> a tuple named by OUTPUTS[config.form].

    person, warped: (B, 3, 256, 192) RGB in [-1, 1], the camera's canvas and the garment warped onto it. coverage:
    (B, 1, 256, 192), 0..1. maps: (B, 21, 128, 96), `mirror.maps.person_maps`. skin: (B, 6), `mirror.maps.skin_colour`.

    `repair`: repair_mask (B, 1, 256, 192) 0..1, already vetoed by protect; repair_colour (B, 3, 256, 192) RGB in
    [-1, 1]; shading (B, 1, 256, 192), a smooth gain on the garment's colours (0 black .. 1); composite_mask
    (B, 1, 256, 192) 0..1, a factor of the coverage; protect (B, 1, 256, 192).
    `plain`: rendered (B, 3, 256, 192) RGB in [-1, 1] and composite_mask (B, 1, 256, 192).
    """

    def __init__(self, config: IgmConfig) -> None:
        super().__init__()
        self.config = config
        widths, head, paint = config.widths, config.head, config.paint
        shallow, layers = 4 * 7, len(LAYERS)
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
        self.seen = nn.Conv2d(head, layers + 1, 3, padding=1)
        self.paint = nn.Conv2d(head + layers * 5, paint, 3, padding=1)
        # At full size through a pixel shuffle: repair, protect, composite, then the layers wanted. At half: gains of
        # the layers but the background, and the network's own colour.
        self.shapes = nn.Conv2d(paint, 4 * (3 + layers + 1), 3, padding=1)
        self.tones = nn.Conv2d(paint, 3 * (layers - 1) + 3, 3, padding=1)
        _start_weights(self)

    def forward(self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor) -> tuple:
        out = self.look(person, warped, coverage, maps, skin)
        if self.config.form == "plain":
            return out.colour, torch.sigmoid(out.composite)
        return out.mask, out.colour, out.gain, out.kept, torch.sigmoid(out.protect)

    def look(self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor) -> IgmTraining:
        """The same with everything the losses need."""
        mean, deviation = (skin[:, k : k + 3, None, None] for k in (0, 3))
        pictures = F.pixel_unshuffle(torch.cat([person, warped, coverage * 2.0 - 1.0], 1), 2)
        small = F.avg_pool2d(person, 2) * 0.5 + 0.5
        away = (small - mean) / (deviation + 0.08)
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
        seen = self.seen(x)
        sources, reach = self._carried(seen, small, alike, mean)
        x = F.relu(self.paint(torch.cat([x, sources * 2.0 - 1.0, reach], 1)))
        shapes = F.pixel_shuffle(self.shapes(x), 2)
        tones = self.tones(x)
        own = torch.sigmoid(tones[:, -3:])
        wanted = shapes[:, 3:]
        if self.config.form == "plain":
            colour = twice(own)
        else:
            light_and_shadow = torch.exp(LAYER_GAIN_RANGE * torch.tanh(tones[:, :-3]))
            painted = twice(torch.cat([sources[:, :3], sources[:, 3:] * light_and_shadow, own], 1))
            share = torch.softmax(wanted, 1)[:, :, None]
            # One product and one sum over an axis of layers: slices of channels cost a copy each.
            colour = (painted.unflatten(1, (len(LAYERS) + 1, 3)) * share).sum(1)
        gain = torch.exp(SHADING_RANGE * torch.tanh(light))
        gain = F.interpolate(gain, scale_factor=8.0, mode="bilinear", align_corners=False)
        return IgmTraining(
            shapes[:, :1], shapes[:, 1:2], shapes[:, 2:3], seen, wanted, colour.clamp(0.0, 1.0) * 2.0 - 1.0, gain
        )

    def _carried(self, seen: Tensor, picture: Tensor, alike: Tensor, skin: Tensor) -> tuple[Tensor, Tensor]:
        """Every layer's colours (B, 12, 128, 96), 0..1, and how far away they come from (B, 8, 128, 96).

        No gradient: what is where is learned from labels, not from what would be convenient to carry."""
        with torch.no_grad():
            sure = (torch.softmax(seen.detach().float(), 1)[:, : len(LAYERS)] * 2.0 - 1.0).clamp(min=0.0)
            sure = -F.max_pool2d(-sure, 3, 1, 1)  # not at its rim, where cameras mix in what lies beside it
            everywhere = picture.mean((2, 3), keepdim=True)
            fallback = torch.cat([everywhere, skin, everywhere * 0.5, everywhere * 0.4], 1)
            row = LAYERS.index("skin")
            skins = sure[:, row : row + 1] * (UNLIKE_SHARE + (1.0 - UNLIKE_SHARE) * alike)
            weight = torch.cat([sure[:, :row], skins, sure[:, row + 1 :]], 1)
            return carried(picture.float(), weight, fallback.float())


def carried(picture: Tensor, weight: Tensor, fallback: Tensor) -> tuple[Tensor, Tensor]:
    """A picture's colours (B, 3, h, w) carried from where weight (B, L, h, w), 0..1, of a layer is to everywhere.

    Pull-push (Gortler et al., The Lumigraph, SIGGRAPH 1996): means over ever larger cells, then back, a cell without
    sources taking the colour of the larger one around it; at last fallback (B, 3 L, 1, 1). -> (B, 3 L, h, w); and how
    much source of the layer there is near every pixel and anywhere: (B, 2 L, h, w), 0..1.

    All layers go together as channels: one by one, their many small steps took 2.9 ms of OpenVINO's time, not 1.2.
    """
    colours = [(picture[:, None] * weight[:, :, None]).flatten(1, 2)]
    weights = [weight]
    while weights[-1].shape[2] > 4:
        colours.append(F.avg_pool2d(colours[-1], 2))
        weights.append(F.avg_pool2d(weights[-1], 2))
    total = weights[-1].mean((2, 3), keepdim=True)
    colour = (colours[-1].mean((2, 3), keepdim=True) + FAINT * fallback) / (_thrice(total) + FAINT)
    for index in reversed(range(len(weights))):
        if index < len(weights) - 1:
            colour = twice(colour)
        own = colours[index] / (_thrice(weights[index]) + 1e-4)
        colour = colour + (own - colour) * _thrice((weights[index] / KNOWN_SHARE).clamp(max=1.0))
    around = F.interpolate(weights[3], size=picture.shape[2:], mode="bilinear", align_corners=False)
    anywhere = total * 20.0 + torch.zeros_like(around)
    near = [(around / KNOWN_SHARE).clamp(max=1.0), anywhere.clamp(max=1.0)]
    return colour, torch.stack(near, 2).flatten(1, 2)


def _thrice(x: Tensor) -> Tensor:
    """(B, L, h, w) -> (B, 3 L, h, w): every channel three times, for the three colours."""
    return x[:, :, None].expand(-1, -1, 3, -1, -1).flatten(1, 2)


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
        for head in (net.light, net.shapes, net.tones):
            head.weight.mul_(0.1)
        bias = _bias(net.shapes).view(-1, 4)  # as the pixel shuffle reads it: four places of every map
        bias[:2], bias[2] = -1.0, 2.0


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
