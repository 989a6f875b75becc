"""Model sets on disk: the networks, manifest.json and MODEL_CARD.md, each replaced whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import openvino as ov
from torch.utils.flop_counter import FlopCounterMode

from ir_models.convert import Plan
from mirror.frames import CANVAS_H, CANVAS_W
from mirror.modelset import MANIFEST, SCHEMA, load_model_set

CARD = "MODEL_CARD.md"
EVALUATED = "evaluated"
"""Entry of the manifest's metrics that holds what `evaluate` found of the set as it is."""
PACKAGES = ("torch", "openvino", "nncf", "onnx", "numpy")


def describe(plan: Plan, precision: str) -> dict[str, Any]:
    """A network's entry in the manifest, without what is measured."""
    example = {name: list(tensor.shape) for name, tensor in plan.inputs.items()}
    outputs = {name: list(array.shape) for name, array in plan.run(numpy_inputs(plan)).items()}
    inputs = [
        {"name": name, "shape": shape} | ({"channels": list(plan.channels[name])} if name in plan.channels else {})
        for name, shape in example.items()
    ]
    return {
        "xml": f"{plan.name}.xml",
        "precision": precision,
        "form": plan.form,
        "inputs": inputs,
        "outputs": [{"name": name, "shape": shape} for name, shape in outputs.items()],
        "gmac": round(gmac(plan), 4),
        "params_m": round(sum(p.numel() for p in plan.module.parameters()) / 1e6, 4),
    }


def numpy_inputs(plan: Plan) -> dict[str, Any]:
    """The example inputs as arrays."""
    return {name: tensor.numpy() for name, tensor in plan.inputs.items()}


def gmac(plan: Plan) -> float:
    """Billions of multiply-adds of one run: convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        plan.run(numpy_inputs(plan))
    return counter.get_total_flops() / 2e9


def save_network(model: ov.Model, folder: Path, name: str, compress_to_fp16: bool) -> None:
    """NAME.xml and NAME.bin, written beside and then put in place."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.part.xml"
    ov.save_model(model, part, compress_to_fp16=compress_to_fp16)
    os.replace(part.with_suffix(".bin"), folder / f"{name}.bin")
    os.replace(part, folder / f"{name}.xml")


def write_manifest(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Hash the networks' files and write manifest.json. about: `networks`, and whatever else is to be said."""
    names = [file for entry in about["networks"].values() for file in (entry["xml"], _bin(entry["xml"]))]
    names += [entry["onnx"] for entry in about["networks"].values() if "onnx" in entry]
    for entry in about["networks"].values():
        size = sum((folder / file).stat().st_size for file in (entry["xml"], _bin(entry["xml"])))
        entry["size_mb"] = round(size / 2**20, 3)
    manifest = {
        "schema": SCHEMA,
        "canvas": [CANVAS_H, CANVAS_W],
        "colour_order": "RGB, -1 .. 1",
        **about,
        "versions": versions(),
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(names)},
    }
    figures = manifest.get("metrics", {})
    if figures.get(EVALUATED, {}).get("of") != _digest(manifest):  # they were those of other networks
        manifest["metrics"] = {name: row for name, row in figures.items() if name != EVALUATED}
    _write(folder, manifest)
    return manifest


def add_figures(folder: Path, evaluated: dict[str, Any]) -> None:
    """Put what `evaluate` found into a model set's manifest and card. They go when a network of the set changes.

    evaluated: {"from": where the samples are from, "drawn" and perhaps "photos": the report of a split}.
    Raises ModelError where there is no sound model set."""
    manifest = load_model_set(folder).about
    manifest.setdefault("metrics", {})[EVALUATED] = {"of": _digest(manifest), **evaluated}
    _write(folder, manifest)


def _write(folder: Path, manifest: dict[str, Any]) -> None:
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    write_text(folder / CARD, model_card(manifest))


def _digest(manifest: dict[str, Any]) -> str:
    """Of all files of a set together."""
    return hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()


