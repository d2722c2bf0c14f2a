"""Days as people write them in English and German.

A day without a year is the next one. 3/4 is no day, as it can be two.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta

from serving.conversations.rules import Language

_DAYS: dict[Language, tuple[str, ...]] = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "de": ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"),
}
_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": (
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    ),
    "de": (
        *("januar", "februar", "märz", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "dezember"),
    ),
}
_AHEAD = {"today": 0, "heute": 0, "day after tomorrow": 2, "übermorgen": 2, "tomorrow": 1, "morgen": 1}
_WEEKDAY = {name: place for names in _DAYS.values() for place, name in enumerate(names)} | {"sonnabend": 5}
_MONTH = {name: place for names in _MONTHS.values() for place, name in enumerate(names, 1)}
_MONTH_NAMES = "|".join(_MONTH)
_NUMERIC = re.compile(
    r"(?<![\w.])(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<d2>\d{1,2})\.\s?(?P<m2>\d{1,2})\.(?:\s?(?P<y2>\d{4}))?)(?!\d)"
)
_WORDED = re.compile(
    rf"(?<!\w)(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+of)?\s+(?P<m>{_MONTH_NAMES})"
    rf"|(?P<m2>{_MONTH_NAMES})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?)(?:,?\s+(?P<y>\d{{4}}))?(?!\w)",
    re.IGNORECASE,
)
_RELATIVE = re.compile(rf"(?<!\w)(?<!guten )(?<!good )({'|'.join((*_AHEAD, *_WEEKDAY))})(?:s)?(?!\w)", re.IGNORECASE)


def days(text: str, today: date) -> list[tuple[int, date]]:
    """The days in a text, with where each begins."""
    return sorted((*_numeric(text, today), *_worded(text, today), *_relative(text, today)))


def written(day: date, language: Language) -> str:
    """A day as it is told: Tuesday, 1 December 2026; Dienstag, 1. Dezember 2026."""
    name, month = _DAYS[language][day.weekday()].title(), _MONTHS[language][day.month - 1].title()
    return f"{name}, {day.day}{'.' if language == 'de' else ''} {month} {day.year}"


def _numeric(text: str, today: date) -> Iterator[tuple[int, date]]:
    for hit in _NUMERIC.finditer(text):
        year, month, day = (hit[name] or hit[f"{name}2"] for name in "ymd")
        yield from _day(hit.start(), year, int(month), int(day), today)


def _worded(text: str, today: date) -> Iterator[tuple[int, date]]:
    for hit in _WORDED.finditer(text):
        month, day = (hit["m"] or hit["m2"]).lower(), hit["d"] or hit["d2"]
        yield from _day(hit.start(), hit["y"], _MONTH[month], int(day), today)


def _relative(text: str, today: date) -> Iterator[tuple[int, date]]:
    for hit in _RELATIVE.finditer(text):
        name = hit[1].lower()
        ahead = _AHEAD[name] if name in _AHEAD else (_WEEKDAY[name] - today.weekday() - 1) % 7 + 1
        yield hit.start(), today + timedelta(days=ahead)


def _day(at: int, year: str | None, month: int, day: int, today: date) -> Iterator[tuple[int, date]]:
    with suppress(ValueError):  # 31 February is no day
        found = date(int(year) if year else today.year, month, day)
        yield at, found if year or found >= today else date(today.year + 1, month, day)
