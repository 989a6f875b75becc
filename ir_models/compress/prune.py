"""`python -m ir_models prune`: a trained CWM or IGM with fewer channels, fine-tuned with itself as the teacher.

torch-pruning (Fang et al., "DepGraph: Towards Any Structural Pruning", CVPR 2023) says which layers must lose a channel
together; a channel counts by the mean norm of its weights over them. Every width of the configuration falls by the same
ratio, to a multiple of 8, so that what is left is a network of the same kind with other numbers in its configuration.
"""

from __future__ import annotations

import argparse
import copy
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch_pruning
from torch import nn

from ir_models import checkpoints
from ir_models.compress.distil import FineTuning
from ir_models.compress.tracing import Traceable
from ir_models.compress.widths import Width, narrowed, narrowed_config, widths
from ir_models.nets.cwm import Cwm, FlowLevel
from ir_models.nets.igm import Igm
from ir_models.train.cwm import CwmTask
from ir_models.train.igm import IgmTask
from ir_models.train.loop import Trainer
from ir_models.train.threads import IdleCores
from mirror.errors import UsageError

N = TypeVar("N", bound=Cwm | Igm)
IMPORTANCE = torch_pruning.importance.GroupMagnitudeImportance(p=2)


def prune(net: N, ratio: float) -> N:
    """A narrower copy of a trained network, in evaluation mode; `net` stays as it is. ratio: 0 .. 0.9 of every width.

    Channels whose weights are all zero change nothing when they go: the rest answers as before."""
    if not 0.0 <= ratio < 0.95:
        raise UsageError(f"A pruning ratio of {ratio} is none: give 0 to 0.9.")
    config = narrowed_config(net, ratio)
    left: Any = copy.deepcopy(net).float()
    kept = [_goal(width, ratio) for width in widths(net)]
    _cut(left, {name: goal for goals in kept for name, goal in goals.items()})
    if isinstance(net, Cwm):
        _keep_scale(left, net.config.features, config.features)
    out: Any = type(net)(config)
    out.load_state_dict(left.state_dict())  # fails where a cut and the configuration disagree
    return out.eval()


def _goal(width: Width, ratio: float) -> dict[str, int]:
    """Layer -> outputs it keeps."""
    return {name: times * narrowed(width.value, ratio) for name, times in width.layers.items()}


def _cut(net: Cwm | Igm, goals: dict[str, int]) -> None:
    """Prune in place until every named layer has so many outputs."""
    traceable = Traceable(net.requires_grad_(True))  # a frozen one leaves no graph to follow
    goal: dict[nn.Module, int] = {layer: goals[name] for name, layer in net.named_modules() if name in goals}
    shuffled = {layer: seam for layer, seam in traceable.shuffled.items() if layer in goal}
    for layer, seam in shuffled.items():
        times = _outputs(layer) // _outputs(seam)
        goal[seam] = goal.pop(layer) // times
        _weigh_like(seam, layer, times)
    graph = torch_pruning.DependencyGraph()
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        graph.build_dependency(traceable, torch.zeros(1), forward_fn=lambda model, given: model(given), verbose=False)
    fixed = [m for m in traceable.modules() if isinstance(m, nn.Conv2d | nn.Linear) and m not in goal]
    groups = graph.get_all_groups(ignored_layers=fixed, root_module_types=(nn.Conv2d, nn.Linear))
    for root in [group[0].dep.target.module for group in groups]:
        surplus = _outputs(root) - goal[root]
        if surplus <= 0:
            continue
        # Asked anew: where layers read several joined, what others lost has moved this one's channels.
        group = _group(graph, root, list(range(_outputs(root))))
        worst = torch.argsort(IMPORTANCE(group))[:surplus].tolist()
        _prune_outputs(graph, root, worst)
        for layer, seam in shuffled.items():
            if seam is root:
                times = _outputs(layer) // (_outputs(seam) + surplus)
                _prune_outputs(graph, layer, [times * channel + k for channel in worst for k in range(times)])


def _prune_outputs(graph: Any, layer: nn.Module, channels: list[int]) -> None:
    _group(graph, layer, channels).prune()


def _group(graph: Any, layer: nn.Module, channels: list[int]) -> Any:
    return graph.get_pruning_group(layer, graph.get_pruner_of_module(layer).prune_out_channels, channels)


