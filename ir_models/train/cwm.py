"""Training of the warp network: its samples, its losses, its figures on held-out people."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ir_models.checkpoints import begin_with
from ir_models.nets.cwm import CONFIGS, LEVELS, TO_ALIGNED, Cwm, CwmTraining, Layers, Prior, first_logits, warp
from ir_models.train import augment
from ir_models.train.loop import half_pays, in_full
from ir_models.train.noise import noisy_landmarks, noisy_mask
from ir_models.train.shards import (
    Part,
    Rows,
    Sample,
    Shards,
    garment_on_white,
    garment_shown,
    halve,
    open_shards,
    share,
)
from mirror.frames import CANVAS_H, CANVAS_W, SHOULDER_SHARE
from mirror.garment import colours_bled
from mirror.maps import (
    MAP_H,
    MAP_W,
    garment_layout,
    garment_maps,
    person_frames,
    person_layout,
    person_maps,
)
from mirror.skin import skin_colour, skin_likeness
from mirror.wardrobe import LANDMARKS, SLEEVES

LEVEL_WEIGHTS = (0.2, 0.15, 0.25, 0.4, 0.6, 1.0)
"""Of the flow's error: the prior, the levels coarse to fine, and the result."""
SPREAD_PX = 11.5
"""Garment-canvas pixels by which the flow may differ between four neighbours for their mean to be true: averages across
layers, of an arm before the torso, are places that exist nowhere."""
SMOOTH_WEIGHT, REST_WEIGHT, STRETCH_WEIGHT = 2.0, 0.1, 0.3
DEFORMED_PX = 2.0
"""Pixels of error that `PersonBranch.deformed` counts as."""
LIKELY_PX = 6.0
"""Pixels of SHOULDER_PX within which two layers explain a pixel about as well."""
HEM_BAND = 6
"""Map pixels around the garment in which its warped mask must end; farther away the flow may do as it likes."""
HEM_WEIGHT = 0.05
"""At 0.2, five more minutes of a trained network sharpened hems and cost 0.6 pixels; 0.05 is untried."""
UNION_SHARE = 0.33
"""How often the person mask is that of both garments together: live it is that of the old one, loose or tight."""
SHOULDER_PX = SHOULDER_SHARE * CANVAS_W
"""Errors count in pixels at which the garment's shoulders are this wide, so that its size on its canvas drops out."""


def compact(sample: Sample) -> Sample:
    """One sample of a shard -> what this training keeps: 210 kB."""
    aligned = np.array(TO_ALIGNED, np.float32)
    return {
        "garment": garment_on_white(sample["garment"], sample["garment_mask"]),
        "bled": halve_again(colours_bled(sample["garment"], sample["garment_mask"])),
        "shown": share(garment_shown(sample["parts_a"], sample["landmarks"])),
        "free": share(np.isin(sample["parts_a"], (Part.BACKGROUND, Part.LOWER))),
        "old": share(sample["parts_b"] != Part.BACKGROUND),
        "both": share((sample["parts_b"] != Part.BACKGROUND) | (sample["parts_a"] != Part.BACKGROUND)),
        "target": halve_again(sample["target"]),
        "picture": halve(sample["person"]),
        "flow": (sample["flow"].astype(np.float32) / aligned).astype(np.float16),
        "landmarks": np.nan_to_num(sample["landmarks"][:, :2]).astype(np.float32),
        "garment_landmarks": sample["garment_landmarks"].astype(np.float32),
        "sleeves": sample["sleeves"],
        "kind": sample["kind"],
        "is_photo": sample["is_photo"],
    }


