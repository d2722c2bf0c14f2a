"""Recovers journals of killed writers: makes parts of their complete groups."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from serving.records import journal, parts
from serving.records.columns import LoggedRecord, batch

log = logging.getLogger("adloop.records")


def recover(place: Path, recovered: Callable[[Sequence[LoggedRecord]], None]) -> None:
    """Make parts of abandoned journals, and pass on their records. For one process at a time.

    A journal that was changed after it was written is renamed to `.damaged`; the records before the change become a
    part. The chain then stays open, and `verify` reports what is missing.
    """
    found = _left(place)
    last = {kept.chain: path for path, kept in found.items() if kept is not None}
    for path, kept in found.items():
        if kept is None:
            path.unlink(missing_ok=True)
            continue
        try:
            _finish(place, kept, recovered, closed=path == last[kept.chain] and not kept.damaged)
        except ValueError as strange:  # a line is not a record
            _set_aside(path, str(strange))
            continue
        if kept.damaged:
            _set_aside(path, f"it was changed after record {kept.first + len(kept.written) - 1}")
        else:
            path.unlink(missing_ok=True)


def _left(place: Path) -> dict[Path, journal.JournalContent | None]:
    """Contents of abandoned journals; unreadable ones are set aside."""
    found: dict[Path, journal.JournalContent | None] = {}
    for path in sorted(place.glob(f"*{journal.SUFFIX}")):
        if journal.abandoned(path):
            try:
                found[path] = journal.read(path)
            except (journal.Damaged, OSError) as damaged:
                _set_aside(path, str(damaged))
    return found


def _set_aside(path: Path, why: str) -> None:
    log.error("%s is set aside as %s: %s", path, parts.DAMAGED, why)
    path.rename(path.with_suffix(parts.DAMAGED))


def _finish(
    place: Path, kept: journal.JournalContent, recovered: Callable[[Sequence[LoggedRecord]], None], closed: bool
) -> None:
    if kept.rest:
        log.warning("chain %s: %d bytes of an unfinished group are removed", kept.chain, len(kept.rest))
    if kept.written or kept.first:
        columns = [batch(kept.chain, kept.first, kept.written, kept.hashes)] if kept.written else []
        parts.write(place, parts.Head(kept.chain, kept.first, kept.previous, closed), columns)
    if kept.written:
        recovered([LoggedRecord(line) for line in kept.written])
