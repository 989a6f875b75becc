"""The networks that `bench speed` runs side by side, each as one call that answers one frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.machine import OPTIONS
from ir_models.checkpoints import config_of
from ir_models.compress.calibration import cases, sketched_pairs
from ir_models.compress.quantize import COORDINATES, kept_in_float
from ir_models.convert import Plan, to_openvino
from ir_models.nets import cwm as cwm_net
from ir_models.nets import igm as igm_net
from ir_models.nets.correlation import Form
from ir_models.nets.cwm import Cwm, CwmConfig
from ir_models.nets.igm import Igm, IgmConfig
from ir_models.nets.pfafn import Generator, GeneratorConfig, TryOn, WarpConfig, WarpNet
from ir_models.plans import GARMENT, plans
from mirror.engine import Engine, ov
from mirror.modelset import load_model_set

PRUNED_WARP = WarpConfig(encoder=(48, 96, 192, 192, 192), pyramid=192, heads=(96, 48, 24), correlation="im2col")
PRUNED_GENERATOR = GeneratorConfig(widths=(56, 104, 216, 432, 432))
"""Widths as after the original work's pruning: 3.8 GMAC an encoder, 15.5 GMAC in the generator."""
CALIBRATION = 2
"""Random pictures that the published networks are calibrated on: speed does not depend on it."""


@dataclass(frozen=True)
class Part:
    """One network of a contender. model: in memory, or the file of a checked set."""

    name: str
    model: ov.Model | Path
    feed: dict[str, np.ndarray]
    gmac: float


@dataclass(frozen=True)
class Contender:
    """run answers one frame. gmac, params_m: of what runs for a frame, and of all its weights."""

    name: str
    run: Callable[[], Any]
    gmac: float
    params_m: float
    parts: tuple[Part, ...] = ()


def published_in_torch(form: Form) -> Contender:
    """PF-AFN at its published widths, garment branch included, as its own code runs it."""
    net = _published(WarpConfig(correlation=form), GeneratorConfig())
    pictures = _pictures()

    def run() -> Any:
        with torch.inference_mode():
            return net(*pictures)

    return Contender(f"pfafn-torch-{form}", run, _gmac(net, pictures), _params_m(net))


def published_in_openvino(int8: bool, threads: int) -> Contender:
    """The same, the correlation in its plain form."""
    name = "pfafn-ov-int8" if int8 else "pfafn-ov-f32"
    return _whole(name, WarpConfig(correlation="shifted"), GeneratorConfig(), int8, threads)


def original_recipe(threads: int) -> Contender:
    """The original work: pruned, INT8, im2col."""
    return _whole("original-ov-int8", PRUNED_WARP, PRUNED_GENERATOR, True, threads)


def encoder_gmac(config: WarpConfig) -> float:
    """Of one of the warp network's two encoders."""
    return _gmac(WarpNet(config).eval().image_features, _pictures()[:1])


def mirror_in_float(models: Path, threads: int) -> Contender:
    """The networks that ship, in f32, random weights, garment features cached."""
    cwm, igm = _configs(models)
    made = plans(Cwm(cwm), Igm(igm))
    parts = [_part(plan, to_openvino(plan)) for plan in made if plan.name != GARMENT]
    return _of_parts("mirror-ov-f32", parts, sum(_params_m(plan.module) for plan in made), threads)


def mirror_as_shipped(models: Path, threads: int, cache: Path) -> tuple[Contender, str]:
    """The set that ships, as it ships. Without one: its widths with random weights, quantised without control.

    Returns the contender and where it comes from."""
    if (models / "manifest.json").is_file():
        about = load_model_set(models).about["networks"]
        engine = Engine(models, threads, cache)  # checks every file
        case = cases(engine, sketched_pairs(1, 0))[0]
        engine.close()
        parts = [
            Part(name, models / about[name]["xml"], feed, about[name]["gmac"])
            for name, feed in case.inputs.items()
            if name != GARMENT
        ]
        params = sum(entry["params_m"] for entry in about.values())
        return _of_parts("mirror-ov-shipped", parts, params, threads), str(models)
    contender = _mirror_in_int8("mirror-ov-shipped", CwmConfig(), IgmConfig(), threads)
    return contender, "random weights, no model set there"


