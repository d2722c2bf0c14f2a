"""A mood follows brightness, saturation and what is seen."""

import pytest

from models.image.backbone import names
from models.image.box import Box
from models.image.detector import LABELS
from models.image.mood import mood, pleasing
from tests.unit.models.image.drawn import picture, plain, sky


@pytest.mark.parametrize(
    ("image", "word"),
    [(plain("red"), "cheerful"), (sky(), "calm"), (plain((70, 0, 0)), "intense"), (plain((30, 30, 30)), "sombre")],
)
def test_colours_have_the_moods_that_people_gave_them(image, word):
    assert mood(picture(image), [], []).word == word


def test_brighter_is_more_pleasant_and_more_saturated_more_lively():
    dark, bright, vivid = (mood(picture(plain(one)), [], []) for one in ((60, 50, 50), (220, 183, 183), (220, 20, 20)))
    assert dark.pleasure < bright.pleasure
    assert bright.arousal < vivid.arousal


def test_things_shift_pleasure_and_are_named():
    grey = picture(plain("gray"))
    none = mood(grey, [], [])
    pet = mood(grey, [("tabby", 0.9)], [Box("cat", 0.8, 0, 0, 1, 1)])
    gun = mood(grey, [("revolver", 0.9), ("cup", 0.1)], [])
    assert gun.pleasure < none.pleasure < pet.pleasure
    assert (pet.things, gun.things, none.things) == (("tabby", "cat"), ("revolver",), ())


def test_every_thing_is_a_class():
    assert pleasing()[0] | pleasing()[1] <= {*names(), *LABELS}
