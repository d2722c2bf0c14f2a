"""Reading a decision log: the entries of a part or a folder, chain by chain, and whether they are what was logged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from serving.decisions.log import parts
from serving.decisions.log.columns import SCHEMA, batch
from serving.decisions.log.entry import Entry, genesis, links
from serving.decisions.rebuild import from_json


@dataclass(frozen=True)
class Stretch:
    """Entries that follow each other: of a part, or of a journal that is no part yet.

    Attributes:
        head: where they stand in their chain.
        hashes: as they are stored beside the entries.
        open: it is still written to, or was when its writer was killed.
        columns: the `pyarrow.Table` of the part they are from; None for a journal.
    """

    source: str
    head: parts.Head
    written: Sequence[bytes]
    hashes: Sequence[bytes]
    open: bool
    columns: pa.Table | None

    @property
    def end(self) -> int:
        return self.head.first + len(self.written)


@dataclass(frozen=True)
class Fault:
    """The first entry of a chain that is not as it was logged."""

    source: str
    chain: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"{self.source}: entry {self.sequence} of chain {self.chain} {self.what}"


def stretches(path: Path) -> Iterator[Stretch]:
    """All that a part or a folder holds, each entry once, one part at a time.

    Raises `FileNotFoundError` where there is nothing, `ValueError` for a file that is no part of a decision log.
    """
    journals = list(parts.journals(path))
    ends: dict[str, int] = {}
    for part in parts.found(path):
        head, table = parts.head(part), parts.read(part)
        written, hashes = table["entry"].to_pylist(), table["hash"].to_pylist()
        stretch = Stretch(part.name, head, written, hashes, False, table)
        ends[head.chain] = stretch.end
        yield stretch
    for kept in journals:
        if kept.first >= ends.get(kept.chain, 0):  # else it became a part while this was reading
            source = f"the journal of {kept.chain}"
            head = parts.Head(kept.chain, kept.first, kept.previous, False)
            yield Stretch(source, head, kept.written, kept.hashes, not kept.damaged, None)


def entries(path: Path) -> Iterator[tuple[Entry, bytes]]:
    """Each entry with its exact bytes, as `stretches` finds them."""
    for stretch in stretches(path):
        for written in stretch.written:
            yield from_json(Entry, written), written


def verify(path: Path) -> list[Fault]:
    """The first entry of each chain that was changed, removed or moved since it was logged; empty if none was.

    Of a single part, that its entries follow each other. Who can write to the folder could also write a whole chain
    anew, or take one away: only a copy of its last hash, kept elsewhere, shows that.
    """
    faults: dict[str, Fault] = {}
    last: dict[str, Stretch] = {}
    for stretch in stretches(path):
        chain = stretch.head.chain
        fault = _begins(stretch, last.get(chain), path.is_dir()) or _differs(stretch)
        if fault is not None:
            faults.setdefault(chain, fault)
        last[chain] = stretch
    for chain, stretch in last.items():
        if path.is_dir() and not (stretch.head.closed or stretch.open):
            faults.setdefault(chain, Fault(stretch.source, chain, stretch.end, "and what follows is missing"))
    return list(faults.values())


def _begins(stretch: Stretch, before: Stretch | None, whole: bool) -> Fault | None:
    """Whether a stretch follows the one before it; the first one begins the chain."""
    if not whole:
        return None
    chain, end = stretch.head.chain, before.end if before else 0
    follows = _last(before) if before else genesis(chain)
    if stretch.head.first != end:
        return Fault(stretch.source, chain, min(end, stretch.head.first), "is missing or was moved")
    return None if stretch.head.previous == follows else Fault(stretch.source, chain, end, "does not follow")


def _last(stretch: Stretch) -> bytes:
    return stretch.hashes[-1] if stretch.hashes else stretch.head.previous


def _differs(stretch: Stretch) -> Fault | None:
    """The first entry whose hash does not cover it, or whose columns say something else."""
    head = stretch.head
    for at, (found, stored) in enumerate(zip(links(head.previous, stretch.written), stretch.hashes, strict=True)):
        if found != stored:
            what = "was changed, or what was before it was removed or moved"
            return Fault(stretch.source, head.chain, head.first + at, what)
    if stretch.columns is None or not stretch.written:
        return None
    rebuilt = batch(
        head.chain, head.first, [from_json(Entry, one) for one in stretch.written], stretch.written, stretch.hashes
    )
    return _columns(stretch, pa.Table.from_batches([rebuilt], SCHEMA))


def _columns(stretch: Stretch, rebuilt: pa.Table) -> Fault | None:
    """The first row with a column that is not what its entry says."""
    table = stretch.columns
    for name in rebuilt.column_names:
        if table[name].equals(rebuilt[name]):
            continue
        rows = zip(table[name].to_pylist(), rebuilt[name].to_pylist(), strict=True)
        at = next((at for at, (stored, said) in enumerate(rows) if stored != said), None)
        if at is not None:
            what = f"was changed in its column {name}"
            return Fault(stretch.source, stretch.head.chain, stretch.head.first + at, what)
    return None
