"""What a turn names is found as it was written, and nothing else."""

from datetime import date

import pytest

from serving.conversations.dates import days, written
from serving.conversations.shop import Shop
from serving.conversations.slots import found

SUNDAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on Tuesday please", "2026-12-01"),
        ("no, Sunday", "2026-12-06"),
        ("nein, Dienstag", "2026-12-01"),
        ("tomorrow", "2026-11-30"),
        ("übermorgen", "2026-12-01"),
        ("the day after tomorrow", "2026-12-01"),
        ("guten Morgen", None),
        ("am 14. März", "2027-03-14"),
        ("March 14th, 2027", "2027-03-14"),
        ("1.12.", "2026-12-01"),
        ("2026-12-24", "2026-12-24"),
        ("3/4", None),
        ("31 February", None),
        ("not Monday but Tuesday", "2026-12-01"),
        ("Dienstag statt Montag", "2026-12-01"),
    ],
)
def test_days(shop: Shop, text: str, day: str | None) -> None:
    assert found(text, shop, SUNDAY).get("date") == day


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("two pairs", "quantity", "2"),
        ("ich nehme drei", "quantity", "3"),
        ("40 pieces, please", "quantity", "40"),
        ("in size 42", "quantity", None),
        ("it was 89,90 €", "quantity", None),
        ("order 1048231", "order", "1048231"),
        ("order 1048231", "quantity", None),
        ("#AB-1048231", "order", "AB-1048231"),
        ("my card is 4111 1111 1111 1111", "order", None),
        ("my card is 4111111111111111", "order", None),
        ("mail me at anna.b@shop.example.", "email", "anna.b@shop.example"),
        ("the trail runner", "product", "Trail Runner"),
        ("the jackets", "product", "Storm Jacket"),
        ("a running shoe", "product", None),
        ("not the Trail Runner but the City Runner", "product", "City Runner"),
    ],
)
def test_other_slots(shop: Shop, text: str, name: str, value: str | None) -> None:
    assert found(text, shop, SUNDAY).get(name) == value  # type: ignore[call-overload]


def test_a_day_is_written_in_the_language() -> None:
    assert written(date(2026, 12, 1), "en") == "Tuesday, 1 December 2026"
    assert written(date(2027, 3, 14), "de") == "Sonntag, 14. März 2027"


def test_a_long_text_is_read_in_linear_time(shop: Shop) -> None:
    assert days("1." * 5000, SUNDAY) == []
    assert found("a@" * 5000 + "1 " * 5000, shop, SUNDAY).get("email") is None
