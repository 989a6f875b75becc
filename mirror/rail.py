"""Which garment is wanted: set by the keys on the main thread, read by the try-on worker."""

from __future__ import annotations

import threading

from mirror.errors import GarmentError
from mirror.wardrobe import Garment, Wardrobe


class Rail:
    """The wardrobe with one garment taken from it. Safe to use from several threads; only one calls `refresh`."""

    def __init__(self, wardrobe: Wardrobe, first: str | None = None) -> None:
        """first: folder name or shown name of the garment to begin with. Raises GarmentError if there is no such."""
        self._wardrobe = wardrobe
        self._lock = threading.Lock()
        self._slug = wardrobe.find(first).slug if first else wardrobe.garments[0].slug if wardrobe.garments else ""

    @property
    def wanted(self) -> Garment | None:
        """None where the wardrobe is empty. A garment whose folder was removed gives way to its neighbour."""
        with self._lock:
            garments = self._wardrobe.garments
            for garment in garments:
                if garment.slug == self._slug:
                    return garment
            if not garments:
                return None
            neighbour = self._wardrobe.step(self._slug, 1) if self._slug else garments[0]
            self._slug = neighbour.slug
            return neighbour

    @property
    def place(self) -> str:
        """Such as '2 / 14'."""
        slugs = [g.slug for g in self._wardrobe.garments]
        return f"{slugs.index(self._slug) + 1} / {len(slugs)}" if self._slug in slugs else ""

    def step(self, by: int) -> Garment | None:
        """Takes the garment `by` places on, round and round."""
        with self._lock:
            try:
                garment = self._wardrobe.step(self._slug, by)
            except GarmentError:
                return None
            self._slug = garment.slug
            return garment

    def pick(self, number: int) -> Garment | None:
        """Takes the garment at a place counted from 0; None, and nothing changes, if there are not so many."""
        with self._lock:
            garments = self._wardrobe.garments
            if not 0 <= number < len(garments):
                return None
            self._slug = garments[number].slug
            return garments[number]

    def outwards(self) -> list[Garment]:
        """All garments but the one worn, the next and the one before first: most likely to be asked for."""
        with self._lock:
            garments = list(self._wardrobe.garments)
            here = next((n for n, garment in enumerate(garments) if garment.slug == self._slug), 0)
        turns = [turn for by in range(1, len(garments) // 2 + 1) for turn in (by, -by)]
        places = dict.fromkeys((here + turn) % len(garments) for turn in turns)
        return [garments[n] for n in places if n != here]

    def refresh(self) -> bool:
        """Notices folders added and removed; True if anything changed."""
        return self._wardrobe.refresh()
