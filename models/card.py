"""The model card (Mitchell et al., 2019)."""

from collections.abc import Iterable, Mapping

import pandas as pd

from models.bundle import Manifest
from models.evaluation import calibration
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.gates import Evidence, Verdict
from models.evaluation.metrics import Metric
from models.family import Family

SECTIONS = ("Intended use", "Data", "Features", "Metrics", "Calibration", "Fairness", "Gates", "Limits", "Lineage")


def sections(
    family: Family,
    manifest: Manifest,
    rows: Mapping[str, int],
    figures: pd.DataFrame,
    evidence: Evidence,
    verdicts: Iterable[Verdict],
) -> dict[str, str]:
    """The card's sections by title. `rows` counts the examples of each split, `figures` is a `table` of metrics."""
    verdicts = list(verdicts)
    judged = [verdict for verdict in verdicts if verdict.gate == "fair"]
    fairness = "\n\n".join(f"{verdict.reason.capitalize()}.\n\n{verdict.detail}".strip() for verdict in judged)
    counts = ", ".join(f"{count:,} {split}" for split, count in rows.items())
    return {
        "Intended use": family.intended_use,
        "Data": f"Content hash `{manifest.data_hash}`, as of {manifest.as_of or 'its end'}. Examples: {counts}.",
        "Features": f"FeatureService {_named(manifest.feature_service)}, schema hash `{manifest.schema_hash}`:\n\n"
        + "\n".join(f"- `{name}` ({manifest.kinds.get(name, dtype)})" for name, dtype in manifest.columns.items()),
        "Metrics": "On held-out examples, with 95% bootstrap intervals.\n\n"
        + _figures(figures)
        + _standing(evidence.standing),
        "Calibration": _calibration(family.metrics[0], evidence.truth, evidence.answers),
        "Fairness": fairness or "This family has no fairness gate, as it decides nothing about people.",
        "Gates": "\n".join(f"- {'passed' if v.passed else '**refused**'} `{v.gate}`: {v.reason}" for v in verdicts),
        "Limits": family.limits,
        "Lineage": f"Code `{manifest.git_commit}`, parameters `{manifest.params_hash}`, seed {manifest.seed}. "
        + (
            f"Trained incrementally from {manifest.started_from}." if manifest.started_from else "Trained from scratch."
        ),
    }


def complete(card: Mapping[str, str]) -> Verdict:
    """A gate on the card: every section has text."""
    empty = [title for title in SECTIONS if not card.get(title, "").strip()]
    reason = f"the model card has no text under: {', '.join(empty)}" if empty else "every section is filled"
    return Verdict("complete_card", not empty, reason, {"missing": float(len(empty))})


def render(name: str, card: Mapping[str, str]) -> str:
    """The card as Markdown."""
    return "\n\n".join([f"# Model card: {name}", *(f"## {title}\n\n{text}" for title, text in card.items())]) + "\n"


def _named(service: str | None) -> str:
    return "none (requests contain all features)" if service is None else f"`{service}`"


def _standing(standing: BaselineComparison) -> str:
    lines = [f"- {standing.describe(name)}" for name in standing.gains]
    return (
        "\n".join([f"\n\nImprovement in {standing.metric} over each baseline, on the same rows:\n", *lines])
        if lines
        else ""
    )


def _figures(figures: pd.DataFrame) -> str:
    models = list(dict.fromkeys(figures["model"]))
    lines = [f"| metric | {' | '.join(models)} |", "|---" * (len(models) + 1) + "|"]
    for metric, rows in figures.groupby("metric", sort=False):
        cells = {row.model: f"{row.value:.4g} ({row.low:.4g} to {row.high:.4g})" for row in rows.itertuples()}
        lines.append(f"| {metric} | {' | '.join(cells.get(model, '') for model in models)} |")
    return "\n".join(lines)


def _calibration(metric: Metric, truth: pd.DataFrame, answers: pd.DataFrame) -> str:
    """Table of predicted and actual values by tenth, for families whose first metric compares numbers."""
    if not (metric.label and metric.answer):
        return "Not applicable: the first metric does not compare numbers."
    curve = calibration.curve(truth[metric.label].to_numpy(dtype=float), answers[metric.answer].to_numpy(dtype=float))
    lines = [f"| mean `{metric.answer}` | mean `{metric.label}` | rows |", "|---|---|---|"]
    lines += [f"| {row.predicted:.4g} | {row.actual:.4g} | {row.rows} |" for row in curve.itertuples()]
    return "\n".join(lines)
