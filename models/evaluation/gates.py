"""Release gates: each is a function from evidence to a verdict with its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from models.evaluation import bootstrap, calibration, fairness, leaks, metrics
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.metrics import Metric


@dataclass(frozen=True)
class Evidence:
    """Input of the gates: held-out rows, their truth, and the answers of all models.

    Attributes:
        rows, truth: held-out feature rows and label columns, on one index.
        answers: the candidate's answers; `champion` the released model's, or None.
        baselines: answers by baseline; the first is the naive one.
        train: training frame of the candidate (features and labels), to search for leaks.
        metric: metric that compares candidate, baselines and champion.
        sensitive: names of columns for the fairness gate.
        seed: of the bootstrap.
        outcomes: labels that are outcomes; empty means all.
    """

    rows: pd.DataFrame
    truth: pd.DataFrame
    answers: pd.DataFrame
    baselines: Mapping[str, pd.DataFrame]
    champion: pd.DataFrame | None
    train: pd.DataFrame
    metric: Metric
    sensitive: tuple[str, ...]
    seed: int
    outcomes: tuple[str, ...] = ()

    @cached_property
    def standing(self) -> BaselineComparison:
        """The comparison of the candidate with the baselines."""
        return BaselineComparison.of(self.metric, self.truth, self.answers, self.baselines, self.seed)


@dataclass(frozen=True)
class Verdict:
    """The result of one gate: `reason` as text, `figures` as numbers, `detail` in Markdown for the model card."""

    gate: str
    passed: bool
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)
    detail: str = ""


Gate = Callable[[Evidence], Verdict]
#: Function from a frame of truth or answers to a flag per row.
Flags = Callable[[pd.DataFrame], "pd.Series[bool]"]


def beats_naive(evidence: Evidence) -> Verdict:
    """Significantly better than the naive baseline: the paired bootstrap's lower bound is above 0."""
    gain = evidence.standing.above_naive
    return _verdict(
        "beats_naive",
        gain.low > 0,
        f"{evidence.metric.name} better than the naive baseline by {gain.value:.4g}, "
        f"95% interval {gain.low:.4g} to {gain.high:.4g}; the lower bound must be above 0",
        gain=gain.value,
        low=gain.low,
        high=gain.high,
    )


def not_beaten_by_baselines(evidence: Evidence) -> Verdict:
    """No baseline is significantly better: the paired bootstrap's upper bound against each of them reaches 0."""
    standing = evidence.standing
    comparisons = "; ".join(standing.describe(name) for name in standing.better or [standing.nearest])
    reason = (
        f"{', '.join(standing.better)} significantly better"
        if standing.better
        else "no baseline is significantly better"
    )
    return _verdict(
        "not_beaten_by_baselines",
        not standing.better and not standing.undefined,
        f"{evidence.metric.name}: {reason}; {comparisons}; every upper bound must reach 0",
        **{name: gain.value for name, gain in standing.gains.items()},
        **{f"{name}.high": gain.high for name, gain in standing.gains.items()},
    )


def not_worse_than_champion(evidence: Evidence) -> Verdict:
    """Not significantly worse than the champion: the paired bootstrap's upper bound reaches 0."""
    name = "not_worse_than_champion"
    if evidence.champion is None:
        return Verdict(name, True, "no champion can predict these rows")
    gain = bootstrap.gain(evidence.metric, evidence.truth, evidence.answers, evidence.champion, evidence.seed)
    return _verdict(
        name,
        gain.high >= 0,
        f"{evidence.metric.name} better than the champion by {gain.value:.4g}, "
        f"95% interval {gain.low:.4g} to {gain.high:.4g}; the upper bound must reach 0",
        gain=gain.value,
        low=gain.low,
        high=gain.high,
    )


def no_leak(evidence: Evidence) -> Verdict:
    """No single feature determines a label (AUC or Gini of ranks out of fold, at most `leaks.LIMIT`)."""
    labels = evidence.outcomes or evidence.truth.columns
    scores = leaks.scores(evidence.train, list(evidence.rows.columns), labels, evidence.seed) or {"": 0.0}
    most = ", ".join([f"'{name}' {value:.3f}" for name, value in scores.items() if value > leaks.LIMIT])
    feature, strongest = next(iter(scores.items()))
    return _verdict(
        "no_leak",
        not most,
        f"'{feature}' alone predicts the label: score {strongest:.3f} of 1; a leak above {leaks.LIMIT}"
        + (f": remove {most}" if most else ""),
        strongest=strongest,
        limit=leaks.LIMIT,
    )


