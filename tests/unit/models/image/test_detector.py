"""The packaged detector: what is in real photographs, whatever their size."""

import hashlib
import io
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from models.image.box import Box, from_json, overlaps, places, to_json
from models.image.detector import LABELS, SHA256, decoded, detect, letterboxed, things
from models.image.picture import Picture, opened

PHOTOS = Path(skimage.__file__).parent / "data"


def photo(name: str) -> Picture:
    return opened((PHOTOS / name).read_bytes())


def changed(picture: Picture, width: int, height: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture.pixels).resize((width, height)).save(file, "PNG")
    return opened(file.getvalue())


def labelled(boxes: list[Box]) -> list[str]:
    return [box.label for box in boxes]


@pytest.mark.parametrize(
    ("name", "label", "place"),
    [
        ("motorcycle_left.png", "motorcycle", (100, 70, 690, 455)),
        ("astronaut.png", "person", (15, 10, 365, 510)),
        ("chelsea.png", "cat", (0, 0, 445, 300)),
    ],
)
def test_what_a_photograph_shows_comes_first(name, label, place):
    best = detect(photo(name))[0]
    assert best.label == label
    assert best.iou(Box(label, 1, *place)) > 0.85


def test_a_cup_is_found_beside_its_table():
    found = detect(photo("coffee.png"), 0.25)
    assert labelled(found) == ["dining table", "cup"]
    assert found[1].iou(Box("cup", 1, 172, 22, 414, 300)) > 0.8


def test_nothing_is_seen_in_a_rocket_at_night():
    assert detect(photo("rocket.jpg")) == []


def test_the_highest_scores_come_first_and_each_time_the_same():
    picture = photo("coffee.png")
    found = detect(picture, 0.1)
    assert [box.score for box in found] == sorted((box.score for box in found), reverse=True)
    assert detect(picture, 0.1) == found
    assert all(0.1 <= box.score <= 1 and box.label in LABELS for box in found)


def test_a_place_has_one_label():
    at = places(detect(photo("motorcycle_left.png"), 0.1))
    assert (overlaps(at, at) - np.eye(len(at))).max() <= 0.8


def test_where_things_are_is_told_of_what_has_no_class():
    found = things(photo("coins.png"), 0.1)
    coin = Box("coin", 1, 81, 38, 120, 76)
    assert max(coin.iou(box) for box in found) > 0.75
    assert len(found) >= 15
    assert len(things(photo("coins.png"), 0.1, most=4)) == 4


def test_boxes_are_in_pixels_of_the_whole_picture_however_it_was_reduced():
    content = (PHOTOS / "astronaut.png").read_bytes()
    whole, reduced = (detect(opened(content, longest))[0] for longest in (None, 256))
    assert reduced.label == whole.label == "person"
    assert reduced.iou(whole) > 0.9


def test_no_box_is_empty_however_unlikely():
    picture = changed(photo("coffee.png"), 600, 60)  # most cells see the padding
    found = [*detect(picture, 0), *things(picture, 0, 4000)]
    assert len(found) > 500
    assert from_json(to_json(found)) == found


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (64, 40)])
def test_any_size_is_read(size):
    for box in things(changed(photo("chelsea.png"), *size), 0.01):
        assert 0 <= box.left <= box.right <= size[0]
        assert 0 <= box.top <= box.bottom <= size[1]


def test_a_huge_picture_is_read_like_a_small_one():
    small = photo("motorcycle_left.png")
    pixels = small.pixels.repeat(8, axis=0).repeat(8, axis=1)
    huge = replace(small, pixels=pixels, width=pixels.shape[1], height=pixels.shape[0])
    best = detect(huge)[0]
    assert best.label == "motorcycle"
    assert Box("", 1, *(edge / 8 for edge in best.place)).iou(detect(small)[0]) > 0.9


def test_it_is_letterboxed_in_the_middle():
    read, (left, top, width, height) = letterboxed(np.full((100, 200, 3), 255, np.uint8))
    assert (left, top, width, height) == (0, 104, 416, 208)
    assert read.shape == (1, 3, 416, 416)
    assert not read[:, :, :104].any() and not read[:, :, 312:].any()
    assert read[0, :, 200, 200] == pytest.approx(
        [(255 - 103.53) / 57.375, (255 - 116.28) / 57.12, (255 - 123.675) / 58.395]
    )


def test_distances_are_the_means_of_their_distributions():
    cells = (2704, 676, 169)
    told = {f"Identity{end}": np.zeros((1, count, 80)) for end, count in zip(("", "_1", "_2"), cells, strict=True)}
    told |= {f"Identity_{end}": np.zeros((1, count, 44)) for end, count in zip((3, 4, 5), cells, strict=True)}
    told["Identity_4"][0, 27] = np.tile(np.eye(11)[3] * 1000, 4)  # second row, second column: three cells away from it
    at, scores = decoded(told)
    assert scores.shape == (3549, 80)
    assert at[2704 + 27] == pytest.approx([24 - 48, 24 - 48, 24 + 48, 24 + 48])
    assert at[0] == pytest.approx([4 - 40, 4 - 40, 4 + 40, 4 + 40])  # even ones are 5 bins away


def test_the_licences_are_beside_the_weights():
    told = (files("models.image") / "LICENCES.txt").read_text()
    content = (files("models.image") / "nanodet_416_fp16.onnx").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert all(
        name in told for name in (SHA256, "Apache License 2.0", "MIT License", "Copyright (c) 2021 Vladimir Mandic")
    )
