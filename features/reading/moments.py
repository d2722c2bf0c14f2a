"""Texts as moments in UTC: which form a column's texts have, what they read as, and which formats would fit them.

Without a format a moment is ISO 8601, its date alone or with a time (of 24 hours, or of 12 with AM or PM), with or
without a zone; nothing that follows is ignored. A clock reading without a zone is one of the zone that is named, else
of UTC. One that comes twice as summer time ends is the later of the two; one that summer time skips is as much later.
"""

from collections.abc import Iterator
from itertools import product

import duckdb

from features.schema import EPOCHS
from features.tables import literal

_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_HALF = r"\d{1,2}:\d{2}(?::\d{2})? ?[AaPp]\.?[Mm]\.?"
_OFFSET = r"(?:[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
_NAME = r"[A-Za-z]+/[A-Za-z_]+(?:[/+-][A-Za-z0-9_]+)*"

#: The forms of a moment, in the words of errors. `local` and `local, AM or PM` are clock readings without a zone.
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
#: Years that a moment may lie in: a format that reads others does not fit, and a count of few seconds is no moment.
PLAUSIBLE = (1970, 2100)


def is_form(text: str, form: str) -> str:
    """SQL: whether the expression `text` has this form."""
    return f"regexp_full_match({text}, {literal(FORMS[form])})"


def iso(text: str, forms: frozenset[str], zone: str | None) -> str:
    """SQL of the moment in UTC that an ISO text tells, null where it tells none.

    Args:
        forms: those that are in the column; the fewer, the faster.
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
    """SQL of what the clock read, of a text of a day and a time of 24 or 12 hours."""
    tidy = f"replace(replace(replace({text}, '/', '-'), 'T', ' '), ',', '.')"
    half = f"replace(upper(regexp_replace({text}, '[T ] ?(\\d)', ' \\1')), '.', '')"
    half = f"replace({half}, '/', '-')"
    formats = "['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M:%S%p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M%p']"
    return (
        f"CASE WHEN regexp_matches({text}, '[AaPp]\\.?[Mm]\\.?$') THEN try_strptime({half}, {formats})"
        f" ELSE try_cast({tidy} AS TIMESTAMP) END"
    )


def _minutes(offset: str) -> str:
    """SQL of an offset such as +05:30 as an interval."""
    digits = f"regexp_replace({offset}, '[^0-9]', '', 'g')"
    minutes = f"coalesce(try_cast({digits}[1:2] AS INT), 0) * 60 + coalesce(try_cast({digits}[3:4] AS INT), 0)"
    return f"to_minutes(CASE WHEN starts_with({offset}, '-') THEN -1 ELSE 1 END * ({minutes}))"


def in_utc(clock: str, zone: str | None) -> str:
    """SQL of the UTC moment at which the clock of `zone` read `clock`."""
    if zone is None or zone == "UTC":
        return clock
    return f"timezone('UTC', timezone({literal(zone)}, {clock}))"


def skipped(clock: str, zone: str) -> str:
    """SQL: whether summer time skips this reading of the zone's clock."""
    return f"timezone({literal(zone)}, timezone({literal(zone)}, {clock})) <> {clock}"


def twice(clock: str, zone: str) -> str:
    """SQL: whether the zone's clock reads this twice, as summer time ends (by an hour, or by half of one)."""
    at = f"timezone({literal(zone)}, {clock})"
    return " OR ".join(f"timezone({literal(zone)}, {at} - INTERVAL {minutes} MINUTE) = {clock}" for minutes in (60, 30))


def by_format(text: str, form: str, zone: str | None) -> str:
    """SQL of the moment in UTC that a text in this format tells, null where it does not have the format."""
    if form in EPOCHS:
        seconds = f"try_cast({text} AS DOUBLE) / {EPOCHS[form]}"
        return f"CASE WHEN {seconds} BETWEEN -6e10 AND 2.5e11 THEN make_timestamp(round({seconds} * 1e6)::BIGINT) END"
    parsed = f"try_strptime({text}, {literal(form)})::TIMESTAMP"
    return parsed if "%z" in form or "%Z" in form else in_utc(parsed, zone)


def formats(texts: list[str]) -> list[str]:
    """The formats that fit all of these texts, each reading them in its own way; the likeliest first."""
    readings: dict[tuple[str, ...], str] = {}
    with duckdb.connect() as db:
        db.execute("CREATE TABLE given AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
        for form in _of_one(db, texts[:1]):
            moment, since = by_format("text", form, None), PLAUSIBLE[0] + 10 * (form in EPOCHS)
            sane = f"year({moment}) BETWEEN {since} AND {PLAUSIBLE[1]}"
            fits, read = db.execute(f"SELECT bool_and(coalesce({sane}, false)), list({moment}) FROM given").fetchall()[
                0
            ]
            if fits:
                readings.setdefault(tuple(map(str, read)), form)
    return list(readings.values())


def _of_one(db: duckdb.DuckDBPyConnection, texts: list[str]) -> list[str]:
    """The formats that one text has: few, and found by one query."""
    asked = list(_candidates())
    moments = ", ".join(by_format("$text", form, None) for form in asked)
    found = db.execute(f"SELECT {moments}", {"text": texts[0]}).fetchall()[0] if texts else ()
    return [form for form, moment in zip(asked, found, strict=False) if moment is not None]


def _candidates() -> Iterator[str]:
    """Day before month first where the signs are Europe's; numbers alone last, as almost anything is a number."""
    days = [
        "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
        "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d. %B %Y", "%Y-%m-%d",
        "%Y/%m/%d", "%a, %d %b %Y",
    ]  # fmt: skip
    clocks = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H:%M Uhr", "%H:%M:%S Uhr"]
    times = ["", *(f"{sign}{clock}" for sign, clock in product((" ", ", ", "T"), clocks)), " %H:%M:%S %z"]
    yield from (f"{day}{time}" for day, time in product(days, times))
    yield from ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S", "%d%m%Y", "%m%d%Y", *EPOCHS)
