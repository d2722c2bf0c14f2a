"""Verifies that no record was changed, removed or moved since it was recorded."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from features.lake import Place
from features.records import SCHEMA, SUFFIX
from serving.records import parts
from serving.records.chain import genesis, links
from serving.records.columns import batch
from serving.records.reading import Stretch, stretches


@dataclass(frozen=True)
class ChainFault:
    """The first invalid record of a chain."""

    source: str
    chain: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"{self.source}: record {self.sequence} of chain {self.chain} {self.what}"


def verify(path: Place) -> list[ChainFault]:
    """The first changed, removed or moved record of each chain; empty if all are intact.

    For a single part, checks only that its records follow each other. Whoever can write to the folder could rewrite or
    remove a whole chain: only a copy of its last hash, kept elsewhere, reveals that.
    """
    faults: dict[str, ChainFault] = {}
    last: dict[str, Stretch] = {}
    damaged: dict[str, str] = {}
    removed = parts.removed(path) if path.is_dir() else {}
    for stretch in stretches(path, damaged):
        chain = stretch.head.chain
        fault = _begins(stretch, last.get(chain), path.is_dir(), removed.get(chain)) or _differs(stretch)
        if fault is not None:
            faults.setdefault(chain, fault)
        last[chain] = stretch
    for name, why in damaged.items():  # report the damage before the gap that it causes
        chain, _, first = name.rpartition("-")
        faults[chain] = ChainFault(f"{name}{SUFFIX}", chain, int(first), f"is unreadable: {why}")
    for chain, stretch in last.items():
        if path.is_dir() and not (stretch.head.closed or stretch.open):
            faults.setdefault(
                chain, ChainFault(stretch.source, chain, stretch.end, "and the following ones are missing")
            )
    return list(faults.values())


def _begins(
    stretch: Stretch, before: Stretch | None, whole: bool, removed: tuple[int, bytes] | None
) -> ChainFault | None:
    """Whether a stretch continues the one before it; the first one begins the chain, or continues after records that
    were removed by retention."""
    if not whole:
        return None
    chain = stretch.head.chain
    begin = removed if removed is not None else (0, genesis(chain))
    end, follows = (before.end, _last(before)) if before else begin
    if stretch.head.first != end:
        return ChainFault(stretch.source, chain, min(end, stretch.head.first), "is missing or was moved")
    return (
        None
        if stretch.head.previous == follows
        else ChainFault(stretch.source, chain, end, "does not follow the record before")
    )


def _last(stretch: Stretch) -> bytes:
    return stretch.hashes[-1] if stretch.hashes else stretch.head.previous


def _differs(stretch: Stretch) -> ChainFault | None:
    """The first record whose hash does not match, or whose columns differ from it."""
    head = stretch.head
    for at, (found, stored) in enumerate(zip(links(head.previous, stretch.written), stretch.hashes, strict=True)):
        if found != stored:
            what = "was changed, or the record before it was removed or moved"
            return ChainFault(stretch.source, head.chain, head.first + at, what)
    if stretch.columns is None or not stretch.written:
        return None
    rebuilt = batch(head.chain, head.first, stretch.written, stretch.hashes)
    return _columns(stretch, stretch.columns, pa.Table.from_batches([rebuilt], SCHEMA))


def _columns(stretch: Stretch, table: Any, rebuilt: Any) -> ChainFault | None:
    """The first row with a column that differs from its record."""
    for name in rebuilt.column_names:
        there = name in table.column_names  # earlier versions have fewer columns
        if there and table[name].equals(rebuilt[name]):
            continue
        stored = table[name].to_pylist() if there else [None] * len(rebuilt)
        rows = zip(stored, rebuilt[name].to_pylist(), strict=True)
        at = next((at for at, (found, said) in enumerate(rows) if found != said), None)
        if at is not None:
            what = f"was changed in its column {name}"
            return ChainFault(stretch.source, stretch.head.chain, stretch.head.first + at, what)
    return None
