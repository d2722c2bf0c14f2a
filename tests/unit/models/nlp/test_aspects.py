"""What of a text is about one brand."""

import pytest

from models.nlp.aspects import about


@pytest.mark.parametrize(
    ("text", "aspect", "expected"),
    [
        ("Nike fits, Adidas fell apart", "Nike", "it fits"),
        ("Nike fits, Adidas fell apart", "Adidas", "it fell apart"),
        ("nike fits but adidas fell apart", "Adidas", "it fell apart"),
        ("I love Nike and hate Adidas", "Nike", "I love it"),
        ("Nike and Adidas are both great", "Adidas", "Nike and it are both great"),
        (
            "Got the Nike shoes. They are great! Adidas was sold out.",
            "Nike",
            "Got the it shoes, They are great",
        ),
        ("The camera is superb but the battery dies fast", "battery", "the it dies fast"),
        ("Nike: arrived broken, again", "Nike", "it: arrived broken, again"),
        ("Arrived broken, @Nike", "nike", "Arrived broken, @it"),
        ("Nike! Worst shoes ever", "Nike", "it! Worst shoes ever"),
        ("no brand here", "Nike", "no brand here"),
        ("a plain text, with a comma", None, "a plain text, with a comma"),
        ("C++ (fast), Java (slow)", "C++", "it (fast)"),
    ],
)
def test_clauses_about_a_brand(text: str, aspect: str | None, expected: str) -> None:
    assert about(text, aspect) == expected
