"""A folder of Parquet parts that grows by small ones: read as one table, merged into fewer, removed when they are old.

A part is named by when it was written (Unix milliseconds), after its rows came. Readers see each row once at every
moment: a merged part names those it is made of, which are not read beside it while they are still there.
"""

import json
import logging
import os
import re
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

log = logging.getLogger("adloop.requests")

SUFFIX = ".parquet"
#: Bytes from which a part is left as it is; and parts below it that are worth merging.
WHOLE, MANY = 16 << 20, 30
_MERGED = b"adloop.merged"
#: Files of other names are no parts.
_NAME = re.compile(rf"\d+-.+{re.escape(SUFFIX)}")


def write(place: Path, table: pa.Table) -> None:
    """Add one part: readers see all of it or nothing."""
    place.mkdir(parents=True, exist_ok=True)
    _appear(table, place / f"{time.time_ns() // 1_000_000:013d}-{os.getpid()}-{time.monotonic_ns()}{SUFFIX}")


def found(place: Path, since: datetime | None = None) -> list[Path]:
    """The parts that can hold rows from `since` on, in the order of their names."""
    there = sorted(part for part in place.glob(f"*{SUFFIX}") if _NAME.fullmatch(part.name))
    return there if since is None else [part for part in there if _written_ms(part) >= since.timestamp() * 1000]


def read(place: Path, since: datetime | None = None) -> pa.Table | None:
    """All rows of the parts that can hold rows from `since` on; None where there is no part.

    A part that is damaged is left out, and named in this process's log.
    """
    while True:
        try:
            tables = _tables(found(place, since))
        except FileNotFoundError:  # merged with others meanwhile: the one that they became is there by now
            continue
        merged = {name for table in tables.values() for name in _made_of(table.schema)}
        kept = [table.replace_schema_metadata(None) for name, table in tables.items() if name not in merged]
        return pa.concat_tables(kept, promote_options="permissive") if kept else None


def tidy(place: Path, keep_days: float) -> None:
    """Remove parts all of whose rows are older than so many days, and merge small ones. One process does, at a time."""
    if not place.exists():
        return
    try:
        with FileLock(place / ".tidy.lock").acquire(timeout=0):
            oldest = (time.time() - keep_days * 86_400) * 1000
            for part in found(place):
                if _written_ms(part) < oldest:
                    part.unlink(missing_ok=True)
            _finish(place)
            while _merge(place):
                pass
    except Timeout:
        return


def _merge(place: Path) -> bool:
    """Make one part of the oldest small ones, if they are many; whether that was done."""
    small = [(part, part.stat().st_size) for part in found(place) if part.stat().st_size < WHOLE]
    if len(small) < MANY:
        return False
    chosen, size = list[Path](), 0
    for part, bytes_ in small:
        if size >= WHOLE:
            break
        chosen.append(part)
        size += bytes_
    tables = _tables(chosen)
    for part in chosen:
        if part.name not in tables:  # damaged: it would be read again at every merge
            part.rename(part.with_suffix(".damaged"))
    if not tables:
        return True
    table = pa.concat_tables(
        [one.replace_schema_metadata(None) for one in tables.values()], promote_options="permissive"
    )
    names = json.dumps(list(tables)).encode()
    last = chosen[-1].stem
    _appear(table.replace_schema_metadata({_MERGED: names}), place / f"{last}-m{SUFFIX}")
    _finish(place)
    return True


def _finish(place: Path) -> None:
    """Remove the parts that merged ones are made of: also those that were left by who was killed on the way."""
    names = [name for part in place.glob(f"*-m{SUFFIX}") for name in _made_of(pq.read_schema(part))]
    for name in names:
        (place / name).unlink(missing_ok=True)


def _tables(parts: list[Path]) -> dict[str, pa.Table]:
    tables = {}
    for part in parts:
        try:
            tables[part.name] = pq.ParquetFile(part).read()
        except (pa.ArrowException, ValueError) as damaged:
            log.error("left out: %s cannot be read: %s", part, damaged)
    return tables


def _made_of(schema: pa.Schema) -> list[str]:
    found: list[str] = json.loads((schema.metadata or {}).get(_MERGED, b"[]"))
    return found


def _written_ms(part: Path) -> int:
    return int(part.name.split("-")[0])


def _appear(table: pa.Table, part: Path) -> None:
    draft = part.with_name(f".{part.name}")
    try:
        pq.write_table(table, draft)
        draft.replace(part)
    finally:
        draft.unlink(missing_ok=True)
