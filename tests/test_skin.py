"""Where a person's own skin is: told by the face, against what they wear; and what is remembered of that."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.frames import Landmark
from mirror.maps import MAP_H, MAP_W
from mirror.skin import hand_zones, likeness, palette_of, skin_colour, skin_likeness, thinned
from mirror.worn import Worn
from tests.fake_samples import fake_landmarks

SKIN = np.array([[0.6, 0.45, 0.37, 0.03, 0.03, 0.03]], np.float32)
BLACK, BEIGE = np.array([0.05, 0.05, 0.06], np.float32), np.array([0.62, 0.55, 0.47], np.float32)


def person(seed: int = 0) -> np.ndarray:
    return np.nan_to_num(fake_landmarks(np.random.default_rng(seed)))[None]


HAND = (slice(95, 105), slice(20, 30))
"""Map pixels below the torso, where no clothes are looked at."""


def dressed(cloth: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """A picture (1, 3, 128, 96) in [-1, 1], all of one cloth but for a hand; both are RGB in 0..1."""
    picture = np.full((1, 3, MAP_H, MAP_W), cloth[:, None, None], np.float32)
    picture[0, :, HAND[0], HAND[1]] = hand[:, None, None]
    return picture * 2 - 1


@pytest.mark.parametrize("cloth", [(0.85, 0.62, 0.1), (0.07, 0.07, 0.08), (0.95, 0.95, 0.95), (0.5, 0.2, 0.2)])
@pytest.mark.parametrize("tone", [0.3, 0.55, 0.85])
@pytest.mark.parametrize("light", [0.75, 1.15])
def test_a_hand_is_told_from_the_clothes_by_the_face(tone: float, cloth: tuple[float, ...], light: float) -> None:
    skin = np.array([[tone, tone * 0.75, tone * 0.62, 0.03, 0.03, 0.03]], np.float32)
    found = skin_likeness(dressed(np.array(cloth), skin[0, :3] * light), skin, person())[0, 0]
    assert found[HAND].min() > 0.7
    assert found[:90].max() < 0.25


def test_clothes_of_the_very_colour_of_skin_do_not_speak_against_a_hand() -> None:
    skin = np.array([[0.6, 0.45, 0.37, 0.03, 0.03, 0.03]], np.float32)
    found = skin_likeness(dressed(skin[0, :3], skin[0, :3]), skin, person())[0, 0]
    assert found[HAND].min() > 0.7


@pytest.mark.parametrize("tone", [0.15, 0.45, 0.85])
def test_skin_colour_reads_the_face_whatever_its_tone(tone: float) -> None:
    points = person()
    picture = np.random.default_rng(0).uniform(0, 1, (1, 3, MAP_H, MAP_W)).astype(np.float32)
    x, y = (points[0, [Landmark.LEFT_EYE, Landmark.RIGHT_EYE], :2].mean(0) / 2).astype(int)
    skin = np.array([tone, tone * 0.8, tone * 0.7], np.float32)[:, None, None]
    picture[0, :, y - 12 : y + 22, x - 11 : x + 12] = skin
    picture[0, :, y - 2 : y + 1, x - 8 : x + 9] = 0.05  # dark glasses
    found = skin_colour(picture * 2 - 1, points)[0]
    assert found[:3] == pytest.approx(skin[:, 0, 0], abs=0.03)


def test_what_is_as_narrow_as_a_ribbon_counts_near_hands_only() -> None:
    points = person()
    wrist = (points[0, Landmark.RIGHT_WRIST, :2] / 2).astype(int)
    picture = dressed(BLACK, SKIN[0, :3])
    middle = slice(46, 49)
    picture[0, :, 50:75, middle] = SKIN[0, :3, None, None] * 2 - 1
    beside = slice(wrist[0] - 1, wrist[0] + 2)
    picture[0, :, wrist[1] - 8 : wrist[1] + 8, beside] = SKIN[0, :3, None, None] * 2 - 1
    found = skin_likeness(picture, SKIN, points)[0, 0]
    assert found[55:70, middle].max() < 0.25
    assert found[wrist[1] : wrist[1] + 6, beside].min() > 0.6
    assert found[HAND].min() > 0.7


def test_few_places_in_a_shade_of_skin_are_a_hand_and_no_clothes() -> None:
    """A palm in shadow is farther from the face than many a jumper."""
    shade = np.array([0.42, 0.3, 0.18], np.float32)
    palm = np.broadcast_to(shade[None, :, None, None], (1, 3, 4, 4)) * 2 - 1
    few, all_over = dressed(BLACK, BLACK), dressed(shade, shade)
    few[0, :, 62:70, 50:56] = palm[0, :, :1, :1]
    as_a_hand, as_cloth = (likeness(palm, palette_of(picture, SKIN, person())) for picture in (few, all_over))
    assert as_a_hand.min() > 0.6
    assert as_cloth.max() < 0.2


def test_hands_have_a_place_of_their_own_each() -> None:
    points = person()
    around, fingers = (zone[0] for zone in hand_zones(points))
    for row, name in enumerate(("RIGHT", "LEFT")):
        wrist, index = (points[0, Landmark[f"{name}_{joint}"], :2] / 2 for joint in ("WRIST", "INDEX"))
        tip = wrist + 1.7 * (index - wrist)
        for zone, at, weight in ((around, wrist, 1.0), (fingers, wrist, 0.0), (fingers, tip, 1.0)):
            x, y = np.round(at).astype(int)
            assert zone[row, y, x] == pytest.approx(weight, abs=0.1)
        x, y = np.round(index).astype(int)
        assert around[1 - row, y, x] < 0.1


def test_numpy_and_torch_agree() -> None:
    torch = pytest.importorskip("torch")
    colour = np.random.default_rng(0).uniform(-1, 1, (1, 3, MAP_H, MAP_W)).astype(np.float32)
    skin = np.full((1, 6), 0.3, np.float32)
    for function, given in (
        (skin_colour, (colour, person())),
        (skin_likeness, (colour, skin, person())),
        (lambda *a: hand_zones(*a)[1], (person(),)),
    ):
        expected = function(*given)  # type: ignore[operator]
        found = function(*(torch.from_numpy(x) for x in given))  # type: ignore[operator]
        assert expected.dtype == np.float32
        assert np.abs(found.numpy() - expected).max() < 1e-5


PRINT = (slice(55, 66), slice(38, 58))
"""Map pixels of a print on the chest."""


def printed(*, hands_on_chest: bool) -> tuple[np.ndarray, np.ndarray]:
    """Somebody in black with a beige print; hands hang beside them, or lie on the chest."""
    points = person()
    picture = dressed(BLACK, BLACK)
    picture[0, :, PRINT[0], PRINT[1]] = BEIGE[:, None, None] * 2 - 1
    if hands_on_chest:
        for side, away in (("RIGHT", -1), ("LEFT", 1)):
            points[0, Landmark[f"{side}_WRIST"], :2] = 96 + away * 20, 120
            for joint in ("INDEX", "PINKY"):
                points[0, Landmark[f"{side}_{joint}"], :2] = 96 + away * 4, 120
    return picture, points


def test_a_print_is_known_while_hands_are_before_it() -> None:
    worn = Worn()
    for _ in range(10):
        picture, points = printed(hands_on_chest=False)
        worn.joined(palette_of(picture, SKIN, points))
    picture, points = printed(hands_on_chest=True)
    alone = palette_of(picture, SKIN, points)
    known = worn.joined(alone)
    beige = np.broadcast_to(BEIGE[None, :, None, None], (1, 3, 2, 2)) * 2 - 1
    assert likeness(beige, known).max() < 0.5 * likeness(beige, alone).min()
    hand = np.broadcast_to(SKIN[:, :3, None, None], (1, 3, 2, 2)) * 2 - 1
    assert likeness(hand, known).min() > 0.7


@pytest.mark.parametrize("looks", [0, 2])
def test_what_was_seen_hardly_or_of_somebody_else_is_not_remembered(looks: int) -> None:
    worn = Worn()
    picture, points = printed(hands_on_chest=False)
    for _ in range(10):
        worn.joined(palette_of(picture, SKIN, points))
    worn.forget()
    for _ in range(looks):
        worn.joined(palette_of(picture, SKIN, points))
    hidden = palette_of(*printed(hands_on_chest=True)[:1], SKIN, printed(hands_on_chest=True)[1])
    assert worn.joined(hidden) is hidden


def test_a_thinned_palette_tells_the_same() -> None:
    rng = np.random.default_rng(0)
    picture = (0.4 + 0.03 * rng.normal(size=(1, 3, MAP_H, MAP_W))).astype(np.float32) * 2 - 1
    whole = palette_of(picture, SKIN, person())
    few = thinned(whole)
    assert 3 <= few.cloth.shape[1] < whole.cloth.shape[1]
    colours = rng.uniform(-1, 1, (1, 3, 40, 40)).astype(np.float32)
    assert np.abs(likeness(colours, few) - likeness(colours, whole)).max() < 0.08


def test_of_clothes_that_are_all_hidden_nothing_is_told() -> None:
    hidden = palette_of(dressed(BLACK, BLACK), SKIN, person() + 1000.0)
    assert np.isfinite(likeness(np.zeros((1, 3, 2, 2), np.float32), thinned(hidden))).all()
