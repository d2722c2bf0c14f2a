"""HubSpot: its CRM API under v3 and under dates, 207 for mixed batches, 423, 429 by policy and 477."""

from collections.abc import Mapping

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import ScriptedFault
from tests.fakes.hubspot import app
from tests.fakes.hubspot.state import CONTACT, HUB, HubSpotState

SCORES = "POST /crm/v3/objects/contacts/batch/upsert"


def environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_HUBSPOT_ACCESS_TOKEN": app.TOKEN,
        "ADLOOP_HUBSPOT_ACCOUNT": HUB,
        "ADLOOP_HUBSPOT_URL": url,
    }


def change(change_id: str, object: str = "lead", **said: object) -> Change:
    """A change of this hub."""
    doing = said.pop("doing", "create")
    plain = {name: str(said.pop(name, "")) for name in ("target", "parent")}
    return Change(change_id, "hubspot", HUB, object, doing, said, "a test wants it", "tests", **plain)  # type: ignore[arg-type]


def creations(count: int) -> list[Change]:
    return [change(f"lead-{n}", customer_id=f"c{n}", score=n + 0.5, reason=f"visited {n} pages") for n in range(count)]


def update(change_id: str, value: int) -> Change:
    return change(change_id, doing="update", target=CONTACT, score=20.0 + value)


FAKE = Fake(
    name="hubspot",
    state=HubSpotState,
    serve=app.serve,
    environment=environment,
    creations=creations,
    update=update,
    refusal=(change("wrong", customer_id="c-wrong", score=1.0, reason="why", email="nobody"), "email"),
    throttled=ScriptedFault(
        SCORES,
        status=429,
        body={
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "TEN_SECONDLY_ROLLING",
        },
    ),
    waits_s=10.0,
    expired=ScriptedFault(
        status=401,
        body={"status": "error", "message": "The token is expired", "category": "EXPIRED_AUTHENTICATION"},
    ),
    retired=ScriptedFault(status=410, body={"status": "error", "message": "This version is no longer supported"}),
)
