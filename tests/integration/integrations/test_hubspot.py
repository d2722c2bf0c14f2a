"""What is special of HubSpot, against the fake that speaks its protocol, and its own client beside ours."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.objects.exceptions import ApiException

from serving.integrations.apply import apply
from serving.integrations.hubspot import errors
from serving.integrations.hubspot.account import HubSpotAccount, connected
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import CallRefused, Denied, Throttled, Unanswered
from serving.integrations.session import StillThrottled
from tests.fakes import hubspot
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.hubspot import app
from tests.fakes.hubspot.state import CONTACT, OWNER, HubSpotState


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(hubspot.FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def state(fake: Running) -> HubSpotState:
    assert isinstance(fake.state, HubSpotState)
    return fake.state


@pytest.fixture
def account(fake: Running) -> Iterator[HubSpotAccount]:
    opened = connected()
    yield opened
    opened.close()


@pytest.fixture
def theirs(fake: Running) -> HubSpot:
    """The vendor's client, pointed at the fake."""
    return HubSpot(access_token=app.TOKEN, host=fake.url)


def test_the_same_lead_scored_twice_is_one_record_with_one_note(
    account: HubSpotAccount, ledger: WriteLedger, theirs: HubSpot, state: HubSpotState
) -> None:
    change = hubspot.change("s1", customer_id="c 1 ü", score=71.5, reason="asked for prices")
    ledger.intend([change], 0.0)
    apply(account, ledger, clock=QuickClock())
    account.send([change])  # as after an answer that was lost
    found = theirs.crm.contacts.basic_api.get_by_id(
        "c 1 ü", id_property="adloop_id", properties=["adloop_score", "adloop_reason"]
    )
    assert (found.properties["adloop_score"], found.properties["adloop_reason"]) == ("71.5", "asked for prices")
    [note] = state.kept["notes"]
    assert theirs.crm.objects.basic_api.get_by_id("notes", note, properties=["hs_note_body"]).properties[
        "hs_note_body"
    ] == ("adloop: score 71.5. asked for prices")
    assert state.links["contacts", "notes"] == {found.id: [note]}
    assert len(state.kept["contacts"]) == 2, "this one and the one that was there"


def test_owners_and_what_no_change_names_stay(
    account: HubSpotAccount, ledger: WriteLedger, theirs: HubSpot, state: HubSpotState
) -> None:
    ledger.intend([hubspot.change("s1", customer_id="known", score=9.0, reason="came back")], 0.0)
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["s1"]
    found = theirs.crm.contacts.basic_api.get_by_id(CONTACT, properties=["hubspot_owner_id", "email", "adloop_score"])
    assert {name: found.properties[name] for name in ("hubspot_owner_id", "email", "adloop_score")} == {
        "hubspot_owner_id": OWNER,
        "email": "ada@example.org",
        "adloop_score": "9.0",
    }
    assert set(state.kept["contacts"][CONTACT]["history"]) == {
        *("adloop_id", "adloop_score", "adloop_reason", "hubspot_owner_id", "email", "hs_object_id")
    }


@pytest.mark.parametrize("traced", [True, False])
def test_a_mixed_batch_keeps_each_answer(
    fake: Running, account: HubSpotAccount, ledger: WriteLedger, state: HubSpotState, traced: bool
) -> None:
    state.traced = traced
    wrong = hubspot.change("wrong", customer_id="w", score=1.0, reason="r", email="nobody")
    taken = hubspot.change("taken", customer_id="t", score=1.0, reason="r", email="ada@example.org")
    ledger.intend([*hubspot.creations(101), wrong, taken], 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert (len(applied.confirmed), sorted(applied.refused)) == (101, ["taken", "wrong"])
    assert [call.status for call in fake.script.calls if call.call == hubspot.SCORES] == [200, 207]
    assert applied.refused["wrong"].field == "email"
    if traced:
        assert applied.refused["taken"].message == f"Contact already exists. Existing ID: {CONTACT}"


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait_s"),
    [
        (423, {}, {}, 2),
        (423, {"retry-after": "1"}, {"message": "locked"}, 2),
        (429, {}, {"policyName": "SECONDLY"}, 1),
        (429, {}, {"policyName": "TEN_SECONDLY_ROLLING"}, 10),
        (429, {}, {"policyName": "DAILY"}, 3600),
        (429, {"retry-after": "4"}, {"policyName": "DAILY"}, 4),
        (429, {}, "<html>", 10),
        (477, {"retry-after": "7200"}, {"message": "migrating"}, 7200),
        (477, {}, {}, 86_400),
    ],
)
def test_waits_as_told(
    fake: Running, account: HubSpotAccount, status: int, headers: dict[str, str], body: Any, wait_s: float
) -> None:
    fake.script.add(ScriptedFault(hubspot.SCORES, status=status, headers=headers, body=body))
    with pytest.raises(Throttled) as told:
        account.send(hubspot.creations(1))
    assert told.value.wait_s == wait_s
    assert len([call for call in fake.script.calls if call.call == hubspot.SCORES]) == 1, "the client repeats nothing"


def test_a_lock_is_waited_for_and_a_migration_keeps_all(
    fake: Running, account: HubSpotAccount, ledger: WriteLedger
) -> None:
    ledger.intend(hubspot.creations(2), 0.0)
    clock = QuickClock()
    fake.script.add(ScriptedFault(hubspot.SCORES, status=477, headers={"retry-after": "40000"}))
    with pytest.raises(StillThrottled, match="40000 s"):
        apply(account, ledger, clock=clock)
    calls = len(fake.script.calls)
    with pytest.raises(StillThrottled):
        apply(account, ledger, clock=clock)
    assert len(fake.script.calls) == calls
    clock.now += 40_001
    fake.script.add(ScriptedFault(hubspot.SCORES, status=423))
    assert len(apply(account, ledger, clock=clock).confirmed) == 2
    assert clock.slept == [2.0]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 521, 524])
