"""The benches of speed and correlation: their arithmetic, their tables, and short runs of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("nncf")

from bench import correlation as correlation_bench  # noqa: E402
from bench import speed  # noqa: E402
from bench.contenders import PRUNED_GENERATOR, PRUNED_WARP, Part, encoder_gmac  # noqa: E402
from bench.layers import Layer, profile, report, table  # noqa: E402
from bench.machine import clock, describe  # noqa: E402
from ir_models.nets.pfafn import Generator, WarpConfig  # noqa: E402
from mirror.engine import ov  # noqa: E402

torch.set_num_threads(1)


def test_a_clock_ends_early_and_orders_its_figures():
    calls = []
    times = clock(lambda: calls.append(1), repeats=1000, warm_up=2, seconds=0.0)
    assert len(calls) == 2 + 3
    assert times["ms"]["p10"] <= times["ms"]["p50"] <= times["ms"]["p90"]
    assert set(times) == {"ms", "cpu_ms"}


def test_the_machine_is_described():
    machine = describe(2)
    assert machine["threads"] == 2
    assert machine["cores"] >= 1
    assert "openvino" in machine["versions"]
    json.dumps(machine)


def test_the_original_recipe_has_the_stated_arithmetic():
    """3.8 GMAC an encoder and 15.5 in the generator, within 5 %; published: 6.6."""
    assert encoder_gmac(PRUNED_WARP) == pytest.approx(3.8, rel=0.05)
    assert encoder_gmac(WarpConfig()) == pytest.approx(6.6, rel=0.03)
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        generator = Generator(PRUNED_GENERATOR).eval()
        pictures = [torch.zeros(1, channels, 256, 192) for channels in (3, 3, 1)]
    with FlopCounterMode(display=False) as counter:
        generator(*pictures)
    assert counter.get_total_flops() / 2e9 == pytest.approx(15.5, rel=0.05)


def test_a_profile_counts_the_work_of_a_convolution():
    import openvino.opset13 as ops

    picture = ops.parameter((1, 16, 20, 30), np.float32, name="picture")
    weights = ops.constant(np.random.default_rng(0).normal(size=(24, 16, 3, 3)).astype(np.float32))
    convolution = ops.convolution(picture, weights, [1, 1], [1, 1], [1, 1], [1, 1])
    model = ov.Model([convolution], [picture])
    model.inputs[0].get_tensor().set_names({"picture"})
    part = Part("one", model, {"picture": np.ones((1, 16, 20, 30), np.float32)}, 0.0)
    layers = profile(part, threads=1, runs=3)
    counted = [layer for layer in layers if layer.gmac]
    assert len(counted) == 1
    assert counted[0].gmac == pytest.approx(24 * 16 * 9 * 20 * 30 / 1e9)
    assert "Convolution" in counted[0].kernel
    found = report(part, threads=1, peak_gmac_s=100.0, repeats=3, most=2)
    assert found["name"] == "one" and found["ms"] > 0.0
    assert counted[0].name in [layer["name"] for layer in found["layers"]]


def test_a_table_of_layers_names_the_most_expensive_and_sums_the_rest():
    layers = [Layer(f"__module.part{k}/aten::conv/Convolution", "Convolution f32", 4.0 - k, 0.1) for k in range(4)]
    text = table(layers, peak_gmac_s=100.0, most=2).splitlines()
    assert "part0" in text[1] and "40.0%" in text[1] and "25.0%" in text[1]  # 0.1 GMAC in 4 ms of 100 GMAC/s
    assert text[-1].split()[0] == "3.000"
    assert "2 others" in text[-1]


def test_the_correlation_bench_writes_every_table(tmp_path, monkeypatch):
    tiny = (correlation_bench.Level(4, 8, 6), correlation_bench.Level(4, 16, 12, 2))
    for name in ("PUBLISHED", "SHIPPED"):
        monkeypatch.setattr(correlation_bench, name, tiny)
    monkeypatch.setattr(correlation_bench, "STATED", tiny[0])
    file = tmp_path / "c.json"
    assert correlation_bench.main(["--n", "10", "20", "--repeats", "3", "--threads", "1", "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    assert [(row["n"], row["form"]) for row in report["original"]] == [
        (10, "shifted"), (10, "im2col"), (20, "shifted"), (20, "im2col"),
    ]  # fmt: skip
    for table_name in ("published, torch", "published, openvino", "shipped, torch", "shipped, openvino"):
        rows = report[table_name]
        assert [row["level"] for row in rows[:-1]] == [level.name for level in tiny]
        for form in ("shifted", "im2col", "rows"):
            assert rows[-1][form] == pytest.approx(sum(row[form] for row in rows[:-1]), abs=2e-3)


def test_the_shipped_levels_are_those_of_the_network():
    assert [(level.height, level.width, level.radius) for level in correlation_bench.SHIPPED] == [
        (8, 6, 3), (16, 12, 3), (32, 24, 2),
    ]  # fmt: skip
    assert sum(level.mmac for level in correlation_bench.PUBLISHED) == pytest.approx(205, rel=0.01)


def test_a_row_of_the_speed_bench_has_the_promised_form(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "int8_peak_gmac_s", lambda threads: 100.0)
    monkeypatch.setattr(speed, "FAST_REPEATS", (3, 3))
    file = tmp_path / "s.json"
    monkeypatch.setattr(speed, "LOOKED_INTO", ("mirror-ov-f32",))
    arguments = ["--rows", "mirror-ov-f32", "--models", str(tmp_path), "--threads", "1"]
    assert speed.main([*arguments, "--quick", "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    (row,) = report["rows"]
    assert row["name"] == "mirror-ov-f32"
    assert set(row["ms"]) == {"p10", "p50", "p90"}
    assert row["gmac"] > 0.5 and row["params_m"] > 1.0
    assert row["peak_share"] == pytest.approx(row["gmac"] / row["ms"]["p50"] * 1e3 / 100.0, abs=1e-3)
    assert [(part["row"], part["name"]) for part in report["networks"]] == [
        ("mirror-ov-f32", "cwm_person"), ("mirror-ov-f32", "igm"),
    ]  # fmt: skip
    assert all(len(part["layers"]) == 10 and part["peak_share"] > 0.0 for part in report["networks"])
