"""Pruning: only what is not needed goes, widths are what kernels like, what comes out is a network like any other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch_pruning = pytest.importorskip("torch_pruning")

from ir_models import checkpoints, export  # noqa: E402
from ir_models.compress import prune as prune_module  # noqa: E402
from ir_models.compress.distil import FineTuning, distance  # noqa: E402
from ir_models.compress.prune import prune  # noqa: E402
from ir_models.compress.widths import narrowed, widths  # noqa: E402
from ir_models.nets.cwm import GARMENT_FEATURES, Cwm, CwmConfig  # noqa: E402
from ir_models.nets.igm import Igm, IgmConfig  # noqa: E402
from ir_models.plans import plans  # noqa: E402
from ir_models.train import cwm as cwm_training  # noqa: E402
from ir_models.train.loop import Trainer  # noqa: E402
from mirror.errors import UsageError  # noqa: E402
from tests.fake_samples import write_fake_shards  # noqa: E402

torch.set_num_threads(1)

MAKERS = {
    "cwm": lambda: Cwm(
        CwmConfig(encoder=(16, 16, 24, 32), garment_encoder=(16,) * 4, features=16, flow=(16,) * 4, coverage=16)
    ),
    "igm": lambda: Igm(IgmConfig(widths=(16, 16, 24, 32), head=16)),
    "igm-plain": lambda: Igm(IgmConfig(form="plain", widths=(16, 16, 24, 32), head=16)),
}


def made(name: str):
    torch.manual_seed(1)
    net = MAKERS[name]()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)  # heads that start at nothing would hide a wrong cut
        if isinstance(net, Igm):
            torch.nn.init.normal_(net.shapes.weight, std=0.3)  # and so would masks that are settled everywhere
    return net.eval()


def answers(net) -> list:
    made_plans = plans(net, None) if isinstance(net, Cwm) else plans(Cwm(CwmConfig()), net)[-1:]
    given = made_plans[-1].inputs
    with torch.no_grad():
        if isinstance(net, Cwm):
            features = net.garment(*made_plans[0].inputs.values())
            return list(net.person(*(v for k, v in given.items() if k not in GARMENT_FEATURES), *features))
        return list(net(*given.values()))


@pytest.mark.parametrize("name", MAKERS)
def test_channels_that_say_nothing_change_nothing_when_they_go(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of every layer's outputs are silenced at random; without them the network answers to the digit as before."""
    net = made(name)
    layers = dict(net.named_modules())
    generator = torch.Generator().manual_seed(2)
    for width in widths(net):
        silent = torch.randperm(width.value, generator=generator)[: width.value - narrowed(width.value, 0.5)]
        for layer, times in width.layers.items():
            rows = (silent[:, None] * times + torch.arange(times)).flatten()
            with torch.no_grad():
                layers[layer].weight[rows] = 0.0
                if layers[layer].bias is not None:
                    layers[layer].bias[rows] = 0.0
    # The usual importance counts what reads a channel too; here only what makes it tells the silent ones.
    by_maker = torch_pruning.importance.GroupMagnitudeImportance(p=2, group_reduction="first")
    monkeypatch.setattr(prune_module, "IMPORTANCE", by_maker)
    pruned = prune(net, 0.5)
    assert sum(p.numel() for p in pruned.parameters()) < 0.5 * sum(p.numel() for p in net.parameters())
    for before, after in zip(answers(net), answers(pruned), strict=True):
        assert float(before.std()) > 0.0
        assert float((before - after).abs().max()) < 2e-5


@pytest.mark.parametrize("name", MAKERS)
def test_every_width_falls_by_the_ratio(name: str) -> None:
    net = made(name)
    before = {(w.field, w.index): w.value for w in widths(net)}
    after = {(w.field, w.index): w.value for w in widths(prune(net, 0.3))}
    assert after == {place: narrowed(value, 0.3) for place, value in before.items()}


@pytest.mark.parametrize(
    ("width", "ratio", "left"), [(32, 0.2, 24), (48, 0.25, 40), (96, 0.5, 48), (16, 0.9, 8), (12, 0.0, 12), (8, 0.5, 8)]
)
def test_widths_are_multiples_of_eight(width: int, ratio: float, left: int) -> None:
    assert narrowed(width, ratio) == left


