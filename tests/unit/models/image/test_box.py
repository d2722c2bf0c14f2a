"""Boxes: areas and overlaps computed by hand, JSON, and what is no box."""

import json

import numpy as np
import pytest

from models.image.box import Box, InvalidBox, from_json, overlaps, places, suppressed, to_json

CUP = Box("cup", 0.5, 0, 0, 10, 10)


def test_overlap_is_the_shared_area_over_both() -> None:
    assert CUP.iou(Box("cup", 1, 5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert CUP.iou(CUP) == 1
    assert CUP.iou(Box("cup", 1, 10, 0, 20, 10)) == 0
    assert Box("point", 1, 3, 3, 3, 3).iou(Box("point", 1, 3, 3, 3, 3)) == 0


def test_union_is_around_both() -> None:
    assert CUP.union(Box("bowl", 0.9, -5, 4, 8, 20)) == Box("cup", 0.9, -5, 0, 10, 20)


def test_moved_and_scaled() -> None:
    assert Box("cup", 1, 1, 2, 3, 4).moved(-1, 10) == Box("cup", 1, 0, 12, 2, 14)
    assert Box("cup", 1, 1, 2, 3, 4).scaled(0.5) == Box("cup", 1, 0.5, 1, 1.5, 2)


def test_clipped_to_the_picture() -> None:
    assert Box("cat", 1, -3, 2, 40, 50).clip(30, 20) == Box("cat", 1, 0, 2, 30, 20)
    assert Box("cat", 1, 50, 2, 60, 9).clip(30, 20).area == 0


def test_json_and_back() -> None:
    boxes = [CUP, Box('"naïve" cup', 0.25, 1.5, 2, 3.25, 4)]
    assert from_json(to_json(boxes)) == boxes
    assert from_json("[]") == []
    assert from_json('[{"label": "a", "left": 0, "top": 0, "right": 2, "bottom": 1}]') == [Box("a", 1, 0, 0, 2, 1)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"left": 9, "right": 3}, "boxes[1].right"),
        ({"top": 4, "bottom": 4}, "boxes[1].bottom"),
        ({"left": "1"}, "boxes[1].left"),
        ({"right": float("nan")}, "boxes[1].right"),
        ({"top": True}, "boxes[1].top"),
        ({"bottom": None}, "boxes[1].bottom"),
        ({"label": " "}, "boxes[1].label"),
        ({"label": 7}, "boxes[1].label"),
        ({"score": 1.5}, "boxes[1].score"),
        ({"xmin": 3}, "boxes[1].xmin"),
    ],
)
def test_what_is_no_box_is_told_by_place_and_field(change: dict[str, object], field: str) -> None:
    right = {"label": "cup", "left": 0, "top": 0, "right": 9, "bottom": 9}
    with pytest.raises(InvalidBox) as told:
        from_json(json.dumps([right, right | change]))
    assert told.value.field == field


@pytest.mark.parametrize("text", ["", "{", '{"label": "cup"}', "[3]", "null"])
def test_what_is_no_list_of_boxes(text: str) -> None:
    with pytest.raises(InvalidBox, match="boxes"):
        from_json(text)


def test_overlaps_of_many_are_those_of_each() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (12, 2))
    boxes = [
        Box("a", 1, *corner, *(corner + size))
        for corner, size in zip(corners, rng.uniform(5, 60, (12, 2)), strict=True)
    ]
    found = overlaps(places(boxes[:5]), places(boxes[5:]))
    assert found.shape == (5, 7)
    assert found == pytest.approx(np.array([[one.iou(other) for other in boxes[5:]] for one in boxes[:5]]))


def test_the_best_of_boxes_that_overlap_is_kept() -> None:
    at = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [100, 0, 110, 10], [0, 1, 10, 11]], dtype=float)
    scores = [0.5, 0.9, 0.1, 0.5]
    assert suppressed(at, scores) == [1, 2]
    assert suppressed(at, scores, ["a", "b", "a", "a"]) == [1, 0, 2]
    assert suppressed(at, scores, most=0.95) == [1, 0, 3, 2]
    assert suppressed(at[:0], []) == []
