"""IGM, the image generation module: what is painted where the old garment was, and how the new one is lit.

PF-AFN (Ge et al., CVPR 2021) composes `mask x warped + (1 - mask) x rendered`. Here `rendered` may differ from the
person only inside a predicted repair mask (old garment and what it hid, outside the new one), so that head, hands and
background are copied, never invented. A mask of hands, hair and head vetoes repair, a composite mask takes back the
coverage where the warp laid the garment over what is in front of it, and the garment gets a low-frequency gain.
PF-AFN's plain form is the configuration `plain`.

The repair is painted with the picture's own colours: the network says which pixels show LAYERS now and which will show
them, and each layer's colours are carried from where they are seen to where they will be (`carried`), lit by a gain.
A network that mixed its colours freely was off by 30 levels of 255 behind old garments and by 20 on newly shown skin;
with true labels the carried ones are off by 17 and 15.

A slim U-Net whose arithmetic is nearly all in convolutions, for these alone gain by INT8: pictures of 256 x 192 are
read by strided convolutions, features begin at 64 x 48, where colours are carried and lit, and rise to 128 x 96 once.
What is large leaves as it is made, to be enlarged and mixed by who draws (`IgmTraining.colour` says how): masks at
256 x 192 through a pixel shuffle, for edges show; the colours behind them at 128 x 96, skin's, which is smooth, at
64 x 48, the gain at 32 x 24.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ir_models.nets.cwm import Residual, twice
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.maps import PERSON_CHANNELS, supported

OUTPUTS = {
    "repair": ("repair_mask", "repair_colour", "shading", "composite_mask", "skin_mask", "skin_colour", "background"),
    "plain": ("rendered", "composite_mask"),
}
"""Names of the outputs of each form, in order."""
LAYERS = ("skin", "background", "lower", "hair")
"""What a repair may show; in the logits another follows, for all else: there the colours are the network's own."""
SHAPES = ("repair", "protect", "composite", "skin")
"""The masks that leave at full size."""
SHADING_RANGE = 0.9
"""Natural logarithm of the largest gain on the garment, either way."""
LAYER_GAIN_RANGE = 0.9
"""The same for the gain on the colours of skin, of clothes below and of hair: light and shadow."""
SETTLED = 1.0 / 3.0
"""Masks are stretched by so much beyond both ends: a pixel that is repaired with less than a fifth of certainty is the
camera's own, bit for bit, however the arithmetic was rounded."""
SKIN_GAIN = 3.0
"""How much steeper the edges of bared skin are drawn: where the network is unsure to a few pixels where an arm ends, a
mixture looks out of focus."""
SURE = 0.75
"""A cell counts as a source of a layer's colour as far as more than this share of it shows the layer: at its rim the
camera mixes in what lies beside it."""
UNLIKE_SHARE = 0.05
"""What a pixel of the skin counts as a source of skin colour if it is nothing like the face: lips, beards, mistakes."""
FAR_SHARE = 0.1
"""What the sources in cells twice as wide count beside a cell's own: so colours come from where they are nearest."""
FAINT = 1e-3
"""Share of the picture that the colour to fall back on counts as."""


@dataclass(frozen=True)
class IgmConfig:
    """Widths of an IGM at 64x48, 32x24, 16x12, 8x6 (and coarser), its form, and the widths where colours are lit
    (`paint`, 64 x 48) and masks drawn (`head` features from below and as many of the pictures, `mix` of both)."""

    name: str = "compact"
    form: Literal["repair", "plain"] = "repair"
    widths: tuple[int, ...] = (32, 48, 64, 96)
    head: int = 16
    paint: int = 32
    mix: int = 32
    person_channels: int = field(default=len(PERSON_CHANNELS), init=False)


CONFIGS = {
    "compact": IgmConfig(),
    "full": IgmConfig(name="full", widths=(64, 96, 128, 160), head=32, paint=48, mix=48),
    "plain": IgmConfig(name="plain", form="plain"),
}


