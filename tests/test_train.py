"""Training: augmentation keeps samples true, shards come as they appear, a resume goes on to the step."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.checkpoints import load_cwm, load_igm, save  # noqa: E402
from ir_models.nets.cwm import CwmConfig, warp  # noqa: E402
from ir_models.nets.igm import Igm, IgmConfig  # noqa: E402
from ir_models.train import augment, cli, cwm, igm  # noqa: E402
from ir_models.train.loop import Trainer  # noqa: E402
from ir_models.train.noise import noisy_landmarks, noisy_mask  # noqa: E402
from ir_models.train.shards import Part, Shards, write_kept  # noqa: E402
from mirror.errors import ModelError, UsageError  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, Landmark, flow_to_pixels  # noqa: E402
from tests.fake_samples import fake_landmarks, fake_sample, write_fake_shards  # noqa: E402

SMALL = (16, 16, 16, 16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_fake_shards(folder, samples=8)
    return folder


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    small = CwmConfig(encoder=SMALL, garment_encoder=SMALL, features=16, flow=SMALL, coverage=16)
    monkeypatch.setitem(cwm.CONFIGS, "compact", small)
    monkeypatch.setitem(igm.CONFIGS, "compact", IgmConfig(widths=SMALL, head=8))
    monkeypatch.setitem(igm.CONFIGS, "plain", IgmConfig("plain", "plain", widths=SMALL, head=8))


def generator(seed: int = 0):
    return torch.Generator().manual_seed(seed)


def stacked(compact, count: int = 3) -> dict[str, np.ndarray]:
    rows = [compact(fake_sample(seed)) for seed in range(count)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def test_a_move_takes_points_coordinates_and_picture_to_the_same_place() -> None:
    move = augment.random_move(1, generator(3), scale=0.1, roll_deg=6.0, shift=0.1)
    point = np.array([70.0, 150.0])
    picture = np.zeros((1, 1, CANVAS_H, CANVAS_W), np.float32)
    picture[0, 0, 149:152, 69:72] = 1.0
    moved = move.picture(torch.from_numpy(picture))[0, 0].numpy()
    y, x = np.mgrid[:CANVAS_H, :CANVAS_W]
    seen = np.array([(moved * x).sum(), (moved * y).sum()]) / moved.sum()
    told = move.points(torch.tensor(point, dtype=torch.float32).view(1, 1, 2))[0, 0].numpy()
    area = (2 * point + 1) / [CANVAS_W, CANVAS_H] - 1
    there = move.coordinates(torch.tensor(area, dtype=torch.float32).view(1, 2, 1, 1))[0, :, 0, 0].numpy()
    assert told == pytest.approx(seen, abs=0.1)
    assert ((there + 1) * [CANVAS_W, CANVAS_H] - 1) / 2 == pytest.approx(told, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_an_augmented_batch_still_warps_onto_its_target(seed: int) -> None:
    """Flipped and moved, the flow still brings the flat's colours to where the target shows them."""
    made = cwm.make_batch(stacked(cwm.compact), generator(seed), training=True, noise=0.0)
    flow, valid = made.coarse()
    off = ((warp(made.bled, flow) - made.target).abs().mean(1, keepdim=True) * valid).sum() / valid.sum()
    assert float(off) < 0.05
    assert float(((warp(made.garment[:, 3:4], made.flow) > 0.5) * made.valid).sum() / made.valid.sum()) > 0.97


def test_mirroring_twice_is_nothing() -> None:
    points = torch.rand(2, 33, 2)
    marks = torch.rand(2, 13, 2)
    for given, rows in ((points, augment.MIRROR_PERSON), (marks, augment.MIRROR_GARMENT)):
        twice = augment.mirror_points(augment.mirror_points(given, rows), rows)
        assert float((twice - given).abs().max()) < 1e-4
    assert augment.MIRROR_PERSON[Landmark.LEFT_WRIST] == Landmark.RIGHT_WRIST
    assert augment.MIRROR_PERSON[Landmark.MOUTH_LEFT] == Landmark.MOUTH_RIGHT


