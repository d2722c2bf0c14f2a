"""Google Ads: a gRPC server of Google's own messages, with the endpoint that renews logins."""

from collections.abc import Mapping

from serving.integrations.change import Change, Fields
from tests.fakes.fake import Fake
from tests.fakes.faults import ScriptedFault
from tests.fakes.google_ads import tokens
from tests.fakes.google_ads.server import served
from tests.fakes.google_ads.state import CUSTOMER, OWN_EMAIL, shop

WAIT_S = 37


def change(change_id: str, object: str, fields: Fields, parent: str = "", target: str = "") -> Change:
    """A change of the fake's account."""
    return Change(
        change_id=change_id,
        platform="google_ads",
        account=CUSTOMER,
        object=object,
        doing="update" if target else "create",
        fields=fields,
        reason="test",
        by="ann",
        parent=parent,
        target=target,
    )


def creations(count: int) -> list[Change]:
    """Campaigns, ad groups of the campaign that is there, and ads of its ad group, by turns."""
    return [_creation(f"new-{place}", place) for place in range(count)]


def _creation(change_id: str, place: int) -> Change:
    if place % 3 == 0:
        fields: Fields = {"name": f"Trail {place}", "status": "paused", "daily_budget": 20.0 + place}
        return change(change_id, "campaign", fields)
    if place % 3 == 1:
        return change(change_id, "ad_group", {"name": f"Trail {place}", "bid": 0.75}, parent="11")
    fields = {
        "headlines": [f"Trail shoes {place}", "Free returns", "Made to last"],
        "bodies": ["Shoes for every trail.", "Order today, run tomorrow."],
        "url": "https://shop.example/trail",
        "status": "paused",
    }
    return change(change_id, "ad", fields, parent="21")


def update(change_id: str, value: int) -> Change:
    return change(change_id, "campaign", {"daily_budget": 50.0 + value}, target="11")


def environment(url: str) -> Mapping[str, str]:
    endpoint, logins = url.split(" ")
    said = {
        "CUSTOMER_ID": CUSTOMER,
        "DEVELOPER_TOKEN": tokens.DEVELOPER_TOKEN,
        "CLIENT_ID": tokens.CLIENT_ID,
        "CLIENT_SECRET": tokens.CLIENT_SECRET,
        "REFRESH_TOKEN": tokens.REFRESH_TOKEN,
        "USER_EMAIL": OWN_EMAIL,
        "EU_POLITICAL": "false",
        "ENDPOINT": endpoint,
        "TOKEN_URI": f"{logins}/token",
    }
    return {f"ADLOOP_GOOGLE_ADS_{name}": value for name, value in said.items()}


_QUOTA = {
    "errors": [
        {
            "error_code": {"quota_error": "RESOURCE_EXHAUSTED"},
            "message": "Too many requests. Retry in 37 seconds.",
            "details": {
                "quota_error_details": {
                    "rate_scope": "DEVELOPER",
                    "rate_name": "Number of operations for explorer access",
                    "retry_delay": f"{WAIT_S}s",
                }
            },
        }
    ]
}
_EXPIRED = {
    "errors": [
        {
            "error_code": {"authentication_error": "OAUTH_TOKEN_EXPIRED"},
            "message": "OAuth token in the header has expired.",
        }
    ]
}
FAKE = Fake(
    name="google_ads",
    state=shop,
    serve=served,
    environment=environment,
    creations=creations,
    update=update,
    refusal=(change("wrong", "campaign", {"name": "Wrong", "daily_budget": 0.001}), "daily_budget"),
    throttled=ScriptedFault("*GoogleAdsService/Mutate", status="RESOURCE_EXHAUSTED", body=_QUOTA),
    waits_s=WAIT_S,
    expired=ScriptedFault("*GoogleAdsService/*", status="UNAUTHENTICATED", body=_EXPIRED),
    retired=ScriptedFault("*GoogleAdsService/*", status="UNIMPLEMENTED"),
)
