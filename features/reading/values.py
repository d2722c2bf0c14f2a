"""How each column's values are read: the SQL that makes them what the canonical tables hold, by what is in them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from features.contracts import SHOWN, ContractBroken
from features.reading import ids, moments, numbers, truths
from features.reading.files import Given
from features.schema import EPOCHS, TableSchema
from features.tables import SPECS, literal

_FLOATS = ("FLOAT", "DOUBLE")
_INTEGER = r"[+-]?\d{1,18}"
_EXPONENT = r"[+-]?\d(?:\.\d+)?[eE]\+?\d+"
#: What the text of a customer who has left says.
_GONE = re.compile(
    r"^(?!.*\b(?:not|non|no)\b).*(?:attrit|churn|left|exit|cancel|gone|inactive|lost|stopped)", re.IGNORECASE
)
#: The form of moments that all name their zone.
NAMED = "ISO 8601 with a zone"
#: Distinct texts that are looked at to find out what they could be.
SAMPLE = 200


@dataclass(frozen=True)
class Reading:
    """How one column is read.

    Attributes:
        raw: SQL of what was given, null where that is missing.
        sql: SQL of what it is in the canonical table, of the type `type`.
        form: what its values look like, in words.
        broken: SQL, true where a value cannot be read; empty where any can.
        cause: why it cannot.
        clock: SQL of what the clock of the schema's zone read, where that is what was given.
    """

    name: str
    header: str
    raw: str
    sql: str
    type: str
    form: str
    broken: str = ""
    cause: str = ""
    clock: str = ""


@dataclass(frozen=True)
class Column:
    """A column that is to be read: its place among the given ones and its DuckDB type there."""

    name: str
    header: str
    raw: str
    kind: str

    @property
    def is_text(self) -> bool:
        return self.kind == "VARCHAR" or self.kind.startswith("ENUM")

    @property
    def text(self) -> str:
        return f"trim({self.raw})" if self.is_text else f"{self.raw}::VARCHAR"


def columns(given: Given, headers: dict[str, str], schema: TableSchema) -> list[Column]:
    """The columns of these names, by their headers. Blank texts, and those that mean nothing, are null."""
    places = {header: place for place, header in enumerate(given.columns)}
    listed = ", ".join(literal(one) for one in ("", *(one.strip() for one in schema.na_values)))
    found = []
    for name, header in headers.items():
        raw, kind = f"c{places[header]}", given.columns[header]
        if kind == "VARCHAR" and not given.text:
            raw = f"CASE WHEN trim({raw}) NOT IN ({listed}) THEN {raw} END"
        found.append(Column(name, header, raw, kind))
    return found


def read(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> list[Reading]:
    """How a column is read. Moments that name their zone also tell the column `zone`, where there is no other.

    Raises `ContractBroken` where that cannot be known.
    """
    reading = _reading(db, given, column, schema)
    named = reading.form == NAMED or column.header in given.zones
    if column.name != "occurred_at" or not named or schema.zone or "zone" in given.columns:
        return [reading]
    zone = f"regexp_extract({column.text}, {literal(moments.IN_ZONE)}, 1)"
    if column.header in given.zones:
        zone = literal(given.zones[column.header])
    return [reading, Reading("zone", column.header, column.raw, zone, "VARCHAR", "of occurred_at")]


def _reading(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> Reading:
    spec = SPECS[given.table].get(column.name)
    if spec is None:
        return _attribute(db, given, column, schema)
    if spec.type == "TIMESTAMP":
        return _moment(db, given, column, schema)
    if spec.type == "BOOLEAN":
        return _told(
            column, truths.truth(_number_text(column), schema), "BOOLEAN", "yes or no", "is neither yes nor no"
        )
    if spec.type in ("DOUBLE", "BIGINT"):
        return _number(column, spec.type, bool(spec.only), schema)
    if column.name == "zone":
        broken = f"{column.raw} NOT IN (SELECT name FROM pg_timezone_names())"
        return replace(_plain_text(column), broken=broken, cause="is no IANA time zone such as Europe/Berlin")
    return _id(db, given, column, schema) if column.name.endswith("_id") else _plain_text(column)


def _told(column: Column, sql: str, kind: str, form: str, cause: str) -> Reading:
    broken = f"{column.raw} IS NOT NULL AND ({sql}) IS NULL"
    return Reading(column.name, column.header, column.raw, sql, kind, form, broken, cause)


def _number_text(column: Column) -> str:
    """The text of a value, missing where a floating point number is none."""
    return f"CASE WHEN NOT isnan({column.raw}) THEN {column.text} END" if column.kind in _FLOATS else column.text


def _plain_text(column: Column) -> Reading:
    sql = ids.of_number(column.raw) if column.kind in _FLOATS else f"{column.raw}::VARCHAR"
    return Reading(column.name, column.header, column.raw, sql, "VARCHAR", "text")


def _number(column: Column, kind: str, flag: bool, schema: TableSchema) -> Reading:
    sql = f"CASE WHEN NOT isnan({column.raw}::DOUBLE) THEN {column.raw}::DOUBLE END"
    if column.is_text:
        sql = numbers.number(column.text, schema.decimal, schema.currency)
        if flag:
            sql = f"coalesce({sql}, ({truths.truth(column.text, schema)})::INT::DOUBLE)"
    elif column.kind == "BOOLEAN":
        sql = f"{column.raw}::INT::DOUBLE"
    elif column.kind.startswith(("DATE", "TIME", "INTERVAL", "BLOB", "UUID", "STRUCT", "MAP")) or "[" in column.kind:
        sql = "NULL::DOUBLE"
    if kind == "BIGINT":
        sql = f"CASE WHEN ({sql}) = trunc({sql}) THEN ({sql})::BIGINT END"
    form = f"numbers, decimal sign {schema.decimal or '.'}" + (f", {schema.currency}" if schema.currency else "")
    return _told(column, sql, kind, form, "is no number")


def _id(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> Reading:
    """An id as text; one that came as a floating point number without its `.0`, or not at all where digits are lost."""
    lost = "is a number that has lost digits: write ids as text"
    if column.kind in _FLOATS:
        sql, broken = ids.of_number(column.raw), ids.rounded(column.raw)
        return Reading(column.name, column.header, column.raw, sql, "VARCHAR", "ids, from numbers", broken, lost)
    if not column.is_text:
        sql = ids.clean(column.text) if column.kind.startswith("DECIMAL") else column.text
        return Reading(column.name, column.header, column.raw, sql, "VARCHAR", "ids, from whole numbers")
    point, exponent = (
        f"count_if(regexp_full_match({column.text}, {literal(form)}))" for form in (r"[+-]?\d+\.0+", _EXPONENT)
    )
    number = f"count(try_cast({column.text} AS DOUBLE))"
    query = f"SELECT count({column.raw}), {point}, {exponent}, {number} FROM {given.sql}"
    filled, pointed, powers, numeric = db.execute(query).fetchall()[0]
    floats = filled and (pointed == filled or (powers and numeric == filled))
    broken = f"coalesce({ids.rounded(f'try_cast({column.text} AS DOUBLE)')}, false)" if floats else ""
    sql = ids.clean(column.raw) if floats or schema.ids == "clean" else column.raw
    form = "ids, from numbers with .0" if floats else "ids"
    return Reading(column.name, column.header, column.raw, sql, "VARCHAR", form, broken, lost)


def _moment(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> Reading:
    if column.kind.startswith(("TIMESTAMPTZ", "TIMESTAMP WITH")):
        return _told(
            column, f"{column.raw}::TIMESTAMPTZ::TIMESTAMP", "TIMESTAMP", "moments with a zone", "is no moment"
        )
    form = schema.format_of(column.name)
    if column.kind.startswith(("TIMESTAMP", "DATE")):
        return _clock(column, lambda zone: moments.in_utc(f"{column.raw}::TIMESTAMP", zone), schema, "moments")
    if form is not None:
        text = ids.of_number(column.raw) if column.kind in _FLOATS and form not in EPOCHS else column.text
        if form in EPOCHS or "%z" in form:
            return _told(column, moments.by_format(text, form, None), "TIMESTAMP", form, f"is not {form}")
        return _clock(column, lambda zone: moments.by_format(text, form, zone), schema, form)
    if not column.is_text:
        counted = column.kind.startswith((*_FLOATS, "DECIMAL")) or column.kind.endswith(("INT", "INTEGER"))
        cause = "is a number: only a format says of what" if counted else "is no date or moment"
        return _told(column, "NULL::TIMESTAMP", "TIMESTAMP", column.kind.lower(), cause)
    forms = _forms(db, given, column)
    if not forms:
        return _told(column, "NULL::TIMESTAMP", "TIMESTAMP", "text", "is no date or moment of ISO 8601")
    if forms.intersection(moments.ZONED):
        sql, words = moments.iso(column.text, forms, None), "ISO 8601 with an offset"
        words = NAMED if forms == {"with a zone"} else words
        return _told(column, sql, "TIMESTAMP", words, "is no date or moment of ISO 8601")
    return _clock(column, lambda zone: moments.iso(column.text, forms, zone), schema, "ISO 8601")


def _clock(column: Column, read: Callable[[str | None], str], schema: TableSchema, form: str) -> Reading:
    """A column of what a clock read: the schema's zone says whose."""
    words = f"{form}, clock of {schema.zone or 'UTC'}"
    cause = f"is no date or moment of {form}" if column.is_text else f"is not {form}"
    told = _told(column, read(schema.zone), "TIMESTAMP", words, cause)
    return replace(told, clock=read(None)) if schema.zone not in (None, "UTC") else told


