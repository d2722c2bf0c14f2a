import numpy as np

from models.text.phrasing import NAMES, phrasing


def read(text: str) -> dict[str, float]:
    (row,) = phrasing([text])
    return dict(zip(NAMES, row.tolist(), strict=True))


def test_the_second_sentence_of_a_headline_is_told_apart() -> None:
    found = read("A kid asked for help. Here's what happened next...")
    assert (found["sentences"], found["words_of_last"], found["ellipsis"]) == (2, 4, 1)
    assert (found["young"], found["this"], found["asks"], found["next"]) == (1, 1, 1, 2)


def test_marks_and_beginnings_are_counted() -> None:
    found = read("7 things, or so: (really) - are they?")
    assert (found["starts_with_number"], found["asks_last"], found["full_stop"]) == (1, 1, 0)
    assert (found["commas"], found["colons"], found["brackets"], found["dashes"]) == (1, 1, 1, 1)
    assert read("This works")["starts_with_this"] == 1
    assert read("We don\u2019t know")["negation"] == 1


def test_any_text_has_finite_numbers() -> None:
    assert phrasing([]).shape == (0, len(NAMES))
    assert np.isfinite(phrasing(["", "?!", "42", "\u2602\ufe0f", "word " * 5000])).all()
