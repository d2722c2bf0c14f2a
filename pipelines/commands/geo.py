"""`adloop geo`: tests on regions, planned before money is spent and analysed after."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import JSON, Moment

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
REGION = click.option("--region", default="region", show_default=True, help="FILE's column of the region.")
DAY = click.option("--day", default="day", show_default=True, help="FILE's column of the day.")
VALUE = click.option("--value", default="value", show_default=True, help="FILE's column of the outcome.")
OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="For the plot. Default: geo in the home."
)
TREATED = "A region that gets the campaign. Repeatable."


@click.group()
def geo() -> None:
    """Tests on regions: run a campaign in some, and learn from the others what it added.

    \b
    adloop geo plan sales.csv --count 2 --days 14          how small an effect could be shown, and where
    adloop geo plan sales.csv --treated chicago --treated portland --days 14
    adloop geo analyse sales.csv --treated chicago --treated portland --from 2021-04-01

    FILE is CSV or Parquet with a row a region and day: the columns region, day and value, or those that --region, --day
    and --value name.
    """


@geo.command()
@FILE
@click.option("--treated", multiple=True, metavar="REGION", help=f"{TREATED} Default: the best of all sets.")
@click.option("--count", type=click.IntRange(min=1), default=2, show_default=True, help="Regions of a set.")
@click.option(
    "--days", type=click.IntRange(1, 365), multiple=True, default=(14,), show_default=True, help="Repeatable."
)
@click.option("--alpha", type=click.FloatRange(0.001, 0.5), default=0.05, show_default=True)
@click.option("--power", type=click.FloatRange(0.1, 0.99), default=0.8, show_default=True)
@REGION
@DAY
@VALUE
@OUT
@JSON
def plan(
    file: Path,
    treated: tuple[str, ...],
    count: int,
    days: tuple[int, ...],
    alpha: float,
    power: float,
    region: str,
    day: str,
    value: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Tell the least effect that a test could show, before money is spent.

    FILE has the outcomes of the past, without the campaign. The test is run on it at many dates, with lifts added.
    """
    from features import regions
    from models.evaluation.geo.plan import candidates
    from models.evaluation.geo.plan import plan as planned
    from models.evaluation.geo.plot import draw_plans
    from pipelines import geo as pipeline
    from pipelines.console import console, progress

    panel = regions.read(file, region, day, value)
    sets = [tuple(treated)] if treated else candidates(panel, count)
    plans = []
    with progress() as tell:
        for at, length in enumerate(days):
            tell(f"trying tests of {length} days on the past", at / len(days))
            plans += planned(panel, sets, length, alpha, power)
    target = (out or Settings().home / "geo") / "plan.png"
    draw_plans(plans, target)
    if as_json:
        click.echo(pipeline.plans_json(plans))
        return
    pipeline.show_plans(plans, power, console())
    click.echo(f"written: {target}")


@geo.command()
@FILE
@click.option("--treated", multiple=True, required=True, metavar="REGION", help=TREATED)
@click.option("--from", "start", type=Moment(), required=True, help="First day of the campaign.")
@click.option("--to", "end", type=Moment(), help="Last day whose effect counts. Default: the last in FILE.")
@click.option("--without", multiple=True, metavar="REGION", help="Neither treated nor like the others. Repeatable.")
@REGION
@DAY
@VALUE
@OUT
@JSON
def analyse(
    file: Path,
    treated: tuple[str, ...],
    start: str,
    end: str | None,
    without: tuple[str, ...],
    region: str,
    day: str,
    value: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure what a campaign added in the regions where it ran, with a 95% interval.

    The other regions, weighed to go as these did before, tell what would have been. The interval holds the effects that
    blocks of days in their order do not refuse.
    """
    import pandas as pd

    from features import regions
    from models.evaluation.geo.analysis import analyse as measure
    from models.evaluation.geo.plot import draw_effect
    from pipelines import geo as pipeline
    from pipelines.console import console

    panel = regions.read(file, region, day, value)
    found = measure(panel, treated, pd.Timestamp(start), pd.Timestamp(end) if end else None, without)
    target = (out or Settings().home / "geo") / "effect.png"
    draw_effect(found, target)
    if as_json:
        click.echo(pipeline.effect_json(found))
        return
    pipeline.show_effect(found, treated, console())
    click.echo(f"written: {target}")
