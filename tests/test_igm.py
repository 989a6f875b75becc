"""The generator: what it may touch, its veto, its two forms."""

from __future__ import annotations

from typing import Literal

import pytest

torch = pytest.importorskip("torch")

from ir_models.nets.igm import CONFIGS, LAYERS, OUTPUTS, SHADING_RANGE, Igm, IgmConfig, IgmTraining, carried  # noqa: E402
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
    net = Igm(IgmConfig("small", form=form, widths=(16, 16, 16, 16), head=8, paint=8)).eval()
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


def answer(repair: float, protect: float, composite: float = 100.0) -> IgmTraining:
    one, layers = torch.ones(1, 1, 256, 192), torch.zeros(1, len(LAYERS) + 1, 256, 192)
    colour = torch.zeros(1, 3, 256, 192)
    return IgmTraining(one * repair, one * protect, one * composite, layers[..., ::2, ::2], layers, colour, one)


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


def test_the_composite_mask_takes_coverage_back() -> None:
    person, warped, coverage, *_ = inputs()
    composed = answer(-100.0, 0.0, composite=-100.0).compose(person, warped, coverage * 0 + 1)
    assert torch.equal(composed, person)


def test_colours_are_carried_from_their_nearest_sources() -> None:
    """Left half red and known, right half blue and known, a band between unknown; and nothing known at all."""
    picture, weight = torch.zeros(1, 3, 128, 96), torch.ones(1, 1, 128, 96)
    picture[:, 0, :, :48], picture[:, 2, :, 48:] = 1.0, 1.0
    picture[:, :, :, 40:56], weight[..., 40:56] = 0.5, 0.0
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    colour, reach = carried(picture, weight, green)
    known = weight.expand_as(picture) > 0
    assert float((colour - picture).abs()[known].max()) < 1e-3
    assert float(colour[0, 0, :, 42].min()) > 0.6 and float(colour[0, 2, :, 53].min()) > 0.6
    assert float(colour[0, 1].max()) < 0.01
    assert float(reach.min()) >= 0.0 and float(reach.max()) <= 1.0
    nothing, reach = carried(picture, weight * 0, green)
    assert torch.allclose(nothing, green.expand_as(picture)) and float(reach.max()) == 0.0


@pytest.mark.parametrize(("name", "least", "most"), [("compact", 0.4, 0.7), ("full", 1.0, 2.2)])
def test_cost_of_a_frame(name: str, least: float, most: float) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    net = Igm(CONFIGS[name]).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs())
    assert least < counter.get_total_flops() / 2e9 < most
