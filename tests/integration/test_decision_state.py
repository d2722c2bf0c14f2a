"""The money is exact, in the embedded store and in Redis: with many workers, and with one killed at any point."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from serving.decisions.records import Action, Override
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, FeedbackEvent, Receipt, Reservation, Store
from tests.integration.asked_of_store import DAY, NOW, PARAMS, Clock, bid, change, event, exposure, look, offer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Callable[[], Store]:
    """Opens the store once more, as another worker would."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "state.db", PARAMS, clock)
    server = request.getfixturevalue("redis_server")
    return lambda: RedisStore(f"redis://127.0.0.1:{server.port}/0", PARAMS, clock)


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """A store with one campaign, of 10 a day."""
    found = opened()
    found.configure("a", "c", CampaignSettings(daily_limit=10.0, limit=100.0, target_cpc=0.5))
    return found


def test_money_is_set_aside_and_settled(store: Store, opened: Callable[[], Store]) -> None:
    assert [one.status for one in store.reserve([bid("1", 6), bid("2", 3), bid("3", 2)])] == [
        "reserved",
        "reserved",
        "refused",
    ]
    told = [event("win", "impression", "1", cost=4.000001), event("lost", "loss", "2")]
    assert store.record(told) == [Receipt(True)] * 2
    (state,) = opened().load([look()], "")
    assert (state.campaign.today, state.campaign.total, state.campaign.reserved) == (4.000001, 4.000001, 0)
    assert (state.account.today, state.account.reserved) == (4.000001, 0)
    assert (state.window.recent.bids, state.window.recent.impressions, state.window.recent.cost) == (2, 1, 4.000001)


def test_asked_again_nothing_is_reserved_twice(store: Store) -> None:
    store.reserve([bid("1", 6)])
    (again,) = store.reserve([bid("1", 9)])
    assert (again.status, again.amount) == ("again", 6.0)
    store.record([event("win", "impression", "1", cost=5)])
    assert store.reserve([bid("1", 6)])[0].status == "again"
    assert store.load([look()], "")[0].campaign.reserved == 0


def test_all_that_is_left_may_be_reserved_and_not_a_millionth_more(store: Store) -> None:
    store.reserve([bid("1", 1.1), bid("2", 2.2)])
    left = store.load([look()], "")[0].campaign.left
    assert store.reserve([bid("3", left + 1e-6), bid("4", left), bid("5", 1e-6)])[0].status == "refused"
    assert store.load([look()], "")[0].campaign.left == 0


def test_an_account_limit_binds_its_campaigns_together(store: Store) -> None:
    store.configure("a", "d", CampaignSettings(daily_limit=10.0))
    store.limit("a", 12.0, None)
    grants = store.reserve([bid("1", 8), bid("2", 8, campaign="d"), bid("3", 4, campaign="d")])
    assert [one.status for one in grants] == ["reserved", "refused", "reserved"]
    assert "account" in grants[1].why


@pytest.mark.parametrize("late", [0, 2])
def test_a_win_that_is_told_late_is_not_spent_twice(store: Store, clock: Clock, late: int) -> None:
    """Three rounds of bids for all there is, each won, its cost told after ten minutes or `late` rounds later."""
    billed, waiting = 0.0, list[FeedbackEvent]()
    for turn in range(3):
        grants = store.reserve([bid(f"{turn}-{one}", 1.0, clock.now) for one in range(20)])
        clock.now += 600
        won = [one for one, grant in enumerate(grants) if grant.status == "reserved"]
        waiting += [event(f"w{turn}-{one}", "impression", f"{turn}-{one}", clock.now, cost=0.9) for one in won]
        billed += 0.9 * len(won)
        if turn >= late:
            store.record(waiting)
            waiting = []
        spend = store.load([look(clock.now)], "")[0].campaign
        assert spend.today + spend.reserved <= 10
    assert spend.today == pytest.approx(billed) and 9 <= round(billed, 6) <= 10


def test_a_bid_that_nobody_reports_is_released_in_the_end_and_its_late_cost_counts_and_is_flagged(
    store: Store, clock: Clock
) -> None:
    store.reserve([bid("1", 10)])
    clock.now += PARAMS.keeping.settles_s - 1
    assert store.reserve([bid("2", 1)])[0].status == "refused"
    clock.now += 2
    assert store.load([look()], "")[0].campaign.left == 10
    assert store.reserve([bid("2", 1)])[0].status == "reserved"
    assert store.record([event("late", "impression", "1", cost=3, promised=10)]) == [Receipt(True, "late")]
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.reserved, spend.excess) == (3, 1, 3)


