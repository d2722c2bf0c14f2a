"""Campaigns move only as they may, a changed file begins again, and no line of what happened can be altered."""

import sqlite3
from pathlib import Path

import pytest

from serving.campaigns.approvals import NotApproved, approve, need
from serving.campaigns.life import WrongState
from tests.unit.serving.campaigns.home import TestClock, approved, checked, opened, planned

HOUR = 3600.0


def test_a_campaign_goes_through_its_life_and_each_step_has_who_when_and_why(tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    version = approved(known)
    for state in ("live", "paused", "live", "ended", "archived"):
        clock.sleep(10)
        version = known.lives.move(version, state, "ann", f"to {state}", clock())
    told = [(one.what, one.who) for one in known.lives.events("malt-spring")]
    assert told == [
        *(("draft", "ann"), ("checked", "ann"), ("approval", "bob"), ("approved", "bob")),
        *((state, "ann") for state in ("live", "paused", "live", "ended", "archived")),
    ]
    assert known.lives.events()[-1].at == clock() and known.lives.events()[-1].why == "to archived"
    with pytest.raises(WrongState, match="is archived; expected approved or paused before it can be live"):
        known.lives.move(version, "live", "ann", "again", clock())


def test_the_same_file_is_the_same_version_and_a_changed_one_begins_again(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    first = approved(known)
    assert planned(known, who="cleo").version == first.version
    second = planned(known, **{"daily: 60": "daily: 70"})
    assert (second.version, second.state) == (2, "draft")
    assert known.lives.version("malt-spring", 1).state == "ended"
    with pytest.raises(WrongState, match="is draft; expected approved"):
        need(known.lives, "malt-spring", known.policy, known.now())
    with pytest.raises(NotApproved, match="version 1: was replaced by version 2"):
        approve(known.lives, first, "bob", "fine", known.policy, known.now())
    with pytest.raises(NotApproved, match="replaced by version 2"):
        need(known.lives, "malt-spring", known.policy, known.now(), 1)


def test_a_running_version_stays_while_the_next_one_is_written(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    known.lives.move(approved(known), "live", "ann", "go", known.now())
    planned(known, **{"daily: 60": "daily: 70"})
    running = known.lives.running("malt-spring")
    assert running is not None and running.version == 1 and running.plan.budget.daily == 60


def test_nobody_approves_their_own_campaign(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    with pytest.raises(NotApproved, match="ann wrote it; another person approves"):
        approve(known.lives, checked(known), "ann", "fine", known.policy, known.now())


def test_an_approval_expires(tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    approved(known)
    clock.sleep(known.policy.approval_h * HOUR - 1)
    assert need(known.lives, "malt-spring", known.policy, clock()).version == 1
    clock.sleep(2)
    with pytest.raises(NotApproved, match="0 of 1 approvals; an approval expired"):
        need(known.lives, "malt-spring", known.policy, clock())
    approve(known.lives, known.lives.newest("malt-spring"), "bob", "still fine", known.policy, clock())
    assert need(known.lives, "malt-spring", known.policy, clock()).version == 1


def test_a_larger_budget_needs_two_people_and_a_role(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    policy = known.policy.model_copy(update={"roles": {"finance": ("dora",)}})
    version = checked(known, **{"daily: 60, total: 1800": "daily: 1200"})
    for person in ("bob", "bob", "cleo"):
        version = approve(known.lives, version, person, "fine", policy, known.now())
        assert version.state == "checked"
    version = approve(known.lives, version, "dora", "in the budget", policy, known.now())
    assert version.state == "approved"


def test_a_draft_is_not_approved_before_its_checks(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    with pytest.raises(WrongState, match="is draft; expected checked"):
        approve(known.lives, planned(known), "bob", "fine", known.policy, known.now())


def test_an_altered_or_removed_line_is_named(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    checked(known)
    known.lives.close()
    with sqlite3.connect(tmp_path / "campaigns" / "campaigns.db") as db:
        db.execute("UPDATE events SET line = replace(line, 'ann', 'eve') WHERE seq = 2")
    with pytest.raises(ValueError, match="line 2 of the life of campaigns was altered or removed"):
        known.lives.events()


def test_unknown_campaigns_are_told_with_those_there_are(tmp_path: Path) -> None:
    known = opened(tmp_path, TestClock())
    planned(known)
    with pytest.raises(LookupError, match=r"no campaign 'autumn'.*there are: malt-spring"):
        known.lives.newest("autumn")
