"""Mailgun: suppression, test mode, paged events without machines, and its own client reading what we wrote."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from mailgun.client import Client

from serving.integrations.apply import apply, dry_run
from serving.integrations.change import Change
from serving.integrations.ledger import WriteLedger
from serving.integrations.mailgun.account import MailgunAccount, connected
from serving.integrations.platform import Denied, Unanswered
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.mailgun import FAKE, email
from tests.fakes.mailgun.state import DOMAIN, KEY, MailgunState

DAY = date(2026, 10, 1)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> Iterator[MailgunAccount]:
    opened = connected()
    yield opened
    opened.close()


def state(fake: Running) -> MailgunState:
    assert isinstance(fake.state, MailgunState)
    return fake.state


def sent_to(fake: Running) -> list[str]:
    return [one["recipient"] for one in state(fake).events if one["event"] == "accepted"]


@pytest.mark.parametrize(
    ("held", "why"),
    [("unsubscribes", "unsubscribed"), ("bounces", "bounced"), ("complaints", "reported an e-mail as spam")],
)
def test_a_suppressed_address_is_in_no_send(
    fake: Running, account: MailgunAccount, ledger: WriteLedger, held: str, why: str
) -> None:
    with Client(("api", KEY), api_url=fake.url) as client:
        getattr(client, held).create(data={"address": "Gone@example.org"}, domain=DOMAIN)
    ledger.intend([email("gone", "gone@example.org"), email("there", "there@example.org")], 0.0)
    applied = apply(account, ledger)
    assert applied.confirmed == ["there"]
    fault = applied.refused["gone"]
    assert (fault.field, fault.message) == ("to", f"{why}: is never sent to")
    assert sent_to(fake) == ["there@example.org"]


def test_a_dry_run_is_in_test_mode(fake: Running, account: MailgunAccount, ledger: WriteLedger) -> None:
    ledger.intend([email("there", "there@example.org")], 0.0)
    [outcome] = dry_run(account, ledger)
    assert outcome.fault is None
    assert sent_to(fake) == []


def test_the_vendors_client_reads_what_was_sent(fake: Running, account: MailgunAccount, ledger: WriteLedger) -> None:
    change = email("mail", "ann@example.org")
    ledger.intend([change], 0.0)
    apply(account, ledger)
    place = ledger.entry("mail").object_id
    assert place == f"{change.marker}@{DOMAIN}"
    with Client(("api", KEY), api_url=fake.url) as client:
        asked = {"begin": 0, "ascending": "yes", "event": "accepted", "message-id": place}
        [found] = client.events.get(domain=DOMAIN, filters=asked).json()["items"]
    assert (found["recipient"], found["message"]["headers"]["subject"]) == ("ann@example.org", "Spring is here")
    assert found["user-variables"]["adloop"] == change.marker


def test_events_of_all_pages_are_counted_without_machines(fake: Running, account: MailgunAccount) -> None:
    at = datetime.combine(DAY, datetime.min.time(), UTC).timestamp() + 3600
    for number in range(350):
        form = {"to": f"p{number}@example.org", "v:adloop_campaign": "spring"}
        state(fake).happen("delivered", f"{number}@{DOMAIN}", form, at)
        if number < 40:
            state(fake).happen("clicked", f"{number}@{DOMAIN}", form, at + 60, bot="generic" if number < 30 else "")
            state(fake).happen("clicked", f"{number}@{DOMAIN}", form, at + 90, bot="generic" if number < 30 else "")
    read = account.read(DAY)
    assert read["impressions"].select(["campaign_id", "impressions", "clicks"]).to_pylist() == [
        {"campaign_id": "spring", "impressions": 350.0, "clicks": 10.0}
    ]
    assert len(fake.script.calls) == 3, "two pages, and the empty one that ends them"
    assert account.read(date(2026, 10, 2)) == {}


def test_a_lost_call_is_sent_once(fake: Running, account: MailgunAccount) -> None:
    fake.script.add(ScriptedFault(FAKE.throttled.call, times=9, status=503, body={"message": "away"}))
    with pytest.raises(Unanswered):
        account.send([email("mail", "ann@example.org")])
    assert sum(call.call == FAKE.throttled.call for call in fake.script.calls) == 1, "the client's retries are off"


def test_an_unknown_domain_is_no_empty_list(
    fake: Running, account: MailgunAccount, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.script.add(
        ScriptedFault(f"GET /v3/{DOMAIN}/unsubscribes/*", status=404, body={"message": f"Domain not found: {DOMAIN}"})
    )
    with pytest.raises(Denied, match="ADLOOP_MAILGUN_DOMAIN"):
        account.send([email("mail", "ann@example.org")])
    assert sent_to(fake) == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"to": "nobody"}, "to"),
        ({"body": None}, "body"),
        ({"send_at": "tomorrow"}, "send_at"),
        ({"send_at": "2099-01-01T08:00:00"}, "send_at"),
    ],
)
def test_what_is_wrong_with_a_mail_is_told_by_field(
    fake: Running, account: MailgunAccount, fields: dict[str, object], wrong: str
) -> None:
    change: Change = email("mail", **{"to": "ann@example.org"} | fields)  # type: ignore[arg-type]
    [outcome] = account.send([change])
    assert outcome.fault is not None and outcome.fault.field == wrong
