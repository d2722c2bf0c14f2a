"""The promise that every day is a good day to look."""

import numpy as np
import pandas as pd

from serving.experiments.trials.assess import assess
from tests.unit.serving.experiments.trials.made import after, drawn, experiment


def test_of_tests_without_an_effect_few_are_ever_declared():
    rng, tests, declared = np.random.default_rng(11), 30, 0
    for _ in range(tests):
        frame = drawn(rng, 1200, (0.05, 0.05), 28)
        declared += any(
            day.low[0] > 0 or day.high[0] < 0 for day in assess(experiment(), frame, after(frame)).daily[6:]
        )
    assert declared <= tests * 0.05 + 3 * (tests * 0.05 * 0.95) ** 0.5


def test_the_course_is_what_was_seen_on_each_day():
    frame = drawn(np.random.default_rng(12), 1200, (0.045, 0.05), 35)
    whole = assess(experiment(), frame, after(frame)).daily
    for days in (7, 13, 28, 30):
        end = frame["day"].min() + pd.Timedelta(days=days)
        seen = assess(experiment(), frame[frame["day"] < end], end)
        assert (seen.effects[0].low, seen.effects[0].high) == (whole[days - 1].low[0], whole[days - 1].high[0])
        assert seen.daily[-1].best == whole[days - 1].best
