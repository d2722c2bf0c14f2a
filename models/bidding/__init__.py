"""Bidding: how much to bid for an impression under a budget."""

from models.bidding.examples import by_budget, examples
from models.bidding.frame import CONTEXT, ENTITY, LABEL, MOVES
from models.bidding.metrics import METRICS, TOTALS
from models.bidding.model import BiddingModel, trial
from models.bidding.params import BiddingParams
from models.bidding.training import baseline, fit
from models.bidding.update import update
from models.bidding.verdicts import never_overspends, value_is_calibrated
from models.evaluation import gates
from models.evaluation.policy_value import value_above_champion
from models.family import Breakdown, Family

FAMILY = Family(
    name="bidding",
    entity=ENTITY,
    feature_service="bidding_v1",
    label=LABEL,
    examples=examples,
    params=BiddingParams,
    fit=fit,
    load=BiddingModel.load,
    update=update,
    chosen=lambda model: str(model.about.policy),
    # Naive is to pay what a click has cost so far, untuned, whatever is left of the budget: what gates ask to be beaten
    # beyond noise. The tuned rules are close to each other and to the limit, as a week's clicks tell them apart; each
    # is a candidate too, so that what wins on held-out episodes is what is released.
    baselines={name: baseline(name) for name in ("mcpc", "constant", "linear", "ortb", "pid", "rlb")},
    metrics=METRICS,
    gates=(
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        never_overspends,
        value_is_calibrated,
        gates.no_leak,
    ),
    log_gate=value_above_champion,
    context=CONTEXT,
    moving=MOVES,
    trial=trial,
    # An episode's number, and its prices in terms of its budget, came of nothing.
    outcomes=("market_price", "click", "value", "optimal"),
    breakdown=Breakdown(by=(ENTITY,), situations=by_budget, metrics=TOTALS),
    intended_use=(
        "Computes bids for impressions in auctions that the highest bid wins, so that a campaign's budget buys the "
        "most clicks or conversion value over its episode (a few hours, a day). For campaigns with a log of won and "
        "lost auctions with their market prices. Not for choosing whom an ad is shown to."
    ),
    limits=(
        "Evaluated by replaying logged auctions: competitors are assumed to bid as before, and every auction needs a "
        "price, which is estimated where the log only has prices of won auctions. All auctions are second-price or "
        "all first-price; in first-price auctions, bids are shaded by the campaign's logged prices, whatever the hour "
        "or channel. The predicted value in a request is trusted up to a level and slope learnt per campaign. Prices "
        "of the last week scale all bids; changes within a day, or of a single hour or channel, do not. Campaigns "
        "outside the training data are paced by their budget alone. Unless `spend` is `all`, money that would buy "
        "less than was planned for the last unit of a budget is kept: where prices rose, value per spend is "
        "maintained, and less is bought in total than possible. A price rise that only shows within an episode is not "
        "detected. Where conversions are bought, pending ones are estimated from the delays in the log "
        "(`converted_at`), and days with half of them pending are not used for training; delays longer than the log "
        "are not seen. A log without `converted_at` only reveals incomplete days, on which clicks convert "
        "significantly less than before: a recent decline of a campaign's conversions looks the same."
    ),
)
