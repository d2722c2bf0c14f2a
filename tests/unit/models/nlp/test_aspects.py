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
        # Of a text that names one brand, all is about it.
        ("Runfast arrived broken. Awful support.", "Runfast", "it arrived broken. Awful support."),
        ("Arrived broken, awful. Runfast, never again!", "Runfast", "Arrived broken, awful. it, never again!"),
        ("runfast fits, looks great. Recommended", "Runfast", "it fits, looks great. Recommended"),
        ("Nike Pegasus 41 is light. The laces frayed", "Nike", "it Pegasus 41 is light. The laces frayed"),
        (
            "Runfast is fine. Shipping took weeks in May, I'm angry",
            "runfast",
            "it is fine. Shipping took weeks in May, I'm angry",
        ),
        ("Apple is great. Disappointing battery", "Apple", "it is great. Disappointing battery"),
        # Another subject is named.
        ("Runfast arrived broken. Adidas never did.", "Runfast", "it arrived broken"),
        ("Runfast arrived broken. Awful support. Apple is better", "Runfast", "it arrived broken"),
        ("Runfast fits, adidas fell apart", "Runfast", "it fits"),
        ("Runfast arrived broken. So I bought Nike, great support.", "Runfast", "it arrived broken"),
        ("Runfast fits. My Velora fell apart. Awful support.", "Velora", "My it fell apart"),
        ("The camera is superb. Awful battery.", "camera", "The it is superb"),
    ],
)
def test_clauses_about_a_brand(text: str, aspect: str | None, expected: str) -> None:
    assert about(text, aspect) == expected
