"""Training of the generator: its samples, its losses, its figures on held-out people."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ir_models.checkpoints import begin_with, load_cwm
from ir_models.nets.cwm import TO_ALIGNED, Cwm, warp
from ir_models.nets.igm import CONFIGS, LAYERS, SHADING_RANGE, Igm, IgmTraining
from ir_models.train import augment
from ir_models.train.loop import in_full
from ir_models.train.noise import noisy_landmarks, noisy_mask
from ir_models.train.shards import (
    Part,
    Rows,
    Sample,
    Shards,
    garment_on_white,
    garment_shown,
    open_shards,
)
from mirror.errors import UsageError
from mirror.frames import CANVAS_H
from mirror.garment import colours_bled
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
PLAIN_SHARE, ROOM_SHARE = 0.3, 0.65
"""How often a sample gets a plain room, and how often another one at all."""
ROOM_BLURS = (3, 9, 19)
"""Sizes of the kernels that another sample's picture is blurred with before it is a room, canvas pixels."""
MOST_LOOSE, LEAST_WORN = 10, 100
"""Canvas pixels by which an old garment is let grow at most, and of how many it must be."""
SMEARS, LEAST_HANDS = 11, 20
"""Places along its way at which a moving hand is seen; of how many canvas pixels hands must be."""
SIZE = (256, 192)
LIT_CELLS = 5
"""The garment's light is compared over so many cells of 8 canvas pixels."""
_LAYER_TABLE = torch.tensor(
    [LAYERS.index(LAYER_OF[part]) if part in LAYER_OF else len(LAYERS) for part in Part], dtype=torch.int64
)


def compact(sample: Sample) -> Sample:
    """One sample of a shard -> what this training keeps: 0.7 MB."""
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

    def for_network(self) -> Batch:
        """The same as convolutions like it: channels last."""
        parts = vars(self).items()
        return Batch(**{k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in parts})


def make_batch(
    samples: Rows, generator: torch.Generator, training: bool, cwm: Cwm | None, cwm_share: float = CWM_SHARE
) -> Batch:
    """Compact samples (numpy or torch) -> a batch on the generator's device; `training` adds augmentation. cwm_share:
    how many are warped by the CWM."""
    device, count = generator.device, len(samples["person"])

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator, device=device)

    def chance(share: float) -> Tensor:
        return augment.chance(count, share, generator)

    def given(name: str) -> Tensor:
        return torch.as_tensor(samples[name], device=device)

    def picture(name: str) -> Tensor:
        return given(name).permute(0, 3, 1, 2).float() / 255.0

    old, new, bled, garment = (picture(name) for name in ("person", "target", "bled", "garment"))
    label_a, label_b, shown = (given(name)[:, None] for name in ("parts_a", "parts_b", "shown"))
    flow = given("flow").float().permute(0, 3, 1, 2)
    points, marks = given("landmarks"), given("garment_landmarks")
    ends = torch.full((count, 1), CANVAS_H, device=device)
    if training:
        turned = [old, new, bled, garment, label_a, label_b, shown]
        turned, flow, points, marks = augment.mirror_some(chance(0.5), turned, flow, points, marks)
        old, new, bled, garment, label_a, label_b, shown = turned
        old, new = _before_another_room(old, new, label_a, label_b, generator)
        old, label_b = _loosened(old, label_b, generator)
        old, new = _hands_blurred(old, new, label_a, label_b, generator)
        cut = torch.randint(round(CUT_FROM * CANVAS_H), CANVAS_H, (count, 1), generator=generator, device=device)
        ends = torch.where(chance(CUT_SHARE)[:, :, 0, 0], cut, ends)
        old, new, label_a, label_b, shown = (_ended(x, ends) for x in (old, new, label_a, label_b, shown))

    differs = (old - new).abs().amax(1, keepdim=True) > CHANGED
    changed = differs | (label_a != label_b) | _among(label_a, WORN)
    # Where the new garment will be, the repair mask matters only if the warp leaves a gap: then what was worn must go.
    repair = torch.where(label_a == Part.FRONT, _among(label_b, (*WORN, Part.ACCESSORY)), changed).float()
    front = (label_a == Part.FRONT).float()
    layer_of = _LAYER_TABLE.to(device, non_blocking=True)
    seen = F.one_hot(layer_of[label_b[:, 0].long()], len(LAYERS) + 1).permute(0, 3, 1, 2).float()
    protect = ((label_a == label_b) & _among(label_a, PROTECTED) & ~differs).float()
    inside = (torch.arange(CANVAS_H, device=device) < ends).float()[:, None, :, None]
    silhouette = F.avg_pool2d((label_b != Part.BACKGROUND).float() * inside, 2)

    seen_points = noisy_landmarks(points, generator)
    mask = noisy_mask(silhouette, generator)
    maps = person_maps(seen_points, mask[:, 0])
    by_cwm = chance(cwm_share if cwm is not None else 0.0)
    coverage = F.avg_pool2d(shown.float(), 3, 1, 1, count_include_pad=False)
    if cwm is not None and len(rows := _rows(by_cwm)):
        seen_by_cwm = maps[rows], seen_points[rows], old[rows]
        flow[rows], coverage[rows] = _warps_of(cwm, seen_by_cwm, garment[rows], marks[rows])
    warped = warp(bled, F.interpolate(flow, size=SIZE, mode="bilinear", align_corners=False))

    if training:
        filmed = chance(CAMERA_SHARE)
        old, new = (
            torch.where(filmed, by_camera, plain)
            for plain, by_camera in zip((old, new), augment.camera([old, new], generator), strict=True)
        )
        warped = augment.tint(warped, generator, 0.88, 1.1)
        grain = torch.randn(old.shape, generator=generator, device=device) * uniform(0.0, 0.025)
        old, new = (old + grain).clamp(0, 1), (new + grain).clamp(0, 1)
        # Of half, the coverage is as soft and as wrong as the CWM's.
        soft = F.avg_pool2d(coverage, 5, 1, 2, count_include_pad=False)
        soft = ((soft - 0.5 + uniform(-0.25, 0.25)) * uniform(1.5, 4.0) + 0.5).clamp(0, 1)
        coverage = torch.where(chance(0.5), soft, coverage)
    small = F.avg_pool2d(old, 2) * 2.0 - 1.0
    skin = skin_colour(small, seen_points)
    return Batch(
        old * 2.0 - 1.0, new * 2.0 - 1.0, warped * 2.0 - 1.0, coverage, maps, skin,
        skin_likeness(small, skin, seen_points), changed.float(), repair, front, shown.float(), protect,
        _among(label_a, BARE).float(), F.avg_pool2d(seen, 4), layer_of[label_a.long()].float(),
        inside.expand_as(repair), by_cwm.float(),
    )  # fmt: skip


