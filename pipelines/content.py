"""Shows drafts and checks in the terminal, and keeps the last set of copy for the report."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from features.settings import Settings
from pipelines.console import console
from serving.content.check import BrokenRule
from serving.content.draft import CheckedCopy, Set
from serving.content.rules import NOTE


def keep(found: Set, settings: Settings) -> None:
    """Keep a set as the last one."""
    path = _last(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(found.as_dict(), ensure_ascii=False), "utf-8")
    new.replace(path)


def last_copy(settings: Settings) -> dict[str, Any] | None:
    """The last set of this home; None without any."""
    path = _last(settings)
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def draft_example(settings: Settings) -> None:
    """Draft headlines for the bundled product, so that the report shows a set and what it refused."""
    from serving.content import api
    from serving.content.sheet import Brief, read_sheet

    sheet, lines = read_sheet(Path(api.__file__).with_name("example.yaml"))
    brief = Brief(market="uk", audiences=("city runners",), count=5, formats=("google.search",))
    keep(api.content(settings).draft(sheet, brief, 0, lines), settings)


def _last(settings: Settings) -> Path:
    return settings.home / "content" / "last.json"


def show(found: Set) -> None:
    """The drafts in their order, then what was refused and why."""
    told = found.as_dict()
    table = Table(title=f"copy for {found.market}, in {found.language}, seed {found.seed}")
    for name in ("part", "text", "for", "benefit", "by", "id"):
        table.add_column(name, overflow="fold")
    for one in found.drafts:
        _row(table, one.part, one.text, one.audience or "", one.benefit, one.drafted_by, one.id)
    console().print(table)
    for part, count in found.missing.items():
        console().print(f"{part}: {count} fewer than wanted, as nothing else passed", markup=False)
    if found.refused:
        _refusals([(one.part, one.text, one.reasons) for one in found.refused])
    console().print(
        f"drafted by {found.drafted_by}, {told['from_templates']:.0%} from templates; ordered by "
        f"{found.ranked_by or 'what people said'}\n{found.note}",
        markup=False,
    )


def show_checked(found: Sequence[CheckedCopy]) -> None:
    """What is wrong with each text."""
    _refusals([(one.part, one.text, one.reasons) for one in found if one.reasons])
    passed = sum(one.passed for one in found)
    console().print(f"{passed} of {len(found)} texts pass\n{NOTE}", markup=False)


def _refusals(refused: Sequence[tuple[str, str, Sequence[BrokenRule]]]) -> None:
    table = Table(title="refused")
    for name in ("part", "text", "rule", "why", "the sheet"):
        table.add_column(name, overflow="fold")
    for part, text, reasons in refused:
        for place, reason in enumerate(reasons):
            line = reason.sheet
            says = "" if line is None else f"{f'line {line.line}, ' if line.line else ''}{line.field}: {line.says}"
            begun = (part, text) if place == 0 else ("", "")
            _row(table, *begun, f"{reason.rule} ({reason.market})", reason.message, says)
    console().print(table)


def _row(table: Table, *cells: str) -> None:
    """A row of cells as they are: copy may have brackets, which rich would take for markup."""
    table.add_row(*map(Text, cells))
