"""What the program says on stderr, and what its libraries may not."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

KEEP_NOISE = "MIRROR_NOISE"
"""Environment variable: set to 1, everything the libraries write to stderr is let through (to hunt a fault)."""


def say(sentence: str) -> None:
    """One line on stderr. From any thread."""
    print(f"mirror: {sentence}", file=sys.stderr, flush=True)


class _Log(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def hear_log() -> None:
    """Warnings that the stages log (a garment passed over, say) become lines like all others."""
    logger = logging.getLogger("mirror")
    if not any(isinstance(handler, _Log) for handler in logger.handlers):
        logger.addHandler(_Log(logging.WARNING))
        logger.propagate = False


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """While it lasts, file descriptor 2 leads nowhere and `sys.stderr` writes to where it led before.

    OpenCV's videoio, ffmpeg, MediaPipe and TFLite write to the descriptor itself, from their own threads; so
    one switch for the whole run, not one around each call. Python's own warnings are silenced too, unless -W asks
    for them.
    """
    ours = None
    if os.environ.get(KEEP_NOISE) != "1" and sys.stderr is not None:
        with contextlib.suppress(OSError):  # no stderr at all: a service without a terminal
            ours = os.dup(2)
    if ours is None:
        yield
        return
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    before = sys.stderr
    before.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(os.dup(ours), "w", buffering=1, encoding="utf-8", errors="replace")
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            yield
    finally:
        sys.stderr.flush()
        sys.stderr.close()
        sys.stderr = before
        os.dup2(ours, 2)
        os.close(ours)
