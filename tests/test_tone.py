"""The light on hands."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import RELIT_ONE
from mirror.matte import Matte
from mirror.tone import HUE_OF_FACE, LIKE_HAND, MOST_LIFT, even, match, relit, together

FACE = np.array([108.0, 122.0, 148.0], np.float32)
GREY, ORANGE = (90.0, 90.0, 90.0), (30.0, 150.0, 230.0)
SIZE = (24, 32)


def lit(hand: np.ndarray, cloth: tuple[float, float, float], share: float = 1.0) -> np.ndarray:
    """The mean colour, BGR, that a hand of some colour before some cloth is shown in."""
    everywhere = np.ones(SIZE, np.float32)
    colours = [np.tile(np.asarray(c, np.float32), (*SIZE, 1)) for c in (hand, cloth)]
    matte = Matte(colours[0], colours[1], everywhere * share, everywhere, everywhere)
    picture = (share * colours[0] + (1.0 - share) * colours[1]).round().astype(np.uint8)
    _, gain = relit(picture, matte, FACE, everywhere, everywhere)
    assert gain.shape == picture.shape and gain.dtype == np.uint8
    return (picture * (gain / RELIT_ONE)).mean((0, 1))


@pytest.mark.parametrize("bright", [1.0, 1.3])
def test_a_hand_in_the_faces_light_stays_as_filmed(bright):
    assert lit(bright * FACE, GREY) == pytest.approx(bright * FACE, abs=1.5)


def test_a_hand_in_shadow_is_brought_up_to_the_face_but_not_wholly():
    for dark in (0.7, 0.4):
        shown = lit(dark * FACE, GREY) / FACE
        assert dark * 1.15 < shown.min() and shown.max() <= dark * MOST_LIFT + 0.02


def test_what_is_bright_of_a_hand_in_shadow_is_not_lifted():
    """A palm below a lamp, of a hand that was dark else, turned white."""
    everywhere = np.ones(SIZE, np.float32)
    hand, cloth = (np.tile(np.asarray(c, np.float32), (*SIZE, 1)) for c in (0.6 * FACE, GREY))
    matte = Matte(hand, cloth, everywhere, everywhere, everywhere)
    picture = np.tile((0.6 * FACE).astype(np.uint8), (*SIZE, 1))
    picture[8:16, 8:16] = 1.2 * FACE
    _, gain = relit(picture, matte, FACE, everywhere, everywhere)
    assert gain[10:14, 10:14] / RELIT_ONE == pytest.approx(1.0, abs=0.02)
    assert gain[2, 2].min() / RELIT_ONE > 1.3


def test_the_colour_of_the_garment_goes_and_that_of_the_hand_stays():
    hue = FACE / FACE.sum()
    cast = 0.85 * FACE + 0.15 * np.array(ORANGE)
    before, after = cast / cast.sum(), lit(cast, ORANGE) / lit(cast, ORANGE).sum()
    assert np.abs(after - hue).max() < 0.5 * np.abs(before - hue).max()
    red = FACE * (1.0, 1.0, 1.1)  # redder than the face, before cloth that throws no colour
    assert lit(red, GREY) / lit(red, GREY).sum() == pytest.approx(red / red.sum(), abs=0.01)


def test_what_a_pixel_has_of_the_cloth_is_taken_out_of_it():
    off = np.abs(lit(FACE, ORANGE, share=0.7) - FACE).max()
    assert off < 0.4 * np.abs(0.7 * FACE + 0.3 * np.array(ORANGE) - FACE).max()


def test_gains_of_two_hands_are_one_with_a_rim_that_changes_nothing():
    gain = np.full((10, 12, 3), RELIT_ONE + 20, np.uint8)
    parts = [((slice(50, 60), slice(40, 52)), gain), ((slice(80, 90), slice(100, 112)), gain)]
    whole = together(parts)
    assert whole is not None and (whole.left, whole.top, whole.gain.shape) == (39, 49, (42, 74, 3))
    assert (whole.gain[1:11, 1:13] == RELIT_ONE + 20).all() and (whole.gain[31:41, 61:73] == RELIT_ONE + 20).all()
    assert (whole.gain == RELIT_ONE).all(2).sum() == 42 * 74 - 2 * 120
    assert together([(parts[0][0], np.full_like(gain, RELIT_ONE + 1))]) is None and together([]) is None


def test_an_arm_takes_the_tone_of_its_hand_and_what_is_far_stays():
    skin = np.full((64, 48, 3), 60.0, np.float32)
    part = (slice(102, 152), slice(58, 118))
    hand = np.tile(FACE, (50, 60, 1))
    sure, near = np.zeros((50, 60), np.float32), np.ones((50, 60), np.float32)
    match(skin, part, hand, sure, near)
    assert (skin == 60.0).all()  # nothing is known of a hand
    sure[20:40, 20:40] = 1.0
    match(skin, part, hand, sure, near)
    assert skin[30, 21] == pytest.approx(60.0 + LIKE_HAND * (FACE - 60.0), abs=0.5)
    skin[25:39, 14:30] = 60.0
    assert (skin == 60.0).all()


def test_bared_skin_takes_the_hue_of_the_face_and_stays_as_bright():
    luma = np.array([0.114, 0.587, 0.299])
    olive = np.tile(np.array([70.0, 120.0, 125.0], np.float32), (4, 4, 1))
    evened = even(olive, FACE)[0, 0]
    assert evened @ luma == pytest.approx(olive[0, 0] @ luma, abs=0.1)
    wanted = FACE * (olive[0, 0] @ luma) / (FACE @ luma)
    assert evened - olive[0, 0] == pytest.approx(HUE_OF_FACE * (wanted - olive[0, 0]), abs=0.1)


def test_nothing_is_changed_beyond_the_hand():
    nowhere, everywhere = np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)
    hand, cloth = (np.tile(np.asarray(c, np.float32), (*SIZE, 1)) for c in (0.5 * FACE, ORANGE))
    picture = np.full((*SIZE, 3), 90, np.uint8)
    colours, gain = relit(
        picture, Matte(hand, cloth, everywhere * 0.5, everywhere, everywhere), FACE, nowhere, everywhere
    )
    assert (gain == RELIT_ONE).all() and np.array_equal(colours, hand)
