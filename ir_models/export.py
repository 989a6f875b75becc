"""`python -m ir_models export`: trained networks -> a model set that the mirror runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ir_models.checkpoints import Origin, load_cwm, load_igm
from ir_models.convert import Plan, greatest_difference, run_onnx, run_openvino, to_onnx, to_openvino
from ir_models.plans import plans
from ir_models.writing import describe, numpy_inputs, save_network, write_manifest
from mirror.errors import ModelError

MAX_DIFFERENCE = 1e-3
"""Torch against OpenVINO f32: of flow (normalised), masks and pictures. A larger one means a broken conversion."""
MAX_ONNX_DIFFERENCE = 2.0 * 2.0 / 255.0
"""Two levels of 255 on pictures in [-1, 1]."""

TRAINING_NOTE = "trained only on people and garments drawn by this project and on photos in the public domain"
LIMITS = """* One person, upper body, roughly facing the camera, crop as `mirror.crop` makes it.
* Upper-body garments photographed or drawn flat, with the thirteen landmarks of `mirror.wardrobe`.
* Never trained on pictures of real people; never on data whose use is restricted (no VITON, no scraped photos).
* Not a measure of size or fit: it shows how a garment looks, not whether it is one's size.
* Looked at on clips of four adults with light skin, in one office and one home, in long sleeves and a T-shirt; on real
  people with darker skin, children, people who sit or stand sideways it has not been tried."""
CHOICE = """Both networks unpruned, in INT8 after training, with accuracy control: of all points in `bench/RESULTS.md`
none is as good at less time. INT8 takes half of float's time at the same error. Of the pruned CWMs the best saves 0.9
of 8.6 ms for 6 % more error, of the pruned IGMs 0.6 of 7.3 ms for 0.019 of SSIM; each was fine-tuned for a minute of
processor time only: with more they may yet win."""
REBUILD = """`python -m ir_models synth` draws the samples, `train cwm` and `train igm` learn from them (or `together`
does both at once where a GPU is), `export` writes the networks in float, `quantize` writes them in INT8. Each command
says its options with `--help`."""
LICENCE = "That of this project. The photos, where any were used, are CC0; bodies are drawn from CC0 shapes."


def export(networks: Sequence[Plan], out: Path, about: dict[str, Any], half: bool, onnx: bool) -> dict[str, Any]:
    """Convert, compare with torch, write. Returns the manifest.

    half: weights are stored as f16 (arithmetic stays f32). Raises ModelError where f32 differs from torch by more than
    MAX_DIFFERENCE; then nothing of a set already there was touched.
    """
    converted = []
    for plan in networks:
        model = to_openvino(plan)
        inputs = numpy_inputs(plan)
        wanted = plan.run(inputs)
        difference = greatest_difference(wanted, run_openvino(model, inputs))
        if (worst := max(difference.values())) > MAX_DIFFERENCE:
            raise ModelError(f"{plan.name} differs by {worst:.1e} between torch and OpenVINO: not exported.")
        converted.append((plan, model, inputs, wanted, worst))
    entries = {}
    for plan, model, inputs, wanted, worst in converted:
        save_network(model, out, plan.name, compress_to_fp16=half)
        entry = describe(plan, "f32, weights stored as f16" if half else "f32")
        entry["difference"] = {"torch to OpenVINO f32, at most": worst}
        if half:
            stored = greatest_difference(wanted, run_openvino(out / f"{plan.name}.xml", inputs))
            entry["difference"]["torch to OpenVINO with f16 weights, at most"] = max(stored.values())
        if onnx:
            entry["onnx"] = f"{plan.name}.onnx"
            to_onnx(plan, out / entry["onnx"])
            ran = greatest_difference(wanted, run_onnx(out / entry["onnx"], inputs))
            if max(ran.values()) > MAX_ONNX_DIFFERENCE:
                raise ModelError(f"{plan.name} differs by {max(ran.values()):.1e} between torch and ONNX.")
            entry["difference"]["torch to onnxruntime, at most"] = max(ran.values())
        entries[plan.name] = entry
    return write_manifest(out, {**about, "networks": entries})


def about_networks(origins: dict[str, Origin]) -> dict[str, Any]:
    """What the manifest says of where the weights come from."""
    return {
        "name": "try-on networks",
        "summary": f"Fits garments to people in live pictures, on a CPU; {TRAINING_NOTE}.",
        "trained_on": {name: origin.trained_on for name, origin in origins.items()},
        "metrics": {name: origin.metrics for name, origin in origins.items()},
        "config": {name: origin.config for name, origin in origins.items()},
        "choice": CHOICE,
        "limits": LIMITS,
        "rebuild": REBUILD,
        "licence": LICENCE,
    }


def print_manifest(manifest: dict[str, Any], out: Path) -> None:
    for name, entry in manifest["networks"].items():
        differences = ", ".join(f"{what} {value:.1e}" for what, value in entry.get("difference", {}).items())
        print(f"{name:12} {entry['precision']:26} {entry['gmac']:7.3f} GMAC {entry['size_mb']:7.2f} MB  {differences}")
    print(f"Wrote {out} ({sum(entry['size_mb'] for entry in manifest['networks'].values()):.2f} MB).")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ir_models export", description=__doc__)
    parser.add_argument("--cwm", type=Path, required=True, metavar="FILE.pt")
    parser.add_argument("--igm", type=Path, metavar="FILE.pt")
    parser.add_argument("--out", type=Path, default=Path("ir_models/default"), metavar="DIR")
    parser.add_argument("--onnx", action="store_true", help="write ONNX files beside the IR")
    parser.add_argument("--full-weights", action="store_true", help="store weights as f32, at twice the size")
    args = parser.parse_args(argv)
    cwm, origin = load_cwm(args.cwm)
    origins, igm = {"cwm": origin}, None
    if args.igm:
        igm, origins["igm"] = load_igm(args.igm)
    manifest = export(plans(cwm, igm), args.out, about_networks(origins), not args.full_weights, args.onnx)
    print_manifest(manifest, args.out)
    return 0
