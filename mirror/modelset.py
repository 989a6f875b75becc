"""A set of networks on disk: the manifest, and every file checked against it before a byte of it is interpreted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mirror.errors import ModelError

MANIFEST = "manifest.json"
SCHEMA = 1
"""Version of the manifest's form that this program reads and writes."""
MAX_MANIFEST_BYTES = 1 << 20
REMEDY = "fetch the project's ir_models/default again, or use --engine geometric"


@dataclass(frozen=True)
class Port:
    """One input or output of a network: its name, its fixed shape, and the names of its channels where they matter."""

    name: str
    shape: tuple[int, ...]
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkFile:
    """One network of the set. xml: file name in the folder; the weights lie beside it as .bin.

    precision: of the weights and operations as exported ("f32", "f16 weights", "int8", ...).
    """

    name: str
    xml: str
    precision: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    form: str = ""

    @property
    def bin(self) -> str:
        return Path(self.xml).with_suffix(".bin").name


@dataclass(frozen=True)
class ModelSet:
    """A model set whose files are as its manifest says. `bytes_of` hands out exactly the bytes that were checked."""

    folder: Path
    networks: dict[str, NetworkFile]
    about: dict[str, Any]
    _content: dict[str, bytes] = field(repr=False)

    def bytes_of(self, file: str) -> bytes:
        return self._content[file]

    def digest(self, network: str) -> str:
        """SHA-256 over both files of a network: what it is, whatever it is called."""
        spec = self.networks[network]
        return hashlib.sha256(self._content[spec.xml] + self._content[spec.bin]).hexdigest()


def load_model_set(folder: Path) -> ModelSet:
    """Read and check a model set. Every file the manifest names is read once, whole, and hashed; nothing is parsed
    before its hash was right. Raises ModelError, one sentence that says what to do."""
    about = _read_manifest(folder)
    try:
        digests = {str(name): str(digest) for name, digest in about["files"].items()}
        networks = {name: _network(name, entry) for name, entry in about["networks"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"{folder / MANIFEST} is incomplete ({error!r}): {REMEDY}.") from error
    content: dict[str, bytes] = {}
    for network in networks.values():
        for name in (network.xml, network.bin):
            if name not in digests:
                raise ModelError(f"{folder / MANIFEST} gives no SHA-256 for {name}: {REMEDY}.")
    for name, digest in digests.items():
        if Path(name).name != name:
            raise ModelError(f"{folder / MANIFEST} names a file outside its folder, {name!r}: {REMEDY}.")
        try:
            content[name] = (folder / name).read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ModelError(f"The model file {folder / name} cannot be read ({reason}): {REMEDY}.") from error
        if hashlib.sha256(content[name]).hexdigest() != digest:
            raise ModelError(f"The model file {folder / name} is damaged (its SHA-256 is another): {REMEDY}.")
    return ModelSet(folder, networks, about, content)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(f"There is no model set in {folder} (no {MANIFEST}): {REMEDY}.")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
        about = json.loads(raw) if len(raw) <= MAX_MANIFEST_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {REMEDY}.") from error
    if not isinstance(about, dict):
        raise ModelError(f"{path} is not a manifest: {REMEDY}.")
    if about.get("schema") != SCHEMA:
        raise ModelError(
            f"{path} has version {about.get('schema')!r} and this program reads version {SCHEMA}: {REMEDY}."
        )
    return about


def _network(name: str, entry: dict[str, Any]) -> NetworkFile:
    ports = [
        tuple(Port(p["name"], tuple(int(s) for s in p["shape"]), tuple(p.get("channels", ()))) for p in entry[side])
        for side in ("inputs", "outputs")
    ]
    return NetworkFile(name, str(entry["xml"]), str(entry["precision"]), ports[0], ports[1], str(entry.get("form", "")))
