"""Decisions become changes of the objects that a campaign was launched with."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from serving.campaigns.decided import bids, changes
from serving.decisions.records import Action, Decision
from serving.integrations.change import Change
from serving.integrations.ledger import KnownObject, WriteLedger

PARTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("campaign", {"name": "Spring", "daily_budget": 100.0}),
    ("ad_group", {"name": "search", "bid": 1.5, "daily_budget": 60.0}),
    ("ad_group", {"name": "social", "bid": 0.8, "daily_budget": 40.0}),
    ("keyword", {"keyword": "running shoes", "match": "exact"}),
    ("ad", {"name": "old", "headlines": ["a"]}),
    ("ad", {"name": "new", "headlines": ["b"]}),
)


@pytest.fixture
def ledger(tmp_path: Path) -> WriteLedger:
    """A ledger with a campaign that runs: object `id-N` for each part."""
    made = WriteLedger(tmp_path / "ledger.db")
    for place, (kind, fields) in enumerate(PARTS):
        change = Change(f"part-{place}", "meta", "1", kind, "create", fields, "launch", "ann", campaign="spring")
        made.intend([replace(change, parent="id-1" if kind == "keyword" else "")], 0.0)
        made.put(replace(made.entry(f"part-{place}"), status="confirmed", object_id=f"id-{place}"), 0.0)
        made.see([KnownObject("meta", "1", kind, f"id-{place}", fields, campaign="spring")])
    return made


def decision(number: int, action: Action, target: str = "spring", **said: Any) -> Decision:
    return Decision(
        **{
            **{"decision_id": f"d{number}", "opportunity_id": f"o{number}", "account_id": "acme"},
            **{"campaign_id": "spring", "action": action, "target": target, "source": None, "dimension": None},
            **{"amount": None, "unit": None, "before": None, "reason": f"reason {number}", "triggers": ()},
            **{"guardrails": (), "arm": "policy", "propensity": 1.0, "explored": False, "credited": None},
            **{"versions": {}, "seed": 1, "decided_at": float(number)},
            **said,
        }
    )


def intend(ledger: WriteLedger, decisions: Iterable[Decision], at: float) -> list[str]:
    return ledger.intend(changes(ledger, decisions), at)


def wanted(ledger: WriteLedger, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    found = [ledger.entry(one).change for one in ids]
    return {change.target or change.parent: dict(change.fields) for change in found}


def test_a_multiplier_scales_the_bids_of_the_launch(ledger: WriteLedger) -> None:
    made = [decision(1, Action.RAISE_BID, amount=1.2), decision(2, Action.LOWER_BID, amount=0.9)]
    found = [ledger.entry(one).change for one in intend(ledger, made, 1.0)]
    assert [(one.target, one.fields["bid"]) for one in found] == [
        *(("id-1", 1.8), ("id-2", 0.96)),
        *(("id-1", 1.35), ("id-2", 0.72)),
    ]
    assert intend(ledger, made, 2.0) == []


def test_a_keyword_is_paused_or_added_where_the_others_are(ledger: WriteLedger) -> None:
    paused = intend(ledger, [decision(1, Action.PAUSE_KEYWORD, "running shoes")], 1.0)
    assert wanted(ledger, paused) == {"id-3": {"status": "paused"}}
    added = intend(ledger, [decision(2, Action.ADD_KEYWORD, "trail shoes")], 1.0)
    assert wanted(ledger, added) == {"id-1": {"keyword": "trail shoes", "match": "exact", "status": "live"}}


def test_a_creative_replaces_another(ledger: WriteLedger) -> None:
    rotated = intend(ledger, [decision(1, Action.ROTATE_CREATIVE, "new", source="old")], 1.0)
    assert wanted(ledger, rotated) == {"id-4": {"status": "paused"}, "id-5": {"status": "live"}}


@pytest.mark.parametrize(("share", "left", "right"), [(0.1, 50.0, 50.0), (0.333, 26.7, 73.3), (0.9, 0.0, 100.0)])
def test_moved_budget_is_conserved(ledger: WriteLedger, share: float, left: float, right: float) -> None:
    moved = decision(1, Action.MOVE_BUDGET, "social", source="search", dimension="channel", amount=share)
    found = wanted(ledger, intend(ledger, [moved], 1.0))
    assert found == {"id-1": {"daily_budget": left}, "id-2": {"daily_budget": right}}


def test_budgets_move_step_by_step_and_keep_their_sum(ledger: WriteLedger) -> None:
    def move(number: int, source: str, target: str) -> Decision:
        return decision(number, Action.MOVE_BUDGET, target, source=source, dimension="channel", amount=0.1)

    first = [move(1, "search", "social"), move(2, "search", "social"), move(3, "social", "search")]
    found = [ledger.entry(one).change for one in intend(ledger, first, 1.0)]
    assert [change.fields["daily_budget"] for change in found] == [50.0, 50.0, 40.0, 60.0, 50.0, 50.0]
    later = [ledger.entry(one).change for one in intend(ledger, [*first, move(4, "search", "social")], 2.0)]
    assert [change.fields["daily_budget"] for change in later] == [40.0, 60.0]


def test_a_hold_and_a_campaign_of_no_platform_change_nothing(ledger: WriteLedger) -> None:
    nowhere = replace(decision(2, Action.RAISE_BID, amount=1.2), campaign_id="autumn")
    assert intend(ledger, [decision(1, Action.HOLD), nowhere], 1.0) == []


def test_the_mean_of_a_channels_bids_becomes_its_bid_once_a_day(ledger: WriteLedger) -> None:
    rows = [("search", "bid", 2.0), ("search", "bid", 3.0), ("search", "hold", 9.0), ("radio", "bid", 1.0)]
    made = pd.DataFrame(rows, columns=["channel", "action", "amount"]).assign(campaign_id="spring")
    assert wanted(ledger, ledger.intend(bids(ledger, made, "2026-11-30"), 1.0)) == {"id-1": {"bid": 2.5}}
    assert bids(ledger, made, "2026-11-30") == []
