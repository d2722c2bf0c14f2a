"""Selects the rows of a table: leaves out future, outlying, repeated and id-less rows, with a note on each rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from features.contracts import ContractBroken
from features.reading import values
from features.reading.files import RawTable
from features.reading.values import ParsedColumn
from features.schema import TableSchema
from features.tables import ENTITIES, SPECS, literal, quoted

#: Local time is up to 14 hours ahead of UTC, and some clocks are wrong: the future starts a day after now.
AHEAD = pd.Timedelta(days=1)
#: A few rows are outliers behind a gap of at least this many days and this many times the widest other gap.
FAR_DAYS, FAR_GAPS = 90, 3
#: Few: at most this share of the rows.
FEW = 0.01
#: Timestamps that date a row, and those of what came of it: all of what had happened when the table was written.
DATES = ("occurred_at", "snapshot_at")
HAPPENED = (*DATES, "clicked_at", "converted_at", "responded_at")


@dataclass(frozen=True)
class SelectedRows:
    """The selected rows of a table: their query, notes and problems.

    Attributes:
        first, last: earliest and latest timestamp of the selected rows; None without a timestamp column.
        duplicates: number of rows that equal an earlier one in every column.
    """

    sql: str
    notes: tuple[str, ...]
    problems: tuple[ContractBroken, ...]
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    duplicates: int = 0


def select(
    db: duckdb.DuckDBPyConnection,
    source: RawTable,
    readings: list[ParsedColumn],
    schema: TableSchema,
    now: pd.Timestamp,
) -> SelectedRows:
    """Select the rows; all columns must be readable."""
    notes: list[str] = []
    problems: list[ContractBroken] = []
    kept, (first, last) = _in_time(db, source, readings, now, notes, problems)
    kept += _with_ids(db, source, readings, schema, notes)
    duplicates = _duplicates(db, source, readings, schema, notes, problems)
    columns = ", ".join(f"({one.sql})::{one.type} AS {quoted(one.name)}" for one in readings)
    sql = f"SELECT {columns} FROM {source.sql}" + (f" WHERE {' AND '.join(kept)}" if kept else "")
    if duplicates and (schema.duplicates == "drop" or source.table in ENTITIES.values()):
        numbered = f"SELECT *, row_number() OVER () AS n FROM {source.sql}" + (
            f" WHERE {' AND '.join(kept)}" if kept else ""
        )
        raw_columns = ", ".join(one.raw for one in readings)
        distinct = f"SELECT * FROM ({numbered}) QUALIFY row_number() OVER (PARTITION BY {raw_columns} ORDER BY n) = 1"
        sql = f"SELECT {columns} FROM ({distinct} ORDER BY n)"
    sql = _newest(db, source, readings, sql, notes)
    return SelectedRows(sql, tuple(notes), tuple(problems), first, last, duplicates)


def _in_time(
    db: duckdb.DuckDBPyConnection,
    source: RawTable,
    readings: list[ParsedColumn],
    now: pd.Timestamp,
    notes: list[str],
    problems: list[ContractBroken],
) -> tuple[list[str], tuple[pd.Timestamp | None, pd.Timestamp | None]]:
    """The conditions that keep rows that are neither in the future nor outliers, and their time range."""
    kept: list[str] = []
    moments = [one for one in readings if one.name in HAPPENED and one.name in SPECS[source.table]]
    for at in moments:
        bounds = _bounds(db, source, readings, at, now, problems)
        if not bounds:
            continue
        kept.append(f"coalesce({' AND '.join(bounds)}, true)")
        aside = values.offending(db, source, readings, f"NOT {kept[-1]}")
        ((count,),) = db.execute(f"SELECT count(*) FROM {source.sql} WHERE NOT {kept[-1]}").fetchall()
        shown = ", ".join(f"{row[at.name]} ({source.place(place)})" for place, row in aside[:3])
        what = f"rows are in the future or far from the rest by {at.name}, and left out"
        notes.append(f"{count:,} of {source.rows:,} {what}: {shown}")
    dated = next((one for one in moments if one.name in DATES), None)
    if dated is None:
        return kept, (None, None)
    extent = f"SELECT min({dated.sql}), max({dated.sql}) FROM {source.sql} WHERE {' AND '.join(kept) or 'true'}"
    ((first, last),) = db.execute(extent).fetchall()
    return kept, (None, None) if first is None else (pd.Timestamp(first), pd.Timestamp(last))


def _bounds(
    db: duckdb.DuckDBPyConnection,
    source: RawTable,
    readings: list[ParsedColumn],
    at: ParsedColumn,
    now: pd.Timestamp,
    problems: list[ContractBroken],
) -> list[str]:
    """The conditions on one column. A snapshot in the future is a problem, and so is a table that lies there whole."""
    moment, latest = f"({at.sql})", f"TIMESTAMP {literal(str(now + AHEAD))}"
    counted = f"SELECT {moment}::DATE AS day, count(*) AS n FROM {source.sql} GROUP BY day"
    days = db.execute(f"FROM ({counted}) WHERE day IS NOT NULL ORDER BY day").df()
    if days.empty:
        return []
    ahead = bool(days["day"].iloc[-1] >= (now + AHEAD).normalize())
    future = values.offending(db, source, readings, f"{moment} > {latest}") if ahead else []
    if future and at.name in DATES and (at.name == "snapshot_at" or bool(days["day"].min() > now + AHEAD)):
        rule = f"{at.name} is in the past; now is {now:%Y-%m-%d %H:%M} UTC"
        shown = [row for _, row in future]
        problems.append(ContractBroken(source.table, at.name, rule, shown, source.place(future[0][0])))
        return []
    low, high = near(days[days["day"] <= now + AHEAD]) if at.name != "snapshot_at" else (None, None)
    bounds = [f"{moment} <= {latest}"] if future else []
    bounds += [f"{moment} >= TIMESTAMP {literal(str(low))}"] if low is not None else []
    bounds += [f"{moment} < TIMESTAMP {literal(str(high + pd.Timedelta(days=1)))}"] if high is not None else []
    return bounds


def near(days: pd.DataFrame) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """First and last day without the few outlying rows before or after the rest; None where there are no outliers.

    Args:
        days: `day` in order, and `n`, the rows of that day.
    """
    counts = days["n"].to_numpy(dtype=np.int64)
    gaps = np.diff(days["day"].to_numpy().astype("datetime64[D]")).astype(np.int64)
    few = int(FEW * counts.sum())
    low = high = None
    if len(gaps) and few:
        before, after = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[::-1][1:]
        usual = gaps[(before > few) & (after > few)]
        wide = max(FAR_DAYS, FAR_GAPS * int(usual.max(initial=0)))
        left, right = (np.flatnonzero((gaps > wide) & (rows <= few)) for rows in (before, after))
        low = days["day"].iloc[left[-1] + 1] if len(left) else None
        high = days["day"].iloc[right[0]] if len(right) else None
    return low, high


def _with_ids(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: list[ParsedColumn], schema: TableSchema, notes: list[str]
) -> list[str]:
    """The condition that rows have their ids, where the schema drops others."""
    if schema.missing_ids == "refuse":
        return []
    spec = SPECS[source.table]
    there = [one.sql for one in readings if one.name.endswith("_id") and one.name in spec and spec[one.name].required]
    condition = " AND ".join(f"({sql}) IS NOT NULL" for sql in there)
    ((count,),) = db.execute(f"SELECT count(*) FROM {source.sql} WHERE NOT ({condition})").fetchall()
    notes += [f"{count:,} of {source.rows:,} rows have no id, and are dropped"] if count else []
    return [condition]


def _duplicates(
    db: duckdb.DuckDBPyConnection,
    source: RawTable,
    readings: list[ParsedColumn],
    schema: TableSchema,
    notes: list[str],
    problems: list[ContractBroken],
) -> int:
    """Number of rows that equal an earlier one in all columns; not counted for auctions without a timestamp."""
    if source.table == "auctions" and not any(one.name == "occurred_at" for one in readings):
        return 0
    key = f"hash({', '.join(one.raw for one in readings)})"
    repeated = f"SELECT {key} AS same, count(*) - 1 AS n FROM {source.sql} GROUP BY same HAVING count(*) > 1"
    ((count, same),) = db.execute(f"SELECT coalesce(sum(n), 0), any_value(same) FROM ({repeated})").fetchall()
    if not count:
        return 0
    rows = values.offending(db, source, readings, f"{key} = {same}")
    where = ", ".join(source.place(place) for place, _ in rows[:2])
    if schema.duplicates == "refuse":
        rule = f"no two rows are equal in every column; {count:,} are"
        problems.append(ContractBroken(source.table, "all", rule, [row for _, row in rows], where))
        return int(count)
    dropped = schema.duplicates == "drop" or source.table in ENTITIES.values()
    action = "are dropped" if dropped else "are kept and counted (duplicates: drop in a schema file drops them)"
    notes.append(f"{count:,} of {source.rows:,} rows equal an earlier one in every column, and {action}: {where}")
    return int(count)


def _newest(
    db: duckdb.DuckDBPyConnection, source: RawTable, readings: Sequence[ParsedColumn], sql: str, notes: list[str]
) -> str:
    """Keep the newest of several snapshots of a customer."""
    if source.table != "customers" or not any(one.name == "snapshot_at" for one in readings):
        return sql
    ((rows, customers),) = db.execute(f"SELECT count(customer_id), count(DISTINCT customer_id) FROM ({sql})").fetchall()
    if rows == customers:
        return sql
    notes.append(f"{customers:,} customers have {rows:,} snapshots: only the newest of each is kept")
    newest = "rank() OVER (PARTITION BY customer_id ORDER BY snapshot_at DESC NULLS LAST) = 1"
    return f"SELECT * FROM ({sql}) QUALIFY customer_id IS NULL OR {newest}"