def _forms(db: duckdb.DuckDBPyConnection, given: Given, column: Column) -> frozenset[str]:
    """The forms of the column's moments. Raises `ContractBroken` where some have a zone and some have none."""
    asked = {form: moments.is_form(column.text, form) for form in moments.FORMS}
    counts = db.execute(f"SELECT {', '.join(f'count_if({one})' for one in asked.values())} FROM {given.sql}").fetchall()
    forms = [form for form, count in zip(asked, counts[0], strict=True) if count]
    zoned = [form for form in forms if form in moments.ZONED]
    if zoned and len(zoned) < len(forms):
        rows = [_example(db, given, column, asked[form]) | {"its form": form} for form in forms]
        rule = "all of its moments tell their zone, or none does"
        hint = "write all of them with an offset such as +01:00, or none and name their zone in a schema file (zone: …)"
        raise ContractBroken(given.table, column.name, rule, rows, rows[-1]["place"], hint)
    if "with a zone" in forms:
        _refuse_unknown_zones(db, given, column)
    return frozenset(forms)


def _example(db: duckdb.DuckDBPyConnection, given: Given, column: Column, condition: str) -> dict[str, Any]:
    """The first value of which a condition is true, and where it stands."""
    numbered = f"SELECT row_number() OVER () - 1 AS n, {column.raw} AS value, {condition} AS asked FROM {given.sql}"
    ((row, value),) = db.execute(f"SELECT n, value FROM ({numbered}) WHERE asked LIMIT 1").fetchall()
    return {"place": given.place(row), column.name: value}


