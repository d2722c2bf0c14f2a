"""Meta's Graph API with an ad account, on loopback."""

from tests.fakes.fake import Fake
from tests.fakes.faults import ScriptedFault
from tests.fakes.meta.app import serving
from tests.fakes.meta.examples import ACCOUNT, PAGE, PIXEL, TOKEN, creations, refusal, update
from tests.fakes.meta.state import MetaState


def _error(code: int, message: str, subcode: int | None = None) -> dict[str, object]:
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return {"error": told if subcode is None else {**told, "error_subcode": subcode}}


_USAGE = '{"17841": [{"type": "ads_management", "call_count": 100, "estimated_time_to_regain_access": 7}]}'

FAKE = Fake(
    name="meta",
    state=MetaState,
    serve=serving,
    environment=lambda url: {
        "ADLOOP_META_URL": url,
        "ADLOOP_META_ACCESS_TOKEN": TOKEN,
        "ADLOOP_META_ACCOUNT_ID": ACCOUNT,
        "ADLOOP_META_PAGE_ID": PAGE,
        "ADLOOP_META_PIXEL_ID": PIXEL,
    },
    creations=creations,
    update=update,
    refusal=refusal(),
    throttled=ScriptedFault(
        "POST /v26.0/act_*/*",
        status=400,
        body=_error(613, "Calls to this api have exceeded the rate limit.", 1487742),
        headers={"X-Business-Use-Case-Usage": _USAGE},
    ),
    waits_s=420.0,
    expired=ScriptedFault(
        "POST /v26.0/", status=400, body=_error(190, "Error validating access token: Session has expired", 463)
    ),
    retired=ScriptedFault(
        "POST /v26.0/",
        status=400,
        body=_error(2635, "(#2635) You are calling a deprecated version of the Ads API. Please update to v27.0."),
    ),
)
