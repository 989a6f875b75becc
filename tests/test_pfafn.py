"""PF-AFN as published: names, shapes, counts, and files that are not it."""

from __future__ import annotations

import hashlib

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from ir_models.import_pfafn import load_published  # noqa: E402
from ir_models.nets.pfafn import (  # noqa: E402
    FlowNet,
    Generator,
    GeneratorConfig,
    TryOn,
    WarpConfig,
    WarpNet,
    offset_to_flow,
    sample,
)
from mirror.errors import ModelError  # noqa: E402

torch.set_num_threads(1)

SMALL = WarpConfig(encoder=(4, 4, 8, 8, 8), pyramid=8, heads=(4,))
# SHA-256 over the sorted lines "name AxBxC" of the published state dicts.
PUBLISHED = [
    (WarpNet, 420, 29_304_416, "1011bd99fc3a36d45c4cc94cdbaefc07f9cb0625de8275503c6af90c50fb8a5f"),
    (Generator, 261, 43_899_968, "78d1b7f22c5987401f3dbd7b7ad6c8ef68d66dbc665f2e08f9542ed52950fa30"),
]


def gmac(module, *inputs) -> float:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module.eval()(*inputs)
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(("network", "entries", "parameters", "digest"), PUBLISHED)
def test_names_and_shapes_are_the_published_ones(network, entries, parameters, digest):
    with torch.device("meta"):
        module = network()
    state = module.state_dict()
    lines = sorted(f"{k} {'x'.join(map(str, v.shape)) if v.ndim else 'scalar'}" for k, v in state.items())
    assert len(lines) == entries
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == digest
    assert sum(p.numel() for p in module.parameters()) == parameters


def test_arithmetic_at_256x192_is_the_counted_one():
    with torch.device("meta"):
        picture, mask = torch.zeros(1, 3, 256, 192), torch.zeros(1, 1, 256, 192)
        warp, generator = WarpNet(), Generator()
    assert gmac(warp, picture, picture) == pytest.approx(47, rel=0.03)
    assert gmac(generator, picture, picture, mask) == pytest.approx(21.9, rel=0.03)


def test_an_offset_of_nothing_leaves_the_picture_as_it_is():
    """The published code left the sampling convention to a default that has changed since."""
    picture = torch.rand(1, 3, 16, 12)
    assert torch.allclose(sample(picture, offset_to_flow(torch.zeros(1, 2, 16, 12))), picture, atol=1e-5)


def test_an_offset_is_in_pixels_of_its_level():
    picture = torch.rand(1, 1, 16, 12)
    offset = torch.zeros(1, 2, 16, 12)
    offset[:, 0], offset[:, 1] = 2.0, 1.0
    moved = sample(picture, offset_to_flow(offset))
    assert torch.allclose(moved[..., :15, :10], picture[..., 1:, 2:], atol=1e-5)


def test_flow_heads_of_nothing_give_the_identity_up_to_resampling():
    net = FlowNet(SMALL)
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    levels = [torch.rand(1, 8, 8 << i, 6 << i) for i in range(5)]
    flow = net(levels, levels)
    identity = offset_to_flow(torch.zeros(1, 2, 256, 192))
    assert flow.shape == (1, 2, 256, 192)
    half_coarsest_pixel = 2 / 6
    assert (flow - identity).abs().max() < half_coarsest_pixel


def test_garment_features_kept_give_the_same_flow():
    net = WarpNet(SMALL).eval()
    person, garment = torch.rand(2, 1, 3, 256, 192)
    with torch.inference_mode():
        assert torch.equal(net(person, garment), net.person_flow(person, net.garment_features(garment)))


def test_composition_stays_a_picture():
    small = TryOn(WarpNet(SMALL), Generator(GeneratorConfig((4, 4, 8, 8, 8)))).eval()
    with torch.inference_mode():
        out = small(*torch.rand(2, 1, 3, 256, 192) * 2 - 1, torch.ones(1, 1, 256, 192))
    assert out.shape == (1, 3, 256, 192)
    assert out.abs().max() <= 1.0


def test_its_own_checkpoint_loads(tmp_path):
    first, second = WarpNet(SMALL), WarpNet(SMALL)
    torch.save(first.state_dict(), tmp_path / "warp.pth")
    load_published(second, tmp_path / "warp.pth", "warp")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def make_missing(state):
    del state["aflow_net.netMain.0.0.weight"]
    return state


def make_extra(state):
    return state | {"something.else": torch.zeros(1)}


def make_wider(state):
    return state | {"aflow_net.netMain.0.0.bias": torch.zeros(99)}


def make_code(state):
    return {"anything": print}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (make_missing, "1 of its .* entries are missing, aflow_net.netMain.0.0.weight first"),
        (make_extra, "1 entries too many, something.else first"),
        (make_wider, r"aflow_net.netMain.0.0.bias is \(99,\) and not \(4,\)"),
        (make_code, "not a checkpoint of plain tensors"),
    ],
)
def test_another_file_gets_one_sentence(tmp_path, spoil, sentence):
    file = tmp_path / "warp.pth"
    torch.save(spoil(WarpNet(SMALL).state_dict()), file)
    with pytest.raises(ModelError, match=sentence) as raised:
        load_published(WarpNet(SMALL), file, "warp")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_file_of_something_else_gets_one_sentence(tmp_path, content):
    file = tmp_path / "warp.pth"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not a checkpoint of plain tensors") as raised:
        load_published(WarpNet(SMALL), file, "warp")
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        load_published(WarpNet(SMALL), tmp_path / "warp.pth", "warp")
