"""What to bid in one auction, before any guardrail."""

from serving.decisions.case import Case, Draft, amount, multiplier, number, propensity
from serving.decisions.records import Action, Arm

UNIT = "currency"


def propose(case: Case) -> Draft:
    """The policy's bid, now and then varied to learn; for a holdout the baseline's, so that both can be compared.

    Where one of them is missing the draft has no amount: the guardrail `fallback` bids instead.
    """
    holdout, varied = case.params.exploration.holdout, exploring(case)
    drawn = case.uniform("arm")
    if drawn < holdout:
        reason = f"the baseline bids for {holdout:.0%} of the opportunities, to measure the policy against"
        return _draft(case, amount(case.predictions.baseline_bid), reason, "baseline", holdout, explored=True)
    bid = amount(case.predictions.policy_bid)
    own = propensity(case) or 1.0  # one that is no probability is found by the guardrail `fallback`
    if drawn < holdout + varied:
        times, up = 1 + case.params.exploration.spread, raised(case)
        reason = f"the policy's bid {'times' if up else 'divided by'} {times:g}, to learn what that brings"
        bid = bid and (bid * times if up else bid / times)
        return _draft(case, bid, reason, "policy", varied / 2 * own, explored=True)
    reason = "the policy's bid for what this is worth"
    return _draft(case, bid, reason, "policy", (1 - holdout - varied) * own, explored=False)


def raised(case: Case) -> bool:
    """Whether a bid that is varied is varied upwards."""
    return case.uniform("direction") < 0.5


def exploring(case: Case) -> float:
    """Share of opportunities whose bid is varied: less, the more conversions the policy has brought."""
    known, halved_by = case.state.evidence.policy.conversions, case.params.exploration.conversions
    return (1 - case.params.exploration.holdout) * case.params.exploration.share * halved_by / (halved_by + known)


def _draft(case: Case, bid: float | None, reason: str, arm: Arm, drawn: float, *, explored: bool) -> Draft:
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
