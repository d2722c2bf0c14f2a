"""The decision endpoint on a Redis that goes away and comes back."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from features.settings import Settings
from serving.decisions.kinds.bid import Auction
from serving.decisions.state.store import CampaignSettings
from tests.integration.conftest import Server
from tests.integration.decision_endpoint import Endpoint, asked


def test_redis_stopped_and_started_under_load(tmp_path: Path, redis_server: Server) -> None:
    """Every request is answered; what is bid while it is away was set aside before; nothing is promised twice."""
    settings = Settings(home=tmp_path / "home", redis_url=f"redis://127.0.0.1:{redis_server.port}/0")
    endpoint = Endpoint(settings)
    limit = 60.0
    endpoint.state.configure("acme", "tight", CampaignSettings(daily_limit=limit))
    stop, answers = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            one = asked(campaign_id="tight", current_bid=1.0)
            for _ in range(2):  # a client that asks again, as one does after a broken connection
                answer = endpoint.post("decisions", one)
                answers.append((time.monotonic(), answer.status_code, answer.json()))
            time.sleep(0.02)

    try:
        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(ask) for _ in range(3)]
            time.sleep(0.5)
            redis_server.stop(signal.SIGTERM)
            away = time.monotonic()
            time.sleep(2)
            back = time.monotonic()
            redis_server.start()
            time.sleep(2)
            stop.set()
            for one in running:
                one.result()
    finally:
        endpoint.server.stop()
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
