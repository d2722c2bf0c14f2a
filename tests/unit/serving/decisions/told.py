"""Decisions of a few campaigns and what is told of them, in few words."""

import time
from pathlib import Path

from serving.decisions.feedback import Feedback, Observed
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.entry import Entry
from serving.decisions.records import Counters
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, Grant, Reservation
from tests.unit.serving.decisions.logged import PARAMS, decided, lines

DAY = 86_400.0
CAMPAIGNS = [f"campaign {one}" for one in range(3)]


def opened(place: Path) -> tuple[Feedback, SqliteStore]:
    store = SqliteStore(place / "state.db", PARAMS)
    for campaign in CAMPAIGNS:
        store.configure("ours", campaign, CampaignSettings(daily_limit=1e6))
    return Feedback(place / "feedback.db", store, PARAMS), store


def placed(feedback: Feedback, store: SqliteStore, *ats: int) -> None:
    """Reserve and log so many bids, as an endpoint does."""
    reserved(store, *ats)
    feedback.expect(lines([entry(at) for at in ats]))


def reserved(store: SqliteStore, *ats: int) -> None:
    made = [decided(at)[4] for at in ats]
    store.reserve([Reservation(m.opportunity_id, "ours", m.campaign_id, m.amount, m.decided_at) for m in made])


def entry(at: int, grant: Grant | None = None) -> Entry:
    return Entry(time.time(), "", *decided(at, grant))


def observed(at: int, kind: str = "click", which: str = "", **more) -> Observed:
    decision = decided(at)[4]
    return Observed(f"{kind} {at}{which}", "ours", decision.decision_id, kind, decision.decided_at + 60, **more)


def counters(store: SqliteStore) -> list[Counters]:
    """Of each campaign, over all time, without its bids."""
    asked = [Review("", 1.7e9, "ours", campaign) for campaign in CAMPAIGNS]
    windows = [state.window for state in store.load(asked, "3")]
    return [
        Counters(0, *(getattr(one.recent, name) + getattr(one.past, name) for name in Counters.__slots__[1:]))
        for one in windows
    ]
