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
        "Predicts which customers are about to leave, when, and which features go along with it, to select customers "
        "for calls, offers and messages. For subscriptions (with known cancellations) and for shops (no purchase "
        "within the horizon). Not for prices, credit or any decision about a person's rights."
    ),
    limits=(
        "Probabilities are for leaving within the horizon, at the churn rate of the latest cutoff: an unseen season "
        "shifts them. `expected_days_to_churn` assumes a constant risk and is capped at three years. Drivers are "
        "contributions to the boosted member with the most weight or, without one, the change of the answer when a "
        "feature is set to its median; they show association, not causation. Interventions follow from drivers by a "
        "fixed table and have not been tested on these customers. In shops, infrequent buyers are sometimes "
        "classified as lost."
    ),
)
