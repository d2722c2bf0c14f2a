"""The hour of sending: what teaches it, its propensities, and its gain over the fixed hour on simulated recipients."""

from dataclasses import replace
from datetime import UTC, datetime
from math import exp
from pathlib import Path

import numpy as np
import pytest

from serving.campaigns.send_time.gain import SendTimeGain, gain
from serving.campaigns.send_time.hours import HourCounts, SentEmail
from serving.campaigns.send_time.log import WINDOW_S, JudgedEmail, SendTimeLog
from serving.campaigns.send_time.policy import SendHour, SendTimePolicy, draw, propensities, send_at
from serving.integrations.change import Change
from serving.integrations.webhooks.events import Delivery, EventKind, PlatformEvent
from serving.integrations.webhooks.store import EventStore

POLICY = SendTimePolicy()
BEST = {"early": 7, "late": 20}


def simulated(planted: bool, seed: int, customers: int = 450, rounds: int = 10) -> list[JudgedEmail]:
    """E-mails of some weeks: a response comes with 2%, and around a segment's best hour with up to 14%; without a
    planted hour with 5% at any."""
    rng, counts, emails = np.random.default_rng(seed), HourCounts(), list[JudgedEmail]()
    for number in range(rounds):
        sent = list[JudgedEmail]()
        for place in range(customers):
            segment = ("early", "late")[place % 2]
            drawn = draw(POLICY, counts, f"{seed}-{number}-{place}", f"{seed}-{place}", segment)
            chance = 0.02 + 0.12 * exp(-(((drawn.hour - BEST[segment]) / 1.5) ** 2)) if planted else 0.05
            sent.append(JudgedEmail(drawn, bool(rng.random() < chance)))
        for email in sent:  # known by the next week
            counts.add(email.sent)
        emails += sent
    return emails


def test_a_planted_hour_is_found_and_gains_over_the_fixed_one() -> None:
    emails = simulated(planted=True, seed=3)
    found = gain(emails)
    assert found is not None and found.low > 0.01, str(found)
    counts = HourCounts.of(one.sent for one in emails)
    for segment, hour in BEST.items():
        chances = propensities(POLICY, counts, "somebody new", segment)
        assert abs(POLICY.hours[int(np.argmax(chances))] - hour) <= 1


