import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from features.settings import Settings
from serving.experiments.trials.assess import assess
from serving.experiments.trials.experiment import Arm, Guard
from serving.experiments.trials.registry import ExperimentRegistry
from tests.unit.serving.experiments.trials.made import START, after, drawn, experiment, rates

THREE = tuple(Arm(name=name, share=share) for name, share in (("A", 1 / 3), ("B", 1 / 3), ("C", 1 / 3)))


def verdict(plan, frame, as_of=None):
    return assess(plan, frame, as_of or after(frame)).verdict


@pytest.mark.parametrize(
    ("rate", "days", "word"),
    [
        ((0.05, 0.057), 28, "ship B"),
        ((0.05, 0.041), 28, "keep A"),
        ((0.05, 0.05), 28, "keep A"),
        ((0.05, 0.05), 14, "running"),
        ((0.05, 0.08), 7, "ship B"),
        ((0.05, 0.08), 6, "withheld"),
    ],
)
def test_effects_and_their_absence_are_told(rate, days, word):
    frame = drawn(np.random.default_rng(0), 1200, rate, days)
    assert str(verdict(experiment(), frame)) == word


def test_results_are_withheld_before_the_first_full_week_and_not_shown():
    found = assess(experiment(), frame := drawn(np.random.default_rng(1), 2000, (0.05, 0.1), 6), after(frame))
    assert found.verdict.word == "withheld"
    assert (found.effects, [arm.mean for arm in found.arms]) == ((), [None, None])
    assert all(day.effect == () for day in found.daily)
    assert [arm.units for arm in found.arms] == [12_000, 12_000]


def test_a_broken_guardrail_is_told_before_the_week_is_full():
    rng = np.random.default_rng(2)
    plan = experiment(guards=(Guard(metric="complaints", worse="higher", tolerated=0.2),))
    clicks = drawn(rng, 2000, (0.05, 0.08), 3)
    bad, fair = (drawn(rng, 2000, (0.02, rate), 3, metric="complaints") for rate in (0.06, 0.02))
    found = verdict(plan, pd.concat([clicks, bad]))
    assert (found.word, found.arm) == ("guardrail broken", "B")
    assert "complaints in B: +" in found.reason
    assert verdict(plan, pd.concat([clicks, fair])).word == "withheld"
    better = Guard(metric="complaints", worse="lower", tolerated=0.2)
    assert verdict(experiment(guards=(better,)), pd.concat([clicks, bad])).word == "withheld"


@pytest.mark.parametrize(
    ("worse", "complaints", "word"),
    [
        ("higher", (0, 40), "guardrail broken"),
        ("higher", (0, 3), "withheld"),
        ("lower", (40, 0), "guardrail broken"),
        ("lower", (3, 0), "withheld"),
        ("higher", (0, 0), "withheld"),
    ],
)
def test_a_guarded_metric_without_outcomes_in_one_arm_is_judged_once_there_are_enough(worse, complaints, word):
    clicks = drawn(np.random.default_rng(12), 2000, (0.05, 0.05), 3)
    guarded = rates(np.full((3, 2), 2000), np.array([complaints, (0, 0), (0, 0)]), metric="complaints")
    plan = experiment(guards=(Guard(metric="complaints", worse=worse),))
    found = assess(plan, pd.concat([clicks, guarded]), after(clicks))
    assert found.verdict.word == word
    assert (found.guards[0].value is None) == (sum(complaints) < 25)


def test_an_arm_without_outcomes_has_no_effect_and_everything_can_be_written(tmp_path):
    registry, units = ExperimentRegistry(Settings(home=tmp_path)), np.full((8, 2), 500)
    for clicks in ((0, 20), (20, 0), (0, 0)):
        frame = rates(units, np.tile(clicks, (8, 1)))
        found = assess(experiment(guards=(Guard(metric="clicks", worse="lower"),)), frame, after(frame))
        assert found.verdict.word in ("running", "guardrail broken")
        registry.keep(found)
        assert registry.findings() == [found]
        json.dumps(asdict(found), allow_nan=False)


def test_a_wrong_sample_ratio_blocks_every_verdict():
    units = np.tile([5000.0, 5300.0], (1, 1))
    found = verdict(experiment(), rates(np.repeat(units, 14, axis=0), np.repeat(units * [0.05, 0.1], 14, axis=0)))
    assert found.word == "sample ratio mismatch"
    one_day = verdict(experiment(), rates(units, units * 0.05))
    assert "5,000 against 5,300" in one_day.reason
    assert "chi2 8.74, p 0.0031" in one_day.reason
    assert one_day.decided


