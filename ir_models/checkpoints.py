"""Checkpoints of the training -> networks. A checkpoint holds {"config", "model", "trained_on", "metrics"}."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ir_models.nets.cwm import Cwm, CwmConfig
from ir_models.nets.igm import Igm, IgmConfig
from mirror.errors import ModelError

C = TypeVar("C")


@dataclass(frozen=True)
class Origin:
    """Where a network's weights come from: what the model card says of it."""

    trained_on: str
    metrics: dict[str, Any]
    config: dict[str, Any]


def load_cwm(path: Path) -> tuple[Cwm, Origin]:
    """Raises ModelError, one sentence, for a file that is no checkpoint of a CWM."""
    state = _read(path)
    net = Cwm(config_of(CwmConfig, state["config"], path))
    return _filled(net, state, path), _origin(state)


def load_igm(path: Path) -> tuple[Igm, Origin]:
    """Raises ModelError, one sentence, for a file that is no checkpoint of an IGM."""
    state = _read(path)
    net = Igm(config_of(IgmConfig, state["config"], path))
    return _filled(net, state, path), _origin(state)


def begin_with(net: nn.Module, path: Path) -> int:
    """Copy a checkpoint's weights into `net` as far as names and shapes are the same; returns how many tensors fitted.

    Raises ModelError for a file that is no checkpoint, or one of which nothing fits.
    """
    own = net.state_dict()
    fitting = {k: v for k, v in _read(path)["model"].items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise ModelError(f"No weight of {path} fits the network: begin without it.")
    net.load_state_dict(own | fitting)
    return len(fitting)


def story_of(path: Path) -> str:
    """What a checkpoint was trained on. Raises ModelError for a file that is none."""
    return _origin(_read(path)).trained_on


def save(path: Path, net: Cwm | Igm, trained_on: str, metrics: dict[str, Any]) -> None:
    """Write a network as the training does."""
    config = dataclasses.asdict(net.config)
    torch.save({"config": config, "model": net.state_dict(), "trained_on": trained_on, "metrics": metrics}, path)


def load_tensors(path: Path, remedy: str) -> Any:
    """What a torch file holds; nothing but plain data is unpickled. Raises ModelError: what is wrong, and `remedy`."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist: {remedy}.") from None
    except Exception as error:  # bytes that are no checkpoint end in whatever the unpickler stumbles on
        raise ModelError(f"{path} is not a checkpoint of plain tensors: {remedy}.") from error


def _read(path: Path) -> dict[str, Any]:
    state = load_tensors(path, "train one with `python -m ir_models train`")
    if not isinstance(state, dict) or not isinstance(state.get("config"), dict) or "model" not in state:
        raise ModelError(f"{path} is not a checkpoint of the training: train one with `python -m ir_models train`.")
    return state


def config_of(kind: type[C], saved: dict[str, Any], path: Path) -> C:
    """The configuration as saved. What the maps determine is compared, not set."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items() if k in fields and fields[k].init}
    try:
        if unknown := saved.keys() - fields.keys():
            raise TypeError(f"it has the unknown entries {', '.join(sorted(unknown))}")
        config = kind(**given)
    except TypeError as error:
        raise ModelError(f"{path} is not a checkpoint of a {kind.__name__}: {error}.") from error
    for name, value in saved.items():
        if not fields[name].init and getattr(config, name) != value:
            raise ModelError(
                f"{path} was trained with {value} {name.replace('_', ' ')}, this version has {getattr(config, name)}: "
                "train it again."
            )
    return config


def _filled(net: nn.Module, state: dict[str, Any], path: Path) -> Any:
    try:
        net.load_state_dict(state["model"])
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = [line.strip() for line in str(error).splitlines()][-1]
        raise ModelError(f"{path} does not fit this version's networks ({reason}): train it again.") from error
    return net.eval()


def _origin(state: dict[str, Any]) -> Origin:
    return Origin(str(state.get("trained_on", "unknown")), dict(state.get("metrics", {})), dict(state["config"]))
