"""A model set small enough to be made in a test, from OpenVINO operations alone: no torch, no training.

cwm_garment hands the garment's mask on; cwm_person answers with the flow that leaves the garment as it lies and the
garment's mask where the person is; the generator repairs where the person is and the garment is not, in one colour.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

import mirror.engine  # noqa: F401  (first: it keeps openvino from looking up an analytics host)

# isort: split
import openvino as ov
import openvino.opset13 as ops

from mirror.frames import CANVAS_H, CANVAS_W
from mirror.maps import GARMENT_CHANNELS, LAYOUT_SIZE, MAP_H, MAP_W, PERSON_CHANNELS

REPAIR_RGB = (0.5, 0.0, -1.0)
"""The tiny generator's colour, in [-1, 1]."""
GAIN = 0.75


def half_identity() -> np.ndarray:
    """float32 (1, 2, 128, 96): the flow of a garment left as it lies, on the half canvas."""
    x = (2.0 * (np.arange(MAP_W) * 2 + 0.5) / (CANVAS_W - 1) - 1.0)[None].repeat(MAP_H, 0)
    y = (2.0 * (np.arange(MAP_H) * 2 + 0.5) / (CANVAS_H - 1) - 1.0)[:, None].repeat(MAP_W, 1)
    return np.stack([x, y])[None].astype(np.float32)


def write_tiny_set(folder: Path, generator: str | None = "repair") -> Path:
    """generator: "repair", "plain", or None for a set without one. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {"cwm_garment": (_garment(), ""), "cwm_person": (_person(), "")}
    if generator:
        models["igm"] = (_generator(generator), generator)
    networks = {}
    for name, (model, form) in models.items():
        ov.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
        networks[name] = {
            "xml": f"{name}.xml",
            "precision": "f32",
            "form": form,
            "inputs": [_port(port) for port in model.inputs],
            "outputs": [_port(port) for port in model.outputs],
        }
    write_manifest(folder, {"schema": 1, "networks": networks})
    return folder


def write_manifest(folder: Path, about: dict[str, Any]) -> None:
    """manifest.json with the hashes of the files that are there."""
    files = [f for entry in about["networks"].values() for f in (entry["xml"], entry["xml"].replace(".xml", ".bin"))]
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    (folder / "manifest.json").write_text(json.dumps({**about, "files": digests}), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def _port(port: Any) -> dict[str, Any]:
    channels = {"garment_maps": GARMENT_CHANNELS, "person_maps": PERSON_CHANNELS}.get(port.any_name)
    return {"name": port.any_name, "shape": list(port.shape)} | ({"channels": list(channels)} if channels else {})


def _input(name: str, *shape: int) -> Any:
    node = ops.parameter(shape, np.float32, name=name)
    node.output(0).get_tensor().set_names({name})
    return node


def _channel(node: Any, index: int) -> Any:
    return ops.gather(node, np.array([index]), np.array(1))


def _model(inputs: list[Any], **outputs: Any) -> ov.Model:
    model = ov.Model(list(outputs.values()), inputs)
    for port, name in zip(model.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    return model


def _garment() -> ov.Model:
    maps = _input("garment_maps", 1, len(GARMENT_CHANNELS), MAP_H, MAP_W)
    layout = _input("garment_layout", 1, LAYOUT_SIZE)
    code = ops.multiply(layout, np.float32(2.0))
    return _model([maps, layout], mask=_channel(maps, GARMENT_CHANNELS.index("mask")), code=code)


def _person() -> ov.Model:
    maps = _input("person_maps", 1, len(PERSON_CHANNELS), MAP_H, MAP_W)
    mask = _input("mask", 1, 1, MAP_H, MAP_W)
    person = _channel(maps, PERSON_CHANNELS.index("mask"))
    flow = ops.add(ops.multiply(person, np.float32(0.0)), half_identity())
    return _model([maps, mask], flow=flow, coverage=ops.multiply(person, mask))


def _generator(form: str) -> ov.Model:
    person = _input("person", 1, 3, CANVAS_H, CANVAS_W)
    warped = _input("warped", 1, 3, CANVAS_H, CANVAS_W)
    coverage = _input("coverage", 1, 1, CANVAS_H, CANVAS_W)
    nothing = ops.multiply(ops.add(person, warped), np.float32(0.0))
    colour = ops.add(nothing, np.array(REPAIR_RGB, np.float32).reshape(1, 3, 1, 1))
    inverse = ops.subtract(np.float32(1.0), coverage)
    if form == "plain":
        half = ops.multiply(coverage, np.float32(0.5))
        return _model([person, warped, coverage], rendered=colour, composite_mask=half)
    gain = ops.add(ops.multiply(coverage, np.float32(0.0)), np.float32(GAIN))
    return _model([person, warped, coverage], repair_mask=inverse, repair_colour=colour, shading=gain)