def mirror_full_in_int8(threads: int) -> Contender:
    """The larger configuration of the mirror's networks, random weights, quantised without control."""
    return _mirror_in_int8("mirror-ov-full-int8", cwm_net.CONFIGS["full"], igm_net.CONFIGS["full"], threads)


def _mirror_in_int8(name: str, cwm: CwmConfig, igm: IgmConfig, threads: int) -> Contender:
    torch.manual_seed(0)
    made = plans(Cwm(cwm), Igm(igm))
    parts = []
    for plan in made:
        if plan.name != GARMENT:
            model = to_openvino(plan)
            scope = kept_in_float(model, plan.name in COORDINATES)
            parts.append(_part(plan, _quantised(model, [_feed(plan)], scope)))
    return _of_parts(name, parts, sum(_params_m(plan.module) for plan in made), threads)


def _configs(models: Path) -> tuple[CwmConfig, IgmConfig]:
    manifest = models / "manifest.json"
    known = json.loads(manifest.read_text())["config"] if manifest.is_file() else {}
    cwm = config_of(CwmConfig, known["cwm"], manifest) if "cwm" in known else CwmConfig()
    igm = config_of(IgmConfig, known["igm"], manifest) if "igm" in known else IgmConfig()
    return replace(cwm, form="rows"), igm


def _whole(name: str, warp: WarpConfig, generator: GeneratorConfig, int8: bool, threads: int) -> Contender:
    model, feed, gmac, params = _converted(warp, generator)
    if int8:
        rng = np.random.default_rng(0)
        feeds = [{n: rng.uniform(-1, 1, f.shape).astype(np.float32) for n, f in feed.items()}]
        model = _quantised(model, feeds * CALIBRATION, None)
    return _of_parts(name, [Part(name, model, feed, gmac)], params, threads)


@lru_cache(maxsize=1)
def _converted(warp: WarpConfig, generator: GeneratorConfig) -> tuple[ov.Model, dict[str, np.ndarray], float, float]:
    """Model, pictures, GMAC and millions of parameters; kept, because f32 and INT8 start from the same."""
    net = _published(warp, generator)
    pictures = _pictures()
    plan = Plan("pfafn", net, dict(zip(("person", "garment", "mask"), pictures, strict=True)), ("picture",))
    return to_openvino(plan), _feed(plan), _gmac(net, pictures), _params_m(net)


def _of_parts(name: str, parts: list[Part], params_m: float, threads: int) -> Contender:
    requests = [(compile_part(part, threads).create_infer_request(), part.feed) for part in parts]

    def run() -> None:
        for request, feed in requests:
            request.infer(feed)

    return Contender(name, run, sum(part.gmac for part in parts), params_m, tuple(parts))


def _part(plan: Plan, model: ov.Model) -> Part:
    return Part(plan.name, model, _feed(plan), _gmac(plan.module, tuple(plan.inputs.values())))


def compile_part(part: Part, threads: int, **options: Any) -> Any:
    """The network compiled as the mirror does."""
    return ov.Core().compile_model(part.model, "CPU", OPTIONS | {"INFERENCE_NUM_THREADS": threads} | options)


def _quantised(model: ov.Model, feeds: list[dict[str, np.ndarray]], scope: nncf.IgnoredScope | None) -> ov.Model:
    """INT8 without bias correction, which takes minutes at the published widths and changes no layer's time."""
    return nncf.quantize(
        model,
        nncf.Dataset(feeds),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(feeds),
        ignored_scope=scope,
        advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=True),
    )


def _published(warp: WarpConfig, generator: GeneratorConfig) -> TryOn:
    torch.manual_seed(0)
    return TryOn(WarpNet(warp), Generator(generator)).eval()


def _pictures() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand(1, channels, 256, 192, generator=generator) * 2.0 - 1.0 for channels in (3, 3, 1))


def _feed(plan: Plan) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in plan.inputs.items()}


def _gmac(net: nn.Module, inputs: tuple[torch.Tensor, ...]) -> float:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net(*inputs)
    return counter.get_total_flops() / 2e9


def _params_m(net: nn.Module) -> float:
    return sum(parameter.numel() for parameter in net.parameters()) / 1e6
