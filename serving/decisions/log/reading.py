"""Reading a decision log: the entries of a part or a folder, chain by chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from serving.decisions.log import journal, parts
from serving.decisions.log.entry import Entry, read


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


def stretches(path: Path, damaged: dict[str, str] | None = None) -> Iterator[Stretch]:
    """All that a part or a folder holds, each entry once, one part at a time.

    Raises `FileNotFoundError` where there is nothing.

    Args:
        damaged: is told the parts that cannot be read, and why. Without it they are a `ValueError`.
    """
    with parts.steady(path):
        left: dict[str, journal.Kept] = {journal.name(kept.chain, kept.first): kept for kept in parts.journals(path)}
        made = {part.stem: part for part in parts.uncovered(parts.found(path))}
        for name in sorted({*left, *made}):
            if name not in made:
                yield _journal(left[name])
                continue
            try:
                found = _part(made[name])
            except parts.UNREADABLE as broken:
                if damaged is None or not journal.NAME.fullmatch(name):
                    raise ValueError(f"{made[name]} cannot be read: {broken}") from broken
                damaged[name] = str(broken)
                continue
            yield found


def _part(part: Path) -> Stretch:
    table = parts.read(part)
    return Stretch(part.name, parts.head(part), parts.exact(table), table["hash"].to_pylist(), False, table)


def _journal(kept: journal.Kept) -> Stretch:
    head = parts.Head(kept.chain, kept.first, kept.previous, False)
    return Stretch(f"the journal of {kept.chain}", head, kept.written, kept.hashes, not kept.damaged, None)


def entries(path: Path) -> Iterator[bytes]:
    """The exact bytes of each entry, as `stretches` finds them; those of damaged parts are left out, see `verify`."""
    for stretch in stretches(path, {}):
        yield from stretch.written


def find(path: Path, decision_id: str) -> list[Entry]:
    """What was logged of a decision, oldest first: it was asked for once or more. Raises `LookupError` if never."""
    journals = [written for kept in parts.journals(path) for written in kept.written]
    logged = set[bytes]()
    for _, table in parts.readable(path, ["decision_id", "entry"]):
        logged.update(parts.exact(table.filter(pc.field("decision_id") == decision_id)))
    logged.update(written for written in journals if decision_id.encode() in written)
    found = [entry for entry in map(read, logged) if entry.decision.decision_id == decision_id]
    if not found:
        raise LookupError(f"no decision {decision_id} is logged in {path}")
    return sorted(found, key=lambda entry: entry.logged_at)
