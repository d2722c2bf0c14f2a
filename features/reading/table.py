"""One table read: what its files hold, which column is which, how values are read, which rows are taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from features.contracts import ContractBroken
from features.reading import columns, files, ids, moments, rows, values
from features.reading.files import Given
from features.reading.rows import Taken
from features.reading.values import Reading
from features.schema import TableSchema
from features.tables import SPECS, literal

#: Tables that may have no rows: nobody need have been touched yet.
_MAY_BE_EMPTY = frozenset({"touches"})


@dataclass(frozen=True)
class Note:
    """What is to be told of a table that can be taken, and what a schema could say to have it otherwise."""

    text: str
    mend: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Understood:
    """What was understood of a table so far, what is to be told of it, and what stands against taking it.

    Attributes:
        taken: the rows, once every value can be read.
    """

    table: str
    given: Given | None = None
    readings: list[Reading] = field(default_factory=list)
    taken: Taken | None = None
    notes: list[Note] = field(default_factory=list)
    problems: list[ContractBroken] = field(default_factory=list)


def understand(
    db: duckdb.DuckDBPyConnection,
    table: str,
    found: dict[str, Path],
    schema: TableSchema,
    now: pd.Timestamp,
    aside: Path,
) -> Understood:
    """Read a table as far as it can be read. What is wrong with it is among the problems, never raised.

    Args:
        found: its files by the name that errors call them.
        now: what lies later is not taken.
        aside: a folder for copies, which the connection goes on reading from.
    """
    done = Understood(table)
    try:
        done.given = given = files.read(db, table, found, schema, aside)
        if not given.rows and table not in _MAY_BE_EMPTY:
            where = f"file {next(iter(given.files))}, line 1" if given.text else f"file {next(iter(given.files))}"
            cause = "there is a header and nothing below it" if given.text else "there is none"
            raise ContractBroken(table, next(iter(given.columns)), "the table has rows", cause, where)
        _read(db, done, given, schema, now)
    except ContractBroken as problem:
        done.problems.append(problem)
    return done


def _read(
    db: duckdb.DuckDBPyConnection, done: Understood, given: Given, schema: TableSchema, now: pd.Timestamp
) -> None:
    matched = columns.match(given.table, list(given.columns), schema, f"file {next(iter(given.files))}")
    done.notes += map(Note, matched.notes)
    done.problems += matched.problems
    for column in values.columns(given, matched.columns, schema):
        try:
            done.readings += values.read(db, given, column, schema)
        except ContractBroken as problem:
            done.problems.append(problem)
    done.problems += _mistaken_label(db, given, done.readings, schema)
    done.problems += values.refuse(db, given, done.readings, schema)
    if done.problems:
        return
    done.notes += [note for one in done.readings for note in _of_ids(db, given, one)]
    done.notes += map(Note, _of_clocks(db, given, done.readings, schema))
    done.taken = rows.take(db, given, done.readings, schema, now)
    done.notes += map(Note, done.taken.notes)
    done.problems += done.taken.problems


def _mistaken_label(
    db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], schema: TableSchema
) -> list[ContractBroken]:
    """A column of yes and no that is called almost `churned`: as an attribute it would tell models the answer."""
    if given.table != "customers" or "churned" in schema.columns or "churned" in [one.name for one in readings]:
        return []
    close = columns.guess("churned", [one.header for one in readings])
    column = next((one for one in readings if one.header == close), None)
    if column is None:
        return []
    ((different,),) = db.execute(f"SELECT count(DISTINCT {column.raw}) FROM {given.sql}").fetchall()
    if different > 2:
        return []
    hint = f"did you mean '{close}'? If that is an attribute, say columns: {{churned: null}}"
    cause, where = f"there are: {', '.join(given.columns)}", f"file {next(iter(given.files))}"
    mend = {"columns": {"churned": close}}
    return [ContractBroken("customers", "churned", "column churned is missing", cause, where, hint, mend)]


def _of_ids(db: duckdb.DuckDBPyConnection, given: Given, column: Reading) -> list[Note]:
    """What looks wrong about the ids in a column, with examples."""
    if not column.form.startswith("ids"):
        return []
    if column.form != "ids":
        told = f"{column.name}: ids that came as numbers are taken without .0"
        return [Note(told)] if column.form != "ids, from whole numbers" else []
    text = column.sql
    none, spaced, pointed = (
        ids.none(text),
        f"{text} <> trim({text})",
        f"regexp_full_match(trim({text}), '[+-]?\\d+\\.0+')",
    )
    query = ", ".join(f"count_if({condition})" for condition in (none, f"{spaced} OR {pointed}"))
    missing, unclean = db.execute(f"SELECT {query} FROM {given.sql}").fetchall()[0]
    notes = []
    if missing:
        first = values.offending(db, given, [column], none)
        shown = ", ".join(f"'{row[column.name]}' ({given.place(place)})" for place, row in first[:3])
        mend = {"na_values": sorted({row[column.name].strip() for _, row in first}), "missing_ids": "drop"}
        notes.append(Note(f"{column.name}: {missing:,} rows have a text for none as their id: {shown}", mend))
    if unclean:
        notes.append(_unclean(db, given, column, unclean, f"({spaced} OR {pointed})"))
    return notes


def _unclean(db: duckdb.DuckDBPyConnection, given: Given, column: Reading, count: int, condition: str) -> Note:
    same = (
        f"SELECT list_slice(list_sort(list(DISTINCT {column.sql})), 1, 3) FROM {given.sql}"
        f" GROUP BY {ids.clean(column.sql)} HAVING count(DISTINCT {column.sql}) > 1"
    )
    variants = db.execute(f"SELECT * FROM ({same}) ORDER BY 1 LIMIT 3").fetchall()
    if variants:
        shown = "; ".join(" and ".join(f"'{text}'" for text in texts) for (texts,) in variants)
        return Note(
            f"{column.name}: ids that differ only by spaces or .0 are different ones: {shown}", {"ids": "clean"}
        )
    first = values.offending(db, given, [column], condition)
    shown = ", ".join(f"'{row[column.name]}' ({given.place(place)})" for place, row in first[:3])
    told = f"{column.name}: {count:,} rows have an id with spaces around it or .0 behind it: {shown}"
    return Note(told, {"ids": "clean"})


def _of_clocks(db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], schema: TableSchema) -> list[str]:
    """How many clock readings summer time skips or has twice."""
    notes = []
    for column in (one for one in readings if one.clock):
        zone = schema.zone or "UTC"
        asked = [f"count_if({moments.twice(column.clock, zone)})", f"count_if({moments.skipped(column.clock, zone)})"]
        twice, skipped = db.execute(f"SELECT {', '.join(asked)} FROM {given.sql}").fetchall()[0]
        if twice:
            notes.append(f"{column.name}: {twice:,} times come twice as summer time of {zone} ends: the later is taken")
        if skipped:
            notes.append(
                f"{column.name}: {skipped:,} times are skipped by summer time of {zone}: taken as so much later"
            )
    return notes


def write(db: duckdb.DuckDBPyConnection, done: Understood, zone: str | None, destination: Path) -> None:
    """Write the rows that are taken into `<table>.parquet`, with the zone of their clock where that is known."""
    if done.taken is None:
        raise ValueError(f"{done.table}: not all of its values can be read")
    told = zone and "zone" in SPECS[done.table] and "zone" not in [one.name for one in done.readings]
    columns = f"*, {literal(zone or '')} AS zone" if told else "*"
    target = literal(str(destination / f"{done.table}.parquet"))
    db.execute(f"COPY (SELECT {columns} FROM ({done.taken.sql})) TO {target} (FORMAT parquet)")
