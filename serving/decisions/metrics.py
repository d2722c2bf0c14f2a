"""Prometheus metrics of the endpoint. Labels never contain values from callers."""

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from time import perf_counter
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from serving.decisions.feedback import Status
from serving.decisions.records import Decision
from serving.decisions.state.store import Flag

REGISTRY = CollectorRegistry()
_SECONDS = (0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)

REQUESTS = Histogram(
    "adloop_request_seconds", "Requests by path and status.", ("path", "status"), buckets=_SECONDS, registry=REGISTRY
)
_STAGES = Histogram(
    "adloop_stage_seconds", "Stages of a batch of decisions.", ("stage",), buckets=_SECONDS, registry=REGISTRY
)
GROUP = Histogram(
    "adloop_group_size", "Opportunities decided together.", buckets=(1, 2, 5, 10, 50, 200, 1000), registry=REGISTRY
)
_DECISIONS = Counter("adloop_decisions", "Decisions by action and arm.", ("action", "arm"), registry=REGISTRY)
_GUARDRAILS = Counter("adloop_guardrails", "Guardrails that changed a decision.", ("guardrail",), registry=REGISTRY)
_FAULTS = Counter("adloop_faults", "Failures that led to conservative answers.", ("what",), registry=REGISTRY)
_FLAGGED = Counter(
    "adloop_costs_flagged",
    "Costs to check: above the reservation, late, conflicting with an earlier cost, or uncountable.",
    ("why",),
    registry=REGISTRY,
)
_EVENTS = Counter("adloop_events", "Events by status.", ("became",), registry=REGISTRY)
MODELS = Gauge(
    "adloop_model", "Serving models by their share of opportunities.", ("family", "version"), registry=REGISTRY
)
_MESSAGES = Counter("adloop_kafka_messages", "Kafka messages by status.", ("became",), registry=REGISTRY)
READING = Gauge(
    "adloop_kafka_reading", "1 while Kafka answers, 0 while it does not or none is configured.", registry=REGISTRY
)

UNREADY = Gauge("adloop_unready", "1 while a part makes the endpoint unready.", ("part",), registry=REGISTRY)

_WHAT = ("features", "model", "store", "log", "bundle", "kafka", "feedback", "disk")
FAULTS = {what: _FAULTS.labels(what) for what in _WHAT}
MESSAGES = {became: _MESSAGES.labels(became) for became in ("taken", "dead")}
FLAGGED = {why: _FLAGGED.labels(why) for why in get_args(Flag)}
EVENTS = {became: _EVENTS.labels(became) for became in get_args(Status)}
_STAGE = {stage: _STAGES.labels(stage) for stage in ("predict", "load", "decide", "reserve", "log")}


#: Observations that no histogram has yet: adding many at once costs a fifth of adding each within a decision.
_SEEN: deque[tuple[Histogram, float]] = deque()
_MOST_SEEN = 256


def observe(metric: Histogram, value: float) -> None:
    """Observe a value; it is in the histogram once `exposed` is called, or soon."""
    _SEEN.append((metric, value))
    if len(_SEEN) >= _MOST_SEEN:
        _observe_all()


def _observe_all() -> None:
    with suppress(IndexError):  # empty, also where another thread takes the last one
        while True:
            metric, value = _SEEN.popleft()
            metric.observe(value)


class stage:  # contextlib's context managers take several times as long
    """Times a stage."""

    __slots__ = ("_begun", "_name")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._begun = perf_counter()

    def __exit__(self, *_: object) -> None:
        observe(_STAGE[self._name], perf_counter() - self._begun)


def decided(decisions: Iterable[Decision]) -> None:
    """Count decisions."""
    for one in decisions:
        _DECISIONS.labels(one.action.value, one.arm).inc()
        for touch in one.guardrails:
            _GUARDRAILS.labels(touch.guardrail).inc()


def count_outcomes(statuses: Iterable[Status]) -> None:
    """Count outcomes by status."""
    for one in statuses:
        EVENTS[one].inc()


def exposed() -> bytes:
    """All metrics in Prometheus' text format."""
    _observe_all()
    return generate_latest(REGISTRY)