@pytest.mark.parametrize("ratio", [-0.1, 0.95, 2.0])
def test_a_ratio_that_is_none_is_told(ratio: float) -> None:
    with pytest.raises(UsageError, match="pruning ratio"):
        prune(made("cwm"), ratio)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_fake_shards(folder, samples=4)
    return folder


def command(network: str, data: Path, folder: Path, minutes: str) -> list[str]:
    checkpoints.save(folder / f"{network}.pt", made(network), "nothing", {})
    given = ["--network", network, "--ratio", "0.5", "--checkpoint", str(folder / f"{network}.pt"), "--data", str(data)]
    return [*given, "--minutes", minutes, "--batch", "1", "--threads", "1", "--out", str(folder / "small.pt")]


@pytest.mark.parametrize("network", ["cwm", "igm"])
def test_the_command_prunes_fine_tunes_and_what_it_writes_loads(network: str, data: Path, tmp_path: Path) -> None:
    assert prune_module.main(command(network, data, tmp_path, "0.001")) == 0
    net, origin = (checkpoints.load_cwm if network == "cwm" else checkpoints.load_igm)(tmp_path / "small.pt")
    assert "pruned by 0.5" in origin.trained_on
    assert [w.value for w in widths(net)] == [narrowed(w.value, 0.5) for w in widths(made(network))]
    assert origin.metrics["step"] >= 1


def test_a_pruned_network_exports_like_any_other(tmp_path: Path) -> None:
    pruned = prune(made("cwm"), 0.5)
    checkpoints.save(tmp_path / "small.pt", pruned, "nothing", {})
    assert export.main(["--cwm", str(tmp_path / "small.pt"), "--out", str(tmp_path / "set")]) == 0
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest["config"]["cwm"] == json.loads(json.dumps(dataclasses.asdict(pruned.config)))


def test_a_run_that_was_cut_off_goes_on(data: Path, tmp_path: Path) -> None:
    """The second run, given no more time than the first has spent, takes its steps over and adds none."""
    steps = []
    for _ in range(2):
        assert prune_module.main(command("cwm", data, tmp_path, "0.001")) == 0
        steps.append(checkpoints.load_cwm(tmp_path / "small.pt")[1].metrics["step"])
    assert steps[0] == steps[1] >= 1
    assert prune_module.main(command("cwm", data, tmp_path, "0.1")) == 0
    assert checkpoints.load_cwm(tmp_path / "small.pt")[1].metrics["step"] > steps[1]


def test_the_teacher_counts_with_its_weight(data: Path) -> None:
    """The teacher's term grows with the weight, and is nothing for a pupil that answers as the teacher does."""
    net, other = made("cwm"), made("cwm")
    with torch.no_grad():
        other.person.levels[3].answer.bias.add_(0.5)
    terms = {}
    for weight in (0.0, 1.0, 3.0):
        task = FineTuning(cwm_training.CwmTask(data, "compact"), lambda: net, other, weight)
        generator = torch.Generator().manual_seed(0)
        terms[weight] = task.loss(net, np.arange(2), generator, torch.device("cpu"))
    assert "teacher" not in terms[0.0]
    assert terms[3.0]["teacher"].item() == pytest.approx(3.0 * terms[1.0]["teacher"].item(), rel=1e-4)
    assert terms[1.0]["teacher"].item() > 0.0
    assert terms[1.0]["flow"].item() == pytest.approx(terms[0.0]["flow"].item())


@pytest.mark.parametrize("name", ["cwm", "igm"])
def test_a_pupil_like_its_teacher_is_at_no_distance(name: str) -> None:
    net = made(name)
    given = plans(net, None) if name == "cwm" else plans(Cwm(CwmConfig()), net)[-1:]
    with torch.no_grad():
        out = net.person.look(*given[1].inputs.values()) if name == "cwm" else net.look(*given[0].inputs.values())
    assert float(distance(out, out)) == 0.0


def test_the_teacher_is_left_as_it_is(data: Path, tmp_path: Path) -> None:
    teacher = made("cwm")
    before = [p.clone() for p in teacher.parameters()]
    task = FineTuning(cwm_training.CwmTask(data, "compact"), lambda: prune(teacher, 0.5), teacher, 1.0)
    task.batch_size = 2
    trainer = Trainer(task, tmp_path / "x.pt", minutes=1.0)
    trainer._step()
    assert all(torch.equal(a, b) for a, b in zip(before, teacher.parameters(), strict=True))
    assert task.config.features == 8