class IgmTraining(NamedTuple):
    """All that the network says, as small as it says it; the properties bring it to 256 x 192 for the losses.

    shapes: logits (B, 16, 128, 96), four places of a pixel shuffle for each of SHAPES: repair here; hand, hair or head;
    the garment's front is seen here; the repair shows skin. seen: logits (B, 5, 64, 48) of LAYERS and all else in the
    person's picture. others: logits (B, 4, 128, 96) of the same without skin in the finished one. behind: RGB in 0..1
    (B, 3, 128, 96), what they show; skin_colour: (B, 3, 64, 48), in the form `plain` (B, 0, 64, 48): there `behind` is
    everything. light: (B, 1, 32, 24), the garment's gain."""

    shapes: Tensor
    seen: Tensor
    others: Tensor
    behind: Tensor
    skin_colour: Tensor
    light: Tensor

    def logits(self, name: str) -> Tensor:
        """Of one of SHAPES: (B, 1, 256, 192)."""
        return F.pixel_shuffle(self._places(name), 2)

    def share(self, name: str) -> Tensor:
        """The same as 0..1."""
        return F.pixel_shuffle(torch.sigmoid(self._places(name)), 2)

    def _places(self, name: str) -> Tensor:
        first = 4 * SHAPES.index(name)
        return self.shapes[:, first : first + 4]

    @property
    def mask(self) -> Tensor:
        """The repair mask, vetoed: (B, 1, 256, 192), 0..1. It reaches 0 and 1, so that the rest is copied exactly."""
        wanted = torch.sigmoid(self._places("repair")) * (1.0 - torch.sigmoid(self._places("protect")))
        return F.pixel_shuffle(settled(wanted), 2)

    @property
    def kept(self) -> Tensor:
        """What is kept of the coverage, where that is `mirror.maps.supported`: (B, 1, 256, 192), 0..1."""
        return F.pixel_shuffle(settled(torch.sigmoid(self._places("composite"))), 2)

    @property
    def skin(self) -> Tensor:
        """How much of a repair is skin: (B, 1, 256, 192), 0..1, its edges SKIN_GAIN times as steep as it is certain."""
        sure = torch.sigmoid(self._places("skin"))
        return F.pixel_shuffle(((sure - 0.5) * SKIN_GAIN + 0.5).clamp(0.0, 1.0), 2)

    @property
    def gain(self) -> Tensor:
        """On the garment's colours: (B, 1, 256, 192)."""
        return _full_size(self.light)

    @property
    def colour(self) -> Tensor:
        """What a repair is painted with: RGB in [-1, 1], (B, 3, 256, 192): skin where skin is, before what is behind.
        `mirror.tryon` does the same."""
        behind = twice(self.behind)
        if not self.skin_colour.shape[1]:
            return behind * 2.0 - 1.0
        return (behind + (_full_size(self.skin_colour) - behind) * self.skin) * 2.0 - 1.0

    def compose(self, person: Tensor, warped: Tensor, coverage: Tensor) -> Tensor:
        """The finished picture in [-1, 1]: the person, the repair over it, the lit garment over that."""
        below = person + (self.colour - person) * self.mask
        lit = (warped + 1.0) * self.gain - 1.0
        return below + (lit - below) * (supported(coverage) * self.kept)


def settled(mask: Tensor) -> Tensor:
    """0..1, stretched so that it reaches both ends."""
    return (mask * (1.0 + 2.0 * SETTLED) - SETTLED).clamp(0.0, 1.0)


def _full_size(x: Tensor) -> Tensor:
    return F.interpolate(x, size=(CANVAS_H, CANVAS_W), mode="bilinear", align_corners=False)


