"""Estimates from another policy's log hold the truth: in a world where it is known, and on Open Bandit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.sources import open_bandit
from models.evaluation import bootstrap
from models.evaluation import policy_value as pv

ACTIONS, CONTEXT = 5, 3
WORTH = np.random.default_rng(0).normal(size=(CONTEXT, ACTIONS))
HABIT = np.random.default_rng(1).normal(size=(CONTEXT, ACTIONS))


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rates(x):
    """The probability of a reward, by round and action."""
    return 1 / (1 + np.exp(2 - x @ WORTH))


def policy(x, skill):
    """One that prefers what is worth more, the more so the more skill it has."""
    return 0.9 * softmax(skill * (x @ WORTH)) + 0.1 / ACTIONS


def true_value(skill):
    x = np.random.default_rng(9).normal(size=(400_000, CONTEXT))
    return float((policy(x, skill) * rates(x)).sum(axis=1).mean())


class World:
    """Rounds that a policy logged which knows nothing of worth."""

    def __init__(self, rounds, seed):
        rng = np.random.default_rng([5, seed])
        self.x = rng.normal(size=(rounds, CONTEXT))
        habit = 0.8 * softmax(self.x @ HABIT) + 0.2 / ACTIONS
        chosen = (habit.cumsum(axis=1) < rng.random((rounds, 1))).sum(axis=1)
        self.at = np.arange(rounds), chosen
        reward = (rng.random(rounds) < rates(self.x)[self.at]).astype(float)
        self.log = pd.DataFrame({"reward": reward, "propensity": habit[self.at]})

    def asked(self, skill, model=None):
        """What is known of a policy; `model` says what an action is worth, by round and action."""
        probability = policy(self.x, skill)
        columns = {"probability": probability[self.at]}
        if model is not None:
            columns |= {"expected_logged": model[self.at], "expected": (probability * model).sum(axis=1)}
        return pd.DataFrame(columns)


def test_who_logged_is_worth_what_was_logged():
    world = World(400, 0)
    own = pd.DataFrame({"probability": world.log["propensity"], "expected": 0.3, "expected_logged": 0.3})
    found = pv.estimate(world.log, own, 0)
    for interval in (found.ips, found.snips, found.doubly_robust):
        assert interval.value == pytest.approx(world.log["reward"].mean())
        assert interval.low < interval.value < interval.high
    assert (found.effective, found.mean_weight) == (400, 1.0)


def test_the_estimators_are_what_their_papers_say():
    log = pd.DataFrame({"reward": [1.0, 0.0, 2.0], "propensity": [0.5, 0.25, 0.8]})
    asked = pd.DataFrame({"probability": [0.25, 0.5, 0.8], "expected_logged": [0.5] * 3, "expected": [0.6] * 3})
    found = pv.estimate(log, asked, 0)  # weights 1/2, 2, 1
    assert found.ips.value == pytest.approx((0.5 * 1 + 2 * 0 + 1 * 2) / 3)
    assert found.snips.value == pytest.approx(2.5 / 3.5)
    assert found.doubly_robust.value == pytest.approx(0.6 + (0.5 * 0.5 - 2 * 0.5 + 1 * 1.5) / 3)
    assert found.effective == pytest.approx(3.5**2 / 5.25)
    assert found.mean_weight == pytest.approx(3.5 / 3)
    assert pv.estimate(log, asked[["probability"]], 0).doubly_robust is None


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    truth, times = true_value(1.0), 150
    held = dict.fromkeys(("ips", "snips", "doubly_robust"), 0)
    for seed in range(times):
        world = World(500, seed)
        found = pv.estimate(world.log, world.asked(1.0, 0.8 * rates(world.x) + 0.1), seed)
        for name in held:
            interval = getattr(found, name)
            held[name] += interval.low <= truth <= interval.high
    assert min(held.values()) >= 0.89 * times, held  # 0.95 less three standard errors of 150 trials
    assert max(held.values()) < times, held


def test_the_doubly_robust_estimate_needs_one_of_two_to_be_right():
    truth, world = true_value(1.0), World(60_000, 1)
    wrong = world.log.assign(propensity=np.clip(world.log["propensity"] ** 0.5, 0, 1))
    right_model, wrong_model = rates(world.x), np.full((60_000, ACTIONS), 0.9)

    def value(log, model):
        return pv.DOUBLY_ROBUST.measure(log, world.asked(1.0, model))

    assert value(world.log, wrong_model) == pytest.approx(truth, abs=0.015)
    assert value(wrong, right_model) == pytest.approx(truth, abs=0.015)
    assert abs(value(wrong, wrong_model) - truth) > 0.1
    assert abs(pv.IPS.measure(wrong, world.asked(1.0)) - truth) > 0.1


def test_a_model_of_the_reward_narrows_the_interval():
    world = World(2000, 2)
    found = pv.estimate(world.log, world.asked(3.0, rates(world.x)), 0)
    ips, snips, robust = (one.high - one.low for one in (found.ips, found.snips, found.doubly_robust))
    assert robust < snips < ips


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50), st.floats(0.01, 100))
def test_effective_rounds_are_at_least_one_and_at_most_all(weights, scale):
    weights = np.array(weights)
    found = pv.effective(weights)
    assert 1 - 1e-9 <= found <= len(weights) + 1e-9
    assert pv.effective(weights * scale) == pytest.approx(found)
    assert pv.effective(np.ones(7)) == 7
    assert pv.effective(np.zeros(7)) == 0


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("propensity", 0.0, "propensity must be above 0, at most 1; it is 0.0 in round 3, and in 1 in all"),
        ("propensity", 1.5, "propensity must be above 0"),
        ("propensity", np.nan, "propensity must be a finite number; it is nan in round 3"),
        ("reward", np.nan, "reward must be a finite number"),
        ("reward", np.inf, "reward must be a finite number"),
        ("probability", -0.1, "probability must be from 0 to 1"),
        ("probability", 1.1, "probability must be from 0 to 1"),
        ("expected", np.nan, "expected must be a finite number"),
    ],
)
def test_what_nothing_can_be_estimated_from_is_named(column, value, says):
    world = World(10, 0)
    log, asked = world.log.copy(), world.asked(1.0, rates(world.x))
    (log if column in log else asked).loc[3, column] = value
    for judge in (
        lambda: pv.estimate(log, asked, 0),
        lambda: pv.value_above_champion(log, world.asked(1.0), asked, 0),
    ):
        with pytest.raises(ValueError, match=says):
            judge()


def test_frames_that_do_not_fit_are_refused():
    world = World(10, 0)
    with pytest.raises(ValueError, match="missing columns"):
        pv.estimate(world.log.drop(columns="propensity"), world.asked(1.0), 0)
    with pytest.raises(ValueError, match="one index"):
        pv.estimate(world.log, world.asked(1.0).iloc[1:], 0)
    with pytest.raises(ValueError, match="one index"):
        pv.estimate(world.log.iloc[:0], world.asked(1.0).iloc[:0], 0)


@pytest.mark.parametrize("modelled", [True, False])
def test_the_better_policy_is_released_and_never_the_worse(modelled):
    world = World(4000, 3)
    model = rates(world.x) if modelled else None
    better = pv.value_above_champion(world.log, world.asked(2.0, model), world.asked(0.0, model), 0)
    worse = pv.value_above_champion(world.log, world.asked(0.0, model), world.asked(2.0, model), 0)
    assert better.passed and not worse.passed
    gain = true_value(2.0) - true_value(0.0)
    assert better.figures["low"] < gain < better.figures["high"]
    assert better.gate == "value_above_champion"
    assert ("doubly_robust" if modelled else "snips") in better.reason


def test_a_policy_is_not_released_over_itself_nor_by_chance():
    world = World(1000, 4)
    assert not pv.value_above_champion(world.log, world.asked(1.0), world.asked(1.0), 0).passed
    found = 0
    for seed in range(60):  # no action of this world is worth more than another
        world = World(500, seed)
        world.log["reward"] = (np.random.default_rng([6, seed]).random(500) < 0.3).astype(float)
        found += pv.value_above_champion(world.log, world.asked(2.0), world.asked(-2.0), seed).figures["low"] > 0
    assert found <= 6  # one in forty is promised; with these few effective rounds, a few more


def test_few_effective_rounds_release_nothing():
    world = World(300, 5)
    log = world.log.assign(reward=np.where(world.at[1] == 0, 1.0, 0.0))
    own = pd.DataFrame({"probability": log["propensity"]})
    rare = pd.DataFrame({"probability": np.where(log.index < 60, log["reward"], 0.0)})
    said = pv.value_above_champion(log, rare, own, 0)
    assert not said.passed and "effective rounds of 400" in said.reason


def test_propensities_that_cannot_be_right_release_nothing():
    world = World(4000, 6)
    right = pv.value_above_champion(world.log, world.asked(2.0), world.asked(0.0), 0)
    doubled = world.log.assign(propensity=np.clip(world.log["propensity"] * 2, 0, 1))
    said = pv.value_above_champion(doubled, world.asked(2.0), world.asked(0.0), 0)
    assert right.passed
    assert not said.passed and "not 1" in said.reason


def test_actions_that_were_never_tried_release_nothing():
    world = World(4000, 7)
    tried = world.at[1] != int(np.bincount(world.at[1]).argmax())
    log, candidate = world.log[tried], world.asked(2.0)[tried]
    said = pv.value_above_champion(log, candidate, world.asked(0.0)[tried], 0)
    assert not said.passed and "not all tried" in said.reason


CAMPAIGNS = ["all", "men", "women"]


def recommended(behaviour, campaign):
    try:
        return open_bandit.read(behaviour, campaign)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


def shown(log, like):
    """The probability of each logged item in its position, under a policy whose own log is `like`.

    Thompson sampling moves with what it learns: over the week it is the mixture that its log shows, estimated by how
    often each item stood in each position. Clicks are not looked at.
    """
    key = ["position", "item_id"]
    share = like.groupby(key).size() / like.groupby("position").size()
    return share.reindex(pd.MultiIndex.from_frame(log[key]), fill_value=0.0).to_numpy()


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_on_open_bandit_the_interval_holds_what_the_other_policy_brought(campaign):
    log, other = recommended("random", campaign), recommended("bts", campaign)
    found = pv.estimate(log, pd.DataFrame({"probability": shown(log, other)}), 0)
    truth = other["reward"].mean()
    assert found.ips.low < truth < found.ips.high
    assert found.snips.low < truth < found.snips.high
    assert found.snips.high < 3 * truth
    assert found.mean_weight == pytest.approx(1, abs=0.05)
    assert 2000 < found.effective < len(log) / 2


def test_on_open_bandit_a_log_that_tells_too_little_releases_nothing():
    log = recommended("bts", "women")
    even = pd.DataFrame({"probability": np.full(len(log), 1 / log["item_id"].nunique())})
    own = pd.DataFrame({"probability": log["propensity"]})
    said = pv.value_above_champion(log, even, own, 0)
    assert said.figures["effective"] < 10
    assert not said.passed and "effective rounds" in said.reason


def test_paired_samples_cancel_what_two_policies_share():
    world = World(2000, 8)
    gain = bootstrap.gain(pv.SNIPS, world.log, world.asked(1.2), world.asked(1.0), 0)
    alone = pv.estimate(world.log, world.asked(1.2), 0).snips
    assert gain.high - gain.low < (alone.high - alone.low) / 3
