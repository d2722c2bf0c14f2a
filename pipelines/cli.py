"""The `adloop` command. What a subcommand needs is imported inside it, so that `--help` answers at once."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.privacy import stay_private
from features.settings import Settings
from models.catalog import NAMES

if TYPE_CHECKING:
    from serving.decisions.state.store import Store

FAMILY = click.Choice(NAMES)
PARAMS = click.option(
    "--params",
    "params_file",
    type=click.Path(exists=True, path_type=Path),
    default="params.yaml",
    help="What to learn.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


class Explained(click.Group):
    """Turns the errors adloop raises on purpose into one line; anything else keeps its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ValueError, LookupError, FileNotFoundError, ConnectionError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Explained, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="adloop")
def main() -> None:
    """Train, gate, release and watch the models that decide how ad money is spent.

    \b
    Start with:        adloop run                  the whole loop on bundled real data
    On your tables:    adloop evaluate ltv --data DIR     would it work for us?
                       adloop run --data DIR              then run the loop on them
    Afterwards:        adloop status    adloop serve    adloop rollback churn
    Decisions:         adloop budget ACCOUNT CAMPAIGN --daily 50    adloop kill    adloop key
                       adloop simulate           simulated days through the endpoint
                       adloop explain DECISION_ID    adloop replay FILE     why was it done?
    On Kubeflow:       adloop compile --out DIR    adloop submit --host URL

    DIR is a folder or s3:// prefix with customers, transactions, touches and auctions as Parquet or CSV, or with
    iPinYou replay files or a decision log; families whose tables it lacks are left out. All state lives in one
    folder, ADLOOP_HOME (default .adloop); services are named by ADLOOP_* variables (see features/settings.py).
    """
    stay_private()


@main.command()
@click.option("--family", type=FAMILY, help="One family only; default: all.")
@click.option("--data", help="Folder or s3:// prefix with your tables; default: the sources in params.yaml.")
@PARAMS
def run(family: str | None, data: str | None, params_file: Path) -> None:
    """Run the loop: ingest, validate, features, train, evaluate, register, canary release, monitor.

    A family with no champion yet is trained twice, on the data as it stood a horizon ago and as it stands now, so
    that the second version is released canary-style over the first. What has not changed is not run again.

    With --data .adloop/decisions (or the source decision_log) bidding learns from what the endpoint decided and what
    came of it: the new version goes on from the champion's parameters, and is a challenger like any other.
    """
    from pipelines.local import StepFailed
    from pipelines.loop import run_loop

    try:
        run_loop(family, data, params_file, Settings())
    except StepFailed as failed:
        raise click.ClickException(str(failed)) from failed


@main.command("compile")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the YAML.")
@PARAMS
def compile_pipelines(out: Path, params_file: Path) -> None:
    """Write the same pipelines as YAML for Kubeflow Pipelines."""
    from pipelines.submit import compile_all

    for path in compile_all(out, params_file):
        click.echo(path)


@main.command()
@click.option("--host", required=True, help="Address of the Kubeflow Pipelines API.")
@click.option("--family", type=FAMILY, help="One family only; default: all.")
@click.option("--data", help="s3:// prefix with your tables; default: the source in params.yaml.")
@click.option("--schedule", is_flag=True, help="The daily monitoring instead: it retrains where a model has drifted.")
@PARAMS
def submit(host: str, family: str | None, data: str | None, schedule: bool, params_file: Path) -> None:
    """Run the pipelines on Kubeflow."""
    from pipelines import submit as kubeflow

    start = kubeflow.schedule if schedule else kubeflow.submit
    for name in [family] if family else NAMES:
        click.echo(f"{name}: {start(host, name, params_file, Settings(), data)}")


@main.command()
@click.argument("family", type=FAMILY)
@click.option("--version", help="Default: the newest that passed its gates.")
@PARAMS
def release(family: str, version: str | None, params_file: Path) -> None:
    """Release a registered version of FAMILY canary-style against its champion.

    Traffic moves in the steps of the plan in params.yaml; a candidate that does worse is rolled back by itself.
    The customers are those of the running `adloop serve` or of KServe; where neither is, the rows that the version was
    evaluated on stand in for them.
    """
    from components.params import load
    from components.release.step import release as step

    plan = load(params_file).arguments(family)["plan"]
    done = step(family, version or _newest(family), plan, Settings())
    click.echo(f"{family} version {done.version}: {done.outcome.replace('_', ' ')} ({done.reason})")


