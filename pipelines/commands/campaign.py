"""Subcommands of campaigns: from a file to a launch that others approved, and to their end."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.settings import Settings
from pipelines.commands.options import JSON, PARAMS

if TYPE_CHECKING:
    from serving.campaigns.desk import CampaignDesk

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NAME = click.argument("name", metavar="CAMPAIGN")
WHY = click.option("--why", required=True, help="Reason, kept with the step.")


@click.group()
def campaign() -> None:
    """Plan, check, approve, launch, pause and end campaigns on ad platforms.

    \b
    plan FILE.yaml     a version of the campaign, in draft; a changed file is a new version
    check CAMPAIGN     what bars its launch, by name, and what to do about it
    approve CAMPAIGN   by others than who planned it (a key of the scope approve)
    launch CAMPAIGN    wanted changes, which adloop apply brings to the platforms: paused first, live last
    pause, end         the same way; an ended one is assessed and archived
    watch              takes back automatic changes that turned out worse

    Who acts is the name of the key in ADLOOP_API_KEY, and "adloop" for this home's own. docs/campaigns.md walks through
    a campaign.
    """


@campaign.command()
@click.argument("file", metavar="FILE.yaml", type=_FILE, required=False)
@click.option("--why", default="planned", show_default=True, help="Reason, kept with the version.")
@click.option("--example", is_flag=True, help="Print an example of a file instead.")
@PARAMS
def plan(file: Path | None, why: str, example: bool, params_file: Path) -> None:
    """Keep FILE.yaml as a new version of its campaign, in draft. The same file again changes nothing.

    An error names file, line and field. What the file names (sheet, brief, copy) is kept with the version.
    """
    from serving import campaigns
    from serving.campaigns.reading import read_plan

    if example:
        click.echo(Path(campaigns.__file__).with_name("example.yaml").read_text(), nl=False)
        return
    if file is None:
        raise click.UsageError("FILE.yaml: expected the campaign's file (adloop campaign plan --example prints one)")
    planned, text = read_plan(file)
    found = _desk(params_file).plan(planned, text, _who("campaigns"), why)
    click.echo(f"{found} is {found.state}: adloop campaign check {found.name}")


@campaign.command()
@NAME
@click.option("--data", type=_FOLDER, help="Folder with tables of past campaigns.")
@JSON
@PARAMS
def check(name: str, data: Path | None, as_json: bool, params_file: Path) -> None:
    """Check CAMPAIGN by name: money, dates, accounts, tracking, pages, audiences, declarations, pictures, copy.

    First bids that the file leaves open come from like campaigns in the table impressions (--data; by default what
    adloop sync read), with an interval. Exits 1 where a check fails; a warning bars nothing.
    """
    from pipelines.campaigns import verdicts_table
    from pipelines.console import console

    version, found = _desk(params_file, data).check(name, _who("campaigns"))
    if as_json:
        told = {"name": name, "version": version.version, "state": version.state}
        click.echo(json.dumps({**told, "verdicts": [asdict(one) for one in found]}, indent=2))
    else:
        console().print(verdicts_table(str(version), found))
        click.echo(f"{version} is {version.state}")
    if any(one.verdict == "fail" for one in found):
        raise SystemExit(1)


@campaign.command()
@NAME
@click.option("--version", "number", type=int, help="Version to approve. Default: the newest.")
@WHY
@PARAMS
def approve(name: str, number: int | None, why: str, params_file: Path) -> None:
    """Approve a checked version of CAMPAIGN that somebody else planned.

    Needs a key with the scope approve in ADLOOP_API_KEY (adloop key --name ANN --scope approve). campaigns in
    params.yaml says how many people of which roles approve a budget, and when an approval expires.
    """
    desk = _desk(params_file)
    found = desk.approve(name, _who("approve"), why, number)
    missing = desk.shown(found)["missing"]
    click.echo(f"{found} is {found.state}{f': {missing}' if missing else f': adloop campaign launch {name}'}")


@campaign.command()
@NAME
@click.option("--version", "number", type=int, help="Version that was approved. Default: the newest.")
@WHY
@PARAMS
def launch(name: str, number: int | None, why: str, params_file: Path) -> None:
    """Launch the approved version of CAMPAIGN, or let a paused one go on.

    Its checks run again. The changes are brought to the platforms by adloop apply: all parts are created while the
    campaign is paused, and it is set live once the platforms show all of them.
    """
    _told(name, len(_desk(params_file).launch(name, _who("campaigns"), why, number)))


@campaign.command()
@NAME
@WHY
@PARAMS
def pause(name: str, why: str, params_file: Path) -> None:
    """Pause CAMPAIGN at all platforms, by the next adloop apply."""
    _told(name, len(_desk(params_file).ask(name, "paused", _who("campaigns"), why)))


@campaign.command()
@NAME
@WHY
@click.option("--data", type=_FOLDER, help="Folder with your tables. Default: what adloop sync read.")
@JSON
@PARAMS
def end(name: str, why: str, data: Path | None, as_json: bool, params_file: Path) -> None:
    """End CAMPAIGN at all platforms by the next adloop apply; then, asked again, assess and archive it.

    The assessment compares what customers bought who could see it with those held out (table transactions), with an
    interval. The archive has Parquet files and report.md, which any editor shows.
    """
    found = _desk(params_file, data).end(name, _who("campaigns"), why)
    if found.assessment is None:
        _told(name, len(found.changes))
    elif as_json:
        click.echo(json.dumps({**asdict(found.assessment), "report": str(found.report)}, indent=2))
    else:
        click.echo(f"{name}: {found.assessment.said}\narchived: {found.report}")


@campaign.command()
@click.option("--data", type=_FOLDER, help="Folder with tables. Default: what adloop sync read.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken back.")
@JSON
@PARAMS
def watch(data: Path | None, dry_run: bool, as_json: bool, params_file: Path) -> None:
    """Take back automatic changes of bids and budgets since which conversions cost more, beyond noise.

    A campaign is compared with the others of its platform (table impressions), so that a bad week of all is no sign. Of
    harmless changes fewer than 5% are ever called worse, however often you look. Run it once a day after adloop sync;
    the next adloop apply brings what it takes back.
    """
    from contextlib import ExitStack, closing

    from features.tables import Tables
    from pipelines.campaigns import watched_table
    from pipelines.console import console
    from pipelines.platforms import SYNCED
    from serving.campaigns.safety.rollback import watch as judge
    from serving.integrations import catalog

    with ExitStack() as stack:
        platforms = {one.name: stack.enter_context(closing(one)) for one in catalog.connected()}
        folder = data or Settings().home / SYNCED
        found = judge(_desk(params_file).known, Tables(folder), platforms, act=not dry_run)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        console().print(watched_table(found))


@campaign.command()
@NAME
@JSON
@PARAMS
def show(name: str, as_json: bool, params_file: Path) -> None:
    """Show CAMPAIGN: its state, what it waits for, and all that happened to it, with who and why."""
    from pipelines.campaigns import campaigns_table, events_table
    from pipelines.console import console

    desk = _desk(params_file)
    desk.settle()
    shown, events = desk.shown(desk.known.lives.newest(name)), desk.events(name)
    if as_json:
        click.echo(json.dumps({**shown, "events": events}, indent=2))
        return
    console().print(campaigns_table([shown]))
    console().print(events_table(name, events))


@campaign.command("list")
@JSON
@PARAMS
def list_all(as_json: bool, params_file: Path) -> None:
    """List all campaigns with their newest versions."""
    from pipelines.campaigns import campaigns_table
    from pipelines.console import console

    desk = _desk(params_file)
    desk.settle()
    names = sorted({one.name for one in desk.known.lives.versions()})
    found = [desk.shown(desk.known.lives.newest(one)) for one in names]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        console().print(campaigns_table(found))


def _told(name: str, changes: int) -> None:
    if changes:
        click.echo(f"{name}: {changes} changes are wanted; adloop apply brings them to the platforms")
    else:
        click.echo(f"{name}: nothing new is wanted (adloop campaign show {name})")


def _who(scope: str) -> str:
    from pipelines.campaigns import who

    return who(Settings(), scope)  # type: ignore[arg-type]


def _desk(params_file: Path, data: Path | None = None) -> "CampaignDesk":
    from serving.campaigns.desk import desk

    return desk(Settings(), params_file, data)
