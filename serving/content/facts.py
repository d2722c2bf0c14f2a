"""Checks the numbers and dates of a text against the product sheet."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from serving.content.numbers import Fact, Money, numbers
from serving.content.sheet import Sheet

_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            ("january", "jan", "januar"), ("february", "feb", "februar"), ("march", "mar", "märz"),
            ("april", "apr"), ("may", "mai"), ("june", "jun", "juni"), ("july", "jul", "juli"),
            ("august", "aug"), ("september", "sep", "sept"), ("october", "oct", "oktober", "okt"),
            ("november", "nov"), ("december", "dec", "dezember", "dez"),
        ),
        1,
    )
    for name in names
}  # fmt: skip
_DAYS = {
    name: day
    for day, names in enumerate(
        (
            ("monday", "montag"), ("tuesday", "dienstag"), ("wednesday", "mittwoch"), ("thursday", "donnerstag"),
            ("friday", "freitag"), ("saturday", "samstag", "sonnabend"), ("sunday", "sonntag"),
        )
    )
    for name in names
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"(?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)|\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s(?:of\s)?(?P<month>{_MONTH})\b"
    rf"|\b(?P<month_first>{_MONTH})\.?\s(?P<day_after>\d{{1,2}})(?:st|nd|rd|th)?\b"
    r"|\b(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?:\d{4}|\d{2})?(?!\d)|\b(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?:\d{4}|\d{2}))\b",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    r"\b(?:until|till|ends?(?: on)?|by|through|before|bis|endet(?: am)?|nur bis|noch bis)\s(?:\w+\s)?"
    rf"(?P<day>{'|'.join(_DAYS)})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wrong:
    """A statement that the sheet does not make.

    Attributes:
        kind: of the number: money, discount, percent, quantity, number, date.
        text: as the copy says it.
        field, says: the nearest statement of the sheet; None where it makes none of this kind.
    """

    kind: str
    text: str
    field: str | None
    says: str | None


@dataclass(frozen=True)
class Known:
    """A number that the sheet states, in one of its fields."""

    fact: Fact
    field: str
    says: str


def wrong(text: str, sheet: Sheet) -> Iterator[Wrong]:
    """The numbers and dates of a text that the sheet does not state."""
    dates = [(match, found) for match in _DATE.finditer(text) if (found := _dates(match))]
    for match, found in dates:
        if sheet.offer_ends is None or (sheet.offer_ends.month, sheet.offer_ends.day) not in found:
            yield _of_end("date", match[0], sheet)
    for match in _WEEKDAY.finditer(text):
        if sheet.offer_ends is None or sheet.offer_ends.weekday() != _DAYS[match["day"].lower()]:
            yield _of_end("date", match[0], sheet)
    plain = text
    for match, _ in dates:
        plain = plain[: match.start()] + " " * len(match[0]) + plain[match.end() :]
    known = list(_known(sheet))
    for fact in numbers(plain):
        if not any(_same(fact, one.fact) for one in known):
            yield _nearest(fact, known)


def _of_end(kind: str, said: str, sheet: Sheet) -> Wrong:
    if sheet.offer_ends is None:
        return Wrong(kind, said, None, None)
    return Wrong(kind, said, "offer_ends", sheet.offer_ends.isoformat())


def _dates(match: re.Match[str]) -> set[tuple[int, int]]:
    """Month and day that a date can be; both orders of 03/04. Empty where it is no date."""
    if match["iso"]:
        try:
            found = date.fromisoformat(match["iso"])
        except ValueError:
            return set()
        return {(found.month, found.day)}
    month = match["month"] or match["month_first"]
    if month:
        return {(_MONTHS[month.lower()], int(match["day"] or match["day_after"]))}
    first, second = int(match["d"] or match["a"]), int(match["m"] or match["b"])
    both = {(second, first)} if match["d"] else {(second, first), (first, second)}
    return {(month, day) for month, day in both if 1 <= month <= 12 and 1 <= day <= 31}


def _known(sheet: Sheet) -> Iterator[Known]:
    """All numbers of the sheet, and the discount that its two prices make."""
    for field, text in sheet.lines():
        if field in ("price", "list_price"):
            yield _priced("money", getattr(sheet, field), field)
        elif field != "offer_ends":
            yield from (Known(fact, field, text) for fact in numbers(text))
    now, before = sheet.price, sheet.list_price
    if now is not None and before is not None and now.currency == before.currency and before.amount > now.amount:
        says = f"{now} after {before}"
        saved = before.amount - now.amount
        yield _priced("discount", Money(saved, now.currency), "list_price", f"{saved} {now.currency} ({says})")
        share = 100 * saved / before.amount
        shares = tuple({share.to_integral_value(ROUND_HALF_UP), share // 1, share.quantize(Decimal("0.1"))})
        fact = Fact("discount", shares, "%", f"{share.to_integral_value(ROUND_HALF_UP)}%", 0, 0)
        yield Known(fact, "list_price", f"{fact.text} ({says})")


def _priced(kind: str, amount: Money, field: str, says: str | None = None) -> Known:
    fact = Fact("discount" if kind == "discount" else "money", (amount.amount,), amount.currency, str(amount), 0, 0)
    return Known(fact, field, says or str(amount))


def _same(said: Fact, known: Fact) -> bool:
    equal = not set(said.values).isdisjoint(known.values)
    if said.kind == "number":  # 210 of 210 g, 15 of the name
        return equal or said.text.strip() in re.findall(r"\d+(?:[.,]\d+)*", known.text)
    return equal and said.unit == known.unit and (said.kind == known.kind or said.kind == "percent")


def _nearest(fact: Fact, known: Iterable[Known]) -> Wrong:
    alike = [
        one for one in known if one.fact.kind == fact.kind and (one.fact.unit == fact.unit or fact.kind == "money")
    ]
    if not alike:
        return Wrong(fact.kind, fact.text.strip(), None, None)
    best = min(alike, key=lambda one: abs(one.fact.values[0] - fact.values[0]))
    return Wrong(fact.kind, fact.text.strip(), best.field, best.says)
