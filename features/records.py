"""The record of what models saw, answered and caused: its files and its columns.

A record is one line of JSON: a row of a request to a model, or a decision. It holds `logged_at` and `predictions`: the
`features` as models read them, those that were looked up online among them, their `answers`, `versions`, `faults` and
`took_ms`. A model server adds the `request`, the decision endpoint `opportunity`, `state`, `grant`, `decision` and
`params`. Outcomes are records too: the `request` and `outcome` of labels, the `event` of a decision where replicas
share feedback; one machine keeps events in SQLite, and copies them to S3 as such records. Parts are Parquet files of
the columns below, with the exact line (`entry`) and its hash. Money is in units of the account's currency, `*_at` in
Unix seconds.
"""

from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from features.lake import Place, Remote, place
from features.settings import Settings

#: Where decisions are recorded under the home: parts in `LOG`, and what came of them beside it, in the file `FEEDBACK`
#: of one machine or, by each of several replicas, in parts in `EVENTS`.
DECISIONS, LOG, FEEDBACK, EVENTS = "decisions", "log", "feedback.db", "events"
#: A row an event that came of a decision; `told` in Unix nanoseconds.
EVENT_TABLE = """
CREATE TABLE IF NOT EXISTS event (
    account TEXT, event TEXT, decision TEXT, kind TEXT, at REAL, cost REAL, value REAL, counted INTEGER DEFAULT 0,
    told INTEGER, PRIMARY KEY (account, event)
) WITHOUT ROWID;
"""
#: Where requests to models are recorded under the home, and what came of them, a folder a family.
REQUESTS, OUTCOMES = "requests", "outcomes"
SUFFIX = ".parquet"
#: A folder here or in S3.
AnyPlace = TypeVar("AnyPlace", Path, Remote, Place)

TEXT, NUMBER, WHOLE, NAMES = pa.string(), pa.float64(), pa.int64(), pa.list_(pa.string())
VERSIONS = pa.map_(TEXT, TEXT)

#: Name, type and the place in a record. A place with `[]` is a name of each item of a list.
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("logged_at", NUMBER, "logged_at"),
    ("request_id", TEXT, "request.request_id"),
    ("row", WHOLE, "request.row"),
    ("entity_id", TEXT, "request.entity_id"),
    ("status", WHOLE, "request.status"),
    ("error", TEXT, "request.error"),
    ("decision_id", TEXT, "decision.decision_id"),
    ("opportunity_id", TEXT, "decision.opportunity_id"),
    ("account_id", TEXT, "decision.account_id"),
    ("campaign_id", TEXT, "decision.campaign_id"),
    ("decided_at", NUMBER, "decision.decided_at"),
    ("asked", TEXT, "opportunity.asked"),
    ("keyword", TEXT, "opportunity.keyword"),
    ("channel", TEXT, "opportunity.channel"),
    ("audience", TEXT, "opportunity.audience"),
    ("creative_id", TEXT, "opportunity.creative_id"),
    ("customer_id", TEXT, "opportunity.customer_id"),
    ("hour", pa.int32(), "opportunity.hour"),
    ("floor_price", NUMBER, "opportunity.floor_price"),
    ("predicted_ctr", NUMBER, "predictions.answers.predicted_ctr"),
    ("predicted_cvr", NUMBER, "predictions.answers.predicted_cvr"),
    ("expected_value", NUMBER, "predictions.answers.expected_value"),
    ("policy_bid", NUMBER, "predictions.answers.policy_bid"),
    ("baseline_bid", NUMBER, "predictions.answers.baseline_bid"),
    ("churn_probability", NUMBER, "predictions.answers.churn_probability"),
    ("took_ms", NUMBER, "predictions.took_ms"),
    ("faults", NAMES, "predictions.faults"),
    ("action", TEXT, "decision.action"),
    ("target", TEXT, "decision.target"),
    ("source", TEXT, "decision.source"),
    ("dimension", TEXT, "decision.dimension"),
    ("amount", NUMBER, "decision.amount"),
    ("unit", TEXT, "decision.unit"),
    ("before", NUMBER, "decision.before"),
    ("reason", TEXT, "decision.reason"),
    ("triggers", NAMES, "decision.triggers[].name"),
    ("guardrails", NAMES, "decision.guardrails[].guardrail"),
    ("arm", TEXT, "decision.arm"),
    ("propensity", NUMBER, "decision.propensity"),
    ("explored", pa.bool_(), "decision.explored"),
    ("versions", VERSIONS, "predictions.versions"),
    ("seed", WHOLE, "decision.seed"),
    ("params", TEXT, "params"),
    ("grant", TEXT, "grant.status"),
)

SCHEMA = pa.schema(
    [
        ("chain", TEXT),
        ("sequence", WHOLE),
        *((name, kind) for name, kind, _ in COLUMNS),
        ("entry", TEXT),
        ("hash", pa.binary(32)),
    ]
)


def shared(settings: Settings) -> Place:
    """Where servers of several machines keep in common what is recorded and how releases stand: `records_uri` where
    releases are InferenceServices, each server with a home of its own; else the home."""
    if settings.kserve_namespace is None or settings.records_uri is None:
        return settings.home
    return place(settings.records_uri, settings)


def recorded(settings: Settings) -> Place:
    """Where records are read: the shared place, or the copies at `records_uri` where nothing was recorded in
    the home."""
    here = shared(settings)
    if settings.records_uri is None or any((here / name).exists() for name in (f"{DECISIONS}/{LOG}", REQUESTS)):
        return here
    return place(settings.records_uri, settings)


def decisions_folder(home: AnyPlace) -> AnyPlace:
    """Where decisions are recorded."""
    return home / DECISIONS / LOG  # type: ignore[return-value]


def requests_folder(home: AnyPlace, family: str) -> AnyPlace:
    """Where the requests to a family's models are recorded."""
    return home / REQUESTS / family  # type: ignore[return-value]


def outcomes_folder(home: AnyPlace, family: str) -> AnyPlace:
    """Where what came of those requests is recorded."""
    return home / OUTCOMES / family  # type: ignore[return-value]
