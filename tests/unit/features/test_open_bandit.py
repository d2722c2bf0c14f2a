"""Open Bandit is read as it was logged, and never imported."""

import sys

import pytest

from features.sources import open_bandit


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
def test_the_log_is_read_with_its_propensities(campaign):
    if open_bandit.find_spec(open_bandit.PACKAGE) is None:
        pytest.skip("the package obp, which carries Open Bandit, is not installed")
    even, learnt = (open_bandit.read(behaviour, campaign) for behaviour in ("random", "bts"))
    for log in (even, learnt):
        assert len(log) == 10_000 and not log.isna().any().any()
        assert set(log["position"]) == {1, 2, 3} and set(log["reward"]) == {0, 1}
        assert log["propensity"].between(0, 1, inclusive="right").all()
        assert log["occurred_at"].is_monotonic_increasing and str(log["occurred_at"].dt.tz) == "UTC"
    assert even["propensity"].to_numpy() == pytest.approx(1 / even["item_id"].nunique())
    assert learnt["propensity"].std() > 0.05
    assert open_bandit.PACKAGE not in sys.modules


def test_without_the_package_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(open_bandit, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(FileNotFoundError, match="needs the package a_package_that_nobody_has"):
        open_bandit.read("random", "all")
