"""OpenVINO behind one door: compile a checked model set, run it asynchronously. Nothing else imports openvino."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

import numpy as np

sys.modules.setdefault("openvino_telemetry", cast(Any, None))  # its import looks up an analytics host
import openvino as ov  # noqa: E402
from openvino import opset13 as op  # noqa: E402

from mirror.errors import ModelError  # noqa: E402
from mirror.modelset import REMEDY, ModelSet, NetworkFile, load_model_set  # noqa: E402

REQUESTS = 2
"""Requests of one network that may be under way at once: the frame in work and the next."""
STUCK_AFTER_S = 30.0
UNPINNED = {"ENABLE_CPU_PINNING": False}
"""Several networks and the picture share few cores: threads bound to one wait for it while another is free. Bound,
two cores gave 21 fits a second; free, 26."""
_HEAVY = ("Convolution", "FullyConnected", "MatMul", "Deconvolution")

Outputs = dict[str, np.ndarray]
T = TypeVar("T")


class EngineError(ModelError):
    """A network that compiled failed while it ran; the cause is chained."""


class _Slot:
    """One infer request with buffers of its own: nothing of a caller's is shared with the runtime."""

    def __init__(self, compiled: ov.CompiledModel, spec: NetworkFile) -> None:
        self.request = compiled.create_infer_request()
        self.inputs = {port.name: np.zeros(port.shape, np.float32) for port in spec.inputs}
        self.outputs = {port.name: np.zeros(port.shape, np.float32) for port in spec.outputs}
        for name, array in (*self.inputs.items(), *self.outputs.items()):
            self.request.set_tensor(name, ov.Tensor(array, shared_memory=True))
        self.started = False


class Ticket(Generic[T]):
    """One inference under way. `result` may be called from any thread, as often as wanted."""

    def __init__(self, network: str, slot: _Slot, release: Callable[[_Slot], None]) -> None:
        self._network, self._slot, self._release = network, slot, release
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    @property
    def ready(self) -> bool:
        return self._done.is_set()

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for it. Raises EngineError with its cause where the network or what followed it failed, TimeoutError."""
        if not self._done.is_set():
            try:  # a failed inference calls nobody back: only waiting for the request tells
                if timeout_s is None:
                    self._slot.request.wait()
                elif not self._slot.request.wait_for(int(timeout_s * 1e3)):
                    raise TimeoutError(f"the network {self._network} has not answered within {timeout_s} s")
            except RuntimeError as error:
                if not self._done.is_set():
                    self.finish(None, error)
                    self._release(self._slot)
        self._done.wait()
        if self._error is not None:
            raise EngineError(f"The network {self._network} failed: {_reason(self._error)}.") from self._error
        return cast(T, self._value)

    def finish(self, value: T | None, error: BaseException | None) -> None:
        """Called by the network, once."""
        self._value, self._error = value, error
        self._done.set()


class Network:
    """One compiled network. Inputs and outputs go by name, float32, in the manifest's shapes."""

    def __init__(self, spec: NetworkFile, compiled: ov.CompiledModel) -> None:
        self.spec = spec
        self.executed = executed_precision(compiled)
        self.compiled = compiled
        self._free: SimpleQueue[_Slot] = SimpleQueue()
        for _ in range(REQUESTS):
            self._free.put(_Slot(compiled, spec))

    def submit(self, inputs: dict[str, np.ndarray], then: Callable[[Outputs], T] | None = None) -> Ticket[T]:
        """Start an inference; waits only while REQUESTS others are under way. Inputs are copied before it returns.

        then: called with the outputs on the runtime's thread; its answer, or its error, is the ticket's. Without it the
        ticket holds the outputs. Raises EngineError where an input is missing or has another shape.
        """
        for port in self.spec.inputs:
            if port.name not in inputs:
                raise EngineError(f"The network {self.spec.name} got no input {port.name!r}.")
            if (shape := np.shape(inputs[port.name])) != port.shape:
                raise EngineError(f"The input {port.name!r} of {self.spec.name} is {shape} and not {port.shape}.")
        try:
            slot = self._free.get(timeout=STUCK_AFTER_S)
        except Empty:
            raise EngineError(f"The network {self.spec.name} has not answered for {STUCK_AFTER_S:.0f} s.") from None
        ticket: Ticket[T] = Ticket(self.spec.name, slot, self._free.put)

        def finished(_: object) -> None:
            value: Any = None
            error: BaseException | None = None
            try:
                outputs = {name: array.copy() for name, array in slot.outputs.items()}
                value = outputs if then is None else then(outputs)
            except BaseException as raised:  # it must reach the caller, never the runtime's thread
                error = raised
            ticket.finish(value, error)
            self._free.put(slot)

        try:
            if slot.started:
                slot.request.wait()  # its callback gave the slot back a moment before it ended
            slot.started = True
            for name, buffer in slot.inputs.items():
                np.copyto(buffer, inputs[name])
            slot.request.set_callback(finished, None)
            slot.request.start_async()
        except Exception as error:
            self._free.put(slot)
            raise EngineError(f"The network {self.spec.name} could not be started: {_reason(error)}.") from error
        return ticket

    def run(self, inputs: dict[str, np.ndarray]) -> Outputs:
        """Submit and wait."""
        ticket: Ticket[Outputs] = self.submit(inputs)
        return ticket.result()

    def drain(self) -> None:
        """Wait until nothing is under way; afterwards the network takes no more work."""
        for _ in range(REQUESTS):
            self._free.get()


