"""What was logged is decided again bit for bit, what was not is told by field, and each decision explains itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from features.records import decisions_folder
from pipelines.cli import main
from serving.decisions.decide import answered, decide
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.writer import DecisionLog
from serving.decisions.records import Action, Counters, Segment, Spend, State, WindowedCounters
from serving.decisions.state.store import Grant
from serving.experiments import replay as replaying
from serving.experiments.explain import explain
from serving.experiments.replay import ReplayReport, replay
from serving.records import parts
from tests.unit.serving.decisions.logged import PARAMS, SEED, decided
from tests.unit.serving.decisions.test_engine import opportunities, predictions, states

GRANTS = [None, Grant("reserved", 1.0), Grant("again", 0.75), Grant("refused", 0.0, "nothing is left")]


def logged(place: Path, *appended) -> None:
    log = DecisionLog(place, PARAMS)
    for one in appended:
        log.append(*one)
    log.close()


@settings(max_examples=30, deadline=None)
@given(opportunities, predictions, states, st.sampled_from(GRANTS))
def test_whatever_was_logged_is_decided_again_bit_for_bit(tmp_path_factory, opportunity, said, state, grant):
    place = tmp_path_factory.mktemp("log")
    decision = decide(opportunity, said, state, PARAMS, SEED)
    logged(place, (opportunity, said, state, grant, answered(decision, grant)))
    assert replay(place) == ReplayReport(1, 0, (), ())


@pytest.mark.parametrize("grant", GRANTS)
def test_what_came_of_the_reservation_is_replayed(tmp_path, grant):
    appended = decided(1, grant)
    logged(tmp_path, appended)
    assert replay(tmp_path).differing == 0
    asks_nothing = answered(decide(*appended[:3], PARAMS, SEED), None)
    assert (appended[4] == asks_nothing) == (grant is None or grant.status == "reserved")


def test_a_part_is_replayed_by_itself(tmp_path):
    logged(tmp_path, decided(1), decided(2))
    assert replay(parts.found(tmp_path)[0]).count == 2


def test_a_decision_that_was_not_the_engines_is_told_by_field(tmp_path):
    *asked, decision = decided(3)
    logged(tmp_path, (*asked, replace(decision, amount=99.0, reason="because")), decided(4))
    done = replay(tmp_path)
    assert (done.count, done.differing, done.faults) == (2, 1, ())
    assert [(one.decision_id, one.field) for one in done.differences] == [
        (decision.decision_id, "amount"),
        (decision.decision_id, "reason"),
    ]
    assert (done.differences[0].logged, done.differences[0].now) == (99.0, decision.amount)


def test_an_engine_that_changed_is_told(tmp_path, monkeypatch):
    logged(tmp_path, *(decided(at) for at in range(100)))
    monkeypatch.setattr(replaying, "decide", lambda *case: replace(decide(*case), propensity=0.5))
    done = replay(tmp_path)
    assert (done.count, done.differing) == (100, 100)
    assert {one.field for one in done.differences} == {"propensity"}
    assert len(done.differences) == replaying.TOLD


def test_the_smallest_difference_is_one(tmp_path, monkeypatch):
    logged(tmp_path, decided(1))
    last_bit = 1 + 2**-52
    monkeypatch.setattr(
        replaying, "decide", lambda *case: replace(made := decide(*case), amount=made.amount * last_bit)
    )
    assert replay(tmp_path).differing == 1


def test_parameters_that_were_changed_are_refused(tmp_path):
    logged(tmp_path, decided(1))
    (kept,) = (tmp_path / "params").glob("*.json")
    kept.write_text(kept.read_text().replace("300.0", "900.0"))
    with pytest.raises(ValueError, match="were changed"):
        replay(tmp_path)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path))
    return decisions_folder(tmp_path)


def test_the_command_replays_and_fails_on_a_difference(home):
    logged(home, *(decided(at) for at in range(5)))
    done = CliRunner().invoke(main, ["replay", str(home)])
    assert (done.exit_code, done.output) == (0, "5 decisions, 5 the same bit for bit, 0 not\n")
    *asked, decision = decided(9)
    logged(home, (*asked, replace(decision, amount=9.5)))
    done = CliRunner().invoke(main, ["replay", str(home)])
    assert done.exit_code == 1
    assert f"{decision.decision_id} amount: logged 9.5, now {decision.amount}" in done.output
    assert "6 decisions, 5 the same bit for bit, 1 not" in done.output


def test_the_command_fails_where_an_entry_was_removed(home):
    logged(home, *(decided(at) for at in range(5)))
    DecisionLog(home, PARAMS).close()
    part = parts.found(home)[0]
    parts.write(home, parts.head(part), [parts.read(part).slice(1).to_batches()[0]])
    done = CliRunner().invoke(main, ["replay", str(home)])
    assert done.exit_code == 1
    assert "not as it was logged" in done.output


def test_the_command_explains(home):
    appended = decided(1, GRANTS[3])
    logged(home, decided(0), appended)
    done = CliRunner().invoke(main, ["explain", appended[4].decision_id])
    assert done.exit_code == 0
    for told in (
        "campaign 1 of account ours",
        "because      no bid: nothing is left",
        "reservation: 2 -> none, nothing is left",
        "refused nothing is left",
        "bidding 3, churn 2",
        f"propensity {appended[4].propensity:.4g}",
        "seed 7",
    ):
        assert told in done.output
    done = CliRunner().invoke(main, ["explain", "unheard"])
    assert done.exit_code == 1 and "no decision unheard is logged" in done.output


def test_a_decision_is_explained_before_its_part_is_made_and_each_time_it_was_asked_for(tmp_path):
    first, again = decided(1, GRANTS[1]), decided(1, GRANTS[2])
    log = DecisionLog(tmp_path, PARAMS)
    log.append(*first)
    log.append(*again)
    log.flush()
    told = explain(tmp_path, first[4].decision_id)
    log.close()
    assert told == explain(tmp_path, first[4].decision_id)
    assert told.count("because") == 2
    assert told.index("money        reserved") < told.index("money        again")


def test_triggers_are_explained_with_their_statistics(tmp_path):
    opportunity, said, _, _, _ = decided(1)
    opportunity = Review("o1", opportunity.occurred_at, "ours", opportunity.campaign_id)
    bad = WindowedCounters(Counters(9000, 9000, 20, 0, 0.0, 40.0), Counters(90000, 90000, 2000, 50, 500.0, 400.0))
    state = State(
        campaign=Spend(total=440.0, daily_limit=100.0),
        window=bad,
        segments={"keyword": {"shoes": Segment(bad)}},
        target_cpc=0.5,
    )
    decision = decide(opportunity, said, state, PARAMS, SEED)
    assert decision.action is not Action.HOLD and decision.triggers
    logged(tmp_path, (opportunity, said, state, None, decision))
    told = explain(tmp_path, decision.decision_id)
    for trigger in decision.triggers:
        assert f"{trigger.name}: {trigger.statistic:.4g}, threshold {trigger.threshold:.4g}" in told
    assert decision.reason in told
    assert replay(tmp_path).differing == 0
