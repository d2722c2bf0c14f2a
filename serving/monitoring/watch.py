"""Monitors a released model once: requests, answers, and metrics on known outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

import pandas as pd

from models.evaluation.metrics import Metric
from serving.inference import requests
from serving.inference.outcomes import KEY
from serving.monitoring.detector import NOTHING, Drift, Expected, detector
from serving.monitoring.params import Monitoring

Verdict = Literal["drifted", "steady", "unknown"]


@dataclass(frozen=True)
class Held:
    """One metric on requests with known outcomes, and its value on the held-out rows at release."""

    value: float
    at_release: float | None


@dataclass(frozen=True)
class Watched:
    """The result of a monitoring run.

    Attributes:
        rows: number of tested rows.
        verdict: `unknown` where there are too few rows, which does not mean steady.
        note: reason for the verdict, where needed.
        features, answers: drift by column; empty where the verdict is unknown.
        outcomes: number of rows with an outcome; `held` the metrics on those, empty if they are too few.
    """

    rows: int
    verdict: Verdict
    note: str = ""
    features: Mapping[str, Drift] = field(default_factory=dict)
    answers: Mapping[str, Drift] = field(default_factory=dict)
    outcomes: int = 0
    held: Mapping[str, Held] = field(default_factory=dict)


@dataclass(frozen=True)
class Log:
    """Requests of one version on one index: `features`, `answers`, and `key` to join outcomes (`request_id`, `row`)."""

    key: pd.DataFrame
    features: pd.DataFrame
    answers: pd.DataFrame


def look(
    kind: Literal["alibi", "scipy"],
    log: Log,
    outcomes: pd.DataFrame,
    reference: pd.DataFrame,
    columns: Sequence[str],
    metrics: Sequence[Metric],
    at_release: Mapping[str, float],
    params: Monitoring,
    expected: Expected = NOTHING,
) -> Watched:
    """Compare a log with its model's `reference`, whose feature columns are `columns`.

    A reference column that is not in the log counts as missing. `outcomes` are rows of `request_id`, `row`, labels and
    `answer.<name>` of answers to judge instead of the logged ones; `at_release` the metrics in the model's manifest;
    `expected` the behaviour of columns without drift.
    """
    rows = len(log.features)
    if rows < params.min_rows:
        return Watched(rows, "unknown", f"{rows} logged rows; {params.min_rows} are needed")
    watch = detector(kind, reference, params.threshold, params.min_psi, expected)
    found = watch.detect(pd.concat([log.features, log.answers], axis=1).reindex(columns=reference.columns))
    features = {name: drift for name, drift in found.items() if name in columns}
    answers = {name: drift for name, drift in found.items() if name not in columns}
    known, held = _held(log, outcomes, metrics, at_release, params.min_rows)
    verdict: Verdict = "drifted" if any(drift.drifted for drift in found.values()) else "steady"
    return Watched(rows, verdict, _moved(found), features, answers, known, held)


def _held(
    log: Log, outcomes: pd.DataFrame, metrics: Sequence[Metric], at_release: Mapping[str, float], min_rows: int
) -> tuple[int, dict[str, Held]]:
    """Number of rows with an outcome, and the metrics on those if they are enough and have the needed columns."""
    joined = log.key.reset_index(drop=True).merge(outcomes, on=KEY, how="left", indicator=True)
    known = (joined["_merge"] == "both").to_numpy()
    if known.sum() < min_rows:
        return int(known.sum()), {}
    truth = joined[known].reset_index(drop=True)
    replayed = {str(name): values for name, values in requests.answers(truth).items()}
    answers = log.answers[known].reset_index(drop=True).assign(**replayed)
    measured = {one.name: one.measure(truth, answers) for one in metrics if one.answers <= set(answers)}
    return int(known.sum()), {
        name: Held(value, at_release.get(name)) for name, value in measured.items() if isfinite(value)
    }


def _moved(found: Mapping[str, Drift]) -> str:
    """The names of drifted columns, the largest drift first."""
    moved = sorted((name for name, drift in found.items() if drift.drifted), key=lambda name: -found[name].psi)
    told = [f"{name} ({found[name].why})" if found[name].why else name for name in moved]
    return f"moved: {', '.join(told)}" if moved else ""
