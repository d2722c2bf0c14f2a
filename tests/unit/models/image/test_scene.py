"""A scene is told where tags and things agree on one."""

from models.image.backbone import names, tags
from models.image.box import Box
from models.image.detector import LABELS, detect
from models.image.scene import UNKNOWN, hints, scene
from tests.unit.models.image.drawn import photo, picture, plain


def told(of):
    return scene(tags(of, 1000), detect(of)).name


def test_photographs_have_their_scene():
    assert told(photo("coffee.png")) == "food and drink"
    assert told(photo("motorcycle_left.png")) == "street and traffic"
    assert told(photo("chelsea.png")) == "animals"


def test_what_shows_none_is_unknown():
    assert told(picture(plain("white"))) == UNKNOWN
    assert scene([], []).name == UNKNOWN


def test_two_scenes_alike_are_unknown():
    both = [("espresso", 0.45), ("castle", 0.45)]
    assert scene(both, []).name == UNKNOWN
    assert scene(both, [Box("cup", 0.9, 0, 0, 1, 1)]).name == "food and drink"


def test_every_hint_is_a_class():
    for one in hints().values():
        assert one["tags"] <= set(names())
        assert one["things"] <= set(LABELS)
