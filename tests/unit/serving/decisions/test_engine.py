"""A decision is bounded, explained and replayed, whatever it is made from."""

import math
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.params import load
from serving.decisions.case import Case, Draft, amount, number
from serving.decisions.decide import decide, repeated, withheld
from serving.decisions.kinds import bid, kinds
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.kinds.retention import CustomerAtRisk
from serving.decisions.rebuild import from_json, to_json
from serving.decisions.records import (
    Action,
    ArmOutcome,
    Changes,
    Counters,
    Decision,
    Opportunity,
    Override,
    Predictions,
    Segment,
    Spend,
    State,
    WindowedCounters,
)
from serving.decisions.rules import floor, guardrails
from serving.decisions.state.book import micros

PARAMS = load(Path(__file__).parents[4] / "params.yaml").decisions
NOW = 1_700_000_000.0


def mostly(usual: st.SearchStrategy, strange: st.SearchStrategy) -> st.SearchStrategy:
    """Strange one time in eight: were all strange at once, nothing but the first guardrail would be tried."""
    return st.integers(0, 7).flatmap(lambda one: strange if one == 7 else usual)


# What callers and models may say: anything that is a number, or none.
dirty = (
    st.none() | st.floats() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([math.nan, math.inf, -math.inf, -0.0])
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.none() | text
money = st.integers(0, 10**12).map(lambda one: one / 1e6)  # stores keep millionths
prices = mostly(st.floats(0.001, 80), dirty)
counts = st.integers(0, 10**6)
counters = st.builds(Counters, counts, counts, counts, counts, st.floats(-1e6, 1e6), money)
windows = st.builds(WindowedCounters, counters, counters)
limits = mostly(st.floats(1, 1e6), st.none() | st.just(0.0))
spends = st.builds(Spend, mostly(st.floats(0, 20), money), money, st.floats(0, 5), limits, st.none() | st.just(1e7))
outcomes = st.builds(ArmOutcome, money, counts, money, st.floats(0, 1e9))
worse = {"policy": ArmOutcome(900, 90, 90, 90), "baseline": ArmOutcome(100, 60, 60, 60)}
evidence = st.sampled_from([{}, worse]) | st.dictionaries(st.sampled_from(list(worse)), outcomes)
segments = st.builds(Segment, windows, st.none() | st.floats(0, 1), st.booleans())
dimensions = st.sampled_from(["keyword", "channel", "hour", "audience", "creative"])
clocks = mostly(st.floats(NOW, NOW + 60), st.floats(0, 3e9))
ids = (text, mostly(st.floats(NOW, NOW + 60), st.floats()), text, text)
told = {
    **dict.fromkeys(("keyword", "channel", "audience", "creative_id"), names),
    "hour": st.none() | st.integers(0, 23),
    "features": st.dictionaries(text, dirty | text, max_size=2),
}
auctions = st.builds(Auction, *ids, **told, customer_id=names, floor_price=st.none() | prices, current_bid=prices)
opportunities = auctions | st.builds(Review, *ids, **told) | st.builds(CustomerAtRisk, *ids, **told, customer_id=text)
said_of_all = {
    "expected_value": prices,
    "policy_bid": prices,
    "policy_propensity": mostly(st.floats(0.01, 1), dirty),
    "baseline_bid": prices,
    "churn_probability": mostly(st.floats(0, 1), dirty),
    "value": mostly(st.floats(1, 500), dirty),
}
bought = {"frequency": st.integers(0, 500), "frequency_28d": st.integers(0, 50), "tenure_days": st.floats(1, 1e3)}
predictions = st.builds(
    Predictions,
    st.fixed_dictionaries({}, optional=said_of_all),
    st.fixed_dictionaries({}, optional=bought),
    st.dictionaries(text, text, max_size=2),
    mostly(st.just(()), st.lists(text, max_size=1).map(tuple)),
    st.none() | st.floats(0, 1e3),
)
changes = st.builds(
    Changes,
    mostly(st.floats(0.2, 5), money),
    mostly(st.none() | st.just(NOW - 4000), clocks),
    mostly(st.floats(0, 0.4), st.floats(0, 2)),
    mostly(st.floats(0, 0.25), st.floats(0, 1)),
)
states = st.builds(
    State,
    mostly(st.just(True), st.just(False)),
    st.none() | clocks,
    clocks,
    spends,
    spends,
    st.none() | st.floats(0.01, 10),
    st.none() | st.floats(0, 1),
    windows,
    mostly(st.just(WindowedCounters()), windows),
    st.dictionaries(dimensions, st.dictionaries(text, segments, max_size=3), max_size=3),
    changes,
    evidence,
    mostly(st.none(), st.builds(Override, st.none() | money, text, text)),
    mostly(st.none(), st.just("stopped")),
)
seeds = st.integers(0, 2**32)


def opportunity(asked: str = "bid", **told) -> Opportunity:
    own = {"customer_id": "u"} if asked == "customer" else {}
    return replace(kinds()[asked].request("o1", NOW, "a", "c", **own), **told)


def predicted(**told) -> Predictions:
    return Predictions({"policy_bid": 1.5, "baseline_bid": 1.0, **told})


def state(**told) -> State:
    return replace(State(seen_at=NOW, store_at=NOW, campaign=Spend(daily_limit=1000.0)), **told)


ACTIONS = {
    "bid": [Action.BID],
    "customer": [Action.RETENTION_OFFER],
    "campaign": sorted(set(Action) - {Action.HOLD, Action.BID, Action.RETENTION_OFFER, Action.SHOW_CREATIVE}),
}


@settings(max_examples=250, deadline=None)
@given(st.data(), opportunities, predictions, states, seeds)
def test_nothing_gets_around_a_guardrail_whoever_drafts_it_and_all_is_replayed_from_json_bit_for_bit(
    data: st.DataObject, asked: Opportunity, said: Predictions, known: State, seed: int
) -> None:
    """In one, because most of the time goes into drawing what is asked, said and known."""
    made, case = decide(asked, said, known, PARAMS, seed), Case(asked, said, known, PARAMS, seed)
    assert 0 < made.propensity <= 1
    assert made.reason
    _is_bounded(made, case)
    _is_replayed(made, case)
    action, arm = st.sampled_from(ACTIONS[asked.asked]), st.sampled_from(["policy", "baseline"])
    draft = data.draw(st.builds(Draft, action, text, text, prices, before=prices, arm=arm))
    _is_bounded(guardrails.apply(draft, case, kinds()[asked.asked].guardrails)[0], case)


def _is_replayed(made: Decision, case: Case) -> None:
    told = to_json(made)
    parts = ((Opportunity, case.opportunity), (Predictions, case.predictions), (State, case.state))
    again = [from_json(kind, to_json(one)) for kind, one in parts]
    assert to_json(decide(*again, PARAMS, case.seed)) == told
    assert from_json(Decision, told) == made
    assert to_json(from_json(Decision, told)) == told


def _is_bounded(made: Decision | Draft, case: Case) -> None:
    assert made.amount is None or (math.isfinite(made.amount) and made.amount > 0) or made.action in UNPRICED
    assert case.state.killed is None or made.action is Action.HOLD
    if made.action is Action.BID:
        _bid_is_bounded(made, case)
    elif made.action is not Action.HOLD:
        _change_is_bounded(made, case)
        assert case.state.known and case.state.override is None
        by_counters = case.opportunity.asked == "campaign" and made.action is not Action.ADD_KEYWORD
        assert by_counters or not case.predictions.faults


UNPRICED = {Action.HOLD, Action.PAUSE_KEYWORD, Action.ADD_KEYWORD, Action.ROTATE_CREATIVE}


def _bid_is_bounded(made: Decision | Draft, case: Case) -> None:
    asked, said, known = case.opportunity, case.predictions, case.state
    assert made.amount is not None
    assert PARAMS.bids.least <= made.amount <= PARAMS.bids.most
    for spend in (known.campaign, known.account):
        assert spend.left is None or micros(made.amount) <= micros(spend.left)
    usual = bid.reference(case)
    if made.arm in ("policy", "baseline") and usual is not None:
        assert made.amount <= usual * PARAMS.bids.ratio * (1 + 1e-12)
    if made.arm == "fallback":
        assert made.amount <= max(usual or 0, PARAMS.bids.least)
    if not known.known or said.faults or number(asked.occurred_at) is None:
        assert made.arm in ("fallback", "override")
    if floor.worse(known.outcome("policy"), known.outcome("baseline"), PARAMS.floor) is not None:
        assert made.arm != "policy"
    asking = number(asked.floor_price)
    assert asking is None or made.amount >= asking


def _change_is_bounded(made: Decision | Draft, case: Case) -> None:
    asked, known = case.opportunity, case.state
    limits, changes = PARAMS.changes, known.changes
    offer = made.action is Action.RETENTION_OFFER
    wait = PARAMS.retention.cooldown_s if offer else limits.cooldown_s
    assert changes.last_at is None or asked.occurred_at - changes.last_at >= wait
    if offer:
        assert made.amount is not None and made.amount <= PARAMS.retention.most
        assert known.campaign.left is None or micros(made.amount) <= micros(known.campaign.left)
    if made.action is Action.MOVE_BUDGET:
        assert made.amount is not None
        assert made.amount <= limits.move_step and made.amount + changes.moved_today <= limits.move_day + 1e-12
    if made.action in (Action.RAISE_BID, Action.LOWER_BID):
        assert made.amount is not None
        assert 1 / limits.span <= made.amount <= limits.span
        before = min(max(changes.multiplier, 1 / limits.span), limits.span)
        step = abs(math.log(made.amount / before))
        assert step <= limits.step + 1e-9 and step + changes.bid_today <= limits.day + 1e-9


def test_a_record_that_has_another_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        from_json(Opportunity, orjson.dumps({"colour": 1}))


@pytest.mark.parametrize("broken", [math.nan, math.inf, -1.0])
def test_a_limit_that_is_no_amount_is_not_taken_for_none(broken: float) -> None:
    with pytest.raises(ValueError, match="finite amounts of at least 0"):
        Spend(daily_limit=broken)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -5.0, 0.0, None])
