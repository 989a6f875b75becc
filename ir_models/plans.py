"""What of a trained CWM and IGM becomes a network of its own, and what each is fed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ir_models.convert import Plan
from ir_models.nets.cwm import GARMENT_FEATURES, Cwm
from ir_models.nets.igm import OUTPUTS, Igm
from ir_models.nets.pfafn import Generator, WarpNet, sample
from ir_models.sketches import sketch_garment, sketch_person
from mirror.inputs import GarmentInputs, PersonInputs
from mirror.maps import GARMENT_CHANNELS, PERSON_CHANNELS

GARMENT, PERSON, GENERATOR = "cwm_garment", "cwm_person", "igm"
CHANNELS = {"garment_maps": GARMENT_CHANNELS, "person_maps": PERSON_CHANNELS}


class Example:
    """Sketched inputs by name, with what follows from them by running the networks themselves in torch."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        person = sketch_person(rng)
        self.person = PersonInputs(person.picture, person.mask, person.landmarks)
        self.garment = GarmentInputs(sketch_garment(rng))

    def of_garment(self, *names: str) -> dict[str, Tensor]:
        return {name: torch.from_numpy(self.garment.named(name)) for name in names}

    def of_person(self, *names: str) -> dict[str, Tensor]:
        return {name: torch.from_numpy(self.person.named(name)) for name in names}

    def of_generator(self, *names: str) -> dict[str, Tensor]:
        """The garment as it lies, where its mask is: as good as a warped one to try a network on."""
        coverage = self.garment.mask * self.person.mask
        return {name: torch.from_numpy(self.person.named(name, self.garment.colour, coverage)) for name in names}


def plans(cwm: Cwm, igm: Igm | None, seed: int = 0) -> list[Plan]:
    """The networks of a model set, in the order in which they run."""
    example = Example(seed)
    of_garment = example.of_garment("garment_maps", "garment_layout")
    cwm.eval()
    with torch.inference_mode():
        features = cwm.garment(*of_garment.values())
    of_person = example.of_person("person_maps", "person_layout", "person_frames", "skin_likeness") | dict(
        zip(GARMENT_FEATURES, _free(features), strict=True)
    )
    out = [
        Plan(GARMENT, cwm.garment, of_garment, GARMENT_FEATURES, channels=CHANNELS),
        Plan(PERSON, cwm.person, of_person, ("flow", "coverage"), channels=CHANNELS),
    ]
    if igm is not None:
        seen = example.of_generator("person", "warped", "coverage", "person_maps", "skin", "skin_likeness")
        form = igm.config.form
        out.append(Plan(GENERATOR, igm, seen, OUTPUTS[form], form=form, channels=CHANNELS))
    return out


class _PublishedGarment(nn.Module):
    """PF-AFN's garment branch; hands the mask on, which the person branch warps into the coverage."""

    def __init__(self, warp: WarpNet) -> None:
        super().__init__()
        self.warp = warp

    def forward(self, garment: Tensor, garment_mask: Tensor) -> tuple[Tensor, ...]:
        return (*self.warp.garment_features(garment), garment_mask * 1.0)


class _PublishedPerson(nn.Module):
    def __init__(self, warp: WarpNet) -> None:
        super().__init__()
        self.warp = warp

    def forward(self, person: Tensor, *garment: Tensor) -> tuple[Tensor, Tensor]:
        flow = self.warp.person_flow(person, garment[:-1])
        return flow, sample(garment[-1], flow)


def published_plans(warp: WarpNet, generator: Generator, seed: int = 0) -> list[Plan]:
    """PF-AFN in the same three networks, so that the live mirror runs it as it runs its own."""
    example = Example(seed)
    of_garment = example.of_garment("garment", "garment_mask")
    garment, person = _PublishedGarment(warp.eval()), _PublishedPerson(warp)
    with torch.inference_mode():
        features = garment(*of_garment.values())
    names = (*(f"garment_{f.shape[2]}x{f.shape[3]}" for f in features[:-1]), "mask")
    of_person = example.of_person("person") | dict(zip(names, _free(features), strict=True))
    of_generator = example.of_generator("person", "warped", "coverage")
    return [
        Plan(GARMENT, garment, of_garment, names),
        Plan(PERSON, person, of_person, ("flow", "coverage")),
        Plan(GENERATOR, generator, of_generator, OUTPUTS["plain"], form="plain"),
    ]


def _free(tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """Tensors made in inference mode, fit for tracing."""
    return [tensor.clone() for tensor in tensors]
