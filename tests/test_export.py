"""Trained networks become a model set: the three runtimes agree, the manifest tells the truth, the mirror loads it."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ir_models import checkpoints, export  # noqa: E402
from ir_models.convert import greatest_difference, run_onnx, run_openvino, to_onnx, to_openvino  # noqa: E402
from ir_models.nets.cwm import Cwm, CwmConfig  # noqa: E402
from ir_models.nets.igm import Igm, IgmConfig  # noqa: E402
from ir_models.nets.pfafn import Generator, GeneratorConfig, WarpConfig, WarpNet  # noqa: E402
from ir_models.plans import plans, published_plans  # noqa: E402
from ir_models.sketches import sketch_garment, sketch_person  # noqa: E402
from ir_models.writing import numpy_inputs  # noqa: E402
from mirror.errors import ModelError  # noqa: E402
from mirror.frames import Crop, Frame, Person  # noqa: E402
from mirror.tryon import NeuralFitter  # noqa: E402

torch.set_num_threads(1)

SLIM_CWM = CwmConfig(
    encoder=(8, 8, 16, 16), garment_encoder=(8, 8, 16, 16), features=8, flow=(16, 16, 8, 8), coverage=8
)
SLIM_IGM = IgmConfig(widths=(8, 8, 16, 16), head=8)
ON_FLOW, ON_PICTURES = 1e-3, 2.0 * 2.0 / 255.0


def networks() -> tuple[Cwm, Igm]:
    torch.manual_seed(0)
    cwm, igm = Cwm(SLIM_CWM).eval(), Igm(SLIM_IGM).eval()
    torch.nn.init.normal_(igm.shapes.weight, std=0.3)  # untrained, its masks would be settled everywhere
    return cwm, igm


def every_plan():
    cwm, igm = networks()
    small = WarpConfig(encoder=(8, 8, 8, 8, 8), pyramid=8, heads=(8,))
    own = plans(cwm, igm, seed=1)
    plain = plans(cwm, Igm(IgmConfig(form="plain", widths=(8, 8, 16, 16), head=8)), seed=1)[2:]
    published = published_plans(WarpNet(small), Generator(GeneratorConfig((8, 8, 8, 8, 8))))[1:]
    labelled = [("own", own), ("plain", plain), ("published", published)]
    return [pytest.param(plan, id=f"{label}-{plan.name}") for label, some in labelled for plan in some]


@pytest.mark.parametrize("plan", every_plan())
def test_three_runtimes_give_the_same(plan, tmp_path):
    inputs = numpy_inputs(plan)
    wanted = plan.run(inputs)
    assert all(array.std() > 0 for array in wanted.values()), "an answer that is constant compares nothing"
    by_openvino = run_openvino(to_openvino(plan), inputs)
    to_onnx(plan, tmp_path / "net.onnx")
    by_onnx = run_onnx(tmp_path / "net.onnx", inputs)
    for found in (by_openvino, by_onnx):
        assert list(found) == list(wanted)
        for name, difference in greatest_difference(wanted, found).items():
            picture = name in ("repair_colour", "rendered")
            assert difference <= (ON_PICTURES if picture else ON_FLOW), name


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Checkpoints of random networks, and the set that the command makes of them."""
    folder = tmp_path_factory.mktemp("export")
    cwm, igm = networks()
    checkpoints.save(folder / "cwm.pt", cwm, "nothing yet", {"epe_px": 12.5})
    checkpoints.save(folder / "igm.pt", igm, "nothing either", {})
    files = ["--cwm", str(folder / "cwm.pt"), "--igm", str(folder / "igm.pt")]
    assert export.main([*files, "--out", str(folder / "set"), "--onnx"]) == 0
    return folder


