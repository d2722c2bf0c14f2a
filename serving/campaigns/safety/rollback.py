"""Takes automatic changes back where outcomes turned out worse beyond noise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from features.campaign_history import history
from features.tables import Tables
from serving.campaigns.safety.guard import MONEY, Guarded
from serving.campaigns.safety.worse import OutcomeSince, since
from serving.integrations.change import LedgerEntry
from serving.integrations.platform import Platform
from serving.integrations.undo import CannotUndo, undo

#: Days after a change in which its outcomes are its own.
WATCHED = 28
DAY_S = 86_400.0
BY = "adloop rollback"


@dataclass(frozen=True)
class WatchedChange:
    """A change, what became of it, and the change that takes it back; why it is not taken back, where it should be."""

    change_id: str
    campaign: str
    outcome: OutcomeSince
    taken_back: str = ""
    why_not: str = ""


def watch(known: Guarded, tables: Tables, platforms: Mapping[str, Platform], act: bool = True) -> list[WatchedChange]:
    """Judge the newest automatic change of each object; intend to take back those that were for the worse.

    Args:
        platforms: connected ones by name.
        act: without it, only say what would be taken back.
    """
    daily = history(tables, "day")
    daily["day"] = pd.to_datetime(daily["day"])
    entries = list(_changes(known))
    changed = {_campaign(entry, known) for entry in entries}
    found = list[WatchedChange]()
    for entry in entries:
        campaign = _campaign(entry, known)
        day = pd.Timestamp(entry.sent_at, unit="s").normalize()
        same = daily.loc[daily["campaign_id"] == campaign, "channel"]
        like = daily[daily["channel"].isin(same)] if same.notna().any() else daily
        outcome = since(daily, campaign, set(like["campaign_id"]) - changed - {campaign}, day)
        back, why_not = "", ""
        if outcome.verdict == "worse" and act:
            back, why_not = _taken_back(known, entry, platforms)
        found.append(WatchedChange(entry.change.change_id, campaign, outcome, back, why_not))
    return found


def _taken_back(known: Guarded, entry: LedgerEntry, platforms: Mapping[str, Platform]) -> tuple[str, str]:
    change = entry.change
    if change.platform not in platforms:
        return "", f"{change.platform} is not connected"
    try:
        return undo(platforms[change.platform], known.ledger, change.change_id, BY, known.now()).change_id, ""
    except CannotUndo as why:
        return "", str(why)


def _changes(known: Guarded) -> Iterator[LedgerEntry]:
    """The newest confirmed change of money of each object in the watched days, where automation made it."""
    newest = dict[tuple[str, str, str, str], LedgerEntry]()
    for entry in known.ledger.entries("status = 'confirmed' AND sent_at > ?", known.now() - WATCHED * DAY_S):
        change = entry.change
        if change.doing == "update" and set(MONEY) & set(change.fields):
            newest[change.platform, change.account, change.object, entry.object_id] = entry
    for entry in newest.values():
        if not entry.change.undoes and known.launching(entry.change) is None:
            yield entry


def _campaign(entry: LedgerEntry, known: Guarded) -> str:
    """The platform's id of the campaign that an object belongs to."""
    change = entry.change
    objects = {one.object_id: one for one in known.ledger.known(change.platform, change.account)}
    place = entry.object_id
    while place in objects and objects[place].object != "campaign" and objects[place].parent:
        place = objects[place].parent
    return place