def halve_again(picture: np.ndarray) -> np.ndarray:
    """uint8 256x192 -> 64x48, by area."""
    quarter = picture.reshape(CANVAS_H // 4, 4, CANVAS_W // 4, 4, -1).mean((1, 3))
    return (quarter + 0.5).astype(np.uint8)


@dataclasses.dataclass
class Batch:
    """What the network sees (person, stands, frames, likeness, garment, layout) and what it should answer.

    flow: (B, 2, 128, 96) area coordinates; valid: (B, 1, 128, 96), 1 where it is known; pixels: (B, 1, 1, 1) to turn an
    error in canvas pixels into one of SHOULDER_PX. shown: (B, 1, 128, 96) target coverage; free: where
    background or trousers are seen, so that no garment can be. bled, target: (B, 3, 64, 48) RGB 0..1.
    """

    person: Tensor
    stands: Tensor
    frames: Tensor
    likeness: Tensor
    garment: Tensor
    layout: Tensor
    flow: Tensor
    valid: Tensor
    pixels: Tensor
    shown: Tensor
    free: Tensor
    bled: Tensor
    target: Tensor

    def inputs(self) -> tuple[Tensor, ...]:
        return self.person, self.stands, self.frames, self.likeness, self.garment, self.layout

    def coarse(self) -> tuple[Tensor, Tensor]:
        """flow and valid at 64 x 48: the mean of four, known where all four are and lie near each other."""
        four = self.flow.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
        half = self.flow.new_tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 2, 1, 1)
        apart = ((four.amax((3, 5)) - four.amin((3, 5))) * half).amax(1, keepdim=True)
        whole = F.avg_pool2d(self.valid, 2) > 0.99
        return four.mean((3, 5)), (whole & (apart < SPREAD_PX)).float()

    def for_network(self) -> Batch:
        """The same with maps as convolutions like them: channels last."""
        person, garment = (x.contiguous(memory_format=torch.channels_last) for x in (self.person, self.garment))
        return dataclasses.replace(self, person=person, garment=garment)


def make_batch(rows: Rows, generator: torch.Generator, training: bool, noise: float = 1.0) -> Batch:
    """Compact samples (numpy or torch) -> a batch on the generator's device; `training` adds augmentation, `noise` what
    MediaPipe gets wrong (0: exact inputs)."""

    def given(name: str) -> Tensor:
        return torch.as_tensor(rows[name], device=generator.device)

    def picture(name: str) -> Tensor:
        stacked = given(name)
        stacked = stacked if stacked.dim() == 4 else stacked[..., None]
        return stacked.permute(0, 3, 1, 2).float() / 255.0

    def normal(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, device=generator.device)

    garment, bled, shown, free, old, both, target, colour = (
        picture(name) for name in ("garment", "bled", "shown", "free", "old", "both", "target", "picture")
    )
    count = len(garment)
    flow = given("flow").float().permute(0, 3, 1, 2)
    valid = torch.isfinite(flow).all(1, keepdim=True).float()
    flow = torch.nan_to_num(flow)
    points, marks = given("landmarks"), given("garment_landmarks")
    mask = torch.where(augment.chance(count, UNION_SHARE, generator), both, old) if training else old

    if training:
        flip, maps = augment.chance(count, 0.5, generator), [garment, bled, shown, free, mask, target, valid, colour]
        maps, flow, points, marks = augment.mirror_some(flip, maps, flow, points, marks)
        garment, bled, shown, free, mask, target, valid, colour = maps
        body = augment.random_move(count, generator, scale=0.05, roll_deg=2.0, shift=0.03)
        shown, free, mask, target = (body.picture(x) for x in (shown, free, mask, target))
        colour = augment.camera([body.picture(colour, padding="border")], generator)[0]
        colour = (colour + normal(colour) * 0.012).clamp(0.0, 1.0)
        flow, valid = body.picture(flow, "nearest"), body.picture(valid, "nearest")
        points = body.points(points)
        laid = augment.random_move(count, generator, scale=0.02, roll_deg=1.5, shift=0.012, lean=-0.02)
        garment = torch.cat([1.0 - laid.picture(1.0 - garment[:, :3]), laid.picture(garment[:, 3:])], 1)
        bled = laid.picture(bled, padding="border")
        flow, marks = laid.coordinates(flow), laid.points(marks)
        marks = marks + normal(marks) * 1.2
        white = 1.0 - garment[:, 3:]
        garment = torch.cat([augment.tint(garment[:, :3], generator) * garment[:, 3:] + white, garment[:, 3:]], 1)
    if noise > 0.0:
        points, mask = noisy_landmarks(points, generator, noise), noisy_mask(mask, generator, noise)

    colour = colour * 2.0 - 1.0
    left, right = (marks[:, LANDMARKS.index(f"shoulder_{side}")] for side in ("left", "right"))
    return Batch(
        person=person_maps(points, mask[:, 0]),
        stands=person_layout(points),
        frames=person_frames(points),
        likeness=skin_likeness(colour, skin_colour(colour, points), points),
        garment=garment_maps(garment[:, :3] * 2.0 - 1.0, garment[:, 3], marks),
        layout=garment_layout(marks),
        flow=flow,
        valid=valid,
        pixels=(SHOULDER_PX / (right - left).norm(dim=1).clamp(min=20.0)).view(count, 1, 1, 1),
        shown=shown,
        free=free,
        bled=bled,
        target=target,
    )


