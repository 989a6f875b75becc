"""Pictures are shown a little later than they come, so that the garment in them is not late.

A fit is there 50 to 120 ms after its picture. Torso and garment are carried over that time (`mirror/follow.py`), arms
and hands are not: on the newest picture a sleeve lies where the arm was, beside the arm in what it really wears, and a
hand's place shows the cloth behind it. So every picture waits as long as its own fit will take, or as long as a
mirror's picture may be old, and is shown in the fit of the picture nearest to it.
"""

from __future__ import annotations

from collections import deque

from mirror.frames import Frame
from mirror.tailor import Dressed

OLD_S = 0.077
"""So old a picture is on the screen, in the mean, where fits take longer: 100 ms hardly ever, a camera's own delay not
counted; and 150 ms hardly ever the picture of its fit, which is one or two before it."""
LEARNT = 0.1
"""Share that the newest value has in what is known of the time that fits and drawing take. A fit counts as twice as
late as a picture may be at most: the first one takes seconds."""
FITS_KEPT = 4


class Later:
    """The newest pictures and fits. Called from one thread; times are the clock's."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._fits: deque[Dressed] = deque(maxlen=FITS_KEPT)
        self._takes_s: float | None = None
        self._spread_s = self._drawing_s = 0.0

    @property
    def wait_s(self) -> float:
        """How old a picture is when it is drawn: most fits are there by then. 0 until the first one came."""
        return 0.0 if self._takes_s is None else max(min(self._takes_s + self._spread_s, OLD_S - self._drawing_s), 0.0)

    @property
    def waiting(self) -> int:
        """How many pictures wait."""
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """A picture came."""
        self._frames.append(frame)

    def fitted(self, dressed: Dressed, now: float) -> None:
        """A fit came; the same one again is none."""
        if self._fits and self._fits[-1] is dressed:
            return
        self._fits.append(dressed)
        if dressed.result.person is None:
            return  # that nobody is there is known at once
        takes_s = min(now - dressed.result.frame.t_capture, 2.0 * OLD_S)
        if self._takes_s is None:
            self._takes_s = takes_s
        off = takes_s - self._takes_s
        self._takes_s += LEARNT * off
        self._spread_s += LEARNT * (abs(off) - self._spread_s)

    def drawn(self, took_s: float) -> None:
        """A picture was drawn and shown in so long."""
        self._drawing_s += LEARNT * (took_s - self._drawing_s)

    def due(self, now: float) -> Frame | None:
        """The newest picture for which it is time, once; those before it are left out."""
        frame = None
        while self.until_due_s(now) <= 0.0:
            frame = self._frames.popleft()
        return frame

    def until_due_s(self, now: float) -> float:
        """How long until the next one is; infinite where none waits."""
        return self._frames[0].t_capture + self.wait_s - now if self._frames else float("inf")

    def nearest(self, frame: Frame) -> Dressed | None:
        """The try-on of the picture nearest to this one, in the garment of the newest; None where there is none."""
        if not self._fits:
            return None
        newest = self._fits[-1]
        worn = [d for d in self._fits if d.garment is newest.garment and d.result.frame.size == frame.size]
        return min(reversed(worn), key=lambda d: abs(d.result.frame.t_capture - frame.t_capture), default=newest)
