"""What fails is tried again after pauses that double, and after a while of health from the first one on."""

import pytest

from serving.health.backoff import FIRST_S, LONGEST_S, STEADY_S, Backoff


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_pauses_double_up_to_the_longest() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    assert backoff.due
    waits = []
    for _ in range(12):
        backoff.tried()
        backoff.failed()
        waits.append(backoff.wait_s)
        assert not backoff.due
        clock.now += backoff.wait_s
        assert backoff.due
    assert waits[:4] == pytest.approx([FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S])
    assert waits[-1] == LONGEST_S
    assert backoff.failures == backoff.total == 12


def test_a_while_of_health_forgets_failures_and_counts_on() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(5):
        backoff.tried()
        backoff.failed()
    clock.now += LONGEST_S
    backoff.tried()
    clock.now += STEADY_S + 1
    backoff.failed()
    assert (backoff.failures, backoff.total) == (1, 6)
    assert backoff.wait_s == pytest.approx(FIRST_S)
