"""`python -m bench NAME ...`: runs bench/NAME.py, which writes figures and asserts nothing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from mirror.pace import limit_libraries


def names() -> list[str]:
    """The benches there are: the files of this folder that have a `main`."""
    files = (p for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))
    return sorted(p.stem for p in files if "\ndef main(" in p.read_text(encoding="utf-8"))


def main(argv: list[str]) -> int:
    """Hands the rest of the arguments to the bench's own `main(argv)`; returns its exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python -m bench NAME [options]\nbenches: " + ", ".join(names()))
        return 0 if argv else 2
    if argv[0] not in names():
        print(f"bench: There is no bench {argv[0]!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    limit_libraries()
    bench = importlib.import_module(f"bench.{argv[0]}")
    return int(bench.main(argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
