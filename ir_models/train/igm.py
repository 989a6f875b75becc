"""Training of the generator: its samples, its losses, its figures on held-out people."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ir_models.checkpoints import begin_with
from ir_models.nets.cwm import TO_ALIGNED, Cwm, warp
from ir_models.nets.igm import CONFIGS, LAYERS, SHADING_RANGE, Igm, IgmTraining
from ir_models.train import augment
from ir_models.train.loop import in_full
from ir_models.train.noise import noisy_landmarks, noisy_mask
from ir_models.train.shards import (
    Part,
    Sample,
    Shards,
    garment_on_white,
    garment_shown,
    open_shards,
)
from mirror.errors import UsageError
from mirror.frames import CANVAS_H
from mirror.inputs import colours_bled
from mirror.maps import (
    garment_layout,
    garment_maps,
    person_frames,
    person_layout,
    person_maps,
    supported,
)
from mirror.skin import skin_colour, skin_likeness

CWM_SHARE = 0.7
"""How often a sample is warped by the CWM, errors included, instead of exactly."""
CAMERA_SHARE = 0.5
"""How often a sample is seen by a camera of any exposure and contrast. If all are, the network takes every picture's
light for that of a bad camera, and lays it on garments in good ones: 31 levels off where no gain at all was 29."""
CUT_SHARE, CUT_FROM = 0.7, 0.6
"""How often the camera's picture ends within the canvas, as it does live, and from where on, a share of its height.
What lies below is its last row, and no person's mask: a network that has not seen this takes a strip of trousers at
the end for the old garment, and hides it."""
CHANGED = 0.07
"""A pixel counts as changed if a colour differs by more than this (0..1), besides where the labels differ."""
PROTECTED = (Part.HEAD, Part.HAIR, Part.HAND)
BARE = (Part.SKIN, Part.HEAD, Part.HAND)
WORN = (Part.FRONT, Part.BACK)
LAYER_OF = {
    Part.BACKGROUND: "background", Part.SKIN: "skin", Part.HEAD: "skin", Part.HAND: "skin", Part.LOWER: "lower",
    Part.HAIR: "hair",
}  # fmt: skip
"""Labels -> `nets.igm.LAYERS`; all else is the layer after them."""
SIZE = (256, 192)
LIT_CELLS = 5
"""The garment's light is compared over so many cells of 8 canvas pixels."""
_FLAT = ("garment", "garment_landmarks")
_LAYER_TABLE = torch.tensor(
    [LAYERS.index(LAYER_OF[part]) if part in LAYER_OF else len(LAYERS) for part in Part], dtype=torch.int64
)


def compact(sample: Sample) -> Sample:
    """One sample of a shard -> what this training keeps: 0.6 MB."""
    flow = sample["flow"].astype(np.float32) / np.array(TO_ALIGNED, np.float32)
    return {
        "person": sample["person"],
        "target": sample["target"],
        "bled": colours_bled(sample["garment"], sample["garment_mask"]),
        "garment": garment_on_white(sample["garment"], sample["garment_mask"]),
        "parts_a": sample["parts_a"],
        "parts_b": sample["parts_b"],
        "shown": garment_shown(sample["parts_a"], sample["landmarks"]),
        "flow": filled(flow).astype(np.float16),
        "landmarks": np.nan_to_num(sample["landmarks"][:, :2]).astype(np.float32),
        "garment_landmarks": sample["garment_landmarks"].astype(np.float32),
        "skin_tone": sample["skin_tone"],
    }


def filled(flow: np.ndarray) -> np.ndarray:
    """Flow (h, w, 2) with every nan replaced by the nearest known value."""
    known = np.isfinite(flow).all(-1)
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(label.max()) + 1, 2), np.float32)
    table[label[known]] = flow[known]
    return table[label]


