"""Reads attempts and returns of a family's versions from the decision log: failures, latency, cost and value."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from features.records import decisions_folder
from serving.decisions.kinds import kinds
from serving.decisions.outcomes import joined
from serving.decisions.records import Action
from serving.records import journal, parts, reading

log = logging.getLogger("adloop.rollout")

_LOGGED = ["logged_at", "versions", "faults", "took_ms"]
COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


class Attempts:
    """Decisions logged since a time, as attempts on the version that answered. Reads the log incrementally."""

    def __init__(self, home: Path, family: str, since: float) -> None:
        self._place, self._family, self._since = decisions_folder(home), family, since
        self._rows: list[tuple[float, str, bool, float]] = []
        self._whole = set[str]()  # parts that were read
        self._begun: dict[str, tuple[int, int]] = {}  # bytes and entries of journals that were read

    def seen(self) -> pd.DataFrame:
        """All attempts until now: `at`, `version`, `ok`, `latency_ms`; empty where nothing is logged.

        A decision in which the version failed is a failed attempt, although it had a conservative answer.
        """
        if self._place.exists():
            for open_ in self._place.glob(f"*{journal.SUFFIX}"):
                self._follow(open_)
            for part in parts.found(self._place):
                self._finish(part)
        return pd.DataFrame(self._rows, columns=list(COLUMNS)).astype(COLUMNS)

    def _follow(self, open_: Path) -> None:
        if open_.stem in self._whole:
            return
        start, count = self._begun.get(open_.stem, (0, 0))
        written, end = journal.follow(open_, start)
        self._begun[open_.stem] = end, count + len(written)
        self._add(attempt for line in written if (attempt := _parse(line)) is not None)

    def _finish(self, part: Path) -> None:
        """What of a part was not in its journal yet when that was read. It may be gone by now, or not yet."""
        if part.stem in self._whole:
            return
        self._whole.add(part.stem)
        _, count = self._begun.pop(part.stem, (0, 0))
        for table in reading.tables(part, _LOGGED, self._since):
            rows = table.slice(count).to_pylist()
            self._add((row["logged_at"], {**row, "versions": dict(row["versions"])}) for row in rows)

    def _add(self, logged: Iterable[tuple[float, Any]]) -> None:
        for at, said in logged:
            if at >= self._since and (version := said["versions"].get(self._family)) is not None:
                ok = not any(fault.startswith(f"{self._family} ") for fault in said["faults"])
                self._rows.append((at, version, ok, said.get("took_ms") or np.nan))


def _parse(line: bytes) -> tuple[float, Any] | None:
    """When a line was logged and what its predictions were; None of one that is no entry, which is said in the log."""
    try:
        entry = orjson.loads(line)
        return float(entry["logged_at"]), entry["predictions"]
    except (ValueError, KeyError, TypeError) as strange:
        log.error("a line of the decision log is no entry and was skipped: %s: %s", type(strange).__name__, strange)
        return None


def spent(home: Path, family: str, since: float) -> pd.DataFrame:
    """What decisions cost and returned: `version`, `cost`, `value`, `conversions`, one row per bid or shown creative.

    Includes what the policy decided itself, logged since this time. A creative costs an impression and returns clicks,
    so that its value per spend is its click rate.
    """
    place = decisions_folder(home)
    columns = ["version", "cost", "value", "conversions"]
    if not place.exists():
        return pd.DataFrame(columns=columns)
    made = joined(place.parent, since)
    own = made[made["asked"].isin(_judging(family)) & (made["arm"] == "policy")]
    own = own[own["action"].eq(Action.BID) | (own["action"].eq(Action.SHOW_CREATIVE) & own["impression"].eq(1))]
    seen = own["action"].eq(Action.SHOW_CREATIVE)
    own = own.assign(
        cost=own["cost"].mask(seen, 1.0),
        value=own["value"].mask(seen, own["click"]),
        conversions=own["conversions"].mask(seen, own["click"]),
    )
    answering = pd.Series([dict(versions).get(family) for versions in own["versions"]], own.index, dtype=object)
    return own.assign(version=answering)[columns]


def _judging(family: str) -> list[str]:
    """The kinds of decisions whose outcomes judge a family."""
    return [kind.name for kind in kinds().values() if kind.learnt_from == family]
