"""A store whose clock ran ahead: bids go on when it is right again, and no budget is spent twice."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from components.params import load
from serving.decisions.decide import decide
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.records import Action, Decision, Predictions
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, FeedbackEvent, Reservation, Store

PARAMS = load(Path(__file__).parents[2] / "params.yaml").decisions
DAY, NOON = 86_400, 20_000.5 * 86_400


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Callable[[], float]) -> Store:
    """A store with one campaign, of 10 a day and 100 in all."""
    if request.param == "sqlite":
        found: Store = SqliteStore(tmp_path / "state.db", PARAMS, clock)
    else:
        server = request.getfixturevalue("redis_server")
        redis.Redis(port=server.port).flushall()
        found = RedisStore(f"redis://127.0.0.1:{server.port}/0", PARAMS, clock)
    found.configure("a", "c", CampaignSettings(daily_limit=10.0, limit=100.0))
    return found


numbers = iter(range(10**6))


def bid(store: Store, clock: Clock, amount: float) -> str:
    (grant,) = store.reserve([Reservation(f"o{next(numbers)}", "a", "c", amount, clock.now)])
    return grant.status


def decided(store: Store, clock: Clock) -> Decision:
    asked = Auction(f"o{next(numbers)}", clock.now, "a", "c", current_bid=1.0)
    (state,) = store.load([asked], "")
    said = Predictions({"policy_bid": 1.0, "policy_propensity": 1.0, "baseline_bid": 1.0})
    return decide(asked, said, state, PARAMS, 1)


@pytest.mark.parametrize("ahead_s", [3600, 2 * DAY, 70 * 365 * DAY])
def test_bids_go_on_as_soon_as_the_clock_is_right_again(store: Store, clock: Clock, ahead_s: float) -> None:
    clock.now += ahead_s
    assert bid(store, clock, 1.0) == "reserved"
    clock.now = NOON + 60
    made = decided(store, clock)
    assert (made.action, made.arm) != (Action.HOLD, "fallback") and "clock" not in made.reason


def test_a_callers_clock_that_went_back_is_still_found(store: Store, clock: Clock) -> None:
    bid(store, clock, 1.0)
    clock.now -= PARAMS.clock.back_s + 1
    asked = Auction("late", clock.now, "a", "c", current_bid=1.0)
    clock.now = NOON
    (state,) = store.load([asked], "")
    made = decide(
        asked, Predictions({"policy_bid": 1.0, "policy_propensity": 1.0, "baseline_bid": 1.0}), state, PARAMS, 1
    )
    assert made.arm == "fallback" and "the clock went back" in made.reason


@pytest.mark.parametrize("jump", [2 * DAY, -2 * DAY])
def test_a_clock_that_was_wrong_for_a_while_gives_no_budget_twice(store: Store, clock: Clock, jump: float) -> None:
    assert bid(store, clock, 6.0) == "reserved"
    clock.now += jump
    before = bid(store, clock, 10.0)
    assert before == ("reserved" if jump > 0 else "refused")
    clock.now = NOON + 60
    assert bid(store, clock, 4.5) == "refused"


def test_reset_by_a_person_it_goes_on_in_the_day_that_is_on(store: Store, clock: Clock) -> None:
    ahead = 70 * 365 * DAY
    clock.now += ahead
    assert bid(store, clock, 6.0) == "reserved"
    store.record([FeedbackEvent("e", "x", "a", "c", "impression", clock.now, 0.5, segments={"channel": "search"})])
    clock.now = NOON + DAY
    assert bid(store, clock, 5.0) == "refused"
    clock.now += DAY
    assert bid(store, clock, 5.0) == "refused"  # still in the day of the wrong clock

    store.reset_clock("a")
    (state,) = store.load([Review("look", clock.now, "a", "c")], "")
    assert (state.campaign.reserved, state.campaign.left) == (6.0, 3.5)  # what was held and spent counts as today's
    assert bid(store, clock, 3.0) == "reserved" and bid(store, clock, 3.0) == "refused"
    assert state.segments["channel"]["search"].window.recent.impressions == 1

    clock.now += DAY  # a day later all is as ever: the old hold was settled, and a new budget began
    (state,) = store.load([Review("look", clock.now, "a", "c")], "")
    assert (state.campaign.today, state.campaign.left, state.campaign.reserved_before) == (0.0, 10.0, 0.0)


def test_an_offer_that_is_held_over_a_reset_is_given_back_once(store: Store, clock: Clock) -> None:
    clock.now += 2 * DAY
    store.reserve([Reservation("o", "a", "c", 6.0, clock.now, "offer", "ann")])
    clock.now = NOON
    store.reset_clock("a")
    for day in range(1, 3):  # the day of the wrong clock comes, and the offer is declined on it
        clock.now = NOON + day * DAY
        assert bid(store, clock, 5.0) == "reserved"
    store.record([FeedbackEvent("e", "o", "a", "c", "loss", clock.now, purpose="offer")])
    (state,) = store.load([Review("look", clock.now, "a", "c")], "")
    assert (state.campaign.reserved, state.campaign.reserved_before, state.account.left) == (5.0, 0.0, None)


def test_a_reset_of_a_clock_that_is_right_changes_nothing(store: Store, clock: Clock) -> None:
    bid(store, clock, 6.0)
    store.record([FeedbackEvent("e", "x", "a", "c", "click", clock.now, 0.5)])
    look = [Review("look", clock.now, "a", "c")]
    before = store.load(look, "")
    store.reset_clock("a")
    store.reset_clock("nobody")
    assert store.load(look, "") == before
