"""Divides Parquet files into partitions that are scored apart: whole files, or row groups of large ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from features import lake
from features.lake import Place, is_remote
from features.settings import Settings

#: Rows from which on a partition takes no further row group of its file.
ROWS = 250_000
#: Bytes of a column that are read ahead; without, a whole column of a row group would be.
AHEAD = 1 << 20


@dataclass(frozen=True)
class Partition:
    """Row groups of one file.

    Attributes:
        uri: the file.
        name: of the file of its scores, below the folder of all scores.
        groups: numbers of the row groups.
        rows: how many rows they have together.
        state: the file's size and when it was written, by which a later run knows it again.
    """

    uri: str
    name: str
    groups: tuple[int, ...]
    rows: int
    state: tuple[int, float]


def partitions(data: str, settings: Settings) -> list[Partition]:
    """The partitions of a Parquet file, or of all Parquet files below a folder, here or in S3, in a fixed order.

    Raises `FileNotFoundError` where there are none, and `ValueError` for files that are not of one table.
    """
    root = lake.place(data.rstrip("/"), settings)
    files = [root] if root.is_file() else sorted(one for one in root.glob("**/*.parquet") if _counts(str(one), data))
    if not files:
        raise FileNotFoundError(f"{data}: expected a Parquet file, or a folder of Parquet files")
    found, first = list[Partition](), None
    for file in files:
        with opened(str(file), settings) as parquet:
            columns = parquet.schema_arrow.names
            first = first or columns
            if columns != first:
                raise ValueError(f"{files[0]} and {file} have different columns: name one table, a file or its folder")
            below = file.name if file == root else str(file).removeprefix(f"{root}/")
            found += _parts(file, below, parquet.metadata)
    return found


def opened(uri: str, settings: Settings) -> pq.ParquetFile:
    """A Parquet file that is read page by page."""
    source: Any = uri if not is_remote(uri) else lake.filesystem(uri, settings).open(uri, "rb")
    return pq.ParquetFile(source, buffer_size=AHEAD, pre_buffer=False)


def _parts(file: Place, below: str, metadata: pq.FileMetaData) -> Iterator[Partition]:
    about = file.stat()
    groups = list(_grouped([metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]))
    for number, (those, rows) in enumerate(groups):
        name = below if len(groups) == 1 else f"{below.removesuffix('.parquet')}-{number:05}.parquet"
        yield Partition(str(file), name, tuple(those), rows, (about.st_size, about.st_mtime))


def _grouped(sizes: list[int]) -> Iterator[tuple[range, int]]:
    """Ranges of row groups of these sizes with `ROWS` rows at least, but for the last, and their numbers of rows."""
    begin, rows = 0, 0
    for group, size in enumerate(sizes):
        rows += size
        if rows >= ROWS or group == len(sizes) - 1:
            yield range(begin, group + 1), rows
            begin, rows = group + 1, 0


def _counts(file: str, data: str) -> bool:
    """Whether it is not a file that is being written, or what an engine keeps beside its files."""
    return not any(part.startswith((".", "_")) for part in file.removeprefix(data).split("/"))
