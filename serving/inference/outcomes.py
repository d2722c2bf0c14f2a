"""What came of requests: labels that arrive later, joined to the answers by request id, each counted once."""

import threading
import time
from pathlib import Path

import orjson
import pandas as pd

from features.records import outcomes_folder
from serving.inference.values import plain
from serving.records import parts, reading
from serving.records.writer import RecordLog

KEY = ["request_id", "row"]


class Outcomes:
    """Records what came of requests to models; of any family, from any thread.

    Args:
        keep_days: days after which outcomes are removed; None: never.
    """

    def __init__(self, home: Path, keep_days: float | None = None) -> None:
        self._home, self._keep_s = home, None if keep_days is None else keep_days * 86_400
        self._records: dict[str, RecordLog] = {}
        self._lock = threading.Lock()

    def append(self, family: str, outcomes: pd.DataFrame) -> None:
        """Add outcomes: `request_id`, `row` (of the request, from 0) and the label columns. They are on disk when this
        returns.

        The same outcome may come again, late or by a sender that retries: the first to come is the one that counts.
        Raises `LogUnavailable`, and `OSError` where the disk takes none.
        """
        missing = [name for name in KEY if name not in outcomes]
        if missing:
            raise ValueError(f"outcomes: expected columns {KEY}, missing {missing}")
        now = time.time()
        with self._lock:
            record = self._records.get(family) or RecordLog(outcomes_folder(self._home, family), keep_s=self._keep_s)
            self._records[family] = record
        lines = [
            orjson.dumps({"logged_at": now, "request": {name: said.pop(name) for name in KEY}, "outcome": said}, plain)
            for said in outcomes.to_dict("records")
        ]
        record.write(*lines)
        record.flush()

    def close(self) -> None:
        for record in self._records.values():
            record.close()


def read(home: Path, family: str) -> pd.DataFrame:
    """The outcomes, one a request and row, the first that was told. Empty where none came yet."""
    place = outcomes_folder(home, family)
    tables = reading.tables(place, ["logged_at", "entry"]) if place.exists() else ()
    told = [orjson.loads(line) for table in tables for line in parts.exact(table)]
    told.sort(key=lambda one: one["logged_at"])
    frame = pd.DataFrame([{**one["request"], **one["outcome"]} for one in told], columns=None if told else KEY)
    return frame.drop_duplicates(KEY, ignore_index=True)


def joined(home: Path, family: str, logged: pd.DataFrame) -> pd.DataFrame:
    """The answered rows of a request log that was read whose outcome is in, with its label columns."""
    answered = logged[logged["status"] == 200]
    return answered.merge(read(home, family), on=KEY, how="inner", validate="many_to_one")
