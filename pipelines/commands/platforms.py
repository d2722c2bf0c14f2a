"""Subcommands that connect, read and write ad and marketing platforms."""

import getpass
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.settings import Settings
from pipelines.commands.options import JSON, PARAMS
from serving.integrations.catalog import NAMES

if TYPE_CHECKING:
    from serving.integrations.platform import Outcome

PLATFORM = click.Choice(NAMES)
BY = click.option("--by", default=getpass.getuser, show_default="your user name", help="Who, on the time line.")


@click.command()
@click.argument("platform", type=PLATFORM)
@JSON
def connect(platform: str, as_json: bool) -> None:
    """Check the credentials of PLATFORM and show what they permit.

    Credentials are environment variables (ADLOOP_META_ACCESS_TOKEN, ...), or files of these names in the folder
    ADLOOP_SECRETS; docs/platforms.md lists them with the least permissions. They are stored nowhere.
    """
    from pipelines import platforms
    from pipelines.console import console

    with platforms.opened(platform) as (account,):
        access = account.connect()
        if as_json:
            able = [asdict(one) for one in account.capabilities]
            click.echo(json.dumps({**asdict(access), "capabilities": able}, indent=2))
        else:
            console().print(platforms.access_table(account, access))
    if access.missing:
        raise click.ClickException(f"{platform}: {'; '.join(access.missing)}")


@click.command()
@click.argument("platform", type=PLATFORM, required=False)
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Days back, today excluded.")
@JSON
def sync(platform: str | None, days: int, as_json: bool) -> None:
    """Read PLATFORM, or all that are connected, into canonical tables under the home (synced/).

    Reads a day at a time and goes on where it was stopped; days that the platform still corrects are read again. What
    people changed at the platform since the last look is shown, and automation leaves these objects alone (adloop
    holds). Train on the tables with: adloop run --data .adloop/synced
    """
    from pipelines import platforms

    settings, today = Settings(), datetime.now(UTC).date()
    with platforms.opened(platform) as accounts, platforms.ledger(settings) as ledger:
        found = platforms.synced(accounts, ledger, settings.home, today - timedelta(days=days), today)
    if as_json:
        told = {
            name: {"days": one.days, "rows": one.rows, "edited": list(map(str, one.edited))}
            for name, one in found.items()
        }
        click.echo(json.dumps(told, indent=2))
        return
    for name, one in found.items():
        rows = ", ".join(f"{count} {table}" for table, count in one.rows.items()) or "no new rows"
        click.echo(f"{name}: {one.days} days read: {rows}")
        for edited in one.edited:
            click.echo(
                f"{name}: {edited.seen.object} {edited.seen.object_id}: {edited}; held until: adloop holds --lift"
            )


@click.command("apply")
@click.argument("platform", type=PLATFORM, required=False)
@click.option("--dry-run", is_flag=True, help="Only ask the platforms whether they would accept the changes.")
@JSON
@PARAMS
def apply_changes(platform: str | None, dry_run: bool, as_json: bool, params_file: Path) -> None:
    """Bring the wanted changes to PLATFORM, or to all that are connected, each once, and read them back.

    Campaigns, rules and the last day's reviews by the decision engine want changes. Run it again after anything: what
    was sent without an answer is looked for before it is sent again. Changes wait while a stop (adloop kill), a missing
    approval or a limit bars them. A dry run uses the platform's own validation where it has one.
    """
    from pipelines import platforms
    from serving.campaigns.safety.gate import gate

    settings = Settings()
    passes = gate(settings, params_file)
    with platforms.opened(platform) as accounts, platforms.ledger(settings) as ledger:
        platforms.carry_out_reviews(settings, params_file)
        if dry_run:
            outcomes = platforms.validated(accounts, ledger, passes)
            click.echo(json.dumps([asdict(one) for one in outcomes], indent=2) if as_json else _said(outcomes))
            return
        applied = platforms.brought(accounts, ledger, passes)
    if as_json:
        click.echo(json.dumps({name: asdict(one) for name, one in applied.items()}, indent=2))
        return
    for name, one in applied.items():
        click.echo(f"{name}: {len(one.confirmed)} changes confirmed, {len(one.refused)} refused, {len(one.held)} held")
        for change, fault in one.refused.items():
            click.echo(f"  refused {change}: {fault.field + ': ' if fault.field else ''}{fault.message}")
        for change, why in (one.held | one.waiting).items():
            click.echo(f"  {'held' if change in one.held else 'waits'} {change}: {why}")


