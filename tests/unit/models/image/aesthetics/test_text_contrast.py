"""Contrast of text: what people cannot read is below 4.5:1, wherever it stands."""

import numpy as np
import pytest
from PIL import Image

from models.image.aesthetics.text_contrast import TextContrast, ratio_of, text_contrast
from models.image.lettering import lettering
from tests.unit.models.image.drawn import CHINA, lettered, picture, sky


def contrast(image: Image.Image) -> TextContrast:
    seen = picture(image)
    (line,) = lettering(seen).lines
    return text_contrast(seen, line)


def test_ratios_are_those_of_the_guidelines():
    white = np.array([255, 255, 255])
    assert ratio_of(white, np.zeros(3)) == pytest.approx(21)
    assert ratio_of(white, white) == 1
    assert ratio_of(np.array([0x76] * 3), white) == pytest.approx(4.54, abs=0.01)
    assert ratio_of(white, np.array([0, 0, 255])) == pytest.approx(8.59, abs=0.01)


@pytest.mark.parametrize("size", [28, 64])
def test_white_text_on_a_light_sky_is_not_enough_and_its_place_is_known(size):
    found = contrast(lettered(sky(), "Summer sale", (60, 520), size, "white"))
    assert found.ratio == pytest.approx(1.4, abs=0.2)
    assert not found.enough
    xs, ys = zip(*found.line.corners, strict=True)
    assert 40 <= min(xs) <= 66
    assert 505 <= min(ys) <= 540


@pytest.mark.parametrize("size", [28, 64])
def test_black_text_on_it_is_enough(size):
    found = contrast(lettered(sky(), "Summer sale", (60, 520), size, "black"))
    assert found.ratio > 11
    assert found.enough
    assert found.letters < "#0c"


@pytest.mark.parametrize(
    ("ink", "paper", "ratio"),
    [
        ("#ffffff", "#767676", 4.54),
        ("#ffff00", "#ffffff", 1.07),
        ("#ff0000", "#00ff00", 2.91),
        ("#777777", "#000000", 4.69),
    ],
)
def test_ratios_of_drawn_text_are_those_of_its_colours(ink, paper, ratio):
    found = contrast(lettered(Image.new("RGB", (640, 200), paper), "Fresh malt", (40, 50), 72, ink))
    assert found.ratio == pytest.approx(ratio, rel=0.05)


def test_the_worst_part_of_a_line_counts():
    """Half of the text stands on black, where it is easily read, and half on a light grey."""
    image = Image.new("RGB", (900, 200), "black")
    image.paste((215, 215, 215), (450, 0, 900, 200))
    found = contrast(lettered(image, "Fresh malt and hops", (60, 60), 72, "white"))
    assert found.ratio < 1.8


def test_white_letters_over_a_photograph_are_not_taken_for_what_is_behind_them():
    """They stand on the sky of a photograph, into which the top of a palace reaches."""
    with Image.open(CHINA) as photo:
        image = photo.convert("RGB").resize((1080, 720))
    found = contrast(lettered(image, "See the palaces of Beijing", (60, 60), 60, "white"))
    # The sky there is lightest at the end of the line, where white has 1.17:1.
    assert found.ratio == pytest.approx(1.17, abs=0.08)
    assert found.letters > "#f8"


def test_slanted_text_is_straightened_first():
    image = lettered(Image.new("RGB", (700, 500), "white"), "Summer sale", (120, 200), 72, "#999999")
    found = contrast(image.rotate(20, fillcolor="white", resample=Image.Resampling.BICUBIC))
    assert found.ratio == pytest.approx(2.85, rel=0.1)