@dataclasses.dataclass
class Batch:
    """Pictures RGB in [-1, 1] and masks 0..1 at 256 x 192, maps, skin and likeness as `Igm` takes them.

    changed: where the target differs from the person. repair: where the repair mask should be, 0..1. front: where the
    new garment's front is; shown: where it is drawn. protect: hands, head and hair that are the same
    in both. seen: (B, 5, 64, 48), shares of the layers in the person's picture. wanted: (B, 1, 256, 192), the layer of
    the target, whole numbers. inside: (B, 1, 256, 192), 1 but below the camera picture's end. by_cwm: (B, 1, 1, 1), 1
    where the CWM warped.
    """

    person: Tensor
    target: Tensor
    warped: Tensor
    coverage: Tensor
    maps: Tensor
    skin: Tensor
    likeness: Tensor
    changed: Tensor
    repair: Tensor
    front: Tensor
    shown: Tensor
    protect: Tensor
    bare: Tensor
    seen: Tensor
    wanted: Tensor
    inside: Tensor
    by_cwm: Tensor

    def inputs(self) -> tuple[Tensor, ...]:
        return self.person, self.warped, self.coverage, self.maps, self.skin, self.likeness

    def to(self, device: torch.device) -> Batch:
        moved = {name: value.to(device, non_blocking=True) for name, value in vars(self).items()}
        return Batch(
            **{k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in moved.items()}
        )


def make_batch(
    rows: Sample, generator: torch.Generator, training: bool, cwm: Cwm | None, cwm_share: float = CWM_SHARE
) -> Batch:
    """Compact samples -> a batch; `training` adds augmentation. cwm_share: how many are warped by the CWM."""
    count = len(rows["person"])

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)

    names = ("person", "target", "parts_a", "parts_b", "shown")
    person, target, parts_a, parts_b, drawn = (rows[name] for name in names)
    ends = np.full(count, CANVAS_H)
    if training:
        seeds = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        person, target, parts_a, parts_b, drawn = (rows[name].copy() for name in names)
        for index in range(count):
            other = target[(index + 1) % count]
            _new_background(person[index], target[index], parts_a[index], parts_b[index], other, seeds)
            _loosen(person[index], parts_a[index], parts_b[index], seeds)
            _blur_hands(person[index], target[index], parts_a[index], parts_b[index], seeds)
            if seeds.random() < CUT_SHARE:
                ends[index] = seeds.integers(round(CUT_FROM * CANVAS_H), CANVAS_H)
                for rows_of in (person[index], target[index], parts_a[index], parts_b[index], drawn[index]):
                    rows_of[ends[index] :] = rows_of[ends[index] - 1]

    def picture(pixels: np.ndarray) -> Tensor:
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0

    def among(labels: Tensor, parts: tuple[Part, ...]) -> Tensor:
        return torch.isin(labels, torch.tensor([int(part) for part in parts], dtype=labels.dtype))

    old, new = picture(person), picture(target)
    label_a, label_b = (torch.from_numpy(x)[:, None] for x in (parts_a, parts_b))
    points = torch.from_numpy(rows["landmarks"])
    differs = (old - new).abs().amax(1, keepdim=True) > CHANGED
    changed = differs | (label_a != label_b) | among(label_a, WORN)
    # Where the new garment will be, the repair mask matters only if the warp leaves a gap: then what was worn must go.
    repair = torch.where(label_a == Part.FRONT, among(label_b, (*WORN, Part.ACCESSORY)), changed).float()
    front = (label_a == Part.FRONT).float()
    wanted = _LAYER_TABLE[label_a.long()]
    seen = F.one_hot(_LAYER_TABLE[label_b[:, 0].long()], len(LAYERS) + 1).permute(0, 3, 1, 2).float()
    protect = ((label_a == label_b) & among(label_a, PROTECTED) & ~differs).float()
    bare = among(label_a, BARE).float()
    inside = (torch.arange(CANVAS_H) < torch.from_numpy(ends)[:, None]).float()[:, None, :, None]
    silhouette = F.avg_pool2d((label_b != Part.BACKGROUND).float() * inside, 2)

    seen_points = noisy_landmarks(points, generator)
    mask = noisy_mask(silhouette, generator)
    maps = person_maps(seen_points, mask[:, 0])
    bled = picture(rows["bled"])
    by_cwm = (torch.rand(count, 1, 1, 1, generator=generator) < (cwm_share if cwm is not None else 0.0)).float()
    flow = torch.from_numpy(rows["flow"]).float().permute(0, 3, 1, 2)
    shown = torch.from_numpy(drawn)[:, None].float()
    coverage = F.avg_pool2d(shown, 3, 1, 1, count_include_pad=False)
    chosen = torch.nonzero(by_cwm[:, 0, 0, 0])[:, 0]
    if cwm is not None and len(chosen):
        flow[chosen], coverage[chosen] = _warps_of(
            cwm, (maps[chosen], seen_points[chosen], old[chosen]), {k: rows[k][chosen.numpy()] for k in _FLAT}
        )
    warped = warp(bled, F.interpolate(flow, size=SIZE, mode="bilinear", align_corners=False))

    if training:
        filmed = torch.rand(count, 1, 1, 1, generator=generator) < CAMERA_SHARE
        for plain, seen_by in zip((old, new), augment.camera([old, new], generator), strict=True):
            plain.copy_(torch.where(filmed, seen_by, plain))
        warped = augment.tint(warped, generator, 0.88, 1.1)
        grain = torch.randn(old.shape, generator=generator) * uniform(0.0, 0.025)
        old, new = (old + grain).clamp(0, 1), (new + grain).clamp(0, 1)
        if torch.rand((), generator=generator) < 0.5:  # coverage as soft and as wrong as the CWM's
            soft = F.avg_pool2d(coverage, 5, 1, 2, count_include_pad=False)
            coverage = ((soft - 0.5 + uniform(-0.25, 0.25)) * uniform(1.5, 4.0) + 0.5).clamp(0, 1)
    small = F.avg_pool2d(old, 2) * 2.0 - 1.0
    skin = skin_colour(small, seen_points)
    likeness = skin_likeness(small, skin, seen_points)
    batch = Batch(
        old * 2.0 - 1.0, new * 2.0 - 1.0, warped * 2.0 - 1.0, coverage, maps, skin, likeness,
        changed.float(), repair, front, shown, protect, bare, F.avg_pool2d(seen, 4),
        wanted.float(), inside.expand_as(repair), by_cwm,
    )  # fmt: skip
    if training and torch.rand((), generator=generator) < 0.5:
        batch = _mirrored(batch, seen_points, mask)
    return batch


