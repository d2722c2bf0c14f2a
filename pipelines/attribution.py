"""`adloop attribution`: from tables to credit, and from credit to a table, a file and a plot."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features import experiments, journeys
from features.tables import Tables, content_hash
from models.evaluation.attribution.holdout import HoldoutLift, holdout_lift
from models.evaluation.attribution.plot import draw
from models.evaluation.attribution.report import Attribution, attribute
from models.evaluation.bootstrap import Interval
from pipelines.plain_json import plain_json

#: Files of the results, below a folder.
CREDIT, PLOT = "credit.csv", "credit.png"


@dataclass(frozen=True)
class Holdout:
    """An experiment that held customers out of a channel, and the outcome that it is judged by."""

    channel: str
    experiment: str
    metric: str


@dataclass(frozen=True)
class Attributed:
    """Credit, and what it was computed from."""

    attribution: Attribution
    lifts: Mapping[str, HoldoutLift]
    first: str
    last: str
    data_hash: str


def holdouts(given: Sequence[str]) -> list[Holdout]:
    """Holdouts from `CHANNEL=EXPERIMENT[:METRIC]`. Raises `ValueError` naming the option."""
    found = []
    for one in given:
        channel, sign, rest = one.partition("=")
        experiment, _, metric = rest.partition(":")
        if not (channel and sign and experiment):
            raise ValueError(f"--holdout: expected CHANNEL=EXPERIMENT or CHANNEL=EXPERIMENT:METRIC, got '{one}'")
        found.append(Holdout(channel, experiment, metric or "value"))
    return found


def run(tables: Tables, by: str, days: int, ltv: str | None, tests: Sequence[Holdout], seed: int) -> Attributed:
    """Credit the channels of these tables. Raises `ValueError` and `LookupError` naming what is missing."""
    read = journeys.read(tables, by, days, ltv)
    lifts = {one.channel: _lift(tables, one) for one in tests}
    found = attribute(read, lifts, seed)
    return Attributed(found, lifts, str(read.first.date()), str(read.last.date()), content_hash(tables.folder))


def _lift(tables: Tables, test: Holdout) -> HoldoutLift:
    if "exposures" not in tables.names:
        raise ValueError(f"--holdout {test.channel}: expected the experiment in the table exposures, got no such table")
    daily = experiments.of_exposures(tables, test.experiment, [test.metric]).daily
    if daily.empty:
        raise LookupError(f"table 'exposures': no experiment {test.experiment}")
    return holdout_lift(daily)


def write(done: Attributed, folder: Path) -> None:
    """Write `credit.csv` and `credit.png`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{CREDIT}"
    pd.DataFrame(_rows(done)).to_csv(aside, index=False)
    aside.replace(folder / CREDIT)
    draw(done.attribution, folder / PLOT)


def as_json(done: Attributed) -> str:
    """The result as JSON."""
    told = done.attribution
    return plain_json(
        {
            "channels": _rows(done),
            "untouched": told.untouched,
            "journeys": told.journeys,
            "cannot_be_told_apart": [asdict(one) | {"message": str(one)} for one in told.alike],
            "first_touch": done.first,
            "last_touch": done.last,
            "seed": told.seed,
            "data_hash": done.data_hash,
        }
    )


def _rows(done: Attributed) -> list[dict[str, Any]]:
    return [
        {
            "channel": one.credit.channel,
            **_spread("last_touch", one.credit.last_touch),
            **_spread("shapley", one.credit.shapley),
            **_spread("markov", one.credit.markov),
            **_spread("credit", one.value),
            "measured": one.measured is not None,
        }
        for one in done.attribution.channels
    ]


def _spread(name: str, found: Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def show(done: Attributed, console: Console) -> None:
    """Print a row a channel, then what else there is to know."""
    told = done.attribution
    table = Table(title=f"credit by channel, {done.first} to {done.last}", title_justify="left")
    table.add_column("channel")
    for name in ("last touch", "Shapley", "Markov", "measured by a holdout", "credit"):
        table.add_column(name, justify="right")
    for one in told.channels:
        by_rule = (one.credit.last_touch, one.credit.shapley, one.credit.markov)
        measured = "-" if one.measured is None else _text(one.measured)
        table.add_row(escape(one.credit.channel), *map(_text, by_rule), measured, f"{one.value.value:,.0f}")
    console.print(table)
    console.print(f"{told.untouched:,.0f} of orders that no touch came before; {told.journeys:,} journeys", style="dim")
    for channel, lift in done.lifts.items():
        console.print(
            f"{escape(channel)}: {_text(lift.value)} a customer, {lift.reached:,} reached, {lift.held_out:,} held out"
        )
    for pair in told.alike:
        console.print(f"[yellow]{escape(str(pair))}[/yellow]", soft_wrap=True)
    if any(one.measured is None for one in told.channels):
        console.print(
            "credit without a holdout is what orders went along with, not what the channel caused: hold some customers "
            "out (--holdout CHANNEL=EXPERIMENT) or test regions (adloop geo plan)",
            soft_wrap=True,
        )


def _text(found: Interval) -> str:
    digits = 0 if abs(found.value) >= 100 else 2
    return f"{found.value:,.{digits}f} [{found.low:,.{digits}f} to {found.high:,.{digits}f}]"