def losses(out: CwmTraining, batch: Batch) -> dict[str, Tensor]:
    """Terms of the loss, to be added up.

    flow: `layered_error` on visible front pixels at every level. smooth: second differences of each layer's steps;
    stretch: their first, where they count; rest: layers that are not seen stay near their priors; deformed: and those
    near their shape. cover, dice: coverage, whose product with the warped mask pulls the garment's outline into place
    as well. hem: the warped mask itself ends where the garment does, so that hems and cuffs show their own edge. photo:
    warped colours against the target's, less their mean difference, so that exposure does not count.
    """
    coarse, fine = batch.coarse(), (batch.flow, batch.valid)
    flow = batch.flow.new_zeros(())
    for weight, answer in zip(LEVEL_WEIGHTS, out.levels, strict=True):
        flow = flow + weight * layered_error(answer, *(fine if answer is out.levels[-1] else coarse), batch.pixels)
    smooth = _bent(out.steps)
    share = torch.softmax(out.levels[-2].logits, 1).repeat_interleave(2, 1)
    rest = (out.steps.abs() * (1.0 - share)).mean()

    coverage = out.coverage.clamp(1e-4, 1.0 - 1e-4)
    edge = (batch.shown - F.avg_pool2d(batch.shown, 7, 1, 3)).abs()
    cover = (F.binary_cross_entropy(coverage, batch.shown, reduction="none") * (1.0 + 3.0 * edge)).mean()
    outside = batch.free * F.max_pool2d(batch.shown, 2 * HEM_BAND + 1, 1, HEM_BAND)
    reached = out.warped_mask.clamp(1e-3, 1.0 - 1e-3)
    missed = -(batch.shown * reached.log() + outside * (1.0 - reached).log())
    hem = missed.sum() / (batch.shown.sum() + 1.0)
    both = (coverage * batch.shown).sum((1, 2, 3))
    dice = (1.0 - (2.0 * both + 1.0) / ((coverage + batch.shown).sum((1, 2, 3)) + 1.0)).mean()

    known = coarse[1]
    warped = warp(batch.bled, out.levels[-2].mixed())
    off = (warped - batch.target) * known
    mean = off.sum((2, 3), keepdim=True) / (known.sum((2, 3), keepdim=True) + 1.0)
    photo = (off - mean * known).abs().sum() / (known.sum() + 1.0)
    return {
        "flow": flow / 10.0,
        "smooth": SMOOTH_WEIGHT * smooth,
        "stretch": STRETCH_WEIGHT * _stretched(out),
        "rest": REST_WEIGHT * rest,
        "deformed": LEVEL_WEIGHTS[0] * DEFORMED_PX / 10.0 * out.deformed,
        "cover": cover,
        "hem": HEM_WEIGHT * hem,
        "dice": 0.5 * dice,
        "photo": 0.1 * photo,
    }


def layered_error(answer: Layers, flow: Tensor, valid: Tensor, pixels: Tensor) -> Tensor:
    """Mean over the valid pixels of a flow (B, 2, h, w) of how unlikely it is, in pixels of SHOULDER_PX: the L1 of the
    layer that fits best, and what it costs that another may be chosen. Soft over LIKELY_PX: the negative logarithm of a
    mixture of Laplace distributions, one for each layer, by its logit. So a layer learns where it explains what is
    seen, and the choice learns which of them that is."""
    answer = answer.enlarged((int(flow.shape[2]), int(flow.shape[3])))
    half = flow.new_tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 1, 2, 1, 1)
    off = ((answer.flows.unflatten(1, (-1, 2)) - flow[:, None]) * half).abs().sum(2) * pixels
    likely = torch.logsumexp(torch.log_softmax(answer.logits, 1) - off / LIKELY_PX, 1, keepdim=True)
    return -LIKELY_PX * (likely * valid).sum() / (valid.sum() + 1.0)


