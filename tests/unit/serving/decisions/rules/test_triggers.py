"""What is noise triggers nothing, what is real does, and the errors are as rare as the parameters say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, poisson

from components.params import load
from serving.decisions.case import Case
from serving.decisions.decide import decide
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.kinds.retention import CustomerAtRisk
from serving.decisions.records import (
    Action,
    ArmOutcome,
    Changes,
    Counters,
    Decision,
    Predictions,
    Segment,
    Spend,
    State,
    WindowedCounters,
)
from serving.decisions.rules import chance, floor
from serving.decisions.rules.triggers import find

PARAMS = load(Path(__file__).parents[5] / "params.yaml").decisions
NOON = 1_700_006_400.0 - 1_700_006_400.0 % 86_400 + 43_200
BUSY = Spend(today=50.0, daily_limit=100.0)


def known(recent: Counters, past: Counters, **told) -> State:
    """A campaign half through its day and its budget, with these counters."""
    return replace(State(seen_at=NOON, store_at=NOON, campaign=BUSY, window=WindowedCounters(recent, past)), **told)


def found(state: State) -> set[str]:
    return {one.name for one in find(Case(Review("o", NOON, "a", "c"), Predictions(), state, PARAMS, 1))}


def look(state: State, at: float = NOON, said: Predictions | None = None, **told) -> Decision:
    asked = Review("o", at, "a", "c", **told)
    return decide(asked, said or Predictions(), replace(state, seen_at=at, store_at=at), PARAMS, 1)


def shown(impressions: int, clicks: int = 0, conversions: int = 0, cost: float = 0.0, bids: int = 0) -> Counters:
    return Counters(bids, impressions, clicks, conversions, float(conversions), cost)


PAST = shown(100_000, 2_000, 200, 1_000.0, 300_000)


def test_a_drop_on_eleven_impressions_triggers_nothing_and_a_real_one_does() -> None:
    assert found(known(shown(11, 0), PAST)) == set()
    assert found(known(shown(11, 0), shown(100, 50))) == set()
    assert found(known(shown(10_000, 100, 10), PAST)) == {"ctr_drop"}


def test_a_drop_that_is_not_below_the_threshold_triggers_nothing() -> None:
    assert found(known(shown(100_000, 1_700, 170), PAST)) == set()  # .85 of its history, surely


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (known(shown(50_000, 1_000, 30), PAST), "conversion_drop"),
        (known(shown(50_000, 1_000, 30), PAST, min_conversion_rate=0.08), "conversion_drop"),
        (known(shown(50_000, 1_000, 100, 1_000.0), PAST, target_cpc=0.5), "cost_increase"),
        (known(shown(50_000, 1_000, 100, 500.0), PAST, target_cpc=1.0), "cost_below_target"),
        (known(shown(10_000, 200, 20, 100.0, 60_000), PAST), "competition"),
        (known(PAST, PAST, campaign=Spend(today=96, daily_limit=100.0)), "budget_exhaustion"),
        (known(PAST, PAST, campaign=Spend(today=10, daily_limit=100.0)), "under_delivery"),
        (
            known(
                shown(1_000, 20), PAST, account_window=WindowedCounters(shown(101_000, 1_020), shown(600_000, 12_000))
            ),
            "platform_change",
        ),
    ],
)
def test_each_trigger_is_pulled_by_what_it_is_for(state: State, name: str) -> None:
    assert found(state) == {name}


@pytest.mark.parametrize(("dimension", "name"), [("hour", "seasonality_shift"), ("audience", "audience_shift")])
def test_a_shift_of_the_pattern_is_seen_whatever_the_level(dimension: str, name: str) -> None:
    past = [shown(100_000, 2_000)] * 4
    for scale, expected in (([1, 1, 1, 1], set()), ([2, 2, 2, 2], set()), ([0.4, 0.7, 1.3, 1.6], {name})):
        recent = [shown(10_000, int(200 * one)) for one in scale]
        cells = {str(one): Segment(WindowedCounters(a, b)) for one, (a, b) in enumerate(zip(recent, past, strict=True))}
        assert found(known(Counters(), Counters(), segments={dimension: cells})) == expected


def simulated(rng: np.random.Generator, ctr: float, rate: float, impressions: int, days: int) -> tuple[Counters, dict]:
    """What a campaign counted in some days, in all and by hour and audience."""
    shares = np.full(4, 0.25)
    cells = [
        shown(n := int(impressions * days * share), k := int(rng.poisson(n * ctr)), int(rng.binomial(k, rate)))
        for share in shares
    ]
    clicks = sum(one.clicks for one in cells)
    bids = int(rng.poisson(impressions * days * 2)) + impressions * days
    cost = 0.5 * impressions * days * ctr
    total = Counters(bids, impressions * days, clicks, sum(one.conversions for one in cells), 0.0, cost)
    return total, {str(one): cell for one, cell in enumerate(cells)}


@pytest.mark.parametrize("impressions", [50, 1_000, 20_000])
def test_where_nothing_changed_a_look_finds_something_less_often_than_the_level(impressions: int) -> None:
    rng, looks, false = np.random.default_rng(impressions), 1_500, 0
    for _ in range(looks):
        recent, here = simulated(rng, 0.02, 0.1, impressions, 1)
        past, there = simulated(rng, 0.02, 0.1, impressions, 14)
        cells = {name: Segment(WindowedCounters(here[name], there[name])) for name in here}
        state = known(recent, past, target_cpc=0.5, segments={"hour": cells, "audience": cells})
        false += bool(found(state))
    assert false / looks <= PARAMS.triggers.chance + 3 * (PARAMS.triggers.chance / looks) ** 0.5


def alike(rng: np.random.Generator, number: int) -> dict[str, Segment]:
    """Segments that differ by chance alone."""

    def counted(days: int) -> Counters:
        clicks = int(rng.poisson(200 * days))
        conversions = int(rng.binomial(clicks, 0.1))
        return shown(10_000 * days, clicks, conversions, 100.0 * days)

    return {str(one): Segment(WindowedCounters(counted(1), counted(14)), share=1 / number) for one in range(number)}


def test_where_all_are_alike_hardly_anything_is_paused_moved_or_rotated() -> None:
    """Keywords, places and creatives are three questions beside the triggers, each with its own chance."""
    rng, looks = np.random.default_rng(3), 400
    changed = 0
    for _ in range(looks):
        dimensions = {name: alike(rng, 5) for name in ("keyword", "channel", "hour", "audience", "creative")}
        changed += look(known(Counters(), Counters(), segments=dimensions)).action is not Action.HOLD
    assert changed / looks <= 3 * PARAMS.triggers.chance


def test_on_the_very_threshold_chance_is_what_it_says() -> None:
    rng, level = np.random.default_rng(1), 0.05
    recent, past = rng.poisson(5_000 * 0.02 * 0.8, 20_000), rng.poisson(50_000 * 0.02, 20_000)
    below = [
        chance.rate_at_most(int(k), 5_000, int(k0), 50_000, 0.8) < level for k, k0 in zip(recent, past, strict=True)
    ]
    assert 0.03 < np.mean(below) <= level + 0.005


def test_the_chances_are_those_of_their_distributions() -> None:
    assert chance.at_most(3, 7.5) == pytest.approx(poisson.cdf(3, 7.5))
    assert chance.at_least(9, 7.5) == pytest.approx(poisson.sf(8, 7.5))
    share = 0.8 * 100 / (0.8 * 100 + 400)
    assert chance.rate_at_most(3, 100, 20, 400, 0.8) == pytest.approx(binom.cdf(3, 23, share))
    assert chance.rate_at_least(9, 100, 20, 400, 0.8) == pytest.approx(binom.sf(8, 29, share))
    assert chance.rate_at_most(0, 0, 0, 0, 1) == chance.at_most(0, 0) == 1


def outcomes(rng: np.random.Generator, per_spend: float, rounds: int) -> list[ArmOutcome]:
    """An arm after each of some rounds of one unit spent; conversions are worth 1 to 20, unevenly."""
    counts = rng.poisson(per_spend / 5, rounds)
    each, ends = rng.lognormal(1.3, 0.8, counts.sum()), np.cumsum(counts)
    value, squares = (np.concatenate([[0.0], np.cumsum(one)])[ends] for one in (each, each**2))
    return [
        ArmOutcome(float(n + 1), int(k), float(v), float(s))
        for n, (k, v, s) in enumerate(zip(np.cumsum(counts), value, squares, strict=True))
    ]


def takes_over(rng: np.random.Generator, policy: float, rounds: int = 2_000) -> bool:
    """Whether the baseline takes over at any of the looks, one a round; it gets a tenth of the spend."""
    ours, theirs = outcomes(rng, policy, rounds), outcomes(rng, 1.0, rounds // 9)
    looks = zip(ours[8::9], theirs, strict=True)
    return any(floor.worse(a, b, PARAMS.floor) is not None for a, b in looks)


def test_the_baseline_takes_over_from_a_bad_policy_and_hardly_ever_from_one_as_good() -> None:
    rng = np.random.default_rng(7)
    assert np.mean([takes_over(rng, 1.0) for _ in range(150)]) <= PARAMS.floor.chance
    assert np.mean([takes_over(rng, 0.1) for _ in range(20)]) > 0.9
    assert not any(takes_over(rng, 2.0) for _ in range(20))


def test_a_policy_that_does_worse_is_replaced_in_the_decision() -> None:
    evidence = {"policy": ArmOutcome(900, 90, 90, 90), "baseline": ArmOutcome(100, 60, 60, 60)}
    state = State(seen_at=NOON, store_at=NOON, campaign=BUSY, evidence=evidence)
    made = decide(Auction("o", NOON, "a", "c"), Predictions({"policy_bid": 1.5, "baseline_bid": 1.0}), state, PARAMS, 1)
    assert (made.amount, made.arm, made.propensity) == (1.0, "baseline", 1.0)
    assert made.guardrails[0].guardrail == "baseline_floor"


def test_bids_are_lowered_where_a_click_costs_too_much_and_raised_where_there_is_room() -> None:
    dear = look(known(shown(50_000, 1_000, 100, 1_000.0), PAST, target_cpc=0.5))
    assert dear.action is Action.LOWER_BID and dear.unit == "multiplier"
    assert dear.amount == pytest.approx(0.835, abs=0.001) and dear.before == 1.0
    lost = look(known(shown(10_000, 200, 20, 100.0, 60_000), PAST, target_cpc=1.0))
    assert lost.action is Action.RAISE_BID and lost.amount == pytest.approx(1.197, abs=0.001)
    assert {one.name for one in lost.triggers} == {"competition", "cost_below_target"}


def test_the_day_has_a_largest_change_and_a_change_a_cool_down() -> None:
    dear = known(shown(50_000, 1_000, 100, 1_000.0), PAST, target_cpc=0.5)
    used = look(replace(dear, changes=Changes(1.0, NOON - 7_200, bid_today=0.35)))
    assert used.amount == pytest.approx(np.exp(-0.05))
    assert look(replace(dear, changes=Changes(1.0, NOON - 7_200, bid_today=0.4))).action is Action.HOLD
    hot = look(replace(dear, changes=Changes(1.0, NOON - 60)))
    assert hot.action is Action.HOLD and hot.guardrails[0].guardrail == "cooldown"


def test_the_budget_is_made_to_last_for_the_day_but_not_past_it() -> None:
    gone = known(PAST, PAST, campaign=Spend(today=96, daily_limit=100.0))
    assert look(gone).action is Action.LOWER_BID
    assert look(gone, at=NOON + 43_000).action is Action.HOLD


def test_what_befell_the_whole_account_is_waited_out() -> None:
    all_fell = WindowedCounters(shown(110_000, 1_100), shown(600_000, 12_000))
    made = look(known(shown(10_000, 100, 10), PAST, account_window=all_fell))
    assert made.action is Action.HOLD and "the platform changed" in made.reason


def test_a_keyword_that_converts_badly_recently_as_before_is_paused() -> None:
    good = Segment(WindowedCounters(shown(0, 5_000, 500), shown(0, 50_000, 5_000)))
    bad = Segment(WindowedCounters(shown(0, 500, 5), shown(0, 5_000, 50)))
    once = Segment(WindowedCounters(shown(0, 500, 5), shown(0, 5_000, 500)))
    made = look(known(Counters(), Counters(), segments={"keyword": {"good": good, "bad": bad, "once": once}}))
    assert (made.action, made.target) == (Action.PAUSE_KEYWORD, "bad")
    assert look(known(Counters(), Counters(), segments={"keyword": {"good": good, "once": once}})).action is Action.HOLD


def test_a_keyword_whose_impressions_are_worth_more_than_they_cost_is_begun_with() -> None:
    state = known(shown(10_000, 200, 20, 100.0, 30_000), PAST, segments={"keyword": {"boots": Segment(paused=True)}})
    made = look(state, said=Predictions({"expected_value": 0.02}), keyword="boots")
    assert (made.action, made.target) == (Action.ADD_KEYWORD, "boots")
    assert look(state, said=Predictions({"expected_value": 0.011}), keyword="boots").action is Action.HOLD
    for clicks, begun in ((0.03, True), (0.01, False)):  # of a click, each worth the target of 0.8
        made = look(replace(state, target_cpc=0.8), said=Predictions({"predicted_ctr": clicks}), keyword="boots")
        assert (made.action is Action.ADD_KEYWORD) == begun


@pytest.mark.parametrize("dimension", ["channel", "hour", "audience", "creative"])
def test_budget_moves_to_where_it_brings_more(dimension: str) -> None:
    poor = Segment(WindowedCounters(shown(0, 0, 50, 100.0)), share=0.5)
    rich = Segment(WindowedCounters(shown(0, 0, 150, 100.0)), share=0.5)
    made = look(known(Counters(), Counters(), segments={dimension: {"poor": poor, "rich": rich}}))
    assert (made.action, made.dimension, made.source, made.target) == (Action.MOVE_BUDGET, dimension, "poor", "rich")
    assert made.amount == 0.1 and made.unit == "share of daily budget"
    alike = {"poor": replace(rich, window=WindowedCounters(shown(0, 0, 140, 100.0))), "rich": rich}
    assert look(known(Counters(), Counters(), segments={dimension: alike})).action is Action.HOLD


def test_a_creative_that_wore_out_gives_way_to_the_most_promising() -> None:
    worn = Segment(WindowedCounters(shown(10_000, 100), shown(100_000, 2_000)))
    weak = Segment(WindowedCounters(shown(0, 0), shown(50_000, 300)), paused=True)
    new = Segment(paused=True)
    made = look(
        known(shown(10_000, 100), shown(100_000, 2_000), segments={"creative": {"a": worn, "b": weak, "n": new}})
    )
    assert (made.action, made.source, made.target) == (Action.ROTATE_CREATIVE, "a", "n")


def offer(risk: float, value: float, name: str = "o", state: State | None = None) -> Decision:
    asked = CustomerAtRisk(name, NOON, "a", "c", customer_id="u")
    known_state = state or State(seen_at=NOON, store_at=NOON, campaign=BUSY)
    return decide(asked, Predictions({"churn_probability": risk, "value": value}), known_state, PARAMS, 1)


def test_offers_go_by_risk_and_value() -> None:
    assert offer(0.4, 100).action is offer(0.7, 1).action is Action.HOLD
    medium, high = offer(0.6, 100), offer(0.8, 100)
    assert medium.action is high.action is Action.RETENTION_OFFER and high.target == "u"
    assert (medium.amount, high.amount) == (pytest.approx(6), pytest.approx(16))
    assert offer(0.9, 1e6).amount == PARAMS.retention.most
    assert medium.propensity == 0.9 and medium.triggers[0].name == "churn_medium"


@pytest.mark.parametrize(
    ("recent", "past", "declines"),
    [(0, 200, True), (1, 200, True), (10, 200, False), (0, 100, False), (0, 4, False), (0, 0, False)],
)
def test_who_buys_much_less_often_is_made_an_offer_before_the_risk_is_medium(
    recent: int, past: int, declines: bool
) -> None:
    """Four weeks after a year: of 200 purchases half the rate is eight, of 100 it is four, which chance may hide."""
    asked = CustomerAtRisk("o", NOON, "a", "c", customer_id="u")
    bought = {"frequency": recent + past, "frequency_28d": recent, "tenure_days": 378.0}
    said = Predictions({"churn_probability": 0.3, "value": 200.0}, bought)
    made = decide(asked, said, State(seen_at=NOON, store_at=NOON, campaign=BUSY), PARAMS, 1)
    assert made.action is (Action.RETENTION_OFFER if declines else Action.HOLD)
    assert [one.name for one in made.triggers] == ["declining_engagement"] * declines
    if declines:
        assert made.amount == pytest.approx(6) and "of the earlier rate" in made.reason
    riskier = replace(said, answers={"churn_probability": 0.8, "value": 200.0})
    worse = decide(asked, riskier, State(seen_at=NOON, store_at=NOON, campaign=BUSY), PARAMS, 1)
    assert worse.amount == pytest.approx(32) and worse.triggers[0].name == "churn_high"


def test_a_holdout_of_those_at_risk_gets_no_offer() -> None:
    made = [offer(0.8, 100, str(one)) for one in range(2_000)]
    none = [one for one in made if one.action is Action.HOLD]
    assert len(none) / len(made) == pytest.approx(0.1, abs=0.03)
    assert {(one.arm, one.propensity, one.explored) for one in none} == {("baseline", 0.1, True)}


def test_an_offer_is_not_made_again_too_soon_nor_beyond_what_is_left() -> None:
    told = State(seen_at=NOON, store_at=NOON, campaign=BUSY, changes=Changes(last_at=NOON - 86_400))
    assert offer(0.8, 100, state=told).action is Action.HOLD
    poor = State(seen_at=NOON, store_at=NOON, campaign=Spend(today=95, daily_limit=100.0))
    assert offer(0.8, 100, state=poor).action is Action.HOLD
