"""`python -m ir_models import-pfafn`: the published PF-AFN checkpoints -> a model set, for whoever holds them."""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor, nn

from ir_models.checkpoints import load_tensors
from ir_models.export import export, print_manifest
from ir_models.nets.pfafn import Generator, WarpNet
from ir_models.plans import published_plans
from mirror.errors import ModelError


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
    print_manifest(export(published_plans(warp, generator), args.out, about, half=False, onnx=args.onnx), args.out)
    return 0


def load_published(module: nn.Module, file: Path, what: str) -> None:
    """Load a published checkpoint into its network. `what` names it in messages ("warp network", "generator").

    Nothing but tensors is unpickled. Raises ModelError, one sentence, for a file that is not a state dict or one whose
    names or shapes are other than published.
    """
    state = load_tensors(file, f"give the published {what} checkpoint")
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{file} holds no state dict: give the published {what} checkpoint.")
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    if wrong := describe_difference(wanted, found):
        raise ModelError(f"{file} is not the published PF-AFN {what}: {wrong}.")
    module.load_state_dict(state)


def describe_difference(wanted: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> str:
    """What first differs between two state dicts' names and shapes, in words; empty if nothing does."""
    if missing := sorted(wanted.keys() - found.keys()):
        return f"{len(missing)} of its {len(wanted)} entries are missing, {missing[0]} first"
    if extra := sorted(found.keys() - wanted.keys()):
        return f"it has {len(extra)} entries too many, {extra[0]} first"
    shapes = [name for name in wanted if wanted[name] != found[name]]
    return f"{shapes[0]} is {found[shapes[0]]} and not {wanted[shapes[0]]}" if shapes else ""
