"""Guardrails shared by several kinds. Every draft passes all guardrails of its kind.

Later guardrails override earlier ones. Manual overrides come after the engine's own limits and before the money limits;
the kill switch comes last.
"""

from collections.abc import Callable, Iterable
from typing import Any

from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.records import UNIT, Action, GuardrailEffect

#: The changed draft and why; None where nothing changes.
Changed = tuple[Draft, str] | None
Guardrail = Callable[[Draft, Case[Any]], Changed]


def apply(
    draft: Draft, case: Case[Any], guardrails: Iterable[tuple[str, Guardrail]]
) -> tuple[Draft, tuple[GuardrailEffect, ...]]:
    """Apply the guardrails. Returns the draft, and the effects of those that changed it."""
    effects = []
    for name, guardrail in guardrails:
        changed = guardrail(draft, case)
        if changed is not None and changed[0] != draft:
            effects.append(GuardrailEffect(name, number(draft.amount), number(changed[0].amount), changed[1]))
            draft = changed[0]
    return draft, tuple(effects)


def fault(case: Case[Any]) -> str | None:
    """Why the inputs of a decision are unusable: the store, the clock or a model failed. None where they are usable."""
    if (wrong := state_fault(case)) is not None:
        return wrong
    return "; ".join(case.predictions.faults) if case.predictions.faults else None


def state_fault(case: Case[Any]) -> str | None:
    """What failed of the store and the clock."""
    return _clock(case) if case.state.known else "the store does not answer"


def _clock(case: Case[Any]) -> str | None:
    now, seen, store = number(case.opportunity.occurred_at), case.state.seen_at, case.state.store_at
    if now is None or now < 0:
        return "the clock shows no time"
    if seen is not None and now < seen - case.params.clock.back_s:
        return f"the clock went back by {seen - now:.0f} s"
    if store is not None and now > store + case.params.clock.ahead_s:
        return f"the clock is {now - store:.0f} s ahead"
    return None


def fallback(draft: Draft, case: Case[Any]) -> Changed:
    """No action after a failure of a model, the store or the clock."""
    return held(draft, fault(case))


def held(draft: Draft, wrong: str | None) -> Changed:
    """No action after a failure."""
    if wrong is None:
        return None
    return draft.held(f"no action: {wrong}", arm="fallback", propensity=1.0, explored=False), wrong


def cooldown(wait: Callable[[Case[Any]], float]) -> Guardrail:
    """Wait between actions, so that their effect shows; `wait` returns the seconds."""

    def waited(draft: Draft, case: Case[Any]) -> Changed:
        last, now, wait_s = case.state.changes.last_at, number(case.opportunity.occurred_at), wait(case)
        if last is None or now is None or draft.action is Action.HOLD or now - last >= wait_s:
            return None
        why = f"the last action was {max(0.0, now - last):.0f} s ago, the cooldown is {wait_s:g} s"
        return draft.held(f"{draft.reason}; but {why}"), why

    return waited


def override(draft: Draft, case: Case[Any]) -> Changed:
    """No action during a manual override."""
    standing = case.state.override
    if standing is None:
        return None
    why = f"override by {standing.by}: {standing.why}"
    return draft.held(why, arm="override", propensity=1.0, explored=False), why


def campaign_limit(draft: Draft, case: Case[Any]) -> Changed:
    """Limit money to what the campaign has left today and in total."""
    return _affordable(draft, case, case.state.campaign.left, "campaign")


def account_limit(draft: Draft, case: Case[Any]) -> Changed:
    """Limit money to what the account has left."""
    return _affordable(draft, case, case.state.account.left, "account")


def _affordable(draft: Draft, case: Case[Any], left: float | None, whose: str) -> Changed:
    if left is None:
        return None
    why = f"the {whose} has {left:.6g} left to spend"
    if draft.action is Action.RAISE_BID and left < case.params.bids.least:
        return draft.held(f"{draft.reason}; but {why}"), why
    if (draft.unit != UNIT and draft.action not in _PAID) or draft.amount is None or draft.amount <= left:
        return None
    if draft.action is not Action.BID or left < case.params.bids.least:
        return draft.held(f"{draft.reason}; but {why}"), why
    return draft.left(amount=left), why


def kill_switch(draft: Draft, case: Case[Any]) -> Changed:
    """No action while stopped."""
    reason = case.state.killed
    if reason is None:
        return None
    return draft.held(f"stopped: {reason}", arm="killed", propensity=1.0, explored=False), reason


def sound(draft: Draft, case: Case[Any]) -> Changed:
    """Withhold actions without a positive finite amount where they need one."""
    if draft.action not in _PRICED or amount(draft.amount) is not None:
        return None
    return draft.held(f"{draft.reason}; but the amount is not usable"), "the amount is not usable"


_PAID = frozenset({Action.BID, Action.RETENTION_OFFER})
_PRICED = _PAID | {Action.RAISE_BID, Action.LOWER_BID, Action.MOVE_BUDGET}


def within(draft: Draft, least: float, most: float, why: str) -> Changed:
    """Clip the amount."""
    if draft.amount is None or least <= draft.amount <= most:
        return None
    return draft.left(amount=min(max(draft.amount, least), most)), why
