"""Which creative is shown: by the prediction, then by what came of it, within limits, and with its propensity."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.params import load
from serving.decisions.case import Case
from serving.decisions.decide import answered, decide, withheld
from serving.decisions.kinds.creative import Placement, exposed, rate
from serving.decisions.rebuild import from_json, to_json
from serving.decisions.records import Action, Counters, Decision, Opportunity, Predictions, State, WindowedCounters
from serving.decisions.state.store import Grant
from tests.unit.serving.decisions.test_engine import clocks, dirty, windows

PARAMS = load(Path(__file__).parents[4] / "params.yaml").decisions
HOLDOUT, FLOOR = PARAMS.exploration.holdout, PARAMS.creatives.floor
FOR_CONVERSIONS = PARAMS.model_copy(update={"creatives": PARAMS.creatives.model_copy(update={"goal": "conversions"})})


def placement(name: str = "o", creatives: str = "ab", customer: str | None = None, **told) -> Placement:
    those: dict[str, dict[str, object]] = {one: {} for one in creatives}
    return Placement(name, 1.7e9, "acme", "spring", customer_id=customer, candidates=those, **told)


def seen(impressions: int, clicks: int, conversions: int = 0) -> Counters:
    return Counters(impressions=impressions, clicks=clicks, conversions=conversions)


def state(past: dict[str, Counters] | None = None, recent: dict[str, Counters] | None = None, **told) -> State:
    past, recent = past or {}, recent or {}
    arms = {
        name: WindowedCounters(recent.get(name, Counters()), past.get(name, Counters())) for name in {**past, **recent}
    }
    return State(arms=arms, **told)


def predicted(strength: float = 500.0, **ctr: float) -> Predictions:
    return Predictions(candidates={name: {"ctr": one, "ctr_strength": strength} for name, one in ctr.items()})


def made(asked: Placement, said: Predictions | None = None, known: State | None = None, params=PARAMS) -> Decision:
    return decide(asked, said or Predictions(), known or State(), params, 7)


def test_without_evidence_the_prediction_decides_as_far_as_the_model_is_calibrated() -> None:
    sure, unsure = (made(placement(), predicted(strength, a=0.02, b=0.03)).propensities for strength in (2000, 100))
    assert sure["b"] > unsure["b"] > 0.5
    far = PARAMS.creatives.prior * 1000
    capped = made(placement(), predicted(far, a=0.02, b=0.03)).propensities
    assert capped == made(placement(), predicted(PARAMS.creatives.prior, a=0.02, b=0.03)).propensities


def test_evidence_outweighs_a_wrong_prediction() -> None:
    shares = made(placement(), predicted(a=0.02, b=0.03), state({"a": seen(20_000, 600), "b": seen(20_000, 300)}))
    assert shares.propensities["a"] > 0.9 and shares.action is Action.SHOW_CREATIVE


def test_two_clicks_of_eleven_impressions_rank_below_three_percent_of_forty_thousand() -> None:
    known = state({"a": seen(11, 2), "b": seen(40_000, 1200)})
    for said in (predicted(a=0.02, b=0.02), Predictions()):
        case = Case(placement(), said, known, PARAMS, 7)
        assert rate(case, "a").mean < rate(case, "b").mean
        assert made(placement(), said, known).propensities["b"] > 0.6


def test_propensities_sum_to_one_and_are_the_shares_that_are_shown() -> None:
    known = state({"a": seen(900, 20), "b": seen(800, 24), "c": seen(30, 0)})
    shown = [made(placement(f"o{one}", "abc"), predicted(a=0.02, b=0.02, c=0.02), known) for one in range(4000)]
    shares = shown[0].propensities
    assert sum(shares.values()) == pytest.approx(1) and all(one.propensities == shares for one in shown)
    counts = Counter(one.target for one in shown)
    for name, share in shares.items():
        assert counts[name] / 4000 == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5)
    assert all(one.propensity == shares[one.target] for one in shown)
    held = Counter(one.target for one in shown if one.arm == "baseline")
    assert sum(held.values()) / 4000 == pytest.approx(HOLDOUT, abs=0.02) and min(held.values()) > 90


def test_an_arm_added_today_has_its_floor_at_once_and_one_withdrawn_has_nothing() -> None:
    known = state({"a": seen(90_000, 2700), "b": seen(90_000, 900)})
    shares = made(placement(creatives="abn"), predicted(0.5, n=0.001), known).propensities
    assert shares["n"] >= (HOLDOUT + (1 - HOLDOUT) * FLOOR) / 3 - 1e-9
    resting = replace(known, resting={"a": "its click rate fell"})
    after = [made(placement(f"o{one}", "abn"), known=resting) for one in range(300)]
    assert all(one.propensities["a"] == 0 and one.target != "a" for one in after)
    assert "a" not in made(placement(creatives="bn"), known=known).propensities


def test_a_creative_that_converts_late_is_not_starved() -> None:
    # Since a day: "a" converts at once, "b" in three days. Both will convert one in ten clicks.
    at_once = state(recent={"a": seen(5000, 100, 10), "b": seen(5000, 100, 0)})
    said = predicted(a=0.02, b=0.02)
    assert made(placement(), said, at_once, FOR_CONVERSIONS).propensities["b"] > 0.45
    # Once conversions have come, one that converts none of many clicks is.
    known = state({"a": seen(50_000, 1000, 100), "b": seen(50_000, 1000, 0)})
    assert made(placement(), said, known, FOR_CONVERSIONS).propensities["b"] < 0.1


def test_conversions_count_where_they_are_the_goal() -> None:
    known = state({"a": seen(50_000, 1500, 30), "b": seen(50_000, 1000, 100)})
    assert made(placement(), known=known).propensities["a"] > 0.9
    assert made(placement(), known=known, params=FOR_CONVERSIONS).propensities["b"] > 0.9


def test_a_customer_keeps_a_creative_while_the_shares_do() -> None:
    known = state({"a": seen(3000, 60), "b": seen(3000, 63)})
    first = {user: made(placement("o1", customer=str(user)), known=known).target for user in range(300)}
    again = {user: made(placement("o2", customer=str(user)), known=known).target for user in range(300)}
    assert first == again and set(first.values()) == {"a", "b"}
    moved = state({"a": seen(3100, 62), "b": seen(3100, 66)})
    later = {user: made(placement("o3", customer=str(user)), known=moved).target for user in range(300)}
    assert sum(first[user] != later[user] for user in first) < 30


def test_a_customer_is_shown_nothing_more_often_than_allowed() -> None:
    often = State(shown={"a": PARAMS.creatives.cap})
    assert all(made(placement(customer=str(user)), known=often).propensities["a"] == 0 for user in range(50))
    everything = State(shown=dict.fromkeys("ab", PARAMS.creatives.cap))
    nothing = made(placement(customer="u"), known=everything)
    assert nothing.action is Action.HOLD and "10 times today" in nothing.reason and nothing.credited is None
    refused = answered(
        made(placement(customer="u")), Grant("refused", 0.0, "the customer was shown 'a' 10 times today")
    )
    assert refused == withheld(made(placement(customer="u")), "the customer was shown 'a' 10 times today")


def test_a_repeated_request_shows_what_was_shown() -> None:
    first = made(placement())
    other = {"a": "b", "b": "a"}[first.target]
    again = answered(first, Grant("again", 0.0, other))
    assert (again.target, again.credited, again.propensity) == (other, other, first.propensities[other])
    assert answered(first, Grant("again", 0.0, first.target)) == first


def test_to_find_the_best_the_challenger_is_shown_more() -> None:
    known = state({"a": seen(20_000, 600), "b": seen(20_000, 480)})
    earn, learn = (made(placement(identify=one), known=known).propensities["b"] for one in (False, True))
    assert learn > 3 * earn


def test_after_a_failure_each_is_shown_with_the_same_probability_and_once_stopped_nothing() -> None:
    away = made(placement(creatives="abcd"), predicted(a=0.5), State(known=False))
    assert (away.arm, away.propensity) == ("fallback", 0.25) and set(away.propensities.values()) == {0.25}
    stopped = made(placement(), known=State(killed="spend looks wrong"))
    assert (stopped.action, stopped.arm) == (Action.HOLD, "killed")


def test_a_model_that_fails_for_one_candidate_leaves_the_others_and_it_has_their_mean() -> None:
    said = replace(predicted(a=0.02, b=0.04), faults=("creative 3 failed",))
    known = made(placement(creatives="abc"), said)
    assert known.arm in ("policy", "baseline")
    assert known.propensities["b"] > known.propensities["c"] > known.propensities["a"]


def test_it_round_trips_through_json_and_is_exposed_to_its_customer() -> None:
    asked = placement(customer="u", channel="feed")
    again = from_json(Opportunity, to_json(asked))
    assert again == asked and made(again, predicted(a=0.02, b=0.03)) == made(asked, predicted(a=0.02, b=0.03))
    shown = exposed(made(asked), asked, PARAMS)
    assert shown is not None and (shown.customer_id, shown.most) == ("u", PARAMS.creatives.cap)
    assert exposed(made(asked, known=State(killed="x")), asked, PARAMS) is None


names = st.sampled_from(["a", "b", "c", "d"])
some = st.dictionaries(names, st.just({}), min_size=1)
said_of_each = st.dictionaries(
    st.sampled_from(["ctr", "ctr_strength", "conversion_rate", "conversion_rate_strength"]), dirty | st.floats(0, 1)
)
known_of_all = st.builds(
    State,
    known=st.sampled_from([True, True, True, False]),
    store_at=clocks,
    arms=st.dictionaries(names, windows),
    shown=st.dictionaries(names, st.integers(0, 20)),
    resting=st.dictionaries(names, st.just("worn"), max_size=2),
    killed=st.sampled_from([None, None, None, "stopped"]),
)


@settings(max_examples=250, deadline=None)
@given(
    some, st.dictionaries(names, said_of_each), known_of_all, st.sampled_from([PARAMS, FOR_CONVERSIONS]), st.booleans()
)
def test_whatever_is_said_and_known_one_that_may_be_shown_is_or_nothing(those, said, known, params, identify) -> None:
    asked = Placement("o", 1.7e9, "acme", "spring", candidates=those, identify=identify)
    decision = decide(asked, Predictions(candidates=said), known, params, 7)
    if decision.action is Action.HOLD:
        assert known.killed or all(name in known.resting or known.shown.get(name, 0) for name in those)
        return
    assert decision.target in those and decision.credited == decision.target and decision.amount is None
    assert 0 < decision.propensity == decision.propensities[decision.target] <= 1
    assert set(decision.propensities) == set(those) and sum(decision.propensities.values()) == pytest.approx(1)
    if decision.arm != "fallback":
        assert decision.target not in known.resting
        assert all(decision.propensities[name] == 0 for name in those if name in known.resting)
    written = to_json(Predictions(candidates=said)), to_json(known)
    again = decide(asked, from_json(Predictions, written[0]), from_json(State, written[1]), params, 7)
    assert to_json(again) == to_json(decision)