def _among(labels: Tensor, parts: tuple[Part, ...]) -> Tensor:
    return torch.stack([labels == part for part in parts]).any(0)


def _rows(chosen: Tensor) -> Tensor:
    """(k,): the numbers of the samples chosen, of (B, 1, 1, 1) bool."""
    return torch.nonzero(chosen[:, 0, 0, 0])[:, 0]


@torch.no_grad()
def _warps_of(cwm: Cwm, seen: tuple[Tensor, Tensor, Tensor], garment: Tensor, marks: Tensor) -> tuple[Tensor, Tensor]:
    """The CWM's flow (B, 2, 128, 96), area coordinates, and its coverage at 256 x 192. seen: of the person the maps,
    the landmarks and the picture, RGB 0..1. garment: (B, 4, 128, 96), 0..1; marks: (B, 13, 2)."""
    maps, points, picture = seen
    drawn = garment_maps(garment[:, :3] * 2.0 - 1.0, garment[:, 3], marks)
    small = F.avg_pool2d(picture, 2) * 2.0 - 1.0
    likeness = skin_likeness(small, skin_colour(small, points), points)
    with torch.autocast(maps.device.type, torch.bfloat16, enabled=maps.device.type == "cuda"):
        out = cwm.look(maps, person_layout(points), person_frames(points), likeness, drawn, garment_layout(marks))
    coverage = F.interpolate(out.coverage.float(), size=SIZE, mode="bilinear", align_corners=False)
    return out.flow.float(), coverage


