"""How many threads pay: torch waits for the slowest of them, so on a busy machine fewer are faster.

Measured on two cores shared with two other busy processes: 4.5 samples a second with two threads, 7.9 with one.
"""

from __future__ import annotations

import psutil
import torch


class IdleCores:
    """Sets torch's threads to the cores that others leave idle; call `adapt` now and then."""

    def __init__(self) -> None:
        self.cores = psutil.cpu_count() or 1
        self._process = psutil.Process()
        self._last = self._times()

    def adapt(self) -> None:
        """Look at what others used since the last call, and choose."""
        now = self._times()
        wall, busy, own = (b - a for a, b in zip(self._last, now, strict=True))
        if wall <= 0.0:
            return
        self._last = now
        others = max(0.0, busy - own) / wall * self.cores
        torch.set_num_threads(max(1, min(self.cores, round(self.cores - others + 0.2))))

    def _times(self) -> tuple[float, float, float]:
        """Seconds of all cores together: passed, busy, and busy with this process."""
        times, mine = psutil.cpu_times(), self._process.cpu_times()
        passed = sum(times[:8])  # what follows is counted in user and nice already
        return passed, passed - times.idle - getattr(times, "iowait", 0.0), mine.user + mine.system
