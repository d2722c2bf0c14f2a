"""Whose doing an event was: what the store is told of a decision with each event that came of it."""

from collections.abc import Mapping
from typing import Any, Literal

from models.catalog import POLICY
from serving.decisions.records import Action


def facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `state.store.Event` that follow from its decision, by the decision's record."""
    decision = record["decision"]
    return {
        "opportunity_id": decision["opportunity_id"],
        "campaign_id": decision["campaign_id"],
        "arm": arm(decision),
        "version": decision["versions"].get(POLICY, ""),
        "segments": segments(record["opportunity"]),
        "purpose": "offer" if decision["action"] == Action.RETENTION_OFFER else "bid",
        "decided_at": decision["decided_at"],
        "promised": decision["amount"] or 0.0,
    }


def arm(decision: Mapping[str, Any]) -> Literal["policy", "baseline"] | None:
    """Who is judged by it: policy or baseline where chance chose between them. A varied bid is evidence of neither."""
    if decision["arm"] == "policy" and not decision["explored"]:
        return "policy"
    return "baseline" if decision["arm"] == "baseline" and decision["explored"] else None


def segments(asked: Mapping[str, Any]) -> dict[str, str]:
    """The segments it belongs to, by dimension."""
    named = {name: asked[name] for name in ("keyword", "channel", "hour", "audience")}
    named["creative"] = asked["creative_id"]
    return {dimension: str(name) for dimension, name in named.items() if name is not None}
