"""`adloop experiment`: from options to plans, and from findings to text and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, TypedDict

import click
import pandas as pd

from features.schema import Schema
from features.settings import Settings
from serving.experiments.trials import account
from serving.experiments.trials.assignment import assigned as by_hash
from serving.experiments.trials.experiment import WEEK, Arm, Experiment, Guard, full_weeks, size
from serving.experiments.trials.findings import Findings
from serving.experiments.trials.registry import ExperimentRegistry
from serving.experiments.trials.sample_size import ControlOutcome, detectable

if TYPE_CHECKING:
    from rich.table import Table

HALVES = (Arm(name="A", share=0.5), Arm(name="B", share=0.5))


class Asked(TypedDict):
    """What is planned, but for its size and place; fields as of `Experiment`."""

    name: str
    metric: str
    rate: float | None
    mean: float | None
    sd: float | None
    lift: float
    arms: tuple[Arm, ...]
    guards: tuple[Guard, ...]
    conversion_days: int
    attributes: tuple[str, ...]
    campaign_id: str | None
    layer: str
    alpha: float
    power: float


def arms(given: Sequence[str]) -> tuple[Arm, ...]:
    """Arms from `NAME=SHARE`. Raises `ValueError` naming the option."""
    found = [_named(one, "--arm NAME=SHARE") for one in given]
    return tuple(Arm(name=name, share=_number(share, "--arm NAME=SHARE")) for name, share in found) or HALVES


def guards(given: Sequence[str]) -> tuple[Guard, ...]:
    """Guarded metrics from `METRIC=WORSE[:TOLERATED]`. Raises `ValueError` naming the option or field."""
    found = []
    for one in given:
        metric, rest = _named(one, "--guard METRIC=WORSE[:TOLERATED]")
        worse, _, tolerated = rest.partition(":")
        number = _number(tolerated, "--guard METRIC=WORSE:TOLERATED") if tolerated else 0.0
        found.append(Guard.model_validate({"metric": metric, "worse": worse, "tolerated": number}))
    return tuple(found)


def _named(text: str, option: str) -> tuple[str, str]:
    name, _, rest = text.rpartition("=")
    if not name:
        raise ValueError(f"{option}: a name and '=' are missing in '{text}'")
    return name, rest


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{option}: expected a number, got '{text}'") from None


def plan(asked: Asked, daily: float, weeks: int, traffic: float, settings: Settings) -> Experiment:
    """Plan and keep an experiment. Raises `TooSmall` where so many weeks cannot answer, `ValueError` naming a field."""
    units = daily * weeks * WEEK
    needed = _size(asked, units)
    planned = _experiment(asked, needed, full_weeks(needed, daily))
    return ExperimentRegistry(settings).plan(planned, traffic)


def enough(asked: Asked, per_arm: float) -> str:
    """Whether so many units an arm answer the question. Raises `TooSmall` with what they could show."""
    smallest = min(arm.share for arm in asked["arms"])
    needed = _size(asked, per_arm / smallest)
    _experiment(asked, needed, WEEK)
    return (
        f"enough: {ceil(needed * smallest):,} units an arm are needed. To plan it: --daily UNITS instead of --per-arm"
    )


def _size(asked: Asked, units: float) -> int:
    control = _control(asked)
    shares = tuple(arm.share for arm in asked["arms"])
    if len(shares) < 2:
        raise ValueError("--arm: expected at least two, the control first")
    return size(control, asked["lift"], shares, asked["alpha"], asked["power"], units)


def _control(asked: Asked) -> ControlOutcome:
    if asked["rate"] is not None and asked["mean"] is None and asked["sd"] is None:
        return ControlOutcome(asked["rate"])
    if asked["rate"] is None and asked["mean"] is not None and asked["sd"] is not None:
        return ControlOutcome(asked["mean"], asked["sd"])
    raise ValueError("expected either --rate, or --mean and --sd, of the control")


def _experiment(asked: Asked, needed: int, days: int) -> Experiment:
    today, matters = datetime.now(UTC).date(), min(asked["lift"] / 2, 0.5)
    return Experiment.model_validate(
        {**asked, "equivalence": matters, "needed": needed, "days": days, "planned_on": today}
    )


def planned_text(planned: Experiment, daily: float) -> str:
    """A plan in words."""
    shown = detectable(planned.control, daily * planned.days, planned.shares, planned.alpha, planned.power)
    smallest = ceil(planned.needed * min(planned.shares))
    lines = [
        f"{planned.name}: {planned.metric}, {', '.join(f'{arm.name} {arm.share:.0%}' for arm in planned.arms)}",
        f"  needs   {planned.needed:,} units, {smallest:,} in the smallest arm, to show a lift of {planned.lift:.3g}"
        f" at {planned.alpha:.0%} and {planned.power:.0%} power",
        f"  takes   {planned.days} days, full weeks, at {daily:,.0f} units a day"
        + (f", and {planned.conversion_days} days for outcomes" if planned.conversion_days else ""),
        f"  shows   in this time a lift of {shown:.3g} or more; effects within ±{planned.equivalence:.3g} do not"
        " matter",
        f"  traffic {planned.segment.start:.0%} to {planned.segment.end:.0%} of layer {planned.layer}",
        f"  next    adloop experiment start {planned.name}",
    ]
    return "\n".join(lines)


def assigned(name: str, units: Sequence[str], settings: Settings) -> str:
    """The arm of each unit as CSV; empty for units outside the experiment's traffic."""
    known = ExperimentRegistry(settings).experiment(name)
    segment = (known.segment.start, known.segment.end)
    found = by_hash(known.name, known.layer, segment, [(arm.name, arm.share) for arm in known.arms], units)
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("unit_id", "arm"), *zip(units, found, strict=True)])
    return written.getvalue()


