"""`python -m ir_models fid`: Fréchet Inception Distance of two folders, or of what the networks make of VITON.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017, as pytorch-fid
computes it: 2048 pooled features of its Inception network, whose weights (pt_inception-2015-12-05) must be given, for
the project holds none and opens no connection. Pictures are compared as PNG at 256 x 192, whatever they were before:
the format alone moves the figure. It falls with the number of samples too, which is therefore printed beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ir_models.checkpoints import load_tensors
from mirror.errors import UsageError
from mirror.frames import CANVAS_H, CANVAS_W

ENDINGS = (".png", ".jpg", ".jpeg")
FEATURES = 2048
BATCH = 16

Inception = Callable[[Tensor], Tensor]
"""(B, 3, H, W) RGB in [0, 1] -> (B, features)."""


def inception(weights: Path) -> Inception:
    """pytorch-fid's network up to the last pooling, with these weights.

    Raises ModelError for a file of other ones, UsageError where pytorch-fid is not installed.
    """
    state = load_tensors(weights, "give pytorch-fid's pt_inception-2015-12-05-6726825d.pth")
    try:
        from pytorch_fid import inception as published  # not of the workshop: it needs torchvision
    except ModuleNotFoundError as error:
        raise UsageError("FID needs the package pytorch-fid: pip install pytorch-fid") from error
    fetch = published.load_state_dict_from_url
    published.load_state_dict_from_url = lambda *_, **__: state  # its own way is to download them
    try:
        net = published.InceptionV3([published.InceptionV3.BLOCK_INDEX_BY_DIM[FEATURES]]).eval()
    finally:
        published.load_state_dict_from_url = fetch

    def features(pictures: Tensor) -> Tensor:
        with torch.inference_mode():
            return net(pictures)[0].flatten(1)

    return features


def pictures_of(folder: Path) -> list[Path]:
    """The folder's pictures by name; UsageError if there are fewer than two."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS) if folder.is_dir() else []
    if len(found) < 2:
        raise UsageError(f"{folder} holds {len(found)} pictures: FID needs two at least, and means little below 2000.")
    return found


def as_png(paths: Sequence[Path], folder: Path) -> None:
    """Copies of the pictures as PNG at 256 x 192."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise UsageError(f"{path} is no picture that OpenCV reads: take it out.")
        if picture.shape[:2] != (CANVAS_H, CANVAS_W):
            picture = cv2.resize(picture, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{path.stem}.png"), picture)


def statistics(paths: Sequence[Path], net: Inception) -> tuple[np.ndarray, np.ndarray]:
    """Mean (F,) and covariance (F, F) of the features, float64."""
    rows = [net(batch).double().numpy() for batch in tqdm(list(_batches(paths)), unit="batch", leave=False)]
    features = np.concatenate(rows)
    return features.mean(0), np.cov(features, rowvar=False)


def _batches(paths: Sequence[Path]) -> Iterator[Tensor]:
    for start in range(0, len(paths), BATCH):
        pictures = np.stack(
            [cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1] for path in paths[start : start + BATCH]]
        )
        yield torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255.0


def frechet(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared distance of two normal distributions: |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))."""
    (mean, spread), (mean_b, spread_b) = one, other
    # The trace of the root of C1 C2 is the sum of the roots of its eigenvalues, which are real and not negative.
    values = np.linalg.eigvals(np.atleast_2d(spread) @ np.atleast_2d(spread_b))
    root = float(np.sqrt(np.clip(values.real, 0.0, None)).sum())
    return float(((mean - mean_b) ** 2).sum() + np.trace(np.atleast_2d(spread + spread_b)) - 2.0 * root)


def fid(real: Path, made: Path, net: Inception) -> dict[str, Any]:
    """{"fid", "real", "made"}: the distance and the sample counts of two folders."""
    with tempfile.TemporaryDirectory() as place:
        found = []
        for name, folder in (("real", real), ("made", made)):
            as_png(pictures_of(folder), Path(place) / name)
            found.append(pictures_of(Path(place) / name))
        distance = frechet(statistics(found[0], net), statistics(found[1], net))
    return {"fid": round(distance, 3), "real": len(found[0]), "made": len(found[1])}


def main(argv: Sequence[str] | None = None, net: Inception | None = None) -> int:
    """Parse, compare, print; returns the exit code. net: instead of --inception, in tests."""
    parser = argparse.ArgumentParser(prog="python -m ir_models fid", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="two: real pictures, made ones")
    parser.add_argument("--inception", type=Path, required=True, metavar="FILE", help="pytorch-fid's Inception weights")
    parser.add_argument("--viton", type=Path, metavar="DIR", help="dress the people of a VITON test set instead")
    parser.add_argument("--models", type=Path, default=Path("ir_models/default"), metavar="DIR")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the dressed pictures here")
    parser.add_argument("--limit", type=int, help="pairs at most")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    if (args.viton is None) == (len(args.folders) != 2):
        raise UsageError("Give two folders of pictures, or --viton DIR.")
    net = net or inception(args.inception)
    report = {}
    if args.viton is None:
        report["folders"] = fid(args.folders[0], args.folders[1], net)
    else:
        from ir_models.evaluate import viton

        with tempfile.TemporaryDirectory() as place:
            made = viton.dress_all(args.viton, args.keep or Path(place), viton.Dresser(args.models), args.limit)
            for name, (folder, left_out) in made.items():
                report[name] = fid(viton.people_folder(args.viton), folder, net) | {"left_out": left_out}
    for name, row in report.items():
        left = f", {row['left_out']} left out" if row.get("left_out") else ""
        print(f"{name}: FID {row['fid']:.3f} ({row['made']} made against {row['real']} real pictures{left})")
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0
