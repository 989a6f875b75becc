"""Key codes of three systems -> what the person wants. Knows no window; time is passed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

TYPED_WITHIN_S = 5.0
"""A pause longer than this between two letters, and the word `quit` has to be begun anew."""
QUIT_WORD = "quit"


class Do(Enum):
    NEXT = "next garment"
    PREVIOUS = "previous garment"
    PICK = "straight to a garment"
    BEFORE_AFTER = "before and after"
    FULLSCREEN = "fullscreen"
    MIRROR = "mirrored or not"
    SNAPSHOT = "snapshot"
    FIGURES = "figures"
    HELP = "help"
    QUIT = "quit"


@dataclass(frozen=True)
class Action:
    """What a key asks for. number: for PICK, the garment counted from 0."""

    do: Do
    number: int = 0


# What cv2.waitKeyEx returns. Linux: X11 keysyms (Qt and GTK), with the key pad's. Windows: virtual key << 16.
# macOS: the Cocoa function-key characters U+F700.. (newer builds), and the 63232.. they are.
RIGHT_KEYS = (65363, 65432, 0x270000, 0xF703)
LEFT_KEYS = (65361, 65430, 0x250000, 0xF702)
F11_KEYS = (65480, 0x7A0000, 0xF70E)
KEY_PAD_DIGITS = {65456 + n: str(n) for n in range(10)}
LOCKS_AND_SHIFTS = 0xFFFF
"""On Linux GTK and Qt may set bits above the keysym for Shift, Num Lock and the like; on Windows and macOS codes below
0x10000 carry none, and those above are whole."""

LETTERS = {
    "d": Do.NEXT,
    "n": Do.NEXT,
    "a": Do.PREVIOUS,
    "p": Do.PREVIOUS,
    " ": Do.BEFORE_AFTER,
    "f": Do.FULLSCREEN,
    "m": Do.MIRROR,
    "s": Do.SNAPSHOT,
    "i": Do.FIGURES,
    "h": Do.HELP,
    "q": Do.QUIT,
    "\x1b": Do.QUIT,
}
SPECIAL = {
    **dict.fromkeys(RIGHT_KEYS, Do.NEXT),
    **dict.fromkeys(LEFT_KEYS, Do.PREVIOUS),
    **dict.fromkeys(F11_KEYS, Do.FULLSCREEN),
}
KIOSK_ALLOWS = (Do.NEXT, Do.PREVIOUS, Do.PICK, Do.BEFORE_AFTER)
STEPS = (Do.NEXT, Do.PREVIOUS, Do.PICK)


def action_of(code: int) -> Action | None:
    """What one key code means; None for a key without meaning."""
    if code in SPECIAL:
        return Action(SPECIAL[code])
    if code & LOCKS_AND_SHIFTS in SPECIAL and code > LOCKS_AND_SHIFTS and code & LOCKS_AND_SHIFTS:
        return Action(SPECIAL[code & LOCKS_AND_SHIFTS])
    letter = letter_of(code)
    if letter in LETTERS:
        return Action(LETTERS[letter])
    if "1" <= letter <= "9":
        return Action(Do.PICK, int(letter) - 1)
    return None


def letter_of(code: int) -> str:
    """The lower-case character of a key code, '' where it is none."""
    low = code & LOCKS_AND_SHIFTS
    if low in KEY_PAD_DIGITS:
        return KEY_PAD_DIGITS[low]
    return chr(low).lower() if 0 < low < 127 else ""


class KeyReader:
    """The codes that came since the last picture -> actions; in a kiosk only garments and Space, and a typed `quit`."""

    def __init__(self, kiosk: bool = False) -> None:
        self._kiosk = kiosk
        self._typed = ""
        self._typed_at = 0.0

    def actions(self, codes: Iterable[int], now: float) -> list[Action]:
        """In order; of the steps through the wardrobe only the last, so that a held arrow key does not queue up."""
        found: list[Action] = []
        for code in codes:
            if self._kiosk and self._typed_quit(letter_of(code), now):
                return [Action(Do.QUIT)]
            action = action_of(code)
            if action is None or (self._kiosk and action.do not in KIOSK_ALLOWS):
                continue
            if action.do in STEPS:
                found = [a for a in found if a.do not in STEPS]
            found.append(action)
        return found

    def _typed_quit(self, letter: str, now: float) -> bool:
        if not letter:
            return False
        fresh = now - self._typed_at <= TYPED_WITHIN_S
        self._typed = ((self._typed if fresh else "") + letter)[-len(QUIT_WORD) :]
        self._typed_at = now
        return self._typed == QUIT_WORD
