"""What decisions show of versions: failed attempts, time taken, cost and value, from journals and parts alike."""

import random
import time
from pathlib import Path

from features.records import FEEDBACK, decisions_folder
from serving.decisions.decide import decide
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.creative import Placement
from serving.decisions.log.writer import DecisionLog
from serving.decisions.records import Action, Decision, Predictions, Spend, State
from serving.decisions.state.sqlite import SqliteStore
from serving.records import journal
from serving.rollout.decision_attempts import Attempts, spent
from tests.unit.serving.decisions.logged import PARAMS, SEED

COUNT = 60


def fill(log: DecisionLog) -> list[Decision]:
    """Log decisions of versions 1 and 2 by turns; every sixth of version 2 failed."""
    made = []
    for at in range(COUNT):
        version = "12"[at % 2]
        failed = (f"bidding {version} failed: ValueError: no",) if at % 12 == 1 else ()
        faults = (*failed, *(("the online store is away",) if at % 4 == 3 else ()))
        opportunity = Auction(f"o{at}", 1.7e9, "a", "c", current_bid=1.0)
        said = Predictions(
            {"policy_bid": 1.0, "baseline_bid": 1.0}, versions={"bidding": version}, faults=faults, took_ms=1.0 + at % 2
        )
        state = State(campaign=Spend(daily_limit=100.0))
        made.append(decide(opportunity, said, state, PARAMS, SEED))
        log.append(opportunity, said, state, None, made[-1])
    return made


def test_attempts_are_the_decisions_of_each_version(tmp_path: Path) -> None:
    begun = time.time()
    log = DecisionLog(decisions_folder(tmp_path), PARAMS)
    follower = Attempts(tmp_path, "bidding", begun)
    for times, finish in enumerate((log.flush, log.flush, log.close), 1):
        fill(log)
        finish()
        for found in (follower.seen(), Attempts(tmp_path, "bidding", begun).seen()):
            assert found["version"].value_counts().to_dict() == dict.fromkeys("12", times * COUNT // 2)
            assert found[~found["ok"]]["version"].tolist() == ["2"] * (times * COUNT // 12)
            assert found.groupby("version")["latency_ms"].unique().map(list).to_dict() == {"1": [1.0], "2": [2.0]}
            assert found["at"].between(begun, time.time()).all() and found["at"].is_monotonic_increasing
        assert Attempts(tmp_path, "bidding", time.time() + 1).seen().empty
        assert Attempts(tmp_path, "churn", begun).seen().empty


def test_a_group_that_is_not_whole_yet_is_read_when_it_is(tmp_path: Path) -> None:
    log = DecisionLog(decisions_folder(tmp_path), PARAMS)
    fill(log)
    log.flush()
    (written,) = decisions_folder(tmp_path).glob(f"*{journal.SUFFIX}")
    follower, whole = Attempts(tmp_path, "bidding", 0.0), written.read_bytes()
    for length in sorted(random.Random(1).choices(range(len(whole)), k=20)):
        written.write_bytes(whole[:length])
        assert len(follower.seen()) <= COUNT
    written.write_bytes(whole)
    assert len(follower.seen()) == COUNT
    log.close()


def test_where_nothing_is_logged_there_were_none(tmp_path: Path) -> None:
    assert Attempts(tmp_path, "bidding", 0.0).seen().empty
    assert spent(tmp_path, "bidding", 0.0).empty


def test_a_creative_costs_an_impression_and_returns_clicks(tmp_path: Path) -> None:
    place = decisions_folder(tmp_path)
    feedback = Feedback(place.parent / FEEDBACK, SqliteStore(tmp_path / "state.db", PARAMS), PARAMS)
    log = DecisionLog(place, PARAMS, feedback.expect)
    events, shown = [], dict.fromkeys("12", 0)
    for at in range(60):
        said = Predictions(versions={"creative": "12"[at % 2]})
        asked = Placement(f"p{at}", 1.7e9, "a", "c", candidates={"x": {}, "y": {}})
        made = decide(asked, said, State(), PARAMS, 3)
        log.append(asked, said, State(), None, made)
        kinds = ("impression", "click") if at % 4 == 1 else ("impression",) if at < 50 else ()
        events += [Observed(f"{kind}{at}", "a", made.decision_id, kind, 1.7e9) for kind in kinds]
        shown["12"[at % 2]] += bool(kinds) and made.arm == "policy"
    log.close()
    feedback.take(events)
    feedback.close()
    sums = spent(tmp_path, "creative", 0.0).groupby("version")[["cost", "value", "conversions"]].sum()
    assert sums.loc["1"].tolist() == [shown["1"], 0, 0]
    cost, value, conversions = sums.loc["2"]
    assert cost == shown["2"] and value == conversions and 0.3 < value / cost < 0.7
    assert spent(tmp_path, "bidding", 0.0).empty


def test_what_a_version_spent_and_brought_is_of_its_own_bids(tmp_path: Path) -> None:
    place = decisions_folder(tmp_path)
    feedback = Feedback(place.parent / FEEDBACK, SqliteStore(tmp_path / "state.db", PARAMS), PARAMS)
    log = DecisionLog(place, PARAMS, feedback.expect)
    made = fill(log)
    log.close()
    events = [
        Observed(f"{kind}{at}", "a", one.decision_id, kind, 1.7e9, **told)
        for at, one in enumerate(made)
        for kind, told in (("impression", {"cost": 0.25}), ("conversion", {"value": 3.0 + at % 2}))
    ]
    feedback.take(events)
    feedback.close()
    found = spent(tmp_path, "bidding", 0.0)
    own = [one for one in made if one.action is Action.BID and one.arm == "policy"]
    assert 0 < len(own) == len(found) < COUNT
    sums = found.groupby("version")[["cost", "value", "conversions"]].sum()
    for version, value in (("1", 3.0), ("2", 4.0)):
        count = sum(one.versions["bidding"] == version for one in own)
        assert sums.loc[version].tolist() == [0.25 * count, value * count, count]
