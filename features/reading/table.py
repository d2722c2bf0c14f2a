"""Reads one table: opens its files, maps its columns, parses its values and selects its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from features.contracts import ContractBroken
from features.reading import columns, files, ids, rows, timestamps, values
from features.reading.files import RawTable
from features.reading.rows import SelectedRows
from features.reading.values import ParsedColumn
from features.schema import TableSchema
from features.tables import SPECS, literal

#: Tables that may have no rows: no campaign may have reached a customer, and no customer done anything, yet.
_MAY_BE_EMPTY = frozenset({"touches", "interactions"})


@dataclass(frozen=True)
class Note:
    """A remark on a usable table, and the schema entry that would change the behaviour."""

    text: str
    mend: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class ParsedTable:
    """A table as far as it could be parsed, with notes, and with the problems that make it unusable.

    Attributes:
        selected: the selected rows, once every value can be parsed.
    """

    table: str
    source: RawTable | None = None
    readings: list[ParsedColumn] = field(default_factory=list)
    selected: SelectedRows | None = None
    notes: list[Note] = field(default_factory=list)
    problems: list[ContractBroken] = field(default_factory=list)


def parse(
    db: duckdb.DuckDBPyConnection,
    table: str,
    found: dict[str, Path],
    schema: TableSchema,
    now: pd.Timestamp,
    aside: Path,
) -> ParsedTable:
    """Parse a table as far as possible. Problems are collected, not raised.

    Args:
        found: path of its files by the name to use in errors.
        now: later rows are left out.
        aside: folder for copies; keep it while the connection is in use.
    """
    parsed = ParsedTable(table)
    try:
        parsed.source = source = files.read(db, table, found, schema, aside)
        if not source.rows and table not in _MAY_BE_EMPTY:
            where = f"file {next(iter(source.files))}, line 1" if source.text else f"file {next(iter(source.files))}"
            cause = "the file has only a header" if source.text else "the file has none"
            raise ContractBroken(table, next(iter(source.columns)), "the table has rows", cause, where)
        _read(db, parsed, source, schema, now)
    except ContractBroken as problem:
        parsed.problems.append(problem)
    return parsed


def _read(
    db: duckdb.DuckDBPyConnection, parsed: ParsedTable, source: RawTable, schema: TableSchema, now: pd.Timestamp
) -> None:
    matched = columns.match(source.table, list(source.columns), schema, f"file {next(iter(source.files))}")
    parsed.notes += map(Note, matched.notes)
    parsed.problems += matched.problems
    for column in values.columns(source, matched.columns, schema):
        try:
            parsed.readings += values.read(db, source, column, schema)
        except ContractBroken as problem:
            parsed.problems.append(problem)
    parsed.problems += _mistaken_label(db, source, parsed.readings, schema)
    parsed.problems += values.refuse(db, source, parsed.readings, schema)
    if parsed.problems:
        return
    parsed.notes += [note for one in parsed.readings for note in _of_ids(db, source, one)]
    parsed.notes += map(Note, _of_clocks(db, source, parsed.readings, schema))
    parsed.selected = rows.select(db, source, parsed.readings, schema, now)
    parsed.notes += map(Note, parsed.selected.notes)
    parsed.problems += parsed.selected.problems


def _mistaken_label(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: list[ParsedColumn], schema: TableSchema
) -> list[ContractBroken]:
    """Refuse a two-valued column with a name close to `churned`: as an attribute it would leak the label."""
    if source.table != "customers" or "churned" in schema.columns or "churned" in [one.name for one in readings]:
        return []
    headers = [one.header for one in readings]
    stem = "churned".removesuffix("ed")
    close = columns.guess("churned", headers) or next((one for one in headers if stem in columns.plain(one)), None)
    column = next((one for one in readings if one.header == close), None)
    if column is None:
        return []
    ((different,),) = db.execute(f"SELECT count(DISTINCT {column.raw}) FROM {source.sql}").fetchall()
    if different > 2:
        return []
    hint = f"did you mean '{close}'? If that is an attribute, set columns: {{churned: null}} in a schema file"
    cause, where = f"headers in the file: {', '.join(source.columns)}", f"file {next(iter(source.files))}"
    mend = {"columns": {"churned": close}}
    return [ContractBroken("customers", "churned", "column churned is missing", cause, where, hint, mend)]


def _of_ids(db: duckdb.DuckDBPyConnection, source: RawTable, column: ParsedColumn) -> list[Note]:
    """Notes on ids that look wrong, with examples."""
    if not column.form.startswith("ids"):
        return []
    if column.form != "ids":
        text = f"{column.name}: ids stored as numbers are read without .0"
        return [Note(text)] if column.form != "ids, from whole numbers" else []
    text = column.sql
    none, spaced, pointed = (
        ids.none(text),
        f"{text} <> trim({text})",
        f"regexp_full_match(trim({text}), '[+-]?\\d+\\.0+')",
    )
    query = ", ".join(f"count_if({condition})" for condition in (none, f"{spaced} OR {pointed}"))
    missing, unclean = db.execute(f"SELECT {query} FROM {source.sql}").fetchall()[0]
    notes = []
    if missing:
        first = values.offending(db, source, [column], none)
        shown = ", ".join(f"'{row[column.name]}' ({source.place(place)})" for place, row in first[:3])
        mend = {"na_values": sorted({row[column.name].strip() for _, row in first}), "missing_ids": "drop"}
        notes.append(Note(f"{column.name}: {missing:,} rows have a text that means missing as their id: {shown}", mend))
    if unclean:
        notes.append(_unclean(db, source, column, unclean, f"({spaced} OR {pointed})"))
    return notes


def _unclean(db: duckdb.DuckDBPyConnection, source: RawTable, column: ParsedColumn, count: int, condition: str) -> Note:
    same = (
        f"SELECT list_slice(list_sort(list(DISTINCT {column.sql})), 1, 3) FROM {source.sql}"
        f" GROUP BY {ids.clean(column.sql)} HAVING count(DISTINCT {column.sql}) > 1"
    )
    variants = db.execute(f"SELECT * FROM ({same}) ORDER BY 1 LIMIT 3").fetchall()
    if variants:
        shown = "; ".join(" and ".join(f"'{text}'" for text in texts) for (texts,) in variants)
        return Note(
            f"{column.name}: ids that differ only by spaces or .0 count as different: {shown}", {"ids": "clean"}
        )
    first = values.offending(db, source, [column], condition)
    shown = ", ".join(f"'{row[column.name]}' ({source.place(place)})" for place, row in first[:3])
    text = f"{column.name}: {count:,} rows have an id with surrounding spaces or a trailing .0: {shown}"
    return Note(text, {"ids": "clean"})


def _of_clocks(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: list[ParsedColumn], schema: TableSchema
) -> list[str]:
    """Notes on local times that summer time skips or makes ambiguous."""
    notes = []
    for column in (one for one in readings if one.clock):
        zone = schema.zone or "UTC"
        asked = [
            f"count_if({timestamps.twice(column.clock, zone)})",
            f"count_if({timestamps.skipped(column.clock, zone)})",
        ]
        twice, skipped = db.execute(f"SELECT {', '.join(asked)} FROM {source.sql}").fetchall()[0]
        if twice:
            notes.append(
                f"{column.name}: {twice:,} times are ambiguous as summer time of {zone} ends: read as the later"
            )
        if skipped:
            notes.append(
                f"{column.name}: {skipped:,} times are skipped by summer time of {zone}: moved forward by the gap"
            )
    return notes


def write(db: duckdb.DuckDBPyConnection, parsed: ParsedTable, zone: str | None, destination: Path) -> None:
    """Write the selected rows into `<table>.parquet`, with their time zone where it is known."""
    if parsed.selected is None:
        raise ValueError(f"{parsed.table}: not all of its values can be parsed")
    has_zone = zone and "zone" in SPECS[parsed.table] and "zone" not in [one.name for one in parsed.readings]
    columns = f"*, {literal(zone or '')} AS zone" if has_zone else "*"
    target = literal(str(destination / f"{parsed.table}.parquet"))
    db.execute(f"COPY (SELECT {columns} FROM ({parsed.selected.sql})) TO {target} (FORMAT parquet)")
