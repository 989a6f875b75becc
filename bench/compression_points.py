"""The points of `bench compression`: what each is, how it is made, where its figures lie."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.clip import Step, find_people, fit_steps, read_clip
from bench.compression_sets import (
    PARTS,
    TIMED,
    export_parts,
    judge,
    plans_of,
    published,
    put_together,
    quantise,
    shapes,
    timed_run,
    times,
    weight,
)
from bench.machine import describe
from bench.stability import still_pairs
from bench.steadiness import movement_px
from ir_models import checkpoints
from ir_models.compress.calibration import Case as Pair
from ir_models.compress.calibration import cases, rendered_pairs
from ir_models.compress.prune import fine_tune, prune
from ir_models.compress.widths import narrowed_config
from ir_models.evaluate.cases import Case, from_shards
from ir_models.nets.cwm import Cwm
from ir_models.nets.igm import Igm, IgmConfig
from ir_models.train.cwm import CwmTask
from ir_models.train.igm import IgmTask
from ir_models.writing import gmac
from mirror.engine import Engine
from mirror.settings import WARDROBE
from mirror.tryon import NeuralFitter
from mirror.wardrobe import Wardrobe

RATIOS = {"cwm": (0.2, 0.3, 0.4, 0.5), "igm": (0.2, 0.25, 0.3, 0.35, 0.4)}
SCRATCH = {"cwm": 0.4, "igm": 0.3}
"""Ratios whose widths are trained from nothing too."""
QUICK = {"cwm": (0.4,), "igm": ()}
PAIRS, QUICK_PAIRS = 48, 4
"""People that INT8 is calibrated on."""
TIMED_S, QUICK_TIMED_S = 60.0, 4.0
QUICK_SAMPLES = 64
FIGURES_ON = 32
"""Held-out samples for the figures that a fine-tuning prints; points are judged apart."""
DRAWN = {"train": 12, "heldout": 8}
"""Samples drawn for --quick where no data is given."""

_KEPT_BY = ("name", "fingerprint")
"""What `Bench.keep` writes into a row itself."""

Job = Callable[[], dict[str, Any]]


def stamp() -> dict[str, str]:
    """The commit that is checked out, and now."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return {"commit": done.stdout.strip() or "unknown", "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}


