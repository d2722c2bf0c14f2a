"""Three endpoints, each with a home of its own, on one Redis: it goes away and comes back; two of them are killed among
traffic and feedback told twice."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from features.records import EVENTS, LOG
from features.settings import Settings
from features.sources.decision_log import came_of
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.entry import read
from serving.decisions.state.store import CampaignSettings
from serving.records import reading
from serving.records.verify import verify
from tests.integration import probe_endpoint as probe
from tests.integration.decision_endpoint import Endpoint, asked
from tests.integration.servers import Server

LIMIT = 1e6
#: Seconds after which an answered decision is on disk and joined, whatever happens to who made it.
SAFE_S = 1.0
#: Seconds between a client's questions: without, they take all the processor from those who answer.
PAUSE_S = 0.06


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, shared_redis: Server) -> Iterator[list[Endpoint]]:
    url = f"redis://127.0.0.1:{shared_redis.port}/0"
    probe.install()
    made = [Endpoint(Settings(home=tmp_path_factory.mktemp("home"), redis_url=url)) for _ in range(3)]
    made[0].state.configure("acme", "many", CampaignSettings(daily_limit=LIMIT, limit=LIMIT))
    yield made
    for one in made:
        one.server.stop()
    probe.remove()


def test_redis_stopped_and_started_under_load(replicas: list[Endpoint], shared_redis: Server) -> None:
    """Every request is answered; what is bid while it is away was set aside before; nothing is promised twice."""
    endpoint, limit = replicas[0], 60.0
    endpoint.state.configure("acme", "tight", CampaignSettings(daily_limit=limit))
    stop, answers = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            one = asked(campaign_id="tight", current_bid=1.0)
            for _ in range(2):  # a client that asks again, as one does after a broken connection
                answer = endpoint.post("decisions", one)
                answers.append((time.monotonic(), answer.status_code, answer.json()))
            time.sleep(0.02)

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(ask) for _ in range(3)]
        time.sleep(0.5)
        shared_redis.stop(signal.SIGTERM)
        away = time.monotonic()
        time.sleep(2)
        back = time.monotonic()
        shared_redis.start()
        time.sleep(2)
        stop.set()
        for one in running:
            one.result()
    assert {status for _, status, _ in answers} == {200}
    while_away = [made for at, _, made in answers if away + 0.5 < at < back]
    assert len(while_away) > 10
    assert all(made["arm"] == "fallback" for made in while_away)
    first: dict[str, float] = {}
    for _, _, made in answers:
        if made["action"] == "bid":
            first.setdefault(made["opportunity_id"], made["amount"])
    promised = sum(first.values())
    spend = endpoint.state.load([Auction("look", time.time(), "acme", "tight")], "")[0].campaign
    assert any(made["arm"] != "fallback" for at, _, made in answers if at > back + 1)
    assert 0 < promised <= spend.reserved + 1e-6 <= limit + 1e-6


@dataclass
class Traffic:
    """Clients that ask any replica and tell what came of it to two; who is not answered asks another."""

    replicas: list[Endpoint]
    made: list[tuple[float, Endpoint, dict[str, Any]]] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event, seed: int) -> None:
        rng, due = random.Random(seed), list[tuple[float, Endpoint, dict[str, Any]]]()
        while not stop.is_set() or due:
            if not stop.is_set():
                one, made = self._asked(rng, "decisions", asked(campaign_id="many"))
                if made["action"] == "bid" and made["arm"] != "fallback":
                    due.append((time.time(), one, made))
                    self.made.append(due[-1])
            while due and (stop.is_set() or due[0][0] < time.time() - SAFE_S):
                self._tell(rng, due.pop(0)[2])
            stop.wait(PAUSE_S)

    def _tell(self, rng: random.Random, made: dict[str, Any]) -> None:
        about = {"account_id": "acme", "decision_id": made["decision_id"], "occurred_at": time.time()}
        events = [
            {**about, "event_id": f"impression {made['decision_id']}", "kind": "impression", "cost": 0.25},
            {**about, "event_id": f"click {made['decision_id']}", "kind": "click"},
        ]
        for order in (events, events[::-1]):
            self._asked(rng, "feedback", order)

    def _asked(self, rng: random.Random, path: str, body: Any) -> tuple[Endpoint, Any]:
        until = time.monotonic() + 60
        while True:
            one = rng.choice(self.replicas)
            try:
                answer = one.post(path, body if path == "decisions" else {"events": body})
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return one, answer.json()
            assert answer is None or answer.status_code in (429, 503), answer.text
            assert time.monotonic() < until
            time.sleep(0.02)


def test_two_kills_lose_and_double_nothing(replicas: list[Endpoint]) -> None:
    traffic, stop = Traffic(replicas), threading.Event()
    clients = [threading.Thread(target=traffic.run, args=(stop, seed)) for seed in range(3)]
    for client in clients:
        client.start()
    down = dict[int, tuple[float, float]]()
    for one in replicas[:2]:
        time.sleep(2)
        killed = time.time()
        one.server.stop(signal.SIGKILL)
        time.sleep(1)
        down[id(one)] = killed, time.time()
        one.server.start()
    time.sleep(1)
    stop.set()
    for client in clients:
        client.join()
    # What was answered in the moment before its maker was killed may be lost with it, and nothing else. A client may
    # note such an answer after the kill, so the moment lasts until the maker is started again.
    at_risk = {
        made["decision_id"]
        for at, one, made in traffic.made
        if id(one) in down and down[id(one)][0] - SAFE_S < at < down[id(one)][1]
    }
    made = {made["decision_id"] for _, _, made in traffic.made}
    (state,) = replicas[2].state.load([Review("look", time.time(), "acme", "many")], "")
    counted = state.window.recent
    assert len(made) - len(at_risk) <= counted.impressions == counted.clicks <= len(made) and len(made) > 100
    assert state.campaign.total == pytest.approx(0.25 * counted.impressions, abs=1e-9)
    for one in replicas:
        one.server.stop()
    homes = [one.settings.home / "decisions" for one in replicas]
    recorded = [read(line).decision.decision_id for home in homes for line in reading.records(home / LOG)]
    assert made - at_risk <= set(recorded)
    assert all(verify(home / LOG) == [] and verify(home / EVENTS) == [] for home in homes)
    told = [set(came_of(home)["decision_id"]) for home in homes]
    assert set.union(*told) == made
    assert all(told)
