"""Average precision, computed by hand."""

import numpy as np
import pandas as pd
import pytest

from models.image.box import Box, to_json
from models.vision.boxes.precision import ap50, mean_precision

ONE = np.ones((1, 2))


def at(place: float, score: float = 1.0, label: str = "cup") -> Box:
    return Box(label, score, place, 0, place + 10, 10)


def test_the_right_boxes_first_are_perfect() -> None:
    drawn = [[at(0), at(50)], [at(0)]]
    found = [[at(0, 0.9), at(51, 0.8), at(100, 0.1)], [at(1, 0.7)]]
    assert mean_precision(drawn, found, ONE) == pytest.approx(1.0)


def test_a_wrong_box_between_costs_precision_after_it() -> None:
    # Hits at ranks 1, 3 and 4 of three drawn: precision 1, then the best later one, 3/4, twice.
    drawn = [[at(0), at(50)], [at(0)]]
    found = [[at(0, 0.9), at(100, 0.8), at(50, 0.7)], [at(0, 0.6)]]
    assert mean_precision(drawn, found, ONE) == pytest.approx((1 + 0.75 + 0.75) / 3)


def test_what_is_not_found_and_what_is_found_twice() -> None:
    drawn = [[at(0), at(50)], []]
    found = [[at(0, 0.9), at(1, 0.8)], []]
    assert mean_precision(drawn, found, ONE) == pytest.approx(0.5)
    assert mean_precision(drawn, [[], []], ONE) == pytest.approx(0.0)


def test_an_overlap_below_a_half_is_elsewhere() -> None:
    assert at(0).iou(at(4)) == pytest.approx(6 / 14)
    assert mean_precision([[at(0)], []], [[at(4)], []], ONE) == pytest.approx(0.0)


def test_labels_count_alike_and_other_labels_do_not_match() -> None:
    drawn = [[at(0), at(50, label="bowl")], []]
    found = [[at(0, 0.9), at(50, 0.9)], []]
    assert mean_precision(drawn, found, ONE) == pytest.approx((1 + 0) / 2)


def test_weights_are_how_often_a_picture_was_drawn() -> None:
    drawn, found = [[at(0)], [at(0)]], [[at(0, 0.5)], [at(50, 0.9)]]
    thrice = mean_precision(
        [drawn[0], drawn[0], drawn[0], drawn[1]], [found[0], found[0], found[0], found[1]], np.ones((1, 4))
    )
    assert mean_precision(drawn, found, np.array([[3.0, 1.0]])) == pytest.approx(thrice)
    assert mean_precision(drawn, found, np.array([[1.0, 0.0]])) == pytest.approx(1.0)
    assert np.isnan(mean_precision([[], []], found, ONE)).all()


def test_only_pictures_whose_boxes_are_told_count() -> None:
    truth = pd.DataFrame({"boxes": [to_json([at(0)]), None, "[]"]})
    answers = pd.DataFrame({"boxes": [to_json([at(0, 0.5)]), to_json([at(0, 0.9)]), to_json([at(0, 0.4)])]})
    assert ap50().measure(truth, answers) == pytest.approx(1.0)
    assert np.isnan(ap50().measure(truth[1:2], answers[1:2]))
