"""LTV: expected spend of a customer with an interval, and the risk of no purchase."""

from models.evaluation import gates
from models.family import Family
from models.ltv.baselines import bg_nbd_gamma_gamma, lightgbm_tweedie, past_spend
from models.ltv.examples import value_examples
from models.ltv.fit import ENTITY, LABEL, fit
from models.ltv.metrics import METRICS
from models.ltv.model import ValueModel
from models.ltv.params import LtvParams
from models.ltv.verdicts import best, covers_spend, risk_is_calibrated

FAMILY = Family(
    name="ltv",
    entity=ENTITY,
    feature_service="ltv_v1",
    label=LABEL,
    examples=value_examples,
    params=LtvParams,
    fit=fit,
    load=ValueModel.load,
    baselines={
        "past_spend": past_spend,
        "bg_nbd_gamma_gamma": bg_nbd_gamma_gamma,
        "lightgbm_tweedie": lightgbm_tweedie,
    },
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        covers_spend(0.8),
        risk_is_calibrated,
        gates.fair(best, best),
        gates.no_leak,
    ),
    intended_use=(
        "To say what each customer will spend over the horizon, one year and three, and how sure that is: whom to "
        "keep, what a customer may cost to win, how to split a budget. For businesses without a contract, whose "
        "customers buy again and again. Not for credit, prices or any decision on a person's rights."
    ),
    limits=(
        "It knows the seasons it has seen: with under a year of history, a first holiday season raises spend above "
        "`value` and leaves fewer customers than promised within the interval (of a retailer's, two in three instead "
        "of four in five). Intervals hold their share on average over times, not at each: at other times and horizons "
        "of three shops, up to seven times what history teaches, 75% to 85% where no such season came. They hold it "
        "over all customers, in a tenth of them by value mostly 70% to 88%. Where most buy nothing, more than "
        "promised are held, since 0 is within: CDNOW's over 84 days, 92%. Too few held-out customers (fewer than 9 "
        "for 80%) leave an interval without an upper end. A horizon longer than history lets it learn from is reached "
        "by the buy-till-you-die curve, by the plain regression in proportion and, as far as longer horizons in known "
        "time tell, by past spend, which far beyond it ranks customers as well alone. `value_1y` and "
        "`value_3y` beyond the horizon rest on the buy-till-you-die model alone, undiscounted and without an "
        "interval. Where spend over the horizon is mostly zero, `value` is an average that few will spend: "
        "`value_high` and `churn_risk` say so. A customer without a purchase is given what one has who has just made "
        "a first."
    ),
)