def _stretched(out: CwmTraining) -> Tensor:
    """How much the steps stretch or squeeze the garment where their layer is seen: squared, 1 for as much as the prior
    runs along there. Where nothing tells how far a sleeve has come, it must not stand still: its pattern would bend
    into rings."""
    seen = torch.softmax(out.levels[-2].logits, 1).detach().repeat_interleave(2, 1)
    seen = seen * F.avg_pool2d(out.coverage.detach(), 2)
    run = 1.0 / (SHOULDER_SHARE * LEVELS[-1][1])
    bent = seen.new_zeros(())
    for axis in (2, 3):
        slope = out.steps.diff(dim=axis) / run
        bent = bent + (slope**2 * seen.narrow(axis, 1, int(slope.shape[axis]))).sum()
    return bent / (seen.sum() + 1.0)


def _bent(steps: Tensor) -> Tensor:
    across = (steps[..., 2:] - 2 * steps[..., 1:-1] + steps[..., :-2]).abs().mean()
    along = (steps[..., 2:, :] - 2 * steps[..., 1:-1, :] + steps[..., :-2, :]).abs().mean()
    return across + along


def errors(flow: Tensor, coverage: Tensor, batch: Batch) -> dict[str, np.ndarray]:
    """Per sample: mean end-point error on visible front pixels (pixels of SHOULDER_PX) and IoU of coverage.

    flow: (B, 2, 128, 96) area coordinates. coverage: (B, 1, 128, 96)."""
    half = flow.new_tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 2, 1, 1)
    off = ((flow - batch.flow) * half).norm(dim=1, keepdim=True) * batch.pixels
    epe = (off * batch.valid).sum((1, 2, 3)) / batch.valid.sum((1, 2, 3)).clamp(min=1.0)
    seen, true = coverage > 0.5, batch.shown > 0.5
    iou = (seen & true).sum((1, 2, 3)) / (seen | true).sum((1, 2, 3)).clamp(min=1)
    return {"epe_px": epe.cpu().numpy(), "coverage_iou": iou.cpu().numpy()}


PRIOR_SAMPLES, PRIOR_STEPS, PRIOR_BATCH, PRIOR_RATE = 8192, 3000, 128, 1e-3
PRIOR_SHARE = 0.05
"""Of the budget that fitting the prior alone may take."""


def fit_prior(
    model: Cwm, shards: Shards, generator: torch.Generator, device: torch.device, seconds: float = math.inf
) -> float:
    """Fit what places the priors, alone, all else as it is; returns their mean L1 in pixels. Two minutes on a core.

    A regression of few numbers on few numbers, which the training as a whole learns only slowly. seconds: stop after so
    many of this thread's own, which a busy machine does not shorten.
    """
    size = min(PRIOR_SAMPLES, 2 * len(shards))
    rows = np.random.default_rng(0).permutation(2 * len(shards))[:size] % len(shards)
    kept: list[tuple[Tensor, ...]] = []
    started = time.thread_time()
    with torch.no_grad():
        for start in range(0, size, 32):
            if kept and time.thread_time() - started > seconds / 2:
                break
            batch = make_batch(shards.batch(rows[start : start + 32]), generator, training=True).for_network()
            with torch.autocast(device.type, torch.bfloat16, enabled=half_pays(device)):
                code = model.code(*batch.inputs()).float()
            speaks = F.avg_pool2d(first_logits(batch.person), 2).half()
            kept.append((code, batch.frames, speaks, *batch.coarse(), batch.pixels))
    code, frames, speaks, flow, valid, pixels = (torch.cat(column) for column in zip(*kept, strict=True))
    optimizer = torch.optim.AdamW(model.person.affine.parameters(), PRIOR_RATE, weight_decay=1e-3)
    error = math.nan
    for step in range(PRIOR_STEPS):
        spent = max(step / PRIOR_STEPS, (time.thread_time() - started) / seconds)
        if spent >= 1.0:
            break
        optimizer.param_groups[0]["lr"] = PRIOR_RATE * (1.0 - spent)
        some = torch.randint(len(code), (PRIOR_BATCH,), generator=generator, device=device)
        prior = Prior(model.person.prior(frames[some], code[some]), speaks[some].float())
        off = layered_error(prior.layers(), flow[some], valid[some], pixels[some])
        loss = off + DEFORMED_PX * model.person.deformed(code[some])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        error = 0.98 * error + 0.02 * float(off.detach()) if step else float(off.detach())
    return error


