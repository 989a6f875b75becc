"""Where the time of a network goes: its most expensive layers, and how near each comes to the processor's peak."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.contenders import Part, compile_part
from bench.machine import clock

WEIGHTED = ("Convolution", "FullyConnected", "MatMul")


@dataclass(frozen=True)
class Layer:
    """ms: mean of several runs. gmac: 0 where nothing is multiplied by weights."""

    name: str
    kernel: str
    ms: float
    gmac: float


def profile(part: Part, threads: int, runs: int = 20) -> list[Layer]:
    """All layers that took time, the most expensive first. Counting slows a network a little."""
    compiled = compile_part(part, threads, PERF_COUNT=True)
    request = compiled.create_infer_request()
    spent: dict[str, list[float]] = {}
    kernels: dict[str, str] = {}
    for turn in range(runs + 3):
        request.infer(part.feed)
        for row in request.get_profiling_info() if turn >= 3 else ():
            spent.setdefault(row.node_name, []).append(row.real_time.total_seconds() * 1e3)
            kernels[row.node_name] = f"{row.node_type} {row.exec_type}"
    work = {op.get_friendly_name(): _gmac(op) for op in compiled.get_runtime_model().get_ops()}
    layers = [Layer(name, kernels[name], float(np.mean(ms)), work.get(name, 0.0)) for name, ms in spent.items()]
    return sorted((layer for layer in layers if layer.ms > 0), key=lambda layer: -layer.ms)


def report(part: Part, threads: int, peak_gmac_s: float, repeats: int, most: int = 10) -> dict[str, Any]:
    """One network by itself, printed and returned: its time, its share of the peak, its most expensive layers."""
    request = compile_part(part, threads).create_infer_request()
    ms = clock(lambda: request.infer(part.feed), repeats, warm_up=10)["ms"]["p50"]
    share = part.gmac / ms * 1e3 / peak_gmac_s
    layers = profile(part, threads)
    counted = sum(layer.ms for layer in layers)
    print(f"{part.name}: {part.gmac:.3f} GMAC in {ms:.2f} ms, {share:.1%} of the INT8 peak", end="")
    print(f"; layer by layer ({counted:.2f} ms while counted)\n{table(layers, peak_gmac_s, most)}", flush=True)
    rows = [asdict(layer) | {"of_all": round(layer.ms / counted, 4)} for layer in layers[:most]]
    return {"name": part.name, "ms": ms, "gmac": round(part.gmac, 4), "peak_share": round(share, 4), "layers": rows}


def table(layers: list[Layer], peak_gmac_s: float, most: int = 10) -> str:
    """The most expensive layers as text."""
    total = sum(layer.ms for layer in layers)
    lines = [f"{'ms':>7} {'of all':>7} {'MMAC':>8} {'of INT8 peak':>13}  layer"]
    for layer in layers[:most]:
        share = layer.gmac / layer.ms * 1e3 / peak_gmac_s
        reached = f"{share:13.1%}" if layer.gmac else " " * 12 + "-"
        where = _short(layer.name)
        lines.append(
            f"{layer.ms:7.3f} {layer.ms / total:7.1%} {layer.gmac * 1e3:8.2f} {reached}  {where} ({layer.kernel})"
        )
    rest = sum(layer.ms for layer in layers[most:])
    lines.append(f"{rest:7.3f} {rest / total:7.1%} {'':8} {'':13}  {max(0, len(layers) - most)} others")
    return "\n".join(lines)


def _gmac(op: Any) -> float:
    """Multiply-adds of one operation of the compiled graph, from the shapes of its weights and its output."""
    info = op.get_rt_info()
    kind = str(info["layerType"].value) if "layerType" in info else ""
    if kind not in WEIGHTED or op.get_input_size() < 2:
        return 0.0
    output, weights = op.get_output_shape(0), op.get_input_shape(1)
    if kind == "Convolution":
        return float(np.prod(output[2:]) * np.prod(weights)) / 1e9
    return float(np.prod(output) * op.get_input_shape(0)[-1]) / 1e9


def _short(name: str) -> str:
    parts = [part for part in name.replace("__module.", "").split("/") if not part.startswith("aten::")]
    return (parts[0] if parts else name)[:48]
