"""The bench of compression: published figures are the paper's, equal widths are one row, points are not made twice."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("nncf")

from bench import compression_points as points_module  # noqa: E402
from bench.compression_points import Bench, pruning_points  # noqa: E402
from bench.compression_report import draw_front, write_results  # noqa: E402
from bench.compression_sets import published, times  # noqa: E402
from ir_models import checkpoints  # noqa: E402
from ir_models.nets.cwm import Cwm, CwmConfig  # noqa: E402

torch.set_num_threads(1)
SLIM = CwmConfig(encoder=(16,) * 4, garment_encoder=(16,) * 4, features=16, flow=(16,) * 4, coverage=16, affine=16)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    checkpoints.save(tmp_path / "cwm.pt", Cwm(SLIM), "nothing", {})
    return Bench(
        work=tmp_path / "work", checkpoints={"cwm": tmp_path / "cwm.pt"}, data=tmp_path, minutes=0.1, distil=1.0,
        count=4, batch=None, threads=1, quick=False,
    )  # fmt: skip


def test_the_published_widths_weigh_what_was_published() -> None:
    """29.3 and 43.9 million parameters, 46.9 and 21.9 GMAC at 256 x 192: counted apart, layer by layer."""
    found = published(0.0)
    assert found["cwm"]["params_m"] == pytest.approx(29.3, abs=0.05)
    assert found["igm"]["params_m"] == pytest.approx(43.9, abs=0.05)
    assert found["cwm"]["gmac"] == pytest.approx(46.9, abs=0.1)
    assert found["igm"]["gmac"] == pytest.approx(21.9, abs=0.1)


def test_ratios_that_leave_the_same_widths_are_one_row(bench: Bench) -> None:
    """All widths are 16 here: by 0.2 that is still 16, by 0.3 to 0.5 it is 8."""
    names = [name for name, _ in pruning_points(bench, ("cwm",))]
    assert names == ["cwm-unpruned", "cwm-0.2", "cwm-0.3-0.4-0.5", "cwm-0.4-from-nothing"]


def test_a_point_is_kept_until_what_it_depends_on_changes(bench: Bench) -> None:
    row = {"table": "pruning", "quality": {"ssim": 0.5}}
    bench.keep("cwm-0.2", row)
    again = dataclasses.replace(bench, found={})
    assert again.known("cwm-0.2") and again.found["cwm-0.2"]["quality"] == row["quality"]
    assert not dataclasses.replace(bench, found={}, minutes=9.0).known("cwm-0.2")


def test_calls_are_timed_in_turn() -> None:
    order: list[str] = []
    found = times({name: partial(order.append, name) for name in "ab"}, seconds=0.0, warm_up=0)
    assert order[:6] == list("aaabbb")
    assert set(found) == {"a", "b"}


def made_row(network: str, ratios: list[float], fresh: bool, epe: float, ms: float) -> dict:
    quality = {"epe_px": epe, "coverage_iou": 0.8, "ssim": 0.7, "gmsd": 0.1, "count": 4}
    return {
        "network": network, "ratios": ratios, "fresh": fresh, "gmac": 0.4, "params_m": 1.0, "size_mb": 4.0,
        "total_mb": 6.0, "steps": 3, "quality": quality, "quality_int8": quality, "ms": {"f32": ms, "int8": ms / 2},
        "published": {"gmac": 40.0, "params_m": 20.0, "size_mb": 80.0},
    }  # fmt: skip


def test_the_results_hold_the_tables_and_say_what_made_them(tmp_path: Path) -> None:
    rows = [
        made_row("cwm", [0.0], False, 5.0, 12.0),
        made_row("cwm", [0.3, 0.4], False, 5.5, 8.0),
        made_row("cwm", [0.4], True, 7.25, 8.0),
    ]
    none = {"method": "unquantised", "row": "none", "size_mb": 3.0, "quality": rows[0]["quality"], "ms": {"cwm": 9.0}}
    broken = {"method": "neural-compressor, ONNX", "row": "cwm", "note": "No module named six"}
    report = {
        "about": {"command": "python -m bench compression", "commit": "abc1234", "date": "a day"},
        "machine": {"processor": "a CPU", "cores": 2, "threads": 2, "load_before": 0.1, "versions": {"torch": "2"}},
        "settings": {"minutes": 2.0, "distil": 1.0, "count": 4, "clip": "a.mkv"},
        "pruning": rows, "quantisation": [none, broken],
        "correlation": {},
    }  # fmt: skip
    (tmp_path / "RESULTS.md").write_text("# Compression\n\n## Pruning\n\nold row\n\n## Correlation\n\nkept 0.4321\n")
    write_results(json.loads(json.dumps(report)), tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    wanted = (
        "abc1234",
        "a CPU",
        "2 minutes of processor",
        "+10.0%",
        "0.4321",
        "0.3, 0.4 leave the same widths",
        "7.25 px",
    )
    for words in wanted:
        assert words in text, words
    assert "No module named six" in text
    assert "IGM: not run yet" in text
    assert "old row" not in text and text.count("## Correlation") == 1
    draw_front(rows, tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 5000
    assert points_module.RATIOS["igm"] == (0.2, 0.25, 0.3, 0.35, 0.4)
