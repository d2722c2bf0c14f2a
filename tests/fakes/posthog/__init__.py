"""PostHog: captured events, HogQL and funnel queries, feature flags with their activity, and evaluated flags."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import Script, ScriptedFault
from tests.fakes.posthog.app import app
from tests.fakes.posthog.state import PERSONAL_KEY, PROJECT, PROJECT_KEY, PosthogState
from tests.fakes.rest import Scripted, serve

_AT = "2026-11-30T08:00:00+00:00"


@contextmanager
def _serve(state: PosthogState, script: Script) -> Iterator[str]:
    with serve(Scripted(app(state), script)) as url:
        yield url


def _environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_POSTHOG_PROJECT": PROJECT,
        "ADLOOP_POSTHOG_PROJECT_KEY": PROJECT_KEY,
        "ADLOOP_POSTHOG_PERSONAL_KEY": PERSONAL_KEY,
        "ADLOOP_POSTHOG_URL": url,
        "ADLOOP_POSTHOG_INTERACTIONS": '{"user logged in": "login"}',
    }


def event(change_id: str, **fields: object) -> Change:
    """An event of a customer; a field of None is left out."""
    written = {"name": "offer shown", "customer_id": f"customer {change_id}", "occurred_at": _AT} | fields
    left = {name: value for name, value in written.items() if value is not None}
    return Change(change_id, "posthog", PROJECT, "event", "send", left, "a test", "tests")


def rollout(change_id: str, **fields: object) -> Change:
    """A new flag."""
    return Change(change_id, "posthog", PROJECT, "rollout", "create", fields, "a test", "tests")


def share(change_id: str, percentage: float, flag: str = "1") -> Change:
    """Another share of a flag that is there."""
    fields = {"percentage": percentage}
    return Change(change_id, "posthog", PROJECT, "rollout", "update", fields, "a test", "tests", target=flag)


FAKE = Fake(
    name="posthog",
    state=PosthogState,
    serve=_serve,
    environment=_environment,
    creations=lambda count: [event(f"event-{number}") for number in range(count)],
    update=lambda change_id, value: share(change_id, 10.0 + value),
    refusal=(event("event-wrong", customer_id=None), "customer_id"),
    throttled=ScriptedFault(
        "POST /batch/",
        status=429,
        headers={"Retry-After": "13"},
        body={"type": "throttled_error", "code": "throttled", "detail": "Request was throttled.", "attr": None},
    ),
    waits_s=13.0,
    expired=ScriptedFault(
        status=401,
        body={"type": "authentication_error", "code": "not_authenticated", "detail": "Invalid key.", "attr": None},
    ),
)
