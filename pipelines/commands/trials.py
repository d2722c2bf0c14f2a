"""`adloop experiment`: plan, assign, start, look at and stop experiments."""

from datetime import date
from pathlib import Path
from typing import IO

import click

from features.settings import Settings
from pipelines.commands.options import DATA, JSON, SCHEMA, AboveZero, Moment, schema


@click.group()
def experiment() -> None:
    """Plan experiments, look at them on any day, and stop them with a verdict.

    \b
    adloop experiment plan headline --metric converted --rate 0.05 --lift 0.10 --daily 5000
    adloop experiment start headline
    adloop experiment assign headline visitors.txt      the arm of each visitor, always the same
    adloop experiment status headline --data DIR
    adloop experiment stop headline --data DIR
    adloop experiment list                              all, and what they brought together

    DIR has the table exposures (a row a visitor: experiment_id, unit_id, arm, occurred_at, what came of it such as
    converted or value, and optionally before, the same measure before the experiment) or impressions with the columns
    experiment_id and arm. Without --data the decision log is read, whose arms are baseline and policy.
    """


@experiment.command()
@click.argument("name")
@click.option("--metric", required=True, help="What decides: a column of the data (clicks, converted, value, ...).")
@click.option("--rate", type=float, help="The control's rate of it: 0.014 for 1.4%.")
@click.option("--mean", type=float, help="Or, of an amount, the control's mean for each unit.")
@click.option("--sd", type=float, help="The amount's standard deviation between units.")
@click.option(
    "--lift", type=AboveZero(), required=True, help="Smallest relative effect worth finding: 0.10 for a tenth."
)
@click.option("--daily", type=AboveZero(), help="Units a day, of all arms together.")
@click.option("--per-arm", type=AboveZero(), help="Instead: are so many units an arm enough? Plans nothing.")
@click.option("--weeks", type=click.IntRange(1, 52), default=8, show_default=True, help="The longest it may take.")
@click.option("--arm", "arms", multiple=True, metavar="NAME=SHARE", help="The control first. Default: A=0.5, B=0.5.")
@click.option(
    "--guard",
    "guards",
    multiple=True,
    metavar="METRIC=WORSE[:TOLERATED]",
    help="A metric that must not get worse: complaints=higher:0.05 tolerates 5% more. Repeatable.",
)
@click.option("--wait", type=click.IntRange(min=0), default=0, show_default=True, help="Days to wait for outcomes.")
@click.option(
    "--attribute", "attributes", multiple=True, help="Column known before the exposure, to try a personal choice."
)
@click.option("--campaign", help="Count the decisions of this campaign only.")
@click.option("--layer", help="Experiments of one layer exclude each other. Default: a layer of its own.")
@click.option(
    "--traffic", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Of the layer."
)
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, help="Probability of an effect where there is none."
)
@click.option("--power", type=float, default=0.8, show_default=True, help="Probability of finding such a lift.")
@JSON
def plan(
    name: str,
    metric: str,
    rate: float | None,
    mean: float | None,
    sd: float | None,
    lift: float,
    daily: float | None,
    per_arm: float | None,
    weeks: int,
    arms: tuple[str, ...],
    guards: tuple[str, ...],
    wait: int,
    attributes: tuple[str, ...],
    campaign: str | None,
    layer: str | None,
    traffic: float,
    alpha: float,
    power: float,
    as_json: bool,
) -> None:
    """Plan the experiment NAME: how many units it needs, for how many full weeks, and what it can show.

    Refused where the traffic cannot answer the question, with what it could show. The size is the textbook's for two
    proportions or means. Three tenths of --alpha are spent on looks at any time and the rest on the planned end, which
    leaves 76% of a power of 80%.
    """
    from pipelines import experiments

    if (daily is None) == (per_arm is None):
        raise click.UsageError("expected either --daily or --per-arm")
    asked = experiments.Asked(
        name=name,
        metric=metric,
        rate=rate,
        mean=mean,
        sd=sd,
        lift=lift,
        arms=experiments.arms(arms),
        guards=experiments.guards(guards),
        conversion_days=wait,
        attributes=attributes,
        campaign_id=campaign,
        layer=layer or name,
        alpha=alpha,
        power=power,
    )
    if per_arm is not None:
        click.echo(experiments.enough(asked, per_arm))
        return
    planned = experiments.plan(asked, daily or 0.0, weeks, traffic, Settings())
    click.echo(planned.model_dump_json(indent=2) if as_json else experiments.planned_text(planned, daily or 0.0))


