"""Which rows of a table are taken: of those in the future, told twice or without an id it is told what is done."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from features.contracts import ContractBroken
from features.reading import values
from features.reading.files import Given
from features.reading.values import Reading
from features.schema import TableSchema
from features.tables import SPECS, literal, quoted

#: Clocks are up to 14 hours ahead of UTC, and some are wrong: a moment is in the future from a day after now on.
AHEAD = pd.Timedelta(days=1)
#: A few rows are far from the rest where nothing lies between for this many days, and for so many times the widest
#: other gap.
FAR_DAYS, FAR_GAPS = 90, 3
#: Few: at most this share of the rows, and none of a table with fewer rows than its inverse.
FEW = 0.01


@dataclass(frozen=True)
class Taken:
    """What is taken of a table: its query, and what is to be told.

    Attributes:
        first, last: moments of the rows that are taken; None where the table tells no time.
        duplicates: rows that are the same as an earlier one in every column.
    """

    sql: str
    notes: tuple[str, ...]
    problems: tuple[ContractBroken, ...]
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    duplicates: int = 0


def take(
    db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], schema: TableSchema, now: pd.Timestamp
) -> Taken:
    """Choose the rows, of columns that can all be read."""
    notes: list[str] = []
    problems: list[ContractBroken] = []
    kept, (first, last) = _in_time(db, given, readings, now, notes, problems)
    kept += _with_ids(db, given, readings, schema, notes)
    duplicates = _duplicates(db, given, readings, schema, notes, problems)
    columns = ", ".join(f"({one.sql})::{one.type} AS {quoted(one.name)}" for one in readings)
    sql = f"SELECT {columns} FROM {given.sql}" + (f" WHERE {' AND '.join(kept)}" if kept else "")
    if duplicates and (schema.duplicates == "drop" or given.table == "customers"):
        numbered = f"SELECT *, row_number() OVER () AS n FROM {given.sql}" + (
            f" WHERE {' AND '.join(kept)}" if kept else ""
        )
        given_columns = ", ".join(one.raw for one in readings)
        distinct = f"SELECT * FROM ({numbered}) QUALIFY row_number() OVER (PARTITION BY {given_columns} ORDER BY n) = 1"
        sql = f"SELECT {columns} FROM ({distinct} ORDER BY n)"
    sql = _newest(db, given, readings, sql, notes)
    return Taken(sql, tuple(notes), tuple(problems), first, last, duplicates)


def _in_time(
    db: duckdb.DuckDBPyConnection,
    given: Given,
    readings: list[Reading],
    now: pd.Timestamp,
    notes: list[str],
    problems: list[ContractBroken],
) -> tuple[list[str], tuple[pd.Timestamp | None, pd.Timestamp | None]]:
    """The condition that rows lie in the past and with the rest, and the first and last moment of those that do."""
    at = next((one for one in readings if one.name in ("occurred_at", "snapshot_at")), None)
    if at is None:
        return [], (None, None)
    moment, latest = f"({at.sql})", f"TIMESTAMP {literal(str(now + AHEAD))}"
    counted = f"SELECT {moment}::DATE AS day, count(*) AS n FROM {given.sql} GROUP BY day"
    days = db.execute(f"FROM ({counted}) WHERE day IS NOT NULL ORDER BY day").df()
    if days.empty:
        return [], (None, None)
    ahead = bool(days["day"].iloc[-1] >= (now + AHEAD).normalize())
    future = values.offending(db, given, readings, f"{moment} > {latest}") if ahead else []
    if future and (at.name == "snapshot_at" or bool(days["day"].min() > now + AHEAD)):
        rule = f"{at.name} lies in the past; now is {now:%Y-%m-%d %H:%M} UTC"
        problems.append(
            ContractBroken(given.table, at.name, rule, [row for _, row in future], given.place(future[0][0]))
        )
        return [], (None, None)
    low, high = near(days[days["day"] <= now + AHEAD]) if at.name == "occurred_at" else (None, None)
    bounds = [f"{moment} <= {latest}"] if future else []
    bounds += [f"{moment} >= TIMESTAMP {literal(str(low))}"] if low is not None else []
    bounds += [f"{moment} < TIMESTAMP {literal(str(high + pd.Timedelta(days=1)))}"] if high is not None else []
    inside = f"coalesce({' AND '.join(bounds)}, true)" if bounds else "true"
    if bounds:
        aside = values.offending(db, given, readings, f"NOT {inside}")
        ((count,),) = db.execute(f"SELECT count(*) FROM {given.sql} WHERE NOT {inside}").fetchall()
        shown = ", ".join(f"{row[at.name]} ({given.place(place)})" for place, row in aside[:3])
        notes.append(f"{count:,} of {given.rows:,} rows lie after now or far from the rest, and are set aside: {shown}")
    ((first, last),) = db.execute(f"SELECT min({moment}), max({moment}) FROM {given.sql} WHERE {inside}").fetchall()
    return [inside] if bounds else [], (pd.Timestamp(first), pd.Timestamp(last))


def near(days: pd.DataFrame) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """The first and the last day of all but the few rows that lie far before or after the rest; None where none does.

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
    db: duckdb.DuckDBPyConnection, given: Given, readings: list[Reading], schema: TableSchema, notes: list[str]
) -> list[str]:
    """The condition that rows have their ids, where others are to be dropped."""
    if schema.missing_ids == "refuse":
        return []
    spec = SPECS[given.table]
    there = [one.sql for one in readings if one.name.endswith("_id") and one.name in spec and spec[one.name].required]
    condition = " AND ".join(f"({sql}) IS NOT NULL" for sql in there)
    ((count,),) = db.execute(f"SELECT count(*) FROM {given.sql} WHERE NOT ({condition})").fetchall()
    notes += [f"{count:,} of {given.rows:,} rows have no id, and are dropped"] if count else []
    return [condition]


