"""Fatigue of creatives: false alarms where none wears out, and days until one that does is found.

Simulated campaigns of six creatives with a weekly season, looked at once a day.
"""

from typing import Any

import numpy as np
from scipy.stats import binom

from components.params import load
from features.settings import Settings
from serving.decisions.params import Creatives
from serving.decisions.rules.fatigue import Daily, Fatigue, fatigue
from tests.benchmarks.ltv import PARAMS

SEED, CREATIVES, RATE = 17, 6, 0.02
DAYS, QUIET, LOOKED = 60, 100, 10
#: When a creative begins to decline, by how much a day, and how many campaigns have one.
BEGUN, DECLINE, WORN = 30, 0.03, 40
#: Impressions a day and creative: of the goal, and a tenth of them.
SHOWN = (20_000, 2_000)


def rows(settings: Settings) -> list[dict[str, Any]]:
    params = load(PARAMS).decisions.creatives
    about = {"seed": SEED}
    unit = f"of {CREATIVES} creatives, {RATE:.0%} clicks"
    quiet = [simulated(SHOWN[0], np.random.default_rng([SEED, one])) for one in range(QUIET)]
    weeks = QUIET * CREATIVES * (DAYS - LOOKED) / 7
    dipped = [simulated(SHOWN[0], np.random.default_rng([SEED, one]), dip=0.8) for one in range(QUIET)]
    found: list[dict[str, Any]] = [
        {
            "name": "creative.fatigue.false_alarms_per_100_weeks",
            "value": 100 * alarms(quiet, params) / weeks,
            "baseline": 100 * alarms(quiet, params, fixed) / weeks,
            "goal": "<= 1",
            "unit": f"alarms a creative, {weeks:,.0f} weeks {unit}; beside it a click rate 20% down for three days",
        },
        {
            "name": "creative.fatigue.dip_alarms",
            "value": alarms(dipped, params) - alarms(quiet, params),
            "baseline": alarms(dipped, params, fixed) - alarms(quiet, params, fixed),
            "goal": "<= 0",
            "unit": f"more alarms where the whole account is down 20% for three days, {QUIET} campaigns",
        },
    ]
    for shown in SHOWN:
        worn = [simulated(shown, np.random.default_rng([SEED, 1, one]), decline=DECLINE) for one in range(WORN)]
        delays = [delay(one, params) for one in worn]
        middle, low, high = np.quantile(delays, [0.5, 0.1, 0.9])
        name = "delay_days" if shown == SHOWN[0] else f"delay_days_{shown}_a_day"
        found.append(
            {
                "name": f"creative.fatigue.{name}",
                "value": float(middle),
                "low": float(low),
                "high": float(high),
                "goal": "<= 7" if shown == SHOWN[0] else "",
                "unit": f"days, median of {WORN} declines of {DECLINE:.0%} a day, {shown:,} impressions a day; 10-90%",
            }
        )
    return [{**one, **about} for one in found]


def simulated(shown: int, rng: np.random.Generator, decline: float = 0.0, dip: float = 1.0) -> Daily:
    """Weeks of a campaign; the first creative declines from a day on, all dip for three days.

    By quantiles, so that the same draws tell what a dip alone changes.
    """
    day = np.arange(DAYS)[:, None]
    rate = RATE * np.exp(rng.normal(0, 0.3, CREATIVES)) * (1 + 0.2 * np.sin(2 * np.pi * day / 7))
    rate[BEGUN:, 0] *= (1 - decline) ** np.arange(1, DAYS - BEGUN + 1)
    impressions = rng.poisson(shown, rate.shape)
    rate[40:43] *= dip
    clicks = binom.ppf(rng.random(rate.shape), impressions, rate)
    return Daily(impressions.astype(float), clicks, np.full(rate.shape, np.nan))


def ours(daily: Daily, params: Creatives) -> list[bool]:
    return [_worn(one, params) for one in fatigue(daily)]


def fixed(daily: Daily, params: Creatives) -> list[bool]:
    """The usual rule: a click rate at least 20% below that of the first week, three days in a row."""
    rate = daily.clicks / np.maximum(daily.impressions, 1)
    usual = daily.clicks[:7].sum(0) / daily.impressions[:7].sum(0)
    down: list[bool] = (rate[-3:] < 0.8 * usual).all(axis=0).tolist()
    return down


def alarms(campaigns: list[Daily], params: Creatives, rule: Any = ours) -> int:
    """Creatives that any daily look finds worn."""
    return sum(int(np.any([rule(_until(one, day), params) for day in _looks()], axis=0).sum()) for one in campaigns)


def delay(campaign: Daily, params: Creatives) -> int:
    """Days from the beginning of the decline to the first alarm; the days that were left where there was none."""
    looks = (day for day in _looks() if day > BEGUN and ours(_until(campaign, day), params)[0])
    return next(looks, DAYS) - BEGUN


def _worn(state: Fatigue, params: Creatives) -> bool:
    return state.evidence >= params.fatigue_days and state.drop >= params.fatigue_drop


def _looks() -> range:
    return range(LOOKED, DAYS + 1)


def _until(daily: Daily, day: int) -> Daily:
    return Daily(*(values[:day] for values in daily))
