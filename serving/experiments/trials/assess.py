"""Assess an experiment: from sums by day and arm to findings and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from serving.experiments.trials import shown
from serving.experiments.trials.beliefs import compared
from serving.experiments.trials.course import TrialCourse, counted, course
from serving.experiments.trials.experiment import WEEK, Experiment
from serving.experiments.trials.findings import Findings
from serving.experiments.trials.guards import judged
from serving.experiments.trials.posterior import Posterior
from serving.experiments.trials.resize import resized
from serving.experiments.trials.sample_ratio import SampleRatio, sample_ratio
from serving.experiments.trials.verdict import Effect, GuardEffect, Standing, TrialVerdict, verdict

Array = npt.NDArray[np.float64]
#: Standard errors that the control's mean must be above 0, so that a relative effect is defined.
CLEAR = 4.0


@dataclass(frozen=True)
class TrialState:
    """An experiment as it is looked at.

    Attributes:
        experiment: with the size that its first week called for.
        sums: of (days, arms) by metric, of exposures whose outcomes were waited for.
        exposed: units of (days, arms), counted until each day, waited for or not.
    """

    experiment: Experiment
    sums: Mapping[str, Mapping[str, Array]]
    exposed: Array
    start: pd.Timestamp
    ratio: SampleRatio

    @property
    def days(self) -> int:
        """Full days of exposures whose outcomes were waited for."""
        return len(self.sums[self.experiment.metric]["units"])


def assess(experiment: Experiment, daily: pd.DataFrame, as_of: pd.Timestamp, planned: bool = True) -> Findings:
    """Findings from the experiment's rows of `features.experiments.Trials.daily`.

    Args:
        as_of: outcomes are known until then.
        planned: whether the experiment was planned here, so that its size is known.

    Raises:
        LookupError: there is no row of the experiment's metric, of a guarded one or of an arm; names those found.
    """
    looked = _look(experiment, daily, as_of)
    guards = judged(looked.experiment, looked.sums) if looked.days else ()
    run = course(looked.experiment, looked.sums[experiment.metric], experiment.alpha) if looked.days >= WEEK else None
    beliefs = compared(looked.experiment, run.found, -1) if run is not None else None
    said = _verdict(looked, run, beliefs, guards)
    hidden = said.word in ("withheld", "sample ratio mismatch") or run is None or not run.known
    return Findings(
        name=experiment.name,
        metric=experiment.metric,
        planned=planned,
        state=experiment.state,
        as_of=str((as_of - pd.Timedelta(days=1)).date()),
        waited=len(looked.exposed) - looked.days,
        needed=looked.experiment.needed,
        days=looked.experiment.days,
        resized=looked.experiment != experiment,
        verdict=said,
        ratio=looked.ratio,
        guards=guards,
        per_day=float(looked.exposed[-1].sum() / len(looked.exposed)),
        spend=_spend(daily, len(looked.exposed)),
        **(
            shown.bare(experiment, looked.exposed, looked.start)
            if hidden or run is None or beliefs is None
            else shown.told(
                looked.experiment, looked.exposed, looked.start, looked.sums[experiment.metric], run, beliefs
            )
        ),
    )


def _look(experiment: Experiment, daily: pd.DataFrame, as_of: pd.Timestamp) -> TrialState:
    metrics = [experiment.metric, *(guard.metric for guard in experiment.guards)]
    for column, names in (("metric", metrics), ("arm", experiment.names)):
        found = sorted(set(daily[column]))
        missing = [f"'{name}'" for name in names if name not in found]
        if missing:
            raise LookupError(
                f"experiment {experiment.name}: the data have no row of {column} {', '.join(missing)}; "
                f"found: {', '.join(found) or 'none'}"
            )
    start, end = _span(experiment, daily, as_of)
    ripe = max(min(end, as_of - pd.Timedelta(days=experiment.conversion_days)), start)
    tables = {name: daily[daily["metric"] == name] for name in metrics}
    exposed = counted(tables[experiment.metric], experiment.names, start, end)["units"]
    ratio = sample_ratio(exposed, experiment.shares, experiment.days)
    sums = {name: counted(table, experiment.names, start, ripe) for name, table in tables.items()}
    return TrialState(resized(experiment, sums[experiment.metric]), sums, exposed, start, ratio)


def _span(experiment: Experiment, daily: pd.DataFrame, as_of: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First moment of the first day with exposures, and of the day after the last."""
    day = pd.Timedelta(days=1)
    start = pd.Timestamp(experiment.started_on or daily["day"].min())
    end = min(as_of, daily["day"].max() + day)
    if experiment.stopped_on is not None:
        end = min(end, pd.Timestamp(experiment.stopped_on) + day)
    if end <= start:
        raise LookupError(
            f"experiment {experiment.name}: the data have no exposure from {start.date()}, when it started, to "
            f"{as_of.date()}; their days are {daily['day'].min().date()} to {daily['day'].max().date()}"
        )
    return start, end


def _spend(daily: pd.DataFrame, days: int) -> float | None:
    """Spend a day, where the data tell it."""
    spent = daily[daily["metric"].isin(("spend", "cost"))]
    total = float(spent["total"].sum())
    return total / days if total > 0 else None


def _verdict(
    looked: TrialState, run: TrialCourse | None, beliefs: Posterior | None, guards: Sequence[GuardEffect]
) -> TrialVerdict:
    experiment = looked.experiment
    if run is None or beliefs is None:
        return verdict(experiment, Standing(looked.days, looked.ratio, guards))
    found = run.found
    clear = found.mean[-1, 0] > CLEAR * found.error[-1, 0]
    outcomes = found.total[-1] if experiment.rate is not None else found.units[-1]
    now = Standing(
        days=looked.days,
        ratio=looked.ratio,
        guards=guards,
        units=float(found.units[-1].sum()),
        outcomes=tuple(map(float, outcomes if clear else np.zeros_like(outcomes))),
        control=float(found.mean[-1, 0]),
        effects=[
            Effect(arm, float(run.effect[-1, at]), float(run.low[-1, at]), float(run.high[-1, at]))
            for at, arm in enumerate(experiment.names[1:])
        ],
        posterior=beliefs,
        at_plan=run.planned is not None,
        stopped=experiment.state == "stopped",
    )
    return verdict(experiment, now)
