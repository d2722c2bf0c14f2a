"""The account as rules see it: its objects with their fields, and what they did by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.campaigns.rules.history import COLUMNS, AdHistory, history
from serving.integrations.change import OPEN, LedgerEntry
from serving.integrations.ledger import WriteLedger

if TYPE_CHECKING:
    import pandas as pd

#: An object of the account: its type and the platform's id.
Place = tuple[str, str]
_ABOVE = {"ad": "ad_group", "keyword": "ad_group", "ad_group": "campaign", "campaign": "account"}


@dataclass(frozen=True, slots=True)
class RuleObject:
    """An object with its fields as last written or seen, and as open changes will leave them.

    Attributes:
        parent: the id of the object above it; empty where it is not known.
        campaign: adloop's campaign.
        held: why automation keeps its hands off.
    """

    place: Place
    fields: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    campaign: str = ""
    held: str = ""


@dataclass(frozen=True)
class AccountView:
    """Objects by place, and the counts of ads.

    Attributes:
        frame: of `features.ad_days.read`, with the ad groups that are known of ads.
        histories: the counts by level.
    """

    objects: Mapping[Place, RuleObject]
    frame: "pd.DataFrame"
    histories: Mapping[str, AdHistory]

    def before(self, day: date, objects: Mapping[Place, RuleObject]) -> "AccountView":
        """The account as it was at the beginning of a day, with these objects."""
        frame = self.frame[(self.frame["day"] < np.datetime64(day)).to_numpy()]
        return AccountView(objects, frame, {level: one.before(day) for level, one in self.histories.items()})

    def of(self, level: str) -> list[RuleObject]:
        """The objects of a level: those that are known, and those that only the counts tell of."""
        if level == "account":
            return [RuleObject(("account", "account"))]
        names = {one.place[1] for one in self.objects.values() if one.place[0] == level}
        return [self.get((level, name)) for name in sorted(names | set(self.histories[level].places))]

    def get(self, place: Place) -> RuleObject:
        """An object; without fields where only the counts tell of it."""
        return self.objects.get(place) or RuleObject(place, parent=self._parents.get(place, ""))

    def status(self, one: RuleObject) -> str:
        """`live`, or that of the object or one above it that is not."""
        status = str(one.fields.get("status", "live"))
        kind = _ABOVE.get(one.place[0], "account")
        if status != "live" or kind == "account" or not one.parent:
            return status
        return self.status(self.get((kind, one.parent)))

    def campaign_of(self, one: RuleObject) -> RuleObject | None:
        """The campaign that an object is in; None where it is not known."""
        kind = one.place[0]
        if kind in ("campaign", "account"):
            return one if kind == "campaign" else None
        return self.campaign_of(self.get((_ABOVE[kind], one.parent))) if one.parent else None

    def within(self, one: RuleObject) -> "pd.DataFrame":
        """The counts of an object's own rows."""
        kind, name = one.place
        return self.frame if kind == "account" else self.frame[self.frame[COLUMNS[kind]] == name]

    def history(self, one: RuleObject) -> AdHistory:
        """The history that has the object's row."""
        return self.histories[one.place[0]]

    def below(self, one: RuleObject, dimension: str) -> AdHistory:
        """The history of what is in an object: objects, channels, audiences or hours."""
        return history(self.within(one), COLUMNS.get(dimension, dimension))

    @cached_property
    def _parents(self) -> Mapping[Place, str]:
        """Parents of objects that only the counts tell of."""
        found = dict[Place, str]()
        for kind, above in (("ad", "ad_group_id"), ("keyword", "ad_group_id"), ("ad_group", "campaign_id")):
            pairs = self.frame[[COLUMNS[kind], above]].dropna().drop_duplicates(COLUMNS[kind])
            found |= {(kind, str(name)): str(parent) for name, parent in pairs.itertuples(index=False)}
        return found


def view(objects: Mapping[Place, RuleObject], frame: "pd.DataFrame") -> AccountView:
    """The account with these objects and counts (`features.ad_days.read`)."""
    groups = frame["ad_group_id"]
    if groups.isna().any():
        parents = {name: one.parent for (kind, name), one in objects.items() if kind == "ad" and one.parent}
        frame = frame.assign(ad_group_id=groups.where(groups.notna(), frame["ad_id"].map(parents)))
    levels = {level: history(frame, column) for level, column in COLUMNS.items()}
    return AccountView(objects, frame, {"account": history(frame, "")} | levels)


def known(ledger: WriteLedger, platform: str, account: str) -> dict[Place, RuleObject]:
    """The objects that the ledger knows, as its open changes will leave them."""
    found = {
        (one.object, one.object_id): RuleObject(
            (one.object, one.object_id), one.fields, one.parent, one.campaign, one.held
        )
        for one in ledger.known(platform, account)
    }
    return overlaid(found, ledger.of(platform, account, *OPEN))


def overlaid(found: dict[Place, RuleObject], entries: Iterable[LedgerEntry]) -> dict[Place, RuleObject]:
    """Objects with the fields that these changes want of them."""
    for entry in entries:
        change = entry.change
        place = change.object, change.target
        if place in found:
            found[place] = replace(found[place], fields={**found[place].fields, **change.fields})
    return found
