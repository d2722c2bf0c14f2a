"""SendGrid: suppression, the sandbox, the activity feed, and its own client reading what we wrote."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sendgrid import SendGridAPIClient

from serving.integrations.apply import apply, dry_run
from serving.integrations.change import Change
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Denied, Throttled
from serving.integrations.sendgrid.account import SendGridAccount, connected
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.sendgrid import FAKE, email
from tests.fakes.sendgrid.state import KEY, SendGridState


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> SendGridAccount:
    return connected()


def sent_to(fake: Running) -> list[str]:
    assert isinstance(fake.state, SendGridState)
    return [one.to for one in fake.state.messages.values()]


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ("unsubscribes", "unsubscribed from all e-mails"),
        ("bounces", "bounced"),
        ("spam_reports", "reported an e-mail as spam"),
        ("invalid_emails", "is no valid address"),
    ],
)
def test_a_suppressed_address_is_in_no_send(
    fake: Running, account: SendGridAccount, ledger: WriteLedger, held: str, why: str
) -> None:
    fake.state.edit("suppression", "Gone@example.org", {"list": held}, "a person")
    ledger.intend([email("gone", "gone@example.org"), email("there", "there@example.org")], 0.0)
    applied = apply(account, ledger)
    assert applied.confirmed == ["there"]
    fault = applied.refused["gone"]
    assert (fault.field, fault.message) == ("to", f"{why}: is never sent to")
    assert sent_to(fake) == ["there@example.org"]


def test_who_left_a_group_gets_no_mail_of_it_and_none_without_a_group(
    fake: Running, account: SendGridAccount, ledger: WriteLedger
) -> None:
    client = SendGridAPIClient(KEY, host=fake.url).client
    client.asm.groups._("101").suppressions.post(request_body={"recipient_emails": ["ann@example.org"]})
    mails = {"newsletter": 101, "offers": 102, "none": None}
    ledger.intend([email(name, "ann@example.org", group=group) for name, group in mails.items()], 0.0)
    applied = apply(account, ledger)
    assert applied.confirmed == ["offers"]
    assert "Newsletter" in applied.refused["newsletter"].message and "Newsletter" in applied.refused["none"].message


def test_a_dry_run_is_the_sandbox_and_tells_of_suppressed_addresses(
    fake: Running, account: SendGridAccount, ledger: WriteLedger
) -> None:
    fake.state.edit("suppression", "gone@example.org", {"list": "bounces"}, "a person")
    ledger.intend([email("gone", "gone@example.org"), email("there", "there@example.org")], 0.0)
    gone, there = dry_run(account, ledger)
    assert gone.fault is not None and gone.fault.code == "suppressed"
    assert there.fault is None
    sends = [call.status for call in fake.script.calls if call.call == "POST /v3/mail/send"]
    assert (sends, sent_to(fake)) == ([200], [])


def test_the_vendors_client_reads_what_was_sent(fake: Running, account: SendGridAccount, ledger: WriteLedger) -> None:
    change = email("mail", "ann@example.org")
    ledger.intend([change], 0.0)
    apply(account, ledger)
    client = SendGridAPIClient(KEY, host=fake.url).client
    query = f"(unique_args['adloop']=\"{change.marker}\")"
    [found] = client.messages.get(query_params={"query": query, "limit": 10}).to_dict["messages"]
    assert (found["to_email"], found["subject"]) == ("ann@example.org", "Spring is here")
    assert found["msg_id"].startswith(ledger.entry("mail").object_id)


def test_several_mails_to_one_address_are_told_apart(
    fake: Running, account: SendGridAccount, ledger: WriteLedger
) -> None:
    changes = [email(f"mail-{number}", "ann@example.org") for number in range(2)]
    ledger.intend(changes[:1], 0.0)
    apply(account, ledger)
    calls = len(fake.script.calls)
    assert account.find([*changes, email("other", "bob@example.org")]) == {"mail-0": ledger.entry("mail-0").object_id}
    assert len(fake.script.calls) == calls + 2, "one query, and one look at the mail of an address asked for twice"


def test_a_throttle_in_the_middle_keeps_what_was_sent(fake: Running, account: SendGridAccount) -> None:
    fake.script.add(replace(FAKE.throttled, after=1))
    first, second, third = account.send([email(f"mail-{number}", f"p{number}@example.org") for number in range(3)])
    assert first.object_id and first.wait_s is None
    assert second.wait_s == third.wait_s == pytest.approx(17, abs=2)
    assert sent_to(fake) == ["p0@example.org"]


def test_the_feed_counts_by_the_minute(fake: Running, account: SendGridAccount) -> None:
    fake.script.add(ScriptedFault("GET /v3/messages", status=429, body={"errors": [{"message": "too many"}]}))
    with pytest.raises(Throttled) as told:
        account.find([email("mail", "ann@example.org")])
    assert told.value.wait_s == 60


def test_a_missing_scope_is_named_and_nothing_is_sent(
    fake: Running, account: SendGridAccount, ledger: WriteLedger
) -> None:
    ledger.intend([email("mail", "ann@example.org")], 0.0)
    fake.script.add(ScriptedFault("GET /v3/messages", status=403, body={"errors": [{"message": "access forbidden"}]}))
    with pytest.raises(Denied, match="messages: access forbidden"):
        apply(account, ledger)
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
    fake: Running, account: SendGridAccount, fields: dict[str, object], wrong: str
) -> None:
    change: Change = email("mail", **{"to": "ann@example.org"} | fields)  # type: ignore[arg-type]
    [outcome] = account.send([change])
    assert outcome.fault is not None and outcome.fault.field == wrong
    assert sent_to(fake) == []


def test_sends_and_clicks_are_read_by_campaign(fake: Running, account: SendGridAccount) -> None:
    read = account.read(date(2026, 10, 1))
    assert read["impressions"].select(["campaign_id", "impressions", "clicks"]).to_pylist() == [
        {"campaign_id": "winter", "impressions": 400.0, "clicks": 24.0}
    ]
