"""Better or equal goes on, worse rolls back, and chance alone does not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from models.evaluation.bootstrap import gains_by_chance
from models.evaluation.labels import macro_f1
from models.evaluation.metrics import Metric, auc
from serving.rollout import judge
from serving.rollout.judge import LabelledAnswers, Side
from serving.rollout.plan import Plan, Tolerance

TOLERANCE = Tolerance(errors=0.01, latency_ratio=1.5, latency_floor_ms=5, shift=0.2, outcome=0.0)
METRIC = auc("churned", "probability")


def attempts(count: int, failed: int = 0, slower: float = 1.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ok = np.ones(count, dtype=bool)
    ok[:failed] = False
    return pd.DataFrame({"ok": ok, "latency_ms": slower * rng.lognormal(2, 0.5, count)})


def answered(count: int, skill: float, seed: int) -> LabelledAnswers:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, count)
    scores = 1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(0, 1, count))))
    return LabelledAnswers(pd.DataFrame({"churned": truth}), pd.DataFrame({"probability": scores}))


def verdict(canary: Side, champion: Side, ours: LabelledAnswers, theirs: LabelledAnswers) -> judge.CanaryVerdict:
    pair = ours.answers["probability"], theirs.answers["probability"]
    return judge.at_end(canary, champion, pair, (ours, theirs), METRIC, TOLERANCE)


@pytest.mark.parametrize("seed", range(5))
def test_an_equal_canary_goes_on(seed: int) -> None:
    canary, champion = Side.of(attempts(200, 1, seed=seed)), Side.of(attempts(1800, 5, seed=seed + 100))
    found = verdict(canary, champion, answered(600, 1.5, seed), answered(900, 1.5, seed + 100))
    assert found.decision == "go on", found.reason


def test_a_better_canary_goes_on_though_its_answers_move_a_little() -> None:
    side = Side.of(attempts(500))
    assert verdict(side, side, answered(900, 1.9, 1), answered(900, 1.5, 2)).decision == "go on"


def labelled(count: int, seed: int) -> LabelledAnswers:
    """Texts of two frequent labels and forty rare ones, one in three of them labelled wrong."""
    rng = np.random.default_rng(seed)
    shares = np.r_[0.45, 0.45, np.full(40, 0.0025)]
    truth, wrong = (rng.choice(len(shares), count, p=shares).astype(str) for _ in range(2))
    said = np.where(rng.random(count) < 1 / 3, wrong, truth)
    return LabelledAnswers(pd.DataFrame({"label": truth}), pd.DataFrame({"label": said}))


def test_an_equal_canary_of_rare_labels_is_rarely_called_worse() -> None:
    """Few requests hold few rare labels, so that their mean F1 varies more than those requests tell by themselves."""
    metric = macro_f1("label", lambda truth: np.ones(len(truth), dtype=bool))
    found = [judge.gain(metric, labelled(200, seed), labelled(2000, 1000 + seed)) for seed in range(40)]
    assert sum(one.high < 0 for one in found) <= 3  # .4 are expected, more than 3 come once in a thousand times
    one = labelled(200, 7)
    worse = LabelledAnswers(one.truth, pd.DataFrame({"label": ["0"] * 200}))
    assert judge.gain(metric, worse, labelled(2000, 8)).high < 0


def test_units_stay_together_where_rows_are_dealt_anew() -> None:
    """Of twenty episodes a side whose rows are alike, chance moves whole ones: as far as it moves their means."""
    rng, metric = np.random.default_rng(3), replace(_mean(), unit="episode")
    sides = [
        pd.DataFrame({"episode": np.repeat(np.arange(20), 50), "worth": np.repeat(rng.normal(0, 1, 20), 50)})
        for _ in "ab"
    ]
    apart = gains_by_chance(metric, (sides[0], sides[0]), (sides[1], sides[1]), 0)
    means = np.concatenate([side.groupby("episode")["worth"].mean() for side in sides])
    assert apart.std() == pytest.approx(means.std() * (2 / 20) ** 0.5, rel=0.15)


def _mean() -> Metric:
    """The mean worth of the drawn episodes."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Any) -> Any:
        worth = truth.groupby("episode")["worth"].mean().to_numpy()
        return weights @ worth / weights.sum(axis=1)

    return Metric("worth", lambda truth, _: float(truth["worth"].mean()), resample=resample)


def test_failures_roll_back_and_at_once() -> None:
    champion = Side.of(attempts(500))
    assert "errors" in str(judge.while_waiting(Side.of(attempts(5, 5)), champion, TOLERANCE))
    final = verdict(Side.of(attempts(200, 12)), champion, answered(300, 1.5, 1), answered(300, 1.5, 2))
    assert final.decision == "roll back"
    assert "12 of the canary's 200 requests failed" in final.reason


def test_one_failure_in_two_hundred_is_chance() -> None:
    champion = Side.of(attempts(500))
    assert judge.while_waiting(Side.of(attempts(200, 1)), champion, TOLERANCE) is None


def test_what_clients_do_wrong_to_both_is_not_the_canarys_fault() -> None:
    canary, champion = Side.of(attempts(200, 40)), Side.of(attempts(1000, 200))
    assert judge.while_waiting(canary, champion, TOLERANCE) is None


