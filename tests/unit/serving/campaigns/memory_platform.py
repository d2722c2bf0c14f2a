"""A platform in memory that keeps what it is sent, for tests of what leaves and when."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from serving.integrations.change import Change, PlatformFault, PlatformObject
from serving.integrations.platform import AccountAccess, Capability, Outcome, OutsideEdit

if TYPE_CHECKING:
    import pyarrow as pa

_MONEY = ("daily_budget", "total_budget", "bid")
_FIELDS = {
    "campaign": ("name", "status", "starts_at", "ends_at", *_MONEY),
    "ad_group": ("name", "status", "audiences", "placements", "countries", *_MONEY),
    "keyword": ("keyword", "match", "status", "bid", "quality_score"),
    "negative_keyword": ("keyword", "match", "status"),
    "ad": ("name", "status", "headlines", "bodies", "url", "image"),
    "audience": ("name", "like"),
}


@dataclass
class MemoryPlatform:
    """Attributes:
    log: object and doing of each change that was sent, with its status.
    refuses: gives a fault for a change that it refuses.
    """

    name: str = "google_ads"
    account: str = "1234567890"
    currency: str = "EUR"
    batch: int = 50
    settles_s: float = 0.0
    restates_d: int = 0
    shown: dict[str, PlatformObject] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str, Any]] = field(default_factory=list)
    refuses: Callable[[Change], PlatformFault | None] = lambda _: None
    sending: Callable[[], None] = lambda: None
    capabilities: Sequence[Capability] = (
        *(Capability(object, ("create", "update"), fields) for object, fields in _FIELDS.items()),
        Capability("audience_members", ("send",), ("audience", "emails"), reads=False, undo="never"),
    )

    def connect(self) -> AccountAccess:
        return AccountAccess(self.account, "1", currency=self.currency, may=("everything",))

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        found = [self._one(change, dry_run) for change in changes]
        self.sending()
        return found

    def _one(self, change: Change, dry_run: bool) -> Outcome:
        fault = self.refuses(change)
        if fault is not None or dry_run:
            return Outcome(change.change_id, fault=fault)
        place = change.target or f"{change.object}-{len(self.shown) + 1}"
        before = self.shown.get(place, PlatformObject(change.object, place, {}, change.parent))
        self.shown[place] = replace(before, fields={**before.fields, **change.fields})
        self.log.append((change.object, change.doing, change.fields.get("status")))
        if change.doing == "create":
            self.made[change.marker] = place
        return Outcome(change.change_id, place)

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        return {one.change_id: self.made[one.marker] for one in changes if one.marker in self.made}

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return [one for place, one in self.shown.items() if one.object == object and (ids is None or place in ids)]

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        return []

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return {}

    def close(self) -> None:
        pass
