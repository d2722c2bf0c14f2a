"""Odd texts come out short and plain, and equal where they say the same."""

import pytest

from models.nlp.cleaning import LONGEST, clean, key


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  a\tb\n\nc ", "a b c"),
        ("tea &amp; coffee", "tea & coffee"),
        ("see https://shop.example/x?y=1 @anna", "see http @user"),
        ("mail anna@shop.example", "mail anna@shop.example"),
        ("\x00a\x1bb\u200b\u202ec", "a bc"),
        ("so good \U0001f600", "so good grinning face"),
        ("\uff21\uff22", "AB"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("", ""),
    ],
)
def test_a_text_is_made_plain(given: str, expected: str) -> None:
    assert clean(given) == expected


def test_a_long_text_is_cut() -> None:
    assert len(clean("word " * 200_000)) <= LONGEST


def test_keys_ignore_punctuation_and_case() -> None:
    assert key("Not BAD, at all!") == key("not bad at all") == "not bad at all"
    assert key("?!... ---") == ""
