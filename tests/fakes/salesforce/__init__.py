"""Salesforce: its REST API with SOQL, upserts by external id, collections with mixed success, and arrays of errors."""

from collections.abc import Mapping

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import ScriptedFault
from tests.fakes.salesforce import app
from tests.fakes.salesforce.state import LEAD, ORGANIZATION, SalesforceState

SCORES = "PATCH /services/data/v59.0/composite/sobjects/Lead/adloop_id__c"


def environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_SALESFORCE_ACCESS_TOKEN": app.TOKEN,
        "ADLOOP_SALESFORCE_ACCOUNT": ORGANIZATION,
        "ADLOOP_SALESFORCE_URL": url,
    }


def change(change_id: str, object: str = "lead", **said: object) -> Change:
    """A change of this organization."""
    doing = said.pop("doing", "create")
    plain = {name: str(said.pop(name, "")) for name in ("target", "parent")}
    return Change(change_id, "salesforce", ORGANIZATION, object, doing, said, "a test wants it", "tests", **plain)  # type: ignore[arg-type]


def creations(count: int) -> list[Change]:
    return [change(f"lead-{n}", customer_id=f"c{n}", score=n + 0.5, reason=f"visited {n} pages") for n in range(count)]


def update(change_id: str, value: int) -> Change:
    return change(change_id, doing="update", target=LEAD, score=20.0 + value)


FAKE = Fake(
    name="salesforce",
    state=SalesforceState,
    serve=app.serve,
    environment=environment,
    creations=creations,
    update=update,
    refusal=(change("wrong", customer_id="c-wrong", score=1.0, reason="why " * 100), "reason"),
    throttled=ScriptedFault(
        SCORES,
        status=403,
        body=[{"message": "ConcurrentRequests limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    ),
    waits_s=60.0,
    expired=ScriptedFault(
        status=401, body=[{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    ),
    retired=ScriptedFault(
        status=410, body=[{"message": "The requested resource is no longer available", "errorCode": "GONE"}]
    ),
)
