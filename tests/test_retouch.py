"""What is known better than the generator says."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.chest import Chest
from mirror.frames import CANVAS_H, CANVAS_W, RELIT_ONE, Landmark, Relit
from mirror.hands import Masks, hands_in_front, hands_of
from mirror.inputs import PersonInputs
from mirror.maps import PERSON_CHANNELS
from mirror.retouch import (
    THROAT_PX,
    as_filmed,
    between_its_ends,
    over_the_rim_of_skin,
    trousers,
    without_bites,
    without_stray_holes,
)
from mirror.steep import as_drawn, to_be_drawn
from tests.fake_samples import fake_landmarks

SKIN = (90, 115, 150)  # BGR
MUSTARD, OF_SKIN, LANYARD = (20, 165, 230), (95, 120, 150), (56, 52, 58)


def holed(*, hand: bool = False, at_edge: bool = False, room: bool = False, end: float = CANVAS_H) -> float:
    """Coverage that is shown in the middle of a hole on the chest, of a person who fills the canvas."""
    coverage, outline = np.zeros((2, CANVAS_H, CANVAS_W), np.float32)
    outline[60:220, 40:150] = coverage[60:220, 40:150] = 1.0
    coverage[110:140, 90:104] = 0.0
    if at_edge:
        coverage[110:140, 40:104] = 0.0
    person = np.zeros((len(PERSON_CHANNELS), 128, 96), np.float32)
    person[PERSON_CHANNELS.index("mask")] = 1.0
    person[PERSON_CHANNELS.index("mask"), int(end / 2) :] = 0.0
    if room:
        person[PERSON_CHANNELS.index("mask"), 58:68, 46:51] = 0.0
    if hand:
        person[PERSON_CHANNELS.index("hand_left"), 66:75, 46:51] = 1.0
    shown = without_stray_holes(coverage, outline, person, end)
    assert np.array_equal(shown[:60], coverage[:60]) and shown[180, 100] == 1.0
    return float(shown[125, 97])


def test_a_hole_on_the_chest_is_closed_unless_something_is_there():
    """A lanyard that is coloured like skin stood in the new garment as a stroke."""
    assert holed() == holed(end=130.0) == 1.0
    assert holed(hand=True) == holed(at_edge=True) == holed(room=True) == 0.0


def filmed(cloth: tuple[int, int, int], skin: np.ndarray) -> np.ndarray:
    return as_filmed(with_a_hand(cloth)[0], skin)


def test_hands_stay_as_filmed_and_skin_is_not_painted_over_skin():
    nothing, all_over = np.zeros((CANVAS_H, CANVAS_W), np.float32), np.ones((CANVAS_H, CANVAS_W), np.float32)
    kept = filmed(MUSTARD, nothing)
    assert kept[PALM][:10, 4:-4].min() > 0.7
    assert kept[40:60, 85:105].max() == 0.0 and kept[160:200, 60:130].max() == 0.0
    kept = filmed(MUSTARD, all_over)
    assert kept[40:60, 85:105].min() == 1.0 and kept[160:200, 60:130].max() == 0.0


def test_the_rim_of_a_neck_is_painted():
    kept = filmed(MUSTARD, np.ones((CANVAS_H, CANVAS_W), np.float32))
    assert kept[73, 85:105].max() < 0.1 and kept[69, 85:105].min() == 1.0


FINGERS = [(slice(118, 134), slice(x, x + 5)) for x in (100, 109, 118)]
GAPS = [(slice(118, 134), slice(x, x + 4)) for x in (105, 114)]
PALM = (slice(134, 150), slice(98, 125))


def with_a_hand(cloth: tuple[int, int, int]) -> tuple[PersonInputs, dict[str, np.ndarray]]:
    """Somebody in one colour with a hand before the chest, and masks of a generator that takes it for one blob."""
    points = np.nan_to_num(fake_landmarks(np.random.default_rng(0)))
    points[Landmark.LEFT_ELBOW, :2] = 150, 190
    points[Landmark.LEFT_WRIST, :2] = 112, 152
    for row in (Landmark.LEFT_INDEX, Landmark.LEFT_PINKY):
        points[row, :2] = 112, 136
    canvas = np.full((CANVAS_H, CANVAS_W, 3), cloth, np.uint8)
    canvas[30:75, 75:117] = SKIN
    for part in (*FINGERS, PALM):
        canvas[part] = SKIN
    masks = {n: np.zeros((CANVAS_H, CANVAS_W), np.float32) for n in ("outline", "room", "coverage", "repair", "bare")}
    masks["colours"] = np.zeros((CANVAS_H, CANVAS_W, 3), np.float32)
    masks["outline"][80:230, 40:160] = masks["coverage"][80:230, 40:160] = 1.0
    masks["coverage"][122:152, 96:127] = 0.0
    masks["repair"][122:152, 96:127] = 1.0
    return PersonInputs(canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), points), masks


def with_a_hand_in_shadow() -> tuple[PersonInputs, dict[str, np.ndarray]]:
    """The same, before mustard, with a hand that has 0.7 of its light."""
    person, masks = with_a_hand(MUSTARD)
    for part in (*FINGERS, PALM):
        person.canvas[part] = (0.7 * np.array(SKIN)).astype(np.uint8)
    return person, masks


def draw_hands(person: PersonInputs, masks: dict[str, np.ndarray]) -> Relit | None:
    skin = np.zeros((64, 48, 3), np.float32)
    return hands_in_front(person, hands_of(person), Masks(**masks), skin)


def test_the_garment_lies_between_fingers_and_fingers_before_it():
    person, masks = with_a_hand(MUSTARD)
    draw_hands(person, masks)
    for finger in FINGERS:
        assert masks["coverage"][finger][1:, 1:-1].mean() < 0.15
    for gap in GAPS:
        assert as_drawn(masks["coverage"][gap][:, 1:-1]).mean() > 0.85
    assert masks["coverage"][PALM][:8].mean() < 0.1
    assert (masks["coverage"][85:110, 60:130] == 1.0).all()


def test_a_hand_before_cloth_of_its_colour_stays_as_the_generator_has_it():
    person, masks = with_a_hand(OF_SKIN)
    before = {name: mask.copy() for name, mask in masks.items()}
    draw_hands(person, masks)
    for name, mask in masks.items():
        assert np.array_equal(mask, before[name]), name


def test_a_finger_in_motion_is_shown_through_as_a_part_and_in_the_colour_of_the_hand():
    """It was covered by the garment, and what was seen of it had the colour of the old one; then it was a mitten."""
    person, masks = with_a_hand(MUSTARD)
    blurred = FINGERS[1]
    person.canvas[blurred] = np.mean([MUSTARD, SKIN], 0)
    light = draw_hands(person, masks)
    assert light is not None
    middle = (slice(124, 133), slice(110, 113))
    drawn = as_drawn(masks["coverage"][middle])
    assert drawn.min() > 0.1 and drawn.max() < 0.6
    gain = light.gain[124 - light.top : 133 - light.top, 110 - light.left : 113 - light.left] / RELIT_ONE
    painted = masks["repair"][middle][..., None]
    shown = painted * masks["colours"][middle] + (1.0 - painted) * person.canvas[middle] * gain
    assert shown.mean((0, 1)) == pytest.approx(SKIN, abs=15)


def test_a_hand_in_the_shadow_is_brought_into_the_light_of_the_face():
    """Palms turned down, in a garment's shadow and of its colour, looked like another person's."""
    person, masks = with_a_hand_in_shadow()
    light = draw_hands(person, masks)
    assert light is not None
    gains = light.gain[139 - light.top : 147 - light.top, 102 - light.left : 121 - light.left] / RELIT_ONE
    assert gains.min() > 1.1 and gains.max() < 1.5
    person, masks = with_a_hand(MUSTARD)
    light = draw_hands(person, masks)
    if light is not None:
        gains = light.gain[139 - light.top : 147 - light.top, 102 - light.left : 121 - light.left] / RELIT_ONE
        assert gains == pytest.approx(1.0, abs=0.05)


def test_the_light_changes_on_hands_alone_and_not_at_the_canvas_rim():
    person, masks = with_a_hand_in_shadow()
    light = draw_hands(person, masks)
    assert light is not None
    gain = np.full((CANVAS_H, CANVAS_W, 3), RELIT_ONE, np.uint8)
    rows, columns = light.gain.shape[:2]
    gain[light.top : light.top + rows, light.left : light.left + columns] = light.gain
    gain[114:154, 94:131] = RELIT_ONE
    assert (gain == RELIT_ONE).all()
    down = CANVAS_H - 152  # as far down that the palm is cut
    moved = PersonInputs(np.roll(person.canvas, down, 0), person.mask, person.landmarks[0] + (0, down))
    masks = {name: np.roll(mask, down, 0) for name, mask in with_a_hand(MUSTARD)[1].items()}
    light = draw_hands(moved, masks)
    if light is not None:
        last = light.gain[: CANVAS_H - light.top][-1].astype(int)
        assert abs(last - RELIT_ONE).max() <= 3


def test_bared_skin_takes_the_tone_of_the_hand():
    person, masks = with_a_hand(MUSTARD)
    skin = np.full((64, 48, 3), 40.0, np.float32)
    hands_in_front(person, hands_of(person), Masks(**masks), skin)
    assert np.abs(skin[36, 27] - SKIN).max() < 0.5 * np.abs(np.subtract(SKIN, 40)).max()
    assert (skin[5, 5] == 40.0).all()


def test_what_is_to_be_drawn_is_drawn():
    share = np.linspace(0.0, 1.0, 11, dtype=np.float32)
    assert as_drawn(to_be_drawn(share)) == pytest.approx(share, abs=1e-5)
    assert as_drawn(np.array([0.0, 1.0], np.float32)).tolist() == [0.0, 1.0]


def test_no_cuff_is_left_between_a_bared_arm_and_its_hand():
    """What a coarse map took for the hand's rim was kept as filmed: the old cuff stood around the wrist as a ring."""
    person, masks = with_a_hand(MUSTARD)
    masks["bare"][150:200, 96:160] = 1.0
    masks["coverage"][150:200, 96:160] = 0.0
    masks["repair"][150:200, 96:160] = 1.0
    masks["repair"][150:156, 98:125] = 0.0
    draw_hands(person, masks)
    cuff, palm = (slice(151, 155), slice(104, 120)), (slice(138, 144), slice(100, 106))
    assert masks["repair"][cuff].min() > 0.8
    assert masks["repair"][palm].max() < 0.1