@dataclass
class Bench:
    """What all points share. A point is kept as WORK/points/NAME.json, under a fingerprint of what it depends on."""

    work: Path
    checkpoints: dict[str, Path]
    data: Path
    minutes: float
    distil: float
    count: int
    batch: int | None
    threads: int
    quick: bool
    limit: int | None = None
    clip: Path | None = None
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, CwmTask | IgmTask] = field(default_factory=dict)

    @cached_property
    def nets(self) -> dict[str, Cwm | Igm]:
        """The unpruned networks. Where no IGM is given, one of random weights, for its size alone."""
        igm = self.checkpoints.get("igm")
        return {
            "cwm": checkpoints.load_cwm(self.checkpoints["cwm"])[0],
            "igm": checkpoints.load_igm(igm)[0] if igm else Igm(IgmConfig()),
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """The networks of a whole set: without an IGM, garments are lit by the mirror's own means."""
        return tuple(kind for kind in PARTS if kind in self.checkpoints)

    @cached_property
    def fingerprint(self) -> str:
        parts = [path.read_bytes() for path in self.checkpoints.values()]
        clip = self.clip and self.clip.name
        parts.append(f"{self.minutes} {self.distil} {self.count} {self.batch} {self.limit} {clip}".encode())
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    def training(self, kind: str) -> str:
        """A fingerprint of what a training of this network depends on. An IGM learns from the CWM's warps."""
        parts = [self.checkpoints[other].read_bytes() for other in (("cwm",) if kind == "cwm" else PARTS)]
        parts.append(f"{self.minutes} {self.distil} {self.batch} {self.limit}".encode())
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    @cached_property
    def held_out(self) -> list[Case]:
        self.samples()
        return list(from_shards(self.data / "heldout", self.count))

    @cached_property
    def people(self) -> list[Step]:
        """Whom the clip shows, found once for all points; nobody without a clip."""
        return list(find_people(*read_clip(self.clip))) if self.clip else []

    @cached_property
    def pairs(self) -> list[Pair]:
        """People and garments with the unpruned networks' answers."""
        self.samples()
        engine = Engine(self.whole(), self.threads, self.work / "cache")
        made = cases(engine, rendered_pairs(self.data, "train", QUICK_PAIRS if self.quick else PAIRS))
        engine.close()
        return made

    def pairs_of(self, folder: Path, kind: str) -> list[Pair]:
        """The same people and garments with the answers of another network, whose features have other widths."""
        if kind == "igm" or folder == self.unpruned(kind):
            return self.pairs
        engine = Engine(self.whole(**{kind: folder}), self.threads, self.work / "cache")
        made = cases(engine, rendered_pairs(self.data, "train", len(self.pairs)))
        engine.close()
        return made

    def samples(self) -> None:
        """Draw a few where no data was given."""
        if any((self.data / "heldout").glob("shard_*.npz")):
            return
        from ir_models.synth.cli import main as synth

        for split, count in DRAWN.items():
            held_out = ["--heldout"] if split == "heldout" else []
            synth(["--out", str(self.data / split), "--count", str(count), "--workers", str(self.threads), *held_out])

    def task(self, kind: str) -> CwmTask | IgmTask:
        """The training of a network, its samples read once for all points."""
        if kind not in self.tasks:
            self.samples()
            warps = self.nets["cwm"]
            assert isinstance(warps, Cwm)
            made = (
                CwmTask(self.data, "compact", self.limit)
                if kind == "cwm"
                else IgmTask(self.data, "compact", warps, self.limit)
            )
            made.batch_size = self.batch or made.batch_size
            self.tasks[kind] = made
        return self.tasks[kind]

    def known(self, name: str) -> bool:
        path = self._path(name)
        if name not in self.found and path.is_file():
            row = json.loads(path.read_text(encoding="utf-8"))
            if row.get("fingerprint") == self.fingerprint:
                self.found[name] = row
        return name in self.found

    def keep(self, name: str, row: dict[str, Any]) -> None:
        self.found[name] = {"name": name, "fingerprint": self.fingerprint, "made": stamp(), **row}
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".part").write_text(json.dumps(self.found[name], indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".part").replace(path)

    def folder(self, name: str) -> Path:
        return self.work / "sets" / f"{name}-{self.fingerprint}"

    def unpruned(self, kind: str) -> Path:
        """The folder of the unpruned network, exported once."""
        folder = self.folder(f"{kind}-unpruned")
        if not (folder / "manifest.json").is_file():
            export_parts(self.nets[kind], folder, onnx=True)
        return folder

    def whole(self, **parts: Path) -> Path:
        """A set with these parts and the unpruned networks for the rest."""
        sources = {kind: parts.get(kind) or self.unpruned(kind) for kind in self.kinds}
        name = "whole-" + "-".join(source.name.removesuffix(f"-{self.fingerprint}") for source in sources.values())
        return put_together(self.folder(name), **sources)

    def quality(self, models: Path) -> dict[str, float]:
        fitter = NeuralFitter(models, self.threads, self.work / "cache", remembers=False)
        found = judge(self.held_out, fitter) | self.flicker(fitter)
        fitter.close()
        return found

    def flicker(self, fitter: Any) -> dict[str, float]:
        """How much the first garment of the wardrobe moves on whom the clip shows standing still."""
        if not self.people:
            return {}
        steps = list(fit_steps(self.people, Wardrobe(WARDROBE).garments[0], fitter))
        moves = [movement_px(a.fit, b.fit, a.frame.size) for a, b in still_pairs(steps) if a.fit and b.fit]
        return {"flicker_px": round(float(np.nanmedian(moves)), 4)}

    def take_times(self) -> None:
        """Milliseconds of all networks of the points that lie here, in turn; each once, however many points run it."""
        places = {place for row in self.found.values() for place in row.get("timed", {}).values()}
        files = {place: self.work / place for place in sorted(places) if (self.work / place).is_file()}
        if not files:
            return
        feeds, taken = self.pairs[0].inputs, stamp() | {"threads": self.threads}
        taken |= {"load": describe(self.threads)["load_before"]}
        runs = {place: timed_run(file, feeds[file.stem], self.threads) for place, file in files.items()}
        spent = times(runs, QUICK_TIMED_S if self.quick else TIMED_S)
        for name, row in self.found.items():
            ms = {label: spent[place] for label, place in row.get("timed", {}).items() if place in spent}
            if ms:
                self.keep(name, {key: row[key] for key in row if key not in _KEPT_BY} | {"ms": ms, "timed_on": taken})

    def report(self) -> dict[str, Any]:
        rows = list(self.found.values())
        tables = {name: [row for row in rows if row["table"] == name] for name in ("pruning", "quantisation")}
        others = next((row for row in rows if row["table"] == "correlation"), {})
        shaped = shapes(self.nets, QUICK if self.quick else RATIOS)
        clip = self.clip and self.clip.name
        facts = {"minutes": self.minutes, "distil": self.distil, "count": self.count, "clip": clip}
        return {"settings": facts, "shapes": shaped, **tables, "correlation": others.get("tables", {})}

    def _path(self, name: str) -> Path:
        return self.work / "points" / f"{name}.json"


def pruning_points(
    bench: Bench, networks: tuple[str, ...], only: tuple[float, ...] | None = None
) -> list[tuple[str, Job]]:
    """Every row of the pruning table. Ratios that leave the same widths are one row, which names them all."""
    jobs: list[tuple[str, Job]] = []
    for kind in networks:
        ratios = only or (QUICK[kind] if bench.quick else RATIOS[kind])
        if not ratios:
            continue
        groups: dict[Any, list[float]] = {}
        for ratio in ratios:
            groups.setdefault(narrowed_config(bench.nets[kind], ratio), []).append(ratio)
        points: list[tuple[str, list[float], bool]] = [("unpruned", [0.0], False)]
        points += [("-".join(f"{r:g}" for r in same), same, False) for same in groups.values()]
        if not bench.quick and SCRATCH[kind] in ratios:
            points.append((f"{SCRATCH[kind]:g}-from-nothing", [SCRATCH[kind]], True))
        for words, same, fresh in points:
            name = f"{kind}-{words}"
            jobs.append((name, partial(_point, bench, kind, name, same, fresh)))
    return jobs


def _point(bench: Bench, kind: str, name: str, ratios: list[float], fresh: bool) -> dict[str, Any]:
    whole = bench.nets[kind]
    net, folder = whole, bench.unpruned(kind) if ratios == [0.0] else bench.folder(name)
    steps = 0
    if ratios != [0.0]:
        net = type(whole)(narrowed_config(whole, ratios[0])) if fresh else prune(whole, ratios[0])
        out = bench.work / "checkpoints" / f"{name}-{bench.training(kind)}.pt"
        teacher = None if fresh else whole
        fine_tune(
            net, bench.task(kind), teacher, out, bench.minutes, bench.distil, threads=bench.threads, fresh=fresh,
            clock=time.process_time, held_out=FIGURES_ON,
        )  # fmt: skip
        net, origin = (checkpoints.load_cwm if kind == "cwm" else checkpoints.load_igm)(out)
        steps = int(origin.metrics["step"])
        export_parts(net, folder)
    int8 = quantise(folder, bench.folder(f"{name}-int8"), kind, bench.pairs_of(folder, kind))
    other = {"cwm": "igm", "igm": "cwm"}[kind]
    own = weight(net)
    return {
        "table": "pruning",
        "network": kind,
        "ratios": ratios,
        "fresh": fresh,
        "gmac": round(sum(gmac(plan) for plan in plans_of(net)), 4),
        **own,
        "total_mb": round(own["size_mb"] + weight(bench.nets[other])["size_mb"], 3),
        "steps": steps,
        "quality": bench.quality(bench.whole(**{kind: folder})),
        "quality_int8": bench.quality(bench.whole(**{kind: int8})),
        "published": published(ratios[0])[kind],
        "timed": {
            "f32": str((folder / f"{TIMED[kind]}.xml").relative_to(bench.work)),
            "int8": str((int8 / f"{TIMED[kind]}.xml").relative_to(bench.work)),
        },
    }


def correlation_point(bench: Bench, correlation: Any, taken_from: Sequence[Path] | None = None) -> Job:
    """The original's table of the plain form and im2col, and all three forms at the published and the shipped levels;
    run here, or taken from what `bench correlation` has written."""

    def job() -> dict[str, Any]:
        if taken_from:
            found: dict[str, Any] = {}
            for path in taken_from:
                for title, rows in json.loads(path.read_text(encoding="utf-8")).items():
                    if title == "original":
                        found[title] = found.get(title, []) + rows
                    elif isinstance(rows, list) and rows:
                        found[title] = rows
            return {"table": "correlation", "tables": found}
        tables = {"original": correlation.original_table([40] if bench.quick else [1000, 10000])}
        if not bench.quick:
            args = argparse.Namespace(repeats=20, threads=bench.threads)
            levels = {"published": correlation.PUBLISHED, "shipped": correlation.SHIPPED}
            for title, those in levels.items():
                for runtime in ("torch", "openvino"):
                    words = f"{title} widths, {runtime}"
                    tables[words] = correlation.forms_table(words, those, runtime, args)
        return {"table": "correlation", "tables": tables}

    return job
