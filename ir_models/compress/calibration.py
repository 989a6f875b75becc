"""What networks are quantised on and measured with: people and garments, run through the networks as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ir_models.sketches import sketch_garment, sketch_person
from ir_models.train.shards import Part, open_shards
from mirror.engine import Engine, Outputs
from mirror.inputs import GarmentInputs, PersonInputs, enlarge
from mirror.wardrobe import SLEEVES, Garment


@dataclass(frozen=True)
class Case:
    """One garment on one person: for every network of the set what it is fed and what it answers in full precision."""

    inputs: dict[str, dict[str, np.ndarray]]
    answers: dict[str, Outputs]


def sketched_pairs(count: int, seed: int) -> Iterator[tuple[PersonInputs, GarmentInputs]]:
    """People and garments drawn with a few strokes, for where no training data is at hand."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        person = sketch_person(rng)
        yield PersonInputs(person.picture, person.mask, person.landmarks), GarmentInputs(sketch_garment(rng))


def rendered_pairs(data: Path, split: str, count: int) -> Iterator[tuple[PersonInputs, GarmentInputs]]:
    """The first samples of DATA/SPLIT (`python -m ir_models synth` writes them), as the live mirror would see them."""
    shards = open_shards(data, split, _kept, limit=count)
    for row in range(len(shards)):
        sample = {name: column[0].numpy() for name, column in shards.batch(np.array([row])).items()}
        mask = (sample["parts_b"] != Part.BACKGROUND).astype(np.float32)
        canvas = np.ascontiguousarray(sample["person"][..., ::-1])
        picture = np.dstack([sample["garment"][..., ::-1], sample["garment_mask"]])
        sleeves = SLEEVES[int(sample["sleeves"])]
        garment = Garment(f"sample-{row}", "", "tshirt", sleeves, picture, None, sample["garment_landmarks"])
        yield PersonInputs(canvas, mask, np.nan_to_num(sample["landmarks"])), GarmentInputs(garment)


def _kept(sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = ("person", "parts_b", "landmarks", "garment", "garment_mask", "garment_landmarks", "sleeves")
    return {name: sample[name] for name in names}


def cases(engine: Engine, pairs: Iterator[tuple[PersonInputs, GarmentInputs]]) -> list[Case]:
    """Run the set on every pair, stage by stage as the mirror does."""
    return [_case(engine, person, garment) for person, garment in pairs]


def _case(engine: Engine, person: PersonInputs, garment: GarmentInputs) -> Case:
    inputs: dict[str, Any] = {}
    answers: dict[str, Outputs] = {}

    def run(name: str, known: Outputs, named: Any) -> Outputs:
        ports = [port.name for port in engine[name].spec.inputs]
        inputs[name] = {port: known[port] if port in known else named(port) for port in ports}
        answers[name] = engine[name].run(inputs[name])
        return answers[name]

    features = run("cwm_garment", {}, garment.named)
    warp = run("cwm_person", features, person.named)
    if "igm" in engine:
        flow = enlarge(np.ascontiguousarray(warp["flow"][0].transpose(1, 2, 0)))
        coverage, picture = enlarge(warp["coverage"][0, 0]), garment.warped(flow)
        run("igm", {}, lambda port: person.named(port, picture, coverage))
    return Case(inputs, answers)