def _before_another_room(
    old: Tensor, new: Tensor, label_a: Tensor, label_b: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Two thirds get another room: plain with a soft gradient, or a blurred picture of another sample."""
    count, device = len(old), old.device

    def uniform(channels: int) -> Tensor:
        return torch.rand(count, channels, 1, 1, generator=generator, device=device)

    choice = uniform(1)
    wall = (0.27 + 0.73 * uniform(1)) * (0.75 + 0.25 * uniform(3))
    room = wall * (1.0 + 0.12 * _waves(count, (3, 2), generator))
    others = new.roll(-1, 0).flip(3)
    which = torch.randint(len(ROOM_BLURS), (count, 1, 1, 1), generator=generator, device=device)
    for index, size in enumerate(ROOM_BLURS):
        if len(rows := _rows((choice >= PLAIN_SHARE) & (which == index))):
            room[rows] = _gaussian_blur(others[rows], size)
    behind = ((label_a == Part.BACKGROUND) & (label_b == Part.BACKGROUND)).float()
    behind = F.avg_pool2d(behind, 3, 1, 1, count_include_pad=False) * (choice < ROOM_SHARE)
    room = room.clamp(0.0, 1.0)
    return old + (room - old) * behind, new + (room - new) * behind


def _waves(count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(B, 1, 256, 192): smooth noise of so many values."""
    noise = torch.randn(count, 1, *size, generator=generator, device=generator.device)
    return F.interpolate(noise, size=SIZE, mode="bicubic", align_corners=False)


def _gaussian_blur(x: Tensor, size: int) -> Tensor:
    """Maps blurred by a kernel of so many pixels, with the deviation that OpenCV takes for it."""
    deviation = 0.3 * ((size - 1) * 0.5 - 1.0) + 0.8
    at = torch.arange(size, device=x.device) - size // 2
    kernel = torch.exp(-0.5 * (at / deviation) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, size)
    flat = F.pad(x.flatten(0, 1)[:, None], (size // 2,) * 4, "replicate")
    return F.conv2d(F.conv2d(flat, kernel), kernel.mT)[:, 0].view_as(x)


def _loosened(old: Tensor, label_b: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """In half of the samples the old garment is looser than drawn: its colours grow outwards over the background."""
    count, device = len(old), old.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator, device=device)

    reach = uniform(1.0, 8.0) * (1.0 + 0.6 * _waves(count, (12, 9), generator))
    fades = uniform(0.0, 0.02)
    worn = _among(label_b, WORN)
    rows = _rows(augment.chance(count, 0.5, generator) & (worn.sum((2, 3), keepdim=True) >= LEAST_WORN))
    if not len(rows):
        return old, label_b
    picture, labels, known = old[rows], label_b[rows], worn[rows].float()
    colour, distance = picture * known, torch.zeros_like(known)
    for step in range(1, MOST_LOOSE + 1):
        sums = torch.cat([colour, known], 1)
        # By turns along the axes alone and across corners too: an octagon, which is nearly a disc.
        along = F.avg_pool2d(sums, (3, 1), 1, (1, 0)) + F.avg_pool2d(sums, (1, 3), 1, (0, 1))
        sums = along if step % 2 else F.avg_pool2d(sums, 3, 1, 1)
        fresh = (known == 0.0) & (sums[:, 3:] > 0.0)
        colour = torch.where(fresh, sums[:, :3] / sums[:, 3:].clamp(min=1e-6), colour)
        distance = torch.where(fresh, float(step), distance)
        known = known.masked_fill(fresh, 1.0)
    grows = (distance > 0.0) & (distance <= reach[rows]) & (labels == Part.BACKGROUND)
    old, label_b = old.clone(), label_b.clone()
    old[rows] = torch.where(grows, colour * (1.0 - fades[rows] * distance), picture)
    label_b[rows] = labels.masked_fill(grows, int(Part.FRONT))
    return old, label_b


def _hands_blurred(
    old: Tensor, new: Tensor, label_a: Tensor, label_b: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """In a third of the samples the hands move: both pictures are smeared along one direction around them."""
    count, device = len(old), old.device
    hands = ((label_a == Part.HAND) & (label_b == Part.HAND)).float()
    length = 4.0 + 11.0 * torch.rand(count, generator=generator, device=device)
    turn = 2.0 * math.pi * torch.rand(count, generator=generator, device=device)
    rows = _rows(augment.chance(count, 0.33, generator) & (hands.sum((2, 3), keepdim=True) >= LEAST_HANDS))
    if not len(rows):
        return old, new
    way = (torch.stack([torch.cos(turn), torch.sin(turn)], 1) * length[:, None])[rows]
    pixel = way.new_tensor([2.0 / SIZE[1], 2.0 / SIZE[0]])
    sharp = torch.cat([old[rows], new[rows], F.max_pool2d(hands[rows], 5, 1, 2)], 1)
    upright = torch.eye(2, device=device).expand(len(rows), 2, 2)
    smeared = torch.zeros_like(sharp)
    for part in range(SMEARS):
        shift = way * pixel * (part / (SMEARS - 1) - 0.5)
        grid = F.affine_grid(torch.cat([upright, shift[:, :, None]], 2), list(sharp.shape), align_corners=False)
        smeared += F.grid_sample(sharp, grid, padding_mode="border", align_corners=False) / SMEARS
    soft = smeared[:, 6:]
    old, new = old.clone(), new.clone()
    old[rows] += (smeared[:, :3] - sharp[:, :3]) * soft
    new[rows] += (smeared[:, 3:6] - sharp[:, 3:6]) * soft
    return old, new


def _ended(x: Tensor, ends: Tensor) -> Tensor:
    """Maps (B, C, 256, 192), every row from `ends` (B, 1) on the last before it."""
    rows = torch.minimum(torch.arange(CANVAS_H, device=x.device), ends - 1)
    return x.gather(2, rows[:, None, :, None].expand_as(x))


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
        start: Path | None = None, device: str = "cpu",
    ) -> None:  # fmt: skip
        """start: a checkpoint whose weights are begun with, as far as they fit. device: where samples are kept."""
        self.config = CONFIGS[config]
        self.start = start
        self.cwm = cwm.to(device) if cwm is not None else None
        self.train = open_shards(data, "train", compact, limit, wait_s, device)
        self.held_out = open_shards(data, "heldout", compact, 160, wait_s, device)
        self._weights = torch.zeros(0, device=device)
        # A thread's own setting. On a GPU both would wait for the same interpreter.
        self._ahead = ThreadPoolExecutor(1, "batches", torch.set_num_threads, (1,)) if device == "cpu" else None
        self._next: Future[Batch] | None = None
        self._follows: Path | None = None
        self._written = 0

    def follow(self, path: Path) -> None:
        """Learn from the warps of this checkpoint, and read it again whenever it is written anew. Raises ModelError."""
        self.cwm, self._follows = load_cwm(path)[0].to(self.train.device), path
        self._written = path.stat().st_mtime_ns

    def build(self) -> Igm:
        return Igm(self.config)

    def begin(self, model: Igm, generator: torch.Generator, device: torch.device, budget_s: float) -> None:
        """Take over the weights of --start."""
        if self.start is not None:
            begin_with(model, self.start)

    def refresh(self) -> int:
        """New samples, and the warp network's checkpoint if it was written anew."""
        if self._follows is not None and (written := self._follows.stat().st_mtime_ns) != self._written:
            self.cwm, self._written = load_cwm(self._follows)[0].to(self.train.device), written
        return self.train.refresh(most=1)

    def __len__(self) -> int:
        return len(self.train)

    def loss(self, model: Igm, rows: np.ndarray, generator: torch.Generator, device: torch.device) -> dict[str, Tensor]:
        """Rows are drawn here: samples whose new garment bares skin come up to seven times as often.

        On a CPU the next batch is assembled while this one is learned from."""
        fresh = [self.train.column(name)[len(self._weights) :] for name in ("parts_a", "parts_b")]
        if len(fresh[0]):
            self._weights = torch.cat([self._weights, _worth(*fresh)])

        def assemble() -> Batch:
            drawn = torch.multinomial(self._weights, len(rows), replacement=False, generator=generator)
            return make_batch(self.train.batch(drawn), generator, training=True, cwm=self.cwm).for_network()

        batch = self._next.result() if self._next is not None else assemble()
        self._next = self._ahead.submit(assemble) if self._ahead is not None else None
        with torch.autocast(device.type, torch.bfloat16, enabled=self.half):
            out = in_full(model.look(*batch.inputs()))
        return losses(out, batch) if self.config.form == "repair" else plain_losses(out, batch)

    def validate(self, model: Igm, device: torch.device, most: int | None = None) -> dict[str, float]:
        return evaluate(model, self.held_out, device, self.cwm, min(most or 160, 160))


def _worth(parts_a: Tensor, parts_b: Tensor) -> Tensor:
    """How often each sample comes, (B,), by the share of it that is skin under a garment that goes."""
    bared = _among(parts_a, BARE) & _among(parts_b, WORN)
    return 1.0 + 6.0 * (bared.float().mean((1, 2)) / 0.03).clamp(max=1.0)


@torch.no_grad()
def evaluate(
    model: Igm, shards: Shards, device: torch.device, cwm: Cwm | None, most: int | None = None
) -> dict[str, float]:
    """L1 of 255 in the regions of a picture, for IGM and for the plain composite (`plain_*`), and the repair IoU."""
    generator = torch.Generator(device).manual_seed(1)
    total = min(len(shards), most or len(shards))
    if not total:
        raise UsageError(f"{shards.folder} holds no sample to evaluate on")
    sums: dict[str, float] = {}
    areas: dict[str, float] = {}
    for start in range(0, total, 16):
        rows = shards.batch(np.arange(start, min(start + 16, total)))
        batch = make_batch(rows, generator, training=False, cwm=cwm, cwm_share=1.0).for_network()
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
