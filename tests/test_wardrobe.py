"""Garment folders: what is read, what is refused and in which words, what is noticed while the mirror runs."""

from __future__ import annotations

import logging
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mirror.errors import GarmentError
from mirror.wardrobe import KEPT_SIDE_PX, LANDMARKS, Garment, Wardrobe, describe, load_garment, save_garment

MARKS = {
    "neck": (80, 22), "shoulder": (65, 30), "sleeve_outer": (20, 90), "sleeve_inner": (40, 100), "armpit": (60, 70),
    "hem": (60, 170),
}  # fmt: skip
"""Left ones, on a picture 200 x 180."""


def sample(slug: str = "tee", name: str = "Tee", value: int = 90, inner: bool = False, scale: int = 1) -> Garment:
    """A garment of one colour; scale: how many times larger than 200 x 180."""
    picture = np.zeros((180, 200, 4), np.uint8)
    picture[20:172, 15:185] = (value, 100, 110, 255)
    mask = np.zeros((180, 200), np.uint8)
    mask[20:30, 85:115] = 255
    points = []
    for mark in LANDMARKS:
        part, side = mark.rsplit("_", 1)
        x, y = MARKS.get(part, (99.5, 35))
        points.append((199 - x if side == "right" else x, y))
    grown = np.kron(picture, np.ones((scale, scale, 1), np.uint8))
    marks = (np.array(points, np.float32) + 0.5) * scale - 0.5
    return Garment(slug, name, "longsleeve", "long", grown, mask if inner else None, marks)


