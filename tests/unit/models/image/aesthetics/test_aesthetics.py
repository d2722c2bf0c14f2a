"""Composition, colour, quality and clutter say of known pictures what a designer sees."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from models.image.aesthetics.clutter import clutter
from models.image.aesthetics.colour import basic_colours, colours
from models.image.aesthetics.composition import composition
from models.image.aesthetics.quality import quality
from models.image.picture import opened
from tests.unit.models.image.drawn import PHOTOS, photo, picture, plain, png, sky, written


def dot(x: float, y: float, side: int = 300) -> Image.Image:
    """A red dot on light grey, its centre in shares of the side."""
    pixels = np.full((side, side, 3), 220, np.uint8)
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    pixels[np.hypot(across - x * side, down - y * side) < side / 14] = (200, 30, 30)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("x", "y"), [(1 / 3, 1 / 3), (2 / 3, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 2 / 3)])
def test_a_thing_at_a_crossing_of_the_thirds_keeps_the_rule(x, y):
    found = composition(picture(dot(x, y)))
    assert found.thirds > 0.8
    assert np.hypot(found.centre[0] - x, found.centre[1] - y) < 0.05


def test_a_thing_in_the_middle_or_in_a_corner_does_not():
    assert composition(picture(dot(0.5, 0.5))).thirds < 0.2
    assert composition(picture(dot(0.06, 0.06))).thirds < 0.2


def test_balance_falls_with_the_distance_from_the_middle():
    middle, side = (composition(picture(dot(x, 0.5))) for x in (0.5, 0.1))
    assert middle.balance > 0.95 > side.balance + 0.2


def test_a_mirrored_picture_is_symmetric():
    half = np.asarray(Image.open(PHOTOS / "coffee.png").convert("RGB"))[:, :300]
    whole = Image.fromarray(np.hstack([half, half[:, ::-1]]))
    assert composition(picture(whole)).symmetry > 0.98
    assert composition(photo("coffee.png")).symmetry < 0.6


def test_calm_pictures_have_space_and_full_ones_have_clutter():
    calm, full = picture(sky()), photo("brick.png")
    assert composition(calm).space > 0.95
    assert clutter(calm) == 0
    assert composition(full).space < 0.4
    assert clutter(full) > 0.35
    assert clutter(photo("motorcycle_left.png")) > clutter(photo("rocket.jpg"))


def test_a_palette_has_the_colours_with_their_shares():
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:50], pixels[50:80], pixels[80:] = (200, 30, 30), (255, 255, 255), (20, 60, 120)
    found = colours(picture(Image.fromarray(pixels))).palette
    assert [(one.colour, one.name) for one in found] == [("#c81e1e", "red"), ("#ffffff", "white"), ("#143c78", "blue")]
    assert [one.share for one in found] == pytest.approx([0.5, 0.3, 0.2], abs=0.01)


def test_grey_pictures_have_no_hue():
    found = colours(photo("page.png"))
    assert (found.colourfulness, found.warmth, found.harmony, found.template) == (0, 0.5, 1, "")


def test_warm_and_cold_pictures_are_told_apart():
    assert colours(photo("coffee.png")).warmth > 0.95
    assert colours(photo("rocket.jpg")).warmth < 0.3
    assert colours(picture(sky())).warmth == 0


def test_hues_all_around_the_circle_are_less_harmonic_than_two_opposite_ones():
    circle = Image.merge("HSV", [Image.linear_gradient("L"), *[Image.new("L", (256, 256), 200)] * 2]).convert("RGB")
    two = Image.new("RGB", (100, 100), (200, 60, 40))
    two.paste((40, 150, 170), (0, 0, 50, 100))
    found = colours(picture(two))
    assert found.harmony > 0.95
    assert found.template == "opposite hues"
    assert colours(picture(circle)).harmony < 0.75


def test_every_basic_colour_has_associations_with_a_source():
    assert len(basic_colours()) == 11
    assert all(one.examples and one.associations and one.source for one in basic_colours().values())
    assert "trust" in colours(picture(Image.new("RGB", (9, 9), "#1e64c8"))).associations


def test_what_was_done_to_a_photograph_is_told():
    image = Image.open(PHOTOS / "coffee.png").convert("RGB")
    plain = quality(picture(image))
    assert quality(picture(image.filter(ImageFilter.GaussianBlur(3)))).sharpness < plain.sharpness - 0.2
    noisy = np.asarray(image) + np.random.default_rng(0).normal(0, 15, (*image.size[::-1], 3))
    assert quality(picture(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))).noise > plain.noise + 0.2
    assert quality(opened(written(image, "JPEG", quality=8))).blockiness > plain.blockiness + 0.2
    assert quality(picture(image.point(lambda value: max(value - 120, 0)))).dark > plain.dark + 0.2
    assert quality(picture(image.point(lambda value: min(value + 160, 255)))).light > plain.light + 0.2


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 7)])
def test_tiny_and_thin_pictures_have_scores(size):
    small = picture(Image.new("RGB", size, "#c81e1e"))
    scores = [*vars(composition(small)).values(), *vars(quality(small)).values(), clutter(small)]
    assert all(0 <= one <= 1 for one in scores if isinstance(one, float))
    assert colours(small).palette[0].name == "red"


def test_the_same_picture_has_the_same_scores():
    content = png(Image.open(PHOTOS / "coffee.png"))
    first, second = ((colours(one), composition(one), quality(one)) for one in (opened(content), opened(content)))
    assert first == second


def test_a_picture_that_changes_in_one_direction_only_has_a_sharpness():
    image = plain("gray")
    image.paste("white", (0, 0, 320, 160))
    assert quality(picture(image)).sharpness > 0.8
    assert quality(picture(image.filter(ImageFilter.GaussianBlur(8)))).sharpness < 0.5