def test_a_bid_that_was_won_at_an_unknown_cost_is_charged_what_was_held_until_that_is_told(
    store: Store, clock: Clock
) -> None:
    store.reserve([bid("1", 4)])
    store.record([event("seen", "impression", "1")])
    clock.now += PARAMS.keeping.settles_s + 1
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.reserved) == (4, 0)
    assert store.record([event("paid", "click", "1", cost=1.5, promised=4)]) == [Receipt(True)]
    assert store.load([look()], "")[0].campaign.today == 1.5
    assert store.record([event("paid again", "click", "1", cost=4)]) == [Receipt(True, "conflict")]
    assert store.load([look()], "")[0].campaign.today == 1.5


def test_offers_are_held_until_they_are_redeemed_declined_or_over(store: Store, clock: Clock) -> None:
    grants = store.reserve([offer(str(one), 4, f"u{one}") for one in range(5)])
    assert [one.status for one in grants] == ["reserved"] * 2 + ["refused"] * 3
    clock.now += 3 * DAY
    assert store.load([look(clock.now)], "")[0].campaign.reserved_before == 8
    told = [event("yes", "conversion", "0", clock.now, cost=4, purpose="offer", decided_at=NOW)]
    store.record([*told, event("no", "loss", "1", clock.now, purpose="offer")])
    spend = store.load([look(clock.now)], "")[0].campaign
    assert (spend.today, spend.total, spend.reserved_before, spend.left) == (0, 4, 0, 10)
    assert store.reserve([offer("5", 9, "u5", at=clock.now)])[0].status == "reserved"
    clock.now += PARAMS.retention.valid_s + 1
    assert store.load([look(clock.now)], "")[0].campaign.reserved_before == 0
    late = event("late", "conversion", "5", clock.now, cost=9, purpose="offer", promised=9)
    assert store.record([late]) == [Receipt(True, "late")]


def test_one_name_for_two_campaigns_or_for_a_bid_and_an_offer_is_two_reservations(store: Store) -> None:
    store.configure("a", "d", CampaignSettings(daily_limit=0.15))
    assert store.reserve([bid("1", 0.1), bid("1", 0.1, campaign="d")])[1].status == "reserved"
    grants = store.reserve([bid(str(one), 0.1, campaign="d") for one in range(1, 4)])
    assert [one.status for one in grants] == ["again", "refused", "refused"]
    assert store.reserve([offer("1", 2)])[0].status == "reserved"
    (other,) = store.reserve([offer("1", 2, "somebody else")])
    assert other.status == "refused" and "used for customer 'u'" in other.why
    store.record([event("lost", "loss", "1", campaign="d")])
    assert store.load([look(), look(campaign="d")], "")[0].campaign.reserved == pytest.approx(2.1)


def test_a_decision_is_charged_once_whatever_tells_its_cost(store: Store) -> None:
    store.reserve([bid("1", 2)])
    kinds = ("impression", "impression", "click", "conversion")
    told = [event(f"e{place}", kind, "1", cost=1.5, arm="policy", version="3") for place, kind in enumerate(kinds)]
    assert {one.flag for one in store.record(told)} == {None}
    (state,) = store.load([look()], "3")
    assert (state.campaign.total, state.window.recent.cost, state.outcome("policy").cost) == (1.5, 1.5, 1.5)
    assert (state.window.recent.impressions, state.window.recent.clicks) == (1, 1)
    assert store.record([event("other", "click", "1", cost=1.6)]) == [Receipt(True, "conflict")]
    later, sooner = (event(f"c{at}", "correction", "1", NOW + at, cost=at / 100) for at in (90, 80))
    assert store.record([later, sooner, event("more", "click", "1", cost=7)]) == [Receipt(True)] * 3
    (state,) = store.load([look()], "3")
    assert (state.campaign.total, state.window.recent.cost) == (0.9, 0.9)


def test_a_cost_above_the_bid_is_charged_and_flagged(store: Store) -> None:
    store.reserve([bid("1", 0.1), bid("2", 0.1)])
    assert store.record([event("cpm", "impression", "1", cost=45, promised=0.1)]) == [Receipt(True, "above")]
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.excess, spend.left) == (45, 44.9, 0)
    assert store.reserve([bid("3", 0.01)])[0].status == "refused"