def test_noise_stays_near_and_depends_on_its_seed_alone() -> None:
    points = torch.from_numpy(np.nan_to_num(fake_landmarks(np.random.default_rng(0)))[None, :, :2]).repeat(64, 1, 1)
    there = noisy_landmarks(points, generator())
    assert torch.equal(there, noisy_landmarks(points, generator()))
    off = (there - points).norm(dim=2)[:, Landmark.LEFT_SHOULDER]
    assert 0.5 < float(off.median()) < 15.0
    mask = torch.zeros(8, 1, 128, 96)
    mask[:, :, 30:, 30:70] = 1.0
    soft = noisy_mask(mask, generator())
    assert float(((soft > 0.5) & (mask > 0.5)).sum() / ((soft > 0.5) | (mask > 0.5)).sum()) > 0.85


def test_a_coarser_flow_is_never_an_average_across_layers() -> None:
    made = cwm.make_batch(stacked(cwm.compact), generator(), training=False, noise=0.0)
    flow, valid = torch.zeros_like(made.flow), torch.ones_like(made.valid)
    flow[..., 47:] = 0.8
    valid[..., 0, 0] = 0.0
    coarse, known = dataclasses.replace(made, flow=flow, valid=valid).coarse()
    assert float(known[0, 0, 0, 0]) == 0.0 and float(known[0, 0, 5, 23]) == 0.0
    assert known[0, 0, 5, [22, 24]].tolist() == [1.0, 1.0]
    assert coarse[0, 0, 5, [22, 24]].tolist() == pytest.approx([0.0, 0.8])


def test_filled_flow_keeps_what_is_known() -> None:
    sample = fake_sample(0)
    flow = sample["flow"].astype(np.float32)
    known = np.isfinite(flow[..., 0])
    whole = igm.filled(flow)
    assert np.isfinite(whole).all()
    assert np.array_equal(whole[known], flow[known])
    assert np.abs(flow_to_pixels(whole)).max() < CANVAS_H


