"""The write ledger: what it keeps, and that its time line cannot be altered unseen."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from serving.integrations.change import Change, PlatformFault, differing, from_json, same, to_json
from serving.integrations.ledger import KnownObject, WriteLedger
from serving.integrations.references import references, resolved


def change(change_id: str, **said: object) -> Change:
    made = Change(change_id, "meta", "1", "campaign", "create", {"name": "Spring"}, "a test", "ann")
    return replace(made, **said)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> WriteLedger:
    return WriteLedger(tmp_path / "ledger.db")


def test_a_change_is_intended_once(ledger: WriteLedger) -> None:
    assert ledger.intend([change("a"), change("b"), change("a")], 1.0) == ["a", "b"]
    assert [entry.status for entry in ledger.entries()] == ["intended", "intended"]
    assert [line.what for line in ledger.timeline()] == ["intended", "intended"]


def test_an_id_with_another_content_is_refused_and_nothing_of_its_batch_kept(ledger: WriteLedger) -> None:
    ledger.intend([change("a")], 1.0)
    with pytest.raises(ValueError, match="change a: is in the ledger with another content"):
        ledger.intend([change("b"), change("a", reason="another")], 2.0)
    assert [entry.change.change_id for entry in ledger.entries()] == ["a"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"reason": ""}, "reason"),
        ({"fields": {}}, "fields"),
        ({"fields": {"bid": float("nan")}}, "finite"),
        ({"target": "7"}, "target"),
        ({"doing": "update"}, "target"),
    ],
)
def test_a_change_that_says_too_little_is_refused(said: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        change("a", **said)


def test_entries_outlive_the_process(ledger: WriteLedger) -> None:
    ledger.intend([change("a")], 1.0)
    [entry] = ledger.entries()
    fault = PlatformFault("100", "too small", "daily_budget")
    ledger.put(replace(entry, status="refused", before={"bid": 1.5}, tries=2, sent_at=3.0, fault=fault), 4.0, "no")
    ledger.close()
    found = WriteLedger(ledger.path).entry("a")
    assert (found.status, found.before, found.tries, found.fault) == ("refused", {"bid": 1.5}, 2, fault)
    assert from_json(to_json(found.change)) == change("a")


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE timeline SET line = replace(line, 'ann', 'bob') WHERE seq = 2",
        "DELETE FROM timeline WHERE seq = 1",
        "DELETE FROM timeline WHERE seq = 2",
    ],
)
def test_an_altered_time_line_is_an_error(ledger: WriteLedger, harm: str) -> None:
    ledger.intend([change("a"), change("b"), change("c")], 1.0)
    ledger.close()
    with closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute(harm)
    with pytest.raises(ValueError, match=r"line [12] of the time line was altered or removed"):
        WriteLedger(ledger.path).timeline()


def test_a_hold_stays_until_it_is_lifted_and_cancels_what_waited(ledger: WriteLedger) -> None:
    place = KnownObject("meta", "1", "campaign", "7", {"bid": 1.0}, seen_at=1.0)
    ledger.see([replace(place, held="bob changed bid")])
    ledger.see([replace(place, fields={"bid": 2.0})])
    assert [(one.fields, one.held) for one in ledger.held()] == [({"bid": 2.0}, "bob changed bid")]
    ledger.intend([change("a", doing="update", target="7", fields={"bid": 3.0})], 1.0)
    ledger.put(replace(ledger.entry("a"), status="held", object_id="7"), 2.0)
    ledger.release("meta", "1", "campaign", "7", "ann", "asked bob", 3.0)
    assert (ledger.held(), ledger.entry("a").status) == ([], "cancelled")
    with pytest.raises(LookupError, match="is not held"):
        ledger.release("meta", "1", "campaign", "7", "ann", "again", 4.0)


def test_references_wait_for_what_creates_them(ledger: WriteLedger) -> None:
    group = change("g", object="ad_group", parent="change:c", fields={"audiences": ["5", "change:a"]})
    ledger.intend([change("c"), change("a", object="audience"), group], 1.0)
    assert references(group) == ["c", "a"]
    ledger.put(replace(ledger.entry("c"), status="sent", object_id="70"), 2.0)
    assert resolved(group, ledger) is None
    ledger.put(replace(ledger.entry("a"), status="confirmed", object_id="80"), 2.0)
    found = resolved(group, ledger)
    assert found is not None and (found.parent, found.fields) == ("70", {"audiences": ["5", "80"]})


def test_values_are_the_same_to_a_millionth_and_lists_in_any_order() -> None:
    assert same(0.1 + 0.2, 0.3) and same(["a", "b"], ["b", "a"])
    assert not same(1, True) and not same(0.3, 0.3001) and not same(["a", "a"], ["a", "b"])
    assert differing({"bid": 1, "name": "x"}, {"bid": 1.0}) == ["name"]
    assert differing({"categories": [], "note": "", "bid": 0, "live": False}, {}) == ["bid", "live"]