def test_a_bared_arm_gives_way_to_its_hand_bit_by_bit():
    """Between flat skin that was painted and a hand as filmed stood a line, of the cuff's colours."""
    person, masks = with_a_hand(MUSTARD)
    masks["bare"][150:200, 96:160] = masks["repair"][150:200, 96:160] = 1.0
    masks["coverage"][150:200, 96:160] = 0.0
    masks["repair"][122:150, 98:125] = 0.0
    draw_hands(person, masks)
    along = masks["repair"][138:151, 108:116].mean(1)
    assert along[0] < 0.1 and along[-1] > 0.9
    assert ((along > 0.1) & (along < 0.9)).sum() >= 2


def test_no_gap_is_left_between_a_bared_arm_and_its_hand():
    """The arm's paint ended before the hand: it hung in the air beside it."""
    person, masks = with_a_hand(MUSTARD)
    rows, columns = np.mgrid[:CANVAS_H, :CANVAS_W]
    along = (columns - 112.0 + rows - 152.0) / 2.0
    arm = (along > 6.0) & (along < 36.0) & (abs(columns - 112 - rows + 152) < 16)
    masks["bare"][arm] = masks["repair"][arm] = 1.0
    masks["coverage"][arm] = 0.0
    draw_hands(person, masks)
    gap = (slice(152, 155), slice(117, 121))
    assert as_drawn(masks["coverage"][gap]).max() < 0.3
    assert masks["bare"][gap].min() > 0.7 and masks["repair"][gap].min() > 0.7