def look(known: Experiment, data: str | None, schema: Schema, settings: Settings, as_of: str | None) -> Findings:
    """Assess an experiment on the data, known up to the end of the day `as_of`."""
    from serving.experiments.trials.look import look as assess

    end = pd.Timestamp(as_of).normalize() + pd.Timedelta(days=1) if as_of else None
    return assess(known, data, schema, settings, end)


def stop(name: str, data: str | None, schema: Schema, settings: Settings, day: date, as_of: str | None) -> Findings:
    """Stop an experiment with the verdict on the data up to its last day."""
    registry = ExperimentRegistry(settings)
    known = registry.experiment(name)
    if known.state == "running":  # looked at before it is stopped: without data it runs on
        last = known.changed(state="stopped", stopped_on=day)
        registry.stop(name, day, str(look(last, data, schema, settings, as_of).verdict))
    else:
        registry.stop(name, day, "")
    return next(one for one in registry.findings() if one.name == name)


def show(found: Findings, settings: Settings, as_json: bool) -> None:
    """Print findings beside what the other experiments teach."""
    from pipelines.console import console
    from pipelines.report import trials

    registry = ExperimentRegistry(settings)
    learnt = account.spread(registry.findings())
    if as_json:
        click.echo(json.dumps(trials.plain(found, learnt), indent=2))
        return
    console().print(trials.arms_table(found, learnt))


def show_all(settings: Settings, as_json: bool) -> None:
    """Print all experiments and their cumulative gain."""
    from pipelines.console import console
    from pipelines.report import trials

    registry = ExperimentRegistry(settings)
    planned, found = registry.experiments(), registry.findings()
    learnt = account.spread(found)
    gains = account.cumulative(found, learnt)
    if as_json:
        rows = {"experiments": [one.model_dump(mode="json") for one in planned]}
        told: dict[str, Any] = {
            **rows,
            "findings": [trials.plain(one, learnt) for one in found],
            "cumulative": [asdict(one) for one in gains],
        }
        click.echo(json.dumps(told, indent=2))
    elif not planned and not found:
        click.echo("no experiment yet: adloop experiment plan --help")
    else:
        console().print(_list(planned, found, learnt, gains))


def _list(planned: Sequence[Experiment], found: Sequence[Findings], learnt: Any, gains: Sequence[Any]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from pipelines.report import trials

    table = Table("experiment", "metric", "state", "from", "verdict", "effect", "corrected", title_justify="left")
    seen = {one.name: one for one in found}
    for one in planned:
        findings = seen.pop(one.name, None)
        cells = [one.name, one.metric, one.state, str(one.started_on or "-"), *trials.in_short(findings, learnt)]
        table.add_row(*map(Text, cells))
    for findings in seen.values():
        cells = [
            findings.name,
            findings.metric,
            "in the data",
            findings.daily[0].day,
            *trials.in_short(findings, learnt),
        ]
        table.add_row(*map(Text, cells))
    table.caption, table.caption_justify = "\n".join(trials.gain_text(gain) for gain in gains), "left"
    return table
