"""Google Analytics 4: the login, reports with their quota, audiences with their history, the Measurement Protocol."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import Script, ScriptedFault
from tests.fakes.google_analytics.app import app
from tests.fakes.google_analytics.state import API_SECRET, PROPERTY, STREAM, GoogleAnalyticsState
from tests.fakes.google_analytics.tokens import service_account
from tests.fakes.rest import Scripted, serve


@contextmanager
def _serve(state: GoogleAnalyticsState, script: Script) -> Iterator[str]:
    with serve(Scripted(app(state), script)) as url:
        yield url


def _environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_GOOGLE_ANALYTICS_PROPERTY": PROPERTY,
        "ADLOOP_GOOGLE_ANALYTICS_SERVICE_ACCOUNT": service_account(f"{url}/token"),
        "ADLOOP_GOOGLE_ANALYTICS_MEASUREMENT_ID": STREAM,
        "ADLOOP_GOOGLE_ANALYTICS_API_SECRET": API_SECRET,
        "ADLOOP_GOOGLE_ANALYTICS_DATA_URL": url,
        "ADLOOP_GOOGLE_ANALYTICS_ADMIN_URL": url,
        "ADLOOP_GOOGLE_ANALYTICS_COLLECT_URL": url,
    }


def audience(change_id: str, **fields: object) -> Change:
    """An audience of a segment; a field of None is left out."""
    written = {"name": f"Segment {change_id}", "days": 30, "dimension": "segment", "value": change_id} | fields
    left = {name: value for name, value in written.items() if value is not None}
    return Change(change_id, "google_analytics", PROPERTY, "audience", "create", left, "a test", "tests")


def described(change_id: str, text: str) -> Change:
    """Another description of the audience that is there at first."""
    fields = {"description": text}
    return Change(change_id, "google_analytics", PROPERTY, "audience", "update", fields, "a test", "tests", target="1")


def event(change_id: str, **fields: object) -> Change:
    """An event of a customer; a field of None is left out."""
    written = {"name": "purchase", "customer_id": "ann", "params": {"transaction_id": change_id}} | fields
    left = {name: value for name, value in written.items() if value is not None}
    return Change(change_id, "google_analytics", PROPERTY, "event", "send", left, "a test", "tests")


FAKE = Fake(
    name="google_analytics",
    state=GoogleAnalyticsState,
    serve=_serve,
    environment=_environment,
    creations=lambda count: [audience(f"audience-{number}") for number in range(count)],
    update=lambda change_id, value: described(change_id, f"description {value}"),
    refusal=(audience("audience-wrong", days=1000), "days"),
    throttled=ScriptedFault(
        f"POST /v1alpha/properties/{PROPERTY}/audiences",
        status=403,
        body={
            "error": {
                "code": 403,
                "message": "Quota exceeded for quota metric 'Writes' and limit 'Writes per minute per project'",
                "status": "PERMISSION_DENIED",
            }
        },
    ),
    waits_s=60.0,
    expired=ScriptedFault(
        "*/properties/*",
        status=401,
        body={"error": {"code": 401, "message": "Request had invalid credentials.", "status": "UNAUTHENTICATED"}},
    ),
)
