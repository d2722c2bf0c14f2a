"""The `adloop` command. What a subcommand needs is imported inside it, so that `--help` answers at once."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from features.privacy import keep_private, stay_private
from features.settings import Settings
from models.catalog import NAMES
from pipelines.explained import Explained, Rate
from serving.access.scopes import Scope

if TYPE_CHECKING:
    from features.schema import Schema
    from serving.decisions.state.store import Store

FAMILY = click.Choice(NAMES)
PARAMS = click.option(
    "--params",
    "params_file",
    type=click.Path(exists=True, path_type=Path),
    default="params.yaml",
    help="What to learn.",
)
SCHEMA = click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How your files become these tables (YAML): names, formats, signs, zone; adloop check proposes one.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group(cls=Explained, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="adloop")
def main() -> None:
    """Train, gate, release and watch the models that decide how ad money is spent.

    \b
    Start with:        adloop run                  the whole loop on bundled real data
    On your tables:    adloop check --data DIR            can they be used? proposes a schema file
                       adloop evaluate ltv --data DIR     would it work for us?
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
    keep_private(Settings().home)


@main.command()
@click.option("--family", type=FAMILY, help="One family only; default: all.")
@click.option("--data", help="Folder or s3:// prefix with your tables; default: the sources in params.yaml.")
@SCHEMA
@PARAMS
def run(family: str | None, data: str | None, schema_file: Path | None, params_file: Path) -> None:
    """Run the loop: ingest, validate, features, train, evaluate, register, canary release, monitor.

    A family with no champion yet is trained twice, on the data as it stood a horizon ago and as it stands now, so
    that the second version is released canary-style over the first. What has not changed is not run again.

    With --data .adloop/decisions (or the source decision_log) bidding learns from what the endpoint decided and what
    came of it: the new version goes on from the champion's parameters, and is a challenger like any other.
    """
    from pipelines.local import StepFailed
    from pipelines.loop import run_loop

    try:
        run_loop(family, data, params_file, Settings(), _schema(schema_file))
    except StepFailed as failed:
        raise click.ClickException(str(failed)) from failed


@main.command()
@click.option("--data", required=True, help="Folder or s3:// prefix with your tables.")
@SCHEMA
@click.option("--write", "target", type=click.Path(dir_okay=False, path_type=Path), help="Keep the proposal here.")
@JSON
def check(data: str, schema_file: Path | None, target: Path | None, as_json: bool) -> None:
    """Can your tables be used? Says what is in them and what is wrong, and proposes a schema file.

    Ends with 1 where they cannot be used as they are. A schema file says of each table what differs from the README's:

    \b
    zone: Europe/Berlin              # whose clock times without a zone were read from; default UTC
    tables:
      transactions:
        file: Orders 2024.csv        # or several with the same columns; default transactions.parquet, .csv
        columns: {customer_id: Client No, occurred_at: Date, amount: Total}
        date_format: "%d.%m.%Y %H:%M"   # or epoch_s, epoch_ms; by column {occurred_at: ...}; default ISO 8601
        decimal: ","                 # 1.234,56
        currency: "€"
        encoding: latin-1            # default UTF-8, or as marked; delimiter: ";" is found by itself
        na_values: [nan, "NULL"]     # texts that stand for nothing
        ids: clean                   # without spaces around and .0 behind them; default as_is
        missing_ids: drop            # rows without a required id; default refuse
        duplicates: drop             # rows that are the same in every column; default keep, or refuse
      customers:
        columns: {churned: Status}   # null says that there is no such column
        true_values: [Cancelled]
        false_values: [Active]
    """
    from components.check.step import check as step
    from pipelines import tables
    from pipelines.console import console

    checked = step(data, Settings(), _schema(schema_file))
    if as_json:
        click.echo(tables.as_json(checked))
    else:
        tables.show(checked, console())
    if target is not None:
        target.write_text(tables.schema_file(checked), encoding="utf-8")
    if not checked.usable:
        raise SystemExit(1)


def _schema(file: Path | None) -> "Schema":
    from features.schema import Schema, load

    return Schema() if file is None else load(file)


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
@SCHEMA
@click.option("--schedule", is_flag=True, help="The daily monitoring instead: it retrains where a model has drifted.")
@PARAMS
def submit(
    host: str, family: str | None, data: str | None, schema_file: Path | None, schedule: bool, params_file: Path
) -> None:
    """Run the pipelines on Kubeflow."""
    from pipelines import submit as kubeflow

    start = kubeflow.schedule if schedule else kubeflow.submit
    for name in [family] if family else NAMES:
        click.echo(f"{name}: {start(host, name, params_file, Settings(), data, _schema(schema_file))}")


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
    from serving.decisions.api import requests

    if (why is None) != lift:
        raise click.UsageError("expected either --why or --lift")
    said = requests.stop({"why": why, "account_id": account, "campaign_id": campaign})
    _state(params_file).kill(**said)
    click.echo(f"{_whose(account, campaign)} {'goes on' if lift else 'is stopped'}")


