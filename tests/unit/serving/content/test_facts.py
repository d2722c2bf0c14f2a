"""Numbers are equal across locales, and what the sheet does not say is refused naming both."""

import random
from datetime import date
from decimal import Decimal

import pytest

from serving.content.facts import wrong
from serving.content.numbers import NoMoney, money, numbers
from serving.content.sheet import Sheet

SHEET = Sheet(
    name="Malt",
    brand="Birke",
    kind="running shoe",
    price="19,99 €",  # type: ignore[arg-type]
    list_price="24,99 €",  # type: ignore[arg-type]
    features=("weighs 210 g", "30 days return", "made of 50% recycled rubber", "a warranty of two years"),
    offer_ends=date(2026, 12, 4),
)


def notations(amount: Decimal) -> list[str]:
    """An amount of euros as shops in several countries write it."""
    plain = f"{amount:.2f}"
    grouped = f"{amount:,.2f}"
    german = grouped.replace(",", "_").replace(".", ",").replace("_", ".")
    written = [f"€{grouped}", f"{german} €", f"{german}\u00a0€", f"EUR {plain}", f"{german} Euro", f"{grouped} EUR"]
    return [*written, f"{german.replace('.', ' ')} €", f"{german.replace('.', chr(8217))} €"]


def test_an_amount_is_the_same_in_every_notation() -> None:
    rng = random.Random(0)
    for _ in range(200):
        amount = Decimal(rng.randrange(1, 10 ** rng.randint(3, 9))) / 100
        for written in notations(amount):
            assert money(written).amount == amount and money(written).currency == "EUR", written


@pytest.mark.parametrize("text", ["19,99", "", "€", "free", "19,99 € or 20 €", "about 19,99 €"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NoMoney, match="19,99 €"):
        money(text)


@pytest.mark.parametrize(
    "text",
    ["€19.99", "19,99 €", "now 20% off", "save €5", "5 € günstiger", "0.21 kg light", "24 months of warranty",
     "2 Jahre Garantie", "a 30-day return", "50% recycled", "until 4 December", "bis 04.12.", "ends Friday",
     "was €24.99", "Malt from Birke \u2013 €19.99", "\u221220% now",
     "a fifth off", "ein F\u00fcnftel weniger", "half a mile", "at 20 percent reduction"],
)  # fmt: skip
def test_what_the_sheet_says_passes_in_other_words(text: str) -> None:
    assert not list(wrong(text, SHEET))


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("€18.99", "money", "19.99 EUR"),
        ("$19.99", "money", "19.99 EUR"),
        ("Malt \u2013 £19.99", "money", "19.99 EUR"),
        ("\u201330%", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("50% off", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("spare 25 %", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("save €10", "discount", "5.00 EUR"),
        ("half price", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("ein Drittel billiger", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("prices cut by 40 percent", "discount", "20% (19.99 EUR after 24.99 EUR)"),
        ("f\u00fcr f\u00fcnfzehn Euro", "money", "19.99 EUR"),
        ("70% recycled", "percent", "made of 50% recycled rubber"),
        ("only 180 g", "quantity", "weighs 210 g"),
        ("three years of warranty", "quantity", "a warranty of two years"),
        ("until Saturday", "date", "2026-12-04"),
        ("until 5 December", "date", "2026-12-04"),
        ("Malt 3", "number", None),
    ],
)
def test_what_it_does_not_say_is_told_with_what_it_says(text: str, kind: str, says: str | None) -> None:
    (found,) = wrong(text, SHEET)
    assert (found.kind, found.text in text) == (kind, True)
    assert says is None or (found.says or "").startswith(says)


def test_thousands_and_decimals_that_cannot_be_told_apart_match_either() -> None:
    (fact,) = numbers("1,299 km")
    assert set(fact.values) == {Decimal(1_299_000_000), Decimal(1_299_000)}
