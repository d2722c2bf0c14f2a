"""Replays held-out rows as client traffic with ids, then reports their outcomes."""

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx
import pandas as pd

from features.certificates import trusted
from features.settings import Settings
from models.family import Family
from serving.access import own
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.inference.requests import EVERY
from serving.inference.values import plain
from serving.records.export import Export
from serving.rollout.plan import Traffic

#: Clients at once.
CLIENTS = 2
#: Seconds a client waits for its answer.
PATIENCE = 35.0
#: Seconds after a look in which clients send as fast as they are answered, and their pause between requests at other
#: times. Servers that start and verdicts then have the processor, and the traffic still goes on.
LOOKED, PAUSE = 0.5, 0.05


@dataclass
class Seen:
    """Counts of requests and failures as seen by clients."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)


class TrafficReplay:
    """Sends the rows of `frame` (entity key, features, labels) repeatedly, from the first `look` until the context
    exits, with adloop's own API key; reports the labels as outcomes. Requests are frequent while a step waits for them,
    which is while it looks, and rarer otherwise."""

    def __init__(self, traffic: Traffic, family: Family, frame: pd.DataFrame, settings: Settings) -> None:
        if frame.empty:
            raise ValueError(f"{family.name}: no held-out rows to replay")
        self.seen = Seen()
        self._traffic = traffic
        self._family, self._outcomes = family, OutcomeRecorder(settings.home, settings.requests_days)
        self._export = None if settings.records_uri is None else Export(settings, settings.records_uri)
        self._headers = own.header(settings)
        sent = frame.drop(columns=list(family.label)).astype(object)
        self._rows: list[dict[str, Any]] = [
            {str(name): plain(value) for name, value in row.items()} for row in sent.to_dict("records")
        ]
        self._labels: list[dict[Any, Any]] = frame[list(family.label)].to_dict("records")
        self._turn = count()
        self._started = False
        self._looked = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pending: list[tuple[str, list[int]]] = []
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(CLIENTS)]
        self._threads.append(threading.Thread(target=self._report, daemon=True))

    def look(self) -> None:
        """A step waits for requests. The first starts the clients, as its servers are up."""
        self._looked = time.monotonic()
        if not self._started:
            self._started = True
            self._url = f"{self._traffic.url(self._family.name)}/v1/models/{self._family.name}:predict"
            for thread in self._threads:
                thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._started:
            for thread in self._threads:
                thread.join()
        self._outcomes.close()
        if self._export is not None:
            self._export.close()

    def _send(self) -> None:
        with httpx.Client(timeout=PATIENCE, headers=self._headers, verify=trusted()) as client:
            while not self._stop.wait(0 if time.monotonic() < self._looked + LOOKED else PAUSE):
                start = next(self._turn) * self._family.together
                count = min(self._family.together, len(self._rows))
                rows = [(start + place) % len(self._rows) for place in range(count)]
                try:
                    answer = client.post(self._url, json={"instances": [self._rows[row] for row in rows]})
                    fault = None if answer.status_code == 200 else f"{answer.status_code}: {answer.text[:200]}"
                except httpx.HTTPError as broken:
                    fault = f"{type(broken).__name__}: {broken}"
                with self._lock:
                    self.seen.requests += 1
                    if fault is not None:
                        self.seen.failures.append(fault)
                    else:
                        self._pending.append((answer.headers["x-request-id"], rows))

    def _report(self) -> None:
        """Report the known outcomes of answered rows in batches."""
        while not self._stop.wait(EVERY):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        self._outcomes.append(
            [
                Labels(self._family.name, request, place, self._labels[row])
                for request, rows in pending
                for place, row in enumerate(rows)
            ]
        )