def _whose(account: str | None, campaign: str | None) -> str:
    return "everything" if account is None else f"{campaign or 'all'} of {account}"


def _state(params_file: Path) -> "Store":
    """What the decision endpoint keeps its state in."""
    from serving.decisions.api.server import state_store
    from serving.decisions.params import read

    return state_store(Settings(), read(params_file)[0])


@main.command()
@click.option(
    "--params",
    "params_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="To decide by; default: params.yaml, where there is one.",
)
def serve(params_file: Path | None) -> None:
    """Serve the released champions and decisions behind one address until stopped (ADLOOP_HOST, ADLOOP_PORT).

    Who asks needs a key (adloop key --scope predict --scope decide); decisions need a budget too (adloop budget
    ACCOUNT CAMPAIGN --daily 50). The first start makes a key for this machine's owner and says where it lies.
    ADLOOP_INFERENCE_KEYS=off lets anybody ask the models. Where there is no params.yaml only the models answer.
    GET /health/ready says what does not answer, why, and what to do: what dies is started again, what is damaged is
    left out, and all else answers.
    """
    import logging

    from serving.rollout.serve import serve as until_stopped

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if params_file is None:
        params_file = Path("params.yaml") if Path("params.yaml").exists() else None
        if params_file is None:
            click.echo("serves models only: there is no params.yaml to decide by in this folder", err=True)
    until_stopped(Settings(), params_file)


@main.command()
@click.option("--scope", "scopes", type=click.Choice(get_args(Scope)), multiple=True, help="May be repeated.")
@click.option("--account", "accounts", multiple=True, help="Only about this account; may be repeated. Default: all.")
@click.option(
    "--family", "families", type=FAMILY, multiple=True, help="Only this family; may be repeated. Default: all."
)
@click.option("--name", default="default", help="Whose key it is: told in logs and beside overrides.")
@click.option("--per-second", type=Rate(), default=2000.0, help="Opportunities and events it may send.")
@click.option("--revoke", is_flag=True, help="Take all keys of this name out of force instead.")
def key(
    scopes: tuple[Scope, ...],
    accounts: tuple[str, ...],
    families: tuple[str, ...],
    name: str,
    per_second: float,
    revoke: bool,
) -> None:
    """Make a key, and show it: only its hash is kept. Running servers know it at once.

    \b
    predict, explain   ask models          decide, feedback   ask for decisions, tell what came of them
    admin              budgets and stops   metrics            read figures for Prometheus

    The commands of adloop itself send a key of their own: keys/own.key in the home.
    """
    from serving.access import keys

    if revoke:
        click.echo(f"{keys.revoke(Settings(), name)} keys of '{name}' are out of force")
        return
    if not scopes:
        raise click.UsageError(f"--scope: expected one of {', '.join(keys.SCOPES)}")
    only = [scope for scope in keys.SCOPES if scope in scopes]
    click.echo(keys.make(Settings(), name, only, per_second, accounts or None, families or None))


@main.command()
@click.argument("family", type=FAMILY)
@click.option("--data", required=True, help="Folder or s3:// prefix with your tables.")
@click.option("--test", help="Held-out tables of the same form; default: later dates, or folds, of --data.")
@click.option("--cutoff", help="Learn from what happened up to this date, test on what came after (2011-06-30).")
@click.option("--horizon", help="How far ahead to predict (180d).")
@SCHEMA
@JSON
@PARAMS
def evaluate(
    family: str,
    data: str,
    test: str | None,
    cutoff: str | None,
    horizon: str | None,
    schema_file: Path | None,
    as_json: bool,
    params_file: Path,
) -> None:
    """Would FAMILY work on your data? Fits it and the field's baselines, prints a table, registers nothing."""
    from components.compare.step import compare
    from components.params import load
    from pipelines import trial
    from pipelines.console import console, progress

    section, schema = load(params_file).section(family), _schema(schema_file)
    with progress() as tell:
        compared = compare(family, data, test, cutoff, horizon, section, Settings(), schema, tell)
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
    from serving.experiments.replay import replay as decide_again

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
    from features.records import decisions_folder
    from serving.experiments.explain import explain as in_words
    from serving.experiments.simulation.records import folder as simulated

    home = Settings().home
    logs = [place for place in (decisions_folder(home), simulated(Settings()) / "log") if place.exists()]
    for place in logs:
        with suppress(LookupError):
            click.echo(in_words(place, decision_id))
            return
    raise LookupError(f"no decision {decision_id} is logged in {home}")


if __name__ == "__main__":
    main()
