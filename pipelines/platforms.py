"""Terminal tables of platforms and their changes, and the runs behind `adloop connect`, `sync`, `apply` and `undo`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from features.records import DECISIONS, recorded
from features.settings import Settings
from pipelines.console import progress
from serving.integrations import catalog
from serving.integrations.apply import apply, dry_run
from serving.integrations.change import Fields, LedgerEntry
from serving.integrations.ledger import FILE, Happening, KnownObject, WriteLedger
from serving.integrations.platform import AccountAccess, Outcome, Platform
from serving.integrations.session import Applied, Gate
from serving.integrations.sync import Synced, sync, tables

if TYPE_CHECKING:
    from rich.table import Table

#: Canonical tables of all that was synced, under the home: a folder for `adloop run --data`.
SYNCED = "synced"
#: Longest list that a table shows in full.
LISTED = 15


@contextmanager
def ledger(settings: Settings) -> Iterator[WriteLedger]:
    """The write ledger of the home."""
    with closing(WriteLedger(settings.home / FILE)) as opened:
        yield opened


@contextmanager
def opened(name: str | None) -> Iterator[list[Platform]]:
    """The account of a platform, or of all that are connected. Raises `ValueError` where none is."""
    found = [catalog.platform(name)] if name else catalog.connected()
    if not found:
        names = ", ".join(catalog.NAMES)
        raise ValueError(f"no platform is connected: set the variables of one (docs/platforms.md): {names}")
    try:
        yield found
    finally:
        for one in found:
            one.close()


def synced(platforms: Iterable[Platform], kept: WriteLedger, home: Path, start: date, end: date) -> dict[str, Synced]:
    """Read the platforms with a progress bar, and join what all of them told to canonical tables."""
    with progress() as told:
        found = {one.name: sync(one, kept, home, start, end, told) for one in platforms}
    tables(home, home / SYNCED)
    return found


def carry_out_reviews(settings: Settings, params_file: Path) -> list[str]:
    """Want what the decision engine's reviews of the last day decided; the ids of the new changes."""
    from serving.campaigns import decided
    from serving.campaigns.safety.guard import guarded
    from serving.decisions.params import read

    cooldown_s = read(params_file)[0].changes.cooldown_s
    return decided.carry_out(guarded(settings, params_file), recorded(settings) / DECISIONS, cooldown_s)


def brought(platforms: Iterable[Platform], kept: WriteLedger, gate: Gate) -> dict[str, Applied]:
    """Bring the open changes to their platforms, with a progress bar."""
    with progress() as told:
        return {one.name: apply(one, kept, gate, told=told) for one in platforms}


def validated(platforms: Iterable[Platform], kept: WriteLedger, gate: Gate) -> list[Outcome]:
    """What the platforms would say to the open changes."""
    return [outcome for one in platforms for outcome in dry_run(one, kept, gate)]


def access_table(platform: Platform, access: AccountAccess) -> "Table":
    """What can be read, changed and taken back."""
    who = " · ".join(one for one in (access.name, access.currency, access.zone) if one)
    table = _table(f"{platform.name} {access.account} ({who}), API {access.version}", "object", "can", "fields", "undo")
    for one in platform.capabilities:
        table.add_row(one.object, ", ".join(one.doings), ", ".join(one.fields), one.undo)
    told = [f"permitted: {', '.join(access.may) or 'the platform does not tell'}"]
    table.caption = "\n".join([*told, *(f"missing: {one}" for one in access.missing)])
    table.caption_justify = "left"
    return table


def changes_table(entries: Sequence[LedgerEntry]) -> "Table":
    """Changes, the newest last."""
    table = _table("changes", "change", "platform", "what", "status", "reason")
    for entry in entries:
        change = entry.change
        what = (
            f"{change.doing} {change.object} {entry.object_id or change.target}: {_listed(entry.before, change.fields)}"
        )
        reason = f"{change.reason} ({change.by})"
        table.add_row(*map(escape, (change.change_id, change.platform, what, _status(entry), reason)))
    return table


def timeline_table(lines: Sequence[Happening]) -> "Table":
    """What happened, the newest last."""
    table = _table("time line", "when (UTC)", "who", "what", "where", "")
    for one in lines:
        when = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        where = " ".join(filter(None, (one.platform, one.object, one.object_id)))
        table.add_row(*map(escape, (when, one.who, one.what, where, one.detail or one.change_id)))
    return table


def holds_table(held: Sequence[KnownObject]) -> "Table":
    """Objects that automation leaves alone."""
    table = _table("held objects", "platform", "object", "id", "why")
    for one in held:
        table.add_row(*map(escape, (one.platform, one.object, one.object_id, one.held)))
    return table


def _status(entry: LedgerEntry) -> str:
    if entry.fault is None:
        return entry.status
    return f"{entry.status}: {entry.fault.field + ': ' if entry.fault.field else ''}{entry.fault.message}"


def _listed(before: Fields, fields: Fields) -> str:
    was = {name: f"{_short(before[name])} -> " for name in fields if before.get(name) is not None}
    return ", ".join(f"{name} {was.get(name, '')}{_short(value)}" for name, value in fields.items())


def _short(value: object) -> str:
    """A value as a cell shows it: of an audience's members only how many."""
    return f"{len(value)} values" if isinstance(value, list) and len(value) > LISTED else str(value)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
