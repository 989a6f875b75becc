"""MediaPipe behind its door."""

import numpy as np

from mirror.frames import Frame
from mirror.person import PersonFinder


def test_nobody_on_an_empty_picture_of_any_size():
    finder = PersonFinder()
    for i, size in enumerate(((480, 640), (720, 1280))):
        assert finder.find(Frame(np.full((*size, 3), 120, np.uint8), i / 30, i)) is None
    finder.close()