def _mirrored(batch: Batch, points: Tensor, mask: Tensor) -> Batch:
    flipped = {k: v.flip(3) if v.dim() == 4 and v.shape[3] > 1 else v for k, v in vars(batch).items()}
    flipped["maps"] = person_maps(augment.mirror_points(points, augment.MIRROR_PERSON), mask.flip(3)[:, 0])
    return Batch(**flipped)


@torch.no_grad()
def _warps_of(cwm: Cwm, seen: tuple[Tensor, Tensor, Tensor], rows: Sample) -> tuple[Tensor, Tensor]:
    """The CWM's flow (B, 2, 128, 96), area coordinates, and its coverage at 256 x 192. seen: of the person the maps,
    the landmarks and the picture, RGB 0..1."""
    maps, points, picture = seen
    garment = torch.from_numpy(rows["garment"]).permute(0, 3, 1, 2).float() / 255.0
    marks = torch.from_numpy(rows["garment_landmarks"])
    drawn = garment_maps(garment[:, :3] * 2.0 - 1.0, garment[:, 3], marks)
    small = F.avg_pool2d(picture, 2) * 2.0 - 1.0
    likeness = skin_likeness(small, skin_colour(small, points), points)
    out = cwm.look(maps, person_layout(points), person_frames(points), likeness, drawn, garment_layout(marks))
    return out.flow, F.interpolate(out.coverage, size=SIZE, mode="bilinear", align_corners=False)