def _refuse_unknown_zones(db: duckdb.DuckDBPyConnection, given: Given, column: Column) -> None:
    name = f"regexp_extract({column.text}, {literal(moments.IN_ZONE)}, 1)"
    unknown = db.execute(
        f"SELECT DISTINCT {name} FROM {given.sql} WHERE {moments.is_form(column.text, 'with a zone')}"
        f" AND {name} NOT IN (SELECT name FROM pg_timezone_names()) LIMIT {SHOWN}"
    ).fetchall()
    if unknown:
        rows = [{column.name: zone} for (zone,) in unknown]
        raise ContractBroken(given.table, column.name, "zones are IANA names such as Europe/Berlin", rows)


def _attribute(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> Reading:
    """A column without a meaning of its own, in the narrowest type that all of its values have."""
    form = schema.date_format.get(column.name) if isinstance(schema.date_format, dict) else None
    if form is not None or column.kind.startswith("TIMESTAMP"):
        return _moment(db, given, column, schema)
    if not column.is_text:
        return Reading(column.name, column.header, column.raw, column.raw, column.kind, column.kind.lower())
    found = _narrowest(db, given, column, schema)
    return found or Reading(column.name, column.header, column.raw, column.raw, "VARCHAR", "text")


def _narrowest(db: duckdb.DuckDBPyConnection, given: Given, column: Column, schema: TableSchema) -> Reading | None:
    text, day = column.text, moments.is_form(column.text, "local")
    kinds = {
        ("BIGINT", "numbers"): f"CASE WHEN regexp_full_match({text}, '{_INTEGER}') THEN {text}::BIGINT END",
        ("DOUBLE", "numbers"): numbers.number(text, schema.decimal, schema.currency),
        ("BOOLEAN", "true or false"): f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END",
        ("DATE", "days"): f"CASE WHEN {day} AND NOT contains({text}, ':') THEN try_cast({text} AS DATE) END",
        ("TIMESTAMP", "moments"): moments.iso(text, frozenset({"local"}), schema.zone),
        ("TIMESTAMP", "moments with a zone"): moments.iso(text, frozenset({"with an offset"}), None),
    }
    counted = ", ".join(f"count({sql})" for sql in kinds.values())
    filled, *counts = db.execute(f"SELECT count({column.raw}), {counted} FROM {given.sql}").fetchall()[0]
    for ((kind, form), sql), count in zip(kinds.items(), counts, strict=True):
        if filled and count == filled:
            return Reading(column.name, column.header, column.raw, sql, kind, form)
    return None


def sample(db: duckdb.DuckDBPyConnection, given: Given, column: Reading) -> list[str]:
    """Some of the different texts of a column."""
    texts = f"SELECT DISTINCT trim({column.raw}::VARCHAR) AS text FROM {given.sql} WHERE {column.raw} IS NOT NULL"
    return [text for (text,) in db.execute(f"SELECT text FROM ({texts} LIMIT {SAMPLE}) ORDER BY text").fetchall()]


def fitting(db: duckdb.DuckDBPyConnection, given: Given, column: Reading) -> list[str]:
    """The formats of moments that fit all values of a column."""
    found, text = moments.formats(sample(db, given, column)), f"trim({column.raw}::VARCHAR)"
    if not found:
        return []
    counted = ", ".join(f"count({moments.by_format(text, form, None)})" for form in found)
    filled, *counts = db.execute(f"SELECT count({column.raw}), {counted} FROM {given.sql}").fetchall()[0]
    return [form for form, count in zip(found, counts, strict=True) if count == filled]


def refuse(
    db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], schema: TableSchema
) -> list[ContractBroken]:
    """A breach for each column with values that are missing or cannot be read: where they stand, and what to do."""
    spec, checked = SPECS[given.table], [(one, one.broken) for one in readings if one.broken]
    for one in readings:
        dropped = schema.missing_ids == "drop" and one.name.endswith("_id")
        if one.name in spec and spec[one.name].required and not dropped:
            checked.append((one, f"{_there(one)} IS NULL"))
    if not checked:
        return []
    counted = ", ".join(f"count_if({condition})" for _, condition in checked)
    counts = db.execute(f"SELECT {counted} FROM {given.sql}").fetchall()[0]
    found = [(one, condition, count) for (one, condition), count in zip(checked, counts, strict=True) if count]
    return [_breach(db, given, one, condition, readings, count) for one, condition, count in found]


