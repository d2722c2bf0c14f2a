"""Names of keys in Redis, and the encoding of script items."""

from collections.abc import Mapping
from typing import Any

import orjson

from serving.decisions.records import MICRO, Decision, Opportunity, PacedBy
from serving.decisions.state import book
from serving.decisions.state.book import SEPARATOR
from serving.decisions.state.store import Exposure, FeedbackEvent, Reservation

#: Prefix of all account keys.
PREFIX = "adloop:decisions:{"


def tag(account: str) -> str:
    """Prefix of all keys of an account."""
    return f"{PREFIX}{account}}}"


def owner(key: str) -> tuple[str, str | None] | None:
    """The account, and the campaign if any, whose book a key names; None for any other key."""
    account, found, campaign = key.removeprefix(PREFIX).partition("}:campaign:")
    if found:
        return account, campaign
    return (account.removesuffix("}:account"), None) if account.endswith("}:account") else None


def campaign_key(account: str, campaign: str) -> str:
    return f"{tag(account)}:campaign:{campaign}"


def books(asked: Opportunity, version: str, day: int) -> tuple[str, ...]:
    """Keys of the needed books: account, campaign, evidence, segments, customer, arms, and what the customer was shown
    on a day; empty for none."""
    own, campaign = tag(asked.account_id), asked.campaign_id
    return (
        f"{own}:account",
        f"{own}:campaign:{campaign}",
        f"{own}:evidence:{campaign}{SEPARATOR}{version}",
        f"{own}:segments:{campaign}" if asked.counted else "",
        f"{own}:customer:{asked.customer_id}" if asked.paced_by == "customer_id" else "",
        f"{own}:arms:{campaign}{SEPARATOR}{version}" if asked.compares else "",
        f"{own}:shown:{day:08d}:{asked.customer_id}" if asked.compares and asked.customer_id is not None else "",
    )


def flat(said: Mapping[str, int | str]) -> list[int | str]:
    return [one for pair in said.items() for one in pair]


def reserving(asked: Reservation) -> dict[str, Any]:
    return {
        "opportunity": asked.opportunity_id,
        "campaign": asked.campaign_id,
        "purpose": asked.purpose,
        "target": asked.target,
        "drawn_from": asked.drawn_from,
        "amount": book.micros(asked.amount),
        "at": asked.occurred_at,
    }


def exposing(asked: Exposure) -> dict[str, Any]:
    return {
        "opportunity": asked.opportunity_id,
        "campaign": asked.campaign_id,
        "creative": asked.creative_id,
        "customer": asked.customer_id,
        "at": asked.occurred_at,
        "most": asked.most,
    }


def recording(event: FeedbackEvent) -> dict[str, Any]:
    return {**_told(event), **_facts(event)}


def _told(event: FeedbackEvent) -> dict[str, Any]:
    return {
        "event": event.event_id,
        "kind": event.kind,
        "at": event.occurred_at,
        "cost": None if event.cost is None else book.micros(event.cost),
        "value": round(event.value * MICRO),
        "squares": event.value**2,
        "counted": book.seen(event),
    }


def _facts(event: FeedbackEvent) -> dict[str, Any]:
    """Facts of an event's decision that the books need; the event contains the rest."""
    return {
        "opportunity": event.opportunity_id,
        "campaign": event.campaign_id,
        "purpose": event.purpose,
        "decided_at": event.occurred_at if event.decided_at is None else event.decided_at,
        "promised": book.micros(event.promised),
        "segments": [SEPARATOR.join((dimension, name, "")) for dimension, name in event.segments.items()],
        "arm": event.arm or "",
        "version": event.version,
    }


def expecting(account: str, decision: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """A decision that may have outcomes. Raises `ValueError` or `TypeError` for invalid facts."""
    told = _facts(FeedbackEvent("", account_id=account, kind="loss", occurred_at=0.0, **facts))
    return {"decision": decision, "facts": orjson.dumps(told).decode()}


def taking(event: FeedbackEvent, decision: str) -> dict[str, Any]:
    """An event, without the facts of its decision."""
    return {"event": event.event_id, "decision": decision, "told": orjson.dumps(_told(event)).decode()}


def claiming(decision: Decision, cooldown_s: float, paced_by: PacedBy) -> dict[str, Any]:
    dimension = decision.dimension or "keyword"
    customer = paced_by == "customer_id"
    return {
        "key": f":customer:{decision.target}" if customer else f":campaign:{decision.campaign_id}",
        "campaign": decision.campaign_id,
        "decision": decision.decision_id,
        "action": decision.action,
        "at": decision.decided_at,
        "at_text": repr(decision.decided_at),
        "before": decision.before,
        "amount": decision.amount,
        "amount_text": repr(decision.amount),
        "to": SEPARATOR.join((dimension, decision.target, "")),
        "away": SEPARATOR.join((dimension, decision.source or "", "")),
        "cooldown_s": cooldown_s,
    }
