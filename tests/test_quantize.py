"""Quantisation: what stays in float, how drift is measured, and that a quantised set says so and runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("nncf")

from ir_models.compress import quantize as quantize_module  # noqa: E402
from ir_models.compress.drift import (  # noqa: E402
    COVERAGE_LOSS,
    FLOW_PX,
    LEVELS,
    TOLERATED,
    flow_drift,
    picture_drift,
    share_of_tolerated,
)
from ir_models.compress.quantize import kept_in_float, quantised_convolutions  # noqa: E402
from ir_models.convert import to_openvino  # noqa: E402
from ir_models.export import export  # noqa: E402
from ir_models.nets.cwm import Cwm, CwmConfig  # noqa: E402
from ir_models.nets.igm import Igm, IgmConfig  # noqa: E402
from ir_models.plans import plans  # noqa: E402
from mirror.engine import Engine, ov  # noqa: E402
from mirror.errors import ModelError, UsageError  # noqa: E402
from mirror.frames import flow_from_pixels  # noqa: E402

torch.set_num_threads(1)

CWM = CwmConfig(encoder=(16, 16, 16, 16), garment_encoder=(16,) * 4, features=16, flow=(16,) * 4, coverage=16)
RANDOM_COVERAGE_LOSS = 0.1
"""Tolerated here: the coverage of untrained networks hovers about one half everywhere, so its outline is nowhere."""
IGM = IgmConfig(widths=(16, 16, 16, 16), head=16)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(1)
    return plans(Cwm(CWM), Igm(IGM))


@pytest.fixture(scope="module")
def sets(networks, tmp_path_factory):
    """A set in float and what the command makes of it."""
    folder = tmp_path_factory.mktemp("quantize")
    export(networks, folder / "float", {"name": "slim"}, half=True, onnx=False)
    command = ["--models", str(folder / "float"), "--out", str(folder / "int8"), "--samples", "4", "--repeats", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TOLERATED, COVERAGE_LOSS, RANDOM_COVERAGE_LOSS)
        assert quantize_module.main([*command, "--threads", "1", "--networks", "cwm_person"]) == 0
    return folder


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_only_wide_convolutions_are_quantised(networks):
    """The flow heads have three outputs, the coverage head one; the encoder's first convolution reads coordinates."""
    model = to_openvino(networks[1])
    scope = kept_in_float(model, ends=True)
    assert {"GridSample", "MatMul", "Add", "Multiply", "Interpolate"} <= set(scope.types)
    assert "Convolution" not in scope.types
    for part in ("answer", "cover_fine.2", "encoder.down.0"):
        assert any(part in name for name in scope.names), part
    assert not any("think" in name or "refine" in name for name in scope.names)


def test_the_manifest_says_what_was_done(sets):
    before, after = manifest(sets / "float"), manifest(sets / "int8")
    entry = after["networks"]["cwm_person"]
    assert entry["precision"].startswith("int8 in ")
    assert entry["quantised"]["ms, after"] > 0
    for name in ("cwm_garment", "igm"):
        assert after["networks"][name] == before["networks"][name]
    assert after["name"] == "slim"
    weights = [(sets / kind / "cwm_person.bin").stat().st_size for kind in ("float", "int8")]
    assert weights[1] < weights[0]


def test_the_drift_is_within_what_is_tolerated(sets):
    figures = manifest(sets / "int8")["networks"]["cwm_person"]["quantised"]
    assert figures[FLOW_PX] <= TOLERATED[FLOW_PX]
    assert figures[COVERAGE_LOSS] <= RANDOM_COVERAGE_LOSS
    assert figures[FLOW_PX] < figures[f"{FLOW_PX}; with everything in int8"]


def test_the_engine_runs_it_in_int8(sets, tmp_path):
    engine = Engine(sets / "int8", threads=1, cache=tmp_path)
    assert "int8" in engine["cwm_person"].executed
    assert engine["cwm_garment"].executed == "f32"
    engine.close()


