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
    last = {content.chain: path for path, content in found.items() if content is not None}
    for path, content in found.items():
        if content is None:
            path.unlink(missing_ok=True)
            continue
        try:
            _finish(place, content, recovered, closed=path == last[content.chain] and not content.damaged)
        except ValueError as strange:  # a line is not a record
            _set_aside(path, str(strange))
            continue
        if content.damaged:
            _set_aside(path, f"it was changed after record {content.first + len(content.written) - 1}")
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
    place: Path, content: journal.JournalContent, recovered: Callable[[Sequence[LoggedRecord]], None], closed: bool
) -> None:
    if content.rest:
        log.warning("chain %s: %d bytes of an unfinished group are removed", content.chain, len(content.rest))
    if content.written or content.first:
        columns = [batch(content.chain, content.first, content.written, content.hashes)] if content.written else []
        parts.write(place, parts.Head(content.chain, content.first, content.previous, closed), columns)
    if content.written:
        recovered([LoggedRecord(line) for line in content.written])
