"""Which requests the monitors look at: the newest day, or more days where it holds too few."""

from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pandas as pd
import pytest

from components.monitor.step import _log
from features.records import decisions_folder
from features.settings import Settings
from models.evaluation.metrics import brier
from serving.inference import requests
from serving.monitoring import decided
from serving.monitoring.params import Monitoring
from serving.monitoring.watch import look
from serving.records.writer import RecordLog

PARAMS = Monitoring(threshold=0.01, min_psi=0.1, min_rows=20, window_rows=500, retrain=False, schedule="0 0 4 * * *")


def ask(home, at: datetime, count: int, spend: float, version: str = "1") -> None:
    features, answers = (pd.DataFrame({name: [spend] * count}) for name in ("spend", "value"))
    log = requests.RequestLog(home, "churn", version)
    log.append(requests.Request(f"{at}", at.timestamp(), 1.0, 200, None, ["c"] * count, features, answers))
    log.close()


def seen(home) -> list[float]:
    return _log(requests, "churn", "1", ["spend"], PARAMS, Settings(home=home)).features["spend"].unique().tolist()


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
    assert _log(requests, "churn", "3", ["spend"], PARAMS, Settings(home=tmp_path)).features.empty


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
    log = _log(decided, "churn", "1", columns, PARAMS, Settings(home=tmp_path))
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


def test_a_decision_that_did_not_ask_the_family_says_nothing_of_it(tmp_path) -> None:
    decide(tmp_path, 30, 5.0, asked="bid")
    assert decided.read(tmp_path, "bidding").empty and decided.asks("churn") == {"churn_probability"}
    assert decided.read(tmp_path, "churn")["request_id"].is_unique and decided.asks("nobody") == frozenset()
    assert decided.newest(tmp_path / "nowhere", "churn") is None
