"""Labels that arrive after the answers, joined by request id; each counts once."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from features.lake import Place
from features.records import outcomes_folder
from serving.inference.values import plain
from serving.records import parts, reading
from serving.records.writer import RecordLog

KEY = ["request_id", "row"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of one row of a request to a model of `family`, or of a decision that used it: then its id, and row 0."""

    family: str
    request_id: str
    row: int
    labels: Mapping[str, Any]


class OutcomeRecorder:
    """Records labels of any family, from any thread.

    Args:
        keep_days: days after which outcomes are removed; None: never.
    """

    def __init__(self, home: Path, keep_days: float | None = None) -> None:
        self._home, self._keep_s = home, None if keep_days is None else keep_days * 86_400
        self._records: dict[str, RecordLog] = {}
        self._lock = threading.Lock()

    def append(self, labels: Sequence[Labels]) -> None:
        """Record labels; they are on disk when this returns. Of repeated ones, the first counts.

        Raises `LogUnavailable`, and `OSError` where the disk fails.
        """
        now, lines = time.time(), dict[str, list[bytes]]()
        for one in labels:
            request = {"request_id": one.request_id, "row": one.row}
            line = orjson.dumps({"logged_at": now, "request": request, "outcome": one.labels}, plain)
            lines.setdefault(one.family, []).append(line)
        for family, written in lines.items():
            record = self._record(family)
            record.write(*written)
            record.flush()

    def _record(self, family: str) -> RecordLog:
        with self._lock:
            if family not in self._records:
                self._records[family] = RecordLog(outcomes_folder(self._home, family), keep_s=self._keep_s)
            return self._records[family]

    def close(self) -> None:
        for record in self._records.values():
            record.close()


def read(home: Place, family: str, since: float = 0.0) -> pd.DataFrame:
    """The first recorded labels of each request and row. Empty where there are none.

    Args:
        since: Unix seconds; what was recorded earlier may be left out.
    """
    place = outcomes_folder(home, family)
    tables = reading.tables(place, ["logged_at", "entry"], since) if place.exists() else ()
    told = [orjson.loads(line) for table in tables for line in parts.exact(table)]
    told.sort(key=lambda one: one["logged_at"])
    frame = pd.DataFrame([{**one["request"], **one["outcome"]} for one in told], columns=None if told else KEY)
    return frame.drop_duplicates(KEY, ignore_index=True)


def joined(home: Place, family: str, logged: pd.DataFrame) -> pd.DataFrame:
    """The answered rows of a request log that have labels, with the label columns."""
    answered = logged[logged["status"] == 200]
    # Labels come after their request; a minute is for clocks that differ.
    since = 0.0 if answered.empty else answered["occurred_at"].min().timestamp() - 60
    return answered.merge(read(home, family, since), on=KEY, how="inner", validate="many_to_one")
