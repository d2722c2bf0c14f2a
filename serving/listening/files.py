"""Reads mentions from a file of JSON lines, resumed where it ended the last time, or from a table `mentions`."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from features.schema import Schema
from features.settings import Settings

#: Endings of files of JSON lines.
LINES = (".jsonl", ".ndjson", ".json")
#: Longest line in bytes; a longer one is refused whole.
LONGEST = 4 << 20
#: Bytes of a file's beginning by which it is known again.
BEGINNING = 1024


@dataclass(frozen=True)
class Batch:
    """Rows of a source, the position after them, and the share of the source that has been read (None: unknown)."""

    rows: list[Any]
    position: str
    share: float | None = None


def json_lines(file: Path, position: str, size: int) -> Iterator[Batch]:
    """Yield the lines after `position` in batches; an invalid line is yielded as it is, and refused as no object.

    A last line that is neither ended nor valid is still being written: it is left for the next time.
    Raises `OSError`.
    """
    with file.open("rb") as stream:
        length, at = file.stat().st_size, _start(file, position)
        stream.seek(at)
        rows: list[Any] = []
        while line := stream.readline(LONGEST):
            row, whole = _row(line), line.endswith(b"\n")
            if not whole and len(line) == LONGEST:
                row, at = "a line of more than 4 MiB", at + _skipped(stream)
            elif not whole and isinstance(row, str):
                break
            at += len(line)
            if line.strip():
                rows.append(row)
            if len(rows) == size:
                yield Batch(rows, _position(file, at), at / length)
                rows = []
        if rows:
            yield Batch(rows, _position(file, at), 1.0)


def table(source: str, settings: Settings, size: int) -> Iterator[Batch]:
    """Yield the table `mentions` of a folder or `s3://` prefix in batches.

    Raises `FileNotFoundError` where there is none, `ContractBroken` where it is not as the contract says.
    """
    import tempfile

    import pyarrow.parquet as pq

    from features.sources import folder
    from features.tables import Tables

    with tempfile.TemporaryDirectory(prefix="adloop-") as temporary:
        if "mentions" not in folder.tables(source, settings, Schema()):
            raise FileNotFoundError(f"{source}: expected the table 'mentions' as mentions.parquet or mentions.csv")
        folder.read(source, Path(temporary), settings, Schema())
        parquet = pq.ParquetFile(Tables(Path(temporary)).path("mentions"))
        done, total = 0, max(parquet.metadata.num_rows, 1)
        for part in parquet.iter_batches(batch_size=size):
            done += part.num_rows
            yield Batch(part.to_pylist(), "", done / total)


def _row(line: bytes) -> Any:
    """The value of a line; its beginning as text where it is no JSON."""
    try:
        return orjson.loads(line)
    except ValueError:
        return line[:80].decode("utf-8", "replace").strip()


def _skipped(stream: Any) -> int:
    """Read to the end of a line that is too long. Returns the number of bytes."""
    count = 0
    while part := stream.readline(LONGEST):
        count += len(part)
        if part.endswith(b"\n"):
            break
    return count


def _position(file: Path, at: int) -> str:
    return json.dumps({"at": at, "mark": _mark(file, at)})


def _start(file: Path, position: str) -> int:
    """Where to go on: 0 for a file that is new, other or shorter than it was."""
    if not position:
        return 0
    kept = json.loads(position)
    at = int(kept["at"])
    return at if at <= file.stat().st_size and _mark(file, at) == kept["mark"] else 0


def _mark(file: Path, at: int) -> str:
    """A hash of the file's beginning, of what was read of it at most."""
    with file.open("rb") as stream:
        return hashlib.sha256(stream.read(min(at, BEGINNING))).hexdigest()
