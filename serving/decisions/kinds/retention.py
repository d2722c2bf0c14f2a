"""The offer that keeps a customer at risk."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.fields import Name
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.records import UNIT, Action, Opportunity, Trigger
from serving.decisions.rules import chance, guardrails
from serving.decisions.rules.guardrails import Changed, within

#: Days of the recent period in the purchase counts.
RECENT_DAYS = 28.0


@dataclass(frozen=True, slots=True)
class CustomerAtRisk(Opportunity):
    """A customer who may get a retention offer."""

    paced_by: ClassVar[Literal["customer_id"]] = "customer_id"

    customer_id: Name = field(kw_only=True)
    asked: Literal["customer"] = "customer"


def policy(case: Case[CustomerAtRisk]) -> Draft:
    """An offer by risk band, as a share of the value at stake; none for a holdout, to measure the effect of offers."""
    customer, risk, value = case.opportunity.customer_id, case.answer("churn_probability"), amount(case.answer("value"))
    params, holdout = case.params.retention, case.params.exploration.holdout
    if risk is None or not 0 <= risk <= 1 or value is None:
        return Draft(Action.HOLD, customer, "no offer: the customer's risk or value is unknown")
    triggers = tuple(one for one in (_at_risk(case, risk, value), declining_engagement(case)) if one is not None)
    if not triggers:
        reason = f"no offer: churn probability {risk:.2f} is not above {params.medium:g}, and purchases did not fall"
        return Draft(Action.HOLD, customer, reason)
    share = params.share_high if risk > params.high else params.share_medium
    offered = share * risk * value
    if offered < params.least:
        reason = f"no offer: {share:.0%} of the {risk * value:.4g} at stake is below the minimum of {params.least:g}"
        return Draft(Action.HOLD, customer, reason, triggers=triggers)
    if case.uniform("offer") < holdout:
        reason = f"no offer: holdout of {holdout:.0%}, to measure the effect of offers"
        return Draft(
            Action.HOLD, customer, reason, triggers=triggers, arm="baseline", propensity=holdout, explored=True
        )
    reason = f"{_why(triggers[0])}, with {risk * value:.4g} at stake"
    return Draft(Action.RETENTION_OFFER, customer, reason, offered, UNIT, triggers=triggers, propensity=1 - holdout)


def declining_engagement(case: Case[CustomerAtRisk]) -> Trigger | None:
    """The customer buys significantly less often than a share of the earlier rate."""
    features = case.predictions.features
    every, recent, days = (number(features.get(name)) for name in FEATURES)
    if every is None or recent is None or days is None or days <= RECENT_DAYS or every <= recent:
        return None
    past, past_days, ratio = every - recent, days - RECENT_DAYS, case.params.retention.engagement_ratio
    by_chance = chance.rate_at_most(int(recent), RECENT_DAYS, int(past), past_days, ratio)
    if by_chance >= case.params.triggers.chance:
        return None
    found = {"recent_purchases": recent, "past_purchases": past, "past_days": past_days}
    return Trigger("declining_engagement", recent / RECENT_DAYS / (past / past_days), ratio, by_chance, found)


def _at_risk(case: Case[CustomerAtRisk], risk: float, value: float) -> Trigger | None:
    """The risk band of the churn probability; None below all."""
    params = case.params.retention
    for band, threshold in (("high", params.high), ("medium", params.medium)):
        if risk > threshold:
            return Trigger(f"churn_{band}", risk, threshold, None, {"value": value})
    return None


def _why(trigger: Trigger) -> str:
    if trigger.name == "declining_engagement":
        return f"the customer buys at {trigger.statistic:.0%} of the earlier rate"
    return f"{trigger.name.removeprefix('churn_')} churn risk ({trigger.statistic:.2f})"


def offer_bounds(draft: Draft, case: Case[Any]) -> Changed:
    """Limit the amount of an offer."""
    most = case.params.retention.most
    if draft.action is not Action.RETENTION_OFFER:
        return None
    return within(draft, 0.0, most, f"the maximum offer is {most:g}")


#: Features: purchases, purchases of the last four weeks, and days since the first purchase.
FEATURES = ("frequency", "frequency_28d", "tenure_days")

KIND = Kind(
    name="customer",
    request=CustomerAtRisk,
    example={
        "opportunity_id": "renewal-11",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "stay",
        "asked": "customer",
        "customer_id": "c00042",
    },
    policy=policy,
    guardrails=(
        ("fallback", guardrails.fallback),
        ("cooldown", guardrails.cooldown(lambda case: case.params.retention.cooldown_s)),
        ("override", guardrails.override),
        ("offer_bounds", offer_bounds),
        ("campaign_limit", guardrails.campaign_limit),
        ("account_limit", guardrails.account_limit),
        ("kill_switch", guardrails.kill_switch),
        ("sound", guardrails.sound),
    ),
    needs={
        "churn_probability": Need("churn", "churn_probability", "customer_id"),
        "value": Need("ltv", "value", "customer_id"),
    },
    paid={Action.RETENTION_OFFER: "offer"},
    known=frozenset({"customer_id"}),
)
