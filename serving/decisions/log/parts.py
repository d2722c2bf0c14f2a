"""Finished parts: Parquet files that appear whole, and the parameters stored once beside them."""

import fcntl
import hashlib
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

from serving.decisions.log import journal
from serving.decisions.log.columns import SCHEMA
from serving.decisions.params import Decisions

log = logging.getLogger("adloop.decisions")

SUFFIX, DAMAGED = ".parquet", ".damaged"
#: Held by who reads the log, and by who merges and removes parts; and what tells which were removed.
LOCK, REMOVED = ".tidy", "removed.json"
#: What reading a file raises that is damaged, or no part at all.
UNREADABLE = (pa.ArrowException, ValueError, KeyError, OSError)


@dataclass(frozen=True)
class Head:
    """Where a part stands in its chain.

    Attributes:
        first: sequence number of its first entry.
        previous: the hash that entry follows.
        closed: it is the chain's last.
    """

    chain: str
    first: int
    previous: bytes
    closed: bool


def folder(home: Path) -> Path:
    """Where decisions are logged."""
    return home / "decisions" / "log"


def write(place: Path, head: Head, batches: Sequence[Any]) -> None:
    """Make a part of batches of entries. Done again with the same, it is the same part."""
    about = {
        "adloop.chain": head.chain,
        "adloop.first": str(head.first),
        "adloop.previous": head.previous.hex(),
        "adloop.closed": str(int(head.closed)),
    }
    table = pa.Table.from_batches(batches, SCHEMA).replace_schema_metadata(about)
    name = journal.name(head.chain, head.first)
    exact = {name: False for name in ("entry", "hash")}
    pq.write_table(
        table,
        place / f"{name}.writing",
        compression="zstd",
        use_dictionary=[name for name in SCHEMA.names if name not in exact],
    )
    _appear(place / f"{name}.writing", place / f"{name}{SUFFIX}")


def head(part: Path) -> Head:
    """Where a part stands. Raises `ValueError` for a file that is no part of a decision log."""
    about = pq.read_schema(part).metadata or {}
    try:
        chain, first = about[b"adloop.chain"].decode(), int(about[b"adloop.first"])
        return Head(chain, first, bytes.fromhex(about[b"adloop.previous"].decode()), about[b"adloop.closed"] == b"1")
    except KeyError:
        raise ValueError(f"{part} is no part of a decision log") from None


def read(part: Path, columns: Sequence[str] | None = None) -> Any:
    """A part as a `pyarrow.Table`, all of it or some columns."""
    return pq.ParquetFile(part).read(columns=columns)


def rows(part: Path) -> int:
    """Entries of a part."""
    return int(pq.read_metadata(part).num_rows)


def whole(part: Path) -> bool:
    """Whether a file is a part whose footer can be read."""
    try:
        head(part)
    except UNREADABLE:
        return False
    return True


def uncovered(chain: Sequence[Path]) -> list[Path]:
    """Parts in the order of their chains, without those whose entries one before them has too: a merge was killed."""
    kept, end = list[Path](), ("", 0)
    for part in chain:
        if whole(part):
            about = head(part)
            last = about.first + rows(part)
            if end[0] == about.chain and about.first < end[1] and last <= end[1]:
                continue
            end = about.chain, last
        kept.append(part)
    return kept


def removed(place: Path) -> dict[str, tuple[int, bytes]]:
    """Where chains go on whose beginning was removed: sequence number of the first entry, and the hash it follows."""
    file = place / REMOVED
    told = json.loads(file.read_text()) if file.exists() else {}
    return {chain: (int(first), bytes.fromhex(follows)) for chain, (first, follows) in told.items()}


@contextmanager
def steady(path: Path) -> Iterator[None]:
    """While a log is read, its parts are neither merged nor removed."""
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
    """The bytes of each entry of a part that was read."""
    written: list[bytes] = table["entry"].cast(pa.binary()).to_pylist()
    return written


def found(path: Path) -> list[Path]:
    """The part that `path` is, or the parts of the folder that it is, by chain and in the order of each.

    Raises `FileNotFoundError` where there is nothing.
    """
    if not path.exists():
        raise FileNotFoundError(f"no decisions are logged at {path}")
    return sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]


def late(part: Path, since: float) -> bool:
    """Whether a part may hold entries logged since a time (Unix seconds). Clocks of files are the coarser ones."""
    return part.stat().st_mtime >= since - 1


def journals(path: Path) -> list[journal.Kept]:
    """What the journals in a folder hold. Read before the parts, nothing is missed that becomes a part meanwhile.

    One that is damaged is left out, and named in this process's log.
    """
    found = []
    for file in path.glob(f"*{journal.SUFFIX}"):
        try:
            kept = journal.read(file)
        except journal.Damaged as damaged:
            log.error("left out: %s", damaged)
            continue
        if kept is not None:
            found.append(kept)
    return found


def readable(path: Path, columns: Sequence[str], since: float = 0.0) -> Iterator[tuple[Path, Any]]:
    """The parts that may hold entries logged since a time, each as a table of these columns.

    One that is damaged is left out, and named in this process's log. Raises as `found`.
    """
    with steady(path):
        for part in uncovered([one for one in found(path) if late(one, since)]):
            try:
                table = read(part, columns)
            except UNREADABLE as damaged:
                log.error("left out: %s cannot be read: %s", part, damaged)
                continue
            yield part, table


def left_out(place: Path) -> str | None:
    """The files of a log that were set aside because they are damaged, and what to do; None where there are none."""
    names = sorted(file.name for file in place.glob(f"*{DAMAGED}"))
    if not names:
        return None
    return f"{place}: {', '.join(names)}: damaged and left out; put back a copy as {journal.SUFFIX}, or remove them"


def keep_params(place: Path, params: Decisions) -> str:
    """Store the parameters, once; their name is the hash of what is stored."""
    written = params.model_dump_json().encode()
    name = hashlib.sha256(written).hexdigest()
    target = place / "params" / f"{name}.json"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}.writing")
        draft.write_bytes(written)
        _appear(draft, target)
    return name


def params(place: Path, name: str) -> Decisions:
    """The parameters of that name. Raises `ValueError` where they are not what was stored."""
    written = (place / "params" / f"{name}.json").read_bytes()
    if hashlib.sha256(written).hexdigest() != name:
        raise ValueError(f"the parameters {place / 'params' / name}.json were changed")
    return Decisions.model_validate_json(json.dumps(_as_now(json.loads(written))))


def _as_now(said: Any) -> Any:
    """Parameters as they are named now. Those of before know one time after which bids and offers expired."""
    keeping = said["keeping"]
    if "expires_s" in keeping:
        keeping["settles_s"] = said["retention"]["valid_s"] = keeping.pop("expires_s")
    return said


def _appear(draft: Path, target: Path) -> None:
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    journal.sync(target.parent)
