"""The teacher sees what the mirror cannot; the student follows it only where it is better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.checkpoints import load_cwm  # noqa: E402
from ir_models.nets.cwm import PARTS, CwmConfig, CwmTraining, Layers  # noqa: E402
from ir_models.train import cli, cwm  # noqa: E402
from ir_models.train.cwm import compact, make_batch  # noqa: E402
from ir_models.train.teacher import StudentTask, TeacherTask, as_teacher_sees, distillation  # noqa: E402
from mirror.maps import PERSON_CHANNELS  # noqa: E402
from tests.fake_samples import fake_sample, write_fake_shards  # noqa: E402

torch.set_num_threads(1)

SMALL = (16, 16, 16, 16)
MASK = PERSON_CHANNELS.index("mask")


@pytest.fixture(autouse=True)
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    small = CwmConfig(encoder=SMALL, garment_encoder=SMALL, features=16, flow=SMALL, coverage=16)
    monkeypatch.setitem(cwm.CONFIGS, "compact", small)
    monkeypatch.setattr(cwm, "PRIOR_STEPS", 3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_fake_shards(folder, samples=4)
    return folder


def a_batch(training: bool = False, noise: float = 0.0) -> cwm.Batch:
    rows = [compact(fake_sample(seed)) for seed in range(3)]
    stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return make_batch(stacked, torch.Generator().manual_seed(5), training=training, noise=noise)


def answer(batch: cwm.Batch, off_px: float, coverage: Any) -> CwmTraining:
    """The truth, off by so many canvas pixels to the side; coverage as given."""
    flow = batch.flow + torch.tensor([off_px / 96.0, 0.0]).view(1, 2, 1, 1)
    sizes = ((64, 48), (8, 6), (16, 12), (32, 24), (64, 48), (128, 96))
    levels = []
    for size in sizes:
        alike = torch.nn.functional.adaptive_avg_pool2d(flow, size).repeat(1, PARTS, 1, 1)
        levels.append(Layers(alike, torch.zeros(len(flow), PARTS, *size)))
    steps = torch.zeros(len(flow), 2 * PARTS, 64, 48)
    logits = torch.logit(coverage.clamp(1e-4, 1 - 1e-4))
    return CwmTraining(levels, steps, flow, logits, torch.ones_like(coverage), torch.zeros(()))


def test_the_teacher_sees_the_new_garment_and_the_rest_as_it_is() -> None:
    batch = a_batch()
    seen = as_teacher_sees(batch)
    assert torch.equal(seen.person[:, MASK], batch.shown[:, 0])
    others = [row for row in range(len(PERSON_CHANNELS)) if row != MASK]
    assert torch.equal(seen.person[:, others], batch.person[:, others])
    assert not torch.equal(batch.person[:, MASK], batch.shown[:, 0])


def test_teacher_and_student_look_at_the_same_sample_moved_alike() -> None:
    """What MediaPipe gets wrong is drawn last, so that the same seed moves both alike."""
    exact, noisy = a_batch(training=True, noise=0.0), a_batch(training=True, noise=1.0)
    assert torch.equal(exact.flow, noisy.flow) and torch.equal(exact.shown, noisy.shown)
    assert torch.equal(exact.garment, noisy.garment)
    assert not torch.equal(exact.person, noisy.person)


@pytest.mark.parametrize(("ours", "theirs", "followed"), [(6.0, 2.0, True), (2.0, 6.0, False)])
def test_the_student_follows_a_better_teacher_only(ours: float, theirs: float, followed: bool) -> None:
    batch = a_batch()
    blurred = torch.nn.functional.avg_pool2d(batch.shown, 15, 1, 7)
    student, teacher = (
        answer(batch, off, batch.shown if off == min(ours, theirs) else blurred) for off in (ours, theirs)
    )
    terms = distillation(student, teacher, batch)
    assert (float(terms["distil_flow"]) > 0.01) == followed
    assert (float(terms["distil_cover"]) > 1e-4) == followed


def test_the_factor_is_a_samples_own() -> None:
    """With one sample of three on which the teacher is better, a third of the term is left."""
    batch = a_batch()
    good, bad = answer(batch, 0.0, batch.shown), answer(batch, 8.0, batch.shown)
    first = [
        Layers(*(torch.cat([x[:1], y[1:]]) for x, y in zip(a, b, strict=True)))
        for a, b in zip(good.levels, bad.levels, strict=True)
    ]
    flow = torch.cat([good.flow[:1], bad.flow[1:]])
    everywhere = float(distillation(bad, good, batch)["distil_flow"])
    once = float(distillation(bad, good._replace(levels=first, flow=flow), batch)["distil_flow"])
    assert 0.15 * everywhere < once < 0.6 * everywhere


def test_both_stages_train_from_the_command_line(data: Path, tmp_path: Path) -> None:
    teacher, student = tmp_path / "teacher.pt", tmp_path / "student.pt"
    given = ["cwm", "--data", str(data), "--minutes", "0.01", "--batch", "2", "--threads", "1"]
    assert cli.main([*given, "--out", str(teacher), "--teacher"]) == 0
    net, origin = load_cwm(teacher)
    assert "a teacher" in origin.trained_on and origin.metrics["epe_px"] > 0.0
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert cli.main([*given, "--out", str(student), "--teacher", str(teacher)]) == 0
    assert "epe_median_px" in load_cwm(student)[1].metrics
    again = load_cwm(teacher)[0].state_dict()
    assert all(torch.equal(before[name], again[name]) for name in before)


def test_a_students_loss_has_all_terms_and_spares_the_teacher(data: Path) -> None:
    task = TeacherTask(data, "compact")
    teacher, rows = task.build(), np.array([0, 1])
    seen = task.loss(teacher, rows, torch.Generator().manual_seed(0), torch.device("cpu"))
    learning = StudentTask(teacher, data, "compact")
    model = learning.build()
    terms = learning.loss(model, rows, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert set(terms) == set(seen) | {"distil_flow", "distil_cover"}
    torch.stack(list(terms.values())).sum().backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert any(float(parameter.grad.abs().sum()) > 0 for parameter in model.parameters() if parameter.grad is not None)


@pytest.mark.parametrize(
    "wrong", [["igm", "--data", ".", "--teacher"], ["cwm"], ["cwm", "--data", ".", "--viton", "."]], ids=" ".join
)
def test_what_does_not_go_together_is_refused(wrong: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        cli.main([*wrong, "--minutes", "1", "--out", str(tmp_path / "x.pt")])
