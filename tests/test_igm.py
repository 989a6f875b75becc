"""The generator: what it may touch, its veto, its two forms."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest

torch = pytest.importorskip("torch")

from ir_models.nets.igm import CONFIGS, LAYERS, OUTPUTS, SHADING_RANGE, SHAPES, Igm, IgmConfig, IgmTraining, carried  # noqa: E402
from mirror.maps import PERSON_CHANNELS  # noqa: E402
from mirror.tryon import colours_of, painted  # noqa: E402

SMALL = IgmConfig("small", widths=(16, 16, 16, 16), head=8, paint=8, mix=8)


def inputs(count: int = 1):
    torch.manual_seed(1)
    return (
        torch.rand(count, 3, 256, 192) * 2 - 1,
        torch.rand(count, 3, 256, 192) * 2 - 1,
        torch.rand(count, 1, 256, 192),
        torch.rand(count, len(PERSON_CHANNELS), 128, 96),
        torch.rand(count, 6),
        torch.rand(count, 1, 128, 96),
    )


@pytest.mark.parametrize("form", ["repair", "plain"])
def test_outputs_and_ranges(form: Literal["repair", "plain"]) -> None:
    net = Igm(dataclasses.replace(SMALL, form=form)).eval()
    with torch.no_grad():
        found = dict(zip(OUTPUTS[form], net(*inputs()), strict=True))
    mask, picture, gain = (0, 1), (-1, 1), (2.718**-SHADING_RANGE, 2.719**SHADING_RANGE)
    told = {
        "repair_mask": (1, 256, mask), "composite_mask": (1, 256, mask), "skin_mask": (1, 256, mask),
        "repair_colour": (3, 128, picture), "skin_colour": (3, 64, picture), "rendered": (3, 256, picture),
        "shading": (1, 32, gain), "background": (1, 128, mask),
    }  # fmt: skip
    for name, value in found.items():
        channels, height, (low, high) = told[name]
        assert value.shape == (1, channels, height, height * 3 // 4), name
        assert low - 1e-4 <= float(value.min()) <= float(value.max()) <= high + 1e-4, name


def test_the_mirror_paints_as_the_training_does() -> None:
    net = Igm(SMALL).eval()
    with torch.no_grad():
        torch.nn.init.normal_(net.shapes.weight)
        seen = net.look(*inputs()).colour[0]
        made = {name: value.numpy() for name, value in zip(OUTPUTS["repair"], net(*inputs()), strict=True)}
    assert 0.0 < float(made["skin_mask"].mean()) < 1.0
    told = (seen.flip(0).permute(1, 2, 0) + 1.0) * 127.5
    assert float((torch.from_numpy(painted(*colours_of(made))) - told).abs().max()) < 0.05


def answer(repair: float, protect: float, composite: float = 100.0) -> IgmTraining:
    """Logits that are the same everywhere."""
    said = {"repair": repair, "protect": protect, "composite": composite, "skin": 0.0}
    shapes = torch.tensor([said[name] for name in SHAPES]).repeat_interleave(4)[None, :, None, None]
    seen, others = torch.zeros(1, len(LAYERS) + 1, 64, 48), torch.zeros(1, len(LAYERS), 128, 96)
    behind, skin = torch.full((1, 3, 128, 96), 0.5), torch.full((1, 3, 64, 48), 0.5)
    return IgmTraining(shapes.expand(1, -1, 128, 96), seen, others, behind, skin, torch.ones(1, 1, 32, 24))


def test_without_repair_and_coverage_the_person_is_copied() -> None:
    person, warped, coverage, *_ = inputs()
    composed = answer(-100.0, 0.0).compose(person, warped, coverage * 0)
    assert torch.equal(composed, person)


@pytest.mark.parametrize(("share", "kept"), [(0.1, 0.0), (0.19, 0.0), (0.5, 0.5), (0.81, 1.0)])
def test_what_is_hardly_sure_counts_as_settled(share: float, kept: float) -> None:
    """A share of a fifth changes no pixel: what rounding adds to a mask of 0 must not show."""
    logit = float(torch.logit(torch.tensor(share)))
    assert float(answer(logit, -100.0).mask.max()) == pytest.approx(kept, abs=1e-6)
    assert float(answer(0.0, 0.0, logit).kept.max()) == pytest.approx(kept, abs=1e-6)


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
    picture, weight = torch.zeros(1, 3, 64, 48), torch.ones(1, 1, 64, 48)
    picture[:, 0, :, :24], picture[:, 2, :, 24:] = 1.0, 1.0
    picture[:, :, :, 20:28], weight[..., 20:28] = 0.5, 0.0
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    colour, near = carried(picture, weight, green)
    assert (
        float((colour - picture).abs()[..., :16].max()) < 0.02
        and float((colour - picture).abs()[..., 32:].max()) < 0.02
    )
    assert float(colour[0, 0, :, 21].min()) > 0.7 and float(colour[0, 2, :, 26].min()) > 0.7
    assert float(colour[0, 1].max()) < 0.01
    assert float(near[..., :20].min()) > float(near[..., 23:25].max()) > 0.0 and float(near.max()) <= 1.0
    nothing, near = carried(picture, weight * 0, green)
    assert torch.allclose(nothing, green.expand_as(picture)) and float(near.max()) == 0.0


@pytest.mark.parametrize(("name", "least", "most"), [("compact", 0.4, 0.7), ("full", 1.0, 2.2)])
def test_cost_of_a_frame(name: str, least: float, most: float) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    net = Igm(CONFIGS[name]).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs())
    assert least < counter.get_total_flops() / 2e9 < most