def _newest(family: str) -> str:
    """The newest version that passed its gates."""
    from models.registry import REJECTED, Registry

    passed = [version for version in Registry(Settings()).versions(family) if version.status != REJECTED]
    if not passed:
        raise LookupError(f"{family} has no version that passed its gates: adloop run --family {family}")
    return passed[0].version


@main.command()
@click.argument("family", type=FAMILY)
def rollback(family: str) -> None:
    """Return FAMILY to the champion before this one, at once."""
    from components.release.step import rollback as roll_back

    click.echo(f"{family}: version {roll_back(family, Settings())} answers again")


@main.command()
@click.argument("account", required=False)
@click.argument("campaign", required=False)
@click.option("--daily", type=float, help="What may be spent a day, in the account's currency.")
@click.option("--total", type=float, help="What may be spent in all.")
@click.option("--target-cpc", type=float, help="What a click of the campaign should cost.")
@click.option("--remove", type=click.Choice(("daily", "total", "target-cpc")), multiple=True, help="Take a limit away.")
@click.option("--reset-clock", is_flag=True, help="Take back what the server's clock did while it ran ahead.")
@JSON
@PARAMS
def budget(
    account: str | None,
    campaign: str | None,
    daily: float | None,
    total: float | None,
    target_cpc: float | None,
    remove: tuple[str, ...],
    reset_clock: bool,
    as_json: bool,
    params_file: Path,
) -> None:
    """Set what CAMPAIGN may spend, or without one what all of ACCOUNT may; then show what stands.

    Without options it only shows: limits, what is spent and held, stops and overrides, of everything where nothing is
    named. What is not named stays as it is; a limit goes by --remove only. A campaign whose daily budget was never set
    spends nothing. Decisions know a change at once.

    Where the server's clock ran ahead for a while, budgets stay in the day that it showed until that day is over; with
    --reset-clock ACCOUNT goes on in today's at once. What was spent and held meanwhile counts as today's.
    """
    from pipelines import budget as budgets

    said = budgets.changes({"daily": daily, "total": total, "target-cpc": target_cpc}, remove)
    store = _state(params_file)
    if account is None and (said or reset_clock):
        raise click.UsageError("ACCOUNT: expected whose budget to change")
    if account is not None and reset_clock:
        store.reset_clock(account)
    if account is not None and said:
        budgets.change(store, account, campaign, said)
    found = budgets.of(store, account, campaign)
    click.echo(json.dumps(found, indent=2) if as_json else budgets.as_table(found))


@main.command()
@click.argument("account", required=False)
@click.argument("campaign", required=False)
@click.option("--why", help="The reason, shown on each blocked decision.")
@click.option("--lift", is_flag=True, help="Let it go on instead.")
@PARAMS
def kill(account: str | None, campaign: str | None, why: str | None, lift: bool, params_file: Path) -> None:
    """Stop CAMPAIGN, all of ACCOUNT, or (naming neither) everything, at once."""
    from serving.decisions.endpoint import requests

    if (why is None) != lift:
        raise click.UsageError("expected either --why or --lift")
    said = requests.stop({"why": why, "account_id": account, "campaign_id": campaign})
    _state(params_file).kill(**said)
    click.echo(f"{_whose(account, campaign)} {'goes on' if lift else 'is stopped'}")


def _whose(account: str | None, campaign: str | None) -> str:
    return "everything" if account is None else f"{campaign or 'all'} of {account}"


def _state(params_file: Path) -> "Store":
    """What the decision endpoint keeps its state in."""
    from serving.decisions.endpoint.server import state_store
    from serving.decisions.params import read

    return state_store(Settings(), read(params_file)[0])


@main.command()
@click.option("--params", "params_file", type=click.Path(path_type=Path), default="params.yaml", help="To decide by.")
def serve(params_file: Path) -> None:
    """Serve the released champions and decisions behind one address until stopped (ADLOOP_HOST, ADLOOP_PORT).

    Decisions need a key (adloop key --scope decide) and a budget (adloop budget ACCOUNT CAMPAIGN --daily 50). Without
    a params.yaml only the models answer.
    """
    from serving.rollout.serve import serve as until_stopped

    until_stopped(Settings(), params_file if params_file.exists() else None)


