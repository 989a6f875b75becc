"""How many try-ons may be under way at once: two where both are in time, one where they keep each other waiting."""

from __future__ import annotations

import threading

UNDER_WAY = 2
"""One that the generator is at work on, and the next, whose person is looked for. A third would only wait, and make
every fit shown older."""
CROWDED_S, ROOMY_S = 0.088, 0.066
"""How long after its picture a fit is there, in the mean, from which on there is one at a time, and up to which there
are two again. A picture waits about as long for its own fit (`mirror/later.py`): on a machine that gave 15 to 19 fits a
second, 21 % of pictures were shown in their own with two at a time, and 35 % with one at a time, which made 14."""
LEARNT, MOST_S = 0.03, 0.15
"""Share that the newest value has in the mean, and what it counts for at most: a garment that is prepared ahead keeps
a fit waiting for a moment."""
_BETWEEN_S = (CROWDED_S + ROOMY_S) / 2.0


class Room:
    """Taken by a try-on that begins, given back when the next may. `give_back` and `took`: from one thread."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(UNDER_WAY)
        self._takes_s = _BETWEEN_S
        self.crowded = False
        """Whether there is room for one less."""
        self._withheld = False

    def take(self, timeout_s: float) -> bool:
        """Waits for room so long; whether there was some."""
        return self._free.acquire(timeout=timeout_s)

    def give_back(self) -> None:
        if self.crowded and not self._withheld:
            self._withheld = True  # here: whoever waits for room would have it before `took` could keep it
        else:
            self._free.release()

    def took(self, takes_s: float) -> None:
        """A fit was there so long after its picture."""
        self._takes_s += LEARNT * (min(takes_s, MOST_S) - self._takes_s)
        if self._takes_s >= ROOMY_S if self.crowded else self._takes_s <= CROWDED_S:
            return
        self.crowded = not self.crowded
        self._takes_s = _BETWEEN_S  # what was is no guide to what will be
        if not self.crowded and self._withheld:
            self._withheld = False
            self._free.release()
