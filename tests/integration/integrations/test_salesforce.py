"""What is special of Salesforce, against the fake that speaks its protocol, and its own client beside ours."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest
from simple_salesforce import Salesforce

from serving.integrations.apply import apply
from serving.integrations.credentials import NotConnected
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Denied, LoginExpired, Throttled, VersionRetired
from serving.integrations.salesforce.account import SalesforceAccount, connected
from tests.fakes import salesforce
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.salesforce import app
from tests.fakes.salesforce.state import CONTACT, CONVERTED, LEAD, OWNER, SalesforceState


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(salesforce.FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def state(fake: Running) -> SalesforceState:
    assert isinstance(fake.state, SalesforceState)
    return fake.state


@pytest.fixture
def account(fake: Running) -> Iterator[SalesforceAccount]:
    opened = connected()
    yield opened
    opened.close()


@pytest.fixture
def theirs(fake: Running) -> Salesforce:
    """The vendor's client, pointed at the fake."""
    opened = Salesforce(session_id=app.TOKEN, instance="example.my.salesforce.com")
    opened.base_url = f"{fake.url}/services/data/v59.0/"
    return opened


def test_the_same_lead_scored_twice_is_one_record_with_one_note(
    account: SalesforceAccount, ledger: WriteLedger, theirs: Salesforce
) -> None:
    change = salesforce.change("s1", customer_id="o'neil \\ co", score=71.5, reason="asked for prices")
    ledger.intend([change], 0.0)
    apply(account, ledger, clock=QuickClock())
    account.send([change])  # as after an answer that was lost
    [lead] = theirs.query_all("SELECT Id, LastName, Company, adloop_score__c FROM Lead WHERE adloop_score__c != null")[
        "records"
    ][1:]
    notes = theirs.query("SELECT WhoId, Subject, Description FROM Task")["records"]
    assert (lead["LastName"], lead["adloop_score__c"]) == ("[not provided]", 71.5)
    assert [(one["WhoId"], one["Subject"], one["Description"]) for one in notes] == [
        (lead["Id"], "adloop: score 71.5", "asked for prices")
    ]


def test_two_scores_of_one_customer_leave_one_record_and_a_note_each(
    account: SalesforceAccount, ledger: WriteLedger, theirs: Salesforce
) -> None:
    changes = [salesforce.change(f"s{n}", customer_id="twice", score=float(n), reason=f"reason {n}") for n in (1, 2)]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    leads = theirs.query("SELECT Id, adloop_score__c FROM Lead WHERE adloop_id__c = 'twice'")["records"]
    assert [one["adloop_score__c"] for one in leads] == [2.0], "the later one counts"
    assert theirs.query("SELECT Id FROM Task WHERE Status = 'Completed'")["totalSize"] == 2
    assert "s2" in applied.confirmed


def test_owners_and_what_no_change_names_stay(
    account: SalesforceAccount, ledger: WriteLedger, theirs: Salesforce, state: SalesforceState
) -> None:
    before = dict(state.kept["Lead"][LEAD])
    ledger.intend([salesforce.change("s1", customer_id="known", score=9.0, reason="came back")], 0.0)
    apply(account, ledger, clock=QuickClock())
    shown = theirs.restful(f"sobjects/Lead/{LEAD}")
    changed = {name for name, value in before.items() if shown[name] != value}
    assert changed == {"adloop_score__c", "adloop_reason__c", "SystemModstamp", "LastModifiedDate"}
    assert shown["OwnerId"] == OWNER


def test_a_converted_lead_has_its_contact_scored_and_that_is_told(
    account: SalesforceAccount, ledger: WriteLedger, theirs: Salesforce, state: SalesforceState
) -> None:
    ledger.intend([salesforce.change("s1", customer_id="converted", score=88.0, reason="renewed")], 0.0)
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["s1"]
    contact = theirs.restful(f"sobjects/Contact/{CONTACT}")
    assert (contact["adloop_score__c"], contact["OwnerId"]) == (88.0, OWNER)
    told = f"lead {CONVERTED} was converted: contact {CONTACT} was updated"
    assert told in [line.detail for line in ledger.timeline()]
    [note] = theirs.query("SELECT WhoId, Description FROM Task")["records"]
    assert (note["WhoId"], note["Description"]) == (CONTACT, f"renewed\n{told}")
    assert state.kept["Lead"][CONVERTED]["adloop_score__c"] is None