def test_a_model_that_fails_leads_to_a_conservative_bid(broken: float | None) -> None:
    made = [
        decide(opportunity(opportunity_id=str(one)), predicted(policy_bid=broken), state(), PARAMS, 1)
        for one in range(99)
    ]
    assert {one.arm for one in made} == {"fallback", "baseline"}
    assert {one.amount for one in made if one.arm == "fallback"} == {0.5}


@pytest.mark.parametrize("broken", [0.0, -0.1, 1.1])
def test_a_propensity_that_is_no_probability_is_a_fault_of_the_policy(broken: float) -> None:
    made = decide(opportunity(), predicted(policy_propensity=broken), state(), PARAMS, 1)
    assert (made.arm, made.amount, made.propensity) == ("fallback", 0.5, 1.0)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"occurred_at": NOW - 10_000}, "went back by 10000 s"),
        ({"occurred_at": NOW + 10_000}, "10000 s ahead"),
        ({"occurred_at": math.nan}, "shows no time"),
    ],
)
def test_a_clock_that_jumps_leads_to_a_conservative_bid(told: dict, why: str) -> None:
    made = decide(opportunity(**told), predicted(), state(), PARAMS, 1)
    assert (made.action, made.amount, made.arm) == (Action.BID, 0.5, "fallback")
    assert why in made.reason


