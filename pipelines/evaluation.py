"""Output of `adloop evaluate`: a family compared with standard baselines on user tables."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.evaluate.step import Evaluated

#: Figures below this are shown with significant digits, as decimals would hide them.
SMALL = 0.005


def as_json(evaluated: Evaluated) -> str:
    """The result as JSON."""
    return json.dumps(asdict(evaluated), indent=2, default=str)


def show(evaluated: Evaluated, console: Console) -> None:
    """Print one row per model, one column per metric; the best in bold, the family's own with its interval."""
    for note in evaluated.notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)
    figures = pd.DataFrame(evaluated.table)
    table = Table("model", *figures["metric"].unique(), title=f"{evaluated.family}: {evaluated.how}")
    best = {str(metric): _best(rows) for metric, rows in figures.groupby("metric")}
    for model, rows in figures.groupby("model", sort=False):
        cells = {row["metric"]: _cell(row, best) for row in rows.to_dict("records")}
        # A model without the answer that a metric judges has no figure.
        table.add_row(str(model), *(cells.get(metric, "-") for metric in figures["metric"].unique()))
    console.print(table)
    console.print(_against_baselines(evaluated))
    for part in _parts(evaluated):
        console.print(part)
    console.print(
        f"{evaluated.rows:,} held-out rows, seed {evaluated.seed}, data {evaluated.data_hash[:12]}", style="dim"
    )
    console.print(f"[bold]{_recommendation(evaluated)}[/bold]")


def _against_baselines(evaluated: Evaluated) -> Table:
    """One row per baseline: the improvement of the family's model, and whether it is significant."""
    table = Table(
        "baseline", "better by", "95% interval", "", title=f"{evaluated.family} against each, {evaluated.judged_by}"
    )
    for row in evaluated.standing:
        if row["low"] is None or row["high"] is None:
            table.add_row(row["baseline"], "-", "-", "unknown: too few rows of one class")
            continue
        verdict = (
            "baseline is better" if row["high"] < 0 else "beaten" if row["low"] > 0 else "no significant difference"
        )
        gain, low, high = (
            f"{value:+.2g}" if 0 < abs(value) < SMALL else f"{value:+.4f}"
            for value in (row["gain"], row["low"], row["high"])
        )
        table.add_row(row["baseline"], gain, f"{low} to {high}", verdict)
    return table


def _recommendation(evaluated: Evaluated) -> str:
    """The recommended model, and why."""
    family, use = evaluated.family, evaluated.recommended
    if evaluated.leaking:
        told = ", ".join(f"'{name}' ({share:.3f} of 1)" for name, share in evaluated.leaking.items())
        return (
            f"Remove {told} and evaluate again: it predicts the label alone, like data recorded after the outcome. "
            f"The gates would refuse {family} on these data."
        )
    if use is None:
        return f"No recommendation: too few rows to judge {evaluated.judged_by}."
    if use == family:
        fits = sum(evaluated.chosen.values())
        made = "; ".join(f"{name} in {count} of {fits} fits" for name, count in evaluated.chosen.items())
        return f"Use {family}" + (f": {made}." if made else ": no baseline is significantly better.")
    gain = next(row for row in evaluated.standing if row["baseline"] == use)
    if gain["high"] < 0:
        return f"Use {use}: significantly better than {family}. The gates would refuse {family} on these data."
    return f"Use {use}: {family} is not significantly better. The gates would refuse {family} on these data."


def _parts(evaluated: Evaluated) -> list[Table]:
    """One table per figure: a row per part, a column per model, the best in bold."""
    if not evaluated.parts:
        return []
    figures = pd.DataFrame(evaluated.parts)
    columns = ["metric", "model", "value", "low", "high", "higher_is_better"]
    names = [str(name) for name in figures if name not in columns]
    tables = []
    for metric, rows in figures.groupby("metric", sort=False):
        table = Table(*names, *rows["model"].unique(), title=str(metric))
        for part, of_part in rows.groupby(names, sort=False):
            best = {str(metric): _best(of_part)}
            cells = [_cell(row | {"low": None}, best) for row in of_part.to_dict("records")]
            table.add_row(*map(str, part), *cells)
        tables.append(table)
    return tables


def _best(rows: pd.DataFrame) -> float:
    return rows["value"].max() if rows["higher_is_better"].iloc[0] else rows["value"].min()


def _cell(row: Mapping[Any, Any], best: Mapping[str, float]) -> str:
    value = f"{row['value']:.3f}" if abs(row["value"]) < 10 else f"{row['value']:,.1f}"
    value = f"{row['value']:.3g}" if 0 < abs(row["value"]) < SMALL else value
    value = f"[bold]{value}[/bold]" if row["value"] == best[row["metric"]] else value
    return value if pd.isna(row["low"]) else f"{value} [dim]{row['low']:.3g}…{row['high']:.3g}[/dim]"
