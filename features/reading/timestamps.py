"""SQL that parses text as timestamps in UTC, and the search for formats that fit a column.

The default is ISO 8601: a date, or a date and a time (24 hours, or 12 with AM or PM), with or without a time zone;
trailing text is an error. A time without a zone is local time of the schema's zone, else UTC. An ambiguous time (when
summer time ends) is taken as the later one; a time that summer time skips is moved forward by the gap.
"""

import re
from collections.abc import Iterator
from itertools import product

import duckdb

from features.database import connect
from features.schema import EPOCHS
from features.tables import literal

_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_HALF = r"\d{1,2}:\d{2}(?::\d{2})? ?[AaPp]\.?[Mm]\.?"
_OFFSET = r"(?:[Zz]|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)"
_NAME = r"[A-Za-z]+/[A-Za-z_]+(?:[/+-][A-Za-z0-9_]+)*"

#: The forms of a timestamp, as errors name them. `local` and `local, AM or PM` have no time zone.
FORMS = {
    "local": rf"{_DAY}(?:[T ] ?{_TIME})?",
    "local, AM or PM": rf"{_DAY}[T ] ?{_HALF}",
    "with an offset": rf"{_DAY}[T ] ?(?:{_TIME}|{_HALF}) ?{_OFFSET}(?:\[{_NAME}\])?",
    "with a zone": rf"{_DAY}[T ] ?(?:{_TIME}|{_HALF}) ?\[?{_NAME}\]?",
}
_READING = rf"^{_DAY}(?:[T ] ?(?:{_HALF}|{_TIME}))?"
_AT_OFFSET = rf"({_OFFSET})(?:\[{_NAME}\])?$"
IN_ZONE = rf"({_NAME})\]?$"
ZONED = ("with an offset", "with a zone")
#: Valid years: a format that gives others does not fit, and a small number is not an epoch.
PLAUSIBLE = (1970, 2100)


def is_form(text: str, form: str) -> str:
    """SQL: whether the expression `text` has this form."""
    return f"regexp_full_match({text}, {literal(FORMS[form])})"


def iso(text: str, forms: frozenset[str], zone: str | None) -> str:
    """SQL of the UTC timestamp of an ISO 8601 text, null where it is not one.

    Args:
        forms: those found in the column; fewer are faster.
    """
    clock = f"replace({text}, ',', '.')::VARCHAR"
    if forms <= {"local"}:
        return f"CASE WHEN {is_form(text, 'local')} THEN {in_utc(f'try_cast({clock} AS TIMESTAMP)', zone)} END"
    reading = f"regexp_extract({text}, {literal(_READING)})"
    offset = f"regexp_extract({text}, {literal(_AT_OFFSET)}, 1)"
    name = f"regexp_extract({text}, {literal(IN_ZONE)}, 1)"
    naive = _reading(reading)
    cases = {
        "local": in_utc(naive, zone),
        "local, AM or PM": in_utc(naive, zone),
        "with an offset": f"{naive} - {_minutes(offset)}",
        "with a zone": f"timezone('UTC', timezone({name}, {naive}))",
    }
    return (
        "CASE " + " ".join(f"WHEN {is_form(text, form)} THEN {cases[form]}" for form in FORMS if form in forms) + " END"
    )


def _reading(text: str) -> str:
    """SQL of the local time of a text with a date and a time of 24 or 12 hours."""
    tidy = f"replace(replace(replace({text}, '/', '-'), 'T', ' '), ',', '.')"
    half = f"replace(upper(regexp_replace({text}, '[T ] ?(\\d)', ' \\1')), '.', '')"
    half = f"replace({half}, '/', '-')"
    formats = "['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M:%S%p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M%p']"
    return (
        f"CASE WHEN regexp_matches({text}, '[AaPp]\\.?[Mm]\\.?$') THEN try_strptime({half}, {formats})"
        f" ELSE try_cast({tidy} AS TIMESTAMP) END"
    )