def test_a_store_that_is_away_leads_to_a_conservative_bid_and_to_no_change() -> None:
    made = decide(opportunity(), predicted(), State(known=False), PARAMS, 1)
    assert (made.action, made.amount, made.arm) == (Action.BID, 0.5, "fallback")
    look = decide(opportunity("campaign"), predicted(), State(known=False), PARAMS, 1)
    assert (look.action, look.arm) == (Action.HOLD, "fallback")


def test_a_bid_is_cut_to_what_is_left_and_says_so() -> None:
    made = decide(opportunity(), predicted(), state(campaign=Spend(today=9.5, daily_limit=10.0)), PARAMS, 1)
    assert made.amount == 0.5
    (touch,) = made.guardrails
    assert (touch.guardrail, touch.found, touch.left) == ("campaign_limit", 1.5, 0.5)


@pytest.mark.parametrize(
    ("spend", "why"),
    [
        (Spend(today=10.0, daily_limit=10.0), "no bid: the campaign's daily budget is spent"),
        (Spend(reserved=10.0, daily_limit=10.0, limit=50.0), "no bid: the campaign's daily budget is spent"),
        (Spend(total=50.0, daily_limit=10.0, limit=50.0), "no bid: the campaign's total budget is spent"),
    ],
)
def test_a_spent_budget_is_told_as_that_and_not_as_a_fault_of_the_model(spend: Spend, why: str) -> None:
    made = decide(opportunity(), predicted(policy_bid=0.0), state(campaign=spend), PARAMS, 1)
    assert (made.action, made.reason) == (Action.HOLD, why)
    assert [one.guardrail for one in made.guardrails] == ["spent"]