class Engine:
    """The networks of one model set, compiled for this machine's CPU."""

    def __init__(self, folder: Path, threads: int = 2, cache: Path | None = None) -> None:
        """threads: cores an inference may use. cache: where compiled networks are kept (default: the user's cache
        folder). Raises ModelError: no model set there, a damaged file, another version, or one that does not compile.
        """
        self.models: ModelSet = load_model_set(folder)
        self._core = ov.Core()
        cache = cache or user_cache()
        self._networks: dict[str, Network] = {}
        for name, spec in self.models.networks.items():
            self._networks[name] = Network(spec, self._compile(spec, threads, cache))

    def __contains__(self, name: str) -> bool:
        return name in self._networks

    def __getitem__(self, name: str) -> Network:
        if name not in self._networks:
            raise ModelError(f"The model set in {self.models.folder} has no network {name}: {REMEDY}.")
        return self._networks[name]

    def __iter__(self) -> Iterator[Network]:
        return iter(self._networks.values())

    @property
    def precision(self) -> str:
        """What really runs, in words: one clause per network."""
        return "; ".join(f"{network.spec.name} {network.executed}" for network in self)

    def close(self) -> None:
        """Wait for what is under way and release the networks."""
        for network in self._networks.values():
            network.drain()
        self._networks.clear()

    def _compile(self, spec: NetworkFile, threads: int, cache: Path) -> ov.CompiledModel:
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # What is not quantised runs in f32 everywhere, so that a machine with bf16 gives the same picture.
            "INFERENCE_PRECISION_HINT": "f32",
            **UNPINNED,
        }
        # A folder named by content: a compiled network can never be taken for another one's.
        options |= kept_in(cache / self.models.digest(spec.name)[:16])
        xml, weights = self.models.bytes_of(spec.xml).decode(errors="replace"), self.models.bytes_of(spec.bin)
        try:
            compiled = self._core.compile_model(xml, "CPU", options, weights=weights)
            _check_ports(spec, compiled)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"{self.models.folder / spec.xml} does not run here ({_reason(error)}): {REMEDY}."
            ) from error
        return compiled


def _check_ports(spec: NetworkFile, compiled: ov.CompiledModel) -> None:
    """Names and shapes of the network against the manifest's."""
    for side, ports, wanted in (("input", compiled.inputs, spec.inputs), ("output", compiled.outputs, spec.outputs)):
        found = {name: tuple(port.shape) for port in ports for name in port.names}
        for port in wanted:
            if found.get(port.name) != port.shape:
                raise ModelError(
                    f"{spec.xml} has the {side} {port.name!r} as {found.get(port.name)}, its manifest as {port.shape}: "
                    f"{REMEDY}."
                )