def test_a_refund_nets_with_its_conversion_whichever_is_told_first(store: Store) -> None:
    told = {"arm": "policy", "version": "3"}
    store.record([event("s1", "conversion", "1", value=100, **told), event("r1", "conversion", "1", value=-80, **told)])
    store.record([event("r2", "conversion", "2", value=-80, **told), event("s2", "conversion", "2", value=100, **told)])
    store.record([event("s3", "conversion", "3", value=50, **told)])
    store.record([event(f"r3{one}", "conversion", "3", value=-40, **told) for one in range(2)])
    (state,) = store.load([look()], "3")
    assert (state.window.recent.conversions, state.window.recent.conversion_value) == (3, 40)
    proof = state.outcome("policy")
    assert (proof.conversions, proof.value, proof.value_squared) == (3, 40, pytest.approx(2 * 20**2))


def test_no_number_of_costs_stops_an_account(store: Store) -> None:
    """Thousands of events of the largest amount, on one decision and on many: more than sums can hold."""
    for start in range(0, 4_000, 1_000):
        each = range(start, start + 1_000)
        one = [event(f"one{at}", "correction", "1", NOW + at, cost=1e8 - at % 2) for at in each]
        many = [event(f"m{at}", "conversion", f"o{at % 500}", cost=1e8, value=1e8, arm="policy") for at in each]
        assert {one.flag for one in store.record(one + many)} <= {None, "late", "conflict"}
    (state,) = store.load([look()], "")
    assert state.known and 8.99e9 < state.campaign.total == state.account.total <= 9e9
    assert state.window.recent.conversion_value == state.outcome("policy").value == 9e9
    store.configure("b", "c", CampaignSettings(daily_limit=10.0))
    grants = store.reserve([bid("1", 1), Reservation("1", "b", "c", 1, NOW)])
    assert [one.status for one in grants] == ["again", "reserved"]
    assert store.record([FeedbackEvent("e", "1", "b", "c", "impression", NOW, 0.5)]) == [Receipt(True)]


def test_what_is_expected_to_come_back_is_paced_by_and_not_promised(store: Store, clock: Clock) -> None:
    for one in range(200):
        store.reserve([bid(f"old{one}", 0.5, clock.now)])
        settled = event(f"o{one}", "impression" if one % 10 == 0 else "loss", f"old{one}", clock.now)
        store.record([replace(settled, cost=None if one % 10 else 0.25)])
    store.reserve([bid(f"new{one}", 0.5, clock.now) for one in range(10)])
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.reserved, spend.left) == (5, 5, 0)
    assert spend.remaining == pytest.approx(5 - 5 * 0.05, abs=0.02)
    store.record([event("seen", "impression", "new0")])  # what is known to be won does not come back
    assert store.load([look()], "")[0].campaign.remaining == pytest.approx(5 - 0.5 - 4.5 * 0.05, abs=0.02)


def test_an_event_counts_once_and_a_late_one_in_its_own_time(store: Store) -> None:
    told = event(
        "old", "conversion", at=NOW - 8 * DAY, value=7, arm="policy", version="3", segments={"keyword": "shoes"}
    )
    assert [one.counted for one in store.record([told, told])] == [True, False]
    told_again = store.record([event("new", "click", segments={"keyword": "shoes"}), told])
    assert [one.counted for one in told_again] == [True, False]
    (state,) = store.load([look()], "3")
    assert (state.window.recent.conversions, state.window.past.conversions) == (0, 1)
    assert (state.window.recent.clicks, state.window.past.clicks) == (1, 0)
    assert state.segments["keyword"]["shoes"].window == state.window
    assert (state.outcome("policy").value, state.outcome("policy").value_squared) == (7, 49)
    assert store.load([look()], "4")[0].outcome("policy").value == 0


def test_a_new_day_has_a_new_budget_and_the_total_stays(store: Store) -> None:
    store.record([event("1", "impression", cost=9, at=NOW - DAY)])
    store.record([event("2", "impression", cost=2, at=NOW), event("3", "impression", cost=1, at=NOW - DAY)])
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.total) == (2, 12)


def test_a_clock_that_runs_ahead_opens_no_new_budget(store: Store) -> None:
    store.reserve([bid("1", 10)])
    assert store.reserve([bid("2", 1, at=NOW + 400 * DAY)])[0].status == "refused"
    assert store.load([look(NOW + 400 * DAY)], "")[0].campaign.left == 0
    assert store.reserve([bid("3", 1, at=NOW - 400 * DAY)])[0].status == "refused"


def test_the_kill_switch_takes_effect_on_what_was_already_decided(store: Store) -> None:
    for scope in ({}, {"account_id": "a"}, {"account_id": "a", "campaign_id": "c"}):
        store.kill("it went mad", **scope)
        assert store.load([look()], "")[0].killed == "it went mad"
        (grant,) = store.reserve([bid("1", 1)])
        assert (grant.status, grant.why) == ("refused", "stopped: it went mad")
        store.kill(None, **scope)
        assert store.load([look()], "")[0].killed is None
    assert store.reserve([bid("1", 1)])[0].status == "reserved"


