"""Numbers as texts write them in any locale: 19,99 € is €19.99, 1.299 km are 1,299 km, two years are 24 months."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

Kind = Literal["money", "discount", "percent", "quantity", "date", "number"]

_CURRENCIES = {
    "EUR": ("€", "eur", "euro", "euros"),
    "USD": ("US$", "$", "usd", "dollar", "dollars", "bucks"),
    "GBP": ("£", "gbp", "pounds", "pound sterling", "quid"),
    "CHF": ("chf", "fr.", "franken"),
}
_CURRENCY = {written.lower(): code for code, all_ in _CURRENCIES.items() for written in all_}
#: Dimension and size of each unit, by how it is written in English and German.
_UNITS: dict[tuple[str, str], tuple[str, ...]] = {
    ("mass", "0.001"): ("mg", "milligram", "milligrams", "milligramm"),
    ("mass", "1"): ("g", "gram", "grams", "gramm"),
    ("mass", "1000"): ("kg", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"),
    ("volume", "1"): ("ml", "millilitre", "millilitres", "milliliter", "milliliters"),
    ("volume", "1000"): ("l", "litre", "litres", "liter", "liters"),
    ("length", "1"): ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    ("length", "10"): ("cm", "centimetre", "centimetres", "centimeter", "centimeters", "zentimeter"),
    ("length", "1000"): ("m", "metre", "metres", "meter", "meters"),
    ("length", "1000000"): ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
    ("minutes", "1"): ("min", "minute", "minutes", "minuten"),
    ("minutes", "60"): ("h", "hour", "hours", "stunde", "stunden"),
    ("minutes", "1440"): ("day", "days", "tag", "tage", "tagen"),
    ("minutes", "10080"): ("week", "weeks", "woche", "wochen"),
    ("months", "1"): ("month", "months", "monat", "monate", "monaten"),
    ("months", "12"): ("year", "years", "yr", "yrs", "jahr", "jahre", "jahren"),
    ("watts", "1"): ("w", "watt", "watts"),
    ("watt-hours", "1000"): ("kwh",),
    ("charge", "1"): ("mah",),
    ("bytes", "1"): ("mb",),
    ("bytes", "1000"): ("gb",),
    ("bytes", "1000000"): ("tb",),
    ("stars", "1"): ("star", "stars", "stern", "sterne", "sternen"),
    ("pieces", "1"): ("piece", "pieces", "pcs", "stück", "teile", "teilig"),
    ("people", "1"): ("people", "customers", "users", "women", "men", "kunden", "kundinnen", "nutzer", "menschen"),
}
_UNIT = {written: (name, Decimal(size)) for (name, size), all_ in _UNITS.items() for written in all_}
_WORDS = {
    word: Decimal(value)
    for value, words in {
        2: ("two", "zwei"), 3: ("three", "drei"), 4: ("four", "vier"), 5: ("five", "fünf"), 6: ("six", "sechs"),
        7: ("seven", "sieben"), 8: ("eight", "acht"), 9: ("nine", "neun"), 10: ("ten", "zehn"), 11: ("eleven", "elf"),
        12: ("twelve", "zwölf"), 13: ("thirteen", "dreizehn"), 14: ("fourteen", "vierzehn"),
        15: ("fifteen", "fünfzehn"), 16: ("sixteen", "sechzehn"), 17: ("seventeen", "siebzehn"),
        18: ("eighteen", "achtzehn"), 19: ("nineteen", "neunzehn"), 20: ("twenty", "zwanzig"),
        25: ("twenty-five", "fünfundzwanzig"), 30: ("thirty", "dreißig"), 40: ("forty", "vierzig"),
        50: ("fifty", "fünfzig"), 60: ("sixty", "sechzig"), 70: ("seventy", "siebzig"), 80: ("eighty", "achtzig"),
        90: ("ninety", "neunzig"), 100: ("hundred", "hundert"),
    }.items()
    for word in words
}  # fmt: skip
#: Shares in percent, which are discounts beside a price or a saving, and no numbers elsewhere.
_FRACTIONS = {
    word: tuple(Decimal(one) for one in shares.split())
    for shares, words in {
        "50": ("half", "halber", "halben", "hälfte"), "33 33.3": ("third", "drittel"), "25": ("quarter", "viertel"),
        "66 67 66.7": ("two thirds", "two-thirds", "zwei drittel"), "20": ("fifth", "fünftel"),
        "75": ("three quarters", "three-quarters", "drei viertel"), "10": ("tenth", "zehntel"),
    }.items()
    for word in words
}  # fmt: skip
_NUMBER = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_PERCENT = r"(?:%|percent\b|per cent\b|prozent\b)"


class NoMoney(ValueError):
    """A text that is no amount of money."""


@dataclass(frozen=True)
class Money:
    """An amount in a currency by its ISO 4217 code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"


@dataclass(frozen=True)
class Fact:
    """A number that a text states.

    Attributes:
        values: its readings; 1,299 of something may be 1299 or 1.299.
        unit: currency, `%`, dimension, or empty.
        text: as it is written.
    """

    kind: Kind
    values: tuple[Decimal, ...]
    unit: str
    text: str
    start: int
    end: int