def test_a_lead_that_is_converted_before_its_update_has_the_contact_updated(
    account: SalesforceAccount, ledger: WriteLedger, state: SalesforceState
) -> None:
    state.put("Lead", LEAD, {"IsConverted": True, "ConvertedContactId": CONTACT})
    ledger.intend([salesforce.update("up", 1)], 0.0)
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["up"]
    assert ledger.entry("up").object_id == CONTACT
    assert state.kept["Contact"][CONTACT]["adloop_score__c"] == 21.0


def test_a_batch_of_mixed_success_keeps_each_answer(
    fake: Running, account: SalesforceAccount, ledger: WriteLedger, state: SalesforceState
) -> None:
    state.locked.add(LEAD)
    changes = [
        *salesforce.creations(205),
        salesforce.change("locked", customer_id="known", score=1.0, reason="r"),
        salesforce.change("long", customer_id="long", score=1.0, reason="r" * 256, email="e" * 81),
    ]
    ledger.intend(changes, 0.0)
    clock = QuickClock()
    applied = apply(account, ledger, clock=clock)
    assert (len(applied.confirmed), list(applied.refused)) == (206, ["long"])
    assert applied.refused["long"].field == "reason"
    assert clock.slept == [5.0], "the lock is waited for"
    sent = [call for call in fake.script.calls if call.call == salesforce.SCORES]
    assert len(sent) == 3, "200, the rest, and the locked one"


def test_an_edit_between_reading_and_writing_is_not_overwritten(
    fake: Running, account: SalesforceAccount, ledger: WriteLedger, state: SalesforceState
) -> None:
    ledger.intend([salesforce.update("up", 1)], 0.0)
    apply(account, ledger, clock=QuickClock())
    ledger.intend([salesforce.update("later", 2)], 0.0)
    read = account.objects

    def edited_after(*said: object) -> object:
        found = read(*said)  # type: ignore[arg-type]
        account.objects = read  # type: ignore[method-assign]
        state.edit("lead", LEAD, {"score": 99.0}, "bob@example.org")
        return found

    account.objects = edited_after  # type: ignore[method-assign,assignment]
    applied = apply(account, ledger, clock=QuickClock())
    assert list(applied.held) == ["later"]
    assert applied.held["later"].startswith("bob@example.org changed score")
    assert state.kept["Lead"][LEAD]["adloop_score__c"] == 99.0


def test_calls_of_the_day_are_left_to_others(account: SalesforceAccount, state: SalesforceState) -> None:
    state.most_calls = 20
    with pytest.raises(Throttled) as told:
        for _ in range(25):
            account.objects("lead", [LEAD])
    assert state.calls == 19, "of 20, 95% are used"
    assert told.value.wait_s == pytest.approx(3600, abs=5)


@pytest.mark.parametrize(
    ("status", "error", "kind", "wait_s"),
    [
        (403, {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}, Throttled, 3600),
        (403, {"message": "ConcurrentPerOrgLongTxn", "errorCode": "REQUEST_LIMIT_EXCEEDED"}, Throttled, 60),
        (400, {"message": "unable to obtain exclusive access", "errorCode": "UNABLE_TO_LOCK_ROW"}, Throttled, 5),
        (403, {"message": "no", "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY"}, Denied, None),
    ],
)
def test_each_error_as_salesforce_means_it(
    fake: Running, account: SalesforceAccount, status: int, error: object, kind: type[Exception], wait_s: float | None
) -> None:
    fake.script.add(ScriptedFault(status=status, body=[error]))
    with pytest.raises(kind) as told:
        account.objects("lead")
    assert wait_s is None or told.value.wait_s == wait_s  # type: ignore[attr-defined]


