"""Attribution: the fields of an event that follow from its decision."""

from collections.abc import Mapping
from typing import Any

from serving.decisions.kinds import kinds
from serving.decisions.records import Action


def facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a `state.store.FeedbackEvent` from the record of its decision."""
    decision, kind = record["decision"], kinds()[record["opportunity"]["asked"]]
    return {
        "opportunity_id": decision["opportunity_id"],
        "campaign_id": decision["campaign_id"],
        "arm": decision.get("credited"),  # missing in records of earlier versions
        "version": decision["versions"].get(kind.learnt_from, ""),
        "segments": segments(record["opportunity"]),
        "purpose": kind.paid.get(decision["action"], "choice"),
        "decided_at": decision["decided_at"],
        "promised": (decision["amount"] or 0.0) if decision["action"] in kind.paid else 0.0,
    }


def followed(record: Mapping[str, Any]) -> bool:
    """Whether outcomes of a decision matter: something was done, and it costs money or yields evidence."""
    return record["decision"]["action"] != Action.HOLD and kinds()[record["opportunity"]["asked"]].followed


def segments(asked: Mapping[str, Any]) -> dict[str, str]:
    """Segment names of an opportunity by dimension."""
    named = {name: asked[name] for name in ("keyword", "channel", "hour", "audience")}
    named["creative"] = asked["creative_id"]
    return {dimension: str(name) for dimension, name in named.items() if name is not None}
