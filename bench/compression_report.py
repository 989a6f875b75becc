"""bench/RESULTS.md and the picture of the front, from the report of `bench compression`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLES = {"cwm": "CWM", "igm": "IGM", "none": "none", "both": "both"}
SECTIONS = ("Sizes by pruning ratio", "Pruning", "Quantisation", "Correlation")
METHODS = {"post-training": "NNCF, post-training, accuracy control", "aware": "NNCF, trained with rounding"}


def write_results(report: dict[str, Any], path: Path) -> None:
    """The tables that the report holds, as Markdown, each under what made it. Of a table that the report has no rows
    for, the section that the file holds already stays as it is."""
    settings = report["settings"]
    before = _sections(path.read_text(encoding="utf-8")) if path.is_file() else {}
    made: dict[str, list[str]] = {}
    if report["pruning"]:
        made["Sizes by pruning ratio"] = _made_by(report, []) + _shapes(report.get("shapes", []))
        made["Pruning"] = _made_by(report, report["pruning"]) + _measured(settings) + _pruning(report["pruning"])
    if report["quantisation"]:
        rows = report["quantisation"]
        made["Quantisation"] = _made_by(report, rows) + _measured(settings) + _quantisation(rows)
    if report["correlation"]:
        made["Correlation"] = _made_by(report, []) + _correlation(report["correlation"])
    lines = ["# Compression: the original work's three tables, on these networks", ""]
    lines += ["Written by `python -m bench compression`; a table that a run does not make stays as it was.", ""]
    for title in SECTIONS:
        lines += [f"## {title}", ""]
        lines += made.get(title) or before.get(title) or ["Not run yet.", ""]
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _sections(text: str) -> dict[str, list[str]]:
    """Title -> lines of a section of RESULTS.md, without the title."""
    found: dict[str, list[str]] = {}
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        found[title] = [*body.strip("\n").split("\n"), ""]
    return found


def _made_by(report: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Command, commits, dates and machine of a table."""
    about, machine = report["about"], report["machine"]
    words = [f"`{about['command']}`"]
    stamps = [row["made"] for row in rows if "made" in row] or [about]
    commits = list(dict.fromkeys(stamp["commit"] for stamp in stamps))
    dates = sorted(stamp["date"] for stamp in stamps)
    words.append(f"commit {', '.join(commits)}")
    words.append(dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}")
    timed = [row["timed_on"] for row in rows if "timed_on" in row]
    if timed:
        words.append(f"times of {timed[-1]['date']}, {timed[-1]['threads']} threads, load {timed[-1]['load']}")
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return [f"{', '.join(words)}. {machine['processor']}, {machine['cores']} cores; {versions}.", ""]


def _measured(settings: dict[str, Any]) -> list[str]:
    words = (
        f"Quality is that of {settings['count']} held-out synthetic samples: end-point error of the warp (pixels at "
        "which the garment's shoulders are 77 wide), IoU of coverage, SSIM over the person, and the perceptual "
        "distance GMSD (0: the same)"
    )
    if settings.get("clip"):
        words += f"; flicker is the median movement on a person who stands still ({settings['clip']}), camera pixels"
    return [
        f"{words}. Every training had {settings['minutes']:g} minutes of processor time, and the teacher's answers a "
        f"weight of {settings['distil']:g}.",
        "",
    ]


def _shapes(rows: list[dict[str, Any]]) -> list[str]:
    """What the widths alone settle."""
    if not rows:
        return []
    keys = ("gmac", "params_m", "size_mb", "total_mb", "compression")
    head = ["network", "ratio", "GMAC", "params (M)", "size (MB, f32)", "total size (MB)", "compression"]
    cells = [
        [TITLES[row["network"]], f"{row['ratio']:g}", *(f"{row[key]:g}" for key in keys)]
        + [f"{row['published'][key]:g}" for key in keys[:3]]
        for row in rows
    ]
    lines = ["Widths alone settle these; PF-AFN is narrowed by the same rule.", ""]
    return lines + _table([*head, "PF-AFN: GMAC", "params (M)", "size (MB, f32)"], cells)


