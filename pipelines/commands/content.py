"""Subcommands for copy: draft it, check it, and say what people think of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from features.settings import Settings
from pipelines.commands.options import JSON
from serving.content.sheet import Market

if TYPE_CHECKING:
    from serving.content.sheet import Brief

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BRIEF = click.option("--brief", "brief_file", type=_FILE, help="Brief (YAML): market, audiences, tone, formats.")
MARKET = click.option("--market", type=click.Choice(get_args(Market)), help="Market, instead of the brief's.")


@click.group()
def content() -> None:
    """Draft copy from a product sheet, check copy, and tell what people think of drafts.

    A text that breaks a rule of its market is refused, with the rule's id and source and the line of the sheet.
    The rules are data (serving/content/rules). They are no legal advice.
    """


@content.command()
@click.argument("sheet_file", metavar="SHEET.yaml", type=_FILE)
@BRIEF
@MARKET
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed, same copy.")
@JSON
def draft(sheet_file: Path, brief_file: Path | None, market: str | None, seed: int, as_json: bool) -> None:
    """Draft headlines, ads and e-mails for the product of SHEET.yaml.

    A small language model drafts, or the one at ADLOOP_DRAFTER_URL; templates where nothing passes. The champion of the
    family creative orders what passed, and so does what people said of earlier drafts.
    """
    from features.yaml_file import InvalidFile
    from pipelines.content import keep, show
    from serving.content.api import content as opened
    from serving.content.draft import OtherLanguage, UnknownFormat
    from serving.content.sheet import read_sheet

    try:
        sheet, lines = read_sheet(sheet_file)
        settings = Settings()
        found = opened(settings).draft(sheet, _brief(brief_file, market), seed, lines)
    except (InvalidFile, OtherLanguage, UnknownFormat) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    keep(found, settings)
    click.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False)) if as_json else show(found)


@content.command()
@click.argument("copy_file", metavar="COPY.yaml", type=_FILE)
@click.option("--sheet", "sheet_file", required=True, type=_FILE, help="Product sheet (YAML).")
@BRIEF
@MARKET
@JSON
def check(copy_file: Path, sheet_file: Path, brief_file: Path | None, market: str | None, as_json: bool) -> None:
    """Check the texts of COPY.yaml, by format and part (google.search.headline: [...]). Exits 1 if any is refused."""
    from features.yaml_file import InvalidFile
    from pipelines.content import show_checked
    from serving.content.draft import UnknownFormat, check_all
    from serving.content.sheet import read_copy, read_sheet

    try:
        sheet, lines = read_sheet(sheet_file)
        found = check_all(read_copy(copy_file), sheet, _brief(brief_file, market), lines)
    except (InvalidFile, UnknownFormat) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    else:
        show_checked(found)
    if not all(one.passed for one in found):
        raise SystemExit(1)


@content.command()
@click.argument("draft_id", metavar="DRAFT_ID")
@click.argument("verdict", type=click.Choice(("accept", "edit", "reject")))
@click.option("--text", "edited", help="What an edit made of the draft.")
@click.option("--why", "reason", help="Reason.")
def feedback(draft_id: str, verdict: Any, edited: str | None, reason: str | None) -> None:
    """Accept, edit or reject a draft; the next ranking of the brand's drafts follows."""
    from serving.content.feedback import UnknownDraft
    from serving.content.feedback import feedback as store

    if (verdict == "edit") != (edited is not None):
        raise click.UsageError("--text: expected with the verdict edit, and only then")
    try:
        store(Settings()).say(draft_id, verdict, edited, reason)
    except UnknownDraft as unknown:
        raise click.ClickException(str(unknown)) from unknown
    click.echo(f"{verdict}: {draft_id}")


def _brief(file: Path | None, market: str | None) -> "Brief":
    from serving.content.sheet import Brief, read_brief

    changed = {} if market is None else {"market": market}
    return Brief.model_validate(changed) if file is None else read_brief(file, **changed)
