"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import helpers


@pytest.fixture
def wardrobe_folder(tmp_path: Path) -> Path:
    """Three plain T-shirts: tee-1 red, tee-2 green, tee-3 blue."""
    return helpers.make_wardrobe(tmp_path / "wardrobe")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """12 pictures, 160x120, nobody on them."""
    return helpers.make_clip(tmp_path / "clip.mp4")


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a virtual display of 1280x720 with a window manager."""
    lacking = helpers.lacking_display_tools()
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not installed (apt-get install xvfb openbox xdotool)")
    with helpers.virtual_display((1280, 720)) as name:
        yield name
