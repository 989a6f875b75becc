"""Quantisation-aware training: a network learns on with its convolutions rounded to INT8 as they will be.

NNCF puts a rounding before every convolution that post-training quantisation would quantise too (the same start: the
same ranges from the same samples), in torch; then weights and ranges are trained together on the training's own losses.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ir_models.compress.calibration import Case
from ir_models.compress.distil import FineTuning
from ir_models.compress.quantize import COORDINATES, HEAD, MIN_CHANNELS
from ir_models.convert import Plan, named, quiet_tracing
from ir_models.nets.cwm import Cwm, CwmConfig
from ir_models.nets.igm import Igm
from ir_models.plans import GENERATOR, PERSON, plans
from ir_models.train.cwm import CwmTask
from ir_models.train.igm import IgmTask
from ir_models.train.loop import Trainer
from mirror.engine import ov

import nncf  # isort: skip  (after mirror.engine: it imports openvino too)
from nncf.torch.quantization import quantize_functions  # isort: skip
from nncf.torch.quantization.reference import torch_executor  # isort: skip

LEARNING_RATE = 2e-4
"""At the start: rounded weights are moved, not learned anew."""


class _Answering(nn.Module):
    """A network whose answer holds both what it ships with and what its losses look at, as one flat tuple."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.shape: Any = None

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        seen = self.net.look(*given)
        self.net.look = lambda *_: seen  # the forward pass only finishes what was looked at
        try:
            finished = self.net.forward(*given)
        finally:
            del self.net.look
        leaves, self.shape = tree_flatten(seen)
        return (*finished, *leaves)


class _Rounded(nn.Module):
    """Stands for a network in its training: `look` by way of the quantised copy."""

    def __init__(self, net: Any, quantised: Any, shipped: int) -> None:
        super().__init__()
        self.quantised, self.shipped = quantised, shipped
        self.config = getattr(net, "config", None)

    def look(self, *given: Tensor) -> Any:
        answer = self.quantised(*given)
        return tree_unflatten(list(answer[self.shipped :]), self.quantised.shape)


def train_aware(
    net: Cwm | Igm, task: CwmTask | IgmTask, calibration: Sequence[Case], minutes: float, out: Path,
    clock: Callable[[], float] = time.monotonic, held_out: int | None = None,
) -> ov.Model:  # fmt: skip
    """The person stage of a CWM, or an IGM, trained with rounding and converted; OUT is its checkpoint (resumable).

    task: the network's training, with its samples. calibration: cases whose inputs settle the ranges. clock: what the
    minutes are counted by. held_out: as in `FineTuning`. A CWM's garment branch is not touched."""
    net = copy.deepcopy(net)
    name = PERSON if isinstance(net, Cwm) else GENERATOR
    made = plans(net, None) if isinstance(net, Cwm) else plans(Cwm(CwmConfig()), net)
    plan = next(plan for plan in made if plan.name == name)
    rounded = _rounded(plan, [case.inputs[name] for case in calibration])
    pupil: Any = rounded
    if isinstance(net, Cwm):
        net.garment.requires_grad_(False)
        net.person = rounded  # type: ignore[assignment]
        pupil = net
    tuning = FineTuning(task, lambda: pupil, None, 0.0, held_out=held_out)
    tuning.learning_rate = LEARNING_RATE
    trainer = Trainer(tuning, out, minutes, clock=clock)
    if out.with_name(out.name + ".resume").is_file():
        trainer.resume(out)
    trainer.run()
    best: Any = trainer.average
    return _converted(plan, best.person if isinstance(net, Cwm) else best)


def _rounded(plan: Plan, feeds: Sequence[dict[str, np.ndarray]]) -> _Rounded:
    _without_compiler()
    given = [tuple(torch.from_numpy(np.ascontiguousarray(feed[name])) for name in plan.inputs) for feed in feeds]
    answering = _Answering(plan.module).eval()
    quantised = nncf.quantize(
        answering,
        nncf.Dataset(given, lambda inputs: inputs),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(given),
        ignored_scope=_kept_in_float(answering, given[0], plan.name in COORDINATES),
    )
    for part in quantised.modules():
        for name, value in list(part.named_parameters(recurse=False)):
            if not value.is_floating_point():  # a number of bits, which no optimiser or average may touch
                delattr(part, name)
                part.register_buffer(name, value.data)
    return _Rounded(plan.module, quantised, len(plan.outputs))


def _kept_in_float(net: nn.Module, given: tuple[Tensor, ...], ends: bool) -> nncf.IgnoredScope:
    """As `quantize.kept_in_float`, in the names that NNCF gives to a torch network."""
    from nncf.torch.function_hook import wrap_model
    from nncf.torch.function_hook.nncf_graph.nncf_graph_builder import build_nncf_graph

    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d)}
    graph = build_nncf_graph(wrap_model(copy.deepcopy(net)), given)
    types = {node.node_type for node in graph.get_all_nodes()} - {"conv2d"}
    names = []
    for node in graph.get_all_nodes():
        weights = (before.node_name.removesuffix(".weight") for before in graph.get_previous_nodes(node))
        name, layer = next(((name, layers[name]) for name in weights if name in layers), ("", None))
        if ends and layer is not None:
            first = not _before(graph, node) & {"conv2d", "linear"}
            if layer.out_channels < MIN_CHANNELS or HEAD in name or first:
                names.append(node.node_name)
    return nncf.IgnoredScope(names=names, types=sorted(types), validate=False)


def _before(graph: Any, node: Any) -> set[str]:
    """Types of all operations that a node's answer depends on."""
    ahead, seen, types = list(graph.get_previous_nodes(node)), set(), set()
    while ahead:
        node = ahead.pop()
        if node.node_id not in seen:
            seen.add(node.node_id)
            types.add(node.node_type)
            ahead += graph.get_previous_nodes(node)
    return types


class _Eager:
    """The rounding and its gradient in plain torch."""

    Quantize_forward = torch_executor.forward
    Quantize_backward = torch_executor.backward


def _without_compiler() -> None:
    """NNCF would compile C++ for the rounding, which takes a compiler and minutes; its own reference does it too."""
    quantize_functions.QuantizedFunctionsCPU._loaded_namespace = _Eager


def _converted(plan: Plan, rounded: _Rounded) -> ov.Model:
    """As an OpenVINO model with the plan's inputs and outputs alone."""
    example = tuple(tensor.clone() for tensor in plan.inputs.values())
    with quiet_tracing(), torch.no_grad():
        traced = torch.jit.trace(rounded.quantised.eval(), example, check_trace=False)
        whole = ov.convert_model(traced, example_input=example, input=[tuple(t.shape) for t in example])
    return named(ov.Model(whole.outputs[: len(plan.outputs)], whole.get_parameters(), plan.name), plan)
