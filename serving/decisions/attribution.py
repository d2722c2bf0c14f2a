"""Attribution: the fields of an event that follow from its decision."""

from types import SimpleNamespace
from typing import Any

import orjson

from serving.decisions.kinds import kinds
from serving.decisions.records import Action
from serving.records.columns import LoggedRecord


def logged(record: LoggedRecord) -> Any:
    """The entry of a decision, or the fields of its line, which may be of an earlier version."""
    if record.source is not None:
        return record.source
    read = orjson.loads(record.line)
    decision, asked = SimpleNamespace(**read["decision"]), SimpleNamespace(**read["opportunity"])
    return SimpleNamespace(logged_at=read["logged_at"], decision=decision, opportunity=asked)


def facts(entry: Any) -> dict[str, Any]:
    """Fields of a `state.store.FeedbackEvent` from the entry of its decision."""
    decision, kind = entry.decision, kinds()[entry.opportunity.asked]
    paid = kind.paid.get(decision.action)
    return {
        "opportunity_id": decision.opportunity_id,
        "campaign_id": decision.campaign_id,
        "arm": getattr(decision, "credited", None),  # missing in records of earlier versions
        "version": kind.evidence_of(decision.versions),
        "segments": segments(entry.opportunity),
        "purpose": paid or "choice",
        "decided_at": decision.decided_at,
        "promised": (decision.amount or 0.0) if paid else 0.0,
    }


def followed(entry: Any) -> bool:
    """Whether outcomes of a decision matter: something was done, and it costs money or yields evidence."""
    return entry.decision.action != Action.HOLD and kinds()[entry.opportunity.asked].followed


def segments(asked: Any) -> dict[str, str]:
    """Segment names of an opportunity by dimension."""
    named = {name: getattr(asked, name) for name in ("keyword", "channel", "hour", "audience")}
    named["creative"] = asked.creative_id
    return {dimension: str(name) for dimension, name in named.items() if name is not None}