def _new_background(
    person: np.ndarray, target: np.ndarray, parts_a: np.ndarray, parts_b: np.ndarray, other: np.ndarray,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Two thirds get another room: plain with a soft gradient, or a blurred picture of another sample."""
    choice = rng.random()
    if choice > 0.65:
        return
    behind = ((parts_a == Part.BACKGROUND) & (parts_b == Part.BACKGROUND))[..., None].astype(np.float32)
    behind = cv2.blur(behind, (3, 3))[..., None]
    if choice < 0.3:
        wall = rng.uniform(70, 255) * (0.75 + 0.25 * rng.random(3))
        room = (
            wall
            * (1.0 + 0.12 * cv2.resize(rng.normal(size=(3, 2)), SIZE[::-1], interpolation=cv2.INTER_CUBIC))[..., None]
        )
    else:
        size = 2 * int(rng.integers(1, 10)) + 1
        room = cv2.GaussianBlur(other[:, ::-1], (size, size), 0).astype(np.float32)
    for image in (person, target):
        image[:] = np.clip(image * (1.0 - behind) + room * behind, 0, 255).astype(np.uint8)


def _loosen(person: np.ndarray, parts_a: np.ndarray, parts_b: np.ndarray, rng: np.random.Generator) -> None:
    """In half of the samples the old garment is looser than drawn: its colours grow outwards over the background."""
    worn = np.isin(parts_b, (Part.FRONT, Part.BACK)).astype(np.uint8)
    if rng.random() > 0.5 or worn.sum() < 100:
        return
    distance, label = cv2.distanceTransformWithLabels(1 - worn, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    waves = cv2.resize(rng.normal(size=(12, 9)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    grows = (distance <= rng.uniform(1.0, 8.0) * (1.0 + 0.6 * waves)) & (worn == 0) & (parts_b == Part.BACKGROUND)
    grows &= distance <= 10.0
    table = np.zeros((int(label.max()) + 1, 3), np.float32)
    inside = worn > 0
    table[label[inside]] = person[inside]
    shade = 1.0 - 0.02 * rng.random() * distance[grows]
    person[grows] = np.clip(table[label[grows]] * shade[:, None], 0, 255).astype(np.uint8)
    parts_b[grows] = Part.FRONT


def _blur_hands(
    person: np.ndarray, target: np.ndarray, parts_a: np.ndarray, parts_b: np.ndarray, rng: np.random.Generator
) -> None:
    """In a third of the samples the hands move: both pictures are smeared along one direction around them."""
    hands = ((parts_a == Part.HAND) & (parts_b == Part.HAND)).astype(np.float32)
    if rng.random() > 0.33 or hands.sum() < 20:
        return
    length = int(rng.integers(4, 15))
    kernel = np.zeros((15, 15), np.float32)
    direction = rng.normal(size=2)
    direction /= np.linalg.norm(direction) + 1e-6
    ends = [tuple(round(float(7 + sign * length / 2 * d)) for d in direction) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    kernel /= kernel.sum()
    soft = np.clip(cv2.filter2D(cv2.dilate(hands, np.ones((5, 5), np.uint8)), -1, kernel), 0, 1)[..., None]
    for image in (person, target):
        smeared = cv2.filter2D(image, -1, kernel)
        image[:] = (image * (1.0 - soft) + smeared * soft).astype(np.uint8)


def losses(out: IgmTraining, batch: Batch) -> dict[str, Tensor]:
    """Terms of the loss of the form `repair`, to be added up.

    l1: the composed picture, five times as heavy where there is something to repair, four times on hands. colour: what
    is painted, there. shade: the garment's light. mask, dice: the repair mask. kept: how much of the coverage is right.
    seen, wanted: what is where, before and after. protect: hands, head, hair.
    """
    mask, kept, colour, gain = out.mask, out.kept, out.colour, out.gain
    support = supported(batch.coverage)
    coverage = support * kept
    bare = 1.0 - coverage.detach()
    repair = batch.repair * bare * batch.inside
    below = batch.person + (colour - batch.person) * mask
    # The light learns from `_shade` alone: details that the warp misplaces would have it grey and dark.
    composed = below + ((batch.warped + 1.0) * gain.detach() - 1.0 - below) * coverage
    weight = 1.0 + 4.0 * batch.changed * bare + 2.0 * batch.coverage * batch.front + 3.0 * batch.protect
    l1 = ((composed - batch.target).abs() * weight * batch.inside).mean()
    # Where the warp leaves a gap in the new garment its colour is a guess: what lies beside it counts more.
    sure = repair * (1.0 - 0.7 * batch.front)
    total = sure.sum() + 10.0
    off = ((colour - batch.target).abs() * sure).sum() / (3.0 * total)
    cross = F.binary_cross_entropy_with_logits
    said = (
        cross(out.logits("repair"), batch.repair, reduction="none")
        * ((0.1 + bare) * (1.0 + 2.0 * batch.repair) * batch.inside)
    ).mean()
    painted = mask * bare * batch.inside
    both = (painted * repair).sum((1, 2, 3))
    dice = (1.0 - (2.0 * both + 20.0) / ((painted + repair).sum((1, 2, 3)) + 20.0)).mean()
    covered = support * (1.0 + 4.0 * batch.protect) * batch.inside
    back = (cross(out.logits("composite"), batch.shown, reduction="none") * covered).sum() / (covered.sum() + 10.0)
    seen = -(F.log_softmax(out.seen, 1) * batch.seen * F.avg_pool2d(batch.inside, 4)).sum(1).mean()
    near_hands = (1.0 + 2.0 * batch.protect) * batch.inside
    protect = (cross(out.logits("protect"), batch.protect, reduction="none") * near_hands).mean()
    return {
        "l1": l1, "colour": off, "shade": _shade(out.light, batch), "mask": said, "dice": 0.3 * dice,
        "kept": 0.3 * back, "seen": 0.4 * seen, "wanted": _wanted(out, batch, sure + 0.02 * batch.inside),
        "protect": 0.5 * protect,
    }  # fmt: skip


def _shade(light: Tensor, batch: Batch) -> Tensor:
    """How far the gain is from the ratio of mean brightness, target to warped garment, over LIT_CELLS around: details
    that the warp misplaces do not count, as they would pixel by pixel. In shares of the brightness, weighted by it."""

    def around(x: Tensor) -> Tensor:
        cells = F.avg_pool2d(x, CANVAS_H // light.shape[2])
        return F.avg_pool2d(cells, LIT_CELLS, 1, LIT_CELLS // 2)

    sure = batch.front * batch.shown * batch.inside * (batch.coverage > 0.5)
    was, is_now = (
        around((picture.mean(1, keepdim=True) * 0.5 + 0.5) * sure) for picture in (batch.warped, batch.target)
    )
    told = torch.log((is_now + 1e-3) / (was + 1e-3)).clamp(-SHADING_RANGE, SHADING_RANGE)
    weight = is_now + 0.1 * around(sure)
    return 2.0 * ((torch.log(light) - told).abs() * weight).sum() / (weight.sum() + 1.0)


def _wanted(out: IgmTraining, batch: Batch, weight: Tensor) -> Tensor:
    """Cross entropy of what the finished picture shows: skin or not at full size, which other layer at half of it."""
    skin = (batch.wanted == 0).float()
    bare = F.binary_cross_entropy_with_logits(out.logits("skin"), skin, reduction="none")
    at_full = (bare * weight).sum() / weight.sum()
    layers = F.one_hot(batch.wanted[:, 0].long(), len(LAYERS) + 1).permute(0, 3, 1, 2)[:, 1:].float()
    shares = F.avg_pool2d(layers * weight, 2)
    at_half = -(F.log_softmax(out.others, 1) * shares).sum() / (shares.sum() + 10.0)
    return 0.2 * (at_full + at_half)


def plain_losses(out: IgmTraining, batch: Batch) -> dict[str, Tensor]:
    """For PF-AFN's plain form: L1 of the composed and of the rendered picture."""
    mask, colour = out.share("composite"), out.colour
    composed = colour + (batch.warped - colour) * mask
    weight = 1.0 + 2.0 * batch.changed
    return {
        "l1": ((composed - batch.target).abs() * weight).mean(),
        "rendered": 0.5 * ((colour - batch.target).abs() * weight * (1.0 - batch.front)).mean(),
        "mask": 0.3 * F.binary_cross_entropy(mask.clamp(1e-4, 1 - 1e-4), batch.front),
    }


class IgmTask:
    """What the training loop asks for: the model, a loss for a step, figures now and then."""

    name = "igm"
    batch_size = 8
    learning_rate = 2e-3
    half = False

    def __init__(
        self, data: Path, config: str, cwm: Cwm | None = None, limit: int | None = None, wait_s: float = 0.0,
        start: Path | None = None,
    ) -> None:  # fmt: skip
        """start: a checkpoint whose weights are begun with, as far as they fit."""
        self.config = CONFIGS[config]
        self.start = start
        self.cwm = cwm
        self.train = open_shards(data, "train", compact, limit, wait_s)
        self.held_out = open_shards(data, "heldout", compact, 160, wait_s)
        self._weights: list[float] = []
        self._ahead = ThreadPoolExecutor(1, "batches", torch.set_num_threads, (1,))  # a thread's own setting
        self._next: Future[Batch] | None = None

    def build(self) -> Igm:
        return Igm(self.config)

    def begin(self, model: Igm, generator: torch.Generator, device: torch.device, budget_s: float) -> None:
        """Take over the weights of --start."""
        if self.start is not None:
            begin_with(model, self.start)

    def refresh(self) -> int:
        return self.train.refresh(most=1)

    def __len__(self) -> int:
        return len(self.train)

    def loss(self, model: Igm, rows: np.ndarray, generator: torch.Generator, device: torch.device) -> dict[str, Tensor]:
        """Rows are drawn here: samples whose new garment bares skin come up to seven times as often.

        The next batch is assembled while this one is learned from: a third of the time of a step."""
        for index in range(len(self._weights), len(self.train)):
            self._weights.append(_worth(*(self.train.columns[name][index] for name in ("parts_a", "parts_b"))))

        def assemble() -> Batch:
            drawn = torch.multinomial(torch.tensor(self._weights), len(rows), replacement=False, generator=generator)
            return make_batch(self.train.batch(drawn.numpy()), generator, training=True, cwm=self.cwm)

        batch = (self._next.result() if self._next is not None else assemble()).to(device)
        self._next = self._ahead.submit(assemble)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.half):
            out = in_full(model.look(*batch.inputs()))
        return losses(out, batch) if self.config.form == "repair" else plain_losses(out, batch)

    def validate(self, model: Igm, device: torch.device, most: int | None = None) -> dict[str, float]:
        return evaluate(model, self.held_out, device, self.cwm, min(most or 160, 160))