def test_an_override_is_seen_by_the_next_decision(store: Store) -> None:
    said = Override(0.25, "ann", "a launch")
    store.override("a", "c", said)
    assert store.load([look()], "")[0].override == said
    store.override("a", "c", None)
    assert store.load([look()], "")[0].override is None


def test_a_campaign_that_nobody_configured_spends_nothing(store: Store) -> None:
    assert store.load([look(campaign="x")], "")[0].campaign.left == 0
    assert store.reserve([bid("1", 0.01, campaign="x")])[0].status == "refused"


def test_of_two_changes_of_one_state_one_is_made(store: Store) -> None:
    raised = change("1", Action.RAISE_BID, before=1.0, amount=1.2)
    assert store.claim(raised, 0) and store.claim(raised, 0)
    assert not store.claim(change("2", Action.RAISE_BID, at=NOW + 1, before=1.0, amount=1.1), 0)
    assert not store.claim(change("3", Action.LOWER_BID, at=NOW + 1, before=1.2, amount=1.1), 60)
    changes = store.load([look()], "")[0].changes
    assert (changes.multiplier, changes.last_at) == (1.2, NOW)
    assert changes.bid_today == pytest.approx(0.18232, abs=1e-5)


def test_changes_rearrange_segments(store: Store) -> None:
    store.configure("a", "c", CampaignSettings(10.0, shares={"channel": {"x": 0.5, "y": 0.5}}, candidates=("boots",)))
    moved = {"dimension": "channel", "source": "x", "target": "y", "amount": 0.1}
    assert store.claim(change("1", Action.MOVE_BUDGET, **moved), 0)
    assert store.claim(change("2", Action.ADD_KEYWORD, target="boots"), 0)
    assert store.claim(change("3", Action.PAUSE_KEYWORD, target="shoes"), 0)
    assert store.claim(change("4", Action.ROTATE_CREATIVE, dimension="creative", source="old", target="new"), 0)
    (state,) = store.load([look()], "")
    assert [state.segments["channel"][name].share for name in "xy"] == [0.4, 0.6]
    assert {name: one.paused for name, one in state.segments["keyword"].items()} == {"boots": False, "shoes": True}
    assert [state.segments["creative"][name].paused for name in ("old", "new")] == [True, False]
    assert state.changes.moved_today == 0.1


def test_an_offer_to_a_customer_waits_for_the_last_one(store: Store) -> None:
    offer = change("1", Action.RETENTION_OFFER, target="u", amount=5.0)
    assert store.claim(offer, 1000, "customer_id")
    assert not store.claim(change("2", Action.RETENTION_OFFER, at=NOW + 1, target="u", amount=5.0), 1000, "customer_id")
    assert store.load([look(asked="customer")], "")[0].changes.last_at == NOW
    assert store.load([look()], "")[0].changes.last_at is None


def test_a_customer_is_shown_a_creative_at_most_so_often_a_day_by_all_workers(
    store: Store, opened: Callable[[], Store], clock: Clock
) -> None:
    workers = [store, opened()]
    grants = [workers[one % 2].expose([exposure(str(one), "red")])[0] for one in range(4)]
    assert [one.status for one in grants] == ["reserved", "reserved", "refused", "refused"]
    assert "was shown 'red' 2 times today" in grants[2].why
    assert store.load([look(asked="creative")], "")[0].shown == {"red": 2}
    shown = [exposure("5", "blue"), exposure("6", "red", customer="v"), exposure("7", "red", customer=None)]
    assert [one.status for one in store.expose(shown)] == ["reserved"] * 3
    clock.now += DAY
    tomorrow = exposure("8", "red", at=clock.now)
    assert store.expose([tomorrow])[0].status == "reserved"
    assert store.load([look(clock.now, "creative")], "")[0].shown == {"red": 1}


def test_a_repeated_exposure_counts_once_and_names_what_was_shown(store: Store) -> None:
    assert store.expose([exposure("1", "red")])[0].status == "reserved"
    again = store.expose([exposure("1", "blue")])[0]
    assert (again.status, again.why) == ("again", "red")
    store.record([event("i", "impression", "1", arm="red", purpose="choice", decided_at=NOW)])
    assert store.expose([exposure("1", "blue")])[0].why == "red"
    assert store.load([look(asked="creative")], "")[0].shown == {"red": 1}


