"""Look at experiments: read their data, assess them and keep the findings."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from features import experiments as data
from features import sources
from features.experiments import Trials
from features.records import DECISIONS, recorded
from features.schema import Schema
from features.settings import Settings
from features.tables import Tables
from models.evaluation.personalisation import personalisation
from serving.decisions import outcomes
from serving.experiments.trials.assess import assess
from serving.experiments.trials.experiment import Experiment
from serving.experiments.trials.findings import Findings
from serving.experiments.trials.registry import ExperimentRegistry
from serving.experiments.trials.unplanned import unplanned

#: What decides in experiments that were not planned here.
METRIC = "clicks"
SEED = 0


def look(
    experiment: Experiment, source: str | None, schema: Schema, settings: Settings, as_of: pd.Timestamp | None = None
) -> Findings:
    """Assess a started experiment and keep the findings.

    Args:
        source: folder of tables with `exposures` or `impressions`; None reads the decision log of the home.
        as_of: outcomes are known until then; by default the end of the data.

    Raises:
        LookupError: the experiment did not start, or the data do not have it, its arms or its metrics.
    """
    if experiment.started_on is None:
        raise LookupError(f"experiment '{experiment.name}' is planned only: adloop experiment start {experiment.name}")
    if source is None:
        found, units = _decided(experiment, settings), None
    else:
        with _tables(source, schema, settings) as tables:
            found, units = _exposed(experiment, tables)
    found_of_it = assess(experiment, found.daily, as_of or found.ends)
    if units is not None and experiment.attributes and found_of_it.verdict.decided and found_of_it.effects:
        personal = personalisation(units, "arm", experiment.metric, experiment.attributes, SEED)
        found_of_it = replace(found_of_it, personal=str(personal))
    ExperimentRegistry(settings).keep(found_of_it)
    return found_of_it


def look_at_all(tables: Tables, settings: Settings) -> tuple[list[Findings], list[str]]:
    """Assess every experiment in the table `impressions`, planned here or not, and keep the findings.

    Returns them, and why others could not be assessed. Raises `LookupError` where the table holds no experiment.
    """
    trials, registry = data.of_impressions(tables), ExperimentRegistry(settings)
    planned = {one.name: one for one in registry.experiments() if one.started_on is not None}
    found, notes = [], []
    for name, daily in trials.daily.groupby("experiment_id"):
        known = planned.get(str(name))
        experiment = known or unplanned(str(name), trials, METRIC)
        if experiment is None:
            notes.append(f"experiment {name}: it has one arm only, or no {METRIC} yet")
            continue
        try:
            found.append(assess(experiment, daily, trials.ends, planned=known is not None))
        except LookupError as missing:  # the others are assessed all the same
            notes.append(str(missing))
            continue
        registry.keep(found[-1])
    return found, notes


@contextmanager
def _tables(source: str, schema: Schema, settings: Settings) -> Iterator[Tables]:
    with tempfile.TemporaryDirectory(prefix="adloop-") as folder:
        sources.read([source], Path(folder), settings, schema)
        yield Tables(Path(folder), settings.limits)


def _exposed(experiment: Experiment, tables: Tables) -> tuple[Trials, pd.DataFrame | None]:
    """The experiment in the table of its units, or in that of impressions."""
    metrics = [experiment.metric, *(guard.metric for guard in experiment.guards)]
    if "exposures" in tables.names:
        found, units = data.of_exposures(tables, experiment.name, metrics), data.units(tables, experiment.name)
    elif "impressions" in tables.names:
        found, units = data.of_impressions(tables), None
        found = replace(found, daily=found.daily[found.daily["experiment_id"] == experiment.name])
    else:
        there = ", ".join(tables.names)
        raise LookupError(
            f"the data have no table of exposures or impressions; found: {there}. A schema file may say which file "
            "it is: adloop check --help"
        )
    if not len(found.daily):
        raise LookupError(f"the data have no row of experiment '{experiment.name}' (column experiment_id)")
    return found, units


def _decided(experiment: Experiment, settings: Settings) -> Trials:
    """The decisions since the start, by their arm."""
    since = pd.Timestamp(str(experiment.started_on), tz="UTC").timestamp()
    try:
        joined = outcomes.joined(recorded(settings) / DECISIONS, since)
    except FileNotFoundError:
        raise LookupError(
            f"no decision is logged in {settings.home}: --data DIR names a folder with the data"
        ) from None
    if experiment.campaign_id is not None:
        joined = joined[joined["campaign_id"] == experiment.campaign_id]
    found = data.of_decisions(joined[joined["arm"].isin(experiment.names)], experiment.name)
    if not len(found.daily):
        raise LookupError(
            f"no decision of the arms {', '.join(experiment.names)} has known outcomes since {experiment.started_on}: "
            "report outcomes to /v1/outcomes, or name a folder with the data by --data DIR"
        )
    return found