class Igm(nn.Module):
    """forward(person, warped, coverage, maps, skin, likeness) -> a tuple named by OUTPUTS[config.form].

    person, warped: (B, 3, 256, 192) RGB in [-1, 1], the camera's canvas and the garment warped onto it. coverage:
    (B, 1, 256, 192), 0..1. maps: (B, 21, 128, 96), skin: (B, 6) and likeness: (B, 1, 128, 96) are
    `mirror.maps.person_maps`, `mirror.skin.skin_colour` and `skin_likeness`.

    `repair`: repair_mask (B, 1, 256, 192) 0..1, already vetoed; repair_colour (B, 3, 128, 96) RGB in [-1, 1], what is
    painted there but for skin; shading (B, 1, 32, 24), a smooth gain on the garment's colours (0 black .. 1);
    composite_mask (B, 1, 256, 192) 0..1, a factor of the coverage as `mirror.maps.supported` has it; skin_mask
    (B, 1, 256, 192) 0..1, how much of what is painted is skin, and skin_colour (B, 3, 64, 48) RGB in [-1, 1];
    background (B, 1, 128, 96) 0..1, how much of repair_colour is the room behind. All are pixel-area aligned.
    `plain`: rendered (B, 3, 256, 192) RGB in [-1, 1] and composite_mask (B, 1, 256, 192).
    """

    def __init__(self, config: IgmConfig) -> None:
        super().__init__()
        self.config = config
        widths, head, paint, mix = config.widths, config.head, config.paint, config.mix
        layers = len(LAYERS)
        self.stem = nn.Conv2d(7, widths[0], 6, stride=4, padding=2)
        self.stem_maps = nn.Conv2d(config.person_channels + 1, widths[0], 3, stride=2, padding=1, bias=False)
        self.stem_skin = nn.Linear(6, widths[0], bias=False)
        self.stem_refine = Residual(widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.refine = nn.ModuleList(Residual(b) for _, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(a + b, a, 3, padding=1) for a, b in reversed(pairs))
        self.light = nn.Conv2d(widths[1], 1, 3, padding=1)
        self.seen = nn.Conv2d(widths[0], layers + 1, 3, padding=1)
        self.paint = nn.Conv2d(widths[0] + layers * 4, paint, 3, padding=1)
        # Gains of the layers but the background, and the network's own colour.
        self.tones = nn.Conv2d(paint, 3 * (layers - 1) + 3, 3, padding=1)
        self.carry = nn.Conv2d(widths[0] + paint, 4 * head, 1)
        self.near = nn.Conv2d(7, head, 4, stride=2, padding=1)
        self.mix = nn.Conv2d(2 * head, mix, 3, padding=1)
        self.shapes = nn.Conv2d(mix, 4 * len(SHAPES), 3, padding=1)
        self.others = nn.Conv2d(mix, layers, 3, padding=1)
        _start_weights(self)

    def forward(
        self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor, likeness: Tensor
    ) -> tuple:
        out = self.look(person, warped, coverage, maps, skin, likeness)
        if self.config.form == "plain":
            return out.colour, out.share("composite")
        behind, bare = out.behind * 2.0 - 1.0, out.skin_colour * 2.0 - 1.0
        return out.mask, behind, out.light, out.kept, out.skin, bare, torch.softmax(out.others, 1)[:, :1]

    def look(
        self, person: Tensor, warped: Tensor, coverage: Tensor, maps: Tensor, skin: Tensor, likeness: Tensor
    ) -> IgmTraining:
        """The same with everything the losses need."""
        pictures = torch.cat([person, warped, coverage * 2.0 - 1.0], 1)
        tint = torch.cat([skin[:, :3] * 2.0 - 1.0, skin[:, 3:] * 4.0], 1)
        x = (
            self.stem(pictures)
            + self.stem_maps(torch.cat([maps, likeness], 1))
            + self.stem_skin(tint)[:, :, None, None]
        )
        x = self.stem_refine(F.relu(x))
        skips = []
        for down, refine in zip(self.down, self.refine, strict=True):
            skips.append(x)
            x = refine(F.relu(down(x)))
        light = x
        for index, up in enumerate(self.up):
            if index == len(self.up) - 1:
                light = self.light(x)  # 32 x 24: no finer, so that the gain cannot paint
            x = F.relu(up(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skips[-1 - index]], 1)))
        seen = self.seen(x)
        sources, reach = self._carried(seen, person, skin, likeness)
        lit = F.relu(self.paint(torch.cat([x, sources * 2.0 - 1.0, reach], 1)))
        tones = self.tones(lit)
        fine = F.pixel_shuffle(self.carry(torch.cat([x, lit], 1)), 2)
        x = F.relu(self.mix(torch.cat([fine, F.relu(self.near(pictures))], 1)))
        shapes, others = self.shapes(x), self.others(x)
        gain = torch.exp(SHADING_RANGE * torch.tanh(light))
        if self.config.form == "plain":
            return IgmTraining(shapes, seen, others, torch.sigmoid(others[:, :3]), sources[:, :0], gain)
        light_and_shadow = torch.exp(LAYER_GAIN_RANGE * torch.tanh(tones[:, :-3]))
        bare, below = sources[:, :3] * light_and_shadow[:, :3], sources[:, 6:] * light_and_shadow[:, 3:]
        painted = twice(torch.cat([sources[:, 3:6], below, torch.sigmoid(tones[:, -3:])], 1))
        share = torch.softmax(others, 1)[:, :, None]
        # One product and one sum over an axis of layers: slices of channels cost a copy each.
        behind = (painted.unflatten(1, (len(LAYERS), 3)) * share).sum(1)
        return IgmTraining(shapes, seen, others, behind.clamp(0.0, 1.0), bare.clamp(0.0, 1.0), gain)

    def _carried(self, seen: Tensor, person: Tensor, skin: Tensor, likeness: Tensor) -> tuple[Tensor, Tensor]:
        """Every layer's colours (B, 12, 64, 48), 0..1, and how near they are (B, 4, 64, 48).

        No gradient: what is where is learned from labels, not from what would be convenient to carry."""
        with torch.no_grad():
            picture = F.avg_pool2d(person.float(), 4) * 0.5 + 0.5
            shares = torch.softmax(seen.detach().float(), 1)[:, : len(LAYERS)]
            sure = ((shares - SURE) * (1.0 / (1.0 - SURE))).clamp(min=0.0)
            alike = F.avg_pool2d(likeness.float(), 2)
            bare = sure[:, :1] * (UNLIKE_SHARE + (1.0 - UNLIKE_SHARE) * alike)
            # A cell beside the person is no source of the background: cameras and lenses bleed the old garment's colour
            # into it, and it would be painted on as a fog around the new one.
            away = -F.max_pool2d(-sure[:, 1:2], 3, 1, 1)
            weight = torch.cat([bare, away, sure[:, 2:]], 1)
            everywhere = picture.mean((2, 3), keepdim=True)
            face = skin[:, :3, None, None].float()
            return carried(picture, weight, torch.cat([face, everywhere, everywhere * 0.5, everywhere * 0.4], 1))


