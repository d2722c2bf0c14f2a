"""A look at a campaign: from findings to what is done to it. Rules in order, the first that applies speaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, ClassVar, Literal

from serving.decisions.case import Case, Draft
from serving.decisions.kinds.kind import Kind
from serving.decisions.records import Action, Opportunity, Trigger
from serving.decisions.rules import guardrails, segments
from serving.decisions.rules.bids import multiplier
from serving.decisions.rules.guardrails import Changed, within
from serving.decisions.rules.triggers import elapsed, find


@dataclass(frozen=True, slots=True)
class Review(Opportunity):
    """A look at a campaign, and at a keyword that it might bid on."""

    counted: ClassVar[bool] = True

    asked: Literal["campaign"] = "campaign"


Found = Mapping[str, Trigger]
Rule = Callable[[Case[Review], Found], Draft | None]


def policy(case: Case[Review]) -> Draft:
    """What is to be done to the campaign that is looked at, before any guardrail."""
    found = {trigger.name: trigger for trigger in find(case)}
    for rule in RULES:
        draft = rule(case, found)
        if draft is not None:
            return draft
    reason = f"found {', '.join(found) or 'nothing'}: no change is called for"
    return Draft(Action.HOLD, case.opportunity.campaign_id, reason, triggers=_all(found))


def wait_for_platform(case: Case[Review], found: Found) -> Draft | None:
    """What befell the whole account is not answered campaign by campaign."""
    if "platform_change" not in found:
        return None
    moved = "fell" if found["platform_change"].threshold < 1 else "rose"
    reason = f"the rest of the account {moved} at once: the platform changed, which no change of a campaign answers"
    return Draft(Action.HOLD, case.opportunity.campaign_id, reason, triggers=_all(found))


def save_budget(case: Case[Review], found: Found) -> Draft | None:
    """Bid less, so that what is left of the budget lasts for what is left of the day."""
    gone = found.get("budget_exhaustion")
    if gone is None or elapsed(case) > gone.threshold:
        return None
    reason = f"{gone.statistic:.0%} of the day's budget is gone with {1 - elapsed(case):.0%} of the day to come"
    return _bid(case, -case.params.changes.step, reason, gone)


def pause_keyword(case: Case[Review], _: Found) -> Draft | None:
    """Stop the keyword that converts badly, recently as before."""
    poor = segments.poor_keyword(case)
    if poor is None:
        return None
    name, trigger = poor
    reason = f"keyword '{name}' converts at {trigger.statistic:.0%} of the others' rate, recently as before"
    return Draft(Action.PAUSE_KEYWORD, name, reason, dimension="keyword", triggers=(trigger,))


def lower_cost(case: Case[Review], found: Found) -> Draft | None:
    """Bid less where a click costs too much."""
    dear = found.get("cost_increase")
    if dear is None:
        return None
    target = case.state.target_cpc or dear.threshold
    reason = f"a click costs {dear.statistic:.4g}, the target is {target:.4g}"
    return _bid(case, -case.params.changes.step, reason, dear)


def rotate_creative(case: Case[Review], found: Found) -> Draft | None:
    """Show another creative where the one that is shown most has worn out."""
    worn = segments.worn_creative(case)
    if worn is None:
        return None
    old, new, trigger = worn
    reason = f"creative '{old}' is clicked at {trigger.statistic:.0%} of what it was: '{new}' takes its turn"
    return Draft(
        Action.ROTATE_CREATIVE, new, reason, source=old, dimension="creative", triggers=(trigger, *_all(found))
    )


def lower_worth(case: Case[Review], found: Found) -> Draft | None:
    """Bid less where clicks or conversions became fewer, and with them what an impression is worth."""
    fell = found.get("conversion_drop") or found.get("ctr_drop")
    if fell is None:
        return None
    what = "conversions per click" if fell.name == "conversion_drop" else "clicks per impression"
    reason = f"{what} fell to {fell.statistic:.3g}, below {fell.threshold:g}: an impression is worth less"
    return _bid(case, -case.params.changes.step, reason, fell)


def move_budget(case: Case[Review], found: Found) -> Draft | None:
    """Give budget to the channel, hour, audience or creative where it brings more, from where it brings least."""
    better = segments.better_place(case)
    if better is None:
        return None
    dimension, away, to, amount, trigger = better
    reason = f"{dimension} '{to}' brings {trigger.statistic:.3g} times the conversions per spend of '{away}'"
    triggers = (trigger, *_all(found))
    return Draft(Action.MOVE_BUDGET, to, reason, amount, "share of daily budget", None, away, dimension, triggers)


def raise_bid(case: Case[Review], found: Found) -> Draft | None:
    """Bid more where clicks are cheaper than they may be, and auctions are lost or budget is left over."""
    room, lost = found.get("cost_below_target"), found.get("competition") or found.get("under_delivery")
    if room is None or lost is None:
        return None
    why = "fewer auctions are won than before" if lost.name == "competition" else "budget is left over"
    reason = f"{why}, and a click costs {room.statistic:.4g}, below the target {room.threshold:.4g}"
    return _bid(case, case.params.changes.step, reason, lost, room)


def add_keyword(case: Case[Review], _: Found) -> Draft | None:
    """Begin with the keyword that is asked about, where an impression is worth more than impressions cost."""
    missed = segments.missed_keyword(case)
    if missed is None:
        return None
    name, trigger = missed
    reason = f"an impression of '{name}' is worth {trigger.statistic:.3g} times what impressions cost"
    return Draft(Action.ADD_KEYWORD, name, reason, dimension="keyword", triggers=(trigger,))


def _bid(case: Case[Review], step: float, reason: str, *triggers: Trigger) -> Draft:
    before = case.state.changes.multiplier
    action = Action.RAISE_BID if step > 0 else Action.LOWER_BID
    amount = multiplier(case) * exp(step)
    return Draft(action, case.opportunity.campaign_id, reason, amount, "multiplier", before, triggers=triggers)


def _all(found: Found) -> tuple[Trigger, ...]:
    return tuple(found.values())


#: Protection first, then what saves money, then what earns more.
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


def change_limits(draft: Draft, case: Case[Any]) -> Changed:
    """The largest change at once and in a day, of the campaign's multiplier and of how its budget is divided."""
    limits, made = case.params.changes, case.state.changes
    if draft.action is Action.MOVE_BUDGET:
        most = min(limits.move_step, limits.move_day - made.moved_today)
        why = f"at most {limits.move_step:.0%} of the budget at once, {limits.move_day:.0%} a day"
        return within(draft, 0.0, most, why) if most > 0 else (draft.held(f"{draft.reason}; but {why}"), why)
    if draft.action not in (Action.RAISE_BID, Action.LOWER_BID):
        return None
    most = min(limits.step, limits.day - made.bid_today)
    why = f"at most {exp(limits.step) - 1:.0%} at once, {exp(limits.day) - 1:.0%} a day, {limits.span:g} times in all"
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
    policy=policy,
    guardrails=(
        ("fallback", guardrails.fallback),
        ("cooldown", guardrails.cooldown(lambda case: case.params.changes.cooldown_s)),
        ("change_limits", change_limits),
        ("override", guardrails.override),
        ("campaign_limit", guardrails.campaign_limit),
        ("account_limit", guardrails.account_limit),
        ("kill_switch", guardrails.kill_switch),
        ("sound", guardrails.sound),
    ),
)
