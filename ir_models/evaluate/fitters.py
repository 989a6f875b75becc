"""The networks as trained (torch), with the live mirror's inputs and outputs, to be compared with those that ship."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ir_models.nets.cwm import Cwm
from ir_models.nets.igm import OUTPUTS, Igm
from mirror.frames import Crop, Fit, Frame, Person
from mirror.inputs import GarmentInputs, PersonInputs, enlarge, outline_of
from mirror.light import torso_shading
from mirror.tryon import Warped, enlarge_flow, fit_of_repair, seen_of
from mirror.wardrobe import Garment

_OF_PERSON = ("person_maps", "person_layout", "person_frames", "skin_likeness")


class TorchFitter:
    """CWM, and IGM if there is one, as checkpoints. The canvas must be the camera's picture (an identity crop)."""

    def __init__(self, cwm: Cwm, igm: Igm | None = None) -> None:
        self.cwm, self.igm = cwm, igm

    @torch.no_grad()
    def fit(self, frame: Frame, person: Person, crop: Crop, garment: Garment) -> Fit:
        flat = GarmentInputs(garment)
        seen = PersonInputs(frame.image, person.mask, person.landmarks[:, :2].astype(np.float64))
        features = self.cwm.garment(_tensor(flat.named("garment_maps")), _tensor(flat.named("garment_layout")))
        stands = (_tensor(seen.named(name)) for name in _OF_PERSON)
        answer, cover = self.cwm.person(*stands, *features)
        flow = enlarge_flow(answer[0].numpy())
        coverage = np.clip(enlarge(cover[0, 0].numpy()), 0.0, 1.0)
        if self.igm is None:
            shading = torso_shading(frame.image, person.mask * (coverage > 0.5))
            return Fit(flow, coverage, shading, None, crop, frame.t_capture)
        warped = flat.warped(flow)
        names = ("person", "warped", "coverage", "person_maps", "skin", "skin_likeness")
        outputs = self.igm(*(_tensor(seen.named(name, warped, coverage)) for name in names))
        made = {name: output.numpy() for name, output in zip(OUTPUTS[self.igm.config.form], outputs, strict=True)}
        looked = seen_of(seen, garment) if "skin_mask" in made else None
        return fit_of_repair(Warped(frame, seen, crop, flow, coverage, outline_of(warped), looked), made)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
