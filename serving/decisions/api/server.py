"""Puts the endpoint together and runs it."""

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
from serving.decisions.api.app import Desk, make_app
from serving.decisions.api.batcher import Batcher
from serving.decisions.api.guarded import Disk, guarded
from serving.decisions.api.intake import Intake
from serving.decisions.api.limits import Buckets
from serving.decisions.api.readiness import Readiness
from serving.decisions.api.requests import Outcome
from serving.decisions.decide import Pipeline
from serving.decisions.feedback import Feedback, Observed, Status
from serving.decisions.log.writer import DecisionLog
from serving.decisions.metrics import FLAGGED, told
from serving.decisions.params import DecisionParams
from serving.decisions.predict.champions import Champions, Current
from serving.decisions.predict.features import Features
from serving.decisions.records import Decision, Opportunity
from serving.decisions.shared_feedback import SharedFeedback
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Store
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.records import parts
from serving.records.export import Export

if TYPE_CHECKING:
    from serving.decisions.api.kafka import KafkaFeedback

log = logging.getLogger("adloop.decisions")

#: The embedded state, in the folder of the log and of feedback.
STATE = "state.db"
#: Seconds after which a thread that computes lets another in: the usual 5 ms are several decisions long.
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
    """Answer until SIGTERM, then finish what waits, the log included; `place` as for `put_together`."""
    desk = put_together(current, params, seed, settings, place)
    if not path(settings).exists():
        log.warning("no key may ask anything yet: adloop key --scope decide --scope feedback")
    sys.setswitchinterval(SWITCH_S)
    # What is loaded now stays: the collector need not look at it again in the middle of a request.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        make_app(desk),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


def put_together(
    current: Current, params: DecisionParams, seed: int, settings: Settings, place: Path | None = None
) -> Desk:
    """All that the routes work with, opened and warm.

    Args:
        place: where state, log and feedback are kept in files, apart from all others; None: where the settings say.
    """
    home = place or settings.home / "decisions"
    store, store_fault = guarded(SqliteStore(place / STATE, params) if place else state_store(settings, params))
    online, disk = Online(settings), Disk(home)
    for service in SERVICES:  # Feast is imported and its registry read before a client waits
        with suppress(OnlineStoreUnavailable):
            online.vectors(service, ["nobody"])
    models = Champions(current, settings)
    models.start()
    shared = settings.redis_url is not None and place is None
    feedback = _shared(home, store, params, settings) if shared else _own(home, store, params)
    written = DecisionLog(home / LOG, params, feedback.expect, settings.decisions_days)
    money = Allowance(store, params)
    pipeline = Pipeline(models, Features(online), money, written, params, seed)
    decide: Batcher[Opportunity, Decision] = Batcher("decide", pipeline.decide)

    labels = OutcomeRecorder(place or settings.home, settings.requests_days)

    def taken(outcomes: Sequence[Outcome]) -> list[Status]:
        labels.append([one for one in outcomes if isinstance(one, Labels)])
        events = [one for one in outcomes if isinstance(one, Observed)]
        became = iter(feedback.take(events) if events else ())
        statuses: list[Status] = [next(became) if isinstance(one, Observed) else "recorded" for one in outcomes]
        told(statuses)
        return statuses

    take: Batcher[Outcome, Status] = Batcher("outcomes", taken)
    bus = None if place else _bus(settings, taken)  # what is kept apart must not take from what all share
    readiness = Readiness(
        {
            "models": models.fault,
            "state": store_fault,
            "log": written.fault,
            "feedback": feedback.fault,
            "disk": disk.fault,
        },
        lambda: models.left_out() | _damaged(home / LOG),
    )

    export = None if place or settings.records_uri is None else Export(settings, settings.records_uri)

    def close() -> None:
        readiness.close()
        if bus is not None:
            bus.close()
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
        details |= {"left_out": readiness.left_out} | ({} if bus is None else {"kafka": bus.standing})
        return not reasons, details

    return Desk(Keys(settings), Buckets(), decide, take, store, status, close)


def _own(home: Path, store: Store, params: DecisionParams) -> Intake:
    """Feedback that is joined in a file of this machine."""
    events = home / FEEDBACK
    return Intake(events, lambda: Feedback(events, store, params, lambda flag: FLAGGED[flag].inc()), home / LOG)


def _shared(home: Path, store: Store, params: DecisionParams, settings: Settings) -> SharedFeedback:
    """Feedback that is joined in Redis, for replicas on any machines."""
    days = settings.decisions_days
    return SharedFeedback(home / EVENTS, cast(RedisStore, store), params, lambda flag: FLAGGED[flag].inc(), days)


def _damaged(place: Path) -> dict[str, str]:
    """What of the decision log was set aside."""
    why = parts.left_out(place)
    return {} if why is None else {"log": why}


def _bus(settings: Settings, take: Callable[[Sequence[Outcome]], Sequence[Status]]) -> "KafkaFeedback | None":
    """The bus that the settings name, read from now on."""
    if settings.kafka_brokers is None:
        return None
    from serving.decisions.api.kafka import KafkaFeedback

    return KafkaFeedback(settings, take)


def state_store(settings: Settings, params: DecisionParams) -> Store:
    """The engine's state: in SQLite under the home, or in Redis where there is one."""
    if settings.redis_url is not None:
        return RedisStore(settings.redis_url, params)
    return SqliteStore(settings.home / "decisions" / STATE, params)
