"""From a photo's bytes to a garment: what is decoded, what is refused, what is found on drawn garments."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mirror.errors import GarmentError, InstallationError
from mirror.prepare import PhotoError, load_photo, prepare, search, shapes
from mirror.prepare.contour import trace
from mirror.prepare.gaps import find_gaps, open_gaps
from mirror.prepare.grabcut import cut
from mirror.prepare.judge import in_order, polygon
from mirror.prepare.landmarks import PAIRS
from mirror.prepare.matte import soften
from mirror.prepare.network import Network, choose
from mirror.wardrobe import LANDMARKS
from tests.photos import LONG, TANK, TEE, draw_photo, landmarks_of


def save(path: Path, picture: Image.Image, form: str, **extra: object) -> Path:
    picture.save(path, form, **extra)
    return path


def two_colours() -> Image.Image:
    """200 x 120: red left, blue right."""
    pixels = np.zeros((120, 200, 3), np.uint8)
    pixels[:, :100], pixels[:, 100:] = (220, 30, 30), (30, 30, 220)
    return Image.fromarray(pixels)


def exif(**tags: int | str) -> Image.Exif:
    found = Image.Exif()
    for tag, value in tags.items():
        found[{"turn": 0x0112, "model": 0x0110}[tag]] = value
    return found


def test_the_rotation_of_the_camera_is_applied(tmp_path: Path) -> None:
    photo = load_photo(save(tmp_path / "a.jpg", two_colours(), "JPEG", exif=exif(turn=6, model="X")))
    assert photo.shape == (200, 120, 3)
    assert photo[20, 60, 2] > 180 and photo[180, 60, 0] > 180  # BGR: red above, blue below


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "1"), ("WEBP", "RGB"), ("PNG", "RGBA")],
)
def test_colour_forms_end_as_bgr(tmp_path: Path, form: str, mode: str) -> None:
    picture = two_colours() if mode not in ("L", "LA", "1") else two_colours().convert("L")
    photo = load_photo(save(tmp_path / "a", picture.convert(mode), form))
    assert photo.shape == (120, 200, 3) and photo.dtype == np.uint8
    if mode in ("CMYK", "P", "RGB", "RGBA"):
        assert photo[60, 20, 2] > 150 > photo[60, 20, 0] and photo[60, 180, 0] > 150 > photo[60, 180, 2]


def test_sixteen_bits_keep_their_tones(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 200).astype(np.uint16)[None].repeat(120, 0)
    photo = load_photo(save(tmp_path / "a.png", Image.fromarray(ramp), "PNG"))
    assert photo[0, 0, 0] == 0 and photo[0, -1, 0] == 255 and abs(int(photo[0, 100, 1]) - 128) < 3


def test_a_large_photo_is_reduced(tmp_path: Path) -> None:
    photo = load_photo(save(tmp_path / "a.jpg", two_colours().resize((4000, 2400)), "JPEG"))
    assert max(photo.shape) == 1600


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    file = io.BytesIO()
    two_colours().save(file, "JPEG")
    return file.getvalue()


def animated(form: str) -> bytes:
    file = io.BytesIO()
    two_colours().save(file, form, save_all=True, append_images=[two_colours().rotate(9)])
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no"),
        (b"GIF89a" + bytes(50), "is no"),
        (b"[project]\nname = 'mirror'\n", "is no"),
        (b"\0\0\0\x18ftypheic" + bytes(90), "pillow-heif|damaged|is no"),
        (png_of(9000, 9000), "over 50 megapixels"),
        (png_of(90_000, 90_000), "megapixels|too many pixels"),
        (png_of(40, 400), "under 96 pixels"),
        (png_of(400, 400), "damaged"),
        (jpeg()[:700], "damaged"),
        (jpeg()[:-300], "damaged"),
        (animated("PNG"), "animated"),
        (animated("WEBP"), "animated"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(data)
    with pytest.raises(GarmentError, match=words) as caught:
        load_photo(photo)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.jpg", "."])
def test_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(GarmentError):
        load_photo(tmp_path / name)


def worst(found: np.ndarray, truth: np.ndarray) -> tuple[float, str]:
    """The largest distance, share of the garment's height, but for neck_front, which a plain drawing does not show."""
    height = truth[:, 1].max() - truth[:, 1].min()
    away = np.linalg.norm(found - truth, axis=1) / height
    away[LANDMARKS.index("neck_front")] = 0.0
    return float(away.max()), LANDMARKS[int(away.argmax())]


@pytest.mark.parametrize(
    ("shape", "kind", "sleeves"),
    [(TEE, "tshirt", "short"), (LONG, "longsleeve", "long"), (TANK, "tank", "none")],
)
@pytest.mark.parametrize("degrees", [0, 90, 180, 205])
def test_a_drawn_garment_is_found_and_set_upright(
    shape: dict[str, tuple[float, float]], kind: str, sleeves: str, degrees: int
) -> None:
    photo, turned = draw_photo(shape, degrees=degrees)
    prepared = prepare(photo, "tee", "Tee")
    assert prepared.doubts == ()
    assert (prepared.garment.kind, prepared.garment.sleeves, prepared.method) == (kind, sleeves, "GrabCut")
    assert worst(prepared.points, turned) < (0.08, "")
    assert in_order(prepared.garment.landmarks)


