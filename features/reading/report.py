"""Report of how a table was read: files, columns with examples, time range, duplicates and notes."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from features.reading.table import ParsedTable
from features.reading.values import ParsedColumn
from features.schema import TableSchema


@dataclass(frozen=True)
class ColumnReport:
    """One column: its header, the type and form of its values, and an example before and after parsing.

    Attributes:
        missing: number of rows without a value.
    """

    name: str
    header: str
    type: str
    form: str
    missing: int
    example: str | None
    read_as: str | None


@dataclass(frozen=True)
class TableReport:
    """One table.

    Attributes:
        files: rows by file.
        kind: `Parquet`, or the encoding and delimiter of text.
        zone: time zone of local times.
        first, last: earliest and latest timestamp of the selected rows, in UTC; None without a timestamp column.
        duplicates: number of rows that equal an earlier one in every column.
        notes: remarks for the user.
    """

    table: str
    files: Mapping[str, int]
    rows: int
    kind: str
    zone: str
    decimal: str
    columns: tuple[ColumnReport, ...]
    first: str | None
    last: str | None
    duplicates: int | None
    notes: tuple[str, ...]


def describe(db: duckdb.DuckDBPyConnection, parsed: ParsedTable, schema: TableSchema, notes: list[str]) -> TableReport:
    """The report of a table, as far as it could be parsed."""
    source, selected = parsed.source, parsed.selected
    kind = "could not be opened" if source is None else "Parquet"
    if source is not None and source.text:
        kind = " and ".join(dict.fromkeys(f"{text.encoding}, delimiter {text.delimiter!r}" for text in source.text))
    return TableReport(
        table=parsed.table,
        files=source.files if source else {},
        rows=source.rows if source else 0,
        kind=kind,
        zone=schema.zone or "UTC",
        decimal=schema.decimal or ".",
        columns=tuple(_columns(db, parsed)),
        first=str(selected.first) if selected and selected.first is not None else None,
        last=str(selected.last) if selected and selected.last is not None else None,
        duplicates=selected.duplicates if selected else None,
        notes=tuple(notes),
    )


def _columns(db: duckdb.DuckDBPyConnection, parsed: ParsedTable) -> list[ColumnReport]:
    if parsed.source is None or not parsed.readings:
        return []
    asked = ", ".join(
        f"count(*) - count({column.raw}), any_value({column.raw}::VARCHAR), any_value(({column.sql})::VARCHAR)"
        f" FILTER ({_readable(column)})"
        for column in parsed.readings
    )
    found = db.execute(f"SELECT {asked} FROM {parsed.source.sql}").fetchall()[0]
    return [
        ColumnReport(column.name, column.header, column.type, column.form, *found[place * 3 : place * 3 + 3])
        for place, column in enumerate(parsed.readings)
    ]


def _readable(column: ParsedColumn) -> str:
    return f"{column.raw} IS NOT NULL" + (f" AND NOT coalesce({column.broken}, false)" if column.broken else "")
