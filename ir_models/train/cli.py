"""`python -m ir_models train cwm|igm`: train a network within a wall-clock budget."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from ir_models.checkpoints import load_cwm, story_of
from ir_models.nets import cwm as cwm_net
from ir_models.nets import igm as igm_net
from ir_models.train.cwm import CwmTask
from ir_models.train.igm import IgmTask
from ir_models.train.loop import Task, Trainer
from ir_models.train.teacher import StudentTask, TeacherTask
from ir_models.train.threads import IdleCores
from ir_models.train.viton import VitonTask

TRAIN_IT = Path("-")
"""What --teacher is without a file."""
TEACHER_NOTE = "a teacher, which is told where the garment will be and is no use to the mirror; "


def main(argv: Sequence[str] | None = None) -> int:
    """Parse and train; returns the exit code. Raises UsageError for data or checkpoints that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m ir_models train", description=__doc__)
    parser.add_argument("network", choices=("cwm", "igm"))
    parser.add_argument("--data", type=Path, help="folder with train/ and heldout/, each shard_*.npz")
    parser.add_argument("--viton", type=Path, help="cwm: a folder in VITON's layout instead; no flow is known there")
    parser.add_argument(
        "--teacher", nargs="?", type=Path, const=TRAIN_IT, metavar="FILE",
        help="cwm: train a parser-based teacher; with its FILE, learn from it where it is better",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, required=True, help="wall-clock budget, time before a resume included")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint; FILE.resume and a curve are put beside it")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from (its FILE.resume beside it)")
    parser.add_argument("--start", type=Path, help="checkpoint whose weights to begin with, as far as they fit")
    parser.add_argument("--config", default="compact", choices=sorted({*cwm_net.CONFIGS, *igm_net.CONFIGS}))
    parser.add_argument(
        "--cwm",
        type=Path,
        help="igm: checkpoint of the CWM whose warps are learned from; may be written anew meanwhile",
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--batch", type=int, help="samples a step")
    parser.add_argument("--threads", type=int, help="CPU threads (default: as many cores as are idle)")
    parser.add_argument("--limit", type=int, help="samples at most")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="wait so long for the first shard")
    parser.add_argument("--note", default="", help="where the samples are from, kept in the checkpoint")
    args = parser.parse_args(argv)
    known = cwm_net.CONFIGS if args.network == "cwm" else igm_net.CONFIGS
    if args.config not in known:
        parser.error(f"{args.network} has the configurations {', '.join(known)}")
    if (args.data is None) == (args.viton is None):
        parser.error("give either --data or --viton")
    if ((args.viton or args.teacher) and args.network != "cwm") or (args.viton and args.teacher):
        parser.error("--viton and --teacher are each for cwm alone")
    if args.threads:
        torch.set_num_threads(args.threads)
    task: Task
    if args.viton:
        task = VitonTask(args.viton, args.config, args.limit, args.start, args.device)
    elif args.teacher == TRAIN_IT:
        task = TeacherTask(args.data, args.config, args.limit, args.wait, args.start, args.device)
        args.note = f"{TEACHER_NOTE}{args.note}"
    elif args.teacher:
        teacher = load_cwm(args.teacher)[0]
        task = StudentTask(teacher, args.data, args.config, args.limit, args.wait, args.start, args.device)
    elif args.network == "cwm":
        task = CwmTask(args.data, args.config, args.limit, args.wait, args.start, args.device)
    else:
        task = igm_task = IgmTask(args.data, args.config, None, args.limit, args.wait, args.start, args.device)
        if args.cwm:
            igm_task.follow(args.cwm)
    if args.start:
        args.note = f"{story_of(args.start)}; then {args.note or 'synthetic samples'}"
    if args.batch:
        task.batch_size = args.batch
    cores = None if args.threads else IdleCores()
    trainer = Trainer(task, args.out, args.minutes, args.device, args.note, cores)
    if args.resume:
        trainer.resume(args.resume)
    trainer.run()
    return 0
