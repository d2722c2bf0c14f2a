"""What the monitors look at: the newest day or more of requests and of decisions, and the outcomes of both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pandas as pd
import pytest

from components.monitor.step import _answered, _log
from features.records import DECISIONS, FEEDBACK, decisions_folder
from features.settings import Settings
from models.bidding import FAMILY as BIDDING
from models.evaluation.metrics import brier
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.log.writer import DecisionLog
from serving.decisions.records import Decision
from serving.decisions.state.sqlite import SqliteStore
from serving.inference import requests
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.monitoring import decided
from serving.monitoring.params import Monitoring
from serving.monitoring.watch import Log, Watched, look
from serving.records.writer import RecordLog
from tests.unit.serving.decisions import logged

PARAMS = Monitoring(threshold=0.01, min_psi=0.1, min_rows=20, window_rows=500, retrain=False, schedule="0 0 4 * * *")


def ask(home, at: datetime, count: int, spend: float, version: str = "1") -> None:
    features, answers = (pd.DataFrame({name: [spend] * count}) for name in ("spend", "value"))
    log = requests.RequestLog(home, "churn", version)
    log.append(requests.Request(f"{at}", at.timestamp(), 1.0, 200, None, ["c"] * count, features, answers))
    log.close()


def seen(home) -> list[float]:
    answered = _answered(requests, "churn", "1", PARAMS, Settings(home=home))
    return _log(answered, ["spend"]).features["spend"].unique().tolist()


@pytest.mark.parametrize("shift", [-400, 0, 60])
def test_the_newest_day_is_not_thinned_by_the_ones_before(tmp_path, shift: int) -> None:
    """Whatever day the clock of the log is at."""
    now = datetime.now(UTC) + timedelta(days=shift)
    for day in range(9, -1, -1):
        ask(tmp_path, now - timedelta(days=day), 200, float(day))
    assert seen(tmp_path) == [0.0]


def test_a_day_of_few_requests_is_looked_at_with_the_days_before(tmp_path) -> None:
    now = datetime.now(UTC)
    for day in (40, 5, 0):
        ask(tmp_path, now - timedelta(days=day), 60, float(day))
    ask(tmp_path, now, 300, -1.0, version="2")
    assert seen(tmp_path) == [5.0, 0.0]
    assert _answered(requests, "churn", "3", PARAMS, Settings(home=tmp_path)).empty


def decide(home, count: int, spend: float, version: str = "1", asked: str = "customer") -> None:
    """Decisions as the endpoint records them, by churn's answers to what it looked up."""
    rng = np.random.default_rng(int(spend))
    log = RecordLog(decisions_folder(home))
    for at in range(count):
        features = {"spend": rng.normal(spend), "member": bool(at % 2), "plan": "gold"}
        predictions = {"answers": {"churn_probability": rng.random()}, "features": features, "took_ms": 1.0}
        record = {
            "logged_at": datetime.now(UTC).timestamp(),
            "opportunity": {"asked": asked},
            "predictions": {**predictions, "versions": {"churn": version}, "faults": []},
            "decision": {"decision_id": f"{version} {at}"},
        }
        log.write(orjson.dumps(record))
    log.close()


def test_decisions_are_watched_as_requests_are_with_the_features_that_were_looked_up(tmp_path) -> None:
    decide(tmp_path, 300, 5.0)
    decide(tmp_path, 100, 90.0, version="2")
    columns = ["spend", "member", "plan"]
    log = _log(_answered(decided, "churn", "1", PARAMS, Settings(home=tmp_path)), columns)
    assert len(log.features) == len(log.answers) == 300 and log.features["member"].dtype == bool
    assert set(log.answers) == {"churn_probability"} and set(log.features["plan"]) == {"gold"}
    rng = np.random.default_rng(7)
    reference = log.features.assign(spend=rng.normal(5.0, 1, 300), churn_probability=rng.random(300))
    metrics, none = [brier("churned", "churn_probability")], pd.DataFrame(columns=["request_id", "row"])
    for moved in (0.0, 3.0):
        seen = look(
            "scipy", log, none, reference.assign(spend=reference["spend"] + moved), columns, metrics, {}, PARAMS
        )
        assert seen.verdict == ("drifted" if moved else "steady"), seen.note
        assert seen.features["spend"].drifted == bool(moved) and not seen.answers["churn_probability"].drifted


