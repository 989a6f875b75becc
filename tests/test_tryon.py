"""The networks' fit: what it hands on, what it keeps, and what it does with sets of another make."""

from __future__ import annotations

import numpy as np
import pytest

from mirror import tryon as tryon_module
from mirror.engine import EngineError
from mirror.errors import ModelError
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Frame, Person, flow_from_pixels
from mirror.tryon import (
    RIM_PX,
    NeuralFitter,
    colours_of,
    enlarge_flow,
    painted,
    repair_of,
)
from tests.helpers import make_garment
from tests.networks import GAIN, REPAIR_RGB, read_manifest, write_manifest, write_tiny_set

CAMERA = (480, 640)
CROP = Crop(np.array([[0.5, 0.0, -64.0], [0.0, 0.5, 8.0]]))
"""Canvas pixel (x, y) is camera pixel (2 x + 128, 2 y - 16)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def fitter(folder, cache):
    made = NeuralFitter(folder, threads=1, cache=cache)
    yield made
    made.close()


def scene(t: float = 5.0) -> tuple[Frame, Person, Crop]:
    """Somebody who fills the left half of the canvas, facing the camera."""
    rng = np.random.default_rng(0)
    frame = Frame(rng.integers(0, 255, (*CAMERA, 3), dtype=np.uint8), t, 7)
    mask = np.zeros(CAMERA, np.float32)
    mask[:, : 128 + CANVAS_W] = 1.0
    landmarks = np.ones((33, 3), np.float32)
    landmarks[:, :2] = CROP.inverse[:, :2] @ [96.0, 100.0] + CROP.inverse[:, 2]
    for rows, place in (((11, 13, 15), (58, 100)), ((12, 14, 16), (134, 100)), ((23,), (70, 200)), ((24,), (122, 200))):
        landmarks[list(rows), :2] = CROP.inverse[:, :2] @ np.array(place, float) + CROP.inverse[:, 2]
    return frame, Person(mask, landmarks, t, t), CROP


def identity() -> np.ndarray:
    y, x = np.mgrid[0:CANVAS_H, 0:CANVAS_W]
    return flow_from_pixels(np.stack([x, y], -1))


def test_a_fit_is_what_the_contract_says(fitter):
    frame, person, crop = scene()
    fit = fitter.fit(frame, person, crop, make_garment())
    shapes = {name: getattr(fit, name).shape for name in ("flow", "coverage", "shading", "repair")}
    size = (CANVAS_H, CANVAS_W)
    assert shapes == {"flow": (*size, 2), "coverage": size, "shading": size, "repair": (*size, 4)}
    assert all(getattr(fit, name).dtype == np.float32 for name in shapes)
    assert fit.t_capture == frame.t_capture
    assert fit.crop is crop
    assert fit.coverage.min() >= 0.0 and fit.coverage.max() <= 1.0


def test_the_networks_flow_comes_to_the_canvas_without_a_shift(fitter):
    fit = fitter.fit(*scene(), make_garment())
    inside = np.s_[2:-2, 2:-2]  # at the edge the half canvas ends before the canvas does
    assert np.abs(fit.flow[inside] - identity()[inside]).max() < 1e-5


def test_the_person_and_the_garment_are_where_they_should_be(fitter):
    garment = make_garment()
    fit = fitter.fit(*scene(), garment)
    alpha = garment.canvas[..., 3] / 255.0
    assert np.abs(fit.coverage[:, :90] - alpha[:, :90]).mean() < 0.02
    assert fit.coverage[:, 102:].max() == 0.0


def test_the_generators_answer_fills_the_fit(fitter):
    fit = fitter.fit(*scene(), make_garment())
    bgr = [(v + 1.0) * 127.5 for v in REPAIR_RGB[::-1]]
    assert fit.repair[10, 10, :3] == pytest.approx(bgr)
    person = np.s_[:, :90]
    assert np.allclose(fit.repair[..., 3][person], 1.0 - fit.coverage[person], atol=1e-6)
    assert np.allclose(fit.shading, GAIN)


def test_a_repair_reaches_over_the_rim_of_the_old_garment_and_not_into_the_person():
    mask, person = np.zeros((2, CANVAS_H, CANVAS_W), np.float32)
    mask[100:150, 60:120] = 1.0
    person[:, :120] = 1.0  # the old garment ends where the person does on the right, before it on the left
    made = {"repair_mask": mask[None, None], "repair_colour": np.zeros((1, 3, CANVAS_H, CANVAS_W), np.float32)}
    alpha = repair_of(made, person)[1]
    assert np.array_equal(alpha[:, :120], mask[:, :120])
    assert alpha[125, 119 + RIM_PX] == 1.0 and alpha[125, 120 + RIM_PX] == 0.0


def test_at_a_soft_outline_the_repair_has_no_gap():
    """It had one, and the old garment's outline stood around the new one as a thread."""
    edge = np.clip((124.0 - np.arange(CANVAS_W)) / 8.0, 0.0, 1.0).astype(np.float32)
    person = np.tile(edge, (CANVAS_H, 1))
    mask = np.clip(person * 4.0 - 2.0, 0.0, 1.0)  # of the generator, which is surer of the edge
    made = {"repair_mask": mask[None, None], "repair_colour": np.zeros((1, 3, CANVAS_H, CANVAS_W), np.float32)}
    alpha = repair_of(made, person)[1][125]
    assert alpha[100:122].min() > 0.9


