"""The quantisation table: three tools, of CWM, IGM and both, in OpenVINO and onnxruntime."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.compression_points import FIGURES_ON, Bench, Job
from bench.compression_sets import PARTS, TIMED, export_parts, judge, onnx_session, quantise, replaced
from ir_models.compress.aware import train_aware
from ir_models.compress.calibration import cases, rendered_pairs
from ir_models.compress.quantize import quantize
from ir_models.compress.static_onnx import NeuralCompressorError, quantize_onnx
from ir_models.evaluate.figures import composed
from ir_models.evaluate.fitters import TorchFitter
from ir_models.nets.cwm import Cwm
from ir_models.nets.igm import Igm
from mirror.engine import Engine, Outputs, ov
from mirror.modelset import NetworkFile, load_model_set
from mirror.tryon import NeuralFitter

ROWS = {"cwm": ("cwm",), "igm": ("igm",), "both": ("cwm", "igm")}
MB = 2**20
RUNTIME_CASES, LEVELS_APART = 24, 2.0
"""Held-out samples on which runtimes are compared, and by how many levels of 255 pictures may differ."""


def points(bench: Bench) -> list[tuple[str, Job]]:
    """Unquantised, then every tool's three rows; with --quick only post-training quantisation of the CWM."""
    jobs: list[tuple[str, Job]] = [("quantised-none", partial(_unquantised, bench))]
    makers: dict[str, Callable[[Bench, str], Path]] = {"post-training": _post_training, "aware": _aware}
    for method, make in makers.items():
        for row, kinds in _rows(bench).items():
            if bench.quick and (method, row) != ("post-training", "cwm"):
                continue
            jobs.append((f"quantised-{method}-{row}", partial(_made_row, bench, method, make, row, kinds)))
    for row, kinds in _rows(bench).items() if not bench.quick else ():
        jobs.append((f"quantised-onnx-{row}", partial(_onnx_row, bench, row, kinds)))
    return jobs


def _rows(bench: Bench) -> dict[str, tuple[str, ...]]:
    return {row: kinds for row, kinds in ROWS.items() if set(kinds) <= set(bench.kinds)}


def _unquantised(bench: Bench) -> dict[str, Any]:
    row = _openvino_row(bench, "unquantised", "none", {})
    entries = {
        name: entry
        for kind in bench.kinds
        for name, entry in load_model_set(bench.unpruned(kind)).about["networks"].items()
    }
    row["runtimes_differ"] = {name: entry.get("difference", {}) for name, entry in entries.items()}
    row["pictures_differ"] = _pictures_apart(bench)
    for kind in bench.kinds:
        row["timed"][f"{kind} in onnxruntime"] = _inside(bench, bench.unpruned(kind) / f"{TIMED[kind]}.onnx")
    row["onnx_mb"] = _size(_onnx_files(bench).values())
    return row


def _pictures_apart(bench: Bench) -> dict[str, Any]:
    """How far finished pictures of OpenVINO and onnxruntime are from torch's, all in f32 from the camera's picture on:
    levels of 255 at most, and the share of pixels off by more than LEVELS_APART. And those of OpenVINO with its
    constants stored as f16, in which the places of pixels are rounded too."""
    cwm, igm = bench.nets["cwm"], bench.nets["igm"] if "igm" in bench.kinds else None
    assert isinstance(cwm, Cwm) and (igm is None or isinstance(igm, Igm))
    trained, cases = TorchFitter(cwm, igm), bench.held_out[:RUNTIME_CASES]
    wanted = [composed(trained.fit(case.frame, case.person, case.crop, case.garment), case) for case in cases]
    found: dict[str, Any] = {"count": len(cases)}
    exact = {kind: bench.folder(f"{kind}-full-weights") for kind in bench.kinds}
    for kind, folder in exact.items():
        export_parts(bench.nets[kind], folder, half=False)
    sets = {"OpenVINO": bench.whole(**exact), "onnxruntime": bench.whole(), "OpenVINO, f16 weights": bench.whole()}
    for runtime, models in sets.items():
        fitter = NeuralFitter(models, bench.threads, bench.work / "cache", remembers=False)
        if runtime == "onnxruntime":
            fitter.engine = OnnxEngine(fitter.engine, _onnx_files(bench), bench.threads)  # type: ignore[assignment]
        apart = np.array(
            [
                np.abs(composed(fitter.fit(case.frame, case.person, case.crop, case.garment), case) - want).max(-1)
                for case, want in zip(cases, wanted, strict=True)
            ]
        )
        found[runtime] = {"most": round(float(apart.max()), 4), "beyond": float((apart > LEVELS_APART).mean())}
    return found


