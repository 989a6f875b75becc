"""PF-AFN as published, so that its published checkpoints load for whoever holds them.

Ge et al., "Parser-Free Virtual Try-on via Distilling Appearance Flows", CVPR 2021 (arXiv 2103.04559): section 3.3 (the
appearance flow warping module: two pyramid encoders, a cost volume and a refinement at each of five levels) and 3.4
(the generative module: a residual U-Net that gives a rendered person and a composition mask). Attribute names follow
the names in the published state dicts. Pictures are RGB, NCHW, float32 in [-1, 1], at 256 x 192.

The networks were trained where grid sampling meant `align_corners=True` (its default then), which is also what their
offsets in pixels assume; so it is said explicitly here, and the flow has the project's own convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ir_models.nets.correlation import Form, correlation

RADIUS = 3
SLOPE = 0.1
"""Of the leaky rectifiers in the flow network."""


@dataclass(frozen=True)
class WarpConfig:
    """Widths of the warp network; the defaults are the published ones.

    encoder: channels of the five levels, fine to coarse. pyramid: channels of every pyramid level.
    heads: hidden channels of the flow heads. person_channels: of the picture of the person (3: RGB).
    """

    encoder: tuple[int, ...] = (64, 128, 256, 256, 256)
    pyramid: int = 256
    heads: tuple[int, ...] = (128, 64, 32)
    person_channels: int = 3
    correlation: Form = "rows"


@dataclass(frozen=True)
class GeneratorConfig:
    """Widths of the generator, level by level, fine to coarse; the defaults are the published ones (ngf 64)."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    inputs: int = 7
    outputs: int = 4


class PreActivation(nn.Module):
    """Residual block with normalisation and rectifier before each convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


class Halve(nn.Module):
    """Normalisation, rectifier, convolution of stride 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class Encoder(nn.Module):
    """Five levels at 1/2 .. 1/32 of the picture; returns them fine to coarse."""

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        levels = zip((inputs, *widths[:-1]), widths, strict=True)
        self.encoders = nn.ModuleList(nn.Sequential(Halve(i, o), PreActivation(o), PreActivation(o)) for i, o in levels)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for encoder in self.encoders:
            x = encoder(x)
            features.append(x)
        return features


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al., 2017). Takes features fine to coarse, returns them coarse to fine."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.adaptive = nn.ModuleList(nn.Conv2d(w, channels, 1) for w in reversed(widths))
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in widths)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        levels: list[Tensor] = []
        for feature, adapt, smooth in zip(reversed(features), self.adaptive, self.smooth, strict=True):
            x = adapt(feature)
            if levels:
                x = x + F.interpolate(levels[-1], scale_factor=2.0, mode="nearest")
            levels.append(smooth(x))
        return levels


