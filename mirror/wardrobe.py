"""The wardrobe: watches the garment folders. Also the door to `Garment` and to reading and writing its folder."""

from __future__ import annotations

import logging
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mirror.errors import GarmentError
from mirror.garment import CANVAS_MARGIN, KINDS, LANDMARKS, SLEEVES, Garment, lay
from mirror.garment_folder import DESCRIPTION, INNER, KEPT_SIDE_PX, PICTURE, describe, load_garment, save_garment

__all__ = [
    "CANVAS_MARGIN",
    "KEPT_SIDE_PX",
    "KINDS",
    "LANDMARKS",
    "SLEEVES",
    "Garment",
    "Wardrobe",
    "describe",
    "lay",
    "load_garment",
    "save_garment",
]

log = logging.getLogger(__name__)


class Wardrobe:
    """The garment folders under one folder, in the order of their names ("tee 2" before "tee 10").

    `garments` is replaced as a whole, so another thread may read it while `refresh` runs. A folder that is unchanged
    keeps its Garment object. Hidden folders, those whose name begins with an underscore, and Python packages are no
    garment folders.

    problems: folder name -> the sentence that says why it was passed over.
    """

    def __init__(self, folder: Path) -> None:
        """Raises GarmentError if there is no such folder."""
        self.folder = Path(folder)
        self.garments: tuple[Garment, ...] = ()
        self.problems: dict[str, str] = {}
        self._stamps: dict[str, tuple] = {}
        if not self.folder.is_dir():
            raise GarmentError(f"There is no wardrobe folder {self.folder}; name one with --wardrobe.")
        self.refresh()

    def refresh(self) -> bool:
        """Notice folders that were added, changed or removed; True if `garments` changed.

        Without a change it costs a few file stats a folder; otherwise what changed is loaded here. If the wardrobe
        folder itself is gone (a drive that was pulled) the garments loaded last stay.
        """
        try:
            stamps = {entry.name: _stamp(Path(entry.path)) for entry in os.scandir(self.folder) if _is_garment(entry)}
        except OSError:
            return False
        if stamps == self._stamps:
            return False
        kept = {g.slug: g for g in self.garments if stamps.get(g.slug) == self._stamps.get(g.slug)}
        order = sorted(stamps, key=_natural)
        with ThreadPoolExecutor(
            min(4, os.cpu_count() or 1), "wardrobe"
        ) as pool:  # decoding leaves the interpreter free
            loaded = dict(zip(order, pool.map(lambda slug: kept.get(slug) or self._load(slug), order), strict=True))
        garments = [one for one in loaded.values() if isinstance(one, Garment)]
        problems = {slug: one for slug, one in loaded.items() if isinstance(one, str)}
        for slug, problem in problems.items():
            if self.problems.get(slug) != problem:
                log.warning("%s It is passed over.", problem)
        changed = len(garments) != len(self.garments) or any(
            a is not b for a, b in zip(garments, self.garments, strict=False)
        )
        self.garments, self.problems, self._stamps = tuple(garments), problems, stamps
        return changed

    def _load(self, slug: str) -> Garment | str:
        """The garment, or the sentence that says why there is none."""
        try:
            return load_garment(self.folder / slug)
        except GarmentError as error:
            return str(error)

    def find(self, name: str) -> Garment:
        """A garment by its folder's name or its shown name, whatever the case. Raises GarmentError naming all."""
        wanted = name.strip().casefold()
        for garment in self.garments:
            if wanted in (garment.slug.casefold(), garment.name.casefold()):
                return garment
        there = ", ".join(g.slug for g in self.garments) or "none"
        raise GarmentError(f"There is no garment '{name}' in {self.folder}; there are: {there}.")

    def step(self, slug: str, by: int) -> Garment:
        """The garment `by` places after the one called slug (before it if negative), round and round.

        If that one was removed meanwhile, the count starts from where it was. Raises GarmentError if the wardrobe is
        empty.
        """
        if not self.garments:
            raise GarmentError(f"The wardrobe {self.folder} holds no usable garment; see `python -m mirror doctor`.")
        garments = self.garments
        order = [_natural(g.slug) for g in garments]
        before = sum(key < _natural(slug) for key in order)
        gone = before == len(order) or order[before] != _natural(slug)
        return garments[(before + by - (gone and by > 0)) % len(order)]


def _is_garment(entry: os.DirEntry) -> bool:
    return entry.is_dir() and entry.name[0] not in "._" and not os.path.exists(os.path.join(entry.path, "__init__.py"))


def _stamp(folder: Path) -> tuple:
    """Changes whenever one of the folder's three files does."""

    def one(name: str) -> tuple[int, int] | None:
        try:
            stat = os.stat(folder / name)
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    return one(PICTURE), one(INNER), one(DESCRIPTION)


def _natural(slug: str) -> tuple:
    """Sorting key in which numbers count as numbers; ends with the slug itself, so no two are equal."""
    parts = re.split(r"(\d+)", slug.casefold())
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else part) for part in parts), slug