def money(text: str) -> Money:
    """The amount that a text is. Raises `NoMoney`."""
    found = [one for one in numbers(text) if one.kind == "money"]
    if len(found) != 1 or found[0].text.strip() != text.strip() or len(found[0].values) != 1:
        raise NoMoney("expected an amount with its currency, such as 19,99 € or $19.99")
    return Money(found[0].values[0], found[0].unit)


def numbers(text: str) -> Iterator[Fact]:
    """The numbers of a text, without dates, from left to right."""
    for match in _pattern().finditer(text):
        fact = _fact(match, text)
        if fact is not None:
            yield fact


def readings(written: str) -> tuple[Decimal, ...]:
    """The values that a number can have, whatever its decimal mark: one, or two for 1,299 and 1.299."""
    plain = re.sub(r"['\u2019\u00a0\u202f ]", "", written)
    marks = [sign for sign in plain if sign in ".,"]
    if not marks:
        return (Decimal(plain),)
    last = max(plain.rfind("."), plain.rfind(","))
    whole, rest = re.sub(r"[.,]", "", plain[:last]), plain[last + 1 :]
    decimal, thousands = Decimal(f"{whole}.{rest}"), Decimal(whole + rest)
    if len(set(marks)) == 2:
        return (decimal,)
    if len(marks) > 1:
        return (thousands,)
    return (thousands, decimal) if len(rest) == 3 and len(whole) <= 3 and whole != "0" else (decimal,)


@cache
def _pattern() -> re.Pattern[str]:
    signs, words = _alternatives(_CURRENCY, letters=False), _alternatives(_CURRENCY, letters=True)
    units, spelt = _alternatives(_UNIT, letters=True), _alternatives(_WORDS, letters=True)
    fractions = _alternatives(_FRACTIONS, letters=True)
    return re.compile(
        rf"(?P<before>(?:(?:{signs})|\b(?:{words}))\s?)(?P<paid>{_NUMBER})(?:[.,][-\u2013\u2014]+)?"
        rf"|(?P<amount>{_NUMBER}|\b(?:{spelt}))(?:[.,][-\u2013\u2014]+)?\s?(?P<after>(?:{signs})|(?:{words})\b)"
        rf"|(?P<share>{_NUMBER}|\b(?:{spelt}))[\s-]?{_PERCENT}"
        rf"|(?P<count>{_NUMBER}|\b(?:{spelt}))[\s-]?(?P<unit>{units})\b(?!-olds?\b)"
        rf"|\b(?P<fraction>{fractions})\b"
        rf"|(?P<bare>{_NUMBER})",
        re.IGNORECASE,
    )


def _alternatives(written: Iterable[str], letters: bool) -> str:
    kept = [one for one in written if one[0].isalpha() == letters or (one == "us$" and not letters)]
    return "|".join(re.escape(one) for one in sorted(kept, key=len, reverse=True))


#: What makes a share or an amount a discount, after and before it.
_OFF = re.compile(
    r"\s*(?:\w+\s){0,1}?(?:off|discount|rabatt|nachlass|g\u00fcnstiger|reduziert|billiger|sparen|ersparnis|cheaper|less|saving"
    r"|weniger|reduction|rebate|reduced|gesenkt|senkung|gespart|erlass|abschlag)\b",
    re.IGNORECASE,
)
_OF_PRICE = re.compile(r"\s(?:the\s|of the\s)?(?:price|preis)\b", re.IGNORECASE)
_SAVED = re.compile(
    r"(?:\b(?:save|saves|saving|discount of|reduced by|spare|sparen sie|du sparst|reduziert um|um|rabatt von|minus"
    r"|(?:slashed|cut|lowered|dropped|down|off) by|knock|take)\s(?:\w+\s){0,2}|(?<!\w)[-\u2212\u2013])$",
    re.IGNORECASE,
)


def _fact(match: re.Match[str], text: str) -> Fact | None:
    start, end = match.span()
    off = _OFF.match(text, end) is not None or _SAVED.search(text[max(0, start - 30) : start]) is not None
    kind: Kind = "discount" if off else "percent"
    if match["paid"] or match["amount"]:
        values = _values(match["paid"] or match["amount"])
        unit = _CURRENCY[(match["before"] or match["after"]).strip().lower()]
        return Fact("discount" if off else "money", values[:1], unit, match[0], start, end)
    if match["share"]:
        return Fact(kind, _values(match["share"]), "%", match[0], start, end)
    if match["count"]:
        name, size = _UNIT[match["unit"].lower()]
        return Fact("quantity", tuple(one * size for one in _values(match["count"])), name, match[0], start, end)
    if match["fraction"]:
        off = off or _OF_PRICE.match(text, end) is not None
        shares = _FRACTIONS[match["fraction"].lower()]
        return Fact("discount", shares, "%", match[0], start, end) if off else None
    return Fact("number", readings(match["bare"]), "", match[0], start, end)


def _values(written: str) -> tuple[Decimal, ...]:
    word = _WORDS.get(written.lower())
    return (word,) if word is not None else readings(written)
