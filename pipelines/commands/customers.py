"""`adloop prevent` and `adloop customers`: keep, win and grow customers."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import DATA, JSON, SCHEMA, AboveZero, Moment, schema

SOURCE = click.option("--data", default="complete_journey", show_default=True, help=f"{DATA}, or a bundled source.")
AS_OF = click.option("--as-of", type=Moment(), help="Score customers as of this day. Default: the end of the data.")


@click.command()
@SOURCE
@SCHEMA
@AS_OF
@click.option(
    "--budget", type=click.FloatRange(min=0, max=1e9), help="Most that the plan may cost. Default: the file's."
)
@click.option(
    "--experiment",
    "tests",
    multiple=True,
    metavar="INTERVENTION=EXPERIMENT",
    help="An experiment in the table exposures that gave an intervention at random. Repeatable.",
)
@click.option(
    "--interventions",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Triggers, holdout and interventions (YAML). Default: serving/campaigns/customers/interventions.yaml.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the uplift models.")
@click.option("--dry-run", is_flag=True, help="Keep no plan.")
@click.option("--effect", is_flag=True, help="Tell what came of earlier plans instead.")
@JSON
def prevent(
    data: str,
    schema_file: Path | None,
    as_of: str | None,
    budget: float | None,
    tests: tuple[str, ...],
    policy_file: Path | None,
    seed: int,
    dry_run: bool,
    effect: bool,
    as_json: bool,
) -> None:
    """Plan whom to keep and by what, with the champions of churn and LTV; then tell what it changed.

    \b
    adloop prevent --dry-run                        the plan, and why
    adloop prevent --data DIR                       keeps it in .adloop/prevention: customer, arm, propensity, reason
    adloop prevent --data DIR --effect              weeks later: who stayed, value saved and ROI, from the holdout

    A customer calls for something at a churn probability of 0.5 or 0.7, or when use falls by half. Of the interventions
    the one with the most expected saved value above its cost is chosen, within the budget; a random tenth gets none.
    What was tried at random before (earlier plans, --experiment) is predicted by an uplift model; else it is assumed.
    """
    from pipelines import prevention as pipeline
    from pipelines.canonical import canonical
    from pipelines.console import console, progress
    from pipelines.customer_scores import scored
    from serving.campaigns.customers.effect import effects
    from serving.campaigns.customers.interventions import read

    settings, policy = Settings(), read(policy_file)
    if budget is not None:
        policy = policy.model_copy(update={"budget": budget})
    with progress() as tell:
        tell(f"reading {data}", 0.0)
        with canonical(data, schema(schema_file), settings) as tables:
            tell("looking at what was tried before", 0.3)
            earlier = pipeline.past(tables, policy.horizon_days, settings)
            if effect:
                found = effects(earlier)
            else:
                import pandas as pd

                tried = pd.concat([earlier, pipeline.experiments(tests, tables, policy)], ignore_index=True)
                tell("scoring customers", 0.4)
                scores = scored(tables, as_of, policy.engagement, settings)
                tell("learning what interventions change", 0.6)
                done = pipeline.plan(scores, pipeline.learnt(tried, tables, seed, settings), policy, settings)
    if effect:
        click.echo(pipeline.effect_json(found)) if as_json else pipeline.show_effect(found, console())
        return
    target = None if dry_run else pipeline.keep(done, settings)
    click.echo(pipeline.plan_json(done)) if as_json else pipeline.show_plan(done, console())
    if target is not None:
        click.echo(f"kept: {target}; what it changed: adloop prevent --effect", err=as_json)


@click.group()
def customers() -> None:
    """Win customers who are worth it, and grow those who stay, with the champions of churn and LTV.

    \b
    adloop customers acquisition --data DIR --spend search=1200 --margin 0.3
    adloop customers growth --data DIR
    """


@customers.command()
@SOURCE
@SCHEMA
@AS_OF
@click.option("--spend", "spent", multiple=True, metavar="CHANNEL=AMOUNT", help="Spent on the channel. Repeatable.")
@click.option(
    "--margin", type=click.FloatRange(0, 1, min_open=True), default=0.3, show_default=True, help="Share of the value."
)
@click.option(
    "--ratio", type=AboveZero(), default=3.0, show_default=True, help="How many times its cost the margin is to be."
)
@click.option(
    "--window", type=click.IntRange(1, 365), default=30, show_default=True, help="Days from a touch to the first order."
)
@JSON
def acquisition(
    data: str,
    schema_file: Path | None,
    as_of: str | None,
    spent: tuple[str, ...],
    margin: float,
    ratio: float,
    window: int,
    as_json: bool,
) -> None:
    """Compare what new customers are worth with what they cost, by the channel they met last before their first order.

    Value is what LTV predicts for a year. `bid for` is the margin of the lower bound of a channel's mean, which is
    written to acquisition/targets.csv: joined to auctions by channel as predicted_value, bids follow it.
    """
    from features.acquired import acquired
    from pipelines import growth as pipeline
    from pipelines.canonical import canonical
    from pipelines.console import console, progress
    from pipelines.customer_scores import scored
    from serving.campaigns.customers.acquisition import channels
    from serving.campaigns.customers.interventions import read

    settings, spend = Settings(), pipeline.spends(spent)
    with progress() as tell:
        tell(f"reading {data}", 0.0)
        with canonical(data, schema(schema_file), settings) as tables:
            tell("scoring customers", 0.4)
            came = acquired(tables, window)
            people = scored(tables, as_of, read(None).engagement, settings).customers
    rows = came.merge(people[["customer_id", "value_1y"]].rename(columns={"value_1y": "value"}), on="customer_id")
    found = channels(rows, spend, margin, ratio)
    target = pipeline.write(pipeline.targets(found), settings.home / "acquisition" / "targets.csv")
    if as_json:
        click.echo(pipeline.acquisition_json(found))
        return
    pipeline.show_acquisition(found, console())
    click.echo(f"written: {target}")


@customers.command()
@SOURCE
@SCHEMA
@AS_OF
@click.option("--top", type=click.FloatRange(0.001, 1), default=0.1, show_default=True, help="Share of the customers.")
@click.option(
    "--before", type=click.IntRange(1, 730), default=84, show_default=True, help="Days back to compare values with."
)
@click.option("--by", default="category", show_default=True, help="Column of transactions that tells the item.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the intervals.")
@JSON
def growth(
    data: str, schema_file: Path | None, as_of: str | None, top: float, before: int, by: str, seed: int, as_json: bool
) -> None:
    """Show the customers of the highest value, those whose value declines, and what to propose to each.

    `buys again`: the customer's own purchases, recent ones for more. `may buy`: what customers alike buy and this one
    never did. Both are tested on the last four weeks, beside the most popular items. Writes growth/customers.csv.
    """
    import pandas as pd

    from pipelines import growth as pipeline
    from pipelines.canonical import canonical
    from pipelines.console import console, progress
    from pipelines.customer_scores import scored
    from serving.campaigns.customers.growth import standing
    from serving.campaigns.customers.interventions import read

    settings, share = Settings(), read(None).engagement
    with progress() as tell:
        tell(f"reading {data}", 0.0)
        with canonical(data, schema(schema_file), settings) as tables:
            tell("scoring customers now", 0.3)
            now = scored(tables, as_of, share, settings)
            tell(f"scoring customers {before} days before", 0.5)
            earlier = scored(tables, (now.at - pd.Timedelta(days=before)).isoformat(), share, settings)
            rows = standing(now.customers, earlier.customers, top)
            tell("counting what they buy", 0.7)
            items = pipeline.proposals(tables, by, rows["customer_id"].tolist(), now.at)
            found = pipeline.quality(tables, by, now.at, seed)
    rows = rows.join(items)
    target = pipeline.write(rows, settings.home / "growth" / "customers.csv")
    if as_json:
        versions = {one.family: one.version for one in now.champions.values()}
        click.echo(pipeline.growth_json(rows[rows["top"] | rows["declining"]], found, versions))
        return
    pipeline.show_growth(rows, found, console())
    click.echo(f"written: {target}")
