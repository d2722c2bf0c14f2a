"""What to bid in one auction."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.fields import Amount
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.records import UNIT, Action, Arm, Opportunity
from serving.decisions.rules import floor, guardrails
from serving.decisions.rules.bids import multiplier
from serving.decisions.rules.guardrails import Changed, within
from serving.decisions.rules.triggers import DAY_S


@dataclass(frozen=True, slots=True)
class Auction(Opportunity):
    """One auction to bid in.

    Attributes:
        floor_price: what the auction takes at least.
        current_bid: what stands on the platform now, for this keyword or auction.
    """

    asked: Literal["bid"] = "bid"
    floor_price: Amount | None = None
    current_bid: Amount | None = None


FAMILY = "bidding"
NEEDS = {
    **{name: Need(FAMILY, name, "campaign_id") for name in ("policy_bid", "policy_propensity", "baseline_bid")},
    # What winning is worth: the chance of a click, or money where conversions are bought.
    **{name: Need(FAMILY, name, "campaign_id", optional=True) for name in ("predicted_ctr", "expected_value")},
}


def policy(case: Case[Auction]) -> Draft:
    """The model's bid, now and then varied to learn; for a holdout the baseline's, so that both can be compared.

    Where one of them is missing the draft has no amount: the guardrail `fallback` bids instead.
    """
    holdout, varied = case.params.exploration.holdout, exploring(case)
    drawn = case.uniform("arm")
    if drawn < holdout:
        reason = f"the baseline bids for {holdout:.0%} of the opportunities, to measure the policy against"
        return _draft(case, amount(case.answer("baseline_bid")), reason, "baseline", holdout, explored=True)
    bid = amount(case.answer("policy_bid"))
    own = propensity(case) or 1.0  # one that is no probability is found by the guardrail `fallback`
    if drawn < holdout + varied:
        times, up = 1 + case.params.exploration.spread, raised(case)
        reason = f"the policy's bid {'times' if up else 'divided by'} {times:g}, to learn what that brings"
        bid = bid and (bid * times if up else bid / times)
        return _draft(case, bid, reason, "policy", varied / 2 * own, explored=True)
    reason = "the policy's bid for what this is worth"
    return _draft(case, bid, reason, "policy", (1 - holdout - varied) * own, explored=False)


def raised(case: Case[Auction]) -> bool:
    """Whether a bid that is varied is varied upwards."""
    return case.uniform("direction") < 0.5


def exploring(case: Case[Auction]) -> float:
    """Share of opportunities whose bid is varied: less, the more conversions the policy has brought."""
    known, halved_by = case.state.outcome("policy").conversions, case.params.exploration.conversions
    return (1 - case.params.exploration.holdout) * case.params.exploration.share * halved_by / (halved_by + known)


def propensity(case: Case[Auction]) -> float | None:
    """The policy's own, 1 where it says no number; None if what it says is no probability."""
    said = case.answer("policy_propensity")
    found = 1.0 if said is None else said
    return found if 0 < found <= 1 else None


def reference(case: Case[Auction]) -> float | None:
    """What a bid is measured against: the baseline's, or what stands on the platform; None where both are missing."""
    found = amount(case.answer("baseline_bid"))
    return found * multiplier(case) if found is not None else amount(case.opportunity.current_bid)


def _draft(case: Case[Auction], bid: float | None, reason: str, arm: Arm, drawn: float, *, explored: bool) -> Draft:
    asked = case.opportunity
    return Draft(
        action=Action.BID,
        target=asked.keyword or asked.campaign_id,
        reason=reason,
        amount=None if bid is None else bid * multiplier(case),
        unit=UNIT,
        before=number(asked.current_bid),
        arm=arm,
        propensity=drawn,
        explored=explored,
    )


def spent(draft: Draft, case: Case[Auction]) -> Changed:
    """No bid, and no fault of anybody, where what is left of a budget buys nothing."""
    for whose, spend in (("campaign", case.state.campaign), ("account", case.state.account)):
        left = spend.left
        if left is not None and left < case.params.bids.least:
            none = spend.daily_limit == 0
            why = f"the {whose} has no budget" if none else f"the {whose}'s budget {spend.tightest} is spent"
            return draft.held(f"no bid: {why}"), why
    return None


def baseline_floor(draft: Draft, case: Case[Auction]) -> Changed:
    """The baseline bids where the policy does worse than it with confidence."""
    policy, baseline = case.state.outcome("policy"), case.state.outcome("baseline")
    if draft.action is not Action.BID or (worse := floor.worse(policy, baseline, case.params.floor)) is None:
        return None
    bid = amount(case.answer("baseline_bid"))
    reason = "the baseline's bid: the policy did worse"
    left = bid and bid * multiplier(case)
    return draft.left(amount=left, arm="baseline", propensity=1.0, explored=False, reason=reason), worse