def test_without_a_best_hour_nothing_is_gained() -> None:
    found = gain(simulated(planted=False, seed=4))
    assert found is not None and found.low < 0 < found.high, str(found)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Seed 9: 400 logs of 300 customers whose rates differ, without any gain."""
    rng, held = np.random.default_rng(9), 0
    for _ in range(400):
        rates, emails = rng.beta(2, 30, 300), list[JudgedEmail]()
        for place, rate in enumerate(rates):
            arm = "holdout" if place % 5 == 0 else "learnt"
            drawn = SendHour(str(place), "all", arm, 10, 1.0)
            emails += [JudgedEmail(drawn, bool(one)) for one in rng.random(6) < rate]
        found = gain(emails)
        assert isinstance(found, SendTimeGain)
        held += found.low <= 0 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_propensities_are_those_that_hours_are_drawn_with() -> None:
    counts = HourCounts.of(
        SentEmail("x", "late", hour, responded) for hour in (10, 20) for responded in [hour == 20] * 10 + [False] * 90
    )
    policy = replace(POLICY, holdout=1e-9)
    chances = propensities(policy, counts, "new", "late")
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= policy.explored / len(policy.hours), "no hour is given up"
    drawn = [draw(policy, counts, f"mail-{number}", "new", "late") for number in range(4_000)]
    assert all(one.propensity == chances[policy.hours.index(one.hour)] for one in drawn)
    share = sum(one.hour == 20 for one in drawn) / len(drawn)
    assert share == pytest.approx(chances[policy.hours.index(20)], abs=0.03)
    assert draw(policy, counts, "mail-1", "new", "late") == drawn[1], "a draw can be replayed"


def test_the_holdout_stands_and_keeps_the_fixed_hour() -> None:
    counts = HourCounts()
    arms = [{draw(POLICY, counts, f"{mail}", f"c{place}", "all").arm for mail in range(5)} for place in range(500)]
    assert all(len(one) == 1 for one in arms), "a customer stays in their arm"
    assert sum(one == {"holdout"} for one in arms) == pytest.approx(50, abs=20)
    held = next(place for place, one in enumerate(arms) if one == {"holdout"})
    drawn = draw(POLICY, counts, "mail", f"c{held}", "all")
    assert (drawn.hour, drawn.propensity) == (POLICY.fixed, 1.0)


def test_one_recipient_moves_from_the_segment_only_with_evidence() -> None:
    segment = [SentEmail(f"s{number}", "late", 20, number % 10 == 0) for number in range(400)]
    segment += [SentEmail(f"s{number}", "late", 8, False) for number in range(400)]

    def morning(clicks: int) -> float:
        counts = HourCounts.of([*segment, *(SentEmail("ann", "late", 8, True) for _ in range(clicks))])
        return propensities(POLICY, counts, "ann", "late")[POLICY.hours.index(8)]

    assert morning(0) < 0.02 < morning(5) < morning(15)
    assert morning(15) > 0.5


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"hours": (24,)}, "hours"),
        ({"hours": ()}, "hours"),
        ({"fixed": 3}, "fixed"),
        ({"holdout": 0.0}, "holdout"),
        ({"explored": 1.0}, "explored"),
    ],
)
def test_a_policy_that_cannot_learn_is_refused(fields: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        SendTimePolicy(**fields)  # type: ignore[arg-type]


def test_an_hour_is_of_the_recipients_clock() -> None:
    evening = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
    assert send_at(22, "Europe/Berlin", evening) == datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert send_at(8, "Europe/Berlin", evening) == datetime(2026, 12, 1, 7, tzinfo=UTC)
    forward = datetime(2026, 3, 29, 0, tzinfo=UTC)  # 2 o'clock is left out that day
    assert send_at(2, "Europe/Berlin", forward) == datetime(2026, 3, 30, 0, tzinfo=UTC)


def test_clicks_and_purchases_teach_and_opens_do_not(tmp_path: Path) -> None:
    """Real events through the real store: opens and clicks of machines and of people, and a purchase."""
    log, events, at = SendTimeLog(tmp_path / "send.db"), EventStore(tmp_path / "events.db"), 1_790_000_000.0
    told = list[PlatformEvent]()

    def email(customer: str, *happened: tuple[EventKind, bool, float]) -> None:
        change = Change(customer, "sendgrid", "shop", "email", "send", {"to": "x"}, "a test", "tests")
        log.record(change, SendHour(customer, "all", "learnt", 10, 0.2))
        log.record(change, SendHour(customer, "all", "learnt", 11, 0.9))  # drawn again: the first counts
        for kind, machine, after in (("delivered", False, 0.0), *happened):
            event_id = f"{customer}-{kind}-{machine}"
            told.append(
                PlatformEvent(
                    "sendgrid", "shop", event_id, kind, at + after, customer, change.marker, customer, "spring", machine
                )
            )

    email("opened by machine", ("opened", True, 1))
    email("opened", ("opened", False, 60))
    email("clicked by machine", ("clicked", True, 2))
    email("clicked", ("clicked", False, 600))
    email("clicked late", ("clicked", False, WINDOW_S + 1))
    email("bought")
    events.record(Delivery("sendgrid", tuple(told)))
    assert log.judged(events, at + WINDOW_S - 1) == [], "not judged yet"
    judged = log.judged(events, at + WINDOW_S, bought=lambda customer, *_: customer == "bought")
    assert {one.drawn.customer_id for one in judged if one.responded} == {"clicked", "bought"}
    assert len(judged) == 6 and {(one.drawn.hour, one.drawn.propensity) for one in judged} == {(10, 0.2)}
