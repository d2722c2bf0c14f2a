"""What a turn names: days, products, quantities, e-mail addresses and order numbers."""

import re
from collections.abc import Iterator
from datetime import date

from features.masking import luhn
from serving.conversations.dates import days
from serving.conversations.rules import SlotName
from serving.conversations.shop import Shop

#: Pieces of an order, at most.
MOST = 100_000
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,24}(?!\w)")
_ORDER = re.compile(r"(?<![\w.,/+-])#?((?:[A-Z]{1,3}-?)?\d{6,10})(?![\w]|[.,]\d)")
_COUNT = re.compile(
    r"(?<![\w.,/:€$£#+-])(\d{1,6})(?![\w]|[.,:/]\d|\.?\s?(?:€|%|euro|eur|usd|dollar|pounds|percent|prozent|°|am|pm|uhr)(?!\w))",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\b(?:size|größe|number|nummer|no\.?|nr\.?)\s*$", re.IGNORECASE)
_WORDS = {
    word: count
    for count, said in enumerate(
        (
            *("one ein eine einen eins", "two zwei", "three drei", "four vier", "five fünf", "six sechs"),
            *("seven sieben", "eight acht", "nine neun", "ten zehn", "eleven elf", "twelve zwölf"),
        ),
        1,
    )
    for word in said.split()
} | {
    "twenty": 20,
    "zwanzig": 20,
    "thirty": 30,
    "dreißig": 30,
    "fifty": 50,
    "fünfzig": 50,
    "hundred": 100,
    "hundert": 100,
}
_WORD = re.compile(rf"(?<!\w)(?:{'|'.join(_WORDS)})(?!\w)", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:not|instead of|nicht|statt|kein\w*)\s+(?:(?:on|am|the|den|der|das)\s+)?$", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


def found(text: str, shop: Shop, today: date) -> dict[SlotName, str]:
    """The last value of each slot that is named and not negated ("not Monday but Tuesday" names Tuesday).

    Days are in ISO 8601. Digits of a card number are in no slot.
    """
    plain = _CARD.sub(lambda hit: " " * len(hit[0]) if luhn(hit[0]) else hit[0], text)
    values: dict[SlotName, list[tuple[int, str]]] = {
        "email": [(hit.start(), hit[0]) for hit in _EMAIL.finditer(text)],
        "date": [(at, day.isoformat()) for at, day in days(plain, today)],
        "product": [(at, one.name) for at, one in shop.named(text)],
        "order": [(hit.start(), hit[1]) for hit in _ORDER.finditer(plain)],
        "quantity": list(_quantities(plain, {at for at, _ in days(plain, today)})),
    }
    said = {
        name: [one for at, one in every if not _NEGATED.search(_before(text, at))] for name, every in values.items()
    }
    return {name: every[-1] for name, every in said.items() if every}


def _quantities(text: str, dates: set[int]) -> Iterator[tuple[int, str]]:
    counts = [(hit.start(), int(hit[1])) for hit in _COUNT.finditer(text) if not _ORDER.match(text, hit.start())]
    counts += [(hit.start(), _WORDS[hit[0].lower()]) for hit in _WORD.finditer(text)]
    for at, count in sorted(counts):
        if 0 < count <= MOST and at not in dates and not _SIZE.search(_before(text, at)):
            yield at, str(count)


def _before(text: str, at: int) -> str:
    """The few words before a place."""
    return text[max(0, at - 30) : at]
