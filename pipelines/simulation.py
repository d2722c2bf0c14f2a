"""`adloop simulate` in the terminal: a progress bar, then a table of results."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from features.settings import Settings
from pipelines.report import wording

if TYPE_CHECKING:
    from rich.table import Table

    from serving.experiments.simulation.records import Simulation

#: Number of campaigns of the day at the end of `adloop run`.
CAMPAIGNS = 4


def simulate(
    campaigns: int, days: int, seed: int | None, params_file: Path, settings: Settings, console: Console
) -> "Simulation":
    """Run the simulation with a progress bar. The default seed is that of the parameters."""
    from serving.decisions.params import read
    from serving.experiments.simulation.run import simulate as run

    seed = read(params_file)[1] if seed is None else seed
    columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.fields[clock]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starts the endpoint", total=None, clock="")
        return run(campaigns, days, seed, params_file, settings, lambda done, of: _show(bar, task, done, of))


def played(settings: Settings) -> bool:
    """Whether the last simulation is the day of `adloop run` with the current champion."""
    from models.registry import Registry
    from serving.decisions.kinds.bid import FAMILY
    from serving.experiments.simulation import records

    last, champion = records.read(settings), Registry(settings).champion(FAMILY)
    if last is None or champion is None:
        return False
    return (len(last.campaigns), last.days, last.versions[FAMILY]) == (CAMPAIGNS, 1, champion.version)


def _show(bar: Progress, task: object, done: int, of: int) -> None:
    day, hour = divmod(done, 24)
    bar.update(task, completed=done, total=of, description="decides", clock=f"day {day + 1}, {hour:02d}:00")  # type: ignore[arg-type]


def table(done: "Simulation") -> "Table":
    """One row each for the engine and the baseline rules."""
    from rich.table import Table

    found = Table(
        title=f"{len(done.campaigns)} campaigns, {done.days} simulated days, seed {done.seed}", title_justify="left"
    )
    for name in ("bidder", "spend of budgets", "worth per spend", "converted per spend", "adloop vs. it"):
        found.add_column(name)
    for bidder, spent in done.spend_of_budget.items():
        against = done.against.get(bidder)
        found.add_row(
            bidder,
            f"{spent:.1%}",
            wording.estimate(done.worth_per_spend[bidder]),
            wording.estimate(done.value_per_spend[bidder]),
            wording.estimate(against) if against else "",
        )
    found.caption = "\n".join(wording.simulated(done))
    found.caption_justify = "left"
    return found
