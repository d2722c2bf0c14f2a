"""Whatever is reserved, settled, released, expired and asked again, in any order: the money is right."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.params import load
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.records import Counters, WindowedCounters
from serving.decisions.state import book, tally
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, FeedbackEvent, Reservation, StoreUnavailable

PARAMS = load(Path(__file__).parents[4] / "params.yaml").decisions
DAY, RECENT = book.DAY, PARAMS.keeping.recent_s
START = 20_000.0 * DAY


class Clock:
    def __init__(self) -> None:
        self.now = START + 100

    def __call__(self) -> float:
        return self.now


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 10 * RECENT), st.integers(1, 5)), max_size=30), st.floats(0, 12 * RECENT))
def test_a_window_counts_every_event_once_and_the_recent_ones_as_recent(told: list[tuple], later: float) -> None:
    kept: dict = {}
    for at, clicks in told:
        tally.count(kept, "", {"clicks": clicks}, at, RECENT)
    now = max([later, *(at for at, _ in told)])
    found = book.window(kept, "", int(now // RECENT))
    recent = sum(clicks for at, clicks in told if now // RECENT - at // RECENT <= 1)
    assert found.recent.clicks == recent
    assert found.recent.clicks + found.past.clicks == sum(clicks for _, clicks in told)


def test_a_window_of_nothing_is_empty() -> None:
    assert book.window({}, "", 5) == WindowedCounters(Counters(), Counters())


@given(st.integers(0, 10**14))
@example(8_761_568_133_051)  # a float is off by more than a thousandth of a millionth here
def test_money_comes_back_to_the_last_millionth(millionths: int) -> None:
    assert book.micros(millionths / 1e6) == millionths


@given(st.floats(0, 1e6))
def test_what_is_reserved_is_never_less_than_the_bid(amount: float) -> None:
    assert book.micros(amount) / 1e6 >= amount * (1 - 1e-12) - 1e-9


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1.0, 1e12])
def test_an_amount_that_cannot_be_kept_is_refused(amount: float) -> None:
    with pytest.raises(ValueError, match="amounts"):
        Reservation("1", "a", "c", amount, START)
    with pytest.raises(ValueError, match="amounts"):
        FeedbackEvent("1", "1", "a", "c", "impression", START, cost=amount)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database at all, but long enough to be read as one" * 100)
    store = SqliteStore(tmp_path / "state.db", PARAMS)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.load([Auction("o", START, "a", "c")], "")


class Failing:
    """A store that can be taken away."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.away = store, False

    def __getattr__(self, name: str):
        if self.away:
            raise StoreUnavailable("away")
        return getattr(self.store, name)


def test_an_allowance_lasts_as_long_as_it_says_and_its_bids_are_held_when_the_store_is_back(tmp_path: Path) -> None:
    clock = Clock()
    store = SqliteStore(tmp_path / "state.db", PARAMS, clock)
    store.configure("a", "c", CampaignSettings(daily_limit=100.0))
    behind = Failing(store)
    front = Allowance(behind, PARAMS, clock)

    def ask(name: str, amount: float) -> str:
        front.load([Auction(name, clock.now, "a", "c")], "")
        return front.reserve([Reservation(name, "a", "c", amount, clock.now)])[0].status

    assert ask("1", 0.5) == "reserved"
    behind.away = True
    assert [ask("2", 0.6), ask("2", 0.6), ask("3", 0.6), ask("4", 0.4)] == ["reserved", "again", "refused", "reserved"]
    clock.now += PARAMS.keeping.allowance_s + 1
    assert ask("5", 0.0) == "refused"
    assert held(store, clock) == 1.5
    behind.away = False
    assert ask("6", 0.5) == "reserved"
    # Two bids that were taken from the old allowance, two that were not, and a new allowance.
    assert held(store, clock) == 0.6 + 0.4 + 0.5 + 0.5 + 1.0


def held(store: SqliteStore, clock: Clock) -> float:
    return store.load([Auction("look", clock.now, "a", "c")], "")[0].campaign.reserved


def test_an_allowance_is_given_back_at_the_end_and_bids_from_it_stay_held(tmp_path: Path) -> None:
    clock = Clock()
    store = SqliteStore(tmp_path / "state.db", PARAMS, clock)
    store.configure("a", "c", CampaignSettings(daily_limit=100.0))
    behind = Failing(store)
    front = Allowance(behind, PARAMS, clock)
    front.load([Auction("1", clock.now, "a", "c")], "")
    front.reserve([Reservation("1", "a", "c", 0.5, clock.now)])
    behind.away = True
    front.reserve([Reservation("2", "a", "c", 0.25, clock.now)])
    front.close()  # nothing is lost where the store is still away
    assert held(store, clock) == 1.5
    behind.away = False
    front.close()
    assert held(store, clock) == 0.75


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_bid_from_an_allowance_is_held_once_whatever_was_lost_on_the_way(tmp_path: Path, lost: str) -> None:
    clock = Clock()
    store = SqliteStore(tmp_path / "state.db", PARAMS, clock)
    store.configure("a", "c", CampaignSettings(daily_limit=100.0))
    behind = Failing(store)
    front = Allowance(behind, PARAMS, clock)
    front.load([Auction("1", clock.now, "a", "c")], "")
    front.reserve([Reservation("1", "a", "c", 0.5, clock.now)])
    behind.away = True
    taken = Reservation("2", "a", "c", 0.6, clock.now)
    if lost == "before":  # the store did it, and its answer was lost: it is held already
        store.reserve([taken])
    assert front.reserve([taken])[0].status == "reserved"
    if lost == "after":  # what was taken is held, and that answer was lost: it is told again
        store.reserve([one for purse in front._purses.values() for one in purse.taken.values()])
    behind.away = False
    front.reserve([Reservation("3", "a", "c", 0.5, clock.now)])
    assert held(store, clock) == pytest.approx(0.5 + 0.6 + 0.5 + (1.0 - 0.6))
    assert store.load([Review("look", clock.now, "a", "c")], "")[0].window.recent.bids == 3


def test_an_allowance_that_nobody_needed_is_given_back(tmp_path: Path) -> None:
    clock = Clock()
    store = SqliteStore(tmp_path / "state.db", PARAMS, clock)
    store.configure("a", "c", CampaignSettings(daily_limit=100.0))
    front = Allowance(store, PARAMS, clock)
    for one in range(5):
        front.load([Auction(str(one), clock.now, "a", "c")], "")
        front.reserve([Reservation(str(one), "a", "c", 0.5, clock.now)])
        store.record([FeedbackEvent(str(one), str(one), "a", "c", "loss", clock.now)])
        assert store.load([Auction("look", clock.now, "a", "c")], "")[0].campaign.reserved == 1.0
        clock.now += PARAMS.keeping.allowance_s * 0.6
    assert store.load([Review("look", clock.now, "a", "c")], "")[0].window.recent.bids == 5
