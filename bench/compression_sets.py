"""Model sets for the tables of compression: exported, quantised, put together, judged and timed."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ir_models.compress.calibration import Case as Pair
from ir_models.compress.quantize import COORDINATES, kept_in_float
from ir_models.compress.widths import narrowed, narrowed_config
from ir_models.convert import CPU_OPTIONS, Plan, greatest_difference, run_onnx, run_openvino, to_onnx, to_openvino
from ir_models.evaluate.cases import Case
from ir_models.evaluate.figures import PictureFigures, WarpFigures, composed
from ir_models.evaluate.perceptual import gmsd
from ir_models.nets.cwm import Cwm, CwmConfig
from ir_models.nets.igm import Igm
from ir_models.nets.pfafn import Generator, GeneratorConfig, WarpConfig, WarpNet
from ir_models.plans import GARMENT, GENERATOR, PERSON, plans
from ir_models.train.shards import Part
from ir_models.writing import describe, gmac, numpy_inputs, save_network, write_manifest
from mirror.engine import ov
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.modelset import load_model_set

PARTS = {"cwm": (GARMENT, PERSON), "igm": (GENERATOR,)}
TIMED = {"cwm": PERSON, "igm": GENERATOR}
"""What of a network runs for every frame."""
MB = 2**20


def export_parts(net: Cwm | Igm, folder: Path, onnx: bool = False, half: bool = True) -> None:
    """The network alone as a folder of IR, with what the manifest would say of it. half: weights are stored as f16."""
    entries = {}
    for plan in plans_of(net):
        model = to_openvino(plan)
        save_network(model, folder, plan.name, compress_to_fp16=half)
        entries[plan.name] = describe(plan, "f32, weights stored as f16" if half else "f32")
        if onnx:
            inputs = numpy_inputs(plan)
            to_onnx(plan, folder / f"{plan.name}.onnx")
            wanted = plan.run(inputs)
            entries[plan.name]["difference"] = {
                "OpenVINO": max(greatest_difference(wanted, run_openvino(model, inputs)).values()),
                "onnxruntime": max(
                    greatest_difference(wanted, run_onnx(folder / f"{plan.name}.onnx", inputs)).values()
                ),
            }
    write_manifest(folder, {"name": "one network", "networks": entries})


def plans_of(net: Cwm | Igm) -> list[Plan]:
    return plans(net, None) if isinstance(net, Cwm) else plans(Cwm(CwmConfig()), net)[-1:]


def put_together(folder: Path, **sources: Path) -> Path:
    """A whole set of a CWM's and, if there is one, an IGM's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for kind, source in sources.items():
        known = load_model_set(source).about["networks"]
        for name in PARTS[kind]:
            entries[name] = {key: value for key, value in copy.deepcopy(known[name]).items() if key != "onnx"}
            for suffix in (".xml", ".bin"):
                shutil.copyfile(source / f"{name}{suffix}", folder / f"{name}{suffix}")
    write_manifest(folder, {"name": "compression", "networks": entries})
    return folder


def quantise(source: Path, out: Path, kind: str, pairs: Sequence[Pair]) -> Path:
    """The network of a folder in INT8 by NNCF, post-training, the same operations as in what ships but with no layer
    taken back: for a table of speed it need not be tuned."""
    out.mkdir(parents=True, exist_ok=True)
    about = copy.deepcopy(load_model_set(source).about["networks"])
    for name in PARTS[kind]:
        for suffix in (".xml", ".bin"):
            shutil.copyfile(source / f"{name}{suffix}", out / f"{name}{suffix}")
    name = TIMED[kind]
    model = ov.Core().read_model(source / f"{name}.xml")
    feeds = nncf.Dataset(list(pairs), lambda pair: pair.inputs[name])
    options = {"preset": nncf.QuantizationPreset.MIXED, "subset_size": len(pairs)}
    scope = kept_in_float(model, ends=name in COORDINATES)
    save_network(nncf.quantize(model, feeds, ignored_scope=scope, **options), out, name, compress_to_fp16=True)
    about[name]["precision"] = "int8"
    write_manifest(out, {"name": "one network", "networks": about})
    return out


def replaced(source: Path, out: Path, kind: str, model: ov.Model) -> Path:
    """The folder with another model for what runs every frame."""
    put = {name: copy.deepcopy(entry) for name, entry in load_model_set(source).about["networks"].items()}
    out.mkdir(parents=True, exist_ok=True)
    for name in PARTS[kind]:
        for suffix in (".xml", ".bin"):
            shutil.copyfile(source / f"{name}{suffix}", out / f"{name}{suffix}")
    save_network(model, out, TIMED[kind], compress_to_fp16=True)
    put[TIMED[kind]]["precision"] = "int8"
    write_manifest(out, {"name": "one network", "networks": put})
    return out


