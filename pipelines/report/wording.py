"""Formats figures and states as text for the page and the terminal."""

from typing import TYPE_CHECKING

from pipelines.report.curves import captured, is_chance
from pipelines.report.records import DriftReport, FamilyReport, Figure, ReleaseCourse

if TYPE_CHECKING:
    from serving.experiments.simulation.records import CreativeDay, Estimate, Simulation

#: Display names that differ from the identifier.
PROSE = {
    "auc": "AUC",
    "ece": "ECE",
    "mae": "MAE",
    "rmse": "RMSE",
    "gini": "Gini",
    "spearman": "Spearman",
    "brier": "Brier score",
    "lift_10": "lift at 10%",
    "coverage80": "coverage at 80%",
    "mcpc": "MCPC",
    "ortb": "ORTB",
    "pid": "PID",
    "rlb": "RLB",
    "lightgbm": "LightGBM",
    "lightgbm_stopped": "LightGBM stopped in time",
    "lightgbm_tweedie": "LightGBM Tweedie",
    "xgboost": "XGBoost",
    "tfidf_logistic": "TF-IDF logistic",
    "vader": "VADER",
    "frozen_encoder": "frozen encoder",
    "most_frequent": "most frequent",
    "nearest_prototype": "nearest prototype",
    "frozen_linear": "frozen backbone",
    "macro_f1": "macro F1",
    "ap50": "AP50",
    "scope_auroc": "AUROC of scope",
    "cpc_error": "CPC error",
    "bg_nbd_gamma_gamma": "BG/NBD + Gamma-Gamma",
}
#: Short definitions of the metrics.
MEANING = {
    "auc": "probability that a case ranks above a non-case",
    "average_precision": "mean precision over the ranking",
    "log_loss": "negative log-likelihood (nats)",
    "brier": "mean squared error of the probability",
    "ece": "mean gap between predicted probability and observed rate",
    "gini": "ranking of customers by value; 1 is perfect",
    "spearman": "rank correlation of predicted and actual values",
    "mae": "mean absolute error, in money or points of the rating",
    "rmse": "root mean squared error, in money",
    "lift_10": "mean of the best 10% over the overall mean",
    "total_ratio": "predicted total over the actual total",
    "share_of_hindsight": "value won, as a share of the optimum in hindsight with the same budgets",
    "value_per_spend": "value per budget of 1,000 auctions",
    "clicks_per_mille": "clicks won per 1,000 auctions offered",
    "win_rate": "share of auctions won",
    "budget_use": "share of the budgets spent; never above 1",
    "accuracy": "share of customers, texts or pictures classified correctly",
    "macro_f1": "mean over the labels of F1, the harmonic mean of precision and recall",
    "ap50": "mean over the labels of the average precision of boxes, at an overlap (IoU) of .5",
    "skill": "mean of the macro F1 of labels, the Spearman correlation of ratings and the AP50 of boxes, where told",
    "scope_auroc": "probability that a text in scope is told from one out of it",
}


def number(value: float | None) -> str:
    """Three significant figures with thousands separators; a dash for None."""
    if value is None or value != value:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.3g}"


def estimate(found: "Estimate") -> str:
    """A figure of a simulation with its interval."""
    between = "" if found.low is None else f" [{number(found.low)}, {number(found.high)}]"
    return f"{number(found.value)}{between}"


def in_short(done: "Simulation") -> str:
    """A simulation in one line."""
    beside = ", ".join(f"{estimate(times)} times {rule}'s" for rule, times in done.against.items())
    days = "a simulated day" if done.days == 1 else f"{done.days} simulated days"
    count = done.alone.decisions + done.batched.decisions
    held = "no limit overspent" if not done.overspent else f"OVERSPENT {len(done.overspent)} times"
    return f"{days} of {len(done.campaigns)} campaigns: worth per spend {beside}; {count:,} decisions, {held}"