def test_what_a_generator_bares_of_a_long_sleeve_is_not_carried_on_to_the_hand():
    person, masks = with_a_hand(MUSTARD)
    masks["bare"][156:170, 110:126] = masks["repair"][156:170, 110:126] = 1.0
    before = masks["coverage"][152:156].copy()
    skin = np.zeros((64, 48, 3), np.float32)
    hands_in_front(person, hands_of(person), Masks(**masks), skin, bares_arms=False)
    assert (masks["coverage"][152:156] >= before - 1e-3).all()


def test_skin_that_is_bared_beside_fingers_gives_way_to_what_lies_there():
    """The generator bared more than a hand, of one in motion a finger's breadth: a rim in the colour of arms."""
    person, masks = with_a_hand(MUSTARD)
    masks["bare"][116:152, 92:131] = masks["repair"][116:152, 92:131] = 1.0
    masks["coverage"][116:152, 92:131] = 0.0
    masks["outline"][:, 125:] = 0.0
    draw_hands(person, masks)
    within, beyond = (slice(119, 132), slice(94, 97)), (slice(119, 132), slice(125, 127))
    assert as_drawn(masks["coverage"][within]).min() > 0.8
    assert masks["bare"][within].max() < 0.2
    assert masks["bare"][beyond].max() < 0.4


