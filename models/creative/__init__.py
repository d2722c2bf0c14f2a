"""Creative: which ad will be clicked, converted and engaged with, and at what price."""

from models.creative.baselines import campaign_history, tfidf_logistic
from models.creative.examples import CONTEXT, ENTITY, LABEL, OUTCOMES, creative_examples
from models.creative.fit import fit
from models.creative.metrics import METRICS
from models.creative.model import CreativeModel
from models.creative.outputs import CONVERSION_RATE, CPC, ENGAGEMENT
from models.creative.params import CreativeParams
from models.creative.verdicts import calibrated, covers, not_worse_than_naive
from models.evaluation import gates
from models.evaluation.policy_value import value_not_below_champion
from models.family import Family
from models.text.embedding import embed

_BY_NAME = {metric.name: metric for metric in METRICS}

FAMILY = Family(
    name="creative",
    entity=ENTITY,
    feature_service="creative_v1",
    label=LABEL,
    examples=creative_examples,
    params=CreativeParams,
    fit=fit,
    load=CreativeModel.load,
    baselines={"campaign_history": campaign_history, "tfidf_logistic": tfidf_logistic},
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        calibrated(_BY_NAME["ece"]),
        covers(0.8),
        not_worse_than_naive(CONVERSION_RATE, _BY_NAME["conversion_rate_log_loss"]),
        not_worse_than_naive(ENGAGEMENT, _BY_NAME["engagement_log_loss"]),
        not_worse_than_naive(CPC, _BY_NAME["cpc_error"]),
        gates.no_leak,
    ),
    context=CONTEXT,
    kinds={"headline": "text", "body": "text", "image": "uri"},
    embed={name: lambda column: embed(column.tolist()).astype(float) for name in ("headline", "body")},
    outcomes=OUTCOMES,
    log_gate=value_not_below_champion,
    intended_use=(
        "Predicts the click rate, conversions per click, engagements per impression and price per click of an ad in a "
        "campaign, placement and audience, each with an interval, to choose among creatives before and while they are "
        "shown. Click and conversion rates come with the number of trials that they are worth as a prior, for bandits. "
        "Not for choosing whom an ad is shown to."
    ),
    limits=(
        "Intervals are of a creative's rate over all its contexts and the horizon, without the chance of single "
        "clicks; in one context it may be further off. They are calibrated on the creatives of one horizon. An output "
        "with too few outcomes in the data is left out. Effects of texts are learnt within campaigns, which shows what "
        "goes along with clicks, not what causes them unless creatives were shown at random; with few texts little is "
        "learnt. Texts in other languages than English are embedded with less meaning, and have no sentiment or "
        "emotion. Images are carried and not looked at. Counts of a day are known from its end on; conversions that "
        "come later than the counts say are missed, and those beyond one a click are not counted. A campaign that was "
        "never seen starts from the account's mean rate."
    ),
)