def _said(outcomes: "list[Outcome]") -> str:
    lines = [
        f"{one.change_id}: {'would be accepted' if one.fault is None else f'{one.fault.field}: {one.fault.message}'}"
        for one in outcomes
    ]
    return "\n".join(lines) or "no change can leave now"


@click.command()
@click.argument("change")
@BY
@PARAMS
def undo(change: str, by: str, params_file: Path) -> None:
    """Take back CHANGE at its platform: budget, bid and status exactly as they were; what it created is removed.

    Refused where anybody changed the object since. `adloop changes` lists the changes.
    """
    from pipelines import platforms
    from serving.campaigns.safety.gate import gate
    from serving.integrations.undo import undo as intend

    settings = Settings()
    with platforms.ledger(settings) as ledger:
        name = ledger.entry(change).change.platform
        with platforms.opened(name) as accounts:
            back = intend(accounts[0], ledger, change, by)
            platforms.brought(accounts, ledger, gate(settings, params_file))
        found = ledger.entry(back.change_id)
    why = "" if found.fault is None else f": {found.fault.message}"
    click.echo(f"{back.change_id}: {found.status}{why}")


@click.command()
@click.option("--platform", type=PLATFORM, help="Only of this platform.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not at an end.")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="So many, the newest.")
@JSON
def changes(platform: str | None, only_open: bool, last: int, as_json: bool) -> None:
    """List the changes that were wanted of platforms, why, by whom, and what became of them."""
    from pipelines import platforms
    from pipelines.console import console
    from serving.integrations.change import OPEN

    with platforms.ledger(Settings()) as ledger:
        found = ledger.entries("? IS NULL OR platform = ?", platform, platform)
    found = [one for one in found if not only_open or one.status in OPEN][-last:]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        console().print(platforms.changes_table(found))


@click.command()
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="So many lines, the newest.")
@JSON
def timeline(last: int, as_json: bool) -> None:
    """Show who did what at the platforms: changes, edits by people, holds and waits.

    Its lines are a chain of hashes: a line that was altered or removed is an error.
    """
    from pipelines import platforms
    from pipelines.console import console

    with platforms.ledger(Settings()) as ledger:
        found = ledger.timeline()[-last:]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        console().print(platforms.timeline_table(found))


@click.command()
@click.option("--lift", nargs=3, metavar="PLATFORM OBJECT ID", help="Let automation change this object again.")
@click.option("--why", help="Reason, on the time line; needed to lift.")
@BY
@JSON
def holds(lift: tuple[str, str, str] | None, why: str | None, by: str, as_json: bool) -> None:
    """List objects that people changed at a platform, which automation leaves alone until a person lifts the hold.

    Changes that waited for a held object are cancelled when it is lifted: they were meant for another state.
    """
    import time

    from pipelines import platforms
    from pipelines.console import console

    with platforms.ledger(Settings()) as ledger:
        held = ledger.held()
        if lift is not None:
            if not why:
                raise click.UsageError("--why: expected the reason")
            one = next((one for one in held if (one.platform, one.object, one.object_id) == lift), None)
            if one is None:
                raise click.UsageError(f"--lift: {' '.join(lift)} is not held")
            ledger.release(one.platform, one.account, one.object, one.object_id, by, why, time.time())
            click.echo(f"{' '.join(lift)} may be changed again")
            return
    if as_json:
        click.echo(json.dumps([asdict(one) for one in held], indent=2))
    else:
        console().print(platforms.holds_table(held))
