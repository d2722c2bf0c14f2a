"""What killed writers left: their journals become parts, cut after the last whole group."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from serving.decisions.log import journal, parts
from serving.decisions.log.columns import batch
from serving.decisions.log.entry import Entry, read

log = logging.getLogger("adloop.decisions")


def recover(place: Path, recovered: Callable[[Sequence[Entry]], None]) -> None:
    """Make parts of the journals that nobody writes any more, and tell what was in them. For one process at a time.

    A journal that was changed after it was written is renamed to `.damaged`, after what is before the change became a
    part: the chain is then not closed, and `verify` says what is missing.
    """
    found = {path: journal.read(path) for path in sorted(place.glob(f"*{journal.SUFFIX}")) if journal.abandoned(path)}
    last = {kept.chain: path for path, kept in found.items() if kept is not None}
    for path, kept in found.items():
        if kept is not None:
            _finish(place, kept, recovered, closed=path == last[kept.chain] and not kept.damaged)
        if kept is not None and kept.damaged:
            log.error("%s was changed after entry %d", path, kept.first + len(kept.written) - 1)
            path.rename(path.with_suffix(".damaged"))
        else:
            path.unlink(missing_ok=True)


def _finish(place: Path, kept: journal.Kept, recovered: Callable[[Sequence[Entry]], None], closed: bool) -> None:
    if kept.rest:
        log.warning("chain %s: %d bytes that were being written are cut", kept.chain, len(kept.rest))
    entries = [read(line) for line in kept.written]
    if entries or kept.first:
        columns = [batch(kept.chain, kept.first, entries, kept.written, kept.hashes)] if entries else []
        parts.write(place, parts.Head(kept.chain, kept.first, kept.previous, closed), columns)
    if entries:
        recovered(entries)
