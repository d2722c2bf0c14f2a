"""Follows a log that others write, here or in S3: each record once, from its journal where it has no part yet."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from features.lake import Place
from features.records import SUFFIX
from serving.records import columns, journal, parts

log = logging.getLogger("adloop.records")


class Follower:
    """Reads what was added to a folder since the last call.

    Args:
        names: columns to read, see `features.records.COLUMNS`; `logged_at` is read in any case.
        since: Unix seconds; earlier records are left out.
    """

    def __init__(self, place: Place, names: Sequence[str], since: float) -> None:
        self._place, self._names, self._since = place, ["logged_at", *names], since
        self._whole = set[str]()  # parts that were read
        self._begun: dict[str, tuple[int, int]] = {}  # bytes and records of journals that were read

    def new(self) -> list[dict[str, Any]]:
        """The columns of each new record; empty where nothing is logged."""
        with parts.steady(self._place):
            files = sorted(file for file in self._place.glob("*") if file.stem not in self._whole)
            read = [self._journal(file) for file in files if file.name.endswith(journal.SUFFIX)]
            read += [self._part(file) for file in files if file.name.endswith(SUFFIX)]
        return [record for records in read for record in records if record["logged_at"] >= self._since]

    def _journal(self, file: Place) -> list[dict[str, Any]]:
        start, count = self._begun.get(file.stem, (0, 0))
        if not isinstance(file, Path) and file.stat().st_size <= start:
            return []
        written, end = journal.follow(file, start)
        self._begun[file.stem] = end, count + len(written)
        return list(self._parsed(written))

    def _part(self, part: Place) -> list[dict[str, Any]]:
        """What of a part was not in its journal yet when that was read."""
        if not parts.late(part, self._since):
            self._whole.add(part.stem)
            return []
        try:
            table = parts.read(part, self._names)
        except parts.UNREADABLE as damaged:
            log.error("skipped: %s is unreadable: %s", part, damaged)
            if isinstance(part, Path):  # S3 may only be away
                self._whole.add(part.stem)
            return []
        self._whole.add(part.stem)
        _, count = self._begun.pop(part.stem, (0, 0))
        rows: list[dict[str, Any]] = table.slice(count).to_pylist(maps_as_pydicts="strict")
        return rows

    def _parsed(self, written: Iterable[bytes]) -> Iterable[dict[str, Any]]:
        for line in written:
            try:
                row = columns.named(orjson.loads(line))
            except (ValueError, TypeError) as strange:
                row = {"logged_at": strange}
            if isinstance(row["logged_at"], float | int):
                yield {name: row[name] for name in self._names}
            else:
                log.error("a line of %s is no record and was skipped: %s", self._place, row["logged_at"])
