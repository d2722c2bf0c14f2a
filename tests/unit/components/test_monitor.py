"""Which requests the monitors look at: the newest day, or more days where it holds too few."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from components.monitor.step import _log
from features.settings import Settings
from serving.inference import requests
from serving.monitoring.params import Monitoring

PARAMS = Monitoring(threshold=0.01, min_psi=0.1, min_rows=20, window_rows=500, retrain=False, schedule="0 0 4 * * *")


def ask(home, at: datetime, count: int, spend: float, version: str = "1") -> None:
    features, answers = (pd.DataFrame({name: [spend] * count}) for name in ("spend", "value"))
    log = requests.RequestLog(home, "churn", version)
    log.append(requests.Request(f"{at}", at.timestamp(), 1.0, 200, None, ["c"] * count, features, answers))
    log.close()


def seen(home) -> list[float]:
    return _log("churn", "1", ["spend"], PARAMS, Settings(home=home)).features["spend"].unique().tolist()


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
    assert _log("churn", "3", ["spend"], PARAMS, Settings(home=tmp_path)).features.empty