def png_head(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def change(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def edit(old: str, new: str) -> Callable[[Path], object]:
    def fault(folder: Path) -> None:
        file = folder / "garment.toml"
        file.write_text(change(file.read_text(), old, new))

    return fault


def picture(array: np.ndarray, name: str = "garment.png") -> Callable[[Path], object]:
    return lambda folder: cv2.imwrite(str(folder / name), array)


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    garment = sample(name='Größe "L"\\', inner=True)
    save_garment(tmp_path / "tee", garment)
    back = load_garment(tmp_path / "tee")
    assert (back.slug, back.name, back.kind, back.sleeves) == ("tee", garment.name, "longsleeve", "long")
    solid = garment.picture[..., 3] > 0
    np.testing.assert_array_equal(back.picture[solid], garment.picture[solid])
    np.testing.assert_array_equal(back.picture[..., 3], garment.picture[..., 3])
    assert back.inner is not None and garment.inner is not None
    np.testing.assert_array_equal(back.inner, garment.inner)
    np.testing.assert_allclose(back.landmarks, garment.landmarks, atol=0.051)


def test_saving_leaves_nothing_but_the_folder_and_replaces_what_was_there(tmp_path: Path) -> None:
    save_garment(tmp_path / "tee", sample(value=10, inner=True))
    save_garment(tmp_path / "tee", sample(value=200))
    assert os.listdir(tmp_path) == ["tee"]
    assert sorted(os.listdir(tmp_path / "tee")) == ["garment.png", "garment.toml"]
    assert load_garment(tmp_path / "tee").picture[90, 90, 0] == 200


def test_a_save_that_fails_leaves_the_old_garment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_garment(tmp_path / "tee", sample(value=10))
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(OSError):
        save_garment(tmp_path / "tee", sample(value=200))
    assert os.listdir(tmp_path) == ["tee"]
    assert load_garment(tmp_path / "tee").picture[90, 90, 0] == 10


OPAQUE = np.full((180, 200, 4), 255, np.uint8)
FAULTS: list[tuple[str, Callable[[Path], object], str]] = [
    ("no picture", lambda f: (f / "garment.png").unlink(), "garment.png is missing"),
    ("no toml", lambda f: (f / "garment.toml").unlink(), "garment.toml is missing"),
    ("a text as picture", lambda f: (f / "garment.png").write_text("hello" * 20), "is not a PNG"),
    ("an empty picture", lambda f: (f / "garment.png").write_bytes(b""), "is not a PNG"),
    ("a cut-off picture", lambda f: (f / "garment.png").write_bytes((f / "garment.png").read_bytes()[:60]), "damaged"),
    ("1 x 1", picture(OPAQUE[:1, :1]), "1x1"),
    ("20000 x 20000", lambda f: (f / "garment.png").write_bytes(png_head(20000, 20000)), "20000x20000"),
    ("no alpha", picture(OPAQUE[..., :3]), "no alpha channel"),
    ("grey", picture(OPAQUE[..., 0]), "no alpha channel"),
    ("nothing cut out", picture(OPAQUE), "opaque everywhere"),
    ("nothing there", picture(OPAQUE * 0), "transparent everywhere"),
    ("an inner of another size", picture(OPAQUE[:90, :90, 0], "inner.png"), "inner.png is not of the size"),
    ("no toml syntax", edit("name =", "name ="[:4]), "cannot be read"),
    ("not UTF-8", lambda f: (f / "garment.toml").write_bytes(b'name = "\xff"'), "cannot be read"),
    ("a huge toml", lambda f: (f / "garment.toml").write_text("#" * 100_000), "too large"),
    ("no name", edit('name = "Tee"', ""), "gives no name"),
    ("a name of two lines", edit('"Tee"', '"T\\nee"'), "gives no name"),
    ("an unknown kind", edit('"longsleeve"', '"skirt"'), "kind = 'skirt' is not known"),
    ("a kind that is a list", edit('"longsleeve"', '["polo"]'), "kind = ['polo'] is not known"),
    ("unknown sleeves", edit('"long"', '"wide"'), "sleeves = 'wide' is not known"),
    ("no landmarks", edit("[landmarks]", "[marks]"), "has no [landmarks]"),
    ("a missing landmark", edit("hem_left", "hem_middle"), "hem_left is missing"),
    ("half a landmark", edit("hem_left = [60.0, 170.0]", "hem_left = [60.0]"), "hem_left = [60.0] is no point"),
    ("a landmark of words", edit("hem_left = [60.0, 170.0]", 'hem_left = ["a", 1]'), "is no point"),
    ("a landmark outside", edit("hem_left = [60.0, 170.0]", "hem_left = [60.0, 180.0]"), "outside the picture"),
    ("a landmark at nan", edit("hem_left = [60.0, 170.0]", "hem_left = [nan, 170.0]"), "outside the picture"),
    ("sides exchanged", edit("shoulder_left = [65.0", "shoulder_left = [165.0"), "not left of shoulder_right"),
    ("upside down", edit("hem_left = [60.0, 170.0]", "hem_left = [60.0, 25.0]"), "one below the other"),
]


@pytest.mark.parametrize(("fault", "words"), [pytest.param(f, w, id=name) for name, f, w in FAULTS])
def test_a_broken_folder_is_refused_in_one_sentence_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: Callable[[Path], object], words: str
) -> None:
    for slug in ("a-good-one", "broken"):
        save_garment(tmp_path / slug, sample(slug))
    fault(tmp_path / "broken")
    with pytest.raises(GarmentError) as caught:
        load_garment(tmp_path / "broken")
    sentence = str(caught.value)
    assert words in sentence and sentence.startswith("garment 'broken': ") and sentence.endswith(".")
    assert "\n" not in sentence
    with caplog.at_level(logging.WARNING):
        wardrobe = Wardrobe(tmp_path)
        wardrobe.refresh()
    assert [g.slug for g in wardrobe.garments] == ["a-good-one"]
    assert wardrobe.problems == {"broken": sentence}
    assert [record.getMessage() for record in caplog.records] == [f"{sentence} It is passed over."]


def test_without_sleeves_their_landmarks_may_be_left_out(tmp_path: Path) -> None:
    save_garment(tmp_path / "tank", sample())
    text = (tmp_path / "tank" / "garment.toml").read_text()
    lines = [line for line in change(text, '"long"', '"none"').splitlines() if not line.startswith("sleeve_")]
    (tmp_path / "tank" / "garment.toml").write_text("\n".join(lines))
    tank = load_garment(tmp_path / "tank")
    for side in ("left", "right"):
        np.testing.assert_array_equal(tank.point(f"sleeve_outer_{side}"), tank.point(f"shoulder_{side}"))
        np.testing.assert_array_equal(tank.point(f"sleeve_inner_{side}"), tank.point(f"armpit_{side}"))


def test_a_very_large_picture_is_kept_smaller_and_its_landmarks_with_it(tmp_path: Path) -> None:
    large = sample(scale=12)
    save_garment(tmp_path / "large", large)
    kept = load_garment(tmp_path / "large")
    assert max(kept.picture.shape[:2]) == KEPT_SIDE_PX
    np.testing.assert_allclose(kept.canvas_landmarks, sample().canvas_landmarks, atol=0.25)
    assert np.median(kept.picture[kept.picture[..., 3] == 255][:, 0]) == 90


def test_clear_pixels_beside_the_garment_take_its_colour(tmp_path: Path) -> None:
    """A cut-out that keeps its white background under alpha 0 showed a white fringe when it was sampled."""
    garment = sample()
    garment.picture[garment.picture[..., 3] == 0, :3] = 255
    save_garment(tmp_path / "tee", garment)
    beside = load_garment(tmp_path / "tee").picture[100, 14]
    assert beside[3] == 0
    np.testing.assert_allclose(beside[:3], (90, 100, 110), atol=2)


def test_sixteen_bits_a_channel_are_read_as_eight(tmp_path: Path) -> None:
    save_garment(tmp_path / "tee", sample())
    cv2.imwrite(str(tmp_path / "tee" / "garment.png"), sample().picture.astype(np.uint16) * 257)
    assert load_garment(tmp_path / "tee").picture[90, 90].tolist() == [90, 100, 110, 255]


def test_order_is_that_of_names_with_numbers_as_numbers(tmp_path: Path) -> None:
    for slug in ("tee 10", "Apple", "tee 2", "banana"):
        save_garment(tmp_path / slug, sample(slug))
    assert [g.slug for g in Wardrobe(tmp_path).garments] == ["Apple", "banana", "tee 2", "tee 10"]


def test_folders_that_are_added_changed_and_removed_are_noticed(tmp_path: Path) -> None:
    save_garment(tmp_path / "a", sample("a"))
    save_garment(tmp_path / "b", sample("b"))
    wardrobe = Wardrobe(tmp_path)
    a, b = wardrobe.garments
    assert not wardrobe.refresh()
    save_garment(tmp_path / "c", sample("c"))
    assert wardrobe.refresh() and [g.slug for g in wardrobe.garments] == ["a", "b", "c"]
    assert wardrobe.garments[0] is a, "what did not change is not loaded again"
    save_garment(tmp_path / "b", sample("b", name="Another name"))
    assert wardrobe.refresh() and wardrobe.garments[1] is not b and wardrobe.garments[1].name == "Another name"
    shutil.rmtree(tmp_path / "a")
    assert wardrobe.refresh() and [g.slug for g in wardrobe.garments] == ["b", "c"]


def test_a_broken_folder_that_is_mended_appears_and_one_that_breaks_goes(tmp_path: Path) -> None:
    (tmp_path / "tee").mkdir()
    wardrobe = Wardrobe(tmp_path)
    assert wardrobe.garments == () and list(wardrobe.problems) == ["tee"]
    save_garment(tmp_path / "tee", sample())
    assert wardrobe.refresh() and len(wardrobe.garments) == 1 and wardrobe.problems == {}
    (tmp_path / "tee" / "garment.png").unlink()
    assert wardrobe.refresh() and wardrobe.garments == () and list(wardrobe.problems) == ["tee"]


def test_packages_hidden_and_underscored_folders_and_files_are_no_garments(tmp_path: Path) -> None:
    for name in (".hidden", "_draft", "package", "__pycache__"):
        (tmp_path / name).mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "README.md").touch()
    wardrobe = Wardrobe(tmp_path)
    assert wardrobe.garments == () and wardrobe.problems == {}


