"""The garments that ship, and the code that draws them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from garments.designs import CATALOGUE, Design
from garments.draw import sheet_for
from garments.drawing.assemble import assemble
from garments.drawing.curves import arc_lengths, both_sides, flipped, offset, piece, spline
from garments.drawing.cuts import Cut, draft
from garments.drawing.sheet import Sheet, along
from mirror.wardrobe import LANDMARKS, Garment, Wardrobe, load_garment

SHIPPED = Path(__file__).parent.parent / "garments"
MAX_BYTES = 700_000
MAX_BYTES_OF_ALL = 9_000_000
SMALL = 70.0
"""Shoulder width in pixels at which a garment is drawn in no time."""

designs = pytest.mark.parametrize("design", CATALOGUE, ids=lambda design: design.slug)
one_of_a_kind = pytest.mark.parametrize(
    "design", {design.kind: design for design in CATALOGUE}.values(), ids=lambda design: design.kind
)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Garment]:
    return {garment.slug: garment for garment in Wardrobe(SHIPPED).garments}


def drawn(design: Design) -> tuple[Sheet, np.ndarray]:
    """A small drawing of a design, and the mask of its inside."""
    sheet = Sheet(200, 150, SMALL, 20.0)
    return sheet, assemble(design.cut, design.style, sheet, design.seed)[1]


def test_every_design_ships_and_nothing_else(shipped: dict[str, Garment]) -> None:
    assert Wardrobe(SHIPPED).problems == {}
    assert set(shipped) == {design.slug for design in CATALOGUE}
    assert {g.kind for g in shipped.values()} == {"tshirt", "longsleeve", "shirt", "polo", "tank", "jumper", "hoodie"}
    assert len({g.name for g in shipped.values()}) == len(shipped) >= 12


def test_the_wardrobe_is_light_enough_to_fetch() -> None:
    sizes = {file: file.stat().st_size for file in SHIPPED.glob("*/*.png")}
    assert max(sizes.values()) <= MAX_BYTES and sum(sizes.values()) <= MAX_BYTES_OF_ALL


@designs
def test_shipped_garment_is_the_one_the_code_describes(design: Design, shipped: dict[str, Garment]) -> None:
    garment = shipped[design.slug]
    assert (garment.name, garment.kind, garment.sleeves) == (design.name, design.kind, design.cut.sleeves)
    sheet, marks = sheet_for(design.cut, design.body), draft(design.cut).landmarks
    assert garment.picture.shape == (sheet.height, sheet.width, 4)
    np.testing.assert_allclose(garment.landmarks, [sheet.to_result(marks[name]) for name in LANDMARKS], atol=0.06)


@designs
def test_shipped_picture_is_a_clean_cut_out(design: Design, shipped: dict[str, Garment]) -> None:
    garment = shipped[design.slug]
    height, width = garment.picture.shape[:2]
    alpha = garment.picture[..., 3]
    assert width >= 768 and height >= 1024
    assert not alpha[[0, -1]].any() and not alpha[:, [0, -1]].any(), "the garment touches the picture's edge"
    assert cv2.connectedComponents((alpha > 0).astype(np.uint8))[0] == 2, "one piece and the background"
    half = np.count_nonzero((alpha > 5) & (alpha < 250))
    assert half < 3 * cv2.arcLength(cv2.findContours((alpha > 127).astype(np.uint8), 0, 1)[0][0], True)
    assert (garment.picture[alpha > 250, :3].max(1) > 0).all(), "a hole drawn black"


@designs
def test_shipped_landmarks_lie_on_the_garment_s_edge(design: Design, shipped: dict[str, Garment]) -> None:
    garment = shipped[design.slug]
    solid = (garment.picture[..., 3] > 127).astype(np.uint8)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    for name in LANDMARKS:
        x, y = np.round(garment.point(name)).astype(int)
        assert outside[y, x] < 3, f"{name} lies beside the garment"
        if not name.startswith(("neck", "shoulder")):  # collars and caps of sleeves reach over these
            assert inside[y, x] < 8, f"{name} lies inside the garment"


@designs
def test_shipped_inner_lies_inside_the_garment_at_its_neck(design: Design, shipped: dict[str, Garment]) -> None:
    garment = shipped[design.slug]
    assert garment.inner is not None
    assert (garment.inner <= garment.picture[..., 3]).all()
    ys, xs = np.nonzero(garment.inner > 127)
    margin = 6
    assert xs.min() > garment.point("neck_left")[0] - margin and xs.max() < garment.point("neck_right")[0] + margin
    assert ys.max() < garment.point("neck_front")[1] + margin
    assert len(xs) > 2000


@one_of_a_kind
def test_a_drawing_fills_its_panels_with_finite_colours(design: Design) -> None:
    sheet, inner = drawn(design)
    assert np.isfinite(sheet.colour).all() and sheet.colour.min() >= 0 and sheet.colour.max() <= 256
    torso = sheet.mask(draft(design.cut).torso)
    assert sheet.alpha[torso == 1].min() == 1
    assert sheet.alpha[inner == 1].min() == 1


def test_the_same_design_is_drawn_the_same_again() -> None:
    design = CATALOGUE[0]
    first, second = drawn(design)[0], drawn(design)[0]
    np.testing.assert_array_equal(first.colour, second.colour)
    other = drawn(replace(design, seed=design.seed + 1))[0]
    assert np.abs(first.colour - other.colour).max() > 1, "the seed moves the folds"


@pytest.mark.parametrize("sleeves", ["none", "short", "long"])
def test_a_pattern_is_as_wide_and_long_as_its_cut(sleeves: str) -> None:
    cut = Cut(sleeves=sleeves, chest=1.2, hem=1.1, length=1.6, sleeve_length=0.5, sleeve_end=0.3)
    marks = draft(cut).landmarks
    assert marks["shoulder_right"][0] - marks["shoulder_left"][0] == pytest.approx(1.0)
    assert marks["armpit_right"][0] - marks["armpit_left"][0] == pytest.approx(1.2)
    assert marks["hem_right"] - marks["hem_left"] == pytest.approx([1.1, 0.0])
    assert marks["hem_left"][1] == 1.6 and marks["neck_front"][1] == cut.neck_front
    if sleeves == "none":
        assert (marks["sleeve_outer_left"] == marks["shoulder_left"]).all()
        assert (marks["sleeve_inner_left"] == marks["armpit_left"]).all()
    else:
        assert np.linalg.norm(marks["sleeve_outer_left"] - marks["sleeve_inner_left"]) == pytest.approx(0.3)
        assert marks["sleeve_inner_left"][0] > marks["sleeve_outer_left"][0], "the inner corner lies towards the body"


@pytest.mark.parametrize("design", [d for d in CATALOGUE if d.cut.sleeves != "none"], ids=lambda design: design.slug)
def test_sleeves_hang_clear_of_the_torso(design: Design) -> None:
    pattern = draft(design.cut)
    assert pattern.sleeve is not None
    below = pattern.sleeve.under[pattern.sleeve.under[:, 1] > design.cut.armpit + 0.1]
    side = np.interp(below[:, 1], pattern.side[:, 1], pattern.side[:, 0])
    assert (below[:, 0] > side + 0.02).all()


def test_a_sleeve_s_band_lies_at_its_end() -> None:
    sleeve = draft(Cut(sleeves="long", cuff=0.1)).sleeve
    assert sleeve is not None
    np.testing.assert_allclose(sleeve.across(0.0), sleeve.end, atol=1e-9)
    gap = np.linalg.norm(sleeve.across(0.1).mean(0) - sleeve.end.mean(0))
    assert gap == pytest.approx(0.1, abs=0.01)


def test_curves() -> None:
    arc = spline([[0, 0], [1, 1], [2, 0]])
    for point in ([0, 0], [1, 1], [2, 0]):
        assert np.linalg.norm(arc - point, axis=1).min() < 1e-9
    straight = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    np.testing.assert_allclose(arc_lengths(straight), [0, 1, 3])
    np.testing.assert_allclose(piece(straight, -2.0, None, 3), [[1, 0], [2, 0], [3, 0]])
    np.testing.assert_allclose(offset(straight, 0.5), straight - [0, 0.5])
    np.testing.assert_allclose(flipped(straight, -1.0)[:, 0], [0, -1, -3])
    np.testing.assert_allclose(both_sides(straight)[:, 0], [-3, -1, 0, 0, 1, 3])


def test_coordinates_beside_a_curve() -> None:
    """u is positive to the left of one who goes along, v counts from the start, and behind the end straight on."""
    axis = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]])  # goes down, so its left is the right of the picture
    x, y = np.array([[0.5, -0.5, 0.0]], np.float32), np.array([[0.25, 1.5, 2.5]], np.float32)
    u, v = along(x, y, axis)
    np.testing.assert_allclose(u, [[0.5, -0.5, 0.0]], atol=1e-6)
    np.testing.assert_allclose(v, [[0.25, 1.5, 2.5]], atol=1e-6)


def test_drawing_one_garment_writes_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from garments import draw

    design = replace(CATALOGUE[0], body=120)
    monkeypatch.setattr("sys.argv", ["draw", design.slug, "--to", str(tmp_path)])
    monkeypatch.setattr(draw, "CATALOGUE", (design,))
    monkeypatch.setattr(draw, "MIN_SIZE", (64, 64))
    draw.main()
    garment = load_garment(tmp_path / design.slug)
    assert garment.name == design.name
    solid = garment.picture[..., 3] == 255
    assert np.abs(garment.picture[solid, :3].mean(0) - (235, 240, 242)).max() < 25, "white, folds and all"