def _pruning(rows: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for kind in ("cwm", "igm"):
        own = [row for row in rows if row["network"] == kind]
        if not own:
            lines += [f"{TITLES[kind]}: not run yet.", ""]
            continue
        start = own[0]
        lines += _table(
            [
                TITLES[kind], "GMAC", "params (M)", "size (MB, f32)", "total size (MB)", "compression", "error (px)",
                "IoU", "SSIM", "GMSD", "flicker", "error, loss", "SSIM, loss", "ms f32", "ms INT8",
                "INT8: error (px)", "INT8: SSIM", "steps",
            ],
            [_pruned_row(row, start) for row in own],
        )  # fmt: skip
        merged = [row["ratios"] for row in own if len(row["ratios"]) > 1]
        lines += [
            f"Ratios {', '.join(f'{ratio:g}' for ratio in same)} leave the same widths: one row." for same in merged
        ]
        lines += ["", f"The published PF-AFN widths narrowed alike ({TITLES[kind]}; shapes alone, no weights):", ""]
        cells = [
            [_ratio(row), *(f"{row['published'][key]:g}" for key in ("gmac", "params_m", "size_mb"))]
            for row in own
            if not row["fresh"]
        ]
        lines += _table(["ratio", "GMAC", "params (M)", "size (MB, f32)"], cells)
        lines += _verdict(own)
    return lines


def _pruned_row(row: dict[str, Any], start: dict[str, Any]) -> list[str]:
    quality, first, ms = row["quality"], start["quality"], row.get("ms", {})
    return [
        _ratio(row), f"{row['gmac']:.3f}", f"{row['params_m']:.3f}", f"{row['size_mb']:.2f}",
        f"{row['total_mb']:.2f}", f"{start['total_mb'] / row['total_mb']:.2f}",
        f"{quality['epe_px']:.2f}", f"{quality['coverage_iou']:.3f}", f"{quality['ssim']:.4f}",
        f"{quality['gmsd']:.4f}", _flicker(quality), f"{quality['epe_px'] / first['epe_px'] - 1.0:+.1%}",
        f"{first['ssim'] - quality['ssim']:+.4f}", _ms(ms, "f32"), _ms(ms, "int8"),
        f"{row['quality_int8']['epe_px']:.2f}", f"{row['quality_int8']['ssim']:.4f}", str(row["steps"] or "-"),
    ]  # fmt: skip


def _verdict(rows: list[dict[str, Any]]) -> list[str]:
    """Pruned and fine-tuned against the same widths trained from nothing for as long as the fine-tuning."""
    lines = []
    for fresh in (row for row in rows if row["fresh"]):
        for row in rows:
            if not row["fresh"] and fresh["ratios"][0] in row["ratios"]:
                one, other = row["quality"], fresh["quality"]
                lines += [
                    f"Of the same widths ({_ratio(row)}), pruned and fine-tuned: error {one['epe_px']:.2f} px, SSIM "
                    f"{one['ssim']:.4f}; trained from nothing for as long as the fine-tuning: "
                    f"{other['epe_px']:.2f} px, {other['ssim']:.4f}.",
                    "",
                ]
    return lines


def _quantisation(rows: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    first = rows[0]["quality"]
    cells, notes = [], []
    for row in rows:
        label = [METHODS.get(row["method"], row["method"]), TITLES[row["row"]]]
        if "quality" not in row:
            notes.append(f"* {label[0]}, {label[1]}: {row['note']}")
            cells.append([*label, *["-"] * 10])
            continue
        quality, ms = row["quality"], row.get("ms", {})
        cells.append(
            [
                *label, f"{row['size_mb']:.2f}", f"{quality['epe_px']:.2f}", f"{quality['coverage_iou']:.3f}",
                f"{quality['ssim']:.4f}", f"{quality['gmsd']:.4f}", _flicker(quality),
                f"{quality['epe_px'] / first['epe_px'] - 1.0:+.1%}", f"{first['ssim'] - quality['ssim']:+.4f}",
                _both(ms, ""), _both(ms, " in onnxruntime"),
            ]
        )  # fmt: skip
    head = ["method", "quantised", "size (MB)", "error (px)", "IoU", "SSIM", "GMSD", "flicker"]
    head += ["error, loss", "SSIM, loss"]
    lines += _table([*head, "ms a frame in OpenVINO (CWM + IGM)", "ms a frame in onnxruntime (CWM + IGM)"], cells)
    lines += [*notes, ""] if notes else []
    differ = rows[0].get("runtimes_differ", {})
    if differ:
        lines += ["Greatest difference from torch of any output (2/255 of a picture in [-1, 1] is 0.0157):", ""]
        table = [
            [name, *(f"{found.get(key, float('nan')):.1e}" for key in _RUNTIMES)] for name, found in differ.items()
        ]
        lines += _table(["network", *_RUNTIMES], table)
    apart = rows[0].get("pictures_differ")
    if apart:
        lines += [
            f"Finished pictures beside torch's, all in f32, {apart['count']} held-out samples "
            "(constants stored as f16 round the places of pixels as well):",
            "",
        ]
        table = [
            [name, f"{found['most']:.3f}", f"{found['beyond']:.4%}"]
            for name, found in apart.items()
            if isinstance(found, dict)
        ]
        lines += _table(["runtime", "levels of 255 apart, at most", "pixels more than 2 apart"], table)
    return lines


_RUNTIMES = ("OpenVINO", "onnxruntime")


def _correlation(tables: dict[str, Any]) -> list[str]:
    lines = ["The plain form and im2col in torch, as in the original work (it states a ratio of 1.60):", ""]
    cells = [
        [
            str(r["n"]),
            r["form"],
            f"{r['s']:.2f}",
            f"{r['fps']:.1f}",
            f"{r['ratio']:.2f}",
            f"{r.get('cpu_ratio', float('nan')):.2f}",
        ]
        for r in tables["original"]
    ]
    lines += _table(["n", "form", "time (s)", "FPS", "ratio", "ratio by processor time"], cells)
    for title, rows in tables.items():
        if title != "original":
            forms = [key for key in rows[0] if key not in ("level", "mmac")]
            lines += [f"{title.capitalize()}, median ms:", ""]
            lines += _table(
                ["level", *forms], [[row["level"], *(f"{row[form]:.3f}" for form in forms)] for row in rows]
            )
    return lines


def draw_front(rows: list[dict[str, Any]], path: Path) -> None:
    """Quality against milliseconds a frame, f32 and INT8, a panel for each network."""
    kinds = [kind for kind in ("cwm", "igm") if any(row["network"] == kind and row.get("ms") for row in rows)]
    if not kinds:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    measures = {"cwm": ("epe_px", "end-point error, pixels (less is better)"), "igm": ("ssim", "SSIM (more is better)")}
    figure, axes = pyplot.subplots(1, len(kinds), figsize=(5.2 * len(kinds), 3.8), squeeze=False)
    for axis, kind in zip(axes.flat, kinds, strict=True):
        key, words = measures[kind]
        for precision, entry, colour in (("f32", "quality", "#3b6ea5"), ("int8", "quality_int8", "#c8553d")):
            for fresh, marker in ((False, "o"), (True, "x")):
                own = [r for r in rows if r["network"] == kind and r["fresh"] == fresh and precision in r.get("ms", {})]
                own.sort(key=lambda row: row["ms"][precision])
                points = [(row["ms"][precision], row[entry][key]) for row in own]
                if not points:
                    continue
                label = f"{precision.replace('int', 'INT')}{', from nothing' if fresh else ''}"
                axis.plot(*zip(*points, strict=True), marker, color=colour, label=label)
                for row, point in zip(own, points, strict=True):
                    offset = (5, 3)
                    axis.annotate(_ratio(row).split(" from")[0], point, offset, textcoords="offset points", fontsize=7)
        axis.set_xlabel("ms a frame")
        axis.set_ylabel(words)
        axis.set_title(TITLES[kind])
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows), ""]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(row: dict[str, Any]) -> str:
    words = ", ".join(f"{ratio:g}" for ratio in row["ratios"]) if row["ratios"] != [0.0] else "unpruned"
    return f"{words} from nothing" if row["fresh"] else words


def _flicker(quality: dict[str, float]) -> str:
    return f"{quality['flicker_px']:.2f}" if "flicker_px" in quality else "-"


def _ms(ms: dict[str, float], name: str) -> str:
    return f"{ms[name]:.2f}" if name in ms else "-"


def _both(ms: dict[str, float], where: str) -> str:
    parts = [ms[f"{kind}{where}"] for kind in ("cwm", "igm") if f"{kind}{where}" in ms]
    if len(parts) < 2:
        return f"{parts[0]:.2f}" if parts else "-"
    return f"{sum(parts):.2f} ({parts[0]:.2f} + {parts[1]:.2f})"