def _minutes(offset: str) -> str:
    """SQL of the interval of an offset such as +05:30."""
    digits = f"regexp_replace({offset}, '[^0-9]', '', 'g')"
    minutes = f"coalesce(try_cast({digits}[1:2] AS INT), 0) * 60 + coalesce(try_cast({digits}[3:4] AS INT), 0)"
    return f"to_minutes(CASE WHEN starts_with({offset}, '-') THEN -1 ELSE 1 END * ({minutes}))"


def in_utc(clock: str, zone: str | None) -> str:
    """SQL of the UTC timestamp of the local time `clock` in `zone`."""
    if zone is None or zone == "UTC":
        return clock
    return f"timezone('UTC', timezone({literal(zone)}, {clock}))"


def skipped(clock: str, zone: str) -> str:
    """SQL: whether summer time skips this local time."""
    return f"timezone({literal(zone)}, timezone({literal(zone)}, {clock})) <> {clock}"


def twice(clock: str, zone: str) -> str:
    """SQL: whether this local time is ambiguous because summer time ends (by an hour, or by half of one)."""
    at = f"timezone({literal(zone)}, {clock})"
    return " OR ".join(f"timezone({literal(zone)}, {at} - INTERVAL {minutes} MINUTE) = {clock}" for minutes in (60, 30))


def by_format(text: str, form: str, zone: str | None) -> str:
    """SQL of the UTC timestamp of a text in this format, null where the text does not have it."""
    if form in EPOCHS:
        seconds = f"try_cast({text} AS DOUBLE) / {EPOCHS[form]}"
        return f"CASE WHEN {seconds} BETWEEN -6e10 AND 2.5e11 THEN make_timestamp(round({seconds} * 1e6)::BIGINT) END"
    parsed = f"try_strptime({text}, {literal(form)})::TIMESTAMP"
    return parsed if "%z" in form or "%Z" in form else in_utc(parsed, zone)


def formats(texts: list[str]) -> list[str]:
    """The formats that fit all of these texts and read them differently; the likeliest first."""
    readings: dict[tuple[str, ...], str] = {}
    with connect() as db:
        db.execute("CREATE TABLE texts AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
        for form in _of_one(db, texts[:1]):
            moment, since = by_format("text", form, None), PLAUSIBLE[0] + 10 * (form in EPOCHS)
            sane = f"year({moment}) BETWEEN {since} AND {PLAUSIBLE[1]}"
            fits, read = db.execute(f"SELECT bool_and(coalesce({sane}, false)), list({moment}) FROM texts").fetchall()[
                0
            ]
            if fits:
                readings.setdefault(tuple(map(str, read)), form)
    return list(readings.values())


def _of_one(db: duckdb.DuckDBPyConnection, texts: list[str]) -> list[str]:
    """The formats that fit one text, found by one query."""
    asked = [form for form in _candidates() if _has_signs(texts[0], form)] if texts else []
    if not asked:
        return []
    timestamps = ", ".join(by_format("$text", form, None) for form in asked)
    found = db.execute(f"SELECT {timestamps}", {"text": texts[0]}).fetchall()[0]
    return [form for form, moment in zip(asked, found, strict=True) if moment is not None]


def _has_signs(text: str, form: str) -> bool:
    """Whether a format's own signs are in a text, in its order: most are not, and DuckDB takes longer to parse the
    question than to answer it."""
    place = 0
    for sign in re.split(r"%[a-zA-Z]|\s+", "" if form in EPOCHS else form):
        place = text.find(sign, place) + len(sign)
        if place < len(sign):
            return False
    return True


def _candidates() -> Iterator[str]:
    """Day before month first where the separators are European; plain numbers last, as they fit almost anything."""
    days = [
        "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
        "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d. %B %Y", "%Y-%m-%d",
        "%Y/%m/%d", "%a, %d %b %Y",
    ]  # fmt: skip
    clocks = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H:%M Uhr", "%H:%M:%S Uhr"]
    times = ["", *(f"{sign}{clock}" for sign, clock in product((" ", ", ", "T"), clocks)), " %H:%M:%S %z"]
    yield from (f"{day}{time}" for day, time in product(days, times))
    yield from ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S", "%d%m%Y", "%m%d%Y", *EPOCHS)
