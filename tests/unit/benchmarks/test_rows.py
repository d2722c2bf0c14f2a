import json

import numpy as np
import pytest

from tests.benchmarks.rows import Row, chosen, load, merge, resampled, row, spread, write


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.86, ">= .850", True),
        (0.84, ">= .850", False),
        (0.84, "", None),
        (None, ">= .850", None),
        (0.80, ">= .77, <= .83", True),
        (0.84, ">= .77, <= .83", False),
        (32.68, "< 32.68", False),
    ],
)
def test_a_goal_is_met_missed_or_undecided(value, goal, met):
    assert Row("a", value=value, goal=goal).met is met


def test_a_goal_nobody_can_read_is_an_error():
    with pytest.raises(ValueError, match="expected one of"):
        _ = Row("a", value=1.0, goal="about 3").met


def test_an_unknown_key_is_named():
    with pytest.raises(ValueError, match="goals"):
        row({"name": "ltv.cdnow.mae", "goals": "< 3"})


def test_only_means_a_beginning():
    assert chosen("churn.telco.auc", "churn.telco")
    assert chosen("churn.telco.auc", None)
    assert not chosen("churn.telco.auc", "telco")


def test_rows_come_back_as_written(tmp_path):
    rows = [Row("a", 1.0, 0.5, 1.5, 0.9, ">= 1", "s", 7, "ab"), Row("b", absent="no data", goal="> 1")]
    write(tmp_path / "new" / "benchmark.json", rows)
    assert load(tmp_path / "new" / "benchmark.json") == rows
    assert [one["met"] for one in json.loads((tmp_path / "new" / "benchmark.json").read_text())] == [True, None]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["benchmark.json"]


def test_nothing_measured_yet_is_no_rows(tmp_path):
    assert load(tmp_path / "benchmark.json") == []


def test_fresh_rows_replace_their_elders_in_place():
    merged = merge([Row("a", 1.0), Row("b", 2.0)], [Row("c", 3.0), Row("a", 9.0)])
    assert merged == [Row("a", 9.0), Row("b", 2.0), Row("c", 3.0)]


def test_spread_is_median_between_the_outer_tenths():
    assert spread(range(101)) == (50.0, 10.0, 90.0)


def test_a_resampled_quantile_lies_in_its_interval_and_repeats_by_seed():
    samples = np.random.default_rng(3).lognormal(size=400)
    value, low, high = resampled(samples, 0.9, seed=5)
    assert low < value < high
    assert value == np.quantile(samples, 0.9)
    assert resampled(samples, 0.9, seed=5) == (value, low, high)
