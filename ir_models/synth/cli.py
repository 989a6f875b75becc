"""`python -m ir_models synth`: make training data."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m ir_models synth", description="Make samples: a person in B, garment A, "
                                "the person in A, and the exact flow between, as shards of .npz files.")  # fmt: skip
    p.add_argument("--out", type=Path, help="folder of the shards")
    p.add_argument("--count", type=int, default=1000, help="samples (default 1000)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    p.add_argument("--photos", type=Path, help="folder with a folder of photos per class (t-shirt, longsleeve, ...)")
    p.add_argument("--photo-limit", type=int, default=300, help="how many fitted photos are enough")
    p.add_argument("--photo-minutes", type=float, default=10.0, help="time given to fitting them")
    p.add_argument("--photo-cache", type=Path, help="where fitted photos are kept (default: the --out folder)")
    p.add_argument("--hair", type=Path, help="folder of MakeHuman hair assets; without it hair is drawn")
    p.add_argument("--held-out", action="store_true", help="use the bodies and photos that training never sees")
    p.add_argument("--sheet", type=Path, help="write a contact sheet of 16 samples as PNG")
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.out is None and args.sheet is None:
        parser().error("say where samples go with --out FOLDER, or look at some with --sheet FILE.png")
    import cv2

    from ir_models.synth import photos as photo_fit
    from ir_models.synth.sample import make_pools
    from ir_models.synth.shards import checked_sample, generate
    from ir_models.synth.sheet import write_sheet

    cv2.setNumThreads(1)
    fitted = []
    if args.photos is not None:
        cache = args.photo_cache or args.out or args.sheet.parent
        fitted = photo_fit.prepare(args.photos, cache, args.held_out, args.photo_limit, args.photo_minutes * 60)
    pools = make_pools(args.seed, args.held_out, args.hair, fitted)
    if args.sheet is not None:
        write_sheet([checked_sample(pools, args.seed, i) for i in range(16)], args.sheet)
        print(f"{args.sheet}: 16 samples")
    if args.out is not None:
        about = {
            "split": "held-out" if args.held_out else "train",
            "photos": len(fitted),
            "photos_from": "none" if args.photos is None else args.photos.name,
            "hair": sorted(pools.hair),
            "bodies": len(pools.numbers),
        }
        seconds = generate(pools, args.out, args.seed, args.count, args.workers, about)
        print(f"{args.out}: {args.count} samples in {seconds:.0f} s, {args.count / max(seconds, 1e-3):.1f} a second")
    return 0
