"""First bids come from like campaigns with an interval, and from the plan alone where too little is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.tables import Tables
from serving.campaigns.plan import CampaignPlan
from serving.campaigns.reading import read_text
from serving.campaigns.typical import first_bids, predicted
from tests.unit.serving.campaigns.test_reading import EXAMPLE


def plan(old: str = "", new: str = "") -> CampaignPlan:
    return read_text(EXAMPLE.read_text().replace(old, new).encode(), "x.yaml")[0] if old else plan("zone", "zone")


def tables(folder: Path, campaigns: int, rate: float = 0.05, channel: str = "google_ads", seed: int = 7) -> Tables:
    """Campaigns whose clicks convert at about this rate and cost 0.60."""
    drawn = np.random.default_rng(seed)
    rates = rate * np.exp(drawn.normal(0, 0.2, campaigns))
    rows = [
        {
            **{"creative_id": "a", "campaign_id": f"c{number}", "channel": channel, "impressions": 40_000.0},
            **{"occurred_at": pd.Timestamp("2026-06-01"), "clicks": 2000.0, "spend": 1200.0},
            "conversions": float(drawn.binomial(2000, rates[number])),
        }
        for number in range(campaigns)
    ]
    pd.DataFrame(rows).to_parquet(folder / "impressions.parquet")
    return Tables(folder)


def test_a_bid_is_the_worth_of_a_click_of_like_campaigns(tmp_path: Path) -> None:
    found = first_bids(plan("        bid: 0.8\n", ""), tables(tmp_path, 12))["google_ads/running"]
    assert found.source == "12 like campaigns" and found.bid is not None
    assert found.bid == pytest.approx(20 * 0.05, rel=0.15)  # the goal times the rate
    assert found.low is not None and found.high is not None and found.low < 1.0 < found.high
    assert found.daily == pytest.approx(60 / (0.6 / 0.05), rel=0.15)


def test_the_interval_holds_another_campaign_as_often_as_it_says() -> None:
    drawn, held, runs = np.random.default_rng(3), 0, 1000
    for _ in range(runs):
        *seen, another = 0.05 * np.exp(drawn.normal(0, 0.2, 7))
        _, low, high = predicted(pd.Series(seen))
        held += low <= another <= high
    assert 0.88 <= held / runs <= 0.92


def test_the_plans_own_bid_stays_and_limits_hold(tmp_path: Path) -> None:
    assert first_bids(plan(), tables(tmp_path, 12))["google_ads/running"].bid == 0.8
    cheap = first_bids(plan("        bid: 0.8\n", ""), tables(tmp_path, 12, rate=0.4))["google_ads/running"]
    assert cheap.bid == 2.5 and cheap.low is not None and cheap.low > 2.5


@pytest.mark.parametrize(("campaigns", "rate"), [(2, 0.05), (12, 0.001)])
def test_too_little_is_said(tmp_path: Path, campaigns: int, rate: float) -> None:
    found = first_bids(plan(), tables(tmp_path, campaigns, rate))["google_ads/running"]
    assert (found.bid, found.low) == (0.8, None)
    assert found.source.startswith("the plan's own; not enough data: ")
    assert first_bids(plan("        bid: 0.8\n", ""), None)["google_ads/running"].bid is None