def flow_head(inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Convolutions that end in an offset (2 channels, x and y, in pixels of the level)."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(SLOPE)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, 2, 3, padding=1))


def sample(x: Tensor, flow: Tensor) -> Tensor:
    """x where the flow (B, 2, h, w) says; outside, the border goes on."""
    return F.grid_sample(x, flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=True)


def offset_to_flow(offset: Tensor) -> Tensor:
    """Offsets (B, 2, h, w) in pixels of the level -> absolute coordinates in [-1, 1], align_corners=True."""
    h, w = int(offset.shape[2]), int(offset.shape[3])
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    place = torch.stack([x, y])[None].to(offset)
    half = torch.tensor([(w - 1) / 2.0, (h - 1) / 2.0]).view(1, 2, 1, 1).to(offset)
    return (place + offset) / half - 1.0


class FlowNet(nn.Module):
    """At every level, coarse to fine: an offset from the cost volume, then one from the features side by side."""

    def __init__(self, config: WarpConfig) -> None:
        super().__init__()
        self.form: Form = config.correlation
        levels = len(config.encoder)
        self.netMain = nn.ModuleList(flow_head((2 * RADIUS + 1) ** 2, config.heads) for _ in range(levels))
        self.netRefine = nn.ModuleList(flow_head(2 * config.pyramid, config.heads) for _ in range(levels))

    def forward(self, garment: Sequence[Tensor], person: Sequence[Tensor]) -> Tensor:
        flow: Tensor | None = None
        for g, p, main, refine in zip(garment, person, self.netMain, self.netRefine, strict=True):
            warped = g if flow is None else sample(g, flow)
            cost = F.leaky_relu(correlation(warped, p, RADIUS, self.form), SLOPE)
            step = offset_to_flow(main(cost))
            flow = step if flow is None else sample(flow, step)
            step = offset_to_flow(refine(torch.cat([sample(g, flow), p], 1)))
            flow = F.interpolate(sample(flow, step), scale_factor=2.0, mode="bilinear", align_corners=False)
        assert flow is not None
        return flow


class WarpNet(nn.Module):
    """AFWM. `garment_features` does not depend on the person and may be kept; `person_flow` runs every frame."""

    def __init__(self, config: WarpConfig | None = None) -> None:
        super().__init__()
        config = config or WarpConfig()
        self.config = config
        self.image_features = Encoder(3, config.encoder)
        self.cond_features = Encoder(config.person_channels, config.encoder)
        self.image_FPN = Pyramid(config.encoder, config.pyramid)
        self.cond_FPN = Pyramid(config.encoder, config.pyramid)
        self.aflow_net = FlowNet(config)

    def garment_features(self, garment: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, 256, 192) -> five maps, coarse to fine."""
        return tuple(self.image_FPN(self.image_features(garment)))

    def person_flow(self, person: Tensor, features: Sequence[Tensor]) -> Tensor:
        """-> (B, 2, 256, 192): x, y on the garment in [-1, 1], align_corners=True."""
        return self.aflow_net(features, self.cond_FPN(self.cond_features(person)))

    def forward(self, person: Tensor, garment: Tensor) -> Tensor:
        return self.person_flow(person, self.garment_features(garment))


class Residual(nn.Module):
    """Residual block of the generator: normalisation after each convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.block(x))


class Skip(nn.Module):
    """One level of the U-Net around the coarser ones: down, `inner`, up; the innermost has no `inner`.

    The outermost level returns `outputs` channels; any other its input beside what came up (2 x channels in).
    """

    def __init__(self, inputs: int, width: int, outputs: int, inner: nn.Module | None, outermost: bool = False) -> None:
        super().__init__()
        self.outermost = outermost
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3, 2, 1, bias=False)]
        if not outermost and inner is not None:
            layers.append(nn.BatchNorm2d(width))
        layers += [nn.ReLU(inplace=True), Residual(width), Residual(width)]
        if inner is not None:
            layers.append(inner)
        from_below = width if inner is None else 2 * width
        layers += [
            nn.Upsample(scale_factor=2.0, mode="nearest"),
            nn.Conv2d(from_below, outputs, 3, padding=1, bias=False),
        ]
        if not outermost:
            layers += [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), Residual(outputs), Residual(outputs)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out = self.model(x)
        return out if self.outermost else torch.cat([x, out], 1)


class Generator(nn.Module):
    """Person, warped garment and its mask (7 channels) -> rendered person (RGB, -1..1) and composition mask (0..1)."""

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        config = config or GeneratorConfig()
        self.config = config
        block: Skip | None = None
        above = (config.inputs, *config.widths[:-1])
        for level in reversed(range(len(config.widths))):
            outputs = above[level] if level else config.outputs
            block = Skip(above[level], config.widths[level], outputs, block, outermost=level == 0)
        assert block is not None
        self.model = block

    def forward(self, person: Tensor, warped: Tensor, warped_mask: Tensor) -> tuple[Tensor, Tensor]:
        out = self.model(torch.cat([person, warped, warped_mask], 1))
        return torch.tanh(out[:, :3]), torch.sigmoid(out[:, 3:4])


class TryOn(nn.Module):
    """The whole of PF-AFN on one frame, as published: garment branch, person branch, generator and composition."""

    def __init__(self, warp: WarpNet | None = None, generator: Generator | None = None) -> None:
        super().__init__()
        self.warp, self.generator = warp or WarpNet(), generator or Generator()

    def forward(self, person: Tensor, garment: Tensor, garment_mask: Tensor) -> Tensor:
        """(B, 3, 256, 192) twice and (B, 1, 256, 192) 0..1 -> the person in the garment, RGB -1..1."""
        flow = self.warp(person, garment)
        both = sample(torch.cat([garment, garment_mask], 1), flow)
        warped, warped_mask = both[:, :3], both[:, 3:4]
        rendered, mask = self.generator(person, warped, warped_mask)
        mask = mask * warped_mask
        return warped * mask + rendered * (1.0 - mask)
