"""What counts as a value of a kind."""

import pytest

from models.inputs import is_right


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("https://shop.example/malt.jpg", True),
        ("s3://pictures/malt.jpg", True),
        ("data:image/png;base64,", True),
        ("malt.jpg", False),
        ("", False),
        (7.0, False),
        ("https://[half/malt.jpg", False),
        ("https://half]/malt.jpg", False),
    ],
)
def test_a_uri_has_a_scheme_and_can_be_parsed(value: object, right: bool) -> None:
    assert is_right("uri", value) is right
