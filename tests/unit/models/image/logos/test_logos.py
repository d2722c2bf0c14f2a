"""Logos are found at any size and turn, partly covered, by their name too; one that is cut off is told."""

import io

import numpy as np
import pytest
import resvg_py
from PIL import Image
from simple_icons_pack import get_icon

from models.image.box import Box
from models.image.lettering import Lettering, TextLine
from models.image.logos import UnknownBrand, logos, of_brand, of_picture
from tests.unit.models.image.drawn import CHINA, PHOTOS, picture, plain

NIKE, STARBUCKS, TARGET = (of_brand(brand) for brand in ("Nike", "Starbucks", "Target"))
MARKS = (NIKE, STARBUCKS, TARGET)


def icon(slug: str, width: int, angle: float = 0) -> Image.Image:
    """An icon's opaque part, turned."""
    drawn = resvg_py.svg_to_bytes(get_icon(slug).svg, width=width, skip_system_fonts=True)
    return Image.open(io.BytesIO(drawn)).convert("RGBA").getchannel("A").rotate(angle, Image.Resampling.BICUBIC, True)


def placed(slug: str, at: tuple[int, int], width: int, colour: str, angle: float = 0, side: int = 540) -> Image.Image:
    """A photograph with an icon on it."""
    with Image.open(CHINA) as photo:
        image = photo.convert("RGB").resize((side, side))
    image.paste(colour, at, icon(slug, width, angle))
    return image


def found(image: Image.Image, marks=MARKS, lettering=None):
    return logos(picture(image), marks, lettering or Lettering())


@pytest.mark.parametrize(
    ("slug", "mark", "width", "colour", "angle"),
    [("starbucks", STARBUCKS, 120, "white", 25), ("target", TARGET, 60, "red", -20), ("nike", NIKE, 130, "yellow", 15)],
)
def test_a_mark_is_found_at_its_place_and_no_other(slug, mark, width, colour, angle):
    (logo,) = found(placed(slug, (60, 330), width, colour, angle))
    assert (logo.brand, logo.by, logo.off, logo.visible) == (mark.brand, "mark", (), 1.0)
    shape = np.argwhere(np.asarray(icon(slug, width, angle)) > 127)
    (top, left), (bottom, right) = shape.min(axis=0), shape.max(axis=0)
    assert logo.box.iou(Box(slug, 1, 60 + left, 330 + top, 60 + right, 330 + bottom)) > 0.75


def test_a_mark_of_which_a_side_is_covered_is_found():
    image = placed("starbucks", (300, 60), 160, "navy")
    image.paste((40, 90, 40), (300, 60, 335, 220))
    (logo,) = found(image)
    assert logo.brand == "Starbucks"
    assert logo.off == ()


def test_a_mark_that_is_partly_off_the_picture_is_told():
    (logo,) = found(placed("starbucks", (440, 200), 140, "white"))
    assert (logo.brand, logo.off) == ("Starbucks", ("right",))
    assert 0.6 < logo.visible < 0.8
    assert logo.box.right > 560


def test_photographs_have_none():
    for name in ("coffee.png", "chelsea.png"):
        with Image.open(PHOTOS / name) as photo:
            assert found(photo.convert("RGB").resize((540, 540))) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (320, 320)])
def test_pictures_of_nothing_have_none(size):
    assert found(plain("teal", *size)) == ()


def test_a_brand_is_found_by_its_name_as_whole_words():
    corners = ((10.0, 20.0), (90.0, 20.0), (90.0, 40.0), (10.0, 40.0))
    lines = [TextLine(text, 0.9, corners) for text in ("Mc Donald's", "visit mcdonalds today", "nikelated")]
    brands = [of_brand("McDonald's"), NIKE]
    (logo,) = found(plain("white"), brands, Lettering(tuple(lines)))
    assert (logo.brand, logo.by, logo.box.place) == ("McDonald's", "name", (10.0, 20.0, 90.0, 40.0))


def test_a_letter_of_a_line_is_no_mark():
    image = placed("target", (200, 330), 60, "red")
    (logo,) = found(image, [TARGET])
    box = logo.box
    wide, narrow = (
        TextLine("a line", 0.9, ((left, box.top), (right, box.top), (right, box.bottom), (left, box.bottom)))
        for left, right in ((box.left - 200, box.right + 100), (box.left - 5, box.right + 5))
    )
    assert found(image, [TARGET], Lettering((wide,))) == ()
    assert found(image, [TARGET], Lettering((narrow,))) == (logo,)


def test_a_logo_of_a_file_is_found_whether_it_is_transparent_or_on_a_ground():
    shape = icon("spotify", 200)
    clear = Image.new("RGBA", shape.size, (30, 215, 96, 0))
    clear.putalpha(shape)
    ground = Image.new("RGB", (240, 240), "white")
    ground.paste("navy", (20, 20), shape)
    for file in (clear, ground):
        (logo,) = found(placed("spotify", (90, 330), 120, "white"), [of_picture("Ours", picture(file))])
        assert logo.brand == "Ours"


def test_an_unknown_brand_and_an_empty_file_are_refused():
    with pytest.raises(UnknownBrand, match="got 'No such brand'"):
        of_brand("No such brand")
    with pytest.raises(UnknownBrand, match="got 'Ours'"):
        of_picture("Ours", picture(plain("white")))


def test_the_same_picture_has_the_same_logos():
    image = placed("nike", (100, 330), 150, "white", 10)
    assert found(image, [NIKE]) == found(image, [NIKE]) != ()
