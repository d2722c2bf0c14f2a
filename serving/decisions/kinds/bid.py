"""The bid for one auction."""

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
    """An auction to bid in.

    Attributes:
        floor_price: minimum price of the auction.
        current_bid: current bid on the platform for this keyword or auction.
    """

    asked: Literal["bid"] = "bid"
    floor_price: Amount | None = None
    current_bid: Amount | None = None


FAMILY = "bidding"
NEEDS = {
    **{name: Need(FAMILY, name, "campaign_id") for name in ("policy_bid", "policy_propensity", "baseline_bid")},
    # Value of winning: click probability, or money where conversions are bought.
    **{name: Need(FAMILY, name, "campaign_id", optional=True) for name in ("predicted_ctr", "expected_value")},
}


def policy(case: Case[Auction]) -> Draft:
    """The model's bid, sometimes varied for exploration; for a holdout the baseline's, to compare both.

    Without the needed bid, the draft has no amount, and the guardrail `fallback` bids.
    """
    holdout, varied = case.params.exploration.holdout, exploring(case)
    drawn = case.uniform("arm")
    if drawn < holdout:
        reason = f"holdout: the baseline bids for {holdout:.0%} of opportunities, to measure the policy"
        return _draft(case, amount(case.answer("baseline_bid")), reason, "baseline", holdout, explored=True)
    bid = amount(case.answer("policy_bid"))
    own = propensity(case) or 1.0  # the guardrail `fallback` handles invalid propensities
    if drawn < holdout + varied:
        times, up = 1 + case.params.exploration.spread, raised(case)
        reason = f"exploration: the policy's bid {'times' if up else 'divided by'} {times:g}"
        bid = bid and (bid * times if up else bid / times)
        return _draft(case, bid, reason, "policy", varied / 2 * own, explored=True)
    reason = "the policy's bid"
    return _draft(case, bid, reason, "policy", (1 - holdout - varied) * own, explored=False)


def raised(case: Case[Auction]) -> bool:
    """Whether an explored bid is raised."""
    return case.uniform("direction") < 0.5


def exploring(case: Case[Auction]) -> float:
    """Share of opportunities with an explored bid; falls with the policy's conversions."""
    known, halved_by = case.state.outcome("policy").conversions, case.params.exploration.conversions
    return (1 - case.params.exploration.holdout) * case.params.exploration.share * halved_by / (halved_by + known)


def propensity(case: Case[Auction]) -> float | None:
    """The policy's own propensity, 1 where it reports none; None if it is not a probability."""
    reported = case.answer("policy_propensity")
    found = 1.0 if reported is None else reported
    return found if 0 < found <= 1 else None


def reference(case: Case[Auction]) -> float | None:
    """The reference for bounds: the baseline's bid, else the current bid on the platform; None without both."""
    found = amount(case.answer("baseline_bid"))
    return found * multiplier(case) if found is not None else amount(case.opportunity.current_bid)


def _draft(case: Case[Auction], bid: float | None, reason: str, arm: Arm, drawn: float, *, explored: bool) -> Draft:
    opportunity = case.opportunity
    return Draft(
        action=Action.BID,
        target=opportunity.keyword or opportunity.campaign_id,
        reason=reason,
        amount=None if bid is None else bid * multiplier(case),
        unit=UNIT,
        before=number(opportunity.current_bid),
        arm=arm,
        propensity=drawn,
        explored=explored,
    )


def spent(draft: Draft, case: Case[Auction]) -> Changed:
    """No bid where the remaining budget is spent."""
    for whose, spend in (("campaign", case.state.campaign), ("account", case.state.account)):
        left = spend.left
        if left is not None and left < case.params.bids.least:
            none = spend.daily_limit == 0
            why = f"the {whose} has no budget" if none else f"the {whose}'s {spend.tightest} budget is spent"
            return draft.held(f"no bid: {why}"), why
    return None


def baseline_floor(draft: Draft, case: Case[Auction]) -> Changed:
    """The baseline bids while the policy is significantly worse."""
    policy, baseline = case.state.outcome("policy"), case.state.outcome("baseline")
    if draft.action is not Action.BID or (worse := floor.worse(policy, baseline, case.params.floor)) is None:
        return None
    bid = amount(case.answer("baseline_bid"))
    reason = "the baseline's bid: the policy performed worse"
    left = bid and bid * multiplier(case)
    return draft.left(amount=left, arm="baseline", propensity=1.0, explored=False, reason=reason), worse


def fallback(draft: Draft, case: Case[Auction]) -> Changed:
    """A conservative bid after a failure of a model, the store or the clock."""
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
        return f"no usable bid from the {'policy' if known else 'baseline'}"
    return "the policy's propensity is not a probability" if propensity(case) is None else None


def bid_ratio(draft: Draft, case: Case[Auction]) -> Changed:
    """Keep the bid within a ratio of the baseline's. The conservative bid may be lower."""
    known = reference(case)
    if draft.action is not Action.BID or draft.amount is None or known is None:
        return None
    ratio = case.params.bids.ratio
    least = 0.0 if draft.arm == "fallback" else known / ratio
    return within(draft, least, known * ratio, f"limited to a factor of {ratio:g} around the baseline's {known:.6g}")


def override(draft: Draft, case: Case[Auction]) -> Changed:
    """A manual override: exactly this bid, or the baseline's."""
    standing = case.state.override
    if standing is None or draft.action is not Action.BID:
        return None
    why = f"override by {standing.by}: {standing.why}"
    bid = standing.bid if standing.bid is not None else amount(case.answer("baseline_bid"))
    bid = bid if bid is not None else draft.amount
    return draft.left(amount=bid, arm="override", propensity=1.0, explored=False, reason=why), why


def bid_bounds(draft: Draft, case: Case[Auction]) -> Changed:
    """Keep every bid within absolute bounds; withhold bids below the minimum."""
    if draft.action is not Action.BID or draft.amount is None:
        return None
    least, most = case.params.bids.least, case.params.bids.most
    if draft.amount < least:
        why = f"{draft.amount:.6g} is below the minimum bid of {least:g}"
        return draft.held(f"no bid: {why}"), why
    return within(draft, least, most, f"the maximum bid is {most:g}")


def floor_price(draft: Draft, case: Case[Auction]) -> Changed:
    """No bid below the auction's floor price. The bid is not raised, as it is the most to pay."""
    minimum = number(case.opportunity.floor_price)
    if draft.action is not Action.BID or draft.amount is None or minimum is None or draft.amount >= minimum:
        return None
    why = f"the floor price is {minimum:.6g}"
    return draft.held(f"no bid: {why}"), why


def credited(draft: Draft) -> str | None:
    """The arm, where it was chosen at random; None for an explored bid, which is evidence of neither arm."""
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
            "optimal": np.nan,  # no optimum in hindsight: prices of lost auctions are unknown
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
