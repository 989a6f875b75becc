"""The forms of the cost volume against a triple loop in float64, and in OpenVINO."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models.convert import Plan, run_openvino, to_openvino  # noqa: E402
from ir_models.nets.correlation import FORMS, correlation, row_tile  # noqa: E402

torch.set_num_threads(1)

SHAPES = [  # batch, channels, height, width, radius
    (1, 32, 8, 6, 3),
    (1, 32, 16, 12, 3),
    (2, 5, 7, 31, 3),  # a prime width: tiles of one column
    (1, 8, 4, 48, 2),  # two tiles
    (1, 4, 3, 3, 3),  # narrower than the reach
    (3, 1, 5, 9, 1),
]


def by_loops(a: np.ndarray, b: np.ndarray, radius: int) -> np.ndarray:
    """The definition, word by word, in float64."""
    n, _, h, w = a.shape
    side = 2 * radius + 1
    out = np.zeros((n, side * side, h, w))
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            k = (dy + radius) * side + dx + radius
            for y in range(max(0, -dy), min(h, h - dy)):
                for x in range(max(0, -dx), min(w, w - dx)):
                    out[:, k, y, x] = (a[:, :, y, x] * b[:, :, y + dy, x + dx]).mean(1)
    return out


def maps(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(sum(shape))
    return rng.normal(size=shape), rng.normal(size=shape)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", SHAPES, ids=str)
def test_every_form_is_the_definition_borders_included(case, form):
    *shape, radius = case
    a, b = maps(tuple(shape))
    out = correlation(torch.from_numpy(a).float(), torch.from_numpy(b).float(), radius, form)
    assert out.shape == (shape[0], (2 * radius + 1) ** 2, *shape[2:])
    assert np.abs(out.numpy() - by_loops(a, b, radius)).max() < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_a_shifted_map_answers_at_its_own_displacement(form):
    a = torch.zeros(1, 1, 9, 9)
    b = torch.zeros(1, 1, 9, 9)
    a[..., 4, 4] = 1.0
    b[..., 5, 2] = 1.0  # one down, two to the left
    out = correlation(a, b, 3, form)
    assert out[0, :, 4, 4].argmax() == (1 + 3) * 7 + (-2 + 3)
    assert float(out.sum()) == 1.0


@pytest.mark.parametrize("form", FORMS)
def test_gradients_agree_with_the_reference(form):
    a, b = (torch.from_numpy(m).requires_grad_() for m in maps((1, 3, 4, 6)))
    weight = torch.linspace(-1, 1, 25 * 24, dtype=torch.float64).view(1, 25, 4, 6)
    wanted = torch.autograd.grad((correlation(a, b, 2, "shifted") * weight).sum(), (a, b))
    found = torch.autograd.grad((correlation(a, b, 2, form) * weight).sum(), (a, b))
    for one, other in zip(wanted, found, strict=True):
        assert torch.allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_openvino_gives_the_same(form):
    class Module(torch.nn.Module):  # type: ignore[name-defined]
        def forward(self, a, b):
            return correlation(a, b, 3, form)

    a, b = (torch.from_numpy(m).float() for m in maps((1, 16, 8, 48)))
    model = to_openvino(Plan("correlation", Module(), {"a": a, "b": b}, ("volume",)))
    found = run_openvino(model, {"a": a.numpy(), "b": b.numpy()})["volume"]
    assert np.abs(found - correlation(a, b, 3, "shifted").numpy()).max() < 1e-5


def test_what_cannot_be_compared_is_refused():
    a = torch.zeros(1, 2, 4, 4)
    with pytest.raises(ValueError, match="one shape"):
        correlation(a, torch.zeros(1, 2, 4, 5), 1)
    with pytest.raises(ValueError, match="forms shifted, im2col, rows"):
        correlation(a, a, 1, "diagonal")  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "tile"), [(6, 6), (24, 24), (48, 24), (96, 24), (31, 1), (30, 15)])
def test_tiles_divide_the_width(width, tile):
    assert row_tile(width) == tile
