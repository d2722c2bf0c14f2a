"""Whether the records of a record are what was recorded: none changed, removed or moved."""

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
    """The first record of a chain that is not as it was recorded."""

    source: str
    chain: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"{self.source}: record {self.sequence} of chain {self.chain} {self.what}"


def verify(path: Place) -> list[ChainFault]:
    """The first record of each chain that was changed, removed or moved since it was recorded; empty if none was.

    Of a single part, that its records follow each other. Who can write to the folder could also write a whole chain
    anew, or take one away: only a copy of its last hash, kept elsewhere, shows that.
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
    for name, why in damaged.items():  # said before what is missing where it was
        chain, _, first = name.rpartition("-")
        faults[chain] = ChainFault(f"{name}{SUFFIX}", chain, int(first), f"cannot be read: {why}")
    for chain, stretch in last.items():
        if path.is_dir() and not (stretch.head.closed or stretch.open):
            faults.setdefault(chain, ChainFault(stretch.source, chain, stretch.end, "and what follows is missing"))
    return list(faults.values())


def _begins(
    stretch: Stretch, before: Stretch | None, whole: bool, removed: tuple[int, bytes] | None
) -> ChainFault | None:
    """Whether a stretch follows the one before it; the first one begins the chain, or follows what was removed of it
    because it was older than it is kept."""
    if not whole:
        return None
    chain = stretch.head.chain
    begin = removed if removed is not None else (0, genesis(chain))
    end, follows = (before.end, _last(before)) if before else begin
    if stretch.head.first != end:
        return ChainFault(stretch.source, chain, min(end, stretch.head.first), "is missing or was moved")
    return None if stretch.head.previous == follows else ChainFault(stretch.source, chain, end, "does not follow")


def _last(stretch: Stretch) -> bytes:
    return stretch.hashes[-1] if stretch.hashes else stretch.head.previous


def _differs(stretch: Stretch) -> ChainFault | None:
    """The first record whose hash does not cover it, or whose columns say something else."""
    head = stretch.head
    for at, (found, stored) in enumerate(zip(links(head.previous, stretch.written), stretch.hashes, strict=True)):
        if found != stored:
            what = "was changed, or what was before it was removed or moved"
            return ChainFault(stretch.source, head.chain, head.first + at, what)
    if stretch.columns is None or not stretch.written:
        return None
    rebuilt = batch(head.chain, head.first, stretch.written, stretch.hashes)
    return _columns(stretch, stretch.columns, pa.Table.from_batches([rebuilt], SCHEMA))


def _columns(stretch: Stretch, table: Any, rebuilt: Any) -> ChainFault | None:
    """The first row with a column that is not what its record says."""
    for name in rebuilt.column_names:
        there = name in table.column_names  # one of an earlier version has fewer
        if there and table[name].equals(rebuilt[name]):
            continue
        stored = table[name].to_pylist() if there else [None] * len(rebuilt)
        rows = zip(stored, rebuilt[name].to_pylist(), strict=True)
        at = next((at for at, (found, said) in enumerate(rows) if found != said), None)
        if at is not None:
            what = f"was changed in its column {name}"
            return ChainFault(stretch.source, stretch.head.chain, stretch.head.first + at, what)
    return None
