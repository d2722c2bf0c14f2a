"""What bounds every automatic change: approvals, the account's limit, rates and steps, quality scores."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving.campaigns.approvals import approve
from serving.campaigns.launch import launch, settle
from serving.campaigns.parts import LaunchNumbers, parts
from serving.campaigns.safety import gate
from serving.campaigns.safety.attempts import human_triggers
from serving.campaigns.safety.guard import Guarded
from serving.campaigns.safety.stepping import intend
from serving.integrations.apply import apply
from serving.integrations.change import Change
from serving.integrations.ledger import KnownObject
from tests.unit.serving.campaigns.home import TestClock, approved, opened
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform

HOUR = 3600.0


def change(change_id: str = "c", object: str = "campaign", target: str = "campaign-1", **fields: Any) -> Change:
    doing = "update" if target else "create"
    return Change(change_id, "google_ads", "1234567890", object, doing, fields, "cheaper clicks", "rules", target)  # type: ignore[arg-type]


def standing(known: Guarded, object: str = "campaign", place: str = "campaign-1", **fields: Any) -> None:
    known.ledger.see([KnownObject("google_ads", "1234567890", object, place, fields)])


def at_platform(known: Guarded, object: str = "campaign", **fields: Any) -> MemoryPlatform:
    platform = MemoryPlatform()
    platform.send([change("made", object, "", **fields)])
    standing(known, object, f"{object}-1", **fields)
    return platform


def test_a_raise_of_80_percent_leaves_as_a_step_of_20_and_the_rest_is_queued(tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    platform = at_platform(known, daily_budget=100.0, status="live")
    intend(known, [change(daily_budget=180.0)])
    applied = apply(platform, known.ledger, gate.of(known), clock)
    budgets = [entry.change.fields["daily_budget"] for entry in known.ledger.entries()]
    assert budgets == [120.0, 144.0, 172.8, 180.0]
    assert applied.confirmed == ["c/step-1", "c/step-2"]  # 144 of 100 is within the 50% of a day
    assert applied.waiting["c/step-3"] == "daily_budget from 100 to 172.8 within a day, at most 50%"
    assert platform.shown["campaign-1"].fields["daily_budget"] == 144.0
    clock.sleep(24 * HOUR + 1)
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["c/step-3", "c/step-4"]
    assert platform.shown["campaign-1"].fields["daily_budget"] == 180.0


def test_a_step_that_is_too_large_waits(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    standing(known, daily_budget=100.0, status="live")
    asked = gate.of(known)
    assert asked(change(daily_budget=121.0)) == "daily_budget from 100 to 121: a step of 21%, at most 20% at once"
    assert asked(change(daily_budget=79.0)) == "daily_budget from 100 to 79: a step of 21%, at most 20% at once"
    assert asked(change(daily_budget=120.0)) is None
    assert asked(replace(change(daily_budget=200.0), undoes="earlier")) is None
    assert asked(change(status="paused")) is None


def test_few_changes_of_an_object_leave_in_an_hour(tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    platform = at_platform(known, "ad_group", bid=1.0, status="live")
    bids = [change(f"b{number}", "ad_group", "ad_group-1", bid=1 + number / 100) for number in range(1, 7)]
    known.ledger.intend(bids, clock())
    applied = apply(platform, known.ledger, gate.of(known), clock)
    assert applied.confirmed == ["b1", "b2", "b3", "b4"]
    assert applied.waiting["b5"] == "4 changes of this ad_group in the last hour, at most 4"
    clock.sleep(HOUR + 1)
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["b5", "b6"]


def test_live_budgets_of_an_account_stay_within_its_limit(tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    known.stops.limit("1234567890", 200.0)
    standing(known, daily_budget=100.0, status="live")
    standing(known, place="campaign-2", daily_budget=90.0, status="live")
    standing(known, place="campaign-3", daily_budget=500.0, status="paused")
    asked = gate.of(known)
    assert asked(change(daily_budget=110.0)) is None
    first, second = change("first", daily_budget=110.0), change("second", target="campaign-2", daily_budget=91.0)
    known.ledger.intend([first, second], clock())
    assert asked(first) is None
    assert asked(second) == (
        "account 1234567890: 110 a day of live campaigns and 91 of this one are above its daily limit 200"
        " (adloop budget 1234567890 --daily AMOUNT)"
    )


def test_a_launch_waits_where_the_account_has_no_room(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    known.stops.limit("shop", 50.0)
    version = approved(known)
    wanted = parts(version.plan, "google_ads", platform.capabilities, LaunchNumbers())
    launch(known.lives, known.ledger, version, {"google_ads": wanted}, "ann", "go", clock())
    waiting = apply(platform, known.ledger, gate.of(known), clock).waiting
    assert list(waiting) == ["campaign/malt-spring/v1/launch/google_ads/live"]
    assert "account shop: 0 a day of live campaigns and 60 of this one" in next(iter(waiting.values()))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (change(daily_budget=61.0), "daily_budget 61: malt-spring version 1 was approved with 60"),
        (change(object="ad_group", bid=2.6), "bid 2.6: malt-spring version 1 was approved with bids up to 2.5"),
        (change(status="live"), "malt-spring version 1: is approved; only an approved campaign is set live"),
    ],
)
def test_changes_of_a_campaign_stay_within_what_was_approved(tmp_path: Path, asked: Change, said: str) -> None:
    known = opened(tmp_path, TestClock())
    approved(known)
    standing(known, daily_budget=59.0, bid=2.5)
    standing(known, "ad_group", bid=2.5)
    assert str(gate.of(known)(replace(asked, campaign="malt-spring"))).startswith(said)


def test_campaigns_come_from_plans_and_large_budgets_from_people(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    standing(known, daily_budget=900.0, status="live")
    asked = gate.of(known)
    assert "by a plan that was approved" in str(asked(change(target="", name="x", status="live")))
    assert "by a plan that was approved" in str(asked(change(target="campaign-2", status="live")))
    assert asked(change(target="", name="x", status="paused")) is None
    assert asked(change(daily_budget=1010.0)) == "daily_budget 1010: from 1000 on, 2 people approve it in a plan"
    assert asked(change(daily_budget=990.0)) is None


def test_quality_scores_are_protected(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    standing(known, "keyword", "poor", bid=1.0, quality_score=3)
    standing(known, "keyword", "good", bid=1.0, quality_score=9)
    asked = gate.of(known)
    assert "quality score 3 is below 5" in str(asked(change(object="keyword", target="poor", bid=1.1)))
    assert asked(change(object="keyword", target="poor", bid=0.9)) is None
    assert asked(change(object="keyword", target="good", bid=1.1)) is None
    pause = change(object="keyword", target="good", status="paused")
    assert asked(pause) is None
    assert "a person pauses it" in str(asked(replace(pause, decision_id="d1")))


def test_after_so_many_optimizations_a_person_looks(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    version = approved(known)
    wanted = parts(version.plan, "google_ads", platform.capabilities, LaunchNumbers())
    launch(known.lives, known.ledger, version, {"google_ads": wanted}, "ann", "go", clock())
    apply(platform, known.ledger, gate.of(known), clock)
    (live,) = settle(known.lives, known.ledger, clock())
    group = next(place for place, one in platform.shown.items() if one.object == "ad_group")
    for day in range(1, 7):
        clock.sleep(24 * HOUR)
        for hour in range(2):  # of one day
            bid = change(f"b{day}-{hour}", "ad_group", group, bid=0.8 + day / 100 + hour / 200)
            known.ledger.intend([replace(bid, campaign="malt-spring")], clock())
        applied = apply(platform, known.ledger, gate.of(known), clock)
        assert len(applied.confirmed) == (2 if day <= 5 else 0)
    said = "5 optimizations since a person looked: adloop campaign approve malt-spring"
    assert applied.waiting["b6-0"] == said
    assert [one.partition(" (")[0] for one in human_triggers(live, known)] == [said.partition(":")[0]]
    approve(known.lives, live, "bob", "goes on", known.policy, clock())
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["b6-0", "b6-1"]


def test_unsafe_words_wait_with_their_rule_whoever_wrote_them(tmp_path: Path) -> None:
    asked = gate.of(opened(tmp_path, TestClock()))
    ad = change(object="ad", target="", headlines=["Shoes", "Hot singles near you"], url="https://shop.example")
    assert str(asked(ad)) == "headlines: 'Hot singles': sexual services or pornography (brand.adult)"
    assert "(brand.violence)" in str(asked(change(object="keyword", target="", keyword="school shooting")))
    assert asked(change(object="negative_keyword", target="", keyword="school shooting")) is None
