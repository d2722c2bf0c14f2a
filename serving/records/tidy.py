"""Merges small parts of a chain, and removes parts after their retention period.

A merged part replaces the first of its sources; the others are removed afterwards. `removed.json` has the position
where a chain with a removed beginning continues, so that `verify` knows that nothing else is missing.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from serving.records import parts
from serving.records.parts import Head

log = logging.getLogger("adloop.records")

#: Seconds before a part is merged, as canaries are judged by recent parts; bytes from which it stays as it is.
SETTLED_S, WHOLE = 3600.0, 16 << 20


def tidy(place: Path, keep_s: float | None) -> None:
    """Remove parts older than so many seconds (None: none), and merge small ones of the same chain.

    For one process at a time, and not while the log is read.
    """
    with (place / parts.LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for _, chain in groupby(parts.found(place), key=_chain):
            those = _uncovered(list(chain))
            if keep_s is not None:
                those = _kept(place, those, time.time() - keep_s)
            for run in _runs(those):
                _merge(place, run)


def _chain(part: Path) -> str:
    return part.stem.rpartition("-")[0]


def _uncovered(chain: Sequence[Path]) -> list[Path]:
    """Parts of a chain, without sources left by an interrupted merge."""
    uncovered = parts.uncovered(chain)
    for part in set(chain) - set(uncovered):
        part.unlink()
    return uncovered


def _kept(place: Path, chain: Sequence[Path], since: float) -> list[Path]:
    """Parts that may contain records since a time; records the removal of the others first."""
    count = 0
    for part in chain:
        if part.stat().st_mtime >= since or not parts.whole(part):
            break
        count += 1
    if count:
        last = parts.read(chain[count - 1], ["hash", "sequence"])
        head = parts.head(chain[count - 1])
        follows = last["hash"][-1].as_py() if last.num_rows else head.previous
        told = parts.removed(place)
        if head.closed:
            told.pop(head.chain, None)
        else:
            told[head.chain] = (head.first + last.num_rows, follows)
        _tell(place, told)
        for part in chain[:count]:
            part.unlink()
        log.warning("%d parts of chain %s are removed after their retention period", count, head.chain)
    return list(chain[count:])


def _tell(place: Path, removed: Mapping[str, tuple[int, bytes]]) -> None:
    draft = place / f".{parts.REMOVED}.{os.getpid()}"
    draft.write_text(json.dumps({chain: [first, follows.hex()] for chain, (first, follows) in removed.items()}))
    draft.replace(place / parts.REMOVED)


def _runs(chain: Sequence[Path]) -> Iterator[list[Path]]:
    """Consecutive small parts to merge, up to the size of a full part."""
    run, size, end = list[Path](), 0, -1
    for part in chain:
        about = part.stat()
        small = about.st_size < WHOLE and about.st_mtime < time.time() - SETTLED_S and parts.whole(part)
        follows = small and parts.head(part).first == end
        if run and (not follows or size >= WHOLE):
            yield run
            run, size = [], 0
        if small:
            run.append(part)
            size += about.st_size
            end = parts.head(part).first + parts.rows(part)
    if run:
        yield run


def _merge(place: Path, run: Sequence[Path]) -> None:
    if len(run) < 2:
        return
    first, last = parts.head(run[0]), parts.head(run[-1])
    at = run[-1].stat().st_mtime
    batches = [batch for part in run for batch in parts.read(part).to_batches()]
    parts.write(place, Head(first.chain, first.first, first.previous, last.closed), batches)
    os.utime(run[0], (at, at))  # keeps the time of its newest record
    for part in run[1:]:
        part.unlink()
