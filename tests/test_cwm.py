"""The warp network: conventions, the landmark prior, coverage within the warped mask, branches apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.nets.cwm import CONFIGS, GARMENT_FEATURES, TO_ALIGNED, Cwm, CwmConfig, warp  # noqa: E402
from ir_models.train.cwm import compact, make_batch  # noqa: E402
from mirror.frames import CANVAS_H, CANVAS_W, flow_from_pixels  # noqa: E402
from mirror.maps import PERSON_CHANNELS  # noqa: E402
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
        flow, coverage = net.person(given.person, given.stands, *features)
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
        pooled = net.person.encoder(given.person)[1]
        code = torch.cat([net.garment(given.garment, given.layout)[5], pooled, given.stands], 1)
        prior = net.person.priors(given.person, code)[-1]
    arms = given.person[:, [PERSON_CHANNELS.index(name) for name in ("arm_left", "arm_right")]].amax(1, keepdim=True)
    torso = given.valid * (torch.nn.functional.avg_pool2d(arms, 2) < 0.05)
    off = (prior - given.flow) * torch.tensor([CANVAS_W / 2, CANVAS_H / 2]).view(1, 2, 1, 1)
    assert float((off.norm(dim=1, keepdim=True) * torso).sum() / torso.sum()) < 12.0


def test_coverage_never_leaves_the_warped_mask(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        out = net.look(*given.inputs())
    assert bool((out.coverage <= out.warped_mask + 1e-6).all())


def test_branches_apart_answer_as_the_whole(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        whole = net(*given.inputs())
        apart = net.person(given.person, given.stands, *net.garment(given.garment, given.layout))
    assert all(torch.equal(a, b) for a, b in zip(whole, apart, strict=True))


def test_every_form_of_the_correlation_gives_the_same_flow(net: Cwm) -> None:
    given = batch()
    with torch.no_grad():
        reference = net(*given.inputs())[0]
        for form in ("shifted", "im2col"):
            other = Cwm(dataclasses.replace(SMALL, form=form)).eval()
            other.load_state_dict(net.state_dict())
            assert float((other(*given.inputs())[0] - reference).abs().max()) < 1e-4


@pytest.mark.parametrize(("name", "least", "most"), [("compact", 0.3, 0.5), ("full", 1.0, 2.0)])
def test_cost_of_a_frame(name: str, least: float, most: float) -> None:
    """GMAC of the person branch."""
    from torch.utils.flop_counter import FlopCounterMode

    whole = Cwm(CONFIGS[name]).eval()
    given = batch(1)
    with torch.no_grad():
        features = whole.garment(given.garment, given.layout)
        with FlopCounterMode(display=False) as counter:
            whole.person(given.person, given.stands, *features)
    assert least < counter.get_total_flops() / 2e9 < most
