"""Brings the changes of the ledger to a platform, each once, whatever is lost, refused, throttled or killed on the way.

An entry goes `intended -> sending -> sent -> confirmed`. What is found `sending` after a lost answer or a kill may have
been done or not: it is looked for at the platform before it is sent again. What is created is looked for before the
first time too.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from filelock import FileLock, Timeout

from serving.integrations import outside
from serving.integrations.change import OPEN, Change, LedgerEntry, PlatformFault, differing
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import (
    CallRefused,
    Outcome,
    Platform,
    PlatformError,
    Throttled,
    Unanswered,
    capability,
)
from serving.integrations.reconcile import confirm, reconcile
from serving.integrations.references import references, resolved
from serving.integrations.session import Applied, Gate, RunClock, Session, Told

#: Calls in a row without an answer after which a run gives up, and the longest pause between them.
LOST, PAUSE_S = 5, 30.0
#: How long a run waits in all for a platform that throttles it.
PATIENCE_S = 900.0
#: An entry, and its change with the platform's ids in place of references.
Ready = tuple[LedgerEntry, Change]


class AlreadyApplying(ConnectionError):
    """Another process brings changes to the same account."""


def apply(
    platform: Platform,
    ledger: WriteLedger,
    gate: Gate = lambda _: None,
    clock: RunClock = time,
    told: Told = lambda _, __: None,
    patience_s: float = PATIENCE_S,
) -> Applied:
    """Bring all open changes of the account to the platform and read them back.

    Args:
        gate: asked for each change right before the call that it is in.
        patience_s: how long to wait in all for a platform that throttles.

    Raises the errors of `platform` that a person must mend (login, permission, version), `StillThrottled`,
    `Unanswered` where the platform stays silent, and `AlreadyApplying`. None of them drops anything.
    """
    lock = FileLock(ledger.path.parent / f"{platform.name}.{platform.account}.lock".replace("/", "_"))
    ledger.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        where = f"{platform.name} {platform.account}"
        raise AlreadyApplying(f"{where}: another process applies changes; let it end") from None
    try:
        return _run(Session(platform, ledger, gate, told, clock.time() + patience_s, clock))
    finally:
        lock.release()


def dry_run(platform: Platform, ledger: WriteLedger, gate: Gate = lambda _: None) -> list[Outcome]:
    """What the platform would say to the open changes, by its own validation where it has one. Nothing is written.

    A change of an object that does not exist yet is left out: it can be validated once its parent is there.
    """
    found = list[Outcome]()
    for entry in ledger.of(platform.name, platform.account, "intended"):
        change = resolved(entry.change, ledger)
        if change is None or gate(change) is not None:
            continue
        try:
            capability(platform, change)
            found += platform.send([change], dry_run=True)
        except CallRefused as refused:
            found.append(Outcome(change.change_id, fault=refused.fault))
        except ValueError as fault:
            found.append(Outcome(change.change_id, fault=PlatformFault("unsupported", str(fault))))
    return found


def _run(session: Session) -> Applied:
    due, lost = len(session.of(*OPEN)) or 1, 0
    while True:
        session.told(f"{session.platform.name}: brings changes", 1 - len(session.of(*OPEN)) / due)
        try:
            reconcile(session)
            confirm(session)
            batch = _next(session)
            if batch:
                _bring(session, batch)
            elif not session.of("sending", "sent"):
                return session.applied
            lost = 0
        except Throttled as throttled:
            now = session.clock.time()
            session.ledger.wait(*session.where, now + throttled.wait_s, throttled.why, now)
        except Unanswered:
            lost += 1
            if lost >= LOST:
                raise
            session.pause(min(2.0 ** (lost - 1), PAUSE_S))


def _next(session: Session) -> list[Ready]:
    """The next changes that can leave in one call: of one object type and one doing, one for each object."""
    batch, waiting = list[Ready](), set[tuple[str, str]]()
    session.applied.waiting.clear()
    for entry in session.of("intended"):
        change = resolved(entry.change, session.ledger) or entry.change
        place = change.object, change.target
        why = _waits(session, entry, change) or ("an earlier change of the object waits" if place in waiting else "")
        if why:
            session.applied.waiting[change.change_id] = why
        elif _possible(session, entry, change):
            first = batch[0][1] if batch else change
            if (change.object, change.doing) == (first.object, first.doing) and len(batch) < session.platform.batch:
                batch.append((entry, change))
        if change.target:  # later changes of the object keep their order
            waiting.add(place)
    return batch


def _waits(session: Session, entry: LedgerEntry, change: Change) -> str:
    """Why the change cannot leave now; empty where it can."""
    why = session.gate(change)
    if why is not None:
        return why
    open_parents = [one for one in references(entry.change) if not session.ledger.object_of(one)]
    ended = [one for one in open_parents if session.ledger.entry(one).status in ("refused", "cancelled", "held")]
    return "what it belongs to is not created yet" if open_parents and not ended else ""


def _possible(session: Session, entry: LedgerEntry, change: Change) -> bool:
    """Whether the change can be done at all; refuses or holds it where not."""
    for reference in references(change):  # still there: nothing will create it
        fault = f"change {reference} creates what it needs, and was {session.ledger.entry(reference).status}"
        session.refuse(entry, PlatformFault("parent", fault))
        return False
    try:
        capability(session.platform, change)
    except ValueError as fault:
        session.refuse(entry, PlatformFault("unsupported", str(fault)))
        return False
    known = session.ledger.known(*session.where, change.object, [change.target]) if change.target else []
    if known and known[0].held:
        session.hold(replace(entry, object_id=change.target), known[0].held)
        return False
    return True


def _bring(session: Session, batch: Sequence[Ready]) -> None:
    """Send those changes that the platform does not show already."""
    missing = _updates(session, batch) if batch[0][1].doing == "update" else _creations(session, batch)
    leaving = [(entry, change) for entry, change in missing if session.gate(change) is None]  # a stop since
    if leaving:
        _send(session, leaving)


def _updates(session: Session, batch: Sequence[Ready]) -> Iterator[Ready]:
    shown = session.shown(batch[0][1].object, [change.target for _, change in batch])
    theirs = {one.seen.object_id: one for one in session.edited(batch[0][1].object, shown)}
    outside.hold(session.ledger, session.platform, theirs.values(), session.clock.time())
    for entry, change in batch:
        seen, entry = shown.get(change.target), replace(entry, object_id=change.target)
        if seen is None:
            session.refuse(
                entry, PlatformFault("missing", f"{change.object} {change.target}: not at the platform", "target")
            )
        elif change.target in theirs:
            session.hold(entry, str(theirs[change.target]))
        else:
            entry = replace(entry, before={name: seen.fields.get(name) for name in change.fields})
            if differing(change.fields, seen.fields):
                yield entry, change
            else:
                session.put(entry, "sent", "the platform shows it already")


def _creations(session: Session, batch: Sequence[Ready]) -> Iterator[Ready]:
    found = session.found([change for _, change in batch])
    for entry, change in batch:
        place = found.get(change.change_id)
        if place:
            session.put(entry, "sent", "is at the platform", place)
        else:
            yield entry, change


def _send(session: Session, batch: Sequence[Ready]) -> None:
    session.before_a_call()
    now = session.clock.time()
    sending = [replace(entry, status="sending", tries=entry.tries + 1, sent_at=now) for entry, _ in batch]
    with session.ledger.writing():
        for entry in sending:
            session.ledger.put(entry, now)
    try:
        outcomes = session.platform.send([change for _, change in batch])
    except CallRefused as refused:
        if len(batch) == 1:
            session.refuse(sending[0], refused.fault)
            return
        session.back(sending, f"the call was refused: {refused}")
        for entry, (_, change) in zip(sending, batch, strict=True):  # alone, so that one takes no others along
            if session.gate(change) is None:
                _send(session, [(entry, change)])
    except PlatformError as fault:
        session.back(sending, str(fault))
        raise
    else:
        _outcomes(session, sending, outcomes)


def _outcomes(session: Session, sending: Sequence[LedgerEntry], outcomes: Sequence[Outcome]) -> None:
    waits = [outcome.wait_s for outcome in outcomes if outcome.wait_s is not None]
    with session.ledger.writing():
        for entry, outcome in zip(sending, outcomes, strict=True):
            if outcome.fault is not None:
                session.refuse(entry, outcome.fault)
            elif outcome.wait_s is not None:
                session.put(entry, "intended", "throttled")
            elif not outcome.unknown:
                session.put(entry, "sent", outcome.told, outcome.object_id)
    if waits:
        raise Throttled(max(waits), "part of a call was throttled")
    if any(outcome.unknown for outcome in outcomes):
        raise Unanswered(f"{session.platform.name}: no answer to part of a call")
