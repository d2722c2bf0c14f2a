"""Google Analytics: quotas, withheld rows, audiences found by their names, events that are validated first."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta.services.beta_analytics_data.transports import BetaAnalyticsDataRestTransport
from google.analytics.data_v1beta.types import RunReportRequest
from google.auth.credentials import AnonymousCredentials

from serving.integrations.apply import apply
from serving.integrations.google_analytics import quota
from serving.integrations.google_analytics.account import GoogleAnalyticsAccount, connected
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Denied, Throttled, Unanswered
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.google_analytics import FAKE, audience, described, event
from tests.fakes.google_analytics.state import PROPERTY, GoogleAnalyticsState
from tests.fakes.google_analytics.tokens import TOKEN

DAY = date(2026, 10, 1)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> Iterator[GoogleAnalyticsAccount]:
    opened = connected()
    yield opened
    opened.close()


def state(fake: Running) -> GoogleAnalyticsState:
    assert isinstance(fake.state, GoogleAnalyticsState)
    return fake.state


def refuse_reports(fake: Running, message: str, times: int = 1) -> None:
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}
    fake.script.add(ScriptedFault("POST *:runReport", times=times, status=429, body={"error": error}))


@pytest.mark.parametrize(
    ("message", "waits_s"),
    [
        ("Exhausted property tokens for a project per hour.", 3600.0),
        ("Exhausted concurrent requests quota.", 60.0),
        ("Exhausted property tokens per day.", None),
    ],
)
def test_an_exhausted_quota_waits_until_it_is_new(
    fake: Running, account: GoogleAnalyticsAccount, message: str, waits_s: float | None
) -> None:
    refuse_reports(fake, message)
    with pytest.raises(Throttled) as told:
        account.read(DAY)
    wanted = quota.until_midnight_s(datetime.now(UTC)) if waits_s is None else waits_s
    assert told.value.wait_s == pytest.approx(wanted, abs=5)


def test_a_day_of_quota_ends_at_midnight_in_california() -> None:
    assert quota.until_midnight_s(datetime(2026, 11, 30, 7, tzinfo=UTC)) == 3600
    assert quota.until_midnight_s(datetime(2026, 7, 1, 7, tzinfo=UTC)) == 86_400


@pytest.mark.parametrize(
    ("name", "left"), [("tokensPerHour", 10), ("tokensPerDay", 10), ("serverErrorsPerProjectPerHour", 2)]
)
def test_no_report_is_asked_for_when_the_quota_is_short(
    fake: Running, account: GoogleAnalyticsAccount, name: str, left: int
) -> None:
    state(fake).quota[name] = left
    account.read(DAY)
    calls = len(fake.script.calls)
    with pytest.raises(Throttled, match="short"):
        account.read(DAY)
    assert len(fake.script.calls) == calls


def test_a_server_error_is_not_repeated(fake: Running, account: GoogleAnalyticsAccount) -> None:
    fake.script.add(ScriptedFault("POST *:runReport", times=9, status=503, body={"error": {"code": 503}}))
    with pytest.raises(Unanswered):
        account.read(DAY)
    assert sum(call.call.endswith(":runReport") for call in fake.script.calls) == 1


def test_visits_are_read_in_utc_and_unknown_customers_left_out(fake: Running, account: GoogleAnalyticsAccount) -> None:
    state(fake).visits = [
        ("ann", "2026100100", "spring", "Email", 1, 0),
        ("bob", "2026100112", "spring", "Paid Search", 2, 1),
        ("(not set)", "2026100112", "spring", "Email", 9, 9),
        ("cid", "2026100112", "(not set)", "Direct", 1, 0),
    ]
    midday = datetime(2026, 10, 1, 10)
    assert account.read(DAY)["touches"].drop_columns(["zone"]).to_pylist() == [
        {
            **{"customer_id": "ann", "occurred_at": datetime(2026, 9, 30, 22), "campaign_id": "spring"},
            **{"channel": "Email", "responded_at": None},
        },
        {
            **{"customer_id": "bob", "occurred_at": midday, "campaign_id": "spring"},
            **{"channel": "Paid Search", "responded_at": midday},
        },
    ]


def test_withheld_rows_are_told(
    fake: Running, account: GoogleAnalyticsAccount, caplog: pytest.LogCaptureFixture
) -> None:
    state(fake).thresholded = True
    with caplog.at_level(logging.WARNING):
        account.read(DAY)
    assert "withholds rows" in caplog.text


def test_the_vendors_client_reads_the_same_report(fake: Running, account: GoogleAnalyticsAccount) -> None:
    transport = BetaAnalyticsDataRestTransport(
        host=fake.url.removeprefix("http://"), url_scheme="http", credentials=AnonymousCredentials()
    )
    asked = {"property": f"properties/{PROPERTY}", "date_ranges": [{"start_date": "2026-10-01", "end_date": "today"}]}
    login = [("authorization", f"Bearer {TOKEN}")]
    answer = BetaAnalyticsDataClient(transport=transport).run_report(RunReportRequest(asked), metadata=login)
    assert answer.row_count == account.read(DAY)["touches"].num_rows == 1


def test_an_audience_is_of_a_segment_and_carries_its_marker(
    fake: Running, account: GoogleAnalyticsAccount, tmp_path: Path
) -> None:
    change, ledger = audience("top", name="Top customers", value="top"), WriteLedger(tmp_path / "ledger.db")
    ledger.intend([change], 0.0)
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["top"]
    kept = state(fake).audiences[ledger.entry("top").object_id]
    assert kept["displayName"] == f"Top customers [adloop {change.marker}]"
    [clause] = kept["filterClauses"]
    [group] = clause["simpleFilter"]["filterExpression"]["andGroup"]["filterExpressions"]
    assert group["orGroup"]["filterExpressions"] == [
        {
            "dimensionOrMetricFilter": {
                "fieldName": "customUser:segment",
                "stringFilter": {"matchType": "EXACT", "value": "top"},
            }
        }
    ]


def test_what_google_lets_nobody_change_is_refused(fake: Running, account: GoogleAnalyticsAccount) -> None:
    [outcome] = account.send([replace(described("one", "x"), fields={"days": 60})])
    assert outcome.fault is not None and outcome.fault.field == "days"


def test_a_missing_role_is_no_quota(fake: Running, account: GoogleAnalyticsAccount) -> None:
    error = {"code": 403, "message": "User does not have sufficient permissions", "status": "PERMISSION_DENIED"}
    fake.script.add(ScriptedFault("POST */audiences", status=403, body={"error": error}))
    with pytest.raises(Denied, match="role Editor"):
        account.send([audience("top")])


def test_an_event_is_validated_before_it_is_sent(fake: Running, account: GoogleAnalyticsAccount) -> None:
    good, bad = account.send([event("order-1", user_properties={"segment": "top"}), event("order-2", name="2nd!")])
    assert good.fault is None and good.object_id == event("order-1").marker
    assert bad.fault is not None and (bad.fault.code, bad.fault.field) == ("NAME_INVALID", "name")
    posts = [call.call for call in fake.script.calls]
    assert posts == ["POST /debug/mp/collect", "POST /mp/collect", "POST /debug/mp/collect"]
    [sent] = state(fake).events
    assert sent["user_id"] == "ann" and sent["user_properties"] == {"segment": {"value": "top"}}
    assert sent["events"][0]["params"] == {"transaction_id": "order-1", "event_id": good.object_id}


def test_a_dry_run_of_an_event_is_only_validated(fake: Running, account: GoogleAnalyticsAccount) -> None:
    assert account.send([event("order-1")], dry_run=True)[0].fault is None
    assert state(fake).events == []


def test_events_need_a_stream(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADLOOP_GOOGLE_ANALYTICS_API_SECRET")
    with pytest.raises(Denied, match="ADLOOP_GOOGLE_ANALYTICS_API_SECRET"):
        connected().send([event("order-1")])
