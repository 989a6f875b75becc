"""The warp network: conventions, the landmark prior, coverage within the warped mask, branches apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.nets.cwm import (  # noqa: E402
    CONFIGS,
    GARMENT_FEATURES,
    PARTS,
    TO_ALIGNED,
    Cwm,
    CwmConfig,
    Layers,
    Prior,
    warp,
)
from ir_models.train.cwm import compact, layered_error, make_batch  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, flow_from_pixels  # noqa: E402
from mirror.maps import PERSON_CHANNELS, PERSON_PARTS  # noqa: E402
from tests.fake_samples import fake_sample  # noqa: E402

SMALL = CwmConfig(
    "small", encoder=(16, 16, 16, 16), garment_encoder=(16, 16, 16, 16), features=16, flow=(16, 16, 16, 16), coverage=16
)


def batch(count: int = 2, noise: float = 0.0):
    rows = [compact(fake_sample(seed)) for seed in range(count)]
    stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return make_batch(stacked, torch.Generator().manual_seed(0), training=False, noise=noise)


@pytest.fixture(scope="module")
def net() -> Cwm:
    torch.manual_seed(0)
    return Cwm(SMALL).eval()


def test_shapes_and_names(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        features = net.garment(given.garment, given.layout)
        flow, coverage = net.person(*given.inputs()[:4], *features)
    assert len(features) == len(GARMENT_FEATURES)
    assert flow.shape == (2, 2, 128, 96)
    assert coverage.shape == (2, 1, 128, 96)
    assert 0.0 <= float(coverage.min()) <= float(coverage.max()) <= 1.0


def test_output_flow_is_align_corners_true() -> None:
    """The same place named twice: area coordinates times TO_ALIGNED are `flow_from_pixels` of its pixel."""
    pixels = np.random.default_rng(0).uniform(0, (CANVAS_W - 1, CANVAS_H - 1), (50, 2))
    area = (2.0 * pixels + 1.0) / [CANVAS_W, CANVAS_H] - 1.0
    assert np.abs(area * np.array(TO_ALIGNED) - flow_from_pixels(pixels)).max() < 1e-6


def test_warp_by_the_identity_leaves_a_picture() -> None:
    picture = torch.rand(1, 3, 64, 48)
    y, x = torch.meshgrid((torch.arange(64) + 0.5) / 32 - 1, (torch.arange(48) + 0.5) / 24 - 1, indexing="ij")
    assert float((warp(picture, torch.stack([x, y])[None]) - picture).abs().max()) < 1e-5


def test_the_untrained_prior_already_lies_on_the_torso(net: Cwm) -> None:
    """Landmarks alone bring torso pixels of the fake samples within 12 pixels of the truth."""
    given = batch(4)
    with torch.no_grad():
        found = net.look(*given.inputs()).levels[0].chosen()
    arms = given.person[:, [PERSON_CHANNELS.index(name) for name in ("arm_left", "arm_right")]].amax(1, keepdim=True)
    flow, valid = given.coarse()
    torso = valid * (torch.nn.functional.avg_pool2d(arms, 2) < 0.05)
    off = (found - flow) * torch.tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 2, 1, 1)
    assert float((off.norm(dim=1, keepdim=True) * torso).sum() / torso.sum()) < 12.0


def test_a_layer_is_chosen_not_averaged() -> None:
    flows = torch.arange(2 * PARTS, dtype=torch.float32).view(1, -1, 1, 1).expand(-1, -1, 4, 3)
    logits = torch.zeros(1, PARTS, 4, 3)
    logits[:, 1, :2], logits[:, 4, 2:] = 1.0, 1.0
    found = Layers(flows, logits).chosen()
    assert found[0, :, 0, 0].tolist() == [2.0, 3.0]
    assert found[0, :, 3, 2].tolist() == [8.0, 9.0]


def test_steps_of_a_sleeve_go_along_the_sleeve(net: Cwm) -> None:
    """One shoulder width along, as the garment's own frame has it; other layers stay."""
    given = batch(1)
    with torch.no_grad():
        code = net.code(*given.inputs())
        prior = Prior(net.person.prior(given.frames, code), torch.zeros(1, PARTS, 64, 48))
        steps = torch.zeros(1, 2 * PARTS, 64, 48)
        part = PERSON_PARTS.index("lower_left")
        steps[:, 2 * part] = 1.0
        moved = (prior.layers(steps).flows - prior.layers().flows).unflatten(1, (PARTS, 2))
    sleeve = given.layout[0, 6:12].view(2, 3)[:, 0]
    assert moved[0, part, :, 10, 10].tolist() == pytest.approx(sleeve.tolist(), abs=1e-5)
    assert float(moved[0, :part].abs().max()) == 0.0


@pytest.mark.parametrize(("for_the_right", "error"), [(40.0, 0.0), (0.0, 6.0 * np.log(2.0)), (-2.0, 12.7)])
def test_an_error_is_that_of_the_best_layer_and_of_the_choice(for_the_right: float, error: float) -> None:
    truth, valid = torch.zeros(1, 2, 4, 3), torch.ones(1, 1, 4, 3)
    flows = torch.zeros(1, PARTS, 2, 4, 3)
    flows[:, 1, 0] = 2.0 * 80.0 / CANVAS_W  # 80 pixels to the right
    logits = torch.full((1, PARTS, 4, 3), -50.0)
    logits[:, 0], logits[:, 1] = for_the_right, 0.0
    found = layered_error(Layers(flows.flatten(1, 2), logits), truth, valid, torch.ones(1, 1, 1, 1))
    assert float(found) == pytest.approx(12.0 / 13.0 * error, abs=0.1)


def test_coverage_never_leaves_the_warped_mask(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        out = net.look(*given.inputs())
    assert bool((out.coverage <= out.warped_mask + 1e-6).all())


def test_branches_apart_answer_as_the_whole(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        whole = net(*given.inputs())
        apart = net.person(*given.inputs()[:4], *net.garment(given.garment, given.layout))
    assert all(torch.equal(a, b) for a, b in zip(whole, apart, strict=True))


def test_every_form_of_the_correlation_gives_the_same_flow(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        reference = net(*given.inputs())[0]
        for form in ("shifted", "im2col"):
            other = Cwm(dataclasses.replace(SMALL, form=form)).eval()
            other.load_state_dict(net.state_dict())
            assert float((other(*given.inputs())[0] - reference).abs().max()) < 1e-4


@pytest.mark.parametrize(("name", "least", "most"), [("compact", 0.4, 0.7), ("full", 1.0, 2.2)])
def test_cost_of_a_frame(name: str, least: float, most: float) -> None:
    """GMAC of the person branch."""
    from torch.utils.flop_counter import FlopCounterMode

    whole = Cwm(CONFIGS[name]).eval()
    given = batch(1)
    with torch.no_grad():
        features = whole.garment(given.garment, given.layout)
        with FlopCounterMode(display=False) as counter:
            whole.person(*given.inputs()[:4], *features)
    assert least < counter.get_total_flops() / 2e9 < most
