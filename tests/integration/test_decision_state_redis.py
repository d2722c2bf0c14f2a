"""What is Redis's alone: it goes away, holds what another version or nobody wrote, and forgets."""

import time

import pytest
import redis

from serving.decisions.state.redis import RedisStore
from serving.decisions.state.store import CampaignSettings, Receipt, StoreUnavailable
from tests.integration.asked_of_store import DAY, NOW, PARAMS, Clock, bid, event, look


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_redis_that_goes_away_is_said_and_its_return_is_noticed(redis_server) -> None:
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS)
    store.configure("a", "c", CampaignSettings(daily_limit=10.0))
    store.reserve([bid("1", 4)])
    redis_server.stop()
    for ask in (lambda: store.load([look()], ""), lambda: store.reserve([bid("2", 1)])):
        with pytest.raises(StoreUnavailable):
            ask()
    redis_server.start()
    time.sleep(0.25)
    assert store.load([look()], "")[0].campaign.reserved == 4


def test_reservations_that_an_earlier_version_left_in_redis_stay_set_aside(redis_server, clock: Clock) -> None:
    own, today = "adloop:decisions:{a}", int(NOW // DAY)
    with redis.Redis(port=redis_server.port) as client:
        spent = {"day": today, "today": 1_000_000, "total": 5_000_000, "reserved": 4_000_000}
        client.hset(f"{own}:campaign:c", mapping={"daily_limit": 10_000_000, **spent})
        client.hset(f"{own}:account", mapping=spent)
        for name, amount in (("1", 3_000_000), ("allowance:1", 1_000_000)):
            client.zadd(f"{own}:open", {name: NOW + 200})
            client.hset(f"{own}:reservation:{name}", mapping={"campaign": "c", "amount": amount})
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS, clock)
    spend = store.load([look()], "")[0].campaign
    assert (spend.today, spend.total, spend.reserved, spend.left) == (1, 5, 4, 5)
    assert store.reserve([bid("1", 9)])[0].status == "again"
    assert store.record([event("e", "impression", "1", cost=2.5)]) == [Receipt(True)]
    clock.now += PARAMS.keeping.settles_s + PARAMS.keeping.allowance_s + 1
    spend = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS, clock).load([look()], "")[0].campaign
    assert (spend.total, spend.reserved, spend.reserved_before) == (7.5, 0, 0)
    with redis.Redis(port=redis_server.port) as client:
        assert not client.keys(f"{own}:reservation:*") and not client.exists(f"{own}:open")
        client.set("adloop:decisions:version", 99)
    with pytest.raises(StoreUnavailable, match=r"version 99 of a later adloop"):
        RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS).load([look()], "")


def test_a_campaign_in_redis_that_cannot_be_read_stops_no_other(redis_server) -> None:
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS)
    for campaign in "cde":
        store.configure("a", campaign, CampaignSettings(daily_limit=10.0))
    store.reserve([bid("1", 1, campaign=campaign) for campaign in "cde"])
    with redis.Redis(port=redis_server.port) as client:
        client.set("adloop:decisions:{a}:campaign:c", "torn")
        client.hset("adloop:decisions:{a}:campaign:d", "held", "torn")
    assert [one.known for one in store.load([look(campaign=campaign) for campaign in "cde"], "")] == [
        False,
        False,
        True,
    ]
    grants = store.reserve([bid("2", 1, campaign=campaign) for campaign in "cde"])
    assert [one.status for one in grants] == ["refused", "refused", "reserved"] and "are unreadable" in grants[0].why
    told = [event(f"e{campaign}", "impression", "1", cost=0.5, campaign=campaign) for campaign in "cde"]
    assert [one.flag for one in store.record(told)] == ["broken", "broken", None]
    assert store.load([look(campaign="e")], "")[0].campaign.total == 0.5


def test_redis_forgets_what_nothing_came_of(redis_server) -> None:
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS)
    store.configure("a", "c", CampaignSettings(daily_limit=1000.0))
    store.reserve([bid(str(one), 1) for one in range(100)])
    store.record([event(f"l{one}", "loss", str(one)) for one in range(90)])
    store.record([event(f"w{one}", "impression", str(one), cost=0.5) for one in range(90, 95)])
    with redis.Redis(port=redis_server.port) as client:
        assert client.zcard("adloop:decisions:{a}:holds") == 5
        lasts = [client.ttl(key) for key in client.keys("adloop:decisions:{a}:hold:*")]
    assert lasts.count(-1) == 5 and sum(0 < one <= PARAMS.keeping.remembered_s for one in lasts) == 5
