"""Takes changes back: as a further change through the ledger, and only where nobody else changed the object since."""

import time

from serving.integrations import outside
from serving.integrations.change import Change, PlatformObject, differing
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Platform, capability


class CannotUndo(ValueError):
    """Why a change is not taken back."""


def undo(platform: Platform, ledger: WriteLedger, change_id: str, by: str, now: float | None = None) -> Change:
    """Intend the change that takes this one back: its fields as they were, or `removed` for what it created.

    Asking again gives the same change. Raises `CannotUndo` where the change never came to the platform, cannot be taken
    back, or the object was changed since, and `LookupError` for an unknown id.
    """
    now = time.time() if now is None else now
    entry = ledger.entry(change_id)
    change, found = entry.change, ledger.entries("change_id = ?", f"undo:{change_id}")
    if found:
        return found[0].change
    if entry.status != "confirmed":
        raise CannotUndo(f"change {change_id}: is {entry.status}, and only confirmed changes are taken back")
    if capability(platform, change).undo == "never":
        raise CannotUndo(f"change {change_id}: what was sent cannot be taken back")
    if change.doing == "create" and not entry.tries:
        raise CannotUndo(
            f"change {change_id}: {change.object} {entry.object_id} was at the platform before it was sent"
        )
    shown = next(iter(platform.objects(change.object, [entry.object_id])), None)
    if shown is None:
        raise CannotUndo(f"change {change_id}: {change.object} {entry.object_id} is not at the platform any more")
    before = {name: value for name, value in entry.before.items() if value is not None}
    if change.doing == "update" and not before:
        raise CannotUndo(f"change {change_id}: nothing is known of what the {change.object} was before")
    _unchanged(platform, ledger, change, shown)
    back = Change(
        **{name: getattr(change, name) for name in ("platform", "account", "object", "campaign", "parent")},
        change_id=f"undo:{change_id}",
        doing="update",
        target=entry.object_id,
        fields=before if change.doing == "update" else {"status": "removed"},
        reason=f"takes back {change_id} ({change.reason})",
        by=by,
        undoes=change_id,
    )
    ledger.intend([back], now)
    return back


def _unchanged(platform: Platform, ledger: WriteLedger, change: Change, shown: PlatformObject) -> None:
    """Raises `CannotUndo` where the object shows anything else than this change left."""
    changed = differing({name: value for name, value in change.fields.items() if name in shown.fields}, shown.fields)
    if changed:
        value = shown.fields[changed[0]]
        raise CannotUndo(
            f"change {change.change_id}: {changed[0]} is {value!r} now, not {change.fields[changed[0]]!r} as it was"
            " written: it was changed since"
        )
    known = ledger.known(platform.name, platform.account, change.object, [shown.object_id])
    edits = outside.edited(known, [shown], [])
    held = next((one.held for one in known if one.held), "")
    if edits or held:
        raise CannotUndo(f"change {change.change_id}: {held or edits[0]}; release the object first")