def test_a_wardrobe_that_is_not_there_is_an_error_but_one_that_goes_away_keeps_its_garments(tmp_path: Path) -> None:
    with pytest.raises(GarmentError, match="no wardrobe folder"):
        Wardrobe(tmp_path / "nowhere")
    save_garment(tmp_path / "drive" / "tee", sample())
    wardrobe = Wardrobe(tmp_path / "drive")
    shutil.rmtree(tmp_path / "drive")
    assert not wardrobe.refresh() and len(wardrobe.garments) == 1


def test_find_takes_folder_or_shown_name_and_says_what_there_is(tmp_path: Path) -> None:
    save_garment(tmp_path / "white-tee", sample(name="White T-shirt"))
    wardrobe = Wardrobe(tmp_path)
    assert wardrobe.find("WHITE-tee") is wardrobe.find("white t-shirt") is wardrobe.garments[0]
    with pytest.raises(GarmentError, match="there are: white-tee"):
        wardrobe.find("red-tee")


@pytest.mark.parametrize(
    ("start", "by", "expected"),
    [("a", 1, "c"), ("e", 1, "a"), ("a", -1, "e"), ("c", 7, "e"), ("b", 1, "c"), ("b", -1, "a"), ("z", 1, "a"),
     ("z", -1, "e"), ("A-first", -1, "a")],
)  # fmt: skip
def test_step_goes_round_and_starts_from_where_a_removed_one_was(
    tmp_path: Path, start: str, by: int, expected: str
) -> None:
    for slug in "ace":
        save_garment(tmp_path / slug, sample(slug))
    assert Wardrobe(tmp_path).step(start, by).slug == expected


def test_step_in_an_empty_wardrobe_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GarmentError, match="no usable garment"):
        Wardrobe(tmp_path).step("a", 1)


def test_the_description_is_what_a_person_would_write() -> None:
    lines = describe(sample()).splitlines()
    assert lines[:3] == ['name = "Tee"', 'kind = "longsleeve"', 'sleeves = "long"']
    assert "neck_left = [80.0, 22.0]" in lines
