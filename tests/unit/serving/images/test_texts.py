"""Which readings are held, which count, and which are letters in wheels."""

import numpy as np
import pytest

from models.image.box import Box
from models.image.lettering import TextLine
from models.image.picture import Picture
from serving.images.texts import counted, uncut

PICTURE = Picture(np.zeros((500, 1000, 3), np.uint8), None, "PNG", 1000, 500, 1, "")


def line(text: str, sure: float, top: float = 100, height: float = 40) -> TextLine:
    return TextLine(text, sure, ((100, top), (400, top), (400, top + height), (100, top + height)))


@pytest.mark.parametrize(
    ("read", "held"),
    [
        (line("SALE", 0.95), True),
        (line("-50 %", 0.95), False),
        (line("SALE", 0.7), False),
        (line("OK", 0.99), False),
        (line("photo by example", 0.99, height=12), False),
        (TextLine("UPWARDS", 0.99, ((100, 400), (100, 100), (140, 100), (140, 400))), True),
        (TextLine("upwards, tiny", 0.99, ((100, 400), (100, 100), (112, 100), (112, 400))), False),
    ],
)
def test_sure_texts_of_some_size_are_held(read: TextLine, held: bool) -> None:
    assert [box.label for box in uncut([read], PICTURE)] == [read.text] * held


@pytest.mark.parametrize(
    ("read", "counts"),
    [
        (line("OK", 0.95), True),
        (line("O", 0.8), False),
        (line("SALE", 0.65), True),
        (line("SALE", 0.99, top=5), False),
        (line("SALE", 0.99, top=35), True),
    ],
)
def test_unsure_letters_and_what_is_beside_the_original_do_not_count(read: TextLine, counts: bool) -> None:
    assert bool(counted([read], Box("", 1, 0, 40, 1000, 460))) == counts
