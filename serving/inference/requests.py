"""The log of requests: what was asked, what was answered, by which version; Parquet parts written in the background."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from prometheus_client import Counter

from serving.inference import parts
from serving.inference.values import as_text

log = logging.getLogger("adloop.requests")

DROPPED = Counter("adloop_request_rows_dropped", "Rows that the request log lost: the disk did not take them.")

#: Seconds between parts: what a kill can lose.
EVERY = 0.5
#: Seconds between looks for small parts to merge and old ones to remove.
TIDY_S = 60.0
#: Rows held in memory at most; beyond that the log loses rows rather than the server its memory.
LIMIT = 100_000
FEATURE, ANSWER = "feature.", "answer."
ABOUT = ("request_id", "row", "entity_id", "occurred_at", "version", "status", "latency_ms", "error")


@dataclass(frozen=True)
class Record:
    """One request: `status` is HTTP's; features and answers are frames of equal length, or None.

    `unknown` are rows that were not answered though the request was, by their places, and why.
    """

    request_id: str
    occurred_at: float
    latency_ms: float
    status: int
    error: str | None
    ids: list[str] | None
    features: pd.DataFrame | None
    answers: pd.DataFrame | None
    unknown: Mapping[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        if self.features is not None:
            return len(self.features)
        return len(self.ids) if self.ids else 1


def folder(home: Path, family: str) -> Path:
    """Where a family's requests are kept."""
    return home / "requests" / family


class RequestLog:
    """Appends never wait for the disk: a thread of its own writes what has gathered, twice a second.

    Args:
        keep_days: days after which rows are removed.
        beside: further folders of parts that are kept so long, and merged.
    """

    def __init__(self, place: Path, version: str, keep_days: float = float("inf"), beside: Sequence[Path] = ()) -> None:
        self.place, self.version = place, version
        self._keep_days, self._folders = keep_days, (place, *beside)
        self.dropped = 0
        self._failing = False
        self._waiting: deque[Record] = deque()
        self._held = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()

    def append(self, record: Record) -> None:
        with self._lock:
            if self._held + record.rows > LIMIT:
                self._drop(record.rows)
                return
            self._waiting.append(record)
            self._held += record.rows

    def close(self) -> None:
        """Write what is left."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        tidied = time.monotonic()
        while not self._stop.wait(EVERY):
            self._flush()
            if time.monotonic() > tidied + TIDY_S:
                self._tidy()
                tidied = time.monotonic()
        self._flush()

    def _tidy(self) -> None:
        for place in self._folders:
            try:
                parts.tidy(place, self._keep_days)
            except Exception:  # a full disk: the parts stay as they are
                log.exception("%s could not be tidied", place)

    def _flush(self) -> None:
        with self._lock:
            records = list(self._waiting)
            self._waiting.clear()
            self._held = 0
        if not records:
            return
        try:
            parts.write(self.place, to_table(records, self.version))
            self._failing = False
        except Exception:  # neither a full disk nor a bad row may stop the answers, nor the rows that follow
            self._drop(sum(record.rows for record in records))
            if not self._failing:  # a disk that is full says so at every part
                log.exception("%d requests could not be logged", len(records))
            self._failing = True

    def _drop(self, rows: int) -> None:
        self.dropped += rows
        DROPPED.inc(rows)


def to_table(records: list[Record], version: str) -> pa.Table:
    """One row a feature row; a request without readable rows is one row with its error."""
    counts = [record.rows for record in records]
    columns: dict[str, Any] = {
        "request_id": np.repeat(np.array([record.request_id for record in records], dtype=object), counts),
        "row": np.concatenate([np.arange(count, dtype=np.int32) for count in counts]),
        "entity_id": np.concatenate([_ids(record) for record in records]),
        "occurred_at": np.repeat(np.array([int(record.occurred_at * 1e6) for record in records], "M8[us]"), counts),
        "version": np.repeat(np.array([version], dtype=object), sum(counts)),
        "status": np.concatenate([_statuses(record) for record in records]),
        "latency_ms": np.repeat(np.array([record.latency_ms for record in records], dtype=np.float32), counts),
        "error": np.concatenate([_errors(record) for record in records]),
    }
    columns |= _gathered(FEATURE, [record.features for record in records], counts)
    columns |= _gathered(ANSWER, [record.answers for record in records], counts)
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    return table.cast(_utc(table.schema))


def read(home: Path, family: str, since: datetime | None = None) -> pd.DataFrame:
    """The logged rows, oldest first: `request_id, row, entity_id, occurred_at, version, status, latency_ms, error`,
    then the features as `feature.<name>` and the answers as `answer.<name>`. Empty where nothing was logged yet.
    """
    table = parts.read(folder(home, family), since)
    if table is None:
        return pd.DataFrame(columns=list(ABOUT))
    frame: pd.DataFrame = table.to_pandas()
    if since is not None:
        frame = frame[frame["occurred_at"] >= since]
    return frame.sort_values(["occurred_at", "request_id", "row"], ignore_index=True)


def newest(home: Path, family: str) -> datetime | None:
    """When the last logged request came, by the last part that can be read; None where nothing was logged yet."""
    for part in reversed(parts.found(folder(home, family))):
        try:
            moments = pq.read_table(part, columns=["occurred_at"])["occurred_at"]
        except (OSError, pa.ArrowException):  # damaged, which `parts` tells, or merged with others meanwhile
            continue
        last: datetime = pc.max(moments).as_py()
        return last
    return None


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """The feature rows of a log that was read, under the names a model asks for."""
    return _part(frame, FEATURE)


def answers(frame: pd.DataFrame) -> pd.DataFrame:
    """The answers of a log that was read, under the names a model gave them."""
    return _part(frame, ANSWER)


def _part(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    chosen = [name for name in frame.columns if name.startswith(prefix)]
    return frame[chosen].rename(columns={name: name.removeprefix(prefix) for name in chosen})


def _ids(record: Record) -> npt.NDArray[Any]:
    return np.array(record.ids or np.full(record.rows, None), dtype=object)


def _statuses(record: Record) -> npt.NDArray[np.int16]:
    found = np.full(record.rows, record.status, dtype=np.int16)
    found[list(record.unknown)] = 404
    return found


def _errors(record: Record) -> npt.NDArray[Any]:
    found = np.full(record.rows, record.error, dtype=object)
    found[list(record.unknown)] = list(record.unknown.values())
    return found


def _gathered(prefix: str, frames: list[pd.DataFrame | None], counts: list[int]) -> dict[str, npt.NDArray[Any]]:
    """Each column of all frames, in order, with nothing where there is no frame."""
    held = [frame for frame in frames if frame is not None]
    if not held:
        return {}
    whole = pd.concat(held, ignore_index=True)
    if len(held) < len(frames):
        whole.index = pd.Index(np.flatnonzero(np.repeat([frame is not None for frame in frames], counts)))
        whole = whole.reindex(range(sum(counts)))
    return {f"{prefix}{name}": _storable(whole[name]) for name in whole}


def _storable(values: "pd.Series[Any]") -> npt.NDArray[Any]:
    """Structures as JSON text; all else as it is."""
    if values.dtype != object:
        return values.to_numpy()
    plain = (str, bool, int, float, type(None))
    return np.array([value if isinstance(value, plain) else as_text(value) for value in values], dtype=object)


def _utc(schema: pa.Schema) -> pa.Schema:
    place = schema.get_field_index("occurred_at")
    return schema.set(place, pa.field("occurred_at", pa.timestamp("us", tz="UTC")))