def judge(cases: Sequence[Case], fitter: Any) -> dict[str, float]:
    """{"epe_px", "coverage_iou", "ssim", "gmsd", "count"} of a set's fits of held-out samples."""
    warps, pictures, edges = WarpFigures(), PictureFigures(), []
    for case in cases:
        fit = fitter.fit(case.frame, case.person, case.crop, case.garment)
        warps.add(fit, case)
        pictures.add(fit, case)
        body = (case.truth["parts_a"] != Part.BACKGROUND) | (case.truth["parts_b"] != Part.BACKGROUND)
        edges.append(gmsd(composed(fit, case), case.truth["target"].astype(np.float32), body))
    warp, picture = warps.summary(), pictures.summary()
    found = {"epe_px": warp["epe_px"]["mean"], "coverage_iou": warp["coverage_iou"], "ssim": picture["ssim"]}
    found |= {name: picture[name] for name in ("l1_garment", "l1_repair") if name in picture}
    return {name: round(float(value), 5) for name, value in found.items()} | {
        "gmsd": round(float(np.mean(edges)), 5),
        "count": len(cases),
    }


def times(runs: dict[str, Callable[[], Any]], seconds: float, warm_up: int = 5) -> dict[str, float]:
    """Median milliseconds of every call, taken in turn so that all meet the same load."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        for _ in range(warm_up):
            run()
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or min(map(len, spent.values())) < 3:
        for name, run in runs.items():
            for _ in range(3):
                at = time.perf_counter()
                run()
                spent[name].append((time.perf_counter() - at) * 1e3)
    return {name: round(float(np.median(values)), 3) for name, values in spent.items()}


def timed_run(file: Path, feed: dict[str, np.ndarray], threads: int) -> Callable[[], Any]:
    """One inference of an IR or ONNX file. A pruned network's inputs have fewer channels than the feed's: any numbers
    do for a time, but not any shape."""
    if file.suffix == ".onnx":
        session = onnx_session(file, threads)
        given = {port.name: _of_shape(feed[port.name], tuple(port.shape)) for port in session.get_inputs()}
        return lambda: session.run(None, given)
    options = CPU_OPTIONS | {"INFERENCE_NUM_THREADS": threads}
    compiled = ov.Core().compile_model(file, "CPU", options)
    fed = {port.any_name: _of_shape(feed[port.any_name], tuple(port.shape)) for port in compiled.inputs}
    request = compiled.create_infer_request()
    return lambda: request.infer(fed)


def onnx_session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _of_shape(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return values if values.shape == shape else np.resize(values, shape)


def weight(net: nn.Module) -> dict[str, float]:
    """{"params_m", "size_mb"}: millions of parameters, and their size in f32."""
    params = sum(parameter.numel() for parameter in net.parameters())
    return {"params_m": round(params / 1e6, 4), "size_mb": round(params * 4 / MB, 3)}


def shapes(nets: dict[str, Any], ratios: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """GMAC, parameters and size of every ratio's network, and of PF-AFN's narrowed alike: what shapes alone settle."""
    rows = []
    whole = {kind: weight(net) for kind, net in nets.items()}
    total = sum(entry["size_mb"] for entry in whole.values())
    for ratio in sorted({0.0}.union(*ratios.values())):
        theirs = published(ratio)
        for kind, net in nets.items():
            if ratio and ratio not in ratios[kind]:
                continue
            slim = type(net)(narrowed_config(net, ratio)).eval()
            own = weight(slim)
            rest = total - whole[kind]["size_mb"] + own["size_mb"]
            rows.append(
                {
                    "network": kind,
                    "ratio": ratio,
                    "gmac": round(sum(gmac(plan) for plan in plans_of(slim)), 4),
                    **own,
                    "total_mb": round(rest, 3),
                    "compression": round(total / rest, 3),
                    "published": theirs[kind],
                }
            )
    return rows


def published(ratio: float) -> dict[str, dict[str, float]]:
    """GMAC, parameters and size of PF-AFN with every published width narrowed by so much: {"cwm": ..., "igm": ...}.

    Random weights, on a quarter of the canvas: the work of convolutions grows with the pixels, exactly. Without the
    correlation, which is no layer (0.2 GMAC)."""

    def fewer(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(narrowed(value, ratio) for value in values)

    warp, generator = WarpConfig(), GeneratorConfig()
    slim = WarpConfig(fewer(warp.encoder), narrowed(warp.pyramid, ratio), fewer(warp.heads), correlation="shifted")
    nets = {"cwm": WarpNet(slim), "igm": Generator(GeneratorConfig(fewer(generator.widths)))}
    given = [torch.zeros(1, channels, CANVAS_H // 2, CANVAS_W // 2) for channels in (3, 3, 1)]
    found = {}
    for name, net in nets.items():
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            net.eval()(*(given[:2] if name == "cwm" else given))
        found[name] = {"gmac": round(4 * counter.get_total_flops() / 2e9, 3), **weight(net)}
    return found
