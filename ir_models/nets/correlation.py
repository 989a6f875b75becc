"""The cost volume: how well each place of one feature map matches the neighbourhood of the same place of another.

    out[n, k, y, x] = mean over c of a[n, c, y, x] * b[n, c, y + dy, x + dx],   |dx|, |dy| <= radius,

with b zero outside and k = (dy + radius) * (2 * radius + 1) + (dx + radius): dx runs fastest, both from -radius up.
As in PWC-Net (Sun et al., CVPR 2018) and PF-AFN (Ge et al., CVPR 2021); normalised by the number of channels.

One function, three exact forms. `shifted` is the reference and the cheapest to read; `im2col` is what the original
CPU port of PF-AFN used; `rows` is what the shipped networks hold: one matrix product a row of a tile, whose diagonals
are the cost volume (`python -m bench correlation` measures them side by side).
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

Form = Literal["shifted", "im2col", "rows"]
FORMS: tuple[Form, ...] = get_args(Form)

ROW_TILE = 24
"""Columns of one row product at most. A product of w columns computes w + 2r displacements where 2r + 1 are wanted:
narrow tiles waste less arithmetic, wide ones call the matrix product less often."""


def correlation(a: Tensor, b: Tensor, radius: int, form: Form = "rows") -> Tensor:
    """The cost volume of two feature maps.

    a, b: (B, C, H, W), same shape, any float type. Returns (B, (2r+1)^2, H, W); see the module for the order of the
    displacements. All forms are differentiable and can be traced with static shapes. Raises ValueError for another
    form or maps that differ in shape.
    """
    if a.shape != b.shape:
        raise ValueError(f"correlation compares maps of one shape, not {tuple(a.shape)} with {tuple(b.shape)}")
    if form == "shifted":
        return _shifted(a, b, radius)
    if form == "im2col":
        return _im2col(a, b, radius)
    if form == "rows":
        return _rows(a, b, radius)
    raise ValueError(f"correlation has the forms {', '.join(FORMS)}, not {form!r}")


def _shifted(a: Tensor, b: Tensor, radius: int) -> Tensor:
    """One multiply and one mean over channels for every displacement."""
    h, w = int(a.shape[2]), int(a.shape[3])
    b = F.pad(b, (radius, radius, radius, radius))
    steps = range(2 * radius + 1)
    return torch.cat([(a * b[:, :, i : i + h, j : j + w]).mean(1, keepdim=True) for i in steps for j in steps], 1)


def _im2col(a: Tensor, b: Tensor, radius: int) -> Tensor:
    """Every neighbourhood of b copied into a column (unfold), then one multiply and one mean over all of them."""
    n, c, h, w = (int(s) for s in a.shape)
    side = 2 * radius + 1
    columns = F.unfold(b, side, padding=radius).view(n, c, side * side, h, w)
    return (a.unsqueeze(2) * columns).mean(1)


def _rows(a: Tensor, b: Tensor, radius: int) -> Tensor:
    """A tile of a row of a (t x C) times the 2r + 1 rows of b around it (C x (2r+1)(t+2r)), and the diagonals of that.

    The diagonals need no gather: element (i, i + d) of a matrix of n columns, flattened, lies at i * (n + 1) + d, so
    t zeros appended and a view with n + 1 columns put every diagonal upright.
    """
    n, c, h, w = (int(s) for s in a.shape)
    side, tile = 2 * radius + 1, row_tile(w)
    tiles, reach = w // tile, tile + 2 * radius
    a_rows = a.permute(0, 2, 3, 1).reshape(n * h * tiles, tile, c)
    b_rows = F.pad(b, (radius, radius, radius, radius)).permute(0, 2, 1, 3)  # n, h + 2r, c, w + 2r
    if tiles > 1:
        b_rows = torch.stack([b_rows[..., t * tile : t * tile + reach] for t in range(tiles)], 2)
    else:
        b_rows = b_rows.unsqueeze(2)  # n, h + 2r, tiles, c, reach
    b_rows = torch.cat([b_rows[:, i : i + h] for i in range(side)], -1).reshape(n * h * tiles, c, side * reach)
    product = torch.bmm(a_rows * (1.0 / c), b_rows)  # n h tiles, tile, side * reach
    upright = F.pad(product.reshape(n * h * tiles, tile * side * reach), (0, tile))
    upright = upright.view(n * h * tiles, tile, side * reach + 1)[..., : side * reach]
    volume = upright.reshape(n, h, w, side, reach)[..., :side].reshape(n, h, w, side * side)
    return volume.permute(0, 3, 1, 2)


def row_tile(width: int) -> int:
    """Columns of one tile: the largest divisor of the width that is at most ROW_TILE."""
    return next(t for t in range(min(ROW_TILE, width), 0, -1) if width % t == 0)