def executed_precision(compiled: ov.CompiledModel) -> str:
    """The precision in which the arithmetic really runs, such as "f32" or "int8 in 21 of 25 layers, else f32"."""
    counts: Counter[str] = Counter()
    for layer in compiled.get_runtime_model().get_ops():
        info = layer.get_rt_info()
        if "primitiveType" in info and str(info["layerType"].value) in _HEAVY:
            # "brgconv_avx512_f32": the kernel says what it computes in; "runtimePrecision" only how weights are stored.
            counts[str(info["primitiveType"].value).lower().rsplit("_", 1)[-1]] += 1
    total = sum(counts.values())
    eight = counts["i8"] + counts["u8"]
    rest = "/".join(sorted(name for name in counts if name not in ("i8", "u8") and counts[name])) or "f32"
    if not eight:
        return rest
    return "int8" if eight == total else f"int8 in {eight} of {total} layers, else {rest}"


def _reason(error: BaseException) -> str:
    """One line of what a library may say in many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")


def kept_in(place: Path) -> dict[str, Any]:
    """The option with which OpenVINO keeps what it compiled in a folder, if that can be written to: a read-only home
    costs start-up time, not the mirror."""
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            return {"CACHE_DIR": str(place)}
    return {}


def user_cache() -> Path:
    """Where this system keeps what can be made again, in a folder of our own."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tryon-mirror"


def part_narrow_convolutions(model: ov.Model) -> None:
    """Every convolution with one output channel and a window becomes two, in place: each input channel by itself, then
    their sum. The same arithmetic, but for rounding.

    In one step one of a vector's 16 outputs counts. At the end of MediaPipe's mask, 8 channels of 256x256, that took
    2.1 ms of the network's 14; in two it takes 0.6.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        channels, *window = list(node.get_input_shape(1))[1:]
        if node.get_output_shape(0)[1] != 1 or channels == 1 or set(window) == {1}:
            continue
        how = node.get_attributes()
        shape = op.constant(np.array([channels, 1, 1, *window], np.int64))
        each = op.group_convolution(
            node.input_value(0),
            op.reshape(node.input_value(1), shape, special_zero=False),
            how["strides"], how["pads_begin"], how["pads_end"], how["dilations"], how["auto_pad"],
        )  # fmt: skip
        plain, flat = [1] * len(window), [0] * len(window)
        ones = op.constant(np.ones((1, channels, *plain), np.float32))
        total = op.convolution(each, ones, plain, flat, flat, plain)
        node.output(0).replace(total.output(0))


def has_bf16(core: ov.Core) -> bool:
    """Whether this processor multiplies bf16 by itself, which is faster than f32."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def compile_file(content: bytes, threads: int) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A network file of another framework (.tflite) as a function: one float32 input -> its outputs, in order.

    Where the processor has bf16 it is used: MediaPipe's landmark network takes 11 instead of 16 ms, its landmarks are
    0.25 pixels of its 256 away from those in f32. content: the file's bytes, already checked. The outputs are copies.
    Synchronous; one caller at a time. Raises ModelError.
    """
    import tempfile

    core = ov.Core()
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "bf16" if has_bf16(core) else "f32",
        **UNPINNED,
    }
    try:
        with tempfile.TemporaryDirectory() as folder:  # this reader takes only paths
            path = Path(folder) / "network.tflite"
            path.write_bytes(content)
            model = core.read_model(path)
        part_narrow_convolutions(model)
        compiled = core.compile_model(model, "CPU", options)
    except Exception as error:
        raise ModelError(f"A network of MediaPipe does not run in OpenVINO here ({_reason(error)}).") from error
    request = compiled.create_infer_request()
    outputs = list(compiled.outputs)

    def run(values: np.ndarray) -> list[np.ndarray]:
        results = request.infer([values], share_inputs=True)
        return [np.array(results[port]) for port in outputs]

    return run
