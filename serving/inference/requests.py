"""The request log: features, answers and version, one record per row."""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow.compute as pc
from prometheus_client import Counter

from features.lake import Place
from features.records import requests_folder
from serving.inference import outcomes as labels
from serving.inference.values import as_text, plain
from serving.records import parts, reading
from serving.records.writer import LogUnavailable, RecordLog

log = logging.getLogger("adloop.requests")

DROPPED = Counter("adloop_request_rows_dropped", "Rows lost by the request log because the disk did not accept them.")

#: Seconds between writes; at most this much is lost by a kill.
EVERY = 0.5
#: Most rows held in memory; further ones are dropped, to limit memory.
LIMIT = 100_000
FEATURE, ANSWER = "feature.", "answer."
ABOUT = ("request_id", "row", "entity_id", "occurred_at", "version", "status", "latency_ms", "error")


@dataclass(frozen=True)
class Request:
    """One request: `status` is the HTTP status; features and answers are frames of equal length, or None.

    `unknown` has the errors of unanswered rows, by position.
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


class RequestLog:
    """Appends without waiting for the disk; a thread writes twice a second.

    Args:
        keep_days: days after which rows are removed; None: never.
    """

    def __init__(self, home: Path, family: str, version: str, keep_days: float | None = None) -> None:
        self._place, self._family, self._version = requests_folder(home, family), family, version
        self._keep_s = None if keep_days is None else keep_days * 86_400
        self.dropped = 0
        self._record: RecordLog | None = None
        self._waiting, self._held = deque[Request](), 0
        self._failing = False
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()

    def append(self, request: Request) -> None:
        with self._lock:
            if self._held + request.rows > LIMIT:
                self._drop(request.rows)
                return
            self._waiting.append(request)
            self._held += request.rows

    def close(self) -> None:
        """Write the rest."""
        self._stop.set()
        self._thread.join()
        if self._record is not None:
            self._record.close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Write waiting rows. Rows that are refused keep waiting, while memory permits."""
        try:
            if self._record is None:
                self._record = RecordLog(self._place, keep_s=self._keep_s)
            while self._waiting:
                self._write(self._record, self._waiting[0])
                with self._lock:
                    self._held -= self._waiting.popleft().rows
            self._failing = False
        except (OSError, LogUnavailable) as full:
            if not self._failing:  # a full disk fails at every try
                log.error("%d requests wait for the disk: %s", len(self._waiting), full)
            self._failing = True

    def _write(self, record: RecordLog, request: Request) -> None:
        try:
            written = list(to_lines(request, self._family, self._version))
        except Exception:  # an invalid row must stop neither the answers nor the following rows
            log.exception("request %s could not be logged", request.request_id)
            self._drop(request.rows)
            return
        record.write(*written)

    def _drop(self, rows: int) -> None:
        self.dropped += rows
        DROPPED.inc(rows)


def to_lines(request: Request, family: str, version: str) -> Iterator[bytes]:
    """One record per row; a request without valid rows is one record with its error."""
    features, answers = (_rows(frame, request.rows) for frame in (request.features, request.answers))
    for row, (read, said) in enumerate(zip(features, answers, strict=True)):
        why = request.unknown.get(row)
        asked = {
            "request_id": request.request_id,
            "row": row,
            "entity_id": request.ids[row] if request.ids else None,
            "status": request.status if why is None else 404,
            "error": request.error if why is None else why,
        }
        versions, took_ms = {family: version}, request.latency_ms
        predictions = {"answers": said, "features": read, "versions": versions, "took_ms": took_ms}
        record = {"logged_at": request.occurred_at, "request": asked, "predictions": predictions}
        yield orjson.dumps(record, plain, orjson.OPT_SERIALIZE_NUMPY)


def _rows(frame: pd.DataFrame | None, count: int) -> list[dict[Any, Any]]:
    """Rows as mappings, columns first: of few rows with many columns in a fifteenth of the time of `to_dict`."""
    if frame is None or frame.columns.empty:
        return [{}] * count
    names, columns = list(frame), (frame[name].tolist() for name in frame)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def read(home: Place, family: str, since: datetime | None = None) -> pd.DataFrame:
    """The logged rows, oldest first: `request_id, row, entity_id, occurred_at, version, status, latency_ms, error`,
    then the features as `feature.<name>` and the answers as `answer.<name>`. Empty where nothing is logged."""
    begin = 0.0 if since is None else since.timestamp()
    return to_frame(
        family, [one for one in _recorded(requests_folder(home, family), begin) if one["logged_at"] >= begin]
    )


def to_frame(family: str, logged: list[dict[str, Any]]) -> pd.DataFrame:
    """Records and their `request` as rows, see `read`."""
    if not logged:
        return pd.DataFrame(columns=list(ABOUT))
    predictions = [one["predictions"] for one in logged]
    requests = pd.DataFrame([one["request"] for one in logged])
    moments = pd.to_datetime([round(one["logged_at"] * 1e6) for one in logged], unit="us", utc=True)
    requests["occurred_at"] = moments.as_unit("us")
    requests["version"] = [one["versions"].get(family) for one in predictions]
    requests["latency_ms"] = [one["took_ms"] for one in predictions]
    parted = (_columns([one[part] for one in predictions], prefix) for part, prefix in _PARTS)
    frame: pd.DataFrame = pd.concat([requests[list(ABOUT)], *parted], axis=1)
    return frame.sort_values(["occurred_at", "request_id", "row"], ignore_index=True)


_PARTS = (("features", FEATURE), ("answers", ANSWER))


def _recorded(place: Place, since: float) -> Iterator[Any]:
    """Records of requests that may have come since a time."""
    if place.exists():
        for table in reading.tables(place, ["request_id", "entry"], since):
            yield from map(orjson.loads, parts.exact(table.filter(pc.field("request_id").is_valid())))


def _columns(values: list[dict[str, Any]], prefix: str) -> pd.DataFrame:
    """One column per name; structures are JSON text."""
    frame = pd.DataFrame(values, index=range(len(values)))
    for name in frame.select_dtypes("object"):
        if frame[name].map(lambda value: isinstance(value, list | dict)).any():
            frame[name] = frame[name].map(as_text, na_action="ignore")
    return frame.add_prefix(prefix)


def newest(home: Place, family: str) -> datetime | None:
    """Time of the last logged request; None without one."""
    return reading.newest(requests_folder(home, family))


def outcomes(home: Place, family: str, logged: pd.DataFrame) -> pd.DataFrame:
    """Labels reported for requests, see `outcomes.read`."""
    return labels.read(home, family)


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """Feature rows of a log, under the model's names."""
    return _part(frame, FEATURE)


def answers(frame: pd.DataFrame) -> pd.DataFrame:
    """Answers of a log, under the model's names."""
    return _part(frame, ANSWER)


def _part(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    chosen = [name for name in frame.columns if name.startswith(prefix)]
    return frame[chosen].rename(columns={name: name.removeprefix(prefix) for name in chosen})
