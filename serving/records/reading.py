"""Reads logs: a part or a folder, by chain."""

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
    """Consecutive records from a part, or from a journal.

    Attributes:
        head: their position in the chain.
        hashes: as stored.
        open: a journal that is being written, or was when its writer was killed.
        columns: the `pyarrow.Table` of the part; None for a journal.
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
    """All records of a part or folder, each once, one part at a time.

    Raises `FileNotFoundError` where there are none.

    Args:
        damaged: collects unreadable parts with the reason. Without it, they raise `ValueError`.
    """
    with parts.steady(path):
        left: dict[str, journal.JournalContent] = {
            journal.name(content.chain, content.first): content for content in parts.journals(path)
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
                    raise ValueError(f"{made[name]} is unreadable: {broken}") from broken
                damaged[name] = str(broken)
                continue
            yield found


def _part(part: Place) -> Stretch:
    table = parts.read(part)
    return Stretch(part.name, parts.head(part), parts.exact(table), table["hash"].to_pylist(), False, table)


def _journal(content: journal.JournalContent) -> Stretch:
    head = parts.Head(content.chain, content.first, content.previous, False)
    return Stretch(f"the journal of {content.chain}", head, content.written, content.hashes, not content.damaged, None)


def records(path: Place) -> Iterator[bytes]:
    """Exact bytes of each record, in the order of `stretches`; skips damaged parts, see `verify`."""
    for stretch in stretches(path, {}):
        yield from stretch.written


def find(path: Place, column: str, value: str) -> set[bytes]:
    """Exact bytes of the records with this text in a column."""
    found = set[bytes]()
    for table in tables(path, [column, "entry"]):
        found.update(parts.exact(table.filter(pc.field(column) == value)))
    return found


def tables(path: Place, columns: Sequence[str], since: float = 0.0) -> Iterator[Any]:
    """Tables with these columns of all records that may be from after a time (Unix seconds), one per part or journal,
    newest first.

    Damaged parts are skipped and logged. Raises as `parts.found`.
    """
    with parts.steady(path):
        left = {
            journal.name(content.chain, content.first): content
            for content in parts.journals(path, since)
            if content.written
        }
        # Read journals before parts, so that none is missed when it becomes a part.
        made = parts.uncovered([one for one in parts.found(path) if parts.late(one, since)])
        for name in left.keys() - {part.stem for part in made if parts.whole(part)}:
            content = left[name]
            yield pa.Table.from_batches([batch(content.chain, content.first, content.written, content.hashes)]).select(
                columns
            )
        for part in sorted(made, key=lambda one: one.stat().st_mtime, reverse=True):
            try:
                table = parts.read(part, columns)
            except parts.UNREADABLE as damaged:
                log.error("skipped: %s is unreadable: %s", part, damaged)
                continue
            yield table


def newest(path: Place) -> datetime | None:
    """Time of the newest record; None without one."""
    found = (pc.max(table["logged_at"]).as_py() for table in tables(path, ["logged_at"])) if path.exists() else ()
    last = max((at for at in found if at is not None), default=None)
    return None if last is None else datetime.fromtimestamp(last, UTC)
