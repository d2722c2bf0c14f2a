"""Whose doing an event was: what the store is told of a decision with each event that came of it."""

from collections.abc import Mapping
from typing import Any

from serving.decisions.kinds import kinds
from serving.decisions.records import Action


def facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `state.store.FeedbackEvent` that follow from its decision, by the decision's record."""
    decision, kind = record["decision"], kinds()[record["opportunity"]["asked"]]
    return {
        "opportunity_id": decision["opportunity_id"],
        "campaign_id": decision["campaign_id"],
        "arm": decision.get("credited"),  # which an earlier version did not record
        "version": decision["versions"].get(kind.learnt_from, ""),
        "segments": segments(record["opportunity"]),
        "purpose": kind.paid.get(decision["action"], "choice"),
        "decided_at": decision["decided_at"],
        "promised": (decision["amount"] or 0.0) if decision["action"] in kind.paid else 0.0,
    }


def followed(record: Mapping[str, Any]) -> bool:
    """Whether anything may come of a decision that matters: it is not followed where nothing was done."""
    return record["decision"]["action"] != Action.HOLD and kinds()[record["opportunity"]["asked"]].followed


def segments(asked: Mapping[str, Any]) -> dict[str, str]:
    """The segments it belongs to, by dimension."""
    named = {name: asked[name] for name in ("keyword", "channel", "hour", "audience")}
    named["creative"] = asked["creative_id"]
    return {dimension: str(name) for dimension, name in named.items() if name is not None}