def _worth(parts_a: np.ndarray, parts_b: np.ndarray) -> float:
    """How often a sample comes, by the share of it that is skin under a garment that goes."""
    bared = np.isin(parts_a, BARE) & np.isin(parts_b, (Part.FRONT, Part.BACK))
    return 1.0 + 6.0 * min(1.0, float(bared.mean()) / 0.03)


@torch.no_grad()
def evaluate(
    model: Igm, shards: Shards, device: torch.device, cwm: Cwm | None, most: int | None = None
) -> dict[str, float]:
    """L1 of 255 in the regions of a picture, for IGM and for the plain composite (`plain_*`), and the repair IoU."""
    generator = torch.Generator().manual_seed(1)
    total = min(len(shards), most or len(shards))
    if not total:
        raise UsageError(f"{shards.folder} holds no sample to evaluate on")
    sums: dict[str, float] = {}
    areas: dict[str, float] = {}
    for start in range(0, total, 16):
        rows = shards.batch(np.arange(start, min(start + 16, total)))
        batch = make_batch(rows, generator, training=False, cwm=cwm, cwm_share=1.0).to(device)
        out = model.look(*batch.inputs())
        repair = (batch.changed > 0.5) & (batch.front < 0.5)
        regions = {
            "repair": repair,
            "skin": repair & (batch.bare > 0.5),
            "garment": batch.front > 0.5,
            "untouched": ~repair & (batch.front < 0.5),
            "protect": batch.protect > 0.5,
        }
        if model.config.form == "repair":
            composed = out.compose(batch.person, batch.warped, batch.coverage)
            painted, shown = out.mask > 0.5, batch.coverage < 0.5
            for name, found in (("iou_both", painted & repair), ("iou_either", painted | repair)):
                sums[name] = sums.get(name, 0.0) + float((found & shown).sum())
        else:
            composed = out.colour + (batch.warped - out.colour) * out.share("composite")
        plain = batch.person + (batch.warped - batch.person) * batch.coverage
        for prefix, image in (("l1_", composed), ("plain_", plain)):
            off = (image - batch.target).abs().mean(1, keepdim=True) * 127.5
            for name, region in regions.items():
                sums[prefix + name] = sums.get(prefix + name, 0.0) + float(off[region].sum())
                areas[prefix + name] = areas.get(prefix + name, 0.0) + float(region.sum())
    figures = {name: sums[name] / max(1.0, area) for name, area in areas.items()}
    if "iou_either" in sums:
        figures["repair_iou"] = sums["iou_both"] / max(1.0, sums["iou_either"])
    return figures
