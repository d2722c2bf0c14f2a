"""The filter of unsafe pictures answers as the network that it is made of."""

import pytest

from models.image.unsafe import LOOK_FROM, unsafe
from tests.unit.models.image.drawn import photo, picture, plain


@pytest.mark.parametrize(("name", "expected"), [("astronaut.png", 0.0318), ("coffee.png", 0.0130)])
def test_safe_photographs_score_what_the_published_filter_says(name, expected):
    # By the package's own code, which is not imported here.
    assert unsafe(photo(name)) == pytest.approx(expected, abs=0.002)


def test_pictures_of_nothing_are_safe():
    assert unsafe(picture(plain("white", 1, 1))) < LOOK_FROM
    assert unsafe(picture(plain("gray", 1, 3000))) < LOOK_FROM
