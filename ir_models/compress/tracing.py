"""A network as torch-pruning can follow it: channels go in and come out of every layer in the same order.

torch-pruning reads dependencies between layers from autograd's graph, where it takes every operation it does not know
for one that keeps channels apart. Three here do not: the correlation (features become displacements), the pixel
shuffle, and sampling by a flow. While a network is traced each of them ends in a seam, a 1x1 convolution of random
weights that stands for "these channels begin here"; what ties two feature maps across a seam is told separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ir_models.nets import cwm as cwm_module
from ir_models.nets.cwm import GARMENT_FEATURES, Cwm, CwmConfig, FlowLevel, Layers, Prior
from ir_models.nets.igm import Igm
from ir_models.plans import plans


class Traceable(nn.Module):
    """Runs `net` with seams; `forward` returns all that must be followed: every layer's answer, and products that tie
    maps of one width.

    shuffled: the layers before a pixel shuffle -> the seam that stands for what comes out of it.
    """

    def __init__(self, net: Cwm | Igm) -> None:
        super().__init__()
        self.net = net
        self.seams = nn.ModuleList()
        self.shuffled: dict[nn.Module, nn.Module] = {}
        made = plans(net, None) if isinstance(net, Cwm) else plans(Cwm(CwmConfig()), net)[-1:]
        self._inputs = [{name: tensor.clone() for name, tensor in plan.inputs.items()} for plan in made]
        self._next = 0
        self._seen: list[Tensor] = []
        self._by_answer: dict[Any, nn.Module] = {}
        with torch.enable_grad():
            self.forward()  # makes the seams, which the tracer must know beforehand

    def forward(self, _: Any = None) -> list[Tensor]:
        self._next, self._seen, self._by_answer = 0, [], {}
        with self._seamed():
            if isinstance(self.net, Cwm):
                of_garment, of_person = self._inputs
                features = self.net.garment(*of_garment.values())
                others = [tensor for name, tensor in of_person.items() if name not in GARMENT_FEATURES]
                self.net.person.look(*others, *features)
            else:
                self.net.look(*self._inputs[0].values())
        return self._seen

    def _seam(self, tensor: Tensor) -> Tensor:
        """New channels of the same shape, behind which the graph does not go on."""
        if self._next == len(self.seams):
            width = int(tensor.shape[1])
            self.seams.append(nn.Linear(width, width) if tensor.dim() == 2 else nn.Conv2d(width, width, 1))
        self._next += 1
        return self.seams[self._next - 1](tensor.detach())

    @contextmanager
    def _seamed(self) -> Iterator[None]:
        sample, shuffle, join, mix = cwm_module.warp, F.pixel_shuffle, torch.cat, Layers.mixed
        lay = Prior.layers

        def warp(x: Tensor, flow: Tensor) -> Tensor:
            return sample(x, flow.detach())

        def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
            """Inputs beside learned maps need a place in the graph, or what follows them would be counted wrongly."""
            if dim == 1 and any(x.requires_grad for x in tensors):
                tensors = [x if x.requires_grad else self._seam(x) for x in tensors]
            return join(tuple(tensors), dim)

        def correlation(a: Tensor, b: Tensor, radius: int, form: str = "rows") -> Tensor:
            self._seen.append(a * b)
            return self._seam(a.new_zeros(len(a), (2 * radius + 1) ** 2, *a.shape[2:]))

        def pixel_shuffle(x: Tensor, factor: int) -> Tensor:
            out = self._seam(shuffle(x, factor))
            self.shuffled[self._by_answer[x.grad_fn]] = self.seams[self._next - 1]
            return out

        def answered(layer: nn.Module, _: Any, answer: Tensor) -> None:
            self._seen.append(answer)
            self._by_answer[answer.grad_fn] = layer

        def restarted(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            """The steps of a level begin anew, and what speaks for its layers: they are numbers of parts."""
            garment, person, prior, steps, doubts, code = given
            return garment, person, prior, self._seam(steps), self._seam(doubts), code

        def layers(prior: Prior, steps: Tensor | None = None, doubts: Tensor | None = None) -> Layers:
            """Coordinates and what speaks for them, whatever made them: the matrix is followed as the answer it is."""
            given = (None if x is None else x.detach() for x in (steps, doubts))
            return Layers(*(self._seam(x) for x in lay(Prior(*(x.detach() for x in prior)), *given)))

        def mixed(layers: Layers, share: Tensor | None = None) -> Tensor:
            return self._seam(mix(layers, share))

        hooks = [
            layer.register_forward_hook(answered)
            for layer in self.net.modules()
            if isinstance(layer, nn.Conv2d | nn.Linear)
        ]
        hooks += [m.register_forward_pre_hook(restarted) for m in self.net.modules() if isinstance(m, FlowLevel)]
        try:
            with (
                mock.patch.object(cwm_module, "warp", warp),
                mock.patch.object(cwm_module, "correlation", correlation),
                mock.patch.object(Prior, "layers", layers),
                mock.patch.object(Layers, "mixed", mixed),
                mock.patch.object(F, "pixel_shuffle", pixel_shuffle),
                mock.patch.object(torch, "cat", cat),
            ):
                yield
        finally:
            for hook in hooks:
                hook.remove()
