"""Experiments looked at daily for four weeks: how often an effect is declared where there is none, and found where
there is one, beside GrowthBook's sequential test and the plain t-test on the first of the same experiments.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from features.experiments import SUMS
from features.settings import Settings
from serving.experiments.trials.confidence_sequence import Bounds
from serving.experiments.trials.course import course
from serving.experiments.trials.experiment import WEEK, Arm, Experiment, full_weeks, size
from serving.experiments.trials.sample_ratio import sample_ratio
from serving.experiments.trials.sample_size import ControlOutcome

TESTS, PEERS, SEED = 4000, 1000, 0
#: Units an arm and day, and the control's rate; the plan of a 10% lift ends with the fourth week.
DAILY, RATE, LIFT = 1200, 0.05, 0.1
SHARES, ALPHA, POWER = (0.5, 0.5), 0.05, 0.8
NEEDED = size(ControlOutcome(RATE), LIFT, SHARES, ALPHA, POWER)
DAYS = full_weeks(NEEDED, 2 * DAILY)

Array = npt.NDArray[np.float64]


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Shares of the tests; looks begin with the first full week, for all alike."""
    rng = np.random.default_rng(SEED)
    same, better = _drawn(rng, RATE), _drawn(rng, RATE * (1 + LIFT))
    about = f"share of {TESTS} tests, baseline of {PEERS}; {DAILY} units an arm and day at {RATE:.0%} for {DAYS} days"
    peers = f"share of {PEERS} tests declared by the plain t-test at 5%, looked at as often; normal interval"
    told = {"unit": f"{about}; normal interval", "seed": SEED}
    bounds = _bounds(same)
    yield {
        "name": "creative.aa.false_positive",
        **_share(((bounds.low > 0) | (bounds.high < 0)).any(axis=1)),
        "baseline": float(_growthbook(same).mean()),
        "goal": "<= .05",
    } | told
    yield {"name": "creative.aa.daily_t_test", **_share(_growthbook(same, plain=True))} | told | {"unit": peers}
    accused = np.array([sample_ratio(units, SHARES, DAYS).mismatch for units in _ratios(rng)])
    yield {"name": "creative.aa.ratio_alarms", **_share(accused), "goal": "<= .05"} | told
    rival, found = _growthbook(better), _bounds(better).low > 0
    yield (
        {
            "name": "creative.aa.power",
            **_share(found.any(axis=1)),
            "baseline": float(rival.mean()),
            "goal": ">= .75",
        }
        | told
        | {"unit": f"{about}, lift {LIFT:.0%} found; normal interval"}
    )
    yield (
        {
            "name": "creative.aa.power_by_half",
            **_share(found[:, : DAYS // 2 - WEEK + 1].any(axis=1)),
            "baseline": float(_growthbook(better, days=DAYS // 2).mean()),
        }
        | told
        | {"unit": f"{about}, lift {LIFT:.0%} found in half of the days; normal interval"}
    )


def _drawn(rng: np.random.Generator, second: float) -> Array:
    """Outcomes of (tests, days, arms), counted until each day."""
    found: Array = rng.binomial(DAILY, (RATE, second), (TESTS, DAYS, 2)).cumsum(axis=1).astype(float)
    return found


def _ratios(rng: np.random.Generator) -> Iterator[Array]:
    """Units of (days, arms) of sound experiments."""
    for _ in range(TESTS):
        first = rng.binomial(2 * DAILY, SHARES[0], DAYS)
        yield np.stack([first, 2 * DAILY - first], axis=1).cumsum(axis=0).astype(float)


def _bounds(outcomes: Array) -> Bounds:
    """Of the effect, of (tests, days) from the first full week on."""
    plan = Experiment(
        name="a_a",
        metric="clicks",
        arms=(Arm(name="A", share=SHARES[0]), Arm(name="B", share=SHARES[1])),
        lift=LIFT,
        equivalence=LIFT / 2,
        rate=RATE,
        needed=NEEDED,
        days=DAYS,
        layer="a_a",
        planned_on=date(2026, 3, 2),
    )
    units = np.repeat(np.arange(1, DAYS + 1)[:, None] * float(DAILY), 2, axis=1)
    low, high = [], []
    for total in outcomes:
        sums = dict.fromkeys(SUMS, np.zeros_like(units))
        sums |= dict.fromkeys(("units", "units_squares"), units) | dict.fromkeys(("total", "squares", "cross"), total)
        found = course(plan, sums, ALPHA)
        low.append(found.low[WEEK - 1 :, 0])
        high.append(found.high[WEEK - 1 :, 0])
    return Bounds(np.array(low), np.array(high))


def _growthbook(outcomes: Array, plain: bool = False, days: int = DAYS) -> npt.NDArray[np.bool_]:
    """Whether gbstats declares an effect on some day, with its defaults."""
    from gbstats.frequentist.tests import SequentialTwoSidedTTest, TwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    test = TwoSidedTTest if plain else SequentialTwoSidedTTest

    def declared(day: int, total: Array) -> bool:
        arms = [ProportionStatistic(n=DAILY * (day + 1), sum=int(count)) for count in total]
        return bool(test(*arms).compute_result().p_value < ALPHA)

    return np.array([any(declared(day, one[day]) for day in range(WEEK - 1, days)) for one in outcomes[:PEERS]])


def _share(found: npt.NDArray[np.bool_]) -> dict[str, float]:
    share = float(found.mean())
    half = 1.96 * (share * (1 - share) / len(found)) ** 0.5
    return {"value": share, "low": share - half, "high": share + half}
