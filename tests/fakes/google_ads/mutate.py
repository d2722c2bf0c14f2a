"""Mutates as Google carries them out: create, update and remove by operation, whole or in part, or only validated."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from tests.fakes.google_ads.checks import IMMUTABLE, REMOVED, check, check_update
from tests.fakes.google_ads.failures import CallFailure, Element, Refusal, error, failure
from tests.fakes.google_ads.state import MESSAGES, OWN_EMAIL, GoogleAdsState

REFERENCES = ("campaign", "campaign_budget", "ad_group")


@dataclass(frozen=True)
class ReceivedOperation:
    """An operation, on what resource, and its place in the request."""

    resource: str
    said: Any
    place: Sequence[Element]


class Mutation:
    """One request's operations against the state."""

    def __init__(self, state: GoogleAdsState) -> None:
        self.state, self.touched = state, set[str]()
        self.temporary, self.failed = dict[str, str](), set[str]()

    def run(
        self, operations: Sequence[ReceivedOperation], partial: bool, validate: bool
    ) -> tuple[list[str], list[Any]]:
        """The name of each operation's resource, empty where it failed; and the errors. Raises `CallFailure` where one
        fails and the rest must not be done either."""
        if not operations:
            raise CallFailure(
                grpc.StatusCode.INVALID_ARGUMENT,
                failure([error(Refusal("request_error.OPERATION_REQUIRED", "Operations are missing."))], ""),
            )
        names, errors, begun = list[str](), list[Any](), self.state.mark()
        for one in operations:
            doing = one.said.WhichOneof("operation") or "create"
            try:
                names.append(getattr(self, f"_{doing}")(one))
            except Refusal as refusal:
                names.append("")
                errors.append(error(refusal, [*one.place, (doing, None)]))
                if doing == "create":
                    self.failed.add(one.said.create.resource_name)
        if validate or (errors and not partial):
            self.state.back_to(begun)
        self.state.commit()
        if errors and not partial:
            raise CallFailure(grpc.StatusCode.INVALID_ARGUMENT, failure(errors, ""))
        return names, errors

    def _create(self, one: ReceivedOperation) -> str:
        if one.resource not in MESSAGES:
            raise Refusal("operator_error.OPERATOR_NOT_SUPPORTED", "Ads are created with their ad group.")
        made = MESSAGES[one.resource]()
        made.CopyFrom(one.said.create)
        for field in REFERENCES:
            if field in made.DESCRIPTOR.fields_by_name:
                self._refer(made, field)
        check(self.state, one.resource, made)
        temporary = made.resource_name
        self._identify(one.resource, made)
        standing = self.state.get(made.resource_name)
        kept = standing is not None and standing.status != REMOVED  # the same keyword again: its new values count
        if kept and standing.negative != made.negative:
            raise Refusal("ad_group_criterion_error.CANT_UPDATE_NEGATIVE", "Negative criteria are not updateable.")
        if temporary:
            self.temporary[temporary] = made.resource_name
        self._keep(one.resource, made, [field.name for field, _ in made.ListFields()], "CREATE")
        return str(made.resource_name)

    def _update(self, one: ReceivedOperation) -> str:
        said, mask = one.said.update, one.said.update_mask.paths
        resource, holder = self._standing(one.resource, said.resource_name)
        if not mask:
            raise Refusal(
                "field_mask_error.FIELD_MASK_MISSING", "The field mask must be provided for update operations."
            )
        changed = MESSAGES[resource]()
        changed.CopyFrom(holder)
        for path in mask:
            if path in IMMUTABLE.get(one.resource, ()):
                raise Refusal("field_error.IMMUTABLE_FIELD", "The field cannot be changed.", path)
            _copy(said, changed.ad if one.resource == "ad" else changed, path)
        check_update(self.state, one.resource, changed)
        self._keep(resource, changed, list(mask), "UPDATE")
        return str(said.resource_name)

    def _remove(self, one: ReceivedOperation) -> str:
        resource, holder = self._standing(one.resource, one.said.remove)
        if resource == "campaign_budget" and holder.reference_count:
            raise Refusal("campaign_budget_error.CAMPAIGN_BUDGET_IN_USE", "The budget is in use.")
        changed = MESSAGES[resource]()
        changed.CopyFrom(holder)
        changed.status = "REMOVED"
        self._keep(resource, changed, ["status"], "REMOVE")
        if resource == "campaign":
            self._count(changed.campaign_budget, -1)
        return str(one.said.remove)

    def _standing(self, resource: str, name: str) -> tuple[str, Any]:
        """The resource that an operation is about, which it may name once only; of an ad, its place in an ad group."""
        found = self.state.get(name)
        if resource == "ad":
            ads = self.state.resources["ad_group_ad"].values()
            resource, found = "ad_group_ad", next((ad for ad in ads if ad.ad.resource_name == name), None)
        if found is None:
            raise Refusal("mutate_error.RESOURCE_NOT_FOUND", f"Resource was not found: {name}.", "resource_name")
        if found.status == REMOVED:
            raise Refusal("mutate_error.MUTATE_NOT_ALLOWED", "The resource was removed.", "resource_name")
        if name in self.touched:
            raise Refusal("mutate_error.ID_EXISTS_IN_MULTIPLE_MUTATES", "Cannot mutate the same resource twice.")
        self.touched.add(name)
        return resource, found

    def _refer(self, made: Any, field: str) -> None:
        """Put the name of a resource of the same request in place of its temporary one."""
        name = getattr(made, field)
        if name in self.failed:
            message = "The resource that a temporary id stands for had errors."
            raise Refusal("new_resource_creation_error.TEMP_ID_RESOURCE_HAD_ERRORS", message, field)
        setattr(made, field, self.temporary.get(name, name))

    def _identify(self, resource: str, made: Any) -> None:
        fresh = self.state.fresh_id()
        if resource in ("ad_group_criterion", "campaign_criterion"):
            located = resource == "campaign_criterion" and made.HasField("location")
            text = f"{' '.join(made.keyword.text.lower().split())}/{made.keyword.match_type}"
            said = made.location.geo_target_constant if located else text
            made.criterion_id = int(hashlib.sha256(said.encode()).hexdigest()[:10], 16)
            made.type_ = "LOCATION" if located else "KEYWORD"
            owner = made.ad_group if resource == "ad_group_criterion" else made.campaign
            place = f"{owner.rpartition('/')[2]}~{made.criterion_id}"
        elif resource == "ad_group_ad":
            made.ad.id, made.ad.type_, made.ad.resource_name = (
                fresh,
                "RESPONSIVE_SEARCH_AD",
                self.state.name("ad", str(fresh)),
            )
            place = f"{made.ad_group.rpartition('/')[2]}~{fresh}"
        else:
            made.id, place = fresh, str(fresh)
        made.resource_name = self.state.name(resource, place)
        if made.status == 0:
            made.status = "ENABLED"
        if resource == "campaign":
            self._begin(made)

    def _begin(self, campaign: Any) -> None:
        """What Google fills in of a new campaign."""
        campaign.start_date_time = campaign.start_date_time or "2026-01-01 00:00:00"
        campaign.end_date_time = campaign.end_date_time or "2037-12-30 23:59:59"
        self._count(campaign.campaign_budget, 1, campaign.name)

    def _count(self, budget: str, by: int, name: str = "") -> None:
        """Count the campaigns of a budget; one that is not shared has its campaign's name."""
        changed = MESSAGES["campaign_budget"]()
        changed.CopyFrom(self.state.get(budget))
        changed.reference_count += by
        if name and not changed.explicitly_shared:
            changed.name = name
        self.state.put("campaign_budget", changed)

    def _keep(self, resource: str, message: Any, paths: Sequence[str], doing: str) -> None:
        self.state.put(resource, message)
        self.state.happened(resource, message.resource_name, paths, "GOOGLE_ADS_API", OWN_EMAIL, doing)


def _copy(said: Any, goal: Any, path: str) -> None:
    """Set the field of a mask's path as it was said, or clear it where nothing was."""
    *parents, last = path.split(".")
    for part in parents:
        if part not in said.DESCRIPTOR.fields_by_name:
            raise Refusal("field_mask_error.FIELD_NOT_FOUND", f"The field mask contains an invalid field: {path}.")
        said, goal = getattr(said, part), getattr(goal, part)
    if last not in said.DESCRIPTOR.fields_by_name:
        raise Refusal("field_mask_error.FIELD_NOT_FOUND", f"The field mask contains an invalid field: {path}.")
    about = said.DESCRIPTOR.fields_by_name[last]
    goal.ClearField(last)
    if about.is_repeated or about.message_type:
        getattr(goal, last).MergeFrom(getattr(said, last))
    elif not about.has_presence or said.HasField(last):
        setattr(goal, last, getattr(said, last))
