"""What was understood of a table, for whoever checks it before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from features.reading.table import Understood
from features.reading.values import Reading
from features.schema import TableSchema


@dataclass(frozen=True)
class ColumnReport:
    """One column: its header in the file, the type and form its values are read in, and one of them, before and after.

    Attributes:
        missing: how many rows have no value.
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
        zone: whose clock times without a zone were read from.
        first, last: moments of the rows that are taken, in UTC; None where it tells none, or cannot be read.
        duplicates: rows that are the same as an earlier one in every column.
        notes: what else is to be told.
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


def describe(db: duckdb.DuckDBPyConnection, done: Understood, schema: TableSchema, notes: list[str]) -> TableReport:
    """The report of a table as far as it was understood."""
    given, taken = done.given, done.taken
    kind = "could not be opened" if given is None else "Parquet"
    if given is not None and given.text:
        kind = " and ".join(dict.fromkeys(f"{text.encoding}, parted by {text.delimiter!r}" for text in given.text))
    return TableReport(
        table=done.table,
        files=given.files if given else {},
        rows=given.rows if given else 0,
        kind=kind,
        zone=schema.zone or "UTC",
        decimal=schema.decimal or ".",
        columns=tuple(_columns(db, done)),
        first=str(taken.first) if taken and taken.first is not None else None,
        last=str(taken.last) if taken and taken.last is not None else None,
        duplicates=taken.duplicates if taken else None,
        notes=tuple(notes),
    )


def _columns(db: duckdb.DuckDBPyConnection, done: Understood) -> list[ColumnReport]:
    if done.given is None or not done.readings:
        return []
    asked = ", ".join(
        f"count(*) - count({one.raw}), any_value({one.raw}::VARCHAR), any_value(({one.sql})::VARCHAR)"
        f" FILTER ({_readable(one)})"
        for one in done.readings
    )
    found = db.execute(f"SELECT {asked} FROM {done.given.sql}").fetchall()[0]
    return [
        ColumnReport(one.name, one.header, one.type, one.form, *found[place * 3 : place * 3 + 3])
        for place, one in enumerate(done.readings)
    ]


def _readable(column: Reading) -> str:
    return f"{column.raw} IS NOT NULL" + (f" AND NOT coalesce({column.broken}, false)" if column.broken else "")
