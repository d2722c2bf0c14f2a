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
        "Predicts each customer's spend over the horizon, one year and three years, with intervals, to prioritize "
        "retention, limit acquisition costs and split budgets. For businesses without contracts whose customers buy "
        "repeatedly. Not for credit, prices or any decision about a person's rights."
    ),
    limits=(
        "Only seasons in the history are known: with under a year of history, a first holiday season raises spend "
        "above `value`, and the interval contains fewer customers than promised (two in three instead of four in five "
        "for one retailer). Intervals have their coverage on average over time, not at every date: at other dates and "
        "horizons of three shops, up to seven times as long as the history supports, it was 75% to 85% where no such "
        "season followed. Coverage is for all customers together; in single tenths by value it was mostly 70% to 88%. "
        "Where most customers buy nothing, coverage is higher than promised, as intervals include 0 (92% for CDNOW "
        "over 84 days). With too few held-out customers (fewer than 9 for 80%), intervals have no upper end. Horizons "
        "longer than the history supports are extrapolated by the buy-till-you-die curve, by the plain regression in "
        "proportion and, as far as longer past horizons support it, by past spend, which far beyond the history ranks "
        "customers equally well alone. Beyond the horizon, `value_1y` and `value_3y` come from the buy-till-you-die "
        "model alone, undiscounted and without an interval. Where spend over the horizon is mostly zero, `value` is a "
        "mean that few customers spend: see `value_high` and `churn_risk`. A customer without a purchase gets the "
        "prediction of one with a single purchase made just now."
    ),
)
