"""`python -m ir_models quantize`: a model set -> one in which the wide convolutions run in INT8.

Post-training quantisation by NNCF with accuracy control: layers are taken back to float, the most harmful first, until
the drift against the same network in float is tolerated (`ir_models.compress.drift` states the metric). Only
convolutions are quantised at all: grid arithmetic, GridSample and the correlation's matrix products stay in float. In
the CWM so do the flow heads and other narrow ends, and the first convolution, which reads coordinates. Quantising
everything moved the prototype's flow by 4.5 pixels and won nothing: a coordinate does not fit into 256 steps.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ir_models.compress.calibration import Case, cases, rendered_pairs, sketched_pairs
from ir_models.compress.drift import DRIFTS, Drift, mean_drift, share_of_tolerated
from ir_models.convert import CPU_OPTIONS
from ir_models.writing import save_network, write_manifest
from mirror.engine import Engine, ov
from mirror.errors import ModelError, UsageError
from mirror.modelset import load_model_set

import nncf  # isort: skip  (after mirror.engine: it imports openvino too)

MIN_CHANNELS = 16
"""Convolutions of the CWM with fewer outputs stay in float: flow and mask heads, where INT8 harms most."""
HEAD = ".answer"
"""In the name of a convolution that ends a level of the flow: steps and what speaks for each layer, 16 outputs."""
COORDINATES = ("cwm_garment", "cwm_person")
"""Networks that read and answer with coordinates. The generator reads and answers with pictures of 256 levels."""
RESTORE_ON = 24
"""Cases on which single layers are judged; the final figures are taken on all."""


def quantize(model: ov.Model, name: str, calibration: Sequence[Case], validation: Sequence[Case]) -> ov.Model:
    """An INT8 version of one network of a set whose mean drift on `validation` is tolerated, or as near as it gets."""

    def transform(case: Case) -> dict[str, np.ndarray]:
        return case.inputs[name]

    def score(compiled: Any, feeds: Iterable[dict[str, np.ndarray]]) -> tuple[float, None]:
        """1 - share of the tolerated drift. `feeds` are the inputs of the first cases, in order."""
        drifts = [_drift(compiled, name, case) for case, _ in zip(validation, feeds, strict=False)]
        return 1.0 - share_of_tolerated(mean_drift(drifts)), None

    return nncf.quantize_with_accuracy_control(
        model,
        nncf.Dataset(calibration, transform),
        nncf.Dataset(validation, transform),
        score,
        max_drop=1.0,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(calibration),
        ignored_scope=kept_in_float(model, ends=name in COORDINATES),
        advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(ranking_subset_size=RESTORE_ON),
    )


def kept_in_float(model: ov.Model, ends: bool) -> nncf.IgnoredScope:
    """Every operation but convolutions. ends: also narrow convolutions and those that read the inputs themselves."""
    types = {op.get_type_name() for op in model.get_ordered_ops()} - {"Convolution"}
    names = []
    for op in model.get_ordered_ops() if ends else ():
        if op.get_type_name() == "Convolution":
            head = op.get_output_shape(0)[1] < MIN_CHANNELS or HEAD in op.get_friendly_name()
            if head or _reads_input(op):
                names.append(op.get_friendly_name())
    return nncf.IgnoredScope(names=names, types=sorted(types), validate=False)


def _reads_input(convolution: Any) -> bool:
    """Whether nothing but joining, cutting and arithmetic lies between the convolution and the network's inputs."""
    ahead, seen = [convolution.input_value(0).get_node()], set()
    while ahead:
        node = ahead.pop()
        if node.get_type_name() in ("Convolution", "MatMul"):
            return False
        if node.get_friendly_name() in seen:
            continue
        seen.add(node.get_friendly_name())
        ahead += [value.get_node() for value in node.input_values()]
    return True


def measure(model: ov.Model | Path, name: str, validation: Sequence[Case]) -> Drift:
    """Mean drift of a network against the answers of the cases."""
    compiled = ov.Core().compile_model(model, "CPU", CPU_OPTIONS)
    return mean_drift([_drift(compiled, name, case) for case in validation])


def median_ms(model: ov.Model | Path, feeds: Sequence[dict[str, np.ndarray]], threads: int, repeats: int) -> float:
    """Median wall time of one inference, milliseconds."""
    compiled = ov.Core().compile_model(model, "CPU", CPU_OPTIONS | {"INFERENCE_NUM_THREADS": threads})
    request = compiled.create_infer_request()
    spent = []
    for turn in range(repeats + 5):
        begun = time.perf_counter()
        request.infer(feeds[turn % len(feeds)])
        spent.append(time.perf_counter() - begun)
    return float(np.median(spent[5:])) * 1e3