class CwmTask:
    """What the training loop asks for: the model, a loss for a step, figures now and then."""

    name = "cwm"
    batch_size = 16
    learning_rate = 2e-3
    half = False
    begun_whole = False
    """Whether all weights were begun with."""

    def __init__(
        self, data: Path, config: str, limit: int | None = None, wait_s: float = 0.0, start: Path | None = None,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        """start: a checkpoint whose weights are begun with, as far as they fit. device: where samples are kept."""
        self.config = CONFIGS[config]
        self.start = start
        self.train = open_shards(data, "train", compact, limit, wait_s, device)
        self.held_out = open_shards(data, "heldout", compact, 320, wait_s, device)

    def build(self) -> Cwm:
        net = Cwm(self.config)
        if self.start is not None:
            self.begun_whole = begin_with(net, self.start) == len(net.state_dict())
        return net

    def begin(self, model: Cwm, generator: torch.Generator, device: torch.device, budget_s: float) -> None:
        """Before the first step: the prior, alone, unless it was begun with."""
        if self.begun_whole:
            return
        error = fit_prior(model, self.train, generator, device, PRIOR_SHARE * budget_s)
        print(f"priors fitted alone: {error:.2f} pixels (L1) from the truth", flush=True)

    def refresh(self) -> int:
        return self.train.refresh(most=1)

    def __len__(self) -> int:
        return len(self.train)

    def loss(self, model: Cwm, rows: np.ndarray, generator: torch.Generator, device: torch.device) -> dict[str, Tensor]:
        batch = self.learned_from(rows, generator).for_network()
        with torch.autocast(device.type, torch.bfloat16, enabled=self.half):
            out = model.look(*batch.inputs())
        return self.terms(in_full(out), batch)

    def learned_from(self, rows: np.ndarray, generator: torch.Generator) -> Batch:
        """What a step sees of these samples."""
        return make_batch(self.train.batch(rows), generator, training=True)

    def terms(self, out: CwmTraining, batch: Batch) -> dict[str, Tensor]:
        """What a step is to make less."""
        return losses(out, batch)

    def validate(self, model: Cwm, device: torch.device, most: int | None = None) -> dict[str, float]:
        """Figures on held-out samples, with MediaPipe-like noise (a fixed seed)."""
        found = evaluate(model, self.held_out, device, most)
        epe, iou, sleeves = found["epe_px"], found["coverage_iou"], found["sleeves"]
        figures = {
            "epe_px": float(epe.mean()),
            "epe_median_px": float(np.median(epe)),
            "prior_epe_px": float(found["prior_epe_px"].mean()),
            "coverage_iou": float(iou.mean()),
        }
        for index, name in enumerate(SLEEVES):
            if (sleeves == index).any():
                figures[f"epe_{name}_px"] = float(epe[sleeves == index].mean())
                figures[f"iou_{name}"] = float(iou[sleeves == index].mean())
        return figures


@torch.no_grad()
def evaluate(
    model: Cwm, shards: Shards, device: torch.device, most: int | None = None, noise: float = 1.0
) -> dict[str, np.ndarray]:
    """Per sample: epe_px, coverage_iou, prior_epe_px, and the sample's own sleeves, kind, is_photo."""
    generator = torch.Generator(device).manual_seed(1)
    total = min(len(shards), most or len(shards))
    columns: dict[str, list[np.ndarray]] = {}
    for start in range(0, total, 32):
        rows = shards.batch(np.arange(start, min(start + 32, total)))
        batch = make_batch(rows, generator, training=False, noise=noise).for_network()
        out = model.look(*batch.inputs())
        found = errors(out.flow, out.coverage, batch)
        prior = out.levels[0].enlarged((MAP_H, MAP_W)).chosen()
        found["prior_epe_px"] = errors(prior, out.coverage, batch)["epe_px"]
        found |= {name: rows[name].cpu().numpy() for name in ("sleeves", "kind", "is_photo")}
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in columns.items()}