def simulated(done: "Simulation") -> list[str]:
    """Further results of a simulation, one line each."""
    alone, batched = done.alone, done.batched
    count = alone.decisions + batched.decisions
    acted = ", ".join(f"{name(guardrail)} {count:,}" for guardrail, count in done.guardrails.items()) or "none"
    held = "no limit was overspent" if not done.overspent else f"OVERSPENT: {'; '.join(done.overspent)}"
    shown = [] if done.creatives is None else [creatives(done.creatives)]
    agreed = "agree" if done.settled else "DO NOT AGREE"
    return [
        f"{count:,} decisions: alone p50 {alone.p50_ms:.1f} ms, p99 {alone.p99_ms:.1f} ms; "
        f"in batches {batched.per_s:,.0f} a second, p50 {batched.p50_ms:.0f} ms, p99 {batched.p99_ms:.0f} ms",
        f"guardrails that acted: {acted}; changes carried out: {done.carried_out}",
        f"{held}; the engine's accounts {agreed} with the simulator's",
        *shown,
    ]


def creatives(day: "CreativeDay") -> str:
    """A day of placements in one line."""
    return (
        f"creatives in {day.placements:,} placements of {len(day.rates)} campaigns: expected clicks "
        f"{estimate(day.against_equal)} times those of an equal rotation, {estimate(day.of_best)} of the best each time"
    )


def interval(figure: Figure) -> str:
    """`[low, high]`; empty without an interval."""
    return "" if figure.low is None or figure.high is None else f"[{number(figure.low)}, {number(figure.high)}]"


def name(identifier: str) -> str:
    """The display name of an identifier."""
    return PROSE.get(identifier, identifier.replace("_", " "))


def meaning(figure: Figure) -> str:
    """What a metric says; empty for one that is not a usual one."""
    if figure.name.startswith("coverage"):
        return "share of outcomes inside their interval"
    return MEANING.get(figure.name, "")


def better(figure: Figure) -> str:
    """The direction in which a metric improves."""
    if figure.name.startswith("coverage"):
        return f"near {int(figure.name.removeprefix('coverage')) / 100:g}"
    if figure.name == "total_ratio":
        return "near 1"
    return "higher" if figure.higher_is_better else "lower"


def standing(family: FamilyReport) -> str:
    """The newest version and its status, and the champion where it is another version."""
    if family.version is None:
        return family.status
    other = family.champion not in (None, family.version)
    return f"{family.version} {family.status}" + (f", {family.champion} answers" if other else "")


def duration(seconds: float | None) -> str:
    """`8 m 05 s`, `12 s`; a dash for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"


def gates(family: FamilyReport) -> str:
    """`6 of 6 passed`, or the names of failed gates."""
    if not family.gates:
        return "not evaluated"
    refused = [name(gate.gate) for gate in family.gates if not gate.passed]
    return f"refused by {', '.join(refused)}" if refused else f"{family.passed} of {len(family.gates)} passed"


def release(course: ReleaseCourse | None) -> str:
    """The outcome of a release, and the step of a rollback."""
    if course is None:
        return "none yet"
    return f"{course.outcome} at {course.steps[-1].percent}%" if course.steps else course.outcome


def drift(seen: DriftReport | None) -> str:
    """The drift of requests from the training data."""
    if seen is None:
        return "not monitored yet"
    if seen.drifted is None:
        return f"unknown: {seen.note}" if seen.note else "unknown"
    drifting = sum(feature.drifted for feature in seen.features)
    return f"{drifting} of {len(seen.features)} columns" if seen.drifted else "none"


def promise(family: FamilyReport) -> str | None:
    """The value of the ranking for a contact campaign; None where nothing is ranked."""
    rows = family.held_out
    if rows is None or rows["truth"].sum() <= 0:
        return None
    found = f"{captured(rows, 0.1):.0%}"
    naive = (
        f" The naive baseline finds {captured(rows, 0.1, 'naive'):.0%}, picking at random 10%."
        if "naive" in rows
        else ""
    )
    if is_chance(rows):
        return f"The 10% of {family.subject}s ranked highest contain {found} of all cases.{naive}"
    return f"The 10% of {family.subject}s ranked highest brought {found} of all value.{naive}"
