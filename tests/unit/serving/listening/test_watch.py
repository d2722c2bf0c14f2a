"""Alarms on hourly counts: quiet series, rises, and the state that is kept."""

import numpy as np
import pytest

from serving.listening.watch import LEARNT, Alarm, BrandWatch, threshold
from tests.unit.serving.listening.heard import rhythm

#: The hour of Monday, 5 January 2026.
FIRST = 490_992
NEVER = 1e9


def watched(counts: np.ndarray, per_month: float = 1.0) -> list[Alarm]:
    watch = BrandWatch(FIRST)
    found = (watch.close(hour, per_month, None)[0] for hour in counts.tolist())
    return [alarm for alarm in found if alarm is not None]


def quiet(days: int, seed: int, base: float = 5.0) -> np.ndarray:
    """Counts by hour and quarter."""
    rng = np.random.default_rng(seed)
    return rng.poisson(np.repeat(rhythm(days, base) / 4, 4).reshape(-1, 4))


def test_mondays_and_nights_raise_no_alarm_once_they_are_known() -> None:
    assert [alarm for seed in range(2) for alarm in watched(quiet(42, seed))] == []


def test_a_burst_is_told_within_its_hour_and_once_a_day() -> None:
    counts = quiet(30, 1)
    at = 29 * 24 + 15  # a Tuesday
    counts[at : at + 3] += [10, 10, 10, 10]
    (alarm,) = watched(counts)
    assert (alarm.kind, alarm.hour, alarm.onset) == ("burst", FIRST + at, FIRST + at)
    assert alarm.voice <= 25
    assert alarm.expected == pytest.approx(rhythm(30)[at], rel=0.3)


def test_a_lasting_rise_is_told_too() -> None:
    counts = quiet(30, 2)
    begun = 28 * 24
    counts[begun:] = np.random.default_rng(3).poisson(np.repeat(2 * rhythm(30)[begun:] / 4, 4).reshape(-1, 4))
    first = watched(counts)[0]
    assert FIRST + begun <= first.hour <= FIRST + begun + 24


def test_a_level_that_moves_slowly_raises_no_more_alarms_than_stated() -> None:
    rng = np.random.default_rng(4)
    rates = rhythm(42) * np.exp(np.linspace(0, 1, 42 * 24))
    assert len(watched(rng.poisson(np.repeat(rates / 4, 4).reshape(-1, 4)))) <= 1


def test_nothing_is_told_while_it_learns() -> None:
    counts = quiet(13, 5)
    counts[-1] += 50
    assert watched(counts) == []
    assert LEARNT == 14 * 24


def test_a_lower_stated_rate_needs_more_evidence() -> None:
    counts = quiet(29, 6)
    counts[28 * 24 + 12] += [12, 0, 0, 0]
    (often,), (seldom,) = watched(counts, 1.0), watched(counts, 0.01)
    assert often.voice < seldom.voice
    assert threshold(0.01) == 100 * threshold(1.0)


def test_a_brand_that_hardly_anybody_complains_about_needs_more_than_two_voices() -> None:
    counts = np.zeros((40 * 24, 4), int)
    counts[::100, 1] = 1
    counts[-2, 0] = 2
    assert watched(counts) == []
    counts[-2, 0] = 12
    assert len(watched(counts)) == 1


def test_the_state_is_kept_as_text_and_goes_on_the_same() -> None:
    counts = quiet(21, 7).tolist()
    one = BrandWatch(FIRST)
    for hour in counts[:-24]:
        one.close(hour, 1.0, "Europe/Berlin")
    other = BrandWatch.from_json(one.to_json())
    for hour in counts[-24:]:
        assert one.close(hour, 1.0, "Europe/Berlin") == other.close(hour, 1.0, "Europe/Berlin")
    assert one.to_json() == other.to_json()


def test_the_statistic_of_a_true_forecast_grows_by_one_an_hour_on_average() -> None:
    """What bounds the rate of false alarms: the mean over many series of hours passed."""
    reached = []
    for seed in range(12):
        rng = np.random.default_rng([8, seed])
        watch = BrandWatch(FIRST)
        for hour in rng.poisson(1.25, (LEARNT + 48, 4)).tolist():
            watch.close(hour, 1 / NEVER, None)
        reached.append(watch.statistics.mean())
    assert np.mean(reached) < 1.5 * 48
