"""The bench of the generator: what counts as a sleeve and as a hand, and the shares made of them."""

import numpy as np
import pytest

from bench.repair import HANDS, Figures, Seen, composite, labelled, lifted, read_hands, sleeves
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


def test_a_label_is_drawn_in() -> None:
    square = [np.array([[10, 10], [50, 10], [50, 50], [10, 50]], np.int32)]
    inside = labelled(square, (100, 100))
    assert inside[30, 30] and not inside[11, 30] and not inside[5, 5]


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
