"""A launch is one launch, spends nothing before all of it is there, and later versions change only what differs."""

from pathlib import Path
from typing import Any

import pytest

from serving.campaigns.launch import ask, asked, created, launch, settle
from serving.campaigns.life import CampaignVersion, WrongState
from serving.campaigns.parts import CannotRun, LaunchNumbers, parts, tracked
from serving.campaigns.safety import gate
from serving.campaigns.safety.guard import Guarded
from serving.integrations.apply import apply
from serving.integrations.change import PlatformFault
from serving.integrations.platform import Capability
from tests.unit.serving.campaigns.home import TestClock, approved, opened
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform


def launched(known: Guarded, version: CampaignVersion, platform: MemoryPlatform, who: str = "ann") -> list[str]:
    wanted = parts(version.plan, "google_ads", platform.capabilities, LaunchNumbers())
    return launch(known.lives, known.ledger, version, {"google_ads": wanted}, who, "spring begins", known.now())


def brought(known: Guarded, platform: MemoryPlatform, clock: TestClock) -> dict[str, str]:
    waiting = apply(platform, known.ledger, gate.of(known), clock).waiting
    settle(known.lives, known.ledger, clock())
    return waiting


def state(known: Guarded) -> str:
    return known.lives.newest("malt-spring").state


def shown(platform: MemoryPlatform, object: str) -> list[dict[str, Any]]:
    return [dict(one.fields) for one in platform.objects(object)]


