"""LinkedIn Marketing: Rest.li 2.0, versions by month, 201 with the id in a header, two forms of errors."""

from collections.abc import Mapping

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import ScriptedFault
from tests.fakes.linkedin import app
from tests.fakes.linkedin.state import ACCOUNT, LinkedInState

GROUPS = f"POST /rest/adAccounts/{ACCOUNT}/adCampaignGroups"


def environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_LINKEDIN_ACCESS_TOKEN": app.TOKEN,
        "ADLOOP_LINKEDIN_ACCOUNT": ACCOUNT,
        "ADLOOP_LINKEDIN_URL": url,
        "ADLOOP_LINKEDIN_VERSION": "202607",
        "ADLOOP_LINKEDIN_ORGANIZATION": "42",
        "ADLOOP_LINKEDIN_SOURCE_PLATFORM": "EXAMPLE",
        "ADLOOP_LINKEDIN_LEADS": "true",
    }


def change(change_id: str, object: str = "campaign", **said: object) -> Change:
    """A change of this account."""
    doing = said.pop("doing", "create")
    plain = {name: str(said.pop(name, "")) for name in ("target", "parent")}
    return Change(change_id, "linkedin", ACCOUNT, object, doing, said, "a test wants it", "tests", **plain)  # type: ignore[arg-type]


def creations(count: int) -> list[Change]:
    return [
        change(f"group-{n}", name=f"Autumn {n}, (new)", status="paused", total_budget=1000.5 + n) for n in range(count)
    ]


def update(change_id: str, value: int) -> Change:
    return change(change_id, "ad_group", doing="update", target="2001", daily_budget=20.0 + value)


FAKE = Fake(
    name="linkedin",
    state=LinkedInState,
    serve=app.serve,
    environment=environment,
    creations=creations,
    update=update,
    refusal=(change("wrong", name="No money", total_budget=-5), "total_budget"),
    throttled=ScriptedFault(
        GROUPS,
        status=429,
        body={
            "message": "Resource level throttle limit for calls to this resource is reached.",
            "serviceErrorCode": 101,
            "status": 429,
        },
    ),
    waits_s=300.0,
    expired=ScriptedFault(
        status=401,
        body={
            "message": "The token used in the request has expired",
            "serviceErrorCode": 65602,
            "code": "EXPIRED_ACCESS_TOKEN",
            "status": 401,
        },
    ),
    retired=ScriptedFault(
        status=426,
        body={"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 20240101 is not active"},
    ),
)
