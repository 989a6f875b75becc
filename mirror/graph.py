"""OpenVINO's nodes in place of arrays: what `either.py` draws with numpy becomes one compiled graph.

Maps of 128 x 96 are so small that numpy's calls, a few hundred of them, take longer than their arithmetic, and hold the
interpreter's lock, which other stages wait for. The same Python, run once with nodes, gives a graph of the same
arithmetic. Only what `maps.py` and `skin.py` ask of arrays is here, with shapes that are known.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mirror.engine import UNPINNED, kept_in, op, ov, user_cache

Value = Any
"""A Node, a number or an array."""
_FLOAT = (float(np.finfo(np.float32).min), float(np.finfo(np.float32).max))


class Node:
    """A node with one output. It calculates as a float32 array does, and broadcasts as that."""

    device = None

    def __init__(self, made: Any) -> None:
        self.made = made

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.made.output(0).shape)

    def __add__(self, other: Value) -> Node:
        return Node(op.add(self.made, _made(other)))

    def __radd__(self, other: Value) -> Node:
        return Node(op.add(_made(other), self.made))

    def __sub__(self, other: Value) -> Node:
        return Node(op.subtract(self.made, _made(other)))

    def __rsub__(self, other: Value) -> Node:
        return Node(op.subtract(_made(other), self.made))

    def __mul__(self, other: Value) -> Node:
        return Node(op.multiply(self.made, _made(other)))

    def __rmul__(self, other: Value) -> Node:
        return Node(op.multiply(_made(other), self.made))

    def __truediv__(self, other: Value) -> Node:
        return Node(op.divide(self.made, _made(other)))

    def __rtruediv__(self, other: Value) -> Node:
        return Node(op.divide(_made(other), self.made))

    def __pow__(self, power: float) -> Node:
        if power == 2:
            return self * self
        return Node(op.sqrt(self.made)) if power == 0.5 else Node(op.power(self.made, _made(power)))

    def __neg__(self) -> Node:
        return Node(op.negative(self.made))

    def __abs__(self) -> Node:
        return Node(op.absolute(self.made))

    def __lt__(self, other: Value) -> Node:
        return Node(op.less(self.made, _made(other)))

    def __getitem__(self, key: Any) -> Node:
        made, axis = self.made, 0
        for k in key if isinstance(key, tuple) else (key,):
            if k is None:
                made = op.unsqueeze(made, _whole([axis]))
                axis += 1
            elif isinstance(k, slice):
                if (k.start, k.stop, k.step) != (None, None, None):
                    ends = (k.start or 0, np.iinfo(np.int64).max if k.stop is None else k.stop, k.step or 1)
                    made = op.slice(made, *(_whole([end]) for end in ends), _whole([axis]))
                axis += 1
            else:
                made = op.gather(made, _whole(k), _whole(axis))
        return Node(made)

    def clip(self, low: float | None, high: float | None) -> Node:
        ends = (-np.inf if low is None else low, np.inf if high is None else high)
        least, most = (float(np.clip(end, *_FLOAT)) for end in ends)
        return Node(op.clamp(self.made, least, most))

    def sum(self, axes: int | Sequence[int]) -> Node:
        return Node(op.reduce_sum(self.made, _whole(axes), keep_dims=False))

    def swapaxes(self, one: int, other: int) -> Node:
        order = list(range(len(self.shape)))
        order[one], order[other] = order[other], order[one]
        return Node(op.transpose(self.made, _whole(order)))


def as_tensor(value: np.ndarray) -> Node:
    """A constant."""
    return Node(op.constant(np.asarray(value, np.float32)))


def exp(x: Node) -> Node:
    """As numpy has it; so have all of these."""
    return Node(op.exp(x.made))


def where(condition: Node, a: Value, b: Value) -> Node:
    return Node(op.select(condition.made, _made(a), _made(b)))


def maximum(a: Value, b: Value) -> Node:
    return Node(op.maximum(_made(a), _made(b)))


def minimum(a: Value, b: Value) -> Node:
    return Node(op.minimum(_made(a), _made(b)))


def stack(nodes: Sequence[Node], axis: int) -> Node:
    return Node(op.concat([op.unsqueeze(node.made, _whole([axis])) for node in nodes], axis))


class Drawing:
    """What a function of nodes draws, as a function of float32 arrays, from any thread. A person's maps take it 0.5 ms,
    numpy 2 to 3."""

    def __init__(self, draw: Callable[..., Sequence[Node]], *shapes: tuple[int, ...]) -> None:
        """shapes: of its arguments. Takes half a second."""
        given = [op.parameter(ov.Shape(shape), ov.Type.f32) for shape in shapes]
        model = ov.Model([op.result(node.made) for node in draw(*map(Node, given))], given)
        options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", **UNPINNED}
        options |= kept_in(user_cache() / "drawings")
        self._network = ov.Core().compile_model(model, "CPU", options)
        self._own = threading.local()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """float32 arrays of the shapes promised -> what is drawn, arrays of their own. ValueError: one does not fit."""
        if not hasattr(self._own, "request"):
            self._own.request = self._network.create_infer_request()
            self._own.given = [np.zeros(port.shape, np.float32) for port in self._network.inputs]
        for place, array in zip(self._own.given, arrays, strict=True):
            np.copyto(place, array)
        made = self._own.request.infer(self._own.given, share_inputs=True, share_outputs=True)
        return [made[port].copy() for port in self._network.outputs]


def _made(value: Value) -> Any:
    return value.made if isinstance(value, Node) else op.constant(np.asarray(value, np.float32))


def _whole(value: Any) -> Any:
    return op.constant(np.asarray(value, np.int64))
