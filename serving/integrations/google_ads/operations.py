"""Changes as operations of `GoogleAdsService.Mutate`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from serving.integrations.change import Change, PlatformFault
from serving.integrations.google_ads.fields import (
    OBJECTS,
    POLITICAL,
    Canonical,
    GoogleField,
    GoogleObject,
    refused,
    written,
)
from serving.integrations.google_ads.objects import PARAMETER, StandingObject, signed
from serving.integrations.google_ads.places import CampaignPlaces
from serving.integrations.platform import CallRefused

#: Fields that Google asks of a new object.
NEEDED: Mapping[str, tuple[Canonical, ...]] = {
    "campaign": ("name", "daily_budget"),
    "ad_group": ("name",),
    "keyword": ("keyword", "match"),
    "negative_keyword": ("keyword", "match"),
    "ad": ("headlines", "bodies", "url"),
}
#: Fields that cannot be changed afterwards.
FIXED: Mapping[str, tuple[Canonical, ...]] = {
    "keyword": ("keyword", "match"),
    "negative_keyword": ("keyword", "match", "status"),
}


@dataclass
class OperationWriter:
    """Writes the operations of changes.

    Attributes:
        empty: gives an empty `MutateOperation`.
        eu_political: what new campaigns declare that do not say so themselves.
        places: what changes of countries need to know.
    """

    empty: Callable[[], Any]
    customer: str
    zone: ZoneInfo
    eu_political: bool | None
    places: CampaignPlaces

    def create(self, change: Change, position: int) -> list[Any]:
        """The operations that create an object; `position` makes its temporary id. Raises `CallRefused`."""
        _complete(change)
        kind, operation = OBJECTS[change.object], self.empty()
        created = getattr(operation, f"{kind.resource}_operation").create
        rows, operations = {kind.resource: created}, [operation]
        if kind.parent:
            owner = "campaigns" if kind.parent.endswith("campaign") else "adGroups"
            setattr(created, kind.parent.rpartition(".")[2], self._name(owner, change.parent))
        if change.object == "campaign":
            operations.insert(0, self._campaign(created, rows, position))
        elif change.object == "ad":
            created.ad.url_custom_parameters.add(key=PARAMETER, value=change.marker)
        elif change.object == "negative_keyword":
            created.negative = True
        for name, value in change.fields.items():
            if name == "countries":
                operations += self.places.operations(change, created.resource_name, self.empty)
            elif (change.object, name) != ("negative_keyword", "status"):  # holds from when it is there
                self._set(rows, kind.field(name), signed(value, change.marker) if name == "name" else value)
        return operations

    def update(self, change: Change, standing: Mapping[str, StandingObject]) -> list[Any]:
        """The operations that set the fields of an object. Raises `CallRefused`."""
        kind = OBJECTS[change.object]
        if change.fields.get("status") == "removed":
            return [self._remove(change, kind)]
        operations, placing = dict[str, Any](), list[Any]()
        for name, value in change.fields.items():
            if name == "countries":
                placing += self.places.operations(change, self._name("campaigns", change.target), self.empty)
                continue
            if name in FIXED.get(change.object, ()):
                raise CallRefused(PlatformFault("fixed", f"{name}: cannot be changed; add another {kind.object}", name))
            field = kind.field(name)
            owner = _owner(kind, field)
            if owner not in operations:
                operations[owner] = self._updating(change, kind, owner, standing)
            operation = getattr(operations[owner], f"{owner}_operation")
            said = signed(value, _standing(change, standing).marker) if name == "name" else value
            self._set({_root(field): operation.update}, field, said, _depth(owner))
            operation.update_mask.paths.append(".".join(field.path.split(".")[_depth(owner) :]))
        return [*operations.values(), *placing]

    def _campaign(self, campaign: Any, rows: dict[str, Any], position: int) -> Any:
        """The budget of a new campaign, which goes before it; and what of a campaign adloop always sets."""
        operation = self.empty()
        budget = rows["campaign_budget"] = operation.campaign_budget_operation.create
        budget.resource_name = campaign.campaign_budget = self._name("campaignBudgets", f"-{2 * position + 1}")
        campaign.resource_name = self._name("campaigns", f"-{2 * position + 2}")
        budget.explicitly_shared = False
        campaign.advertising_channel_type, campaign.status = "SEARCH", "PAUSED"
        campaign.manual_cpc.SetInParent()
        campaign.network_settings.target_google_search = True
        if self.eu_political is not None:
            campaign.contains_eu_political_advertising = POLITICAL[self.eu_political]
        return operation

    def _remove(self, change: Change, kind: GoogleObject) -> Any:
        if len(change.fields) > 1:
            raise refused("status", "removed alone, without other fields", dict(change.fields))
        operation = self.empty()
        getattr(operation, f"{kind.resource}_operation").remove = self._name(kind.collection, change.target)
        return operation

    def _updating(self, change: Change, kind: GoogleObject, owner: str, standing: Mapping[str, StandingObject]) -> Any:
        """An operation that updates the resource which holds a field: the object's own, its budget, or its ad."""
        operation = self.empty()
        updated = getattr(operation, f"{owner}_operation").update
        updated.resource_name = self._name(kind.collection, change.target)
        if owner == "ad":
            updated.resource_name = self._name("ads", change.target.rsplit("~", 1)[1])
        if owner == "campaign_budget":
            budget = _standing(change, standing)
            if budget.shared > 1:
                message = f"the budget is shared by {budget.shared} campaigns: give the campaign one of its own first"
                raise CallRefused(PlatformFault("shared", message, "daily_budget"))
            updated.resource_name = budget.budget
        return operation

    def _set(self, rows: Mapping[str, Any], field: GoogleField, value: Any, depth: int = 1) -> None:
        """Set a field, whose path begins `depth` parts below the row, in its message; leave it empty for None."""
        message, said = rows[_root(field)], written(field, value, self.zone)
        *parents, last = field.path.split(".")[depth:]
        for parent in parents:
            message = getattr(message, parent)
        if field.kind == "texts":
            for text in said:
                getattr(message, last).add().text = text
        elif field.kind == "url":
            getattr(message, last).append(said)
        elif said is None:
            message.ClearField(last)
        else:
            setattr(message, last, said)

    def _name(self, collection: str, place: str) -> str:
        return f"customers/{self.customer}/{collection}/{place}"


def _complete(change: Change) -> None:
    """Raises `CallRefused` where a new object lacks a field, or has a state that no new object can have."""
    missing = next((name for name in NEEDED[change.object] if name not in change.fields), None)
    if missing:
        raise CallRefused(PlatformFault("missing", f"{missing}: expected a value for a new {change.object}", missing))
    states = ("live",) if change.object == "negative_keyword" else ("live", "paused")
    if change.fields.get("status", "live") not in states:
        raise refused("status", f"{' or '.join(states)} for a new {change.object}", change.fields["status"])


def _root(field: GoogleField) -> str:
    return field.path.partition(".")[0]


def _owner(kind: GoogleObject, field: GoogleField) -> str:
    """The resource that holds a field: texts of ads are the ad's, which is no part of the ad group."""
    return "ad" if field.path.startswith("ad_group_ad.ad.") else _root(field)


def _depth(owner: str) -> int:
    return 2 if owner == "ad" else 1


def _standing(change: Change, standing: Mapping[str, StandingObject]) -> StandingObject:
    if change.target not in standing:
        raise CallRefused(PlatformFault("missing", f"{change.object} {change.target}: not at the platform", "target"))
    return standing[change.target]
