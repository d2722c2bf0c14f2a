"""Traits: all that a picture shows, also as numbers that models read."""

import math

from PIL import Image

from models.image.traits import traits
from tests.unit.models.image.drawn import lettered, photo, picture, sky


def test_numbers_have_the_same_names_for_every_picture():
    seen, written = photo("coffee.png"), picture(lettered(sky(), "Summer sale", (60, 520), 64, "white"))
    cup, text, dot = (traits(one) for one in (seen, written, picture(Image.new("RGB", (1, 1)))))
    assert list(cup.numbers()) == list(text.numbers()) == list(dot.numbers())
    assert all(math.isfinite(one) for found in (cup, text, dot) for one in found.numbers().values())
    assert cup.numbers()["text_contrast"] == 21
    assert text.numbers()["text_contrast"] < 2
    assert text.numbers()["text_share"] > 0.03
    assert traits(seen).numbers() == cup.numbers()


def test_a_person_and_the_face_are_found():
    found = traits(photo("astronaut.png"))
    assert "person" in {one.label for one in found.things}
    assert found.numbers()["faces"] == 1
