"""SQL that parses the values of each column into the type of the canonical table."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from features.contracts import SHOWN, ContractBroken
from features.reading import booleans, ids, numbers, synonyms, timestamps
from features.reading.files import RawTable
from features.schema import EPOCHS, TableSchema
from features.tables import SPECS, literal

_FLOATS = ("FLOAT", "DOUBLE")
_INTEGER = r"[+-]?\d{1,18}"
_EXPONENT = r"[+-]?\d(?:\.\d+)?[eE]\+?\d+"
#: Texts that mean a churned customer.
_GONE = re.compile(
    r"^(?!.*\b(?:not|non|no)\b).*(?:attrit|churn|left|exit|cancel|gone|inactive|lost|stopped)", re.IGNORECASE
)
#: Form of timestamps that all name their time zone.
NAMED = "ISO 8601 with a zone"
#: Number of distinct texts used to guess a format.
SAMPLE = 200


@dataclass(frozen=True)
class ParsedColumn:
    """How one column is parsed.

    Attributes:
        raw: SQL of the original value, null where it is missing.
        sql: SQL of the parsed value, of the type `type`.
        form: description of the values' format.
        broken: SQL, true where a value cannot be parsed; empty where all can.
        cause: why it cannot be parsed.
        clock: SQL of the local time in the schema's zone, for columns of local times.
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
class RawColumn:
    """A column before parsing: its name, header, SQL and DuckDB type."""

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


def columns(source: RawTable, headers: dict[str, str], schema: TableSchema) -> list[RawColumn]:
    """The columns by their headers. Blank texts and the schema's `na_values` are null."""
    places = {header: place for place, header in enumerate(source.columns)}
    listed = ", ".join(literal(one) for one in ("", *(one.strip() for one in schema.na_values)))
    found = []
    for name, header in headers.items():
        raw, kind = f"c{places[header]}", source.columns[header]
        if kind == "VARCHAR" and not source.text:
            raw = f"CASE WHEN trim({raw}) NOT IN ({listed}) THEN {raw} END"
        found.append(RawColumn(name, header, raw, kind))
    return found


def read(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema) -> list[ParsedColumn]:
    """Choose how to parse a column. `occurred_at` with named zones also fills the column `zone`, where there is none.

    Raises `ContractBroken` where the values are ambiguous.
    """
    reading = _reading(db, source, column, schema)
    named = reading.form == NAMED or column.header in source.zones
    if column.name != "occurred_at" or not named or schema.zone or "zone" in source.columns:
        return [reading]
    zone = f"regexp_extract({column.text}, {literal(timestamps.IN_ZONE)}, 1)"
    if column.header in source.zones:
        zone = literal(source.zones[column.header])
    return [reading, ParsedColumn("zone", column.header, column.raw, zone, "VARCHAR", "of occurred_at")]


def _reading(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema) -> ParsedColumn:
    spec = SPECS[source.table].get(column.name)
    if spec is None:
        return _attribute(db, source, column, schema)
    if spec.type == "TIMESTAMP":
        return _moment(db, source, column, schema)
    if spec.type == "BOOLEAN":
        return _parsed(
            column, booleans.boolean(_number_text(column), schema), "BOOLEAN", "yes or no", "is neither yes nor no"
        )
    if spec.type in ("DOUBLE", "BIGINT"):
        return _number(column, spec.type, bool(spec.only), schema)
    if column.name == "zone":
        broken = f"{column.raw} NOT IN (SELECT name FROM pg_timezone_names())"
        return replace(_plain_text(column), broken=broken, cause="is no IANA time zone such as Europe/Berlin")
    if spec.only:
        return _listed(column, tuple(map(str, spec.only)))
    return _id(db, source, column, schema) if column.name.endswith("_id") else _plain_text(column)


