"""Photos as training garments: what is fitted lies where it should, what does not fit its class is refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

from ir_models.synth import cuts, photos, textures
from ir_models.synth.bodies import load_bodies
from ir_models.synth.layouts import Layout
from ir_models.synth.photo_outline import Refused
from ir_models.synth.pieces import Piece, drawn_piece

SCALE, GROUND_BGR, BORDER_PX = 2, (70, 110, 60), 40
SHOULDERS = (3, 4)
MAX_MISS = 0.10
"""Of a shoulder width: what a landmark of a fitted photo may be off."""


def laid(kind: str, lift: float) -> Piece:
    bodies, rng = load_bodies(), np.random.default_rng(2)
    cut = replace(
        cuts.draw_cut(rng, bodies, kind), collar="none", hem_curve=0.0, ease=0.014, sleeve_ease=0.011, neck_half=0.098,
        neck_front=0.07, v_neck=False, neck_top=cuts.neck_top_at(0.098),
    )  # fmt: skip
    cloth = np.full((textures.SIZE, textures.SIZE, 4), 255, np.uint8)
    cloth[..., :3] = (200, 60, 70)
    layout = Layout((lift, lift), 0.1, (0.0, 0.0), 0.0, 1.0, np.zeros((0, 5)), False)
    return drawn_piece(bodies, cut, cloth, np.zeros((8, 8), np.float32), rng, layout, lit=False)


def photo_of(piece: Piece) -> np.ndarray:
    """uint8 HxWx3 BGR: the lying garment on a green floor."""
    big = cv2.resize(piece.flat, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LINEAR)[..., ::-1]
    there = np.maximum(piece.mask, (piece.flat < 250).any(-1) * 255).astype(np.uint8)
    alpha = cv2.resize(there, big.shape[1::-1])[..., None] / 255.0
    on_floor = big * alpha + np.array(GROUND_BGR) * (1 - alpha)
    b = BORDER_PX
    out = cv2.copyMakeBorder(on_floor.astype(np.uint8), b, b, b, b, cv2.BORDER_CONSTANT, value=GROUND_BGR)
    return np.clip(out + np.random.default_rng(0).normal(0, 4, out.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("kind", "sleeves", "lift"), [("tshirt", "short", 0.2), ("longsleeve", "long", 0.1)])
def test_a_fitted_photo_has_the_landmarks_of_the_garment_in_it(kind, sleeves, lift):
    true = laid(kind, lift)
    fitted = photos.fit_photo(photo_of(true), kind, sleeves, load_bodies())
    assert fitted.photo and fitted.cut.sleeves == sleeves
    size = np.linalg.norm(true.landmarks[SHOULDERS[0]] - true.landmarks[SHOULDERS[1]])
    miss = np.linalg.norm(fitted.landmarks - true.landmarks, axis=1) / size
    assert np.median(miss) < MAX_MISS / 2 and np.quantile(miss, 0.85) < MAX_MISS, miss.round(2)
    sheet = np.linalg.norm(fitted.canvas_xy["front"] - true.canvas_xy["front"], axis=1) / size
    bodies = load_bodies()
    used = np.unique(bodies.front)
    kept = used[(bodies.arm[used] < true.cut.sleeve) & (bodies.tight["front"][used, 1] > true.cut.hem)]
    assert np.median(sheet[kept]) < MAX_MISS, "the sheet is not where the cloth is"


@pytest.mark.parametrize(("kind", "says"), [("longsleeve", "short"), ("tshirt", "long")])
def test_a_photo_whose_sleeves_disagree_with_its_class_is_refused(kind, says):
    with pytest.raises(Refused, match="sleeves"):
        photos.fit_photo(photo_of(laid(kind, 0.2)), "tshirt", says, load_bodies())


def test_a_photo_of_nothing_is_refused():
    floor = np.random.default_rng(1).normal(120, 5, (400, 300, 3)).clip(0, 255).astype(np.uint8)
    with pytest.raises(Refused):
        photos.fit_photo(floor, "tshirt", "short", load_bodies())


def test_fitted_photos_come_back_from_their_cache(tmp_path):
    folder = tmp_path / "photos" / "t-shirt"
    folder.mkdir(parents=True)
    for i in range(12):
        cv2.imwrite(str(folder / f"{i}.jpg"), photo_of(laid("tshirt", 0.2)))
    held, train = (photos.prepare(tmp_path / "photos", tmp_path / "cache", split, 2, 60.0) for split in (True, False))
    again = photos.prepare(tmp_path / "photos", tmp_path / "cache", False, 2, 60.0)
    assert len(train) == 2 and len(again) == 2
    assert (train[0].texture == again[0].texture).all() and train[0].cut.hem == again[0].cut.hem
    assert not {p.depicts for p in held} & {p.depicts for p in train}


@pytest.mark.parametrize("components", [150, 2])
def test_a_kept_photo_is_as_it_was_fitted(tmp_path, monkeypatch, components):
    """With fewer components than photos the places are near, not the same."""
    monkeypatch.setattr(photos, "COMPONENTS", components)
    pieces = [
        photos.fit_photo(photo_of(laid("tshirt", lift)), "tshirt", "short", load_bodies())
        for lift in (0.1, 0.2, 0.3, 0.4)
    ]
    pieces[0].texture[..., 3] = 255  # what fills its picture has no outline
    photos._save(tmp_path / "kept.npz", pieces)
    for kept, fitted in zip(photos._load(tmp_path / "kept.npz"), pieces, strict=True):
        assert kept.cut == fitted.cut and np.array_equal(kept.landmarks, fitted.landmarks)
        for sheet, faces in (("front", load_bodies().front), ("back", load_bodies().back)):
            used = np.unique(faces)
            off = np.abs(kept.canvas_xy[sheet][used] - fitted.canvas_xy[sheet][used]).mean()
            assert off < 0.02 if components > len(pieces) else 0.02 < off < 2.0
        seen = fitted.texture[..., 3] > 127
        assert np.abs(kept.texture[seen].astype(int) - fitted.texture[seen]).mean() < 3.0
        if fitted is not pieces[0]:
            assert np.abs(kept.flat.astype(int) - fitted.flat).mean() < 2.0
            assert np.abs(kept.mask.astype(int) - fitted.mask).mean() < 2.0
