"""What a platform must do to be read and written: the interface of every integration."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from serving.integrations.change import Change, Doing, PlatformFault, PlatformObject

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Capability:
    """What an integration can do with one type of object.

    Attributes:
        doings: what can be done with it.
        fields: those that can be set.
        reads: whether its fields can be read back; without it the platform's answer is all there is.
        undo: how a change is taken back: `restore` sets the former values, and a created object is removed or archived;
            `never` for what has left the house.
        settles_s: seconds after which these objects surely show what was sent; None where it is the platform's.
    """

    object: str
    doings: tuple[Doing, ...]
    fields: tuple[str, ...]
    reads: bool = True
    undo: str = "restore"
    settles_s: float | None = None


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """What the credentials permit, as the platform tells it.

    Attributes:
        account, name, currency, zone: of the account; empty where the platform tells none.
        version: the API version in use.
        may: what is permitted, as people read it.
        missing: what this integration needs and is not permitted, each with what to do about it.
    """

    account: str
    version: str
    name: str = ""
    currency: str = ""
    zone: str = ""
    may: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The platform's answer to one change.

    Attributes:
        object_id: of the object, where it was done.
        fault: why it was refused, for good.
        wait_s: not done, and may be sent again after so many seconds.
        unknown: no answer for this one: it may have been done or not.
    """

    change_id: str
    object_id: str = ""
    fault: PlatformFault | None = None
    wait_s: float | None = None
    told: str = ""
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class OutsideEdit:
    """An edit that the platform's own history tells of. `at` in Unix seconds."""

    object: str
    object_id: str
    by: str
    at: float
    what: str = ""


class PlatformError(ConnectionError):
    """A fault of a whole call. Nothing of it was done."""


class Throttled(PlatformError):
    """Too many calls. No call may leave before `wait_s` seconds are over."""

    def __init__(self, wait_s: float, why: str) -> None:
        super().__init__(f"{why}: waits {wait_s:g} s")
        self.wait_s, self.why = wait_s, why


class LoginExpired(PlatformError):
    """The login is over; the message says how to get a new one."""


class VersionRetired(PlatformError):
    """The API version is switched off; the message names the variable and the version to set."""


class Denied(PlatformError):
    """The credentials do not permit the call; the message names the permission."""


class CallRefused(PlatformError):
    """The platform refuses the call as a whole, for good."""

    def __init__(self, fault: PlatformFault) -> None:
        super().__init__(f"{fault.field}: {fault.message}" if fault.field else fault.message)
        self.fault = fault


class Unanswered(ConnectionError):
    """No answer came, or none that tells: the call may have been done or not."""


class Platform(Protocol):
    """One account of a platform.

    Every method may raise the errors of this module, and no other for what a platform answers.

    Attributes:
        name: of its folder.
        account: the platform's id of the account.
        capabilities: what it can do.
        batch: most changes of one call of `send`, which are all of one object type and one doing.
        settles_s: seconds after which `find` and `objects` surely show what was sent; for platforms whose search lags.
        restates_d: days that the platform still corrects after they are over; `sync` reads them again.
    """

    name: str
    account: str
    capabilities: Sequence[Capability]
    batch: int
    settles_s: float
    restates_d: int

    def connect(self) -> AccountAccess:
        """Check the credentials."""
        ...

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        """Bring changes to the platform in one call, and give an outcome for each, in their order. Parents and targets
        are the platform's ids. A created object carries the change's `marker`. Sends once: never retries by itself.

        A dry run only has the platform validate, where it can; else it checks the fields here.
        """
        ...

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        """The ids of what was created or sent for these changes, by `change_id`, found by their markers."""
        ...

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        """Objects of a type as they are now: these, or all. Unknown ids are left out."""
        ...

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        """Who edited what since then, by anyone but these credentials; empty where the platform does not tell."""
        ...

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        """Canonical tables (`features.tables.SPECS`) of one day in UTC, or in the account's days where the platform
        counts by those. Reading a day again replaces what was read of it."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


def capability(platform: Platform, change: Change) -> Capability:
    """The capability that the change needs. Raises `ValueError` naming what is not supported."""
    found = next((one for one in platform.capabilities if one.object == change.object), None)
    if found is None or change.doing not in found.doings:
        able = ", ".join(f"{doing} {one.object}" for one in platform.capabilities for doing in one.doings)
        raise ValueError(f"{platform.name}: cannot {change.doing} {change.object}; expected one of: {able}")
    unknown = sorted(set(change.fields) - set(found.fields))
    if unknown:
        raise ValueError(
            f"{platform.name}: {change.object}: unknown field {unknown[0]}; expected of {', '.join(found.fields)}"
        )
    return found


def settles_s(platform: Platform, change: Change) -> float:
    """Seconds after which the platform surely shows a change that was sent."""
    own = capability(platform, change).settles_s
    return platform.settles_s if own is None else own
