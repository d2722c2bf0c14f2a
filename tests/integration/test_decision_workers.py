"""One budget and many workers, killed at any point; and a store that goes away under load."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.decisions.decide import decide, withheld
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.records import Action, Decision, Predictions
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.store import CampaignSettings, FeedbackEvent, Reservation, Store, StoreUnavailable
from tests.integration.probe_decisions import opened, short

ROOT = Path(__file__).parents[2]
LIMIT = 3.0
LOOK = Review("look", time.time(), "a", "c")


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where workers find the store: one campaign, of `LIMIT` in all."""
    where = str(tmp_path / "state.db")
    if request.param == "redis":
        where = f"redis://127.0.0.1:{request.getfixturevalue('redis_server').port}/0"
    opened(where).configure("a", "c", CampaignSettings(daily_limit=1000.0, limit=LIMIT))
    return where


@pytest.fixture
def hire(place: str, tmp_path: Path):
    """Starts a worker; its output goes to a file, so that it is not lost with it."""
    workers: list[subprocess.Popen[bytes]] = []

    def start(name: str, seconds: float) -> tuple[subprocess.Popen[bytes], Path]:
        told = tmp_path / f"{name}.txt"
        command = [sys.executable, str(Path(__file__).with_name("probe_decisions.py")), place, name, str(seconds)]
        with told.open("wb") as out:
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            workers.append(subprocess.Popen(command, stdout=out, cwd=ROOT, env=environment))
        return workers[-1], told

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def paid(told: Path, what: str) -> float:
    """What a worker said; a line that was torn by its end was not said."""
    lines = [line.split() for line in told.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return sum(float(line[1]) for line in lines if line[0] == what)


def working(told: Path, within_s: float = 30) -> None:
    until = time.monotonic() + within_s
    while "paid" not in told.read_text():
        assert time.monotonic() < until, "the worker does not begin"
        time.sleep(0.02)


def spend(store: Store):
    return store.load([LOOK], "")[0].campaign


def test_workers_share_one_budget_to_the_last_millionth(place: str, hire: Callable) -> None:
    hired = [hire(f"w{one}", 2.5) for one in range(3)]
    store = opened(place)
    while any(worker.poll() is None for worker, _ in hired):
        now = spend(store)
        assert now.total + now.reserved <= LIMIT + 1e-9
        time.sleep(0.02)
    assert [worker.returncode for worker, _ in hired] == [0, 0, 0]
    time.sleep(1.05)
    now = spend(store)
    assert now.reserved == 0
    assert now.total == pytest.approx(sum(paid(told, "paid") for _, told in hired), abs=1e-9)
    assert 0.9 * LIMIT < now.total <= LIMIT  # they spent it, too


def test_a_worker_killed_at_any_point_neither_spends_twice_nor_loses(place: str, hire: Callable) -> None:
    rng, said = random.Random(5), []
    opened(place).configure("a", "c", CampaignSettings(daily_limit=1000.0, limit=None))
    for one in range(4):
        worker, told = hire(f"k{one}", 60)
        working(told)
        time.sleep(rng.uniform(0, 0.05))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        said.append(told)
    time.sleep(1.05)
    now = spend(opened(place))
    least, most = (sum(paid(told, what) for told in said) for what in ("paid", "paying"))
    assert least - 1e-9 <= now.total <= most + 1e-9
    assert now.reserved == 0
    assert opened(place).reserve([Reservation("next", "a", "c", 0.01, time.time())])[0].status == "reserved"


def answer(store: Allowance, name: str) -> Decision:
    """What an endpoint does for one request."""
    asked = Auction(name, time.time(), "a", "c")
    (state,) = store.load([asked], "3")
    made = decide(asked, Predictions({"policy_bid": 0.03, "baseline_bid": 0.02}), state, short(), 1)
    if made.action is not Action.BID:
        return made
    (grant,) = store.reserve([Reservation(name, "a", "c", made.amount, asked.occurred_at)])
    return made if grant.status == "reserved" else withheld(made, grant.why)


def test_redis_stopped_and_started_under_load(redis_server) -> None:
    params = short(30)
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", params)
    store.configure("a", "c", CampaignSettings(daily_limit=20.0))
    front = Allowance(store, params)
    before = [answer(front, f"b{one}") for one in range(50)]
    redis_server.stop()
    away = [answer(front, f"a{one}") for one in range(50)]
    redis_server.start()
    time.sleep(0.25)
    after = [answer(front, f"c{one}") for one in range(50)]
    assert {one.arm for one in before} <= {"policy", "baseline"} and {one.action for one in before} == {Action.BID}
    placed = [one for one in away if one.action is Action.BID]
    assert {one.arm for one in away} == {"fallback"} and {one.amount for one in placed} == {0.01}
    # No more than the allowance, a hundredth of the day's budget, and all of that.
    assert sum(one.amount for one in placed) == pytest.approx(0.2, abs=0.01)
    assert {one.arm for one in after} <= {"policy", "baseline"} and {one.action for one in after} == {Action.BID}
    # What was promised before is still promised, and so is the allowance.
    promised = sum(one.amount for one in before + after)
    assert spend(store).reserved == pytest.approx(promised + 0.2, abs=1e-6)
    won = [
        FeedbackEvent(
            f"e{one.opportunity_id}", one.opportunity_id, "a", "c", "impression", time.time(), cost=one.amount
        )
        for one in before + placed + after
    ]
    assert all(one.counted for one in store.record(won)) and not any(one.counted for one in store.record(won))
    assert spend(store).total == pytest.approx(promised + sum(one.amount for one in placed), abs=1e-6)


def test_what_was_stopped_gets_no_allowance(redis_server) -> None:
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", short(30))
    store.configure("a", "c", CampaignSettings(daily_limit=20.0))
    front = Allowance(store, short(30))
    answer(front, "1")
    store.kill("enough", "a", "c")
    assert answer(front, "2").arm == "killed"
    redis_server.stop()
    assert answer(front, "3").action is Action.HOLD
    with pytest.raises(StoreUnavailable):
        store.record([FeedbackEvent("e", "1", "a", "c", "loss", time.time())])
