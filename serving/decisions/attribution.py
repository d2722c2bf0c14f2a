"""Whose doing an event was: what the store is told of a decision with each event that came of it."""

from typing import Any

from serving.decisions.kinds import kinds
from serving.decisions.records import Decision, Opportunity


def facts(decision: Decision, asked: Opportunity) -> dict[str, Any]:
    """The fields of a `state.store.Event` that follow from its decision."""
    kind = kinds()[asked.asked]
    return {
        "opportunity_id": decision.opportunity_id,
        "campaign_id": decision.campaign_id,
        "arm": decision.credited,
        "version": decision.versions.get(kind.learnt_from or "", ""),
        "segments": segments(asked),
        "purpose": kind.paid.get(decision.action, "choice"),
        "decided_at": decision.decided_at,
        "promised": decision.amount or 0.0,
    }


def segments(asked: Opportunity) -> dict[str, str]:
    """The segments it belongs to, by dimension."""
    named = {
        "keyword": asked.keyword,
        "channel": asked.channel,
        "hour": asked.hour,
        "audience": asked.audience,
        "creative": asked.creative_id,
    }
    return {dimension: str(name) for dimension, name in named.items() if name is not None}
