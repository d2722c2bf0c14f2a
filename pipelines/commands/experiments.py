"""Subcommands that look at decisions offline: simulate, replay, explain."""

from contextlib import suppress
from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import PARAMS


@click.command()
@click.option("--campaigns", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--days", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="Default: the seed in params.yaml.")
@PARAMS
def simulate(campaigns: int, days: int, seed: int | None, params_file: Path) -> None:
    """Simulate days of auctions through the decision endpoint, beside the usual rules on the same auctions and budgets.

    Starts an endpoint with the champions and a state of its own. The report then shows spend, pacing, bids and value.
    """
    from pipelines import simulation
    from pipelines.console import console
    from pipelines.report import publish

    output = console()
    output.print(simulation.table(simulation.simulate(campaigns, days, seed, params_file, Settings(), output)))
    publish(Settings())
    output.print(f"the whole report: {Settings().home / 'report' / 'index.html'}")


@click.command()
@click.argument("file")
def replay(file: str) -> None:
    """Repeat the decisions logged in FILE (a part of the decision log, or its folder, here or at s3://...) and compare
    them bit for bit.

    Also reports entries that were changed, removed or moved since they were logged. Exits with 1 on any difference.
    """
    from features.lake import place
    from serving.experiments.replay import replay as decide_again

    done = decide_again(place(file, Settings()))
    for fault in done.faults:
        click.echo(f"not as it was logged: {fault}")
    for one in done.differences:
        click.echo(f"{one.decision_id} {one.field}: logged {one.logged!r}, now {one.now!r}")
    click.echo(f"{done.count} decisions, {done.count - done.differing} the same bit for bit, {done.differing} not")
    if done.faults or done.differing:
        raise SystemExit(1)


@click.command()
@click.argument("decision_id")
def explain(decision_id: str) -> None:
    """Explain DECISION_ID in words: reason, triggers, guardrails, propensity, versions. Finds simulated ones too."""
    from features.records import decisions_folder, recorded
    from serving.experiments.explain import explain as in_words
    from serving.experiments.simulation.records import folder as simulated

    home = recorded(Settings())
    logs = (decisions_folder(home), simulated(Settings()) / "log")
    for place in (log for log in logs if log.exists()):
        with suppress(LookupError):
            click.echo(in_words(place, decision_id))
            return
    raise LookupError(f"no decision {decision_id} is logged in {home}")
