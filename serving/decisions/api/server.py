"""Builds the decision endpoint and runs it."""

import gc
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from features.records import EVENTS, FEEDBACK, LOG
from features.settings import Settings
from features.store import Online, OnlineStoreUnavailable
from features.views import SERVICES
from serving.access.keys import Keys, path
from serving.access.limits import Buckets
from serving.decisions.api.app import Backend, make_app
from serving.decisions.api.batcher import Batcher
from serving.decisions.api.guarded import Disk, guarded
from serving.decisions.api.intake import Intake
from serving.decisions.api.requests import Outcome
from serving.decisions.decide import Pipeline
from serving.decisions.feedback import Feedback, Observed, Status
from serving.decisions.log.writer import DecisionLog
from serving.decisions.metrics import FLAGGED, UNREADY, count_outcomes
from serving.decisions.params import DecisionParams
from serving.decisions.predict.champions import Champions, Current
from serving.decisions.predict.features import Features
from serving.decisions.records import Decision, Opportunity
from serving.decisions.shared_feedback import SharedFeedback
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.configured import STATE, state_store
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Store
from serving.health.readiness import Readiness
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.records import parts
from serving.records.export import Export

if TYPE_CHECKING:
    from serving.decisions.api.kafka import KafkaFeedback
    from serving.decisions.state.redis import RedisStore

log = logging.getLogger("adloop.decisions")

#: Seconds after which Python switches threads: the default of 5 ms is as long as several decisions.
SWITCH_S = 0.0002


def serve(
    current: Current,
    params: DecisionParams,
    seed: int,
    host: str,
    port: int,
    settings: Settings,
    place: Path | None = None,
) -> None:
    """Serve until SIGTERM, then finish waiting requests and the log; `place` as for `open_backend`."""
    backend = open_backend(current, params, seed, settings, place)
    if not path(settings).exists():
        log.warning("no API key exists yet: adloop key --scope decide --scope feedback")
    sys.setswitchinterval(SWITCH_S)
    # Exempt loaded objects from garbage collection, which would delay requests.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        make_app(backend),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


def open_backend(
    current: Current, params: DecisionParams, seed: int, settings: Settings, place: Path | None = None
) -> Backend:
    """Open all dependencies of the routes and warm them up.

    Args:
        place: folder for state, log and feedback, isolated from other endpoints; None: as the settings say.
    """
    home = place or settings.home / "decisions"
    store, store_fault = guarded(SqliteStore(place / STATE, params) if place else state_store(settings, params))
    online, disk = Online(settings), Disk(home)
    for service in SERVICES:  # import Feast and read its registry before the first request
        with suppress(OnlineStoreUnavailable):
            online.vectors(service, ["nobody"])
    models = Champions(current, settings)
    models.start()
    shared = settings.redis_url is not None and place is None
    feedback = _shared_feedback(home, store, params, settings) if shared else _local_feedback(home, store, params)
    written = DecisionLog(home / LOG, params, feedback.expect, settings.decisions_days)
    money = Allowance(store, params)
    pipeline = Pipeline(models, Features(online), money, written, params, seed)
    decide: Batcher[Opportunity, Decision] = Batcher("decide", pipeline.decide)

    labels = OutcomeRecorder(place or settings.home, settings.requests_days)

    def take_outcomes(outcomes: Sequence[Outcome]) -> list[Status]:
        labels.append([one for one in outcomes if isinstance(one, Labels)])
        events = [one for one in outcomes if isinstance(one, Observed)]
        event_statuses = iter(feedback.take(events) if events else ())
        statuses: list[Status] = [next(event_statuses) if isinstance(one, Observed) else "recorded" for one in outcomes]
        count_outcomes(statuses)
        return statuses

    take: Batcher[Outcome, Status] = Batcher("outcomes", take_outcomes)
    # An isolated endpoint must not take messages of the shared topic.
    kafka = None if place else _kafka(settings, take_outcomes)
    readiness = Readiness(
        {
            "models": models.fault,
            "state": store_fault,
            "log": written.fault,
            "decisions": decide.fault,
            "feedback": lambda: feedback.fault() or take.fault(),
            "disk": disk.fault,
        },
        lambda: models.left_out() | _damaged_parts(home / LOG),
        UNREADY,
    )
    readiness.look()
    readiness.start()

    export = None if place or settings.records_uri is None else Export(settings, settings.records_uri)

    def close() -> None:
        readiness.close()
        if kafka is not None:
            kafka.close()
        decide.close()
        money.close()
        take.close()
        labels.close()
        models.close()
        written.close()
        feedback.close()
        if export is not None:
            export.close()

    def status() -> tuple[bool, dict[str, Any]]:
        reasons = readiness.reasons
        details: dict[str, Any] = {"models": models.versions, "feedback": feedback.standing, "reasons": reasons}
        details |= {"left_out": readiness.left_out} | ({} if kafka is None else {"kafka": kafka.standing})
        return not reasons, details

    return Backend(Keys(settings), Buckets(), decide, take, store, status, close)


def _local_feedback(home: Path, store: Store, params: DecisionParams) -> Intake:
    """Feedback joined in a local database."""
    events = home / FEEDBACK
    return Intake(events, lambda: Feedback(events, store, params, lambda flag: FLAGGED[flag].inc()), home / LOG)


def _shared_feedback(home: Path, store: Store, params: DecisionParams, settings: Settings) -> SharedFeedback:
    """Feedback joined in Redis, shared by replicas."""
    days = settings.decisions_days
    return SharedFeedback(home / EVENTS, cast("RedisStore", store), params, lambda flag: FLAGGED[flag].inc(), days)


def _damaged_parts(place: Path) -> dict[str, str]:
    """Damaged parts of the decision log."""
    why = parts.left_out(place)
    return {} if why is None else {"log": why}


def _kafka(settings: Settings, take: Callable[[Sequence[Outcome]], Sequence[Status]]) -> "KafkaFeedback | None":
    """The reader of the Kafka topic in the settings; None without one."""
    if settings.kafka_brokers is None:
        return None
    from serving.decisions.api.kafka import KafkaFeedback

    return KafkaFeedback(settings, take)
