"""`adloop rules`: rules in YAML that change budgets, bids and status of an account, or tell people."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import DATA, JSON, PARAMS, SCHEMA, Moment, schema

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def rules() -> None:
    """Rules that wait for evidence, compare intervals, and change budgets and bids in bounded steps.

    \b
    adloop rules check rules.yaml                            is the file right?
    adloop rules test rules.yaml --data DIR --last 90d       what would it have done, and saved?
    adloop rules run rules.yaml --dry-run                    what would it do now?
    adloop rules run rules.yaml; adloop apply                do it; run it every half hour
    adloop rules log rules.yaml                              why it did what it did

    docs/rules.md is the language. Nothing leaves for a platform before `adloop apply`.
    """


@rules.command()
@FILE
def check(file: Path) -> None:
    """Read FILE and say what its rules do; an error names the line and the field."""
    from pipelines import rules as pipeline
    from pipelines.console import console
    from serving.campaigns.rules.grammar import load

    console().print(pipeline.rules_table(load(file)))


@rules.command()
@FILE
@click.option("--data", required=True, help=f"{DATA}: impressions.")
@SCHEMA
@click.option("--last", default="90d", show_default=True, metavar="DAYS", help="How many days back from the last one.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the intervals.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Default: rules in the home.")
@PARAMS
@JSON
def test(
    file: Path,
    data: str,
    schema_file: Path | None,
    last: str,
    seed: int,
    out: Path | None,
    params_file: Path,
    as_json: bool,
) -> None:
    """Say what FILE would have done day by day, and what that would have saved, with a 95% interval.

    Looks at each day as it was at its beginning. What was paused or cut would not have been spent and would not have
    brought its outcomes, in proportion; a conversion is worth its value, or the target cpa of FILE. Budgets of the past
    are taken from the spend of the week before. Writes days.csv, acted.csv and saved.png.
    """
    from pipelines import rules as pipeline
    from pipelines.console import console, progress
    from serving.campaigns.rules.grammar import load

    settings, rule_file, days = Settings(), load(file), pipeline.days(last)
    folder = out or settings.home / "rules"
    with progress() as tell:
        done = pipeline.tested(rule_file, data, schema(schema_file), settings, days, seed, params_file, tell)
        pipeline.write(done, folder)
    if as_json:
        click.echo(json.dumps(pipeline.as_json(done, seed), indent=2))
        return
    pipeline.show(done, console())
    console().print(f"written: {', '.join(str(folder / name) for name in pipeline.FILES)}", soft_wrap=True)


@rules.command()
@FILE
@click.option("--dry-run", is_flag=True, help="Only show what would be done; write nothing, tell nobody.")
@click.option("--data", help=f"{DATA}; default: what adloop sync read of the account.")
@click.option("--at", type=Moment(), help="Look as of this time (UTC); default: now.")
@PARAMS
@JSON
def run(file: Path, dry_run: bool, data: str | None, at: str | None, params_file: Path, as_json: bool) -> None:
    """Look at the rules of FILE that are due, once for each half hour, and intend what they want.

    Objects that others edited are left alone (adloop holds). `adloop apply` brings the changes to the platform, after
    stops and approvals.
    """
    from pipelines import rules as pipeline
    from pipelines.console import console
    from serving.campaigns.rules.grammar import load

    now = datetime.now(UTC) if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = pipeline.ran(load(file), Settings(), data, now.timestamp(), params_file, dry_run)
    if as_json:
        changes = [asdict(one) for one in found.changes]
        click.echo(json.dumps({"verdicts": [asdict(one) for one in found.verdicts], "changes": changes}, indent=2))
        return
    console().print(pipeline.verdicts_table(found.verdicts))
    intended = "would be intended" if dry_run else "intended: adloop apply brings them to the platform"
    click.echo(f"{len(found.slots)} rules were due, {len(found.changes)} changes {intended}")


@rules.command()
@FILE
@click.option("--last", "most", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Verdicts to show.")
@click.option("--rule", default="", help="Of this rule only.")
@click.option("--object", "name", default="", metavar="ID", help="Of this object only.")
@JSON
def log(file: Path, most: int, rule: str, name: str, as_json: bool) -> None:
    """Show the last verdicts of FILE's account: what each rule said of each object, why, and what was done."""
    from pipelines import rules as pipeline
    from pipelines.console import console
    from serving.campaigns.rules.grammar import load

    found = pipeline.logged(load(file), Settings(), most, rule, name)
    if as_json:
        click.echo(json.dumps([{"at": one.at, **asdict(one.verdict)} for one in found], indent=2))
    else:
        console().print(pipeline.verdicts_table([one.verdict for one in found]))
