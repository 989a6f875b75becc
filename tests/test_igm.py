"""The generator: what it may touch, its veto, its two forms."""

from __future__ import annotations

from typing import Literal

import pytest

torch = pytest.importorskip("torch")

from ir_models.nets.igm import CONFIGS, OUTPUTS, SHADING_RANGE, Igm, IgmConfig, IgmTraining  # noqa: E402
from mirror.maps import PERSON_CHANNELS  # noqa: E402


def inputs(count: int = 1):
    torch.manual_seed(1)
    return (
        torch.rand(count, 3, 256, 192) * 2 - 1,
        torch.rand(count, 3, 256, 192) * 2 - 1,
        torch.rand(count, 1, 256, 192),
        torch.rand(count, len(PERSON_CHANNELS), 128, 96),
        torch.rand(count, 6),
    )


@pytest.mark.parametrize("form", ["repair", "plain"])
def test_outputs_and_ranges(form: Literal["repair", "plain"]) -> None:
    net = Igm(IgmConfig("small", form=form, widths=(16, 16, 16, 16), head=8)).eval()
    with torch.no_grad():
        found = dict(zip(OUTPUTS[form], net(*inputs()), strict=True))
    assert all(value.shape[2:] == (256, 192) for value in found.values())
    ranges = {
        "repair_mask": (0, 1), "protect": (0, 1), "composite_mask": (0, 1), "repair_colour": (-1, 1),
        "rendered": (-1, 1), "shading": (2.718**-SHADING_RANGE, 2.719**SHADING_RANGE),
    }  # fmt: skip
    for name, value in found.items():
        low, high = ranges[name]
        assert low - 1e-4 <= float(value.min()) <= float(value.max()) <= high + 1e-4, name


def answer(repair: float, protect: float) -> IgmTraining:
    one = torch.ones(1, 1, 256, 192)
    return IgmTraining(one * repair, one * protect, one, torch.zeros(1, 3, 256, 192), one)


def test_without_repair_and_coverage_the_person_is_copied() -> None:
    person, warped, coverage, *_ = inputs()
    composed = answer(-100.0, 0.0).compose(person, warped, coverage * 0)
    assert torch.equal(composed, person)


def test_protect_vetoes_repair() -> None:
    person, warped, coverage, *_ = inputs()
    composed = answer(100.0, 100.0).compose(person, warped, coverage * 0)
    assert torch.equal(composed, person)
    assert float(answer(100.0, -100.0).mask.min()) == 1.0


def test_full_coverage_shows_the_lit_garment_alone() -> None:
    person, warped, coverage, *_ = inputs()
    composed = answer(100.0, -100.0).compose(person, warped, coverage * 0 + 1)
    assert float((composed - warped).abs().max()) < 1e-5


@pytest.mark.parametrize(("name", "least", "most"), [("compact", 0.3, 0.5), ("full", 1.0, 2.0)])
def test_cost_of_a_frame(name: str, least: float, most: float) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    net = Igm(CONFIGS[name]).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs())
    assert least < counter.get_total_flops() / 2e9 < most
