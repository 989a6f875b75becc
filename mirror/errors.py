"""What can go wrong, one class per thing a caller can act on. Every message is one sentence that says what to do."""

from __future__ import annotations


class MirrorError(Exception):
    """Base of all errors meant for the person at the machine; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(MirrorError):
    """Arguments that do not make sense."""

    exit_code = 2


class SourceError(MirrorError):
    """No camera, or a file, address or pattern that cannot be opened."""

    exit_code = 3


class InstallationError(MirrorError):
    """A package, a model or a display is missing or unusable."""

    exit_code = 4


class ModelError(InstallationError):
    """A model set that is missing, damaged or of another version."""


class GarmentError(MirrorError):
    """A garment folder or a photo that cannot be used."""

    exit_code = 2