def _listed(column: RawColumn, valid: tuple[str, ...]) -> ParsedColumn:
    """One of the valid values, however it is spelled; anything else stays, for the contract to refuse."""
    plain = f"regexp_replace(lower({column.text}), '[^a-z0-9]+', '_', 'g')"
    words = {value: (value, *synonyms.VALUES.get(value, ())) for value in valid}
    cases = " ".join(
        f"WHEN {plain} IN ({', '.join(map(literal, names))}) THEN {literal(value)}" for value, names in words.items()
    )
    form = f"one of {', '.join(valid)}"
    return ParsedColumn(column.name, column.header, column.raw, f"CASE {cases} ELSE {column.text} END", "VARCHAR", form)


def _parsed(column: RawColumn, sql: str, kind: str, form: str, cause: str) -> ParsedColumn:
    broken = f"{column.raw} IS NOT NULL AND ({sql}) IS NULL"
    return ParsedColumn(column.name, column.header, column.raw, sql, kind, form, broken, cause)


def _number_text(column: RawColumn) -> str:
    """SQL of a value as text, null for NaN."""
    return f"CASE WHEN NOT isnan({column.raw}) THEN {column.text} END" if column.kind in _FLOATS else column.text


def _plain_text(column: RawColumn) -> ParsedColumn:
    sql = ids.of_number(column.raw) if column.kind in _FLOATS else f"{column.raw}::VARCHAR"
    return ParsedColumn(column.name, column.header, column.raw, sql, "VARCHAR", "text")


def _number(column: RawColumn, kind: str, flag: bool, schema: TableSchema) -> ParsedColumn:
    sql = f"CASE WHEN NOT isnan({column.raw}::DOUBLE) THEN {column.raw}::DOUBLE END"
    if column.is_text:
        sql = numbers.number(column.text, schema.decimal, schema.currency)
        if flag:
            sql = f"coalesce({sql}, ({booleans.boolean(column.text, schema)})::INT::DOUBLE)"
    elif column.kind == "BOOLEAN":
        sql = f"{column.raw}::INT::DOUBLE"
    elif column.kind.startswith(("DATE", "TIME", "INTERVAL", "BLOB", "UUID", "STRUCT", "MAP")) or "[" in column.kind:
        sql = "NULL::DOUBLE"
    if kind == "BIGINT":
        sql = f"CASE WHEN ({sql}) = trunc({sql}) THEN ({sql})::BIGINT END"
    form = f"numbers, decimal sign {schema.decimal or '.'}" + (f", {schema.currency}" if schema.currency else "")
    return _parsed(column, sql, kind, form, "is not a number")


def _id(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema) -> ParsedColumn:
    """Ids as text; floating point numbers lose their `.0`, and are refused where digits are lost."""
    lost = "is a number that has lost digits: write ids as text"
    if column.kind in _FLOATS:
        exact = ids.EXACT_FLOAT if column.kind == "FLOAT" else ids.EXACT
        sql, broken = ids.of_number(column.raw), ids.rounded(column.raw, exact)
        return ParsedColumn(column.name, column.header, column.raw, sql, "VARCHAR", "ids, from numbers", broken, lost)
    if not column.is_text:
        sql = ids.clean(column.text) if column.kind.startswith("DECIMAL") else column.text
        return ParsedColumn(column.name, column.header, column.raw, sql, "VARCHAR", "ids, from whole numbers")
    point, exponent = (
        f"count_if(regexp_full_match({column.text}, {literal(form)}))" for form in (r"[+-]?\d+\.0+", _EXPONENT)
    )
    number = f"count(try_cast({column.text} AS DOUBLE))"
    query = f"SELECT count({column.raw}), {point}, {exponent}, {number} FROM {source.sql}"
    filled, pointed, powers, numeric = db.execute(query).fetchall()[0]
    floats = filled and (pointed == filled or (powers and numeric == filled))
    broken = f"coalesce({ids.rounded(f'try_cast({column.text} AS DOUBLE)')}, false)" if floats else ""
    sql = ids.clean(column.raw) if floats or schema.ids == "clean" else column.raw
    form = "ids, from numbers with .0" if floats else "ids"
    return ParsedColumn(column.name, column.header, column.raw, sql, "VARCHAR", form, broken, lost)


