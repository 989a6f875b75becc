"""Reading checkpoints: a network as it was trained, from one file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from ir_models.nets.correlation import Form
from ir_models.nets.cwm import Cwm, CwmConfig
from ir_models.nets.igm import Igm, IgmConfig
from mirror.errors import UsageError


def load_checkpoint(path: Path) -> dict[str, Any]:
    """{"config", "model", "trained_on", "metrics"} of a file that `train` wrote; tensors and plain values only are
    read from it. Raises UsageError."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"config", "model", "trained_on", "metrics"} - set(content)
    except Exception as error:  # torch raises a dozen unrelated classes for a file that is none of its own
        raise UsageError(f"{path} is not a checkpoint of this project: train one with python -m ir_models train") from (
            error
        )
    if missing:
        raise UsageError(f"{path} lacks {', '.join(sorted(missing))}: train it anew with python -m ir_models train")
    return content


def load_cwm(path: Path, form: Form = "rows") -> Cwm:
    """The warp network in evaluation mode, with its correlation in the given form."""
    content = load_checkpoint(path)
    net = Cwm(dataclasses.replace(CwmConfig(**_given(CwmConfig, content["config"])), form=form))
    return _filled(net, content, path)


def load_igm(path: Path) -> Igm:
    """The generator in evaluation mode."""
    content = load_checkpoint(path)
    return _filled(Igm(IgmConfig(**_given(IgmConfig, content["config"]))), content, path)


def _given(kind: type, config: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind) if field.init}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k in names}


def _filled(net: Any, content: dict[str, Any], path: Path) -> Any:
    try:
        net.load_state_dict(content["model"])
    except RuntimeError as error:
        raise UsageError(f"{path} holds weights of another shape than its own configuration: {error}") from error
    return net.eval()
