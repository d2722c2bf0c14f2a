"""`adloop attribution`: which channels brought the orders."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import DATA, JSON, SCHEMA, schema


@click.command()
@click.option("--data", default="complete_journey", show_default=True, help=f"{DATA}, or a bundled source.")
@SCHEMA
@click.option("--by", default="channel", show_default=True, help="Column of touches to credit: channel, campaign_id.")
@click.option(
    "--window", type=click.IntRange(1, 365), default=30, show_default=True, help="Days from a touch to its order."
)
@click.option(
    "--ltv",
    type=click.Path(exists=True),
    help="Predicted lifetime values in place of orders' amounts: the folder that adloop score ltv wrote, or one file.",
)
@click.option(
    "--holdout",
    "holdouts",
    multiple=True,
    metavar="CHANNEL=EXPERIMENT[:METRIC]",
    help="An experiment in the table exposures that held customers out from a channel, and its outcome (default: "
    "value). Repeatable.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the intervals.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Default: attribution in the home.")
@JSON
def attribution(
    data: str,
    schema_file: Path | None,
    by: str,
    window: int,
    ltv: str | None,
    holdouts: tuple[str, ...],
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Credit channels with the value of orders: last touch, Shapley and Markov side by side, with 95% intervals.

    DIR has the tables touches and transactions. No rule of credit knows what would have been bought anyway. Where an
    experiment held customers out from a channel, its credit is what the experiment measured:

    \b
    adloop attribution --data DIR --holdout email=email_holdout
    adloop attribution --data DIR --by campaign_id --ltv scores/

    The experiment's rows are in the table exposures: unit_id is the customer, one arm is named holdout (or control),
    value is what the customer spent since. Channels that stand in the same journeys are told as one, with the advice to
    test. Writes credit.csv and credit.png.
    """
    from pipelines import attribution as pipeline
    from pipelines.canonical import canonical
    from pipelines.console import console, progress

    settings, tests = Settings(), pipeline.holdouts(holdouts)
    folder = out or settings.home / "attribution"
    with progress() as tell:
        tell(f"reading {data}", 0.0)
        with canonical(data, schema(schema_file), settings) as tables:
            tell("following customers' journeys", 0.5)
            done = pipeline.run(tables, by, window, ltv, tests, seed)
        tell("drawing", 0.95)
        pipeline.write(done, folder)
    if as_json:
        click.echo(pipeline.as_json(done))
        return
    output = console()
    pipeline.show(done, output)
    output.print(f"written: {folder / pipeline.CREDIT} and {folder / pipeline.PLOT}", soft_wrap=True)