def test_arms_that_differ_too_little_are_equivalent():
    # Twenty times the planned size shows that the effect is within 5%.
    frame = drawn(np.random.default_rng(3), 24_000, (0.05, 0.0505), 28)
    assert verdict(experiment(), frame).word == "equivalent"
    assert verdict(experiment(equivalence=0.005), frame).word != "equivalent"


def test_a_slow_arm_is_waited_for():
    """B is better by a fifth, and converts three days late."""
    rng, days = np.random.default_rng(4), 28
    units = np.full((days, 2), 2000)
    came = rng.binomial(units, (0.05, 0.06)).astype(float)

    def known(day):
        """What the table says at the end of a day: none yet of B's last three cohorts."""
        late = came[:day].copy()
        late[max(0, day - 3) :, 1] = 0
        return rates(units[:day], late)

    waited, hasty = (
        [str(verdict(experiment(conversion_days=wait), known(day))) for day in range(1, days + 1)] for wait in (3, 0)
    )
    assert "keep A" not in waited
    assert waited[-1] == "ship B"
    assert waited[:9] == ["withheld"] * 9
    assert "keep A" in hasty


def test_with_three_arms_the_best_is_shipped():
    rng = np.random.default_rng(5)
    plan = experiment(arms=THREE, rate=0.05)
    frame = drawn(rng, 2000, (0.05, 0.055, 0.065), 28, arms=("A", "B", "C"))
    found = assess(plan, frame, after(frame))
    assert str(found.verdict) == "ship C"
    assert sum(arm.best for arm in found.arms) == pytest.approx(1)
    close = verdict(plan, drawn(rng, 2000, (0.05, 0.0681, 0.068), 7, arms=("A", "B", "C")))
    assert close.word == "running"
    assert "may be best" in close.reason


def test_too_few_outcomes_give_no_effect():
    assert "too few outcomes" in verdict(experiment(), drawn(np.random.default_rng(6), 20, (0.05, 0.3), 14)).reason


def test_a_plan_grows_once_where_outcomes_are_rarer_than_expected():
    rng = np.random.default_rng(7)
    rare, common = (drawn(rng, 1200, (rate, rate), 28) for rate in (0.03, 0.08))
    grown, same = (assess(experiment(), frame, after(frame)) for frame in (rare, common))
    assert grown.resized
    assert 1.5 * 62_470 < grown.needed <= 2 * 62_470
    assert grown.days % 7 == 0
    assert str(grown.verdict) == "running"
    assert (same.resized, same.needed, same.days) == (False, 62_470, 28)


def test_fatigue_is_told_apart_from_the_season():
    units = np.full((28, 2), 20_000)
    season = 0.05 * (1 + 0.2 * np.sin(np.arange(28) * 2 * np.pi / 7))[:, None]
    rng = np.random.default_rng(8)
    tired = rates(units, rng.binomial(units, season * np.stack([np.ones(28), 1.3 * 0.98 ** np.arange(28)], axis=1)))
    steady = rates(units, rng.binomial(units, season * [1, 1.1]))
    (falling,), (flat,) = (assess(experiment(), frame, after(frame)).effects for frame in (tired, steady))
    assert falling.trend[2] < 0
    assert falling.trend[0] == pytest.approx(-0.02, abs=0.005)
    assert flat.trend[1] < 0 < flat.trend[2]


def test_the_days_show_exposure_effects_beliefs_and_regret():
    frame = drawn(np.random.default_rng(9), 1200, (0.05, 0.06), 28)
    found = assess(experiment(), frame, after(frame))
    assert len(found.daily) == 28
    assert found.daily[0].day == str(START)
    assert found.daily[-1].units == (33_600, 33_600)
    widths = [day.high[0] - day.low[0] for day in found.daily]
    assert widths[-1] < widths[13] < widths[6]
    regret = [day.regret for day in found.daily]
    assert regret == sorted(regret)
    assert regret[-1] == pytest.approx(33_600 * 0.01, rel=0.4)
    assert found.daily[-1].best[1] > 0.99


def test_missing_metrics_and_arms_are_named_with_those_found():
    frame = drawn(np.random.default_rng(10), 100, (0.05, 0.05), 7)
    with pytest.raises(LookupError, match=r"no row of metric 'orders'; found: clicks"):
        assess(experiment(metric="orders"), frame, after(frame))
    with pytest.raises(LookupError, match=r"no row of arm 'C'; found: A, B"):
        assess(experiment(arms=THREE), frame, after(frame))