def _there(column: Reading) -> str:
    """SQL that is null where a value is missing: also a floating point number that is none."""
    return f"nullif(lower({column.raw}::VARCHAR), 'nan')" if column.form == "ids, from numbers" else column.raw


def _breach(
    db: duckdb.DuckDBPyConnection,
    given: Given,
    column: Reading,
    condition: str,
    readings: list[Reading],
    count: int,
) -> ContractBroken:
    rows = offending(db, given, readings, condition)
    place, first = given.place(rows[0][0]), rows[0][1][column.name]
    if condition != column.broken:
        rule = f"{column.name} is given (it is missing in {count:,} of {given.rows:,} rows)"
        mend = {"missing_ids": "drop"} if column.name.endswith("_id") else {}
        hint = "such rows can be dropped" if mend else ""
        return ContractBroken(given.table, column.name, rule, [row for _, row in rows], place, hint, mend)
    rule = f"values can be read as {column.type}; '{first}' {column.cause} ({count:,} of {given.rows:,} rows)"
    hint, mend = _advice(db, given, column)
    return ContractBroken(given.table, column.name, rule, [row for _, row in rows], place, hint, mend)


def offending(
    db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], condition: str
) -> list[tuple[int, dict[str, Any]]]:
    """The first rows of which a condition is true, as they were given: place and values by column."""
    values = ", ".join(one.raw for one in readings)
    numbered = f"SELECT row_number() OVER () - 1 AS n, ({condition}) AS asked, {values} FROM {given.sql}"
    found = db.execute(f"SELECT * EXCLUDE (asked) FROM ({numbered}) WHERE asked LIMIT {SHOWN}").fetchall()
    return [(row, dict(zip((one.name for one in readings), told, strict=True))) for row, *told in found]


def _advice(db: duckdb.DuckDBPyConnection, given: Given, column: Reading) -> tuple[str, dict[str, Any]]:
    """What to do where values cannot be read, and what a schema could say."""
    if column.type == "TIMESTAMP":
        fits = fitting(db, given, column)
        if len(fits) == 1:
            return "all values fit one format", {"date_format": {column.name: fits[0]}}
        if fits:
            return f"its values fit {' and '.join(fits)} alike: say which one in a schema file (date_format)", {}
        return "write 2024-06-01 or 2024-06-01T22:00:00, or say the format in a schema file (date_format)", {}
    texts = sample(db, given, column)
    if column.type == "DOUBLE":
        signs, currencies = numbers.signs(texts)
        if len(signs) > 1:
            return f"the decimal sign may be {' or '.join(signs)}: say which one in a schema file (decimal)", {}
        mend = {"decimal": signs[0]} if signs else {}
        return "", mend | ({"currency": currencies[0]} if len(currencies) == 1 else {})
    if column.type == "BOOLEAN":
        yes = [text for text in texts if _GONE.search(text)]
        if len(texts) == 2 and len(yes) == 1:
            return "", {"true_values": yes, "false_values": [text for text in texts if text not in yes]}
        return "say which texts mean yes and no in a schema file (true_values, false_values)", {}
    return "", {}
