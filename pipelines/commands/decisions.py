"""Subcommands that serve decisions and bound them: keys, budgets, stops."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from features.settings import Settings
from pipelines.commands.options import FAMILY, JSON, PARAMS, AboveZero
from serving.access.scopes import Scope

if TYPE_CHECKING:
    from serving.decisions.state.store import Store


@click.command()
@click.option(
    "--params",
    "params_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Decision parameters file. Default: params.yaml in this folder.",
)
def serve(params_file: Path | None) -> None:
    """Serve the champions, decisions and texts at one address until stopped (ADLOOP_HOST, ADLOOP_PORT).

    Clients need a key (adloop key --scope predict --scope decide); decisions also need a budget (adloop budget
    ACCOUNT CAMPAIGN --daily 50). The first start makes a key for this machine's owner and prints where it is.
    ADLOOP_INFERENCE_KEYS=off lets anybody ask the models. Without a params.yaml only the models are served.
    GET /health/ready says which part does not answer, why, and what to do. Processes that die are restarted; damaged
    parts are left out and everything else answers.
    """
    import logging

    from serving.rollout.serve import serve as until_stopped

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if params_file is None:
        params_file = Path("params.yaml") if Path("params.yaml").exists() else None
        if params_file is None:
            click.echo("serves models only: this folder has no params.yaml with decision parameters", err=True)
    until_stopped(Settings(), params_file)


@click.command()
@click.option("--scope", "scopes", type=click.Choice(get_args(Scope)), multiple=True, help="Repeatable.")
@click.option("--account", "accounts", multiple=True, help="Limit to this account; repeatable.")
@click.option(
    "--family", "families", type=FAMILY, multiple=True, help="Limit to this family; repeatable. Default: all."
)
@click.option("--name", default="default", show_default=True, help="Owner of the key, shown in logs and overrides.")
@click.option(
    "--per-second", type=AboveZero(), default=2000.0, show_default=True, help="Opportunities and events a second."
)
@click.option("--revoke", is_flag=True, help="Revoke all keys of this name instead.")
def key(
    scopes: tuple[Scope, ...],
    accounts: tuple[str, ...],
    families: tuple[str, ...],
    name: str,
    per_second: float,
    revoke: bool,
) -> None:
    """Make an API key and print it once; only its hash is stored. Running servers accept it at once.

    \b
    predict, explain   use models             decide, feedback   request decisions, report outcomes
    texts              drafts, listening,     admin              budgets and stops
                       conversations          metrics            read metrics for Prometheus
    campaigns          plan, check, launch,   approve            approve campaigns of others
                       pause and end them     images             check and optimise pictures

    adloop's own commands use keys/own.key in the home folder.
    """
    from serving.access import keys

    if revoke:
        click.echo(f"{keys.revoke(Settings(), name)} keys of '{name}' are revoked")
        return
    if not scopes:
        raise click.UsageError(f"--scope: expected one of {', '.join(keys.SCOPES)}")
    only = [scope for scope in keys.SCOPES if scope in scopes]
    click.echo(keys.make(Settings(), name, only, per_second, accounts or None, families or None))


@click.command()
@click.argument("account", required=False)
@click.argument("campaign", required=False)
@click.option("--daily", type=float, help="Limit per day, in the account's currency.")
@click.option("--total", type=float, help="Limit over all time, in the account's currency.")
@click.option("--target-cpc", type=float, help="Target cost per click of the campaign.")
@click.option("--remove", type=click.Choice(("daily", "total", "target-cpc")), multiple=True, help="Remove a limit.")
@click.option("--reset-clock", is_flag=True, help="Return budgets to today after the server's clock ran ahead.")
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
    """Set the spend limits of CAMPAIGN, or of ACCOUNT as a whole, then show them.

    Without options: show limits, spend, holds, stops and overrides; without ACCOUNT, of all accounts. Omitted limits
    stay unchanged; --remove removes one. A campaign without a daily limit spends nothing. Changes apply at once.

    If the server's clock ran ahead, budgets stay in the day it showed until that day is over. --reset-clock
    returns ACCOUNT to today at once; spend and holds of that time count as today's.
    """
    from pipelines import budget as budgets

    said = budgets.changes({"daily": daily, "total": total, "target-cpc": target_cpc}, remove)
    store = _state(params_file)
    if account is None and (said or reset_clock):
        raise click.UsageError("ACCOUNT: expected the account whose budget to change")
    if account is not None and reset_clock:
        store.reset_clock(account)
    if account is not None and said:
        budgets.change(store, account, campaign, said)
    found = budgets.of(store, account, campaign)
    click.echo(json.dumps(found, indent=2) if as_json else budgets.as_table(found))


@click.command()
@click.argument("account", required=False)
@click.argument("campaign", required=False)
@click.option("--why", help="Reason, shown on each blocked decision.")
@click.option("--lift", is_flag=True, help="Lift the stop instead.")
@PARAMS
def kill(account: str | None, campaign: str | None, why: str | None, lift: bool, params_file: Path) -> None:
    """Stop CAMPAIGN, or ACCOUNT as a whole, or everything if neither is given. Takes effect at once."""
    from serving.decisions.api import requests

    if (why is None) != lift:
        raise click.UsageError("expected either --why or --lift")
    said = requests.stop({"why": why, "account_id": account, "campaign_id": campaign})
    _state(params_file).kill(**said)
    whose = "everything" if account is None else f"{campaign or 'all'} of {account}"
    click.echo(f"{whose} {'resumes' if lift else 'is stopped'}")


@click.command()
@click.option("--apply", "applied", is_flag=True, help="Rest the worn creatives: they are not shown any more.")
@click.option("--again", nargs=3, metavar="ACCOUNT CAMPAIGN CREATIVE", help="Show a resting creative again.")
@JSON
@PARAMS
def rotate(applied: bool, again: tuple[str, str, str] | None, as_json: bool, params_file: Path) -> None:
    """Show which creatives are worn out, by what came of the logged decisions.

    A creative is worn where its click rate declines against that of the campaign's other creatives: a season, or a bad
    day of the whole account, wears none. A creative that does not decline is called worn at most once in 100 weeks
    (decisions.creatives.fatigue_days), however often you look. Run it once a day.
    """
    import time
    from dataclasses import asdict

    from features.records import DECISIONS, recorded
    from pipelines import rotation
    from serving.decisions.params import read
    from serving.decisions.rotation import rest, rotations
    from serving.decisions.state.store import CampaignSettings

    if again is not None:
        account, campaign, creative = again
        _state(params_file).configure(account, campaign, CampaignSettings(resting={creative: ""}))
        click.echo(f"{creative} of {account}, {campaign} is shown again")
        return
    found = rotations(recorded(Settings()) / DECISIONS, read(params_file)[0].creatives, time.time())
    worn = [one for one in found if one.reason]
    if applied:
        rest(_state(params_file), worn)
    click.echo(json.dumps([asdict(one) for one in found], indent=2) if as_json else rotation.as_table(found, applied))


def _state(params_file: Path) -> "Store":
    """The decision endpoint's state store."""
    from serving.decisions.params import read
    from serving.decisions.state.configured import state_store

    return state_store(Settings(), read(params_file)[0])
