"""What the person wears, remembered from when no hand was before it."""

from __future__ import annotations

import numpy as np

from mirror.skin import PLACES_ON_TORSO, Palette, apart_from_skin, few_cost, like_skin_cost

CLEAR_OF_HANDS = 0.6
"""A place is looked at when hands are so far from it, in shoulder widths: a hand in motion is not where it is found."""
SAME = 0.06
"""A look that shows a colour no farther from the one remembered confirms it; any other begins anew."""
TAKE_OVER = 0.2
"""How much of a colour is taken over by a look that confirms it: light changes."""
SURER, FADES, SURE = 0.1, 0.995, 0.5
"""How much surer a look makes a place, how much every fit takes of that, and how sure it must be to count."""


class Worn:
    """Colours of the clothes at the places of a `Palette`, from fit to fit. A hand hides most of a print or a lanyard,
    and what is left of it is seen at too few places to be told from the hand: then it is known from before. Called from
    one thread."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Somebody else may come."""
        self._colours: np.ndarray | None = None
        self._sure = np.zeros(0, np.float32)

    def joined(self, palette: Palette) -> Palette:
        """The palette of this picture (of one person, numpy), which is looked at, with what is known from before where
        hands are near."""
        clear = palette.away[0] > CLEAR_OF_HANDS
        self._look(palette.cloth[0], clear)
        known = (~clear & (self._sure > SURE))[None]
        if not known.any():
            return palette
        assert self._colours is not None
        cloth = np.where(known[..., None], self._colours[None], palette.cloth)
        unlike = apart_from_skin(cloth, palette.skin)
        bare = few_cost(cloth, unlike, np.ones_like(unlike))
        bare[:, :PLACES_ON_TORSO] = 0.0  # arms may be bare
        return palette._replace(cloth=cloth, costs=np.where(known, like_skin_cost(unlike) + bare, palette.costs))

    def _look(self, seen: np.ndarray, clear: np.ndarray) -> None:
        if self._colours is None:
            self._colours, self._sure = seen.copy(), np.zeros(len(seen), np.float32)
        same = ((seen - self._colours) ** 2).sum(1) < SAME**2
        share = np.where(same, TAKE_OVER, 1.0) * clear
        self._colours += (share[:, None] * (seen - self._colours)).astype(np.float32)
        surer = np.where(same, np.minimum(self._sure + SURER, 1.0), 0.0)
        self._sure = (np.where(clear, surer, self._sure) * FADES).astype(np.float32)
