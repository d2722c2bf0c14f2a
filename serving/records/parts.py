"""Parts: Parquet files that appear atomically."""

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
#: Lock of readers, and of the process that merges and removes parts; and the file that names removed ones.
LOCK, REMOVED = ".tidy", "removed.json"
#: Errors of reading a damaged file.
UNREADABLE = (pa.ArrowException, ValueError, KeyError, OSError)


@dataclass(frozen=True)
class Head:
    """Position of a part in its chain.

    Attributes:
        first: sequence number of its first record.
        previous: hash of the record before.
        closed: whether it is the last part of the chain.
    """

    chain: str
    first: int
    previous: bytes
    closed: bool


def write(place: Path, head: Head, batches: Sequence[Any]) -> None:
    """Write a part from batches of records. Idempotent."""
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
    """Position of a part. Raises `ValueError` for a file that is not a part."""
    about = _opened(part).schema_arrow.metadata or {}
    try:
        chain, first = about[b"adloop.chain"].decode(), int(about[b"adloop.first"])
        return Head(chain, first, bytes.fromhex(about[b"adloop.previous"].decode()), about[b"adloop.closed"] == b"1")
    except KeyError:
        raise ValueError(f"{part} is not a part of a log") from None


def read(part: Place, columns: Sequence[str] | None = None) -> Any:
    """Read a part as a `pyarrow.Table`, with all or some columns."""
    return _opened(part).read(columns=columns)


def _opened(part: Place) -> Any:
    """An open Parquet file, of which only the footer has been read."""
    return pq.ParquetFile(part if isinstance(part, Path) else part.open("rb"))


def rows(part: Place) -> int:
    """Number of records of a part."""
    return int(_opened(part).metadata.num_rows)


def whole(part: Place) -> bool:
    """Whether a file is a part with a readable footer."""
    try:
        head(part)
    except UNREADABLE:
        return False
    return True


def uncovered(chain: Sequence[AnyPlace]) -> list[AnyPlace]:
    """Parts in the order of their chains, without those that a merged part covers (left by an interrupted merge)."""
    result, end = list[AnyPlace](), ("", 0)
    for part in chain:
        if whole(part):
            about = head(part)
            last = about.first + rows(part)
            if end[0] == about.chain and about.first < end[1] and last <= end[1]:
                continue
            end = about.chain, last
        result.append(part)
    return result


def removed(place: Place) -> dict[str, tuple[int, bytes]]:
    """Chains with a removed beginning: sequence number of the first remaining record, and the hash before it.

    Raises `ValueError` naming the file where it is damaged.
    """
    file = place / REMOVED
    try:
        positions = json.loads(file.read_text()) if file.exists() else {}
        return {chain: (int(first), bytes.fromhex(follows)) for chain, (first, follows) in positions.items()}
    except (ValueError, TypeError, AttributeError) as damaged:
        raise ValueError(f"{file} is damaged, put a copy back or remove it: {damaged}") from damaged


@contextmanager
def steady(path: Place) -> Iterator[None]:
    """Lock that prevents parts from being merged or removed while they are read. Copies in S3 stay as they are."""
    if not isinstance(path, Path):
        yield
        return
    place = path if path.is_dir() else path.parent
    try:
        lock = (place / LOCK).open("a")
    except OSError:  # a folder that is read-only for everyone changes for no one
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def exact(table: Any) -> list[bytes]:
    """Exact bytes of each record of a part."""
    written: list[bytes] = table["entry"].cast(pa.binary()).to_pylist()
    return written


def found(path: AnyPlace) -> list[AnyPlace]:
    """The part at `path`, or the parts of the folder, by chain and in order.

    Raises `FileNotFoundError` where there are none.
    """
    if not path.exists():
        raise FileNotFoundError(f"nothing is recorded in {path}")
    return sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]  # type: ignore[return-value]


def late(part: Place, since: float) -> bool:
    """Whether a part may contain records since a time (Unix seconds). File times are coarse."""
    return part.stat().st_mtime >= since - 1


def journals(path: Place, since: float = 0.0) -> list[journal.JournalContent]:
    """Contents of the journals in a folder that may contain records since a time (Unix seconds). Read them before the
    parts, so that none is missed when it becomes a part.

    Damaged ones are skipped and logged.
    """
    found = []
    for file in path.glob(f"*{journal.SUFFIX}"):
        try:
            content = journal.read(file) if late(file, since) and file.stat().st_size else None
        except FileNotFoundError:  # it has just become a part
            continue
        except journal.Damaged as damaged:
            log.error("skipped: %s", damaged)
            continue
        if content is not None:
            found.append(content)
    return found


def left_out(place: Path) -> str | None:
    """Damaged files that were set aside, and what to do; None where there are none."""
    names = sorted(file.name for file in place.glob(f"*{DAMAGED}"))
    if not names:
        return None
    return f"{place}: {', '.join(names)}: damaged and left out; restore a copy as {journal.SUFFIX}, or remove them"


def appear(draft: Path, target: Path) -> None:
    """Write a file atomically and sync it to disk."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    journal.sync(target.parent)