def carried(picture: Tensor, weight: Tensor, fallback: Tensor) -> tuple[Tensor, Tensor]:
    """A picture's colours (B, 3, h, w) carried from where weight (B, L, h, w), 0..1, of a layer is to everywhere.

    Pull-push (Gortler et al., The Lumigraph, SIGGRAPH 1996) without a division on the way: colours times weights, and
    the weights, are averaged over ever larger cells; then every cell adds FAR_SHARE of what the larger one around it
    has to its own, and colours are divided by weights once. At last fallback (B, 3 L, 1, 1). -> (B, 3 L, h, w); and how
    near the layer's sources are: (B, L, h, w), 0..1.

    All layers go together as channels, colours and weights in one tensor: a step is three operations.
    """
    layers = weight.shape[1]
    sums = [torch.cat([(picture[:, None] * weight[:, :, None]).flatten(1, 2), weight], 1)]
    while sums[-1].shape[2] > 4:
        sums.append(F.avg_pool2d(sums[-1], 2))
    faint = torch.cat([fallback, torch.ones_like(fallback[:, :layers])], 1) * FAINT
    found = sums[-1] + FAR_SHARE * (sums[-1].mean((2, 3), keepdim=True) + faint)
    for own in reversed(sums[:-1]):
        found = own + FAR_SHARE * twice(found)
    total = found[:, 3 * layers :]
    colour = found[:, : 3 * layers].unflatten(1, (layers, 3)) / total[:, :, None]
    # The logarithm of a weight that falls tenfold with every doubling of the way: about evenly spaced over distance.
    return colour.flatten(1, 2), (1.0 + torch.log10(total) / 6.0).clamp(0.0, 1.0)


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
        for head in (net.light, net.shapes, net.others, net.tones):
            head.weight.mul_(0.1)
        bias = _bias(net.shapes).view(-1, 4)  # as the pixel shuffle reads it: four places of every map
        for name, start in (("repair", -1.0), ("protect", -1.0), ("composite", 2.0)):
            bias[SHAPES.index(name)] = start


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
