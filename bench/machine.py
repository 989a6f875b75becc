"""The machine that figures are taken on, and the most that its cores can do."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mirror.engine import ov

PEAK_SIZE = 2048
"""Side of the square matrices whose INT8 product stands for the peak."""
OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def describe(threads: int) -> dict[str, Any]:
    """Processor, cores, what it has for INT8, versions, and how busy it is besides."""
    info: dict[str, Any] = {"processor": platform.processor() or platform.machine(), "flags": [], "ghz": None}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        rows = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
        rows = {key.strip(): value.strip() for key, value in rows.items()}
        flags = rows.get("flags", "").split()
        info |= {
            "processor": rows.get("model name", info["processor"]),
            "ghz": round(float(rows.get("cpu MHz", 0)) / 1e3, 2),
            "flags": [flag for flag in ("avx2", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8") if flag in flags],
        }
    versions = {name: metadata.version(name) for name in ("openvino", "torch", "nncf", "numpy")}
    load = os.getloadavg() if hasattr(os, "getloadavg") else (0.0,)
    return info | {"cores": os.cpu_count(), "threads": threads, "versions": versions, "load_before": round(load[0], 2)}


def clock(run: Callable[[], Any], repeats: int, warm_up: int = 2, seconds: float = 1e9) -> dict[str, dict[str, float]]:
    """Wall and processor milliseconds of a call: p10, p50, p90. Ends early after so many seconds (3 calls at least)."""
    for _ in range(warm_up):
        run()
    wall, cpu = [], []
    begun = time.perf_counter()
    for turn in range(repeats):
        if turn >= 3 and time.perf_counter() - begun > seconds:
            break
        used, at = time.process_time(), time.perf_counter()
        run()
        wall.append((time.perf_counter() - at) * 1e3)
        cpu.append((time.process_time() - used) * 1e3)
    return {"ms": _percentiles(wall), "cpu_ms": _percentiles(cpu)}


def int8_peak_gmac_s(threads: int, repeats: int = 12) -> float:
    """Billions of multiply-adds a second of a large INT8 matrix product by OpenVINO on so many threads (best run)."""
    import openvino.opset13 as ops

    rng = np.random.default_rng(0)
    left = ops.parameter((PEAK_SIZE, PEAK_SIZE), np.float32)
    weights = ops.constant(rng.integers(-127, 128, (PEAK_SIZE, PEAK_SIZE)).astype(np.float32))

    def levels(node: Any, low: float, high: float) -> Any:
        return ops.fake_quantize(node, np.float32(low), np.float32(high), np.float32(low), np.float32(high), 256)

    product = ops.matmul(levels(left, 0.0, 255.0), levels(weights, -128.0, 127.0), False, True)
    model = ov.Model([product], [left])
    compiled = ov.Core().compile_model(model, "CPU", OPTIONS | {"INFERENCE_NUM_THREADS": threads})
    request = compiled.create_infer_request()
    given = [rng.integers(0, 256, (PEAK_SIZE, PEAK_SIZE)).astype(np.float32)]
    request.infer(given)
    best = min(clock(lambda: request.infer(given), 1, warm_up=0)["ms"]["p50"] for _ in range(repeats))
    return PEAK_SIZE**3 / best / 1e6


def _percentiles(values: list[float]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, q)), 3) for name, q in (("p10", 10), ("p50", 50), ("p90", 90))}
