"""A creative that wears out is found within days; what happens to all, or by chance, is not taken for it."""

import numpy as np
import pytest

from serving.decisions.rules.fatigue import Daily, Fatigue, expected, fatigue

#: Impressions a day and creative.
SHOWN = 20_000


def market(
    days: int, seed: int, declines: tuple[float, int] | None = None, dip: float = 1.0, noise: float = 0.0
) -> Daily:
    """Six creatives with a weekly season; the first may decline a day from a day on, and all dip for three days."""
    rng = np.random.default_rng(seed)
    day = np.arange(days)[:, None]
    rate = 0.02 * np.exp(rng.normal(0, 0.3, 6)) * (1 + 0.2 * np.sin(2 * np.pi * day / 7))
    rate = rate * np.exp(rng.normal(0, noise, (days, 6)))
    if declines is not None:
        decline, begun = declines
        rate[begun:, 0] *= (1 - decline) ** np.arange(1, days - begun + 1)
    rate[days - 12 : days - 9] *= dip
    impressions = rng.poisson(SHOWN, (days, 6)).astype(float)
    return Daily(impressions, rng.binomial(impressions.astype(int), rate).astype(float), np.full((days, 6), np.nan))


def until(daily: Daily, days: int) -> Daily:
    return Daily(*(values[:days] for values in daily))


def worn(state: Fatigue) -> bool:
    return state.evidence > 700 and state.drop > 0.1


def first_alarms(daily: Daily) -> dict[int, int]:
    """By the place of a creative that was ever worn, the days after which it was."""
    looks = {days: fatigue(until(daily, days)) for days in range(len(daily.clicks), 9, -1)}
    return {place: days for days, found in looks.items() for place, one in enumerate(found) if worn(one)}


@pytest.mark.parametrize("seed", range(4))
def test_a_decline_of_three_percent_a_day_is_found_within_a_week_and_no_other(seed: int) -> None:
    daily = market(50, seed, declines=(0.03, 30))
    assert 30 < first_alarms(daily)[0] <= 38
    last = fatigue(daily)
    assert last[0].drop == pytest.approx(1 - 0.97**20, abs=0.15) and 12 <= last[0].since <= 28
    assert not any(worn(one) for one in last[1:])


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_holiday_of_the_whole_account_and_a_noisy_season_alarm_no_more_than_promised(noise: float) -> None:
    markets = [market(60, seed, dip=0.8, noise=noise) for seed in range(4)]
    alarms = sum(len(first_alarms(daily)) for daily in markets)
    assert alarms <= 4 * 6 * 60 / 700


def test_what_is_expected_follows_the_others() -> None:
    daily = market(40, 1, dip=0.5)
    relative = expected(daily, 0) / daily.impressions[:, 0]
    assert relative[28:31].mean() < 0.65 * relative[10:24].mean()


def test_a_decline_that_goes_along_with_frequency_says_so() -> None:
    daily = market(50, 2)
    frequency = np.ones_like(daily.clicks)
    frequency[25:, 0] = np.linspace(1.2, 5, 25)
    clicks = np.random.default_rng(3).binomial(SHOWN, 0.02 * frequency**-0.4).astype(float)
    seen = fatigue(Daily(daily.impressions, clicks, frequency))[0]
    assert seen.evidence > 700 and seen.by_frequency is not None and seen.by_frequency > 0.6
    steady = market(50, 2, declines=(0.03, 25))
    frequency[:] = 1 + 0.1 * np.random.default_rng(4).random(frequency.shape)
    other = fatigue(Daily(steady.impressions, steady.clicks, frequency))[0]
    assert other.by_frequency is not None and other.by_frequency < 0.3


def test_a_new_creative_one_alone_and_one_never_clicked_have_no_sign() -> None:
    daily = market(40, 1)
    daily.impressions[:35, 0] = daily.clicks[:35, 0] = 0
    daily.clicks[:, 1] = 0
    found = fatigue(daily)
    assert found[0].evidence == 0 and found[1].evidence < 700
    alone = Daily(*(values[:, 2:3] for values in daily))
    assert np.isfinite(fatigue(alone)[0].evidence)
