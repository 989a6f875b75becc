"""`python -m ir_models import-pfafn`: the published PF-AFN checkpoints -> a model set, for whoever holds them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ir_models.export import export, print_manifest
from ir_models.nets.pfafn import Generator, WarpNet, load_published
from ir_models.plans import published_plans


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ir_models import-pfafn", description=__doc__)
    parser.add_argument("--warp", type=Path, required=True, metavar="FILE", help="warp_model_final.pth")
    parser.add_argument("--gen", type=Path, required=True, metavar="FILE", help="gen_model_final.pth")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--onnx", action="store_true", help="write ONNX files beside the IR")
    args = parser.parse_args(argv)
    warp, generator = WarpNet(), Generator()
    load_published(warp, args.warp, "warp network")
    load_published(generator, args.gen, "generator")
    about = {
        "name": "PF-AFN",
        "summary": "Ge et al., Parser-Free Virtual Try-on via Distilling Appearance Flows, CVPR 2021, as published.",
        "trained_on": {"warp and generator": "VITON, by the authors of PF-AFN"},
        "licence": "That of the published checkpoints: research only, when this was written. Not part of this project.",
    }
    print_manifest(export(published_plans(warp, generator), args.out, about, half=True, onnx=args.onnx), args.out)
    return 0
