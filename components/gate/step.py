"""Evaluate a trained bundle on held-out examples against baselines and the champion, and apply its gates."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.frame import Frame
from features.settings import Settings
from models import card, catalog
from models.bundle import Bundle, aside, open_bundle
from models.evaluation import plots
from models.evaluation.gates import Evidence, Verdict
from models.evaluation.table import table
from models.family import Family, Model
from models.registry import Registry

Answers = dict[str, pd.DataFrame]
#: Number of held-out rows that a release replays: enough for its tests, small enough to store with every version.
REPLAYED = 2000


@dataclass(frozen=True)
class Gated:
    """The metrics of the candidate, the naive baseline (empty without one) and the champion (None without one), and the
    result of each gate.

    Undefined metrics are None. `figures` has each metric with its interval and the value of every model. `recommended`
    is the family or a baseline by name, None where inconclusive; `chosen` the candidate inside the bundle, empty for
    families with only one. `from_log` says whether the family's gate on logged decisions was applied to the champion's,
    or why not; empty for families without one.
    """

    family: str
    bundle_digest: str
    passed: bool
    rows: Mapping[str, int]
    metrics: Mapping[str, float | None]
    baseline: Mapping[str, float | None]
    champion: Mapping[str, float | None] | None
    compared_with: str
    chosen: str
    recommended: str | None
    from_log: str
    figures: tuple[Mapping[str, Any], ...]
    gates: tuple[Mapping[str, Any], ...]


def gate(
    features: Path,
    bundle: Path,
    family: str,
    params: dict[str, Any],
    sensitive: list[str],
    settings: Settings,
    out: Path,
) -> Gated:
    """Evaluate `bundle` on the test examples of `features`, and apply the family's gates.

    Writes into `out`: `evaluation.json`, `card.md`, `plots/`, `held_out.parquet` (`truth`, `predicted`, `naive` where
    there is such a baseline, `low` and `high` where the family gives an interval) and `requests.parquet` (entity key,
    features, labels), the rows a release replays.
    """
    record, frame, candidate = catalog.family(family), Frame(features), open_bundle(bundle, None)
    test = frame.split("test")
    rows, truth = test[frame.columns], test[list(record.label)]
    answers = {"candidate": _answers(record, frame, candidate.model), **_baselines(record, frame, params)}
    champion, compared_with = _champion(record, frame, settings)
    if champion is not None:
        answers["champion"] = _answers(record, frame, champion[1].model)

    evidence = _evidence(record, frame, rows, truth, answers, sensitive, params["seed"])
    verdicts = [check(evidence) for check in record.gates]
    from_log = _judge_by_log(record, candidate, champion, settings, params["seed"], verdicts)
    figures = table(record.metrics, truth, answers, params["seed"])
    written = card.sections(record, candidate.manifest, frame.counts(), figures, evidence, verdicts)
    chosen = "" if record.chosen is None else record.chosen(candidate.model)
    written["Metrics"] += f"\n\nChosen candidate: {chosen}." if chosen else ""
    written["Gates"] += f"\n\nThe gate on logged decisions was {from_log}." if from_log else ""
    verdicts.append(card.complete(written))
    values = _values(figures)
    done = Gated(
        family=family,
        bundle_digest=candidate.digest,
        passed=all(verdict.passed for verdict in verdicts),
        rows=frame.counts(),
        metrics=values["candidate"],
        baseline={} if record.naive is None else values[record.naive],
        champion=values.get("champion"),
        compared_with=compared_with,
        chosen=chosen,
        recommended=evidence.standing.recommended(family),
        from_log=from_log,
        figures=tuple(_figure(rows, record) for _, rows in figures.groupby("metric", sort=False)),
        gates=tuple(_plain(verdict) for verdict in verdicts),
    )
    with aside(out) as new:
        (new / "evaluation.json").write_text(json.dumps(asdict(done), indent=1, allow_nan=False))
        (new / "card.md").write_text(card.render(family, written))
        _keep_held_out(record, truth, answers, new)
        key = [] if record.entity is None else [record.entity]
        sent = test[list(dict.fromkeys([*key, *frame.columns, *record.label]))]
        sent.sample(min(REPLAYED, len(sent)), random_state=params["seed"]).to_parquet(new / "requests.parquet")
    return done


def _answers(family: Family, frame: Frame, model: Model) -> pd.DataFrame:
    return family.try_out(model, frame.split("test"), frame.columns)


def _baselines(family: Family, frame: Frame, params: dict[str, Any]) -> Answers:
    """Predictions of the baselines, fitted on the same examples."""
    learn, tune, read = frame.split("train"), frame.split("valid"), family.params.read(params)
    answers = {}
    for name, fit in family.baselines.items():
        with tempfile.TemporaryDirectory() as checkpoint:
            answers[name] = _answers(family, frame, fit(learn, tune, read, Path(checkpoint)))
    return answers


def _champion(family: Family, frame: Frame, settings: Settings) -> tuple[tuple[str, Bundle] | None, str]:
    """The champion's version and bundle, and its description or the reason why it cannot be compared."""
    registry = Registry(settings)
    champion = registry.champion(family.name)
    if champion is None:
        return None, "there is no champion yet"
    opened = open_bundle(registry.download(family.name, champion.version), None)
    unknown = sorted(set(opened.manifest.columns) - set(frame.columns))
    if unknown:
        return None, f"version {champion.version} needs features that these rows lack: {', '.join(unknown)}"
    return (champion.version, opened), f"version {champion.version}"


