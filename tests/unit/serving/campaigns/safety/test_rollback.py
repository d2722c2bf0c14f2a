"""A change for the worse is taken back, and a harmless one is let be, however often somebody looks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.tables import Tables
from serving.campaigns.safety import gate
from serving.campaigns.safety.guard import Guarded
from serving.campaigns.safety.rollback import watch
from serving.campaigns.safety.worse import course
from serving.integrations.apply import apply
from serving.integrations.change import Change
from serving.integrations.ledger import KnownObject
from tests.unit.serving.campaigns.home import NOON, TestClock, opened
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform

DAY = 86_400.0


def test_of_harmless_changes_few_are_ever_called_worse_on_any_of_28_days() -> None:
    drawn, runs = np.random.default_rng(11), 2000
    called = sum(
        bool((effect - half > 0).any())
        for effect, half in (course(drawn.normal(0, 0.3, 28), drawn.normal(0, 0.3, 28)) for _ in range(runs))
    )
    assert called / runs < 0.05


def test_a_rise_of_the_cost_by_two_spreads_is_mostly_seen_within_two_weeks() -> None:
    drawn, runs = np.random.default_rng(12), 500
    seen = sum(
        bool((effect - half > 0).any())
        for effect, half in (course(drawn.normal(0, 0.3, 28), drawn.normal(0.6, 0.3, 14)) for _ in range(runs))
    )
    assert seen / runs > 0.8


def impressions(folder: Path, rise: float, seed: int = 5) -> Tables:
    """Forty days of three campaigns, the first of which converts less by `rise` in the last twelve; all of them sell
    half as much in the last week."""
    drawn, rows = np.random.default_rng(seed), []
    start = pd.Timestamp(NOON, unit="s").normalize() - pd.Timedelta(days=28)
    for day in range(40):
        for campaign in ("campaign-1", "b", "c"):
            rate = 40.0 / (1 + rise * (campaign == "campaign-1" and day > 28)) / (1 + (day > 33))
            rows.append(
                {
                    **{"creative_id": "a", "campaign_id": campaign, "occurred_at": start + pd.Timedelta(days=day)},
                    **{"channel": "google_ads", "impressions": 10_000.0, "clicks": 500.0, "spend": 400.0},
                    "conversions": float(drawn.poisson(rate)),
                }
            )
    pd.DataFrame(rows).to_parquet(folder / "impressions.parquet")
    return Tables(folder)


@pytest.fixture
def changed(tmp_path: Path) -> tuple[Guarded, MemoryPlatform, TestClock]:
    """A home whose only automatic change raised a bid twelve days ago."""
    clock, platform = TestClock(), MemoryPlatform()
    known = opened(tmp_path / "home", clock)
    for object, parent in (("campaign", ""), ("ad_group", "campaign-1")):
        made = Change(
            f"m-{object}", "google_ads", platform.account, object, "create", {"bid": 1.0}, "r", "b", "", parent
        )
        platform.send([made])
    for one in platform.shown.values():
        known.ledger.see(
            [KnownObject("google_ads", platform.account, one.object, one.object_id, one.fields, one.parent)]
        )
    raised = Change(
        *("raise", "google_ads", platform.account, "ad_group", "update", {"bid": 1.2}, "more clicks", "rules"),
        target="ad_group-2",
    )
    known.ledger.intend([raised], clock())
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["raise"]
    clock.sleep(12 * DAY)
    return known, platform, clock


def test_a_change_for_the_worse_is_taken_back_exactly(
    tmp_path: Path, changed: tuple[Guarded, MemoryPlatform, TestClock]
) -> None:
    known, platform, clock = changed
    tables = impressions(tmp_path, rise=0.5)
    (seen,) = watch(known, tables, {"google_ads": platform}, act=False)
    assert (seen.outcome.verdict, seen.campaign, seen.taken_back) == ("worse", "campaign-1", "")
    (found,) = watch(known, tables, {"google_ads": platform})
    assert found.taken_back == "undo:raise" and "a conversion costs +" in found.outcome.said
    assert apply(platform, known.ledger, gate.of(known), clock).confirmed == ["undo:raise"]
    assert platform.shown["ad_group-2"].fields["bid"] == 1.0
    assert watch(known, tables, {"google_ads": platform}) == []


def test_a_bad_week_of_all_campaigns_takes_nothing_back(
    tmp_path: Path, changed: tuple[Guarded, MemoryPlatform, TestClock]
) -> None:
    known, platform, _ = changed
    (found,) = watch(known, impressions(tmp_path, rise=0.0), {"google_ads": platform})
    assert (found.outcome.verdict, found.taken_back) == ("fine", "")
    assert found.outcome.low is not None and found.outcome.low < 0


def test_what_a_person_changed_since_is_left_to_them(
    tmp_path: Path, changed: tuple[Guarded, MemoryPlatform, TestClock]
) -> None:
    known, platform, _ = changed
    platform.send([Change("p", "google_ads", "1", "ad_group", "update", {"bid": 1.1}, "r", "eve", "ad_group-2")])
    (found,) = watch(known, impressions(tmp_path, rise=0.5), {"google_ads": platform})
    assert found.taken_back == "" and "it was changed since" in found.why_not


def test_too_few_days_say_not_yet(tmp_path: Path, changed: tuple[Guarded, MemoryPlatform, TestClock]) -> None:
    known, platform, _ = changed
    tables = impressions(tmp_path, rise=0.5)
    rows = pd.read_parquet(tmp_path / "impressions.parquet")
    recent = rows[rows["occurred_at"] > rows["occurred_at"].max() - pd.Timedelta(days=20)]
    recent.to_parquet(tmp_path / "impressions.parquet")
    (found,) = watch(known, tables, {"google_ads": platform})
    assert found.outcome.verdict == "not yet" and "14 needed" in found.outcome.said
