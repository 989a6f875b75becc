"""torch -> OpenVINO IR and ONNX: networks with named inputs and outputs and fixed shapes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import mirror.engine  # noqa: F401  (first: it keeps openvino from looking up an analytics host)

# isort: split
import openvino as ov

ONNX_OPSET = 18
"""Holds grid sampling (16) and is known to onnxruntime."""
CPU_OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


@dataclass(frozen=True)
class Plan:
    """One network as it will run.

    module takes the example inputs in their order and returns one tensor or a tuple, named by `outputs`.
    channels: names of an input's channels, where the program that feeds it must agree on them.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]
    form: str = ""
    channels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.module.eval()

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The network in torch."""
        with torch.inference_mode():
            answer = self.module(*(torch.from_numpy(inputs[name]) for name in self.inputs))
        tensors = (answer,) if isinstance(answer, Tensor) else answer
        return {name: tensor.numpy() for name, tensor in zip(self.outputs, tensors, strict=True)}


def to_openvino(plan: Plan) -> ov.Model:
    """The network as an OpenVINO model in f32, shapes fixed to those of the example inputs."""
    example = tuple(plan.inputs.values())
    shapes = [tuple(tensor.shape) for tensor in example]
    with quiet_tracing():
        model = ov.convert_model(plan.module, example_input=example, input=shapes)
    return named(model, plan)


def named(model: ov.Model, plan: Plan) -> ov.Model:
    """The model itself, its inputs and outputs called as in the plan."""
    for port, name in zip(model.inputs, plan.inputs, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    for port, name in zip(model.outputs, plan.outputs, strict=True):
        port.get_tensor().set_names({name})
    model.validate_nodes_and_infer_types()
    return model


def to_onnx(plan: Plan, path: Path) -> None:
    """The network as an ONNX file."""
    with quiet_tracing():
        torch.onnx.export(
            plan.module,
            tuple(plan.inputs.values()),
            str(path),
            input_names=list(plan.inputs),
            output_names=list(plan.outputs),
            opset_version=ONNX_OPSET,
            dynamo=False,
        )


def run_openvino(model: ov.Model | Path, inputs: dict[str, np.ndarray], threads: int = 1) -> dict[str, np.ndarray]:
    """One inference, everything that is not quantised in f32."""
    compiled = ov.Core().compile_model(model, "CPU", CPU_OPTIONS | {"INFERENCE_NUM_THREADS": threads})
    answer = compiled(inputs)
    return {port.any_name: answer[port].copy() for port in compiled.outputs}


def run_onnx(path: Path, inputs: dict[str, np.ndarray], threads: int = 1) -> dict[str, np.ndarray]:
    """One inference by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = {port.name for port in session.get_inputs()}
    return dict(zip(names, session.run(names, {k: v for k, v in inputs.items() if k in wanted}), strict=True))


def greatest_difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, float]:
    """Per output, the greatest absolute difference."""
    return {name: float(np.abs(one[name] - other[name]).max()) for name in one}


@contextmanager
def quiet_tracing() -> Iterator[None]:
    """Shapes are fixed on purpose, which is what the tracer would warn of at every size it meets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\.onnx")
        yield
