"""Brings a campaign to platforms: as changes of the write ledger, paused first and set live last.

The id of each change is made of campaign, version and part, so that the same launch asked twice is one launch. Of a
later version only what differs from what was launched before is changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from serving.campaigns.life import (
    BEFORE,
    RUNNING,
    CampaignEvent,
    CampaignLives,
    CampaignState,
    CampaignVersion,
    WrongState,
)
from serving.campaigns.parts import PART, CampaignPart
from serving.integrations.change import CREATED_BY, OPEN, Change, Doing, Fields, LedgerEntry
from serving.integrations.ledger import WriteLedger

#: What a launch is called in the ids of its changes, and its part that sets a campaign live, last of all.
LAUNCH, GO = "launch", "live"
#: States that are asked of platforms, and the status of the campaign there.
ASKED: Mapping[str, str] = {"live": "live", "paused": "paused", "ended": "paused"}


@dataclass(frozen=True)
class AskedChange:
    """What was asked of platforms for a version, and how far it is.

    Attributes:
        to: the state that it has once all is confirmed.
        open, refused: changes that are under way, and those that platforms refused or people hold, with the reason.
    """

    to: CampaignState
    changes: int
    open: int
    refused: Mapping[str, str]

    @property
    def done(self) -> bool:
        return self.changes > 0 and self.open == 0 and not self.refused


@dataclass(frozen=True)
class LaunchedPart:
    """A part at a platform: the change that created it, and its fields as they were last asked for."""

    change_id: str
    object: str
    fields: Fields


def launch(
    lives: CampaignLives,
    ledger: WriteLedger,
    version: CampaignVersion,
    wanted: Mapping[str, Sequence[CampaignPart]],
    who: str,
    why: str,
    at: float,
) -> list[str]:
    """Intend all changes of a version whose checks and approvals hold; returns the ids of the new ones.

    Args:
        wanted: its parts by platform.
    """
    if asked(lives, ledger, version) is not None:
        return []
    with lives.writing():
        new = ledger.intend(
            [
                change
                for platform, them in wanted.items()
                for change in _Asking(version, platform, LAUNCH, who, why).launch(
                    them, created(ledger, version.name, platform)
                )
            ],
            at,
        )
        _note(lives, version, "live", LAUNCH, who, why, at)
    return new


def ask(
    lives: CampaignLives, ledger: WriteLedger, name: str, to: CampaignState, who: str, why: str, at: float
) -> list[str]:
    """Intend that the running version is paused, live again or ended at all platforms; returns the changes' ids.

    A version that is not launched yet can be ended too. Raises `WrongState`.
    """
    version = _movable(lives, name, to)
    act = f"{to}-{sum(one.what == 'asked' for one in lives.events(name))}"
    there = {platform: created(ledger, name, platform).get("campaign") for platform in version.plan.platforms}
    with lives.writing():
        new = ledger.intend(
            [
                _Asking(version, platform, act, who, why).status(made, ASKED[to])
                for platform, made in there.items()
                if made is not None
            ],
            at,
        )
        if new:
            _note(lives, version, to, act, who, why, at)
        else:  # nothing of it was ever sent to a platform
            lives.move(version, to, who, why, at)
    return new


def _movable(lives: CampaignLives, name: str, to: CampaignState) -> CampaignVersion:
    """The version that can be brought to this state. Raises `WrongState`."""
    version = lives.running(name) or lives.newest(name)
    if to not in ASKED or version.state not in BEFORE[to] or (to == "live" and version.state != "paused"):
        raise WrongState(f"{version}: is {version.state}, and cannot be {to}")
    return version


def asked(lives: CampaignLives, ledger: WriteLedger, version: CampaignVersion) -> AskedChange | None:
    """The last that was asked of platforms for a version; None where nothing was."""
    events = [one for one in lives.events(version.name) if one.what == "asked" and one.version == version.version]
    if not events:
        return None
    entries = under(ledger, version.name, prefix(version, events[-1].detail["act"]))
    refused = {
        one.change.change_id: f"{one.status}: {one.fault.message if one.fault else 'a person decides'}"
        for one in entries
        if one.status not in (*OPEN, "confirmed")
    }
    return AskedChange(events[-1].detail["to"], len(entries), sum(one.status in OPEN for one in entries), refused)


def settle(lives: CampaignLives, ledger: WriteLedger, at: float) -> list[CampaignVersion]:
    """Move each version to the state that platforms have confirmed; returns those that moved."""
    moved = list[CampaignVersion]()
    for version in lives.versions():
        if version.state not in ("approved", *RUNNING):
            continue
        found = asked(lives, ledger, version)
        if found is None or not found.done or found.to == version.state:
            continue
        with lives.writing():
            if lives.version(version.name, version.version).state != version.state:
                continue  # another process was first
            older = lives.running(version.name)
            if found.to == "live" and older is not None and older.version != version.version:
                lives.move(older, "ended", "adloop", f"replaced by version {version.version}", at)
            why = f"the platforms confirmed all {found.changes} changes"
            moved.append(lives.move(version, found.to, "adloop", why, at))
    return moved


def under(ledger: WriteLedger, campaign: str, prefix: str) -> list[LedgerEntry]:
    """The entries of a campaign whose ids begin so."""
    return ledger.entries("campaign = ? AND substr(change_id, 1, ?) = ?", campaign, len(prefix), prefix)


def created(ledger: WriteLedger, name: str, platform: str) -> dict[str, LaunchedPart]:
    """What launches of a campaign made at a platform and did not remove, by key of the part."""
    found = dict[str, LaunchedPart]()
    for entry in ledger.entries("campaign = ? AND platform = ?", name, platform):
        change, (*_, act, _, key) = entry.change, entry.change.change_id.split("/", 5)
        if act != LAUNCH or key == GO or entry.status in ("refused", "cancelled"):
            continue
        if change.doing != "update":
            found[key] = LaunchedPart(change.change_id, change.object, change.fields)
        elif change.fields.get("status") == "removed":
            found.pop(key, None)
        elif key in found:
            found[key] = replace(found[key], fields={**found[key].fields, **change.fields})
    return found


@dataclass(frozen=True)
class _Asking:
    """Changes of a version at a platform. `act` is what was asked: `launch`, `paused-1`."""

    version: CampaignVersion
    platform: str
    act: str
    who: str
    why: str

    def launch(self, wanted: Iterable[CampaignPart], before: Mapping[str, LaunchedPart]) -> Iterator[Change]:
        """Creates, changes and removes parts; sets the campaign live last."""
        parts_by_key = {one.key: one for one in wanted}
        made = {key: before[key].change_id if key in before else self._id(key) for key in parts_by_key}
        for key, part in parts_by_key.items():
            fields = _linked(part.fields, made)
            if key not in before:
                parent = f"{CREATED_BY}{made[part.parent]}" if part.parent else ""
                yield self._change(key, part.object, part.doing, fields, parent=parent)
                continue
            differing = {name: value for name, value in fields.items() if value != before[key].fields.get(name)}
            if key == "campaign":  # whether it runs is asked for last
                differing.pop("status", None)
            if differing and part.doing == "create":
                yield self._change(key, part.object, "update", differing, target=f"{CREATED_BY}{made[key]}")
        for key, launched in before.items():
            if key not in parts_by_key and "status" in launched.fields:
                yield self._status(key, launched, "removed")
        yield self._status(GO, LaunchedPart(made["campaign"], "campaign", {}), "live")

    def status(self, launched: LaunchedPart, status: str) -> Change:
        return self._status("campaign", launched, status)

    def _status(self, key: str, launched: LaunchedPart, status: str) -> Change:
        fields = {"status": status}
        return self._change(key, launched.object, "update", fields, target=f"{CREATED_BY}{launched.change_id}")

    def _id(self, key: str) -> str:
        return f"{prefix(self.version, self.act)}{self.platform}/{key}"

    def _change(
        self, key: str, object: str, doing: Doing, fields: Fields, target: str = "", parent: str = ""
    ) -> Change:
        return Change(
            *(self._id(key), self.platform, self.version.plan.platforms[self.platform].account, object, doing, fields),
            *(self.why, self.who, target, parent, self.version.name),
        )


def prefix(version: CampaignVersion, act: str) -> str:
    """How the ids of all changes begin that were asked at once."""
    return f"campaign/{version.name}/v{version.version}/{act}/"


def _note(
    lives: CampaignLives, version: CampaignVersion, to: CampaignState, act: str, who: str, why: str, at: float
) -> None:
    lives.note(CampaignEvent(at, who, version.name, version.version, "asked", why, {"to": to, "act": act}))


def _linked(fields: Fields, made: Mapping[str, str]) -> dict[str, Any]:
    """Fields with references to changes in place of those to parts."""

    def by_change(value: Any) -> Any:
        if isinstance(value, list):
            return [by_change(one) for one in value]
        if isinstance(value, str) and value.startswith(PART):
            return f"{CREATED_BY}{made[value.removeprefix(PART)]}"
        return value

    return {name: by_change(value) for name, value in fields.items()}
