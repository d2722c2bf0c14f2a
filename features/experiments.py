"""Experiments in the data: what each arm was shown and what came of it, as sums by day.

Three tables can hold an experiment: `impressions` (totals of creatives, with `experiment_id` and `arm`), `exposures` (a
row a randomised unit), and decisions joined with their outcomes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pandas as pd

from features.database import connect
from features.tables import Tables, literal, quoted

#: Sums over the rows of one day, arm and metric. A row has `units` (1 where a row is a unit), the metric's `total`, and
#: the `before` that its unit showed before the experiment (0 where the table has none).
SUMS: Mapping[str, str] = {
    "units": "sum(units)",
    "units_squares": "sum(units * units)",
    "total": "sum(total)",
    "squares": "sum(total * total)",
    "cross": "sum(units * total)",
    "before": "sum(before)",
    "before_squares": "sum(before * before)",
    "before_product": "sum(before * total)",
}
#: Metrics of `impressions` that count at most one for each impression: as sums of single impressions they are exact.
RATES = ("clicks", "conversions", "engagements")
_OF_RATES = {**SUMS, "units_squares": "sum(units)", "squares": "sum(total)", "cross": "sum(total)"}
#: Metrics of decisions.
DECIDED = ("click", "conversions", "value", "cost")
KEYS = ("experiment_id", "metric", "arm", "day")


@dataclass(frozen=True)
class Trials:
    """Experiments found in one place.

    Attributes:
        daily: columns `KEYS` and `SUMS`, a row a day, arm and metric; days are UTC dates of the exposure.
        propensities: mean propensity by (`experiment_id`, `arm`), where the table tells it.
        ends: the day after the last row of the whole table: outcomes are known up to it.
    """

    daily: pd.DataFrame
    propensities: Mapping[tuple[str, str], float]
    ends: pd.Timestamp


def of_impressions(tables: Tables) -> Trials:
    """All experiments in the table `impressions`, by every metric that it has. A unit is an impression."""
    there = tables.columns("impressions")
    missing = [name for name in ("experiment_id", "arm") if name not in there]
    if missing:
        raise LookupError(f"table 'impressions': no column {' and '.join(missing)}, so that it holds no experiment")
    metrics = [name for name in (*RATES, "spend") if name in there]
    with tables.connect() as db:
        return _trials(db, tables.sql("impressions"), metrics, units="impressions", propensity="propensity" in there)


def of_exposures(tables: Tables, experiment_id: str, metrics: Sequence[str]) -> Trials:
    """One experiment in the table `exposures`, where a row is a unit.

    Raises:
        LookupError: the experiment, or the column of a metric, is not there; names those that are.
        ValueError: a unit is there twice, so that it may have seen two arms.
    """
    there = tables.columns("exposures")
    missing = [name for name in metrics if name not in there]
    if missing:
        raise LookupError(f"table 'exposures': no column {', '.join(missing)}; it has {', '.join(there)}")
    with tables.connect() as db:
        rows = f"(SELECT * FROM {tables.sql('exposures')} WHERE experiment_id = {literal(experiment_id)})"
        twice = f"SELECT unit_id, count(*) FROM {rows} GROUP BY unit_id HAVING count(*) > 1 ORDER BY unit_id LIMIT 1"
        for unit, count in db.execute(twice).fetchall():
            raise ValueError(f"table 'exposures', column 'unit_id': '{unit}' is in {experiment_id} {count} times")
        before = "before" if "before" in there else None
        return _trials(db, rows, metrics, before=before, propensity="propensity" in there)


def of_decisions(joined: pd.DataFrame, experiment_id: str) -> Trials:
    """Decisions with their outcomes, as `serving.decisions.outcomes.joined` gives them. A unit is a decision."""
    with _registered(joined[joined["known"]]) as db:
        rows = f"""(SELECT *, {literal(experiment_id)} AS experiment_id,
                    to_timestamp(decided_at) AT TIME ZONE 'UTC' AS occurred_at FROM decisions)"""
        return _trials(db, rows, DECIDED)


def units(tables: Tables, experiment_id: str) -> pd.DataFrame:
    """The rows of one experiment in the table `exposures`, for models that need single units."""
    with tables.connect() as db:
        rows = f"SELECT * FROM {tables.sql('exposures')} WHERE experiment_id = {literal(experiment_id)}"
        return db.execute(f"{rows} ORDER BY unit_id").df()


@contextmanager
def _registered(joined: pd.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as db:
        columns = ["decided_at", "arm", "campaign_id", "propensity", *DECIDED]
        db.register("decisions", joined[columns])
        yield db


def _trials(
    db: duckdb.DuckDBPyConnection,
    rows: str,
    metrics: Sequence[str],
    units: str = "1",
    before: str | None = None,
    propensity: bool = False,
) -> Trials:
    found = f"(SELECT * FROM {rows} WHERE experiment_id IS NOT NULL AND arm IS NOT NULL)"
    queries = [_query(found, metric, units, before) for metric in metrics]
    daily = db.execute(f"{' UNION ALL '.join(queries)} ORDER BY ALL").df()
    shares = f"SELECT experiment_id, arm, avg(propensity) FROM {found} WHERE propensity IS NOT NULL GROUP BY ALL"
    told = db.execute(shares).fetchall() if propensity else []
    (last,) = db.execute(f"SELECT max(occurred_at) FROM {rows}").fetchall()[0]
    ends = pd.Timestamp(last).normalize() + pd.Timedelta(days=1) if last is not None else pd.Timestamp(0)
    return Trials(daily, {(experiment, arm): share for experiment, arm, share in told}, ends)


def _query(found: str, metric: str, units: str, before: str | None) -> str:
    """Sums of one metric. A missing outcome counts as none."""
    sums = _OF_RATES if units != "1" and metric in RATES else SUMS
    row = f"""SELECT experiment_id, arm, occurred_at, ({units})::DOUBLE AS units,
              coalesce({quoted(metric)}, 0)::DOUBLE AS total, {f"coalesce({before}, 0)" if before else "0"}::DOUBLE
              AS before FROM {found}"""
    columns = ", ".join(f"{formula}::DOUBLE AS {name}" for name, formula in sums.items())
    return f"""(SELECT experiment_id::VARCHAR AS experiment_id, {literal(metric)} AS metric, arm::VARCHAR AS arm,
        date_trunc('day', occurred_at)::TIMESTAMP AS day, {columns} FROM ({row}) GROUP BY ALL)"""