def test_nothing_is_shown_once_stopped(store: Store) -> None:
    store.kill("odd", "a", "c")
    assert store.expose([exposure("1", "red")])[0].why == "stopped: odd"


def test_what_came_of_a_creative_is_counted_by_the_time_it_was_chosen(store: Store, clock: Clock) -> None:
    told = {"arm": "red", "purpose": "choice"}
    first = [event(f"i{one}", "impression", f"o{one}", decided_at=NOW, **told) for one in range(3)]
    store.record([*first, event("c", "click", "o1", NOW + 60, decided_at=NOW, **told)])
    (state,) = store.load([look(asked="creative")], "")
    assert (state.arms["red"].recent.impressions, state.arms["red"].recent.clicks) == (3, 1)
    assert state.window.recent.impressions == 0  # nothing was bid for
    clock.now += 2 * PARAMS.keeping.rewards_s
    at = clock.now
    late = event("s", "conversion", "o1", at, decided_at=NOW, value=20.0, **told)
    store.record([late, late, event("j", "impression", "p", at, decided_at=at, **told)])
    (state,) = store.load([look(at, "creative")], "")
    past, recent = state.arms["red"].past, state.arms["red"].recent
    assert (past.impressions, past.clicks, past.conversions, past.conversion_value) == (3, 1, 1, 20.0)
    assert (recent.impressions, recent.clicks, recent.conversions) == (1, 0, 0)


def test_a_creative_rests_until_it_is_shown_again(store: Store) -> None:
    store.configure("a", "c", CampaignSettings(resting={"red": "its click rate fell", "blue": "the season is over"}))
    store.configure("a", "c", CampaignSettings(resting={"blue": ""}, daily_limit=5.0))
    assert store.load([look(asked="creative")], "")[0].resting == {"red": "its click rate fell"}


def test_a_fast_clock_that_was_set_back_hides_no_evidence(store: Store, clock: Clock) -> None:
    fast = NOW + 100 * PARAMS.keeping.rewards_s
    clock.now = fast
    store.record([event("i", "impression", "o", fast, decided_at=fast, arm="red", purpose="choice")])
    clock.now = NOW
    store.reset_clock("a")
    store.record([event("j", "impression", "p", arm="red", purpose="choice", decided_at=NOW)])
    (state,) = store.load([look(asked="creative")], "")
    assert state.arms["red"].recent.impressions == 2


def test_state_survives_a_restart(store: Store, opened: Callable[[], Store]) -> None:
    store.reserve([bid("1", 4)])
    before = store.load([look()], "")[0]
    after = opened().load([look()], "")[0]
    assert after.campaign == before.campaign and after.window == before.window


def test_what_is_not_named_is_kept(store: Store) -> None:
    store.configure("a", "c", CampaignSettings(daily_limit=20.0))
    store.limit("a", daily_limit=30.0, limit=300.0)
    store.limit("a", limit=None)
    (state,) = store.load([look()], "")
    assert (state.campaign.daily_limit, state.campaign.limit, state.target_cpc) == (20.0, 100.0, 0.5)
    assert (state.account.daily_limit, state.account.limit) == (30.0, None)
    store.configure("a", "c", CampaignSettings(limit=None, target_cpc=None))
    (state,) = store.load([look()], "")
    assert (state.campaign.daily_limit, state.campaign.limit, state.target_cpc) == (20.0, None, None)


def test_everything_that_stands_can_be_listed(store: Store) -> None:
    assert [(one.account_id, one.campaign_id) for one in store.budgets()] == [("a", "c")]
    store.limit("a", daily_limit=30.0)
    store.limit("b*", daily_limit=5.0)
    store.configure("b*", "d", CampaignSettings(daily_limit=1.0))
    store.reserve([bid("1", 4.0)])
    store.override("a", "c", Override(0.3, "ann", "launch"))
    store.kill("odd", "b*")
    found = {(one.account_id, one.campaign_id): one for one in store.budgets()}
    assert list(found) == [("a", None), ("b*", None), ("a", "c"), ("b*", "d")]
    campaign, account = found["a", "c"], found["a", None]
    assert (campaign.spend.reserved, campaign.spend.left, campaign.target_cpc) == (4.0, 6.0, 0.5)
    assert campaign.override == Override(0.3, "ann", "launch") and campaign.killed is None
    assert (account.spend.reserved, account.spend.daily_limit, found["b*", None].killed) == (4.0, 30.0, "odd")
    assert [one.campaign_id for one in store.budgets("b*")] == [None, "d"] and store.budgets("b") == []
    assert store.stopped() is None
    store.kill("audit")
    assert store.stopped() == "audit"
