"""What a customer at risk is offered to stay."""

from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.records import Action, Trigger
from serving.decisions.rules import chance


def propose(case: Case) -> Draft:
    """An offer by band of risk, a share of the value that is at stake; none to a holdout, to see what offers do."""
    customer = case.opportunity.customer_id or ""
    risk, value = number(case.predictions.churn_probability), amount(case.predictions.value)
    params, holdout = case.params.retention, case.params.exploration.holdout
    if not customer or risk is None or not 0 <= risk <= 1 or value is None:
        return Draft(Action.HOLD, customer, "no offer: the risk or the value of the customer is not known")
    triggers = tuple(one for one in (_at_risk(case, risk, value), declining_engagement(case)) if one is not None)
    if not triggers:
        reason = (
            f"no offer: a churn probability of {risk:.2f} is not above {params.medium:g}, and purchases did not fall"
        )
        return Draft(Action.HOLD, customer, reason)
    share = params.share_high if risk > params.high else params.share_medium
    offered = share * risk * value
    if offered < params.least:
        reason = f"no offer: {share:.0%} of the {risk * value:.4g} at stake is below {params.least:g}"
        return Draft(Action.HOLD, customer, reason, triggers=triggers)
    if case.uniform("offer") < holdout:
        reason = f"no offer: {holdout:.0%} of those at risk get none, to see what offers do"
        return Draft(
            Action.HOLD, customer, reason, triggers=triggers, arm="baseline", propensity=holdout, explored=True
        )
    reason = f"{_why(triggers[0])}, with {risk * value:.4g} at stake"
    return Draft(
        Action.RETENTION_OFFER, customer, reason, offered, "currency", triggers=triggers, propensity=1 - holdout
    )


def declining_engagement(case: Case) -> Trigger | None:
    """The customer buys less often than a share of what they did, beyond chance."""
    bought, ratio = case.predictions.purchases, case.params.retention.engagement_ratio
    if bought is None or not bought.past:
        return None
    by_chance = chance.rate_at_most(bought.recent, bought.recent_days, bought.past, bought.past_days, ratio)
    if by_chance >= case.params.triggers.chance:
        return None
    told = {"recent_purchases": bought.recent, "past_purchases": bought.past, "past_days": bought.past_days}
    of_before = bought.recent / bought.recent_days / (bought.past / bought.past_days)
    return Trigger("declining_engagement", of_before, ratio, by_chance, told)


def _at_risk(case: Case, risk: float, value: float) -> Trigger | None:
    """The band of the churn probability; None below all."""
    params = case.params.retention
    for band, threshold in (("high", params.high), ("medium", params.medium)):
        if risk > threshold:
            return Trigger(f"churn_{band}", risk, threshold, None, {"value": value})
    return None


def _why(trigger: Trigger) -> str:
    if trigger.name == "declining_engagement":
        return f"the customer buys at {trigger.statistic:.0%} of the rate of before"
    return f"{trigger.name.removeprefix('churn_')} risk of leaving ({trigger.statistic:.2f})"
