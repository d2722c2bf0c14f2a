"""Churn: probability and time of leaving, drivers, and interventions."""

from operator import attrgetter

from models.churn.baselines import BASELINES
from models.churn.examples import churn_examples
from models.churn.model import ChurnModel
from models.churn.params import ChurnParams
from models.churn.training import ENTITY, LABEL, fit
from models.evaluation import gates, metrics
from models.family import Family

_ANSWER = "churn_probability"

FAMILY = Family(
    name="churn",
    entity=ENTITY,
    feature_service="churn_v1",
    label=(LABEL,),
    examples=churn_examples,
    params=ChurnParams,
    fit=fit,
    load=ChurnModel.load,
    chosen=attrgetter("chosen"),
    baselines=BASELINES,
    metrics=(
        metrics.auc(LABEL, _ANSWER),
        metrics.average_precision(LABEL, _ANSWER),
        metrics.log_loss(LABEL, _ANSWER),
        metrics.brier(LABEL, _ANSWER),
        metrics.ece(LABEL, _ANSWER),
        metrics.lift(LABEL, _ANSWER),
    ),
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        gates.no_leak,
        gates.calibrated(LABEL, _ANSWER),
        gates.fair(lambda truth: truth[LABEL].astype(bool), lambda answers: answers["risk_band"] != "low"),
    ),
    intended_use=(
        "To say which customers are about to leave, how soon and what moves it, so that they can be kept: whom to "
        "call, what to offer, how often to write. For subscriptions (who has left is told) and for shops (no purchase "
        "within the horizon). Not for prices, credit or any decision on a person's rights."
    ),
    limits=(
        "A probability is of leaving within the horizon, at the rate seen at the latest cutoff: a season not seen "
        "before shifts it. `expected_days_to_churn` takes that risk to stay constant and looks three years ahead, no "
        "further. Drivers are contributions to one boosted member, that with most weight, or without one what the "
        "answer loses when a feature is set to its median; they say what goes along with leaving, not what causes it. "
        "An intervention follows from drivers by a fixed table and has not been tried on these customers. In a shop, "
        "who buys seldom is at times taken for one who left."
    ),
)
