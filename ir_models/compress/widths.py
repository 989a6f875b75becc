"""Which layers a network's configuration holds the widths of: what pruning may narrow.

Found by trying: every number of the configuration is raised by a step, and the layers whose outputs grow with it are
its layers. So a configuration that gains a width is pruned by it with no word here, and what it cannot express (heads,
inputs) stays as it is.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

ROUND_TO = 8
"""Widths are multiples of this: what the kernels of a CPU work in."""


@dataclass(frozen=True)
class Width:
    """One number of a configuration. layers: name -> outputs of the layer for every unit of the width (1, or 4 before
    a pixel shuffle)."""

    field: str
    index: int | None
    value: int
    layers: dict[str, int]


def narrowed(width: int, ratio: float) -> int:
    """The width without so large a share of its channels, to the nearest multiple of ROUND_TO (8 at least)."""
    return max(ROUND_TO, math.floor(width * (1.0 - ratio) / ROUND_TO + 0.5) * ROUND_TO) if ratio > 0.0 else width


def narrowed_config(net: nn.Module, ratio: float) -> Any:
    """The configuration of the network, every width narrowed."""
    return with_widths(net.config, {(w.field, w.index): narrowed(w.value, ratio) for w in widths(net)})


def with_widths(config: Any, values: dict[tuple[str, int | None], int]) -> Any:
    """The configuration with other widths."""
    for (field, index), value in values.items():
        now = getattr(config, field)
        config = dataclasses.replace(config, **{field: value if index is None else _put(now, index, value)})
    return config


def widths(net: Any) -> list[Width]:
    """Every width of a network that has a `config`."""
    kind, config = type(net), net.config
    before = _outputs(kind, config)
    found = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        if not field.init or not all(isinstance(number, int) for number in numbers):
            continue
        for index, number in enumerate(numbers):
            place = index if isinstance(value, tuple) else None
            try:
                after = _outputs(kind, with_widths(config, {(field.name, place): number + ROUND_TO}))
            except (RuntimeError, TypeError, ValueError):
                continue  # a number that cannot be raised alone is no width
            grown = {name: (after[name] - size) // ROUND_TO for name, size in before.items() if after[name] != size}
            if grown:
                found.append(Width(field.name, place, number, grown))
    return found


def _outputs(kind: type[nn.Module], config: Any) -> dict[str, int]:
    """Outputs of every convolution and linear layer."""
    with torch.random.fork_rng(devices=[]):  # a network made only to be looked at draws nobody's random numbers
        net = kind(config)
    return {name: len(layer.weight) for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}


def _put(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])
