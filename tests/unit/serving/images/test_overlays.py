"""Drawings of an analysis show what was found, where it is."""

import numpy as np

from models.image.overlay import GREEN, RED, SIDE, YELLOW
from serving.images.analysis import analyse
from serving.images.overlays import overlays
from tests.unit.models.image.drawn import lettered, picture, plain, sky


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels.astype(int) - colour).max(axis=-1) <= 12


def test_failing_text_is_framed_in_red_and_good_text_in_green():
    image = lettered(sky(), "Fly to the sun", (60, 500), 60, "white")
    found = analyse(picture(lettered(image, "Fares from 49", (60, 100), 50, "black")))
    drawn = overlays(found)
    assert set(drawn) == {"found", *(score.overlay for score in found.scores)}
    text, scale = drawn["text"][:SIDE], SIDE / 640
    red, green = np.nonzero(near(text, RED)), np.nonzero(near(text, GREEN))
    assert 440 * scale < red[0].min() < red[0].max() < 600 * scale
    assert 60 * scale < green[0].min() < green[0].max() < 190 * scale
    assert near(drawn["found"], YELLOW).sum() > 500
    # The palette's strip has the sky's colours below the picture.
    assert drawn["colour"].shape[0] > drawn["text"].shape[0]
    again = overlays(found)
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)


def test_a_picture_of_nothing_can_be_drawn():
    drawn = overlays(analyse(picture(plain("white", 1, 1))))
    assert all(pixels.shape[0] >= SIDE for pixels in drawn.values())