def _moment(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema) -> ParsedColumn:
    if column.kind.startswith(("TIMESTAMPTZ", "TIMESTAMP WITH")):
        return _parsed(
            column, f"{column.raw}::TIMESTAMPTZ::TIMESTAMP", "TIMESTAMP", "timestamps with a zone", "is not a timestamp"
        )
    form = schema.format_of(column.name)
    if column.kind.startswith(("TIMESTAMP", "DATE")):
        return _clock(column, lambda zone: timestamps.in_utc(f"{column.raw}::TIMESTAMP", zone), schema, "timestamps")
    if form is not None:
        text = ids.of_number(column.raw) if column.kind in _FLOATS and form not in EPOCHS else column.text
        if form in EPOCHS or "%z" in form:
            return _parsed(column, timestamps.by_format(text, form, None), "TIMESTAMP", form, f"is not {form}")
        return _clock(column, lambda zone: timestamps.by_format(text, form, zone), schema, form)
    if not column.is_text:
        counted = column.kind.startswith((*_FLOATS, "DECIMAL")) or column.kind.endswith(("INT", "INTEGER"))
        cause = "is a number: give its unit as date_format" if counted else "is not a date or timestamp"
        return _parsed(column, "NULL::TIMESTAMP", "TIMESTAMP", column.kind.lower(), cause)
    forms = _forms(db, source, column)
    if not forms:
        return _parsed(column, "NULL::TIMESTAMP", "TIMESTAMP", "text", "is not an ISO 8601 date or timestamp")
    if forms.intersection(timestamps.ZONED):
        sql, words = timestamps.iso(column.text, forms, None), "ISO 8601 with an offset"
        words = NAMED if forms == {"with a zone"} else words
        return _parsed(column, sql, "TIMESTAMP", words, "is not an ISO 8601 date or timestamp")
    return _clock(column, lambda zone: timestamps.iso(column.text, forms, zone), schema, "ISO 8601")


def _clock(column: RawColumn, read: Callable[[str | None], str], schema: TableSchema, form: str) -> ParsedColumn:
    """A column of local times in the schema's zone."""
    words = f"{form}, local time of {schema.zone or 'UTC'}"
    cause = f"is not a date or timestamp in {form}" if column.is_text else f"is not {form}"
    parsed = _parsed(column, read(schema.zone), "TIMESTAMP", words, cause)
    return replace(parsed, clock=read(None)) if schema.zone not in (None, "UTC") else parsed


def _forms(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn) -> frozenset[str]:
    """The forms of a column's timestamps. Raises `ContractBroken` where only some of them have a time zone."""
    asked = {form: timestamps.is_form(column.text, form) for form in timestamps.FORMS}
    counts = db.execute(
        f"SELECT {', '.join(f'count_if({one})' for one in asked.values())} FROM {source.sql}"
    ).fetchall()
    forms = [form for form, count in zip(asked, counts[0], strict=True) if count]
    zoned = [form for form in forms if form in timestamps.ZONED]
    if zoned and len(zoned) < len(forms):
        rows = [_example(db, source, column, asked[form]) | {"its form": form} for form in forms]
        rule = "either all timestamps have a time zone, or none has"
        hint = "write all with an offset such as +01:00, or none and name the zone in a schema file (zone: …)"
        raise ContractBroken(source.table, column.name, rule, rows, rows[-1]["place"], hint)
    if "with a zone" in forms:
        _refuse_unknown_zones(db, source, column)
    return frozenset(forms)


def _example(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, condition: str) -> dict[str, Any]:
    """The first value that meets a condition, and its place in the files."""
    numbered = f"SELECT row_number() OVER () - 1 AS n, {column.raw} AS value, {condition} AS asked FROM {source.sql}"
    ((row, value),) = db.execute(f"SELECT n, value FROM ({numbered}) WHERE asked LIMIT 1").fetchall()
    return {"place": source.place(row), column.name: value}