@pytest.mark.parametrize(("background", "painted_room"), [(0.1, 0.0), (0.5, 1.0), (1.0, 1.0)])
def test_where_half_of_what_is_painted_is_background_the_room_is(background, painted_room):
    """At a garment's outline the generator's background grows slowly: half a garment stood around it as a halo."""
    size = (CANVAS_H, CANVAS_W)
    made = {
        "repair_mask": np.ones((1, 1, *size), np.float32),
        "repair_colour": np.full((1, 3, *size), -1.0, np.float32),
        "background": np.full((1, 1, 128, 96), background, np.float32),
    }
    room = np.full((*size, 3), 200.0, np.float32), np.ones(size, np.float32)
    assert np.allclose(repair_of(made, np.zeros(size, np.float32), room)[0], 200.0 * painted_room, atol=0.1)


def test_a_flow_is_enlarged_smoothly_but_not_across_a_leap():
    y, x = np.mgrid[0:128, 0:96].astype(np.float32)
    flow = np.stack([0.01 * x, 0.01 * y])
    flow[0, :, 40:] += 1.0
    large = enlarge_flow(flow)
    assert large.shape == (CANVAS_H, CANVAS_W, 2)
    assert large[100, 20] == pytest.approx([0.01 * 9.75, 0.01 * 49.75], abs=1e-6)
    halfway = (large[..., 0] > 0.6) & (large[..., 0] < 1.2)
    assert not halfway.any()  # 0.39 is the most on the left of the leap, 1.4 the least on its right


def test_skin_is_painted_before_what_is_behind_it():
    """The generator says colours small and only where the skin is in full."""
    red, blue = np.full((1, 3, 128, 96), -1.0, np.float32), np.full((1, 3, 64, 48), -1.0, np.float32)
    red[:, 0], blue[:, 2] = 1.0, 1.0
    skin = np.zeros((1, 1, CANVAS_H, CANVAS_W), np.float32)
    skin[..., 50:] = 1.0
    skin[..., 50] = 0.5
    colours = painted(*colours_of({"repair_colour": red, "skin_colour": blue, "skin_mask": skin}))
    told = {49: (0.0, 0.0, 255.0), 50: (127.5, 0.0, 127.5), 51: (255.0, 0.0, 0.0)}
    for column, bgr in told.items():
        assert np.allclose(colours[:, column], bgr, atol=0.1), column


def test_the_room_is_painted_where_the_generator_paints_background_and_the_room_is_known():
    made = {
        "repair_mask": np.ones((1, 1, CANVAS_H, CANVAS_W), np.float32),
        "repair_colour": np.zeros((1, 3, 128, 96), np.float32),
        "background": np.zeros((1, 1, 128, 96), np.float32),
    }
    made["background"][..., 48:] = 1.0
    known = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    known[128:] = 1.0
    room = np.full((CANVAS_H, CANVAS_W, 3), (10.0, 20.0, 30.0), np.float32)
    person = np.ones((CANVAS_H, CANVAS_W), np.float32)
    colours = repair_of(made, person, (room, known))[0]
    assert np.allclose(colours[200, 150], (10, 20, 30), atol=0.01)
    for place in ((50, 150), (200, 40)):
        assert np.allclose(colours[place], 127.5)


def test_a_garment_is_read_once(fitter, monkeypatch):
    runs = []
    network = fitter.engine["cwm_garment"]
    real = network.run

    def counted(given):
        runs.append(1)
        return real(given)

    monkeypatch.setattr(network, "run", counted)
    first, second = make_garment("one"), make_garment("two")
    fitter.prepare(first)
    for garment in (first, second, first, second, first):
        fitter.fit(*scene(), garment)
    assert len(runs) == 2


