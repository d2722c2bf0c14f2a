"""Drawings stand where they should, and their labels do not cover each other."""

import numpy as np

from models.image.overlay import BLUE, GREEN, RED, SIDE, Sketch, plain
from tests.unit.models.image.drawn import picture
from tests.unit.models.image.drawn import plain as even


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels.astype(int) - colour).max(axis=-1) <= 12


def test_a_frame_is_around_its_place_at_any_size():
    drawing = Sketch(picture(even("white", 400, 200)))
    drawing.frame([(100, 50), (300, 50), (300, 150), (100, 150)], RED)
    rows, columns = np.nonzero(near(drawing.done("Title", ["says"])[: SIDE // 2], RED))
    scale = SIDE / 400
    assert abs(columns.min() - 100 * scale) < 5
    assert abs(columns.max() - 300 * scale) < 5
    assert abs(rows.min() - 50 * scale) < 5
    assert abs(rows.max() - 150 * scale) < 5


def test_labels_at_one_place_do_not_cover_each_other():
    one, two = Sketch(picture(even("white", 900, 900))), Sketch(picture(even("white", 900, 900)))
    place = [(400, 400), (500, 400), (500, 440), (400, 440)]
    one.frame(place, BLUE, "a thing that is blue")
    for drawing in (one, two):
        drawing.frame(place, GREEN, "a thing that is green")
    alone, both = (near(drawing.done("", []), GREEN).sum() for drawing in (two, one))
    assert both > 0.9 * alone


def test_a_shade_is_as_strong_as_its_map():
    drawing = Sketch(picture(even("white", 100, 100)))
    drawing.shade(np.array([[False, True]]), RED, most=1.0)
    pixels = drawing.done("", [])
    assert near(pixels[540, 1000], RED)
    assert near(pixels[540, 80], (255, 255, 255))


def test_a_strip_has_colours_as_wide_as_their_shares():
    drawing = Sketch(picture(even("white", 100, 100)))
    drawing.strip([("#ff0000", "red", 0.75), ("#0000ff", "blue", 0.25)])
    strip = drawing.done("", [])[SIDE + 100]
    assert abs(near(strip, (255, 0, 0)).mean() - 0.75) < 0.02
    assert abs(near(strip, (0, 0, 255)).mean() - 0.25) < 0.02


def test_thin_pictures_and_foreign_letters_can_be_drawn():
    for size in ((1, 1), (1, 3000), (3000, 1)):
        drawing = Sketch(picture(even("teal", *size)))
        drawing.frame([(0, 0), (size[0], 0), size, (0, size[1])], RED, "Größe 中 é")
        assert drawing.done("Title", ["a very long line " * 40]).min() >= 0
    assert plain("Größe \u2013 é") == "Gro?e - e"
