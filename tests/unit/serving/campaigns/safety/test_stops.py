"""After the kill switch no call leaves, whatever it would do."""

from pathlib import Path

import pytest

from serving.campaigns.safety import gate
from serving.integrations.apply import apply
from serving.integrations.change import Change
from tests.unit.serving.campaigns.home import TestClock, approved, opened
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform


def pauses(count: int, campaign: str = "") -> list[Change]:
    return [
        Change(
            *(f"pause-{number}", "google_ads", "1234567890", "keyword", "update", {"status": "paused"}),
            *("waste", "rules", f"keyword-{number}"),
            campaign=campaign,
        )
        for number in range(1, count + 1)
    ]


def with_keywords(count: int) -> MemoryPlatform:
    platform = MemoryPlatform(batch=1)
    platform.send(
        [
            Change(f"k{one}", "google_ads", platform.account, "keyword", "create", {"status": "live"}, "r", "b")
            for one in range(count)
        ]
    )
    platform.log.clear()
    return platform


def test_no_call_leaves_after_the_kill_switch_and_what_was_under_way_is_reconciled(tmp_path: Path) -> None:
    clock, platform = TestClock(), with_keywords(3)
    known = opened(tmp_path, clock)
    known.ledger.intend(pauses(3), clock())

    def killed_after_the_first() -> None:
        known.stops.kill("odd spend")

    platform.sending = killed_after_the_first
    applied = apply(platform, known.ledger, gate.of(known), clock)
    assert platform.log == [("keyword", "update", "paused")]
    assert applied.confirmed == ["pause-1"]
    assert applied.waiting["pause-2"].startswith("everything is stopped: odd spend; adloop kill --lift")
    known.stops.kill(None)
    platform.sending = lambda: None
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["pause-2", "pause-3"]


@pytest.mark.parametrize(("account", "campaign"), [("shop", None), ("shop", "malt-spring")])
def test_the_stop_of_an_account_or_campaign_holds_at_platforms(
    tmp_path: Path, account: str, campaign: str | None
) -> None:
    known = opened(tmp_path, TestClock())
    approved(known)
    (change,), (other,) = pauses(1, "malt-spring"), pauses(1)
    known.stops.kill("too dear", account, campaign)
    assert "is stopped: too dear" in str(gate.of(known)(change))
    assert gate.of(known)(other) is None