def _weigh_like(seam: Any, layer: Any, times: int) -> None:
    """A seam's channels count as much as those before the shuffle that it stands for."""
    norms = layer.weight.detach().flatten(1).norm(dim=1).view(-1, times).norm(dim=1)
    shape = [-1] + [1] * (seam.weight.dim() - 1)
    seam.weight.data.copy_(norms.view(shape).expand_as(seam.weight) / _outputs(seam) ** 0.5)


def _keep_scale(net: nn.Module, was: int, now: int) -> None:
    """The cost volume is a mean over the compared features: of fewer of them it would be larger by as much."""
    with torch.no_grad():
        for level in net.modules():
            if isinstance(level, FlowLevel) and level.radius:
                level.look.weight[:, : (2 * level.radius + 1) ** 2] *= now / was


def _outputs(layer: Any) -> int:
    return len(layer.weight)


def fine_tune(
    net: Cwm | Igm, task: CwmTask | IgmTask, teacher: Cwm | Igm | None, out: Path, minutes: float,
    weight: float = 1.0, note: str = "", threads: int | None = None, fresh: bool = False,
    clock: Callable[[], float] = time.monotonic, held_out: int | None = None,
) -> dict[str, float]:  # fmt: skip
    """Train on from `net` within a budget of minutes, and write the checkpoint `out`; held-out figures.

    task: a training of its kind, with its samples. teacher: whose answers count with `weight` beside the truth. fresh:
    `net` knows nothing yet. clock: what the minutes are counted by. held_out: as in `FineTuning`. Goes on from
    OUT.resume where a run before was cut off; what was finished is trained no further."""
    if threads:
        torch.set_num_threads(threads)
    tuning = FineTuning(task, lambda: copy.deepcopy(net), teacher, weight, fresh, held_out)
    trainer = Trainer(tuning, out, minutes, trained_on=note, cores=None if threads else IdleCores(), clock=clock)
    if out.with_name(out.name + ".resume").is_file():
        trainer.resume(out)
    return trainer.run()


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, prune, fine-tune, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ir_models prune", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--network", choices=("cwm", "igm"), required=True)
    parser.add_argument("--ratio", type=float, required=True, help="share of the channels that goes, such as 0.3")
    parser.add_argument("--checkpoint", type=Path, required=True, help="the trained network; it is the teacher too")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint; a run that was cut off goes on from it")
    parser.add_argument("--data", type=Path, help="folder with train/ and heldout/; without it nothing is fine-tuned")
    parser.add_argument("--minutes", type=float, default=10.0, help="of fine-tuning, those of a run before included")
    parser.add_argument("--distil", type=float, default=1.0, metavar="W", help="weight of the teacher; 0: truth alone")
    parser.add_argument("--cwm", type=Path, help="igm: checkpoint of the CWM whose warps are learned from")
    parser.add_argument("--limit", type=int, help="samples at most")
    parser.add_argument("--batch", type=int, help="samples a step")
    parser.add_argument("--threads", type=int, help="CPU threads (default: as many cores as are idle)")
    args = parser.parse_args(argv)
    load: Any = checkpoints.load_cwm if args.network == "cwm" else checkpoints.load_igm
    teacher, origin = load(args.checkpoint)
    pruned = prune(teacher, args.ratio)
    was, now = (sum(p.numel() for p in net.parameters()) / 1e6 for net in (teacher, pruned))
    note = f"{origin.trained_on}; pruned by {args.ratio:g}"
    print(f"{was:.3f} -> {now:.3f} M parameters: {pruned.config}")
    if args.data is None or args.minutes <= 0.0:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        checkpoints.save(args.out, pruned, f"{note}, not fine-tuned", {})
        return 0
    warps = checkpoints.load_cwm(args.cwm)[0] if args.cwm else None
    task: Any
    if args.network == "cwm":
        task = CwmTask(args.data, "compact", args.limit)
    else:
        task = IgmTask(args.data, "compact", warps, args.limit)
    task.batch_size = args.batch or task.batch_size
    note = f"{note}, then with it as teacher"
    fine_tune(pruned, task, teacher, args.out, args.minutes, args.distil, note, args.threads)
    return 0
