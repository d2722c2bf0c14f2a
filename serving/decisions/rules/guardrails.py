"""What no decision gets around: one ordered list, applied to every draft, each entry saying what it changed.

Later entries have the last word. What is asked by a person comes after what the engine allows itself, and before the
bounds of all bids and of the money that is left; the kill switch comes after everything.
"""

from collections.abc import Callable
from math import exp

from serving.decisions.case import Case, Draft, amount, multiplier, number, propensity, reference
from serving.decisions.records import Action, GuardrailEffect
from serving.decisions.rules import floor

#: What a guardrail makes of a draft, and why; None where it has nothing to say.
Guardrail = Callable[[Draft, Case], tuple[Draft, str] | None]

#: Actions that change how a campaign runs from now on.
CHANGES = frozenset(Action) - {Action.HOLD, Action.BID, Action.RETENTION_OFFER}


def apply(draft: Draft, case: Case) -> tuple[Draft, tuple[GuardrailEffect, ...]]:
    """The draft after all guardrails, and those that changed it."""
    touches = []
    for name, guardrail in GUARDRAILS:
        touched = guardrail(draft, case)
        if touched is not None and touched[0] != draft:
            touches.append(GuardrailEffect(name, number(draft.amount), number(touched[0].amount), touched[1]))
            draft = touched[0]
    return draft, tuple(touches)


