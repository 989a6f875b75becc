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
from mirror.modelset import MANIFEST, SCHEMA

CARD = "MODEL_CARD.md"
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
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    write_text(folder / CARD, model_card(manifest))
    return manifest


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
        cells = (name, entry["form"] or "-", entry["precision"], entry["params_m"], entry["gmac"], entry["size_mb"])
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    lines += ["", "`cwm_garment` runs once for a garment, the others for every fitted frame.", ""]
    lines += ["## Trained on", ""]
    lines += [f"* **{name}**: {text}" for name, text in manifest.get("trained_on", {}).items()]
    if any(manifest.get("metrics", {}).values()):
        lines += ["", "## Figures", "", "| network | figure | value |", "|---|---|---|"]
        for name, figures in manifest["metrics"].items():
            lines += [f"| {name} | {figure} | {_number(value)} |" for figure, value in figures.items()]
    for title, key in (("Conversion", "difference"), ("Quantisation", "quantised")):
        rows = {name: entry[key] for name, entry in manifest["networks"].items() if key in entry}
        if rows:
            lines += ["", f"## {title}", "", "| network | figure | value |", "|---|---|---|"]
            for name, figures in rows.items():
                lines += [f"| {name} | {figure} | {_number(value)} |" for figure, value in figures.items()]
    for title, key in (("Limits", "limits"), ("Rebuild", "rebuild"), ("Licence", "licence")):
        if manifest.get(key):
            lines += ["", f"## {title}", "", manifest[key]]
    versions_line = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    lines += ["", f"Made with {versions_line}. SHA-256 of every file: `{MANIFEST}`.", ""]
    return "\n".join(lines)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bin(xml: str) -> str:
    return Path(xml).with_suffix(".bin").name
