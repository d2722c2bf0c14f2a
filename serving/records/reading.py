"""Reading what was recorded: a part or a folder, chain by chain."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.lake import Place
from serving.records import journal, parts
from serving.records.columns import batch

log = logging.getLogger("adloop.records")


@dataclass(frozen=True)
class Stretch:
    """Records that follow each other: of a part, or of a journal that is no part yet.

    Attributes:
        head: where they stand in their chain.
        hashes: as they are stored beside the records.
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


def stretches(path: Place, damaged: dict[str, str] | None = None) -> Iterator[Stretch]:
    """All that a part or a folder holds, each record once, one part at a time.

    Raises `FileNotFoundError` where there is nothing.

    Args:
        damaged: is told the parts that cannot be read, and why. Without it they are a `ValueError`.
    """
    with parts.steady(path):
        left: dict[str, journal.JournalContent] = {
            journal.name(kept.chain, kept.first): kept for kept in parts.journals(path)
        }
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


def _part(part: Place) -> Stretch:
    table = parts.read(part)
    return Stretch(part.name, parts.head(part), parts.exact(table), table["hash"].to_pylist(), False, table)


def _journal(kept: journal.JournalContent) -> Stretch:
    head = parts.Head(kept.chain, kept.first, kept.previous, False)
    return Stretch(f"the journal of {kept.chain}", head, kept.written, kept.hashes, not kept.damaged, None)


def records(path: Place) -> Iterator[bytes]:
    """The exact bytes of each record, as `stretches` finds them; those of damaged parts are left out, see `verify`."""
    for stretch in stretches(path, {}):
        yield from stretch.written


def find(path: Place, column: str, value: str) -> set[bytes]:
    """The exact bytes of the records with this text in a column."""
    found = set[bytes]()
    for table in tables(path, [column, "entry"]):
        found.update(parts.exact(table.filter(pc.field(column) == value)))
    return found


def tables(path: Place, columns: Sequence[str], since: float = 0.0) -> Iterator[Any]:
    """All that may have been recorded since a time (Unix seconds), as a table of these columns a part or journal, the
    newest first.

    A part that is damaged is left out, and named in this process's log. Raises as `parts.found`.
    """
    with parts.steady(path):
        left = {journal.name(kept.chain, kept.first): kept for kept in parts.journals(path) if kept.written}
        # Journals were read before the parts: nothing is missed that becomes one meanwhile.
        made = parts.uncovered([one for one in parts.found(path) if parts.late(one, since)])
        for name in left.keys() - {part.stem for part in made if parts.whole(part)}:
            kept = left[name]
            yield pa.Table.from_batches([batch(kept.chain, kept.first, kept.written, kept.hashes)]).select(columns)
        for part in sorted(made, key=lambda one: one.stat().st_mtime, reverse=True):
            try:
                table = parts.read(part, columns)
            except parts.UNREADABLE as damaged:
                log.error("left out: %s cannot be read: %s", part, damaged)
                continue
            yield table


def newest(path: Place) -> datetime | None:
    """When the newest record was made; None where nothing is recorded yet."""
    found = (pc.max(table["logged_at"]).as_py() for table in tables(path, ["logged_at"])) if path.exists() else ()
    last = max((at for at in found if at is not None), default=None)
    return None if last is None else datetime.fromtimestamp(last, UTC)