def quantised_convolutions(model: ov.Model) -> tuple[int, int]:
    """(convolutions fed by a quantiser, convolutions in all)."""
    convolutions = [op for op in model.get_ordered_ops() if op.get_type_name() == "Convolution"]
    fed = [op.input_value(0).get_node().get_type_name() == "FakeQuantize" for op in convolutions]
    return sum(fed), len(convolutions)


def _drift(compiled: Any, name: str, case: Case) -> Drift:
    answer = compiled(case.inputs[name])
    found = {port.any_name: answer[port] for port in compiled.outputs}
    return DRIFTS[name](case.answers[name], found, case.inputs[name])


def make_cases(models: Path, data: Path | None, count: int) -> tuple[list[Case], list[Case]]:
    """Calibration and validation, each with the answers of the set as it is."""
    with tempfile.TemporaryDirectory() as cache:
        engine = Engine(models, cache=Path(cache))
        if data is None:
            both = [cases(engine, sketched_pairs(count, seed)) for seed in (1, 2)]
        else:
            both = [cases(engine, rendered_pairs(data, split, count)) for split in ("train", "heldout")]
        engine.close()
    return both[0], both[1]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ir_models quantize", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--models", type=Path, default=Path("ir_models/default"), metavar="DIR", help="a set in float")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data", type=Path, metavar="DIR", help="rendered samples; without them, sketches")
    parser.add_argument("--samples", type=int, default=96, metavar="N", help="to calibrate on, and to measure on")
    parser.add_argument("--networks", default="cwm_person,igm", metavar="NAMES", help="which; the others are copied")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=60, help="timed inferences a network")
    args = parser.parse_args(argv)
    if args.out.resolve() == args.models.resolve():
        raise UsageError("--out must be another folder than --models.")
    logging.getLogger("nncf").setLevel(logging.WARNING)
    models = load_model_set(args.models)
    names = [name for name in args.networks.split(",") if name]
    if unknown := [name for name in names if name not in models.networks]:
        raise UsageError(f"{args.models} has no network {unknown[0]}: it has {', '.join(models.networks)}.")
    for name, entry in models.about["networks"].items():
        if name in names and "quantised" in entry:
            raise ModelError(f"{name} in {args.models} is quantised already: give the set as it was exported.")
    calibration, validation = make_cases(args.models, args.data, args.samples)
    about = _without_hashes(models.about)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, entry in about["networks"].items():
        if name in names:
            _quantize_one(args, name, entry, calibration, validation)
        else:
            for suffix in (".xml", ".bin"):
                shutil.copyfile(args.models / f"{name}{suffix}", args.out / f"{name}{suffix}")
    manifest = write_manifest(args.out, about)
    total = sum(entry["size_mb"] for entry in manifest["networks"].values())
    before = sum(entry["size_mb"] for entry in models.about["networks"].values())
    print(f"Wrote {args.out}: {total:.2f} MB (was {before:.2f}).")
    return 0


def _quantize_one(
    args: argparse.Namespace, name: str, entry: dict[str, Any], calibration: list[Case], validation: list[Case]
) -> None:
    source = args.models / f"{name}.xml"
    model = ov.Core().read_model(source)
    everything = nncf.quantize(
        model,
        nncf.Dataset(calibration, lambda case: case.inputs[name]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
    )
    naive = measure(everything, name, validation)
    quantised = quantize(ov.Core().read_model(source), name, calibration, validation)
    save_network(quantised, args.out, name, compress_to_fp16=True)
    drift = measure(args.out / f"{name}.xml", name, validation)
    eight, convolutions = quantised_convolutions(quantised)
    feeds = [case.inputs[name] for case in validation[:8]]
    was_ms = median_ms(source, feeds, args.threads, args.repeats)
    is_ms = median_ms(args.out / f"{name}.xml", feeds, args.threads, args.repeats)
    naive_ms = median_ms(everything, feeds, args.threads, args.repeats)
    entry["precision"] = f"int8 in {eight} of {convolutions} convolutions, else f32" if eight else "f32"
    entry.pop("onnx", None)
    entry["quantised"] = {
        "by": "NNCF, post-training, accuracy control",
        "convolutions in int8": f"{eight} of {convolutions}",
        **{what: round(value, 4) for what, value in drift.items()},
        **{f"{what}; with everything in int8": round(value, 4) for what, value in naive.items()},
        "ms, before": round(was_ms, 2),
        "ms, after": round(is_ms, 2),
        "ms, with everything in int8": round(naive_ms, 2),
        "size before, MB": entry["size_mb"],
        "cases": f"{len(calibration)} to calibrate, {len(validation)} to measure, "
        + ("rendered" if args.data else "sketched"),
    }
    print(f"{name}: {json.dumps(entry['quantised'], indent=2)}")


def _without_hashes(about: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy({k: v for k, v in about.items() if k not in ("files", "versions", "schema")})
    for entry in kept["networks"].values():
        entry.pop("onnx", None)
    return kept
