"""`adloop geo`: from plans and effects to tables and JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.evaluation.bootstrap import Interval
from models.evaluation.geo.analysis import GeoEffect
from models.evaluation.geo.plan import GeoPlan
from pipelines.plain_json import plain_json


def plans_json(plans: Sequence[GeoPlan]) -> str:
    """Plans as JSON."""
    return plain_json([asdict(one) for one in plans])


def show_plans(plans: Sequence[GeoPlan], power: float, console: Console) -> None:
    """Print a row a test."""
    table = Table(title="tests on regions, the one that shows the least effect first", title_justify="left")
    table.add_column("regions")
    for name in ("days", "of all", "least lift", "least added in all", "false alarms"):
        table.add_column(name, justify="right")
    for one in plans:
        least = "-" if one.detectable is None else f"{one.detectable:.1%}"
        added = "-" if one.incremental is None else f"{one.incremental:,.0f}"
        names = escape(", ".join(one.regions))
        table.add_row(names, str(one.days), f"{one.share:.1%}", least, added, f"{one.false_alarms:.0%}")
    console.print(table)
    console.print(
        f"least lift: found in {power:.0%} of {plans[0].ends} past periods to which it was added; a campaign that adds "
        "less cannot be shown by this test",
        style="dim",
        soft_wrap=True,
    )


def effect_json(found: GeoEffect) -> str:
    """An effect as JSON."""
    days = found.days.reset_index(names="day").assign(day=lambda rows: rows["day"].dt.date.astype(str))
    return plain_json(asdict(found) | {"days": days.to_dict("records")})


def show_effect(found: GeoEffect, treated: Sequence[str], console: Console) -> None:
    """Print an effect in words and its control's regions."""
    table = Table("", "value", "95% interval", title=escape(f"effect in {', '.join(treated)}"), title_justify="left")
    table.add_row("added a region and day", f"{found.effect.value:,.1f}", _span(found.effect, ",.1f"))
    table.add_row("lift", f"{found.lift.value:.1%}", _span(found.lift, ".1%"))
    table.add_row("added in all", f"{found.incremental.value:,.0f}", _span(found.incremental, ",.0f"))
    console.print(table)
    shown = "an effect is shown" if found.p <= 0.05 else "no effect is shown"
    console.print(
        f"{shown} (p {found.p:.3f}; {found.shuffled_p:.3f} if days were independent of each other); before the "
        f"campaign the control was off by {found.error:.1%} a day",
        soft_wrap=True,
    )
    control = ", ".join(f"{name} {weight:.2f}" for name, weight in found.weights.items())
    console.print(escape(f"control: {control}"), style="dim", soft_wrap=True)


def _span(one: Interval, form: str) -> str:
    return f"{one.low:{form}} to {one.high:{form}}"