def _refuse_unknown_zones(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn) -> None:
    name = f"regexp_extract({column.text}, {literal(timestamps.IN_ZONE)}, 1)"
    unknown = db.execute(
        f"SELECT DISTINCT {name} FROM {source.sql} WHERE {timestamps.is_form(column.text, 'with a zone')}"
        f" AND {name} NOT IN (SELECT name FROM pg_timezone_names()) LIMIT {SHOWN}"
    ).fetchall()
    if unknown:
        rows = [{column.name: zone} for (zone,) in unknown]
        raise ContractBroken(source.table, column.name, "zones are IANA names such as Europe/Berlin", rows)


def _attribute(db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema) -> ParsedColumn:
    """An attribute, parsed as the narrowest type that fits all of its values."""
    form = schema.date_format.get(column.name) if isinstance(schema.date_format, dict) else None
    if form is not None or column.kind.startswith("TIMESTAMP"):
        return _moment(db, source, column, schema)
    if not column.is_text:
        return ParsedColumn(column.name, column.header, column.raw, column.raw, column.kind, column.kind.lower())
    found = _narrowest(db, source, column, schema)
    return found or ParsedColumn(column.name, column.header, column.raw, column.raw, "VARCHAR", "text")


def _narrowest(
    db: duckdb.DuckDBPyConnection, source: RawTable, column: RawColumn, schema: TableSchema
) -> ParsedColumn | None:
    text, day = column.text, timestamps.is_form(column.text, "local")
    kinds = {
        ("BIGINT", "numbers"): f"CASE WHEN regexp_full_match({text}, '{_INTEGER}') THEN {text}::BIGINT END",
        ("DOUBLE", "numbers"): numbers.number(text, schema.decimal, schema.currency),
        ("BOOLEAN", "true or false"): f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END",
        ("DATE", "days"): f"CASE WHEN {day} AND NOT contains({text}, ':') THEN try_cast({text} AS DATE) END",
        ("TIMESTAMP", "timestamps"): timestamps.iso(text, frozenset({"local"}), schema.zone),
        ("TIMESTAMP", "timestamps with a zone"): timestamps.iso(text, frozenset({"with an offset"}), None),
    }
    counted = ", ".join(f"count({sql})" for sql in kinds.values())
    filled, *counts = db.execute(f"SELECT count({column.raw}), {counted} FROM {source.sql}").fetchall()[0]
    for ((kind, form), sql), count in zip(kinds.items(), counts, strict=True):
        if filled and count == filled:
            return ParsedColumn(column.name, column.header, column.raw, sql, kind, form)
    return None


def sample(db: duckdb.DuckDBPyConnection, source: RawTable, column: ParsedColumn) -> list[str]:
    """Up to `SAMPLE` distinct texts of a column."""
    texts = f"SELECT DISTINCT trim({column.raw}::VARCHAR) AS text FROM {source.sql} WHERE {column.raw} IS NOT NULL"
    return [text for (text,) in db.execute(f"SELECT text FROM ({texts} LIMIT {SAMPLE}) ORDER BY text").fetchall()]


def fitting(db: duckdb.DuckDBPyConnection, source: RawTable, column: ParsedColumn) -> list[str]:
    """The timestamp formats that fit all values of a column."""
    found, text = timestamps.formats(sample(db, source, column)), f"trim({column.raw}::VARCHAR)"
    if not found:
        return []
    counted = ", ".join(f"count({timestamps.by_format(text, form, None)})" for form in found)
    filled, *counts = db.execute(f"SELECT count({column.raw}), {counted} FROM {source.sql}").fetchall()[0]
    return [form for form, count in zip(found, counts, strict=True) if count == filled]


