"""Edits that others made of objects which adloop wrote: seen at each read, told on the time line, and left alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.integrations.change import MEASURED, Fields, PlatformObject, differing
from serving.integrations.ledger import Happening, KnownObject, WriteLedger
from serving.integrations.platform import OutsideEdit, Platform


@dataclass(frozen=True, slots=True)
class EditedObject:
    """An object that others edited.

    Attributes:
        was, shown: the differing fields, as adloop knew them and as the platform shows them now.
        by: who edited it; empty where the platform does not tell.
    """

    seen: PlatformObject
    was: Fields
    shown: Fields
    by: str

    def __str__(self) -> str:
        said = ", ".join(f"{name} from {self.was[name]!r} to {self.shown.get(name)!r}" for name in self.was)
        return f"{self.by or 'somebody'} changed {said}"


def edited(
    known: Iterable[KnownObject], shown: Sequence[PlatformObject], edits: Sequence[OutsideEdit]
) -> list[EditedObject]:
    """The objects that show other values than those they are known with."""
    before = {one.object_id: one for one in known}
    by = {(one.object, one.object_id): one.by for one in sorted(edits, key=lambda one: one.at)}
    found = list[EditedObject]()
    for one in shown:
        was = before[one.object_id].fields if one.object_id in before else {}
        settable = {name: value for name, value in was.items() if name in one.fields and name not in MEASURED}
        changed = differing(settable, one.fields)
        if changed:
            values = {name: one.fields[name] for name in changed}
            found.append(
                EditedObject(
                    one, {name: was[name] for name in changed}, values, by.get((one.object, one.object_id), "")
                )
            )
    return found


def hold(ledger: WriteLedger, platform: Platform, found: Iterable[EditedObject], at: float) -> None:
    """Keep automation away from edited objects until a person releases them, and tell the time line."""
    with ledger.writing():
        for one in found:
            where = platform.name, platform.account, one.seen.object, one.seen.object_id
            ledger.see([KnownObject(*where, one.seen.fields, one.seen.parent, seen_at=at, held=str(one))])
            ledger.note(Happening(at, one.by or "somebody", "edited outside", *where, detail=str(one)))


def look(ledger: WriteLedger, platform: Platform, at: float) -> list[EditedObject]:
    """Read all objects of the account, hold those that adloop wrote and others edited, and remember what all show.

    A held object stays as it was known when it was held; further edits of it are not told again.
    """
    edits, found = platform.edits(ledger.seen_until(platform.name, platform.account)), list[EditedObject]()
    for kind in (one.object for one in platform.capabilities if one.reads and "send" not in one.doings):
        shown = platform.objects(kind)
        known = {one.object_id: one for one in ledger.known(platform.name, platform.account, kind)}
        written = ledger.written(platform.name, platform.account, kind)
        ours = [one for one in known.values() if one.object_id in written and not one.held]
        outside = edited(ours, shown, edits)
        hold(ledger, platform, outside, at)
        theirs = {one.seen.object_id for one in outside}
        ledger.see(
            KnownObject(platform.name, platform.account, kind, one.object_id, one.fields, one.parent, seen_at=at)
            for one in shown
            if one.object_id not in theirs
        )
        found += outside
    return found