@main.command()
@click.option(
    "--scope", "scopes", type=click.Choice(("decide", "feedback", "admin")), multiple=True, help="May be repeated."
)
@click.option("--name", default="default", help="Whose key it is: told in logs and beside overrides.")
@click.option("--per-second", type=click.FloatRange(min=0, min_open=True), default=2000.0, help="What it may send.")
@click.option("--revoke", is_flag=True, help="Take all keys of this name out of force instead.")
def key(scopes: tuple[str, ...], name: str, per_second: float, revoke: bool) -> None:
    """Make a key for the decision endpoint, and show it: only its hash is kept. Running servers know it at once."""
    from serving.decisions.endpoint import keys

    if revoke:
        click.echo(f"{keys.revoke(Settings(), name)} keys of '{name}' are out of force")
        return
    if not scopes:
        raise click.UsageError("--scope: expected decide, feedback or admin")
    click.echo(keys.make(Settings(), name, [scope for scope in keys.SCOPES if scope in scopes], per_second))


@main.command()
@click.argument("family", type=FAMILY)
@click.option("--data", required=True, help="Folder or s3:// prefix with your tables.")
@click.option("--test", help="Held-out tables of the same form; default: later dates, or folds, of --data.")
@click.option("--cutoff", help="Learn from what happened up to this date, test on what came after (2011-06-30).")
@click.option("--horizon", help="How far ahead to predict (180d).")
@JSON
@PARAMS
def evaluate(
    family: str, data: str, test: str | None, cutoff: str | None, horizon: str | None, as_json: bool, params_file: Path
) -> None:
    """Would FAMILY work on your data? Fits it and the field's baselines, prints a table, registers nothing."""
    from components.compare.step import compare
    from components.params import load
    from pipelines import trial
    from pipelines.console import console, progress

    section = load(params_file).section(family)
    with progress() as tell:
        compared = compare(family, data, test, cutoff, horizon, section, Settings(), tell)
    if as_json:
        click.echo(trial.as_json(compared))
    else:
        trial.show(compared, console())


@main.command()
@click.option("--campaigns", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--days", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="Default: the seed in params.yaml.")
@PARAMS
def simulate(campaigns: int, days: int, seed: int | None, params_file: Path) -> None:
    """Play simulated days through the decision endpoint, beside the usual rules with the same budgets.

    Starts an endpoint with the released champions and a state of its own, and puts spend, pacing, bids and value into
    the report.
    """
    from pipelines import simulation
    from pipelines.console import console
    from pipelines.report import publish

    output = console()
    output.print(simulation.table(simulation.simulate(campaigns, days, seed, params_file, Settings(), output)))
    publish(Settings())
    output.print(f"the whole report: {Settings().home / 'report' / 'index.html'}")


@main.command()
@JSON
def status(as_json: bool) -> None:
    """What is trained, registered, released and drifting."""
    from pipelines import status as standing

    found = standing.status(Settings())
    click.echo(json.dumps(found, indent=2) if as_json else standing.as_table(found))


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def replay(file: Path) -> None:
    """Decide again what FILE logged: a part of the decision log, or its folder. Ends with 1 where anything differs.

    Also says where an entry was changed, removed or moved since it was logged.
    """
    from serving.decisions.replay import replay as decide_again

    done = decide_again(file)
    for fault in done.faults:
        click.echo(f"not as it was logged: {fault}")
    for one in done.differences:
        click.echo(f"{one.decision_id} {one.field}: logged {one.logged!r}, now {one.now!r}")
    click.echo(f"{done.count} decisions, {done.count - done.differing} the same bit for bit, {done.differing} not")
    if done.faults or done.differing:
        raise SystemExit(1)


@main.command()
@click.argument("decision_id")
def explain(decision_id: str) -> None:
    """Why DECISION_ID was made, also in a simulation: in words, with triggers, guardrails, propensity and versions."""
    from serving.decisions.explain import explain as in_words
    from serving.decisions.log.parts import folder
    from serving.decisions.simulation.records import folder as simulated

    home = Settings().home
    logs = [place for place in (folder(home), simulated(Settings()) / "log") if place.exists()]
    for place in logs:
        with suppress(LookupError):
            click.echo(in_words(place, decision_id))
            return
    raise LookupError(f"no decision {decision_id} is logged in {home}")


if __name__ == "__main__":
    main()