def test_the_cut_out_is_the_garment_and_has_no_fringe() -> None:
    photo, _ = draw_photo(TEE, cloth=(200, 60, 40), floor=(40, 180, 60), grain=0.0)
    picture = prepare(photo, "tee", "Tee").garment.picture
    solid, drawn = picture[..., 3] > 127, cv2.cvtColor(photo, cv2.COLOR_BGR2HSV)[..., 0] > 100
    assert abs(int(solid.sum()) - int(drawn.sum())) < 0.02 * drawn.sum()
    shown = picture[picture[..., 3] > 60][:, :3].astype(int)
    assert np.percentile(np.abs(shown - [200, 60, 40]).max(1), 99) < 30


def test_soft_edges_hold_the_share_of_the_garment() -> None:
    photo = np.full((80, 80, 3), (30, 200, 30), np.uint8)
    photo[:, 40:] = (200, 30, 200)
    photo[:, 40] = (115, 115, 115)  # half of each
    mask = np.zeros((80, 80), np.uint8)
    mask[:, 40:] = 1
    soft = soften(photo, mask)
    assert soft[40, 36, 3] == 0 and soft[40, 45, 3] == 255 and 60 < soft[40, 40, 3] < 200
    assert abs(soft[40, 40, :3].astype(int) - [200, 30, 200]).max() < 50