def _onnx_files(bench: Bench) -> dict[str, Path]:
    return {name: bench.unpruned(kind) / f"{name}.onnx" for kind in bench.kinds for name in PARTS[kind]}


def _made_row(
    bench: Bench, method: str, make: Callable[[Bench, str], Path], row: str, kinds: tuple[str, ...]
) -> dict[str, Any]:
    return _openvino_row(bench, method, row, {kind: make(bench, kind) for kind in kinds})


def _openvino_row(bench: Bench, method: str, row: str, parts: dict[str, Path]) -> dict[str, Any]:
    whole = bench.whole(**parts)
    sources = {kind: parts.get(kind) or bench.unpruned(kind) for kind in bench.kinds}
    files = [path for path in whole.iterdir() if path.suffix in (".xml", ".bin")]
    return {
        "table": "quantisation",
        "method": method,
        "row": row,
        "size_mb": _size(files),
        "quality": bench.quality(whole),
        "timed": {kind: _inside(bench, source / f"{TIMED[kind]}.xml") for kind, source in sources.items()},
    }


def _post_training(bench: Bench, kind: str) -> Path:
    """NNCF with accuracy control, as what ships."""
    out, source = bench.folder(f"{kind}-post-training"), bench.unpruned(kind)
    if (out / "manifest.json").is_file():
        return out
    if bench.quick:
        return quantise(source, out, kind, bench.pairs)
    engine = Engine(bench.whole(), bench.threads, bench.work / "cache")
    validation = cases(engine, rendered_pairs(bench.data, "heldout", len(bench.pairs)))
    engine.close()
    model = ov.Core().read_model(source / f"{TIMED[kind]}.xml")
    return replaced(source, out, kind, quantize(model, TIMED[kind], bench.pairs, validation))


def _aware(bench: Bench, kind: str) -> Path:
    out, source = bench.folder(f"{kind}-aware"), bench.unpruned(kind)
    if (out / "manifest.json").is_file():
        return out
    place = bench.work / "checkpoints" / f"{kind}-aware-{bench.training(kind)}.pt"
    model = train_aware(
        bench.nets[kind], bench.task(kind), bench.pairs, bench.minutes, place, time.process_time, FIGURES_ON
    )
    return replaced(source, out, kind, model)


def _onnx_row(bench: Bench, row: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """neural-compressor's, run by onnxruntime; where the package does not run, a row that says why."""
    report: dict[str, Any] = {"table": "quantisation", "method": "neural-compressor, ONNX", "row": row}
    files = _onnx_files(bench)
    for kind in kinds:
        name = TIMED[kind]
        made = bench.folder("onnx") / f"{name}.onnx"
        made.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not made.is_file():
                quantize_onnx(files[name], made, [pair.inputs[name] for pair in bench.pairs])
        except NeuralCompressorError as error:
            return report | {"note": str(error)}
        files[name] = made
    fitter = NeuralFitter(bench.whole(), bench.threads, bench.work / "cache", remembers=False)
    fitter.engine = OnnxEngine(fitter.engine, files, bench.threads)  # type: ignore[assignment]
    return report | {
        "size_mb": _size(files.values()),
        "quality": judge(bench.held_out, fitter) | bench.flicker(fitter),
        "timed": {f"{kind} in onnxruntime": _inside(bench, files[TIMED[kind]]) for kind in bench.kinds},
    }


class OnnxEngine:
    """Stands for the mirror's engine: the same networks, run by onnxruntime."""

    def __init__(self, engine: Engine, files: dict[str, Path], threads: int) -> None:
        self.models = engine.models
        self.networks = {name: OnnxNetwork(engine[name].spec, path, threads) for name, path in files.items()}

    def __contains__(self, name: str) -> bool:
        return name in self.networks

    def __getitem__(self, name: str) -> OnnxNetwork:
        return self.networks[name]


class OnnxNetwork:
    def __init__(self, spec: NetworkFile, path: Path, threads: int) -> None:
        self.spec, self.session = spec, onnx_session(path, threads)

    def run(self, inputs: dict[str, np.ndarray]) -> Outputs:
        wanted = {port.name for port in self.session.get_inputs()}
        names = [port.name for port in self.session.get_outputs()]
        given = {name: value.astype(np.float32) for name, value in inputs.items() if name in wanted}
        return dict(zip(names, self.session.run(names, given), strict=True))

    def submit(self, inputs: dict[str, np.ndarray], then: Callable[[Outputs], Any]) -> Any:
        return then(self.run(inputs))


def _inside(bench: Bench, path: Path) -> str:
    return str(path.relative_to(bench.work))


def _size(files: Any) -> float:
    return round(sum(path.stat().st_size for path in files) / MB, 3)
