"""Personal data is masked as people write it; other numbers stay readable."""

import random

import pytest

from features.masking import luhn, masked

SEPARATORS = ("", " ", "-", ".", "\u00a0")


def card(rng: random.Random, length: int) -> str:
    """A number of this length that passes the checksum, built digit by digit from its definition."""
    digits = [rng.choice((3, 4, 5, 6)), *(rng.randrange(10) for _ in range(length - 2))]
    total = sum(2 * d - 9 * (d > 4) if place % 2 == 0 else d for place, d in enumerate(reversed(digits)))
    return "".join(map(str, [*digits, -total % 10]))


def test_cards_of_all_lengths_and_groups_are_masked_and_numbers_that_fail_the_checksum_are_not() -> None:
    rng = random.Random(0)
    for _ in range(300):
        number, gap = card(rng, rng.randint(13, 19)), rng.choice(SEPARATORS)
        written = gap.join(number[at : at + 4] for at in range(0, len(number), 4))
        assert masked(f"Paid with {written}, thanks") == "Paid with [card], thanks", written
        assert luhn(number) and not luhn(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert masked("Order 4111111111111112 is late") == "Order 4111111111111112 is late"


@pytest.mark.parametrize(
    "written",
    [
        "ann@example.com",
        "Ann.B+news@mail.example.co.uk",
        "ann (at) example.com",
        "jürgen@müller.example",
        "ANN@EXAMPLE.ORG",
    ],
)
def test_addresses_are_masked(written: str) -> None:
    assert masked(f"Write to {written} please") == "Write to [email] please"


@pytest.mark.parametrize(
    "written",
    ["+49 30 901820", "+1 (415) 555-2671", "0049 30 901820", "030 901820", "(030) 90 18 20", "0171/1234567",
     "01711234567", "(415) 555-2671", "415-555-2671", "415.555.2671", "+44 20 7946 0958"],
)  # fmt: skip
def test_telephones_are_masked(written: str) -> None:
    assert masked(f"Call {written} now") == "Call [phone] now"


@pytest.mark.parametrize(
    "text",
    ["19,99 €", "€1,299.00", "2026-01-02", "02.01.2026", "on 01/02/2026 at 10:30", "order 1234567", "0.5 l", "50%",
     "room 101", "10.000 Euro", "size 38/40", "v2.13.0", "SKU A-0012345"],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_a_long_text_of_a_pattern_s_own_characters_is_read_in_linear_time() -> None:
    for unit in ("1", "a", "@", "0 ", "+1", "a@", "a.", "(0"):  # a quadratic pattern would run into the test's timeout
        assert masked(unit * 50_000 + " ann@example.com").endswith(" [email]")