def test_garments_not_worn_for_long_are_forgotten(fitter, monkeypatch):
    monkeypatch.setattr(tryon_module, "MAX_GARMENTS", 2)
    one, two, three = (make_garment(slug) for slug in ("one", "two", "three"))
    for garment in (one, two, one, three):
        fitter.prepare(garment)
    assert [kept.garment.slug for kept in fitter._garments.values()] == ["one", "three"]


def test_the_next_person_stage_runs_while_the_generator_works(fitter):
    garment = make_garment()
    first = fitter.submit(*scene(1.0), garment)
    second = fitter.submit(*scene(2.0), garment)
    assert (first.result(10.0).t_capture, second.result(10.0).t_capture) == (1.0, 2.0)
    assert first.ready and second.ready
    assert first.result() is first.result()


def test_an_error_in_the_generator_reaches_whoever_waits(fitter, monkeypatch):
    def broken(*_):
        raise ValueError("no colour")

    monkeypatch.setattr(tryon_module, "picture_of", broken)
    with pytest.raises(EngineError, match="igm failed: no colour") as raised:
        fitter.fit(*scene(), make_garment())
    assert isinstance(raised.value.__cause__, ValueError)


def test_a_set_without_a_generator_lights_the_garment_and_repairs_nothing(tmp_path, cache):
    write_tiny_set(tmp_path, generator=None)
    frame, person, crop = scene()
    bright = np.full_like(frame.image, 200)
    dim = np.full_like(frame.image, 60)
    fits = []
    for image in (bright, dim):
        fitter = NeuralFitter(tmp_path, threads=1, cache=cache)
        fits.append(fitter.fit(Frame(image, 1.0, 0), person, crop, make_garment()))
        assert fitter.submit(Frame(image, 2.0, 1), person, crop, make_garment()).ready
        fitter.close()
    assert all(fit.repair is None for fit in fits)
    assert fits[0].shading.mean() > fits[1].shading.mean() * 1.3


def test_a_generator_of_the_published_form_is_composed_as_published(tmp_path, cache):
    fitter = NeuralFitter(write_tiny_set(tmp_path, generator="plain"), threads=1, cache=cache)
    garment = make_garment()
    fit = fitter.fit(*scene(), garment)
    warped_mask = garment.canvas[60:200, 60:80, 3] / 255.0
    assert np.allclose(fit.coverage[60:200, 60:80], 0.5 * warped_mask, atol=0.02)
    assert np.allclose(fit.shading, 1.0)
    assert fit.repair is not None
    assert fit.repair[..., 3].max() == 1.0 and fit.repair[:, 100:, 3].max() == 0.0
    fitter.close()


def swap_channels(manifest):
    channels = manifest["networks"]["cwm_person"]["inputs"][0]["channels"]
    channels[0], channels[1] = channels[1], channels[0]


def rename_form(manifest):
    manifest["networks"]["igm"]["form"] = "diffusion"


def drop_generator_output(manifest):
    manifest["networks"]["igm"]["outputs"].pop(0)


def drop_person_stage(manifest):
    del manifest["networks"]["cwm_person"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (swap_channels, r"cwm_person\.xml was made for other channels of person_maps"),
        (rename_form, "unknown form 'diffusion'"),
        (drop_generator_output, r"igm\.xml has no output repair_mask"),
        (drop_person_stage, "no network cwm_person"),
    ],
)
def test_a_set_made_for_another_program_is_refused(tmp_path, cache, change, sentence):
    folder = write_tiny_set(tmp_path)
    manifest = read_manifest(folder)
    change(manifest)
    write_manifest(folder, manifest)
    with pytest.raises(ModelError, match=sentence):
        NeuralFitter(folder, threads=1, cache=cache)


def test_a_spoilt_set_leaves_the_geometric_fit(tmp_path, capsys):
    """The mirror goes on without networks, with one line that says why."""
    from mirror.tailor import make_fitter

    folder = write_tiny_set(tmp_path)
    content = bytearray((folder / "igm.bin").read_bytes())
    content[0] ^= 1
    (folder / "igm.bin").write_bytes(content)
    assert make_fitter("auto", folder).name == "geometric"
    said = capsys.readouterr()
    assert "igm.bin is damaged" in said.err + said.out
    with pytest.raises(ModelError, match=r"igm\.bin is damaged"):
        make_fitter("neural", folder)