def test_a_gap_between_sleeve_and_body_is_cut_and_opened() -> None:
    picture = np.full((200, 200, 3), (60, 160, 200), np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    mask[30:180, 30:170] = 1
    picture[mask > 0] = (120, 40, 40)
    picture[80:170, 50:58] = (60, 160, 200)  # closed by ten rows below
    gaps = find_gaps(picture, mask)
    assert gaps[90:160, 52:56].all() and gaps.sum() < 1.3 * 90 * 8
    before, after = trace(mask).points, trace(open_gaps(mask, gaps)).points
    assert not ((np.abs(before - [54, 90]) < 12).all(1)).any() and ((np.abs(after - [54, 90]) < 12).all(1)).any()


def test_squares_of_the_background_s_colour_are_cloth() -> None:
    """A cheque's white squares on a white sheet were cut out, thirteen of them."""
    picture = np.full((200, 200, 3), (60, 160, 200), np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    mask[30:180, 30:170] = 1
    picture[mask > 0] = (120, 40, 40)
    for y in (45, 70, 95, 120, 145):
        for x in (45, 75, 105, 135):
            picture[y : y + 7, x : x + 7] = (60, 160, 200)
    assert not find_gaps(picture, mask).any()
    picture[40:160, 70:150] = (120, 40, 40)
    assert find_gaps(picture, mask).any()


def test_a_garment_that_is_tiny_in_its_photo_is_refused() -> None:
    """It was added, and then refused by every command that reads the wardrobe."""
    photo, _ = draw_photo(TEE)
    small = cv2.resize(photo, None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA)
    floor = np.full((160, 130, 3), photo[0, 0], np.uint8)
    floor[40 : 40 + small.shape[0], 30 : 30 + small.shape[1]] = small
    with pytest.raises(PhotoError, match="64 pixels a side"):
        prepare(floor, "x", "X")


def test_an_empty_floor_is_no_garment() -> None:
    rng = np.random.default_rng(0)
    floor = np.clip(rng.normal(128, 3, (200, 160, 3)), 0, 255).astype(np.uint8)
    try:
        prepared = prepare(floor, "x", "X")
    except GarmentError as error:
        assert "plain floor" in str(error)
    else:
        assert prepared.doubts


def test_a_garment_cut_off_by_the_edge_is_doubtful() -> None:
    photo, _ = draw_photo(TEE)
    half = photo[:, : photo.shape[1] // 2]
    assert prepare(np.ascontiguousarray(half), "x", "X").doubts


def test_another_kind_than_the_sleeves_show_is_doubtful() -> None:
    photo, _ = draw_photo(TEE)
    assert prepare(photo, "x", "X", kind="polo").doubts == ()
    assert any("sleeves" in doubt for doubt in prepare(photo, "x", "X", kind="longsleeve").doubts)


def test_a_tank_that_is_said_to_be_one_has_no_sleeves() -> None:
    photo, _ = draw_photo(TEE)
    prepared = prepare(photo, "x", "X", kind="tank")
    assert (prepared.garment.kind, prepared.garment.sleeves) == ("tank", "none")
    for side in ("left", "right"):
        assert np.array_equal(
            prepared.garment.point(f"sleeve_outer_{side}"), prepared.garment.point(f"shoulder_{side}")
        )


def test_landmarks_of_a_person_settle_it() -> None:
    photo, _ = draw_photo(TEE)
    given = landmarks_of(TEE, photo.shape) + 2.0
    prepared = prepare(photo, "x", "X", kind="longsleeve", landmarks=given)
    assert prepared.doubts == () and np.allclose(prepared.points, given, atol=1.5)


def test_transparency_of_the_file_is_its_cut_out() -> None:
    photo, truth = draw_photo(TEE)
    mask = np.zeros(photo.shape[:2], np.uint8)
    half = [m for m in TEE if m != "neck_front"]
    at = dict(zip(LANDMARKS, truth, strict=True))
    ring = np.array([at[m + "_left"] for m in _parts(half)] + [at[m + "_right"] for m in reversed(_parts(half))])
    cv2.fillPoly(mask, [ring.round().astype(np.int32)], 255)
    prepared = prepare(np.dstack([photo, mask]), "x", "X")
    assert "transparency" in prepared.method and worst(prepared.points, truth) < (0.08, "")


def _parts(marks: list[str]) -> list[str]:
    return list(dict.fromkeys(m.rsplit("_", 1)[0] for m in marks))


class _Drawn(Network):
    """Stands for a network: says what it was told."""

    def __init__(self, answer: np.ndarray) -> None:
        self.name, self._answer = "rembg (drawn)", answer

    def mask(self, bgr: np.ndarray) -> np.ndarray:
        return self._answer


def test_a_network_that_finds_nothing_ends_in_a_sentence() -> None:
    photo, _ = draw_photo(TEE)
    with pytest.raises(GarmentError, match="plain floor"):
        prepare(photo, "x", "X", network=_Drawn(np.zeros(photo.shape[:2], np.uint8)))


def test_the_network_cuts_where_there_is_one() -> None:
    photo, truth = draw_photo(TEE, cloth=(90, 90, 90), floor=(92, 90, 90))  # colour tells nothing here
    clear, _ = draw_photo(TEE, cloth=(255, 255, 255), floor=(0, 0, 0), grain=0.0)
    prepared = prepare(photo, "x", "X", network=_Drawn((clear[..., 0] > 127).astype(np.uint8)))
    assert prepared.method == "rembg (drawn)" and worst(prepared.points, truth) < (0.08, "")


def test_networks_are_chosen_without_asking_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    assert choose(None, False, print) is None
    with pytest.raises(InstallationError, match="no model file"):
        choose(tmp_path / "missing.onnx", False, print)
    (tmp_path / "u2net.onnx").write_bytes(b"x")
    there = choose(None, False, print)
    assert there is not None and "u2net" in there.name
    assert choose(None, False, print, without=True) is None


def test_rembg_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, mirror.prepare, mirror.garment_cli; sys.exit(any(m in sys.modules for m in ('rembg', 'numba')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [(TEE, (320, 336), (105, 117)), (LONG, (284, 298), (186, 198))],
)
def test_a_label_at_the_hem_is_no_hole(
    shape: dict[str, tuple[float, float]], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    photo, _ = draw_photo(shape)
    photo[slice(*rows), slice(*columns)] = photo[slice(*rows), 5 : 5 + columns[1] - columns[0]]  # the floor's colour
    prepared = prepare(photo, "x", "x")
    inside = prepared.outline[rows[0] + 1 : rows[1] - 1, columns[0] + 1 : columns[1] - 1]
    assert not prepared.doubts and inside.all()


@pytest.mark.parametrize("place", [(0, 0), (300, 0), (150, 400)])
def test_a_garment_beside_the_middle_is_found_by_what_is_rare_on_the_border(place: tuple[int, int]) -> None:
    photo, points = draw_photo(TEE, cloth=(150, 90, 40))
    x, y = place
    wide = np.empty((800, 600, 3), np.uint8)
    wide[:] = np.clip(np.array((190, 200, 205)) + np.random.default_rng(2).normal(0, 4, wide.shape), 0, 255)
    wide[y : y + 400, x : x + 300] = photo
    mask = cut(wide, None)
    scale = mask.shape[1] / wide.shape[1]
    true = np.zeros_like(mask)
    cv2.fillPoly(true, [np.round((polygon(points) + np.array(place)) * scale).astype(np.int32)], 1)
    assert (mask & true).sum() / (mask | true).sum() > 0.9


def test_angles_tried_together_give_what_each_gives_alone() -> None:
    photo, points = draw_photo(LONG, degrees=20)
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon(points)).astype(np.int32)], 1)
    contour, model, angles = trace(mask), shapes.load(), np.radians([-40.0, -20.0, 0.0])
    together = search.find_each(contour, model, angles, PAIRS)
    alone = [search.find(contour, model, angles[i : i + 1], PAIRS) for i in range(len(angles))]
    assert [found.index for found in together] == [found.index for found in alone]
    assert search.find(contour, model, angles, PAIRS).angle == angles[1]
