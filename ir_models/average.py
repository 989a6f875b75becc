"""`python -m ir_models average`: checkpoints of one network -> the mean of their weights.

Networks that were fine-tuned from the same weights lie in one valley, and their mean is often better than each
(Wortsman et al., Model soups, ICML 2022).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ir_models.checkpoints import Origin, load_cwm, load_igm, save
from ir_models.nets.cwm import Cwm
from ir_models.nets.igm import Igm
from mirror.errors import UsageError

LOADERS: dict[str, Callable[[Path], tuple[Cwm | Igm, Origin]]] = {"cwm": load_cwm, "igm": load_igm}


def main(argv: Sequence[str] | None = None) -> int:
    """Raises ModelError for a file that is no such checkpoint, UsageError where they are of different widths."""
    parser = argparse.ArgumentParser(prog="python -m ir_models average", description=__doc__)
    parser.add_argument("network", choices=sorted(LOADERS))
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="FILE.pt", help="the last one's figures are kept")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.pt")
    args = parser.parse_args(argv)
    loaded = [LOADERS[args.network](path) for path in args.checkpoints]
    nets, origins = [net for net, _ in loaded], [origin for _, origin in loaded]
    if any(net.config != nets[0].config for net in nets):
        raise UsageError("These checkpoints are of networks of different widths: average those of one configuration.")
    states = [net.state_dict() for net in nets]
    with torch.no_grad():
        mean = {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}
    nets[-1].load_state_dict(mean)
    trained_on = f"the mean of {len(nets)}: " + "; ".join(origin.trained_on for origin in origins)
    save(args.out, nets[-1], trained_on, origins[-1].metrics)
    print(f"Wrote {args.out}, the mean of {len(nets)}.")
    return 0
