"""Finished parts: Parquet files that appear whole."""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.lake import Place
from features.records import SCHEMA, SUFFIX, AnyPlace
from serving.records import journal

log = logging.getLogger("adloop.records")

DAMAGED = ".damaged"
#: Held by who reads the record, and by who merges and removes parts; and what tells which were removed.
LOCK, REMOVED = ".tidy", "removed.json"
#: What reading a file raises that is damaged, or no part at all.
UNREADABLE = (pa.ArrowException, ValueError, KeyError, OSError)


@dataclass(frozen=True)
class Head:
    """Where a part stands in its chain.

    Attributes:
        first: sequence number of its first record.
        previous: the hash that record follows.
        closed: it is the chain's last.
    """

    chain: str
    first: int
    previous: bytes
    closed: bool


def write(place: Path, head: Head, batches: Sequence[Any]) -> None:
    """Make a part of batches of records. Done again with the same, it is the same part."""
    about = {
        "adloop.chain": head.chain,
        "adloop.first": str(head.first),
        "adloop.previous": head.previous.hex(),
        "adloop.closed": str(int(head.closed)),
    }
    # Columns that an earlier version did not have are null.
    tables = [SCHEMA.empty_table(), *(pa.Table.from_batches([one.replace_schema_metadata(None)]) for one in batches)]
    table = pa.concat_tables(tables, promote_options="default").select(SCHEMA.names).replace_schema_metadata(about)
    name = journal.name(head.chain, head.first)
    exact = {name: False for name in ("entry", "hash")}
    pq.write_table(
        table,
        place / f"{name}.writing",
        compression="zstd",
        use_dictionary=[name for name in SCHEMA.names if name not in exact],
    )
    appear(place / f"{name}.writing", place / f"{name}{SUFFIX}")


def head(part: Place) -> Head:
    """Where a part stands. Raises `ValueError` for a file that is no part of a record."""
    about = _opened(part).schema_arrow.metadata or {}
    try:
        chain, first = about[b"adloop.chain"].decode(), int(about[b"adloop.first"])
        return Head(chain, first, bytes.fromhex(about[b"adloop.previous"].decode()), about[b"adloop.closed"] == b"1")
    except KeyError:
        raise ValueError(f"{part} is no part of a record") from None


def read(part: Place, columns: Sequence[str] | None = None) -> Any:
    """A part as a `pyarrow.Table`, all of it or some columns."""
    return _opened(part).read(columns=columns)


def _opened(part: Place) -> Any:
    """Only its footer is read yet."""
    return pq.ParquetFile(part if isinstance(part, Path) else part.open("rb"))


def rows(part: Place) -> int:
    """Entries of a part."""
    return int(_opened(part).metadata.num_rows)


def whole(part: Place) -> bool:
    """Whether a file is a part whose footer can be read."""
    try:
        head(part)
    except UNREADABLE:
        return False
    return True


def uncovered(chain: Sequence[AnyPlace]) -> list[AnyPlace]:
    """Parts in the order of their chains, without those whose records one before them has too: a merge was killed."""
    kept, end = list[AnyPlace](), ("", 0)
    for part in chain:
        if whole(part):
            about = head(part)
            last = about.first + rows(part)
            if end[0] == about.chain and about.first < end[1] and last <= end[1]:
                continue
            end = about.chain, last
        kept.append(part)
    return kept


def removed(place: Place) -> dict[str, tuple[int, bytes]]:
    """Where chains go on whose beginning was removed: sequence number of the first record, and the hash it follows."""
    file = place / REMOVED
    told = json.loads(file.read_text()) if file.exists() else {}
    return {chain: (int(first), bytes.fromhex(follows)) for chain, (first, follows) in told.items()}


@contextmanager
def steady(path: Place) -> Iterator[None]:
    """While a record is read, its parts are neither merged nor removed."""
    place = path if path.is_dir() else path.parent
    try:
        lock = (place / LOCK).open("a")
    except OSError:  # who may only read the folder: nobody tidies what nobody can write
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def exact(table: Any) -> list[bytes]:
    """The bytes of each record of a part that was read."""
    written: list[bytes] = table["entry"].cast(pa.binary()).to_pylist()
    return written


def found(path: AnyPlace) -> list[AnyPlace]:
    """The part that `path` is, or the parts of the folder that it is, by chain and in the order of each.

    Raises `FileNotFoundError` where there is nothing.
    """
    if not path.exists():
        raise FileNotFoundError(f"nothing is recorded at {path}")
    return sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]


def late(part: Place, since: float) -> bool:
    """Whether a part may hold records recorded since a time (Unix seconds). Clocks of files are the coarser ones."""
    return part.stat().st_mtime >= since - 1


def journals(path: Place) -> list[journal.JournalContent]:
    """What the journals in a folder hold. Read before the parts, nothing is missed that becomes a part meanwhile.

    One that is damaged is left out, and named in this process's log.
    """
    found = []
    for file in path.glob(f"*{journal.SUFFIX}") if isinstance(path, Path) else ():  # copies are of finished parts
        try:
            kept = journal.read(file)
        except journal.Damaged as damaged:
            log.error("left out: %s", damaged)
            continue
        if kept is not None:
            found.append(kept)
    return found


def left_out(place: Path) -> str | None:
    """The files of a record that were set aside because they are damaged, and what to do; None where there are none."""
    names = sorted(file.name for file in place.glob(f"*{DAMAGED}"))
    if not names:
        return None
    return f"{place}: {', '.join(names)}: damaged and left out; put back a copy as {journal.SUFFIX}, or remove them"


def appear(draft: Path, target: Path) -> None:
    """Have a file be there whole, and kept by the disk."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    journal.sync(target.parent)
