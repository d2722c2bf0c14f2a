"""One account of Google Ads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.google_ads import edits, insights, objects, places, reports, sending
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
    capabilities = tuple(Capability(one.object, ("create", "update"), one.settable) for one in OBJECTS.values())
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
        placed = places.places(self.connection, changes)
        writer = OperationWriter(self._operation, self.account, self.zone, self.credentials.eu_political, placed)
        for position, change in enumerate(changes):
            try:
                ready[change.change_id] = (
                    writer.update(change, standing) if change.doing == "update" else writer.create(change, position)
                )
            except CallRefused as refused:
                outcomes[change.change_id] = Outcome(change.change_id, fault=refused.fault)
        sent = sending.send(self.connection, ready, creates=not (updates or dry_run), dry_run=dry_run)
        outcomes |= {outcome.change_id: outcome for outcome in sent}
        made = [(outcomes[change.change_id], change.target) for change in changes]
        return [replace(outcome, object_id=target or outcome.object_id) for outcome, target in made]

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
