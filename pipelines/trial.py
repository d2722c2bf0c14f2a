"""What `adloop evaluate` prints: a family beside the field's baselines on somebody's own tables."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.compare.step import Compared


def as_json(compared: Compared) -> str:
    """All of it, for machines."""
    return json.dumps(asdict(compared), indent=2, default=str)


def show(compared: Compared, console: Console) -> None:
    """A row a model, a column a metric; the best of each metric in bold, the family's own with its interval."""
    for note in compared.notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)
    figures = pd.DataFrame(compared.table)
    table = Table("model", *figures["metric"].unique(), title=f"{compared.family}: {compared.how}")
    best = {metric: _best(rows) for metric, rows in figures.groupby("metric")}
    for model, rows in figures.groupby("model", sort=False):
        table.add_row(str(model), *(_cell(row, best) for row in rows.to_dict("records")))
    console.print(table)
    for part in _parts(compared):
        console.print(part)
    console.print(f"{compared.rows:,} held-out rows, seed {compared.seed}, data {compared.data_hash[:12]}", style="dim")


def _parts(compared: Compared) -> list[Table]:
    """A table a figure: a row a part, a column a model, the best in bold."""
    if not compared.parts:
        return []
    figures = pd.DataFrame(compared.parts)
    told = ["metric", "model", "value", "low", "high", "higher_is_better"]
    names = [name for name in figures if name not in told]
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


def _cell(row: Mapping[str, Any], best: Mapping[str, float]) -> str:
    value = f"{row['value']:.3f}" if abs(row["value"]) < 10 else f"{row['value']:,.1f}"
    value = f"[bold]{value}[/bold]" if row["value"] == best[row["metric"]] else value
    return value if pd.isna(row["low"]) else f"{value} [dim]{row['low']:.3g}…{row['high']:.3g}[/dim]"
