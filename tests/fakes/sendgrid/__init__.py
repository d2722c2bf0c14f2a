"""SendGrid's Web API v3: sends, sandbox, suppressions, the Email Activity Feed, statistics and signed events."""

import time
from collections import UserDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from serving.integrations.change import Change
from tests.fakes.fake import Fake
from tests.fakes.faults import Script, ScriptedFault
from tests.fakes.rest import Scripted, serve
from tests.fakes.sendgrid.app import app
from tests.fakes.sendgrid.state import ACCOUNT, KEY, SENDER, SendGridState
from tests.fakes.sendgrid.webhooks import PUBLIC_KEY

WAITS_S = 17.0


class InSeconds(UserDict[str, str]):
    """Headers of a throttled answer: the second to wait for, counted from when it is given."""

    def __getitem__(self, name: str) -> str:
        return str(int(time.time() + WAITS_S)) if name == "X-RateLimit-Reset" else super().__getitem__(name)


@contextmanager
def _serve(state: SendGridState, script: Script) -> Iterator[str]:
    with serve(Scripted(app(state), script)) as url:
        yield url


def _environment(url: str) -> Mapping[str, str]:
    return {
        "ADLOOP_SENDGRID_ACCOUNT": ACCOUNT,
        "ADLOOP_SENDGRID_API_KEY": KEY,
        "ADLOOP_SENDGRID_SENDER": SENDER,
        "ADLOOP_SENDGRID_WEBHOOK_KEY": PUBLIC_KEY,
        "ADLOOP_SENDGRID_URL": url,
    }


def email(change_id: str, to: str, **fields: object) -> Change:
    """An e-mail of the campaign `spring`; a field of None is left out."""
    written = {"to": to, "subject": "Spring is here", "body": "<p>Hello</p>", "customer_id": change_id} | fields
    left = {name: value for name, value in written.items() if value is not None}
    return Change(change_id, "sendgrid", ACCOUNT, "email", "send", left, "a test", "tests", campaign="spring")


FAKE = Fake(
    name="sendgrid",
    state=SendGridState,
    serve=_serve,
    environment=_environment,
    creations=lambda count: [email(f"mail-{number}", f"person{number}@example.org") for number in range(count)],
    update=lambda change_id, value: None,
    refusal=(email("mail-wrong", "person@example.org", subject=None), "subject"),
    throttled=ScriptedFault(
        "POST /v3/mail/send",
        status=429,
        headers=InSeconds({"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": ""}),
        body={"errors": [{"field": None, "message": "too many requests"}]},
    ),
    waits_s=WAITS_S,
    expired=ScriptedFault(
        status=401,
        body={
            "errors": [
                {
                    "message": "The provided authorization grant is invalid, expired, or revoked",
                    "field": None,
                    "help": None,
                }
            ]
        },
    ),
)