def refuse(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: list[ParsedColumn], schema: TableSchema
) -> list[ContractBroken]:
    """The problems of columns with missing or unreadable values: places, examples and hints."""
    spec, checked = SPECS[source.table], [(one, one.broken) for one in readings if one.broken]
    for one in readings:
        dropped = schema.missing_ids == "drop" and one.name.endswith("_id")
        if one.name in spec and spec[one.name].required and not dropped:
            checked.append((one, f"{_present(one)} IS NULL"))
    if not checked:
        return []
    counted = ", ".join(f"count_if({condition})" for _, condition in checked)
    counts = db.execute(f"SELECT {counted} FROM {source.sql}").fetchall()[0]
    found = [(one, condition, count) for (one, condition), count in zip(checked, counts, strict=True) if count]
    return [_breach(db, source, one, condition, readings, count) for one, condition, count in found]


def _present(column: ParsedColumn) -> str:
    """SQL that is null where a value is missing or NaN."""
    return f"nullif(lower({column.raw}::VARCHAR), 'nan')" if column.form == "ids, from numbers" else column.raw


def _breach(
    db: duckdb.DuckDBPyConnection,
    source: RawTable,
    column: ParsedColumn,
    condition: str,
    readings: list[ParsedColumn],
    count: int,
) -> ContractBroken:
    rows = offending(db, source, readings, condition)
    place, first = source.place(rows[0][0]), rows[0][1][column.name]
    if condition != column.broken:
        rule = f"{column.name} is required (missing in {count:,} of {source.rows:,} rows)"
        mend = {"missing_ids": "drop"} if column.name.endswith("_id") else {}
        hint = "such rows can be dropped" if mend else ""
        return ContractBroken(source.table, column.name, rule, [row for _, row in rows], place, hint, mend)
    rule = f"values are {column.type}; '{first}' {column.cause} ({count:,} of {source.rows:,} rows)"
    hint, mend = _advice(db, source, column)
    return ContractBroken(source.table, column.name, rule, [row for _, row in rows], place, hint, mend)


def offending(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: list[ParsedColumn], condition: str
) -> list[tuple[int, dict[str, Any]]]:
    """The first rows that meet a condition: row index and original values by column."""
    values = ", ".join(one.raw for one in readings)
    numbered = f"SELECT row_number() OVER () - 1 AS n, ({condition}) AS asked, {values} FROM {source.sql}"
    found = db.execute(f"SELECT * EXCLUDE (asked) FROM ({numbered}) WHERE asked LIMIT {SHOWN}").fetchall()
    return [(row, dict(zip((one.name for one in readings), shown, strict=True))) for row, *shown in found]


def _advice(db: duckdb.DuckDBPyConnection, source: RawTable, column: ParsedColumn) -> tuple[str, dict[str, Any]]:
    """A hint for values that cannot be parsed, and the schema entry that would fix them."""
    if column.type == "TIMESTAMP":
        fits = fitting(db, source, column)
        if len(fits) == 1:
            return "all values fit one format", {"date_format": {column.name: fits[0]}}
        if fits:
            return f"its values fit both {' and '.join(fits)}: choose one in a schema file (date_format)", {}
        return "write 2024-06-01 or 2024-06-01T22:00:00, or give the format in a schema file (date_format)", {}
    texts = sample(db, source, column)
    if column.type == "DOUBLE":
        signs, currencies = numbers.signs(texts)
        if len(signs) > 1:
            return f"the decimal sign may be {' or '.join(signs)}: choose one in a schema file (decimal)", {}
        mend = {"decimal": signs[0]} if signs else {}
        return "", mend | ({"currency": currencies[0]} if len(currencies) == 1 else {})
    if column.type == "BOOLEAN":
        yes = [text for text in texts if _GONE.search(text)]
        if len(texts) == 2 and len(yes) == 1:
            return "", {"true_values": yes, "false_values": [text for text in texts if text not in yes]}
        return "list the texts for yes and no in a schema file (true_values, false_values)", {}
    return "", {}