def test_a_bid_far_from_the_baselines_is_brought_back() -> None:
    made = decide(opportunity(), predicted(policy_bid=50.0), state(), PARAMS, 1)
    assert made.amount == 3.0 and made.guardrails[0].guardrail == "bid_ratio"


def test_an_override_is_obeyed_within_the_budget_and_the_kill_switch_above_all() -> None:
    said = Override(7.0, "ann", "a launch")
    made = decide(opportunity(), predicted(), state(override=said), PARAMS, 1)
    assert (made.amount, made.arm) == (7.0, "override") and "ann" in made.reason
    poor = state(override=said, campaign=Spend(today=6, daily_limit=10.0))
    assert decide(opportunity(), predicted(), poor, PARAMS, 1).amount == 4.0
    killed = decide(opportunity(), predicted(), state(override=said, killed="by bob"), PARAMS, 1)
    assert (killed.action, killed.arm, killed.reason) == (Action.HOLD, "killed", "stopped: by bob")


def test_arms_are_drawn_as_often_as_their_propensity_says() -> None:
    made = [decide(opportunity(opportunity_id=str(one)), predicted(), state(), PARAMS, 1) for one in range(8_000)]
    groups = {(one.arm, one.amount): one.propensity for one in made}
    assert sorted(groups) == [("baseline", 1.0), ("policy", 1.2), ("policy", 1.5), ("policy", 1.875)]
    for group, propensity in groups.items():
        drawn = sum((one.arm, one.amount) == group for one in made) / len(made)
        assert drawn == pytest.approx(propensity, abs=4 * math.sqrt(propensity / len(made)))
    assert sum(groups.values()) == pytest.approx(1)


def test_less_is_varied_the_more_is_known() -> None:
    def share(conversions: int) -> float:
        known = state(evidence={"policy": ArmOutcome(conversions=conversions)})
        return bid.exploring(Case(opportunity(), predicted(), known, PARAMS, 1))

    assert share(0) == pytest.approx(0.09)
    assert share(200) == pytest.approx(0.045)
    assert share(20_000) < 0.001


def test_another_seed_or_opportunity_is_another_decision() -> None:
    made = {decide(opportunity(), predicted(), state(), PARAMS, seed).decision_id for seed in range(5)}
    made |= {decide(opportunity(opportunity_id=name), predicted(), state(), PARAMS, 0).decision_id for name in "abc"}
    assert len(made) == 8


def test_a_bid_that_could_not_be_reserved_is_not_placed() -> None:
    made = withheld(decide(opportunity(), predicted(), state(), PARAMS, 1), "the campaign has 0 left to spend")
    assert (made.action, made.amount) == (Action.HOLD, None)
    assert made.guardrails[-1].guardrail == "reservation"
    assert from_json(Decision, to_json(made)) == made


def test_asked_again_the_bid_is_the_one_that_was_reserved() -> None:
    made = decide(opportunity(), predicted(), state(), PARAMS, 1)
    assert repeated(made, made.amount) == made
    assert repeated(made, 0.7).amount == 0.7


@given(st.floats(0.02, 90))
def test_what_is_decided_is_what_a_store_keeps_of_it(bid: float) -> None:
    made = decide(opportunity(), predicted(policy_bid=bid, baseline_bid=bid), state(), PARAMS, 1)
    assert made.action is Action.BID
    assert micros(made.amount) / 1e6 == made.amount <= bid * 1.25


def test_an_offer_asked_for_again_stays_an_offer() -> None:
    asked, said = opportunity(asked="customer", customer_id="c"), predicted(churn_probability=0.8, value=100.0)
    made = decide(asked, said, state(), PARAMS, 1)
    assert made.action is Action.RETENTION_OFFER
    assert repeated(made, 1.0).action is Action.RETENTION_OFFER


def test_amounts_that_are_none() -> None:
    assert [amount(one) for one in (math.nan, math.inf, -1, 0, "1", True, None, 10**400, 2)] == [None] * 8 + [2.0]