def fallback(draft: Draft, case: Case[Auction]) -> Changed:
    """A conservative bid where a model, the store or the clock failed."""
    if draft.action is not Action.BID or (fault := _fault(draft, case)) is None:
        return None
    known, least = reference(case), case.params.bids.least
    bid = least if known is None else known * case.params.bids.fallback
    reason = f"a conservative bid: {fault}"
    return draft.left(amount=bid, arm="fallback", propensity=1.0, explored=False, reason=reason), fault


def _fault(draft: Draft, case: Case[Auction]) -> str | None:
    if (common := guardrails.fault(case)) is not None:
        return common
    known = reference(case)
    if known is None or amount(draft.amount) is None:
        return f"no usable bid of the {'policy' if known else 'baseline'}"
    return "the policy's propensity is no probability" if propensity(case) is None else None


def bid_ratio(draft: Draft, case: Case[Auction]) -> Changed:
    """A bid stays within a ratio of the baseline's. The conservative bid may be below."""
    known = reference(case)
    if draft.action is not Action.BID or draft.amount is None or known is None:
        return None
    ratio = case.params.bids.ratio
    least = 0.0 if draft.arm == "fallback" else known / ratio
    return within(draft, least, known * ratio, f"within {ratio:g} times the baseline's {known:.6g} either way")


def override(draft: Draft, case: Case[Auction]) -> Changed:
    """A person's word: exactly this bid, or the baseline's."""
    said = case.state.override
    if said is None or draft.action is not Action.BID:
        return None
    why = f"override by {said.by}: {said.why}"
    bid = said.bid if said.bid is not None else amount(case.answer("baseline_bid"))
    bid = bid if bid is not None else draft.amount
    return draft.left(amount=bid, arm="override", propensity=1.0, explored=False, reason=why), why


def bid_bounds(draft: Draft, case: Case[Auction]) -> Changed:
    """Every bid is within absolute bounds; one that is not worth placing is not placed."""
    if draft.action is not Action.BID or draft.amount is None:
        return None
    least, most = case.params.bids.least, case.params.bids.most
    if draft.amount < least:
        why = f"{draft.amount:.6g} is below {least:g}, the least that is worth bidding"
        return draft.held(f"no bid: {why}"), why
    return within(draft, least, most, f"no bid is above {most:g}")


def floor_price(draft: Draft, case: Case[Auction]) -> Changed:
    """No bid where it would be below what the auction takes. It is not raised: what was decided is the most."""
    asked = number(case.opportunity.floor_price)
    if draft.action is not Action.BID or draft.amount is None or asked is None or draft.amount >= asked:
        return None
    why = f"the auction takes {asked:.6g} at least"
    return draft.held(f"no bid: {why}"), why


def credited(draft: Draft) -> str | None:
    """Policy or baseline where chance chose between them. A varied bid is evidence of neither."""
    if draft.arm == "policy" and not draft.explored:
        return "policy"
    return "baseline" if draft.arm == "baseline" and draft.explored else None


def judged(made: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Labels of the bids by the policy. A lost auction has a price above the bid, and an unknown value."""
    own = made["action"].eq(Action.BID) & made["arm"].eq("policy")
    made, features = made[own], features[own].reindex(columns=["budget", "auctions"])
    won, clicks = made[["impression", "click"]].max(axis=1) > 0, made["expected_value"].isna()
    pace = features["budget"].astype(float) / features["auctions"].astype(float)
    episode = made["campaign_id"] + (made["decided_at"] // DAY_S).astype(str)
    return pd.DataFrame(
        {
            "episode": episode.factorize()[0],
            "market_price": made[["cost", "amount"]].min(axis=1).where(won, np.inf),
            "click": made["click"],
            "value": made["value"].where(~clicks, made["click"]).where(won),
            "optimal": np.nan,  # no hindsight: prices of lost auctions are unknown
            "price_in_pace": made["cost"] / pace,
            "bid_in_pace": 0.0,
            "answer.bid": made["amount"],
            "answer.expected_value": made["expected_value"].where(~clicks, made["predicted_ctr"]),
        },
        made.index,
    )


KIND = Kind(
    name="bid",
    request=Auction,
    example={
        "opportunity_id": "auction-7f3a",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "spring",
        "asked": "bid",
        "channel": "search",
        "customer_id": "c00042",
        "current_bid": 1.2,
        "features": {"device": "mobile", "position": 2},
    },
    needs=NEEDS,
    policy=policy,
    guardrails=(
        ("spent", spent),
        ("baseline_floor", baseline_floor),
        ("fallback", fallback),
        ("bid_ratio", bid_ratio),
        ("override", override),
        ("bid_bounds", bid_bounds),
        ("campaign_limit", guardrails.campaign_limit),
        ("account_limit", guardrails.account_limit),
        ("floor_price", floor_price),
        ("kill_switch", guardrails.kill_switch),
        ("sound", guardrails.sound),
    ),
    paid={Action.BID: "bid"},
    learnt_from=FAMILY,
    judged=judged,
    credited=credited,
)
