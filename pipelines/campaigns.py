"""Terminal tables of campaigns and of their checks, and who acts from the command line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from features.settings import Settings
from serving.access import own
from serving.access.keys import Keys
from serving.access.scopes import Scope
from serving.campaigns.checks.verdict import LaunchVerdict

if TYPE_CHECKING:
    from rich.table import Table

    from serving.campaigns.safety.rollback import WatchedChange


def who(settings: Settings, scope: Scope) -> str:
    """The name of the key that commands send: ADLOOP_API_KEY, or this home's own. Raises `Unknown` or `Forbidden`."""
    return Keys(settings).check(own.key(settings), scope).name


def verdicts_table(name: str, found: Sequence[LaunchVerdict]) -> "Table":
    """What each check says, and what to do."""
    table = _table(f"checks of {name}", "check", "verdict", "says", "what to do")
    for one in found:
        table.add_row(
            one.check, one.verdict, one.said, one.do, style={"fail": "red", "warn": "yellow"}.get(one.verdict)
        )
    return table


def campaigns_table(found: Sequence[Mapping[str, Any]]) -> "Table":
    """Campaigns and their states."""
    table = _table("campaigns", "campaign", "version", "state", "account", "platforms", "a day", "dates", "open")
    for one in found:
        table.add_row(
            *(one["name"], str(one["version"]), one["state"], one["account"], ", ".join(one["platforms"])),
            *(f"{one['daily']:g} {one['currency']}", one["dates"], waits(one)),
        )
    return table


def waits(shown: Mapping[str, Any]) -> str:
    """What a campaign waits for; empty for nothing."""
    asked = shown["asked"]
    if asked is not None and asked["refused"]:
        change, why = next(iter(asked["refused"].items()))
        return f"{change}: {why}"
    if asked is not None and asked["open"]:
        return f"{asked['open']} of {asked['changes']} changes until it is {asked['to']}: adloop apply"
    return str(shown["missing"]) or "; ".join(shown["person"])


def watched_table(found: "Sequence[WatchedChange]") -> "Table":
    """What became of automatic changes."""
    table = _table("automatic changes of the last weeks", "change", "campaign", "verdict", "outcome", "taken back")
    for one in found:
        back = one.taken_back or one.why_not
        table.add_row(one.change_id, one.campaign, one.outcome.verdict, one.outcome.said, back)
    return table


def events_table(name: str, events: Sequence[Mapping[str, Any]]) -> "Table":
    """All that happened to a campaign."""
    table = _table(f"life of {name}", "when (UTC)", "version", "what", "who", "why")
    for one in events:
        when = datetime.fromtimestamp(one["at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(when, str(one["version"]), one["what"], one["who"], one["why"])
    return table


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