def write_text(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def versions() -> dict[str, str]:
    """Of the packages that made the set."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def model_card(manifest: dict[str, Any]) -> str:
    """MODEL_CARD.md from the manifest alone, so that the two cannot disagree."""
    lines = [f"# Model card: {manifest.get('name', 'try-on networks')}", "", manifest.get("summary", ""), ""]
    lines += ["| network | form | precision | parameters (M) | GMAC a run | size (MB) |", "|---|---|---|---|---|---|"]
    for name, entry in manifest["networks"].items():
        cells = [entry.get(key) or "-" for key in ("form", "precision", "params_m", "gmac", "size_mb")]
        lines.append("| " + " | ".join(str(cell) for cell in (name, *cells)) + " |")
    lines += ["", "`cwm_garment` runs once for a garment, the others for every fitted frame.", ""]
    lines += ["## Trained on", ""]
    lines += [f"* **{name}**: {text}" for name, text in manifest.get("trained_on", {}).items()]
    metrics = dict(manifest.get("metrics", {}))
    evaluated = metrics.pop(EVALUATED, None)
    if evaluated:
        lines += ["", "## Figures", "", *_evaluated(evaluated)]
    if any(metrics.values()):
        lines += ["", "## Figures at the end of training", "", "| network | figure | value |", "|---|---|---|"]
        for name, figures in metrics.items():
            lines += [f"| {name} | {figure} | {_number(value)} |" for figure, value in figures.items()]
    for title, key in (("Conversion", "difference"), ("Quantisation", "quantised")):
        rows = {name: entry[key] for name, entry in manifest["networks"].items() if key in entry}
        if rows:
            lines += ["", f"## {title}", "", "| network | figure | value |", "|---|---|---|"]
            for name, figures in rows.items():
                lines += [f"| {name} | {figure} | {_number(value)} |" for figure, value in figures.items()]
    for title, key in (("Choice", "choice"), ("Limits", "limits"), ("Rebuild", "rebuild"), ("Licence", "licence")):
        if manifest.get(key):
            lines += ["", f"## {title}", "", manifest[key]]
    versions_line = ", ".join(f"{name} {version}" for name, version in manifest.get("versions", {}).items())
    lines += ["", f"Made with {versions_line}. SHA-256 of every file: `{MANIFEST}`.", ""]
    return "\n".join(lines)


def _evaluated(evaluated: dict[str, Any]) -> list[str]:
    """Tables of what `evaluate` found: warps, then finished pictures."""
    splits = {split: report for split, report in evaluated.items() if isinstance(report, dict)}
    lines = [
        f"Held-out people and garments, {evaluated['from']} (`python -m ir_models evaluate`). Errors of the warp on",
        "visible front pixels, in pixels at which the garment's shoulders are 77 wide.",
        "",
        "| samples | fit | count | error, mean | median | p90 | coverage IoU |",
        "|---|---|---|---|---|---|---|",
    ]
    for split, report in splits.items():
        for name, words in _WARPS.items():
            rows = {split: report[name]} if name in report else {}
            rows |= {
                f"{split}, {sleeves} sleeves": row
                for sleeves, row in report.get(name, {}).get("by_sleeves", {}).items()
            }
            for what, row in rows.items():
                epe = [f"{row['epe_px'][key]:.2f}" for key in ("mean", "median", "p90")]
                lines.append(f"| {what} | {words} | {row['count']} | {' | '.join(epe)} | {row['coverage_iou']:.3f} |")
    lines += ["", "| samples | finished picture | figure | value |", "|---|---|---|---|"]
    for split, report in splits.items():
        for name, words in _PICTURES.items():
            figures = {figure: value for figure, value in report.get(name, {}).items() if isinstance(value, float)}
            lines += [f"| {split} | {words} | {figure} | {value:.3f} |" for figure, value in figures.items()]
    return lines


_WARPS = {"cwm_shipped": "CWM as shipped", "cwm": "CWM as trained, f32", "geometric": "geometric fit, no network"}
_PICTURES = {"igm_shipped": "IGM as shipped", "igm": "IGM as trained, f32", "composite": "CWM without an IGM"}


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bin(xml: str) -> str:
    return Path(xml).with_suffix(".bin").name
