"""Reads attempts of a family's versions from the log of requests to its servers."""

import pandas as pd

from features.lake import Place
from features.records import requests_folder
from serving.records.follow import Follower
from serving.rollout.decision_attempts import COLUMNS


class RequestAttempts:
    """Requests logged since a time, as attempts on the version that answered. Reads the log incrementally."""

    def __init__(self, home: Place, family: str, since: float) -> None:
        self._log = Follower(requests_folder(home, family), ["row", "status", "versions", "took_ms"], since)
        self._family = family
        self._rows: list[tuple[float, str, bool, float]] = []

    def seen(self) -> pd.DataFrame:
        """All attempts until now: `at`, `version`, `ok`, `latency_ms`; empty where nothing is logged."""
        self._rows += [
            (one["logged_at"], one["versions"][self._family], one["status"] == 200, one["took_ms"])
            for one in self._log.new()
            if one["row"] == 0
        ]
        return pd.DataFrame(self._rows, columns=list(COLUMNS)).astype(COLUMNS)
