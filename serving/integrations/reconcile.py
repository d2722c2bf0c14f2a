"""Finds out what became of changes that have left, by what the platform shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from serving.integrations import outside
from serving.integrations.change import Change, LedgerEntry, PlatformFault, PlatformObject, Status, differing, same
from serving.integrations.platform import capability, settles_s
from serving.integrations.references import sent
from serving.integrations.session import Session

#: Seconds for which a call without an answer may still be under way: a platform may create something after it lost
#: the connection to who asked for it.
UNDER_WAY_S = 30.0


def reconcile(session: Session) -> None:
    """Decide whether changes without an answer were done. Those that were not are sent again."""
    for entries in _alike(_settled(session, "sending")):
        changes = {entry.change.change_id: sent(entry.change, session.ledger) for entry in entries}
        if entries[0].change.doing == "update":
            shown = session.shown(entries[0].change.object, [entry.object_id for entry in entries])
            for entry in entries:
                _judge(session, entry, changes[entry.change.change_id], shown.get(entry.object_id))
            continue
        found = _found(session, list(changes.values()), max(entry.sent_at for entry in entries))
        for entry in entries:
            place = found.get(entry.change.change_id)
            if place:
                session.put(entry, "sent", "found at the platform", place)
            else:
                session.put(entry, "intended", "not at the platform")


def _found(session: Session, changes: Sequence[Change], sent_at: float) -> Mapping[str, str]:
    """What was created for the changes, once what is not there surely does not come any more."""
    found, over = session.found(changes), sent_at + UNDER_WAY_S
    if len(found) == len(changes) or session.clock.time() >= over:
        return found
    session.pause(over - session.clock.time())
    return session.found(changes)


def _judge(session: Session, entry: LedgerEntry, change: Change, shown: PlatformObject | None) -> None:
    fields = {} if shown is None else shown.fields
    wrong = differing(change.fields, fields)
    if not wrong:
        session.put(entry, "sent", "found at the platform")
    elif shown is None or all(same(entry.before.get(name), fields.get(name)) for name in wrong):
        session.put(entry, "intended", "not at the platform")
    else:
        was = {name: entry.before.get(name) for name in wrong}
        found = outside.EditedObject(shown, was, {name: fields.get(name) for name in wrong}, "")
        outside.hold(session.ledger, session.platform, [found], session.clock.time())
        session.hold(entry, str(found))


def confirm(session: Session) -> None:
    """Read back what the platform said yes to, and refuse what it shows otherwise."""
    for entry in [entry for entry in session.of("sent") if not capability(session.platform, entry.change).reads]:
        session.confirm(entry, None)
    for entries in _alike(_settled(session, "sent")):
        kind = entries[0].change.object
        shown = session.shown(kind, [entry.object_id for entry in entries])
        with session.ledger.writing():
            for entry in entries:
                _compare(session, entry, shown.get(entry.object_id))


def _compare(session: Session, entry: LedgerEntry, seen: PlatformObject | None) -> None:
    change = sent(entry.change, session.ledger)
    wrong = list(change.fields) if seen is None else differing(change.fields, seen.fields)
    if seen is not None and not wrong:
        session.confirm(entry, seen)
        return
    value = "nothing" if seen is None else repr(seen.fields.get(wrong[0]))
    message = f"{change.object} {entry.object_id} shows {value}, wanted {change.fields[wrong[0]]!r}"
    session.refuse(entry, PlatformFault("differs", message, wrong[0]))


def _settled(session: Session, status: Status) -> list[LedgerEntry]:
    """The entries of the status, once the platform surely shows what was sent."""
    entries = session.of(status)
    if entries:
        surely = max(entry.sent_at + settles_s(session.platform, entry.change) for entry in entries)
        session.pause(surely - session.clock.time())
    return entries


def _alike(entries: Iterable[LedgerEntry]) -> Iterator[list[LedgerEntry]]:
    """The entries by object type and doing."""

    def kind(entry: LedgerEntry) -> tuple[str, str]:
        return entry.change.object, entry.change.doing

    for _, group in groupby(sorted(entries, key=kind), key=kind):
        yield list(group)
