import numpy as np
import pytest

from components.params import load
from tests.benchmarks import creative_fatigue, creative_tests
from tests.benchmarks.creative_tests import Trial
from tests.benchmarks.ltv import PARAMS

CLEAR = Trial(np.array([0.02, 0.03]), np.array([0.02, 0.02]), np.array([500.0, 500.0]))
CLOSE = Trial(np.array([0.02, 0.02]), np.array([0.02, 0.02]), np.array([500.0, 500.0]))


def test_a_clear_winner_is_found_soon_and_equals_are_not():
    used, arm = creative_tests.bandit(CLEAR, 0.95, np.random.default_rng(3))
    assert arm == 1 and used < 20_000
    assert creative_tests.bandit(CLOSE, 0.999, np.random.default_rng(3))[0] > 5 * used


def test_a_right_prediction_needs_fewer_impressions():
    told = Trial(CLEAR.rates, np.array([0.02, 0.03]), np.array([2000.0, 2000.0]))
    rng = np.random.default_rng(3)
    with_it, without = (np.mean([creative_tests.bandit(one, 0.9, rng)[0] for _ in range(20)]) for one in (told, CLEAR))
    assert with_it < without / 2


def test_impressions_are_read_off_at_the_same_error():
    used, wrong = np.array([[100.0, 1000.0, 10_000.0]]), np.array([[0.2, 0.1, 0.05]])
    assert creative_tests.needed(used, wrong, np.ones(1)) == pytest.approx(1000)
    assert creative_tests.ratio((used, wrong), (2 * used, wrong))["value"] == pytest.approx(0.5)


def test_a_rule_of_fixed_thresholds_takes_a_bad_day_of_all_for_fatigue():
    params = load(PARAMS).decisions.creatives
    dipped = [creative_fatigue.simulated(20_000, np.random.default_rng(3), dip=0.7)]
    assert creative_fatigue.alarms(dipped, params, creative_fatigue.fixed) >= 5
    assert creative_fatigue.alarms(dipped, params) == 0
    worn = creative_fatigue.simulated(20_000, np.random.default_rng(3), decline=0.05)
    assert creative_fatigue.delay(worn, params) <= 7