def test_server_errors_may_have_been_done(
    fake: Running, account: HubSpotAccount, ledger: WriteLedger, status: int
) -> None:
    fake.script.add(ScriptedFault(hubspot.SCORES, status=status, body="<html>"))
    with pytest.raises(Unanswered, match=str(status)):
        account.send(hubspot.creations(1))


def test_every_field_of_an_error_may_be_missing() -> None:
    bodies: list[Any] = [None, "", "no JSON", "[]", "{}", json.dumps({"errors": [{}]}), json.dumps({"context": None})]
    for body in bodies:
        refused = ApiException(status=400, reason="Bad Request")
        refused.body = body
        assert isinstance(errors.raised(refused, "v3", {}), CallRefused)
    refused = ApiException(status=403, reason="Forbidden")
    scopes = {"errors": [{"context": {"requiredGranularScopes": ["crm.lists.write"]}}]}
    refused.body = json.dumps({"message": "missing scopes", **scopes})
    assert "crm.lists.write" in str(errors.raised(refused, "v3", {}))


def test_paths_by_date_and_another_account(fake: Running, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_HUBSPOT_VERSION", "2026-03")
    dated = connected()
    assert not dated.connect().missing
    ledger.intend(hubspot.creations(2), 0.0)
    assert len(apply(dated, ledger, clock=QuickClock()).confirmed) == 2
    assert "POST /crm/objects/2026-03/contacts/batch/upsert" in [call.call for call in fake.script.calls]
    assert not any("/v3/objects" in call.call for call in fake.script.calls)
    monkeypatch.setenv("ADLOOP_HUBSPOT_ACCOUNT", "1")
    with pytest.raises(Denied, match="ADLOOP_HUBSPOT_ACCOUNT"):
        connected().send(hubspot.creations(1))


def test_lists_are_filled_once_and_emptied(
    account: HubSpotAccount, ledger: WriteLedger, theirs: HubSpot, state: HubSpotState
) -> None:
    changes = [
        *hubspot.creations(1),
        hubspot.change("list", "list", name="Likely to leave"),
        hubspot.change("in", "list_member", parent="change:list", customer_id="known"),
        hubspot.change("in-0", "list_member", parent="change:list", customer_id="c0"),
        hubspot.change("nobody", "list_member", parent="change:list", customer_id="nobody"),
    ]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert (sorted(applied.confirmed), list(applied.refused)) == (["in", "in-0", "lead-0", "list"], ["nobody"])
    assert account.find(changes[1:2]) == {"list": ledger.object_of("list")}
    out = hubspot.change("out", "list_member", doing="update", target=ledger.object_of("in"), status="removed")
    ledger.intend([out], 0.0)
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["out"]
    there = theirs.crm.lists.memberships_api.get_page(ledger.object_of("list"))
    assert [one.record_id for one in there.results] == [ledger.object_of("lead-0")]
    assert [one.fields["name"] for one in account.objects("list")] == ["Likely to leave"]


def test_who_edited_a_score_is_told(account: HubSpotAccount, ledger: WriteLedger, state: HubSpotState) -> None:
    ledger.intend([hubspot.update("up", 1)], 0.0)
    apply(account, ledger, clock=QuickClock())
    state.edit("lead", CONTACT, {"score": 3.0}, "userId:12")
    [edit] = account.edits(0.0)
    assert (edit.object_id, edit.by, edit.what) == (CONTACT, "userId:12", "adloop_score")


def test_won_deals_of_a_day_are_read_page_by_page(account: HubSpotAccount, state: HubSpotState) -> None:
    state.put("contacts", "502", {"email": "b@example.org"})
    for number in range(101):
        state.win(f"{900 + number}", "2020-10-05T09:30:00.000Z", 10.0, {0: CONTACT, 1: "502"}.get(number, ""))
    state.win("2001", "2020-10-06T00:00:00.000Z", 1.0)
    state.win("2002", "2020-10-04T23:59:59.000Z", 1.0)
    tables = account.read(date(2020, 10, 5))
    rows = tables["transactions"].to_pylist()
    assert len(rows) == 101 and sum(one["amount"] for one in rows) == 1010.0
    assert [one["customer_id"] for one in rows[:3]] == ["known", "hubspot:502", "hubspot:deal:902"]
    assert rows[0]["occurred_at"] == datetime(2020, 10, 5, 9, 30)
    assert tables["customers"].num_rows == 101


@pytest.mark.parametrize("body", ["<html>", "[]", "null"])
def test_an_answer_that_is_not_the_platforms_own_is_none(
    fake: Running, account: HubSpotAccount, ledger: WriteLedger, body: str
) -> None:
    changes = hubspot.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault(hubspot.SCORES, status=200, body=body))
    assert len(apply(account, ledger, clock=QuickClock()).confirmed) == 2
    assert sorted(fake.state.markers()) == sorted(one.marker for one in changes)


def test_an_answer_without_traces_is_looked_up(fake: Running, account: HubSpotAccount, ledger: WriteLedger) -> None:
    changes = hubspot.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault(hubspot.SCORES, status=200, body={"status": "COMPLETE", "results": [{"id": "1"}]}))
    assert len(apply(account, ledger, clock=QuickClock()).confirmed) == 2
    assert sorted(fake.state.markers()) == sorted(one.marker for one in changes)
