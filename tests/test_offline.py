"""No connection is opened while the mirror runs: the whole program under strace, where that is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mirror.settings import ROOT
from tests.networks import write_tiny_set

TIMEOUT_S = 300.0
LOOK_UP = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
NAME_SERVICE = "nscd"


def reaching_out(command: list[str], trace: Path) -> list[str]:
    """The calls by which a program and its children reach beyond the machine, or ask for the address of a host."""
    strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%network", "-o", str(trace)]
    done = subprocess.run([*strace, *command], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    if "ptrace" in done.stderr or "seccomp-bpf" in done.stderr:
        pytest.skip(f"strace cannot be used here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    calls = [line for line in trace.read_text().splitlines() if re.search(r"\b(connect|send\w*)\(", line)]
    return [line for line in calls if "AF_UNIX" not in line or NAME_SERVICE in line]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_mirror_opens_no_connection(tmp_path):
    """Camera to picture, MediaPipe and OpenVINO included. A first program that does send proves that it would show."""
    assert len(reaching_out([sys.executable, "-c", LOOK_UP], tmp_path / "seen.txt")) == 1
    models, video = write_tiny_set(tmp_path / "models"), tmp_path / "out.mp4"
    run = [sys.executable, "-m", "mirror", "--demo", "--headless", "--frames", "3", "--output", str(video)]
    assert reaching_out([*run, "--engine", "neural", "--models", str(models)], tmp_path / "trace.txt") == []
    assert video.is_file()
