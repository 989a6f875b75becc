"""`python -m mirror garment add | check | list | remove | preview`."""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mirror.errors import GarmentError, InstallationError, MirrorError, UsageError
from mirror.settings import WARDROBE
from mirror.words import say

if TYPE_CHECKING:
    from mirror.prepare import Prepared
    from mirror.prepare.network import Network
    from mirror.wardrobe import Garment, Wardrobe

EXIT_OK, EXIT_NOT_ALL = 0, 2
ADDED, DOUBTFUL, REFUSED = "added", "doubtful", "refused"
MAX_SLUG = 48


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: state is added, doubtful or refused; why is a sentence or empty."""

    photo: str
    state: str
    why: str


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}: see `python -m mirror garment --help`.")


def main(argv: list[str]) -> int:
    """Runs one sub-command; returns the exit code: 0, or 2 where a photo or garment could not be used.

    Raises MirrorError, one sentence.
    """
    arguments = _parser().parse_args(argv)
    return int(arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    from mirror.wardrobe import KINDS  # not at the top: `--help` of the program need not wait for OpenCV

    parser = _Parser(prog="python -m mirror garment", description="The wardrobe: photos in, garments out.")
    commands = parser.add_subparsers(required=True, metavar="add|check|list|preview|remove")
    add = commands.add_parser("add", help="photos of garments -> garments")
    add.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="files, or folders of them")
    add.add_argument("--name", help="shown to people; default: the file's name")
    add.add_argument("--kind", choices=KINDS, help="default: told from the sleeves")
    add.add_argument("--model", type=Path, metavar="FILE", help="a local ONNX network that cuts out (u2net's form)")
    add.add_argument("--download", action="store_true", help="let rembg fetch its network once")
    add.add_argument("--grabcut", action="store_true", help="cut by colour even where a network is at hand")
    add.add_argument("--landmarks", type=Path, metavar="FILE", help="landmarks of one photo, as written for a doubt")
    add.set_defaults(run=_add)
    check = commands.add_parser("check", help="say what is wrong with garment folders")
    check.add_argument("names", nargs="*", metavar="NAME")
    check.set_defaults(run=_check)
    commands.add_parser("list", help="one line a garment").set_defaults(run=_list)
    remove = commands.add_parser("remove", help="take garments out")
    remove.add_argument("names", nargs="+", metavar="NAME")
    remove.set_defaults(run=_remove)
    preview = commands.add_parser("preview", help="a picture: cut-out, landmarks, and worn")
    preview.add_argument("names", nargs=1, metavar="NAME")
    preview.add_argument("--output", type=Path, metavar="FILE.png", help="default: NAME-preview.png, here")
    preview.set_defaults(run=_preview)
    for command in commands.choices.values():
        command.add_argument("--wardrobe", type=Path, default=WARDROBE, metavar="DIR")
    return parser


def _add(arguments: argparse.Namespace) -> int:
    from mirror.prepare.network import choose

    photos = _photos(arguments.photos)
    if len(photos) > 1 and (arguments.name or arguments.landmarks):
        raise UsageError("--name and --landmarks are for a single photo: add the others without them.")
    if arguments.grabcut and (arguments.model or arguments.download):
        raise UsageError("--grabcut cuts without a network: leave --model and --download out.")
    network = choose(arguments.model, arguments.download, say, without=arguments.grabcut)
    outcomes = []
    for photo in _progress(photos):
        try:
            outcomes.append(_add_one(photo, arguments, network, alone=len(photos) == 1))
        except InstallationError:
            raise
        except MirrorError as error:
            outcomes.append(Outcome(photo.name, REFUSED, str(error)))
    _print_table(outcomes)
    return EXIT_OK if all(o.state == ADDED for o in outcomes) else EXIT_NOT_ALL


def _photos(given: list[Path]) -> list[Path]:
    """Files as given; a folder stands for the pictures in it."""
    photos: list[Path] = []
    for path in given:
        if path.is_dir():
            endings = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")
            photos += sorted(p for p in path.iterdir() if p.suffix.lower() in endings)
        else:
            photos.append(path)
    if not photos:
        raise UsageError("There are no photos in these folders: name JPEG, PNG or WebP files.")
    return photos


def _progress(photos: list[Path]):  # type: ignore[no-untyped-def]
    """The photos, with a progress bar on stderr if there are several."""
    if len(photos) == 1:
        return photos
    from tqdm import tqdm

    return tqdm(photos, unit="photo", file=sys.stderr)


def _add_one(photo: Path, arguments: argparse.Namespace, network: Network | None, alone: bool) -> Outcome:
    from mirror.prepare import load_photo, prepare
    from mirror.prepare.notes import read_landmarks, write_doubt
    from mirror.wardrobe import save_garment

    name = (arguments.name or _name_of(photo)).strip()
    if not name or not name.isprintable():
        raise UsageError("The name must have letters that can be shown: give one with --name.")
    slug = slug_of(name)
    pixels = load_photo(photo)
    settled = read_landmarks(arguments.landmarks, pixels.shape) if arguments.landmarks else None
    prepared = prepare(pixels, slug, name, arguments.kind, network, settled)
    if prepared.doubts:
        picture, notes = write_doubt(arguments.wardrobe, slug, prepared)
        why = f"{'; '.join(prepared.doubts)}; see {picture}, correct {notes} and give it with --landmarks"
        if not (alone and _agrees(prepared, picture)):
            return Outcome(photo.name, DOUBTFUL, why + ".")
    slug = _free_slug(arguments.wardrobe, slug, replace_same=alone and arguments.name is not None)
    try:
        save_garment(arguments.wardrobe / slug, _with_slug(prepared.garment, slug))
    except OSError as error:
        raise GarmentError(f"{arguments.wardrobe / slug} cannot be written ({error.strerror}); free space?") from error
    return Outcome(photo.name, ADDED, f"{slug}: {prepared.garment.kind}, cut out by {prepared.method}")


def _with_slug(garment: Garment, slug: str) -> Garment:
    from dataclasses import replace

    return replace(garment, slug=slug)


def _agrees(prepared: Prepared, picture: Path) -> bool:
    """Asks the person, where there is one: only on a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    say(f"Doubtful: {'; '.join(prepared.doubts)}. Look at {picture}.")
    sys.stderr.write("Add it all the same? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _name_of(photo: Path) -> str:
    text = re.sub(r"[_\-\s]+", " ", photo.stem)
    return "".join(c for c in text if c.isprintable()).strip()[:60] or "Garment"


def slug_of(name: str) -> str:
    """A folder's name for a shown name: small letters, digits and hyphens; never empty, hidden or a path."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:MAX_SLUG].strip("-")
    return slug or "garment"


def _free_slug(wardrobe: Path, slug: str, replace_same: bool) -> str:
    """The slug itself if it is free (or may be replaced), else with a number."""
    if replace_same or not (wardrobe / slug).exists():
        return slug
    number = 2
    while (wardrobe / f"{slug}-{number}").exists():
        number += 1
    return f"{slug}-{number}"


def _print_table(outcomes: list[Outcome]) -> None:
    width = min(40, max(len(o.photo) for o in outcomes))
    for o in outcomes:
        print(f"{o.photo[:width]:{width}}  {o.state:8}  {o.why}")
    if len(outcomes) > 1:
        counts = {state: sum(o.state == state for o in outcomes) for state in (ADDED, DOUBTFUL, REFUSED)}
        print(", ".join(f"{count} {state}" for state, count in counts.items()))


def _check(arguments: argparse.Namespace) -> int:
    from mirror.wardrobe import load_garment

    names = arguments.names
    if not names:
        wardrobe = _open(arguments.wardrobe)
        names = sorted([g.slug for g in wardrobe.garments] + list(wardrobe.problems))
    wrong = 0
    for name in names:
        try:
            garment = load_garment(_folder(arguments.wardrobe, name))
            print(f"{name}: in order ({garment.kind}, sleeves {garment.sleeves})")
        except GarmentError as error:
            wrong += 1
            print(error)  # it names the folder
    return EXIT_OK if not wrong else EXIT_NOT_ALL


def _list(arguments: argparse.Namespace) -> int:
    wardrobe = _open(arguments.wardrobe)
    for garment in wardrobe.garments:
        height, width = garment.picture.shape[:2]
        print(f"{garment.slug}  {garment.name}  {garment.kind}, sleeves {garment.sleeves}, {width}x{height}")
    for problem in wardrobe.problems.values():
        print(f"Cannot be used: {problem}")
    return EXIT_OK


def _remove(arguments: argparse.Namespace) -> int:
    for name in arguments.names:
        folder = _folder(arguments.wardrobe, name)
        if not (folder / "garment.toml").is_file():
            raise GarmentError(f"{folder} holds no garment.toml and is left alone; remove it by hand.")
        try:  # out of sight in one step, then deleted at leisure: a reader sees all of it or nothing
            grave = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            os.replace(folder, grave / "old")
            shutil.rmtree(grave, ignore_errors=True)
        except OSError as error:
            raise GarmentError(f"{folder} cannot be removed ({error.strerror}); check its permissions.") from error
        print(f"{folder.name} removed")
    return EXIT_OK


def _folder(wardrobe: Path, name: str) -> Path:
    """The folder of a garment by its slug or its shown name. Raises GarmentError."""
    if re.fullmatch(r"[\w][\w.-]*", name) and (wardrobe / name).is_dir():
        return wardrobe / name
    return wardrobe / _open(wardrobe).find(name).slug


def _open(folder: Path) -> Wardrobe:
    """The wardrobe, without the warnings that a mirror logs: here a problem is printed once. Raises GarmentError."""
    from mirror.wardrobe import Wardrobe

    log = logging.getLogger("mirror.wardrobe")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return Wardrobe(folder)
    finally:
        log.setLevel(level)


def _preview(arguments: argparse.Namespace) -> int:
    import cv2

    from mirror.prepare.preview import draw
    from mirror.wardrobe import load_garment

    garment = load_garment(_folder(arguments.wardrobe, arguments.names[0]))
    target = arguments.output or Path(f"{garment.slug}-preview.png")
    done, data = cv2.imencode(".png", draw(garment))
    try:
        target.write_bytes(data.tobytes())
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror}): name another with --output.") from error
    print(f"{target} written" if done else f"{target} could not be drawn")
    return EXIT_OK
