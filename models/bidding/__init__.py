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
        "To say what to bid for an impression in an auction that the highest bid wins, so that a campaign's budget "
        "buys the most clicks or conversion value over its episode (a few hours, a day). For campaigns with a log of "
        "auctions, won or not, with their market prices. Not for deciding whom an ad is shown to."
    ),
    limits=(
        "It is judged on logged auctions played again: the others are taken to bid as they did, whatever is bid here, "
        "and a price is known for every auction, or estimated where the log tells it of won ones only. Auctions are "
        "all second-price or all first-price; in those, bids are shaded by the campaign's logged prices, whatever the "
        "hour or channel. It trusts the predicted value that a request brings, up to a level and a slope learnt by "
        "campaign. Prices of the last week shift its bids as a whole; a change within a day, or of one hour or "
        "channel, does not. A campaign it has not learnt is paced by its bare budget. Unless `spend` is `all`, money "
        "that would bring less than was planned for the last unit of a budget is kept: where prices rose, value per "
        "spend is kept up, and less is bought in all than could be. A rise that only shows within an episode is "
        "not seen as one. Where conversions are bought, those that are "
        "still to come are made up for by the delays in the log (`converted_at`), and days of which half are still to "
        "come are not learnt from; delays longer than the log are not seen. A log without `converted_at` only tells "
        "open days, on which clicks convert less than before beyond chance: a campaign that converts less of late "
        "looks the same."
    ),
)
