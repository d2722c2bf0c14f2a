"""The columns of a part: what analysts ask for, flat, beside the exact bytes of each entry and its hash."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from serving.decisions.case import number
from serving.decisions.log.entry import Entry

TEXT, NUMBER, NAMES = pa.string(), pa.float64(), pa.list_(pa.string())

#: Name, type, and where it is found in an entry. Money is in units of the account's currency, `*_at` in Unix seconds.
COLUMNS: tuple[tuple[str, Any, Callable[[Entry], Any]], ...] = (
    ("decision_id", TEXT, lambda entry: entry.decision.decision_id),
    ("opportunity_id", TEXT, lambda entry: entry.decision.opportunity_id),
    ("account_id", TEXT, lambda entry: entry.decision.account_id),
    ("campaign_id", TEXT, lambda entry: entry.decision.campaign_id),
    ("logged_at", NUMBER, lambda entry: entry.logged_at),
    ("decided_at", NUMBER, lambda entry: entry.decision.decided_at),
    ("asked", TEXT, lambda entry: entry.opportunity.asked),
    ("keyword", TEXT, lambda entry: entry.opportunity.keyword),
    ("channel", TEXT, lambda entry: entry.opportunity.channel),
    ("audience", TEXT, lambda entry: entry.opportunity.audience),
    ("creative_id", TEXT, lambda entry: entry.opportunity.creative_id),
    ("customer_id", TEXT, lambda entry: entry.opportunity.customer_id),
    ("hour", pa.int32(), lambda entry: entry.opportunity.hour),
    ("floor_price", NUMBER, lambda entry: number(entry.opportunity.floor_price)),
    ("predicted_ctr", NUMBER, lambda entry: number(entry.predictions.predicted_ctr)),
    ("predicted_cvr", NUMBER, lambda entry: number(entry.predictions.predicted_cvr)),
    ("expected_value", NUMBER, lambda entry: number(entry.predictions.expected_value)),
    ("policy_bid", NUMBER, lambda entry: number(entry.predictions.policy_bid)),
    ("baseline_bid", NUMBER, lambda entry: number(entry.predictions.baseline_bid)),
    ("churn_probability", NUMBER, lambda entry: number(entry.predictions.churn_probability)),
    ("took_ms", NUMBER, lambda entry: number(entry.predictions.took_ms)),
    ("faults", NAMES, lambda entry: list(entry.predictions.faults)),
    ("action", TEXT, lambda entry: entry.decision.action.value),
    ("target", TEXT, lambda entry: entry.decision.target),
    ("source", TEXT, lambda entry: entry.decision.source),
    ("dimension", TEXT, lambda entry: entry.decision.dimension),
    ("amount", NUMBER, lambda entry: entry.decision.amount),
    ("unit", TEXT, lambda entry: entry.decision.unit),
    ("before", NUMBER, lambda entry: entry.decision.before),
    ("reason", TEXT, lambda entry: entry.decision.reason),
    ("triggers", NAMES, lambda entry: [trigger.name for trigger in entry.decision.triggers]),
    ("guardrails", NAMES, lambda entry: [touch.guardrail for touch in entry.decision.guardrails]),
    ("arm", TEXT, lambda entry: entry.decision.arm),
    ("propensity", NUMBER, lambda entry: entry.decision.propensity),
    ("explored", pa.bool_(), lambda entry: entry.decision.explored),
    ("versions", pa.map_(TEXT, TEXT), lambda entry: list(entry.decision.versions.items())),
    ("seed", pa.int64(), lambda entry: entry.decision.seed),
    ("params", TEXT, lambda entry: entry.params),
    ("grant", TEXT, lambda entry: None if entry.grant is None else entry.grant.status),
)

SCHEMA = pa.schema(
    [
        ("chain", TEXT),
        ("sequence", pa.int64()),
        *((name, kind) for name, kind, _ in COLUMNS),
        ("entry", TEXT),
        ("hash", pa.binary(32)),
    ]
)


def batch(chain: str, first: int, entries: Sequence[Entry], written: Sequence[bytes], hashes: Sequence[bytes]) -> Any:
    """Entries of one chain as a `pyarrow.RecordBatch`, the first of them with this sequence number."""
    arrays = [_array([find(entry) for entry in entries], kind) for _, kind, find in COLUMNS]
    about = [pa.repeat(chain, len(entries)), pa.array(range(first, first + len(entries)), pa.int64())]
    exact = [pa.array(written, TEXT), pa.array(hashes, pa.binary(32))]
    return pa.RecordBatch.from_arrays([*about, *arrays, *exact], schema=SCHEMA)


def _array(values: list[Any], kind: Any) -> Any:
    """The values as a column. What a caller said in another type is null: the entry itself still has it."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.concat_arrays([_one(value, kind) for value in values])


def _one(value: Any, kind: Any) -> Any:
    try:
        return pa.array([value], kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.nulls(1, kind)
