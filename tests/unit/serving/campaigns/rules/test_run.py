"""Runs: changes in the write ledger once each, a log that explains them, and nothing half-done."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

from features.tables import Tables
from serving.campaigns.rules.run import run
from serving.campaigns.rules.store import RuleStore
from serving.integrations.ledger import KnownObject, WriteLedger
from tests.unit.serving.campaigns.rules.account import NOW, days, rule_file

RULES = """
  - name: grow
    level: campaign
    when: {metric: spend, above: 1}
    then: [{budget: {change: +80%}}, {notify: growing}]
    schedule: hourly
    limits: {step: 20%, day: 100%, cooldown: 2 h}
"""
FILE = rule_file(RULES)
AT = NOW.timestamp()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WriteLedger]:
    opened = WriteLedger(tmp_path / "ledger.db")
    opened.see([KnownObject("meta", "act_1", "campaign", "c", {"status": "live", "daily_budget": 100.0})])
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RuleStore]:
    opened = RuleStore(tmp_path / "rules.db", FILE.account)
    yield opened
    opened.close()


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    rows = [
        {"creative_id": "a", "campaign_id": row["campaign_id"], "occurred_at": pd.Timestamp(row["day"])}
        | {"impressions": 900.0, "clicks": 9.0, "spend": 100.0}
        for row in days("c")
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "impressions.parquet")
    return Tables(tmp_path)


def budgets(ledger: WriteLedger) -> list[float]:
    return [entry.change.fields["daily_budget"] for entry in ledger.of("meta", "act_1", "intended")]


def test_twice_in_a_half_hour_intends_once(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    assert len(run(FILE, tables, ledger, store, AT).changes) == 1
    again = run(FILE, tables, ledger, store, AT + 600)
    assert (again.slots, again.changes) == ({}, [])
    assert budgets(ledger) == [120.0]


def test_the_queued_rest_follows_after_the_cool_down_from_what_is_intended(
    tables: Tables, ledger: WriteLedger, store: RuleStore
) -> None:
    for hours in (0, 1, 2, 4, 6):
        run(FILE, tables, ledger, store, AT + hours * 3600)
    assert budgets(ledger) == [120.0, 144.0, 172.8, 180.0]


def test_a_dry_run_writes_nothing(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    found = run(FILE, tables, ledger, store, AT, dry_run=True)
    assert len(found.changes) == 1
    assert (budgets(ledger), store.verdicts(9), ledger.timeline()) == ([], [], [])


def test_every_verdict_is_in_the_log_with_its_reason(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    found = run(FILE, tables, ledger, store, AT)
    (logged,) = store.verdicts(9)
    assert logged.verdict == found.verdicts[0]
    assert logged.verdict.why == "spend last 7 days 700 is above 1"
    assert ledger.entry(logged.verdict.change_ids[0]).change.reason == "rule grow: spend last 7 days 700 is above 1"
    assert store.verdicts(9, "other") == store.verdicts(9, "", "d") == []


def test_people_read_of_it_on_the_time_line(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    run(FILE, tables, ledger, store, AT)
    (told,) = [one for one in ledger.timeline() if one.what == "found"]
    assert (told.who, told.detail) == ("rule grow", "growing: spend last 7 days 700 is above 1")


def test_a_kill_before_the_ledger_loses_nothing_and_doubles_nothing(
    tables: Tables, ledger: WriteLedger, store: RuleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(WriteLedger, "intend", lambda self, changes, at: killed() if list(changes) else [])
        with pytest.raises(KeyboardInterrupt):
            run(FILE, tables, ledger, store, AT)
    assert budgets(ledger) == []
    run(FILE, tables, ledger, store, AT + 60)
    assert budgets(ledger) == [120.0]


def test_a_kill_between_ledger_and_log_doubles_nothing(
    tables: Tables, ledger: WriteLedger, store: RuleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: RuleStore) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RuleStore, "intended", lambda self: killed(self) if self.to_intend() else None)
        with pytest.raises(KeyboardInterrupt):
            run(FILE, tables, ledger, store, AT)
    run(FILE, tables, ledger, store, AT + 60)
    assert budgets(ledger) == [120.0]


def test_counts_that_miss_yesterday_are_refused(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    tomorrow = AT + 86_400
    with pytest.raises(ValueError, match=r"expected counts of 2026-06-15, the last are of 2026-06-14; run adloop sync"):
        run(FILE, tables, ledger, store, tomorrow)
    ledger.day_was_read("meta", "act_1", "2026-06-15", tomorrow)  # a day without ads was read
    assert run(FILE, tables, ledger, store, tomorrow).slots


def test_half_hours_are_of_the_accounts_clock(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    text = RULES.replace("schedule: hourly", "schedule: daily at 08:00")
    file = rule_file(text).model_copy(update={"account": FILE.account.model_copy(update={"zone": "Asia/Tokyo"})})
    found = run(file, tables, ledger, store, datetime(2026, 6, 14, 23, 10, tzinfo=UTC).timestamp())
    assert found.slots == {"grow": "2026-06-14T23:00Z"}


class Hook(BaseHTTPRequestHandler):
    """An endpoint that answers as its path says."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def test_a_ping_that_fails_is_told_and_stops_nothing(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for status in (500, 200):
        url = f"http://127.0.0.1:{server.server_port}/{status}"
        text = RULES.replace("name: grow", f"name: to-{status}").replace("{notify: growing}", f"{{ping: '{url}'}}")
        run(rule_file(text), tables, ledger, store, AT)
    server.shutdown()
    server.server_close()
    (told,) = [one for one in ledger.timeline() if one.what == "ping failed"]
    assert (told.who, told.detail) == ("rule to-500", "ping of 127.0.0.1 failed: HTTPStatusError")


def test_the_memory_counts_the_day_of_the_account(tables: Tables, ledger: WriteLedger, store: RuleStore) -> None:
    run(FILE, tables, ledger, store, AT)
    memory = store.memory(NOW)
    assert memory.changes_today == 1
    assert memory.past[("campaign", "c"), "daily_budget"].day_began == 100.0
    later = store.memory(NOW + timedelta(days=1))
    assert later.changes_today == 0
    assert later.past[("campaign", "c"), "daily_budget"].day_began is None