def baseline_floor(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """The baseline bids where the policy does worse than it with confidence."""
    if draft.action is not Action.BID or (worse := floor.worse(case.state.evidence, case.params.floor)) is None:
        return None
    bid = amount(case.predictions.baseline_bid)
    reason = "the baseline's bid: the policy did worse"
    left = bid and bid * multiplier(case)
    return draft.left(amount=left, arm="baseline", propensity=1.0, explored=False, reason=reason), worse


def fallback(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """Where a model, the store or the clock failed: a conservative bid, no change, no offer."""
    fault = _fault(draft, case)
    if fault is None:
        return None
    if draft.action is not Action.BID:
        return draft.held(f"nothing is done: {fault}", arm="fallback", propensity=1.0, explored=False), fault
    known, least = reference(case), case.params.bids.least
    bid = least if known is None else known * case.params.bids.fallback
    reason = f"a conservative bid: {fault}"
    return draft.left(amount=bid, arm="fallback", propensity=1.0, explored=False, reason=reason), fault


def _fault(draft: Draft, case: Case) -> str | None:
    if not case.state.known:
        return "the store does not answer"
    if (strange := _clock(case)) is not None:
        return strange
    if case.predictions.faults:
        return "; ".join(case.predictions.faults)
    if draft.action is not Action.BID:
        return None
    known = reference(case)
    if known is None or amount(draft.amount) is None:
        return f"no usable bid of the {'policy' if known else 'baseline'}"
    return "the policy's propensity is no probability" if propensity(case) is None else None


def _clock(case: Case) -> str | None:
    now, seen, store = number(case.opportunity.occurred_at), case.state.seen_at, case.state.store_at
    if now is None or now < 0:
        return "the clock shows no time"
    if seen is not None and now < seen - case.params.clock.back_s:
        return f"the clock went back by {seen - now:.0f} s"
    if store is not None and now > store + case.params.clock.ahead_s:
        return f"the clock is {now - store:.0f} s ahead"
    return None


def bid_ratio(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """A bid stays within a ratio of the baseline's. The conservative bid may be below."""
    known = reference(case)
    if draft.action is not Action.BID or draft.amount is None or known is None:
        return None
    ratio = case.params.bids.ratio
    least = 0.0 if draft.arm == "fallback" else known / ratio
    return _within(draft, least, known * ratio, f"within {ratio:g} times the baseline's {known:.6g} either way")


def cooldown(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """A change is left to show what it did before the next; so is an offer to a customer."""
    last, now = case.state.changes.last_at, number(case.opportunity.occurred_at)
    if last is None or now is None or draft.action in (Action.HOLD, Action.BID):
        return None
    offer = draft.action is Action.RETENTION_OFFER
    wait = case.params.retention.cooldown_s if offer else case.params.changes.cooldown_s
    why = f"the last one was {max(0.0, now - last):.0f} s ago, {wait:g} s are waited"
    return (draft.held(f"{draft.reason}; but {why}"), why) if now - last < wait else None


def change_limits(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """The largest change at once and in a day, of the campaign's multiplier and of how its budget is divided."""
    limits, made = case.params.changes, case.state.changes
    if draft.action is Action.MOVE_BUDGET:
        most = min(limits.move_step, limits.move_day - made.moved_today)
        why = f"at most {limits.move_step:.0%} of the budget at once, {limits.move_day:.0%} a day"
        return _within(draft, 0.0, most, why) if most > 0 else (draft.held(f"{draft.reason}; but {why}"), why)
    if draft.action not in (Action.RAISE_BID, Action.LOWER_BID):
        return None
    most = min(limits.step, limits.day - made.bid_today)
    why = f"at most {exp(limits.step) - 1:.0%} at once, {exp(limits.day) - 1:.0%} a day, {limits.span:g} times in all"
    before = multiplier(case)
    least, high = max(before * exp(-most), 1 / limits.span), min(before * exp(most), limits.span)
    if most <= 0 or (high <= before if draft.action is Action.RAISE_BID else least >= before):
        return draft.held(f"{draft.reason}; but {why}"), why
    return _within(draft, least, high, why)


def override(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """A person's word: exactly this bid, or the baseline's; and no change beside it."""
    said = case.state.override
    if said is None:
        return None
    why = f"override by {said.by}: {said.why}"
    if draft.action is not Action.BID:
        return draft.held(why, arm="override", propensity=1.0, explored=False), why
    bid = said.bid if said.bid is not None else amount(case.predictions.baseline_bid)
    bid = bid if bid is not None else draft.amount
    return draft.left(amount=bid, arm="override", propensity=1.0, explored=False, reason=why), why


def bid_bounds(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """Every bid is within absolute bounds; one that is not worth placing is not placed."""
    if draft.action is not Action.BID or draft.amount is None:
        return None
    least, most = case.params.bids.least, case.params.bids.most
    if draft.amount < least:
        why = f"{draft.amount:.6g} is below {least:g}, the least that is worth bidding"
        return draft.held(f"no bid: {why}"), why
    return _within(draft, least, most, f"no bid is above {most:g}")


def offer_bounds(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """No offer is above what any customer is offered."""
    most = case.params.retention.most
    if draft.action is not Action.RETENTION_OFFER:
        return None
    return _within(draft, 0.0, most, f"no offer is above {most:g}")


def campaign_limit(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """No more than the campaign has left of its budget, today and in total."""
    return _affordable(draft, case, case.state.campaign.left, "campaign")


def account_limit(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """No more than the account has left."""
    return _affordable(draft, case, case.state.account.left, "account")


def _affordable(draft: Draft, case: Case, left: float | None, whose: str) -> tuple[Draft, str] | None:
    if left is None:
        return None
    why = f"the {whose} has {left:.6g} left to spend"
    if draft.action is Action.RAISE_BID and left < case.params.bids.least:
        return draft.held(f"{draft.reason}; but {why}"), why
    if draft.action not in (Action.BID, Action.RETENTION_OFFER) or draft.amount is None or draft.amount <= left:
        return None
    if draft.action is Action.RETENTION_OFFER or left < case.params.bids.least:
        return draft.held(f"{draft.reason}; but {why}"), why
    return draft.left(amount=left), why


def floor_price(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """No bid where it would be below what the auction takes. It is not raised: what was decided is the most."""
    asked = number(case.opportunity.floor_price)
    if draft.action is not Action.BID or draft.amount is None or asked is None or draft.amount >= asked:
        return None
    why = f"the auction takes {asked:.6g} at least"
    return draft.held(f"no bid: {why}"), why


def kill_switch(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """Nothing at all is done for what was stopped."""
    said = case.state.killed
    return (
        None if said is None else (draft.held(f"stopped: {said}", arm="killed", propensity=1.0, explored=False), said)
    )


def sound(draft: Draft, case: Case) -> tuple[Draft, str] | None:
    """An action that needs an amount has a finite one, above nothing."""
    if draft.action not in _PRICED or amount(draft.amount) is not None:
        return None
    return draft.held(f"{draft.reason}; but without a usable amount"), "no usable amount"


_PRICED = frozenset({Action.BID, Action.RAISE_BID, Action.LOWER_BID, Action.MOVE_BUDGET, Action.RETENTION_OFFER})


def _within(draft: Draft, least: float, most: float, why: str) -> tuple[Draft, str] | None:
    if draft.amount is None or least <= draft.amount <= most:
        return None
    return draft.left(amount=min(max(draft.amount, least), most)), why


GUARDRAILS: tuple[tuple[str, Guardrail], ...] = (
    ("baseline_floor", baseline_floor),
    ("fallback", fallback),
    ("bid_ratio", bid_ratio),
    ("cooldown", cooldown),
    ("change_limits", change_limits),
    ("override", override),
    ("bid_bounds", bid_bounds),
    ("offer_bounds", offer_bounds),
    ("campaign_limit", campaign_limit),
    ("account_limit", account_limit),
    ("floor_price", floor_price),
    ("kill_switch", kill_switch),
    ("sound", sound),
)
