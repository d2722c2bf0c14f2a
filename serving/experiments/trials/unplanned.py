"""Experiments that are in the data and were not planned here: what their plan would have been."""

from datetime import date

import pandas as pd

from features.experiments import Trials
from serving.experiments.trials.experiment import Arm, Experiment, full_weeks, size
from serving.experiments.trials.sample_size import ControlOutcome

#: Arms that others are compared with, by name; else the first in alphabetical order is.
CONTROLS = ("control", "baseline", "holdout", "random", "a", "0")
#: Relative effect that is taken to be worth finding.
LIFT = 0.1
#: By how much propensities of all arms may miss 1 in sum, to be taken as planned shares.
OFF = 0.01


def unplanned(name: str, trials: Trials, metric: str) -> Experiment | None:
    """An experiment by its rows of `Trials.daily`; None where it has one arm only, or nothing came of it.

    Shares are the propensities where these are of the arms; else those seen, and their ratio cannot be wrong.
    """
    rows = trials.daily[(trials.daily["experiment_id"] == name) & (trials.daily["metric"] == metric)]
    units, total = rows.groupby("arm")["units"].sum(), float(rows["total"].sum())
    units = units[units > 0]
    if len(units) < 2 or not 0 < total < units.sum():
        return None
    arms = sorted(units.index, key=lambda arm: (_order(arm), arm))
    told = pd.Series({arm: trials.propensities.get((name, arm), float("nan")) for arm in arms})
    shares = told if abs(told.sum() - 1) <= OFF and told.notna().all() else units[arms]
    shares = shares / shares.sum()
    rate, days = total / float(units.sum()), rows["day"].nunique()
    needed = size(ControlOutcome(rate), min(LIFT, 0.5 / rate - 0.5), tuple(shares), 0.05, 0.8)
    first, last = rows["day"].min(), rows["day"].max()
    over = last + pd.Timedelta(days=1) < trials.ends
    return Experiment(
        name=name,
        metric=metric,
        arms=tuple(Arm(name=arm, share=float(shares[arm])) for arm in arms),
        lift=LIFT,
        equivalence=LIFT / 2,
        rate=rate,
        needed=needed,
        days=full_weeks(needed, float(units.sum()) / days),
        layer=name,
        state="stopped" if over else "running",
        planned_on=_day(first),
        started_on=_day(first),
        stopped_on=_day(last) if over else None,
    )


def _order(arm: str) -> int:
    return CONTROLS.index(arm.casefold()) if arm.casefold() in CONTROLS else len(CONTROLS)


def _day(moment: pd.Timestamp) -> date:
    return moment.date()
