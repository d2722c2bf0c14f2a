"""Experiments and their data, made for tests."""

from datetime import date

import numpy as np
import pandas as pd

from features.experiments import SUMS
from serving.experiments.trials.experiment import Arm, Experiment

START = date(2026, 3, 2)


def experiment(**changed):
    """Two arms of one half each, planned for 2 x 56,000 units in 28 days."""
    plan = {
        "name": "headline",
        "metric": "clicks",
        "arms": (Arm(name="A", share=0.5), Arm(name="B", share=0.5)),
        "lift": 0.1,
        "equivalence": 0.05,
        "rate": 0.05,
        "needed": 62_470,
        "days": 28,
        "layer": "headline",
        "planned_on": START,
        "started_on": START,
        "state": "running",
    }
    return Experiment(**(plan | changed))


def rates(units, totals, arms=("A", "B"), metric="clicks"):
    """Rows by day and arm as `features.experiments` reads them from a table of clicks.

    Args:
        units, totals: of (days, arms), of each day alone.
    """
    units, totals = (np.asarray(values, dtype=float) for values in (units, totals))
    days = pd.date_range(START, periods=len(units))
    frame = pd.DataFrame(
        {
            "metric": metric,
            "arm": np.tile(arms, len(days)),
            "day": np.repeat(days, len(arms)),
            **dict.fromkeys(SUMS, 0.0),
        }
    )
    told = {"units": units, "units_squares": units, "total": totals, "squares": totals, "cross": totals}
    return frame.assign(**{name: values.ravel() for name, values in told.items()})


def drawn(rng, daily, rate, days, arms=("A", "B"), metric="clicks"):
    """Clicks of `daily` units an arm and day at the rates of the arms."""
    units = np.full((days, len(arms)), daily)
    return rates(units, rng.binomial(units, rate), arms, metric)


def after(frame):
    """The moment after the last day."""
    return frame["day"].max() + pd.Timedelta(days=1)


def sums_of(rows):
    """Sums of (1, arms) of single units: a list of (values, before) by arm."""
    table = {name: [] for name in SUMS}
    for values, before in rows:
        ones = np.ones(len(values))
        pairs = {
            "units": (ones, ones), "units_squares": (ones, ones), "total": (values, ones),
            "squares": (values, values), "cross": (values, ones), "before": (before, ones),
            "before_squares": (before, before), "before_product": (before, values),
        }  # fmt: skip
        for name, (first, second) in pairs.items():
            table[name].append(float(first @ second))
    return {name: np.array([values]) for name, values in table.items()}
