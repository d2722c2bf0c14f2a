"""One account of Google Ads."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.google_ads import edits, errors, insights, objects, reports
from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.google_ads.credentials import GoogleAdsCredentials
from serving.integrations.google_ads.fields import OBJECTS
from serving.integrations.google_ads.operations import OperationWriter
from serving.integrations.platform import (
    AccountAccess,
    CallRefused,
    Capability,
    Denied,
    Outcome,
    OutsideEdit,
)

if TYPE_CHECKING:
    import pyarrow as pa


def connected() -> "GoogleAdsAccount":
    """The account that the credentials are of."""
    return GoogleAdsAccount(read(GoogleAdsCredentials))


class GoogleAdsAccount:
    """Campaigns on Google's search, with their ad groups, keywords and responsive search ads."""

    name = "google_ads"
    capabilities = tuple(
        Capability(one.object, ("create", "update"), tuple(field.name for field in one.fields))
        for one in OBJECTS.values()
    )
    #: Google takes 10,000 operations a call; a lost answer of fewer is sooner reconciled.
    batch = 1000
    settles_s = 0.0
    #: Clicks are credited up to 30 days later, conversions by their click's day.
    restates_d = 30

    def __init__(self, credentials: GoogleAdsCredentials) -> None:
        self.account, self.credentials = credentials.customer_id, credentials
        self.connection = GoogleAdsConnection(credentials)
        self._zone: ZoneInfo | None = None

    def connect(self) -> AccountAccess:
        row = self._customer()
        customer, missing = row.customer, list[str]()
        if customer.manager:
            missing.append("the account is a manager: set ADLOOP_GOOGLE_ADS_CUSTOMER_ID to an account below it")
        elif denied := self._denied():
            missing.append(denied)
        may = ["read campaigns, ads and their reports"] + ([] if missing else ["change campaigns"])
        may += ["a test account: no ad is shown"] if customer.test_account else []
        return AccountAccess(
            self.account,
            self.credentials.version,
            customer.descriptive_name,
            customer.currency_code,
            customer.time_zone,
            tuple(may),
            tuple(missing),
        )

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        outcomes, ready = dict[str, Outcome](), dict[str, list[Any]]()
        updates = [change for change in changes if change.doing == "update"]
        standing = objects.standing(self.connection, updates) if updates else {}
        writer = OperationWriter(self._operation, self.account, self.zone, self.credentials.eu_political)
        for position, change in enumerate(changes):
            try:
                ready[change.change_id] = (
                    writer.update(change, standing) if change.doing == "update" else writer.create(change, position)
                )
            except CallRefused as refused:
                outcomes[change.change_id] = Outcome(change.change_id, fault=refused.fault)
        targets = {change.change_id: change.target for change in changes}
        for outcome in self._mutate(ready, targets, dry_run):
            outcomes[outcome.change_id] = outcome
        return [outcomes[change.change_id] for change in changes]

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        return objects.find(self.connection, changes)

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return list(objects.objects(self.connection, OBJECTS[object], ids, self.zone))

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        return edits.edits(self.connection, since, self.zone)

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.read(self.connection, day)

    def audience_insights(self, country: int, interest: int = 0) -> "pa.Table":
        """Who the audience of a country is, beside everybody there (`insights.read`)."""
        return insights.read(self.connection, country, interest)

    def close(self) -> None:
        self.connection.close()

    @property
    def zone(self) -> ZoneInfo:
        """The account's clock."""
        if self._zone is None:
            self._zone = ZoneInfo(self._customer().customer.time_zone)
        return self._zone

    def _mutate(self, ready: Mapping[str, list[Any]], targets: Mapping[str, str], dry_run: bool) -> Iterator[Outcome]:
        """Send the operations of changes and give the outcome of each.

        Changes of one operation are sent so that each counts for itself. Where changes take several (a campaign and its
        budget), the whole call counts or nothing of it, so that no part of a change is left behind; those without a
        fault are sent again without the others.
        """
        if not ready:
            return
        whole = any(len(operations) > 1 for operations in ready.values())
        owners = [change_id for change_id, operations in ready.items() for _ in operations]
        try:
            flat = [operation for operations in ready.values() for operation in operations]
            answer = self.connection.mutate(flat, not whole, dry_run)
            wrong = _by_change(errors.of_answer(answer), owners)
        except errors.OperationsRefused as refused:
            wrong = _by_change(refused.errors, owners)
            yield from (_outcome_of(change_id, error) for change_id, error in wrong.items())
            rest = {change_id: operations for change_id, operations in ready.items() if change_id not in wrong}
            yield from self._mutate(rest, targets, dry_run)
            return
        created = dict(zip(owners, answer.mutate_operation_responses, strict=False))  # the last one names the object
        for change_id in ready:
            if change_id in wrong:
                yield _outcome_of(change_id, wrong[change_id])
            else:
                yield Outcome(change_id, targets[change_id] or _created(created.get(change_id)))

    def _operation(self) -> Any:
        return self.connection.message("services.types.google_ads_service", "MutateOperation")

    def _customer(self) -> Any:
        selected = ("descriptive_name", "currency_code", "time_zone", "manager", "test_account")
        fields = ", ".join(f"customer.{one}" for one in selected)
        return next(self.connection.query(f"SELECT {fields} FROM customer"))  # noqa: S608 (GAQL)

    def _denied(self) -> str:
        """Why the login may not write; empty where it may. Google tells by validating what is not done."""
        operation = self._operation()
        budget = operation.campaign_budget_operation.create
        budget.name, budget.amount_micros, budget.explicitly_shared = "adloop", 1_000_000, False
        try:
            self.connection.mutate([operation], partial_failure=False, validate_only=True)
        except (Denied, CallRefused) as refused:
            return f"change campaigns: {refused}"
        return ""


def _by_change(errors: Mapping[int, Any], owners: Sequence[str]) -> dict[str, Any]:
    """The first error of each change: a campaign whose budget is refused is refused for its budget too."""
    return {owners[place]: errors[place] for place in sorted(errors, reverse=True)}


def _outcome_of(change_id: str, error: Any) -> Outcome:
    wait_s = errors.wait_s(error)
    if wait_s:
        return Outcome(change_id, wait_s=wait_s)
    return Outcome(change_id, fault=errors.fault(error))


def _created(response: Any) -> str:
    """The id in the response to an operation; empty in a dry run, which has none."""
    for _, result in response.ListFields() if response is not None else ():
        return str(result.resource_name).rpartition("/")[2]
    return ""