def test_an_app_fetches_a_new_token_when_one_ends(
    fake: Running, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ADLOOP_SALESFORCE_ACCESS_TOKEN")
    with pytest.raises(NotConnected, match="ADLOOP_SALESFORCE_CLIENT_SECRET"):
        connected()
    monkeypatch.setenv("ADLOOP_SALESFORCE_CLIENT_ID", "app")
    monkeypatch.setenv("ADLOOP_SALESFORCE_CLIENT_SECRET", "s3cr3t-of-another")
    with pytest.raises(LoginExpired, match="invalid client credentials; set ADLOOP_SALESFORCE_CLIENT_ID") as told:
        connected().connect()
    assert "s3cr3t" not in str(told.value)
    monkeypatch.setenv("ADLOOP_SALESFORCE_CLIENT_SECRET", app.SECRET)
    changes = salesforce.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(replace(salesforce.FAKE.expired, call=salesforce.SCORES))
    assert len(apply(connected(), ledger, clock=QuickClock()).confirmed) == 2
    assert sorted(fake.state.markers()) == sorted(one.marker for one in changes)


def test_a_retired_version_and_another_organization_are_told(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_SALESFORCE_VERSION", "21.0")
    with pytest.raises(VersionRetired, match="ADLOOP_SALESFORCE_VERSION"):
        connected().connect()
    monkeypatch.setenv("ADLOOP_SALESFORCE_VERSION", "59.0")
    monkeypatch.setenv("ADLOOP_SALESFORCE_ACCOUNT", "00D000000000009AAA")
    with pytest.raises(Denied, match="ADLOOP_SALESFORCE_ACCOUNT"):
        connected().send(salesforce.creations(1))


def test_lists_are_filled_once_and_emptied(account: SalesforceAccount, ledger: WriteLedger, theirs: Salesforce) -> None:
    changes = [
        salesforce.change("list", "list", name="Likely to leave"),
        salesforce.change("in", "list_member", parent="change:list", customer_id="known"),
        salesforce.change("in-2", "list_member", parent="change:list", customer_id="converted"),
        salesforce.change("nobody", "list_member", parent="change:list", customer_id="nobody"),
    ]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert (set(applied.confirmed), applied.refused["nobody"].field) == ({"list", "in", "in-2"}, "customer_id")
    again = account.send([salesforce.change("x", "list_member", parent=ledger.object_of("list"), customer_id="known")])
    assert [one.object_id for one in again] == [ledger.object_of("in")], "a member already"
    ledger.intend(
        [salesforce.change("out", "list_member", doing="update", target=ledger.object_of("in"), status="removed")],
        0.0,
    )
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["out"]
    members = theirs.query("SELECT ContactId FROM CampaignMember WHERE LeadOrContactId != null")["records"]
    assert [one["ContactId"] for one in members] == [CONTACT]


def test_won_opportunities_of_a_day_are_read_page_by_page(account: SalesforceAccount, state: SalesforceState) -> None:
    state.page = 2
    state.kept["Contact"][CONTACT]["adloop_id__c"] = "c7"
    for number in range(5):
        state.win(f"00600000000000{number}AAA", "2020-10-05", 100.0 + number, CONTACT if number == 0 else "")
    state.win("006000000000009AAA", "2020-10-06", 1.0)
    state.win("006000000000008AAA", "2020-10-05", None)
    tables = account.read(date(2020, 10, 5))
    rows = tables["transactions"].to_pylist()
    assert [one["amount"] for one in rows] == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert [one["customer_id"] for one in rows[:2]] == ["c7", "salesforce:001000000000001AAA"]
    assert rows[0]["occurred_at"] == datetime(2020, 10, 5)
    assert sorted(tables["customers"].column("customer_id").to_pylist()) == ["c7", "salesforce:001000000000001AAA"]


@pytest.mark.parametrize("body", ["<html>", "[]", "null"])
def test_an_answer_that_is_not_the_platforms_own_is_none(
    fake: Running, account: SalesforceAccount, ledger: WriteLedger, body: str
) -> None:
    changes = salesforce.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault(salesforce.SCORES, status=200, body=body))
    assert len(apply(account, ledger, clock=QuickClock()).confirmed) == 2
    assert sorted(fake.state.markers()) == sorted(one.marker for one in changes)
