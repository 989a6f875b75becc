"""The bench of the generator: what counts as a sleeve and as a hand, and the shares made of them."""

import numpy as np
import pytest

from bench.repair import HANDS, Figures, Seen, composite, count_hands, inside, labelled, lifted, read_hands, sleeves
from mirror.frames import CANVAS_H, CANVAS_W, Crop, Fit, Frame, Landmark, Person
from tests.bodies import standing


def seen_person() -> Seen:
    image = np.full((480, 640, 3), 120, np.uint8)
    crop = Crop(np.array([[0.4, 0.0, -30.0], [0.0, 0.4, 10.0]]))
    return Seen(Frame(image, 0.0, 0), Person(np.ones((480, 640), np.float32), standing().landmarks, 0.0, 0.0), crop)


def fit_of(seen: Seen, repair: float, coverage: float) -> Fit:
    painted = np.full((CANVAS_H, CANVAS_W, 4), 90.0, np.float32)
    painted[..., 3] = repair
    flat = np.full((CANVAS_H, CANVAS_W), 1.0, np.float32)
    return Fit(np.zeros((CANVAS_H, CANVAS_W, 2), np.float32), flat * coverage, flat, painted, seen.crop, 0.0)


def test_at_least_thirty_pictures_of_hands_are_labelled() -> None:
    hands = read_hands(HANDS)
    assert sum(len(pictures) for pictures in hands.values()) >= 30
    for pictures in hands.values():
        for polygons in pictures.values():
            assert all(labelled([polygon], (720, 640)).sum() > 100 for polygon in polygons)


def square(left: float, right: float) -> np.ndarray:
    return np.array([[left, left], [right, left], [right, right], [left, right]], np.float32)


def test_a_label_is_filled_to_the_half_of_a_pixel() -> None:
    hand = labelled([square(9.5, 49.5)], (100, 100))
    assert hand[10:50, 10:50].all() and hand.sum() == 40 * 40


def test_hands_that_overlap_leave_no_hole() -> None:
    assert labelled([square(10.0, 30.0), square(20.0, 40.0)], (100, 100))[25, 25]


def test_a_band_around_the_outline_is_left_out_but_not_at_the_rim_of_the_picture() -> None:
    hand = np.zeros((100, 100), bool)
    hand[60:, 10:50] = True
    kept = inside(hand)
    assert kept[61:, 11:49].all() and kept.sum() == 39 * 38


def test_what_is_wrong_on_the_outline_alone_counts_for_whole_hands_only() -> None:
    hand, core = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    hand[10:50, 10:50] = core[11:49, 11:49] = True
    figures, nothing = Figures(), np.zeros_like(hand)
    count_hands(figures.counts["clip", "painted"], ~core, nothing, hand)
    count_hands(figures.counts["clip", "covered"], nothing, ~core, hand)
    count_hands(figures.counts["clip", "lost"], hand, nothing, hand)
    shares = figures.summary()["by_garment"]
    outline = pytest.approx(1.0 - 38**2 / 40**2)
    assert shares["painted"] == {
        "hand_repaired": outline,
        "hand_covered": 0.0,
        "hand_repaired_inside": 0.0,
        "hand_covered_inside": 0.0,
    }
    assert shares["covered"]["hand_covered"] == outline and shares["covered"]["hand_covered_inside"] == 0.0
    assert shares["lost"]["hand_repaired"] == shares["lost"]["hand_repaired_inside"] == 1.0


def test_sleeves_lie_along_the_arms_and_never_on_hands() -> None:
    seen = seen_person()
    whole, upper = sleeves(seen, 0.85), sleeves(seen, 0.0)
    points = seen.person.landmarks[:, :2]
    elbow, wrist = points[Landmark.LEFT_ELBOW], points[Landmark.LEFT_WRIST]
    x, y = np.round(elbow + 0.4 * (wrist - elbow)).astype(int)
    assert whole[y, x] and not upper[y, x]
    x, y = np.round(points[Landmark.LEFT_INDEX]).astype(int)
    assert not whole[y, x]
    assert upper.sum() > 100 and (whole & upper).sum() == upper.sum()


@pytest.mark.parametrize(("repair", "coverage"), [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_what_is_painted_and_covered_is_found_on_camera_pixels(repair: float, coverage: float) -> None:
    seen = seen_person()
    painted, covered = lifted(fit_of(seen, repair, coverage), (640, 480))
    assert painted[240, 320] == (repair > 0.5) and covered[240, 320] == (coverage > 0.5)


def test_the_composite_repairs_nothing() -> None:
    seen = seen_person()
    plain = composite(fit_of(seen, 1.0, 1.0), seen)
    assert plain.repair is None and np.allclose(plain.shading, 1.0, atol=0.05)


def test_shares_and_the_ratio_of_flicker() -> None:
    figures = Figures()
    counts = figures.counts["clip", "tee"]
    counts["sleeve_repaired"][:] = [90.0, 100.0]
    counts["flicker_levels"][:], counts["flicker_levels_composite"][:] = [3.0, 2.0], [4.0, 2.0]
    figures.counts["clip", "tank"]["sleeve_repaired"][:] = [10.0, 100.0]
    summary = figures.summary()
    assert summary["all"]["sleeve_repaired"] == pytest.approx(0.5)
    assert summary["all"]["flicker_ratio"] == pytest.approx(0.75)
    assert summary["by_garment"]["tank"]["sleeve_repaired"] == pytest.approx(0.1)
