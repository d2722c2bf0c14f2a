"""The versions of a family as decisions show them: how often each failed, how long it took, and what it brought."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from serving.decisions.feedback import FILE
from serving.decisions.log import journal, parts
from serving.decisions.outcomes import joined
from serving.decisions.records import Action

_LOGGED = ["logged_at", "versions", "faults", "took_ms"]
COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


def attempts(home: Path, family: str, since: float) -> pd.DataFrame:
    """Decisions logged since this time as attempts on the version that answered: `at`, `version`, `ok`, `latency_ms`.

    One that the version failed in is a failed attempt, though it was answered, conservatively. None where nothing is
    logged.
    """
    place = parts.folder(home)
    logged = [*_in_journals(place), *_in_parts(place, since)] if place.exists() else []
    rows = [
        (at, versions[family], not any(fault.startswith(f"{family} ") for fault in faults), took_ms)
        for at, versions, faults, took_ms in logged
        if at >= since and family in versions
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def spent(home: Path, family: str, since: float) -> pd.DataFrame:
    """What the bids of each version cost and brought: `version`, `cost`, `value`, `conversions`, a row a bid.

    Of bids that were the policy's own and were logged since this time. Decisions that are in no part yet are left out.
    """
    place = parts.folder(home)
    columns = ["version", "cost", "value", "conversions"]
    if not place.exists() or not parts.found(place):
        return pd.DataFrame(columns=columns)
    made = joined(place, place.parent / FILE)
    own = made[(made["logged_at"] >= since) & (made["action"] == Action.BID) & (made["arm"] == "policy")]
    answering = pd.Series([dict(versions).get(family) for versions in own["versions"]], own.index, dtype=object)
    return own.assign(version=answering)[columns]


def _in_journals(place: Path) -> list[tuple[float, Any, Any, float]]:
    """What is in no part yet."""
    left = parts.journals(place)
    made = {part.stem for part in parts.found(place)}
    entries = [
        orjson.loads(one) for kept in left if journal.name(kept.chain, kept.first) not in made for one in kept.written
    ]
    return [
        (entry["logged_at"], said["versions"], said["faults"], said.get("took_ms") or np.nan)
        for entry in entries
        for said in [entry["predictions"]]
    ]


def _in_parts(place: Path, since: float) -> list[tuple[float, Any, Any, float]]:
    found = [parts.read(part, _LOGGED) for part in parts.found(place) if part.stat().st_mtime >= since]
    return [
        (row["logged_at"], dict(row["versions"]), row["faults"], row["took_ms"] or np.nan)
        for table in found
        for row in table.to_pylist()
    ]