def test_the_manifest_tells_what_was_written(exported):
    manifest = json.loads((exported / "set" / "manifest.json").read_text())
    assert set(manifest["networks"]) == {"cwm_garment", "cwm_person", "igm"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((exported / "set" / name).read_bytes()).hexdigest() == digest
    on_disk = {path.name for path in (exported / "set").iterdir()} - {"manifest.json", "MODEL_CARD.md"}
    assert on_disk == set(manifest["files"])
    assert manifest["trained_on"] == {"cwm": "nothing yet", "igm": "nothing either"}
    assert manifest["metrics"]["cwm"] == {"epe_px": 12.5}
    assert manifest["colour_order"].startswith("RGB")
    for entry in manifest["networks"].values():
        assert entry["difference"]["torch to OpenVINO f32, at most"] <= ON_FLOW
        assert entry["gmac"] > 0 and entry["size_mb"] > 0


def test_the_model_card_says_it_in_words(exported):
    card = (exported / "set" / "MODEL_CARD.md").read_text()
    assert "nothing yet" in card
    assert "| cwm | epe_px | 12.5 |" in card
    assert "| cwm_person |" in card


def test_the_mirror_runs_what_was_exported(exported, tmp_path):
    rng = np.random.default_rng(3)
    sketch, garment = sketch_person(rng), sketch_garment(rng)
    fitter = NeuralFitter(exported / "set", threads=1, cache=tmp_path)
    fit = fitter.fit(
        Frame(sketch.picture, 0.0, 0), Person(sketch.mask, sketch.landmarks, 0.0, 0.0), Crop(np.eye(2, 3)), garment
    )
    fitter.close()
    assert np.isfinite(fit.flow).all()
    assert fit.coverage.max() <= 1.0
    assert fit.repair is not None and fit.repair.max() <= 255.0


def test_weights_as_f32_change_nothing(exported, tmp_path):
    cwm, _ = networks()
    checkpoints.save(tmp_path / "cwm.pt", cwm, "", {})
    assert export.main(["--cwm", str(tmp_path / "cwm.pt"), "--out", str(tmp_path / "set"), "--full-weights"]) == 0
    plan = plans(cwm, None, seed=2)[1]
    inputs = numpy_inputs(plan)
    found = run_openvino(tmp_path / "set" / "cwm_person.xml", inputs)
    assert max(greatest_difference(plan.run(inputs), found).values()) <= ON_FLOW
    assert "igm" not in json.loads((tmp_path / "set" / "manifest.json").read_text())["networks"]


def test_a_conversion_that_differs_leaves_the_set_as_it_was(exported, tmp_path, monkeypatch):
    cwm, _ = networks()
    monkeypatch.setattr(export, "greatest_difference", lambda *_: {"flow": 0.5})
    with pytest.raises(ModelError, match=r"differs by 5.0e-01"):
        export.export(plans(cwm, None), tmp_path / "set", {}, half=True, onnx=False)
    assert not (tmp_path / "set").exists()


def rewrite(change):
    def spoil(path):
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)

    return spoil


SPOILT = [
    ("not a file of torch", lambda path: path.write_text("hello"), "is not a checkpoint"),
    ("no configuration", rewrite(lambda s: s.pop("config")), "is not a checkpoint"),
    ("other channels", rewrite(lambda s: s["config"].update(person_channels=18)), "trained with 18 person channels"),
    ("an unknown width", rewrite(lambda s: s["config"].update(depth=3)), "unknown entries depth"),
    ("weights of another network", rewrite(lambda s: s["config"].update(features=16)), "does not fit"),
    ("a missing file", lambda path: path.unlink(), "does not exist"),
]


@pytest.mark.parametrize(("spoil", "sentence"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_checkpoint_that_cannot_be_used_gets_one_sentence(tmp_path, spoil, sentence):
    path = tmp_path / "cwm.pt"
    checkpoints.save(path, networks()[0], "", {})
    spoil(path)
    with pytest.raises(ModelError, match=sentence) as raised:
        checkpoints.load_cwm(path)
    assert "\n" not in str(raised.value)