def judged(home, family: str, version: str, metrics) -> Watched:
    """A look at decisions whose reference is what they read themselves."""
    answered = _answered(decided, family, version, PARAMS, Settings(home=home))
    log: Log = _log(answered, [])
    known = decided.outcomes(home, family, answered)
    return look("scipy", log, known, log.answers.iloc[:, :1], [], metrics, {"win_rate": 0.5}, PARAMS)


def test_labels_of_decisions_are_reported_by_their_id_and_judged_as_those_of_requests(tmp_path) -> None:
    decide(tmp_path, 40, 5.0)
    read, told = decided.read(tmp_path, "churn"), OutcomeRecorder(tmp_path)
    told.append([Labels("churn", one, 0, {"churned": True}) for one in read["request_id"][:30]])
    told.append([Labels("ltv", one, 0, {"value": 3.0}) for one in read["request_id"]])
    told.close()
    seen = judged(tmp_path, "churn", "1", [brier("churned", "churn_probability"), brier("churned", "not_asked")])
    assert seen.outcomes == 30 and set(seen.held) == {"brier"}
    assert seen.held["brier"].value == pytest.approx(((1 - read["answer.churn_probability"][:30]) ** 2).mean())


def test_bids_are_judged_by_their_events_in_the_terms_of_the_familys_metrics(tmp_path) -> None:
    """Of 90 bids every third is won and every sixth clicked; nothing was told since the last ten."""
    place = tmp_path / DECISIONS
    feedback = Feedback(place / FEEDBACK, SqliteStore(tmp_path / "state.db", logged.PARAMS), logged.PARAMS)
    log, made = DecisionLog(decisions_folder(tmp_path), logged.PARAMS, feedback.expect), list[Decision]()
    for at in range(100):
        asked, said, *more = logged.decided(at)
        log.append(asked, replace(said, features={"budget": 50.0, "auctions": 1000.0}), *more)
        made.append(more[-1])
    log.close()
    for at in range(0, 90, 3):
        told = made[at].account_id, made[at].decision_id
        feedback.take([Observed(f"i{at}", *told, "impression", made[at].decided_at, 0.25)])
        feedback.take([Observed(f"c{at}", *told, "click", made[at].decided_at)] if at % 6 == 0 else [])
    feedback.close()
    own = [at for at in range(88) if made[at].arm == "policy"]
    won, clicks = sum(at % 3 == 0 for at in own), sum(at % 6 == 0 for at in own)
    seen = judged(tmp_path, "bidding", "3", BIDDING.metrics)
    assert seen.outcomes == len(own) and seen.held["win_rate"].at_release == 0.5
    assert {name: held.value for name, held in seen.held.items()} == {
        "win_rate": pytest.approx(won / len(own)),
        "clicks_per_mille": pytest.approx(1000 * clicks / len(own)),
        "budget_use": pytest.approx(0.25 * won * 1000 / 50 / len(own)),
        "value_per_spend": pytest.approx(clicks / (0.25 * won / 50)),
        "came_of_expected": pytest.approx(clicks / (0.01 * won)),
    }


def test_a_decision_that_did_not_ask_the_family_says_nothing_of_it(tmp_path) -> None:
    decide(tmp_path, 30, 5.0, asked="bid")
    assert decided.read(tmp_path, "bidding").empty and decided.asks("churn") == {"churn_probability"}
    assert decided.read(tmp_path, "churn")["request_id"].is_unique and decided.asks("nobody") == frozenset()
    assert decided.newest(tmp_path / "nowhere", "churn") is None