def test_a_forearm_that_a_hand_lies_on_stays_bare():
    """Beside fingers there is no skin but theirs, unless an arm is there."""
    person, masks = with_a_hand(MUSTARD)
    person.landmarks[0, Landmark.RIGHT_ELBOW, :2] = 40, 134
    person.landmarks[0, Landmark.RIGHT_WRIST, :2] = 150, 134
    for row in (Landmark.RIGHT_INDEX, Landmark.RIGHT_PINKY):
        person.landmarks[0, row, :2] = 166, 134
    masks["bare"][118:150, 60:150] = masks["repair"][118:150, 60:150] = 1.0
    masks["coverage"][118:150, 60:150] = 0.0
    draw_hands(person, masks)
    assert masks["bare"][130:138, 85:96].min() > 0.9


def test_the_rim_of_a_hand_is_as_dark_as_the_hand_is_beside_it():
    """In the mean colour of all of the hand it stood around its darker edge as a line."""
    person, masks = with_a_hand(MUSTARD)
    dark = 0.75 * np.array(SKIN)
    person.canvas[136:147, 99:109] = dark
    person.canvas[136:147, 98:99] = 0.5 * (np.array(MUSTARD) + dark)
    masks["colours"][:] = dark
    light = draw_hands(person, masks)
    assert light is not None
    beside = (slice(139, 144), slice(100, 103))
    gain = light.gain[139 - light.top : 144 - light.top, 100 - light.left : 103 - light.left] / RELIT_ONE
    filmed = (person.canvas[beside] * gain).mean((0, 1))
    rim = (slice(139, 144), slice(98, 99))
    assert masks["repair"][rim].min() > 0.5
    assert masks["colours"][rim].mean((0, 1)) == pytest.approx(filmed, abs=12)


def test_the_edge_of_a_hand_takes_its_colour():
    """A camera mixes what is beside an edge: a pixel of it had the colour of the old cloth."""
    person, masks = with_a_hand(MUSTARD)
    edge = (slice(136, 146), slice(98, 99))
    person.canvas[edge] = np.mean([MUSTARD, SKIN], 0)
    masks["colours"][:] = MUSTARD
    light = draw_hands(person, masks)
    assert light is not None
    gain = light.gain[136 - light.top : 146 - light.top, 98 - light.left : 99 - light.left] / RELIT_ONE
    painted = masks["repair"][edge][..., None]
    shown = painted * masks["colours"][edge] + (1.0 - painted) * person.canvas[edge] * gain
    assert painted.min() > 0.5
    assert np.abs(shown - SKIN).max() < 0.3 * np.abs(np.subtract(MUSTARD, SKIN)).max()


def test_a_lanyard_beside_a_hand_is_covered():
    """As dark as a hand in shadow, it stood in the new garment wherever a hand was near."""
    worn_before, _ = with_a_hand(MUSTARD)
    worn_before.canvas[110:150, 86:92] = LANYARD
    points = worn_before.landmarks[0].copy()
    points[[Landmark.LEFT_WRIST, Landmark.LEFT_INDEX, Landmark.LEFT_PINKY], 1] += 400.0
    chest = Chest()
    clear = worn_before.canvas.copy()
    for part in (*FINGERS, PALM):
        clear[part] = MUSTARD
    for _ in range(8):
        assert PersonInputs(clear, worn_before.mask, points, chest=chest).before is not None
    _, masks = with_a_hand(MUSTARD)
    masks["coverage"][112:148, 86:92] = 0.0
    draw_hands(PersonInputs(worn_before.canvas, worn_before.mask, worn_before.landmarks[0], chest=chest), masks)
    assert as_drawn(masks["coverage"][115:145, 87:91]).min() > 0.6
    assert masks["coverage"][PALM][:8].mean() < 0.1


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_seen_all_masks_stay_within_their_bounds(seed: int):
    """Where nothing was to be painted, it failed."""
    rng = np.random.default_rng(seed)
    person, masks = with_a_hand((MUSTARD, OF_SKIN, LANYARD)[seed % 3])
    points = person.landmarks[0] + rng.normal(0.0, 12.0, (33, 2)).astype(np.float32)
    if seed % 2:
        person.canvas[rng.integers(0, CANVAS_H, 60), rng.integers(0, CANVAS_W, 60)] = rng.integers(0, 255, (60, 3))
    chest = Chest()
    for _ in range(6):
        seen = PersonInputs(person.canvas, person.mask, points, chest=chest)
        assert seen.before is not None
    draw_hands(seen, masks)
    for name, mask in masks.items():
        assert np.isfinite(mask).all() and mask.min() >= 0.0, name
        assert mask.max() <= (255.0 if name == "colours" else 1.0 + 1e-5), name


