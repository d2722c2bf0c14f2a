"""Counts of ads by day of the account."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.ad_days import read
from features.tables import Tables


def tables(folder: Path, *rows: dict[str, Any]) -> Tables:
    usual = {"creative_id": "a", "impressions": 10.0, "clicks": 1.0}
    pd.DataFrame([usual | row for row in rows]).to_parquet(folder / "impressions.parquet")
    return Tables(folder)


def test_events_are_of_the_day_and_hour_of_the_accounts_clock(tmp_path: Path) -> None:
    shown = pd.Timestamp("2026-06-15 23:30")
    frame = read(tables(tmp_path, {"occurred_at": shown}, {"occurred_at": shown}), "Europe/Berlin")
    assert frame[["day", "hour", "impressions"]].to_numpy().tolist() == [[pd.Timestamp("2026-06-16"), 1, 20.0]]


def test_counts_of_days_stay_in_their_days(tmp_path: Path) -> None:
    days = tables(tmp_path, {"occurred_at": pd.Timestamp("2026-06-15")}, {"occurred_at": pd.Timestamp("2026-06-16")})
    frame = read(days, "America/New_York")
    assert frame["day"].tolist() == [pd.Timestamp("2026-06-15"), pd.Timestamp("2026-06-16")]
    assert frame["hour"].isna().all()


def test_what_was_not_counted_is_nothing_and_added_columns_are_read(tmp_path: Path) -> None:
    day = pd.Timestamp("2026-06-15")
    added = {"occurred_at": day, "ad_group_id": "g", "conversion_value": 7.5, "spend": 2.0}
    (row,) = read(tables(tmp_path, added), "UTC").to_dict("records")
    assert (row["ad_group_id"], row["ad_id"], row["keyword_id"]) == ("g", "a", None)
    assert (row["value"], row["spend"], row["conversions"], row["engagements"]) == (7.5, 2.0, 0.0, 0.0)


def test_a_folder_without_impressions_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a table impressions"):
        read(Tables(tmp_path), "UTC")
