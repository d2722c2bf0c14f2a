"""Output of `adloop check`: the parsed tables, their problems, and the proposed schema file."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.check.step import Checked
from features.reading.report import TableReport
from features.schema import read, write


def as_json(checked: Checked) -> str:
    """The result as JSON."""
    return json.dumps(asdict(checked), indent=2, default=str, ensure_ascii=False)


def schema_file(checked: Checked) -> str:
    """The proposed schema as YAML, with the remaining problems as comments on top."""
    comments = "".join(f"# not fixed: {' '.join(text.split())}\n" for text in checked.remaining)
    return comments + write(read(dict(checked.proposed)))


def show(checked: Checked, console: Console) -> None:
    """Print one table per canonical table, then the problems, then the proposal."""
    for report in checked.tables:
        _show_table(report, console)
    for number, problem in enumerate(checked.problems, start=1):
        console.print(f"[red]{number}.[/red] {escape(str(problem['message']))}", soft_wrap=True)
    console.print("the tables are usable" if checked.usable else "the tables are not usable")
    if checked.proposed:
        does = "makes the tables usable" if checked.proposed_usable else "does not fix everything"
        console.print(f"proposed schema file ({does}); --write FILE saves it:\n")
        console.print(escape(schema_file(checked)), highlight=False, soft_wrap=True)


def _show_table(report: TableReport, console: Console) -> None:
    files = ", ".join(f"{name} ({rows:,} rows)" for name, rows in report.files.items())
    table = Table("column", "header", "read as", "missing", "example", title=escape(f"{report.table}: {files}"))
    for one in report.columns:
        example = f"{one.example} → {one.read_as}" if one.example != one.read_as else str(one.example)
        cells = (one.name, one.header, f"{one.type.lower()}: {one.form}", f"{one.missing:,}", example[:60])
        table.add_row(*map(escape, cells))
    console.print(table)
    duplicates = "" if report.duplicates is None else f"; {report.duplicates:,} duplicate rows"
    dated = f"; from {report.first} to {report.last} UTC" if report.first else ""
    console.print(
        f"{report.kind}; time zone {report.zone}; decimal sign {report.decimal}{dated}{duplicates}", style="dim"
    )
    for note in report.notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)
