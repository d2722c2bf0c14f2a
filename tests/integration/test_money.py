"""No history of bids, offers and what is told of them overspends, on SQLite and on Redis: found by a state machine."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from components.params import load
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Store
from tests.integration.money import CAMPAIGNS, DAY, KINDS, Clock, World

PARAMS = load(Path(__file__).parents[2] / "params.yaml").decisions
workers = st.integers(0, 1)


class Histories(RuleBasedStateMachine):
    """Each example has accounts of its own in one store. Every step is compared with plain sums."""

    connect: Callable[[Clock], Store]
    examples = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        clock = Clock()
        self.world = World(lambda: type(self).connect(clock), clock, PARAMS, f"{next(self.examples)}-")

    @rule(
        worker=workers,
        where=st.sampled_from(list(CAMPAIGNS)),
        purpose=st.sampled_from(["bid", "bid", "bid", "offer"]),
        number=st.integers(0, 9),
        cents=st.integers(1, 250),
        back=st.sampled_from([0.0, 0.0, 60.0, -200.0, -2.0 * DAY, 1.5 * DAY]),
    )
    def ask(self, worker: int, where, purpose, number: int, cents: int, back: float) -> None:
        self.world.ask(worker, where, purpose, number, cents, back)

    @rule(
        worker=workers,
        which=st.integers(0, 99),
        kind=st.sampled_from(KINDS),
        cost=st.none() | st.integers(0, 250) | st.just(10_000),
        value=st.sampled_from([0.0, 20.0, 8.5, -8.5, -50.0]),
        late=st.sampled_from([1.0, 600.0, 7_200.0, 2.0 * DAY, -60.0]),
        name=st.integers(0, 40).map(str),
    )
    def tell(self, worker: int, which: int, kind, cost: int | None, value: float, late: float, name: str) -> None:
        self.world.tell(worker, which, kind, cost, value, late, name)

    @rule(seconds=st.sampled_from([30.0, 900.0, 7_200.0, 22_000.0, DAY, 15.0 * DAY, -3_600.0, -3.0 * DAY]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(worker=workers)
    def restart(self, worker: int) -> None:
        self.world.restart(worker)

    def teardown(self) -> None:
        self.world.check(0)


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_no_history_overspends(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if kind == "redis":
        port = request.getfixturevalue("redis_server").port

    class Here(Histories):
        @staticmethod
        def connect(clock: Clock) -> Store:
            if kind == "redis":
                return RedisStore(f"redis://127.0.0.1:{port}/0", PARAMS, clock)
            return SqliteStore(tmp_path / "state.db", PARAMS, clock)

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Here, settings=settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=slow)
    )
