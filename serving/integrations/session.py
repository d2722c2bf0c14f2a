"""A run of changes against one account: its calls, which wait as the platform says, and what becomes of changes."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from serving.integrations import outside
from serving.integrations.change import Change, LedgerEntry, PlatformFault, PlatformObject, Status
from serving.integrations.ledger import KnownObject, WriteLedger
from serving.integrations.platform import Platform


class RunClock(Protocol):
    """What `time` has."""

    def time(self) -> float: ...
    def sleep(self, seconds: float, /) -> None: ...


class StillThrottled(ConnectionError):
    """The platform asks to wait for longer than a run does. Everything is kept for the next run."""


@dataclass
class Applied:
    """What became of the changes in a run, by `change_id`; `waiting` says why a change has not left yet."""

    confirmed: list[str] = field(default_factory=list)
    refused: dict[str, PlatformFault] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


#: Why a change may not leave now (a stop, a missing approval); None where it may.
Gate = Callable[[Change], str | None]
#: Shows progress: what is done, and the done share.
Told = Callable[[str, float], None]


@dataclass
class Session:
    """Attributes:
    ends_at: until when it waits for a platform that throttles.
    """

    platform: Platform
    ledger: WriteLedger
    gate: Gate
    told: Told
    ends_at: float
    clock: RunClock = time
    applied: Applied = field(default_factory=Applied)

    @property
    def where(self) -> tuple[str, str]:
        return self.platform.name, self.platform.account

    def of(self, *statuses: Status) -> list[LedgerEntry]:
        return self.ledger.of(*self.where, *statuses)

    # Calls

    def before_a_call(self) -> None:
        """Wait as long as the platform asked for. Raises `StillThrottled`."""
        until, why = self.ledger.waits_until(*self.where)
        if until > self.ends_at:
            raise StillThrottled(f"{self.platform.name}: {why}; run again in {until - self.clock.time():.0f} s")
        self.pause(until - self.clock.time())

    def pause(self, seconds: float) -> None:
        if seconds > 0:
            self.told(f"{self.platform.name}: waits {seconds:.0f} s", 0.0)
            self.clock.sleep(seconds)

    def shown(self, object: str, ids: Sequence[str]) -> Mapping[str, PlatformObject]:
        """These objects as they are now, by id."""
        self.before_a_call()
        return {one.object_id: one for one in self.platform.objects(object, ids)}

    def found(self, changes: Sequence[Change]) -> Mapping[str, str]:
        """What was created for these changes, by `change_id`."""
        self.before_a_call()
        return self.platform.find(changes)

    def edited(self, object: str, shown: Mapping[str, PlatformObject]) -> list[outside.EditedObject]:
        """Those of the objects that others edited since they were last seen."""
        known, seen = self.ledger.known(*self.where, object, shown), list(shown.values())
        if not outside.edited(known, seen, []):
            return []
        self.before_a_call()
        return outside.edited(known, seen, self.platform.edits(min(one.seen_at for one in known)))

    # What becomes of a change

    def put(self, entry: LedgerEntry, status: Status, told: str = "", object_id: str | None = None) -> None:
        changed = replace(entry, status=status, object_id=entry.object_id if object_id is None else object_id)
        self.ledger.put(changed, self.clock.time(), told)

    def back(self, entries: Iterable[LedgerEntry], why: str) -> None:
        """They were not done, and are sent again later."""
        with self.ledger.writing():
            for entry in entries:
                self.put(entry, "intended", why)

    def confirm(self, entry: LedgerEntry, seen: PlatformObject | None) -> None:
        """It was read back as wanted, or cannot be read."""
        with self.ledger.writing():
            self.put(replace(entry, fault=None), "confirmed")
            if seen is not None:
                known = KnownObject(*self.where, seen.object, seen.object_id, seen.fields, seen.parent)
                self.ledger.see([replace(known, campaign=entry.change.campaign, seen_at=self.clock.time())])
        self.applied.confirmed.append(entry.change.change_id)

    def refuse(self, entry: LedgerEntry, fault: PlatformFault) -> None:
        said = f"{fault.field}: {fault.message}" if fault.field else fault.message
        self.put(replace(entry, fault=fault), "refused", said)
        self.applied.refused[entry.change.change_id] = fault

    def hold(self, entry: LedgerEntry, why: str) -> None:
        """Its object was edited by others: a person decides."""
        self.put(entry, "held", why)
        self.applied.held[entry.change.change_id] = why