def calibrated(label: str, answer: str, limit: float = 0.05) -> Gate:
    """A gate: the probability's expected calibration error is at most `limit` above that expected by chance."""

    def gate(evidence: Evidence) -> Verdict:
        error = metrics.ece(label, answer).measure(evidence.truth, evidence.answers)
        chance = calibration.noise(evidence.answers[answer].to_numpy(dtype=float), evidence.seed)
        return _verdict(
            "calibrated",
            error - chance <= limit,
            f"expected calibration error {error:.4f}, of which {chance:.4f} by chance; the rest may be {limit}",
            ece=error,
            noise=chance,
            limit=limit,
        )

    return gate


def covers(label: str, low: str, high: str, level: float, tolerance: float = 0.05) -> Gate:
    """A gate: the interval contains the truth `level` of the time, within `tolerance` and statistical noise."""

    def gate(evidence: Evidence) -> Verdict:
        from scipy.stats import binomtest

        value = metrics.coverage(label, low, high, level).measure(evidence.truth, evidence.answers)
        rows = len(evidence.truth)
        # Exact (Clopper and Pearson): bootstrap samples of few rows that all lie within show no uncertainty.
        share = binomtest(round(value * rows), rows).proportion_ci()
        return _verdict(
            "covers",
            share.high >= level - tolerance and share.low <= level + tolerance,
            f"the {level:.0%} interval contains {value:.1%} of the truth, 95% interval {share.low:.1%} to "
            f"{share.high:.1%}; it must reach {level - tolerance:.0%} to {level + tolerance:.0%}",
            coverage=value,
            low=share.low,
            high=share.high,
        )

    return gate


def fair(outcome: Flags, decision: Flags, limit: float = 0.2) -> Gate:
    """A gate: decisions on the groups of sensitive columns differ by at most `limit`, within statistical noise.

    `outcome` reads the true class from the truth, `decision` the decision from the answers. Demographic parity and
    equalized odds are judged by their lower bounds, as groups differ by chance on few rows.
    """

    def gate(evidence: Evidence) -> Verdict:
        return _judge_fairness(evidence, outcome(evidence.truth), decision(evidence.answers), limit)

    return gate


def _judge_fairness(
    evidence: Evidence, outcome: "pd.Series[bool]", decision: "pd.Series[bool]", limit: float
) -> Verdict:
    truth, decided = outcome.to_numpy().astype(float), decision.to_numpy().astype(float)
    found: dict[str, fairness.Assessment] = {}
    skipped = []
    for name in evidence.sensitive:
        assessed = fairness.assess(evidence.rows[name], truth, decided) if name in evidence.rows else None
        if assessed is None:
            skipped.append(name)
        else:
            found[name] = assessed
    differences = [difference for assessed in found.values() for difference in assessed.differences]
    unfair = [f"{d.criterion} by {d.column} is {d.value:.3f}" for d in differences if d.low > limit]
    widest = max((d.low for d in differences), default=0.0)
    reason = f"groups differ by at least {widest:.3f}, the limit is {limit}"
    reason = f"{', '.join(unfair)}; {reason}" if unfair else reason if found else "no group to compare"
    if skipped:
        reason += f"; not in the data, or without two groups of {fairness.SMALLEST}: {', '.join(skipped)}"
    figures = {f"{d.column}.{d.criterion}": d.value for d in differences} | {"lower_bound": widest, "limit": limit}
    return Verdict("fair", not unfair, reason, figures, _by_group(found))


def _by_group(found: Mapping[str, fairness.Assessment]) -> str:
    lines = []
    for name, assessed in found.items():
        figures = "; ".join(
            f"{d.criterion} difference {d.value:.3f}, at least {d.low:.3f}" for d in assessed.differences
        )
        lines += [
            f"By {name} ({assessed.left_out} rows without a known or large enough group left out): {figures}.",
            "",
        ]
        lines += ["| group | rows | selected | true positive rate | false positive rate |", "|---|---|---|---|---|"]
        lines += [
            f"| {group} | {row['rows']:.0f} | {row['selected']:.1%} | {row['tpr']:.1%} | {row['fpr']:.1%} |"
            for group, row in assessed.groups.iterrows()
        ]
        lines.append("")
    return "\n".join(lines)


def _verdict(gate: str, passed: bool, reason: str, **figures: float) -> Verdict:
    return Verdict(gate, bool(passed), reason, figures)
