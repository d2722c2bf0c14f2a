"""Webhooks on a real server: signatures, replays, events that come again, and what is read of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from features.settings import Settings
from features.tables import SPECS
from serving.integrations import catalog
from serving.integrations.webhooks.app import make_app
from serving.integrations.webhooks.store import FILE, EventStore
from tests.fakes import mailgun, sendgrid
from tests.fakes.fake import Fake, running
from tests.fakes.mailgun import webhooks as of_mailgun
from tests.fakes.rest import serve
from tests.fakes.sendgrid import webhooks as of_sendgrid
from tests.toyland import local

#: 30 November 2026, 09:00 UTC.
AT = datetime(2026, 11, 30, 9, tzinfo=UTC).timestamp()
SIGNED = {"sendgrid": of_sendgrid, "mailgun": of_mailgun}


@dataclass
class Receiver:
    """A server of webhooks, and its home."""

    url: str
    store: EventStore
    home: Path

    def post(self, platform: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        return local.post(f"{self.url}/v1/webhooks/{platform}", headers=headers, content=body)


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for fake in (sendgrid.FAKE, mailgun.FAKE):
        for name, value in fake.environment("http://127.0.0.1:9").items():
            if not name.endswith("API_KEY"):  # the server must not need them
                monkeypatch.setenv(name, value)
    with serve(make_app(Settings(home=tmp_path))) as url:
        yield Receiver(url, EventStore(tmp_path / FILE), tmp_path)


def happened(platform: str, kind: str, number: int = 0, machine: bool = False, after_s: float = 0.0) -> Any:
    """An event of the e-mail `number`, as the platform words it, in what it signs: SendGrid a batch, Mailgun one."""
    about = {"adloop": "m1", "adloop_customer": f"c{number}", "adloop_campaign": "spring"}
    event_id = f"{kind}-{number}-{after_s:g}"
    if platform == "sendgrid":
        told = {"event": kind, "sg_event_id": event_id, "sg_message_id": f"id{number}.filter-0", **about}
        return [{**told, "timestamp": int(AT + after_s), "sg_machine_open": machine}]
    message = {"headers": {"message-id": f"id{number}@mg.example.com"}}
    client = {"client-info": {"bot": "apple" if machine else ""}}
    return {
        **{"event": kind, "id": event_id, "timestamp": AT + after_s, "message": message},
        **{"user-variables": about, **client},
    }


@pytest.mark.parametrize("platform", SIGNED)
def test_a_wrong_signature_is_refused(receiver: Receiver, platform: str) -> None:
    headers, body = SIGNED[platform].signed(happened(platform, "delivered"))
    changed = (
        body.replace(b"spring", b"summer") if platform == "sendgrid" else body.replace(b'"token": "', b'"token": "0')
    )
    assert receiver.post(platform, headers, changed).status_code == 401
    assert receiver.post(platform, {}, b"[]").status_code == 401
    assert receiver.post(platform, headers | {"x-twilio-email-event-webhook-signature": "?"}, b"{}").status_code == 401
    assert not receiver.store.path.exists(), "nothing was kept"
    assert receiver.post(platform, headers, body).json() == {"events": 1, "new": 1}


def test_a_signature_of_another_key_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, body = of_mailgun.signed(happened("mailgun", "delivered"))
    monkeypatch.setenv("ADLOOP_MAILGUN_WEBHOOK_KEY", "another")
    assert receiver.post("mailgun", headers, body).status_code == 401


def test_a_replayed_token_is_refused(receiver: Receiver) -> None:
    headers, body = of_mailgun.signed(happened("mailgun", "delivered"))
    assert [receiver.post("mailgun", headers, body).status_code for _ in range(2)] == [200, 406]
    old = of_mailgun.signed(happened("mailgun", "clicked"), at=AT - 400 * 86_400)
    assert receiver.post("mailgun", *old).status_code == 401


def test_an_event_that_comes_again_counts_once(receiver: Receiver) -> None:
    events = happened("sendgrid", "delivered") + happened("sendgrid", "click", after_s=60)
    assert receiver.post("sendgrid", *of_sendgrid.signed(events)).json() == {"events": 2, "new": 2}
    more = events + happened("sendgrid", "delivered", number=1)
    assert receiver.post("sendgrid", *of_sendgrid.signed(more)).json() == {"events": 3, "new": 1}


def test_without_a_key_webhooks_wait(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, body = of_sendgrid.signed(happened("sendgrid", "delivered"))
    for missing in ("", "no key"):
        monkeypatch.setenv("ADLOOP_SENDGRID_WEBHOOK_KEY", missing)
        assert receiver.post("sendgrid", headers, body).status_code == 503
    monkeypatch.setenv("ADLOOP_MAILGUN_WEBHOOK_KEY", "")  # anybody could sign with nothing
    assert receiver.post("mailgun", *of_mailgun.signed(happened("mailgun", "delivered"))).status_code == 503


def test_what_is_no_webhook_is_refused(receiver: Receiver) -> None:
    assert receiver.post("fax", {}, b"").status_code == 404
    assert receiver.post("sendgrid", *of_sendgrid.signed([{"event": "delivered"}])).status_code == 400
    assert receiver.post("sendgrid", {}, b"x" * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("fake", "signed", "click", "opened"),
    [(sendgrid.FAKE, of_sendgrid, "click", "open"), (mailgun.FAKE, of_mailgun, "clicked", "opened")],
)
def test_outcomes_are_read_as_touches_and_machines_are_no_people(
    receiver: Receiver, fake: Fake, signed: ModuleType, click: str, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = fake.name
    told = [happened(name, "delivered", number) for number in range(3)]
    told += [happened(name, opened, number, machine=number < 2, after_s=5) for number in range(3)]
    told += [happened(name, click, 1, after_s=3600), happened(name, click, 1, after_s=7200)]
    for one in told:
        assert receiver.post(name, *signed.signed(one)).status_code == 200
    with running(fake) as found:
        found.connect(monkeypatch.setenv)
        monkeypatch.setenv("ADLOOP_HOME", str(receiver.home))
        account = catalog.platform(name)
        touches = account.read(datetime.fromtimestamp(AT, UTC).date())["touches"]
        account.close()
    assert set(touches.column_names) <= set(SPECS["touches"])
    moment = datetime(2026, 11, 30, 9)
    assert touches.sort_by("customer_id").to_pylist() == [
        {
            **{"customer_id": f"c{number}", "occurred_at": moment, "campaign_id": "spring", "channel": "email"},
            "responded_at": moment.replace(hour=10) if number == 1 else None,
        }
        for number in range(3)
    ]
    [opens] = receiver.store.opens()
    assert (opens.campaign_id, opens.people, opens.machines) == ("spring", 1, 2)
    assert opens.machine_share == pytest.approx(2 / 3)


def test_a_bounce_of_mailgun_is_permanent(receiver: Receiver) -> None:
    for number, severity in enumerate(("permanent", "temporary")):
        event = happened("mailgun", "failed", number) | {"severity": severity}
        assert receiver.post("mailgun", *of_mailgun.signed(event)).status_code == 200
    kinds = receiver.store._rows("SELECT kind FROM events ORDER BY event_id")
    assert kinds == [("bounced",), ("deferred",)]


def test_the_shapes_of_signatures_are_those_of_the_platforms() -> None:
    headers, body = of_sendgrid.signed([])
    assert headers["x-twilio-email-event-webhook-timestamp"].isdigit() and body == b"[]"
    assert set(json.loads(of_mailgun.signed({})[1])) == {"signature", "event-data"}
