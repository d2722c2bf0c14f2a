"""Mailgun's API v3: sends, test mode, suppressions, paged events and signed webhooks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import Script, ScriptedFault
from tests.fakes.mailgun.app import app
from tests.fakes.mailgun.state import DOMAIN, KEY, MailgunState
from tests.fakes.mailgun.webhooks import SIGNING_KEY
from tests.fakes.rest import Scripted, serve


@contextmanager
def _serve(state: MailgunState, script: Script) -> Iterator[str]:
    with serve(Scripted(app(state), script)) as url:
        yield url


def _environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_MAILGUN_DOMAIN": DOMAIN,
        "ADLOOP_MAILGUN_API_KEY": KEY,
        "ADLOOP_MAILGUN_SENDER": f"news@{DOMAIN}",
        "ADLOOP_MAILGUN_WEBHOOK_KEY": SIGNING_KEY,
        "ADLOOP_MAILGUN_URL": url,
    }


def email(change_id: str, to: str, **fields: object) -> Change:
    """An e-mail of the campaign `spring`; a field of None is left out."""
    written = {"to": to, "subject": "Spring is here", "body": "<p>Hello</p>", "customer_id": change_id} | fields
    left = {name: value for name, value in written.items() if value is not None}
    return Change(change_id, "mailgun", DOMAIN, "email", "send", left, "a test", "tests", campaign="spring")


FAKE = Fake(
    name="mailgun",
    state=MailgunState,
    serve=_serve,
    environment=_environment,
    creations=lambda count: [email(f"mail-{number}", f"person{number}@example.org") for number in range(count)],
    update=lambda change_id, value: None,
    refusal=(email("mail-wrong", "nobody"), "to"),
    throttled=ScriptedFault(
        f"POST /v3/{DOMAIN}/messages",
        status=429,
        headers={"Retry-After": "21"},
        body={"message": "Too many requests"},
    ),
    waits_s=21.0,
    expired=ScriptedFault(status=401, body="Forbidden", headers={"content-type": "text/plain"}),
)
