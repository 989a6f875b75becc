"""The arithmetic around the pose networks."""

import numpy as np
import pytest

from mirror import pose


@pytest.mark.parametrize(
    ("rim", "turn"), [((100.0, 40.0), 0.0), ((160.0, 100.0), 90.0), ((40.0, 100.0), -90.0), ((100.0, 160.0), -180.0)]
)
def test_the_square_turns_with_the_body(rim, turn):
    roi = pose.roi_of_alignment(np.array([100.0, 100.0]), np.array(rim))
    assert np.degrees(roi.turn) == pytest.approx(turn, abs=1e-6)
    assert roi.side == pytest.approx(2 * 1.25 * 60)
    # the rim point stands straight above the centre in the network's view, whatever the turn
    a = roi.to_picture(256)
    view = np.linalg.inv(a[:, :2]) @ (np.array(rim) - a[:, 2])
    assert view == pytest.approx([127.5, 127.5 - 256 / 2.5])


def test_cut_out_shows_the_square():
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[100:140, 150:190] = 255
    view = pose.cut_out(picture, pose.Roi(169.5, 119.5, 80.0, 0.0), 256)
    assert view[128, 128, 0] == 255 and view[20, 20, 0] == 0
    assert np.isclose((view[..., 0] > 127).mean(), 0.25, atol=0.01)


def test_there_are_as_many_anchors_as_boxes():
    anchors = pose.anchor_centres()
    assert anchors.shape == (2254, 2) and anchors.min() > 0 and anchors.max() < 1
    assert np.allclose(anchors[0], 0.5 / 28) and np.allclose(anchors[-1], 6.5 / 7)


def detection(anchors: np.ndarray, index: int, centre: tuple[float, float], rim: tuple[float, float]) -> np.ndarray:
    row = np.zeros(12, np.float32)
    row[2:4] = 60
    row[4:6] = np.array(centre) - anchors[index] * 224
    row[6:8] = np.array(rim) - anchors[index] * 224
    return row


def test_the_largest_person_comes_first_and_doubles_are_merged():
    anchors = pose.anchor_centres()
    boxes, scores = np.zeros((2254, 12), np.float32), np.full(2254, -9.0, np.float32)
    for index, centre, rim, score in ((100, (40, 60), (40, 40), 3.0), (1700, (150, 120), (150, 60), 2.0)):
        boxes[index], scores[index] = detection(anchors, index, centre, rim), score
    boxes[101], scores[101] = detection(anchors, 101, (42, 60), (42, 40)), 1.0
    rois = pose.detected_rois(boxes, scores, anchors, pose.Roi(111.5, 111.5, 224.0, 0.0))
    assert len(rois) == 2
    assert rois[0].side == pytest.approx(150, abs=1) and rois[0].x == pytest.approx(149.5, abs=0.5)
    assert 39.5 < rois[1].x < 41.5


def test_nobody_where_no_score_is_high():
    anchors = pose.anchor_centres()
    assert pose.detected_rois(np.zeros((2254, 12)), np.full(2254, -3.0), anchors, pose.whole_picture(640, 480)) == []


def test_landmarks_are_drawn_to_the_heatmaps_peak():
    raw = np.zeros((39, 5), np.float32)
    raw[:, :2], raw[:, 3] = 128.0, 4.0
    heatmap = np.full((64, 64, 39), -20.0, np.float32)
    heatmap[33, 31, 0] = 5.0
    points = pose.read_landmarks(raw.ravel(), heatmap)
    assert points[0, :2] == pytest.approx([31 * 4 - 0.5, 33 * 4 - 0.5], abs=0.1)
    assert points[1, :2] == pytest.approx([127.5, 127.5])
    assert points[0, 2] == pytest.approx(1 / (1 + np.exp(-4.0)))