@pytest.mark.parametrize("away", [-400.0, 400.0])
def test_hands_beside_the_canvas_change_nothing(away: float):
    person, masks = with_a_hand(MUSTARD)
    points = person.landmarks[0] + np.array([0.0, away], np.float32)
    elsewhere = PersonInputs(person.canvas, person.mask, points)
    before = masks["coverage"].copy()
    draw_hands(elsewhere, masks)
    assert np.array_equal(masks["coverage"], before)


def dressed(below: tuple[int, int, int], stripe: tuple[int, int, int] | None = None) -> np.ndarray:
    """What counts as trousers of somebody in black down to row 215, below in another colour; with a stripe there."""
    canvas = np.full((CANVAS_H, CANVAS_W, 3), (50, 48, 46), np.uint8)
    canvas[30:75, 75:117] = SKIN
    canvas[215:] = below
    if stripe is not None:
        canvas[222:228] = stripe
    points = np.nan_to_num(fake_landmarks(np.random.default_rng(0)))
    return trousers(PersonInputs(canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), points))


def test_trousers_are_told_by_their_colour_below_the_hips():
    jeans, black = dressed((125, 90, 60)), dressed((50, 48, 46))
    assert jeans[225:, 85:107].min() > 0.9 and jeans[:205].max() == 0.0
    assert black.max() == 0.0


def test_a_stripe_along_a_hem_and_bare_legs_are_no_trousers():
    assert dressed((50, 48, 46), stripe=(230, 230, 230)).max() < 0.1
    assert dressed(SKIN)[225:].max() < 0.1


def test_the_hem_of_the_top_in_shadow_is_no_trousers():
    points = np.nan_to_num(fake_landmarks(np.random.default_rng(0)))
    canvas = np.full((CANVAS_H, CANVAS_W, 3), MUSTARD, np.uint8)
    canvas[30:75, 75:117] = SKIN
    canvas[215:] = np.array(MUSTARD) * 0.7
    assert trousers(PersonInputs(canvas, np.ones((CANVAS_H, CANVAS_W), np.float32), points)).max() < 0.1


def test_a_bite_out_of_a_collar_is_closed_where_the_old_garment_is_painted_over():
    warp = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    warp[100:] = 1.0
    bitten = warp.copy()
    bitten[100:106, 50:60] = bitten[100:106, 120:130] = 0.0  # a hood; a lock of hair
    bitten[100:140, 70:95] = warp[100:140, 70:95] = 0.0  # a neckline
    bitten[100:104, 150:180] = 0.0  # too wide for a bite
    repair = np.ones_like(warp)
    repair[:, 115:135] = 0.0
    closed = without_bites(bitten, warp, repair)
    assert closed[100:106, 50:60].min() == 1.0
    bitten[100:106, 50:60] = 1.0
    assert np.array_equal(closed, bitten)


def test_a_repair_reaches_over_the_rim_of_a_throat_and_of_no_hand():
    person, masks = with_a_hand(MUSTARD)
    repair, skin = masks["repair"] * 0.0, np.ones_like(masks["repair"])
    repair[75:85, 80:110] = repair[100:118, 100:123] = 1.0  # a collar below the chin; cloth above the fingers
    wide = over_the_rim_of_skin(person, repair, skin)
    assert wide[75 - THROAT_PX : 75, 85:105].min() > 0.9 and wide[: 75 - THROAT_PX, 85:105].max() == 0.0
    assert wide[120:, 100:123].max() < 0.1
    assert np.array_equal(over_the_rim_of_skin(person, repair, skin * 0.0), repair)


def test_above_collar_and_below_hem_there_is_no_garment_and_behind_a_hand_there_is():
    outline = np.ones((CANVAS_H, CANVAS_W), np.float32)
    coverage = np.zeros_like(outline)
    coverage[90:200] = 1.0
    coverage[120:150] = 0.0
    limited = between_its_ends(outline, coverage)
    assert limited[:90].max() == limited[200:].max() == 0.0 and limited[90:200].min() == 1.0