def test_a_slow_canary_rolls_back() -> None:
    champion = Side.of(attempts(500))
    slow = Side.of(attempts(200, slower=4, seed=1))
    assert "latency" in verdict(slow, champion, answered(300, 1.5, 1), answered(300, 1.5, 2)).reason
    crawling = Side.of(attempts(40, slower=50, seed=1))
    assert "latency" in str(judge.while_waiting(crawling, champion, TOLERANCE))


def test_a_few_slow_requests_do_not_make_a_slow_canary() -> None:
    seen = attempts(200)
    seen.loc[:8, "latency_ms"] = 400.0  # 4.5%: the 95th percentile is near them, and its range holds both
    assert (
        verdict(Side.of(seen), Side.of(attempts(900)), answered(300, 1.5, 1), answered(300, 1.5, 2)).decision == "go on"
    )


def test_shifted_answers_roll_back_whatever_they_are_worth() -> None:
    side, theirs = Side.of(attempts(500)), answered(500, 1.5, 1)
    moved = LabelledAnswers(theirs.truth, theirs.answers**0.2)
    found = verdict(side, side, moved, theirs)
    assert found.decision == "roll back"
    assert found.figures["shift"] > 0.3
    assert "shifted" in found.reason


def test_a_canary_worth_less_rolls_back() -> None:
    side = Side.of(attempts(500))
    found = verdict(side, side, answered(800, 0.2, 1), answered(800, 1.8, 2))
    assert found.decision == "roll back"
    assert found.figures["auc"]["gain"] < -0.1
    assert "auc" in found.reason


def test_without_outcomes_the_rest_decides() -> None:
    side, known = Side.of(attempts(500)), answered(300, 1.5, 1)
    none = LabelledAnswers(known.truth.head(0), known.answers.head(0))
    found = judge.at_end(side, side, (known.answers["probability"],) * 2, (none, none), METRIC, TOLERANCE)
    assert found.decision == "go on"
    assert "auc" not in found.figures


def test_answers_that_are_all_missing_are_a_shift() -> None:
    assert judge.distance(pd.Series([np.nan] * 50), pd.Series(np.arange(50.0))) == (1.0, 0.0)


def test_ranks_among_next_to_nothing_are_no_shift_and_a_small_move_of_all_is_one() -> None:
    rng = np.random.default_rng(3)
    worth = np.where(rng.random(1000) < 0.6, 0.0, rng.lognormal(4, 1, 1000))
    champion, canary = pd.Series(worth + 0.02), pd.Series(worth + 0.07)
    shift, noise = judge.distance(canary, champion)
    assert shift < 0.02 < noise
    assert judge.distance(champion, canary)[0] < 0.02
    assert judge.distance(pd.Series(worth + 5.0), champion)[0] > 0.5
    assert judge.distance(champion, pd.Series(worth * 10 + 0.02))[0] > 0.2


@pytest.mark.parametrize("sizes", [(300, 400), (50, 50)])
def test_far_apart_it_is_the_distance_of_kolmogorov_and_smirnov(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    a, b = (pd.Series(rng.normal(100 * mean, 300, size)) for mean, size in zip((0, 3), sizes, strict=True))
    assert judge.distance(a, b)[0] == pytest.approx(ks_2samp(a, b).statistic, abs=0.03)


@pytest.mark.parametrize("steps", [(10, 50), (50, 10, 100), (10, 10, 100), (100,), ()])
def test_a_plan_rises_to_all_traffic(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="steps"):
        Plan(steps=steps, min_requests=10, step_timeout_s=1, tolerance=TOLERANCE)


def bids(count: int, worth: float, seed: int) -> pd.DataFrame:
    """Bids that cost 1 on average; one in ten converts, for ten times `worth`."""
    rng = np.random.default_rng(seed)
    converted = rng.random(count) < 0.1
    value = converted * 10 * worth * rng.lognormal(0, 0.3, count) / np.exp(0.045)
    return pd.DataFrame({"cost": rng.uniform(0.5, 1.5, count), "value": value, "conversions": converted.astype(int)})


def test_bids_that_bring_less_for_their_money_roll_back() -> None:
    side, answers = Side.of(attempts(500)), (pd.Series(dtype=float),) * 2
    none = (LabelledAnswers(pd.DataFrame(), pd.DataFrame()),) * 2
    for worth, decision in ((0.5, "roll back"), (1.0, "go on"), (1.5, "go on")):
        spent = bids(2000, worth, 1), bids(2000, 1.0, 2)
        found = judge.at_end(side, side, answers, none, METRIC, TOLERANCE, spent)
        assert found.decision == decision, found.reason
        assert found.figures["value_per_spend"]["gain"] == pytest.approx(worth - 1, abs=0.2)
    few = bids(100, 0.1, 3), bids(100, 1.0, 4)
    assert judge.at_end(side, side, answers, none, METRIC, TOLERANCE, few).decision == "go on"


def test_the_interval_of_value_per_spend_holds_the_truth() -> None:
    held = 0
    for seed in range(200):
        found = judge.returns(bids(600, 1.2, seed), bids(900, 1.0, 1000 + seed))
        held += found.low < 0.2 < found.high
    assert 0.9 < held / 200 < 0.99
