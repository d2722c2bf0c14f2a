"""Reads platforms into canonical tables, a day at a time, and goes on where it was stopped.

Each day is a file of each table under `platforms/<platform>/<account>/`; `tables` joins them to a folder that
`adloop run --data` reads.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from features.daily_parts import join
from features.tables import SPECS, Tables
from serving.integrations import outside
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Platform, Throttled

if TYPE_CHECKING:
    import pyarrow as pa

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync read: days, rows by table, and objects that others edited."""

    days: int
    rows: dict[str, int]
    edited: Sequence[outside.EditedObject]


def due(platform: Platform, ledger: WriteLedger, start: date, end: date, now: float) -> list[date]:
    """The days from `start` until before `end` that were never read, or not since the platform stopped correcting
    them."""
    return [day for day in _days(start, end) if _is_due(platform, ledger, day, now)]


def _is_due(platform: Platform, ledger: WriteLedger, day: date, now: float) -> bool:
    last = ledger.read_at(platform.name, platform.account, day.isoformat())
    over = datetime.combine(day + DAY, datetime.min.time(), UTC).timestamp() + platform.restates_d * 86_400
    return last < min(now, over)


def sync(
    platform: Platform,
    ledger: WriteLedger,
    home: Path,
    start: date,
    end: date,
    told: Callable[[str, float], None] = lambda _, __: None,
) -> Synced:
    """Read the account's objects and the due days. A day that was read stays read when the next one fails."""
    found = outside.look(ledger, platform, time.time())
    days, rows = due(platform, ledger, start, end, time.time()), dict[str, int]()
    for done, day in enumerate(days):
        told(f"{platform.name} {day}", done / len(days))
        for table, read in _patiently(platform, day).items():
            _check(platform, table, read)
            _write(read, folder(home, platform) / table / f"{day}.parquet")
            rows[table] = rows.get(table, 0) + read.num_rows
        ledger.day_was_read(platform.name, platform.account, day.isoformat(), time.time())
    return Synced(len(days), rows, found)


def folder(home: Path, platform: Platform) -> Path:
    return home / "platforms" / platform.name / platform.account.replace("/", "_")


def tables(home: Path, out: Path) -> Tables:
    """Join all that was read, of all platforms, to canonical tables in the folder `out`."""
    return join((home / "platforms").glob("*/*/*/*.parquet"), out)


def _patiently(platform: Platform, day: date) -> "dict[str, pa.Table]":
    """The tables of a day; waits as the platform says."""
    while True:
        try:
            return dict(platform.read(day))
        except Throttled as throttled:
            time.sleep(throttled.wait_s)


def _check(platform: Platform, table: str, read: "pa.Table") -> None:
    """Raises `ValueError` where an integration breaks the contract of a table."""
    missing = [name for name, column in SPECS[table].items() if column.required and name not in read.column_names]
    if missing:
        raise ValueError(f"{platform.name}: table {table}: column {missing[0]} is missing")


def _write(read: "pa.Table", place: Path) -> None:
    import pyarrow.parquet as pq

    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}")
    pq.write_table(read, aside)
    aside.replace(place)


def _days(start: date, end: date) -> Iterator[date]:
    while start < end:
        yield start
        start += DAY
