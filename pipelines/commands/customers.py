"""`adloop prevent`: keep customers who are about to leave."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import DATA, JSON, SCHEMA, Moment, schema

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
                tell("learning what interventions change", 0.4)
                models = pipeline.learnt(tried, tables, seed, settings)
                tell("scoring customers", 0.6)
                done = pipeline.plan(scored(tables, as_of, policy.engagement, settings), models, policy, settings)
    if effect:
        click.echo(pipeline.effect_json(found)) if as_json else pipeline.show_effect(found, console())
        return
    target = None if dry_run else pipeline.keep(done, settings)
    click.echo(pipeline.plan_json(done)) if as_json else pipeline.show_plan(done, console())
    if target is not None:
        click.echo(f"kept: {target}; what it changed: adloop prevent --effect", err=as_json)
