"""Reviews a campaign: rules turn findings into one change. The first rule that applies decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, ClassVar, Literal

from serving.decisions.case import Case, Draft
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.records import Action, Opportunity, Trigger
from serving.decisions.rules import guardrails, segments
from serving.decisions.rules.bids import multiplier
from serving.decisions.rules.guardrails import Changed, within
from serving.decisions.rules.triggers import elapsed, find


@dataclass(frozen=True, slots=True)
class Review(Opportunity):
    """A review of a campaign, and of a keyword that it might bid on."""

    counted: ClassVar[bool] = True

    asked: Literal["campaign"] = "campaign"


Found = Mapping[str, Trigger]
Rule = Callable[[Case[Review], Found], Draft | None]


def policy(case: Case[Review]) -> Draft:
    """The change to make to the campaign, before guardrails."""
    found = {trigger.name: trigger for trigger in find(case)}
    for rule in RULES:
        draft = rule(case, found)
        if draft is not None:
            return draft
    reason = f"no change: found {', '.join(found) or 'nothing'}"
    return Draft(Action.HOLD, case.opportunity.campaign_id, reason, triggers=_all(found))


def wait_for_platform(case: Case[Review], found: Found) -> Draft | None:
    """No change where the whole account changed."""
    if "platform_change" not in found:
        return None
    moved = "fell" if found["platform_change"].threshold < 1 else "rose"
    reason = f"no change: the rest of the account {moved} too, so the platform changed"
    return Draft(Action.HOLD, case.opportunity.campaign_id, reason, triggers=_all(found))


def save_budget(case: Case[Review], found: Found) -> Draft | None:
    """Bid less, so that the remaining budget lasts for the day."""
    gone = found.get("budget_exhaustion")
    if gone is None or elapsed(case) > gone.threshold:
        return None
    reason = f"{gone.statistic:.0%} of the daily budget is spent with {1 - elapsed(case):.0%} of the day left"
    return _bid(case, -case.params.changes.step, reason, gone)


def pause_keyword(case: Case[Review], _: Found) -> Draft | None:
    """Pause the keyword that converts worst, both recently and before."""
    poor = segments.poor_keyword(case)
    if poor is None:
        return None
    name, trigger = poor
    reason = f"keyword '{name}' converts at {trigger.statistic:.0%} of the other keywords' rate, recently and before"
    return Draft(Action.PAUSE_KEYWORD, name, reason, dimension="keyword", triggers=(trigger,))


def lower_cost(case: Case[Review], found: Found) -> Draft | None:
    """Bid less where clicks cost too much."""
    dear = found.get("cost_increase")
    if dear is None:
        return None
    target = case.state.target_cpc or dear.threshold
    reason = f"a click costs {dear.statistic:.4g}, above the target {target:.4g}"
    return _bid(case, -case.params.changes.step, reason, dear)


def rotate_creative(case: Case[Review], found: Found) -> Draft | None:
    """Replace the creative that is shown most where its click rate fell."""
    worn = segments.worn_creative(case)
    if worn is None:
        return None
    old, new, trigger = worn
    reason = f"the click rate of creative '{old}' is {trigger.statistic:.0%} of its earlier rate: '{new}' replaces it"
    return Draft(
        Action.ROTATE_CREATIVE, new, reason, source=old, dimension="creative", triggers=(trigger, *_all(found))
    )


def lower_worth(case: Case[Review], found: Found) -> Draft | None:
    """Bid less where click or conversion rates fell."""
    fell = found.get("conversion_drop") or found.get("ctr_drop")
    if fell is None:
        return None
    what = "conversions per click" if fell.name == "conversion_drop" else "clicks per impression"
    reason = f"{what} fell to {fell.statistic:.3g}, below {fell.threshold:g}: impressions are worth less"
    return _bid(case, -case.params.changes.step, reason, fell)


def move_budget(case: Case[Review], found: Found) -> Draft | None:
    """Move budget to the channel, hour, audience or creative with the most conversions per spend, from that with the
    least."""
    better = segments.better_place(case)
    if better is None:
        return None
    dimension, away, to, amount, trigger = better
    reason = f"{dimension} '{to}' brings {trigger.statistic:.3g} times the conversions per spend of '{away}'"
    triggers = (trigger, *_all(found))
    return Draft(Action.MOVE_BUDGET, to, reason, amount, "share of daily budget", None, away, dimension, triggers)


def raise_bid(case: Case[Review], found: Found) -> Draft | None:
    """Bid more where clicks cost less than the target, and auctions are lost or budget is left over."""
    room, lost = found.get("cost_below_target"), found.get("competition") or found.get("under_delivery")
    if room is None or lost is None:
        return None
    why = "fewer auctions are won than before" if lost.name == "competition" else "budget is left over"
    reason = f"{why}, and a click costs {room.statistic:.4g}, below the target {room.threshold:.4g}"
    return _bid(case, case.params.changes.step, reason, lost, room)


def add_keyword(case: Case[Review], _: Found) -> Draft | None:
    """Start the suggested keyword where its impressions are worth more than they cost."""
    missed = segments.missed_keyword(case)
    if missed is None:
        return None
    name, trigger = missed
    reason = f"an impression of '{name}' is worth {trigger.statistic:.3g} times its cost"
    return Draft(Action.ADD_KEYWORD, name, reason, dimension="keyword", triggers=(trigger,))


def _bid(case: Case[Review], step: float, reason: str, *triggers: Trigger) -> Draft:
    before = case.state.changes.multiplier
    action = Action.RAISE_BID if step > 0 else Action.LOWER_BID
    amount = multiplier(case) * exp(step)
    return Draft(action, case.opportunity.campaign_id, reason, amount, "multiplier", before, triggers=triggers)


def _all(found: Found) -> tuple[Trigger, ...]:
    return tuple(found.values())


#: Protection first, then rules that save money, then rules that earn more.
RULES: tuple[Rule, ...] = (
    save_budget,
    wait_for_platform,
    pause_keyword,
    lower_cost,
    rotate_creative,
    lower_worth,
    move_budget,
    raise_bid,
    add_keyword,
)


def fallback(draft: Draft, case: Case[Review]) -> Changed:
    """Nothing is done where the store or the clock failed, nor where a model did that the change is based on."""
    by_model = draft.action is Action.ADD_KEYWORD
    return guardrails.held(draft, guardrails.fault(case) if by_model else guardrails.state_fault(case))


def change_limits(draft: Draft, case: Case[Any]) -> Changed:
    """Limit changes of the multiplier and of budget shares, per change and per day."""
    limits, made = case.params.changes, case.state.changes
    if draft.action is Action.MOVE_BUDGET:
        most = min(limits.move_step, limits.move_day - made.moved_today)
        why = f"budget moves are limited to {limits.move_step:.0%} at once and {limits.move_day:.0%} a day"
        return within(draft, 0.0, most, why) if most > 0 else (draft.held(f"{draft.reason}; but {why}"), why)
    if draft.action not in (Action.RAISE_BID, Action.LOWER_BID):
        return None
    most = min(limits.step, limits.day - made.bid_today)
    why = (
        f"bid changes are limited to {exp(limits.step) - 1:.0%} at once, {exp(limits.day) - 1:.0%} a day and a factor "
        f"of {limits.span:g} in total"
    )
    before = multiplier(case)
    least, high = max(before * exp(-most), 1 / limits.span), min(before * exp(most), limits.span)
    if most <= 0 or (high <= before if draft.action is Action.RAISE_BID else least >= before):
        return draft.held(f"{draft.reason}; but {why}"), why
    return within(draft, least, high, why)


KIND = Kind(
    name="campaign",
    request=Review,
    example={
        "opportunity_id": "look-0412",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "spring",
        "asked": "campaign",
        "keyword": "running shoes",
    },
    # What an impression of the keyword would bring.
    needs={name: Need("bidding", name, "campaign_id", optional=True) for name in ("predicted_ctr", "expected_value")},
    policy=policy,
    guardrails=(
        ("fallback", fallback),
        ("cooldown", guardrails.cooldown(lambda case: case.params.changes.cooldown_s)),
        ("change_limits", change_limits),
        ("override", guardrails.override),
        ("campaign_limit", guardrails.campaign_limit),
        ("account_limit", guardrails.account_limit),
        ("kill_switch", guardrails.kill_switch),
        ("sound", guardrails.sound),
    ),
)