def test_grid_sampling_and_heads_stay_in_float(sets):
    model = ov.Core().read_model(sets / "int8" / "cwm_person.xml")
    eight, total = quantised_convolutions(model)
    assert 0 < eight < total
    for op in model.get_ordered_ops():
        if op.get_type_name() == "GridSample" or "answer" in op.get_friendly_name():
            feeds = [value.get_node().get_type_name() for value in op.input_values()]
            assert "FakeQuantize" not in feeds, op.get_friendly_name()


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["--out", "SAME"], UsageError, "another folder"),
        (["--out", "NEW", "--networks", "cwm_person,teacher"], UsageError, "no network teacher"),
    ],
)
def test_arguments_that_make_no_sense(sets, tmp_path, arguments, error, sentence):
    folders = {"SAME": str(sets / "float"), "NEW": str(tmp_path / "new")}
    given = [folders.get(argument, argument) for argument in arguments]
    with pytest.raises(error, match=sentence):
        quantize_module.main(["--models", str(sets / "float"), *given])


def test_what_is_quantised_is_not_quantised_again(sets, tmp_path):
    with pytest.raises(ModelError, match="quantised already"):
        quantize_module.main(["--models", str(sets / "int8"), "--out", str(tmp_path)])


def person_answer(shift_px: float, covered_columns: int) -> dict[str, np.ndarray]:
    y, x = np.mgrid[0:128, 0:96] * 2.0 + 0.5
    flow = flow_from_pixels(np.stack([x + shift_px, y], -1))
    coverage = np.zeros((1, 1, 128, 96), np.float32)
    coverage[..., :covered_columns] = 1.0
    return {"flow": np.moveaxis(flow, -1, 0)[None], "coverage": coverage}


def test_flow_drift_is_in_canvas_pixels_where_the_garment_is():
    drift = flow_drift(person_answer(0.0, 50), person_answer(1.4, 40), {})
    assert drift[FLOW_PX] == pytest.approx(1.4, abs=1e-4)
    assert drift[COVERAGE_LOSS] == pytest.approx(0.2)
    assert share_of_tolerated(drift) == pytest.approx(0.2 / TOLERATED[COVERAGE_LOSS])


def generator_case(colour: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    def full(channels: int, value: float) -> np.ndarray:
        return np.full((1, channels, 256, 192), value, np.float32)

    given = {"person": full(3, -1.0), "warped": full(3, 0.0), "coverage": full(1, 0.0)}
    mask = full(1, 0.0)
    mask[..., :96] = 1.0
    return {"repair_mask": mask, "repair_colour": full(3, colour), "shading": full(1, 1.0)}, given


def test_picture_drift_is_in_levels_where_something_is_painted():
    wanted, given = generator_case(0.0)
    found, _ = generator_case(2 / 127.5)
    assert picture_drift(wanted, found, given)[LEVELS] == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("name", ["cwm_person", "igm"])
def test_aware_training_ends_in_int8_with_the_same_ports(name, tmp_path):
    """A step of training with rounding: the same convolutions are quantised as after it, and the answer stays near."""
    from ir_models.compress.aware import train_aware
    from ir_models.compress.calibration import cases, sketched_pairs
    from ir_models.train.cwm import CwmTask
    from ir_models.train.igm import IgmTask
    from tests.fake_samples import write_fake_shards

    torch.manual_seed(2)
    cwm, igm = Cwm(CWM), Igm(IGM)
    plan = next(plan for plan in plans(cwm, igm) if plan.name == name)
    export(plans(cwm, igm), tmp_path / "float", {}, half=False, onnx=False)
    engine = Engine(tmp_path / "float", threads=1, cache=tmp_path)
    found = cases(engine, sketched_pairs(2, 0))
    engine.close()
    write_fake_shards(tmp_path / "data", samples=4)
    net, kind = (cwm, CwmTask) if name == "cwm_person" else (igm, IgmTask)
    task = kind(tmp_path / "data", "compact")
    task.batch_size = 1
    model = train_aware(net, task, found, 0.0005, tmp_path / "aware.pt")
    eight, total = quantised_convolutions(model)
    scope = kept_in_float(to_openvino(plan), ends=name == "cwm_person")
    assert total - eight == len(scope.names)
    assert {port.any_name for port in model.outputs} == set(plan.outputs)
    assert {port.any_name for port in model.inputs} == set(plan.inputs)
