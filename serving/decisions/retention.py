"""What a customer at risk is offered to stay."""

from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.records import Action, Trigger


def propose(case: Case) -> Draft:
    """An offer by band of risk, a share of the value that is at stake; none to a holdout, to see what offers do."""
    customer = case.opportunity.customer_id or ""
    risk, value = number(case.predictions.churn_probability), amount(case.predictions.value)
    params, holdout = case.params.retention, case.params.exploration.holdout
    if not customer or risk is None or not 0 <= risk <= 1 or value is None:
        return Draft(Action.HOLD, customer, "no offer: the risk or the value of the customer is not known")
    if risk <= params.medium:
        return Draft(
            Action.HOLD, customer, f"no offer: a churn probability of {risk:.2f} is not above {params.medium:g}"
        )
    high = risk > params.high
    band, share, threshold = (
        ("high", params.share_high, params.high) if high else ("medium", params.share_medium, params.medium)
    )
    offered = share * risk * value
    trigger = Trigger(f"churn_{band}", risk, threshold, None, {"value": value})
    if offered < params.least:
        reason = f"no offer: {share:.0%} of the {risk * value:.4g} at stake is below {params.least:g}"
        return Draft(Action.HOLD, customer, reason, triggers=(trigger,))
    if case.uniform("offer") < holdout:
        reason = f"no offer: {holdout:.0%} of those at risk get none, to see what offers do"
        return Draft(
            Action.HOLD, customer, reason, triggers=(trigger,), arm="baseline", propensity=holdout, explored=True
        )
    reason = f"{band} risk of leaving ({risk:.2f}), with {risk * value:.4g} at stake"
    return Draft(
        Action.RETENTION_OFFER, customer, reason, offered, "currency", triggers=(trigger,), propensity=1 - holdout
    )
