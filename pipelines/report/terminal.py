"""The report as a terminal table, one row per family."""

from typing import TYPE_CHECKING

from pipelines.report import wording
from pipelines.report.records import FamilyReport, Figure, Report
from pipelines.report.trials import counted

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("family", "version", "metric", "baseline", "gates", "release", "drift", "time")


def table(report: Report) -> "Table":
    """Version, headline metric beside its baseline, gates, release, drift and time, a row a family."""
    from rich.table import Table
    from rich.text import Text

    result = Table(*COLUMNS, title="adloop", title_justify="left", title_style="bold")
    for family in report.families:
        # Text, and not markup: a reason may hold brackets.
        result.add_row(*(Text(text, style=style) for text, style in _cells(family)))
    said = [] if report.simulation is None else [wording.in_short(report.simulation)]
    said += [counted(report.experiments)] if report.experiments else []
    if report.seconds is not None:
        said.append(f"{wording.duration(report.seconds)} in all")
    result.caption = "\n".join(said)
    return result


def _cells(family: FamilyReport) -> list[tuple[str, str]]:
    refused = family.passed < len(family.gates)
    drifted = family.drift is not None and family.drift.drifted
    return [
        (family.name, "bold"),
        (wording.standing(family), ""),
        (_metric(family.headline), "bold"),
        (_baseline(family.headline), ""),
        (wording.gates(family), "red" if refused else ""),
        (wording.release(family.release), ""),
        (wording.drift(family.drift), "yellow" if drifted else ""),
        (wording.duration(family.seconds), ""),
    ]


def _metric(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{wording.name(figure.name)} {wording.number(figure.value)} {wording.interval(figure)}".strip()


def _baseline(figure: Figure | None) -> str:
    if figure is None or not figure.baselines:
        return "-"
    name, value = next(iter(figure.baselines.items()))
    return f"{wording.name(name)} {wording.number(value)}"