def _judge_by_log(
    family: Family,
    candidate: Bundle,
    champion: tuple[str, Bundle] | None,
    settings: Settings,
    seed: int,
    verdicts: list[Verdict],
) -> str:
    """Apply the family's gate on the champion's decision log; returns a note that it was applied, or why not."""
    if family.log_gate is None:
        return ""
    if champion is None:
        return "not applied: there is no champion"
    from features.records import DECISIONS, recorded
    from features.store import Online
    from serving.experiments.challenges import JUDGES

    version, opened = champion
    try:
        verdict = JUDGES[family.name](
            family.log_gate,
            recorded(settings) / DECISIONS,
            version,
            candidate,
            opened,
            Online(settings),
            seed,
        )
    except LookupError as missing:
        return f"not applied: {missing}"
    verdicts.append(verdict)
    return f"applied to the decisions of version {version}"


def _evidence(
    family: Family,
    frame: Frame,
    rows: pd.DataFrame,
    truth: pd.DataFrame,
    answers: Answers,
    sensitive: list[str],
    seed: int,
) -> Evidence:
    return Evidence(
        rows=rows,
        truth=truth,
        answers=answers["candidate"],
        baselines={name: answers[name] for name in family.baselines},
        champion=answers.get("champion"),
        train=frame.split("train"),
        metric=family.metrics[0],
        sensitive=tuple(sensitive),
        seed=seed,
        outcomes=family.outcomes,
    )


def _values(figures: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Each model's value of each metric."""
    return {
        str(model): {name: _defined(value) for name, value in zip(rows["metric"], rows["value"], strict=True)}
        for model, rows in figures.groupby("model", sort=False)
    }


def _figure(rows: pd.DataFrame, family: Family) -> dict[str, Any]:
    """One metric: the candidate's with its interval, and that of every other model."""
    values = {name: _defined(value) for name, value in zip(rows["model"], rows["value"], strict=True)}
    own = rows[rows["model"] == "candidate"].iloc[0]
    return {
        "name": own["metric"],
        "value": values["candidate"],
        "low": _defined(own["low"]),
        "high": _defined(own["high"]),
        "baselines": {name: values[name] for name in family.baselines if name in values},
        "champion": values.get("champion"),
        "higher_is_better": bool(own["higher_is_better"]),
    }


def _plain(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict) | {"figures": {name: _defined(value) for name, value in verdict.figures.items()}}


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _keep_held_out(family: Family, truth: pd.DataFrame, answers: Answers, folder: Path) -> None:
    """Write the rows for plots, for families whose first metric compares numbers."""
    metric = family.metrics[0]
    if not (metric.label and metric.answer):
        return
    held_out = pd.DataFrame({"truth": truth[metric.label], "predicted": answers["candidate"][metric.answer]})
    if family.naive is not None:
        held_out["naive"] = answers[family.naive][metric.answer]
    band = next((metric.band for metric in family.metrics if metric.band), None)
    if band is not None:
        held_out[["low", "high"]] = answers["candidate"][list(band)]
    held_out.to_parquet(folder / "held_out.parquet", index=False)
    plots.draw(held_out, folder / "plots")