def test_a_campaign_is_created_paused_and_set_live_last(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    launched(known, approved(known), platform)
    assert state(known) == "approved"  # nothing is live before the platform says so
    assert brought(known, platform, clock) == {}
    assert platform.log[0] == ("campaign", "create", "paused")
    assert platform.log[-1] == ("campaign", "update", "live")
    assert sorted(object for object, doing, _ in platform.log if doing == "create") == [
        *("ad", "ad_group", "campaign", "keyword", "keyword", "negative_keyword", "negative_keyword")
    ]
    assert state(known) == "live"
    (campaign,), (ad,) = shown(platform, "campaign"), shown(platform, "ad")
    assert (campaign["daily_budget"], campaign["starts_at"]) == (60.0, "2027-02-28T23:00:00Z")
    assert ad["url"] == "https://shop.example/malt?utm_source=google&utm_medium=cpc&utm_campaign=malt-spring"


def test_the_same_launch_is_one_launch_whoever_asks(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    version = approved(known)
    assert len(launched(known, version, platform)) == 8
    assert launched(known, version, platform, who="cleo") == []


def test_nothing_spends_while_a_part_was_refused(tmp_path: Path) -> None:
    clock = TestClock()
    platform = MemoryPlatform(
        refuses=lambda change: PlatformFault("policy", "disapproved") if change.object == "ad" else None
    )
    known = opened(tmp_path, clock)
    version = approved(known)
    launched(known, version, platform)
    (why,) = brought(known, platform, clock).values()
    assert why == (
        "nothing spends before all parts are confirmed: "
        "campaign/malt-spring/v1/launch/google_ads/ad:running:light is refused"
    )
    assert [one["status"] for one in shown(platform, "campaign")] == ["paused"] and state(known) == "approved"
    found = asked(known.lives, known.ledger, version)
    assert found is not None and not found.done
    assert list(found.refused.values()) == ["refused: disapproved"]


def test_an_approval_that_expires_before_the_changes_leave_stops_them(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    launched(known, approved(known), platform)
    clock.sleep(known.policy.approval_h * 3600 + 1)
    waiting = brought(known, platform, clock)
    assert platform.log == [] and len(waiting) == 8
    assert "an approval expired" in waiting["campaign/malt-spring/v1/launch/google_ads/campaign"]


def test_pause_resume_and_end_are_asked_of_platforms(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    launched(known, approved(known), platform)
    brought(known, platform, clock)
    for to, status, after in (("paused", "paused", "paused"), ("live", "live", "live"), ("ended", "paused", "ended")):
        ask(known.lives, known.ledger, "malt-spring", to, "ann", "because", clock())  # type: ignore[arg-type]
        assert state(known) != after
        brought(known, platform, clock)
        assert (shown(platform, "campaign")[0]["status"], state(known)) == (status, after)
    with pytest.raises(WrongState, match="is ended, and cannot be live"):
        ask(known.lives, known.ledger, "malt-spring", "live", "ann", "again", clock())


def test_a_draft_can_be_ended_without_a_platform(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    approved(known)
    assert ask(known.lives, known.ledger, "malt-spring", "ended", "ann", "no need", known.now()) == []
    assert state(known) == "ended"


def test_a_new_version_changes_what_differs_and_replaces_the_old_one(tmp_path: Path) -> None:
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path, clock)
    launched(known, approved(known), platform)
    brought(known, platform, clock)
    before = len(platform.shown)
    clock.sleep(3600)
    second = approved(
        known,
        **{
            "daily: 60": "daily: 66",
            "bid: 0.8": "bid: 0.9",
            "          - {text: jobs, match: broad}\n": "",
            "light running shoes": "very light running shoes",
        },
    )
    new = launched(known, second, platform)
    assert {one.removeprefix("campaign/malt-spring/v2/launch/google_ads/") for one in new} == {
        *("campaign", "ad_group:running", "live"),
        "keyword:ad_group:running:phrase:very light running shoes",
        "keyword:ad_group:running:phrase:light running shoes",
        "negative_keyword:campaign:broad:jobs",
    }
    assert brought(known, platform, clock) == {}
    assert len(platform.shown) == before + 1
    assert shown(platform, "campaign")[0]["daily_budget"] == 66.0
    assert [one["keyword"] for one in shown(platform, "keyword") if one["status"] == "live"] == [
        *("birke malt", "very light running shoes")
    ]
    assert [one["keyword"] for one in shown(platform, "negative_keyword") if one["status"] == "removed"] == ["jobs"]
    assert (known.lives.version("malt-spring", 1).state, state(known)) == ("ended", "live")
    assert "keyword:ad_group:running:phrase:light running shoes" not in created(
        known.ledger, "malt-spring", "google_ads"
    )


def test_what_a_platform_cannot_do_is_told_and_not_left_out(tmp_path: Path) -> None:
    platform = MemoryPlatform()
    plan = approved(opened(tmp_path, TestClock())).plan
    able = [one for one in platform.capabilities if one.object != "negative_keyword"]
    with pytest.raises(CannotRun, match="google_ads: cannot create negative_keyword"):
        parts(plan, "google_ads", able, LaunchNumbers())


def test_countries_are_set_where_the_platform_has_them(tmp_path: Path) -> None:
    platform = MemoryPlatform()
    plan = approved(opened(tmp_path, TestClock())).plan
    found = {one.object: one.fields for one in parts(plan, "google_ads", platform.capabilities, LaunchNumbers())}
    assert found["ad_group"]["countries"] == ["GB", "US"] and "countries" not in found["campaign"]
    of_campaign = [
        Capability("campaign", ("create",), (*platform.capabilities[0].fields, "countries")),
        Capability("ad_group", ("create",), ("name", "status", "bid")),
        *platform.capabilities[2:],
    ]
    found = {one.object: one.fields for one in parts(plan, "google_ads", of_campaign, LaunchNumbers())}
    assert found["campaign"]["countries"] == ["GB", "US"] and "countries" not in found["ad_group"]
    (group,) = plan.platforms["google_ads"].ad_groups
    other = group.model_copy(update={"name": "other", "countries": ("DE",)})
    both = plan.platforms["google_ads"].model_copy(update={"ad_groups": (group, other)})
    with pytest.raises(CannotRun, match="expected those of the campaign"):
        parts(plan.model_copy(update={"platforms": {"google_ads": both}}), "google_ads", of_campaign, LaunchNumbers())


def test_parameters_that_a_url_has_stay(tmp_path: Path) -> None:
    plan = approved(opened(tmp_path, TestClock())).plan
    found = tracked("https://shop.example/a?utm_source=own&size=42#top", plan, "google_ads")
    assert found == "https://shop.example/a?utm_source=own&utm_medium=cpc&utm_campaign=malt-spring&size=42#top"
