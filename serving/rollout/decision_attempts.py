"""Reads attempts and returns of a family's versions from the decision log: failures, latency, cost and value."""

import numpy as np
import pandas as pd

from features.lake import Place
from features.records import decisions_folder
from serving.decisions.kinds import kinds
from serving.decisions.outcomes import joined
from serving.decisions.records import Action
from serving.records.follow import Follower

COLUMNS = {"at": float, "version": object, "ok": bool, "latency_ms": float}


class Attempts:
    """Decisions logged since a time, as attempts on the version that answered. Reads the log incrementally."""

    def __init__(self, home: Place, family: str, since: float) -> None:
        self._log = Follower(decisions_folder(home), ["versions", "faults", "took_ms"], since)
        self._family = family
        self._rows: list[tuple[float, str, bool, float]] = []

    def seen(self) -> pd.DataFrame:
        """All attempts until now: `at`, `version`, `ok`, `latency_ms`; empty where nothing is logged.

        A decision in which the version failed is a failed attempt, although it had a conservative answer.
        """
        for one in self._log.new():
            if (version := (one["versions"] or {}).get(self._family)) is not None:
                ok = not any(fault.startswith(f"{self._family} ") for fault in one["faults"] or ())
                self._rows.append((one["logged_at"], version, ok, one["took_ms"] or np.nan))
        return pd.DataFrame(self._rows, columns=list(COLUMNS)).astype(COLUMNS)


def spent(home: Place, family: str, since: float) -> pd.DataFrame:
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