def test_below_the_end_of_the_picture_nobody_is_seen_and_nothing_is_learned() -> None:
    """Live the canvas reaches below the camera's picture; a generator that was never shown this hid trousers there."""
    made = igm.make_batch(stacked(igm.compact, 6), generator(), training=True, cwm=None)
    ends = made.inside[:, 0, :, 0].sum(1).int().tolist()
    cut = [index for index, end in enumerate(ends) if end < CANVAS_H]
    assert len(cut) > 0 and min(ends) >= round(igm.CUT_FROM * CANVAS_H)
    for index in cut:
        assert float(made.maps[index, 0, ends[index] // 2 + 12 :].max()) < 0.5  # the mask, which is blurred and shifted
        assert not made.inside[index, 0, ends[index] :].any()
    out = Igm(igm.CONFIGS["compact"]).look(*made.inputs())
    other = dataclasses.replace(
        made,
        target=torch.where(made.inside > 0, made.target, -made.target),
        repair=torch.where(made.inside > 0, made.repair, 1.0 - made.repair),
        protect=torch.where(made.inside > 0, made.protect, 1.0 - made.protect),
    )
    told, without = (igm.losses(out, batch) for batch in (made, other))
    assert {name: float(value.detach()) for name, value in told.items()} == pytest.approx(
        {name: float(value.detach()) for name, value in without.items()}, rel=1e-5
    )


def test_new_shards_are_taken_in_and_broken_ones_left(tmp_path: Path) -> None:
    write_fake_shards(tmp_path, samples=4)
    shards = Shards(tmp_path / "train", cwm.compact)
    (tmp_path / "train" / "shard_00001.npz").write_bytes(b"PK half a file")
    assert shards.refresh() == 4 and shards.refresh() == 0
    whole = (tmp_path / "train" / "shard_00000.npz").read_bytes()
    (tmp_path / "train" / "shard_00001.npz").write_bytes(whole)
    assert shards.refresh() == 4 and len(shards) == 8


def test_kept_samples_are_taken_in_as_they_are(tmp_path: Path) -> None:
    write_fake_shards(tmp_path, samples=5)
    raw = Shards(tmp_path / "train", cwm.compact)
    raw.refresh()
    rows = [cwm.compact(fake_sample(seed)) for seed in range(5)]
    write_kept(tmp_path / "kept", 0, rows[:3])
    write_kept(tmp_path / "kept", 1, rows[3:])
    kept = Shards(tmp_path / "kept", cwm.compact, limit=4)
    assert kept.refresh(most=1) == 3 and kept.refresh(most=1) == 1 and len(kept) == 4
    for name, column in kept.batch(np.array([2, 0, 3])).items():
        assert np.array_equal(
            column.numpy(), np.stack([rows[row][name] for row in (2, 0, 3)]), equal_nan=name == "flow"
        )
        assert column.dtype == raw.column(name).dtype


def test_a_looser_garment_grows_over_the_room_alone() -> None:
    old, labels = torch.full((8, 3, CANVAS_H, CANVAS_W), 0.9), torch.zeros(8, 1, CANVAS_H, CANVAS_W, dtype=torch.uint8)
    labels[:, :, 60:120, 60:120], labels[:, :, 60:120, 120:140] = int(Part.FRONT), int(Part.HAND)
    old[:, :, 60:120, 60:120] = 0.2
    there, said = igm._loosened(old, labels, generator(1))
    grown = (said == Part.FRONT) & (labels == Part.BACKGROUND)
    looser = grown.flatten(1).any(1)
    assert 0 < int(looser.sum()) < 8
    assert torch.equal(there != old, grown.expand_as(old))
    assert float(there[grown.expand_as(old)].max()) <= 0.2 + 1e-6
    reach = torch.nn.functional.max_pool2d((labels == Part.FRONT).float(), 2 * igm.MOST_LOOSE + 1, 1, igm.MOST_LOOSE)
    assert not (grown & (reach == 0)).any()


def test_only_hands_are_smeared_and_both_pictures_alike() -> None:
    stripes = (torch.arange(CANVAS_W) // 2 % 2).float().expand(12, 3, CANVAS_H, CANVAS_W).contiguous()
    labels = torch.zeros(12, 1, CANVAS_H, CANVAS_W, dtype=torch.uint8)
    labels[:, :, 100:120, 80:100] = int(Part.HAND)
    old, new = igm._hands_blurred(stripes, stripes, labels, labels, generator(2))
    assert torch.equal(old, new)
    changed = (old != stripes).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 12
    assert torch.equal(old[:, :, :80], stripes[:, :, :80]) and torch.equal(old[..., :60], stripes[..., :60])


def test_the_generator_follows_the_warp_network_as_it_is_written(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "cwm.pt"
    task = igm.IgmTask(data, "compact")
    with pytest.raises(ModelError, match="does not exist"):
        task.follow(path)
    nets = [cwm.Cwm(cwm.CONFIGS["compact"]) for _ in range(2)]
    for number, net in enumerate(nets):
        save(path, net, "here", {})
        os.utime(path, ns=(number + 1, number + 1))
        task.refresh() if number else task.follow(path)
        assert task.cwm is not None
        assert all(torch.equal(a, b) for a, b in zip(task.cwm.parameters(), net.parameters(), strict=True))
    seen = task.cwm
    task.refresh()
    assert task.cwm is seen


def test_a_checkpoint_tells_what_its_first_weights_were_trained_on(data: Path, tmp_path: Path) -> None:
    first, then = tmp_path / "first.pt", tmp_path / "then.pt"
    given = ["--data", str(data), "--minutes", "0.01", "--batch", "4", "--threads", "1"]
    assert cli.main(["igm", *given, "--out", str(first), "--note", "one"]) == 0
    assert cli.main(["igm", *given, "--out", str(then), "--note", "two", "--start", str(first)]) == 0
    begun, story = (load_igm(path)[1].trained_on for path in (first, then))
    assert begun.startswith("one: 8 samples") and story.startswith(f"{begun}; then two: 8 samples")


@pytest.mark.parametrize(
    ("network", "extra"), [("cwm", []), ("igm", []), ("igm", ["--config", "plain"])], ids=["cwm", "igm", "igm-plain"]
)
def test_the_command_trains_and_writes_a_checkpoint(data: Path, tmp_path: Path, network: str, extra: list[str]) -> None:
    out = tmp_path / f"{network}.pt"
    given = ["--data", str(data), "--minutes", "0.02", "--out", str(out), "--batch", "4", "--threads", "1", *extra]
    assert cli.main([network, *given]) == 0
    net, origin = (load_cwm if network == "cwm" else load_igm)(out)
    assert not net.training
    assert "8 samples" in origin.trained_on
    assert all(np.isfinite(value) for value in origin.metrics.values())


def steps(trainer: Trainer, count: int) -> None:
    for _ in range(count):
        trainer._step()


@pytest.mark.parametrize("whole", [True, False])
def test_the_prior_is_fitted_unless_it_was_begun_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    net = cwm.Cwm(cwm.CONFIGS["compact"])
    save(tmp_path / "start.pt", net, "here", {})
    if not whole:
        state = torch.load(tmp_path / "start.pt", weights_only=True)
        state["model"].popitem()
        torch.save(state, tmp_path / "start.pt")
    fitted: list[Any] = []

    def fit_prior(*given: Any) -> float:
        fitted.append(given)
        return 0.0

    monkeypatch.setattr(cwm, "fit_prior", fit_prior)
    task = cwm.CwmTask(data, "compact", start=tmp_path / "start.pt")
    task.begin(task.build(), generator(), torch.device("cpu"), 1.0)
    assert len(fitted) == (0 if whole else 1)


def test_a_resume_goes_on_to_the_step(data: Path, tmp_path: Path) -> None:
    """Four steps at once and two, a stop and two more end in the same weights."""

    def fresh() -> Trainer:
        task = cwm.CwmTask(data, "compact")
        task.batch_size = 2
        return Trainer(task, tmp_path / "cwm.pt", minutes=10.0)

    whole = fresh()
    steps(whole, 4)
    first = fresh()
    steps(first, 2)
    first.save()
    second = fresh()
    second.resume(tmp_path / "cwm.pt")
    steps(second, 2)
    for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert float((a - b).abs().max()) < 1e-5


def test_training_learns(data: Path, tmp_path: Path) -> None:
    """Thirty steps halve neither promise nor budget, but the held-out coverage must have begun to come."""
    task = cwm.CwmTask(data, "compact")
    task.batch_size = 4
    trainer = Trainer(task, tmp_path / "cwm.pt", minutes=10.0)
    assert isinstance(trainer.average, cwm.Cwm)
    before = task.validate(trainer.average, torch.device("cpu"))
    steps(trainer, 30)
    after = task.validate(trainer.average, torch.device("cpu"))
    assert after["coverage_iou"] > before["coverage_iou"] + 0.05


@pytest.mark.parametrize(
    ("change", "words"), [("empty", "holds no whole shard"), ("resume", "cannot be gone on from")], ids=str
)
def test_what_cannot_be_used_is_said(data: Path, tmp_path: Path, change: str, words: str) -> None:
    given = [
        "--minutes",
        "0.01",
        "--out",
        str(tmp_path / "x.pt"),
        "--data",
        str(data if change == "resume" else tmp_path),
    ]
    if change == "resume":
        given += ["--resume", str(tmp_path / "none.pt")]
    with pytest.raises(UsageError, match=words):
        cli.main(["cwm", *given])