def _duplicates(
    db: duckdb.DuckDBPyConnection,
    given: Given,
    readings: list[Reading],
    schema: TableSchema,
    notes: list[str],
    problems: list[ContractBroken],
) -> int:
    """How many rows are the same as an earlier one in all columns. Auctions without a time may well be."""
    if given.table == "auctions" and not any(one.name == "occurred_at" for one in readings):
        return 0
    key = f"hash({', '.join(one.raw for one in readings)})"
    repeated = f"SELECT {key} AS same, count(*) - 1 AS n FROM {given.sql} GROUP BY same HAVING count(*) > 1"
    ((count, same),) = db.execute(f"SELECT coalesce(sum(n), 0), any_value(same) FROM ({repeated})").fetchall()
    if not count:
        return 0
    rows = values.offending(db, given, readings, f"{key} = {same}")
    where = ", ".join(given.place(place) for place, _ in rows[:2])
    if schema.duplicates == "refuse":
        rule = f"no two rows are the same in every column; {count:,} are"
        problems.append(ContractBroken(given.table, "all", rule, [row for _, row in rows], where))
        return int(count)
    dropped = schema.duplicates == "drop" or given.table == "customers"
    done = "are dropped" if dropped else "are kept and counted (duplicates: drop in a schema file drops them)"
    notes.append(
        f"{count:,} of {given.rows:,} rows are the same as an earlier one in every column, and {done}: {where}"
    )
    return int(count)


def _newest(
    db: duckdb.DuckDBPyConnection, given: Given, readings: Sequence[Reading], sql: str, notes: list[str]
) -> str:
    """Of several snapshots of one customer the newest."""
    if given.table != "customers" or not any(one.name == "snapshot_at" for one in readings):
        return sql
    ((rows, customers),) = db.execute(f"SELECT count(customer_id), count(DISTINCT customer_id) FROM ({sql})").fetchall()
    if rows == customers:
        return sql
    notes.append(f"{customers:,} customers have {rows:,} snapshots: the newest of each is taken")
    newest = "rank() OVER (PARTITION BY customer_id ORDER BY snapshot_at DESC NULLS LAST) = 1"
    return f"SELECT * FROM ({sql}) QUALIFY customer_id IS NULL OR {newest}"
