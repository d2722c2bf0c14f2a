"""HTTP client of the decision endpoint that measures latency."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
import numpy as np
import orjson

from serving.decisions.api.schemas import BATCH
from serving.experiments.simulation.records import Speed


class UnexpectedResponse(ConnectionError):
    """The endpoint did not answer, or not with 200."""


@dataclass
class Client:
    """A client with one key.

    Attributes:
        alone, batched: seconds and number of decisions of each request.
        feedback: number of events by status.
    """

    url: str
    key: str
    alone: list[tuple[float, int]] = field(default_factory=list)
    batched: list[tuple[float, int]] = field(default_factory=list)
    feedback: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.key}"}, timeout=60)

    def decide(self, opportunities: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Decisions in order; the first opportunity is sent alone, the others in batches."""
        if not opportunities:
            return []
        found = [self._timed(opportunities[0], 1, self.alone)]
        for start in range(1, len(opportunities), BATCH):
            part = opportunities[start : start + BATCH]
            found += self._timed({"opportunities": part}, len(part), self.batched)["decisions"]
        return found

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        """Report events."""
        for start in range(0, len(events), BATCH):
            self.feedback.update(self._post("/v1/outcomes", {"outcomes": events[start : start + BATCH]}))

    def close(self) -> None:
        self._http.close()

    def _timed(self, asked: Any, count: int, log: list[tuple[float, int]]) -> Any:
        began = perf_counter()
        found = self._post("/v1/decisions", asked)
        log.append((perf_counter() - began, count))
        return found

    def _post(self, path: str, body: Any) -> Any:
        try:
            answer = self._http.post(path, content=orjson.dumps(body))
        except httpx.HTTPError as gone:
            raise UnexpectedResponse(f"the decision endpoint does not answer: {gone}") from gone
        if answer.status_code != 200:
            raise UnexpectedResponse(f"the decision endpoint answered {answer.status_code}: {answer.text[:300]}")
        return orjson.loads(answer.content)


def speed(log: Sequence[tuple[float, int]]) -> Speed:
    """Latency of requests, and decisions per second."""
    if not log:
        return Speed(0, 0, 0.0, 0.0, 0.0)
    took, counts = np.array(log, dtype=np.float64).T
    p50, p99 = np.quantile(took, [0.5, 0.99]) * 1000
    return Speed(len(took), int(counts.sum()), float(p50), float(p99), float(counts.sum() / took.sum()))
