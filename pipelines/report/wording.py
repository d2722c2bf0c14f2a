"""Figures in words: one place decides how a number reads, for the page and the terminal alike."""

from typing import TYPE_CHECKING

from pipelines.report.curves import captured, is_chance
from pipelines.report.records import Drift, FamilyReport, Figure, ReleaseCourse

if TYPE_CHECKING:
    from serving.experiments.simulation.records import Estimate, Simulation

#: Names that underscores do not do justice.
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
    "bg_nbd_gamma_gamma": "BG/NBD + Gamma-Gamma",
}
#: What the usual metrics say, to someone who does not compute them every day.
MEANING = {
    "auc": "chance that a case is ranked above a non-case",
    "average_precision": "mean precision down the ranking",
    "log_loss": "surprise at what came, in nats",
    "brier": "mean squared error of the chance",
    "ece": "mean gap between predicted chance and rate",
    "gini": "how well customers are ranked by value; 1 is perfect",
    "spearman": "agreement of predicted and actual rank",
    "mae": "mean absolute error, in money",
    "rmse": "root mean squared error, in money",
    "lift_10": "how many times the average the best 10% are",
    "total_ratio": "predicted total over the actual total",
    "share_of_hindsight": "value won, of what the same budgets buy when all is known beforehand",
    "value_per_spend": "value for what a budget has for 1,000 auctions",
    "clicks_per_mille": "clicks won for each 1,000 auctions offered",
    "win_rate": "share of auctions won",
    "budget_use": "share of the budgets spent; never above 1",
    "accuracy": "share of customers called right",
}


def number(value: float | None) -> str:
    """Three significant figures, thousands separated; a dash where there is none."""
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
    """What else is to be said of a simulation, a line each."""
    alone, batched = done.alone, done.batched
    count = alone.decisions + batched.decisions
    acted = ", ".join(f"{name(guardrail)} {count:,}" for guardrail, count in done.guardrails.items()) or "none"
    held = "no limit was overspent" if not done.overspent else f"OVERSPENT: {'; '.join(done.overspent)}"
    agreed = "agree" if done.settled else "DO NOT AGREE"
    return [
        f"{count:,} decisions: alone p50 {alone.p50_ms:.1f} ms, p99 {alone.p99_ms:.1f} ms; "
        f"in batches {batched.per_s:,.0f} a second, p50 {batched.p50_ms:.0f} ms, p99 {batched.p99_ms:.0f} ms",
        f"guardrails that acted: {acted}; changes carried out: {done.carried_out}",
        f"{held}; the engine's books {agreed} with the simulator's",
    ]


def interval(figure: Figure) -> str:
    """`[low, high]`, or nothing where no interval was estimated."""
    return "" if figure.low is None or figure.high is None else f"[{number(figure.low)}, {number(figure.high)}]"


def name(identifier: str) -> str:
    """An identifier as it is written in prose."""
    return PROSE.get(identifier, identifier.replace("_", " "))


def meaning(figure: Figure) -> str:
    """What a metric says; empty for one that is not a usual one."""
    if figure.name.startswith("coverage"):
        return "share of customers inside their interval"
    return MEANING.get(figure.name, "")


def better(figure: Figure) -> str:
    """Where a metric should be."""
    if figure.name.startswith("coverage"):
        return f"near {int(figure.name.removeprefix('coverage')) / 100:g}"
    if figure.name == "total_ratio":
        return "near 1"
    return "higher" if figure.higher_is_better else "lower"


def standing(family: FamilyReport) -> str:
    """The newest version and what became of it, and who answers customers where that is another."""
    if family.version is None:
        return family.status
    other = family.champion not in (None, family.version)
    return f"{family.version} {family.status}" + (f", {family.champion} answers" if other else "")


def duration(seconds: float | None) -> str:
    """`8 m 05 s`, `12 s`; a dash where it is not known."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"


def gates(family: FamilyReport) -> str:
    """`6 of 6 passed`, or which ones refused."""
    if not family.gates:
        return "not evaluated"
    refused = [name(gate.gate) for gate in family.gates if not gate.passed]
    return f"refused by {', '.join(refused)}" if refused else f"{family.passed} of {len(family.gates)} passed"


def release(course: ReleaseCourse | None) -> str:
    """How the release ended, and where a rollback happened."""
    if course is None:
        return "none yet"
    return f"{course.outcome} at {course.steps[-1].percent}%" if course.steps else course.outcome


def drift(seen: Drift | None) -> str:
    """Whether the requests still look like the training data."""
    if seen is None:
        return "not monitored yet"
    if seen.drifted is None:
        return f"unknown: {seen.note}" if seen.note else "unknown"
    drifting = sum(feature.drifted for feature in seen.features)
    return f"{drifting} of {len(seen.features)} columns" if seen.drifted else "none"


def promise(family: FamilyReport) -> str | None:
    """What the ranking is worth, said to someone who decides whom to contact; None where there is nothing to rank."""
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
        return f"Contact the 10% of customers ranked highest, and you reach {found} of all cases that came.{naive}"
    return f"The 10% of customers ranked highest brought {found} of all value that came.{naive}"