@experiment.command()
@click.argument("name")
@click.argument("file", type=click.File())
def assign(name: str, file: IO[str]) -> None:
    """Print the arm of each unit in FILE (one a line; - reads the standard input) as CSV.

    An arm is a hash of the experiment and the unit: a unit keeps it, and nothing is stored. Units outside the traffic
    of the experiment get none.
    """
    from pipelines import experiments

    click.echo(experiments.assigned(name, [line.strip() for line in file if line.strip()], Settings()), nl=False)


@experiment.command()
@click.argument("name")
@click.option("--on", type=Moment(), help="Its first day. Default: today, in UTC.")
def start(name: str, on: str | None) -> None:
    """Start the planned experiment NAME, and tell which running ones its units see too."""
    from serving.experiments.trials.registry import ExperimentRegistry

    registry = ExperimentRegistry(Settings())
    started = registry.start(name, _day(on))
    click.echo(f"{name} runs from {started.started_on}: adloop experiment status {name} --data DIR")
    for other in registry.overlapping(started):
        click.echo(
            f"overlaps with {other.name} ({other.metric}): its arms are spread evenly over these, so each effect is "
            f"an average over the other's arms; a plan with --layer {other.layer} keeps them apart"
        )


@experiment.command()
@click.argument("name")
@click.option("--data", help=f"{DATA}. Default: the decision log.")
@SCHEMA
@click.option("--as-of", type=Moment(), help="Outcomes are known until this day. Default: the end of the data.")
@JSON
def status(name: str, data: str | None, schema_file: Path | None, as_of: str | None, as_json: bool) -> None:
    """Look at the experiment NAME: its arms, its effect raw and corrected, and the verdict so far.

    Any day is a good day to look. Results are withheld until the first full week, unless a guarded metric breaks;
    arms that do not have their planned shares get no verdict.
    """
    from pipelines import experiments
    from serving.experiments.trials.registry import ExperimentRegistry

    settings = Settings()
    known = ExperimentRegistry(settings).experiment(name)
    experiments.show(experiments.look(known, data, schema(schema_file), settings, as_of), settings, as_json)


@experiment.command()
@click.argument("name")
@click.option("--data", help=f"{DATA}. Default: the decision log.")
@SCHEMA
@click.option("--on", type=Moment(), help="Its last day. Default: today, in UTC.")
@click.option("--as-of", type=Moment(), help="Outcomes are known until this day. Default: the end of the data.")
@JSON
def stop(
    name: str, data: str | None, schema_file: Path | None, on: str | None, as_of: str | None, as_json: bool
) -> None:
    """Stop the experiment NAME and keep its verdict. With --attribute in its plan, also try a personal choice."""
    from pipelines import experiments

    settings = Settings()
    found = experiments.stop(name, data, schema(schema_file), settings, _day(on), as_of)
    experiments.show(found, settings, as_json)


@experiment.command("list")
@JSON
def list_all(as_json: bool) -> None:
    """Show all experiments, planned here or found in the data of adloop run, and what they brought together."""
    from pipelines import experiments

    experiments.show_all(Settings(), as_json)


def _day(given: str | None) -> date:
    import pandas as pd

    return pd.Timestamp(given).date() if given else pd.Timestamp.now("UTC").date()
