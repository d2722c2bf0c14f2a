"""Text in pictures is found, read and measured."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.image.lettering import Lettering, lettering
from models.image.picture import opened
from tests.unit.models.image.drawn import lettered, photo, picture, plain, png


def test_lines_are_read_from_top_to_bottom_where_they_stand():
    image = lettered(plain("navy", 900, 600), "Wake up to fresh coffee", (60, 60), 60, "white")
    found = lettering(picture(lettered(image, "Terms apply. Offer ends 31.12.", (60, 560), 15, "lightgray")))
    assert found.text == "Wake up to fresh coffee\nTerms apply. Offer ends 31.12."
    assert all(line.confidence > 0.95 for line in found.lines)
    (left, top), _, (right, bottom), _ = found.lines[0].corners
    assert 40 < left < 65
    assert 40 < top < 75
    assert 660 < right < 760
    assert 115 < bottom < 140
    assert 0.06 < found.share < 0.15


@pytest.mark.parametrize("angle", [90, 270, 20, -20])
def test_slanted_and_upended_lines_are_read(angle):
    text = Image.new("RGBA", (420, 70))
    ImageDraw.Draw(text).text((10, 5), "Spring sale", font=ImageFont.load_default(60), fill="black")
    turned = text.rotate(angle, expand=True)
    image = plain("white", 600, 600)
    image.paste(turned, (80, 80), turned)
    assert lettering(picture(image)).text == "Spring sale"


def test_letters_beyond_ascii_are_read():
    import matplotlib

    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 40)
    image = plain("white", 900, 240)
    ImageDraw.Draw(image).text((30, 30), "Größe für 5 €, déjà vu", font=font, fill="black")
    assert lettering(picture(image)).text == "Größe für 5 €, déjà vu"


def test_corners_are_of_the_whole_picture_also_where_it_was_reduced():
    content = png(lettered(plain("navy", 1800, 1200), "Fresh coffee", (200, 600), 150, "white"))
    whole, reduced = lettering(opened(content)), lettering(opened(content, 600))
    assert whole.text == reduced.text == "Fresh coffee"
    assert np.abs(np.array(whole.lines[0].corners) - np.array(reduced.lines[0].corners)).max() < 25
    assert whole.share == pytest.approx(reduced.share, rel=0.15)


@pytest.mark.parametrize("image", [plain("white", 1, 1), plain("gray", 1, 3000), plain("gray", 3000, 1), plain("teal")])
def test_a_picture_without_text_has_none(image):
    assert lettering(picture(image)) == Lettering()


def test_photographs_without_text_have_none():
    assert lettering(photo("coffee.png")).lines == lettering(photo("rocket.jpg")).lines == ()


def test_a_shape_like_a_character_is_none_and_a_digit_is_one():
    image = plain("black", 400, 400)
    pen = ImageDraw.Draw(image)
    pen.ellipse((100, 100, 300, 300), fill="white")
    for top in (150, 190, 230):
        pen.arc((140, top, 260, top + 60), 200, 340, fill="black", width=16)
    wide = plain("black", 1000, 1000)
    wide.paste(image, (500, 500))
    assert lettering(picture(wide)).lines == ()
    assert lettering(picture(lettered(plain("navy", 900, 900), "9", (300, 300), 100, "white"))).text == "9"
