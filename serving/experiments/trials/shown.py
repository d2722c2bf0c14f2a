"""What is shown of an experiment: everything, or only its exposure while its results are withheld."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from serving.experiments.trials.beliefs import compared
from serving.experiments.trials.course import TrialCourse
from serving.experiments.trials.experiment import WEEK, Experiment
from serving.experiments.trials.findings import ArmFinding, DailyFinding, EffectFinding
from serving.experiments.trials.moments import effects, moments
from serving.experiments.trials.posterior import Posterior
from serving.experiments.trials.trend import trends

Array = npt.NDArray[np.float64]


class Shown(TypedDict):
    """The fields of `Findings` that results may be withheld from."""

    arms: tuple[ArmFinding, ...]
    effects: tuple[EffectFinding, ...]
    daily: tuple[DailyFinding, ...]
    saved: float


def bare(experiment: Experiment, exposed: Array, start: pd.Timestamp) -> Shown:
    """Exposure alone, of units of (days, arms) counted until each day."""
    arms = [
        ArmFinding(arm.name, arm.share, float(units)) for arm, units in zip(experiment.arms, exposed[-1], strict=True)
    ]
    days = pd.date_range(start, periods=len(exposed))
    daily = [DailyFinding(str(day.date()), _plain(units)) for day, units in zip(days, exposed, strict=True)]
    return {"arms": tuple(arms), "effects": (), "daily": tuple(daily), "saved": 0.0}


def told(
    experiment: Experiment,
    exposed: Array,
    start: pd.Timestamp,
    sums: Mapping[str, Array],
    run: TrialCourse,
    beliefs: Posterior,
) -> Shown:
    """All findings."""
    return {
        "arms": _arms(experiment, exposed, run, beliefs),
        "effects": _effects(experiment, sums, run, beliefs),
        "daily": _daily(experiment, exposed, start, sums, run, beliefs),
        "saved": float(run.found.saved[-1]),
    }


def _arms(experiment: Experiment, exposed: Array, run: TrialCourse, beliefs: Posterior) -> tuple[ArmFinding, ...]:
    found = run.found
    return tuple(
        ArmFinding(
            name=arm.name,
            share=arm.share,
            units=float(exposed[-1, at]),
            total=float(found.total[-1, at]),
            mean=float(found.mean[-1, at]),
            error=float(found.error[-1, at]),
            best=beliefs.best[at],
            loss=beliefs.loss[at],
        )
        for at, arm in enumerate(experiment.arms)
    )


def _effects(
    experiment: Experiment, sums: Mapping[str, Array], run: TrialCourse, beliefs: Posterior
) -> tuple[EffectFinding, ...]:
    changing = trends(sums)
    return tuple(
        EffectFinding(
            arm=arm,
            value=float(run.effect[-1, at]),
            error=float(run.error[-1, at]),
            low=float(run.low[-1, at]),
            high=float(run.high[-1, at]),
            equivalent=beliefs.equivalent[at],
            trend=changing[at],
        )
        for at, arm in enumerate(experiment.names[1:])
    )


def _daily(
    experiment: Experiment,
    exposed: Array,
    start: pd.Timestamp,
    sums: Mapping[str, Array],
    run: TrialCourse,
    beliefs: Posterior,
) -> tuple[DailyFinding, ...]:
    """Day by day. Days whose outcomes are still waited for, or without an interval, have their exposure only."""
    found = list(bare(experiment, exposed, start)["daily"])
    recent, _ = effects(moments({name: _of_a_week(values) for name, values in sums.items()}))
    regret = run.found.units @ np.asarray(beliefs.loss)
    for at in np.flatnonzero(np.isfinite(run.low + run.effect).all(axis=1)):
        found[at] = DailyFinding(
            day=found[at].day,
            units=found[at].units,
            effect=_plain(run.effect[at]),
            low=_plain(run.low[at]),
            high=_plain(run.high[at]),
            recent=_plain(recent[at]) if at >= WEEK - 1 and np.isfinite(recent[at]).all() else (),
            best=compared(experiment, run.found, int(at)).best,
            regret=float(regret[at]),
        )
    return tuple(found)


def _of_a_week(sums: Array) -> Array:
    """Sums of the last seven days alone, from sums counted until each day."""
    earlier = np.zeros_like(sums)
    earlier[WEEK:] = sums[:-WEEK]
    return sums - earlier


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(map(float, values))
